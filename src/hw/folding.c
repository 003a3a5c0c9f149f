/* Units of a graph and all their options. */
#include "hw/folding.h"

#include <stdlib.h>
#include <string.h>

#include "hw/kind.h"

/* The unit's options while they are listed. */
struct option_list {
	struct {
		struct fold_option *items;
		size_t count, capacity;
	} options;
	struct {
		struct hw_choice (*items)[2];
		size_t count, capacity;
	} choices;
};

bool folding_streams_fit(const struct hw_layer *l, const struct hw_choice *c, int64_t max_bits)
{
	if (!max_bits)
		return true;
	if (hw_width(hw_output(l, c, 0)) > max_bits || hw_weight_width(l, c) > max_bits)
		return false;
	for (size_t i = 0; i < hw_stream_inputs(l); i++)
		if (hw_width(hw_input(l, c, i)) > max_bits)
			return false;
	return true;
}

static void add_cost(struct fold_option *o, const struct hw_cost *c)
{
	o->cost[FOLD_LUT] += c->lut;
	o->cost[FOLD_BRAM] += c->bram;
	o->cost[FOLD_DSP] += c->dsp;
	o->cost[FOLD_URAM] += c->uram;
	o->cost[FOLD_CYCLES] += c->cycles;
	if (c->cycles > o->cycles)
		o->cycles = c->cycles;
}

/* Adds the option in which node i of the unit is built as c[i], where its streams are not too wide. */
static void add_option(const struct folding_unit *u, const struct hw_choice c[2], const struct folding_rules *rules,
		       struct option_list *list)
{
	struct fold_option o = { .tag = (int64_t)list->options.count };
	struct hw_choice both[2] = { c[0], c[1] };
	for (size_t i = 0; i < u->count; i++) {
		if (!folding_streams_fit(&u->layers[i], &c[i], rules->max_stream_bits))
			return;
		struct hw_cost cost = hw_layer_cost(&u->layers[i], &c[i]);
		add_cost(&o, &cost);
	}
	vec_push(&list->options, o);
	vec_reserve(&list->choices, list->choices.count + 1);
	memcpy(list->choices.items[list->choices.count++], both, sizeof both);
}

/* Memories a layer may have: the cheapest in LUTs always; others only where what they save is limited. */
static size_t memories(const struct hw_layer *l, const struct folding_rules *rules, uint8_t out[3])
{
	size_t n = 0;
	bool chooses = l->kind->flags & HW_CHOOSES_RAM;
	out[n++] = chooses ? HW_RAM_AUTO : l->now.ram;
	if (chooses && rules->limit[FOLD_BRAM] >= 0)
		out[n++] = HW_RAM_DISTRIBUTED;
	if (rules->limit[FOLD_URAM] > 0 && l->kind->flags & HW_CHOOSES_URAM)
		out[n++] = HW_RAM_ULTRA;
	return n;
}

/* Every memory and multiplier of the last node for the parallelism in c. */
static void add_variants(const struct folding_unit *u, const struct hw_choice c[2], const struct folding_rules *rules,
			 struct option_list *list)
{
	const struct hw_layer *l = &u->layers[u->count - 1];
	struct hw_choice both[2] = { c[0], c[1] };
	struct hw_choice *last = &both[u->count - 1];
	uint8_t rams[3], window_rams[3] = { HW_RAM_AUTO };
	bool multiplies = l->kind->flags & HW_MULTIPLIES;
	size_t n = memories(l, rules, rams), windows = 1;
	if (u->count == 2)
		windows = memories(&u->layers[0], rules, window_rams);
	for (size_t w = 0; w < windows; w++)
		for (size_t i = 0; i < n; i++)
			for (int dsp = 0; dsp <= (multiplies && rules->limit[FOLD_DSP] > 0); dsp++) {
				if (u->count == 2)
					both[0].ram = window_rams[w];
				last->ram = rams[i];
				last->dsp = dsp != 0;
				add_option(u, both, rules, list);
			}
}

/* A sliding window feeding a VVAU or Pool: its SIMD is their PE; SIMD of the VVAU needs whole windows. */
static void add_tied(const struct folding_unit *u, int64_t pe, const struct folding_rules *rules,
		     struct option_list *list)
{
	const struct hw_layer *reader = &u->layers[1];
	for (int64_t simd = 1; simd <= reader->max_simd; simd++) {
		if (reader->max_simd % simd || (simd > 1 && pe < reader->max_pe))
			continue;
		struct hw_choice c[2] = { { .pe = 1, .simd = pe, .window = simd > 1 }, { .pe = pe, .simd = simd } };
		add_variants(u, c, rules, list);
	}
}

static bool may_widen(const struct hw_layer *l, int64_t simd)
{
	return l->kind->flags & HW_MAKES_WINDOWS && !l->depthwise && l->mw > 1 && simd == l->max_simd;
}

static void list_options(const struct folding_unit *u, const struct folding_rules *rules, struct option_list *list)
{
	const struct hw_layer *l = &u->layers[u->count - 1];
	for (int64_t pe = 1; pe <= l->max_pe; pe++) {
		if (l->max_pe % pe)
			continue;
		if (u->count == 2) {
			add_tied(u, pe, rules, list);
			continue;
		}
		for (int64_t simd = 1; simd <= l->max_simd; simd++)
			for (int wide = 0; l->max_simd % simd == 0 && wide <= may_widen(l, simd); wide++)
				add_variants(u, (struct hw_choice[2]){ { pe, simd, 0, false, wide != 0 } }, rules,
					     list);
	}
}

/* The node that reads a depthwise sliding window and is folded with it; NULL where n is none or has none. */
static struct node *tied_reader(const struct node *n)
{
	const struct hw_kind *kind = hw_kind_of(n), *reader;
	if (!kind || !(kind->flags & HW_MAKES_WINDOWS) || !node_attr_int(n, "depthwise", 0))
		return NULL;
	struct use *u = value_only_use(node_output(n, 0));
	reader = u && u->user ? hw_kind_of(u->user) : NULL;
	return reader && reader->flags & HW_READS_WINDOWS ? u->user : NULL;
}

static bool is_tied_reader(const struct node *n)
{
	const struct value *in = node_input(n, 0);
	return in && in->producer && tied_reader(in->producer) == n;
}

/* Lists the unit's options in the place of what was listed. */
static void list_anew(struct folding_unit *u, struct fold_unit *options, const struct folding_rules *rules)
{
	struct option_list list = { 0 };
	free(options->options);
	free(u->choices);
	list_options(u, rules, &list);
	options->options = list.options.items;
	options->count = list.options.count;
	u->choices = list.choices.items;
}

static int read_unit(struct folding_unit *u, struct fold_unit *options, const struct folding_rules *rules,
		     struct diags *d)
{
	for (size_t i = 0; i < u->count; i++)
		if (hw_layer_read(u->nodes[i], &u->layers[i], d) != 0)
			return -1;
	list_anew(u, options, rules);
	if (!options->count)
		return diag_node_error(d, u->nodes[0], "raise max_stream_bits",
				       "no folding keeps its streams within max_stream_bits=%lld",
				       (long long)rules->max_stream_bits);
	return 0;
}

int folding_read(struct folding *f, struct graph *g, const struct folding_rules *rules, struct diags *d)
{
	int result = 0;
	f->units = xcalloc(g->n_nodes + 1, sizeof *f->units);
	f->options = xcalloc(g->n_nodes + 1, sizeof *f->options);
	f->count = 0;
	graph_for_each_node (g, n) {
		if (!hw_kind_of(n) || is_tied_reader(n))
			continue;
		struct folding_unit *u = &f->units[f->count];
		u->nodes[0] = n;
		u->nodes[1] = tied_reader(n);
		u->count = u->nodes[1] ? 2 : 1;
		if (read_unit(u, &f->options[f->count++], rules, d) != 0)
			result = -1;
	}
	return result;
}

struct hw_layer folding_resized(const struct hw_layer *l, int64_t mw, int64_t mh)
{
	struct hw_layer r = *l;
	r.mw = r.max_simd = mw;
	r.mh = r.max_pe = mh;
	r.elements[0] = r.vectors * mw;
	r.elements[1] = r.vectors * mh;
	return r;
}

int folding_resize(struct folding *f, const struct fold_paddings *list, bool back, const struct folding_rules *rules)
{
	int result = 0;
	for (size_t i = 0; i < list->count; i++) {
		const struct fold_padding *p = &list->items[i];
		struct hw_layer *l = &f->units[p->unit].layers[0], *next = &f->units[p->next].layers[0];
		int64_t size = back ? p->from : p->to;
		*l = p->columns ? folding_resized(l, size, l->mh) : folding_resized(l, l->mw, size);
		if (!p->columns)
			*next = folding_resized(next, size, next->mh);
	}
	for (size_t i = 0; i < list->count; i++) {
		const struct fold_padding *p = &list->items[i];
		list_anew(&f->units[p->unit], &f->options[p->unit], rules);
		if (!p->columns)
			list_anew(&f->units[p->next], &f->options[p->next], rules);
		if (!f->options[p->unit].count || (!p->columns && !f->options[p->next].count))
			result = -1;
	}
	return result;
}

void folding_free(struct folding *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->units[i].choices);
		free(f->options[i].options);
	}
	free(f->units);
	free(f->options);
	*f = (struct folding){ 0 };
}

struct fold_problem folding_problem(const struct folding *f, const struct folding_rules *rules)
{
	struct fold_problem p = { .units = f->options, .count = f->count };
	memcpy(p.limit, rules->limit, sizeof p.limit);
	return p;
}

void folding_write(const struct folding *f, const size_t *chosen)
{
	for (size_t u = 0; u < f->count; u++)
		for (size_t i = 0; i < f->units[u].count; i++)
			hw_layer_write(f->units[u].nodes[i], &f->units[u].layers[i],
				       &f->units[u].choices[chosen[u]][i]);
}

struct hw_cost folding_cost(const struct folding *f, const size_t *chosen)
{
	struct hw_cost sum = { 0 };
	for (size_t u = 0; u < f->count; u++) {
		const struct fold_option *o = &f->options[u].options[chosen[u]];
		sum.cycles = o->cycles > sum.cycles ? o->cycles : sum.cycles;
		sum.lut += o->cost[FOLD_LUT];
		sum.bram += o->cost[FOLD_BRAM];
		sum.dsp += o->cost[FOLD_DSP];
		sum.uram += o->cost[FOLD_URAM];
	}
	return sum;
}

/* Finds padding that makes layers cheaper: a matrix whose MW or MH has few divisors (463 = 463 x 1) can be folded
 * only coarsely; with a few columns or rows more (464 = 16 x 29) it takes less at the same rate. An MH and the MW of
 * the layer that reads it grow together. The numbers are chosen one after the other while the others stay fixed, and
 * all once more where any changed. Each step is the best of its kind; the result as a whole need not be the optimum. */
#include <stdlib.h>
#include <string.h>

#include "hw/folding.h"
#include "hw/kind.h"

enum { MAX_PADDING_PERCENT = 10, MIN_GAIN_PERCENT = 3, NOWHERE = -1 };

/* The MVAUs of a folding while sizes are tried; by unit. */
struct trial {
	const struct folding *f;
	const struct folding_rules *rules;
	int64_t cycles;
	struct hw_layer *layers; /* as they would be */
	int64_t *next;		 /* the unit whose MW is this one's MH and can grow with it, or NOWHERE */
};

/* LUTs with that SIMD, over all PE within bound and widths, and what was known before; -1: none. */
static int64_t least_over_pe(const struct trial *t, const struct hw_layer *l, int64_t simd, int64_t least)
{
	int64_t vectors = l->mw / simd * l->vectors;
	for (int64_t d = 1; d * d <= l->mh; d++) /* divisors come in pairs */
		for (int twin = 0; l->mh % d == 0 && twin < 2; twin++) {
			struct hw_choice c = { twin ? l->mh / d : d, simd, l->now.ram, l->now.dsp, false };
			if (l->mh / c.pe * vectors > t->cycles ||
			    !folding_streams_fit(l, &c, t->rules->max_stream_bits))
				continue;
			int64_t lut = hw_layer_cost(l, &c).lut;
			least = least < 0 || lut < least ? lut : least;
		}
	return least;
}

/* Least LUTs of an MVAU (in the memory it has now); -1 where nothing keeps to the bound. */
static int64_t least_luts(const struct trial *t, const struct hw_layer *l)
{
	int64_t least = -1;
	for (int64_t d = 1; d * d <= l->mw; d++) {
		if (l->mw % d)
			continue;
		least = least_over_pe(t, l, d, least);
		if (d * d != l->mw)
			least = least_over_pe(t, l, l->mw / d, least);
	}
	return least;
}

/* LUTs of the unit's layer with that MW, or with that MH together with the layer behind; -1: not possible. */
static int64_t luts_of(const struct trial *t, const struct fold_padding *p, int64_t size)
{
	struct hw_layer l = t->layers[p->unit];
	l = p->columns ? folding_resized(&l, size, l.mh) : folding_resized(&l, l.mw, size);
	int64_t sum = least_luts(t, &l);
	if (sum < 0 || p->columns)
		return sum;
	struct hw_layer behind = folding_resized(&t->layers[p->next], size, t->layers[p->next].mh);
	int64_t more = least_luts(t, &behind);
	return more < 0 ? -1 : sum + more;
}

/* The best size from p->from on; whether it gains enough. */
static bool find_size(const struct trial *t, struct fold_padding *p)
{
	p->to = p->from;
	p->before = p->after = luts_of(t, p, p->from);
	for (int64_t to = p->from + 1; to <= p->from + p->from * MAX_PADDING_PERCENT / 100 + 1; to++) {
		int64_t luts = luts_of(t, p, to);
		if (luts >= 0 && (p->after < 0 || luts < p->after)) {
			p->to = to;
			p->after = luts;
		}
	}
	if (p->before >= 0 && p->after * 100 > p->before * (100 - MIN_GAIN_PERCENT))
		p->to = p->from;
	return p->to > p->from;
}

static void take_size(struct trial *t, const struct fold_padding *p)
{
	struct hw_layer *l = &t->layers[p->unit];
	*l = p->columns ? folding_resized(l, p->to, l->mh) : folding_resized(l, l->mw, p->to);
	if (!p->columns)
		t->layers[p->next] = folding_resized(&t->layers[p->next], p->to, t->layers[p->next].mh);
}

/* The unit of each node by its id, NOWHERE for others; malloc'd. */
static int64_t *units_by_node(const struct folding *f)
{
	const struct graph *g = f->units[0].nodes[0]->graph;
	int64_t *unit = xcalloc((size_t)g->next_node_id + 1, sizeof *unit);
	for (size_t i = 0; i <= g->next_node_id; i++)
		unit[i] = NOWHERE;
	for (size_t u = 0; u < f->count; u++)
		unit[f->units[u].nodes[0]->id] = (int64_t)u;
	return unit;
}

static bool is_mvau(const struct folding *f, size_t u)
{
	return f->units[u].layers[0].kind->flags & HW_MATRIX;
}

static void start_trial(struct trial *t, const size_t *chosen)
{
	const struct folding *f = t->f;
	int64_t *unit = units_by_node(f);
	t->layers = xcalloc(f->count, sizeof *t->layers);
	t->next = xcalloc(f->count, sizeof *t->next);
	for (size_t u = 0; u < f->count; u++) {
		const struct use *use = value_only_use(node_output(f->units[u].nodes[0], 0));
		t->layers[u] = f->units[u].layers[0];
		if (chosen)
			t->layers[u].now = f->units[u].choices[chosen[u]][0];
		t->next[u] = use && use->user ? unit[use->user->id] : NOWHERE;
		if (t->next[u] >= 0 && (!is_mvau(f, u) || !is_mvau(f, (size_t)t->next[u]) ||
					!folding_pads_output(f->units[u].nodes[0], use->user)))
			t->next[u] = NOWHERE;
	}
	free(unit);
}

/* All numbers that can grow. */
static void list_sizes(const struct trial *t, struct fold_paddings *list)
{
	for (size_t u = 0; u < t->f->count; u++) {
		const struct hw_layer *l = &t->layers[u];
		if (is_mvau(t->f, u) && folding_pads_input(t->f->units[u].nodes[0]))
			vec_push(list,
				 ((struct fold_padding){ .unit = u, .columns = true, .from = l->mw, .to = l->mw }));
		if (t->next[u] >= 0)
			vec_push(list, ((struct fold_padding){
					       .unit = u, .next = (size_t)t->next[u], .from = l->mh, .to = l->mh }));
	}
}

void folding_paddings(const struct folding *f, const struct folding_rules *rules, const size_t *chosen, int64_t cycles,
		      struct fold_paddings *list)
{
	struct trial t = { .f = f, .rules = rules, .cycles = cycles };
	bool again = f->count > 0;
	if (f->count) {
		start_trial(&t, chosen);
		list_sizes(&t, list);
	}
	for (int sweep = 0; again && sweep < 2; sweep++) {
		again = false;
		for (size_t i = 0; i < list->count; i++) {
			again = find_size(&t, &list->items[i]) || again;
			take_size(&t, &list->items[i]);
		}
	}
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].to > list->items[i].from)
			list->items[kept++] = list->items[i];
	list->count = kept;
	free(t.layers);
	free(t.next);
}

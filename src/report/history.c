/* Stages of a graph as lines of JSON: see history.h. */
#include "report/history.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/op.h"
#include "report/picture.h"
#include "util/identifier.h"
#include "util/vec.h"

enum {
	MOST_ITEMS = 256, /* of an attribute's list */
	BINS = 32,
};

/* Different lines, each with its number. */
struct pool {
	struct map numbers; /* line -> number + 1 */
	struct {
		const char **items;
		size_t count, capacity;
	} lines;
};

struct stage {
	const char *name, *nodes, *values, *rest; /* JSON; nodes and values as runs of numbers of lines */
};

struct history {
	struct arena arena;
	struct pool texts, nodes, values;
	struct {
		struct stage *items;
		size_t count, capacity;
	} stages;
	struct live_graph live;
	struct strbuf line; /* the one that is being made */
};

struct history *history_new(void)
{
	struct history *h = xcalloc(1, sizeof *h);
	arena_init(&h->arena);
	return h;
}

static void pool_free(struct pool *p)
{
	map_free(&p->numbers);
	vec_free(&p->lines);
}

static void drop_live(struct history *h)
{
	if (h->live.graph)
		graph_free(h->live.graph);
	free(h->live.ids);
}

void history_free(struct history *h)
{
	if (!h)
		return;
	drop_live(h);
	pool_free(&h->texts);
	pool_free(&h->nodes);
	pool_free(&h->values);
	vec_free(&h->stages);
	strbuf_free(&h->line);
	arena_free(&h->arena);
	free(h);
}

static size_t number_of(struct history *h, struct pool *p, const char *line)
{
	size_t number = (size_t)(uintptr_t)map_get(&p->numbers, line);
	if (number)
		return number - 1;
	const char *kept = arena_strdup(&h->arena, line);
	vec_push(&p->lines, kept);
	map_set(&p->numbers, kept, (void *)(uintptr_t)p->lines.count);
	return p->lines.count - 1;
}

/* Adds the number of a text. */
static void put_text(struct history *h, struct strbuf *out, const char *text)
{
	struct strbuf b = { 0 };
	json_quote(&b, text);
	strbuf_int(out, (int64_t)number_of(h, &h->texts, b.text));
	strbuf_free(&b);
}

/* ---- values ---- */

static void put_number(struct strbuf *b, double x)
{
	if (isfinite(x))
		strbuf_printf(b, "%.9g", x);
	else
		strbuf_puts(b, isnan(x) ? "\"NaN\"" : x < 0 ? "\"-inf\"" : "\"inf\"");
}

static int bin_of(double x, double lo, double hi, int bins)
{
	int i = (int)((x - lo) / (hi - lo) * bins);
	return i < 0 ? 0 : i >= bins ? bins - 1 : i;
}

/* Bins of finite elements: one for each integer where there are few, else BINS of equal width. */
static void put_histogram(struct strbuf *b, const struct tensor *t, double lo, double hi, bool integral)
{
	int64_t counts[BINS] = { 0 };
	int bins = integral && hi - lo < BINS ? (int)(hi - lo) + 1 : BINS;
	double top = integral && hi - lo < BINS ? hi + 1 : hi;
	for (int64_t i = 0; i < t->count; i++) {
		double x = tensor_at(t, i);
		if (isfinite(x))
			counts[bin_of(x, lo, top, bins)]++;
	}
	for (int i = 0; i < bins; i++) {
		strbuf_puts(b, i ? "," : ",[");
		strbuf_int(b, counts[i]);
	}
	strbuf_puts(b, "]");
}

/* Least, largest, whether all are integers, bins. */
static void put_statistics(struct strbuf *b, const struct tensor *t)
{
	double lo = INFINITY, hi = -INFINITY;
	if (t->elem == ELEM_STRING || !t->count) {
		strbuf_puts(b, ",[]");
		return;
	}
	for (int64_t i = 0; i < t->count; i++) {
		double x = tensor_at(t, i);
		lo = isfinite(x) && x < lo ? x : lo;
		hi = isfinite(x) && x > hi ? x : hi;
	}
	bool integral = tensor_is_integral(t);
	strbuf_puts(b, ",[");
	put_number(b, lo);
	strbuf_puts(b, ",");
	put_number(b, hi);
	strbuf_puts(b, integral ? ",1" : ",0");
	if (t->count > 1 && lo < hi && isfinite(hi - lo))
		put_histogram(b, t, lo, hi, integral);
	strbuf_puts(b, "]");
}

static void put_dims(struct strbuf *b, int rank, const int64_t *dims)
{
	if (rank < 0) {
		strbuf_puts(b, ",null");
		return;
	}
	strbuf_puts(b, ",[");
	for (int i = 0; i < rank; i++) {
		strbuf_puts(b, i ? "," : "");
		strbuf_int(b, dims[i]);
	}
	strbuf_puts(b, "]");
}

static size_t value_number(struct history *h, const struct value *v)
{
	char name[DATATYPE_NAME_SIZE];
	struct strbuf *b = &h->line;
	b->length = 0;
	strbuf_puts(b, "[");
	strbuf_int(b, v->id);
	strbuf_puts(b, ",");
	json_quote(b, v->name);
	strbuf_puts(b, ",");
	put_text(h, b, datatype_name(v->datatype, name));
	strbuf_puts(b, ",");
	put_text(h, b, elem_name((enum elem_type)v->elem));
	put_dims(b, v->rank, v->dims);
	if (v->range)
		strbuf_printf(b, ",[%" PRId64 ",%" PRId64 "]", v->range->lo, v->range->hi);
	else if (value_is_constant(v))
		strbuf_puts(b, ",null");
	if (value_is_constant(v))
		put_statistics(b, v->constant);
	strbuf_puts(b, "]");
	return number_of(h, &h->values, b->text);
}

/* ---- nodes ---- */

static void put_tensor(struct strbuf *b, const struct tensor *t)
{
	struct strbuf shape = { 0 };
	shape_text(&shape, t->rank, t->dims);
	strbuf_printf(b, "{\"tensor\":\"%s%s\"}", elem_name((enum elem_type)t->elem), strbuf_text(&shape));
	strbuf_free(&shape);
}

static void put_item(struct strbuf *b, const struct attr *a, uint32_t i)
{
	switch (a->kind) {
	case ATTR_FLOATS: put_number(b, (double)a->floats[i]); break;
	case ATTR_INTS: strbuf_int(b, a->ints[i]); break;
	default: json_quote(b, a->strings[i]);
	}
}

static void put_list(struct strbuf *b, const struct attr *a)
{
	for (uint32_t i = 0; i < a->count && i < MOST_ITEMS; i++) {
		strbuf_puts(b, i ? "," : "[");
		put_item(b, a, i);
	}
	strbuf_puts(b, !a->count ? "[]" : a->count > MOST_ITEMS ? ",\"...\"]" : "]");
}

static void put_attribute(struct strbuf *b, const struct attr *a)
{
	json_quote(b, a->name);
	strbuf_puts(b, ":");
	switch (a->kind) {
	case ATTR_FLOAT: put_number(b, (double)a->f); break;
	case ATTR_INT: strbuf_int(b, a->i); break;
	case ATTR_STRING: json_quote(b, a->s); break;
	case ATTR_TENSOR: put_tensor(b, a->t); break;
	case ATTR_FLOATS:
	case ATTR_INTS:
	case ATTR_STRINGS: put_list(b, a); break;
	default: strbuf_puts(b, a->kind == ATTR_GRAPH ? "{\"graph\":1}" : "{\"other\":1}");
	}
}

static size_t attributes_number(struct history *h, const struct node *n)
{
	struct strbuf b = { 0 };
	strbuf_puts(&b, "{");
	for (const struct attr *a = n->attrs; a; a = a->next) {
		strbuf_puts(&b, a == n->attrs ? "" : ",");
		put_attribute(&b, a);
	}
	strbuf_puts(&b, "}");
	size_t number = number_of(h, &h->texts, b.text);
	strbuf_free(&b);
	return number;
}

static void put_uses(struct strbuf *b, const struct use *uses, uint32_t count, const char *before)
{
	for (uint32_t i = 0; i < count; i++) {
		strbuf_puts(b, i ? "," : before);
		strbuf_int(b, uses[i].value ? (int64_t)uses[i].value->id : -1);
	}
}

static void put_connections(struct strbuf *b, const struct node *n)
{
	strbuf_puts(b, ",[");
	put_uses(b, n->inputs, n->n_inputs, "");
	put_uses(b, n->captures, n->n_captures, n->n_inputs ? "," : "");
	strbuf_puts(b, "],[");
	for (uint32_t i = 0; i < n->n_outputs; i++) {
		strbuf_puts(b, i ? "," : "");
		strbuf_int(b, n->outputs[i] ? (int64_t)n->outputs[i]->id : -1);
	}
	strbuf_puts(b, "]");
}

static void put_sources(struct strbuf *b, const struct origin *o)
{
	strbuf_puts(b, ",[");
	for (uint32_t i = 0; o && i < o->count; i++) {
		strbuf_puts(b, i ? "," : "");
		strbuf_int(b, o->ids[i]);
	}
	strbuf_puts(b, "]");
}

static size_t node_number(struct history *h, const struct node *n, enum role role)
{
	struct strbuf *b = &h->line;
	int64_t macs = n->op && n->op->macs ? n->op->macs(n) : 0;
	b->length = 0;
	strbuf_puts(b, "[");
	strbuf_int(b, n->id);
	strbuf_puts(b, ",");
	put_text(h, b, n->op_type);
	strbuf_puts(b, ",");
	put_text(h, b, n->domain);
	strbuf_puts(b, ",");
	json_quote(b, node_label(n));
	strbuf_puts(b, ",");
	strbuf_int(b, (int64_t)attributes_number(h, n));
	put_connections(b, n);
	put_sources(b, n->origin);
	strbuf_puts(b, ",");
	strbuf_int(b, role);
	if (macs > 0) {
		strbuf_puts(b, ",");
		strbuf_int(b, macs);
	}
	strbuf_puts(b, "]");
	return number_of(h, &h->nodes, b->text);
}

/* ---- stages ---- */

/* Numbers as runs: first, count, first, count. */
struct runs {
	struct strbuf text;
	size_t first, count;
};

static void end_run(struct runs *r)
{
	if (r->count)
		strbuf_printf(&r->text, "%s%zu,%zu", r->text.length > 1 ? "," : "", r->first, r->count);
	r->count = 0;
}

static void add_to_run(struct runs *r, size_t number)
{
	if (r->count && number == r->first + r->count) {
		r->count++;
		return;
	}
	end_run(r);
	r->first = number;
	r->count = 1;
}

static const char *runs_text(struct history *h, struct runs *r)
{
	end_run(r);
	strbuf_puts(&r->text, "]");
	const char *text = arena_strdup(&h->arena, r->text.text);
	strbuf_free(&r->text);
	return text;
}

static const char *nodes_text(struct history *h, const struct graph *g)
{
	struct runs r = { .count = 0 };
	enum role *roles = graph_roles(g);
	strbuf_puts(&r.text, "[");
	graph_for_each_node (g, n)
		add_to_run(&r, node_number(h, n, roles[n->id]));
	free(roles);
	return runs_text(h, &r);
}

static const char *values_text(struct history *h, const struct graph *g)
{
	struct runs r = { .count = 0 };
	strbuf_puts(&r.text, "[");
	graph_for_each_value (g, v)
		if (v->uses || v->producer || v->is_input)
			add_to_run(&r, value_number(h, v));
	return runs_text(h, &r);
}

static void put_interface(struct strbuf *b, const struct graph *g)
{
	const char *separator = "\"inputs\":[";
	for (uint32_t i = 0; i < g->n_inputs; i++)
		if (!value_is_constant(g->inputs[i])) {
			strbuf_printf(b, "%s%" PRIu32, separator, g->inputs[i]->id);
			separator = ",";
		}
	strbuf_puts(b, *separator == ',' ? "],\"outputs\":[" : "\"inputs\":[],\"outputs\":[");
	for (uint32_t i = 0; i < g->n_outputs; i++) {
		strbuf_printf(b, "%s[%" PRIu32 ",", i ? "," : "", g->outputs[i].value->id);
		json_quote(b, g->output_names[i] ? g->output_names[i] : g->outputs[i].value->name);
		strbuf_puts(b, "]");
	}
	strbuf_puts(b, "]");
}

/* Groups, and the group of each node as runs of one group: group, count, ... */
static void put_groups(struct history *h, struct strbuf *b, const struct graph *g)
{
	struct groups s;
	uint32_t last = NO_GROUP, count = 0;
	const char *separator = "";
	groups_find(&s, g);
	strbuf_puts(b, ",\"groups\":[");
	for (size_t i = 0; i < s.count; i++) {
		const struct group *p = &s.items[i];
		strbuf_printf(b, "%s[%d,%d,%" PRIu32 ",", i ? "," : "", p->kind,
			      p->parent == NO_GROUP ? -1 : (int)p->parent, p->times);
		put_text(h, b, p->label);
		strbuf_puts(b, "]");
	}
	strbuf_puts(b, "],\"of\":[");
	graph_for_each_node (g, n) {
		if (count && s.of[n->id] != last) {
			strbuf_printf(b, "%s%d,%" PRIu32, separator, last == NO_GROUP ? -1 : (int)last, count);
			separator = ",";
			count = 0;
		}
		last = s.of[n->id];
		count++;
	}
	if (count)
		strbuf_printf(b, "%s%d,%" PRIu32, separator, last == NO_GROUP ? -1 : (int)last, count);
	strbuf_puts(b, "]");
	groups_free(&s);
}

static const char *rest_text(struct history *h, const struct graph *g)
{
	struct strbuf b = { 0 };
	put_interface(&b, g);
	put_groups(h, &b, g);
	const char *text = arena_strdup(&h->arena, b.text);
	strbuf_free(&b);
	return text;
}

static bool same_stage(const struct stage *a, const struct stage *b)
{
	return !strcmp(a->nodes, b->nodes) && !strcmp(a->values, b->values) && !strcmp(a->rest, b->rest);
}

void history_keep(struct history *h, const struct graph *g)
{
	drop_live(h);
	struct graph *copy = graph_copy(g);
	h->live = (struct live_graph){ copy, h->stages.count - 1, xcalloc(copy->next_value_id + 1u, sizeof(uint32_t)) };
	const struct value *from = g->values;
	for (const struct value *v = copy->values; v; v = v->next, from = from->next)
		h->live.ids[v->id] = from->id;
}

void history_record(struct history *h, const struct graph *g, const char *name)
{
	struct stage s = { .nodes = nodes_text(h, g), .values = values_text(h, g), .rest = rest_text(h, g) };
	if (h->stages.count && same_stage(&s, &h->stages.items[h->stages.count - 1]))
		return;
	s.name = arena_strdup(&h->arena, name);
	vec_push(&h->stages, s);
	if (g->properties & GRAPH_STREAMLINED && !(g->properties & GRAPH_HARDWARE))
		history_keep(h, g);
}

void history_observe(void *history, const struct graph *g, const struct pipeline_step *step)
{
	history_record(history, g, step->pass->name);
}

const struct live_graph *history_live(const struct history *h)
{
	return &h->live;
}

/* ---- printing ---- */

static void print_pool(const struct pool *p, const char *name, struct strbuf *out)
{
	strbuf_printf(out, "\"%s\":[", name);
	for (size_t i = 0; i < p->lines.count; i++) {
		strbuf_puts(out, i ? ",\n" : "\n");
		strbuf_puts(out, p->lines.items[i]);
	}
	strbuf_puts(out, "],\n");
}

void history_print(const struct history *h, struct strbuf *out)
{
	print_pool(&h->texts, "texts", out);
	print_pool(&h->nodes, "nodes", out);
	print_pool(&h->values, "values", out);
	strbuf_puts(out, "\"stages\":[");
	for (size_t i = 0; i < h->stages.count; i++) {
		const struct stage *s = &h->stages.items[i];
		strbuf_puts(out, i ? ",\n{\"name\":" : "\n{\"name\":");
		json_quote(out, s->name);
		strbuf_puts(out, ",\"nodes\":");
		strbuf_puts(out, s->nodes);
		strbuf_puts(out, ",\"values\":");
		strbuf_puts(out, s->values);
		strbuf_puts(out, ",");
		strbuf_puts(out, s->rest);
		strbuf_puts(out, "}");
	}
	strbuf_puts(out, "]");
}

/* Builds the report: collects what users want to know of each layer and of the network. */
#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/op.h"
#include "util/map.h"
#include "util/strbuf.h"

struct report *report_new(const char *model)
{
	struct report *r = xcalloc(1, sizeof *r);
	arena_init(&r->arena);
	r->model = arena_strdup(&r->arena, model);
	r->pipeline = "";
	r->passes = json_array();
	r->backends = json_object();
	r->left_out = json_object();
	return r;
}

void report_free(struct report *r)
{
	if (!r)
		return;
	json_decref(r->passes);
	json_decref(r->backends);
	json_decref(r->left_out);
	history_free(r->history);
	certificates_free(&r->certificates);
	arena_free(&r->arena);
	free(r);
}

/* ---- what is a layer, and what are its parameters ---- */

static bool is_quantiser(const struct node *n)
{
	return n->op && n->op->flags & OP_QUANTISER;
}

static bool has_thresholds(const struct node *n)
{
	return !strcmp(n->op_type, "MultiThreshold") || !strncmp(n->op_type, "Thresholding", 12);
}

/* Weights pass a few operators on their way to a product: a quantiser, a transposition. */
enum { WEIGHT_STEPS = 8 };

/* The constant that input i is computed from: itself, or what quantisers, movers and element-wise operators in between
 * read. NULL: it is no constant. */
static const struct value *constant_behind(const struct node *n, size_t i)
{
	const struct value *v = node_input(n, i);
	for (int k = 0; k < WEIGHT_STEPS && v && !v->constant; k++) {
		const struct node *p = v->producer;
		if (!p || !p->op || !(p->op->flags & (OP_QUANTISER | OP_MOVES | OP_ELEMENTWISE)))
			return NULL;
		v = node_input(p, 0);
	}
	return value_is_constant(v) ? v : NULL;
}

/* A constant that is learnt, not a shape, an index or a quantiser's setting. */
static const struct value *parameter(const struct node *n, size_t i)
{
	if (is_quantiser(n) && !has_thresholds(n))
		return NULL;
	const struct value *v = constant_behind(n, i);
	if (!v || v->constant->elem == ELEM_INT64 || v->constant->elem == ELEM_STRING || v->constant->elem == ELEM_BOOL)
		return NULL;
	return v;
}

static bool is_hardware(const struct node *n)
{
	return n->op && strcmp(n->op->domain, DOMAIN_FINN) == 0;
}

static bool is_layer(const struct node *n)
{
	if (is_hardware(n))
		return true;
	if (constant_behind(n, 0))
		return false;
	if ((n->op && n->op->macs) || is_quantiser(n) || has_thresholds(n))
		return true;
	for (size_t i = 1; i < n->n_inputs; i++)
		if (parameter(n, i) && parameter(n, i)->constant->count > 1)
			return true;
	return false;
}

/* ---- types ---- */

/* What the rows are made with. A network has few types and as many rows as layers: the texts of types are shared. */
struct describing {
	struct arena *arena; /* the report's */
	struct map types;    /* the texts that there are */
};

static const char *shared_text(struct describing *w, const char *text)
{
	const char *known = map_get(&w->types, text);
	if (!known) {
		known = arena_strdup(w->arena, text);
		map_set(&w->types, known, (void *)(uintptr_t)known);
	}
	return known;
}

/* Annotated and plain storage types are written the same way: "INT2", "FLOAT32", "INT64". */
static const char *type_name(struct describing *w, const struct value *v)
{
	char name[DATATYPE_NAME_SIZE];
	if (v->datatype.kind != DT_NONE || v->elem == ELEM_FLOAT || v->elem == ELEM_UNDEFINED)
		return shared_text(w, datatype_name(v->datatype, name));
	snprintf(name, sizeof name, "%s", elem_name(v->elem));
	for (char *s = name; *s; s++)
		*s = *s >= 'a' && *s <= 'z' ? (char)(*s - 'a' + 'A') : *s;
	return shared_text(w, name);
}

static struct report_value describe_value(struct describing *w, const struct value *v)
{
	if (!v)
		return (struct report_value){ NULL, -1, NULL };
	struct report_value out = { type_name(w, v), v->rank, NULL };
	if (v->rank > 0)
		out.dims = arena_copy(w->arena, v->dims, (size_t)v->rank * sizeof *v->dims);
	return out;
}

/* The weights as the layer reads them; where their shape is not known, that of the constant they are made from. */
static struct report_value describe_weights(struct describing *w, const struct node *n)
{
	const struct value *constant = parameter(n, 1), *read = node_input(n, 1);
	struct report_value out = describe_value(w, constant ? read : NULL);
	if (constant && out.rank < 0)
		out = (struct report_value){ out.type, constant->rank, describe_value(w, constant).dims };
	return out;
}

/* Bits that the constant takes where each element has its datatype's width: that of the value the layer reads, so
 * that 2-bit weights behind their quantiser count as 2 bits. */
static int64_t memory_bits(const struct value *read, const struct value *constant)
{
	int width = read->datatype.kind != DT_NONE ? datatype_bits(read->datatype)
						   : (int)elem_file_bits(constant->constant->elem);
	return constant->constant->count * width;
}

static void set_parameters(struct report_layer *l, const struct node *n)
{
	for (size_t i = 1; i < n->n_inputs; i++) {
		const struct value *v = parameter(n, i);
		if (!v)
			continue;
		l->params += v->constant->count;
		l->weight_bits += memory_bits(node_input(n, i), v);
	}
}

/* From range analysis, else what the datatype allows. */
static void set_range(struct report_layer *l, const struct value *v)
{
	if (v && v->range) {
		l->has_range = true;
		l->lo = (double)v->range->lo;
		l->hi = (double)v->range->hi;
	} else if (v && datatype_is_integer(v->datatype)) {
		l->has_range = true;
		l->lo = datatype_min(v->datatype);
		l->hi = datatype_max(v->datatype);
	}
}

/* ---- origins ---- */

/* Nodes that passes put between others stand for what is in front of them. */
static const struct origin **origins_of(const struct graph *g)
{
	const struct origin **all = xcalloc(g->next_node_id + 1u, sizeof *all);
	graph_for_each_node (g, n) {
		all[n->id] = n->origin;
		for (uint32_t i = 0; !all[n->id] && i < n->n_inputs; i++)
			if (n->inputs[i].value && n->inputs[i].value->producer)
				all[n->id] = all[n->inputs[i].value->producer->id];
	}
	return all;
}

static void set_origin(struct report_layer *l, struct arena *a, const struct graph *g, const struct origin *o)
{
	if (!o)
		return;
	const char **names = arena_array(a, const char *, o->count);
	for (uint32_t i = 0; i < o->count; i++)
		names[i] = arena_strdup(a, g->sources[o->ids[i]].name);
	l->origin = names;
	l->n_origin = o->count;
}

/* ---- folding ---- */

/* What the last pass that folded said of each layer, by its name. */
struct folding {
	const json_t *network; /* NULL: there was none */
	json_t *layers;
};

static void find_folding(struct folding *f, const json_t *passes)
{
	size_t i;
	const json_t *pass, *last = NULL;
	json_t *layer;
	*f = (struct folding){ 0 };
	json_array_foreach(passes, i, pass) if (json_is_object(json_object_get(pass, "network"))) last = pass;
	if (!last)
		return;
	f->network = json_object_get(last, "network");
	f->layers = json_object();
	json_array_foreach(json_object_get(last, "layers"), i,
			   layer) if (json_is_string(json_object_get(layer, "layer")))
		json_object_set(f->layers, json_string_value(json_object_get(layer, "layer")), layer);
}

static int64_t member(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_integer(value) ? json_integer_value(value) : -1;
}

static int64_t attribute(const struct node *n, const char *name)
{
	return node_attr(n, name) ? node_attr_int(n, name, -1) : -1;
}

static void set_folding(struct report_layer *l, const struct node *n, const struct folding *f)
{
	const json_t *folded = json_object_get(f->layers, l->name);
	l->folding = folded;
	l->pe = attribute(n, "PE");
	l->simd = attribute(n, "SIMD");
	l->cycles = folded ? member(folded, "cycles") : attribute(n, "cycles_estimate");
	l->lut = member(folded, "LUT");
	l->bram_18k = member(folded, "BRAM_18K");
	l->uram = member(folded, "URAM");
	l->dsp = member(folded, "DSP");
}

/* ---- all of it ---- */

static struct report_layer describe_layer(struct describing *w, const struct node *n, const struct origin *o,
					  const struct folding *f)
{
	struct report_layer l = { .name = arena_strdup(w->arena, node_label(n)), .op = shared_text(w, n->op_type) };
	l.input = describe_value(w, node_input(n, 0));
	l.weights = describe_weights(w, n);
	l.output = describe_value(w, node_output(n, 0));
	l.macs = n->op && n->op->macs ? n->op->macs(n) : 0;
	set_parameters(&l, n);
	set_range(&l, node_output(n, 0));
	set_origin(&l, w->arena, n->graph, o);
	set_folding(&l, n, f);
	return l;
}

/* What constants that several layers read were counted too often. */
static void take_back_shared(struct report_totals *t, const struct graph *g)
{
	unsigned char *seen = xcalloc(g->next_value_id + 1u, 1);
	graph_for_each_node (g, n) {
		for (size_t i = 1; is_layer(n) && i < n->n_inputs; i++) {
			const struct value *v = parameter(n, i);
			if (v && seen[v->id]) {
				t->params -= v->constant->count;
				t->weight_bits -= memory_bits(node_input(n, i), v);
			} else if (v) {
				seen[v->id] = 1;
			}
		}
	}
	free(seen);
}

static void set_totals(struct report *r, const struct graph *g, const struct folding *f)
{
	struct report_totals *t = &r->totals;
	*t = (struct report_totals){ .nodes = g->n_nodes, .folding = f->network };
	for (size_t i = 0; i < r->n_layers; i++) {
		t->params += r->layers[i].params;
		t->weight_bits += r->layers[i].weight_bits;
		t->macs += r->layers[i].macs > 0 ? r->layers[i].macs : 0;
	}
	take_back_shared(t, g);
	t->lut = member(f->network, "LUT");
	t->bram_18k = member(f->network, "BRAM_18K");
	t->uram = member(f->network, "URAM");
	t->dsp = member(f->network, "DSP");
}

static size_t count_layers(const struct graph *g)
{
	size_t count = 0;
	graph_for_each_node (g, n)
		count += is_layer(n);
	return count;
}

void report_infer(struct graph *g)
{
	struct diags ignored = { 0 };
	if (!(g->properties & GRAPH_INFERRED))
		graph_infer(g, &ignored);
	diags_free(&ignored);
}

void report_describe(struct report *r, const struct graph *g)
{
	struct describing w = { &r->arena, { 0 } };
	struct folding f;
	find_folding(&f, r->passes);
	const struct origin **origins = origins_of(g);
	r->layers = arena_array(&r->arena, struct report_layer, count_layers(g));
	r->n_layers = 0;
	graph_for_each_node (g, n)
		if (is_layer(n))
			r->layers[r->n_layers++] = describe_layer(&w, n, origins[n->id], &f);
	free(origins);
	map_free(&w.types);
	set_totals(r, g, &f);
	json_decref(f.layers);
}

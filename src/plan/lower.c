/* From the graph to the plan: walks the nodes, with one function for each family of operators, and keeps what those
 * functions share: buffers, storage orders, strides. */
#include "plan/lower.h"

#include <stdlib.h>
#include <string.h>

#include "ops/ranges.h"
#include "passes/fix_batch.h"
#include "passes/pass.h"
#include "util/identifier.h"

/* ---- names and buffers ---- */

/* A C identifier from a value's or node's name, made unique by a number. */
static const char *identifier(struct lowering *l, const char *hint)
{
	char *name = identifier_from(&l->plan->arena, hint, "v");
	if (strlen(name) > 40)
		name[40] = 0;
	return identifier_unique(&l->plan->arena, &l->names, name, NULL);
}

static struct plan_buf *buf_new(struct lowering *l, const char *hint, struct contents c)
{
	struct plan_buf *b = arena_new(&l->plan->arena, struct plan_buf);
	b->name = identifier(l, hint);
	b->real = c.real;
	b->lo = c.lo, b->hi = c.hi, b->base = c.base, b->step = c.step;
	b->elem = c.real ? PLAN_F32 : plan_elem_for(c.lo, c.hi);
	b->born = b->dies = -1;
	if (l->plan->last_buf)
		l->plan->last_buf->next = b;
	else
		l->plan->bufs = b;
	l->plan->last_buf = b;
	l->plan->n_bufs++;
	return b;
}

struct plan_buf *lower_buf(struct lowering *l, const struct value *v, bool last, struct contents c)
{
	struct plan_buf *b = buf_new(l, v->name, c);
	int64_t *dims = arena_array(&l->plan->arena, int64_t, v->rank + 1);
	b->value = v;
	b->rank = v->rank;
	b->channels_last = last && v->rank > 2;
	for (int i = 0; i < v->rank; i++)
		dims[lower_storage_axis(b, i)] = v->dims[i];
	b->count = dims_product(v->dims, 0, v->rank);
	b->dims = dims;
	b->channel_axis = v->layout == LAYOUT_NHWC || v->layout == LAYOUT_NWC ? v->rank - 1
			  : v->rank >= 2				      ? lower_storage_axis(b, 1)
									      : v->rank - 1;
	if (value_is_output(v))
		b->role = PLAN_OUTPUT;
	l->of[v->id] = b;
	return b;
}

struct plan_buf *lower_buf_like(struct lowering *l, const struct plan_buf *b, const char *suffix, struct contents c)
{
	struct plan_buf *y = buf_new(l, arena_printf(&l->plan->arena, "%s_%s", b->name, suffix), c);
	y->rank = b->rank;
	y->dims = b->dims;
	y->count = b->count;
	y->channels_last = b->channels_last;
	y->channel_axis = b->channel_axis;
	return y;
}

int lower_unsupported(struct lowering *l, const struct node *n, const char *what)
{
	const char *remedy = n->graph->properties & GRAPH_STREAMLINED
				     ? "qcc help c says which layers there are"
				     : "run -p streamline first; qcc help c says which layers there are";
	return diag_node_error(l->diags, n, remedy, "the plan for generated code has no form for %s", what);
}

struct plan_buf *lower_input(struct lowering *l, const struct node *n, size_t i)
{
	const struct value *v = node_input(n, i);
	struct plan_buf *b = v ? l->of[v->id] : NULL;
	if (!b)
		lower_unsupported(l, n, v ? "a constant as this operand" : "a missing operand");
	return b;
}

struct plan_layer *lower_layer(struct lowering *l, const struct node *n, enum plan_kind kind, struct plan_buf *in)
{
	struct plan *p = l->plan;
	struct plan_layer *y = arena_new(&p->arena, struct plan_layer);
	y->kind = kind;
	y->node = n;
	y->index = p->n_layers++;
	y->name = identifier(l, node_label(n));
	y->in = arena_array(&p->arena, struct plan_buf *, n->n_inputs + 1);
	y->n_in = in ? 1 : 0;
	y->in[0] = in;
	if (p->last_layer)
		p->last_layer->next = y;
	else
		p->layers = y;
	p->last_layer = y;
	return y;
}

/* ---- storage orders ---- */

int lower_storage_axis(const struct plan_buf *b, int axis)
{
	if (!b->channels_last || axis == 0)
		return axis;
	return axis == 1 ? b->rank - 1 : axis - 1;
}

int lower_graph_axis(const struct plan_buf *b, int axis)
{
	if (!b->channels_last || axis == 0)
		return axis;
	return axis == b->rank - 1 ? 1 : axis + 1;
}

bool lower_is_one_of(const struct node *n, const struct op *const *list)
{
	for (; *list; list++)
		if (n->op == *list)
			return true;
	return false;
}

static bool wants_last(const struct value *v, int depth)
{
	static const struct op *const image[] = { &op_Conv,	   &op_ConvTranspose,	  &op_MaxPool,
						  &op_AveragePool, &op_GlobalAveragePool, &op_GlobalMaxPool,
						  &op_Resize,	   &op_Upsample,	  NULL };
	static const struct op *const through[] = { &op_MultiThreshold, &op_Add, &op_Sub,  &op_Mul, &op_Relu,
						    &op_Concat,		&op_Pad, &op_Clip, NULL };
	if (v->rank < 3 || v->layout == LAYOUT_NHWC || v->layout == LAYOUT_NWC || depth > 6)
		return false;
	value_for_each_use (v, u) {
		const struct node *n = u->user;
		if (!n)
			continue;
		if (lower_is_one_of(n, image) && u->index == 0)
			return true;
		if (lower_is_one_of(n, through) && n->outputs[0] && wants_last(n->outputs[0], depth + 1))
			return true;
	}
	return false;
}

bool lower_result_last(const struct lowering *l, const struct value *v, const struct plan_buf *in)
{
	if (!l->options->channels_last || value_is_output(v) || v->rank < 3)
		return false;
	return (in && in->channels_last) || wants_last(v, 0);
}

void lower_own_strides(const struct plan_buf *b, int64_t *strides)
{
	int64_t s = 1;
	for (int i = b->rank - 1; i >= 0; i--) {
		strides[i] = s;
		s *= b->dims[i];
	}
}

const int64_t *lower_strides(struct lowering *l, const struct plan_buf *b, const struct plan_buf *out)
{
	int64_t own[MAX_RANK] = { 0 }, *s = arena_array(&l->plan->arena, int64_t, out->rank + 1);
	lower_own_strides(b, own);
	for (int i = 0; i < out->rank; i++) {
		int axis = lower_graph_axis(out, i) - (out->rank - b->rank); /* numpy: aligned at the last axis */
		int at = axis < 0 ? -1 : lower_storage_axis(b, axis);
		s[i] = at < 0 || b->dims[at] == 1 ? 0 : own[at];
		if (at >= 0 && b->dims[at] != 1 && b->dims[at] != out->dims[i])
			return NULL;
	}
	return s;
}

const int64_t *lower_constant_strides(struct lowering *l, int rank, const int64_t *dims, const struct plan_buf *out)
{
	struct plan_buf b = { .rank = rank, .dims = dims };
	if (rank > out->rank)
		return NULL;
	return lower_strides(l, &b, out);
}

void lower_split(const struct plan_buf *b, int axis, struct plan_layer *y)
{
	y->outer = y->inner = 1;
	y->length = b->dims[axis];
	for (int i = 0; i < b->rank; i++) {
		if (i < axis)
			y->outer *= b->dims[i];
		if (i > axis)
			y->inner *= b->dims[i];
	}
}

int64_t *lower_order(struct lowering *l, const struct plan_buf *b)
{
	int64_t own[MAX_RANK], at[MAX_RANK] = { 0 };
	int64_t *map = arena_array(&l->plan->arena, int64_t, b->count + 1);
	lower_own_strides(b, own);
	for (int64_t i = 0; i < b->count; i++) {
		int64_t offset = 0;
		for (int axis = 0; axis < b->rank; axis++)
			offset += at[axis] * own[lower_storage_axis(b, axis)];
		map[i] = b->shuffle ? b->shuffle[offset] : offset;
		for (int axis = b->rank - 1; axis >= 0; axis--) {
			if (++at[axis] < b->dims[lower_storage_axis(b, axis)])
				break;
			at[axis] = 0;
		}
	}
	return map;
}

/* ---- the walk ---- */

static const struct {
	const struct op *op;
	int (*lower)(struct lowering *l, const struct node *n);
} lowerings[] = {
#define LOWER(symbol, function) { &op_##symbol, lower_##function },
#include "plan/lowerings.def"
#undef LOWER
};

/* Whether generated code can hold v: numbers, at least one and not more than an int counts. */
static bool has_form(const struct value *v)
{
	int64_t count = 0;
	return v->elem != ELEM_STRING && v->elem != ELEM_COMPLEX64 && v->elem != ELEM_COMPLEX128 &&
	       dims_count(v->rank, v->dims, &count) && count > 0 && count <= INT32_MAX;
}

static int check_form(struct lowering *l, const struct node *n, const struct value *v)
{
	if (!v || value_is_constant(v))
		return 0;
	if (!value_shape_known(v))
		return diag_node_error(
			l->diags, n, "give the inputs' open dimensions numbers: -p 'set-shapes(NAME=1x3x224x224),...'",
			"the shape of '%s' is not known", v->name);
	if (has_form(v))
		return 0;
	return diag_node_error(l->diags, n, "give the model's inputs other shapes, or remove that part of it",
			       "generated code has no form for '%s': it holds tensors of numbers, of 1 to 2147483647 "
			       "elements",
			       v->name);
}

/* Storage types of integers wrap, and divide to integers, in ONNX: what the plan has instead must be the same. */
static int check_integers(struct lowering *l, const struct node *n, const struct value *v)
{
	const struct plan_buf *b = v ? l->of[v->id] : NULL;
	if (!b || !elem_is_integer((enum elem_type)v->elem))
		return 0;
	struct datatype type = storage_datatype((enum elem_type)v->elem);
	if (!b->real && b->lo >= datatype_int_min(type) && b->hi <= datatype_int_max(type))
		return 0;
	return lower_unsupported(l, n,
				 b->real ? "arithmetic of integers that is no sum or product"
					 : "sums or products of integers beyond their storage type");
}

/* Whether y's operands have an element for each of its results: not where a declared shape is wrong. */
static bool has_strides(const struct plan_layer *y)
{
	bool one = y->kind == PLAN_THRESHOLD || y->kind == PLAN_UNARY, two = y->kind == PLAN_BINARY;
	return (!one && !two) || (y->stride_a && (one || y->stride_b));
}

static int check_layers(struct lowering *l, const struct node *n, const struct plan_layer *first)
{
	for (const struct plan_layer *y = first; y; y = y->next)
		if (!has_strides(y))
			return lower_unsupported(l, n, "a result of another shape than its operands have");
	return 0;
}

static int lower_family(struct lowering *l, const struct node *n)
{
	for (size_t i = 0; i < sizeof lowerings / sizeof *lowerings; i++)
		if (n->op == lowerings[i].op)
			return lowerings[i].lower(l, n);
	return lower_move(l, n);
}

/* A layer of its own kind, or several. */
static int lower_specially(struct lowering *l, const struct node *n)
{
	const struct plan_layer *before = l->plan->last_layer;
	if (lower_family(l, n) < 0 || check_layers(l, n, before ? before->next : l->plan->layers) < 0)
		return -1;
	for (size_t i = 0; i < n->n_outputs; i++)
		if (check_integers(l, n, n->outputs[i]) < 0)
			return -1;
	return 0;
}

/* The plan as it was when these were last: without layers and buffers of a node that could not be planned. */
static void go_back(struct lowering *l, const struct node *n, const struct plan *was)
{
	struct plan *p = l->plan;
	p->last_layer = was->last_layer;
	p->n_layers = was->n_layers;
	if (p->last_layer)
		p->last_layer->next = NULL;
	else
		p->layers = NULL;
	p->last_buf = was->last_buf;
	p->n_bufs = was->n_bufs;
	if (p->last_buf)
		p->last_buf->next = NULL;
	else
		p->bufs = NULL;
	for (size_t i = 0; i < n->n_outputs; i++)
		if (n->outputs[i]) {
			l->of[n->outputs[i]->id] = NULL;
			l->pending[n->outputs[i]->id] = NULL;
			l->streams[n->outputs[i]->id] = NULL;
		}
}

static int lower_node(struct lowering *l, const struct node *n)
{
	struct diags quiet = { .file = l->diags->file, .pass = l->diags->pass, .limits = l->diags->limits },
		     *said = l->diags;
	const struct plan was = *l->plan;
	for (size_t i = 0; i < n->n_inputs; i++)
		if (check_form(l, n, node_input(n, i)) < 0)
			return -1;
	for (size_t i = 0; i < n->n_outputs; i++)
		if (check_form(l, n, n->outputs[i]) < 0)
			return -1;
	if (lower_is_constant(n))
		return lower_constant(l, n);
	l->diags = &quiet;
	int status = lower_specially(l, n);
	l->diags = said;
	if (status < 0 && lower_has_form(l, n)) {
		diags_free(&quiet);
		go_back(l, n, &was);
		return lower_form(l, n);
	}
	diags_move(said, &quiet);
	return status;
}

/* An input whose type in C holds more than its datatype, and so much that sums could overflow: clamped to its datatype
 * first, so that no data make the code do what is undefined. Inputs of up to 16 bits are left to lower_mac_ranges. */
static void hold_within(struct lowering *l, struct plan_buf *b)
{
	const struct value *v = b->value;
	bool whole = b->lo == INT32_MIN && b->hi == INT32_MAX;
	if (b->real || whole || b->elem != PLAN_I32 || !v->uses || !v->uses->user)
		return;
	for (int i = 0; i < 2; i++) {
		struct plan_layer *y = lower_layer(l, v->uses->user, PLAN_BINARY, l->of[v->id]);
		double bound = (double)(i ? b->hi : b->lo);
		y->function = i ? PLAN_MIN : PLAN_MAX;
		y->operand = arena_copy(&l->plan->arena, &bound, sizeof bound);
		y->operand_count = 1;
		y->out = lower_buf_like(l, b, i ? "at_most" : "at_least", contents_int(b->lo, i ? b->hi : INT32_MAX));
		y->stride_a = lower_strides(l, y->in[0], y->out);
		y->stride_b = arena_array(&l->plan->arena, int64_t, y->out->rank + 1);
		l->of[v->id] = y->out;
	}
}

static int lower_inputs(struct lowering *l)
{
	const struct graph *g = l->plan->graph;
	l->plan->inputs = arena_array(&l->plan->arena, struct plan_buf *, g->n_inputs + 1);
	for (uint32_t i = 0; i < g->n_inputs; i++) {
		const struct value *v = g->inputs[i];
		if (value_is_constant(v))
			continue;
		if (!value_shape_known(v))
			return diag_error(l->diags,
					  "give its open dimensions numbers: -p 'set-shapes(NAME=1x3x224x224),...'",
					  "input '%s' has no fixed shape", v->name);
		if (!has_form(v))
			return diag_error(l->diags, "give the model's inputs other shapes",
					  "generated code has no form for input '%s': it takes tensors of numbers, of "
					  "1 to 2147483647 elements",
					  v->name);
		struct contents c = contents_real();
		struct datatype type = value_datatype(v);
		if (datatype_is_integer(type)) {
			c = contents_int(datatype_int_min(type), datatype_int_max(type));
			c.step = type.kind == DT_BIPOLAR ? 2 : 1;
		}
		struct plan_buf *b = lower_buf(l, v, false, c);
		b->role = PLAN_INPUT;
		b->index = (int)l->plan->n_inputs;
		l->plan->inputs[l->plan->n_inputs++] = b;
		hold_within(l, b);
	}
	return 0;
}

/* An output whose memory is another's: that one becomes the output where it can, else it is copied. */
static struct plan_buf *own_output(struct lowering *l, struct plan_buf *b, const struct node *n)
{
	b = lower_ordered(l, n, b);
	struct plan_buf *root = plan_root(b);
	if (root == b && b->role == PLAN_OUTPUT && b->index < 0)
		return b;
	if (root->role == PLAN_INNER)
		return root;
	struct plan_buf *y = lower_buf_like(l, b, "out", contents_of(b));
	struct plan_layer *copy = lower_layer(l, n, PLAN_UNARY, b);
	copy->function = PLAN_COPY;
	copy->real = b->real;
	copy->out = y;
	copy->stride_a = lower_strides(l, b, y);
	return y;
}

static int lower_outputs(struct lowering *l)
{
	const struct graph *g = l->plan->graph;
	l->plan->outputs = arena_array(&l->plan->arena, struct plan_buf *, g->n_outputs + 1);
	l->plan->n_outputs = g->n_outputs;
	for (struct plan_buf *b = l->plan->bufs; b; b = b->next)
		if (b->role == PLAN_OUTPUT)
			b->index = -1;
	for (uint32_t i = 0; i < g->n_outputs; i++) {
		const struct value *v = g->outputs[i].value;
		if (!l->of[v->id] || !v->producer)
			return diag_error(l->diags, "remove that output",
					  "output '%s' is an input or a constant: "
					  "there is nothing to compute",
					  v->name);
		struct plan_buf *b = own_output(l, l->of[v->id], v->producer);
		b->role = PLAN_OUTPUT;
		b->index = (int)i;
		l->plan->outputs[i] = b;
	}
	for (struct plan_buf *b = l->plan->bufs; b; b = b->next)
		if (b->role == PLAN_OUTPUT && b->index < 0)
			b->role = PLAN_INNER; /* a view of the output's memory */
	return 0;
}

static int lower_graph(struct lowering *l)
{
	if (lower_inputs(l) < 0)
		return -1;
	for (const struct node *n = l->plan->graph->first; n; n = n->next)
		if (lower_node(l, n) < 0)
			return -1;
	return lower_outputs(l);
}

/* What is planned: generated code computes one sample, so a batch left open is one. */
static const struct graph *one_sample(struct plan *p, const struct graph *g, struct diags *d)
{
	if (!batch_is_open(g))
		return g;
	p->own = graph_copy(g);
	fix_batch(p->own, 1);
	return graph_infer(p->own, d) == 0 ? p->own : NULL;
}

struct plan *plan_build(const struct graph *g, const struct plan_options *o, struct diags *d)
{
	struct plan *p = xcalloc(1, sizeof *p);
	arena_init(&p->arena);
	g = p->graph = one_sample(p, g, d);
	if (!g) {
		plan_free(p);
		return NULL;
	}
	struct lowering l = { .plan = p, .options = o, .diags = d, .left = exec_budget_of_constants(g, d) };
	l.of = arena_array(&p->arena, struct plan_buf *, g->next_value_id + 1);
	l.streams = arena_array(&p->arena, struct stream *, g->next_value_id + 1);
	l.pending = arena_array(&p->arena, struct plan_layer *, g->next_value_id + 1);
	int failed = lower_graph(&l);
	map_free(&l.names);
	if (failed) {
		plan_free(p);
		return NULL;
	}
	plan_lives(p);
	for (const struct plan_layer *y = p->layers; y; y = y->next)
		p->real |= y->real;
	return p;
}

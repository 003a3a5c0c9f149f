/* prune-dead: exact shrinking. Channels that their thresholds hold constant over the whole range of their
 * accumulator, channels that nobody reads, and inputs that meet zero weights only are removed; what constants
 * contributed is folded onward. No output changes for any input.
 *
 * Ranges are exact bounds computed in topological order, so one walk forward finds every constant channel, and one
 * walk back every channel that is not needed once the constants are folded: that is the fixed point. The graph's
 * inputs keep their shape; where only some of their elements are needed, a Gather with an index list picks them. */
#include <stdlib.h>
#include <string.h>

#include "ops/op.h"
#include "passes/chain.h"
#include "passes/edit.h"
#include "passes/pass.h"
#include "passes/products.h"
#include "passes/ranges.h"
#include "passes/rules/rule.h"

/* What is known of a value's channels. */
struct channels {
	int axis;		/* -1: not told apart; the value is kept whole */
	int64_t count, kept;
	bool *needed;		/* by those who read the value, after folding constants */
};

struct pruning {
	struct graph *graph;
	struct channels *of;	/* by value id */
	uint32_t n_values;
	struct diags *diags;
};

static struct channels *channels_of(const struct pruning *p, const struct value *v)
{
	return v->id < p->n_values ? &p->of[v->id] : NULL;
}

/* ---- which nodes let channels through ---- */

enum role {
	ROLE_OTHER,		/* needs all of its inputs, gives all of its output */
	ROLE_PRODUCT,		/* MatMul, Conv with one group: mixes channels */
	ROLE_DEPTHWISE,		/* Conv: each channel by itself */
	ROLE_EACH,		/* element-wise, with constant parameters along the channels or none */
	ROLE_JOIN,		/* Add, Sub, Mul of two computed values of the same shape */
	ROLE_CONCAT,
	ROLE_POOL,
	ROLE_FLATTEN,		/* [N, C, ...] to [N, C * ...] */
};

static bool same_shape(const struct value *a, const struct value *b)
{
	return a->rank == b->rank && a->rank > 0 && memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

static bool flattens(const struct node *n)
{
	const struct value *in = node_input(n, 0), *out = n->outputs[0];
	if ((n->op != &op_Reshape && n->op != &op_Flatten) || in->rank < 3 || out->rank != 2)
		return false;
	int64_t features = 1;
	for (int i = 1; i < in->rank; i++)
		features *= in->dims[i];
	return in->dims[0] == out->dims[0] && out->dims[1] == features;
}

static enum role product_role(const struct node *n)
{
	struct product p;
	if (!product_describe(n, &p) || n->op == &op_ConvTranspose || !datatype_is_integer(node_input(n, 0)->datatype))
		return ROLE_OTHER;
	if (p.groups == 1)
		return ROLE_PRODUCT;
	return p.in == 1 && p.out == 1 ? ROLE_DEPTHWISE : ROLE_OTHER;
}

static enum role role_of(const struct node *n)
{
	if (!n->op || n->n_outputs < 1 || !n->outputs[0] || !value_shape_known(n->outputs[0]))
		return ROLE_OTHER;
	if (product_weights(n))
		return product_role(n);
	int data = elementwise_data(n);
	if (data >= 0 && same_shape(node_input(n, (size_t)data), n->outputs[0]))
		return elementwise_axis(n, n->outputs[0]->rank) == -2 ? ROLE_OTHER : ROLE_EACH;
	if ((n->op == &op_Add || n->op == &op_Sub || n->op == &op_Mul) && n->n_inputs == 2 && data < 0 &&
	    same_shape(node_input(n, 0), node_input(n, 1)) && node_input(n, 0) != node_input(n, 1))
		return ROLE_JOIN;
	if (n->op == &op_Concat)
		return ROLE_CONCAT;
	if (n->op == &op_MaxPool && n->n_outputs == 1)
		return ROLE_POOL;
	return flattens(n) ? ROLE_FLATTEN : ROLE_OTHER;
}

/* ---- forward: the channel axis of each value ---- */

static int axis_from_inputs(const struct pruning *p, const struct node *n, enum role role)
{
	const struct value *out = n->outputs[0];
	if (role == ROLE_PRODUCT || role == ROLE_DEPTHWISE) {
		struct product d;
		product_describe(n, &d);
		return d.out_axis;
	}
	if (role == ROLE_FLATTEN)
		return channels_of(p, node_input(n, 0))->axis == 1 ? 1 : -1;
	if (role == ROLE_EACH)
		return channels_of(p, node_input(n, (size_t)elementwise_data(n)))->axis;
	int axis = channels_of(p, node_input(n, 0))->axis;
	for (uint32_t i = 1; i < n->n_inputs && (role == ROLE_JOIN || role == ROLE_CONCAT); i++)
		if (value_is_constant(node_input(n, i)) || channels_of(p, node_input(n, i))->axis != axis)
			return -1;
	if (role == ROLE_CONCAT && normal_axis(node_attr_int(n, "axis", 0), out->rank) != axis)
		return -1;
	return axis;
}

static void set_axis(struct pruning *p, const struct value *v, int axis)
{
	struct channels *c = channels_of(p, v);
	c->axis = axis >= 0 && axis < v->rank && v->dims[axis] > 0 ? axis : -1;
	c->count = c->axis >= 0 ? v->dims[c->axis] : 1;
	c->needed = xcalloc((size_t)c->count, sizeof *c->needed);
}

static void find_axes(struct pruning *p)
{
	for (const struct value *v = p->graph->values; v; v = v->next)
		if (!v->producer)
			set_axis(p, v, value_is_constant(v) ? -1 : v->rank == 2 ? 1 : -1);
	for (const struct node *n = p->graph->first; n; n = n->next) {
		enum role role = role_of(n);
		for (uint32_t i = 0; i < n->n_outputs; i++) {
			const struct value *v = n->outputs[i];
			if (v)		/* a value of two axes that nobody explains has features along the second */
				set_axis(p, v, role != ROLE_OTHER ? axis_from_inputs(p, n, role) : v->rank == 2 ? 1 : -1);
		}
	}
}

/* ---- backward: what is needed ---- */

static void need_all(struct channels *c)
{
	memset(c->needed, true, (size_t)c->count * sizeof *c->needed);
}

/* The number a channel always holds. */
static bool is_constant_channel(const struct value *v, int axis, int64_t channel, int64_t *number)
{
	int64_t lo, hi;
	if (!v->range)
		return false;
	range_channel(v->range, axis, channel, &lo, &hi);
	*number = lo;
	return lo == hi;
}

/* Whether product n can do without channel i although its weights are not zero: it holds one number, which padding
 * does not interrupt. */
static bool can_fold(const struct node *n, int64_t i, const struct product *d)
{
	int64_t number;
	if (!is_constant_channel(node_input(n, 0), d->in_axis, i, &number))
		return false;
	return number == 0 || !product_is_padded(n);
}

static bool has_weight(const struct product *d, int64_t o, int64_t i)
{
	for (int64_t k = 0; k < d->taps; k++)
		if (tensor_floats(d->weights)[product_index(d, 0, o, i, k)] != 0)
			return true;
	return false;
}

static void need_product(struct pruning *p, const struct node *n)
{
	struct product d;
	struct channels *in = channels_of(p, node_input(n, 0)), *out = channels_of(p, n->outputs[0]);
	product_describe(n, &d);
	if (in->axis != d.in_axis || in->count != d.in) {
		need_all(in);
		return;
	}
	for (int64_t i = 0; i < d.in; i++) {
		if (in->needed[i] || can_fold(n, i, &d))
			continue;
		for (int64_t o = 0; o < d.out && !in->needed[i]; o++)
			in->needed[i] = out->needed[o] && has_weight(&d, o, i);
	}
}

static void need_same(struct channels *in, const struct channels *out)
{
	if (in->axis != out->axis || in->count != out->count) {
		need_all(in);
		return;
	}
	for (int64_t c = 0; c < in->count; c++)
		in->needed[c] = in->needed[c] || out->needed[c];
}

static void need_concat(struct pruning *p, const struct node *n)
{
	const struct channels *out = channels_of(p, n->outputs[0]);
	int64_t at = 0;
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		struct channels *in = channels_of(p, node_input(n, i));
		for (int64_t c = 0; c < in->count; c++, at++)
			in->needed[c] = in->needed[c] || out->needed[at];
	}
}

/* A channel is needed where any of its features is; then all of them stay. */
static void need_flatten(struct pruning *p, const struct node *n)
{
	struct channels *in = channels_of(p, node_input(n, 0)), *out = channels_of(p, n->outputs[0]);
	int64_t each = out->count / in->count;
	for (int64_t f = 0; f < out->count; f++)
		in->needed[f / each] = in->needed[f / each] || out->needed[f];
	for (int64_t f = 0; f < out->count; f++)
		out->needed[f] = in->needed[f / each];
}

/* Channels of joined operands that others need must stay on both sides, and in the result. */
static void need_node(struct pruning *p, const struct node *n)
{
	enum role role = role_of(n);
	struct channels *out = n->n_outputs && n->outputs[0] ? channels_of(p, n->outputs[0]) : NULL;
	bool told_apart = out && out->axis >= 0;
	if (role == ROLE_PRODUCT && told_apart) {
		need_product(p, n);
		return;
	}
	if (role == ROLE_CONCAT && told_apart) {
		need_concat(p, n);
		return;
	}
	if (role == ROLE_FLATTEN && told_apart) {
		need_flatten(p, n);
		return;
	}
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		struct value *v = node_input(n, i);
		if (!v || value_is_constant(v))
			continue;
		if (role != ROLE_OTHER && told_apart)
			need_same(channels_of(p, v), out);
		else
			need_all(channels_of(p, v));
	}
}

static void find_needs(struct pruning *p)
{
	struct graph *g = p->graph;
	for (uint32_t i = 0; i < g->n_outputs; i++)
		need_all(channels_of(p, g->outputs[i].value));
	for (const struct node *n = g->last; n; n = n->prev) {
		if (role_of(n) == ROLE_OTHER)	/* gives its output whole; readers pick from it */
			for (uint32_t i = 0; i < n->n_outputs && n->n_captures; i++)
				need_all(channels_of(p, n->outputs[i]));
		need_node(p, n);
	}
}

/* One channel stays where none is needed, so that shapes stay valid. What a value is made whole by stays whole. */
static void settle(struct pruning *p)
{
	for (const struct value *v = p->graph->values; v; v = v->next) {
		struct channels *c = channels_of(p, v);
		c->kept = 0;
		for (int64_t i = 0; i < c->count; i++)
			c->kept += c->needed[i];
		if (c->axis < 0 || value_is_constant(v)) {
			need_all(c);
			c->kept = c->count;
		}
	}
}

/* ---- rewriting ---- */

/* The slice of t along axis that keep selects. */
static struct tensor *selected(const struct tensor *t, int axis, const bool *keep, int64_t kept)
{
	int64_t dims[MAX_RANK], outer = 1, inner = (int64_t)elem_size(t->elem), at = 0;
	memcpy(dims, t->dims, t->rank * sizeof *dims);
	dims[axis] = kept;
	for (int i = 0; i < t->rank; i++) {
		outer *= i < axis ? t->dims[i] : 1;
		inner *= i > axis ? t->dims[i] : 1;
	}
	struct tensor *s = tensor_new_raw(t->elem, t->rank, dims);
	for (int64_t o = 0; s && o < outer; o++)
		for (int64_t c = 0; c < t->dims[axis]; c++)
			if (keep[c])
				memcpy((char *)s->data + inner * at++,
				       (const char *)t->data + inner * (o * t->dims[axis] + c), (size_t)inner);
	return s;
}

static void select_input(struct pruning *p, struct node *n, size_t i, int axis, const struct channels *c)
{
	struct value *old = node_input(n, i);
	struct value *v = value_new_constant(p->graph, old->name, selected(old->constant, axis, c->needed, c->kept));
	v->datatype = old->datatype;
	node_set_input(n, i, v);
}

/* What constant inputs that go contributed to each output that stays. */
static bool folded_sums(const struct pruning *p, const struct node *n, const struct product *d, double *sums)
{
	const struct channels *in = channels_of(p, node_input(n, 0)), *out = channels_of(p, n->outputs[0]);
	bool any = false;
	int64_t at = 0, number;
	for (int64_t o = 0; o < d->out; o++) {
		if (!out->needed[o])
			continue;
		sums[at] = 0;
		for (int64_t i = 0; i < d->in; i++) {
			if (in->needed[i] || !is_constant_channel(node_input(n, 0), d->in_axis, i, &number) || !number)
				continue;
			for (int64_t k = 0; k < d->taps; k++)
				sums[at] += (double)tensor_floats(d->weights)[product_index(d, 0, o, i, k)] * (double)number;
		}
		any = any || sums[at] != 0;
		at++;
	}
	return any;
}

static void shrink_product(struct pruning *p, struct node *n)
{
	struct product d;
	const struct channels *in = channels_of(p, node_input(n, 0)), *out = channels_of(p, n->outputs[0]);
	product_describe(n, &d);
	bool is_matmul = n->op == &op_MatMul;
	struct affine sums;
	affine_init(&sums, NULL, out->axis, out->kept);
	bool folded = in->kept < in->count && folded_sums(p, n, &d, sums.bias);
	if (in->kept < in->count)
		select_input(p, n, 1, is_matmul ? 0 : 1, in);
	if (out->kept < out->count)
		select_input(p, n, 1, is_matmul ? 1 : 0, out);
	if (folded) {
		struct rule_ctx x = { .graph = p->graph, .diags = p->diags };
		affine_make_uniform(&sums);
		put_behind(&x, n, 0, &sums);
		n->outputs[0]->uses->user->outputs[0]->datatype = datatype_int(32);	/* its range follows */
	}
	affine_free(&sums);
}

static void shrink_parameters(struct pruning *p, struct node *n, const struct channels *out)
{
	int data = elementwise_data(n), rank = n->outputs[0]->rank;
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		const struct value *v = node_input(n, i);
		if (!v || (int)i == data || v->constant->count == 1 || elementwise_axis(n, rank) != out->axis)
			continue;
		bool rows = n->op == &op_MultiThreshold || n->op == &op_BatchNormalization;
		int axis = rows ? 0 : out->axis - (rank - v->rank);
		if (axis >= 0 && v->dims[axis] == out->count)
			select_input(p, n, i, axis, out);
	}
}

static void shrink_reshape(struct pruning *p, struct node *n, const struct channels *out)
{
	if (n->op != &op_Reshape)
		return;
	int64_t shape[2] = { n->outputs[0]->dims[0], out->kept }, dims[1] = { 2 };
	node_set_input(n, 1, value_new_constant(p->graph, "shape", tensor_int64(1, dims, shape)));
}

/* Whether channels go away in the node itself; else a Gather behind it picks them. */
static bool shrinks_itself(const struct pruning *p, const struct node *n)
{
	const struct channels *out = channels_of(p, n->outputs[0]);
	return out->axis >= 0 && role_of(n) != ROLE_OTHER;
}

/* Picks the needed channels of a value that is given whole. */
static void pick(struct pruning *p, struct value *v, struct node *before)
{
	const struct channels *c = channels_of(p, v);
	int64_t dims[1] = { c->kept }, at = 0;
	struct tensor *indices = tensor_new_raw(ELEM_INT64, 1, dims);
	for (int64_t i = 0; i < c->count; i++)
		if (c->needed[i])
			((int64_t *)indices->data)[at++] = i;
	struct value *placeholder = value_new(p->graph, v->name), *list = value_new_constant(p->graph, "kept", indices);
	value_replace_uses(v, placeholder);
	struct value *inputs[] = { v, list };
	struct node *gather = node_new(p->graph, before, "", "Gather", inputs, 2, 1, "Gather");
	node_set_int(gather, "axis", c->axis);
	value_replace_uses(placeholder, gather->outputs[0]);
	value_remove(p->graph, placeholder);
	gather->outputs[0]->datatype = v->datatype;
	gather->outputs[0]->layout = v->layout;
}

static void shrink_node(struct pruning *p, struct node *n)
{
	const struct channels *out = channels_of(p, n->outputs[0]);
	enum role role = role_of(n);
	if (role == ROLE_PRODUCT)
		shrink_product(p, n);
	else if (out->kept == out->count)
		return;
	else if (role == ROLE_DEPTHWISE) {
		select_input(p, n, 1, 0, out);
		node_set_int(n, "group", out->kept);
	} else if (role == ROLE_EACH)
		shrink_parameters(p, n, out);
	else if (role == ROLE_FLATTEN)
		shrink_reshape(p, n, out);
}

/* A channel of a joined or flattened value may be needed by one reader and constant for another: sets grow until
 * both sides of every node agree. */
static void rewrite(struct pruning *p)
{
	struct graph *g = p->graph;
	for (struct node *n = g->last, *prev; n; n = prev) {	/* backwards: shapes seen are those before */
		prev = n->prev;
		if (n->n_outputs == 0 || !n->outputs[0])
			continue;
		if (shrinks_itself(p, n))
			shrink_node(p, n);
		for (uint32_t i = 0; i < n->n_outputs; i++) {
			struct value *v = n->outputs[i];
			const struct channels *c = v ? channels_of(p, v) : NULL;
			if (c && !shrinks_itself(p, n) && c->kept < c->count && v->uses)
				pick(p, v, n->next);
		}
	}
	for (uint32_t i = 0; i < g->n_inputs; i++) {
		struct value *v = g->inputs[i];
		const struct channels *c = channels_of(p, v);
		if (!v->constant && c->kept < c->count && v->uses)
			pick(p, v, g->first);
	}
}

/* Types anew: shapes first forgotten, since declared ones no longer hold. */
static int retype_graph(struct pruning *p)
{
	for (struct node *n = p->graph->first; n; n = n->next)
		for (uint32_t i = 0; i < n->n_outputs; i++)
			if (n->outputs[i])
				n->outputs[i]->is_declared = false;
	for (struct node *n = p->graph->first; n; n = n->next) {
		struct datatype kept = n->n_outputs && n->outputs[0] ? n->outputs[0]->datatype : datatype_of_kind(DT_NONE);
		if (node_infer(n, p->diags) != 0)
			return -1;
		if (n->op == &op_Gather || n->op == &op_MultiThreshold)
			n->outputs[0]->datatype = kept;
	}
	return 0;
}

/* ---- report ---- */

static json_t *report_node(const struct pruning *p, const struct node *n)
{
	const struct value *in = node_input(n, 0);
	const struct channels *out = channels_of(p, n->outputs[0]), *from = channels_of(p, in);
	int64_t constant = 0, number;
	for (int64_t c = 0; c < from->count && from->axis >= 0; c++)
		constant += !from->needed[c] && is_constant_channel(in, from->axis, c, &number);
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "layer", node_label(n), "inputs", (json_int_t)from->count,
			 "inputs_kept", (json_int_t)from->kept, "inputs_constant", (json_int_t)constant, "outputs",
			 (json_int_t)out->count, "outputs_kept", (json_int_t)out->kept);
}

static size_t report(struct pass_ctx *ctx, const struct pruning *p)
{
	size_t removed = 0;
	json_t *layers = json_array();
	for (const struct node *n = p->graph->first; n; n = n->next)
		if (role_of(n) == ROLE_PRODUCT)
			json_array_append_new(layers, report_node(p, n));
	for (const struct value *v = p->graph->values; v; v = v->next) {
		const struct channels *c = channels_of(p, v);
		removed += (size_t)(c->count - c->kept);
	}
	json_object_set_new(ctx->report, "layers", layers);
	json_object_set_new(ctx->report, "channels_removed", json_integer((json_int_t)removed));
	return removed;
}

static int prune(struct pass_ctx *ctx, struct pruning *p)
{
	ranges_compute(p->graph);
	find_axes(p);
	find_needs(p);
	settle(p);
	for (const struct value *v = p->graph->values; v; v = v->next) {
		struct channels *c = channels_of(p, v);
		if (c->kept == 0 && c->count) {	/* nothing of it is needed, but a shape must remain */
			c->needed[0] = true;
			c->kept = 1;
		}
	}
	ctx->changes += report(ctx, p);
	if (!ctx->changes)
		return 0;
	rewrite(p);
	return retype_graph(p);
}

static void free_pruning(struct pruning *p)
{
	for (uint32_t i = 0; i < p->n_values; i++)
		free(p->of[i].needed);
	free(p->of);
}

static enum pass_result run(struct pass_ctx *ctx)
{
	struct pruning p = { .graph = ctx->graph, .n_values = ctx->graph->next_value_id, .diags = ctx->diags };
	p.of = xcalloc(p.n_values + 1, sizeof *p.of);
	int result = prune(ctx, &p);
	free_pruning(&p);
	if (result != 0)
		return PASS_ERROR;
	if (!ctx->changes)
		return PASS_UNCHANGED;
	if (pass_run_nested(ctx, "move-scales", NULL) == PASS_ERROR ||
	    pass_run_nested(ctx, "collapse-affine", NULL) == PASS_ERROR ||
	    pass_run_nested(ctx, "remove-dead", NULL) == PASS_ERROR ||
	    pass_run_nested(ctx, "unique-names", NULL) == PASS_ERROR)
		return PASS_ERROR;
	ranges_compute(ctx->graph);
	return PASS_CHANGED;
}

const struct pass pass_prune_dead = {
	.name = "prune-dead",
	.summary = "removes channels that cannot matter; no output changes",
	.help = "Inputs whose weights are all zero, channels that their thresholds hold constant over the whole range of\n"
		"their accumulator, and channels nobody reads are removed, and what constants contributed is folded into\n"
		"the thresholds behind. The graph's inputs keep their shape; a Gather picks the elements that are\n"
		"needed. The report says per layer what went.",
	.requires = GRAPH_INFERRED | GRAPH_CLEAN | GRAPH_CONVERTED | GRAPH_STREAMLINED,
	.ensures = GRAPH_INFERRED,
	.preserves = GRAPH_CLEAN | GRAPH_CONVERTED | GRAPH_STREAMLINED,
	.run = run,
};

/* fold-weight-quant: quantised constants become integers with their datatype. The scale moves behind the product
 * that uses them (per tensor, per output channel) or before it (per input channel). */
#include <math.h>
#include <string.h>

#include "ops/op.h"
#include "passes/edit.h"
#include "passes/quant_grid.h"
#include "passes/pass.h"
#include "passes/products.h"

/* A quantised constant: integer * scale. */
struct weight {
	struct value *integers; /* made when first needed */
	struct value *reals;
	const struct tensor *scale;
	struct tensor *quantised; /* what the quantiser gives */
	struct datatype datatype;
	const char *name;
};

static bool constant_inputs(const struct node *n)
{
	for (uint32_t i = 0; i < n->n_inputs; i++)
		if (n->inputs[i].value && !value_is_constant(n->inputs[i].value))
			return false;
	return n->n_inputs > 0;
}

/* scale of the element with that index in the quantised tensor. */
static double scale_at(const struct weight *w, int64_t index)
{
	const struct tensor *s = w->scale, *t = w->quantised;
	int64_t offset = 0, stride = 1;
	if (s->count == 1)
		return tensor_at(s, 0);
	for (int i = t->rank - 1; i >= 0; i--) {
		int k = i - (t->rank - s->rank);
		if (k >= 0 && s->dims[k] > 1)
			offset += index % t->dims[i] * stride;
		stride *= k >= 0 ? s->dims[k] : 1;
		index /= t->dims[i];
	}
	return tensor_at(s, offset);
}

static struct value *integers_of(struct graph *g, struct weight *w)
{
	if (w->integers)
		return w->integers;
	struct tensor *t = tensor_new_raw(ELEM_FLOAT, w->quantised->rank, w->quantised->dims);
	const float *from = tensor_floats(w->quantised);
	float *to = t->data;
	if (w->scale->count == 1) {
		float scale = (float)tensor_at(w->scale, 0);
		for (int64_t i = 0; i < t->count; i++)
			to[i] = rintf(from[i] / scale) + 0.0f; /* no negative zero */
	} else {
		for (int64_t i = 0; i < t->count; i++)
			to[i] = rintf(from[i] / (float)scale_at(w, i)) + 0.0f;
	}
	w->integers = value_new_constant(g, w->name, t);
	w->integers->datatype = w->datatype;
	return w->integers;
}

static struct value *reals_of(struct graph *g, struct weight *w)
{
	if (!w->reals)
		w->reals = value_new_constant(g, w->name, tensor_ref(w->quantised));
	return w->reals;
}

/* The axis of the scale that is not 1; -1: one number; -2: several. */
static int scale_axis(const struct weight *w)
{
	int axis = -1;
	for (int i = 0; i < w->scale->rank; i++)
		if (w->scale->dims[i] != 1) {
			if (axis != -1)
				return -2;
			axis = i + w->quantised->rank - w->scale->rank;
		}
	return axis;
}

/* A one-dimensional scale as a parameter along axis `axis` of a value of that rank. */
static struct value *scale_parameter(struct graph *g, const struct weight *w, int rank, int axis)
{
	int64_t dims[MAX_RANK];
	if (w->scale->count == 1)
		return constant_scalar(g, "scale", tensor_at(w->scale, 0));
	for (int i = 0; i < rank - axis; i++)
		dims[i] = i ? 1 : w->scale->count;
	return value_new_constant(g, "scale", tensor_view(w->scale, rank - axis, dims));
}

static int scale_behind(struct graph *g, const struct weight *w, struct node *n, int axis, struct diags *d)
{
	struct value *y = n->outputs[0];
	struct value *inputs[] = { y, scale_parameter(g, w, y->rank, axis) };
	struct node *mul = node_new(g, n->next, "", "Mul", inputs, 2, 1, "Mul");
	value_move_uses(y, mul->outputs[0], mul);
	value_copy_type(g, mul->outputs[0], y);
	return node_infer(n, d) == 0 ? node_infer(mul, d) : -1;
}

static int scale_before(struct graph *g, const struct weight *w, struct node *n, int axis, struct diags *d)
{
	struct value *x = node_input(n, 0);
	struct value *inputs[] = { x, scale_parameter(g, w, x->rank, axis) };
	struct node *mul = node_new(g, n, "", "Mul", inputs, 2, 1, "Mul");
	node_set_input(n, 0, mul->outputs[0]);
	return node_infer(mul, d) == 0 ? node_infer(n, d) : -1;
}

/* The product's integers, and its scale where it can go. 1 done, 0 not possible, -1 error. */
static int use_in_product(struct graph *g, struct weight *w, struct use *u, struct diags *d)
{
	struct node *n = u->user;
	struct product p;
	int axis = scale_axis(w);
	bool unit = tensor_all(w->scale, 1);
	if (!node_input(n, 0) || value_is_constant(node_input(n, 0)) || n->outputs[0]->rank < 1)
		return 0;
	if (axis >= 0) { /* which channels of the product the scale goes along */
		struct value *before = node_input(n, 1);
		node_set_input(n, 1, integers_of(g, w));
		bool known = product_describe(n, &p);
		bool transposed = n->op == &op_ConvTranspose;
		int out_axis = n->op == &op_MatMul ? 1 : transposed ? 1 : 0;
		bool is_out = axis == out_axis && (!transposed || p.groups == 1);
		bool is_in = axis == 1 - out_axis && (transposed || p.groups == 1);
		if (!known || (!is_out && !is_in)) {
			node_set_input(n, 1, before);
			return 0;
		}
		int result = is_out ? scale_behind(g, w, n, p.out_axis, d) : scale_before(g, w, n, p.in_axis, d);
		return result == 0 ? 1 : -1;
	}
	if (axis == -2)
		return 0;
	node_set_input(n, u->index, integers_of(g, w));
	if (unit)
		return node_infer(n, d) == 0 ? 1 : -1;
	return scale_behind(g, w, n, n->outputs[0]->rank, d) == 0 ? 1 : -1;
}

static bool is_power_of_two(double x)
{
	int exponent;
	return frexp(x, &exponent) == 0.5;
}

/* A quantised bias: x + s * q becomes (x / s + q) * s, so that q enters as an integer. Only where dividing and
 * multiplying by s are exact: powers of two. */
static int use_as_bias(struct graph *g, struct weight *w, struct use *u, struct diags *d)
{
	struct node *add = u->user;
	double s = tensor_at(w->scale, 0);
	struct value *x = node_input(add, 1 - u->index);
	if (w->scale->count != 1 || !is_power_of_two(s) || !x || value_is_constant(x))
		return 0;
	if (s != 1) {
		struct value *inputs[] = { x, constant_scalar(g, "scale", s) };
		struct node *div = node_new(g, add, "", "Div", inputs, 2, 1, "Div");
		node_set_input(add, 1 - u->index, div->outputs[0]);
		if (node_infer(div, d) != 0)
			return -1;
	}
	node_set_input(add, u->index, integers_of(g, w));
	if (s != 1)
		return scale_behind(g, w, add, add->outputs[0]->rank, d) == 0 ? 1 : -1;
	return node_infer(add, d) == 0 ? 1 : -1;
}

static int replace_use(struct graph *g, struct weight *w, struct use *u, struct diags *d)
{
	const struct op *op = u->user ? u->user->op : NULL;
	int done = 0;
	if ((op == &op_MatMul || op == &op_Conv || op == &op_ConvTranspose) && (u->index == 1 || op == &op_MatMul))
		done = use_in_product(g, w, u, d);
	else if (op == &op_Add)
		done = use_as_bias(g, w, u, d);
	if (done)
		return done < 0 ? -1 : 0;
	if (u->user) {
		node_set_input(u->user, u->index, reals_of(g, w));
		return 0;
	}
	value_replace_uses(u->value, reals_of(g, w)); /* a graph output */
	return 0;
}

/* The datatype of what the quantiser gave, where its grid has none: zero points that vary, or negative scales, still
 * give integers. False where they do not. */
static bool datatype_of_integers(struct weight *w)
{
	double lo = 0, hi = 0;
	for (int64_t i = 0; i < w->quantised->count; i++) {
		double scale = scale_at(w, i), q = tensor_at(w->quantised, i) / scale;
		if (scale == 0 || !(fabs(q - rint(q)) <= 1e-3))
			return false;
		lo = fmin(lo, rint(q));
		hi = fmax(hi, rint(q));
	}
	if (hi - lo >= 0x1p24)
		return false;
	w->datatype = datatype_for_bounds(lo, hi);
	return true;
}

static int fold(struct graph *g, struct node *q, struct diags *d)
{
	struct quant_grid grid = { .scale = 1 };
	const char *reason;
	struct tensor *in[8] = { NULL }, *out[1] = { NULL };
	if (q->n_inputs > 8)
		return 0;
	bool has_grid = quant_grid_of(q, &grid, &reason);
	if (!has_grid && q->op != &op_Quant)
		return 0;
	for (uint32_t i = 0; i < q->n_inputs; i++)
		in[i] = node_input(q, i) ? node_input(q, i)->constant : NULL;
	if (node_execute(q, in, out, 1, d) != 0)
		return -1;
	if (node_input(q, 1)->constant->rank > out[0]->rank || out[0]->elem != ELEM_FLOAT) {
		tensor_unref(out[0]);
		return 0;
	}
	struct weight w = {
		.quantised = out[0],
		.scale = tensor_ref(node_input(q, 1)->constant),
		.datatype = grid.datatype,
		.name = node_input(q, 0)->name,
	};
	if (!has_grid && !datatype_of_integers(&w)) {
		tensor_unref(w.quantised);
		tensor_unref((struct tensor *)(uintptr_t)w.scale);
		return 0;
	}
	struct value *v = q->outputs[0];
	int result = 0;
	while (v->uses && result == 0) { /* each replacement takes one use away */
		struct use *u = v->uses;
		result = replace_use(g, &w, u, d);
		if (result == 0 && v->uses == u)
			result = -1;
	}
	tensor_unref((struct tensor *)(uintptr_t)w.scale);
	tensor_unref(w.quantised);
	if (result == 0)
		node_remove(q);
	return result == 0 ? 1 : -1;
}

static enum pass_result run(struct pass_ctx *ctx)
{
	graph_for_each_node (ctx->graph, n) {
		if ((n->op != &op_Quant && n->op != &op_BipolarQuant) || !constant_inputs(n))
			continue;
		int folded = fold(ctx->graph, n, ctx->diags);
		if (folded < 0)
			return PASS_ERROR;
		ctx->changes += (size_t)folded;
		graph_reclaim(ctx->graph);
	}
	return pass_result(ctx);
}

const struct pass pass_fold_weight_quant = {
	.name = "fold-weight-quant",
	.summary = "quantised weights become integers; their scale moves out of the product",
	.help = "A Quant or BipolarQuant of a constant goes: MatMul, Conv and ConvTranspose get its integers, annotated\n"
		"with their datatype, and a Mul with the scale behind them (before them, where the scale goes per\n"
		"input channel). A quantised bias whose scale is a power of two becomes Div, Add of integers, Mul; any\n"
		"other use gets the quantised reals.",
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = GRAPH_CLEAN,
	.run = run,
};

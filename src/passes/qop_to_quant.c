/* qop-to-quant: ONNX's operators on quantised values (QLinearConv, MatMulInteger, ...) as float operators between
 * DequantizeLinear and QuantizeLinear, which qcdq-to-quant then reads as quantisers.
 *
 * Products work on the integers themselves: both operands are dequantised with scale 1, and one factor, computed in
 * float as the operator computes it, scales the sum. Up to sums of 2^24 that is the operator's own arithmetic. */
#include <string.h>

#include "passes/pass.h"
#include "passes/qop_rewrite.h"
#include "passes/qop_to_quant.h"

static struct value *ones_like(struct graph *g, const struct value *zero)
{
	int64_t count = zero && value_is_constant(zero) ? zero->constant->count : 1;
	struct tensor *t = tensor_new(ELEM_FLOAT, count > 1 ? 1 : 0, &count);
	for (int64_t i = 0; i < t->count; i++)
		tensor_put(t, i, 1);
	return value_new_constant(g, "one", t);
}

/* A zero point of one element as a scalar: DequantizeLinear takes shape [1] as one per axis. */
static struct value *as_parameter(struct graph *g, struct value *v)
{
	if (!value_is_constant(v) || v->constant->count != 1 || v->rank == 0)
		return v;
	return value_new_constant(g, v->name, tensor_view(v->constant, 0, NULL));
}

/* scale NULL: 1. */
static struct value *linear(const struct rewrite *r, const char *op_type, struct value *x, struct value *scale,
			    struct value *zero, int axis)
{
	zero = zero ? as_parameter(r->g, zero) : NULL;
	scale = scale ? as_parameter(r->g, scale) : ones_like(r->g, zero);
	struct value *inputs[] = { x, scale, zero };
	struct node *n = node_new(r->g, r->n, "", op_type, inputs, zero ? 3 : 2, 1, op_type);
	if (scale->rank > 0)
		node_set_int(n, "axis", axis);
	return typed_output(n);
}

struct value *qop_real(const struct rewrite *r, size_t x, size_t scale, size_t zero)
{
	return linear(r, "DequantizeLinear", in(r, x), in(r, scale), in(r, zero), 1);
}

/* The integers less their zero point, as floats. */
struct value *qop_integers(const struct rewrite *r, size_t x, size_t zero, int axis)
{
	return linear(r, "DequantizeLinear", in(r, x), NULL, in(r, zero), axis);
}

/* y, real, quantised as the node's output; the node goes. scale NULL: 1. */
int qop_finish(const struct rewrite *r, struct value *y, struct value *scale, struct value *zero)
{
	struct value *q = linear(r, "QuantizeLinear", y, scale, zero, 1);
	node_bypass(r->n, q);
	return 1;
}

static bool constants(const struct rewrite *r, const int *which)
{
	for (; *which >= 0; which++)
		if (in(r, (size_t)*which) && !value_is_constant(in(r, (size_t)*which)))
			return false;
	return true;
}

static bool single(const struct value *v)
{
	return !v || v->constant->count == 1;
}

/* ---- products ---- */

/* scale_a * scale_b / scale_y in float, one per output channel along `axis` from the end of the output (0: last). */
static struct value *factor(const struct rewrite *r, const struct value *a, const struct value *b,
			    const struct value *y, int behind)
{
	int64_t dims[MAX_RANK], count = b->constant->count;
	dims[0] = count;
	for (int i = 1; i <= behind; i++)
		dims[i] = 1;
	struct tensor *t = tensor_new(ELEM_FLOAT, count > 1 ? 1 + behind : 0, dims);
	for (int64_t i = 0; i < count; i++) {
		float f = (float)tensor_at(a->constant, 0) * (float)tensor_at(b->constant, i);
		((float *)t->data)[i] = y ? f / (float)tensor_at(y->constant, 0) : f;
	}
	return value_new_constant(r->g, "factor", t);
}

/* An int32 bias among the sums, as float. */
static struct value *float_bias(const struct rewrite *r, struct value *bias)
{
	return bias ? value_new_constant(r->g, bias->name, tensor_cast(bias->constant, ELEM_FLOAT)) : NULL;
}

static struct value *product(const struct rewrite *r, const char *op_type, struct value *a, struct value *b,
			     struct value *bias)
{
	struct value *inputs[] = { a, b, bias };
	struct node *n = node_new(r->g, r->n, "", op_type, inputs, bias ? 3 : 2, 1, op_type);
	node_copy_attrs(n, r->n);
	return typed_output(n);
}

/* x, its scale and zero point, w, its scale and zero point, y's scale and zero point, bias. */
static int linear_conv(const struct rewrite *r)
{
	static const int parameters[] = { 1, 2, 4, 5, 6, 7, 8, -1 };
	if (!constants(r, parameters) || !single(in(r, 1)) || !single(in(r, 2)) || !single(in(r, 6)) ||
	    !single(in(r, 7)) || in(r, 3)->rank < 3)
		return 0;
	struct value *bias = float_bias(r, in(r, 8)), *w = qop_integers(r, 3, 5, 0);
	struct value *y = product(r, "Conv", qop_integers(r, 0, 2, 1), w, bias);
	y = two(r, "Mul", y, factor(r, in(r, 1), in(r, 4), in(r, 6), in(r, 3)->rank - 2));
	return qop_finish(r, y, NULL, in(r, 7));
}

static int linear_matmul(const struct rewrite *r)
{
	static const int parameters[] = { 1, 2, 4, 5, 6, 7, -1 };
	if (!constants(r, parameters) || !single(in(r, 1)) || !single(in(r, 2)) || !single(in(r, 6)) ||
	    !single(in(r, 7)) || in(r, 3)->rank < 1)
		return 0;
	struct value *w = qop_integers(r, 3, 5, in(r, 3)->rank - 1);
	struct value *y = product(r, "MatMul", qop_integers(r, 0, 2, 1), w, NULL);
	return qop_finish(r, two(r, "Mul", y, factor(r, in(r, 1), in(r, 4), in(r, 6), 0)), NULL, in(r, 7));
}

/* Gemm of the integers with an int32 C among the sums; without an output scale the output is real. */
static int quantised_gemm(const struct rewrite *r)
{
	static const int parameters[] = { 1, 2, 4, 5, 6, 7, 8, -1 };
	if (!constants(r, parameters) || !single(in(r, 1)) || !single(in(r, 2)) || !single(in(r, 7)) ||
	    !single(in(r, 8)) || node_attr_float(r->n, "alpha", 1) != 1)
		return 0;
	int axis = node_attr_int(r->n, "transB", 0) ? 0 : 1;
	struct value *bias = float_bias(r, in(r, 6)), *w = qop_integers(r, 3, 5, axis);
	struct value *y = product(r, "Gemm", qop_integers(r, 0, 2, 1), w, bias);
	y = two(r, "Mul", y, factor(r, in(r, 1), in(r, 4), in(r, 7), 0));
	if (in(r, 7))
		return qop_finish(r, y, NULL, in(r, 8));
	node_bypass(r->n, y);
	return 1;
}

/* The sums are integers stored as float: a Cast to float behind them is removed, other readers get a Cast to int32. */
static int integer_product(const struct rewrite *r, const char *op_type, int weight_axis)
{
	static const int parameters[] = { 2, 3, -1 };
	if (!constants(r, parameters) || !single(in(r, 2)))
		return 0;
	struct value *sums = r->n->outputs[0];
	struct value *w = qop_integers(r, 1, 3, weight_axis);
	struct value *y = product(r, op_type, qop_integers(r, 0, 2, 1), w, NULL);
	for (struct use *u = sums->uses, *next; u; u = next) {
		struct node *cast = u->user;
		next = u->next;
		if (cast && cast->op == &op_Cast && node_attr_int(cast, "to", 0) == ELEM_FLOAT) {
			value_replace_uses(cast->outputs[0], y); /* the node, unused now, goes as dead */
			node_set_input(cast, 0, y);
		}
	}
	if (sums->uses) {
		struct node *cast = node_new(r->g, r->n, "", "Cast", &y, 1, 1, "Cast");
		node_set_int(cast, "to", ELEM_INT32);
		y = typed_output(cast);
	}
	node_bypass(r->n, y);
	return 1;
}

static int matmul_integer(const struct rewrite *r)
{
	return in(r, 1)->rank < 1 ? 0 : integer_product(r, "MatMul", in(r, 1)->rank - 1);
}

static int conv_integer(const struct rewrite *r)
{
	return integer_product(r, "Conv", 0);
}

/* ---- ONNX Runtime's element-wise ones ---- */

static int binary(const struct rewrite *r, const char *op_type)
{
	struct value *b = qop_real(r, 3, 4, 5);
	struct value *y = two(r, op_type, qop_real(r, 0, 1, 2), b);
	return qop_finish(r, y, in(r, 6), in(r, 7));
}

static int unary(const struct rewrite *r, const char *op_type)
{
	if (node_attr_int(r->n, "channels_last", 0))
		return 0;
	struct value *x = qop_real(r, 0, 1, 2);
	struct node *n = node_new(r->g, r->n, "", op_type, &x, 1, 1, op_type);
	node_copy_attrs(n, r->n);
	node_remove_attr(n, "channels_last");
	return qop_finish(r, typed_output(n), in(r, 3), in(r, 4));
}

static int linear_add(const struct rewrite *r)
{
	return binary(r, "Add");
}
static int linear_mul(const struct rewrite *r)
{
	return binary(r, "Mul");
}
static int linear_sigmoid(const struct rewrite *r)
{
	return unary(r, "Sigmoid");
}
static int linear_leaky_relu(const struct rewrite *r)
{
	return unary(r, "LeakyRelu");
}
static int linear_average_pool(const struct rewrite *r)
{
	return unary(r, "AveragePool");
}

struct value *qop_reduced(const struct rewrite *r, const char *op_type, int64_t opset, struct value *x, int first,
			  size_t count)
{
	int64_t axes[MAX_RANK];
	for (size_t i = 0; i < count; i++)
		axes[i] = (int64_t)i + first;
	bool by_input = graph_opset(r->g, "") >= opset;
	struct value *inputs[] = { x, NULL };
	if (by_input)
		inputs[1] = value_new_constant(r->g, "axes", tensor_int64(1, (int64_t[]){ (int64_t)count }, axes));
	struct node *n = node_new(r->g, r->n, "", op_type, inputs, by_input ? 2 : 1, 1, op_type);
	if (!by_input)
		node_set_ints(n, "axes", axes, count);
	node_set_int(n, "keepdims", 1);
	return typed_output(n);
}

/* The sum of the integers over all pixels, keeping their axes. */
static struct value *sum_of_pixels(const struct rewrite *r, struct value *x, bool channels_last)
{
	return qop_reduced(r, "ReduceSum", 13, x, channels_last ? 1 : 2, (size_t)x->rank - 2);
}

/* As ONNX Runtime does it: the integers are summed, and the sum is scaled once. Halves are then where the scales put them,
 * and not where the rounding of a mean does. */
static int linear_global_average_pool(const struct rewrite *r)
{
	static const int parameters[] = { 1, 2, 3, 4, -1 };
	const struct value *x = in(r, 0);
	bool last = node_attr_int(r->n, "channels_last", 0);
	if (!constants(r, parameters) || !single(in(r, 1)) || !single(in(r, 2)) || !single(in(r, 3)) ||
	    !single(in(r, 4)) || x->rank < 3)
		return 0;
	int64_t pixels = 1;
	for (int i = 2; i < x->rank; i++)
		pixels *= x->dims[last ? i - 1 : i];
	if (!value_shape_known(x) || pixels < 1)
		return 0;
	float scale = (float)tensor_at(in(r, 1)->constant, 0), to = (float)tensor_at(in(r, 3)->constant, 0);
	struct value *by = constant_scalar(r->g, "factor", (double)(scale / (to * (float)pixels)));
	struct value *sum = sum_of_pixels(r, qop_integers(r, 0, 2, 1), last);
	return qop_finish(r, two(r, "Mul", sum, by), NULL, in(r, 4));
}

/* y's scale and zero point, then x, scale, zero point of each part. */
static int linear_concat(const struct rewrite *r)
{
	struct value *parts[64];
	size_t count = 0;
	if (r->n->n_inputs > 2 + 3 * 64 || (r->n->n_inputs - 2) % 3)
		return 0;
	for (size_t i = 2; i < r->n->n_inputs; i += 3)
		if (!in(r, i) || !in(r, i + 1))
			return 0;
	for (size_t i = 2; i < r->n->n_inputs; i += 3)
		parts[count++] = qop_real(r, i, i + 1, i + 2);
	struct node *n = node_new(r->g, r->n, "", "Concat", parts, count, 1, "Concat");
	node_copy_attrs(n, r->n);
	return qop_finish(r, typed_output(n), in(r, 0), in(r, 1));
}

/* ---- the pass ---- */

static const struct rewrite_row table[] = {
	{ "", "ConvInteger", 2, conv_integer },
	{ "", "MatMulInteger", 2, matmul_integer },
	{ "", "QLinearConv", 8, linear_conv },
	{ "", "QLinearMatMul", 8, linear_matmul },
	{ DOMAIN_MICROSOFT, "QGemm", 6, quantised_gemm },
	{ DOMAIN_MICROSOFT, "QLinearAdd", 7, linear_add },
	{ DOMAIN_MICROSOFT, "QLinearAveragePool", 4, linear_average_pool },
	{ DOMAIN_MICROSOFT, "QLinearConcat", 5, linear_concat },
	{ DOMAIN_MICROSOFT, "QLinearGlobalAveragePool", 4, linear_global_average_pool },
	{ DOMAIN_MICROSOFT, "QLinearLeakyRelu", 4, linear_leaky_relu },
	{ DOMAIN_MICROSOFT, "QLinearMul", 7, linear_mul },
	{ DOMAIN_MICROSOFT, "QLinearSigmoid", 4, linear_sigmoid },
};

static const struct {
	const struct rewrite_row *rows;
	const size_t *count;
} tables[] = {
	{ table, &(const size_t){ sizeof table / sizeof *table } },
	{ runtime_rewrites, &n_runtime_rewrites },
	{ layer_rewrites, &n_layer_rewrites },
};

static bool has_inputs(const struct node *n, uint32_t least)
{
	bool all = n->n_inputs >= least && n->n_outputs > 0;
	for (uint32_t k = 0; k < least && all; k++)
		all = n->inputs[k].value != NULL || (k % 3 == 2 && !n->op); /* zero points may be left out */
	return all;
}

/* The row for n; NULL where there is none, or where inputs are missing. */
static int (*rewrite_of(const struct node *n))(const struct rewrite *)
{
	const char *domain = strcmp(n->domain, "ai.onnx") == 0 ? "" : n->domain;
	for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
		for (size_t i = 0; i < *tables[t].count; i++) {
			const struct rewrite_row *row = &tables[t].rows[i];
			if (strcmp(row->op_type, n->op_type) == 0 && strcmp(row->domain, domain) == 0)
				return has_inputs(n, row->least_inputs) ? row->rewrite : NULL;
		}
	return NULL;
}

bool qop_is_read(const struct node *n)
{
	return rewrite_of(n) != NULL;
}

static size_t rewrite_all(struct graph *g, bool unknown_only)
{
	size_t changes = 0;
	graph_for_each_node (g, n) {
		const struct rewrite r = { g, n };
		int (*rewrite)(const struct rewrite *) = n->op && unknown_only ? NULL : rewrite_of(n);
		changes += rewrite ? (size_t)rewrite(&r) : 0;
	}
	if (changes)
		graph_remove_dead(g);
	return changes;
}

int qop_read_unknown(struct graph *g, struct diags *d)
{
	return rewrite_all(g, true) ? graph_infer(g, d) : 0;
}

static void say_what_stays(struct pass_ctx *ctx)
{
	graph_for_each_node (ctx->graph, n)
		if (!strcmp(n->op_type, "DynamicQuantizeLinear"))
			diag_note(
				ctx->diags, DIAG_WARNING, n, "quantise the network statically, with calibration data",
				"stays, and what reads it: its scale comes from the data at run time, so that nothing can be "
				"worked out beforehand");
}

static enum pass_result run(struct pass_ctx *ctx)
{
	say_what_stays(ctx);
	ctx->changes = rewrite_all(ctx->graph, false);
	if (!ctx->changes)
		return PASS_UNCHANGED;
	return graph_infer(ctx->graph, ctx->diags) == 0 ? PASS_CHANGED : PASS_ERROR;
}

const struct pass pass_qop_to_quant = {
	.name = "qop-to-quant",
	.summary = "QLinearConv, MatMulInteger and the like become float operators on dequantised integers",
	.help = "Reads ONNX's QOperator form, and ONNX Runtime's additions to it (QGemm, QLinearAdd, QLinearConcat, ...): each\n"
		"operator stands between DequantizeLinear and QuantizeLinear then, products with scale 1 and one factor for\n"
		"the sum, so that the same integers come out. qcdq-to-quant turns these into Quant nodes. Operators whose\n"
		"scales or zero points are computed at run time (DynamicQuantizeLinear) stay as they are. ONNX Runtime's operators of\n"
		"transformers (Gelu, SkipLayerNormalization, MatMulNBits, ...) become ONNX's; Deeploy's RequantShift becomes thresholds.",
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = GRAPH_CLEAN,
	.run = run,
};

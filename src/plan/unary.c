/* Layers of one operand element by element: activations and other functions of a number; Clip. Those that neither
 * thresholds nor constants have taken in are as a rule in the float part behind the last quantised layer. */
#include "plan/lower.h"

#include <math.h>
#include <string.h>

static struct contents unary_contents(enum plan_function f, const struct plan_buf *b)
{
	if (b->real)
		return contents_real();
	switch (f) {
	case PLAN_RELU: return contents_int(b->lo > 0 ? b->lo : 0, b->hi > 0 ? b->hi : 0);
	case PLAN_NEG: return contents_int(-b->hi, -b->lo);
	case PLAN_ABS: return contents_int(b->lo > 0 ? b->lo : b->hi < 0 ? -b->hi : 0, -b->lo > b->hi ? -b->lo : b->hi);
	case PLAN_SIGN: return contents_int(-1, 1);
	case PLAN_COPY:
	case PLAN_FLOOR:
	case PLAN_CEIL:
	case PLAN_ROUND: return contents_of(b);
	default: return contents_real();
	}
}

static struct plan_layer *unary(struct lowering *l, const struct node *n, enum plan_function f)
{
	struct plan_buf *a = lower_input(l, n, 0);
	if (!a)
		return NULL;
	if (!a->real && a->lo == INT64_MIN && (f == PLAN_NEG || f == PLAN_ABS)) {
		lower_unsupported(l, n, "numbers that 64 bits do not hold");
		return NULL;
	}
	struct plan_layer *y = lower_layer(l, n, PLAN_UNARY, a);
	y->function = f;
	y->out = lower_buf(l, n->outputs[0], lower_result_last(l, n->outputs[0], a), unary_contents(f, a));
	y->real = y->out->real;
	y->stride_a = lower_strides(l, a, y->out);
	return y;
}

/* alpha, beta: the attributes' values where they are not given. */
static const struct {
	const struct op *op;
	enum plan_function f;
	bool libm;
	double alpha, beta;
} functions[] = {
	{ &op_Relu, PLAN_RELU, false, 0, 0 },
	{ &op_Neg, PLAN_NEG, false, 0, 0 },
	{ &op_Abs, PLAN_ABS, false, 0, 0 },
	{ &op_Sigmoid, PLAN_SIGMOID, true, 0, 0 },
	{ &op_Tanh, PLAN_TANH, true, 0, 0 },
	{ &op_Exp, PLAN_EXP, true, 0, 0 },
	{ &op_Sqrt, PLAN_SQRT, true, 0, 0 },
	{ &op_Floor, PLAN_FLOOR, true, 0, 0 },
	{ &op_Ceil, PLAN_CEIL, true, 0, 0 },
	{ &op_Round, PLAN_ROUND, true, 0, 0 },
	{ &op_Erf, PLAN_ERF, true, 0, 0 },
	{ &op_Log, PLAN_LOG, true, 0, 0 },
	{ &op_Sign, PLAN_SIGN, false, 0, 0 },
	{ &op_Reciprocal, PLAN_RECIPROCAL, false, 0, 0 },
	{ &op_LeakyRelu, PLAN_LEAKY_RELU, false, 0.01, 0 },
	{ &op_Elu, PLAN_ELU, true, 1, 0 },
	{ &op_Selu, PLAN_SELU, true, 1.67326319217681884765625, 0 },
	{ &op_Celu, PLAN_CELU, true, 1, 0 },
	{ &op_ThresholdedRelu, PLAN_THRESHOLDED_RELU, false, 1, 0 },
	{ &op_HardSigmoid, PLAN_HARD_SIGMOID, true, 0.2, 0.5 },
	{ &op_HardSwish, PLAN_HARD_SWISH, true, 0, 0 },
	{ &op_Softplus, PLAN_SOFTPLUS, true, 0, 0 },
	{ &op_Softsign, PLAN_SOFTSIGN, true, 0, 0 },
	{ &op_Mish, PLAN_MISH, true, 0, 0 },
	{ &op_Gelu, PLAN_GELU, true, 0, 0 },
};

int lower_unary(struct lowering *l, const struct node *n)
{
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		enum plan_function f = functions[i].f;
		if (n->op != functions[i].op)
			continue;
		if (f == PLAN_GELU && !strcmp(node_attr_string(n, "approximate", "none"), "tanh"))
			f = PLAN_GELU_TANH;
		struct plan_layer *y = unary(l, n, f);
		if (!y)
			return -1;
		y->alpha = node_attr_float(n, "alpha", functions[i].alpha);
		y->beta = node_attr_float(n, f == PLAN_SELU ? "gamma" : "beta",
					  f == PLAN_SELU ? 1.05070102214813232421875 : functions[i].beta);
		l->plan->libm |= functions[i].libm && y->real;
		return 0;
	}
	return lower_unsupported(l, n, "this operator");
}

/* Clip is a Max and a Min with constants. */
int lower_clip(struct lowering *l, const struct node *n)
{
	struct plan_buf *from = lower_input(l, n, 0);
	double bound[2] = { -INFINITY, INFINITY };
	const char *const attr[2] = { "min", "max" };
	if (!from)
		return -1;
	for (size_t i = 0; i < 2; i++) {
		const struct value *v = node_input(n, i + 1);
		bound[i] = node_attr_float(n, attr[i], bound[i]);
		if (v && !value_scalar(v, &bound[i]))
			return lower_unsupported(l, n, "bounds that are computed at run time");
	}
	for (size_t i = 0; i < 2; i++) {
		struct plan_layer *y = lower_layer(l, n, PLAN_BINARY, from);
		enum plan_function f = i ? PLAN_MIN : PLAN_MAX;
		bool real = from->real || (isfinite(bound[i]) && bound[i] != floor(bound[i]));
		bool bounded = fabs(bound[i]) < 0x1p62;
		int64_t limit = bounded ? (int64_t)bound[i] : bound[i] > 0 ? INT64_MAX : INT64_MIN;
		if (!from->real) /* a bound that nothing reaches is a number of the operand's type */
			limit = i ? limit > from->hi ? from->hi : limit : limit < from->lo ? from->lo : limit;
		struct contents c;
		lower_combine(f, (struct interval){ from->real, from->lo, from->hi },
			      (struct interval){ real, limit, limit }, &c);
		double constant = real ? bound[i] : (double)limit;
		y->function = f;
		y->real = real;
		y->operand = arena_copy(&l->plan->arena, &constant, sizeof constant);
		y->operand_count = 1;
		y->out = i ? lower_buf(l, n->outputs[0], lower_result_last(l, n->outputs[0], from), c)
			   : lower_buf_like(l, from, "clip", c);
		y->stride_a = lower_strides(l, from, y->out);
		y->stride_b = arena_array(&l->plan->arena, int64_t, y->out->rank + 1);
		from = y->out;
	}
	return 0;
}

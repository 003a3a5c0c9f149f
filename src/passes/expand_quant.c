/* Expansion of quantisers into standard ONNX operators: the same float operations as in their executors (src/ops), in the
 * same order, so that results are equal bit for bit, except for the sign of a zero. */
#include <math.h>

#include "ops/channels.h"
#include "ops/rounding.h"
#include "passes/edit.h"
#include "passes/expand.h"

/* ---- steps ---- */

static struct value *by_sign(struct expansion *s, struct value *x)
{
	struct value *reached = expand_binary(s, "GreaterOrEqual", x, expand_scalar(s, 0));
	struct value *minus = expand_scalar(s, -1);
	return expand_ternary(s, "Where", reached, expand_scalar(s, 1), minus);
}

/* With the sign of x, what `op_type` makes of |x| + shift. */
static struct value *round_magnitude(struct expansion *s, struct value *x, const char *op_type, double shift)
{
	struct value *y = expand_unary(s, "Abs", x);
	if (shift != 0)
		y = expand_binary(s, "Add", y, expand_scalar(s, shift));
	y = expand_unary(s, op_type, y);
	return expand_binary(s, "Mul", expand_unary(s, "Sign", x), y);
}

static struct value *rounded(struct expansion *s, struct value *x, enum rounding mode)
{
	switch (mode) {
	case ROUND_HALF_EVEN: return expand_unary(s, "Round", x);
	case ROUND_CEIL: return expand_unary(s, "Ceil", x);
	case ROUND_FLOOR: return expand_unary(s, "Floor", x);
	case ROUND_UP: return round_magnitude(s, x, "Ceil", 0);
	case ROUND_DOWN: return round_magnitude(s, x, "Floor", 0);
	case ROUND_HALF_UP: return round_magnitude(s, x, "Floor", 0.5);
	case ROUND_HALF_DOWN: return round_magnitude(s, x, "Ceil", -0.5);
	}
	return x;
}

/* The node is left out where its parameter does nothing and does not widen the shape. */
static struct value *unless_neutral(struct expansion *s, const char *op_type, struct value *x, struct value *v,
				    double neutral)
{
	bool single = value_is_constant(v) && v->constant->count == 1 && v->rank <= x->rank;
	return single && tensor_all(v->constant, neutral) ? x : expand_binary(s, op_type, x, v);
}

/* ---- Quant ---- */

static bool any_equals(const struct tensor *t, double x)
{
	for (int64_t i = 0; i < t->count; i++)
		if (tensor_at(t, i) == x)
			return true;
	return false;
}

/* Lower or upper bound for constant bit widths, in the arithmetic of s->elem (widths may be fractional). */
static struct value *constant_bound(struct expansion *s, const struct tensor *bits, bool upper)
{
	bool is_signed = node_attr_int(s->node, "signed", 1) != 0, narrow = node_attr_int(s->node, "narrow", 0) != 0;
	struct tensor *t = tensor_new(s->elem, bits->rank, bits->dims);
	for (int64_t i = 0; i < t->count; i++) {
		double width = tensor_at(bits, i) - (is_signed ? 1 : 0);
		double top = s->elem == ELEM_FLOAT ? (double)powf(2, (float)width) : pow(2, width);
		double lo = is_signed ? -top + narrow : 0, hi = top - 1 - (!is_signed && narrow ? 1 : 0);
		tensor_put(t, i, upper ? hi : lo);
	}
	return value_new_constant(s->graph, upper ? "most" : "least", t);
}

/* The same for bit widths that are computed at run time. */
static struct value *computed_bound(struct expansion *s, struct value *bits, bool upper)
{
	bool is_signed = node_attr_int(s->node, "signed", 1) != 0, narrow = node_attr_int(s->node, "narrow", 0) != 0;
	if (!is_signed && !upper)
		return expand_scalar(s, 0);
	if (is_signed)
		bits = expand_binary(s, "Sub", bits, expand_scalar(s, 1));
	struct value *top = expand_binary(s, "Pow", expand_scalar(s, 2), bits);
	if (upper)
		return expand_binary(s, "Sub", top, expand_scalar(s, !is_signed && narrow ? 2 : 1));
	return expand_binary(s, "Sub", expand_scalar(s, narrow ? 1 : 0), top);
}

static struct value *clamped(struct expansion *s, struct value *x, struct value *bits)
{
	bool constant = value_is_constant(bits);
	struct value *lo = constant ? constant_bound(s, bits->constant, false) : computed_bound(s, bits, false);
	struct value *hi = constant ? constant_bound(s, bits->constant, true) : computed_bound(s, bits, true);
	if (constant && bits->constant->count == 1 && bits->rank == 0)
		return expand_ternary(s, "Clip", x, lo, hi);
	return expand_binary(s, "Max", expand_binary(s, "Min", x, hi), lo); /* Clip takes scalars only */
}

/* A single width of any shape as a scalar, where that does not change the output's shape. */
static struct value *scalar_width(struct expansion *s, struct value *bits, int rank)
{
	if (!value_is_constant(bits) || bits->constant->count != 1 || bits->rank == 0 || bits->rank > rank)
		return bits;
	return value_new_constant(s->graph, bits->name, tensor_view(bits->constant, 0, NULL));
}

int expand_quant(struct expansion *s)
{
	struct node *n = s->node;
	struct value *x = expand_operand(s, node_input(n, 0)), *scale = expand_operand(s, node_input(n, 1));
	struct value *zero = expand_operand(s, node_input(n, 2)), *bits = expand_operand(s, node_input(n, 3));
	bool is_signed = node_attr_int(n, "signed", 1) != 0, constant = value_is_constant(bits);
	enum rounding mode;
	if (!node_rounding(n, "ROUND", &mode, s->diags))
		return -1;
	bool one_bit = is_signed && constant && tensor_all(bits->constant, 1);
	if (is_signed && constant && !one_bit && any_equals(bits->constant, 1))
		return diag_node_error(s->diags, n, NULL, "some of its bit widths are 1 and others are not");
	struct value *y = unless_neutral(s, "Add", unless_neutral(s, "Div", x, scale, 1), zero, 0);
	struct value *levels = NULL;
	if (!one_bit)
		levels = rounded(s, clamped(s, y, scalar_width(s, bits, x->rank)), mode);
	if (one_bit || (is_signed && !constant)) {
		struct value *sign = by_sign(s, y);
		levels = one_bit ? sign
				 : expand_ternary(s, "Where", expand_binary(s, "Equal", bits, expand_scalar(s, 1)),
						  sign, levels);
	}
	y = unless_neutral(s, "Mul", unless_neutral(s, "Sub", levels, zero, 0), scale, 1);
	expand_finish(s, y);
	return 0;
}

int expand_bipolar_quant(struct expansion *s)
{
	struct value *x = expand_operand(s, node_input(s->node, 0)), *scale = expand_operand(s, node_input(s->node, 1));
	expand_finish(s, unless_neutral(s, "Mul", by_sign(s, x), scale, 1));
	return 0;
}

/* ---- Trunc ---- */

/* Both versions, see ops/trunc.c: the divisor is a power of two, known from constants. */
int expand_trunc(struct expansion *s)
{
	struct node *n = s->node;
	bool v2 = n->n_inputs == 6;
	double p[6] = { 0 };
	enum rounding mode;
	for (uint32_t i = 1; i < n->n_inputs; i++)
		if (!value_scalar(node_input(n, i), &p[i]))
			return diag_node_error(s->diags, n, "make its parameters constant scalars",
					       "input %u is computed at run time or is no scalar", i);
	if (!node_rounding(n, "FLOOR", &mode, s->diags))
		return -1;
	double shift =
		v2 ? (s->elem == ELEM_FLOAT ? (double)rintf(log2f((float)p[4] / (float)p[1])) : rint(log2(p[4] / p[1])))
		   : p[3] - p[4];
	double divisor = exp2(shift), out_zero = v2 ? p[2] / divisor : p[2], out_scale = v2 ? p[4] : p[1], lo, hi;
	struct value *in_scale = expand_scalar(s, p[1]);
	struct value *y = expand_binary(s, "Div", expand_operand(s, node_input(n, 0)), in_scale);
	y = expand_unary(s, "Round", unless_neutral(s, "Add", y, expand_scalar(s, p[2]), 0));
	y = expand_binary(s, "Div", y, expand_scalar(s, divisor));
	if (v2) {
		quant_bounds(node_attr_int(n, "signed", 1) != 0, node_attr_int(n, "narrow", 0) != 0, p[5], &lo, &hi);
		struct value *most = expand_scalar(s, hi);
		y = expand_ternary(s, "Clip", y, expand_scalar(s, lo), most);
	}
	struct value *zero = expand_scalar(s, out_zero);
	y = unless_neutral(s, "Sub", rounded(s, y, mode), zero, 0);
	expand_finish(s, expand_binary(s, "Mul", y, expand_scalar(s, out_scale)));
	return 0;
}

/* ---- FloatQuant ---- */

enum { MOST_EXPONENTS = 512 };

/* The least float whose exponent the operator, by its float logarithm, takes for k. */
static double exponent_reached(const struct expansion *s, double k)
{
	if (s->elem != ELEM_FLOAT)
		return exp2(k);
	float x = exp2f((float)k);
	for (float below; below = nextafterf(x, 0), floorf(log2f(below + 0x1p-126f)) >= (float)k;)
		x = below;
	return (double)x;
}

/* A vector of `count` numbers of type s->elem. */
static struct value *vector(struct expansion *s, int64_t count, const double *x)
{
	struct tensor *t = tensor_new(s->elem, 1, &count);
	for (int64_t i = 0; i < count; i++)
		tensor_put(t, i, x[i]);
	return value_new_constant(s->graph, "table", t);
}

/* How many of the thresholds (rows aligned with x's axes, steps last) x reaches, as a number. */
static struct value *count_reached(struct expansion *s, struct value *x, struct value *thresholds)
{
	static const int64_t one = 1, last = -1;
	struct value *axis = value_new_constant(s->graph, "axis", tensor_int64(1, &one, &last));
	struct value *reached = expand_binary(s, "GreaterOrEqual", expand_binary(s, "Unsqueeze", x, axis), thresholds);
	struct value *sum = expand_binary(s, "ReduceSum", expand_cast(s, reached, s->elem), axis);
	node_set_int(sum->producer, "keepdims", 0);
	struct diags quiet = { 0 };
	node_infer(sum->producer, &quiet);
	diags_free(&quiet);
	return sum;
}

/* The distance between neighbours of the format around x: found by comparing |x| with the powers of two, which is
 * exact where a logarithm is not. */
static struct value *step_around(struct expansion *s, struct value *x, double least, double mantissa, double most)
{
	double reached[MOST_EXPONENTS], steps[MOST_EXPONENTS + 1];
	int64_t count = 0;
	steps[0] = exp2(least);
	for (double k = least + mantissa + 1; k <= most && count < MOST_EXPONENTS; k++) {
		reached[count++] = exponent_reached(s, k);
		steps[count] = exp2(k - mantissa);
	}
	if (!count)
		return expand_scalar(s, steps[0]);
	struct value *bounds = vector(s, count, reached);
	struct value *index = count_reached(s, expand_unary(s, "Abs", x), bounds);
	index = expand_cast(s, index, ELEM_INT64);
	return expand_binary(s, "Gather", vector(s, count + 1, steps), index);
}

int expand_float_quant(struct expansion *s)
{
	struct node *n = s->node;
	double p[6] = { 0 };
	enum rounding mode;
	for (uint32_t i = 2; i < 6; i++)
		if (!value_scalar(node_input(n, i), &p[i]))
			return diag_node_error(s->diags, n, "make its format constant",
					       "input %u is computed at run time or is no scalar", i);
	double max = fmin((2 - exp2(-p[3])) * exp2(exp2(p[2]) - 1 - p[4]), p[5]), least = 1 - p[4] - p[3];
	bool saturates = node_attr_int(n, "saturation", 1), infinite = node_attr_int(n, "has_inf", 0);
	if (!node_rounding(n, "ROUND", &mode, s->diags))
		return -1;
	if (floor(log2(max)) + 1 - least - p[3] > MOST_EXPONENTS)
		return diag_node_error(s->diags, n, NULL, "the format has more than %d exponents", (int)MOST_EXPONENTS);
	struct value *scale = expand_operand(s, node_input(n, 1));
	struct value *x = unless_neutral(s, "Div", expand_operand(s, node_input(n, 0)), scale, 1);
	struct value *step = step_around(s, x, least, p[3], floor(log2(max)) + 1);
	struct value *y = expand_binary(s, "Mul", rounded(s, expand_binary(s, "Div", x, step), mode), step);
	if (saturates) {
		struct value *most = expand_scalar(s, max);
		y = expand_ternary(s, "Clip", y, expand_scalar(s, -max), most);
	} else {
		double beyond = infinite ? (double)INFINITY : (double)NAN;
		struct value *over = expand_binary(s, "Greater", y, expand_scalar(s, max));
		struct value *under = expand_binary(s, "Less", y, expand_scalar(s, -max));
		y = expand_ternary(s, "Where", over, expand_scalar(s, beyond), y);
		y = expand_ternary(s, "Where", under, expand_scalar(s, -beyond), y);
	}
	expand_finish(s, unless_neutral(s, "Mul", y, scale, 1));
	return 0;
}

/* ---- MultiThreshold ---- */

/* The threshold matrix [rows, steps] as [rows, 1, ..., 1, steps], so that rows meet the channels of x. */
static struct value *aligned_thresholds(struct expansion *s, struct value *t, int rank, int axis)
{
	int64_t dims[MAX_RANK + 1], count = 0;
	dims[count++] = t->dims[0];
	for (int i = axis + 1; i < rank; i++)
		dims[count++] = 1;
	dims[count++] = t->dims[1];
	if (t->dims[0] == 1 || axis < 0) /* one row for all */
		return value_new_constant(s->graph, t->name, tensor_view(t->constant, 1, &t->dims[1]));
	return value_new_constant(s->graph, t->name, tensor_view(t->constant, (int)count, dims));
}

int expand_multi_threshold(struct expansion *s)
{
	struct node *n = s->node;
	struct value *x = expand_operand(s, node_input(n, 0)), *t = expand_operand(s, node_input(n, 1));
	if (!value_is_constant(t) || t->rank != 2)
		return diag_node_error(s->diags, n, "make them a constant of channels x steps",
				       "its thresholds are no constant matrix");
	if (x->rank < 0 || x->rank >= MAX_RANK)
		return diag_node_error(s->diags, n, "give the inputs of the graph a shape",
				       "the rank of its input is not "
				       "known");
	struct value *y = count_reached(s, x, aligned_thresholds(s, t, x->rank, threshold_axis(n, x->rank)));
	y = unless_neutral(s, "Mul", y, expand_scalar(s, node_attr_float(n, "out_scale", 1)), 1);
	y = unless_neutral(s, "Add", y, expand_scalar(s, node_attr_float(n, "out_bias", 0)), 0);
	expand_finish(s, y);
	return 0;
}

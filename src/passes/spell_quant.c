/* Quantisers in plain ONNX, with the float operations of the quantisers themselves (src/ops) in the same order:
 * the same bits come out. A zero's sign may differ. */
#include <math.h>

#include "ops/channels.h"
#include "ops/rounding.h"
#include "passes/edit.h"
#include "passes/spell.h"

/* ---- steps ---- */

static struct value *by_sign(struct spelling *s, struct value *x)
{
	struct value *reached = spell2(s, "GreaterOrEqual", x, spell_number(s, 0));
	return spell3(s, "Where", reached, spell_number(s, 1), spell_number(s, -1));
}

/* With the sign of x, what `op_type` makes of |x| + shift. */
static struct value *round_magnitude(struct spelling *s, struct value *x, const char *op_type, double shift)
{
	struct value *y = spell1(s, "Abs", x);
	if (shift != 0)
		y = spell2(s, "Add", y, spell_number(s, shift));
	return spell2(s, "Mul", spell1(s, "Sign", x), spell1(s, op_type, y));
}

static struct value *rounded(struct spelling *s, struct value *x, enum rounding mode)
{
	switch (mode) {
	case ROUND_HALF_EVEN: return spell1(s, "Round", x);
	case ROUND_CEIL: return spell1(s, "Ceil", x);
	case ROUND_FLOOR: return spell1(s, "Floor", x);
	case ROUND_UP: return round_magnitude(s, x, "Ceil", 0);
	case ROUND_DOWN: return round_magnitude(s, x, "Floor", 0);
	case ROUND_HALF_UP: return round_magnitude(s, x, "Floor", 0.5);
	case ROUND_HALF_DOWN: return round_magnitude(s, x, "Ceil", -0.5);
	}
	return x;
}

/* The node is left out where its parameter does nothing and does not widen the shape. */
static struct value *unless_neutral(struct spelling *s, const char *op_type, struct value *x, struct value *v,
				    double neutral)
{
	bool single = value_is_constant(v) && v->constant->count == 1 && v->rank <= x->rank;
	return single && tensor_all(v->constant, neutral) ? x : spell2(s, op_type, x, v);
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
static struct value *constant_bound(struct spelling *s, const struct tensor *bits, bool upper)
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
static struct value *computed_bound(struct spelling *s, struct value *bits, bool upper)
{
	bool is_signed = node_attr_int(s->node, "signed", 1) != 0, narrow = node_attr_int(s->node, "narrow", 0) != 0;
	if (!is_signed && !upper)
		return spell_number(s, 0);
	if (is_signed)
		bits = spell2(s, "Sub", bits, spell_number(s, 1));
	struct value *top = spell2(s, "Pow", spell_number(s, 2), bits);
	if (upper)
		return spell2(s, "Sub", top, spell_number(s, !is_signed && narrow ? 2 : 1));
	return spell2(s, "Sub", spell_number(s, narrow ? 1 : 0), top);
}

static struct value *clamped(struct spelling *s, struct value *x, struct value *bits)
{
	bool constant = value_is_constant(bits);
	struct value *lo = constant ? constant_bound(s, bits->constant, false) : computed_bound(s, bits, false);
	struct value *hi = constant ? constant_bound(s, bits->constant, true) : computed_bound(s, bits, true);
	if (constant && bits->constant->count == 1 && bits->rank == 0)
		return spell3(s, "Clip", x, lo, hi);
	return spell2(s, "Max", spell2(s, "Min", x, hi), lo); /* Clip takes scalars only */
}

/* A single width of any shape as a scalar, where that does not change the output's shape. */
static struct value *scalar_width(struct spelling *s, struct value *bits, int rank)
{
	if (!value_is_constant(bits) || bits->constant->count != 1 || bits->rank == 0 || bits->rank > rank)
		return bits;
	return value_new_constant(s->graph, bits->name, tensor_view(bits->constant, 0, NULL));
}

int spell_quant(struct spelling *s)
{
	struct node *n = s->node;
	struct value *x = spell_operand(s, node_input(n, 0)), *scale = spell_operand(s, node_input(n, 1));
	struct value *zero = spell_operand(s, node_input(n, 2)), *bits = spell_operand(s, node_input(n, 3));
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
		levels =
			one_bit ? sign : spell3(s, "Where", spell2(s, "Equal", bits, spell_number(s, 1)), sign, levels);
	}
	y = unless_neutral(s, "Mul", unless_neutral(s, "Sub", levels, zero, 0), scale, 1);
	spell_finish(s, y);
	return 0;
}

int spell_bipolar_quant(struct spelling *s)
{
	struct value *x = spell_operand(s, node_input(s->node, 0)), *scale = spell_operand(s, node_input(s->node, 1));
	spell_finish(s, unless_neutral(s, "Mul", by_sign(s, x), scale, 1));
	return 0;
}

/* ---- Trunc ---- */

/* Both versions, see ops/trunc.c: the divisor is a power of two, known from constants. */
int spell_trunc(struct spelling *s)
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
	struct value *y = spell2(s, "Div", spell_operand(s, node_input(n, 0)), spell_number(s, p[1]));
	y = spell1(s, "Round", unless_neutral(s, "Add", y, spell_number(s, p[2]), 0));
	y = spell2(s, "Div", y, spell_number(s, divisor));
	if (v2) {
		quant_bounds(node_attr_int(n, "signed", 1) != 0, node_attr_int(n, "narrow", 0) != 0, p[5], &lo, &hi);
		y = spell3(s, "Clip", y, spell_number(s, lo), spell_number(s, hi));
	}
	y = unless_neutral(s, "Sub", rounded(s, y, mode), spell_number(s, out_zero), 0);
	spell_finish(s, spell2(s, "Mul", y, spell_number(s, out_scale)));
	return 0;
}

/* ---- FloatQuant ---- */

enum { MOST_EXPONENTS = 512 };

/* The least float whose exponent the operator, by its float logarithm, takes for k. */
static double exponent_reached(const struct spelling *s, double k)
{
	if (s->elem != ELEM_FLOAT)
		return exp2(k);
	float x = exp2f((float)k);
	for (float below; below = nextafterf(x, 0), floorf(log2f(below + 0x1p-126f)) >= (float)k;)
		x = below;
	return (double)x;
}

/* A vector of `count` numbers of type s->elem. */
static struct value *vector(struct spelling *s, int64_t count, const double *x)
{
	struct tensor *t = tensor_new(s->elem, 1, &count);
	for (int64_t i = 0; i < count; i++)
		tensor_put(t, i, x[i]);
	return value_new_constant(s->graph, "table", t);
}

/* How many of the thresholds (rows aligned with x's axes, steps last) x reaches, as a number. */
static struct value *count_reached(struct spelling *s, struct value *x, struct value *thresholds)
{
	static const int64_t one = 1, last = -1;
	struct value *axis = value_new_constant(s->graph, "axis", tensor_int64(1, &one, &last));
	struct value *reached = spell2(s, "GreaterOrEqual", spell2(s, "Unsqueeze", x, axis), thresholds);
	struct value *sum = spell2(s, "ReduceSum", spell_cast(s, reached, s->elem), axis);
	node_set_int(sum->producer, "keepdims", 0);
	struct diags quiet = { 0 };
	node_infer(sum->producer, &quiet);
	diags_free(&quiet);
	return sum;
}

/* The distance between neighbours of the format around x: found by comparing |x| with the powers of two, which is
 * exact where a logarithm is not. */
static struct value *step_around(struct spelling *s, struct value *x, double least, double mantissa, double most)
{
	double reached[MOST_EXPONENTS], steps[MOST_EXPONENTS + 1];
	int64_t count = 0;
	steps[0] = exp2(least);
	for (double k = least + mantissa + 1; k <= most && count < MOST_EXPONENTS; k++) {
		reached[count++] = exponent_reached(s, k);
		steps[count] = exp2(k - mantissa);
	}
	if (!count)
		return spell_number(s, steps[0]);
	struct value *index = count_reached(s, spell1(s, "Abs", x), vector(s, count, reached));
	return spell2(s, "Gather", vector(s, count + 1, steps), spell_cast(s, index, ELEM_INT64));
}

int spell_float_quant(struct spelling *s)
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
	struct value *scale = spell_operand(s, node_input(n, 1));
	struct value *x = unless_neutral(s, "Div", spell_operand(s, node_input(n, 0)), scale, 1);
	struct value *step = step_around(s, x, least, p[3], floor(log2(max)) + 1);
	struct value *y = spell2(s, "Mul", rounded(s, spell2(s, "Div", x, step), mode), step);
	if (saturates) {
		y = spell3(s, "Clip", y, spell_number(s, -max), spell_number(s, max));
	} else {
		double beyond = infinite ? (double)INFINITY : (double)NAN;
		struct value *over = spell2(s, "Greater", y, spell_number(s, max));
		struct value *under = spell2(s, "Less", y, spell_number(s, -max));
		y = spell3(s, "Where", under, spell_number(s, -beyond),
			   spell3(s, "Where", over, spell_number(s, beyond), y));
	}
	spell_finish(s, unless_neutral(s, "Mul", y, scale, 1));
	return 0;
}

/* ---- MultiThreshold ---- */

/* The threshold matrix [rows, steps] as [rows, 1, ..., 1, steps], so that rows meet the channels of x. */
static struct value *aligned_thresholds(struct spelling *s, struct value *t, int rank, int axis)
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

int spell_multi_threshold(struct spelling *s)
{
	struct node *n = s->node;
	struct value *x = spell_operand(s, node_input(n, 0)), *t = spell_operand(s, node_input(n, 1));
	if (!value_is_constant(t) || t->rank != 2)
		return diag_node_error(s->diags, n, "make them a constant of channels x steps",
				       "its thresholds are no constant matrix");
	if (x->rank < 0 || x->rank >= MAX_RANK)
		return diag_node_error(s->diags, n, "give the inputs of the graph a shape",
				       "the rank of its input is not "
				       "known");
	struct value *y = count_reached(s, x, aligned_thresholds(s, t, x->rank, threshold_axis(n, x->rank)));
	y = unless_neutral(s, "Mul", y, spell_number(s, node_attr_float(n, "out_scale", 1)), 1);
	y = unless_neutral(s, "Add", y, spell_number(s, node_attr_float(n, "out_bias", 0)), 0);
	spell_finish(s, y);
	return 0;
}

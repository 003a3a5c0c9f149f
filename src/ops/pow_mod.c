/* Pow and Mod: two operands whose types may differ (Pow) or whose sign rules differ (Mod). */
#include <math.h>
#include <tgmath.h>

#include "ops/broadcast.h"
#include "ops/form.h"
#include "ops/ranges.h"

/* x to the power y with wrapping products; a negative exponent truncates to 0 unless x is 1 or -1. */
static uint64_t integer_power(uint64_t x, uint64_t y)
{
	uint64_t result = 1;
	for (; y; y >>= 1, x *= x)
		result *= y & 1 ? x : 1;
	return result;
}

static int64_t signed_power(int64_t x, int64_t y)
{
	if (y < 0)
		return x == 1 ? 1 : x == -1 ? (y % 2 ? -1 : 1) : 0;
	return (int64_t)integer_power((uint64_t)x, (uint64_t)y);
}

EACH_FLOAT(BINARY_LOOP, pow, pow(x, y))
EACH_SIGNED(BINARY_LOOP, pow, signed_power(x, y))
EACH_UNSIGNED(BINARY_LOOP, pow, integer_power(x, y))
static binary_loop *const pow_loops[ELEM_COUNT] = { EACH_NUMBER(LOOP_ROW, pow) };

/* A remainder by y with the sign of y, -0 included. */
static inline double signed_like_double(double r, double y)
{
	return r == 0 ? copysign(r, y) : (r < 0) != (y < 0) ? r + y : r;
}
#define signed_like(r, y) (wide) signed_like_double(r, y)

/* fmod=1: C's remainder, the sign of the dividend. fmod=0: the sign of the divisor, as in Python. */
LOOPS_AND_TEXT(EACH_FLOAT, BINARY_LOOP, rem, fmod(x, y))
LOOPS_AND_TEXT(EACH_SIGNED, BINARY_LOOP, rem, y == 0 || y == -1 ? 0 : x % y)
LOOPS_AND_TEXT(EACH_UNSIGNED, BINARY_LOOP, rem, y == 0 ? 0 : x % y)
EACH_FLOAT(BINARY_LOOP, mod, signed_like(fmod(x, y), y))
LOOPS_AND_TEXT(EACH_SIGNED, BINARY_LOOP, mod,
	       y == 0 || y == -1		      ? 0
	       : x % y != 0 && (x % y < 0) != (y < 0) ? x % y + y
						      : x % y)
static binary_loop *const rem_loops[ELEM_COUNT] = { EACH_NUMBER(LOOP_ROW, rem) };
static binary_loop *const mod_loops[ELEM_COUNT] = { EACH_FLOAT(LOOP_ROW, mod) EACH_SIGNED(LOOP_ROW, mod)
							    EACH_UNSIGNED(LOOP_ROW, rem) };

/* Integer base, fractional exponent: in double, then truncated to the base's type. */
static int pow_in_double(struct exec_ctx *x, struct tensor *base, struct tensor *exponent)
{
	struct tensor *b = tensor_try_cast(base, ELEM_DOUBLE), *e = tensor_try_cast(exponent, ELEM_DOUBLE);
	int result = -1;
	if (b && e)
		result = exec_binary_on(x, b, e, pow_loops, ELEM_UNDEFINED);
	if (result == 0) {
		struct tensor *wide = x->out[0];
		for (int64_t i = 0; i < wide->count; i++)
			((double *)wide->data)[i] = trunc(((double *)wide->data)[i]);
		x->out[0] = tensor_try_cast(wide, base->elem);
		tensor_unref(wide);
		result = x->out[0] ? 0 : -1;
	}
	tensor_unref(b);
	tensor_unref(e);
	return result;
}

static int run_pow(struct exec_ctx *x)
{
	struct tensor *base = x->in[0], *exponent = x->in[1];
	if (!elem_is_float(base->elem) && elem_is_float(exponent->elem))
		return pow_in_double(x, base, exponent);
	struct tensor *same = tensor_try_cast(exponent, base->elem);
	if (!same)
		return exec_unsupported(x, elem_name(exponent->elem));
	int result = exec_binary_on(x, base, same, pow_loops, ELEM_UNDEFINED);
	tensor_unref(same);
	return result;
}

static int run_mod(struct exec_ctx *x)
{
	bool c_like = node_attr_int(x->node, "fmod", 0) != 0;
	return exec_binary(x, c_like ? rem_loops : mod_loops, ELEM_UNDEFINED);
}

static int form_mod(struct op_form *f)
{
	enum elem_type elem = (enum elem_type)node_input(f->node, 0)->elem;
	bool c_like = node_attr_int(f->node, "fmod", 0) != 0;
	if (elem_is_float(elem))
		return c_like ? form_expression(f, rem_EACH_FLOAT, 0, 0) : -1;
	if (!elem_is_signed(elem))
		return form_expression(f, rem_EACH_UNSIGNED, 0, 0);
	return form_expression(f, c_like ? rem_EACH_SIGNED : mod_EACH_SIGNED, 0, 0);
}

/* In the base's type, or in double where one operand is integer. */
static int form_pow(struct op_form *f)
{
	const struct value *base = node_input(f->node, 0);
	if (form_is_real(base))
		return form_expression(f, base->elem == ELEM_DOUBLE ? "pow(x, (double)y)" : "pow(x, (float)y)", 0, 0);
	return form_expression(f, "(int64_t)pow((double)x, (double)y)", 0, 0);
}

const struct op op_Pow = {
	.name = "Pow",
	.domain = DOMAIN_ONNX,
	.summary = "a to the power b, element by element",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_ELEMENTWISE,
	.infer = infer_broadcast,
	.exec = run_pow,
	.widens = true,
	.form = form_pow,
};

const struct op op_Mod = {
	.name = "Mod",
	.domain = DOMAIN_ONNX,
	.summary = "remainder of a / b, element by element",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_ELEMENTWISE,
	.infer = infer_broadcast,
	.exec = run_mod,
	.widens = true,
	.form = form_mod,
};

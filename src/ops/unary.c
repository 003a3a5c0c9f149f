/* Elementary functions of one operand, and tests of a number's kind. A row each. */
#include "ops/unary.h"

#include <math.h>
#include <tgmath.h>

static struct datatype datatype_neg(const struct node *n, size_t i)
{
	int64_t lo, hi;
	if (!value_int_range(node_input(n, 0), &lo, &hi) || lo == INT64_MIN)
		return datatype_of_kind(DT_NONE);
	struct datatype t = value_datatype(node_input(n, 0));
	return t.kind == DT_BIPOLAR || t.kind == DT_TERNARY ? t : datatype_within(n, i, -hi, -lo);
}

static struct datatype datatype_abs(const struct node *n, size_t i)
{
	int64_t lo, hi;
	if (!value_int_range(node_input(n, 0), &lo, &hi) || lo == INT64_MIN)
		return datatype_of_kind(DT_NONE);
	int64_t least = lo > 0 ? lo : hi < 0 ? -hi : 0;
	return datatype_within(n, i, least, -lo > hi ? -lo : hi);
}

static struct datatype datatype_sign(const struct node *n, size_t i)
{
	(void)n;
	(void)i;
	return datatype_of_kind(DT_TERNARY);
}

/* Integers stay as they are under rounding. */
static struct datatype datatype_rounded(const struct node *n, size_t i)
{
	struct datatype t = datatype_same(n, i);
	return datatype_is_integer(t) ? t : datatype_of_kind(DT_NONE);
}

#define MONO OP_MONOTONE

UNARY(op_Neg, Neg, EACH_SIGNED_NUMBER, 0, datatype_neg, "-x", -(wide)x)
SIGNED_UNARY(op_Abs, Abs, 0, datatype_abs, "absolute value", x, x > 0 ? (wide)x : (wide)0 - (wide)x)
SIGNED_UNARY(op_Sign, Sign, MONO, datatype_sign, "-1, 0 or 1 by the sign of x", x != 0, (x > 0) - (x < 0))
UNARY(op_Reciprocal, Reciprocal, EACH_FLOAT, 0, NULL, "1 / x", 1 / x)
/* Functions that are NaN on one side do not count as monotone. */
UNARY(op_Sqrt, Sqrt, EACH_FLOAT, 0, NULL, "square root", sqrt(x))
UNARY(op_Exp, Exp, EACH_FLOAT, MONO, NULL, "e to the power x", exp(x))
UNARY(op_Log, Log, EACH_FLOAT, 0, NULL, "natural logarithm", log(x))
UNARY(op_Floor, Floor, EACH_FLOAT, MONO, datatype_rounded, "largest integer not above x", floor(x))
UNARY(op_Ceil, Ceil, EACH_FLOAT, MONO, datatype_rounded, "smallest integer not below x", ceil(x))
UNARY(op_Round, Round, EACH_FLOAT, MONO, datatype_rounded, "nearest integer, ties to even", rint(x))
UNARY(op_Erf, Erf, EACH_FLOAT, MONO, NULL, "error function", erf(x))
UNARY(op_Sin, Sin, EACH_FLOAT, 0, NULL, "sine", sin(x))
UNARY(op_Cos, Cos, EACH_FLOAT, 0, NULL, "cosine", cos(x))
UNARY(op_Tan, Tan, EACH_FLOAT, 0, NULL, "tangent", tan(x))
UNARY(op_Asin, Asin, EACH_FLOAT, 0, NULL, "arc sine", asin(x))
UNARY(op_Acos, Acos, EACH_FLOAT, 0, NULL, "arc cosine", acos(x))
UNARY(op_Atan, Atan, EACH_FLOAT, MONO, NULL, "arc tangent", atan(x))
UNARY(op_Sinh, Sinh, EACH_FLOAT, MONO, NULL, "hyperbolic sine", sinh(x))
UNARY(op_Cosh, Cosh, EACH_FLOAT, 0, NULL, "hyperbolic cosine", cosh(x))
UNARY(op_Tanh, Tanh, EACH_FLOAT, MONO, NULL, "hyperbolic tangent", tanh(x))
UNARY(op_Asinh, Asinh, EACH_FLOAT, MONO, NULL, "inverse hyperbolic sine", asinh(x))
UNARY(op_Acosh, Acosh, EACH_FLOAT, 0, NULL, "inverse hyperbolic cosine", acosh(x))
UNARY(op_Atanh, Atanh, EACH_FLOAT, 0, NULL, "inverse hyperbolic tangent", atanh(x))

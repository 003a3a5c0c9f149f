/* Activation functions, one row for each. Formulas as the ONNX operator specification defines them. */
#include "ops/unary.h"

#include <math.h>
#include <tgmath.h>
#include <string.h>

/* Integers below 0 become 0; formats that hold 0 and no negative number keep theirs. */
static struct datatype datatype_relu(const struct node *n, size_t i)
{
	int64_t lo, hi;
	struct datatype t = datatype_same(n, i);
	if (!value_int_range(node_input(n, 0), &lo, &hi))
		return t.kind == DT_FIXED || t.kind == DT_SCALEDINT ? t : datatype_of_kind(DT_NONE);
	return lo >= 0 ? t : datatype_within(n, i, 0, hi > 0 ? hi : 0);
}

#define MONO OP_MONOTONE
#define ALPHA(fallback) node_attr_float(n, "alpha", fallback)
#define BETA(fallback) node_attr_float(n, "beta", fallback)
/* Largest float32 values that ONNX gives for the constants of Selu. */
#define SELU_ALPHA 1.67326319217681884765625
#define SELU_GAMMA 1.05070102214813232421875

/* Sigmoids without overflow on either side; ln(1 + e^x) for large x too. */
SIGNED_UNARY(op_Relu, Relu, MONO, datatype_relu, "max(x, 0)", x, x < 0 ? 0 : x)
UNARY(op_Sigmoid, Sigmoid, EACH_FLOAT, MONO, NULL, "1 / (1 + e^-x)", x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)))
UNARY(op_Softplus, Softplus, EACH_FLOAT, MONO, NULL, "ln(1 + e^x)", fmax(x, (real)0) + log1p(exp(-fabs(x))))
UNARY(op_Softsign, Softsign, EACH_FLOAT, MONO, NULL, "x / (1 + |x|)", x / (1 + fabs(x)))
UNARY(op_HardSwish, HardSwish, EACH_FLOAT, 0, NULL, "x clamp(x / 6 + 1/2, 0, 1)",
      x *fmax((real)0, fmin((real)1, x / 6 + (real)0.5)))
UNARY(op_Mish, Mish, EACH_FLOAT, 0, NULL, "x tanh(ln(1 + e^x))", x *tanh(fmax(x, (real)0) + log1p(exp(-fabs(x)))))
ACTIVATION(op_LeakyRelu, LeakyRelu, 0, NULL, "x, or alpha x below 0", ALPHA(0.01f), 0, x < 0 ? alpha * x : x)
ACTIVATION(op_Elu, Elu, 0, NULL, "x, or alpha (e^x - 1) below 0", ALPHA(1), 0, x < 0 ? alpha * expm1(x) : x)
ACTIVATION(op_Selu, Selu, 0, NULL, "gamma x, or gamma alpha (e^x - 1) below 0", ALPHA(SELU_ALPHA),
	   node_attr_float(n, "gamma", SELU_GAMMA), beta *(x > 0 ? x : alpha * expm1(x)))
ACTIVATION(op_Celu, Celu, 0, NULL, "x, or alpha (e^(x / alpha) - 1) below 0", ALPHA(1), 0,
	   x < 0 ? alpha * expm1(x / alpha) : x)
ACTIVATION(op_HardSigmoid, HardSigmoid, 0, NULL, "clamp(alpha x + beta, 0, 1)", ALPHA(0.2f), BETA(0.5),
	   fmax((real)0, fmin((real)1, alpha *x + beta)))
ACTIVATION(op_ThresholdedRelu, ThresholdedRelu, 0, NULL, "x above alpha, else 0", ALPHA(1), 0, x > alpha ? x : 0)
ACTIVATION(op_Swish, Swish, 0, NULL, "x sigmoid(alpha x)", ALPHA(1), 0,
	   x *(alpha *x >= 0 ? 1 / (1 + exp(-(alpha * x))) : exp(alpha * x) / (1 + exp(alpha * x))))

LOOPS_AND_TEXT(EACH_SIGNED_NUMBER, UNARY_LOOP, shrink, x<(real) - (wide)beta ? x + alpha : x> beta ? x - alpha : 0)
LOOPS_AND_TEXT(EACH_UNSIGNED, UNARY_LOOP, shrink, x > beta ? x - alpha : 0)
static unary_loop *const shrink_loops[ELEM_COUNT] = { EACH_NUMBER(LOOP_ROW, shrink) };
UNARY_OP(op_Shrink, Shrink, shrink_loops, 0, NULL, node_attr_float(n, "bias", 0), node_attr_float(n, "lambd", 0.5),
	 "x towards 0 by bias; 0 within -lambd..lambd", shrink_EACH_SIGNED_NUMBER, shrink_EACH_SIGNED_NUMBER,
	 shrink_EACH_UNSIGNED)

EACH_FLOAT(UNARY_LOOP, gelu, x / 2 * (1 + erf(x * (real)0.70710678118654752440)))
EACH_FLOAT(UNARY_LOOP, gelu_tanh, x / 2 * (1 + tanh((real)0.7978845608028654 * (x + (real)0.044715 * x * x * x))))
static unary_loop *const gelu_loops[ELEM_COUNT] = { EACH_FLOAT(LOOP_ROW, gelu) };
static unary_loop *const gelu_tanh_loops[ELEM_COUNT] = { EACH_FLOAT(LOOP_ROW, gelu_tanh) };
static unary_loop *const *gelu_of(const struct node *n)
{
	bool by_tanh = strcmp(node_attr_string(n, "approximate", "none"), "tanh") == 0;
	return by_tanh ? gelu_tanh_loops : gelu_loops;
}
UNARY_OP(op_Gelu, Gelu, gelu_of(n), 0, NULL, 0, 0, "x times the normal distribution's value at x", NULL)

/* PRelu: the slope is a second operand that broadcasts against x. */
LOOPS_AND_TEXT(EACH_SIGNED_NUMBER, BINARY_LOOP, prelu, x < 0 ? (wide)x * (wide)y : (wide)x)
LOOPS_AND_TEXT(EACH_UNSIGNED, BINARY_LOOP, prelu, (void)y, x)
static binary_loop *const prelu_loops[ELEM_COUNT] = { EACH_NUMBER(LOOP_ROW, prelu) };

static int run_prelu(struct exec_ctx *x)
{
	return exec_binary(x, prelu_loops, ELEM_UNDEFINED);
}

const struct op op_PRelu = {
	.name = "PRelu",
	.domain = DOMAIN_ONNX,
	.summary = "x, or slope x below 0",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_ELEMENTWISE,
	.infer = infer_broadcast,
	.exec = run_prelu,
	.widens = true,
	.form = form_elements,
	.scalar = { SCALAR_OF_NUMBERS(prelu_EACH_SIGNED_NUMBER, prelu_EACH_SIGNED_NUMBER, prelu_EACH_UNSIGNED) },
};

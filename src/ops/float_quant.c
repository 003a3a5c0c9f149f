/* FloatQuant: rounds to the values of a small floating-point format under a scale.
 * Semantics: qonnx.custom_op.general.floatquant. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "ops/broadcast.h"
#include "ops/rounding.h"

struct float_format {
	double mantissa;       /* bits */
	double least_exponent; /* log2 of the smallest step */
	double max;	       /* largest magnitude */
	bool has_inf, has_nan, saturates;
	enum rounding rounding;
};

#define LOOPS "ops/float_quant_loops.h"
#include "ops/float_and_double.h"

/* Inputs: x, scale, exponent bits, mantissa bits, exponent bias, largest value. */
static int format_of(struct exec_ctx *x, struct float_format *f)
{
	double v[6];
	if (!exec_takes_scalars(x, 2))
		return -1;
	for (size_t i = 2; i < 6; i++)
		v[i] = tensor_at(x->in[i], 0);
	f->mantissa = v[3];
	f->least_exponent = 1 - v[4] - v[3];
	f->max = (2 - exp2(-v[3])) * exp2(exp2(v[2]) - 1 - v[4]);
	f->max = v[5] < f->max ? v[5] : f->max;
	f->has_inf = node_attr_int(x->node, "has_inf", 0) != 0;
	f->has_nan = node_attr_int(x->node, "has_nan", 0) != 0;
	f->saturates = node_attr_int(x->node, "saturation", 1) != 0;
	if (!f->saturates && !f->has_inf && !f->has_nan)
		return exec_unsupported(x, "no saturation, yet neither infinities nor NaN to overflow to");
	return node_rounding(x->node, "ROUND", &f->rounding, x->diags) ? 0 : -1;
}

static int kernel(struct exec_ctx *x)
{
	struct float_format f;
	struct real_operands o = { 0 };
	int status = format_of(x, &f) == 0 ? exec_real_begin(x, 2, &o) : -1;
	if (status == 0 && o.out->elem == ELEM_FLOAT)
		float_quant_run_float(&f, o.in, o.out);
	else if (status == 0)
		float_quant_run_double(&f, o.in, o.out);
	exec_real_end(&o);
	return status;
}

static int infer(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0), *scale = node_input(x->node, 1);
	int rank = -1;
	int64_t dims[MAX_RANK];
	if (in->rank >= 0 && scale->rank >= 0 &&
	    !broadcast_shapes(in->rank, in->dims, scale->rank, scale->dims, &rank, dims))
		return diag_node_error(x->diags, x->node, NULL, "the scale does not broadcast to the input");
	infer_output(x, 0, (enum elem_type)in->elem, rank, dims);
	return 0;
}

static bool whole(double x, double lo, double hi)
{
	return x >= lo && x <= hi && x == rint(x);
}

static struct datatype datatype(const struct node *n, size_t i)
{
	(void)i;
	double scale, exponent, mantissa, bias;
	if (!value_scalar(node_input(n, 1), &scale) || !value_scalar(node_input(n, 2), &exponent) ||
	    !value_scalar(node_input(n, 3), &mantissa) || !value_scalar(node_input(n, 4), &bias) || scale != 1 ||
	    !whole(exponent, 1, 31) || !whole(mantissa, 0, 63) || !whole(bias, -INT32_MAX, INT32_MAX))
		return datatype_of_kind(DT_NONE);
	return (struct datatype){ .kind = DT_FLOAT,
				  .bits = (uint8_t)(1 + exponent + mantissa),
				  .whole = (int8_t)exponent,
				  .mantissa = (uint8_t)mantissa,
				  .bias = (int32_t)bias };
}

const struct op op_FloatQuant = {
	.domain = DOMAIN_QONNX,
	.name = "FloatQuant",
	.summary = "Rounds to a small floating-point format under a scale",
	.min_inputs = 6,
	.max_inputs = 6,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_ELEMENTWISE | OP_QUANTISER,
	.infer = infer,
	.datatype = datatype,
	.exec = kernel,
	.widens = true,
};

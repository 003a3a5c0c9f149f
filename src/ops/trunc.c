/* Trunc: drops low bits of quantised values. Version 1 keeps scale and zero point; version 2 (six inputs) has
 * an output scale and clamps. Semantics: qonnx.custom_op.general.trunc, in the order of its operations. */
#include <math.h>

#include "ops/broadcast.h"
#include "ops/rounding.h"

struct trunc_mode {
	bool clamps; /* version 2 */
	bool is_signed, narrow;
	enum rounding rounding;
};

#define LOOPS "ops/trunc_loops.h"
#include "ops/float_and_double.h"

static int kernel(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0];
	struct trunc_mode m = { .clamps = x->n_in == 6,
				.is_signed = node_attr_int(x->node, "signed", 1) != 0,
				.narrow = node_attr_int(x->node, "narrow", 0) != 0 };
	if (!exec_takes_real(x) || !node_rounding(x->node, "FLOOR", &m.rounding, x->diags) || !exec_takes_scalars(x, 1))
		return -1;
	struct tensor *y = exec_output(x, 0, (enum elem_type)in->elem, in->rank, in->dims);
	if (!y)
		return -1;
	if (in->elem == ELEM_FLOAT) {
		struct trunc_values_float v;
		trunc_scalars_float(&m, x->in, &v);
		trunc_run_float(&m, &v, in->data, y->data, in->count);
	} else {
		struct trunc_values_double v;
		trunc_scalars_double(&m, x->in, &v);
		trunc_run_double(&m, &v, in->data, y->data, in->count);
	}
	return 0;
}

/* As Quant: integers of the output's width where the output scale is 1, else SCALEDINT. Version 1 does not
 * clamp, so that nothing holds for inputs outside the declared width. */
static struct datatype datatype(const struct node *n, size_t i)
{
	(void)i;
	double scale, zero, bits;
	if (n->n_inputs != 6 || !value_scalar(node_input(n, 4), &scale) || !value_scalar(node_input(n, 2), &zero) ||
	    !value_scalar(node_input(n, 5), &bits) || zero != 0 || bits < 2 || bits > 63 || bits != (int)bits)
		return datatype_of_kind(DT_NONE);
	if (scale != 1)
		return (struct datatype){ .kind = DT_SCALEDINT, .bits = (uint8_t)bits };
	return node_attr_int(n, "signed", 1) ? datatype_int((int)bits) : datatype_uint((int)bits);
}

const struct op op_Trunc = {
	.domain = DOMAIN_QONNX,
	.name = "Trunc",
	.summary = "Drops the low bits of quantised values",
	.min_inputs = 5,
	.max_inputs = 6,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_ELEMENTWISE | OP_QUANTISER,
	.infer = infer_same,
	.datatype = datatype,
	.exec = kernel,
	.widens = true,
};

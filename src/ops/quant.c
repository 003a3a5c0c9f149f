/* Quant (also called IntQuant): rounds to the integers of a bit width under a scale and zero point.
 * Semantics: qonnx.custom_op.general.intquant, in the order of its float32 operations. */
#include <stdlib.h>

#include "ops/broadcast.h"
#include "ops/ranges.h"
#include "ops/rounding.h"

struct quant_mode {
	bool is_signed, narrow;
	bool bipolar; /* one signed bit: -1 or +1 by the sign */
	enum rounding rounding;
};

#define LOOPS "ops/quant_loops.h"
#include "ops/float_and_double.h"

static int quant_mode_of(struct exec_ctx *x, struct quant_mode *m)
{
	m->is_signed = node_attr_int(x->node, "signed", 1) != 0;
	m->narrow = node_attr_int(x->node, "narrow", 0) != 0;
	m->bipolar = m->is_signed && tensor_all(x->in[3], 1);
	if (!node_rounding(x->node, "ROUND", &m->rounding, x->diags))
		return -1;
	for (int64_t i = 0; m->is_signed && !m->bipolar && i < x->in[3]->count; i++)
		if (tensor_at(x->in[3], i) == 1)
			return exec_unsupported(x, "some bit widths are 1 and others are not");
	return 0;
}

static int quant_kernel(struct exec_ctx *x)
{
	struct quant_mode m;
	struct real_operands o = { 0 };
	int status = quant_mode_of(x, &m) == 0 ? exec_real_begin(x, 4, &o) : -1;
	if (status == 0 && o.out->elem == ELEM_FLOAT)
		quant_run_float(&m, o.in, o.out);
	else if (status == 0)
		quant_run_double(&m, o.in, o.out);
	exec_real_end(&o);
	return status;
}

/* Integers where scale is 1 (shifted by an integer zero point); with any other scale and zero point 0
 * SCALEDINT, as qonnx has it; else nothing is known. */
static struct datatype quant_datatype(const struct node *n, size_t i)
{
	(void)i;
	const struct value *scale = node_input(n, 1), *zero = node_input(n, 2);
	struct datatype none = datatype_of_kind(DT_NONE);
	double bits;
	if (!value_is_constant(scale) || !value_is_constant(zero) || !value_scalar(node_input(n, 3), &bits) ||
	    !(bits >= 1 && bits <= 63) || bits != (int)bits)
		return none;
	if (!tensor_all(scale->constant, 1))
		return tensor_all(zero->constant, 0) ? (struct datatype){ .kind = DT_SCALEDINT, .bits = (uint8_t)bits }
						     : none;
	bool is_signed = node_attr_int(n, "signed", 1) != 0;
	if (tensor_all(zero->constant, 0)) {
		if (bits == 1)
			return datatype_of_kind(is_signed ? DT_BIPOLAR : DT_BINARY);
		return is_signed ? datatype_int((int)bits) : datatype_uint((int)bits);
	}
	double lo, hi, least, most;
	tensor_min_max(zero->constant, &least, &most);
	quant_bounds(is_signed, node_attr_int(n, "narrow", 0) != 0, bits, &lo, &hi);
	if (bits > 52 || !tensor_is_integral(zero->constant) || least < -0x1p52 || most > 0x1p52 ||
	    (bits == 1 && is_signed))
		return none;
	return datatype_for_range((int64_t)(lo - most), (int64_t)(hi - least));
}

const struct op op_Quant = {
	.domain = DOMAIN_QONNX,
	.name = "Quant",
	.summary = "Rounds to integers of a bit width under a scale and zero point (also IntQuant)",
	.min_inputs = 4,
	.max_inputs = 4,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_ELEMENTWISE | OP_QUANTISER,
	.infer = infer_broadcast,
	.datatype = quant_datatype,
	.exec = quant_kernel,
	.widens = true,
};

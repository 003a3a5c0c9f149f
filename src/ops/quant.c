/* Quant (also called IntQuant): rounds to the integers of a bit width under a scale and zero point.
 * Semantics: qonnx.custom_op.general.intquant, in the order of its float32 operations. */
#include <stdlib.h>

#include "ops/broadcast.h"
#include "ops/form.h"
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

/* ---- generated code ---- */

static const char *rounded(struct op_form *f, enum rounding mode, const char *v)
{
	switch (mode) {
	case ROUND_HALF_EVEN: return form_text(f, "rintf(%s)", v);
	case ROUND_CEIL: return form_text(f, "ceilf(%s)", v);
	case ROUND_FLOOR: return form_text(f, "floorf(%s)", v);
	case ROUND_UP: return form_text(f, "copysignf(ceilf(fabsf(%s)), %s)", v, v);
	case ROUND_DOWN: return form_text(f, "truncf(%s)", v);
	case ROUND_HALF_UP: return form_text(f, "copysignf(floorf(fabsf(%s) + 0.5f), %s)", v, v);
	case ROUND_HALF_DOWN: return form_text(f, "copysignf(ceilf(fabsf(%s) - 0.5f), %s)", v, v);
	}
	return NULL;
}

/* The places of the node's first three inputs that belong to element (i0, i1, ...) of the output. */
static bool places(struct op_form *f, const struct value *out, const char **at)
{
	for (size_t k = 0; k < 3; k++) {
		int64_t strides[MAX_RANK];
		if (!form_strides(node_input(f->node, k), out->rank, out->dims, strides))
			return false;
		at[k] = form_at(f, "i", out->rank, strides);
	}
	return true;
}

/* In float, and in the order of quant_loops.h. */
static int form_quant(struct op_form *f)
{
	const struct node *n = f->node;
	const struct value *out = n->outputs[0];
	double bits, lo, hi;
	enum rounding mode;
	int64_t strides[MAX_RANK];
	const char *at[3];
	bool is_signed = node_attr_int(n, "signed", 1) != 0;
	if (out->elem != ELEM_FLOAT || !value_scalar(node_input(n, 3), &bits) ||
	    !rounding_parse(node_attr_string(n, "rounding_mode", "ROUND"), &mode) || !places(f, out, at) ||
	    !form_strides(out, out->rank, out->dims, strides))
		return -1;
	quant_bounds(is_signed, node_attr_int(n, "narrow", 0) != 0, bits, &lo, &hi);
	int open = form_open(f, "i", out->rank, out->dims);
	form_line(f, "const float scale = (float)%s, zero = (float)%s;", f->load(f, 1, at[1]), f->load(f, 2, at[2]));
	form_line(f, "const float q = (float)%s / scale + zero;", f->load(f, 0, at[0]));
	const char *least = form_float(f, lo, false), *most = form_float(f, hi, false);
	if (is_signed && bits == 1) {
		form_line(f, "const float r = q >= 0 ? 1.0f : -1.0f;");
	} else {
		form_line(f, "const float c = q > %s ? %s : q < %s ? %s : q;", most, most, least, least);
		form_line(f, "const float r = %s;", rounded(f, mode, "c"));
	}
	form_store(f, 0, form_at(f, "i", out->rank, strides), "(r - zero) * scale");
	form_end(f, open);
	return 0;
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
	.form = form_quant,
	.widens = true,
};

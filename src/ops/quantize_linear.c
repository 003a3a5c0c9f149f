/* QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear, opsets 10 to 23. */
#include <math.h>

#include "ops/broadcast.h"
#include "ops/form.h"
#include "ops/linear.h"
#include "ops/ranges.h"
#include "util/integers.h"

static enum elem_type quantised_type(const struct node *n, enum elem_type zero)
{
	if (zero != ELEM_UNDEFINED)
		return zero;
	int64_t given = node_attr_int(n, "output_dtype", 0);
	return given > 0 && given < ELEM_COUNT ? (enum elem_type)given : ELEM_UINT8;
}

/* One stretch that shares scale and zero point. Rounded in the type of x, half to even; the sum with the zero point
 * is exact there. The result is still a float, saturated for integers. */
#define QUANTIZE_LOOP(elem, T, W, ...)                                                                      \
	static void quantize_##elem(const T *x, T *y, int64_t n, T scale, T zero, T lo, T hi, bool integer) \
	{                                                                                                   \
		for (int64_t i = 0; i < n; i++) {                                                           \
			T v = x[i] / scale;                                                                 \
			if (integer) {                                                                      \
				v = (T)rint((double)v) + zero;                                              \
				v = v < lo ? lo : v > hi ? hi : v == v ? v : 0;                             \
			}                                                                                   \
			y[i] = v;                                                                           \
		}                                                                                           \
	}
EACH_FLOAT(QUANTIZE_LOOP, unused)

static void quantize_all(const struct linear_map *m, const struct tensor *t, const struct tensor *scale,
			 const struct tensor *zero, enum elem_type to, struct tensor *y)
{
	bool integer = elem_is_integer(to);
	double lo = linear_saturate(-INFINITY, to), hi = linear_saturate(INFINITY, to);
	int64_t step = m->per_inner ? 1 : m->inner;
	for (int64_t at = 0; at < t->count; at += step) {
		int64_t i = at % m->inner, a = at / m->inner % m->axis, o = at / m->inner / m->axis;
		int64_t k = linear_index(m, o, a, i);
		double s = tensor_at(scale, k), z = zero && integer ? tensor_at(zero, k) : 0;
		if (t->elem == ELEM_FLOAT)
			quantize_ELEM_FLOAT((float *)t->data + at, (float *)y->data + at, step, (float)s, (float)z,
					    (float)lo, (float)hi, integer);
		else
			quantize_ELEM_DOUBLE((double *)t->data + at, (double *)y->data + at, step, s, z, lo, hi,
					     integer);
	}
}

/* Float to the quantised type. Small floats round, and saturate unless the attribute says otherwise. */
static struct tensor *narrowed(struct exec_ctx *x, const struct tensor *y, enum elem_type to)
{
	if (elem_is_integer(to))
		return tensor_try_cast(y, to);
	struct tensor *out = tensor_try_raw(to, y->rank, y->dims);
	for (int64_t i = 0; out && i < y->count; i++)
		tensor_put(out, i, tensor_at(y, i));
	(void)x;
	return out;
}

static int exec_quantize(struct exec_ctx *x)
{
	const struct tensor *scale = x->in[1], *zero = exec_input(x, 2);
	enum elem_type to = quantised_type(x->node, zero ? (enum elem_type)zero->elem : ELEM_UNDEFINED);
	enum elem_type in_type = x->in[0]->elem == ELEM_DOUBLE ? ELEM_DOUBLE : ELEM_FLOAT;
	struct linear_map m;
	if (zero && zero->count != scale->count)
		return exec_unsupported(x, "scale and zero point of different sizes");
	if (linear_map(x, x->in[0], scale, &m) != 0)
		return -1;
	struct tensor *t = tensor_try_cast(x->in[0], in_type);
	struct tensor *y = t ? tensor_try_raw(in_type, t->rank, t->dims) : NULL;
	if (y) {
		quantize_all(&m, t, scale, zero, to, y);
		x->out[0] = narrowed(x, y, to);
	}
	tensor_unref(t);
	tensor_unref(y);
	return x->out[0] ? 0 : exec_unsupported(x, "an input of that type or size");
}

static int infer_quantize(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0), *zero = node_input(x->node, 2);
	infer_output(x, 0, quantised_type(x->node, zero ? (enum elem_type)zero->elem : ELEM_UNDEFINED), in->rank,
		     in->dims);
	return 0;
}

static struct datatype datatype_stored(const struct node *n, size_t i)
{
	const struct value *out = node_output(n, i);
	enum elem_type elem = out ? (enum elem_type)out->elem : ELEM_UNDEFINED;
	if (!elem_is_integer(elem))
		return datatype_of_kind(DT_NONE);
	int bits = (int)elem_file_bits(elem);
	return elem_is_signed(elem) ? datatype_int(bits) : datatype_uint(bits);
}

/* ---- DequantizeLinear ---- */

static int exec_dequantize(struct exec_ctx *x)
{
	const struct tensor *t = x->in[0], *scale = x->in[1], *zero = exec_input(x, 2);
	int64_t given = node_attr_int(x->node, "output_dtype", 0);
	enum elem_type to = t->elem == ELEM_DOUBLE	      ? ELEM_DOUBLE
			    : given > 0 && given < ELEM_COUNT ? (enum elem_type)given
							      : (enum elem_type)scale->elem;
	struct linear_map m;
	if (zero && zero->count != scale->count)
		return exec_unsupported(x, "scale and zero point of different sizes");
	if (!elem_is_float(to) || linear_map(x, t, scale, &m) != 0)
		return exec_unsupported(x, "a scale of no floating-point type, or of no fitting shape");
	struct tensor *y = exec_output(x, 0, to, t->rank, t->dims);
	struct tensor *wide = tensor_try_cast(t, ELEM_DOUBLE);
	const double *from = wide ? wide->data : NULL;
	for (int64_t at = 0; y && wide && at < t->count;) {
		int64_t i = at % m.inner, a = at / m.inner % m.axis, o = at / m.inner / m.axis;
		int64_t k = linear_index(&m, o, a, i), step = m.per_inner ? 1 : m.inner;
		double s = tensor_at(scale, k), z = zero ? tensor_at(zero, k) : 0;
		for (int64_t end = at + step; at < end; at++) {
			if (to == ELEM_FLOAT) /* the difference is exact, the product one float operation */
				((float *)y->data)[at] = (float)(from[at] - z) * (float)s;
			else
				tensor_put(y, at, (from[at] - z) * s);
		}
	}
	tensor_unref(wide);
	return y && wide ? 0 : -1;
}

static int infer_dequantize(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0), *scale = node_input(x->node, 1);
	int64_t given = node_attr_int(x->node, "output_dtype", 0);
	infer_output(x, 0, given > 0 && given < ELEM_COUNT ? (enum elem_type)given : (enum elem_type)scale->elem,
		     in->rank, in->dims);
	return 0;
}

/* With scale 1 the integers come out as they are, less the zero point. */
static struct datatype datatype_dequantized(const struct node *n, size_t i)
{
	const struct value *scale = node_input(n, 1), *zero = node_input(n, 2);
	int64_t lo, hi, zlo = 0, zhi = 0;
	if (!value_is_constant(scale) || !tensor_all(scale->constant, 1) ||
	    !value_int_range(node_input(n, 0), &lo, &hi) || (zero && !value_int_range(zero, &zlo, &zhi)) ||
	    lo < -INT32_MAX || hi > INT32_MAX)
		return datatype_of_kind(DT_NONE);
	return datatype_within(n, i, lo - zhi, hi - zlo);
}

/* ---- DynamicQuantizeLinear: scale and zero point from the data, so that 0 stays 0 ---- */

static int exec_dynamic(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0];
	if (in->elem != ELEM_FLOAT)
		return exec_unsupported(x, "the input is not float");
	float lo = 0, hi = 0;
	for (int64_t i = 0; i < in->count; i++) {
		lo = fminf(lo, tensor_floats(in)[i]);
		hi = fmaxf(hi, tensor_floats(in)[i]);
	}
	float scale = hi == lo ? 1.0f : (hi - lo) / 255.0f;
	float zero = (float)linear_saturate((double)rintf(0 - lo / scale), ELEM_UINT8);
	struct tensor *y = exec_output(x, 0, ELEM_UINT8, in->rank, in->dims);
	struct tensor *s = exec_output(x, 1, ELEM_FLOAT, 0, NULL), *z = exec_output(x, 2, ELEM_UINT8, 0, NULL);
	if (!y || !s || !z)
		return -1;
	tensor_put(s, 0, (double)scale);
	tensor_put(z, 0, (double)zero);
	for (int64_t i = 0; i < in->count; i++)
		((uint8_t *)y->data)[i] =
			(uint8_t)linear_saturate((double)(rintf(tensor_floats(in)[i] / scale) + zero), ELEM_UINT8);
	return 0;
}

static int infer_dynamic(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	infer_output(x, 0, ELEM_UINT8, in->rank, in->dims);
	infer_output(x, 1, ELEM_FLOAT, 0, NULL);
	infer_output(x, 2, ELEM_UINT8, 0, NULL);
	return 0;
}

/* ---- generated code ---- */

/* Loops over the elements with their place `at` and that of their parameters, k. Returns how many; 0 where shapes do not fit. */
static int form_linear(struct op_form *f)
{
	const struct value *v = node_input(f->node, 0), *scale = node_input(f->node, 1);
	struct linear_map m;
	if (linear_map_of(f->node, v->rank, v->dims, scale->rank, scale->dims, &m))
		return 0;
	form_loop(f, "o", m.outer);
	form_loop(f, "a", m.axis);
	form_loop(f, "i", m.inner);
	form_line(f, "const int at = (o * %lld + a) * %lld + i;", LL(m.axis), LL(m.inner));
	if (!m.block)
		form_line(f, "const int k = 0;");
	else if (m.per_inner)
		form_line(f, "const int k = (o * %lld + a / %lld) * %lld + i;", LL(m.blocks), LL(m.block), LL(m.inner));
	else
		form_line(f, "const int k = a / %lld;", LL(m.block));
	form_line(f, "(void)k;");
	return 3;
}

static int form_quantize(struct op_form *f)
{
	const struct value *v = node_input(f->node, 0);
	enum elem_type to = (enum elem_type)f->node->outputs[0]->elem;
	const char *real = v->elem == ELEM_DOUBLE ? "double" : "float";
	int open = form_linear(f);
	if (!open)
		return -1;
	if (!elem_is_integer(to)) {
		const char *scaled =
			form_text(f, "((%s)%s / (%s)%s)", real, f->load(f, 0, "at"), real, f->load(f, 1, "k"));
		if (!form_narrow(f, to, "r", scaled, true))
			return -1;
		form_store(f, 0, "at", "(float)r");
		form_end(f, open);
		return 0;
	}
	const char *lo = form_float(f, linear_saturate(-INFINITY, to), v->elem == ELEM_DOUBLE);
	const char *hi = form_float(f, linear_saturate(INFINITY, to), v->elem == ELEM_DOUBLE);
	const char *zero = node_input(f->node, 2) ? form_text(f, "(%s)%s", real, f->load(f, 2, "k")) : "0";
	form_line(f, "const %s q = rint((%s)%s / (%s)%s) + %s;", real, real, f->load(f, 0, "at"), real,
		  f->load(f, 1, "k"), zero);
	form_store(f, 0, "at",
		   form_text(f, "(%s)(q < %s ? %s : q > %s ? %s : isnan(q) ? 0 : q)", form_ctype(to), lo, lo, hi, hi));
	form_end(f, open);
	return 0;
}

static int form_dequantize(struct op_form *f)
{
	enum elem_type to = (enum elem_type)f->node->outputs[0]->elem;
	int open = elem_is_float(to) ? form_linear(f) : 0;
	if (!open)
		return -1;
	const char *zero = node_input(f->node, 2) ? form_text(f, " - (double)%s", f->load(f, 2, "k")) : "";
	const char *type = to == ELEM_FLOAT ? "float" : "double";
	form_store(f, 0, "at",
		   form_text(f, "(%s)((%s)((double)%s%s) * (%s)%s)", form_ctype(to), type, f->load(f, 0, "at"), zero,
			     type, f->load(f, 1, "k")));
	form_end(f, open);
	return 0;
}

static int form_dynamic(struct op_form *f)
{
	const struct value *v = node_input(f->node, 0);
	int64_t count = dims_product(v->dims, 0, v->rank);
	const char *x = f->load(f, 0, "i");
	form_line(f, "float lo = 0, hi = 0;");
	form_loop(f, "i", count);
	form_line(f, "lo = fminf(lo, %s);", x);
	form_line(f, "hi = fmaxf(hi, %s);", x);
	form_end(f, 1);
	form_line(f, "const float scale = hi > lo ? (hi - lo) / 255.0f : 1.0f, z = rintf(0 - lo / scale);");
	form_line(f, "const float zero = z < 0 ? 0 : z > 255 ? 255 : z;");
	form_loop(f, "i", count);
	form_line(f, "const float q = rintf(%s / scale) + zero;", x);
	form_store(f, 0, "i", "(uint8_t)(q < 0 ? 0 : q > 255 ? 255 : q)");
	form_end(f, 1);
	form_store(f, 1, "0", "scale");
	form_store(f, 2, "0", "(uint8_t)zero");
	return 0;
}

const struct op op_QuantizeLinear = {
	.domain = DOMAIN_ONNX,
	.name = "QuantizeLinear",
	.summary = "Rounds to an integer (or small float) type under a scale and zero point",
	.min_inputs = 2,
	.max_inputs = 3,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_ELEMENTWISE | OP_QUANTISER,
	.infer = infer_quantize,
	.datatype = datatype_stored,
	.exec = exec_quantize,
	.form = form_quantize,
};

const struct op op_DequantizeLinear = {
	.domain = DOMAIN_ONNX,
	.name = "DequantizeLinear",
	.summary = "Turns quantised values back into real ones: (x - zero point) * scale",
	.min_inputs = 2,
	.max_inputs = 3,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_ELEMENTWISE,
	.infer = infer_dequantize,
	.datatype = datatype_dequantized,
	.exec = exec_dequantize,
	.form = form_dequantize,
};

const struct op op_DynamicQuantizeLinear = {
	.domain = DOMAIN_ONNX,
	.name = "DynamicQuantizeLinear",
	.summary = "Quantises to uint8 with scale and zero point taken from the data",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 3,
	.max_outputs = 3,
	.infer = infer_dynamic,
	.datatype = datatype_stored,
	.exec = exec_dynamic,
	.form = form_dynamic,
};

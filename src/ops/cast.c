/* Cast and CastLike among all storage types: integers wrap, floats truncate towards zero on their way to
 * integers, narrow floats round to nearest even and saturate as the attribute says. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/float_formats.h"
#include "ops/broadcast.h"
#include "ops/form.h"
#include "ops/ranges.h"
#include "util/integers.h"

/* How elements of one type are taken to another, in the wider of two forms: integer or double. */
struct casting {
	enum elem_type to;
	bool saturate;
	const char *round_mode; /* of float8e8m0: up, down, nearest */
};

static bool is_integral_type(enum elem_type elem)
{
	return elem_is_integer(elem) || elem == ELEM_BOOL;
}

/* x truncated, modulo 2^64; NaN and what is beyond give the lowest integer, as on x86. */
static int64_t truncated(double x)
{
	if (x > -0x1p63 - 1 && x < 0x1p63)
		return (int64_t)x;
	return x >= 0x1p63 && x < 0x1p64 ? (int64_t)(uint64_t)x : INT64_MIN;
}

/* Stores the low bits of x, as integers wrap. */
static void put_integer(struct tensor *t, int64_t i, int64_t x)
{
	uint64_t bits = (uint64_t)x;
	switch ((enum elem_type)t->elem) {
	case ELEM_UINT2: ((uint8_t *)t->data)[i] = (uint8_t)(bits & 3); break;
	case ELEM_UINT4: ((uint8_t *)t->data)[i] = (uint8_t)(bits & 15); break;
	case ELEM_INT2: ((int8_t *)t->data)[i] = (int8_t)((int8_t)(bits << 6) >> 6); break;
	case ELEM_INT4: ((int8_t *)t->data)[i] = (int8_t)((int8_t)(bits << 4) >> 4); break;
	case ELEM_BOOL: ((uint8_t *)t->data)[i] = x != 0; break;
	default:
		switch (elem_size(t->elem)) {
		case 1: ((uint8_t *)t->data)[i] = (uint8_t)bits; break;
		case 2: ((uint16_t *)t->data)[i] = (uint16_t)bits; break;
		case 4: ((uint32_t *)t->data)[i] = (uint32_t)bits; break;
		default: ((uint64_t *)t->data)[i] = bits;
		}
	}
}

/* The power of two (bias 127) that float8e8m0 has for x, by the rounding mode. Beyond the ends: the ends where
 * it saturates, else NaN (255). */
static uint8_t encode_e8m0(double x, const struct casting *c)
{
	int exponent;
	if (isnan(x) || (isinf(x) && !c->saturate))
		return 255;
	if (x == 0)
		return 0;
	if (isinf(x))
		return 254;
	double fraction = frexp(fabs(x), &exponent); /* in [1/2, 1): x = 2 fraction * 2^(exponent - 1) */
	bool up = strcmp(c->round_mode, "up") == 0 ? fraction > 0.5
						   : strcmp(c->round_mode, "nearest") == 0 && fraction >= 0.75;
	int code = exponent - 1 + up + 127;
	return code > 254 ? (c->saturate ? 254 : 255) : code < 0 ? 0 : (uint8_t)code;
}

static void put_real(struct tensor *t, int64_t i, double x, const struct casting *c)
{
	switch ((enum elem_type)t->elem) {
	case ELEM_FLOAT: ((float *)t->data)[i] = (float)x; break;
	case ELEM_DOUBLE: ((double *)t->data)[i] = x; break;
	case ELEM_BOOL: ((uint8_t *)t->data)[i] = x != 0; break;
	case ELEM_FLOAT16:
	case ELEM_BFLOAT16: ((uint16_t *)t->data)[i] = (uint16_t)float_encode(t->elem, x, c->saturate); break;
	case ELEM_FLOAT4E2M1: /* NaN, which the format lacks, becomes -0 as in ONNX's reference */
		((uint8_t *)t->data)[i] = isnan(x) ? 8 : (uint8_t)float_encode(t->elem, x, c->saturate);
		break;
	case ELEM_FLOAT8E8M0: ((uint8_t *)t->data)[i] = encode_e8m0(x, c); break;
	default:
		if (elem_is_integer(t->elem))
			put_integer(t, i, truncated(x));
		else
			((uint8_t *)t->data)[i] = (uint8_t)float_encode(t->elem, x, c->saturate);
	}
}

static struct tensor *cast_numbers(const struct tensor *in, const struct casting *c)
{
	struct tensor *out = tensor_try_raw(c->to, in->rank, in->dims);
	bool integers = is_integral_type(in->elem) && is_integral_type(c->to);
	for (int64_t i = 0; out && i < in->count; i++) {
		if (integers)
			put_integer(out, i, tensor_int_at(in, i));
		else
			put_real(out, i, tensor_at(in, i), c);
	}
	return out;
}

/* ---- strings ---- */

/* The shortest decimal that reads back as the same number of its type, in NumPy's form. */
static void print_real(char *text, size_t size, double x, bool single)
{
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, size, "%.*e", digits - 1, x);
		double back = strtod(text, NULL);
		if (single ? (float)back == (float)x : back == x) {
			int exponent = atoi(strchr(text, 'e') + 1);
			if (exponent >= -4 && exponent < 16)
				snprintf(text, size, "%.*f", digits - 1 > exponent ? digits - 1 - exponent : 1, x);
			return;
		}
	}
}

static char *number_text(const struct tensor *t, int64_t i)
{
	char text[64];
	double x = tensor_at(t, i);
	if (t->elem == ELEM_BOOL)
		return xstrdup(x != 0 ? "True" : "False");
	if (t->elem == ELEM_UINT64)
		snprintf(text, sizeof text, "%llu", (unsigned long long)((const uint64_t *)t->data)[i]);
	else if (elem_is_integer(t->elem))
		snprintf(text, sizeof text, "%lld", (long long)tensor_int_at(t, i));
	else if (isnan(x))
		snprintf(text, sizeof text, "nan");
	else if (isinf(x))
		snprintf(text, sizeof text, x < 0 ? "-inf" : "inf");
	else
		print_real(text, sizeof text, x, t->elem != ELEM_DOUBLE);
	return xstrdup(text);
}

static struct tensor *to_strings(const struct tensor *in)
{
	struct tensor *out = tensor_try_new(ELEM_STRING, in->rank, in->dims);
	for (int64_t i = 0; out && i < in->count; i++)
		((char **)out->data)[i] = number_text(in, i);
	return out;
}

static struct tensor *from_strings(const struct tensor *in, const struct casting *c)
{
	struct tensor *out = tensor_try_raw(c->to, in->rank, in->dims);
	for (int64_t i = 0; out && i < in->count; i++) {
		const char *text = tensor_string(in, i);
		text = text ? text : "";
		char *end;
		int64_t whole = strtoll(text, &end, 10);
		if (elem_is_integer(c->to) && !*end)
			put_integer(out, i, whole);
		else
			put_real(out, i, strtod(text, NULL), c);
	}
	return out;
}

/* ---- the operators ---- */

/* The types most often met, in loops that need no look at the type for each element. */
#define TO_FLOAT(elem, T, W, name) UNARY_MIXED_LOOP(elem, T, W, float, name, x)
#define TO_DOUBLE(elem, T, W, name) UNARY_MIXED_LOOP(elem, T, W, double, name, x)
EACH_NUMBER(TO_FLOAT, to_float)
EACH_NUMBER(TO_DOUBLE, to_double)
static unary_loop *const float_loops[ELEM_COUNT] = { EACH_NUMBER(LOOP_ROW, to_float) };
static unary_loop *const double_loops[ELEM_COUNT] = { EACH_NUMBER(LOOP_ROW, to_double) };

static int cast_to(struct exec_ctx *x, enum elem_type to)
{
	struct tensor *in = x->in[0];
	struct casting c = { to, node_attr_int(x->node, "saturate", 1) != 0,
			     node_attr_string(x->node, "round_mode", "up") };
	if (elem_size(to) == 0 || to == ELEM_COMPLEX64 || to == ELEM_COMPLEX128)
		return exec_unsupported(x, "a target type that is not known");
	if (to == in->elem)
		x->out[0] = tensor_ref(in);
	else if (to == ELEM_FLOAT && float_loops[in->elem])
		return exec_unary(x, float_loops, ELEM_FLOAT, 0, 0);
	else if (to == ELEM_DOUBLE && double_loops[in->elem])
		return exec_unary(x, double_loops, ELEM_DOUBLE, 0, 0);
	else if (to == ELEM_STRING)
		x->out[0] = to_strings(in);
	else if (in->elem == ELEM_STRING)
		x->out[0] = from_strings(in, &c);
	else
		x->out[0] = cast_numbers(in, &c);
	return x->out[0] ? 0 : exec_unsupported(x, "a result of that size");
}

static int exec_cast(struct exec_ctx *x)
{
	return cast_to(x, (enum elem_type)node_attr_int(x->node, "to", ELEM_UNDEFINED));
}

static int exec_cast_like(struct exec_ctx *x)
{
	return cast_to(x, x->in[1]->elem);
}

static int infer_cast(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0), *like = node_input(x->node, 1);
	int64_t to = like ? like->elem : node_attr_int(x->node, "to", ELEM_UNDEFINED);
	if (!like && (to <= 0 || to >= ELEM_COUNT))
		return diag_node_error(x->diags, x->node, "set attribute to", "its target type is not known");
	infer_output(x, 0, (enum elem_type)to, in->rank, in->dims);
	return 0;
}

/* Integers that the new storage holds stay what they are. */
static struct datatype datatype_cast(const struct node *n, size_t i)
{
	int64_t lo, hi;
	if (!value_int_range(node_input(n, 0), &lo, &hi))
		return datatype_of_kind(DT_NONE);
	struct datatype t = value_datatype(node_input(n, 0)), fit = datatype_within(n, i, lo, hi);
	return datatype_int_min(fit) <= lo && datatype_int_max(fit) >= hi ? t : fit;
}

/* ---- generated code, for what the plan has no layer: narrow floats, integers of 2 and 4 bits ---- */

/* x, a C expression of an int64_t, as the low bits of a narrow integer. */
static const char *low_bits(struct op_form *f, enum elem_type to, const char *x)
{
	int bits = (int)elem_file_bits(to);
	if (bits >= 8)
		return form_text(f, "(%s)(%s)", form_ctype(to), x);
	if (!elem_is_signed(to))
		return form_text(f, "(uint8_t)(%s & %d)", x, (1 << bits) - 1);
	return form_text(f, "(int8_t)((%s & %d) - (%s & %d) * 2)", x, (1 << bits) - 1, x, 1 << (bits - 1));
}

int form_cast(struct op_form *f)
{
	const struct value *v = node_input(f->node, 0);
	enum elem_type to = (enum elem_type)f->node->outputs[0]->elem;
	bool saturate = node_attr_int(f->node, "saturate", 1) != 0;
	const char *x = f->load(f, 0, "i"), *y = form_text(f, "(%s)%s", form_ctype(to), x);
	form_loop(f, "i", dims_product(v->dims, 0, v->rank));
	if (to == ELEM_BOOL)
		y = form_text(f, "(uint8_t)(%s != 0)", x);
	else if (elem_is_integer(to)) {
		form_line(f, form_is_real(v) ? "const double t = (double)%s;" : "const int64_t t = (int64_t)%s;", x);
		if (form_is_real(v))
			form_line(
				f,
				"const int64_t n = t > -0x1p63 && t < 0x1p63 ? (int64_t)t : t >= 0x1p63 && t < 0x1p64 ? "
				"(int64_t)(uint64_t)t : INT64_MIN;");
		y = low_bits(f, to, form_is_real(v) ? "n" : "t");
	} else if (form_narrow(f, to, "r", x, saturate)) {
		y = "(float)r";
	} else if (to != ELEM_FLOAT && to != ELEM_DOUBLE) {
		return -1;
	}
	form_store(f, 0, "i", y);
	form_end(f, 1);
	return 0;
}

const struct op op_Cast = {
	.name = "Cast",
	.domain = DOMAIN_ONNX,
	.summary = "elements converted to another storage type",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MONOTONE,
	.infer = infer_cast,
	.datatype = datatype_cast,
	.exec = exec_cast,
	.form = form_cast,
};

const struct op op_CastLike = {
	.name = "CastLike",
	.domain = DOMAIN_ONNX,
	.summary = "elements converted to another input's type",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MONOTONE,
	.infer = infer_cast,
	.datatype = datatype_cast,
	.exec = exec_cast_like,
	.form = form_cast,
};

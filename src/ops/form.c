/* What operators write their C with (see form.h). */
#include "ops/form.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "ir/float_formats.h"
#include "ops/move.h"
#include "util/integers.h"

/* ---- text ---- */

const char *form_text(struct op_form *f, const char *format, ...)
{
	struct strbuf b = { 0 };
	va_list args;
	va_start(args, format);
	strbuf_vprintf(&b, format, args);
	va_end(args);
	const char *s = arena_strdup(f->arena, strbuf_text(&b));
	strbuf_free(&b);
	return s;
}

void form_line(struct op_form *f, const char *format, ...)
{
	struct strbuf b = { 0 };
	va_list args;
	va_start(args, format);
	strbuf_vprintf(&b, format, args);
	va_end(args);
	if (b.length && b.text[0] == '}')
		f->indent--;
	for (int i = 0; i < f->indent; i++)
		strbuf_char(f->text, '\t');
	strbuf_puts(f->text, strbuf_text(&b));
	strbuf_char(f->text, '\n');
	if (b.length && b.text[b.length - 1] == '{')
		f->indent++;
	strbuf_free(&b);
}

void form_loop(struct op_form *f, const char *name, int64_t count)
{
	form_line(f, "for (int %s = 0; %s < %lld; %s++) {", name, name, LL(count), name);
}

void form_end(struct op_form *f, int blocks)
{
	for (int i = 0; i < blocks; i++)
		form_line(f, "}");
}

void form_store(struct op_form *f, size_t output, const char *index, const char *value)
{
	form_line(f, "%s", f->store(f, output, index, value));
}

const char *form_float(struct op_form *f, double x, bool is_double)
{
	if (isnan(x) || isinf(x))
		return isnan(x) ? "NAN" : x > 0 ? "INFINITY" : "-INFINITY";
	const char *text = form_text(f, is_double ? "%.17g" : "%.9g", x);
	return form_text(f, "%s%s%s", text, strpbrk(text, ".e") ? "" : ".0", is_double ? "" : "f");
}

/* ---- types ---- */

static const struct {
	const char *type, *wide;
} ctypes[ELEM_COUNT] = {
	[ELEM_FLOAT] = { "float", "float" },	    [ELEM_DOUBLE] = { "double", "double" },
	[ELEM_FLOAT16] = { "float", "float" },	    [ELEM_BFLOAT16] = { "float", "float" },
	[ELEM_INT8] = { "int8_t", "uint32_t" },	    [ELEM_INT16] = { "int16_t", "uint32_t" },
	[ELEM_INT32] = { "int32_t", "uint32_t" },   [ELEM_INT64] = { "int64_t", "uint64_t" },
	[ELEM_UINT8] = { "uint8_t", "uint32_t" },   [ELEM_UINT16] = { "uint16_t", "uint32_t" },
	[ELEM_UINT32] = { "uint32_t", "uint32_t" }, [ELEM_UINT64] = { "uint64_t", "uint64_t" },
	[ELEM_FLOAT8E4M3FN] = { "float", "float" }, [ELEM_FLOAT8E4M3FNUZ] = { "float", "float" },
	[ELEM_FLOAT8E5M2] = { "float", "float" },   [ELEM_FLOAT8E5M2FNUZ] = { "float", "float" },
	[ELEM_FLOAT4E2M1] = { "float", "float" },   [ELEM_FLOAT8E8M0] = { "float", "float" },
	[ELEM_BOOL] = { "uint8_t", "uint32_t" },    [ELEM_INT4] = { "int8_t", "uint32_t" },
	[ELEM_UINT4] = { "uint8_t", "uint32_t" },   [ELEM_INT2] = { "int8_t", "uint32_t" },
	[ELEM_UINT2] = { "uint8_t", "uint32_t" },
};

const char *form_ctype(enum elem_type elem)
{
	return ctypes[elem].type;
}

const char *form_wide(enum elem_type elem)
{
	return ctypes[elem].wide;
}

const char *form_type(struct op_form *f, size_t input)
{
	return form_ctype((enum elem_type)node_input(f->node, input)->elem);
}

bool form_is_real(const struct value *v)
{
	return elem_is_float((enum elem_type)v->elem);
}

const char *form_sum_type(const struct value *v)
{
	enum elem_type elem = (enum elem_type)v->elem;
	return elem_is_float(elem) ? "double" : elem != ELEM_BOOL && elem_is_signed(elem) ? "int64_t" : "uint64_t";
}

bool form_narrow(struct op_form *f, enum elem_type elem, const char *name, const char *v, bool saturate)
{
	struct float_figures x;
	if (!float_figures(elem, saturate, &x))
		return false;
	form_line(f, "const double v = (double)%s, size = fabs(v);", v);
	form_line(f, "const int e = size > 0 && isfinite(size) && ilogb(size) > %d ? ilogb(size) : %d;", x.least,
		  x.least);
	form_line(f, "double %s = isfinite(size) ? ldexp(rint(ldexp(size, %d - e)), e - %d) : size;", name, x.mantissa,
		  x.mantissa);
	form_line(f, "%s = copysign(%s > %s ? %s : %s, v);", name, name, form_float(f, x.most, true),
		  form_float(f, x.beyond, true), name);
	if (elem == ELEM_FLOAT4E2M1)
		form_line(f, "%s = isnan(v) ? -0.0 : %s;", name, name);
	if (!x.negative_zero)
		form_line(f, "%s = fabs(%s) > 0 || isnan(%s) ? %s : 0;", name, name, name, name);
	return true;
}

/* ---- indices ---- */

int form_open(struct op_form *f, const char *name, int rank, const int64_t *dims)
{
	for (int i = 0; i < rank; i++)
		form_loop(f, form_text(f, "%s%d", name, i), dims[i]);
	return rank;
}

const char *form_at(struct op_form *f, const char *name, int rank, const int64_t *strides)
{
	const char *at = "";
	for (int i = 0; i < rank; i++) {
		if (strides[i] == 0)
			continue;
		at = form_text(f, "%s%s%s%d", at, *at ? " + " : "", name, i);
		if (strides[i] != 1)
			at = form_text(f, "%s * %lld", at, LL(strides[i]));
	}
	return *at ? at : "0";
}

bool form_strides(const struct value *v, int rank, const int64_t *dims, int64_t *strides)
{
	int64_t step = 1;
	for (int i = rank - 1; i >= 0; i--) {
		int axis = i - (rank - v->rank);
		strides[i] = 0;
		if (axis < 0)
			continue;
		if (v->dims[axis] != 1 && v->dims[axis] != dims[i])
			return false;
		strides[i] = v->dims[axis] == 1 ? 0 : step;
		step *= v->dims[axis];
	}
	return v->rank <= rank;
}

/* ---- elements ---- */

const char *form_with_types(struct op_form *f, const char *expression, enum elem_type elem)
{
	struct strbuf b = { 0 };
	for (const char *s = expression; *s;) {
		size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
		if (n == 4 && !strncmp(s, "real", 4))
			strbuf_puts(&b, form_ctype(elem));
		else if (n == 4 && !strncmp(s, "wide", 4))
			strbuf_puts(&b, form_wide(elem));
		else
			strbuf_add(&b, s, n ? n : 1);
		s += n ? n : 1;
	}
	const char *text = arena_strdup(f->arena, strbuf_text(&b));
	strbuf_free(&b);
	return text;
}

/* Whether the expression has that word. */
static bool mentions(const char *expression, const char *word)
{
	size_t n = strlen(word);
	for (const char *s = strstr(expression, word); s; s = strstr(s + n, word))
		if ((s == expression || !isalnum((unsigned char)s[-1])) && !isalnum((unsigned char)s[n]))
			return true;
	return false;
}

static void constant_parameter(struct op_form *f, const char *expression, const char *name, double x)
{
	enum elem_type elem = (enum elem_type)node_input(f->node, 0)->elem;
	const char *type = form_ctype(elem);
	if (mentions(expression, name))
		form_line(f, "const %s %s = (%s)%s;", type, name, type, form_float(f, x, true));
}

int form_expression(struct op_form *f, const char *expression, double alpha, double beta)
{
	static const char *const names[] = { "x", "y", "z" };
	const struct node *n = f->node;
	const struct value *out = n->outputs[0];
	int64_t strides[MAX_RANK], own[MAX_RANK];
	if (!expression || n->n_inputs > 3)
		return -1;
	constant_parameter(f, expression, "alpha", alpha);
	constant_parameter(f, expression, "beta", beta);
	int open = form_open(f, "i", out->rank, out->dims);
	if (!open)
		form_line(f, "{"), open = 1;
	for (size_t i = 0; i < n->n_inputs; i++) {
		const struct value *v = node_input(n, i);
		if (!v || !form_strides(v, out->rank, out->dims, strides))
			return -1;
		form_line(f, "const %s %s = %s;", form_type(f, i), names[i],
			  f->load(f, i, form_at(f, "i", out->rank, strides)));
	}
	enum elem_type elem = (enum elem_type)node_input(n, n->n_inputs - 1)->elem;
	form_strides(out, out->rank, out->dims, own);
	form_store(
		f, 0, form_at(f, "i", out->rank, own),
		form_text(f, "(%s)(%s)", form_ctype((enum elem_type)out->elem), form_with_types(f, expression, elem)));
	form_end(f, open);
	return 0;
}

int form_elements(struct op_form *f)
{
	const struct op_scalar *s = &f->node->op->scalar;
	enum elem_type elem = (enum elem_type)node_input(f->node, 0)->elem;
	const char *of_integers = elem_is_signed(elem) ? s->of_signed : s->of_unsigned;
	return form_expression(f,
			       elem_is_float(elem) ? s->of_float
			       : elem == ELEM_BOOL ? s->of_bool
						   : of_integers,
			       s->alpha ? s->alpha(f->node) : 0, s->beta ? s->beta(f->node) : 0);
}

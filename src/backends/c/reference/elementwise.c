/* Reference kernels of layers that work element by element: thresholds, arithmetic, activations. */
#include "backends/c/reference/kernels.h"
#include "util/integers.h"

#include <math.h>
#include <string.h>

static const char *out_index(const struct loops *n)
{
	return n->depth > 1 ? "o" : "i0";
}

void ref_threshold(struct emit *e, const struct plan_layer *l)
{
	struct strbuf *b = e->code;
	struct loops n;
	const int64_t *strides[] = { l->stride_a };
	int indent;
	loops_make(&n, l->out, 1, strides);
	ref_open(e, l);
	loops_open(b, &n, 1);
	indent = 1 + n.depth;
	strbuf_printf(b, "%.*sconst %s sum = %s;\n", indent, "\t\t\t\t\t\t\t\t",
		      l->in[0]->real ? "float" : sum_ctype(l->in[0]->lo, l->in[0]->hi),
		      ref_value(e, l->in[0], arena_printf(e->arena, "x[%s]", loops_index(e, &n, 0))));
	const char *o = out_index(&n);
	const char *channel = l->inner == 1 ? arena_printf(e->arena, "%s %% %lld", o, LL(l->length))
			      : l->outer == 1
				      ? arena_printf(e->arena, "%s / %lld", o, LL(l->inner))
				      : arena_printf(e->arena, "%s / %lld %% %lld", o, LL(l->inner), LL(l->length));
	ref_store(e, l, indent, o, channel);
	loops_close(b, &n, 1);
	ref_close(e);
}

/* ---- two operands ---- */

/* The constants as an array of the computation's type, or a literal where there is one. */
const char *ref_constant(struct emit *e, const struct plan_layer *l, const char *index)
{
	size_t n = (size_t)l->operand_count;
	if (n == 1)
		return l->real ? float_text(e, l->operand[0])
			       : arena_printf(e->arena, "%lld", LL(saturated_int64(l->operand[0])));
	if (!l->real) {
		int64_t *ints = arena_array(e->arena, int64_t, n);
		for (size_t i = 0; i < n; i++)
			ints[i] = saturated_int64(l->operand[i]);
		return arena_printf(e->arena, "%s[%s]", emit_ints(e, ints, n, NULL, "%s_c", l->name), index);
	}
	float *reals = arena_array(e->arena, float, n);
	for (size_t i = 0; i < n; i++)
		reals[i] = (float)l->operand[i];
	return arena_printf(e->arena, "%s[%s]", emit_array(e, ARRAY_F32, reals, n, "%s_c", l->name), index);
}

/* A buffer's element in the computation's type. */
static const char *operand(struct emit *e, const struct plan_layer *l, size_t i, const char *index)
{
	const char *x = i == 0 ? "x" : "x1";
	bool wide = !l->real && l->out->elem == PLAN_I64;
	const char *cast = l->real && !l->in[i]->real ? "(float)" : wide ? "(int64_t)" : "";
	return arena_printf(e->arena, "%s%s", cast, ref_value(e, l->in[i], arena_printf(e->arena, "%s[%s]", x, index)));
}

static const char *combine(struct emit *e, const struct plan_layer *l, const char *a, const char *c)
{
	static const char sign[] = { [PLAN_ADD] = '+', [PLAN_SUB] = '-', [PLAN_MUL] = '*', [PLAN_DIV] = '/' };
	switch (l->function) {
	case PLAN_MAX: return arena_printf(e->arena, "%s > %s ? %s : %s", a, c, a, c);
	case PLAN_MIN: return arena_printf(e->arena, "%s < %s ? %s : %s", a, c, a, c);
	case PLAN_PRELU: return arena_printf(e->arena, "%s < 0.0f ? %s * %s : %s", a, a, c, a);
	case PLAN_POW: return arena_printf(e->arena, "powf(%s, %s)", a, c);
	case PLAN_ABS_DIFF: return arena_printf(e->arena, "%s > %s ? %s - %s : %s - %s", a, c, a, c, c, a);
	case PLAN_AT_LEAST: return arena_printf(e->arena, "%s >= %s", a, c);
	case PLAN_AT_MOST: return arena_printf(e->arena, "%s <= %s", a, c);
	default: return arena_printf(e->arena, "%s %c %s", a, sign[l->function], c);
	}
}

void ref_binary(struct emit *e, const struct plan_layer *l)
{
	struct strbuf *b = e->code;
	struct loops n;
	const int64_t *strides[] = { l->stride_a, l->stride_b };
	loops_make(&n, l->out, 2, strides);
	ref_open(e, l);
	const char *a = operand(e, l, 0, loops_index(e, &n, 0));
	const char *c =
		l->operand ? ref_constant(e, l, loops_index(e, &n, 1)) : operand(e, l, 1, loops_index(e, &n, 1));
	loops_open(b, &n, 1);
	const char *f = l->operand_first ? combine(e, l, c, a) : combine(e, l, a, c);
	if (!l->real)
		f = ref_element(e, l->out, f);
	strbuf_printf(b, "%.*sy[%s] = %s;\n", 1 + n.depth, "\t\t\t\t\t\t\t\t", out_index(&n), f);
	loops_close(b, &n, 1);
	ref_close(e);
}

/* ---- one operand ---- */

/* 2^k: an integer division that rounds down. */
static const char *shifted(struct emit *e, const struct plan_layer *l)
{
	long long by = 1LL << l->k;
	if (l->in[0]->lo >= 0)
		return arena_printf(e->arena, "v / %lld", by);
	return arena_printf(e->arena, "(v < 0 ? v - %lld : v) / %lld", by - 1, by);
}

/* v as an integer of l->bits bits. */
static const char *integer_text(struct emit *e, const struct plan_layer *l)
{
	const char *type = arena_printf(e->arena, "%sint%d_t", l->is_signed ? "" : "u", l->bits);
	if (l->function == PLAN_WRAP)
		return arena_printf(e->arena, "(%s)v", type);
	return arena_printf(e->arena,
			    "v >= -9223372036854775808.0f && v < 9223372036854775808.0f ? (%s)(int64_t)v : %s", type,
			    l->bits == 64 ? "INT64_MIN" : "0");
}

/* v with fewer bits of significand, through a function in the network's file. */
static const char *rounded_text(struct emit *e, const struct plan_layer *l)
{
	const char *text = arena_printf(
		e->arena,
		"\n/* v as the nearest number of so many bits from 2^least on, ties to even; infinite beyond `most`. */\n"
		"static inline float %s_rounded(float v, int bits, int least, float most)\n{\n\tint k = 0;\n"
		"\tif (!(fabsf(v) <= 3.40282347e+38f))\n\t\treturn v;\n\t(void)frexpf(v, &k);\n"
		"\tk = (k > least ? k : least) - bits;\n\tv = ldexpf(rintf(ldexpf(v, -k)), k);\n"
		"\treturn fabsf(v) > most ? copysignf(INFINITY, v) : v;\n}\n",
		e->name);
	if (!strstr(strbuf_text(&e->out->includes), text))
		strbuf_puts(&e->out->includes, text);
	bool half = l->function == PLAN_FLOAT16;
	return arena_printf(e->arena, "%s_rounded(v, %d, %d, %s)", e->name, half ? 11 : 8, half ? -13 : -125,
			    half ? "65504.0f" : "3.38953139e+38f");
}

/* Functions that are made of others, of a float v. */
static const char *activation_text(struct emit *e, const struct plan_layer *l)
{
	const char *alpha = float_text(e, l->alpha), *beta = float_text(e, l->beta);
	switch (l->function) {
	case PLAN_LEAKY_RELU: return arena_printf(e->arena, "v < 0.0f ? %s * v : v", alpha);
	case PLAN_THRESHOLDED_RELU: return arena_printf(e->arena, "v > %s ? v : 0.0f", alpha);
	case PLAN_ELU: return arena_printf(e->arena, "v < 0.0f ? %s * expm1f(v) : v", alpha);
	case PLAN_SELU: return arena_printf(e->arena, "%s * (v < 0.0f ? %s * expm1f(v) : v)", beta, alpha);
	case PLAN_CELU: return arena_printf(e->arena, "v < 0.0f ? %s * expm1f(v / %s) : v", alpha, alpha);
	case PLAN_HARD_SIGMOID: return arena_printf(e->arena, "fminf(fmaxf(%s * v + %s, 0.0f), 1.0f)", alpha, beta);
	case PLAN_HARD_SWISH: return "v * fminf(fmaxf(v / 6.0f + 0.5f, 0.0f), 1.0f)";
	case PLAN_SOFTPLUS: return "fmaxf(v, 0.0f) + log1pf(expf(-fabsf(v)))";
	case PLAN_SOFTSIGN: return "v / (1.0f + fabsf(v))";
	case PLAN_MISH: return "v * tanhf(fmaxf(v, 0.0f) + log1pf(expf(-fabsf(v))))";
	case PLAN_GELU: return "0.5f * v * (1.0f + erff(v * 0.707106781f))";
	case PLAN_GELU_TANH: return "0.5f * v * (1.0f + tanhf(0.797884561f * (v + 0.044715f * v * v * v)))";
	default: return "v";
	}
}

static const char *unary_text(struct emit *e, const struct plan_layer *l)
{
	const char *zero = l->real ? "0.0f" : "0";
	switch (l->function) {
	case PLAN_RELU: return arena_printf(e->arena, "v > %s ? v : %s", zero, zero);
	case PLAN_NEG: return "-v";
	case PLAN_HALVE: return "v / 2";
	case PLAN_SHIFT: return shifted(e, l);
	case PLAN_TRUNCATE:
	case PLAN_WRAP: return integer_text(e, l);
	case PLAN_NONZERO: return "v != 0";
	case PLAN_FLOAT16:
	case PLAN_BFLOAT16: return rounded_text(e, l);
	case PLAN_ABS: return arena_printf(e->arena, "v < %s ? -v : v", zero);
	case PLAN_SIGN: return l->real ? "v > 0.0f ? 1.0f : v < 0.0f ? -1.0f : 0.0f" : "(v > 0) - (v < 0)";
	case PLAN_RECIPROCAL: return "1.0f / v";
	case PLAN_SIGMOID: return "1.0f / (1.0f + expf(-v))";
	case PLAN_TANH: return "tanhf(v)";
	case PLAN_EXP: return "expf(v)";
	case PLAN_SQRT: return "sqrtf(v)";
	case PLAN_FLOOR: return l->real ? "floorf(v)" : "v";
	case PLAN_CEIL: return l->real ? "ceilf(v)" : "v";
	case PLAN_ROUND: return l->real ? "rintf(v)" : "v";
	case PLAN_ERF: return "erff(v)";
	case PLAN_LOG: return "logf(v)";
	default: return activation_text(e, l);
	}
}

void ref_unary(struct emit *e, const struct plan_layer *l)
{
	struct strbuf *b = e->code;
	struct loops n;
	const int64_t *strides[] = { l->stride_a };
	const char *type = l->real ? "float" : sum_ctype(l->in[0]->lo, l->in[0]->hi);
	const char *cast = l->real && !l->in[0]->real ? "(float)" : "";
	loops_make(&n, l->out, 1, strides);
	ref_open(e, l);
	loops_open(b, &n, 1);
	strbuf_printf(b, "%.*sconst %s v = %s%s;\n", 1 + n.depth, "\t\t\t\t\t\t\t\t", type, cast,
		      ref_value(e, l->in[0], arena_printf(e->arena, "x[%s]", loops_index(e, &n, 0))));
	strbuf_printf(b, "%.*sy[%s] = %s;\n", 1 + n.depth, "\t\t\t\t\t\t\t\t", out_index(&n),
		      ref_element(e, l->out, unary_text(e, l)));
	loops_close(b, &n, 1);
	ref_close(e);
}

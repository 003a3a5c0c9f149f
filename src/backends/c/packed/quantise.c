/* The input quantiser of the packed style: floats to codes, by a line and a rounding where thresholds are evenly
 * spaced, else by comparing. */
#include "backends/c/packed/packed.h"

#include <math.h>
#include <string.h>

#define P(...) strbuf_printf(e->code, __VA_ARGS__)

struct quantiser {
	bool affine, exact, even;
	const char *scale, *offset; /* C expressions, by channel c */
	double doubt;		    /* not exact: how far from a count the line may be wrong about it */
};

/* Thresholds between -infinity and +infinity, so that a guess can be mended at either end. */
static const char *fenced(struct emit *e, const struct plan_layer *l)
{
	const struct plan_activation *s = l->activation;
	float *t = arena_array(e->arena, float, s->channels *(s->count + 2));
	for (int64_t c = 0; c < s->channels; c++) {
		t[c * (s->count + 2)] = -INFINITY;
		memcpy(t + c * (s->count + 2) + 1, s->real + c * s->count, sizeof *t * (size_t)s->count);
		t[(c + 1) * (s->count + 2) - 1] = INFINITY;
	}
	return emit_array(e, ARRAY_F32, t, (size_t)(s->channels * (s->count + 2)), "%s_t", l->name);
}

/* Whether all channels have a line, and whether it is exact, with that rounding. */
static bool fit_all(const struct plan_activation *s, struct quantiser *q, bool even, float *scale, float *offset)
{
	q->even = even;
	q->exact = true;
	q->doubt = 0;
	for (int64_t c = 0; c < s->channels; c++) {
		bool exact = false;
		if (!affine_fit_real(s->real + c * s->count, s->count, even, &scale[c], &offset[c], &exact))
			return false;
		q->exact &= exact;
		q->doubt = fmax(q->doubt, affine_doubt(s->real + c * s->count, s->count, scale[c], offset[c]));
	}
	return true;
}

static void fit(struct emit *e, const struct plan_layer *l, struct quantiser *q)
{
	const struct plan_activation *s = l->activation;
	float *scale = arena_array(e->arena, float, s->channels), *offset = arena_array(e->arena, float, s->channels);
	if (s->count <= 4)
		return;
	q->affine = fit_all(s, q, true, scale, offset) && q->exact;
	if (!q->affine)
		q->affine = fit_all(s, q, false, scale, offset);
	if (!q->affine)
		return;
	if (s->channels == 1) {
		q->scale = float_text(e, (double)scale[0]);
		q->offset = float_text(e, (double)offset[0]);
		return;
	}
	q->scale =
		arena_printf(e->arena, "%s[c]", emit_array(e, ARRAY_F32, scale, (size_t)s->channels, "%s_m", l->name));
	q->offset =
		arena_printf(e->arena, "%s[c]", emit_array(e, ARRAY_F32, offset, (size_t)s->channels, "%s_a", l->name));
}

/* Statements that leave the count in n, from x's element v. */
static void count_real(struct emit *e, const struct plan_layer *l, const struct quantiser *q, const char *t)
{
	const struct plan_activation *s = l->activation;
	const char *row = s->channels > 1 ? "c * " : "0 * ";
	if (!q->affine) {
		P("\t\tint n = 0;\n");
		if (s->count > 8)
			P("\t\tfor (int k = 0; k < %lld; k++)\n\t\t\tn += v >= %s[%s%lld + k];\n", LL(s->count), t, row,
			  LL(s->count));
		for (int64_t k = 0; k < s->count && s->count <= 8; k++) {
			const char *limit =
				s->channels > 1 ? arena_printf(e->arena, "%s[c * %lld + %lld]", t, LL(s->count), LL(k))
						: float_text(e, (double)s->real[k]);
			P("\t\tn += v >= %s;\n", limit);
		}
		return;
	}
	P("\t\tfloat f = v * %s + %s;\n\t\tf = f > 0.0f ? f : 0.0f;\n\t\tf = f < %lld.0f ? f : %lld.0f;\n\t\tint n = %s;\n",
	  q->scale, q->offset, LL(s->count), LL(s->count), q->even ? "qcc_nearest(f)" : "(int)f");
	if (!q->exact)
		P("\t\tn += (v >= %s[%s%lld + n + 1]) - (v < %s[%s%lld + n]);\n", t, row, LL(s->count + 2), t, row,
		  LL(s->count + 2));
}

/* What the quantiser gives can come from the caller: NAME_run_codes. */
static void codes_entry(struct emit *e, const struct plan_layer *l, const char *codes)
{
	struct plan_buf *out = l->out;
	e->out->entry.suffix = "codes";
	e->out->entry.type = buf_ctype(out);
	e->out->entry.from = codes;
	strbuf_printf(
		&e->out->entry.header,
		"\n"
		"/* One sample as the input quantiser gives it%s: an element k stands for %lld + %lld * k, k = 0..%lld.\n"
		" * %s_INPUT0_CODES elements; 64 bytes beyond them must be readable. */\n#define %s_INPUT0_CODES %lld\n",
		out->channels_last ? ", channels last" : "", LL(out->holds_codes ? out->base : 0),
		LL(out->holds_codes ? out->step : 1), LL(out->holds_codes ? plan_levels(out) - 1 : out->hi),
		e->out->upper, e->out->upper, LL(out->count));
	out->role = PLAN_INPUT; /* the layers behind read in0 */
	out->index = 0;
}

/* How the loops go: out is outer x channels x inner or, stored channels last, outer x inner x channels; the operand's
 * order is the other one as a rule, so that loops go over the operand's runs. */
struct shape {
	bool image;
	int64_t outer, channels, inner;
	int64_t multiply, add; /* an element from the count */
	const char *value;     /* as C, from n */
};

static struct shape shape_of(struct emit *e, const struct plan_layer *l)
{
	const struct plan_activation *s = l->activation;
	const struct plan_buf *out = plan_root(l->out);
	struct shape h = { .image = l->out->channels_last && !l->in[0]->channels_last &&
				    l->out->dims[l->out->rank - 1] > 1 };
	h.multiply = out->holds_codes ? s->step / out->step : s->step;
	h.add = out->holds_codes ? (s->base - out->base) / out->step : s->base;
	h.channels = h.image ? l->out->dims[l->out->rank - 1] : l->length;
	h.inner = h.image ? l->out->count / h.channels : l->inner;
	h.outer = h.image ? 1 : l->outer;
	h.value =
		h.multiply == 1 && !h.add ? "n" : arena_printf(e->arena, "n * %lld + %lld", LL(h.multiply), LL(h.add));
	return h;
}

/* Statement that sets c, the row of the thresholds, at pixel i0 + i of channel o. Rows may also lie along the height or
 * the width of the image; the layer's own figures are those of the result, which has channels last. */
static void row_of_pixel(struct emit *e, const struct plan_layer *l, const struct shape *h)
{
	if (l->activation->channels == 1)
		return;
	if (l->inner == 1)
		P("\t\tconst int c = o;\n");
	else
		P("\t\tconst int c = (i0 + i) / %lld %% %lld;\n", LL(l->inner / h->channels), LL(l->length));
}

/* Counted in runs, which makes vectors, then spread. */
static void spread_runs(struct emit *e, const struct plan_layer *l, const struct shape *h, const struct quantiser *q,
			const char *t)
{
	const char *type = buf_ctype(l->out);
	e->stack += 256 * plan_elem_size(l->out->elem);
	P("\tfor (int o = 0; o < %lld; o++)\n\tfor (int i0 = 0; i0 < %lld; i0 += 256) {\n", LL(h->channels),
	  LL(h->inner));
	P("\t\tconst int run = i0 + 256 < %lld ? 256 : %lld - i0;\n\t\t%s row[256];\n\t\tfor (int i = 0; i < run; i++) {\n",
	  LL(h->inner), LL(h->inner), type);
	row_of_pixel(e, l, h);
	P("\t\tconst float v = x[o * %lld + i0 + i];\n", LL(h->inner));
	count_real(e, l, q, t);
	P("\t\trow[i] = (%s)(%s);\n\t\t}\n\t\tfor (int i = 0; i < run; i++)\n\t\t\ty[(i0 + i) * %lld + o] = row[i];\n\t}\n",
	  type, h->value, LL(h->channels));
}

/* A lane a channel; a look at the thresholds where the line says a lane is close to one. */
static bool by_lanes(const struct shape *h, const struct plan_layer *l, const struct quantiser *q)
{
	return q->affine && !q->exact && q->doubt < 0.25 && l->activation->channels > 1 && h->inner == 1 &&
	       h->channels % 16 == 0 && l->out->elem == PLAN_U8 && h->multiply == 1 && !h->add;
}

static void lanes(struct emit *e, const struct plan_layer *l, const struct shape *h, const struct quantiser *q,
		  const char *t)
{
	int64_t row = l->activation->count + 2;
	P("\tfor (int i = 0; i < %lld; i += QCC_LANES32) {\n\t\tconst int c = i %% %lld;\n", LL(h->outer * h->channels),
	  LL(h->channels));
	P("\t\tqcc_store32(y + i, qcc_quantise(x + i, &%s, &%s, %lld.0f, %s, %s + c * %lld, %lld));\n\t}\n", q->scale,
	  q->offset, LL(l->activation->count), float_text(e, q->doubt), t, LL(row), LL(row));
}

static void plain_loops(struct emit *e, const struct plan_layer *l, const struct shape *h, const struct quantiser *q,
			const char *t)
{
	bool single = l->activation->channels == 1;
	const char *block = h->outer > 1 ? arena_printf(e->arena, "b * %lld + ", LL(h->channels * h->inner)) : "";
	const char *at = arena_printf(e->arena, single || h->inner > 1 ? "%s%s" : "%sc", block,
				      single ? "i" : arena_printf(e->arena, "c * %lld + i", LL(h->inner)));
	if (h->outer > 1)
		P("\tfor (int b = 0; b < %lld; b++)\n", LL(h->outer));
	if (!single)
		P("\tfor (int c = 0; c < %lld; c++)%s\n", LL(h->channels), h->inner > 1 ? "" : " {");
	if (single || h->inner > 1)
		P("\tfor (int i = 0; i < %lld; i++) {\n", LL(single ? h->channels * h->inner : h->inner));
	P("\t\tconst float v = x[%s];\n", at);
	count_real(e, l, q, t);
	P("\t\ty[%s] = (%s)(%s);\n\t}\n", at, buf_ctype(l->out), h->value);
}

/* The thresholds, where the code reads them. */
static const char *table(struct emit *e, const struct plan_layer *l, const struct quantiser *q)
{
	const struct plan_activation *s = l->activation;
	if (q->affine)
		return q->exact ? NULL : fenced(e, l);
	return s->channels > 1 || s->count > 8
		       ? emit_array(e, ARRAY_F32, s->real, (size_t)(s->channels * s->count), "%s_t", l->name)
		       : NULL;
}

void packed_quantise(struct emit *e, struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	struct quantiser q = { 0 };
	struct shape h = shape_of(e, l);
	fit(e, l, &q);
	const char *t = table(e, l, &q);
	P("\n/* %s%s */\n", layer_comment(e, l), q.affine ? ", evenly spaced" : "");
	P("static void %s(const float *restrict x, %s *restrict y)\n{\n", layer_function(e, l), buf_ctype(l->out));
	if (h.image)
		spread_runs(e, l, &h, &q, t);
	else if (by_lanes(&h, l, &q))
		lanes(e, l, &h, &q, t);
	else
		plain_loops(e, l, &h, &q, t);
	P("}\n");
	e->stack += 128; /* a loop that compilers turn into vectors */
	bool entry = packed_is_entry(e, l) && plan_root(l->out) == l->out && l->out->role == PLAN_INNER;
	struct calls *c = entry ? &e->out->entry.before : &e->run;
	const char *codes = buf_pointer(e, c, l->out, buf_ctype(l->out));
	strbuf_printf(&c->text, "\t%s(%s, %s);\n", layer_function(e, l), buf_pointer(e, c, l->in[0], "const float"),
		      codes);
	if (entry)
		codes_entry(e, l, codes);
}

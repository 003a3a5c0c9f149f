/* Kernels of the packed style that are plain loops over channels, which compilers turn into vectors themselves:
 * depthwise convolution, max pool, the input quantiser; and bringing an operand into the order kernels want. */
#include "backends/c/packed.h"

#include <math.h>
#include <string.h>

#define LL(x) ((long long)(x))
#define P(...) strbuf_printf(&e->code, __VA_ARGS__)

/* ---- the operand ---- */

/* "x[i]" as a code. */
static const char *code_of(struct emit *e, const struct plan_buf *b, const char *x)
{
	const struct plan_buf *root = plan_root((struct plan_buf *)b);
	if (root->coded)
		return x;
	return arena_printf(&e->arena, "(uint8_t)((%s - (%lld)) / %lld)", x, LL(root->base), LL(root->step));
}

static void arrange(struct emit *e, struct packed_layer *p, const char *name)
{
	const struct plan_layer *l = p->layer;
	const struct plan_window *w = &l->window;
	P("\nstatic void %s(const %s *restrict x, uint8_t *restrict image)\n{\n", name, buf_ctype(l->in[0]));
	if (w->padded)
		P("\tmemset(image, %lld, %lld);\n", LL(p->zero), LL(p->image_h * p->image_w * w->ic));
	P("\tfor (int r = 0; r < %lld; r++)\n", LL(w->ih));
	if (w->in_last && plan_root(l->in[0])->coded) {
		P("\t\tmemcpy(image + ((r + %lld) * %lld + %lld) * %lld, x + r * %lld, %lld);\n}\n", LL(w->pad_top), LL(p->image_w), LL(w->pad_left),
		  LL(w->ic), LL(w->iw * w->ic), LL(w->iw * w->ic));
		return;
	}
	const char *from = w->in_last ? arena_printf(&e->arena, "x[(r * %lld + c) * %lld + i]", LL(w->iw), LL(w->ic)) :
			   arena_printf(&e->arena, "x[(i * %lld + r) * %lld + c]", LL(w->ih), LL(w->iw));
	P("\t\tfor (int c = 0; c < %lld; c++)\n\t\t\tfor (int i = 0; i < %lld; i++)\n\t\t\t\timage[((r + %lld) * %lld + c + %lld) * %lld + i] = %s;\n}\n",
	  LL(w->iw), LL(w->ic), LL(w->pad_top), LL(p->image_w), LL(w->pad_left), LL(w->ic), code_of(e, l->in[0], from));
}

const char *packed_operand(struct emit *e, struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	const char *x = buf_pointer(e, l->in[0], arena_printf(&e->arena, "const %s", buf_ctype(l->in[0])));
	if (!p->image)
		return x;
	const char *name = arena_printf(&e->arena, "%s_image", layer_function(e, l));
	const char *image = buf_pointer(e, p->image, "uint8_t");
	arrange(e, p, name);
	strbuf_printf(&e->run, "\t%s(%s, %s);\n", name, x, image);
	return image;
}

/* ---- depthwise ---- */

enum { GROUP = 16 };

static int64_t groups_of(const struct plan_layer *l)
{
	return (l->window.oc + GROUP - 1) / GROUP;
}

/* [tap][channel], channels up to a multiple of 16. */
static const char *depthwise_weights(struct emit *e, const struct plan_layer *l)
{
	const struct plan_window *w = &l->window;
	int64_t taps = w->kh * w->kw, row = groups_of(l) * GROUP;
	int16_t *to = arena_array(&e->arena, int16_t, taps * row);
	for (int64_t o = 0; o < w->oc; o++)
		for (int64_t t = 0; t < taps; t++)
			to[t * row + o] = (int16_t)l->weights[o * taps + t];
	return emit_array(e, ARRAY_I16, to, (size_t)(taps * row), "%s_w", l->name);
}

/* Sixteen sums in sum[] to sixteen counts in row[]. */
static void depthwise_count(struct emit *e, const struct plan_layer *l, const struct packed_stage *s)
{
	const char *offset, *t = packed_constants(e, l, s, &offset);
	P("\t\tfor (int v = 0; v < QCC_SPLIT; v++) {\n\t\t\tconst int at = v * QCC_LANES32;\n\t\t\tconst qcc_i32 d = qcc_load32(sum + at);\n");
	if (s->affine) {
		P("\t\t\tqcc_store32(row + o + at, %s(d, %s + o + at, %s + o + at, %lld.0f));\n\t\t}\n",
		  s->even ? "qcc_affine_even" : "qcc_affine", t, offset, LL(s->count));
		return;
	}
	P("\t\t\tqcc_i32 n = { 0 };\n\t\t\tfor (int k = 0; k < %lld; k++)\n\t\t\t\tn = qcc_reach32(n, d, %s + (o / 16 * %lld + k) * 16 + at);\n"
	  "\t\t\tqcc_store32(row + o + at, n);\n\t\t}\n", LL(s->count), t, LL(s->count));
}

static void depthwise_sums(struct emit *e, const struct packed_layer *p, bool narrow)
{
	const struct plan_window *w = &p->layer->window;
	const char *weights = depthwise_weights(e, p->layer);
	int64_t row = groups_of(p->layer) * GROUP;
	P(narrow ? "\t\tqcc_i16x16 s = { 0 };\n\t\tint32_t sum[16];\n" : "\t\tint32_t sum[16] = { 0 };\n");
	for (int64_t t = 0; t < w->kh * w->kw; t++) {
		int64_t at = (t / w->kw * w->dilation_h * p->image_w + t % w->kw * w->dilation_w) * w->ic;
		P(narrow ? "\t\tqcc_add16(&s, b + %lld + o, %s + %lld + o);\n" : "\t\tqcc_dot16(sum, b + %lld + o, %s + %lld + o);\n",
		  LL(at), weights, LL(t * row));
	}
	if (narrow)
		P("\t\tqcc_widen16(sum, &s);\n");
}

void packed_depthwise(struct emit *e, struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	const struct plan_window *w = &l->window;
	const char *x = packed_operand(e, p);
	/* sums of codes that fit 16 bits are summed there: twice the lanes */
	int64_t most = plan_levels(plan_root(l->in[0])) * w->kh * w->kw * (l->weight_hi > -l->weight_lo ? l->weight_hi : -l->weight_lo);
	struct packed_stage *s = l->stage ? packed_stage(e, l, NULL) : NULL;
	P("\n/* %s: %s. Depthwise, codes */\n", node_label(l->node), layer_comment(e, l));
	P("static void %s(const uint8_t *restrict x, %s *restrict y)\n{\n", layer_function(e, l), buf_ctype(l->out));
	P("\tfor (int p = 0; p < %lld; p++)\n\tfor (int q = 0; q < %lld; q++) {\n", LL(w->oh), LL(w->ow));
	P("\t\tconst uint8_t *b = x + (p * %lld * %lld + q * %lld) * %lld;\n\t\t%s row[%lld];\n", LL(w->stride_h), LL(p->image_w), LL(w->stride_w),
	  LL(w->ic), s ? "uint8_t" : "int32_t", LL(groups_of(l) * GROUP));
	P("\t\tfor (int o = 0; o < %lld; o += 16) {\n", LL(w->oc));
	depthwise_sums(e, p, most < INT16_MAX);
	if (s)
		depthwise_count(e, l, s);
	else
		P("\t\tmemcpy(row + o, sum, sizeof sum);\n");
	P("\t\t}\n");
	packed_finish(e, l, NULL, 2, arena_printf(&e->arena, "(p * %lld + q) * %lld", LL(w->ow), LL(w->oc)));
	P("\t}\n}\n");
	packed_call(e, p, x);
}

/* ---- max pool over codes, channels last ---- */

void packed_maxpool(struct emit *e, struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	const struct plan_window *w = &l->window;
	P("\n/* %s: %s */\nstatic void %s(const uint8_t *restrict x, uint8_t *restrict y)\n{\n", node_label(l->node), layer_comment(e, l),
	  layer_function(e, l));
	P("\tfor (int p = 0; p < %lld; p++)\n\tfor (int q = 0; q < %lld; q++) {\n", LL(w->oh), LL(w->ow));
	P("\t\tconst uint8_t *b = x + (p * %lld * %lld + q * %lld) * %lld;\n\t\tuint8_t *z = y + (p * %lld + q) * %lld;\n", LL(w->stride_h), LL(w->iw),
	  LL(w->stride_w), LL(w->ic), LL(w->ow), LL(w->oc));
	P("\t\tfor (int o = 0; o < %lld; o++) {\n\t\t\tuint8_t m = b[o];\n", LL(w->oc));
	for (int64_t t = 1; t < w->kh * w->kw; t++) {
		int64_t at = (t / w->kw * w->dilation_h * w->iw + t % w->kw * w->dilation_w) * w->ic;
		P("\t\t\tm = b[%lld + o] > m ? b[%lld + o] : m;\n", LL(at), LL(at));
	}
	P("\t\t\tz[o] = m;\n\t\t}\n\t}\n}\n");
	packed_call(e, p, buf_pointer(e, l->in[0], "const uint8_t"));
}

/* ---- the input quantiser ---- */

struct quantiser {
	bool affine, exact, even;
	const char *scale, *offset, *table;	/* C expressions, by channel c */
};

/* Thresholds between -infinity and +infinity, so that a guess can be mended at either end. */
static const char *fenced(struct emit *e, const struct plan_layer *l)
{
	const struct plan_stage *s = l->stage;
	float *t = arena_array(&e->arena, float, s->channels * (s->count + 2));
	for (int64_t c = 0; c < s->channels; c++) {
		t[c * (s->count + 2)] = -INFINITY;
		memcpy(t + c * (s->count + 2) + 1, s->real + c * s->count, sizeof *t * (size_t)s->count);
		t[(c + 1) * (s->count + 2) - 1] = INFINITY;
	}
	return emit_array(e, ARRAY_F32, t, (size_t)(s->channels * (s->count + 2)), "%s_t", l->name);
}

/* Whether all channels have a line, and whether it is exact, with that rounding. */
static bool fit_all(const struct plan_stage *s, struct quantiser *q, bool even, float *scale, float *offset)
{
	q->even = even;
	q->exact = true;
	for (int64_t c = 0; c < s->channels; c++) {
		bool exact = false;
		if (!affine_fit_real(s->real + c * s->count, s->count, even, &scale[c], &offset[c], &exact))
			return false;
		q->exact &= exact;
	}
	return true;
}

static void fit(struct emit *e, const struct plan_layer *l, struct quantiser *q)
{
	const struct plan_stage *s = l->stage;
	float *scale = arena_array(&e->arena, float, s->channels), *offset = arena_array(&e->arena, float, s->channels);
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
	q->scale = arena_printf(&e->arena, "%s[c]", emit_array(e, ARRAY_F32, scale, (size_t)s->channels, "%s_m", l->name));
	q->offset = arena_printf(&e->arena, "%s[c]", emit_array(e, ARRAY_F32, offset, (size_t)s->channels, "%s_a", l->name));
}

/* Statements that leave the count in n, from x's element v. */
static void count_real(struct emit *e, const struct plan_layer *l, const struct quantiser *q, const char *t)
{
	const struct plan_stage *s = l->stage;
	const char *row = s->channels > 1 ? "c * " : "0 * ";
	if (!q->affine) {
		P("\t\tint n = 0;\n");
		if (s->count > 8)
			P("\t\tfor (int k = 0; k < %lld; k++)\n\t\t\tn += v >= %s[%s%lld + k];\n", LL(s->count), t, row, LL(s->count));
		for (int64_t k = 0; k < s->count && s->count <= 8; k++) {
			const char *limit = s->channels > 1 ? arena_printf(&e->arena, "%s[c * %lld + %lld]", t, LL(s->count), LL(k)) :
					    float_text(e, (double)s->real[k]);
			P("\t\tn += v >= %s;\n", limit);
		}
		return;
	}
	P("\t\tfloat f = v * %s + %s;\n\t\tf = f > 0.0f ? f : 0.0f;\n\t\tf = f < %lld.0f ? f : %lld.0f;\n\t\tint n = %s;\n",
	  q->scale, q->offset, LL(s->count), LL(s->count), q->even ? "qcc_nearest(f)" : "(int)f");
	if (!q->exact)
		P("\t\tn += (v >= %s[%s%lld + n + 1]) - (v < %s[%s%lld + n]);\n", t, row, LL(s->count + 2), t, row, LL(s->count + 2));
}

/* What the quantiser gives can come from the caller: NAME_run_codes. */
static void codes_entry(struct emit *e, const struct plan_layer *l, const char *call)
{
	struct plan_buf *out = l->out;
	e->entry_suffix = "codes";
	e->entry_type = buf_ctype(out);
	e->entry_from = buf_pointer(e, out, e->entry_type);
	strbuf_puts(&e->prologue, call);
	strbuf_printf(&e->extra_header, "\n/* One sample as the input quantiser gives it%s: an element k stands for %lld + %lld * k, k = 0..%lld.\n"
		      " * %s_INPUT0_CODES elements; 64 bytes beyond them must be readable. */\n#define %s_INPUT0_CODES %lld\n",
		      out->channels_last ? ", channels last" : "", LL(out->coded ? out->base : 0), LL(out->coded ? out->step : 1),
		      LL(out->coded ? plan_levels(out) - 1 : out->hi), e->upper, e->upper, LL(out->count));
	out->role = PLAN_INPUT;	/* the layers behind read in0 */
	out->index = 0;
}

void packed_quantise(struct emit *e, struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	const struct plan_stage *s = l->stage;
	const struct plan_buf *out = plan_root(l->out);
	struct quantiser q = { 0 };
	const char *t = NULL;
	fit(e, l, &q);
	if (q.affine && !q.exact)
		t = fenced(e, l);
	else if (!q.affine && (s->channels > 1 || s->count > 8))
		t = emit_array(e, ARRAY_F32, s->real, (size_t)(s->channels * s->count), "%s_t", l->name);
	P("\n/* %s: %s%s */\n", node_label(l->node), layer_comment(e, l), q.affine ? ", evenly spaced" : "");
	P("static void %s(const float *restrict x, %s *restrict y)\n{\n", layer_function(e, l), buf_ctype(l->out));
	/* out is outer x channels x inner or, where it is stored channels last, outer x inner x channels: the operand's
	 * order is the other one as a rule, so that loops go over the operand's runs */
	int64_t multiply = out->coded ? s->step / out->step : s->step, add = out->coded ? (s->base - out->base) / out->step : s->base;
	bool image = l->out->channels_last && !l->in[0]->channels_last;
	int64_t channels = image ? l->out->dims[l->out->rank - 1] : l->length, inner = image ? l->out->count / channels : l->inner;
	int64_t outer = image ? 1 : l->outer;
	const char *value = multiply == 1 && !add ? "n" : arena_printf(&e->arena, "n * %lld + %lld", LL(multiply), LL(add));
	const char *block = outer > 1 ? arena_printf(&e->arena, "b * %lld + ", LL(channels * inner)) : "";
	if (outer > 1)
		P("\tfor (int b = 0; b < %lld; b++)\n", LL(outer));
	if (image && channels > 1) {	/* counted in runs, which makes vectors, then spread */
		P("\tfor (int c = 0; c < %lld; c++)\n\tfor (int i0 = 0; i0 < %lld; i0 += 256) {\n", LL(channels), LL(inner));
		P("\t\tconst int run = i0 + 256 < %lld ? 256 : %lld - i0;\n\t\t%s row[256];\n\t\tfor (int i = 0; i < run; i++) {\n", LL(inner), LL(inner), buf_ctype(l->out));
		P("\t\tconst float v = x[c * %lld + i0 + i];\n", LL(inner));
		count_real(e, l, &q, t);
		P("\t\trow[i] = (%s)(%s);\n\t\t}\n\t\tfor (int i = 0; i < run; i++)\n\t\t\ty[(i0 + i) * %lld + c] = row[i];\n\t}\n}\n", buf_ctype(l->out), value, LL(channels));
	} else if (s->channels > 1) {
		P("\tfor (int c = 0; c < %lld; c++)\n\tfor (int i = 0; i < %lld; i++) {\n", LL(channels), LL(inner));
		P("\t\tconst float v = x[%sc * %lld + i];\n", block, LL(inner));
		count_real(e, l, &q, t);
		P("\t\ty[%sc * %lld + i] = (%s)(%s);\n\t}\n}\n", block, LL(inner), buf_ctype(l->out), value);
	} else {
		P("\tfor (int i = 0; i < %lld; i++) {\n\t\tconst float v = x[%si];\n", LL(channels * inner), block);
		count_real(e, l, &q, t);
		P("\t\ty[%si] = (%s)(%s);\n\t}\n}\n", block, buf_ctype(l->out), value);
	}
	const char *call = arena_printf(&e->arena, "\t%s(%s, %s);\n", layer_function(e, l), buf_pointer(e, l->in[0], "const float"),
					buf_pointer(e, l->out, buf_ctype(l->out)));
	if (packed_is_entry(e, l) && plan_root(l->out) == l->out && l->out->role == PLAN_INNER)
		codes_entry(e, l, call);
	else
		strbuf_puts(&e->run, call);
}

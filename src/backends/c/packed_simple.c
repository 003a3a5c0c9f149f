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
	const char *name = arena_printf(&e->arena, "%s_%s_image", e->name, l->name);
	const char *image = buf_pointer(e, p->image, "uint8_t");
	arrange(e, p, name);
	strbuf_printf(&e->run, "\t%s(%s, %s);\n", name, x, image);
	return image;
}

/* ---- depthwise ---- */

static const char *depthwise_weights(struct emit *e, const struct plan_layer *l)
{
	const struct plan_window *w = &l->window;
	int64_t taps = w->kh * w->kw;
	int8_t *to = arena_array(&e->arena, int8_t, taps * w->oc);
	for (int64_t o = 0; o < w->oc; o++)
		for (int64_t t = 0; t < taps; t++)
			to[t * w->oc + o] = (int8_t)l->weights[o * taps + t];
	return emit_array(e, ARRAY_I8, to, (size_t)(taps * w->oc), "%s_w", l->name);
}

/* Thresholds with the channel innermost: [threshold][channel]. */
static const char *transposed(struct emit *e, const struct plan_layer *l, const struct packed_stage *s)
{
	int64_t oc = l->window.oc, *t = arena_array(&e->arena, int64_t, oc * s->count);
	int32_t *to = arena_array(&e->arena, int32_t, oc * s->count);
	(void)t;
	for (int64_t o = 0; o < oc; o++)
		for (int64_t k = 0; k < s->count; k++)
			to[k * oc + o] = (int32_t)s->t[o * s->count + k];
	return emit_array(e, ARRAY_I32, to, (size_t)(oc * s->count), "%s_t", l->name);
}

static void depthwise_count(struct emit *e, const struct plan_layer *l, const struct packed_stage *s)
{
	const char *value = "n";
	int64_t oc = l->window.oc;
	if (s->affine) {
		const char *m = emit_array(e, ARRAY_F32, s->scale, (size_t)oc, "%s_m", l->name);
		const char *a = emit_array(e, ARRAY_F32, s->offset, (size_t)oc, "%s_a", l->name);
		P("\t\t\tfloat v = (float)sum[o] * %s[o] + %s[o];\n\t\t\tv = v > 0.0f ? v : 0.0f;\n\t\t\tv = v < %lld.0f ? v : %lld.0f;\n"
		  "\t\t\tconst int n = (int)v;\n", m, a, LL(s->count), LL(s->count));
	} else {
		const char *t = transposed(e, l, s);
		P("\t\t\tint n = 0;\n");
		for (int64_t k = 0; k < s->count; k++)
			P("\t\t\tn += sum[o] >= %s[%lld + o];\n", t, LL(k * oc));
	}
	if (s->multiply != 1 || s->add)
		value = arena_printf(&e->arena, "n * %lld + %lld", LL(s->multiply), LL(s->add));
	P("\t\t\ty[(p * %lld + q) * %lld + o] = (%s)(%s);\n", LL(l->window.ow), LL(oc), buf_ctype(l->out), value);
}

void packed_depthwise(struct emit *e, struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	const struct plan_window *w = &l->window;
	const char *x = packed_operand(e, p), *weights = depthwise_weights(e, l);
	/* sums of codes that fit 16 bits are summed there: twice the lanes */
	int64_t most = ((int64_t)1 << plan_bits(0, plan_levels(plan_root(l->in[0])) - 1)) * w->kh * w->kw *
		       (l->weight_hi > -l->weight_lo ? l->weight_hi : -l->weight_lo);
	const char *sum = most < INT16_MAX ? "int16_t" : "int32_t";
	P("\n/* %s: %s. Depthwise, codes */\n", node_label(l->node), layer_comment(e, l));
	P("static void %s_%s(const uint8_t *restrict x, %s *restrict y)\n{\n", e->name, l->name, buf_ctype(l->out));
	P("\tfor (int p = 0; p < %lld; p++)\n\tfor (int q = 0; q < %lld; q++) {\n", LL(w->oh), LL(w->ow));
	P("\t\tconst uint8_t *b = x + (p * %lld * %lld + q * %lld) * %lld;\n\t\t%s sum[%lld];\n", LL(w->stride_h), LL(p->image_w), LL(w->stride_w),
	  LL(w->ic), sum, LL(w->oc));
	P("\t\tfor (int o = 0; o < %lld; o++) {\n\t\t\t%s s = 0;\n", LL(w->oc), sum);
	for (int64_t r = 0; r < w->kh; r++)
		for (int64_t c = 0; c < w->kw; c++)
			P("\t\t\ts = (%s)(s + b[%lld + o] * %s[%lld + o]);\n", sum, LL((r * w->dilation_h * p->image_w + c * w->dilation_w) * w->ic),
			  weights, LL((r * w->kw + c) * w->oc));
	P("\t\t\tsum[o] = s;\n\t\t}\n");
	if (l->stage) {
		P("\t\tfor (int o = 0; o < %lld; o++) {\n", LL(w->oc));
		depthwise_count(e, l, packed_stage(e, l, NULL));
		P("\t\t}\n");
	} else {
		P("\t\tconst %s *row = sum;\n", sum);
		packed_finish(e, l, NULL, sum, 2, arena_printf(&e->arena, "(p * %lld + q) * %lld", LL(w->ow), LL(w->oc)));
	}
	P("\t}\n}\n");
	strbuf_printf(&e->run, "\t%s_%s(%s, %s);\n", e->name, l->name, x, buf_pointer(e, l->out, buf_ctype(l->out)));
}

/* ---- max pool over codes, channels last ---- */

void packed_maxpool(struct emit *e, struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	const struct plan_window *w = &l->window;
	P("\n/* %s: %s */\nstatic void %s_%s(const uint8_t *restrict x, uint8_t *restrict y)\n{\n", node_label(l->node), layer_comment(e, l),
	  e->name, l->name);
	P("\tfor (int p = 0; p < %lld; p++)\n\tfor (int q = 0; q < %lld; q++) {\n", LL(w->oh), LL(w->ow));
	P("\t\tconst uint8_t *b = x + (p * %lld * %lld + q * %lld) * %lld;\n\t\tuint8_t *z = y + (p * %lld + q) * %lld;\n", LL(w->stride_h), LL(w->iw),
	  LL(w->stride_w), LL(w->ic), LL(w->ow), LL(w->oc));
	P("\t\tfor (int o = 0; o < %lld; o++) {\n\t\t\tuint8_t m = b[o];\n", LL(w->oc));
	for (int64_t t = 1; t < w->kh * w->kw; t++) {
		int64_t at = (t / w->kw * w->dilation_h * w->iw + t % w->kw * w->dilation_w) * w->ic;
		P("\t\t\tm = b[%lld + o] > m ? b[%lld + o] : m;\n", LL(at), LL(at));
	}
	P("\t\t\tz[o] = m;\n\t\t}\n\t}\n}\n");
	strbuf_printf(&e->run, "\t%s_%s(%s, %s);\n", e->name, l->name, buf_pointer(e, l->in[0], "const uint8_t"), buf_pointer(e, l->out, "uint8_t"));
}

/* ---- the input quantiser ---- */

struct quantiser {
	bool affine, exact;
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

static void fit(struct emit *e, const struct plan_layer *l, struct quantiser *q)
{
	const struct plan_stage *s = l->stage;
	float *scale = arena_array(&e->arena, float, s->channels), *offset = arena_array(&e->arena, float, s->channels);
	q->affine = s->count > 4;
	q->exact = true;
	for (int64_t c = 0; c < s->channels && q->affine; c++) {
		bool exact = false;
		q->affine = affine_fit_real(s->real + c * s->count, s->count, &scale[c], &offset[c], &exact);
		q->exact &= exact;
	}
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
	P("\t\tfloat f = v * %s + %s;\n\t\tf = f > 0.0f ? f : 0.0f;\n\t\tf = f < %lld.0f ? f : %lld.0f;\n\t\tint n = (int)f;\n", q->scale, q->offset,
	  LL(s->count), LL(s->count));
	if (!q->exact)
		P("\t\tn += (v >= %s[%s%lld + n + 1]) - (v < %s[%s%lld + n]);\n", t, row, LL(s->count + 2), t, row, LL(s->count + 2));
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
	P("static void %s_%s(const float *restrict x, %s *restrict y)\n{\n", e->name, l->name, buf_ctype(l->out));
	/* out is outer x channels x inner or, where it is stored channels last, outer x inner x channels: the operand's
	 * order is the other one as a rule, so that loops go over the operand's runs */
	int64_t multiply = out->coded ? s->step / out->step : s->step, add = out->coded ? (s->base - out->base) / out->step : s->base;
	int64_t stride_c = 0, stride_i = 0;
	bool image = l->out->channels_last && !l->in[0]->channels_last;
	int64_t channels = image ? l->out->dims[l->out->rank - 1] : l->length, inner = image ? l->out->count / channels : l->inner;
	int64_t outer = image ? 1 : l->outer;
	stride_c = image ? 1 : inner;
	stride_i = image ? channels : 1;
	if (outer > 1)
		P("\tfor (int b = 0; b < %lld; b++)\n", LL(outer));
	if (s->channels > 1 || image) {
		P("\tfor (int c = 0; c < %lld; c++)\n\tfor (int i = 0; i < %lld; i++) {\n", LL(channels), LL(inner));
		P("\t\tconst float v = x[%sc * %lld + i];\n", outer > 1 ? arena_printf(&e->arena, "b * %lld + ", LL(channels * inner)) : "", LL(inner));
	} else {
		P("\tfor (int i = 0; i < %lld; i++) {\n", LL(channels * inner));
		P("\t\tconst float v = x[%si];\n", outer > 1 ? arena_printf(&e->arena, "b * %lld + ", LL(channels * inner)) : "");
	}
	count_real(e, l, &q, t);
	const char *value = multiply == 1 && !add ? "n" : arena_printf(&e->arena, "n * %lld + %lld", LL(multiply), LL(add));
	const char *to = s->channels > 1 || image ? arena_printf(&e->arena, "c * %lld + i * %lld", LL(stride_c), LL(stride_i)) : "i";
	P("\t\ty[%s%s] = (%s)(%s);\n\t}\n}\n", outer > 1 ? arena_printf(&e->arena, "b * %lld + ", LL(channels * inner)) : "", to, buf_ctype(l->out), value);
	strbuf_printf(&e->run, "\t%s_%s(%s, %s);\n", e->name, l->name, buf_pointer(e, l->in[0], "const float"),
		      buf_pointer(e, l->out, buf_ctype(l->out)));
}

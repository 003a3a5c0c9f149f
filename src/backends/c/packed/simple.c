/* Kernels of the packed style that are plain loops over channels, which compilers turn into vectors themselves:
 * depthwise convolution, max pool; and bringing an operand into the order kernels want. */
#include "backends/c/packed/packed.h"

#define P(...) strbuf_printf(e->code, __VA_ARGS__)

/* ---- the operand ---- */

/* "x[i]" as a code. */
static const char *code_of(struct emit *e, const struct plan_buf *b, const char *x)
{
	const struct plan_buf *root = plan_root((struct plan_buf *)b);
	if (root->holds_codes)
		return x;
	return arena_printf(e->arena, "(uint8_t)((%s - (%lld)) / %lld)", x, LL(root->base), LL(root->step));
}

static void arrange(struct emit *e, struct packed_layer *p, const char *name)
{
	const struct plan_layer *l = p->layer;
	const struct plan_window *w = &l->window;
	P("\nstatic void %s(const %s *restrict x, uint8_t *restrict image)\n{\n", name, buf_ctype(l->in[0]));
	if (w->padded)
		P("\tmemset(image, %lld, %lld);\n", LL(p->zero), LL(p->image_h * p->image_w * w->ic));
	P("\tfor (int r = 0; r < %lld; r++)\n", LL(w->ih));
	if (w->in_last && plan_root(l->in[0])->holds_codes) {
		P("\t\tmemcpy(image + ((r + %lld) * %lld + %lld) * %lld, x + r * %lld, %lld);\n}\n", LL(w->pad_top),
		  LL(p->image_w), LL(w->pad_left), LL(w->ic), LL(w->iw * w->ic), LL(w->iw * w->ic));
		return;
	}
	const char *from = w->in_last ? arena_printf(e->arena, "x[(r * %lld + c) * %lld + i]", LL(w->iw), LL(w->ic))
				      : arena_printf(e->arena, "x[(i * %lld + r) * %lld + c]", LL(w->ih), LL(w->iw));
	P("\t\tfor (int c = 0; c < %lld; c++)\n\t\t\tfor (int i = 0; i < %lld; i++)\n"
	  "\t\t\t\timage[((r + %lld) * %lld + c + %lld) * %lld + i] = %s;\n}\n",
	  LL(w->iw), LL(w->ic), LL(w->pad_top), LL(p->image_w), LL(w->pad_left), LL(w->ic), code_of(e, l->in[0], from));
}

const char *packed_operand(struct emit *e, struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	const char *x = buf_pointer(e, &e->run, l->in[0], arena_printf(e->arena, "const %s", buf_ctype(l->in[0])));
	if (!p->image)
		return x;
	const char *name = arena_printf(e->arena, "%s_image", layer_function(e, l));
	const char *image = buf_pointer(e, &e->run, p->image, "uint8_t");
	arrange(e, p, name);
	strbuf_printf(&e->run.text, "\t%s(%s, %s);\n", name, x, image);
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
	int16_t *to = arena_array(e->arena, int16_t, taps * row);
	for (int64_t o = 0; o < w->oc; o++)
		for (int64_t t = 0; t < taps; t++)
			to[t * row + o] = (int16_t)l->weights[o * taps + t];
	return emit_array(e, ARRAY_I16, to, (size_t)(taps * row), "%s_w", l->name);
}

/* Sixteen sums in sums[] to sixteen counts in row[]. */
static void depthwise_count(struct emit *e, const struct plan_layer *l, const struct packed_activation *s)
{
	const char *offset, *t = s->lines ? NULL : packed_constants(e, l, s, &offset);
	P("\t\tfor (int v = 0; v < QCC_SPLIT; v++) {\n\t\t\tconst int at = v * QCC_LANES32;\n"
	  "\t\t\tconst qcc_i32 sum = qcc_load32(sums + at);\n");
	if (s->lines) {
		packed_count_by_line(e, l, s, 3, "o + at");
		P("\t\t\tqcc_store32(row + o + at, n);\n\t\t}\n");
		return;
	}
	if (s->affine) {
		P("\t\t\tqcc_store32(row + o + at, %s(sum, %s + o + at, %s + o + at, %lld.0f));\n\t\t}\n",
		  s->even ? "qcc_affine_even" : "qcc_affine", t, offset, LL(s->count));
		return;
	}
	P("\t\t\tqcc_i32 n = { 0 };\n\t\t\tfor (int k = 0; k < %lld; k++)\n"
	  "\t\t\t\tn = qcc_reach32(n, sum, %s + (o / 16 * %lld + k) * 16 + at);\n"
	  "\t\t\tqcc_store32(row + o + at, n);\n\t\t}\n",
	  LL(s->count), t, LL(s->count));
}

static void depthwise_sums(struct emit *e, const struct packed_layer *p, bool narrow)
{
	const struct plan_window *w = &p->layer->window;
	const char *weights = depthwise_weights(e, p->layer);
	int64_t row = groups_of(p->layer) * GROUP;
	P(narrow ? "\t\tqcc_i16x16 s = { 0 };\n\t\tint32_t sums[16];\n" : "\t\tint32_t sums[16] = { 0 };\n");
	for (int64_t t = 0; t < w->kh * w->kw; t++) {
		int64_t at = (t / w->kw * w->dilation_h * p->image_w + t % w->kw * w->dilation_w) * w->ic;
		P(narrow ? "\t\tqcc_add16(&s, b + %lld + o, %s + %lld + o);\n"
			 : "\t\tqcc_dot16(sums, b + %lld + o, %s + %lld + o);\n",
		  LL(at), weights, LL(t * row));
	}
	if (narrow)
		P("\t\tqcc_widen16(sums, &s);\n");
}

void packed_depthwise(struct emit *e, struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	const struct plan_window *w = &l->window;
	const char *x = packed_operand(e, p);
	/* sums of codes that fit 16 bits are summed there: twice the lanes */
	int64_t most = plan_levels(plan_root(l->in[0])) * w->kh * w->kw *
		       (l->weight_hi > -l->weight_lo ? l->weight_hi : -l->weight_lo);
	struct packed_activation *s = l->activation ? packed_activation(e, l, NULL) : NULL;
	P("\n/* %s. Depthwise, codes */\n", layer_comment(e, l));
	P("static void %s(const uint8_t *restrict x, %s *restrict y)\n{\n", layer_function(e, l), buf_ctype(l->out));
	P("\tfor (int p = 0; p < %lld; p++)\n\tfor (int q = 0; q < %lld; q++) {\n", LL(w->oh), LL(w->ow));
	P("\t\tconst uint8_t *b = x + (p * %lld * %lld + q * %lld) * %lld;\n\t\t%s row[%lld];\n", LL(w->stride_h),
	  LL(p->image_w), LL(w->stride_w), LL(w->ic), s ? "uint8_t" : "int32_t", LL(groups_of(l) * GROUP));
	e->stack += (size_t)(groups_of(l) * GROUP) * (s ? 1 : 4) + 64;
	P("\t\tfor (int o = 0; o < %lld; o += 16) {\n", LL(w->oc));
	depthwise_sums(e, p, most < INT16_MAX);
	if (s)
		depthwise_count(e, l, s);
	else
		P("\t\tmemcpy(row + o, sums, sizeof sums);\n");
	P("\t\t}\n");
	packed_finish(e, l, NULL, 2, arena_printf(e->arena, "(p * %lld + q) * %lld", LL(w->ow), LL(w->oc)));
	P("\t}\n}\n");
	packed_call(e, p, x);
}

/* ---- max pool over codes, channels last ---- */

void packed_maxpool(struct emit *e, struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	const struct plan_window *w = &l->window;
	P("\n/* %s */\nstatic void %s(const uint8_t *restrict x, uint8_t *restrict y)\n{\n", layer_comment(e, l),
	  layer_function(e, l));
	P("\tfor (int p = 0; p < %lld; p++)\n\tfor (int q = 0; q < %lld; q++) {\n", LL(w->oh), LL(w->ow));
	P("\t\tconst uint8_t *b = x + (p * %lld * %lld + q * %lld) * %lld;\n"
	  "\t\tuint8_t *z = y + (p * %lld + q) * %lld;\n",
	  LL(w->stride_h), LL(w->iw), LL(w->stride_w), LL(w->ic), LL(w->ow), LL(w->oc));
	P("\t\tfor (int o = 0; o < %lld; o++) {\n\t\t\tuint8_t m = b[o];\n", LL(w->oc));
	for (int64_t t = 1; t < w->kh * w->kw; t++) {
		int64_t at = (t / w->kw * w->dilation_h * w->iw + t % w->kw * w->dilation_w) * w->ic;
		P("\t\t\tm = b[%lld + o] > m ? b[%lld + o] : m;\n", LL(at), LL(at));
	}
	P("\t\t\tz[o] = m;\n\t\t}\n\t}\n}\n");
	packed_call(e, p, buf_pointer(e, &e->run, l->in[0], "const uint8_t"));
}

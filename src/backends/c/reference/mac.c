/* Reference kernels of layers that multiply and accumulate. Plain nested loops with the layer's numbers. */
#include "backends/c/reference/kernels.h"

/* Index of (c, y, x) in an image of C channels, H x W. */
static const char *image_index(struct emit *e, bool last, int64_t channels, int64_t h, int64_t w, const char *c,
			       const char *y, const char *x)
{
	if (h == 1 && w == 1)
		return c;
	if (last)
		return arena_printf(e->arena, "(%s * %lld + %s) * %lld + %s", y, LL(w), x, LL(channels), c);
	return arena_printf(e->arena, "(%s * %lld + %s) * %lld + %s", c, LL(h), y, LL(w), x);
}

static const char *weights_array(struct emit *e, const struct plan_layer *l)
{
	size_t n = (size_t)plan_layer_weights(l);
	if (l->real)
		return emit_array(e, ARRAY_F32, l->real_weights, n, "%s_w", l->name);
	return emit_ints(e, l->weights, n, NULL, "%s_w", l->name);
}

/* What the sum starts with: the bias, or zero. */
static const char *start(struct emit *e, const struct plan_layer *l)
{
	size_t n = (size_t)l->window.oc;
	if (l->real && l->bias)
		return arena_printf(e->arena, "%s[o]", emit_array(e, ARRAY_F32, l->bias, n, "%s_b", l->name));
	if (l->int_bias)
		return arena_printf(e->arena, "%s[o]", emit_ints(e, l->int_bias, n, NULL, "%s_b", l->name));
	return l->real ? "0.0f" : "0";
}

static const char *acc_type(const struct plan_layer *l)
{
	return l->real ? "float" : sum_ctype(l->acc_lo, l->acc_hi);
}

/* `x * w`, in the sum's type. A uint16 times an int16 fits an int; wider ones are widened first. */
static const char *product(struct emit *e, const struct plan_layer *l, const char *x, const char *w)
{
	bool wide = !l->real && sum_is_wide(l->acc_lo, l->acc_hi);
	const char *cast = l->real && !l->in[0]->real ? "(float)" : wide ? "(int64_t)" : "";
	return arena_printf(e->arena, "%s%s * %s", cast, ref_value(e, l->in[0], arena_printf(e->arena, "x[%s]", x)), w);
}

static void dense_kernel(struct emit *e, const struct plan_layer *l)
{
	const struct plan_window *g = &l->window;
	struct strbuf *b = e->code;
	const char *w = weights_array(e, l), *s = start(e, l);
	const char *x = g->oh > 1 ? arena_printf(e->arena, "r * %lld + i", LL(g->ic)) : "i";
	if (g->oh > 1)
		strbuf_printf(b, "\tfor (int r = 0; r < %lld; r++)\n", LL(g->oh));
	strbuf_printf(b, "\tfor (int o = 0; o < %lld; o++) {\n\t\t%s sum = %s;\n", LL(g->oc), acc_type(l), s);
	strbuf_printf(b, "\t\tfor (int i = 0; i < %lld; i++)\n\t\t\tsum += %s;\n", LL(g->ic),
		      product(e, l, x, arena_printf(e->arena, "%s[o * %lld + i]", w, LL(g->ic))));
	ref_store(e, l, 2, g->oh > 1 ? arena_printf(e->arena, "r * %lld + o", LL(g->oc)) : "o", "o");
	strbuf_puts(b, "\t}\n");
}

/* "y * stride + r * dilation - pad" with the ones and zeros left out. */
static const char *position(struct emit *e, const char *o, const char *k, int64_t size, int64_t stride,
			    int64_t dilation, int64_t pad)
{
	struct strbuf b = { 0 };
	strbuf_puts(&b, o);
	if (stride != 1)
		strbuf_printf(&b, " * %lld", LL(stride));
	if (size > 1)
		strbuf_printf(&b, dilation == 1 ? " + %s" : " + %s * %lld", k, LL(dilation));
	if (pad)
		strbuf_printf(&b, " - %lld", LL(pad));
	const char *s = arena_strdup(e->arena, b.text);
	strbuf_free(&b);
	return s;
}

static void conv_kernel(struct emit *e, const struct plan_layer *l)
{
	const struct plan_window *g = &l->window;
	struct strbuf *b = e->code;
	int64_t icg = g->ic / g->group, ocg = g->oc / g->group;
	const char *w = weights_array(e, l), *s = start(e, l);
	const char *channel = g->group == 1 ? "i"
			      : icg == 1    ? (ocg == 1 ? "o" : arena_printf(e->arena, "o / %lld", LL(ocg)))
					    : arena_printf(e->arena, "(o / %lld * %lld + i)", LL(ocg), LL(icg));
	ref_images(e, l);
	strbuf_printf(b,
		      "\tfor (int o = 0; o < %lld; o++)\n\tfor (int p = 0; p < %lld; p++)\n"
		      "\tfor (int q = 0; q < %lld; q++) {\n\t\t%s sum = %s;\n",
		      LL(g->oc), LL(g->oh), LL(g->ow), acc_type(l), s);
	strbuf_printf(b, "\t\tfor (int r = 0; r < %lld; r++)\n\t\tfor (int c = 0; c < %lld; c++) {\n", LL(g->kh),
		      LL(g->kw));
	bool is_point = g->ih == 1 && g->iw == 1; /* its index needs no position */
	if (!is_point || g->padded)
		strbuf_printf(b, "\t\t\tconst int y0 = %s, x0 = %s;\n",
			      position(e, "p", "r", g->kh, g->stride_h, g->dilation_h, g->pad_top),
			      position(e, "q", "c", g->kw, g->stride_w, g->dilation_w, g->pad_left));
	if (g->padded)
		strbuf_printf(b, "\t\t\tif (y0 < 0 || y0 >= %lld || x0 < 0 || x0 >= %lld)\n\t\t\t\tcontinue;\n",
			      LL(g->ih), LL(g->iw));
	const char *weight = icg == 1 ? arena_printf(e->arena, "%s[(o * %lld + r) * %lld + c]", w, LL(g->kh), LL(g->kw))
				      : arena_printf(e->arena, "%s[((o * %lld + i) * %lld + r) * %lld + c]", w, LL(icg),
						     LL(g->kh), LL(g->kw));
	const char *x =
		image_index(e, g->in_last, g->ic, g->ih, g->iw, icg == 1 && g->group == 1 ? "0" : channel, "y0", "x0");
	if (icg > 1)
		strbuf_printf(b, "\t\t\tfor (int i = 0; i < %lld; i++)\n\t", LL(icg));
	strbuf_printf(b, "\t\t\tsum += %s;\n\t\t}\n", product(e, l, x, weight));
	ref_store(e, l, 2, image_index(e, g->out_last, g->oc, g->oh, g->ow, "o", "p", "q"), "o");
	strbuf_puts(b, "\t}\n");
}

void ref_mac(struct emit *e, const struct plan_layer *l)
{
	ref_open(e, l);
	if (l->window.dense)
		dense_kernel(e, l);
	else
		conv_kernel(e, l);
	ref_close(e);
}

/* Each result gathers the operands whose kernel reaches it: y * stride + r * dilation - pad = p. */
void ref_deconv(struct emit *e, const struct plan_layer *l)
{
	const struct plan_window *g = &l->window;
	struct strbuf *b = e->code;
	ref_open(e, l);
	const char *w = weights_array(e, l), *s = start(e, l);
	ref_images(e, l);
	strbuf_printf(b,
		      "\tfor (int o = 0; o < %lld; o++)\n\tfor (int p = 0; p < %lld; p++)\n"
		      "\tfor (int q = 0; q < %lld; q++) {\n\t\t%s sum = %s;\n",
		      LL(g->oc), LL(g->oh), LL(g->ow), acc_type(l), s);
	strbuf_printf(b, "\t\tfor (int r = 0; r < %lld; r++)\n\t\tfor (int c = 0; c < %lld; c++) {\n", LL(g->kh),
		      LL(g->kw));
	strbuf_printf(b, "\t\t\tconst int y1 = p + %lld - r * %lld, x1 = q + %lld - c * %lld;\n", LL(g->pad_top),
		      LL(g->dilation_h), LL(g->pad_left), LL(g->dilation_w));
	strbuf_printf(
		b,
		"\t\t\tif (y1 < 0 || y1 %% %lld || x1 < 0 || x1 %% %lld || y1 / %lld >= %lld || x1 / %lld >= %lld)\n"
		"\t\t\t\tcontinue;\n",
		LL(g->stride_h), LL(g->stride_w), LL(g->stride_h), LL(g->ih), LL(g->stride_w), LL(g->iw));
	if (g->ih > 1 || g->iw > 1)
		strbuf_printf(b, "\t\t\tconst int y0 = y1 / %lld, x0 = x1 / %lld;\n", LL(g->stride_h), LL(g->stride_w));
	const char *weight = arena_printf(e->arena, "%s[((o * %lld + i) * %lld + r) * %lld + c]", w, LL(g->ic),
					  LL(g->kh), LL(g->kw));
	strbuf_printf(b, "\t\t\tfor (int i = 0; i < %lld; i++)\n\t\t\t\tsum += %s;\n\t\t}\n", LL(g->ic),
		      product(e, l, image_index(e, g->in_last, g->ic, g->ih, g->iw, "i", "y0", "x0"), weight));
	ref_store(e, l, 2, image_index(e, g->out_last, g->oc, g->oh, g->ow, "o", "p", "q"), "o");
	strbuf_puts(b, "\t}\n");
	ref_close(e);
}

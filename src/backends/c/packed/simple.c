/* Kernels of the packed style that are plain loops over channels, which compilers turn into vectors themselves:
 * max pool; and bringing an operand into the order kernels want. */
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

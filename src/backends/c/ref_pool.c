/* Reference kernels over windows and axes: max pool, sums, softmax, top-k. */
#include "backends/c/emit.h"

#define LL(x) ((long long)(x))

static const char *index_of(struct emit *e, bool last, int64_t channels, int64_t h, int64_t w, const char *y, const char *x)
{
	return last ? arena_printf(&e->arena, "(%s * %lld + %s) * %lld + o", y, LL(w), x, LL(channels)) :
		      arena_printf(&e->arena, "(o * %lld + %s) * %lld + %s", LL(h), y, LL(w), x);
}

/* Loops over channels and places; inside, `body` sees each operand as v. */
static void window_loops(struct emit *e, const struct plan_layer *l, const char *type, const char *init, const char *body)
{
	const struct plan_window *g = &l->window;
	struct strbuf *b = &e->code;
	strbuf_printf(b, "\tfor (int o = 0; o < %lld; o++)\n\tfor (int p = 0; p < %lld; p++)\n"
		      "\tfor (int q = 0; q < %lld; q++) {\n\t\t%s sum = %s;\n", LL(g->oc), LL(g->oh), LL(g->ow), type, init);
	strbuf_printf(b, "\t\tfor (int r = 0; r < %lld; r++)\n\t\tfor (int c = 0; c < %lld; c++) {\n", LL(g->kh), LL(g->kw));
	strbuf_printf(b, "\t\t\tconst int y0 = p * %lld + r * %lld - %lld, x0 = q * %lld + c * %lld - %lld;\n",
		      LL(g->stride_h), LL(g->dilation_h), LL(g->pad_top), LL(g->stride_w), LL(g->dilation_w), LL(g->pad_left));
	if (g->padded)
		strbuf_printf(b, "\t\t\tif (y0 < 0 || y0 >= %lld || x0 < 0 || x0 >= %lld)\n\t\t\t\tcontinue;\n",
			      LL(g->ih), LL(g->iw));
	strbuf_printf(b, "\t\t\tconst %s v = %s;\n\t\t\t%s\n\t\t}\n",
		      l->in[0]->real ? "float" : sum_ctype(l->in[0]->lo, l->in[0]->hi),
		      ref_value(e, l->in[0], arena_printf(&e->arena, "x[%s]", index_of(e, g->in_last, g->ic, g->ih,
		      g->iw, "y0", "x0"))), body);
	ref_store(e, l, 2, index_of(e, g->out_last, g->oc, g->oh, g->ow, "p", "q"), "o");
	strbuf_puts(b, "\t}\n");
}

void ref_maxpool(struct emit *e, const struct plan_layer *l)
{
	const struct plan_buf *in = l->in[0];
	const char *lowest = in->real ? "-3.40282347e+38f" : arena_printf(&e->arena, "%lld", LL(in->lo));
	ref_open(e, l);
	window_loops(e, l, in->real ? "float" : sum_ctype(in->lo, in->hi), lowest, "sum = v > sum ? v : sum;");
	ref_close(e);
}

void ref_sum(struct emit *e, const struct plan_layer *l)
{
	struct strbuf *b = &e->code;
	const char *type = l->real ? "float" : sum_ctype(l->out->lo, l->out->hi), *zero = l->real ? "0.0f" : "0";
	ref_open(e, l);
	if (l->window_sum) {
		window_loops(e, l, type, zero, "sum += v;");
	} else {
		strbuf_printf(b, "\tfor (int p = 0; p < %lld; p++)\n\tfor (int q = 0; q < %lld; q++) {\n\t\t%s sum = %s;\n",
			      LL(l->outer), LL(l->inner), type, zero);
		strbuf_printf(b, "\t\tfor (int i = 0; i < %lld; i++)\n\t\t\tsum += %s;\n", LL(l->length),
			      ref_value(e, l->in[0], arena_printf(&e->arena, "x[(p * %lld + i) * %lld + q]",
			      LL(l->length), LL(l->inner))));
		ref_store(e, l, 2, arena_printf(&e->arena, "p * %lld + q", LL(l->inner)), "0");
		strbuf_puts(b, "\t}\n");
	}
	ref_close(e);
}

void ref_softmax(struct emit *e, const struct plan_layer *l)
{
	struct strbuf *b = &e->code;
	const char *cast = l->in[0]->real ? "" : "(float)";
	const char *at = arena_printf(&e->arena, "(p * %lld + i) * %lld + q", LL(l->length), LL(l->inner));
	const char *first = ref_value(e, l->in[0], arena_printf(&e->arena, "x[p * %lld + q]", LL(l->length * l->inner)));
	const char *x = arena_printf(&e->arena, "%s%s", cast, ref_value(e, l->in[0], arena_printf(&e->arena, "x[%s]", at)));
	ref_open(e, l);
	strbuf_printf(b, "\tfor (int p = 0; p < %lld; p++)\n\tfor (int q = 0; q < %lld; q++) {\n", LL(l->outer), LL(l->inner));
	strbuf_printf(b, "\t\tfloat top = %s%s, sum = 0.0f;\n", cast, first);
	strbuf_printf(b, "\t\tfor (int i = 0; i < %lld; i++)\n\t\t\ttop = %s > top ? %s : top;\n", LL(l->length), x, x);
	strbuf_printf(b, "\t\tfor (int i = 0; i < %lld; i++)\n\t\t\tsum += y[%s] = expf(%s - top);\n", LL(l->length), at, x);
	strbuf_printf(b, "\t\tfor (int i = 0; i < %lld; i++)\n\t\t\ty[%s] /= sum;\n\t}\n", LL(l->length), at);
	ref_close(e);
}

/* Selection of the k best, first of equals first: length is small (classes), so each is found by a scan. */
void ref_topk(struct emit *e, const struct plan_layer *l)
{
	struct strbuf *b = &e->code;
	const char *at = arena_printf(&e->arena, "(p * %lld + i) * %lld + q", LL(l->length), LL(l->inner));
	const char *to = arena_printf(&e->arena, "(p * %lld + k) * %lld + q", LL(l->k), LL(l->inner));
	ref_open(e, l);
	strbuf_printf(b, "\tfor (int p = 0; p < %lld; p++)\n\tfor (int q = 0; q < %lld; q++) {\n", LL(l->outer), LL(l->inner));
	e->stack += (size_t)l->length;
	strbuf_printf(b, "\t\tunsigned char taken[%lld] = { 0 };\n\t\tfor (int k = 0; k < %lld; k++) {\n\t\t\tint best = -1;\n",
		      LL(l->length), LL(l->k));
	strbuf_printf(b, "\t\t\tfor (int i = 0; i < %lld; i++)\n"
		      "\t\t\t\tif (!taken[i] && (best < 0 || x[%s] %c x[(p * %lld + best) * %lld + q]))\n"
		      "\t\t\t\t\tbest = i;\n\t\t\ttaken[best] = 1;\n", LL(l->length), at, l->largest ? '>' : '<',
		      LL(l->length), LL(l->inner));
	if (l->out)
		strbuf_printf(b, "\t\t\ty[%s] = %s;\n", to, ref_element(e, l->out, ref_value(e, l->in[0],
			      arena_printf(&e->arena, "x[(p * %lld + best) * %lld + q]", LL(l->length), LL(l->inner)))));
	if (l->out2)
		strbuf_printf(b, "\t\t\tindex[%s] = %s;\n", to, ref_element(e, l->out2, "best"));
	strbuf_puts(b, "\t\t}\n\t}\n");
	ref_close(e);
}

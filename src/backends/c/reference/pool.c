/* Reference kernels over windows and axes: max pool, sums, matrix products of two operands, softmax, top-k. */
#include "backends/c/reference/kernels.h"

static const char TABS[] = "\t\t\t\t\t\t\t\t\t";

static const char *index_of(struct emit *e, bool last, int64_t channels, int64_t h, int64_t w, const char *y,
			    const char *x)
{
	return last ? arena_printf(e->arena, "(%s * %lld + %s) * %lld + o", y, LL(w), x, LL(channels))
		    : arena_printf(e->arena, "(o * %lld + %s) * %lld + %s", LL(h), y, LL(w), x);
}

/* Loops over channels and places; inside, `body` sees each operand as v. */
static void window_loops(struct emit *e, const struct plan_layer *l, const char *type, const char *init,
			 const char *body)
{
	const struct plan_window *g = &l->window;
	struct strbuf *b = e->code;
	ref_images(e, l);
	strbuf_printf(b,
		      "\tfor (int o = 0; o < %lld; o++)\n\tfor (int p = 0; p < %lld; p++)\n"
		      "\tfor (int q = 0; q < %lld; q++) {\n\t\t%s sum = %s;\n",
		      LL(g->oc), LL(g->oh), LL(g->ow), type, init);
	strbuf_printf(b, "\t\tfor (int r = 0; r < %lld; r++)\n\t\tfor (int c = 0; c < %lld; c++) {\n", LL(g->kh),
		      LL(g->kw));
	strbuf_printf(b, "\t\t\tconst int y0 = p * %lld + r * %lld - %lld, x0 = q * %lld + c * %lld - %lld;\n",
		      LL(g->stride_h), LL(g->dilation_h), LL(g->pad_top), LL(g->stride_w), LL(g->dilation_w),
		      LL(g->pad_left));
	if (g->padded)
		strbuf_printf(b, "\t\t\tif (y0 < 0 || y0 >= %lld || x0 < 0 || x0 >= %lld)\n\t\t\t\tcontinue;\n",
			      LL(g->ih), LL(g->iw));
	strbuf_printf(
		b, "\t\t\tconst %s v = %s;\n\t\t\t%s\n\t\t}\n",
		l->in[0]->real ? "float" : sum_ctype(l->in[0]->lo, l->in[0]->hi),
		ref_value(e, l->in[0],
			  arena_printf(e->arena, "x[%s]", index_of(e, g->in_last, g->ic, g->ih, g->iw, "y0", "x0"))),
		body);
	ref_store(e, l, 2, index_of(e, g->out_last, g->oc, g->oh, g->ow, "p", "q"), "o");
	strbuf_puts(b, "\t}\n");
}

void ref_maxpool(struct emit *e, const struct plan_layer *l)
{
	const struct plan_buf *in = l->in[0];
	const char *lowest = in->real ? "-3.40282347e+38f" : arena_printf(e->arena, "%lld", LL(l->out->lo));
	ref_open(e, l);
	window_loops(e, l, in->real ? "float" : sum_ctype(in->lo, in->hi), lowest, "sum = v > sum ? v : sum;");
	ref_close(e);
}

/* Sum, maximum or minimum of elements that lie `inner` apart. */
static void axis_loops(struct emit *e, const struct plan_layer *l, const char *type)
{
	struct strbuf *b = e->code;
	bool sum = l->function == PLAN_ADD;
	const char *x = ref_value(e, l->in[0],
				  arena_printf(e->arena, "x[(p * %lld + i) * %lld + q]", LL(l->length), LL(l->inner)));
	const char *first = ref_value(e, l->in[0], arena_printf(e->arena, "x[p * %lld + q]", LL(l->length * l->inner)));
	strbuf_printf(b, "\tfor (int p = 0; p < %lld; p++)\n\tfor (int q = 0; q < %lld; q++) {\n\t\t%s sum = %s;\n",
		      LL(l->outer), LL(l->inner), type, sum ? (l->real ? "0.0f" : "0") : first);
	strbuf_printf(b, "\t\tfor (int i = %d; i < %lld; i++)\n\t\t\t", !sum, LL(l->length));
	if (sum)
		strbuf_printf(b, "sum += %s;\n", x);
	else
		strbuf_printf(b, "sum = %s %c sum ? %s : sum;\n", x, l->function == PLAN_MAX ? '>' : '<', x);
	ref_store(e, l, 2, arena_printf(e->arena, "p * %lld + q", LL(l->inner)), "0");
	strbuf_puts(b, "\t}\n");
}

void ref_sum(struct emit *e, const struct plan_layer *l)
{
	const char *type = l->real ? "float" : sum_ctype(l->out->lo, l->out->hi), *zero = l->real ? "0.0f" : "0";
	ref_open(e, l);
	if (l->window_sum) {
		window_loops(e, l, type, zero, "sum += v;");
	} else {
		axis_loops(e, l, type);
	}
	ref_close(e);
}

/* The loops of a sum around products of elements of two operands. */
void ref_product(struct emit *e, const struct plan_layer *l)
{
	struct strbuf *b = e->code;
	struct loops n;
	const char *type = l->real ? "float" : sum_ctype(l->acc_lo, l->acc_hi), *term[2];
	loops_make(&n, l->out, 2, (const int64_t *const[]){ l->stride_a, l->stride_b });
	ref_open(e, l);
	loops_open(b, &n, 1);
	for (int i = 0; i < 2; i++) {
		const char *at =
			arena_printf(e->arena, "%s + k * %lld", loops_index(e, &n, i), LL(i ? l->step_b : l->step_a));
		const char *x = i && l->operand
					? ref_constant(e, l, at)
					: ref_value(e, l->in[i], arena_printf(e->arena, "%s[%s]", i ? "x1" : "x", at));
		term[i] = arena_printf(e->arena, "(%s)%s", type, x);
	}
	strbuf_printf(b, "%.*s%s sum = 0;\n", 1 + n.depth, TABS, type);
	strbuf_printf(b, "%.*sfor (int k = 0; k < %lld; k++)\n", 1 + n.depth, TABS, LL(l->length));
	strbuf_printf(b, "%.*ssum += %s * %s;\n", 2 + n.depth, TABS, term[0], term[1]);
	ref_store(e, l, 1 + n.depth, n.depth > 1 ? "o" : "i0", "0");
	loops_close(b, &n, 1);
	ref_close(e);
}

void ref_softmax(struct emit *e, const struct plan_layer *l)
{
	struct strbuf *b = e->code;
	const char *cast = l->in[0]->real ? "" : "(float)";
	const char *at = arena_printf(e->arena, "(p * %lld + i) * %lld + q", LL(l->length), LL(l->inner));
	const char *first = ref_value(e, l->in[0], arena_printf(e->arena, "x[p * %lld + q]", LL(l->length * l->inner)));
	const char *x =
		arena_printf(e->arena, "%s%s", cast, ref_value(e, l->in[0], arena_printf(e->arena, "x[%s]", at)));
	ref_open(e, l);
	strbuf_printf(b, "\tfor (int p = 0; p < %lld; p++)\n\tfor (int q = 0; q < %lld; q++) {\n", LL(l->outer),
		      LL(l->inner));
	strbuf_printf(b, "\t\tfloat top = %s%s, sum = 0.0f;\n", cast, first);
	strbuf_printf(b, "\t\tfor (int i = 0; i < %lld; i++)\n\t\t\ttop = %s > top ? %s : top;\n", LL(l->length), x, x);
	bool log = l->function == PLAN_LOG;
	strbuf_printf(b, "\t\tfor (int i = 0; i < %lld; i++)\n\t\t\tsum += %sexpf(%s - top);\n", LL(l->length),
		      log ? "" : arena_printf(e->arena, "y[%s] = ", at), x);
	if (log)
		strbuf_puts(b, "\t\tsum = logf(sum);\n");
	strbuf_printf(b, "\t\tfor (int i = 0; i < %lld; i++)\n\t\t\t", LL(l->length));
	if (log)
		strbuf_printf(b, "y[%s] = %s - top - sum;\n\t}\n", at, x);
	else
		strbuf_printf(b, "y[%s] /= sum;\n\t}\n", at);
	ref_close(e);
}

/* Selection of the k best, first of equals first: length is small (classes), so each is found by a scan. */
void ref_topk(struct emit *e, const struct plan_layer *l)
{
	struct strbuf *b = e->code;
	const char *at = arena_printf(e->arena, "(p * %lld + i) * %lld + q", LL(l->length), LL(l->inner));
	const char *to = arena_printf(e->arena, "(p * %lld + k) * %lld + q", LL(l->k), LL(l->inner));
	ref_open(e, l);
	strbuf_printf(b, "\tfor (int p = 0; p < %lld; p++)\n\tfor (int q = 0; q < %lld; q++) {\n", LL(l->outer),
		      LL(l->inner));
	e->stack += (size_t)l->length;
	strbuf_printf(
		b,
		"\t\tunsigned char taken[%lld] = { 0 };\n\t\tfor (int k = 0; k < %lld; k++) {\n\t\t\tint best = -1;\n",
		LL(l->length), LL(l->k));
	strbuf_printf(b,
		      "\t\t\tfor (int i = 0; i < %lld; i++)\n"
		      "\t\t\t\tif (!taken[i] && (best < 0 || x[%s] %c x[(p * %lld + best) * %lld + q]))\n"
		      "\t\t\t\t\tbest = i;\n\t\t\ttaken[best] = 1;\n",
		      LL(l->length), at, l->largest ? '>' : '<', LL(l->length), LL(l->inner));
	if (l->out)
		strbuf_printf(b, "\t\t\ty[%s] = %s;\n", to,
			      ref_element(e, l->out,
					  ref_value(e, l->in[0],
						    arena_printf(e->arena, "x[(p * %lld + best) * %lld + q]",
								 LL(l->length), LL(l->inner)))));
	if (l->out2)
		strbuf_printf(b, "\t\t\tindex[%s] = %s;\n", to, ref_element(e, l->out2, "best"));
	strbuf_puts(b, "\t\t}\n\t}\n");
	ref_close(e);
}

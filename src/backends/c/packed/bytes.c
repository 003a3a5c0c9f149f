/* The byte kernel: operands as unsigned codes, weights as int8, four products to a lane of 32 bits. Weights lie
 * as [16 channels][step of 4 operands][channel][4]; a step never crosses the end of a run of operands, and the
 * bytes of a step beyond the run meet weights of 0. */
#include "backends/c/packed/packed.h"

#define P(...) strbuf_printf(e->code, __VA_ARGS__)

enum { GROUP = 16 };

/* Operands that lie together, and steps of four in them. */
static int64_t run_length(const struct packed_layer *p)
{
	return p->segment_pixels * p->layer->window.ic;
}

static int64_t run_steps(const struct packed_layer *p)
{
	return (run_length(p) + 3) / 4;
}

void packed_bytes_plan(struct emit *e, struct packed_layer *p)
{
	const struct plan_window *w = &p->layer->window;
	int64_t groups = packed_groups(p, GROUP), columns = packed_columns(p);
	(void)e;
	p->pixels = columns < 4 ? columns : groups == 1 && columns >= 8 ? 8 : 4;
	p->vectors = packed_divisor(groups, 16 / p->pixels < 1 ? 1 : w->dense && w->oh == 1 ? 8 : 16 / p->pixels);
	packed_cut_window(p);
}

static const char *weights(struct emit *e, const struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	const struct plan_window *w = &l->window;
	int64_t steps = run_steps(p), groups = packed_groups(p, GROUP), per_group = p->segments * steps * 4 * GROUP;
	int8_t *to = arena_array(e->arena, int8_t, groups * per_group);
	for (int64_t o = 0; o < w->oc; o++)
		for (int64_t c = 0; c < w->ic; c++)
			for (int64_t tap = 0; tap < w->kh * w->kw; tap++) {
				int64_t s = tap / p->segment_pixels, k = tap % p->segment_pixels * w->ic + c;
				int8_t v = (int8_t)l->weights[(o * w->ic + c) * w->kh * w->kw + tap];
				to[o / GROUP * per_group + ((s * steps + k / 4) * GROUP + o % GROUP) * 4 + k % 4] = v;
			}
	/* as words, which a compiler reads eight times as fast as bytes */
	return emit_array(e, ARRAY_U64, to, (size_t)(groups * per_group / 8), "%s_w", l->name);
}

static void sums(struct emit *e, const struct packed_layer *p)
{
	const struct plan_window *w = &p->layer->window;
	int64_t stride = (w->dense ? 1 : w->stride_w) * w->ic, steps = run_steps(p);
	for (int64_t i = 0; i < p->pixels; i++) {
		P("\t\tqcc_sum4");
		for (int64_t v = 0; v < p->vectors; v++)
			P("%s s%lld_%lld = { 0 }", v ? "," : "", LL(i), LL(v));
		P(";\n");
	}
	P("\t\tQCC_ROLLED\n\t\tfor (int s = 0; s < %lld; s++) {\n\t\t\tconst uint8_t *b = x + %s;\n", LL(p->segments),
	  packed_segment(e, p, w->ic));
	P("\t\t\tQCC_ROLLED\n\t\t\tfor (int k = 0; k < %lld; k++) {\n", LL(steps));
	for (int64_t i = 0; i < p->pixels; i++)
		P("\t\t\t\tconst qcc_in4 a%lld = qcc_input4(b + %lld + 4 * k);\n", LL(i), LL(i * stride));
	for (int64_t v = 0; v < p->vectors; v++)
		for (int64_t i = 0; i < p->pixels; i++)
			P("\t\t\t\ts%lld_%lld = qcc_dot4(s%lld_%lld, a%lld, w_%lld + (s * %lld + k) * 64);\n", LL(i),
			  LL(v), LL(i), LL(v), LL(i), LL(v), LL(steps));
	P("\t\t\t}\n\t\t}\n");
}

static void store(struct emit *e, const struct packed_layer *p, const struct packed_block *b,
		  const struct packed_activation *s)
{
	struct packed_constants k = { 0 };
	if (s)
		k = packed_constants(e, p->layer, s);
	for (int64_t i = 0; i < p->pixels; i++)
		for (int64_t v = 0; v < p->vectors; v++) {
			P("\t\t{\n\t\t\tconst qcc_i32 sum = qcc_value4(s%lld_%lld);\n", LL(i), LL(v));
			if (s)
				packed_count(e, s, &k, 3, arena_printf(e->arena, "(ch + %lld) * QCC_LANES32", LL(v)));
			P("\t\t\t%s(%s, %s);\n\t\t}\n", s ? "qcc_store32" : "qcc_put32", packed_to(e, p, b, i, v),
			  s ? "n" : "sum");
		}
}

void packed_bytes(struct emit *e, struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	const char *x = packed_operand(e, p);
	struct packed_activation *s = l->activation ? packed_activation(e, l, NULL) : NULL;
	struct packed_block b = { .group = GROUP,
				  .lanes = "QCC_LANES32",
				  .operand = "const uint8_t *restrict x",
				  .weight = "int8_t",
				  .step = "QCC_BYTES",
				  .symbol = weights(e, p),
				  .per_group = p->segments * run_steps(p) * 64,
				  .rolled = true,
				  .direct = packed_stores_directly(p, s, GROUP),
				  .row = s ? ARRAY_U8 : ARRAY_I32 };
	bool even = s && (s->affine || s->lines);
	P("\n/* %s. Bytes%s */\n", layer_comment(e, l), even ? ", evenly spaced thresholds" : "");
	packed_open(e, p, &b);
	sums(e, p);
	store(e, p, &b, s);
	packed_close(e, p, &b, NULL);
	packed_stack(e, p, &b, p->pixels * p->vectors * 2); /* two halves of each sum */
	packed_call(e, p, x);
}

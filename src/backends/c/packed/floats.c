/* Dense layers on floating-point operands, as in front of the first quantiser: a lane is an output, whose products
 * are added in the operands' order, fused with the addition where the machine can. Weights lie as
 * [16 outputs][operand][output]. */
#include "backends/c/packed/packed.h"

#define P(...) strbuf_printf(e->code, __VA_ARGS__)

enum { GROUP = 16 };

void packed_floats_plan(struct packed_layer *p)
{
	int64_t groups = packed_groups(p, GROUP), rows = p->layer->window.oh;
	p->pixels = rows < 4 ? rows : 4;
	p->vectors = packed_divisor(groups, p->pixels > 2 ? 4 : 8);
}

static const char *weights(struct emit *e, const struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	int64_t in = l->window.ic, groups = packed_groups(p, GROUP);
	float *to = arena_array(e->arena, float, groups *in *GROUP);
	for (int64_t o = 0; o < l->window.oc; o++)
		for (int64_t i = 0; i < in; i++)
			to[(o / GROUP * in + i) * GROUP + o % GROUP] = l->real_weights[o * in + i];
	return emit_array(e, ARRAY_F32, to, (size_t)(groups * in * GROUP), "%s_w", l->name);
}

/* Sums start with the bias. */
static void start(struct emit *e, const struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	const char *bias = NULL;
	if (l->bias) {
		float *to = arena_array(e->arena, float, packed_groups(p, GROUP) * GROUP);
		for (int64_t o = 0; o < l->window.oc; o++)
			to[o] = l->bias[o];
		bias = emit_array(e, ARRAY_F32, to, (size_t)(packed_groups(p, GROUP) * GROUP), "%s_b", l->name);
	}
	for (int64_t i = 0; i < p->pixels; i++)
		for (int64_t v = 0; v < p->vectors; v++)
			if (bias)
				P("\t\tqcc_f32 s%lld_%lld = qcc_loadf(%s + (ch + %lld) * QCC_LANES32);\n", LL(i), LL(v),
				  bias, LL(v));
			else
				P("\t\tqcc_f32 s%lld_%lld = { 0 };\n", LL(i), LL(v));
}

static void sums(struct emit *e, const struct packed_layer *p)
{
	int64_t in = p->layer->window.ic;
	P("\t\tconst float *b = x + q * %lld;\n\t\tQCC_ROLLED\n\t\tfor (int k = 0; k < %lld; k++) {\n", LL(in), LL(in));
	for (int64_t v = 0; v < p->vectors; v++)
		P("\t\t\tconst qcc_f32 w%lld = qcc_loadf(w_%lld + k * %d);\n", LL(v), LL(v), GROUP);
	for (int64_t i = 0; i < p->pixels; i++) {
		P("\t\t\tconst qcc_f32 a%lld = qcc_allf(b + %lld + k);\n", LL(i), LL(i * in));
		for (int64_t v = 0; v < p->vectors; v++)
			P("\t\t\ts%lld_%lld = qcc_fma(s%lld_%lld, a%lld, w%lld);\n", LL(i), LL(v), LL(i), LL(v), LL(i),
			  LL(v));
	}
	P("\t\t}\n");
}

void packed_floats(struct emit *e, struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	struct packed_block b = { .group = GROUP,
				  .lanes = "QCC_LANES32",
				  .operand = "const float *restrict x",
				  .weight = "float",
				  .step = "QCC_LANES32",
				  .symbol = weights(e, p),
				  .per_group = l->window.ic * GROUP,
				  .direct = l->window.oc % GROUP == 0,
				  .row = ARRAY_F32 };
	P("\n/* %s. Floats */\n", layer_comment(e, l));
	packed_open(e, p, &b);
	start(e, p);
	sums(e, p);
	for (int64_t i = 0; i < p->pixels; i++)
		for (int64_t v = 0; v < p->vectors; v++)
			P("\t\tqcc_putf(%s, s%lld_%lld);\n", packed_to(e, p, &b, i, v), LL(i), LL(v));
	packed_close(e, p, &b, NULL);
	packed_stack(e, p, &b, p->pixels * p->vectors);
	packed_call(e, p, buf_pointer(e, &e->run, l->in[0], "const float"));
}

/* The bit kernel: weights -1, 0, +1 as planes of sign and mask, operands as planes of their binary code. With
 * w = -1 or +1 (or 0) and a bit a, the sum of w * a over 64 channels is popcount((a ^ sign) & mask) less the
 * number of -1s; planes count 1, 2, 4, ... so that a layer is XOR, AND, POPCOUNT, ADD whatever its codes mean. */
#include "backends/c/packed/packed.h"

#define P(...) strbuf_printf(e->code, __VA_ARGS__)

enum { GROUP = 8 }; /* channels in 64 bytes of weights */

void packed_bits_plan(struct emit *e, struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	const struct plan_window *w = &l->window;
	int64_t groups = packed_groups(p, GROUP), columns = packed_columns(p);
	size_t words = (size_t)((w->dense ? w->oh : p->image_h * p->image_w) * p->words * p->planes);
	p->bits = packed_temporary(e, l, words * 8 + 64);
	p->pixels = columns < 4 ? columns : 4;
	int64_t room = 16 / p->planes / p->pixels;
	p->vectors = packed_divisor(groups, room < 1 ? 1 : w->dense && w->oh == 1 && room > 8 ? 8 : room);
	packed_cut_window(p);
}

/* Weights as [group][segment word][sign, mask][8 channels]. Also how many -1s each output has. */
static const char *weights(struct emit *e, const struct packed_layer *p, int64_t *negatives)
{
	const struct plan_layer *l = p->layer;
	const struct plan_window *w = &l->window;
	int64_t taps = w->kh * w->kw, groups = packed_groups(p, GROUP), kinds = p->masked ? 2 : 1;
	int64_t per_group = taps * p->words * kinds * GROUP;
	uint64_t *bits = arena_array(e->arena, uint64_t, groups * per_group);
	for (int64_t o = 0; o < w->oc; o++)
		for (int64_t c = 0; c < w->ic; c++)
			for (int64_t tap = 0; tap < taps; tap++) {
				int64_t v = l->weights[(o * w->ic + c) * taps + tap];
				uint64_t *at = bits + o / GROUP * per_group +
					       (tap * p->words + c / 64) * kinds * GROUP + o % GROUP;
				at[0] |= (uint64_t)(v < 0) << c % 64;
				if (p->masked)
					at[GROUP] |= (uint64_t)(v != 0) << c % 64;
				negatives[o] += v < 0;
			}
	return emit_array(e, ARRAY_U64, bits, (size_t)(groups * per_group), "%s_w", l->name);
}

/* Thresholds as [group][threshold][8 channels]; channels that do not exist never reach theirs. */
static const char *thresholds(struct emit *e, const struct packed_layer *p, const struct packed_activation *s)
{
	const struct plan_layer *l = p->layer;
	int64_t groups = packed_groups(p, GROUP);
	uint64_t *t = arena_array(e->arena, uint64_t, groups * s->count * GROUP);
	for (int64_t o = 0; o < groups * GROUP; o++)
		for (int64_t k = 0; k < s->count; k++) {
			int64_t v = o < l->window.oc ? s->t[o * s->count + k] : INT32_MAX;
			t[(o / GROUP * s->count + k) * GROUP + o % GROUP] = (uint64_t)(v < 0	       ? 0
										       : v > INT32_MAX ? INT32_MAX
												       : v);
		}
	return emit_array(e, ARRAY_U64, t, (size_t)(groups * s->count * GROUP), "%s_t", l->name);
}

/* ---- packing the operand ---- */

static const char *pack(struct emit *e, const struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	const struct plan_window *w = &l->window;
	const char *name = arena_printf(e->arena, "%s_pack", layer_function(e, l));
	const struct plan_buf *in = plan_root(l->in[0]);
	P("\nstatic void %s(const %s *restrict x, uint64_t *restrict bits)\n{\n", name,
	  in->holds_codes || p->image ? "uint8_t" : "int8_t");
	if (!in->holds_codes && !p->image) {
		P("\tfor (int r = 0; r < %lld; r++)\n\t\tqcc_pack_signs(bits + r * %lld, x + r * %lld, %lld);\n}\n",
		  LL(w->oh), LL(p->words), LL(w->ic), LL(w->ic));
		return name;
	}
	int64_t pixels = w->dense ? w->oh : p->image_h * p->image_w;
	P("\tfor (int i = 0; i < %lld; i++)\n\t\tqcc_pack_pixel(bits + i * %lld, x + i * %lld, %lld, %d);\n}\n",
	  LL(pixels), LL(p->words * p->planes), LL(w->ic), LL(w->ic), p->planes);
	return name;
}

/* ---- the kernel ---- */

static void declare(struct emit *e, const struct packed_layer *p, int indent)
{
	for (int64_t i = 0; i < p->pixels; i++)
		for (int64_t v = 0; v < p->vectors; v++) {
			P("%.*sqcc_u64", indent, "\t\t\t\t");
			for (int j = 0; j < p->planes; j++)
				P("%s s%lld_%lld_%d = { 0 }, t%lld_%lld_%d = { 0 }", j ? "," : "", LL(i), LL(v), j,
				  LL(i), LL(v), j);
			P(";\n");
		}
}

static void for_each(struct emit *e, const struct packed_layer *p, const char *format)
{
	for (int64_t i = 0; i < p->pixels; i++)
		for (int64_t v = 0; v < p->vectors; v++)
			for (int j = 0; j < p->planes; j++) {
				const char *n = arena_printf(e->arena, "%lld_%lld_%d", LL(i), LL(v), j);
				P(format, n, n);
			}
}

static void inner(struct emit *e, const struct packed_layer *p, int64_t pixel_stride)
{
	int kinds = p->masked ? 2 : 1;
	for (int64_t v = 0; v < p->vectors; v++) {
		P("\t\t\t\tconst qcc_u64 w%lld = qcc_load64(w_%lld + (s * SEGMENT + k) * %d);\n", LL(v), LL(v),
		  kinds * GROUP);
		if (p->masked)
			P("\t\t\t\tconst qcc_u64 m%lld = qcc_load64(w_%lld + (s * SEGMENT + k) * %d + %d);\n", LL(v),
			  LL(v), kinds * GROUP, GROUP);
	}
	for (int64_t i = 0; i < p->pixels; i++)
		for (int j = 0; j < p->planes; j++) {
			P("\t\t\t\tconst qcc_u64 a%lld_%d = qcc_all64(b + %lld + k * %d + %d);\n", LL(i), j,
			  LL(i * pixel_stride * p->planes * p->words), p->planes, j);
			for (int64_t v = 0; v < p->vectors; v++)
				P(p->masked
					  ? "\t\t\t\ts%lld_%lld_%d += qcc_count(qcc_xor_and(a%lld_%d, w%lld, m%lld));\n"
					  : "\t\t\t\ts%lld_%lld_%d += qcc_count(qcc_xor(a%lld_%d, w%lld));\n",
				  LL(i), LL(v), j, LL(i), j, LL(v), LL(v));
		}
}

/* Segments are cut so that no partial sum of bytes overflows: 31 words at most between flushes. */
static void sums(struct emit *e, const struct packed_layer *p)
{
	const struct plan_window *w = &p->layer->window;
	int64_t segment = p->segment_pixels * p->words;
	P("\t\tenum { SEGMENT = %lld };\n", LL(segment));
	P("\t\tQCC_ROLLED\n\t\tfor (int s = 0; s < %lld; s++) {\n\t\t\tconst uint64_t *b = bits + %s;\n",
	  LL(p->segments), packed_segment(e, p, p->words * p->planes));
	if (segment <= 31) {
		P("\t\t\tQCC_ROLLED\n\t\t\tfor (int k = 0; k < SEGMENT; k++) {\n");
		inner(e, p, w->dense ? 1 : w->stride_w);
		P("\t\t\t}\n");
		for_each(e, p, "\t\t\tQCC_FLUSH(t%s, s%s);\n");
	} else {
		P("\t\t\tfor (int k0 = 0; k0 < SEGMENT; k0 += 31) {\n\t\t\tconst int k1 = k0 + 31 < SEGMENT ? k0 + 31 : SEGMENT;\n"
		  "\t\t\tQCC_ROLLED\n\t\t\tfor (int k = k0; k < k1; k++) {\n");
		inner(e, p, w->dense ? 1 : w->stride_w);
		P("\t\t\t}\n");
		for_each(e, p, "\t\t\tQCC_FLUSH(t%s, s%s);\n");
		P("\t\t\t}\n");
	}
	P("\t\t}\n");
}

/* The sum over planes of pixel i, vector v. */
static void total(struct emit *e, const struct packed_layer *p, int64_t i, int64_t v)
{
	P("\t\t{\n\t\t\tqcc_u64 sum = QCC_TOTAL(t%lld_%lld_0, s%lld_%lld_0)", LL(i), LL(v), LL(i), LL(v));
	for (int j = 1; j < p->planes; j++)
		P(" + (QCC_TOTAL(t%lld_%lld_%d, s%lld_%lld_%d) << %d)", LL(i), LL(v), j, LL(i), LL(v), j, j);
	P(";\n");
}

static void count(struct emit *e, const struct packed_activation *s, const char *t, int64_t v)
{
	P("\t\t\tconst uint64_t *t = %s + (ch + %lld) / QCC_SPLIT * %lld + (ch + %lld) %% QCC_SPLIT * QCC_LANES64;\n",
	  t, LL(v), LL(s->count * GROUP), LL(v));
	P("\t\t\tqcc_u64 n = { 0 };\n");
	for (int64_t k = 0; k < s->count; k++)
		P("\t\t\tn = qcc_reach64(n, sum, t + %lld);\n", LL(k * GROUP));
}

static void store(struct emit *e, const struct packed_layer *p, const struct packed_block *b,
		  const struct packed_activation *s, const char *t)
{
	for (int64_t i = 0; i < p->pixels; i++)
		for (int64_t v = 0; v < p->vectors; v++) {
			total(e, p, i, v);
			if (s)
				count(e, s, t, v);
			P("\t\t\t%s(%s, %s);\n\t\t}\n", s ? "qcc_store64" : "qcc_put64", packed_to(e, p, b, i, v),
			  s ? "n" : "sum");
		}
}

static void kernel(struct emit *e, struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	const struct plan_window *w = &l->window;
	int64_t *negatives = arena_array(e->arena, int64_t, w->oc);
	struct packed_block b = { .group = GROUP,
				  .lanes = "QCC_LANES64",
				  .operand = "const uint64_t *restrict bits",
				  .weight = "uint64_t",
				  .step = "QCC_LANES64",
				  .symbol = weights(e, p, negatives),
				  .per_group = w->kh * w->kw * p->words * (p->masked ? 2 : 1) * GROUP };
	for (int64_t o = 0; o < w->oc; o++)
		negatives[o] *= (1 << p->planes) - 1;
	struct packed_activation *s = l->activation ? packed_activation(e, l, negatives) : NULL;
	const char *t = s ? thresholds(e, p, s) : NULL;
	b.direct = packed_stores_directly(p, s, GROUP);
	b.row = s ? ARRAY_U8 : ARRAY_I64;
	P("\n/* %s. Bits: %d plane%s, %s weights */\n", layer_comment(e, l), p->planes, p->planes > 1 ? "s" : "",
	  p->masked ? "ternary" : "bipolar");
	packed_open(e, p, &b);
	declare(e, p, 2);
	sums(e, p);
	store(e, p, &b, s, t);
	packed_close(e, p, &b, negatives);
	packed_stack(e, p, &b, p->pixels * p->vectors * p->planes * 2 + 2);
}

/* Bits of the network's input can come from the caller: NAME_run_bits. */
static void bits_entry(struct emit *e, const struct packed_layer *p, const char *bits)
{
	struct entry *entry = &e->out->entry;
	entry->suffix = "bits";
	entry->type = "uint64_t";
	entry->from = bits;
	strbuf_printf(
		&entry->header,
		"\n"
		"/* One sample of input 0 as bits: bit i %% 64 of word i / 64 is set where element i is above 0. The last word's\n"
		" * further bits are 0. */\n#define %s_INPUT0_WORDS %lld\n",
		e->out->upper, LL(p->words * p->layer->window.oh));
}

void packed_bits(struct emit *e, struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	bool entry = !p->image && p->planes == 1 && l->window.oh == 1 && packed_is_entry(e, l);
	struct calls *packing = entry ? &e->out->entry.before : &e->run;
	const char *x = packed_operand(e, p), *packer = pack(e, p),
		   *bits = buf_pointer(e, packing, p->bits, "uint64_t");
	kernel(e, p);
	strbuf_printf(&packing->text, "\t%s(%s, %s);\n", packer, x, bits);
	if (entry)
		bits_entry(e, p, bits);
	packed_call(e, p, entry ? "in0" : buf_pointer(e, &e->run, p->bits, "uint64_t"));
}

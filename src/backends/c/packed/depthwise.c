/* Depthwise convolution: each lane computes a channel, four taps of its window at a time. The four lie below each other, or
 * beside each other where the window is low; a block of pixels shares what its windows have in common. Weights lie as
 * [four taps][place across][channel][4], channels up to a multiple of 16, taps beyond the window 0. */
#include "backends/c/packed/packed.h"

#define P(...) strbuf_printf(e->code, __VA_ARGS__)

enum { GROUP = 16, MOST_PIXELS = 6, UNROLLED = 12 };

/* How the window is read: `along` taps by fours, `across` by places. Steps are in elements of the operand. */
struct reading {
	int64_t along, across;
	int64_t along_step, across_step;
	int64_t pixel_step;
	int64_t channels; /* padded */
	int64_t pixels;	  /* of a block */
	bool upright;	  /* along a column of the window */
};

static int64_t blocks_cost(int64_t columns, int64_t pixels, const struct plan_window *w)
{
	int64_t blocks = (columns + pixels - 1) / pixels;
	return blocks * (pixels * (w->kw + 4) + 3 * ((pixels - 1) * w->stride_w + w->kw));
}

static int64_t block_of(const struct plan_window *w)
{
	int64_t best = 1;
	for (int64_t n = 2; n <= MOST_PIXELS && n <= w->ow; n++)
		if (blocks_cost(w->ow, n, w) <= blocks_cost(w->ow, best, w))
			best = n;
	return best;
}

static struct reading reading_of(const struct packed_layer *p)
{
	const struct plan_window *w = &p->layer->window;
	int64_t down = w->dilation_h * p->image_w * w->ic, right = w->dilation_w * w->ic;
	struct reading r = { .upright = w->kh >= 3 || w->kh >= w->kw };
	r.along = r.upright ? w->kh : w->kw;
	r.across = r.upright ? w->kw : w->kh;
	r.along_step = r.upright ? down : right;
	r.across_step = r.upright ? right : down;
	r.pixel_step = w->stride_w * w->ic;
	r.channels = (w->oc + GROUP - 1) / GROUP * GROUP;
	r.pixels = block_of(w);
	return r;
}

static const char *weights(struct emit *e, const struct plan_layer *l, const struct reading *r)
{
	const struct plan_window *w = &l->window;
	int64_t fours = (r->along + 3) / 4, n = fours * r->across * r->channels * 4;
	int8_t *to = arena_array(e->arena, int8_t, n);
	for (int64_t o = 0; o < w->oc; o++)
		for (int64_t a = 0; a < r->along; a++)
			for (int64_t c = 0; c < r->across; c++) {
				int64_t tap = r->upright ? a * w->kw + c : c * w->kw + a;
				to[((a / 4 * r->across + c) * r->channels + o) * 4 + a % 4] =
					(int8_t)l->weights[o * w->kh * w->kw + tap];
			}
	return emit_array(e, ARRAY_U64, to, (size_t)n / 8, "%s_w", l->name);
}

/* The sums that the column at that offset takes part in. */
static void use_column(struct emit *e, const struct reading *r, int64_t at, int64_t n, const char *tabs)
{
	for (int64_t i = 0; i < r->pixels; i++)
		for (int64_t c = 0; c < r->across; c++)
			if (i * r->pixel_step + c * r->across_step == at)
				P("%ss%lld = qcc_add_column(s%lld, column, w%lld, %lld);\n", tabs, LL(i), LL(i), LL(c),
				  LL(n));
}

static bool is_first(const struct reading *r, int64_t pixel, int64_t place)
{
	int64_t at = pixel * r->pixel_step + place * r->across_step;
	for (int64_t i = 0; i < pixel; i++)
		for (int64_t c = 0; c < r->across; c++)
			if (i * r->pixel_step + c * r->across_step == at)
				return false;
	return true;
}

/* All places of n taps along, from b on with the weights w; each column of operands is read once. */
static void places(struct emit *e, const struct reading *r, int64_t n, const char *tabs)
{
	for (int64_t c = 0; c < r->across; c++)
		P("%sconst qcc_taps w%lld = qcc_read_taps(w + %lld);\n", tabs, LL(c), LL(c * r->channels * 4));
	for (int64_t i = 0; i < r->pixels; i++)
		for (int64_t c = 0; c < r->across; c++) {
			int64_t at = i * r->pixel_step + c * r->across_step;
			if (!is_first(r, i, c))
				continue;
			P("%s{\n%s\tconst qcc_column column = qcc_read_column(b + %lld, %lld, %lld);\n", tabs, tabs,
			  LL(at), LL(r->along_step), LL(n));
			use_column(e, r, at, n, arena_printf(e->arena, "%s\t", tabs));
			P("%s}\n", tabs);
		}
}

/* The same where there are many places: a loop over them. */
static void rolled_places(struct emit *e, const struct reading *r, int64_t n, const char *tabs)
{
	P("%sQCC_ROLLED\n%sfor (int c = 0; c < %lld; c++) {\n%s\tconst qcc_taps wc = qcc_read_taps(w + c * %lld);\n",
	  tabs, tabs, LL(r->across), tabs, LL(r->channels * 4));
	for (int64_t i = 0; i < r->pixels; i++)
		P("%s\ts%lld = qcc_add_column(s%lld, qcc_read_column(b + %lld + c * %lld, %lld, %lld), wc, %lld);\n",
		  tabs, LL(i), LL(i), LL(i * r->pixel_step), LL(r->across_step), LL(r->along_step), LL(n), LL(n));
	P("%s}\n", tabs);
}

static void taps(struct emit *e, const struct reading *r, int64_t first, int64_t n, const char *tabs)
{
	const char *symbol = arena_printf(e->arena, "%s\t", tabs);
	P("%s{\n%s\tconst uint8_t *b = start + %lld;\n%s\tconst int8_t *w = from + %lld;\n", tabs, tabs,
	  LL(first * r->along_step), tabs, LL(first * r->across * r->channels));
	if (r->across > UNROLLED)
		rolled_places(e, r, n, symbol);
	else
		places(e, r, n, symbol);
	P("%s}\n", tabs);
}

static void sums(struct emit *e, const struct reading *r)
{
	int64_t fours = r->along / 4, rest = r->along % 4, first = 0;
	for (int64_t i = 0; i < r->pixels; i++)
		P("\t\tqcc_i32 s%lld = { 0 };\n", LL(i));
	if (fours > 1) {
		P("\t\tQCC_ROLLED\n\t\tfor (int k = 0; k < %lld; k++) {\n", LL(fours));
		taps(e, r, 0, 4, "\t\t\t");
		P("\t\t\tstart += %lld;\n\t\t\tfrom += %lld;\n\t\t}\n", LL(4 * r->along_step),
		  LL(4 * r->across * r->channels));
	} else if (fours) {
		taps(e, r, 0, 4, "\t\t");
		first = 4;
	}
	if (rest)
		taps(e, r, first, rest, "\t\t");
}

static void store(struct emit *e, const struct packed_layer *p, const struct reading *r,
		  const struct packed_activation *s, bool direct)
{
	const struct plan_window *w = &p->layer->window;
	struct packed_constants k = { 0 };
	if (s)
		k = packed_constants(e, p->layer, s);
	for (int64_t i = 0; i < r->pixels; i++) {
		const char *to = direct ? arena_printf(e->arena, "y + (p * %lld + q + %lld) * %lld + o", LL(w->ow),
						       LL(i), LL(w->oc))
					: arena_printf(e->arena, "row%lld + o", LL(i));
		P("\t\t{\n\t\t\tconst qcc_i32 sum = s%lld;\n", LL(i));
		if (s)
			packed_count(e, s, &k, 3, "o");
		P("\t\t\t%s(%s, %s);\n\t\t}\n", s ? "qcc_store32" : "qcc_put32", to, s ? "n" : "sum");
	}
}

static void finish_rows(struct emit *e, const struct packed_layer *p, const struct reading *r, const char *type)
{
	const struct plan_window *w = &p->layer->window;
	for (int64_t i = 0; i < r->pixels; i++) {
		P("\t\t{\n\t\t\tconst %s *row = row%lld;\n", type, LL(i));
		packed_finish(e, p->layer, NULL, 3,
			      arena_printf(e->arena, "(p * %lld + q + %lld) * %lld", LL(w->ow), LL(i), LL(w->oc)));
		P("\t\t}\n");
	}
}

static void open_block(struct emit *e, const struct packed_layer *p, const struct reading *r)
{
	const struct plan_window *w = &p->layer->window;
	P("\tfor (int p = 0; p < %lld; p++)\n", LL(w->oh));
	if (w->ow % r->pixels == 0)
		P("\tfor (int q = 0; q < %lld; q += %lld) {\n", LL(w->ow), LL(r->pixels));
	else
		P("\tfor (int q0 = 0; q0 < %lld; q0 += %lld) {\n\t\tconst int q = q0 < %lld ? q0 : %lld;\n", LL(w->ow),
		  LL(r->pixels), LL(w->ow - r->pixels), LL(w->ow - r->pixels));
}

void packed_depthwise(struct emit *e, struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	const struct plan_window *w = &l->window;
	const struct reading r = reading_of(p);
	const char *x = packed_operand(e, p), *from = weights(e, l, &r);
	struct packed_activation *s = l->activation ? packed_activation(e, l, NULL) : NULL;
	bool direct = packed_stores_directly(p, s, GROUP);
	const char *type = s ? "uint8_t" : "int32_t";
	P("\n/* %s. Depthwise, codes */\n", layer_comment(e, l));
	P("static void %s(const uint8_t *restrict x, %s *restrict y)\n{\n", layer_function(e, l), buf_ctype(l->out));
	open_block(e, p, &r);
	for (int64_t i = 0; i < r.pixels && !direct; i++)
		P("\t\t%s row%lld[%lld];\n", type, LL(i), LL(r.channels));
	P("\t\tQCC_ROLLED\n\t\tfor (int o = 0; o < %lld; o += QCC_LANES32) {\n", LL(r.channels));
	P("\t\tconst uint8_t *start = x + (p * %lld * %lld + q * %lld) * %lld + o;\n", LL(w->stride_h), LL(p->image_w),
	  LL(w->stride_w), LL(w->ic));
	P("\t\tconst int8_t *from = (const int8_t *)%s + o * 4;\n", from);
	sums(e, &r);
	store(e, p, &r, s, direct);
	P("\t\t}\n");
	if (!direct)
		finish_rows(e, p, &r, type);
	P("\t}\n}\n");
	e->stack += (direct ? 0 : (size_t)(r.pixels * r.channels) * (s ? 1 : 4)) +
		    (size_t)(3 * r.pixels + (r.across > UNROLLED ? 1 : r.across) + 2) * 32;
	packed_call(e, p, x);
}

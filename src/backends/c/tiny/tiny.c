/* The style `tiny`, for microcontrollers: descriptions of layers for one shared kernel, weights packed to the bits
 * they need or listed where most are zero, buffers of the smallest plain types. Layers that the kernel does not
 * know are written out as in the reference style. */
#include "backends/c/reference/reference.h"
#include "backends/c/runtime.h"

/* ---- weights ---- */

struct bytes {
	uint8_t *data;
	size_t size;
};

/* Forms of weights that some layer has. */
struct forms {
	bool listed, packed;
};

static bool bipolar(const struct plan_layer *l)
{
	for (int64_t i = 0; i < plan_layer_weights(l); i++)
		if (l->weights[i] != 1 && l->weights[i] != -1)
			return false;
	return true;
}

static int weight_bits(const struct plan_layer *l)
{
	if (bipolar(l))
		return 1;
	int bits = plan_bits(l->weight_lo < -1 ? l->weight_lo : -1, l->weight_hi);
	return bits <= 2 ? 2 : bits <= 4 ? 4 : 8;
}

/* [output][tap][operand]; each run of operands starts a byte. */
static struct bytes pack_weights(struct emit *e, const struct plan_layer *l, int bits)
{
	const struct plan_window *w = &l->window;
	int64_t n = w->ic / w->group, taps = w->kh * w->kw, run = (n * bits + 7) / 8;
	struct bytes b = { .size = (size_t)(w->oc * taps * run) };
	b.data = arena_alloc(e->arena, b.size);
	for (int64_t o = 0; o < w->oc; o++)
		for (int64_t t = 0; t < taps; t++)
			for (int64_t i = 0; i < n; i++) {
				int64_t v = l->weights[(o * n + i) * taps + t];
				unsigned field = bits == 1 ? v > 0 : (unsigned)v & ((1u << bits) - 1);
				b.data[(o * taps + t) * run + i * bits / 8] |= (uint8_t)(field << (i * bits % 8));
			}
	return b;
}

static void list_add(struct strbuf *b, const struct plan_layer *l, int64_t o, int32_t sign)
{
	int64_t last = -1;
	for (int64_t i = 0; i < l->window.ic; i++) {
		if (l->weights[o * l->window.ic + i] != sign)
			continue;
		for (; i - last >= 255; last += 255)
			strbuf_add(b, "\xff", 1);
		char d = (char)(i - last);
		strbuf_add(b, &d, 1);
		last = i;
	}
	strbuf_add(b, "", 1);
}

/* Distances between the operands with weight +1, then -1, of each output. */
static struct bytes list_weights(struct emit *e, const struct plan_layer *l)
{
	struct strbuf b = { 0 };
	for (int64_t o = 0; o < l->window.oc; o++) {
		list_add(&b, l, o, 1);
		list_add(&b, l, o, -1);
	}
	struct bytes list = { arena_copy(e->arena, b.text, b.length), b.length };
	strbuf_free(&b);
	return list;
}

/* ---- one layer ---- */

static bool knows(const struct plan_layer *l)
{
	const struct plan_window *w = &l->window;
	const struct plan_buf *in = l->in[0];
	bool small = w->ic < 65536 && w->ih < 65536 && w->iw < 65536 && w->oc < 65536 && w->oh < 65536 &&
		     w->ow < 65536 && w->kh < 256 && w->kw < 256 && w->stride_h < 256 && w->stride_w < 256 &&
		     w->dilation_h < 256 && w->dilation_w < 256 && w->pad_top < 256 && w->pad_left < 256;
	bool activation = !l->activation || (l->activation->count < 256 && l->activation->base >= -128 &&
					     l->activation->base < 128 && l->activation->step < 128);
	return l->kind == PLAN_MAC && !l->real && (in->elem == PLAN_I8 || in->elem == PLAN_U8) &&
	       l->weight_lo >= -128 && l->weight_hi <= 127 && l->acc_lo > INT32_MIN && l->acc_hi < INT32_MAX &&
	       l->out->elem != PLAN_I64 && !w->batch && w->in_last && w->out_last && small && activation;
}

static const char *threshold_constants(struct emit *e, const struct plan_layer *l, bool *wide)
{
	const struct plan_activation *s = l->activation;
	size_t n = (size_t)(s->channels * s->count);
	int16_t *narrow = arena_array(e->arena, int16_t, n);
	int32_t *full = arena_array(e->arena, int32_t, n);
	*wide = false;
	for (size_t i = 0; i < n; i++) {
		*wide |= s->t[i] < INT16_MIN || s->t[i] > INT16_MAX;
		narrow[i] = (int16_t)s->t[i];
		full[i] = (int32_t)s->t[i];
	}
	return *wide ? emit_array(e, ARRAY_I32, full, n, "%s_t", l->name)
		     : emit_array(e, ARRAY_I16, narrow, n, "%s_t", l->name);
}

static const char *bias_constants(struct emit *e, const struct plan_layer *l)
{
	int32_t *b = arena_array(e->arena, int32_t, l->window.oc);
	if (!l->int_bias)
		return "0";
	for (int64_t o = 0; o < l->window.oc; o++)
		b[o] = (int32_t)l->int_bias[o];
	return emit_array(e, ARRAY_I32, b, (size_t)l->window.oc, "%s_b", l->name);
}

/* Says to the kernels that weights of this form are there. */
static void use_form(struct emit *e, bool listed)
{
	struct forms *f = e->style_data;
	bool *known = listed ? &f->listed : &f->packed;
	if (!*known)
		strbuf_puts(&e->out->includes, listed ? "#define QCC_TINY_LISTS\n" : "#define QCC_TINY_PACKED\n");
	*known = true;
}

static void describe(struct emit *e, const struct plan_layer *l)
{
	const struct plan_window *w = &l->window;
	int bits = weight_bits(l);
	struct bytes packed = pack_weights(e, l, bits);
	bool wide = false, listed = false;
	if (w->dense && w->oh == 1 && l->weight_lo >= -1 && l->weight_hi <= 1) {
		struct bytes list = list_weights(e, l);
		listed = list.size < packed.size;
		packed = listed ? list : packed;
	}
	const char *weights = emit_array(e, ARRAY_U8, packed.data, packed.size, "%s_w", l->name);
	const char *t = l->activation ? threshold_constants(e, l, &wide) : "0", *b = bias_constants(e, l);
	struct strbuf *c = e->code;
	strbuf_printf(c, "\n/* %s */\nstatic const struct qcc_tiny %s_%s = {\n", layer_comment(e, l), e->name, l->name);
	strbuf_printf(c, "\t.weights = %s, .thresholds = %s, .bias = %s,\n", weights, t, b);
	strbuf_printf(c, "\t.ic = %lld, .ih = %lld, .iw = %lld, .oc = %lld, .oh = %lld, .ow = %lld,\n", LL(w->ic),
		      LL(w->ih), LL(w->iw), LL(w->oc), LL(w->oh), LL(w->ow));
	strbuf_printf(
		c,
		"\t.run = %lld, .group_in = %lld, .group_out = %lld, .kh = %lld, .kw = %lld, .stride_h = %lld, .stride_w = %lld,\n",
		LL((w->ic / w->group * bits + 7) / 8), LL(w->ic / w->group), LL(w->oc / w->group), LL(w->kh), LL(w->kw),
		LL(w->stride_h), LL(w->stride_w));
	strbuf_printf(c, "\t.dilation_h = %lld, .dilation_w = %lld, .pad_top = %lld, .pad_left = %lld,\n",
		      LL(w->dilation_h), LL(w->dilation_w), LL(w->pad_top), LL(w->pad_left));
	strbuf_printf(
		c,
		"\t.bits = %d, .flip = %d, .count = %lld, .per_channel = %d, .wide = %d, .out_size = %zu, .base = %lld, .step = %lld,\n};\n",
		listed ? 0 : bits, l->in[0]->elem == PLAN_I8 ? 128 : 0, LL(l->activation ? l->activation->count : 0),
		l->activation && l->activation->channels > 1, wide, plan_elem_size(l->out->elem),
		LL(l->activation ? l->activation->base : 0), LL(l->activation ? l->activation->step : 1));
	strbuf_printf(&e->run.text, "\tqcc_tiny_layer(&%s_%s, %s, %s);\n", e->name, l->name,
		      buf_pointer(e, &e->run, l->in[0], "const uint8_t"),
		      buf_pointer(e, &e->run, l->out, buf_ctype(l->out)));
	use_form(e, listed);
}

static int tiny_layers(struct emit *e)
{
	e->style_data = arena_new(e->arena, struct forms);
	for (const struct plan_layer *l = e->plan->layers; l; l = l->next) {
		size_t before = e->constants->bytes;
		bool known = knows(l);
		if (known)
			describe(e, l);
		else
			ref_layer(e, l);
		e->out->kernels |= known;
		emit_layer_report(e, l, before, known ? "shared" : "reference");
	}
	return 0;
}

const struct style style_tiny = {
	.name = "tiny",
	.folder = "c-tiny",
	.plan = { .channels_last = true, .fuse = true, .absorb = true },
	.align = 8, /* of int64_t, which sums beyond 32 bits take */
	.size = emit_plain_sizes,
	.layers = tiny_layers,
	.flash = true,
	.kernels = runtime_tiny,
};

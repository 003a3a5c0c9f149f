/* The style `packed`: which kernel computes each layer, by what it costs, and how buffers are stored: integers of
 * at most 256 values as unsigned bytes (v - base) / step, images with their channels last. */
#include "backends/c/packed/packed.h"
#include "backends/c/reference/reference.h"
#include "backends/c/runtime.h"

#include <math.h>

static struct packed_layer *layer_of(struct emit *e, const struct plan_layer *l)
{
	return &((struct packed_layer *)e->style_data)[l->index];
}

struct plan_buf *packed_temporary(struct emit *e, const struct plan_layer *l, size_t bytes)
{
	struct plan_buf *b = arena_new(&e->plan->arena, struct plan_buf);
	b->name = "temporary";
	b->elem = PLAN_U8;
	b->holds_codes = true;
	b->born = b->dies = l->index;
	b->bytes = bytes;
	e->plan->last_buf->next = b;
	e->plan->last_buf = b;
	e->plan->n_bufs++;
	return b;
}

bool packed_is_entry(const struct emit *e, const struct plan_layer *l)
{
	const struct plan *p = e->plan;
	const struct plan_buf *in = l->n_in ? plan_root(l->in[0]) : NULL;
	if (e->samples || l != p->layers || !in || in->role != PLAN_INPUT || p->n_inputs != 1)
		return false;
	for (const struct plan_layer *k = l->next; k; k = k->next)
		for (size_t i = 0; i < k->n_in; i++)
			if (plan_root(k->in[i]) == in)
				return false;
	return true;
}

int64_t packed_divisor(int64_t n, int64_t limit)
{
	for (int64_t d = limit < n ? limit : n; d > 1; d--)
		if (n % d == 0)
			return d;
	return 1;
}

/* ---- how buffers are stored ---- */

static void choose_codes(struct plan *p)
{
	for (struct plan_buf *b = p->bufs; b; b = b->next)
		if (!b->same && !b->real && b->role == PLAN_INNER && plan_levels(b) <= 256) {
			b->holds_codes = true;
			b->elem = PLAN_U8;
		}
}

/* A padded operand must have a code for 0. */
static void code_zero(const struct plan_layer *l)
{
	struct plan_buf *b = plan_root(l->in[0]);
	int64_t base = b->base < 0 ? b->base : 0, top = b->hi > 0 ? b->hi : 0;
	if (b->real || b->role != PLAN_INNER)
		return;
	if (b->base <= 0 && -b->base % b->step == 0 && b->hi >= 0)
		return;
	b->base = base;
	b->step = 1;
	b->hi = top;
	b->holds_codes = top - base < 256;
	b->elem = b->holds_codes ? PLAN_U8 : plan_elem_for(base, top);
}

static void share_storage(struct plan *p)
{
	for (struct plan_buf *b = p->bufs; b; b = b->next) {
		struct plan_buf *root = plan_root(b);
		b->holds_codes = root->holds_codes;
		b->elem = root->elem;
		b->base = root->base;
		b->step = root->step;
		b->hi = root->hi;
		b->bytes =
			b->same ? 0 : (size_t)b->count * plan_elem_size(b->elem) + 64; /* vectors read beyond the end */
	}
}

/* ---- which kernel ---- */

/* Codes for the operand: those it has, or those it gets on the way into the kernel. */
static bool has_codes(const struct plan_layer *l)
{
	const struct plan_buf *b = plan_root(l->in[0]);
	return !b->real && plan_levels(b) <= 256;
}

static int planes_of(const struct plan_layer *l)
{
	return plan_bits(0, plan_levels(plan_root(l->in[0])) - 1);
}

/* Cycles, for a machine with two vector units of 512 bits: a word of a plane takes a logic operation, a count (one
 * unit) and an addition for 8 channels; a step of four bytes one dot product for 16. */
static double cost_bits(const struct packed_layer *p, bool masked)
{
	const struct plan_window *w = &p->layer->window;
	double steps = (double)(w->kh * w->kw) * (double)((w->ic + 63) / 64) * (double)((w->oc + 7) / 8) *
		       (double)(w->oh * w->ow);
	double pack = (double)(p->image_h * p->image_w) * (double)((w->ic + 63) / 64) * 4;
	return p->planes * (steps * (masked ? 1.6 : 1.5) + pack);
}

static double cost_bytes(const struct packed_layer *p)
{
	const struct plan_window *w = &p->layer->window;
	double run = w->dilation_w == 1 ? (double)((w->kw * w->ic + 3) / 4) : (double)w->kw * (double)((w->ic + 3) / 4);
	return (double)w->kh * run * (double)((w->oc + 15) / 16) * (double)(w->oh * w->ow) * 0.75;
}

static bool no_zero(const struct plan_layer *l)
{
	for (int64_t i = 0; i < plan_layer_weights(l); i++)
		if (l->weights[i] == 0)
			return false;
	return true;
}

/* Sums of codes must fit 32 bits. */
static bool sums_fit(const struct plan_layer *l)
{
	int64_t most = l->weight_hi > -l->weight_lo ? l->weight_hi : -l->weight_lo;
	return most * plan_levels(plan_root(l->in[0])) * (plan_layer_weights(l) / l->window.oc) < INT32_MAX / 2;
}

static void image(struct emit *e, struct packed_layer *p)
{
	const struct plan_window *w = &p->layer->window;
	const struct plan_buf *in = plan_root(p->layer->in[0]);
	bool signs = p->kernel == PACKED_BITS && in->elem == PLAN_I8 && in->step == 2 && in->base == -1 && w->dense;
	p->zero = in->step ? -in->base / in->step : 0;
	if (!w->padded && w->in_last && (in->holds_codes || signs))
		return;
	p->image = packed_temporary(e, p->layer, (size_t)(p->image_h * p->image_w * w->ic) + 64);
}

static void image_dims(struct packed_layer *p)
{
	const struct plan_window *w = &p->layer->window;
	int64_t h = (w->oh - 1) * w->stride_h + (w->kh - 1) * w->dilation_h + 1;
	int64_t v = (w->ow - 1) * w->stride_w + (w->kw - 1) * w->dilation_w + 1;
	p->image_h = !w->padded || w->pad_top + w->ih > h ? w->pad_top + w->ih : h;
	p->image_w = !w->padded || w->pad_left + w->iw > v ? w->pad_left + w->iw : v;
}

static bool choose_floats(struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	if (!l->real || !l->in[0]->real || !l->window.dense || l->activation || l->window.oc < 4)
		return false;
	p->kernel = PACKED_FLOATS;
	p->cost = (double)(l->window.ic * l->window.oh) * (double)((l->window.oc + 15) / 16) / 2;
	packed_floats_plan(p);
	return true;
}

static void choose_mac(struct emit *e, struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	const struct plan_window *w = &l->window;
	bool byte_weights = l->weight_lo >= INT8_MIN && l->weight_hi <= INT8_MAX;
	if (choose_floats(p))
		return;
	bool byte_counts = !l->activation || l->activation->count <= UINT8_MAX; /* kernels keep them in rows of bytes */
	if (l->real || !l->weights || !has_codes(l) || !sums_fit(l) || !byte_weights || !byte_counts || !w->out_last)
		return;
	image_dims(p);
	if (w->group == w->ic && w->oc == w->ic && w->group > 1)
		p->kernel = PACKED_DEPTHWISE;
	else if (w->group == 1)
		p->kernel = PACKED_BYTES;
	else
		return;
	p->planes = planes_of(l);
	p->words = (w->ic + 63) / 64;
	p->masked = !no_zero(l);
	if (p->kernel == PACKED_BYTES && l->weight_lo >= -1 && l->weight_hi <= 1 && p->planes <= 4 &&
	    cost_bits(p, p->masked) < cost_bytes(p))
		p->kernel = PACKED_BITS;
	p->cost = p->kernel == PACKED_BITS ? cost_bits(p, p->masked) : cost_bytes(p);
	image(e, p);
	if (p->kernel == PACKED_BITS)
		packed_bits_plan(e, p);
	else
		packed_bytes_plan(e, p);
}

static void choose(struct emit *e, struct packed_layer *p)
{
	const struct plan_layer *l = p->layer;
	const struct plan_window *w = &l->window;
	if (w->batch)
		return; /* several images: plain loops */
	if (l->kind == PLAN_MAC)
		choose_mac(e, p);
	else if (l->kind == PLAN_MAXPOOL && !w->padded && w->in_last && w->out_last &&
		 plan_root(l->in[0])->holds_codes && plan_root(l->out)->holds_codes &&
		 plan_root(l->in[0])->base == plan_root(l->out)->base &&
		 plan_root(l->in[0])->step == plan_root(l->out)->step)
		p->kernel = PACKED_MAXPOOL;
	else if (l->kind == PLAN_THRESHOLD && l->activation->real &&
		 (l->in[0]->channels_last == l->out->channels_last || (l->out->channels_last && l->out->dims[0] == 1)))
		p->kernel = PACKED_QUANTISE;
}

static void packed_size(struct emit *e)
{
	struct packed_layer *all = arena_array(e->arena, struct packed_layer, e->plan->n_layers + 1);
	e->style_data = all;
	choose_codes(e->plan);
	for (const struct plan_layer *l = e->plan->layers; l; l = l->next)
		if (l->kind == PLAN_MAC && l->window.padded)
			code_zero(l);
	share_storage(e->plan);
	for (const struct plan_layer *l = e->plan->layers; l; l = l->next) {
		all[l->index].layer = l;
		choose(e, &all[l->index]);
	}
}

/* ---- blocks of samples ---- */

enum { BLOCK = 8, FIRST_CACHE = 32768 };

/* Cycles of layer p's longest chain of additions: one sample of a small layer takes that, not its throughput. */
static double chain(const struct packed_layer *p)
{
	const struct plan_window *w = &p->layer->window;
	switch (p->kernel) {
	case PACKED_BYTES: return (double)((w->ic + 3) / 4) * 5; /* a dot product's latency */
	case PACKED_FLOATS: return (double)w->ic * 4;
	case PACKED_BITS: return (double)p->words + 8;
	default: return 0;
	}
}

/* Side by side where that is estimated to save some of the time, and results of a block stay in the first cache. */
static int64_t packed_samples(struct emit *e)
{
	const double call = 10; /* of a layer's function */
	double alone = 0, together = 0;
	for (const struct plan_layer *l = e->plan->layers; l; l = l->next) {
		const struct packed_layer *p = layer_of(e, l);
		double blocks =
			ceil((double)l->window.oc / 16 / 8) * (double)l->window.oh; /* chains that follow another */
		alone += fmax(p->cost, chain(p) * blocks) + call;
		together += p->cost + call / BLOCK;
	}
	return e->plan->arena_bytes * BLOCK <= FIRST_CACHE && alone > 1.03 * together ? BLOCK : 1;
}

/* ---- emission ---- */

static int packed_layers(struct emit *e)
{
	static const char *const name[] = {
		"reference", "bits", "bytes", "depthwise", "maxpool", "quantise", "floats"
	};
	static void (*const emit_kernel[])(struct emit * e, struct packed_layer * p) = {
		[PACKED_BITS] = packed_bits,	       [PACKED_BYTES] = packed_bytes,
		[PACKED_DEPTHWISE] = packed_depthwise, [PACKED_MAXPOOL] = packed_maxpool,
		[PACKED_QUANTISE] = packed_quantise,   [PACKED_FLOATS] = packed_floats,
	};
	e->out->kernels = true;
	for (const struct plan_layer *l = e->plan->layers; l; l = l->next) {
		struct packed_layer *p = layer_of(e, l);
		size_t before = e->constants->bytes;
		if (p->kernel == PACKED_REFERENCE) {
			ref_layer(e, l);
			/* loops that compilers turn into vectors at -O3, of 64 bits where sums are multiplied */
			e->stack += l->activation && l->activation->lines ? 704 : 192;
		} else {
			emit_kernel[p->kernel](e, p);
		}
		emit_layer_report(e, l, before, name[p->kernel]);
		e->out->dispatch |= p->kernel != PACKED_REFERENCE && !e->out->single_target;
	}
	return 0;
}

const struct style style_packed = {
	.name = "packed",
	.folder = "c-packed",
	.plan = { .channels_last = true, .fuse = true, .absorb = true },
	.align = 64,
	.size = packed_size,
	.layers = packed_layers,
	.samples = packed_samples,
	.has_dispatch = true,
	.kernels = runtime_packed,
};

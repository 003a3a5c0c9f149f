/* The plan's own functions: element types, lives and places of buffers, figures of layers. */
#include "plan/plan.h"

#include <stdlib.h>

enum plan_elem plan_elem_for(int64_t lo, int64_t hi)
{
	if (lo >= 0)
		return hi <= UINT8_MAX ? PLAN_U8 : hi <= UINT16_MAX ? PLAN_U16 : hi <= INT32_MAX ? PLAN_I32 : PLAN_I64;
	if (lo >= INT8_MIN && hi <= INT8_MAX)
		return PLAN_I8;
	if (lo >= INT16_MIN && hi <= INT16_MAX)
		return PLAN_I16;
	return lo >= INT32_MIN && hi <= INT32_MAX ? PLAN_I32 : PLAN_I64;
}

size_t plan_elem_size(enum plan_elem e)
{
	static const size_t size[] = {
		[PLAN_I8] = 1,	[PLAN_U8] = 1,	[PLAN_I16] = 2, [PLAN_U16] = 2,
		[PLAN_I32] = 4, [PLAN_I64] = 8, [PLAN_F32] = 4,
	};
	return size[e];
}

int plan_bits(int64_t lo, int64_t hi)
{
	return datatype_bits(datatype_for_range(lo, hi));
}

const char *plan_kind_name(const struct plan_layer *l)
{
	static const char *const name[] = {
		[PLAN_MAC] = "conv",	    [PLAN_DECONV] = "deconv",	[PLAN_THRESHOLD] = "threshold",
		[PLAN_MAXPOOL] = "maxpool", [PLAN_SUM] = "sum",		[PLAN_BINARY] = "binary",
		[PLAN_UNARY] = "unary",	    [PLAN_PRODUCT] = "product", [PLAN_SOFTMAX] = "softmax",
		[PLAN_TOPK] = "topk",	    [PLAN_CONCAT] = "concat",	[PLAN_MOVE] = "move",
		[PLAN_FORM] = "form",
	};
	return l->kind == PLAN_MAC && l->window.dense ? "dense" : name[l->kind];
}

int64_t plan_layer_weights(const struct plan_layer *l)
{
	const struct plan_window *w = &l->window;
	if (l->kind != PLAN_MAC && l->kind != PLAN_DECONV)
		return 0;
	return w->oc * (w->ic / w->group) * w->kh * w->kw;
}

int64_t plan_layer_macs(const struct plan_layer *l)
{
	const struct plan_window *w = &l->window;
	if (l->kind == PLAN_PRODUCT)
		return l->out->count * l->length;
	int64_t images = w->batch ? w->batch : 1;
	return plan_layer_weights(l) * images * (l->kind == PLAN_DECONV ? w->ih * w->iw : w->oh * w->ow);
}

/* Made of exp, log, erf or tanh, whose last digits are the library's. */
static bool is_transcendental(enum plan_function f)
{
	switch (f) {
	case PLAN_SIGMOID:
	case PLAN_TANH:
	case PLAN_EXP:
	case PLAN_ERF:
	case PLAN_LOG:
	case PLAN_ELU:
	case PLAN_SELU:
	case PLAN_CELU:
	case PLAN_SOFTPLUS:
	case PLAN_MISH:
	case PLAN_GELU:
	case PLAN_GELU_TANH: return true;
	default: return false;
	}
}

bool plan_layer_rounds(const struct plan_layer *l)
{
	switch (l->kind) {
	case PLAN_MAC:
	case PLAN_DECONV:
	case PLAN_SUM:
	case PLAN_PRODUCT:
	case PLAN_FORM:
	case PLAN_SOFTMAX: return l->real;
	case PLAN_UNARY: return l->real && is_transcendental(l->function);
	case PLAN_BINARY: return l->function == PLAN_POW;
	default: return false;
	}
}

struct plan_buf *plan_root(struct plan_buf *b)
{
	while (b->same)
		b = b->same;
	return b;
}

static void live_at(struct plan_buf *b, int layer)
{
	b = plan_root(b);
	if (b->born < 0 || layer < b->born)
		b->born = layer;
	if (layer > b->dies)
		b->dies = layer;
}

void plan_lives(struct plan *p)
{
	for (struct plan_buf *b = p->bufs; b; b = b->next)
		b->born = b->dies = -1;
	for (struct plan_layer *l = p->layers; l; l = l->next) {
		for (size_t i = 0; i < l->n_in; i++)
			live_at(l->in[i], l->index);
		if (l->out)
			live_at(l->out, l->index);
		if (l->out2)
			live_at(l->out2, l->index);
		for (size_t i = 0; i < l->n_more; i++)
			if (l->more[i])
				live_at(l->more[i], l->index);
	}
}

/* ---- places ---- */

static bool needs_place(const struct plan_buf *b)
{
	return !b->same && b->role == PLAN_INNER && b->bytes > 0 && b->born >= 0;
}

static int by_size(const void *x, const void *y)
{
	const struct plan_buf *a = *(struct plan_buf *const *)x, *b = *(struct plan_buf *const *)y;
	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	return a->born < b->born ? -1 : a->born > b->born;
}

static bool overlap(const struct plan_buf *a, size_t offset, const struct plan_buf *b)
{
	return a->born <= b->dies && b->born <= a->dies && offset < b->offset + b->bytes &&
	       b->offset < offset + a->bytes;
}

/* The lowest offset for b beside those placed before it. */
static size_t lowest_offset(struct plan_buf *const *placed, size_t n, const struct plan_buf *b, size_t align)
{
	size_t offset = 0;
	for (size_t i = 0; i < n;) {
		if (!overlap(b, offset, placed[i])) {
			i++;
			continue;
		}
		offset = (placed[i]->offset + placed[i]->bytes + align - 1) & ~(align - 1);
		i = 0;
	}
	return offset;
}

void plan_place(struct plan *p, size_t align)
{
	struct plan_buf **list = arena_array(&p->arena, struct plan_buf *, p->n_bufs + 1);
	size_t n = 0;
	p->arena_bytes = 0;
	for (struct plan_buf *b = p->bufs; b; b = b->next)
		if (needs_place(b))
			list[n++] = b;
	qsort(list, n, sizeof *list, by_size);
	for (size_t i = 0; i < n; i++) {
		list[i]->offset = lowest_offset(list, i, list[i], align);
		if (list[i]->offset + list[i]->bytes > p->arena_bytes)
			p->arena_bytes = list[i]->offset + list[i]->bytes;
	}
	p->arena_bytes = (p->arena_bytes + align - 1) & ~(align - 1);
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	arena_free(&p->arena);
	graph_free(p->own);
	free(p);
}

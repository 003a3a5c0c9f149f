/* A plan for one sample made into one for several: every buffer gets an outermost axis, layers get more rows.
 * Kernels written for rows then compute samples side by side, and weights that were loaded serve all of them. */
#include "plan/plan.h"

static bool takes_samples(const struct plan_layer *l)
{
	switch (l->kind) {
	case PLAN_MAC: return l->window.dense;
	case PLAN_SUM: return !l->window_sum;
	case PLAN_THRESHOLD:
	case PLAN_BINARY:
	case PLAN_UNARY:
	case PLAN_SOFTMAX:
	case PLAN_TOPK: return true;
	default: return false;
	}
}

bool plan_takes_samples(const struct plan *p)
{
	for (const struct plan_buf *b = p->bufs; b; b = b->next)
		if (b->rank >= MAX_RANK)
			return false;
	for (const struct plan_layer *l = p->layers; l; l = l->next)
		if (!takes_samples(l))
			return false;
	return true;
}

/* v with one more element in front, of `rank` before. */
static const int64_t *prepend(struct plan *p, const int64_t *v, int rank, int64_t first)
{
	int64_t *to = arena_array(&p->arena, int64_t, rank + 2);
	to[0] = first;
	for (int i = 0; i < rank; i++)
		to[i + 1] = v[i];
	return to;
}

/* Strides are those of the result's axes; a constant repeats for every sample. */
static void more_strides(struct plan *p, struct plan_layer *l)
{
	if (l->stride_a)
		l->stride_a = prepend(p, l->stride_a, l->out->rank, l->in[0]->count);
	if (l->stride_b)
		l->stride_b = prepend(p, l->stride_b, l->out->rank, l->operand || l->n_in < 2 ? 0 : l->in[1]->count);
}

void plan_add_samples(struct plan *p, int64_t n)
{
	for (struct plan_layer *l = p->layers; l; l = l->next) {
		more_strides(p, l);
		l->window.ih *= n;
		l->window.oh *= n;
		l->outer *= n;
	}
	for (struct plan_buf *b = p->bufs; b; b = b->next) {
		b->dims = prepend(p, b->dims, b->rank, n);
		b->rank++;
		b->count *= n;
		b->channel_axis += b->channel_axis >= 0;
	}
}

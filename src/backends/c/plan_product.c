/* Matrix products of two activations, as in attention: y[.., m, n] = sum over k of a[.., m, k] * b[.., k, n]. Leading
 * axes are broadcast; either operand may lie in memory in any order, so that a transposed one costs nothing. */
#include "backends/c/plan_lower.h"

/* Strides of b along the axes of y, 0 along its axis `summed` (-1: the last one, -2: the one before), whose own stride
 * goes to *step. NULL where shapes do not fit. */
static const int64_t *product_strides(struct lowering *l, const struct plan_buf *b, const struct plan_buf *y, int summed,
				      int64_t *step)
{
	int64_t own[MAX_RANK] = { 0 }, *s = arena_array(&l->plan->arena, int64_t, y->rank + 1);
	lower_own_strides(b, own);
	*step = own[lower_storage_axis(b, b->rank + summed)];
	for (int i = 0; i < y->rank; i++) {
		int axis = i - (y->rank - b->rank), at = axis < 0 ? -1 : lower_storage_axis(b, axis);
		bool leading = axis < b->rank - 2;
		s[i] = at < 0 || axis == b->rank + summed || b->dims[at] == 1 ? 0 : own[at];
		if (at >= 0 && leading && b->dims[at] != 1 && b->dims[at] != y->dims[i])
			return NULL;
	}
	return s;
}

static int product_contents(struct lowering *l, struct plan_layer *y, struct contents *c)
{
	struct interval a = { y->in[0]->real, y->in[0]->lo, y->in[0]->hi }, b = { y->in[1]->real, y->in[1]->lo, y->in[1]->hi };
	int64_t lo, hi;
	*c = contents_real();
	if (a.real || b.real)
		return 0;
	if (!lower_product(a, b, &lo, &hi) || __builtin_mul_overflow(lo, y->length, &lo) ||
	    __builtin_mul_overflow(hi, y->length, &hi))
		return lower_unsupported(l, y->node, "sums that 64 bits do not hold");
	*c = contents_int(lo, hi);
	y->acc_lo = lo < 0 ? lo : 0;
	y->acc_hi = hi > 0 ? hi : 0;
	return 0;
}

int lower_product_of_two(struct lowering *l, const struct node *n)
{
	struct plan_buf *a = lower_input(l, n, 0), *b = lower_input(l, n, 1);
	struct contents c;
	if (!a || !b)
		return -1;
	if (a->rank < 2 || b->rank < 2 || a->shuffle || b->shuffle)
		return lower_unsupported(l, n, "a product of vectors");
	struct plan_layer *y = lower_layer(l, n, PLAN_PRODUCT, a);
	y->in[y->n_in++] = b;
	y->length = a->dims[lower_storage_axis(a, a->rank - 1)];
	if (product_contents(l, y, &c) < 0)
		return -1;
	y->out = lower_buf(l, n->outputs[0], false, c);
	y->real = c.real;
	y->stride_a = product_strides(l, a, y->out, -1, &y->step_a);
	y->stride_b = product_strides(l, b, y->out, -2, &y->step_b);
	return y->stride_a && y->stride_b ? 0 : lower_unsupported(l, n, "this broadcast");
}

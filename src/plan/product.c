/* Matrix products of two activations, as in attention, or with constants where it is not a dense layer:
 * y[.., m, n] = sum over k of a[.., m, k] * b[.., k, n]. Leading axes are broadcast; either operand may lie in memory in
 * any order, so that a transposed one costs nothing. */
#include "plan/lower.h"

/* Strides of b along the axes of y, 0 along its axis `summed` (-1: the last one, -2: the one before), whose own stride
 * goes to *step. NULL where shapes do not fit. */
static const int64_t *product_strides(struct lowering *l, const struct plan_buf *b, const struct plan_buf *y,
				      int summed, int64_t *step)
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

static int product_contents(struct lowering *l, struct plan_layer *y, struct interval a, struct interval b,
			    struct contents *c)
{
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

/* Operand i as strides see it: a buffer, or a constant, which becomes y's operand. */
static const struct plan_buf *side(struct lowering *l, struct plan_layer *y, size_t i, struct interval *range)
{
	const struct value *v = node_input(y->node, i);
	if (!value_is_constant(v)) {
		struct plan_buf *b = lower_input(l, y->node, i);
		if (b) {
			y->in[y->n_in++] = b;
			*range = (struct interval){ b->real, b->lo, b->hi };
		}
		return b;
	}
	struct plan_buf *c = arena_new(&l->plan->arena, struct plan_buf);
	*c = (struct plan_buf){ .rank = v->rank, .dims = v->dims, .count = v->constant->count };
	lower_take_operand(l, y, v->constant);
	*range = lower_interval_constant(v->constant);
	return c;
}

/* Copies operand i in the graph's order first where its memory has one that strides do not tell. */
static void unshuffle(struct lowering *l, const struct node *n, size_t i)
{
	const struct value *v = node_input(n, i);
	if (v && l->of[v->id] && l->of[v->id]->shuffle)
		l->of[v->id] = lower_ordered(l, n, l->of[v->id]);
}

int lower_product_of_two(struct lowering *l, const struct node *n)
{
	unshuffle(l, n, 0);
	unshuffle(l, n, 1);
	struct plan_layer *y = lower_layer(l, n, PLAN_PRODUCT, NULL);
	struct interval range[2];
	const struct plan_buf *a = side(l, y, 0, &range[0]), *b = a ? side(l, y, 1, &range[1]) : NULL;
	struct contents c;
	if (!a || !b)
		return -1;
	if (a->rank < 2 || b->rank < 2)
		return lower_unsupported(l, n, "a product of vectors");
	y->length = a->dims[lower_storage_axis(a, a->rank - 1)];
	if (product_contents(l, y, range[0], range[1], &c) < 0)
		return -1;
	y->out = lower_buf(l, n->outputs[0], false, c);
	y->real = c.real;
	bool swapped = value_is_constant(node_input(n, 0)); /* what is in memory is operand 0 of the layer */
	y->stride_a = product_strides(l, swapped ? b : a, y->out, swapped ? -2 : -1, &y->step_a);
	y->stride_b = product_strides(l, swapped ? a : b, y->out, swapped ? -1 : -2, &y->step_b);
	return y->stride_a && y->stride_b ? 0 : lower_unsupported(l, n, "this broadcast");
}

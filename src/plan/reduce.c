/* ReduceSum, ReduceMean, ReduceMax, ReduceMin over any axes: a layer for each run of axes that lie together in memory,
 * and the result turned into the order that its value has. */
#include "plan/lower.h"

#include <string.h>

/* Which axes of the graph's value are reduced. False where they are not known. */
static bool reduced_axes(const struct node *n, int rank, bool axes[MAX_RANK])
{
	int64_t list[MAX_RANK];
	size_t count = 0;
	const int64_t *attr = node_attr_ints(n, "axes", &count);
	if (count > MAX_RANK)
		return false;
	if (attr)
		memcpy(list, attr, sizeof *list * count);
	else if (node_input(n, 1) && !constant_ints(node_input(n, 1), list, &count))
		return false;
	for (int i = 0; i < rank; i++)
		axes[i] = count == 0 && !node_attr_int(n, "noop_with_empty_axes", 0);
	for (size_t i = 0; i < count; i++) {
		int axis = normal_axis(list[i], rank);
		if (axis < 0)
			return false;
		axes[axis] = true;
	}
	return true;
}

bool lower_sum_contents(const struct plan_buf *b, int64_t count, struct contents *c)
{
	int64_t lo, hi;
	*c = contents_real();
	if (b->real)
		return true;
	if (__builtin_mul_overflow(b->lo, count, &lo) || __builtin_mul_overflow(b->hi, count, &hi))
		return false;
	*c = contents_int(lo, hi);
	return true;
}

/* A layer that leaves one element of axes first..end-1 of in's storage; NULL with a diagnostic. */
static struct plan_layer *reduce_run(struct lowering *l, const struct node *n, struct plan_buf *in, int first, int end,
				     enum plan_function f)
{
	struct plan_layer *y = lower_layer(l, n, PLAN_SUM, in);
	int64_t *dims = arena_copy(&l->plan->arena, in->dims, sizeof *dims * (size_t)in->rank);
	struct contents c = contents_of(in);
	y->function = f;
	y->real = in->real;
	y->outer = dims_product(dims, 0, first);
	y->length = dims_product(dims, first, end);
	y->inner = dims_product(dims, end, in->rank);
	if (f == PLAN_ADD && !lower_sum_contents(in, y->length, &c)) {
		lower_unsupported(l, n, "sums that 64 bits do not hold");
		return NULL;
	}
	y->out = lower_buf_like(l, in, f == PLAN_ADD ? "sum" : "most", c);
	for (int i = first; i < end; i++)
		dims[i] = 1;
	y->out->dims = dims;
	y->out->count = y->outer * y->inner;
	return y;
}

/* Strides of `from`, which has all axes of the operand, along the axes of `to`, which may lack the reduced ones. */
static const int64_t *strides_along(struct lowering *l, const struct plan_buf *from, const struct plan_buf *to,
				    const bool axes[MAX_RANK])
{
	int64_t own[MAX_RANK] = { 0 }, *s = arena_array(&l->plan->arena, int64_t, to->rank + 1);
	if (from->rank == to->rank)
		return lower_strides(l, from, to);
	lower_own_strides(from, own);
	for (int axis = 0, k = 0; axis < from->rank; axis++)
		if (!axes[axis] && k < to->rank)
			s[lower_storage_axis(to, k++)] = own[lower_storage_axis(from, axis)];
	return s;
}

/* Whether those strides go through the elements one after the other. */
static bool consecutive(const struct plan_buf *b, const int64_t *strides)
{
	int64_t own[MAX_RANK] = { 0 };
	lower_own_strides(b, own);
	for (int i = 0; i < b->rank; i++)
		if (b->dims[i] != 1 && strides[i] != own[i])
			return false;
	return true;
}

/* `from` in the order that the value of the result has, divided by `divisor` unless that is 0. */
static int finish(struct lowering *l, const struct node *n, struct plan_buf *from, struct plan_layer *last,
		  const bool axes[MAX_RANK], double divisor)
{
	const struct value *v = n->outputs[0];
	bool channels_last = v->rank == from->rank && from->channels_last && !value_is_output(v);
	struct contents c = divisor != 0 ? contents_real() : contents_of(from);
	struct plan_buf *out = lower_buf(l, v, channels_last, c);
	const int64_t *strides = out->count == from->count ? strides_along(l, from, out, axes) : NULL;
	if (!strides)
		return lower_unsupported(l, n, "a result of another shape than its axes leave");
	if (divisor == 0 && last && consecutive(out, strides)) {
		last->out = out;
		return 0;
	}
	struct plan_layer *y = lower_layer(l, n, divisor != 0 ? PLAN_BINARY : PLAN_UNARY, from);
	y->function = divisor != 0 ? PLAN_DIV : PLAN_COPY;
	y->real = c.real;
	y->out = out;
	y->stride_a = strides;
	if (divisor != 0) {
		y->operand = arena_copy(&l->plan->arena, &divisor, sizeof divisor);
		y->operand_count = 1;
		y->stride_b = arena_array(&l->plan->arena, int64_t, out->rank + 1);
	}
	return 0;
}

int lower_reduce(struct lowering *l, const struct node *n)
{
	struct plan_buf *in = lower_input(l, n, 0);
	bool axes[MAX_RANK], kept[MAX_RANK] = { false };
	struct plan_layer *y = NULL;
	if (!in)
		return -1;
	if (!reduced_axes(n, in->rank, axes))
		return lower_unsupported(l, n, "axes that are computed at run time");
	enum plan_function f = n->op == &op_ReduceMax ? PLAN_MAX : n->op == &op_ReduceMin ? PLAN_MIN : PLAN_ADD;
	if (in->shuffle)
		in = lower_ordered(l, n, in);
	int64_t total = in->count;
	for (int i = 0; i < in->rank; i++)
		kept[lower_storage_axis(in, i)] = !axes[i];
	for (int end, first = 0; first < in->rank; first = end) { /* axes of one element belong to any run */
		bool longer = !kept[first] && in->dims[first] > 1;
		for (end = first + 1; longer && end < in->rank && (!kept[end] || in->dims[end] == 1);)
			end++;
		if (longer && !(y = reduce_run(l, n, in, first, end, f)))
			return -1;
		in = longer ? y->out : in;
	}
	bool mean = n->op == &op_ReduceMean;
	return finish(l, n, in, y, axes, mean ? (double)(total / in->count) : 0);
}

/* Storage orders turned back into the graph's, for layers that know no other and for outputs. */
#include "plan/lower.h"

/* Whether element i of the graph's value is element i of b's memory. */
static bool is_ordered(const struct plan_buf *b)
{
	int64_t pixels = b->channels_last ? dims_product(b->dims, 1, b->rank - 1) : 1;
	return !b->shuffle && (pixels == 1 || b->dims[b->rank - 1] == 1);
}

/* b's elements under the graph's dims. */
static struct plan_buf *graph_view(struct lowering *l, const struct plan_buf *b)
{
	struct plan_buf *y = lower_buf_like(l, b, "ordered", contents_of(b));
	int64_t *dims = arena_array(&l->plan->arena, int64_t, b->rank + 1);
	for (int i = 0; i < b->rank; i++)
		dims[i] = b->dims[lower_storage_axis(b, i)];
	y->dims = dims;
	y->channels_last = false;
	y->channel_axis = lower_graph_axis(b, b->channel_axis);
	return y;
}

struct plan_buf *lower_ordered(struct lowering *l, const struct node *n, struct plan_buf *b)
{
	if (!b || (!b->channels_last && !b->shuffle))
		return b;
	struct plan_buf *y = graph_view(l, b);
	if (is_ordered(b)) {
		y->same = b;
		return y;
	}
	struct plan_layer *copy = lower_layer(l, n, b->shuffle ? PLAN_MOVE : PLAN_UNARY, b);
	copy->function = PLAN_COPY;
	copy->real = b->real;
	copy->out = y;
	if (b->shuffle)
		copy->map = lower_order(l, b);
	else
		copy->stride_a = lower_strides(l, b, y);
	return y;
}

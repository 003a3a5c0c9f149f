/* to-hw: sums and maxima over axes that lie side by side. A sum over all pixels is a GlobalAccPool, one over the last axis a product
 * with ones; a sum over other axes is a depthwise product of windows with ones, and a maximum a pooling: both see the value as
 * an image [batch, axes in front, these axes, axes behind]. Windows, products and poolings become layers where convert_all comes
 * to them. */
#include <string.h>

#include "ops/reduce.h"
#include "passes/edit.h"
#include "passes/lower_convs.h"
#include "passes/to_hw.h"
#include "util/integers.h"

/* The value as [batch, outer, length, inner], to be reduced along the length. */
struct reduced {
	int64_t batch, outer, length, inner;
};

/* False where the axes do not lie side by side, or are no axes of the value, or take in the batch. */
static bool reduced_axes(const struct node *n, const struct value *x, struct reduced *r)
{
	struct reduction what;
	int from = 1, to;
	if (!reduction_of(n, x->rank, &what) || !what.axes || what.axes & 1)
		return false;
	while (!(what.axes >> from & 1))
		from++;
	for (to = from; to < x->rank && what.axes >> to & 1; to++)
		;
	*r = (struct reduced){ x->dims[0], dims_product(x->dims, 1, from), dims_product(x->dims, from, to),
			       dims_product(x->dims, to, x->rank) };
	return what.axes >> to == 0;
}

static struct value *ones(struct graph *g, int64_t rows, int64_t columns)
{
	struct tensor *t = tensor_new(ELEM_FLOAT, 2, (int64_t[]){ rows, columns });
	for (int64_t i = 0; i < rows; i++)
		tensor_put(t, i * columns + i % columns, 1);
	struct value *v = value_new_constant(g, "ones", t);
	v->datatype = datatype_for_range(0, 1);
	return v;
}

/* The output's datatype and range for a value of that shape, before n. */
static struct value *like_output(struct node *n, struct value *v, int rank, const int64_t *dims)
{
	const struct value *out = node_output(n, 0);
	value_set_type(n->graph, v, ELEM_FLOAT, rank, dims);
	v->datatype = out->datatype;
	v->range = out->range && !out->range->channels ? out->range : NULL;
	return v;
}

static struct value *global_sum(struct node *n, struct value *x, const struct reduced *r)
{
	int64_t image[] = { r->batch, r->length, 1, r->inner };
	x = to_hw_view(n, x, 4, x->rank == 4 && x->dims[3] == r->inner ? x->dims : image);
	struct node *hw = to_hw_insert(n, "GlobalAccPool", x, "sum");
	to_hw_set_channels(hw, x);
	to_hw_set_datatype(hw, "inputDataType", x->datatype);
	struct value *y = like_output(n, hw->outputs[0], 4, (int64_t[]){ r->batch, 1, 1, r->inner });
	y->datatype = hw->op->datatype(hw, 0);
	return y;
}

/* The last axis times a column of ones. */
static struct value *last_sum(struct node *n, struct value *x, const struct reduced *r)
{
	x = to_hw_view(n, x, 3, (int64_t[]){ r->batch, r->outer, r->length });
	struct value *inputs[] = { x, ones(n->graph, r->length, 1) };
	struct node *product = node_new(n->graph, n, DOMAIN_ONNX, "MatMul", inputs, 2, 1, "sum");
	return like_output(n, product->outputs[0], 3, (int64_t[]){ r->batch, r->outer, 1 });
}

/* x as an image of which windows take whole lines. */
static struct value *lines(struct node *n, struct value *x, const struct reduced *r)
{
	return to_hw_view(n, x, 4, (int64_t[]){ r->batch, r->outer, r->length, r->inner });
}

/* Windows of whole lines times ones, channel by channel. */
static struct value *line_sums(struct node *n, struct value *x, const struct reduced *r)
{
	struct graph *g = n->graph;
	x = lines(n, x, r);
	struct node *windows = node_new(g, n, DOMAIN_QONNX, "Im2Col", &x, 1, 1, "windows");
	node_set_ints(windows, "kernel_size", (int64_t[]){ 1, r->length }, 2);
	node_set_ints(windows, "stride", (int64_t[]){ 1, 1 }, 2);
	node_set_int(windows, "depthwise", 1);
	value_set_type(g, windows->outputs[0], ELEM_FLOAT, 4,
		       (int64_t[]){ r->batch, r->outer, 1, r->length * r->inner });
	windows->outputs[0]->datatype = x->datatype;
	struct value *inputs[] = { windows->outputs[0], ones(g, r->length * r->inner, r->inner) };
	mark_depthwise(g, inputs[1], 1, r->length);
	struct node *product = node_new(g, n, DOMAIN_ONNX, "MatMul", inputs, 2, 1, "sum");
	return like_output(n, product->outputs[0], 4, (int64_t[]){ r->batch, r->outer, 1, r->inner });
}

static struct value *line_maxima(struct node *n, struct value *x, const struct reduced *r)
{
	x = lines(n, x, r);
	struct node *pool = node_new(n->graph, n, DOMAIN_QONNX, "MaxPoolNHWC", &x, 1, 1, "largest");
	node_set_ints(pool, "kernel_shape", (int64_t[]){ 1, r->length }, 2);
	node_set_ints(pool, "strides", (int64_t[]){ 1, r->length }, 2);
	node_set_ints(pool, "pads", (int64_t[]){ 0, 0, 0, 0 }, 4);
	return like_output(n, pool->outputs[0], 4, (int64_t[]){ r->batch, r->outer, 1, r->inner });
}

int to_hw_reduction(struct node *n)
{
	struct value *x = node_input(n, 0), *out = node_output(n, 0), *y;
	struct reduced r;
	if (!to_hw_is_integer(x) || !reduced_axes(n, x, &r))
		return 0;
	if (n->op == &op_ReduceMax)
		y = line_maxima(n, x, &r);
	else if (r.outer == 1 && r.inner > 1)
		y = global_sum(n, x, &r);
	else
		y = r.inner == 1 ? last_sum(n, x, &r) : line_sums(n, x, &r);
	value_replace_uses(out, to_hw_view(n, y, out->rank, out->dims));
	node_remove(n);
	return 1;
}

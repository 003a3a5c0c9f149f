/* Axes through poolings, reductions and resizings: see axes.h. */
#include "passes/axes.h"

#include "ops/reduce.h"

static int through_reduction(const struct node *n, int axis)
{
	struct reduction r;
	const struct value *in = node_input(n, 0);
	if (in->rank < 0 || !reduction_of(n, in->rank, &r) || r.axes >> axis & 1)
		return -1;
	int gone = 0; /* axes in front that go */
	for (int i = 0; i < axis && !r.keep; i++)
		gone += (r.axes >> i & 1) != 0;
	return axis - gone;
}

int axis_through(const struct node *n, int axis)
{
	const struct op *op = n->op;
	if (axis < 0)
		return -1;
	if (op == &op_MaxPool || op == &op_AveragePool || op == &op_GlobalMaxPool || op == &op_GlobalAveragePool ||
	    op == &op_Resize || op == &op_Upsample) { /* spatial axes follow the channels' */
		const struct value *in = node_input(n, 0), *out = n->outputs[0];
		bool stays = axis <= 1 && in->rank == out->rank && in->dims[axis] == out->dims[axis];
		return stays ? axis : -1;
	}
	if (op == &op_MaxPoolNHWC)
		return axis == 0 || axis == node_input(n, 0)->rank - 1 ? axis : -1;
	if (op == &op_ReduceSum || op == &op_ReduceMean || op == &op_ReduceMax || op == &op_ReduceMin)
		return through_reduction(n, axis);
	return -1;
}

/* Slice: every axis from start to end in steps, as NumPy slices. Parameters are attributes up to opset 9. */
#include "ops/move.h"

#include <string.h>

struct slice {
	size_t count;
	int64_t axes[2 * MAX_RANK], starts[2 * MAX_RANK], ends[2 * MAX_RANK], steps[2 * MAX_RANK];
};

static int slice_error(struct diags *d, const struct node *n)
{
	return diag_node_error(d, n, "check its starts, ends, axes and steps",
			       "its parameters do not fit the shape of the input");
}

static int64_t clamp(int64_t i, int64_t lo, int64_t hi)
{
	return i < lo ? lo : i > hi ? hi : i;
}

/* First index and number of indices of start:end:step over an axis of that extent. */
static int64_t slice_length(int64_t extent, int64_t start, int64_t end, int64_t step, int64_t *first)
{
	bool back = step < 0;
	int64_t highest = back ? extent - 1 : extent;
	*first = 0;
	if (extent == 0)
		return 0;
	start = clamp(start < 0 ? start + extent : start, 0, highest);
	end = clamp(end < 0 ? end + extent : end, back ? -1 : 0, highest);
	*first = start;
	int64_t span = back ? start - end : end - start;
	uint64_t stride = back ? 0 - (uint64_t)step : (uint64_t)step;
	return span <= 0 ? 0 : (int64_t)(((uint64_t)span - 1) / stride) + 1;
}

/* Default axes and steps, and a check; `steps_given` may be absent. */
static bool complete(struct slice *s, int rank, size_t ends, bool axes_given, size_t axes, bool steps_given,
		     size_t steps)
{
	if (ends != s->count || (axes_given && axes != s->count) || (steps_given && steps != s->count) ||
	    (int)s->count > rank)
		return false;
	for (size_t i = 0; i < s->count; i++) {
		if (!axes_given)
			s->axes[i] = (int64_t)i;
		if (!steps_given)
			s->steps[i] = 1;
		if (s->steps[i] == 0)
			return false;
	}
	return normal_axes(s->axes, s->count, rank);
}

/* Extents of the result where axes are known but their bounds are not. */
static void unknown_extents(struct infer_ctx *x, const struct value *in, bool axes_known, struct slice *s, size_t axes)
{
	int64_t dims[MAX_RANK];
	for (int i = 0; i < in->rank; i++)
		dims[i] = axes_known ? in->dims[i] : -1;
	if (axes_known && normal_axes(s->axes, axes, in->rank))
		for (size_t i = 0; i < axes; i++)
			dims[s->axes[i]] = -1;
	infer_output(x, 0, in->elem, in->rank, dims);
}

static int infer_slice(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	const struct node *n = x->node;
	struct slice s;
	size_t ends, axes, steps;
	int64_t dims[MAX_RANK], first;
	bool starts_known = infer_ints(n, 1, "starts", s.starts, &s.count);
	bool ends_known = infer_ints(n, 2, "ends", s.ends, &ends);
	bool axes_given = infer_ints(n, 3, "axes", s.axes, &axes);
	bool steps_given = infer_ints(n, 4, NULL, s.steps, &steps);
	bool known =
		starts_known && ends_known && (axes_given || !node_input(n, 3)) && (steps_given || !node_input(n, 4));
	if (in->rank < 0 || !known) {
		unknown_extents(x, in, axes_given, &s, axes);
		return 0;
	}
	if (!complete(&s, in->rank, ends, axes_given, axes, steps_given, steps))
		return slice_error(x->diags, n);
	if (in->rank > 0)
		memcpy(dims, in->dims, (size_t)in->rank * sizeof *dims);
	for (size_t i = 0; i < s.count; i++) {
		int64_t *dim = &dims[s.axes[i]];
		*dim = *dim < 0 ? -1 : slice_length(*dim, s.starts[i], s.ends[i], s.steps[i], &first);
	}
	infer_output(x, 0, in->elem, in->rank, dims);
	return 0;
}

static int exec_slice(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0];
	struct slice s;
	size_t ends, axes, steps;
	if (!exec_ints(x, 1, "starts", s.starts, &s.count) || !exec_ints(x, 2, "ends", s.ends, &ends))
		return slice_error(x->diags, x->node);
	bool axes_given = exec_ints(x, 3, "axes", s.axes, &axes);
	bool steps_given = exec_ints(x, 4, NULL, s.steps, &steps);
	if (!complete(&s, in->rank, ends, axes_given, axes, steps_given, steps))
		return slice_error(x->diags, x->node);
	int64_t strides[MAX_RANK];
	row_major_strides(in->rank, in->dims, strides);
	struct move m = { .x = x };
	for (int k = 0; k < in->rank; k++) {
		size_t i = 0;
		int64_t first = 0, length = in->dims[k];
		while (i < s.count && s.axes[i] != k)
			i++;
		if (i < s.count)
			length = slice_length(in->dims[k], s.starts[i], s.ends[i], s.steps[i], &first);
		int64_t *table = move_axis(&m, length, 0);
		for (int64_t j = 0; table && j < length; j++)
			table[j] = (first + j * (i < s.count ? s.steps[i] : 1)) * strides[k];
	}
	return exec_move(x, 0, &m, in, NULL, 0, NULL);
}

const struct op op_Slice = {
	.name = "Slice",
	.domain = DOMAIN_ONNX,
	.summary = "a part of each axis, in steps",
	.min_inputs = 1,
	.max_inputs = 5,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer_slice,
	.datatype = datatype_same,
	.exec = exec_slice,
};

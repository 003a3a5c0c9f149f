/* Concat and Split: tensors joined along an axis, and cut again. Both copy whole blocks. */
#include "ops/move.h"
#include "ops/ranges.h"

#include <stdlib.h>
#include <string.h>

#include "util/integers.h"

/* ---- Concat ---- */

/* Joins a shape into `out` (same rank) along axis; false where they do not fit. */
static bool join_shape(int rank, const int64_t *dims, int axis, int64_t *out)
{
	for (int i = 0; i < rank; i++) {
		if (i == axis)
			out[i] = out[i] < 0 || dims[i] < 0 ? -1 : out[i] + dims[i];
		else if (out[i] >= 0 && dims[i] >= 0 && out[i] != dims[i])
			return false;
		else if (out[i] < 0)
			out[i] = dims[i];
	}
	return true;
}

static int concat_error(struct diags *d, const struct node *n)
{
	return diag_node_error(d, n, "check its axis and the shapes of its inputs",
			       "its inputs do not fit one another along the other axes");
}

static int infer_concat(struct infer_ctx *x)
{
	const struct value *first = node_input(x->node, 0);
	int64_t dims[MAX_RANK];
	int rank = first->rank;
	int axis = rank < 0 ? -1 : normal_axis(node_attr_int(x->node, "axis", 1), rank);
	if (rank >= 0 && axis < 0)
		return concat_error(x->diags, x->node);
	if (rank > 0)
		memcpy(dims, first->dims, (size_t)rank * sizeof *dims);
	for (size_t i = 1; i < x->node->n_inputs && rank >= 0; i++) {
		const struct value *v = node_input(x->node, i);
		if (!v || v->rank < 0) {
			dims[axis] = -1;
			continue;
		}
		if (v->rank != rank || !join_shape(rank, v->dims, axis, dims))
			return concat_error(x->diags, x->node);
	}
	infer_output(x, 0, first->elem, rank, dims);
	return 0;
}

static struct datatype datatype_concat(const struct node *n, size_t i)
{
	(void)i;
	return datatype_join_inputs(n, 0, n->n_inputs);
}

static int exec_concat(struct exec_ctx *x)
{
	const struct tensor *first = x->in[0];
	int64_t dims[MAX_RANK];
	int axis = normal_axis(node_attr_int(x->node, "axis", 1), first->rank);
	if (axis < 0)
		return concat_error(x->diags, x->node);
	memcpy(dims, first->dims, first->rank * sizeof *dims);
	for (size_t i = 1; i < x->n_in; i++)
		if (!x->in[i] || x->in[i]->rank != first->rank || x->in[i]->elem != first->elem ||
		    !join_shape(first->rank, x->in[i]->dims, axis, dims))
			return concat_error(x->diags, x->node);
	struct tensor *out = exec_output(x, 0, first->elem, first->rank, dims);
	if (!out)
		return -1;
	int64_t outer = dims_product(dims, 0, axis), to = 0;
	for (int64_t o = 0; o < outer; o++)
		for (size_t i = 0; i < x->n_in; i++) {
			int64_t block = dims_product(x->in[i]->dims, axis, first->rank);
			elements_copy(out, to, x->in[i], o * block, block);
			to += block;
		}
	return 0;
}

/* ---- Split ---- */

/* Extent of each output along an axis of that extent: as given, else equal parts, the last one smaller where
 * they do not come out even. False where the parts do not make up the axis. */
static bool split_sizes(int64_t extent, const int64_t *given, size_t count, size_t outputs, int64_t *sizes)
{
	int64_t each = (extent + (int64_t)outputs - 1) / (int64_t)outputs, left = extent;
	for (size_t i = 0; i < outputs; i++) {
		sizes[i] = given ? (i < count ? given[i] : -1) : left < each ? left : each;
		if (sizes[i] < 0 || sizes[i] > left)
			return false;
		left -= sizes[i];
	}
	return left == 0;
}

static int split_error(struct diags *d, const struct node *n)
{
	return diag_node_error(d, n, "check its axis and sizes", "its parts do not make up the axis it splits");
}

static int infer_split(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t given[MAX_RANK], dims[MAX_RANK];
	size_t count, outputs = x->node->n_outputs;
	int axis = in->rank < 0 ? -1 : normal_axis(node_attr_int(x->node, "axis", 0), in->rank);
	if (in->rank >= 0 && axis < 0)
		return split_error(x->diags, x->node);
	bool sized = infer_ints(x->node, 1, "split", given, &count);
	bool known = axis >= 0 && in->dims[axis] >= 0 && (sized || !node_input(x->node, 1));
	int64_t *sizes = arena_array(&x->graph->arena, int64_t, outputs + 1);
	if (known && !split_sizes(in->dims[axis], sized ? given : NULL, count, outputs, sizes))
		return split_error(x->diags, x->node);
	for (size_t i = 0; i < outputs; i++) {
		if (in->rank > 0)
			memcpy(dims, in->dims, (size_t)in->rank * sizeof *dims);
		if (axis >= 0)
			dims[axis] = known ? sizes[i] : sized && i < count ? given[i] : -1;
		infer_output(x, i, in->elem, in->rank, dims);
	}
	return 0;
}

static int copy_part(struct exec_ctx *x, size_t i, int axis, int64_t start, int64_t size)
{
	const struct tensor *in = x->in[0];
	int64_t dims[MAX_RANK];
	memcpy(dims, in->dims, in->rank * sizeof *dims);
	dims[axis] = size;
	struct tensor *out = exec_output(x, i, in->elem, in->rank, dims);
	if (!out)
		return -1;
	int64_t outer = dims_product(dims, 0, axis), inner = dims_product(dims, axis + 1, in->rank);
	for (int64_t o = 0; o < outer; o++)
		elements_copy(out, o * size * inner, in, (o * in->dims[axis] + start) * inner, size * inner);
	return 0;
}

static int exec_split(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0], *given = exec_input(x, 1);
	int axis = normal_axis(node_attr_int(x->node, "axis", 0), in->rank);
	size_t count = 0;
	const int64_t *parts = node_attr_ints(x->node, "split", &count);
	struct tensor *typed = given && given->elem != ELEM_STRING ? tensor_try_cast(given, ELEM_INT64) : NULL;
	if (typed) {
		parts = typed->data;
		count = (size_t)typed->count;
	}
	int64_t *sizes = xcalloc(x->n_out + 1, sizeof *sizes), start = 0;
	int result = 0;
	if (axis < 0 || (parts && count != x->n_out) || !split_sizes(in->dims[axis], parts, count, x->n_out, sizes))
		result = split_error(x->diags, x->node);
	for (size_t i = 0; i < x->n_out && result == 0; start += sizes[i++])
		result = copy_part(x, i, axis, start, sizes[i]);
	free(sizes);
	tensor_unref(typed);
	return result;
}

const struct op op_Concat = {
	.name = "Concat",
	.domain = DOMAIN_ONNX,
	.summary = "tensors joined along an axis",
	.min_inputs = 1,
	.max_inputs = -1,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer_concat,
	.datatype = datatype_concat,
	.exec = exec_concat,
};

const struct op op_Split = {
	.name = "Split",
	.domain = DOMAIN_ONNX,
	.summary = "parts of a tensor along an axis",
	.min_inputs = 1,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = -1,
	.flags = OP_MOVES,
	.infer = infer_split,
	.datatype = datatype_same,
	.exec = exec_split,
};

/* Reshape, Flatten, Squeeze, Unsqueeze, Identity and Dropout: the same elements under a shape that may be
 * another. Execution shares the elements. */
#include "ops/move.h"
#include "ops/ranges.h"

#include <string.h>

#include "util/integers.h"

/* ---- Reshape ---- */

/* Dims from a requested shape: 0 copies the input's (unless allow_zero), one -1 is what is left over. Unknown
 * input dims (-1) or rank (-1) leave unknown ones. False where the request makes no sense. */
static bool requested_shape(int rank, const int64_t *dims, const int64_t *shape, size_t count, bool allow_zero,
			    int64_t *out)
{
	int rest = -1;
	int64_t in_count, known, others[2 * MAX_RANK];
	for (size_t i = 0; i < count; i++) {
		out[i] = shape[i];
		if (shape[i] < -1 || (shape[i] == -1 && rest >= 0))
			return false;
		if (shape[i] == -1)
			rest = (int)i;
		if (shape[i] == 0 && !allow_zero) {
			if (rank >= 0 && (int)i >= rank)
				return false;
			out[i] = rank < 0 ? -1 : dims[i];
		}
		others[i] = (int)i == rest ? 1 : out[i];
	}
	if (rank < 0 || !dims_count(rank, dims, &in_count) || !dims_count((int)count, others, &known))
		return true;
	if (rest < 0)
		return in_count == known;
	out[rest] = known ? in_count / known : 0;
	return known == 0 || in_count % known == 0;
}

static int shape_error(struct diags *d, const struct node *n)
{
	return diag_node_error(d, n, "check the shape it is given", "the input does not fit the requested shape");
}

static int infer_reshape(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0), *request = node_input(x->node, 1);
	int64_t shape[MAX_RANK], dims[MAX_RANK];
	size_t count;
	bool allow_zero = node_attr_int(x->node, "allowzero", 0) != 0;
	if (infer_ints(x->node, 1, "shape", shape, &count)) {
		if (!requested_shape(in->rank, in->dims, shape, count, allow_zero, dims))
			return shape_error(x->diags, x->node);
		infer_output(x, 0, in->elem, (int)count, dims);
		return 0;
	}
	int rank = request && request->rank == 1 && request->dims[0] <= MAX_RANK ? (int)request->dims[0] : -1;
	for (int i = 0; i < rank; i++)
		dims[i] = -1;
	infer_output(x, 0, in->elem, rank, dims);
	return 0;
}

static int exec_reshape(struct exec_ctx *x)
{
	int64_t shape[2 * MAX_RANK], dims[2 * MAX_RANK];
	size_t count;
	bool allow_zero = node_attr_int(x->node, "allowzero", 0) != 0;
	if (!exec_ints(x, 1, "shape", shape, &count) ||
	    !requested_shape(x->in[0]->rank, x->in[0]->dims, shape, count, allow_zero, dims))
		return shape_error(x->diags, x->node);
	return exec_view(x, (int)count, dims);
}

/* ---- Flatten ---- */

static bool flat_shape(const struct node *n, int rank, const int64_t *dims, int64_t out[2])
{
	int64_t axis = node_attr_int(n, "axis", 1);
	if (axis < 0)
		axis += rank;
	if (axis < 0 || axis > rank)
		return false;
	out[0] = dims_product(dims, 0, (int)axis);
	out[1] = dims_product(dims, (int)axis, rank);
	return true;
}

static int infer_flatten(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t dims[2] = { -1, -1 };
	if (in->rank >= 0 && !flat_shape(x->node, in->rank, in->dims, dims))
		return diag_node_error(x->diags, x->node, NULL, "its axis is out of range");
	infer_output(x, 0, in->elem, 2, dims);
	return 0;
}

static int exec_flatten(struct exec_ctx *x)
{
	int64_t dims[2];
	if (!flat_shape(x->node, x->in[0]->rank, x->in[0]->dims, dims))
		return diag_node_error(x->diags, x->node, NULL, "its axis is out of range");
	return exec_view(x, 2, dims);
}

/* ---- Squeeze, Unsqueeze ---- */

/* Drops the given axes, or all of extent 1. Returns the rank, -1 where an axis cannot go. */
static int squeezed(int rank, const int64_t *dims, int64_t *axes, size_t count, bool all, int64_t *out)
{
	int kept = 0;
	uint32_t drop = 0;
	if (!normal_axes(axes, count, rank))
		return -1;
	for (size_t i = 0; i < count; i++)
		drop |= 1u << axes[i];
	for (int i = 0; i < rank; i++) {
		bool goes = all ? dims[i] == 1 : drop >> i & 1;
		if (goes && dims[i] != 1 && dims[i] >= 0)
			return -1;
		if (!goes)
			out[kept++] = dims[i];
	}
	return kept;
}

static int axes_error(struct diags *d, const struct node *n)
{
	return diag_node_error(d, n, "check its axes", "its axes do not fit the shape of the input");
}

static int infer_squeeze(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t axes[MAX_RANK], dims[MAX_RANK];
	size_t count;
	bool given = infer_ints(x->node, 1, "axes", axes, &count);
	bool all = !given && !node_input(x->node, 1);
	if (in->rank < 0 || (!given && !all) || (all && !value_shape_known(in))) {
		infer_output(x, 0, in->elem, -1, NULL);
		return 0;
	}
	int rank = squeezed(in->rank, in->dims, axes, count, all, dims);
	if (rank < 0)
		return axes_error(x->diags, x->node);
	infer_output(x, 0, in->elem, rank, dims);
	return 0;
}

static int exec_squeeze(struct exec_ctx *x)
{
	int64_t axes[2 * MAX_RANK], dims[MAX_RANK];
	size_t count;
	bool all = !exec_ints(x, 1, "axes", axes, &count);
	if (all && exec_input(x, 1))
		return axes_error(x->diags, x->node);
	int rank = squeezed(x->in[0]->rank, x->in[0]->dims, axes, count, all, dims);
	return rank < 0 ? axes_error(x->diags, x->node) : exec_view(x, rank, dims);
}

/* Inserts axes of extent 1 at those positions of the result. Returns its rank, -1 where they do not fit. */
static int unsqueezed(int rank, const int64_t *dims, int64_t *axes, size_t count, int64_t *out)
{
	if (rank + (int)count > MAX_RANK || !normal_axes(axes, count, rank + (int)count))
		return -1;
	uint32_t insert = 0;
	for (size_t i = 0; i < count; i++)
		insert |= 1u << axes[i];
	for (int i = 0, from = 0; i < rank + (int)count; i++)
		out[i] = insert >> i & 1 ? 1 : dims[from++];
	return rank + (int)count;
}

static int infer_unsqueeze(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t axes[MAX_RANK], dims[MAX_RANK];
	size_t count;
	if (!infer_ints(x->node, 1, "axes", axes, &count) || in->rank < 0) {
		infer_output(x, 0, in->elem, -1, NULL);
		return 0;
	}
	int rank = unsqueezed(in->rank, in->dims, axes, count, dims);
	if (rank < 0)
		return axes_error(x->diags, x->node);
	infer_output(x, 0, in->elem, rank, dims);
	return 0;
}

static int exec_unsqueeze(struct exec_ctx *x)
{
	int64_t axes[2 * MAX_RANK], dims[MAX_RANK];
	size_t count;
	if (!exec_ints(x, 1, "axes", axes, &count))
		return axes_error(x->diags, x->node);
	int rank = unsqueezed(x->in[0]->rank, x->in[0]->dims, axes, count, dims);
	return rank < 0 ? axes_error(x->diags, x->node) : exec_view(x, rank, dims);
}

/* ---- Identity, Dropout ---- */

static int exec_identity(struct exec_ctx *x)
{
	x->out[0] = tensor_ref(x->in[0]);
	return 0;
}

static int infer_dropout(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	infer_same(x);
	infer_output(x, 1, x->opset >= 10 ? ELEM_BOOL : in->elem, in->rank, in->dims);
	return 0;
}

static struct datatype datatype_dropout(const struct node *n, size_t i)
{
	return i == 0 ? datatype_same(n, i) : datatype_of_kind(DT_BINARY);
}

/* At inference nothing is dropped. */
static int exec_dropout(struct exec_ctx *x)
{
	struct tensor *in = x->in[0], *training = exec_input(x, 2), *ratio = exec_input(x, 1);
	if (training && training->count == 1 && tensor_at(training, 0) != 0 &&
	    !(ratio && ratio->count == 1 && tensor_at(ratio, 0) == 0))
		return exec_unsupported(x, "training mode draws random numbers");
	x->out[0] = tensor_ref(in);
	if (x->n_out < 2)
		return 0;
	struct tensor *mask = exec_output(x, 1, x->opset >= 10 ? ELEM_BOOL : in->elem, in->rank, in->dims);
	for (int64_t i = 0; mask && i < mask->count; i++)
		tensor_put(mask, i, 1);
	return mask ? 0 : -1;
}

const struct op op_Reshape = {
	.name = "Reshape",
	.domain = DOMAIN_ONNX,
	.summary = "the same elements under another shape",
	.min_inputs = 1,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer_reshape,
	.datatype = datatype_same,
	.exec = exec_reshape,
};

const struct op op_Flatten = {
	.name = "Flatten",
	.domain = DOMAIN_ONNX,
	.summary = "the same elements under two axes",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer_flatten,
	.datatype = datatype_same,
	.exec = exec_flatten,
};

const struct op op_Squeeze = {
	.name = "Squeeze",
	.domain = DOMAIN_ONNX,
	.summary = "axes of extent 1 removed",
	.min_inputs = 1,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer_squeeze,
	.datatype = datatype_same,
	.exec = exec_squeeze,
};

const struct op op_Unsqueeze = {
	.name = "Unsqueeze",
	.domain = DOMAIN_ONNX,
	.summary = "axes of extent 1 inserted",
	.min_inputs = 1,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer_unsqueeze,
	.datatype = datatype_same,
	.exec = exec_unsqueeze,
};

const struct op op_Identity = {
	.name = "Identity",
	.domain = DOMAIN_ONNX,
	.summary = "the input as it is",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES | OP_ELEMENTWISE | OP_MONOTONE,
	.infer = infer_same,
	.datatype = datatype_same,
	.exec = exec_identity,
};

const struct op op_Dropout = {
	.name = "Dropout",
	.domain = DOMAIN_ONNX,
	.summary = "the input as it is (at inference)",
	.min_inputs = 1,
	.max_inputs = 3,
	.min_outputs = 1,
	.max_outputs = 2,
	.flags = OP_MOVES | OP_ELEMENTWISE | OP_MONOTONE,
	.infer = infer_dropout,
	.datatype = datatype_dropout,
	.exec = exec_dropout,
};

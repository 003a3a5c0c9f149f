/* Gather and Compress: entries along one axis, chosen by index or by condition. */
#include "ops/form.h"
#include "ops/move.h"

#include <string.h>

static int index_error(struct diags *d, const struct node *n)
{
	return diag_node_error(d, n, "check its axis and indices", "an index or its axis is out of range");
}

static int infer_gather(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0), *at = node_input(x->node, 1);
	int64_t dims[2 * MAX_RANK];
	if (in->rank < 0 || at->rank < 0) {
		infer_output(x, 0, in->elem, -1, NULL);
		return 0;
	}
	int axis = normal_axis(node_attr_int(x->node, "axis", 0), in->rank), rank = 0;
	if (axis < 0 || in->rank - 1 + at->rank > MAX_RANK)
		return index_error(x->diags, x->node);
	for (int i = 0; i < axis; i++)
		dims[rank++] = in->dims[i];
	for (int i = 0; i < at->rank; i++)
		dims[rank++] = at->dims[i];
	for (int i = axis + 1; i < in->rank; i++)
		dims[rank++] = in->dims[i];
	infer_output(x, 0, in->elem, rank, dims);
	return 0;
}

/* Adds the axis whose entries are those at the given indices; false where one is out of range. */
static bool move_indices(struct move *m, const struct tensor *indices, int64_t extent, int64_t stride)
{
	int64_t *table = move_axis(m, indices->count, 0);
	for (int64_t i = 0; table && i < indices->count; i++) {
		int64_t at = tensor_int_at(indices, i);
		at += at < 0 ? extent : 0;
		if (at < 0 || at >= extent)
			return false;
		table[i] = at * stride;
	}
	return true;
}

/* Output 0 is the input with the axis replaced by the indices' axes. */
static int gather(struct exec_ctx *x, const struct tensor *in, const struct tensor *indices, int axis)
{
	int64_t dims[2 * MAX_RANK], strides[MAX_RANK];
	int rank = 0;
	struct move m = { .x = x };
	if (axis < 0 || in->rank - 1 + indices->rank > MAX_RANK)
		return index_error(x->diags, x->node);
	row_major_strides(in->rank, in->dims, strides);
	for (int i = 0; i < in->rank; i++) {
		if (i != axis) {
			move_axis(&m, in->dims[i], strides[i]);
			dims[rank++] = in->dims[i];
			continue;
		}
		memcpy(dims + rank, indices->dims, indices->rank * sizeof *dims);
		rank += indices->rank;
		if (!move_indices(&m, indices, in->dims[i], strides[i])) {
			move_free(&m);
			return index_error(x->diags, x->node);
		}
	}
	return exec_move(x, 0, &m, in, NULL, rank, dims);
}

static int exec_gather(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0];
	return gather(x, in, x->in[1], normal_axis(node_attr_int(x->node, "axis", 0), in->rank));
}

/* ---- Compress ---- */

static int infer_compress(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t dims[MAX_RANK] = { -1 };
	if (!node_attr(x->node, "axis")) {
		infer_output(x, 0, in->elem, 1, dims);
		return 0;
	}
	int axis = in->rank < 0 ? -1 : normal_axis(node_attr_int(x->node, "axis", 0), in->rank);
	if (in->rank >= 0 && axis < 0)
		return index_error(x->diags, x->node);
	for (int i = 0; i < in->rank; i++)
		dims[i] = i == axis ? -1 : in->dims[i];
	infer_output(x, 0, in->elem, in->rank, dims);
	return 0;
}

/* Positions of the condition's true elements, as a 1-D tensor. */
static struct tensor *true_positions(const struct tensor *condition)
{
	int64_t count = 0;
	for (int64_t i = 0; i < condition->count; i++)
		count += tensor_at(condition, i) != 0;
	struct tensor *at = tensor_try_raw(ELEM_INT64, 1, &count);
	int64_t next = 0;
	for (int64_t i = 0; at && i < condition->count; i++)
		if (tensor_at(condition, i) != 0)
			((int64_t *)at->data)[next++] = i;
	return at;
}

static int exec_compress(struct exec_ctx *x)
{
	struct tensor *in = x->in[0], *at = true_positions(x->in[1]);
	bool flat = !node_attr(x->node, "axis");
	struct tensor *data = flat ? tensor_view(in, 1, &in->count) : tensor_ref(in);
	int result = -1;
	if (at && data)
		result = gather(x, data, at, flat ? 0 : normal_axis(node_attr_int(x->node, "axis", 0), in->rank));
	tensor_unref(at);
	tensor_unref(data);
	return result;
}

const struct op op_Gather = {
	.name = "Gather",
	.domain = DOMAIN_ONNX,
	.summary = "entries along an axis, by index",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer_gather,
	.datatype = datatype_same,
	.exec = exec_gather,
	.form = form_gather,
};

const struct op op_Compress = {
	.name = "Compress",
	.domain = DOMAIN_ONNX,
	.summary = "entries along an axis, by condition",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer_compress,
	.datatype = datatype_same,
	.exec = exec_compress,
};

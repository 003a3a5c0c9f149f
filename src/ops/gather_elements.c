/* GatherElements and GatherND: elements, or slices, at positions that an index tensor lists. */
#include <string.h>

#include "ops/form.h"
#include "ops/indices.h"
#include "ops/move.h"
#include "util/integers.h"

int index_out_of_range(struct diags *d, const struct node *n)
{
	return diag_node_error(d, n, "check its indices, axis and shapes",
			       "an index is out of range, or shapes do not fit one another");
}

static int infer_gather_elements(struct infer_ctx *x)
{
	const struct value *at = node_input(x->node, 1);
	infer_output(x, 0, (enum elem_type)node_input(x->node, 0)->elem, at->rank, at->dims);
	return 0;
}

bool element_offset(const struct tensor *data, const struct tensor *indices, int axis, int64_t i, int64_t *offset)
{
	int64_t index = tensor_int_at(indices, i), stride = 1;
	index += index < 0 ? data->dims[axis] : 0;
	if (index < 0 || index >= data->dims[axis])
		return false;
	*offset = 0;
	for (int k = indices->rank - 1; k >= 0; k--) {
		int64_t at = k == axis ? index : i % indices->dims[k];
		i /= indices->dims[k];
		*offset += at * stride;
		stride *= data->dims[k];
	}
	return true;
}

bool indices_fit(const struct tensor *data, const struct tensor *indices, int axis)
{
	if (axis < 0 || indices->rank != data->rank || indices->elem == ELEM_STRING)
		return false;
	for (int k = 0; k < data->rank; k++)
		if (k != axis && indices->dims[k] > data->dims[k])
			return false;
	return true;
}

static int exec_gather_elements(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0], *at = x->in[1];
	int axis = normal_axis(node_attr_int(x->node, "axis", 0), in->rank);
	if (!indices_fit(in, at, axis))
		return index_out_of_range(x->diags, x->node);
	for (int64_t i = 0, offset; i < at->count; i++)
		if (!element_offset(in, at, axis, i, &offset))
			return index_out_of_range(x->diags, x->node);
	struct tensor *out = exec_output(x, 0, in->elem, at->rank, at->dims);
	for (int64_t i = 0, offset; out && i < at->count; i++)
		if (element_offset(in, at, axis, i, &offset))
			elements_copy(out, i, in, offset, 1);
	return out ? 0 : -1;
}

/* ---- GatherND ---- */

/* Shape of the result: batch and outer dims of the indices, then the data's dims that no index covers. Returns
 * the rank, -1 where the shapes do not fit, -2 where it is not known. */
static int gathered_shape(int batch, int rank, const int64_t *dims, int at_rank, const int64_t *at,
			  int64_t out[2 * MAX_RANK])
{
	if (at_rank < 1 || batch < 0 || batch >= at_rank || batch >= rank)
		return -1;
	int64_t depth = at[at_rank - 1];
	if (depth < 0)
		return -2;
	if (depth < 1 || depth > rank - batch)
		return -1;
	int kept = at_rank - 1;
	memcpy(out, at, (size_t)kept * sizeof *out);
	for (int k = batch + (int)depth; k < rank; k++)
		out[kept++] = dims[k];
	return kept > MAX_RANK ? -1 : kept;
}

static int infer_gather_nd(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0), *at = node_input(x->node, 1);
	int64_t dims[2 * MAX_RANK];
	int rank = -2, batch = (int)node_attr_int(x->node, "batch_dims", 0);
	if (in->rank >= 0 && at->rank >= 0)
		rank = gathered_shape(batch, in->rank, in->dims, at->rank, at->dims, dims);
	if (rank == -1)
		return index_out_of_range(x->diags, x->node);
	infer_output(x, 0, (enum elem_type)in->elem, rank < 0 ? -1 : rank, dims);
	return 0;
}

bool slice_offset(const struct tensor *data, const struct tensor *indices, int batch, int64_t i, int64_t *offset)
{
	int64_t depth = indices->dims[indices->rank - 1], strides[MAX_RANK];
	row_major_strides(data->rank, data->dims, strides);
	*offset = 0;
	for (int64_t k = 0; k < depth; k++) {
		int64_t index = tensor_int_at(indices, i * depth + k), extent = data->dims[batch + k];
		index += index < 0 ? extent : 0;
		if (index < 0 || index >= extent)
			return false;
		*offset += index * strides[batch + k];
	}
	return true;
}

static int exec_gather_nd(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0], *at = x->in[1];
	int64_t dims[2 * MAX_RANK], block = 1, batches = 1, per_batch = 1;
	int batch = (int)node_attr_int(x->node, "batch_dims", 0);
	int rank = gathered_shape(batch, in->rank, in->dims, at->rank, at->dims, dims);
	for (int k = 0; rank >= 0 && k < batch; k++) {
		if (in->dims[k] != at->dims[k])
			rank = -1;
		batches *= in->dims[k];
	}
	if (rank < 0)
		return index_out_of_range(x->diags, x->node);
	block = dims_product(in->dims, batch + (int)at->dims[at->rank - 1], in->rank);
	int64_t count = at->count / at->dims[at->rank - 1], offset;
	per_batch = batches ? count / batches : 0;
	for (int64_t i = 0; i < count; i++)
		if (!slice_offset(in, at, batch, i, &offset))
			return index_out_of_range(x->diags, x->node);
	struct tensor *out = exec_output(x, 0, in->elem, rank, dims);
	for (int64_t i = 0; out && i < count; i++)
		if (slice_offset(in, at, batch, i, &offset))
			elements_copy(out, i * block, in, i / per_batch * (in->count / batches) + offset, block);
	return out ? 0 : -1;
}

const struct op op_GatherElements = {
	.name = "GatherElements",
	.domain = DOMAIN_ONNX,
	.summary = "single elements, by index along an axis",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer_gather_elements,
	.datatype = datatype_same,
	.exec = exec_gather_elements,
	.form = form_gather_elements,
};

const struct op op_GatherND = {
	.name = "GatherND",
	.domain = DOMAIN_ONNX,
	.summary = "slices at positions that rows of indices name",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer_gather_nd,
	.datatype = datatype_same,
	.exec = exec_gather_nd,
	.form = form_gather_nd,
};

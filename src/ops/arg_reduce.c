/* ArgMax and ArgMin: where along an axis the largest or smallest element is. */
#include <string.h>

#include "ops/form.h"
#include "ops/order.h"
#include "ops/ranges.h"
#include "util/integers.h"

static int axis_error(struct diags *d, const struct node *n)
{
	return diag_node_error(d, n, "check its axis", "its axis is out of range or empty");
}

/* Shape without the axis, or with extent 1 there; its rank. */
static int arg_shape(const struct node *n, int axis, int rank, const int64_t *dims, int64_t *out)
{
	bool keep = node_attr_int(n, "keepdims", 1) != 0;
	int kept = 0;
	for (int i = 0; i < rank; i++)
		if (i != axis)
			out[kept++] = dims[i];
		else if (keep)
			out[kept++] = 1;
	return kept;
}

static int infer_arg(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t dims[MAX_RANK];
	int axis = in->rank < 0 ? -1 : normal_axis(node_attr_int(x->node, "axis", 0), in->rank);
	if (in->rank >= 0 && axis < 0)
		return axis_error(x->diags, x->node);
	int rank = in->rank < 0 ? -1 : arg_shape(x->node, axis, in->rank, in->dims, dims);
	infer_output(x, 0, ELEM_INT64, rank, dims);
	return 0;
}

/* The first (or last) of the largest keys among n elements, flipped for the smallest. */
static int64_t best_index(const struct tensor *in, int64_t start, int64_t stride, int64_t n, uint64_t flip, bool last)
{
	int64_t best = 0;
	uint64_t best_key = element_key(in, start) ^ flip;
	for (int64_t i = 1; i < n; i++) {
		uint64_t key = element_key(in, start + i * stride) ^ flip;
		if (key > best_key || (last && key == best_key)) {
			best = i;
			best_key = key;
		}
	}
	return best;
}

static int exec_arg(struct exec_ctx *x, bool smallest)
{
	const struct tensor *in = x->in[0];
	int axis = normal_axis(node_attr_int(x->node, "axis", 0), in->rank);
	if (axis < 0 || in->dims[axis] == 0 || in->elem == ELEM_STRING)
		return axis_error(x->diags, x->node);
	int64_t dims[MAX_RANK], inner = 1, n = in->dims[axis];
	int rank = arg_shape(x->node, axis, in->rank, in->dims, dims);
	struct tensor *out = exec_output(x, 0, ELEM_INT64, rank, dims);
	if (!out)
		return -1;
	inner = dims_product(in->dims, axis + 1, in->rank);
	bool last = node_attr_int(x->node, "select_last_index", 0) != 0;
	for (int64_t i = 0; i < out->count; i++)
		((int64_t *)out->data)[i] =
			best_index(in, i / inner * inner * n + i % inner, inner, n, smallest ? UINT64_MAX : 0, last);
	return 0;
}

static int exec_argmax(struct exec_ctx *x)
{
	return exec_arg(x, false);
}

static int exec_argmin(struct exec_ctx *x)
{
	return exec_arg(x, true);
}

static struct datatype datatype_arg(const struct node *n, size_t i)
{
	(void)i;
	const struct value *in = node_input(n, 0);
	int axis = in->rank < 0 ? -1 : normal_axis(node_attr_int(n, "axis", 0), in->rank);
	if (axis < 0 || in->dims[axis] < 1)
		return datatype_of_kind(DT_NONE);
	return datatype_for_range(0, in->dims[axis] - 1);
}

const struct op op_ArgMax = {
	.name = "ArgMax",
	.domain = DOMAIN_ONNX,
	.summary = "index of the largest along an axis",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_arg,
	.datatype = datatype_arg,
	.exec = exec_argmax,
	.form = form_arg,
};

const struct op op_ArgMin = {
	.name = "ArgMin",
	.domain = DOMAIN_ONNX,
	.summary = "index of the smallest along an axis",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_arg,
	.datatype = datatype_arg,
	.exec = exec_argmin,
	.form = form_arg,
};

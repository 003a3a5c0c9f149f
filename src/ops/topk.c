/* TopK: the k largest (or smallest) elements along an axis and where they are. Ties go to the lower index. */
#include <stdlib.h>
#include <string.h>

#include "ops/move.h"
#include "ops/order.h"
#include "ops/ranges.h"
#include "util/integers.h"

static int k_error(struct diags *d, const struct node *n)
{
	return diag_node_error(d, n, "check its axis and k", "k or its axis does not fit the shape of the input");
}

static int infer_topk(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t dims[MAX_RANK], k[MAX_RANK] = { node_attr_int(x->node, "k", -1) };
	size_t count = 1;
	if (node_input(x->node, 1) && (!constant_ints(node_input(x->node, 1), k, &count) || count != 1))
		k[0] = -1;
	int axis = in->rank < 0 ? -1 : normal_axis(node_attr_int(x->node, "axis", -1), in->rank);
	if (in->rank >= 0 && (axis < 0 || (in->dims[axis] >= 0 && k[0] > in->dims[axis])))
		return k_error(x->diags, x->node);
	for (int i = 0; i < in->rank; i++)
		dims[i] = i == axis ? k[0] : in->dims[i];
	infer_output(x, 0, in->elem, in->rank, dims);
	infer_output(x, 1, ELEM_INT64, in->rank, dims);
	return 0;
}

/* The k first of n entries in order, at the front: few are found by one scan for each, more by sorting. */
static void select_first(struct ranked *r, int64_t n, int64_t k)
{
	if (k > 4) {
		ranked_sort(r, n);
		return;
	}
	for (int64_t i = 0; i < k; i++) {
		int64_t best = i;
		for (int64_t j = i + 1; j < n; j++)
			if (r[j].key < r[best].key || (r[j].key == r[best].key && r[j].index < r[best].index))
				best = j;
		struct ranked swap = r[i];
		r[i] = r[best];
		r[best] = swap;
	}
}

struct line { /* where one line along the axis starts, and how far its elements are apart */
	int64_t in, out, stride;
};

static void topk_line(const struct tensor *in, struct tensor *values, struct tensor *indices, struct line l, int64_t n,
		      int64_t k, bool largest, struct ranked *r)
{
	for (int64_t i = 0; i < n; i++) {
		uint64_t key = element_key(in, l.in + i * l.stride);
		r[i] = (struct ranked){ largest ? ~key : key, i };
	}
	select_first(r, n, k);
	for (int64_t i = 0; i < k; i++) {
		elements_copy(values, l.out + i * l.stride, in, l.in + r[i].index * l.stride, 1);
		((int64_t *)indices->data)[l.out + i * l.stride] = r[i].index;
	}
}

static void topk_lines(const struct exec_ctx *x, int axis, int64_t k, struct tensor *values, struct tensor *indices)
{
	const struct tensor *in = x->in[0];
	bool largest = node_attr_int(x->node, "largest", 1) != 0;
	int64_t inner = 1, extent = in->dims[axis];
	inner = dims_product(in->dims, axis + 1, in->rank);
	struct ranked *r = xmalloc(sizeof *r * (size_t)(extent + 1));
	int64_t lines = k ? values->count / k : 0;
	for (int64_t i = 0; i < lines; i++) {
		struct line l = { i / inner * inner * extent + i % inner, i / inner * inner * k + i % inner, inner };
		topk_line(in, values, indices, l, extent, k, largest, r);
	}
	free(r);
}

static int exec_topk(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0], *given = exec_input(x, 1);
	int axis = normal_axis(node_attr_int(x->node, "axis", -1), in->rank);
	int64_t k = given && given->count == 1 ? tensor_int_at(given, 0) : node_attr_int(x->node, "k", -1);
	int64_t dims[MAX_RANK];
	if (axis < 0 || k < 0 || k > in->dims[axis] || in->elem == ELEM_STRING)
		return k_error(x->diags, x->node);
	memcpy(dims, in->dims, in->rank * sizeof *dims);
	dims[axis] = k;
	struct tensor *values = exec_output(x, 0, in->elem, in->rank, dims);
	struct tensor *indices = values ? tensor_try_raw(ELEM_INT64, in->rank, dims) : NULL;
	if (!indices)
		return -1;
	topk_lines(x, axis, k, values, indices);
	if (x->n_out > 1)
		x->out[1] = indices;
	else
		tensor_unref(indices);
	return 0;
}

static struct datatype datatype_topk(const struct node *n, size_t i)
{
	const struct value *in = node_input(n, 0);
	if (i == 0)
		return datatype_same(n, i);
	int axis = in->rank < 0 ? -1 : normal_axis(node_attr_int(n, "axis", -1), in->rank);
	if (axis < 0 || in->dims[axis] < 1)
		return datatype_of_kind(DT_NONE);
	return datatype_for_range(0, in->dims[axis] - 1);
}

const struct op op_TopK = {
	.name = "TopK",
	.domain = DOMAIN_ONNX,
	.summary = "the k largest or smallest along an axis",
	.min_inputs = 1,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 2,
	.infer = infer_topk,
	.datatype = datatype_topk,
	.exec = exec_topk,
};

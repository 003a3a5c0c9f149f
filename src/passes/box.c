/* Boxes: an execution on the numbers of the elements says which ones come out, and where. */
#include "passes/box.h"

#include <stdlib.h>

#include "ops/move.h"
#include "util/integers.h"

static bool may_be_box(const struct node *n)
{
	const struct value *x = node_input(n, 0);
	if (n->op != &op_Slice && n->op != &op_Split && n->op != &op_Pad && n->op != &op_Gather)
		return false;
	for (uint32_t k = 1; k < n->n_inputs; k++)
		if (node_input(n, k) && !value_is_constant(node_input(n, k)))
			return false;
	return x && !value_is_constant(x) && value_shape_known(x) && x->rank > 0;
}

/* 1, 2, 3, ... in the input's shape; NULL where float32 does not count that far. */
static struct tensor *numbers(const struct value *x)
{
	enum { MOST_ELEMENTS = 1 << 24 };
	int64_t count = shape_count(x->rank, x->dims, ELEM_FLOAT);
	struct tensor *t = count > 0 && count <= MOST_ELEMENTS ? tensor_new_raw(ELEM_FLOAT, x->rank, x->dims) : NULL;
	for (int64_t i = 0; t && i < count; i++)
		((float *)t->data)[i] = (float)(i + 1);
	return t;
}

/* What the outputs are for those numbers, n_outputs of them; NULL where they cannot be executed. */
static void execute(const struct node *n, struct tensor **out)
{
	struct tensor **in = xcalloc(n->n_inputs, sizeof(struct tensor *));
	struct diags ignored = { 0 };
	in[0] = numbers(node_input(n, 0));
	for (uint32_t k = 1; k < n->n_inputs; k++)
		in[k] = node_input(n, k) ? node_input(n, k)->constant : NULL;
	if (in[0])
		node_execute(n, in, out, 1, &ignored);
	tensor_unref(in[0]);
	diags_free(&ignored);
	free(in);
}

/* The output's extents on the axes of the input. */
static bool extents(const struct node *n, const struct tensor *y, int64_t dims[MAX_RANK])
{
	const struct value *x = node_input(n, 0);
	int dropped = n->op == &op_Gather && node_input(n, 1)->rank == 0
			      ? normal_axis(node_attr_int(n, "axis", 0), x->rank)
			      : -1;
	if (y->rank != x->rank - (dropped >= 0))
		return false;
	for (int k = 0, at = 0; k < x->rank; k++)
		dims[k] = k == dropped ? 1 : y->dims[at++];
	return true;
}

/* The number that a box has at element i of its output, 0 for added zeros. */
static int64_t number_at(const struct box *b, const struct value *x, const int64_t *dims, int64_t i)
{
	int64_t number = 0, stride = 1;
	for (int k = b->rank - 1; k >= 0; k--) {
		int64_t at = i % dims[k] * b->step[k] - b->before[k];
		if (at < 0 || at >= x->dims[k])
			return 0;
		number += at * stride;
		stride *= x->dims[k];
		i /= dims[k];
	}
	return number + 1;
}

/* The first element of the input that comes out, and its neighbour on each axis, say how the box lies. */
static bool place(const struct tensor *y, const struct value *x, const int64_t *dims, struct box *b)
{
	const float *out = tensor_floats(y);
	int64_t first = 0, strides[MAX_RANK], in_strides[MAX_RANK];
	while (first < y->count && out[first] == 0)
		first++;
	if (first == y->count)
		return false;
	row_major_strides(x->rank, dims, strides);
	row_major_strides(x->rank, x->dims, in_strides);
	b->rank = x->rank;
	for (int k = 0; k < x->rank; k++) {
		int64_t at = first / strides[k] % dims[k],
			in_at = ((int64_t)out[first] - 1) / in_strides[k] % x->dims[k];
		bool alone = at + 1 == dims[k] || out[first + strides[k]] == 0;
		int64_t step = alone ? 1 : ((int64_t)out[first + strides[k]] - (int64_t)out[first]) / in_strides[k];
		b->step[k] = step > 1 ? step : 1;
		b->before[k] = at * b->step[k] - in_at;
		b->after[k] = (dims[k] - 1) * b->step[k] + 1 - x->dims[k] - b->before[k];
	}
	return true;
}

/* Whether there are places of the input's elements, counted from 1, and zeros alone: what pads may be any number. */
static bool has_places(const struct tensor *y, const struct value *x)
{
	float most = (float)dims_product(x->dims, 0, x->rank);
	for (int64_t i = 0; i < y->count; i++)
		if (!(tensor_floats(y)[i] >= 0 && tensor_floats(y)[i] <= most))
			return false;
	return true;
}

/* Whether y has those places of the elements of x; b is the box then. */
static bool is_box(const struct node *n, const struct tensor *y, struct box *b)
{
	const struct value *x = node_input(n, 0);
	int64_t dims[MAX_RANK];
	bool box = y && has_places(y, x) && extents(n, y, dims) && place(y, x, dims, b);
	for (int64_t k = 0; box && k < y->count; k++)
		box = tensor_floats(y)[k] == (float)number_at(b, x, dims, k);
	return box;
}

void boxes_of(const struct node *n, struct box *boxes)
{
	struct tensor **out = xcalloc(n->n_outputs, sizeof(struct tensor *));
	if (may_be_box(n))
		execute(n, out);
	for (uint32_t i = 0; i < n->n_outputs; i++) {
		if (!is_box(n, out[i], &boxes[i]))
			boxes[i].rank = 0;
		tensor_unref(out[i]);
	}
	free(out);
}

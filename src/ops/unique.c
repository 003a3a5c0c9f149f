/* Unique: distinct elements, or slices along an axis, with where they come from and how often they occur. */
#include <stdlib.h>
#include <string.h>

#include "ops/move.h"
#include "ops/order.h"
#include "util/integers.h"

static int infer_unique(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t unknown = -1, dims[MAX_RANK];
	bool flat = !node_attr(x->node, "axis");
	int axis = in->rank < 0 ? -1 : normal_axis(node_attr_int(x->node, "axis", 0), in->rank);
	for (int i = 0; i < in->rank; i++)
		dims[i] = i == axis ? -1 : in->dims[i];
	infer_output(x, 0, (enum elem_type)in->elem, flat ? 1 : in->rank, flat ? &unknown : dims);
	for (size_t i = 1; i < 4; i++)
		infer_output(x, i, ELEM_INT64, 1, &unknown);
	return 0;
}

/* n entries (elements or slices) of the input; entry i's elements lie at outer * n * inner + i * inner + ... */
struct entries {
	const struct tensor *in;
	int64_t n, outer, inner;
};

struct entry {
	const struct entries *all;
	int64_t index, group; /* group: which distinct entry it equals */
};

static int compare_element(const struct tensor *t, int64_t a, int64_t b)
{
	if (t->elem == ELEM_STRING)
		return strcmp(tensor_string(t, a), tensor_string(t, b));
	uint64_t p = element_key(t, a), q = element_key(t, b);
	return p < q ? -1 : p > q;
}

static int compare_entries(const struct entry *a, const struct entry *b)
{
	const struct entries *e = a->all;
	for (int64_t o = 0; o < e->outer; o++)
		for (int64_t i = 0; i < e->inner; i++) {
			int64_t base = o * e->n * e->inner + i;
			int order = compare_element(e->in, base + a->index * e->inner, base + b->index * e->inner);
			if (order)
				return order;
		}
	return 0;
}

static int by_content(const void *a, const void *b)
{
	const struct entry *p = a, *q = b;
	int order = compare_entries(p, q);
	return order ? order : p->index < q->index ? -1 : p->index > q->index;
}

/* Groups equal entries; returns how many there are, with the first entry, size and sorted position of each.
 * Arrays of n. */
static int64_t group(const struct entries *e, struct entry *sorted, int64_t *first, int64_t *count, int64_t *group_of)
{
	int64_t groups = 0;
	for (int64_t i = 0; i < e->n; i++)
		sorted[i] = (struct entry){ e, i, 0 };
	qsort(sorted, (size_t)e->n, sizeof *sorted, by_content);
	for (int64_t i = 0; i < e->n; i++) {
		if (i == 0 || compare_entries(&sorted[i - 1], &sorted[i]) != 0) {
			first[groups] = sorted[i].index;
			count[groups++] = 0;
		}
		count[groups - 1]++;
		group_of[sorted[i].index] = groups - 1;
	}
	return groups;
}

/* Order of the groups in the result: sorted, or as they first occur. order[i]: the i-th group. */
static void order_groups(int64_t groups, const int64_t *first, bool sorted, int64_t *order)
{
	struct ranked *r = xcalloc((size_t)groups + 1, sizeof *r);
	for (int64_t i = 0; i < groups; i++)
		r[i] = (struct ranked){ sorted ? 0 : (uint64_t)first[i], i };
	ranked_sort(r, groups);
	for (int64_t i = 0; i < groups; i++)
		order[i] = r[i].index;
	free(r);
}

static struct tensor *int_output(struct exec_ctx *x, size_t i, int64_t count)
{
	return i < x->n_out ? exec_output(x, i, ELEM_INT64, 1, &count) : NULL;
}

static int store(struct exec_ctx *x, const struct entries *e, int64_t groups, const int64_t *order,
		 const int64_t *first, const int64_t *count, const int64_t *group_of, int64_t *place)
{
	int64_t dims[MAX_RANK] = { groups };
	bool flat = !node_attr(x->node, "axis");
	if (!flat)
		memcpy(dims, e->in->dims, e->in->rank * sizeof *dims);
	if (!flat)
		dims[normal_axis(node_attr_int(x->node, "axis", 0), e->in->rank)] = groups;
	struct tensor *out = exec_output(x, 0, e->in->elem, flat ? 1 : e->in->rank, dims);
	struct tensor *at = int_output(x, 1, groups), *inverse = int_output(x, 2, e->n);
	struct tensor *counts = int_output(x, 3, groups);
	if (!out || (x->n_out > 1 && !at) || (x->n_out > 2 && !inverse) || (x->n_out > 3 && !counts))
		return -1;
	for (int64_t o = 0; o < e->outer; o++)
		for (int64_t g = 0; g < groups; g++)
			elements_copy(out, (o * groups + g) * e->inner, e->in, (o * e->n + first[order[g]]) * e->inner,
				      e->inner);
	for (int64_t g = 0; g < groups; g++) {
		if (at)
			((int64_t *)at->data)[g] = first[order[g]];
		if (counts)
			((int64_t *)counts->data)[g] = count[order[g]];
		place[order[g]] = g;
	}
	for (int64_t i = 0; inverse && i < e->n; i++)
		((int64_t *)inverse->data)[i] = place[group_of[i]];
	return 0;
}

static int exec_unique(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0];
	struct entries e = { in, in->count, 1, 1 };
	if (node_attr(x->node, "axis")) {
		int axis = normal_axis(node_attr_int(x->node, "axis", 0), in->rank);
		if (axis < 0)
			return exec_unsupported(x, "an axis out of range");
		e.n = in->dims[axis];
		e.outer = dims_product(in->dims, 0, axis);
		e.inner = dims_product(in->dims, axis + 1, in->rank);
	}
	int64_t n = e.n + 1;
	struct entry *sorted = exec_memory(x, n, sizeof *sorted);
	int64_t *scratch = sorted ? exec_memory(x, 5 * n, sizeof *scratch) : NULL;
	if (!scratch) {
		free(sorted);
		return -1;
	}
	int64_t *first = scratch, *count = scratch + n, *group_of = scratch + 2 * n, *order = scratch + 3 * n;
	int64_t groups = group(&e, sorted, first, count, group_of);
	order_groups(groups, first, node_attr_int(x->node, "sorted", 1) != 0, order);
	int result = store(x, &e, groups, order, first, count, group_of, scratch + 4 * n);
	free(sorted);
	free(scratch);
	return result;
}

static struct datatype datatype_unique(const struct node *n, size_t i)
{
	return i == 0 ? datatype_same(n, i) : datatype_of_kind(DT_NONE);
}

const struct op op_Unique = {
	.name = "Unique",
	.domain = DOMAIN_ONNX,
	.summary = "distinct elements or slices",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 4,
	.infer = infer_unique,
	.datatype = datatype_unique,
	.exec = exec_unique,
};

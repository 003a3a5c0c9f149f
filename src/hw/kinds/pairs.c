/* What the layers share that combine a stream with another one or with one constant per channel. */
#include "hw/kinds/exec.h"
#include "ops/ranges.h"
#include "util/integers.h"

static bool is_one_vector(const struct value *v)
{
	return v && (v->rank < 1 || dims_product(v->dims, 0, v->rank - 1) == 1);
}

int hw_read_pairs(const struct node *n, struct hw_layer *l, struct diags *d)
{
	hw_read_vectors(n, l, d);
	l->repeats = l->vectors > 1 && is_one_vector(node_input(n, 1));
	l->elements[0] += l->repeats ? l->mh : l->elements[1];
	return 0;
}

bool hw_takes_repeating(const struct hw_layer *l, const struct hw_progress *p, size_t k)
{
	return !l->repeats || k == 0 || p->at < hw_input(l, &l->now, k).words;
}

/* ---- execution ---- */

static double combine(enum hw_function f, double a, double b)
{
	switch (f) {
	case HW_SUB: return a - b;
	case HW_ABS_DIFF: return a > b ? a - b : b - a;
	case HW_MUL: return a * b;
	case HW_AT_LEAST: return a >= b ? 1 : 0;
	case HW_AT_MOST: return a <= b ? 1 : 0;
	default: return a + b;
	}
}

/* Elements of a and b that belong to one sample: where b is one pixel for each of several samples, not all of b. */
static void sample_sizes(const struct tensor *a, const struct tensor *b, int64_t *of_a, int64_t *of_b)
{
	bool several = a->rank > 1 && b->rank > 1 && a->dims[0] == b->dims[0];
	*of_a = several && a->dims[0] ? a->count / a->dims[0] : a->count;
	*of_b = several && a->dims[0] ? b->count / a->dims[0] : b->count;
}

/* Output 0 from input 0 and input 1, which repeats along the leading axes. */
int hw_run_pairs(struct exec_ctx *x)
{
	struct hw_layer l;
	if (hw_layer_read(x->node, &l, x->diags) != 0)
		return -1;
	struct tensor *a = hw_numbers(x, 0), *b = a ? hw_numbers(x, 1) : NULL;
	int64_t dims[MAX_RANK];
	int rank = a && a->rank > 0 ? hw_input_shape(x->node, l.mh, a->rank, a->dims, dims) : 0;
	struct tensor *y = b ? exec_output(x, 0, hw_elem(x), rank, dims) : NULL;
	if (y && (b->count < 1 || a->count % b->count)) {
		diag_node_error(x->diags, x->node, NULL, "its inputs differ in shape");
		y = NULL;
	}
	int64_t of_a, of_b;
	if (y)
		sample_sizes(a, b, &of_a, &of_b);
	for (int64_t i = 0; y && i < a->count; i++)
		hw_put(y, i, combine(l.function, hw_get(a, i), hw_get(b, i / of_a * of_b + i % of_b)));
	tensor_unref(a);
	tensor_unref(b);
	return y ? 0 : -1;
}

static struct datatype multiplied(struct datatype a, struct datatype b)
{
	int64_t lo = 0, hi = 0;
	for (int i = 0; i < 4; i++) {
		int64_t p, x = i & 1 ? datatype_int_max(a) : datatype_int_min(a),
			   y = i & 2 ? datatype_int_max(b) : datatype_int_min(b);
		if (__builtin_mul_overflow(x, y, &p))
			return datatype_of_kind(DT_NONE);
		lo = i && lo < p ? lo : p;
		hi = i && hi > p ? hi : p;
	}
	return datatype_for_range(lo, hi);
}

struct datatype hw_combined(enum hw_function f, struct datatype a, struct datatype b)
{
	if (!datatype_is_integer(a) || !datatype_is_integer(b))
		return datatype_of_kind(DT_NONE);
	int64_t lo = datatype_int_min(a), hi = datatype_int_max(a);
	bool add = f == HW_ADD;
	if (f == HW_MUL)
		return multiplied(a, b);
	bool large = add ? __builtin_add_overflow(lo, datatype_int_min(b), &lo) ||
				     __builtin_add_overflow(hi, datatype_int_max(b), &hi)
			 : __builtin_sub_overflow(lo, datatype_int_max(b), &lo) ||
				     __builtin_sub_overflow(hi, datatype_int_min(b), &hi);
	large = large || lo == INT64_MIN;
	switch (f) {
	case HW_ADD:
	case HW_SUB: return large ? datatype_of_kind(DT_NONE) : datatype_for_range(lo, hi);
	case HW_ABS_DIFF: return large ? datatype_of_kind(DT_NONE) : datatype_for_range(0, -lo > hi ? -lo : hi);
	case HW_AT_LEAST:
	case HW_AT_MOST: return datatype_of_kind(DT_BINARY);
	default: return datatype_of_kind(DT_NONE);
	}
}

/* Reductions over axes. Sums are kept in double (64-bit integers for integers) and rounded once. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "ops/broadcast.h"
#include "ops/form.h"
#include "ops/move.h"
#include "ops/ranges.h"
#include "ops/reduce.h"

/* ---- which axes ---- */

static int axes_error(struct diags *d, const struct node *n)
{
	return diag_node_error(d, n, "check its axes", "an axis is out of range or named twice");
}

static bool reduction_axes(const struct node *n, int64_t *axes, size_t count, int rank, struct reduction *r)
{
	if (!normal_axes(axes, count, rank))
		return false;
	for (size_t i = 0; i < count; i++)
		r->axes |= 1u << axes[i];
	r->keep = node_attr_int(n, "keepdims", 1) != 0;
	bool keep_all = count == 0 && node_attr_int(n, "noop_with_empty_axes", 0) != 0;
	if (count == 0 && !keep_all)
		r->axes = (1u << rank) - 1;
	return true;
}

/* Shape without the reduced axes, or with extent 1 there. */
static int reduced_shape(const struct reduction *r, bool keep, int rank, const int64_t *dims, int64_t *out)
{
	int kept = 0;
	for (int i = 0; i < rank; i++)
		if (!(r->axes >> i & 1))
			out[kept++] = dims[i];
		else if (keep)
			out[kept++] = 1;
	return kept;
}

bool reduction_of(const struct node *n, int rank, struct reduction *r)
{
	int64_t axes[MAX_RANK];
	size_t count;
	*r = (struct reduction){ 0 };
	bool given = infer_ints(n, 1, "axes", axes, &count);
	return (given || !node_input(n, 1)) && reduction_axes(n, axes, count, rank, r);
}

static int infer_reduce(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t axes[MAX_RANK], dims[MAX_RANK];
	size_t count;
	struct reduction r = { 0 };
	bool given = infer_ints(x->node, 1, "axes", axes, &count);
	if (in->rank < 0 || (node_input(x->node, 1) && !given)) {
		bool keep = node_attr_int(x->node, "keepdims", 1) != 0;
		for (int i = 0; i < in->rank; i++)
			dims[i] = -1;
		infer_output(x, 0, in->elem, keep ? in->rank : -1, dims);
		return 0;
	}
	if (!reduction_axes(x->node, axes, count, in->rank, &r))
		return axes_error(x->diags, x->node);
	int rank = reduced_shape(&r, r.keep, in->rank, in->dims, dims);
	infer_output(x, 0, in->elem, rank, dims);
	return 0;
}

/* ---- accumulating ---- */

enum reduce_kind { REDUCE_SUM, REDUCE_PROD, REDUCE_MAX, REDUCE_MIN, REDUCE_L1, REDUCE_SQUARES, REDUCE_KINDS };

/* acc (advancing where step is set) joined with n elements. */
typedef void accumulate(void *acc, const void *in, int64_t n, bool step);

#define ACCUMULATE(elem, T, W, name, A, ...)                                         \
	LOOP_FUNCTION name##_##elem(void *acc, const void *in, int64_t n, bool step) \
	{                                                                            \
		typedef A wide __attribute__((unused));                              \
		const T *p = in;                                                     \
		A *to = acc;                                                         \
		if (step) {                                                          \
			for (int64_t i = 0; i < n; i++) {                            \
				A a = to[i], x = (A)p[i];                            \
				to[i] = (A)(__VA_ARGS__);                            \
			}                                                            \
			return;                                                      \
		}                                                                    \
		A a = *to;                                                           \
		for (int64_t i = 0; i < n; i++) {                                    \
			A x = (A)p[i];                                               \
			a = (A)(__VA_ARGS__);                                        \
		}                                                                    \
		*to = a;                                                             \
	}
/* Integers wrap: their sums and products are those of unsigned arithmetic. */
#define EACH_WIDE(name, ...)                              \
	EACH_FLOAT(ACCUMULATE, name, double, __VA_ARGS__) \
	EACH_INTEGER(ACCUMULATE, name, uint64_t, __VA_ARGS__)
#define EACH_ORDERED(name, ...)                                \
	EACH_FLOAT(ACCUMULATE, name, double, __VA_ARGS__)      \
	EACH_SIGNED(ACCUMULATE, name, int64_t, __VA_ARGS__)    \
	EACH_UNSIGNED(ACCUMULATE, name, uint64_t, __VA_ARGS__) \
	EACH_BOOL(ACCUMULATE, name, uint64_t, __VA_ARGS__)

EACH_WIDE(sum, a + x)
EACH_WIDE(prod, a *x)
EACH_WIDE(squares, a + x * x)
EACH_ORDERED(max, x != x || x > a ? x : a)
EACH_ORDERED(min, x != x || x < a ? x : a)
EACH_FLOAT(ACCUMULATE, l1, double, a + fabs(x))
EACH_SIGNED(ACCUMULATE, l1, uint64_t, a + ((int64_t)x < 0 ? 0 - x : x))
EACH_UNSIGNED(ACCUMULATE, l1, uint64_t, a + x)

static accumulate *const loops[REDUCE_KINDS][ELEM_COUNT] = {
	[REDUCE_SUM] = { EACH_NUMBER(LOOP_ROW, sum) },
	[REDUCE_PROD] = { EACH_NUMBER(LOOP_ROW, prod) },
	[REDUCE_MAX] = { EACH_NUMBER(LOOP_ROW, max) EACH_BOOL(LOOP_ROW, max) },
	[REDUCE_MIN] = { EACH_NUMBER(LOOP_ROW, min) EACH_BOOL(LOOP_ROW, min) },
	[REDUCE_L1] = { EACH_NUMBER(LOOP_ROW, l1) },
	[REDUCE_SQUARES] = { EACH_NUMBER(LOOP_ROW, squares) },
};

static bool is_signed_integer(enum elem_type elem)
{
	return elem_is_integer(elem) && elem_is_signed(elem);
}

/* What an accumulator starts from: the value that joining does not change. */
static void start_value(enum reduce_kind kind, enum elem_type elem, void *acc)
{
	double x = kind == REDUCE_PROD ? 1 : kind == REDUCE_MAX ? -INFINITY : kind == REDUCE_MIN ? INFINITY : 0;
	uint64_t bits = kind == REDUCE_PROD;
	if (elem_is_float(elem)) {
		*(double *)acc = x;
		return;
	}
	int width = elem == ELEM_BOOL ? 1 : 8 * (int)elem_size(elem);
	if (kind == REDUCE_MAX && is_signed_integer(elem))
		bits = (uint64_t)INT64_MIN;
	else if (kind == REDUCE_MIN)
		bits = is_signed_integer(elem) ? INT64_MAX : UINT64_MAX >> (64 - width);
	if (is_signed_integer(elem) && width < 64 && (kind == REDUCE_MAX || kind == REDUCE_MIN))
		bits = (uint64_t)((int64_t)bits >> (64 - width));
	*(uint64_t *)acc = bits;
}

/* Accumulators (double or 64-bit integer, as a tensor) of the input over the axes; NULL where it fails. */
static struct tensor *accumulated(struct exec_ctx *x, enum reduce_kind kind, const struct reduction *r)
{
	struct tensor *in = x->in[0];
	int64_t dims[MAX_RANK];
	int rank = reduced_shape(r, true, in->rank, in->dims, dims);
	if (!loops[kind][in->elem]) {
		exec_unsupported(x, elem_name(in->elem));
		return NULL;
	}
	enum elem_type wide = elem_is_float(in->elem)	    ? ELEM_DOUBLE
			      : is_signed_integer(in->elem) ? ELEM_INT64
							    : ELEM_UINT64;
	struct tensor *acc = tensor_try_raw(wide, rank, dims);
	for (int64_t i = 0; acc && i < acc->count; i++)
		start_value(kind, in->elem, (uint64_t *)acc->data + i);
	struct walk w;
	struct tensor *operands[] = { in, acc };
	if (!acc || in->count == 0)
		return acc;
	for (bool more = walk_start(&w, in->rank, in->dims, 2, operands); more; more = walk_next(&w))
		loops[kind][in->elem]((uint64_t *)acc->data + w.offset[1],
				      (char *)in->data + (size_t)w.offset[0] * elem_size(in->elem), w.run, w.step[1]);
	return acc;
}

/* ---- finishing ---- */

typedef double finish_fn(double total, double count);

static double finish_mean(double total, double count)
{
	return total / count;
}

static double finish_root(double total, double count)
{
	(void)count;
	return sqrt(total);
}

static double finish_log(double total, double count)
{
	(void)count;
	return log(total);
}

/* Integers wrap to the type; finished ones truncate. */
static void store(struct tensor *out, const struct tensor *acc, finish_fn *finish, double count)
{
	bool real = elem_is_float(out->elem);
	for (int64_t i = 0; i < out->count; i++) {
		double x = tensor_at(acc, i);
		if (finish)
			x = real ? finish(x, count) : trunc(finish(x, count));
		if (real || finish) {
			tensor_put(out, i, x);
			continue;
		}
		uint64_t bits = ((const uint64_t *)acc->data)[i];
		switch (elem_size(out->elem)) {
		case 1: ((uint8_t *)out->data)[i] = (uint8_t)bits; break;
		case 2: ((uint16_t *)out->data)[i] = (uint16_t)bits; break;
		case 4: ((uint32_t *)out->data)[i] = (uint32_t)bits; break;
		default: ((uint64_t *)out->data)[i] = bits;
		}
	}
}

static bool exec_reduction(struct exec_ctx *x, struct reduction *r)
{
	int64_t axes[2 * MAX_RANK];
	size_t count;
	*r = (struct reduction){ 0 };
	bool given = exec_ints(x, 1, "axes", axes, &count);
	if ((!given && exec_input(x, 1)) || !reduction_axes(x->node, axes, count, x->in[0]->rank, r)) {
		axes_error(x->diags, x->node);
		return false;
	}
	return true;
}

static int reduce(struct exec_ctx *x, enum reduce_kind kind, finish_fn *finish)
{
	struct tensor *in = x->in[0];
	struct reduction r;
	int64_t dims[MAX_RANK];
	if (!exec_reduction(x, &r))
		return -1;
	struct tensor *acc = accumulated(x, kind, &r);
	int rank = reduced_shape(&r, r.keep, in->rank, in->dims, dims);
	struct tensor *out = acc ? exec_output(x, 0, in->elem, rank, dims) : NULL;
	double count = 1;
	for (int i = 0; i < in->rank; i++)
		count *= r.axes >> i & 1 ? (double)in->dims[i] : 1;
	if (out)
		store(out, acc, finish, count);
	tensor_unref(acc);
	return out ? 0 : -1;
}

/* ln sum e^x = m + ln sum e^(x - m), with m the largest: no overflow. */
static int exec_ReduceLogSumExp(struct exec_ctx *x)
{
	struct tensor *in = tensor_try_cast(x->in[0], ELEM_DOUBLE);
	struct exec_ctx inner = *x;
	struct tensor *operands[2] = { in, exec_input(x, 1) };
	struct reduction r;
	inner.in = operands;
	if (!in || !exec_reduction(x, &r)) {
		tensor_unref(in);
		return -1;
	}
	struct tensor *largest = accumulated(&inner, REDUCE_MAX, &r), *shifted = tensor_try_copy(in);
	operands[0] = shifted;
	struct walk w;
	struct tensor *both[] = { in, largest };
	double *top = largest ? largest->data : NULL;
	for (int64_t i = 0; top && i < largest->count; i++)
		top[i] = isfinite(top[i]) ? top[i] : 0;
	for (bool more = top && shifted && walk_start(&w, in->rank, in->dims, 2, both); more; more = walk_next(&w))
		for (int64_t i = 0; i < w.run; i++)
			((double *)shifted->data)[w.done + i] =
				exp(((double *)in->data)[w.done + i] - top[w.offset[1] + (w.step[1] ? i : 0)]);
	int result = top && shifted ? reduce(&inner, REDUCE_SUM, finish_log) : -1;
	if (result == 0) {
		struct tensor *log_sum = x->out[0];
		for (int64_t i = 0; i < log_sum->count; i++)
			((double *)log_sum->data)[i] += top[i];
		x->out[0] = tensor_try_cast(log_sum, x->in[0]->elem);
		tensor_unref(log_sum);
		result = x->out[0] ? 0 : -1;
	}
	tensor_unref(in);
	tensor_unref(largest);
	tensor_unref(shifted);
	return result;
}

/* ---- datatypes ---- */

/* Number of elements reduced to one, -1 where unknown. */
static int64_t reduced_count(const struct node *n)
{
	const struct value *in = node_input(n, 0);
	int64_t axes[MAX_RANK], count = 1;
	size_t n_axes;
	struct reduction r = { 0 };
	bool given = infer_ints(n, 1, "axes", axes, &n_axes);
	if (in->rank < 0 || (node_input(n, 1) && !given) || !reduction_axes(n, axes, n_axes, in->rank, &r))
		return -1;
	for (int i = 0; i < in->rank; i++)
		if ((r.axes >> i & 1) && (in->dims[i] < 0 || __builtin_mul_overflow(count, in->dims[i], &count)))
			return -1;
	return count;
}

static struct datatype datatype_reduced_sum(const struct node *n, size_t i)
{
	int64_t lo, hi, count = reduced_count(n);
	if (count < 0 || !value_int_range(node_input(n, 0), &lo, &hi) || __builtin_mul_overflow(lo, count, &lo) ||
	    __builtin_mul_overflow(hi, count, &hi))
		return datatype_of_kind(DT_NONE);
	return count == 1 ? value_datatype(node_input(n, 0)) : datatype_within(n, i, lo, hi);
}

#define REDUCE(symbol, NAME, numbers, text) \
	const struct op symbol = {          \
		.name = #NAME,              \
		.domain = DOMAIN_ONNX,      \
		.summary = text,            \
		.min_inputs = 1,            \
		.max_inputs = 2,            \
		.min_outputs = 1,           \
		.max_outputs = 1,           \
		.infer = infer_reduce,      \
		.datatype = numbers,        \
		.exec = exec_##NAME,        \
		.widens = true,             \
		.form = form_reduce,        \
	};
#define REDUCE_BY(symbol, NAME, kind, finish, numbers, text) \
	static int exec_##NAME(struct exec_ctx *x)           \
	{                                                    \
		return reduce(x, kind, finish);              \
	}                                                    \
	REDUCE(symbol, NAME, numbers, text)

REDUCE_BY(op_ReduceSum, ReduceSum, REDUCE_SUM, NULL, datatype_reduced_sum, "sum over axes")
REDUCE_BY(op_ReduceMean, ReduceMean, REDUCE_SUM, finish_mean, NULL, "mean over axes")
REDUCE_BY(op_ReduceProd, ReduceProd, REDUCE_PROD, NULL, NULL, "product over axes")
REDUCE_BY(op_ReduceMax, ReduceMax, REDUCE_MAX, NULL, datatype_same, "largest over axes")
REDUCE_BY(op_ReduceMin, ReduceMin, REDUCE_MIN, NULL, datatype_same, "smallest over axes")
REDUCE_BY(op_ReduceL1, ReduceL1, REDUCE_L1, NULL, NULL, "sum of absolute values over axes")
REDUCE_BY(op_ReduceL2, ReduceL2, REDUCE_SQUARES, finish_root, NULL, "square root of the sum of squares over axes")
REDUCE_BY(op_ReduceSumSquare, ReduceSumSquare, REDUCE_SQUARES, NULL, NULL, "sum of squares over axes")
REDUCE_BY(op_ReduceLogSum, ReduceLogSum, REDUCE_SUM, finish_log, NULL, "logarithm of the sum over axes")
REDUCE(op_ReduceLogSumExp, ReduceLogSumExp, NULL, "logarithm of the sum of e^x over axes")

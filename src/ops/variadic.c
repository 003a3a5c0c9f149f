/* Max, Min, Sum and Mean: any number of operands that broadcast. */
#include "ops/broadcast.h"
#include "ops/ranges.h"

/* A NaN in either operand stays. */
EACH_NUMBER(BINARY_LOOP, max, x != x || x > y ? x : y)
EACH_NUMBER(BINARY_LOOP, min, x != x || x < y ? x : y)
EACH_FLOAT(BINARY_LOOP, sum, x + y)
static binary_loop *const max_loops[ELEM_COUNT] = { EACH_NUMBER(LOOP_ROW, max) };
static binary_loop *const min_loops[ELEM_COUNT] = { EACH_NUMBER(LOOP_ROW, min) };
static binary_loop *const sum_loops[ELEM_COUNT] = { EACH_FLOAT(LOOP_ROW, sum) };

/* Joins the operands from left to right. */
static int reduce_inputs(struct exec_ctx *x, binary_loop *const *loops)
{
	struct tensor *so_far = tensor_ref(x->in[0]);
	x->shapes = SHAPES_ANY; /* what is joined so far may be smaller than the result */
	for (size_t i = 1; i < x->n_in; i++) {
		x->out[0] = NULL;
		if (!x->in[i] || exec_binary_on(x, so_far, x->in[i], loops, ELEM_UNDEFINED) < 0) {
			tensor_unref(so_far);
			return x->in[i] ? -1 : exec_unsupported(x, "an omitted operand");
		}
		tensor_unref(so_far);
		so_far = x->out[0];
	}
	x->out[0] = so_far;
	return 0;
}

static int run_max(struct exec_ctx *x)
{
	return reduce_inputs(x, max_loops);
}

static int run_min(struct exec_ctx *x)
{
	return reduce_inputs(x, min_loops);
}

static int run_sum(struct exec_ctx *x)
{
	return reduce_inputs(x, sum_loops);
}

EACH_FLOAT(UNARY_LOOP, scale, x / alpha)
static unary_loop *const scale_loops[ELEM_COUNT] = { EACH_FLOAT(LOOP_ROW, scale) };

static int run_mean(struct exec_ctx *x)
{
	if (run_sum(x) < 0)
		return -1;
	struct tensor *sum = x->out[0];
	struct exec_ctx inner = *x;
	inner.in = &sum;
	inner.n_in = 1;
	x->out[0] = NULL;
	int result = exec_unary(&inner, scale_loops, ELEM_UNDEFINED, (double)x->n_in, 0);
	tensor_unref(sum);
	return result;
}

enum fold { FOLD_MAX, FOLD_MIN, FOLD_SUM };

static struct datatype datatype_folded(const struct node *n, enum fold fold)
{
	int64_t lo = 0, hi = 0;
	for (size_t k = 0; k < n->n_inputs; k++) {
		int64_t l, h;
		if (!value_int_range(node_input(n, k), &l, &h))
			return datatype_of_kind(DT_NONE);
		if (k == 0) {
			lo = l;
			hi = h;
		} else if (fold == FOLD_SUM) {
			if (__builtin_add_overflow(lo, l, &lo) || __builtin_add_overflow(hi, h, &hi))
				return datatype_of_kind(DT_NONE);
		} else {
			bool max = fold == FOLD_MAX;
			lo = (l > lo) == max ? l : lo;
			hi = (h > hi) == max ? h : hi;
		}
	}
	return datatype_within(n, 0, lo, hi);
}

static struct datatype datatype_largest(const struct node *n, size_t i)
{
	(void)i;
	return datatype_folded(n, FOLD_MAX);
}

static struct datatype datatype_smallest(const struct node *n, size_t i)
{
	(void)i;
	return datatype_folded(n, FOLD_MIN);
}

static struct datatype datatype_sum(const struct node *n, size_t i)
{
	(void)i;
	return datatype_folded(n, FOLD_SUM);
}

#define VARIADIC(symbol, NAME, kernel, numbers, text)                   \
	const struct op symbol = {                                      \
		.name = #NAME,                                          \
		.domain = DOMAIN_ONNX,                                  \
		.summary = text,                                        \
		.min_inputs = 1,                                        \
		.max_inputs = -1,                                       \
		.min_outputs = 1,                                       \
		.max_outputs = 1,                                       \
		.flags = OP_ELEMENTWISE | OP_MONOTONE | OP_COMMUTATIVE, \
		.infer = infer_broadcast,                               \
		.datatype = numbers,                                    \
		.exec = kernel,                                         \
		.widens = true,                                         \
	};

VARIADIC(op_Max, Max, run_max, datatype_largest, "largest of the operands, element by element")
VARIADIC(op_Min, Min, run_min, datatype_smallest, "smallest of the operands, element by element")
VARIADIC(op_Sum, Sum, run_sum, datatype_sum, "sum of the operands, element by element")
VARIADIC(op_Mean, Mean, run_mean, NULL, "mean of the operands, element by element")

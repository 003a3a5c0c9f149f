/* Max, Min, Sum and Mean: any number of operands that broadcast. */
#include <math.h>

#include "ops/broadcast.h"
#include "ops/form.h"
#include "ops/ranges.h"
#include "util/integers.h"

/* A NaN in either operand stays. */
LOOPS_AND_TEXT(EACH_FLOAT, BINARY_LOOP, max, isnan(x) || x > y ? x : y)
LOOPS_AND_TEXT(EACH_INTEGER, BINARY_LOOP, max, x > y ? x : y)
LOOPS_AND_TEXT(EACH_FLOAT, BINARY_LOOP, min, isnan(x) || x < y ? x : y)
LOOPS_AND_TEXT(EACH_INTEGER, BINARY_LOOP, min, x < y ? x : y)
LOOPS_AND_TEXT(EACH_FLOAT, BINARY_LOOP, sum, x + y)
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

/* Operands joined from left to right. */
static int form_joined(struct op_form *f)
{
	const struct node *n = f->node;
	const struct value *out = n->outputs[0];
	const char *type = form_type(f, 0);
	enum elem_type elem = (enum elem_type)out->elem;
	const char *join = elem_is_float(elem) ? n->op->scalar.of_float : n->op->scalar.of_signed;
	int64_t strides[MAX_RANK], own[MAX_RANK];
	if (!join || n->n_inputs == 0)
		return -1;
	form_line(f, "{");
	int open = form_open(f, "i", out->rank, out->dims);
	for (size_t i = 0; i < n->n_inputs; i++) {
		const struct value *v = node_input(n, i);
		if (!v || !form_strides(v, out->rank, out->dims, strides))
			return -1;
		const char *element = f->load(f, i, form_at(f, "i", out->rank, strides));
		if (i == 0) {
			form_line(f, "%s x = %s;", type, element);
			continue;
		}
		form_line(f, "{");
		form_line(f, "const %s y = %s;", type, element);
		form_line(f, "x = (%s)(%s);", type, form_with_types(f, join, elem));
		form_end(f, 1);
	}
	form_strides(out, out->rank, out->dims, own);
	const char *divisor = n->op == &op_Mean ? form_text(f, " / %lld", LL(n->n_inputs)) : "";
	form_store(f, 0, form_at(f, "i", out->rank, own), form_text(f, "(%s)(x%s)", type, divisor));
	form_end(f, open + 1);
	return 0;
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

#define VARIADIC(symbol, NAME, kernel, numbers, text, real, integer)     \
	const struct op symbol = {                                       \
		.name = #NAME,                                           \
		.domain = DOMAIN_ONNX,                                   \
		.summary = text,                                         \
		.min_inputs = 1,                                         \
		.max_inputs = -1,                                        \
		.min_outputs = 1,                                        \
		.max_outputs = 1,                                        \
		.flags = OP_ELEMENTWISE | OP_MONOTONE | OP_COMMUTATIVE,  \
		.infer = infer_broadcast,                                \
		.datatype = numbers,                                     \
		.exec = kernel,                                          \
		.widens = true,                                          \
		.form = form_joined,                                     \
		.scalar = { SCALAR_OF_NUMBERS(real, integer, integer) }, \
	};

VARIADIC(op_Max, Max, run_max, datatype_largest, "largest of the operands, element by element", max_EACH_FLOAT,
	 max_EACH_INTEGER)
VARIADIC(op_Min, Min, run_min, datatype_smallest, "smallest of the operands, element by element", min_EACH_FLOAT,
	 min_EACH_INTEGER)
VARIADIC(op_Sum, Sum, run_sum, datatype_sum, "sum of the operands, element by element", sum_EACH_FLOAT, NULL)
VARIADIC(op_Mean, Mean, run_mean, NULL, "mean of the operands, element by element", sum_EACH_FLOAT, NULL)

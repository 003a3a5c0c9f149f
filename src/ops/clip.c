/* Clip: bounds are attributes up to opset 6 and optional scalar inputs from 11 on. */
#include <math.h>

#include "ops/broadcast.h"
#include "ops/ranges.h"

/* min wins over x, max over both, as max(min(x, hi), lo) would not do where lo > hi. */
EACH_NUMBER(BINARY_LOOP, clip_low, x < y ? y : x)
EACH_NUMBER(BINARY_LOOP, clip_high, x > y ? y : x)
static binary_loop *const low_loops[ELEM_COUNT] = { EACH_NUMBER(LOOP_ROW, clip_low) };
static binary_loop *const high_loops[ELEM_COUNT] = { EACH_NUMBER(LOOP_ROW, clip_high) };

/* Bound `index` (1: min, 2: max) as a scalar tensor of x's type; NULL: none. The caller owns it. */
static struct tensor *bound(const struct exec_ctx *x, size_t index)
{
	if (x->opset >= 11)
		return exec_input(x, index) ? tensor_try_cast(exec_input(x, index), x->in[0]->elem) : NULL;
	const char *name = index == 1 ? "min" : "max";
	if (!node_attr(x->node, name))
		return NULL;
	struct tensor *given = tensor_scalar((float)node_attr_float(x->node, name, 0));
	struct tensor *typed = tensor_try_cast(given, x->in[0]->elem);
	tensor_unref(given);
	return typed;
}

/* Replaces output 0 by loop(output 0, bound). */
static int apply(struct exec_ctx *x, size_t index, binary_loop *const *loops)
{
	struct tensor *limit = bound(x, index), *in = x->out[0];
	if (!limit)
		return 0;
	x->out[0] = NULL;
	int result = limit->count == 1 ? exec_binary_on(x, in, limit, loops, ELEM_UNDEFINED)
				       : exec_unsupported(x, "a bound that is no scalar");
	tensor_unref(limit);
	tensor_unref(in);
	return result;
}

static int run_clip(struct exec_ctx *x)
{
	if (!low_loops[x->in[0]->elem])
		return exec_unsupported(x, elem_name(x->in[0]->elem));
	x->out[0] = tensor_ref(x->in[0]);
	return apply(x, 1, low_loops) < 0 || apply(x, 2, high_loops) < 0 ? -1 : 0;
}

/* False where the bound is not known; else the bound, infinite where there is none. */
static bool known_bound(const struct node *n, size_t index, double none, double *out)
{
	const char *name = index == 1 ? "min" : "max";
	*out = none;
	if (node_attr(n, name))
		*out = node_attr_float(n, name, none);
	return !node_input(n, index) || value_scalar(node_input(n, index), out);
}

static struct datatype datatype_clip(const struct node *n, size_t i)
{
	int64_t lo, hi;
	double low, high;
	if (!value_int_range(node_input(n, 0), &lo, &hi) || !known_bound(n, 1, -INFINITY, &low) ||
	    !known_bound(n, 2, INFINITY, &high))
		return datatype_of_kind(DT_NONE);
	if (low <= (double)lo && high >= (double)hi)
		return value_datatype(node_input(n, 0));
	bool fraction = (isfinite(low) && low != rint(low)) || (isfinite(high) && high != rint(high));
	if (fraction || low > high)
		return datatype_of_kind(DT_NONE);
	lo = low > (double)lo ? (int64_t)low : lo;
	hi = high < (double)hi ? (int64_t)high : hi;
	return lo <= hi ? datatype_within(n, i, lo, hi) : datatype_of_kind(DT_NONE);
}

const struct op op_Clip = {
	.name = "Clip",
	.domain = DOMAIN_ONNX,
	.summary = "x limited to min..max",
	.min_inputs = 1,
	.max_inputs = 3,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_ELEMENTWISE | OP_MONOTONE,
	.infer = infer_same,
	.datatype = datatype_clip,
	.exec = run_clip,
	.widens = true,
};

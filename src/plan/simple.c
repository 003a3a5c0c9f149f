/* Layers of two operands element by element, over windows, or along an axis: arithmetic, pools, sums, softmax,
 * top-k. */
#include "plan/lower.h"
#include "ops/window.h"
#include "util/integers.h"

#include <math.h>
#include <string.h>

/* ---- two operands ---- */

static struct interval interval_of(const struct plan_buf *b)
{
	return (struct interval){ b->real, b->lo, b->hi };
}

struct interval lower_interval_constant(const struct tensor *t)
{
	double lo, hi;
	if (!t->count || !tensor_is_integral(t))
		return (struct interval){ .real = true };
	tensor_min_max(t, &lo, &hi);
	if (lo < -0x1p53 || hi > 0x1p53)
		return (struct interval){ .real = true };
	return (struct interval){ false, (int64_t)lo, (int64_t)hi };
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

bool lower_product(struct interval a, struct interval b, int64_t *lo, int64_t *hi)
{
	int64_t p, q, r, s;
	if (__builtin_mul_overflow(a.lo, b.lo, &p) || __builtin_mul_overflow(a.lo, b.hi, &q) ||
	    __builtin_mul_overflow(a.hi, b.lo, &r) || __builtin_mul_overflow(a.hi, b.hi, &s))
		return false;
	*lo = smaller(smaller(p, q), smaller(r, s));
	*hi = larger(larger(p, q), larger(r, s));
	return true;
}

/* Bounds of f(a, b) for integers; false where 64 bits do not hold them. */
static bool combine_ints(enum plan_function f, struct interval a, struct interval b, int64_t *lo, int64_t *hi)
{
	switch (f) {
	case PLAN_ADD: return !__builtin_add_overflow(a.lo, b.lo, lo) && !__builtin_add_overflow(a.hi, b.hi, hi);
	case PLAN_SUB: return !__builtin_sub_overflow(a.lo, b.hi, lo) && !__builtin_sub_overflow(a.hi, b.lo, hi);
	case PLAN_ABS_DIFF:
		if (__builtin_sub_overflow(b.hi, a.lo, lo) || __builtin_sub_overflow(a.hi, b.lo, hi))
			return false;
		*hi = larger(*lo, *hi);
		*lo = 0;
		return true;
	case PLAN_MAX: *lo = larger(a.lo, b.lo), *hi = larger(a.hi, b.hi); return true;
	case PLAN_MIN: *lo = smaller(a.lo, b.lo), *hi = smaller(a.hi, b.hi); return true;
	case PLAN_AT_LEAST:
	case PLAN_AT_MOST: *lo = 0, *hi = 1; return true;
	default: return lower_product(a, b, lo, hi);
	}
}

bool lower_combine(enum plan_function f, struct interval a, struct interval b, struct contents *c)
{
	int64_t lo, hi;
	*c = contents_real();
	if (a.real || b.real || f == PLAN_DIV || f == PLAN_POW || f == PLAN_PRELU)
		return f != PLAN_ABS_DIFF && f != PLAN_AT_LEAST && f != PLAN_AT_MOST;
	if (!combine_ints(f, a, b, &lo, &hi))
		return false;
	*c = contents_int(lo, hi);
	return true;
}

void lower_take_operand(struct lowering *l, struct plan_layer *y, const struct tensor *t)
{
	double *c = arena_array(&l->plan->arena, double, t->count + 1);
	for (int64_t i = 0; i < t->count; i++)
		c[i] = tensor_at(t, i);
	y->operand = c;
	y->operand_count = t->count;
}

/* The result of y, which is f of a and b. */
static int finish_binary(struct lowering *l, struct plan_layer *y, struct interval a, struct interval b,
			 const struct plan_buf *image)
{
	const struct value *v = y->node->outputs[0];
	struct contents c;
	if (!lower_combine(y->function, a, b, &c))
		return lower_unsupported(l, y->node, "numbers that 64 bits do not hold, or this function of real ones");
	y->out = lower_buf(l, v, lower_result_last(l, v, image), c);
	y->real = c.real;
	l->plan->libm |= y->function == PLAN_POW;
	return 0;
}

/* y = f(a, constant) or f(constant, a). */
static int binary_constant(struct lowering *l, const struct node *n, size_t data, enum plan_function f)
{
	const struct tensor *t = node_input(n, 1 - data)->constant;
	struct plan_buf *a = lower_input(l, n, data);
	if (!a)
		return -1;
	struct interval c = lower_interval_constant(t), x = interval_of(a);
	struct plan_layer *y = lower_layer(l, n, PLAN_BINARY, a);
	y->function = f;
	y->operand_first = data == 1;
	if (finish_binary(l, y, data ? c : x, data ? x : c, a) < 0)
		return -1;
	lower_take_operand(l, y, t);
	y->stride_a = lower_strides(l, a, y->out);
	y->stride_b = lower_constant_strides(l, t->rank, t->dims, y->out);
	return y->stride_a && y->stride_b ? 0 : lower_unsupported(l, n, "this broadcast");
}

static int binary_buffers(struct lowering *l, const struct node *n, enum plan_function f)
{
	struct plan_buf *a = lower_input(l, n, 0), *b = lower_input(l, n, 1);
	if (!a || !b)
		return -1;
	struct plan_layer *y = lower_layer(l, n, PLAN_BINARY, a);
	y->in[y->n_in++] = b;
	y->function = f;
	if (finish_binary(l, y, interval_of(a), interval_of(b), b->channels_last && !a->channels_last ? b : a) < 0)
		return -1;
	y->stride_a = lower_strides(l, a, y->out);
	y->stride_b = lower_strides(l, b, y->out);
	return y->stride_a && y->stride_b ? 0 : lower_unsupported(l, n, "this broadcast");
}

int lower_pair(struct lowering *l, const struct node *n, enum plan_function f)
{
	if (n->n_inputs != 2)
		return lower_unsupported(l, n, "other than two operands");
	if (value_is_constant(node_input(n, 1)))
		return binary_constant(l, n, 0, f);
	if (value_is_constant(node_input(n, 0)))
		return binary_constant(l, n, 1, f);
	return binary_buffers(l, n, f);
}

int lower_binary(struct lowering *l, const struct node *n)
{
	static const struct {
		const struct op *op;
		enum plan_function f;
	} table[] = {
		{ &op_Sub, PLAN_SUB }, { &op_Mul, PLAN_MUL },	  { &op_Div, PLAN_DIV }, { &op_Max, PLAN_MAX },
		{ &op_Min, PLAN_MIN }, { &op_PRelu, PLAN_PRELU }, { &op_Pow, PLAN_POW },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (n->op == table[i].op)
			return lower_pair(l, n, table[i].f);
	return lower_pair(l, n, PLAN_ADD);
}

/* ---- windows ---- */

/* Whether the operator's data have their channels last in the graph. */
static bool pools_last(const struct node *n)
{
	return n->op == &op_MaxPoolNHWC || lower_is_native(n);
}

/* The operand in an order that the pool can read. */
static struct plan_buf *pool_input(struct lowering *l, const struct node *n)
{
	struct plan_buf *in = lower_input(l, n, 0);
	return in && (pools_last(n) || in->shuffle) ? lower_ordered(l, n, in) : in;
}

/* Whether the result's buffer has the graph's channels moved to the end: not where they are there already. */
static bool pool_buf_last(const struct lowering *l, const struct plan_layer *y)
{
	return !pools_last(y->node) && lower_result_last(l, y->node->outputs[0], y->in[0]);
}

/* Fills y's window for a pool; global pools see the whole image. */
static int pool_window(struct lowering *l, struct plan_layer *y, const struct node *n)
{
	const struct value *x = node_input(n, 0), *v = n->outputs[0];
	bool last = pools_last(n);
	bool global = n->op == &op_GlobalMaxPool || n->op == &op_GlobalAveragePool;
	int spatial = x->rank - 2, first = last ? 1 : 2;
	struct plan_window *w = &y->window;
	struct window g;
	if (spatial < 1 || spatial > 2)
		return lower_unsupported(l, n, "a window of other than one or two axes");
	if (!global && window_read(&g, n, spatial, x->dims + first, NULL, l->diags) < 0)
		return -1;
	int64_t h = spatial == 2 ? x->dims[first] : 1, c = last ? x->dims[x->rank - 1] : x->dims[1];
	*w = (struct plan_window){ .ic = c,
				   .oc = c,
				   .ih = h,
				   .iw = x->dims[first + spatial - 1],
				   .group = c,
				   .oh = spatial == 2 ? v->dims[first] : 1,
				   .ow = v->dims[first + spatial - 1],
				   .stride_h = 1,
				   .stride_w = 1,
				   .dilation_h = 1,
				   .dilation_w = 1 };
	w->kh = w->ih, w->kw = w->iw;
	if (!global) {
		w->kh = g.kernel[1], w->kw = g.kernel[2], w->stride_h = g.stride[1], w->stride_w = g.stride[2];
		w->dilation_h = g.dilation[1], w->dilation_w = g.dilation[2];
		w->pad_top = g.begin[1], w->pad_left = g.begin[2];
	}
	w->in_last = last || y->in[0]->channels_last || c == 1;
	w->out_last = last || pool_buf_last(l, y) || c == 1;
	w->padded = w->pad_top || w->pad_left ||
		    (w->oh - 1) * w->stride_h + (w->kh - 1) * w->dilation_h - w->pad_top >= w->ih ||
		    (w->ow - 1) * w->stride_w + (w->kw - 1) * w->dilation_w - w->pad_left >= w->iw;
	w->batch = x->dims[0] > 1 ? x->dims[0] : 0;
	return 0;
}

int lower_maxpool(struct lowering *l, const struct node *n)
{
	struct plan_buf *in = pool_input(l, n);
	if (!in)
		return -1;
	struct plan_layer *y = lower_layer(l, n, PLAN_MAXPOOL, in);
	if (pool_window(l, y, n) < 0)
		return -1;
	y->out = lower_buf(l, n->outputs[0], pool_buf_last(l, y), contents_of(in));
	y->real = in->real;
	return 0;
}

/* The mean that follows a sum, as a product with 1 / n. */
static void mean_after(struct lowering *l, const struct node *n, struct plan_buf *sum, int64_t count)
{
	struct plan_layer *y = lower_layer(l, n, PLAN_BINARY, sum);
	double divisor = (double)count;
	y->function = PLAN_DIV;
	y->real = true;
	y->operand = arena_copy(&l->plan->arena, &divisor, sizeof divisor);
	y->operand_count = 1;
	y->out = lower_buf(l, n->outputs[0], sum->channels_last, contents_real());
	y->stride_a = lower_strides(l, sum, y->out);
	y->stride_b = arena_array(&l->plan->arena, int64_t, y->out->rank + 1);
}

int lower_averagepool(struct lowering *l, const struct node *n)
{
	struct plan_buf *in = pool_input(l, n);
	if (!in)
		return -1;
	struct plan_layer *y = lower_layer(l, n, PLAN_SUM, in);
	if (pool_window(l, y, n) < 0)
		return -1;
	if (y->window.padded)
		return lower_unsupported(l, n, "padding of an average");
	int64_t count = y->window.kh * y->window.kw;
	struct contents c;
	if (!lower_sum_contents(in, count, &c))
		return lower_unsupported(l, n, "sums that 64 bits do not hold");
	struct plan_buf *shape = lower_buf(l, n->outputs[0], pool_buf_last(l, y), contents_real());
	y->window_sum = true;
	y->real = in->real;
	y->out = lower_buf_like(l, shape, "sum", c);
	mean_after(l, n, y->out, count);
	return 0;
}

/* ---- along an axis ---- */

int lower_softmax(struct lowering *l, const struct node *n)
{
	struct plan_buf *in = lower_ordered(l, n, lower_input(l, n, 0));
	if (!in)
		return -1;
	int axis = normal_axis(node_attr_int(n, "axis", -1), in->rank);
	if (axis < 0)
		return lower_unsupported(l, n, "this axis");
	struct plan_layer *y = lower_layer(l, n, PLAN_SOFTMAX, in);
	lower_split(in, axis, y);
	y->out = lower_buf(l, n->outputs[0], false, contents_real());
	y->function = n->op == &op_LogSoftmax ? PLAN_LOG : PLAN_EXP;
	y->real = true;
	l->plan->libm = true;
	return 0;
}

/* TopK (values, indices), ArgMax (index), LabelSelect (indices). */
int lower_topk(struct lowering *l, const struct node *n)
{
	struct plan_buf *in = lower_ordered(l, n, lower_input(l, n, 0));
	if (!in)
		return -1;
	bool arg = n->op == &op_ArgMax, label = n->op == &op_LabelSelect;
	int axis = normal_axis(node_attr_int(n, "axis", arg ? 0 : -1), in->rank);
	int64_t k[MAX_RANK] = { 1 };
	size_t count = 1;
	if (!arg && !label && (!constant_ints(node_input(n, 1), k, &count) || count != 1))
		return lower_unsupported(l, n, "a K that is computed at run time");
	if (axis < 0)
		return lower_unsupported(l, n, "this axis");
	if (node_attr_int(n, "select_last_index", 0))
		return lower_unsupported(l, n, "the last of several largest elements");
	struct plan_layer *y = lower_layer(l, n, PLAN_TOPK, in);
	lower_split(in, axis, y);
	y->k = label ? node_attr_int(n, "Labels", node_attr_int(n, "K", 1)) : k[0];
	if (y->k < 1 || y->k > y->length)
		return lower_unsupported(l, n, "more of the largest elements than there are");
	y->largest = node_attr_int(n, "largest", 1);
	const struct value *indices = n->outputs[arg || label ? 0 : 1];
	if (!arg && !label && n->outputs[0] && (n->outputs[0]->uses || value_is_output(n->outputs[0])))
		y->out = lower_buf(l, n->outputs[0], false, contents_of(in));
	if (indices && (indices->uses || value_is_output(indices)))
		y->out2 = lower_buf(l, indices, false, contents_int(0, y->length - 1));
	y->real = in->real;
	return 0;
}

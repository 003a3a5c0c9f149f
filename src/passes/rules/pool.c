/* Pooling. A maximum commutes with everything that never decreases, or with its negative; an average is an integer sum whose scale
 * is divided by the number of terms. */
#include <stdlib.h>
#include <string.h>

#include "ops/window.h"
#include "passes/axes.h"
#include "passes/rules/rule.h"
#include "passes/turn.h"
#include "util/integers.h"

/* The maximum of a chain is the chain of the maximum where it rises. Where it falls, the root is turned first, and turned
 * back behind the maximum. */
static int move_past_maximum(struct rule_ctx *x, struct node *n, const struct chain *c, const double *sign)
{
	struct value *root = turn_root(x->graph, n, c, sign);
	int result =
		put_chain_behind(x, n, 0, c) == 0 ? 1 : -1; /* the nodes may go with the old input: copies come first */
	struct affine back;
	affine_init(&back, NULL, c->axis, c->channels);
	memcpy(back.scale, sign, (size_t)c->channels * sizeof *back.scale);
	replace_input(n, 0, root);
	put_behind(x, n, 0, &back);
	affine_free(&back);
	return result == 1 && retype(x, n, 0) == 0 ? 1 : -1;
}

static int move_chain_past_maximum(struct rule_ctx *x, struct node *n, const struct chain *c)
{
	if (n->outputs[0]->rank != node_input(n, 0)->rank) /* the chain's constants have as many axes as its values */
		return refuse(x, "it takes the maximum along an axis that it removes");
	if (c->axis >= 0 && axis_through(n, c->axis) != c->axis)
		return refuse(x, "it takes the maximum of elements that have different scales");
	double *sign = xcalloc((size_t)c->channels, sizeof *sign);
	int result = chain_directions(c, sign)
			     ? move_past_maximum(x, n, c, sign)
			     : refuse(x, "it takes the maximum of something that is not known to be monotone");
	free(sign);
	return result;
}

static int apply_max_pool(struct rule_ctx *x, struct node *n)
{
	bool maximum = n->op == &op_MaxPool || n->op == &op_GlobalMaxPool || n->op == &op_MaxPoolNHWC ||
		       n->op == &op_ReduceMax;
	if (!maximum || (n->n_outputs > 1 && n->outputs[1] && n->outputs[1]->uses))
		return 0;
	struct chain c;
	int result = 0;
	chain_of(node_input(n, 0), &c);
	if (!datatype_is_integer(c.root->datatype))
		x->reason = "its input is no scaled integer";
	else if (c.count)
		result = move_chain_past_maximum(x, n, &c);
	else if (retype(x, n, 0) != 0)
		result = -1;
	chain_free(&c);
	return result;
}

const struct rule rule_max_pool = {
	"max-pool",
	"scales, biases and activations move past a maximum",
	apply_max_pool,
};

/* ---- averages ---- */

/* A depthwise convolution with ones: the sum over each window. */
static bool pool_to_sum(struct rule_ctx *x, struct node *n, struct value *q, double *terms)
{
	size_t count;
	const int64_t *kernel = node_attr_ints(n, "kernel_shape", &count);
	int64_t dims[MAX_RANK];
	if (q->rank != (int)count + 2 || q->dims[1] < 1)
		return false;
	dims[0] = q->dims[1];
	dims[1] = 1;
	*terms = 1;
	for (size_t i = 0; i < count; i++) {
		dims[2 + i] = kernel[i];
		*terms *= (double)kernel[i];
	}
	struct tensor *ones = tensor_new(ELEM_FLOAT, q->rank, dims);
	for (int64_t i = 0; i < ones->count; i++)
		((float *)ones->data)[i] = 1;
	struct value *w = value_new_constant(x->graph, "ones", ones);
	w->datatype = datatype_of_kind(DT_BINARY);
	node_set_op(n, "", "Conv");
	node_set_int(n, "group", q->dims[1]);
	node_remove_attr(n, "count_include_pad");
	node_remove_attr(n, "ceil_mode");
	node_append_input(n, w);
	return true;
}

static bool is_plain_window(struct rule_ctx *x, const struct node *n, const struct affine *a)
{
	size_t count;
	const int64_t *pads = node_attr_ints(n, "pads", &count);
	bool padded = strcmp(node_attr_string(n, "auto_pad", "NOTSET"), "NOTSET") != 0;
	for (size_t i = 0; i < count; i++)
		padded = padded || pads[i] != 0;
	if (padded && (affine_is_biased(a) || !node_attr_int(n, "count_include_pad", 0)))
		return refuse(x, "it averages fewer elements at the border than inside");
	if (node_attr_int(n, "ceil_mode", 0)) { /* harmless where the windows fit */
		const struct value *in = node_input(n, 0);
		size_t k, s;
		const int64_t *kernel = node_attr_ints(n, "kernel_shape", &k);
		const int64_t *strides = node_attr_ints(n, "strides", &s);
		for (size_t i = 0; i < k; i++)
			if (padded || (in->dims[2 + i] - kernel[i]) % (s ? strides[i] : 1))
				return refuse(x, "it averages fewer elements at the border than inside");
	}
	return true;
}

/* ---- averages of fewer elements at the border ---- */

/* Elements that window o has in the input along an axis. */
static int64_t elements_in(const struct window *w, int axis, int64_t o)
{
	int64_t count = 0;
	for (int64_t k = 0; k < w->kernel[axis]; k++) {
		int64_t at = o * w->stride[axis] - w->begin[axis] + k * w->dilation[axis];
		count += at >= 0 && at < w->in[axis];
	}
	return count;
}

/* The least number that all windows' counts divide; 0 where one is empty or it grows too large. */
static int64_t common_count(const struct window *w, int axis)
{
	int64_t common = 1;
	for (int64_t o = 0; o < w->out[axis]; o++) {
		int64_t count = elements_in(w, axis, o),
			least = count ? common / common_divisor(common, count) * count : 0;
		if (!count || least - common >= 1 << 12)
			return 0;
		common = least;
	}
	return common;
}

/* Integers that bring the sums of all windows to the same number of terms, [1,1,positions]; NULL where there are none. */
static struct tensor *evening_factors(const struct window *w, double *terms)
{
	int64_t dims[MAX_RANK] = { 1, 1 }, common[WINDOW_AXES];
	*terms = 1;
	for (int i = 0; i < WINDOW_AXES; i++) {
		common[i] = common_count(w, i);
		*terms *= (double)common[i];
	}
	memcpy(dims + 2, window_own(w, w->out), (size_t)w->spatial * sizeof *dims);
	struct tensor *t = *terms > 0 && *terms < 1 << 16 ? tensor_new_raw(ELEM_FLOAT, w->spatial + 2, dims) : NULL;
	for (int64_t k = 0; t && k < t->count; k++) {
		int64_t rest = k, factor = 1;
		for (int i = WINDOW_AXES; i-- > 0; rest /= w->out[i])
			factor *= common[i] / elements_in(w, i, rest % w->out[i]);
		((float *)t->data)[k] = (float)factor;
	}
	return t;
}

/* Padding as numbers, as far as the last window reaches. */
static void write_pads(struct node *n, const struct window *w)
{
	int64_t pads[2 * WINDOW_AXES];
	for (int i = 0; i < w->spatial; i++) {
		int axis = WINDOW_AXES - w->spatial + i;
		int64_t reach = (w->out[axis] - 1) * w->stride[axis] + (w->kernel[axis] - 1) * w->dilation[axis] + 1;
		int64_t end = reach - w->in[axis] - w->begin[axis];
		pads[i] = w->begin[axis];
		pads[w->spatial + i] = end > 0 ? end : 0;
	}
	node_remove_attr(n, "auto_pad");
	node_set_ints(n, "pads", pads, 2 * (size_t)w->spatial);
}

/* Sums of what each window has, times what makes up for the elements it lacks. 1 done, 0 not possible, -1 error. */
static int average_unevenly(struct rule_ctx *x, struct node *n, struct affine *a)
{
	double terms, window;
	const char *reason = x->reason;
	const struct value *in = node_input(n, 0);
	struct window w;
	if (node_attr_int(n, "count_include_pad", 0) || in->rank < 3 || in->rank > 2 + WINDOW_AXES)
		return 0;
	if (window_read(&w, n, in->rank - 2, in->dims + 2, NULL, x->diags) != 0)
		return -1;
	struct tensor *factors = evening_factors(&w, &terms);
	if (!factors)
		return 0;
	write_pads(n, &w);
	if (!pool_to_sum(x, n, a->root, &window)) {
		tensor_unref(factors);
		return refuse(x, reason);
	}
	x->reason = NULL;
	replace_input(n, 0, a->root);
	if (retype(x, n, 0) != 0) {
		tensor_unref(factors);
		return -1;
	}
	struct value *sum = n->outputs[0], *inputs[] = { sum, value_new_constant(x->graph, "evening", factors) };
	const struct range *r = range_of(x->graph, inputs[1]);
	if (r)
		inputs[1]->datatype = datatype_for_range(r->lo, r->hi);
	struct node *mul = node_new(x->graph, n->next, "", "Mul", inputs, 2, 1, "Mul");
	value_move_uses(sum, mul->outputs[0], mul);
	for (int64_t c = 0; c < a->channels; c++)
		a->scale[c] /= terms;
	int result = retype(x, mul, 0) == 0 ? 1 : -1;
	put_behind(x, mul, 0, a);
	return result;
}

/* ---- sums over axes ---- */

/* Axes as input, as ReduceSum takes them from opset 13 on; before that the attribute is the same. */
static void reduce_to_sum(struct rule_ctx *x, struct node *n)
{
	size_t count;
	int64_t opset = graph_opset(x->graph, "");
	const int64_t *axes = node_attr_ints(n, "axes", &count);
	bool global = n->op == &op_GlobalAveragePool;
	int64_t spatial[MAX_RANK], dims[1];
	if (global) {
		axes = spatial;
		count = (size_t)node_input(n, 0)->rank - 2;
		for (size_t i = 0; i < count; i++)
			spatial[i] = (int64_t)i + 2;
		node_set_int(n, "keepdims", 1);
	}
	dims[0] = (int64_t)count;
	node_set_op(n, "", "ReduceSum");
	if ((global || axes) && opset >= 13) {
		node_append_input(n, value_new_constant(x->graph, "axes", tensor_int64(1, dims, axes)));
		node_remove_attr(n, "axes");
	} else if (global) {
		node_set_ints(n, "axes", spatial, count);
	}
}

/* Elements of the input per element of the output. */
static double elements_per_output(const struct node *n)
{
	const struct value *in = node_input(n, 0), *out = n->outputs[0];
	if (!value_shape_known(in) || !value_shape_known(out))
		return 0;
	return (double)shape_count(in->rank, in->dims, ELEM_FLOAT) /
	       (double)shape_count(out->rank, out->dims, ELEM_FLOAT);
}

/* Moves the form behind n: its channels must not be joined with one another. */
static bool channels_survive(struct rule_ctx *x, const struct node *n, struct affine *a)
{
	if (a->channels == 1)
		return true;
	int axis = axis_through(n, a->axis);
	if (axis < 0)
		return refuse(x, "it joins elements that have different scales");
	a->axis = axis;
	return true;
}

static int apply_average(struct rule_ctx *x, struct node *n)
{
	bool pool = n->op == &op_AveragePool, sum = n->op == &op_ReduceSum;
	bool mean = n->op == &op_GlobalAveragePool || n->op == &op_ReduceMean;
	struct affine a;
	int result = 0;
	if ((!pool && !sum && !mean) || value_is_constant(node_input(n, 0)))
		return 0;
	double terms = elements_per_output(n);
	bool possible = integer_input(x, n, 0, &a) && terms > 0 && channels_survive(x, n, &a);
	if (possible && pool && !is_plain_window(x, n, &a)) {
		result = average_unevenly(x, n, &a);
		possible = false;
	}
	if (possible && sum && !affine_is_scaled(&a) && !affine_is_biased(&a) && a.root == node_input(n, 0)) {
		result = retype(x, n, 0) < 0 ? -1 : 0;
		possible = false;
	}
	if (possible && (!pool || pool_to_sum(x, n, a.root, &terms))) {
		replace_input(n, 0, a.root);
		if (mean)
			reduce_to_sum(x, n);
		for (int64_t c = 0; c < a.channels; c++) {
			a.scale[c] = sum ? a.scale[c] : a.scale[c] / terms;
			a.bias[c] = sum ? a.bias[c] * terms : a.bias[c];
		}
		result = retype(x, n, 0) == 0 ? 1 : -1;
		put_behind(x, n, 0, &a);
	}
	affine_free(&a);
	return result;
}

const struct rule rule_average = {
	"average",
	"an average of scaled integers becomes an integer sum with the scale behind it",
	apply_average,
};

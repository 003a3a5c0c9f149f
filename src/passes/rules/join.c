/* Where branches meet: Add, Sub, Mul and Concat of scaled integers, and TopK, ArgMax and ArgMin, whose results do not
 * change with one positive scale. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "passes/rules/ratio.h"

enum { SMALL_MULTIPLE = 16 }; /* multiples up to this sum are taken as they are */

/* m * q (m one number, or one per channel along axis), before n; q itself where m is 1. */
static struct value *scaled_integer(struct rule_ctx *x, struct node *n, struct value *q, const double *m, int axis,
				    int64_t channels)
{
	struct affine a;
	affine_init(&a, q, channels > 1 ? axis : -1, channels);
	memcpy(a.scale, m, (size_t)channels * sizeof *m);
	affine_make_uniform(&a);
	struct value *v = affine_emit(&a, x->graph, n, q);
	affine_free(&a);
	if (v != q && retype(x, v->producer, 0) != 0)
		return NULL;
	return v;
}

static double scale_of(const struct affine *a, int64_t c)
{
	return a->scale[a->channels == 1 ? 0 : c];
}

static double bias_of(const struct affine *a, int64_t c)
{
	return a->bias[a->channels == 1 ? 0 : c];
}

/* ---- Add and Sub ---- */

static bool axes_agree(const struct affine *a, const struct affine *b, int64_t *channels, int *axis)
{
	if (a->channels > 1 && b->channels > 1 && (a->axis != b->axis || a->channels != b->channels))
		return false;
	const struct affine *wider = a->channels >= b->channels ? a : b;
	*channels = wider->channels;
	*axis = wider->axis;
	return true;
}

/* s1 q1 + s2 q2 + b = common * (m1 q1 + m2 q2) + b, channel by channel. */
static int add_integers(struct rule_ctx *x, struct node *n, const struct affine *a, const struct affine *b)
{
	int64_t channels;
	int axis;
	if (!axes_agree(a, b, &channels, &axis))
		return refuse(x, "its operands have scales along different axes");
	double sign = n->op == &op_Sub ? -1 : 1;
	double *m = xcalloc((size_t)channels * 2, sizeof *m);
	struct affine out;
	affine_init(&out, NULL, channels > 1 ? axis : -1, channels);
	bool found = true, counts = true;
	for (int64_t c = 0; c < channels && found; c++) {
		double pair[2] = { scale_of(a, c), scale_of(b, c) }, multiples[2];
		found = common_scale(pair, 2, &out.scale[c], multiples);
		if (found && fabs(multiples[0]) + fabs(multiples[1]) > SMALL_MULTIPLE && channels == 1)
			ratio_proven(x, n, a, b, multiples, &out.scale[c]); /* smaller ones with the same results */
		counts = counts && ratio_counts(x, a, b, pair, multiples, &out.scale[c]);
		m[c] = multiples[0];
		m[channels + c] = multiples[1];
		out.bias[c] = bias_of(a, c) + sign * bias_of(b, c);
	}
	int result = 0;
	if (!found) {
		x->reason = "the scales of its operands have no common measure below 2^31";
	} else if (!counts) {
		x->reason = "with its scales as integers its sums would pass 2^24, more than float32 counts";
	} else {
		struct value *p = scaled_integer(x, n, a->root, m, axis, channels);
		struct value *q = scaled_integer(x, n, b->root, m + channels, axis, channels);
		replace_input(n, 0, p);
		replace_input(n, 1, q);
		result = retype(x, n, 0) == 0 ? 1 : -1;
		affine_make_uniform(&out);
		put_behind(x, n, 0, &out);
	}
	free(m);
	affine_free(&out);
	return result;
}

static bool is_plain(const struct node *n, size_t i, const struct affine *a)
{
	return a->root == node_input(n, i) && !affine_is_scaled(a) && !affine_is_biased(a);
}

static bool two_computed(const struct node *n)
{
	return n->n_inputs == 2 && !value_is_constant(node_input(n, 0)) && !value_is_constant(node_input(n, 1)) &&
	       node_input(n, 0)->rank == node_input(n, 1)->rank;
}

static int apply_add(struct rule_ctx *x, struct node *n)
{
	struct affine a = { 0 }, b = { 0 };
	int result = 0;
	if ((n->op != &op_Add && n->op != &op_Sub) || !two_computed(n))
		return 0;
	if (integer_input(x, n, 0, &a) && integer_input(x, n, 1, &b)) {
		if (is_plain(n, 0, &a) && is_plain(n, 1, &b))
			result = retype(x, n, 0) < 0 ? -1 : 0;
		else
			result = add_integers(x, n, &a, &b);
	}
	affine_free(&a);
	affine_free(&b);
	return result;
}

const struct rule rule_add = {
	"add",
	"a sum of two scaled integers becomes a sum of integer multiples",
	apply_add,
};

/* ---- Mul ---- */

static int apply_multiply(struct rule_ctx *x, struct node *n)
{
	struct affine a = { 0 }, b = { 0 };
	int result = 0;
	if (n->op != &op_Mul || !two_computed(n))
		return 0;
	if (integer_input(x, n, 0, &a) && integer_input(x, n, 1, &b)) {
		struct value *p = shifted_integer(x, n, &a), *q = p ? shifted_integer(x, n, &b) : NULL;
		if (q) {
			struct affine out;
			affine_init(&out, NULL, -1, 1);
			out.scale[0] = a.scale[0] * b.scale[0];
			replace_input(n, 0, p);
			replace_input(n, 1, q);
			result = retype(x, n, 0) == 0 ? 1 : -1;
			put_behind(x, n, 0, &out);
			affine_free(&out);
		} else {
			x->reason = "an operand has several scales, or an offset that is no integer of its scale";
		}
	}
	affine_free(&a);
	affine_free(&b);
	return result;
}

const struct rule rule_multiply = {
	"multiply",
	"a product of two scaled integers becomes a product of integers",
	apply_multiply,
};

/* ---- Concat ---- */

/* One scale and bias for all, or, along the axis that is concatenated, one after the other. */
static bool joint_form(const struct node *n, const struct affine *in, int axis, struct affine *out)
{
	bool alike = true;
	for (uint32_t i = 0; i < n->n_inputs; i++)
		alike = alike && in[i].channels == 1 && in[i].scale[0] == in[0].scale[0] &&
			in[i].bias[0] == in[0].bias[0];
	if (alike) {
		affine_init(out, NULL, -1, 1);
		out->scale[0] = in[0].scale[0];
		out->bias[0] = in[0].bias[0];
		return true;
	}
	affine_init(out, NULL, axis, n->outputs[0]->dims[axis]);
	int64_t at = 0;
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		if (in[i].channels > 1 && in[i].axis != axis)
			return false;
		int64_t length = node_input(n, i)->dims[axis];
		for (int64_t c = 0; c < length; c++, at++) {
			out->scale[at] = scale_of(&in[i], c);
			out->bias[at] = bias_of(&in[i], c);
		}
	}
	return true;
}

/* A constant among the inputs is its own integer where it is one. */
static bool concat_input(struct rule_ctx *x, struct node *n, uint32_t i, struct affine *a)
{
	struct value *v = node_input(n, i);
	if (!value_is_constant(v))
		return integer_input(x, n, i, a);
	affine_init(a, v, -1, 1);
	return tensor_is_integral(v->constant) ? true : refuse(x, "a constant among its inputs is no integer");
}

static int apply_concat(struct rule_ctx *x, struct node *n)
{
	if (n->op != &op_Concat || n->outputs[0]->rank < 1 || !value_shape_known(n->outputs[0]) || n->n_inputs == 0)
		return 0;
	int axis = normal_axis(node_attr_int(n, "axis", 0), n->outputs[0]->rank), result = 0;
	struct affine *in = xcalloc(n->n_inputs, sizeof *in), out = { 0 };
	bool integer = axis >= 0;
	for (uint32_t i = 0; i < n->n_inputs && integer; i++)
		integer = concat_input(x, n, i, &in[i]);
	if (integer && joint_form(n, in, axis, &out)) {
		struct datatype type = in[0].root->datatype;
		for (uint32_t i = 0; i < n->n_inputs; i++)
			replace_input(n, i, in[i].root);
		n->outputs[0]->datatype = type;
		result = retype(x, n, 0) == 0 ? 1 : -1;
		const struct range *r = range_of(x->graph, n->outputs[0]);
		if (r && type.kind != DT_BIPOLAR)
			n->outputs[0]->datatype = datatype_for_range(r->lo, r->hi);
		put_behind(x, n, 0, &out);
	} else if (integer) {
		x->reason = "its inputs have different scales along an axis that it does not concatenate";
	}
	for (uint32_t i = 0; i < n->n_inputs; i++)
		affine_free(&in[i]);
	affine_free(&out);
	free(in);
	return result;
}

const struct rule rule_concat = {
	"concat",
	"scales move past a Concat, per channel where branches differ",
	apply_concat,
};

/* ---- TopK, ArgMax, ArgMin ---- */

static int apply_select(struct rule_ctx *x, struct node *n)
{
	struct affine a = { 0 };
	int result = 0;
	bool topk = n->op == &op_TopK;
	if (!topk && n->op != &op_ArgMax && n->op != &op_ArgMin)
		return 0;
	if (integer_input(x, n, 0, &a) && a.channels == 1 && a.scale[0] > 0 && !is_plain(n, 0, &a)) {
		replace_input(n, 0, a.root);
		result = 1;
		if (topk && n->outputs[0]) {
			result = retype(x, n, 0) == 0 ? 1 : -1;
			put_behind(x, n, 0, &a);
		}
	}
	affine_free(&a);
	return result;
}

const struct rule rule_select = {
	"select",
	"one positive scale and a bias are no concern of TopK, ArgMax and ArgMin",
	apply_select,
};

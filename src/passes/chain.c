/* Chains of element-wise nodes: finding and evaluating them. Their linear form is in affine.c. */
#include "passes/chain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int elementwise_data(const struct node *n)
{
	int data = -1;
	if (!n->op || !(n->op->flags & OP_ELEMENTWISE) || n->n_outputs == 0)
		return -1;
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		const struct value *v = n->inputs[i].value;
		if (!v || value_is_constant(v))
			continue;
		if (data >= 0)
			return -1;
		data = (int)i;
	}
	return data;
}

/* Axis that a broadcast parameter varies along: -1 none, -2 several or more axes than the value has. */
static int parameter_axis(const struct tensor *t, int rank)
{
	int axis = -1;
	for (int i = 0; i < t->rank; i++) {
		if (t->dims[i] == 1)
			continue;
		if (axis != -1 || t->rank - i > rank)
			return -2;
		axis = i + rank - t->rank;
	}
	return axis;
}

int elementwise_axis(const struct node *n, int rank)
{
	int axis = -1, data = elementwise_data(n);
	bool by_channel = n->op == &op_BatchNormalization || n->op == &op_MultiThreshold;
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		const struct value *v = n->inputs[i].value;
		if (!v || (int)i == data || !value_is_constant(v) || v->constant->count == 1)
			continue;
		int its;
		if (n->op == &op_MultiThreshold)
			its = v->constant->rank && v->constant->dims[0] > 1 ? threshold_axis(n, rank) : -1;
		else
			its = by_channel ? 1 : parameter_axis(v->constant, rank);
		if (its == -2 || (axis >= 0 && its >= 0 && its != axis))
			return -2;
		axis = its >= 0 ? its : axis;
	}
	return axis;
}

/* 1, -1 or 0 by the signs of a parameter's elements; *mixed where both occur. */
static int sign_of(const struct tensor *t, bool *mixed)
{
	double lo, hi;
	tensor_min_max(t, &lo, &hi);
	*mixed = lo < 0 && hi > 0;
	return hi <= 0 ? -1 : lo >= 0 ? 1 : 0;
}

static bool never_negative(const struct tensor *t)
{
	double lo, hi;
	tensor_min_max(t, &lo, &hi);
	return lo >= 0;
}

int elementwise_direction(const struct node *n, bool *mixed)
{
	int data = elementwise_data(n);
	const struct value *other = data == 0 ? node_input(n, 1) : node_input(n, 0);
	*mixed = false;
	if (data < 0)
		return 0;
	if (n->op == &op_Add || n->op == &op_MultiThreshold || n->op == &op_BipolarQuant)
		return 1;
	if (n->op == &op_Sub)
		return data == 0 ? 1 : -1;
	if (n->op == &op_Mul || (n->op == &op_Div && data == 0))
		return sign_of(other->constant, mixed);
	if (n->op == &op_BatchNormalization)
		return sign_of(node_input(n, 1)->constant, mixed);
	if (n->op == &op_Quant || n->op == &op_Trunc)
		return never_negative(node_input(n, 1)->constant);
	if (n->op == &op_LeakyRelu)
		return node_attr_float(n, "alpha", 0.01) >= 0;
	if (n->op == &op_PRelu)
		return never_negative(other->constant);
	if (n->op == &op_Neg)
		return -1;
	return (n->op->flags & OP_MONOTONE) && data == 0;
}

static void chain_init(struct chain *c, struct value *root)
{
	*c = (struct chain){ .root = root, .axis = -1, .channels = 1 };
}

void chain_free(struct chain *c)
{
	free(c->nodes);
	c->nodes = NULL;
	c->count = 0;
}

static bool same_shape(const struct value *a, const struct value *b)
{
	return a->rank == b->rank && a->rank >= 0 &&
	       (a->rank == 0 || memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0);
}

/* Whether the chain may begin with n instead, and along which axis its parameters then vary. */
static bool may_extend(const struct chain *c, const struct node *n, int *axis)
{
	int data = elementwise_data(n);
	if (data < 0 || !n->op->exec || (n->op->flags & OP_QUANTISER))
		return false;
	const struct value *in = node_input(n, (size_t)data), *out = n->outputs[0];
	for (uint32_t i = 1; i < n->n_outputs; i++)
		if (n->outputs[i] && n->outputs[i]->uses)
			return false;
	if (!same_shape(in, out) || (in->elem != ELEM_FLOAT && in->elem != ELEM_UNDEFINED))
		return false;
	int its = elementwise_axis(n, out->rank);
	*axis = c->axis >= 0 ? c->axis : its;
	return its != -2 && (its < 0 || c->axis < 0 || its == c->axis);
}

/* The axis again, from the nodes that are left. */
static void update_axis(struct chain *c)
{
	c->axis = -1;
	for (size_t i = 0; i < c->count; i++) {
		int axis = elementwise_axis(c->nodes[i], c->nodes[i]->outputs[0]->rank);
		c->axis = axis >= 0 ? axis : c->axis;
	}
	c->channels = c->axis >= 0 && c->root ? c->root->dims[c->axis] : 1;
}

void chain_cut(struct chain *c, size_t n)
{
	if (!n)
		return;
	c->root = c->nodes[n - 1]->outputs[0];
	memmove(c->nodes, c->nodes + n, (c->count - n) * sizeof *c->nodes);
	c->count -= n;
	update_axis(c);
}

void chain_push(struct chain *c, struct node *n)
{
	c->nodes = xrealloc(c->nodes, (c->count + 1) * sizeof *c->nodes);
	c->nodes[c->count++] = n;
	update_axis(c);
}

void chain_of(struct value *v, struct chain *c)
{
	size_t capacity = 0, integer_at = 0; /* nodes below the topmost integer value */
	bool found = datatype_is_integer(v->datatype);
	int axis;
	chain_init(c, v);
	while (c->root->producer && may_extend(c, c->root->producer, &axis)) {
		struct node *n = c->root->producer;
		if (c->count == capacity) {
			capacity = capacity ? 2 * capacity : 8;
			c->nodes = xrealloc(c->nodes, capacity * sizeof *c->nodes);
		}
		c->nodes[c->count++] = n;
		c->axis = axis;
		c->root = node_input(n, (size_t)elementwise_data(n));
		if (datatype_is_integer(c->root->datatype)) {
			found = true;
			integer_at = c->count;
		}
	}
	for (size_t i = 0; i < c->count / 2; i++) { /* found bottom up */
		struct node *n = c->nodes[i];
		c->nodes[i] = c->nodes[c->count - 1 - i];
		c->nodes[c->count - 1 - i] = n;
	}
	c->channels = c->axis >= 0 ? c->root->dims[c->axis] : 1;
	if (found)
		chain_cut(c, c->count - integer_at);
}

/* ---- functions with several paths ---- */

static bool chain_has(const struct chain *c, const struct node *n)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->nodes[i] == n)
			return true;
	return false;
}

/* Nodes that compute v from the one integer value above, operands first. */
static bool collect(struct chain *c, struct value *v, int depth)
{
	struct node *n = v->producer;
	if (datatype_is_integer(v->datatype)) {
		bool same = !c->root || c->root == v;
		c->root = v;
		return same;
	}
	if (n && chain_has(c, n))
		return true;
	if (!n || !depth || !n->op || !n->op->exec || !(n->op->flags & OP_ELEMENTWISE) ||
	    (n->op->flags & OP_QUANTISER) || n->outputs[0] != v || v->elem != ELEM_FLOAT)
		return false;
	for (uint32_t i = 1; i < n->n_outputs; i++)
		if (n->outputs[i] && n->outputs[i]->uses)
			return false;
	bool any = false;
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		struct value *in = n->inputs[i].value;
		if (!in || value_is_constant(in))
			continue;
		any = true;
		if (!same_shape(in, v) || !collect(c, in, depth - 1))
			return false;
	}
	int axis = elementwise_axis(n, v->rank);
	if (!any || axis == -2 || (axis >= 0 && c->axis >= 0 && axis != c->axis))
		return false;
	chain_push(c, n);
	return true;
}

bool function_of(struct value *v, struct chain *c)
{
	enum { MOST_DEPTH = 24 };
	chain_init(c, NULL);
	c->has_paths = true;
	bool found = collect(c, v, MOST_DEPTH) && c->count > 0;
	if (!found)
		chain_free(c);
	return found;
}

/* ---- evaluation ---- */

/* Points run along axis 0 and channels along their own; all other axes have length 1. A value whose
 * channels lie along axis 0 gets one axis more in front, which broadcasting allows. */
static struct tensor *points_tensor(const struct chain *c, const double *x, int64_t points, bool exact)
{
	int rank = c->root->rank < 1 ? 1 : c->root->rank, axis = c->axis;
	if (axis == 0) {
		rank++;
		axis = 1;
	}
	int64_t dims[MAX_RANK];
	for (int i = 0; i < rank; i++)
		dims[i] = 1;
	dims[0] = points;
	if (axis > 0)
		dims[axis] = c->channels;
	struct tensor *t = tensor_new_raw(exact ? ELEM_DOUBLE : ELEM_FLOAT, rank, dims);
	for (int64_t i = 0; t && i < t->count; i++)
		if (exact)
			((double *)t->data)[i] = x[i];
		else
			((float *)t->data)[i] = (float)x[i];
	return t;
}

/* What v holds: the points, or the result of a node before the one with that index. */
static struct tensor *value_at(const struct chain *c, struct tensor *const *results, size_t index,
			       const struct value *v)
{
	for (size_t i = index; i-- > 0;)
		if (c->nodes[i]->outputs[0] == v)
			return results[i + 1];
	return results[0];
}

/* Executes node i of the chain; results[0] are the points, results[i + 1] what node i gives. */
static struct tensor *apply(const struct chain *c, struct tensor *const *results, size_t index, struct diags *d)
{
	enum { MOST_INPUTS = 16 };
	const struct node *n = c->nodes[index];
	struct tensor *in[MOST_INPUTS] = { NULL }, *out[MOST_INPUTS] = { NULL };
	uint32_t count = n->n_inputs < MOST_INPUTS ? n->n_inputs : MOST_INPUTS;
	enum elem_type type = (enum elem_type)results[0]->elem;
	for (uint32_t i = 0; i < count; i++) { /* parameters in the arithmetic of the data */
		const struct value *v = n->inputs[i].value;
		const struct tensor *p = v ? v->constant : NULL;
		if (v && !p)
			in[i] = tensor_ref(value_at(c, results, index, v));
		else
			in[i] = p && p->elem == ELEM_FLOAT ? tensor_cast(p, type) : tensor_ref(p);
	}
	int result = node_execute(n, in, out, 1, d);
	for (uint32_t i = 0; i < count; i++)
		tensor_unref(in[i]);
	for (uint32_t i = 1; i < n->n_outputs && i < MOST_INPUTS; i++)
		tensor_unref(out[i]);
	return result == 0 ? out[0] : NULL;
}

int chain_eval(const struct chain *c, const double *x, double *y, int64_t points, bool exact, struct diags *d)
{
	struct tensor *t = points_tensor(c, x, points, exact);
	if (!t)
		return diag_error(d, NULL, "out of memory evaluating the chain of '%s'", c->root->name);
	int64_t count = t->count;
	struct tensor **results = xcalloc(c->count + 1, sizeof *results);
	results[0] = t;
	for (size_t i = 0; i < c->count && t; i++) {
		t = results[i + 1] = apply(c, results, i, d);
		if (i > 0 && !c->has_paths) { /* nobody reads it again */
			tensor_unref(results[i]);
			results[i] = NULL;
		}
	}
	int result = t && t->count == count ? 0 : -1;
	for (int64_t i = 0; result == 0 && i < count; i++)
		y[i] = tensor_at(t, i);
	bool failed = !t;
	for (size_t i = 0; i <= c->count; i++)
		tensor_unref(results[i]);
	free(results);
	if (failed)
		return -1;
	return result == 0 ? 0 : diag_error(d, NULL, "the chain of '%s' changes its shape", c->root->name);
}

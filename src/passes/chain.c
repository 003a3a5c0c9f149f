/* Chains of element-wise nodes: finding them. chain_eval.c evaluates them; their linear form is in affine.c. */
#include "passes/chain.h"

#include <stdlib.h>
#include <string.h>

/* Batch normalization that learns takes its statistics from the data, and tells them in further outputs. */
static bool gives_more(const struct node *n)
{
	for (uint32_t i = 1; i < n->n_outputs; i++)
		if (n->outputs[i] && (n->outputs[i]->uses || n->outputs[i]->is_pinned))
			return true;
	return n->op == &op_BatchNormalization && node_attr_int(n, "training_mode", 0);
}

int elementwise_data(const struct node *n)
{
	int data = -1;
	if (!n->op || !(n->op->flags & OP_ELEMENTWISE) || !node_output(n, 0) || gives_more(n))
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
			its = by_channel ? rank > 1 : parameter_axis(v->constant, rank);
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

/* Every parameter has one element, or one for each index of the axis. */
static bool parameters_fit(const struct node *n, const struct value *in, int axis)
{
	int data = elementwise_data(n);
	for (uint32_t i = 0; i < n->n_inputs && axis >= 0; i++) {
		const struct value *v = n->inputs[i].value;
		if (v && (int)i != data && v->constant->count != 1 && v->constant->count != in->dims[axis])
			return false;
	}
	return true;
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
	return its != -2 && parameters_fit(n, in, its) && (its < 0 || c->axis < 0 || its == c->axis);
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

/* Nodes that compute v from root, operands first. False where something else than root is read. */
static bool collect_from(struct chain *c, struct value *v)
{
	struct node *n = v->producer;
	if (v == c->root)
		return true;
	if (!n || !n->op || !n->op->exec)
		return false;
	if (chain_has(c, n))
		return true;
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		struct value *in = n->inputs[i].value;
		if (in && !value_is_constant(in) && !collect_from(c, in))
			return false;
	}
	c->nodes = xrealloc(c->nodes, (c->count + 1) * sizeof *c->nodes);
	c->nodes[c->count++] = n;
	return true;
}

bool chain_between(struct value *root, struct value *v, struct chain *c)
{
	chain_init(c, root);
	c->has_paths = true;
	bool found = collect_from(c, v);
	if (!found)
		chain_free(c);
	return found;
}

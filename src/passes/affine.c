/* The linear form of a chain: scale * root + bias, per tensor or per channel. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "passes/chain.h"
#include "passes/edit.h"

void affine_init(struct affine *a, struct value *root, int axis, int64_t channels)
{
	*a = (struct affine){ .root = root, .axis = axis, .channels = channels };
	a->scale = xcalloc(2 * (size_t)channels + 1, sizeof *a->scale);
	a->bias = a->scale + channels;
	for (int64_t i = 0; i < channels; i++)
		a->scale[i] = 1;
}

void affine_free(struct affine *a)
{
	free(a->scale);
	a->scale = a->bias = NULL;
}

static double parameter(const struct value *v, int64_t channel)
{
	return tensor_at(v->constant, v->constant->count == 1 ? 0 : channel);
}

static void apply_batch_norm(struct affine *a, const struct node *n)
{
	double epsilon = (double)(float)node_attr_float(n, "epsilon", 1e-5);
	for (int64_t i = 0; i < a->channels; i++) {
		double scale = parameter(node_input(n, 1), i) / sqrt(parameter(node_input(n, 4), i) + epsilon);
		double mean = parameter(node_input(n, 3), i), offset = parameter(node_input(n, 2), i);
		a->scale[i] *= scale;
		a->bias[i] = (a->bias[i] - mean) * scale + offset;
	}
}

/* scale' = m * scale, bias' = m * bias + b, for the one parameter of an arithmetic node. */
static void apply_arithmetic(struct affine *a, const struct node *n)
{
	int data = elementwise_data(n);
	const struct value *other = node_input(n, data == 0 ? 1 : 0);
	for (int64_t i = 0; i < a->channels; i++) {
		double p = parameter(other, i), m = 1, b = 0;
		if (n->op == &op_Mul)
			m = p;
		else if (n->op == &op_Div)
			m = 1 / p;
		else if (n->op == &op_Add)
			b = p;
		else if (data == 0)
			b = -p;
		else
			m = -1, b = p;
		/* x / p rounds once where x * (1 / p) would round twice */
		a->scale[i] = n->op == &op_Div ? a->scale[i] / p : a->scale[i] * m;
		a->bias[i] = (n->op == &op_Div ? a->bias[i] / p : a->bias[i] * m) + b;
	}
}

static bool is_linear(const struct node *n)
{
	int data = elementwise_data(n);
	return n->op == &op_Mul || n->op == &op_Add || n->op == &op_Sub || (n->op == &op_Div && data == 0) ||
	       n->op == &op_Neg || n->op == &op_Identity || n->op == &op_BatchNormalization;
}

void affine_apply(struct affine *a, const struct node *n)
{
	if (n->op == &op_BatchNormalization)
		apply_batch_norm(a, n);
	else if (n->op == &op_Neg)
		for (int64_t i = 0; i < a->channels; i++)
			a->scale[i] = -a->scale[i], a->bias[i] = -a->bias[i];
	else if (n->op != &op_Identity)
		apply_arithmetic(a, n);
}

bool affine_of(struct value *v, struct affine *a)
{
	struct chain c;
	chain_of(v, &c);
	size_t nonlinear = c.count;
	while (nonlinear > 0 && is_linear(c.nodes[nonlinear - 1]))
		nonlinear--;
	chain_cut(&c, nonlinear);
	affine_init(a, c.root, c.axis, c.channels);
	for (size_t i = 0; i < c.count; i++)
		affine_apply(a, c.nodes[i]);
	chain_free(&c);
	affine_make_uniform(a);
	return datatype_is_integer(a->root->datatype);
}

bool affine_is_scaled(const struct affine *a)
{
	for (int64_t i = 0; i < a->channels; i++)
		if (a->scale[i] != 1)
			return true;
	return false;
}

bool affine_is_biased(const struct affine *a)
{
	for (int64_t i = 0; i < a->channels; i++)
		if (a->bias[i] != 0)
			return true;
	return false;
}

static bool is_uniform(const struct affine *a)
{
	for (int64_t i = 1; i < a->channels; i++)
		if (a->scale[i] != a->scale[0] || a->bias[i] != a->bias[0])
			return false;
	return true;
}

void affine_make_uniform(struct affine *a)
{
	if (a->channels < 1 || !is_uniform(a))
		return;
	double bias = a->bias[0];
	a->channels = 1;
	a->axis = -1;
	a->bias = a->scale + 1;
	a->bias[0] = bias;
}

/* A parameter of that many elements, shaped to broadcast along the axis of a value of that rank. */
static struct value *emit_parameter(const struct affine *a, struct graph *g, const double *x, int rank)
{
	int64_t dims[MAX_RANK];
	double first = x[0];
	bool uniform = true;
	for (int64_t i = 1; i < a->channels; i++)
		uniform = uniform && x[i] == first;
	if (uniform)
		return constant_scalar(g, "scale", first);
	int length = rank - a->axis;
	for (int i = 0; i < length; i++)
		dims[i] = i ? 1 : a->channels;
	return constant_floats(g, "scale", length, dims, x);
}

struct value *affine_emit(const struct affine *a, struct graph *g, struct node *before, struct value *q)
{
	struct value *v = q;
	if (affine_is_scaled(a)) {
		v = add_node2(g, before, "", "Mul", v, emit_parameter(a, g, a->scale, q->rank), "Mul");
		v->datatype = datatype_of_kind(DT_FLOAT32);
	}
	if (affine_is_biased(a)) {
		v = add_node2(g, before, "", "Add", v, emit_parameter(a, g, a->bias, q->rank), "Add");
		v->datatype = datatype_of_kind(DT_FLOAT32);
	}
	v->layout = q->layout;
	return v;
}

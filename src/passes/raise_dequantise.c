/* DequantizeLinear in front of what stands between it and QuantizeLinear: see raise_dequantise.h. */
#include "passes/raise_dequantise.h"

#include <string.h>

#include "ops/move.h"
#include "passes/edit.h"

/* Moves or picks elements, or takes the larger one, so that it may as well work on the dequantised ones. */
static bool is_mover(const struct node *n)
{
	if (!n->op)
		return false;
	if (n->op == &op_Resize || n->op == &op_Upsample)
		return resize_moves(n);
	return (n->op->flags & OP_MOVES) || n->op == &op_Identity || n->op == &op_MaxPool ||
	       n->op == &op_GlobalMaxPool || n->op == &op_Pad || n->op == &op_Relu;
}

/* Whether input i carries elements that come out again; what a Pad pads with is one. */
static bool is_data(const struct node *n, size_t i)
{
	return i == 0 || n->op == &op_Concat || (n->op == &op_Pad && i == 2);
}

static bool dequantises_like(const struct node *n, const struct node *dq)
{
	return n && n->op == &op_DequantizeLinear && linear_parameters_constant(n) &&
	       tensor_equal(node_input(n, 1)->constant, node_input(dq, 1)->constant) &&
	       zero_point_at(node_input(n, 2), 0) == zero_point_at(node_input(dq, 2), 0);
}

/* The DequantizeLinear that reads an output of n, where all outputs are read by such nodes alone, with one positive scale
 * and one zero point. NULL where it is not so. */
static const struct node *common_reader(const struct node *n)
{
	const struct node *dq = NULL;
	for (uint32_t i = 0; i < n->n_outputs; i++) {
		const struct value *v = n->outputs[i];
		if (!v || value_is_output(v))
			continue;
		value_for_each_use (v, u) {
			const struct node *user = u->user;
			if (!dq && user && user->op == &op_DequantizeLinear && linear_parameters_constant(user))
				dq = user;
			if (!dq || !dequantises_like(user, dq))
				return NULL;
		}
	}
	double scale;
	const struct value *zero = dq ? node_input(dq, 2) : NULL;
	bool uniform =
		dq && value_scalar(node_input(dq, 1), &scale) && scale > 0 && (!zero || zero->constant->count == 1);
	return uniform ? dq : NULL;
}

/* Integer data of known rank in all places that carry elements, and no second kind of output that is read. */
static bool can_work_on_reals(const struct node *n)
{
	bool indices = (n->op == &op_MaxPool || n->op == &op_GlobalMaxPool) && n->n_outputs > 1 && n->outputs[1];
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		const struct value *v = n->inputs[i].value;
		if (v && is_data(n, i) && !elem_is_integer(v->elem))
			return false;
	}
	for (uint32_t i = 0; i < n->n_outputs; i++)
		if (n->outputs[i] && (value_is_output(n->outputs[i]) || n->outputs[i]->rank < 0))
			return false;
	return !indices && (n->op != &op_Pad || n->n_inputs >= 2);
}

/* A DequantizeLinear of v before n, with the parameters of dq. */
static struct value *dequantised(struct graph *g, struct node *n, struct value *v, const struct node *dq)
{
	struct value *inputs[] = { v, node_input(dq, 1), node_input(dq, 2) };
	struct node *raised = node_new(g, n, "", "DequantizeLinear", inputs, dq->n_inputs, 1, "DequantizeLinear");
	struct diags quiet = { 0 };
	node_infer(raised, &quiet);
	diags_free(&quiet);
	return raised->outputs[0];
}

/* A Pad that says nothing pads with the integer 0, a Relu cuts at it: which number that is. */
static void translate_zero(struct graph *g, struct node *n, const struct value *data, const struct node *dq)
{
	double scale = tensor_at(node_input(dq, 1)->constant, 0);
	double zero = -zero_point_at(node_input(dq, 2), 0) * scale;
	if (n->op == &op_Pad && !node_input(n, 2) && strcmp(node_attr_string(n, "mode", "constant"), "constant") == 0) {
		while (n->n_inputs < 3)
			node_append_input(n, NULL);
		node_set_input(n, 2, constant_scalar(g, "pad", zero));
	} else if (n->op == &op_Relu && !elem_is_signed(data->elem)) {
		node_set_op(n, "", "Identity");
	} else if (n->op == &op_Relu && zero != 0) {
		node_set_op(n, "", "Max");
		node_append_input(n, constant_scalar(g, "least", zero));
	}
}

/* The outputs become real, and stand for what their readers computed from them. */
static void make_outputs_real(struct node *n, const struct value *real)
{
	for (uint32_t i = 0; i < n->n_outputs; i++) {
		struct value *v = n->outputs[i];
		if (!v)
			continue;
		struct value *placeholder = value_new(n->graph, v->name);
		value_for_each_use (v, u)
			value_replace_uses(u->user->outputs[0], placeholder);
		while (v->uses)
			node_remove(v->uses->user);
		value_replace_uses(placeholder, v);
		value_remove(n->graph, placeholder);
		v->is_declared = false;
		v->datatype = real->datatype;
		value_set_type(n->graph, v, (enum elem_type)real->elem, v->rank, v->dims);
	}
}

static void work_on_reals(struct graph *g, struct node *n, const struct node *dq)
{
	struct value *data = node_input(n, 0), *real = NULL;
	for (uint32_t i = 0; i < n->n_inputs; i++)
		if (n->inputs[i].value && is_data(n, i))
			node_set_input(n, i, dequantised(g, n, n->inputs[i].value, dq));
	translate_zero(g, n, data, dq);
	real = node_input(n, 0);
	make_outputs_real(n, real);
}

void raise_dequantise(struct graph *g, size_t *changes)
{
	for (struct node *n = g->last; n; n = n->prev) {
		const struct node *dq = is_mover(n) && can_work_on_reals(n) ? common_reader(n) : NULL;
		if (!dq)
			continue;
		work_on_reals(g, n, dq);
		(*changes)++;
	}
}

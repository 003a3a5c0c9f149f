/* remove-identity: removes nodes that return their input unchanged: Identity, Dropout at inference, Mul and Div by 1, Add and
 * Sub of 0, Transpose that keeps the order, Reshape to the same shape, Pad by nothing, Cast to the same type. */
#include <string.h>

#include "ops/op.h"
#include "passes/edit.h"
#include "passes/pass.h"

static bool same_shape(const struct value *a, const struct value *b)
{
	return value_shape_known(a) && value_shape_known(b) && a->rank == b->rank &&
	       (a->rank == 0 || memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0);
}

static bool constant_is(const struct value *v, double x)
{
	return value_is_constant(v) && v->constant->elem != ELEM_STRING && tensor_all(v->constant, x);
}

static bool keeps_axes(const struct node *n)
{
	size_t count;
	const int64_t *perm = node_attr_ints(n, "perm", &count);
	for (size_t i = 0; i < count; i++)
		if (perm[i] != (int64_t)i)
			return false;
	return count > 0 || node_input(n, 0)->rank <= 1;
}

static bool pads_nothing(const struct node *n)
{
	size_t count;
	const int64_t *pads = node_attr_ints(n, "pads", &count);
	if (node_input(n, 1))
		return constant_is(node_input(n, 1), 0);
	for (size_t i = 0; i < count; i++)
		if (pads[i])
			return false;
	return pads != NULL;
}

/* Which input the node passes on unchanged; -1: none. */
static int passed_input(const struct node *n)
{
	const struct value *in = node_input(n, 0), *out = node_output(n, 0);
	bool same = in && out && same_shape(in, out) && (in->elem == out->elem || !in->elem);
	if (n->op == &op_Identity)
		return 0;
	if (n->op == &op_Dropout)
		return n->n_outputs == 1 || !n->outputs[1] || !n->outputs[1]->uses ? 0 : -1;
	if (n->op == &op_Mul || n->op == &op_Div)
		if (same && constant_is(node_input(n, 1), 1))
			return 0;
	if (n->op == &op_Add || n->op == &op_Sub)
		if (same && constant_is(node_input(n, 1), 0))
			return 0;
	if ((n->op == &op_Mul && constant_is(in, 1)) || (n->op == &op_Add && constant_is(in, 0)))
		return same_shape(node_input(n, 1), out) ? 1 : -1;
	if (n->op == &op_Transpose)
		return keeps_axes(n) ? 0 : -1;
	if (n->op == &op_Reshape || n->op == &op_Flatten || n->op == &op_Squeeze || n->op == &op_Unsqueeze ||
	    n->op == &op_Expand || n->op == &op_Cast)
		return same ? 0 : -1;
	if (n->op == &op_Pad)
		return pads_nothing(n) ? 0 : -1;
	return -1;
}

/* A graph input must not become a graph output under another name. */
static bool may_go(const struct node *n, const struct value *in)
{
	return n->n_captures == 0 && !n->outputs[0]->is_pinned &&
	       !(value_is_output(n->outputs[0]) && (!in->producer || value_is_output(in)));
}

static enum pass_result run(struct pass_ctx *ctx)
{
	graph_for_each_node (ctx->graph, n) {
		int i = n->op ? passed_input(n) : -1;
		if (i < 0 || !may_go(n, node_input(n, (size_t)i)))
			continue;
		struct value *in = node_input(n, (size_t)i);
		if (!datatype_is_integer(in->datatype) && datatype_is_integer(n->outputs[0]->datatype))
			in->datatype = n->outputs[0]->datatype;
		node_bypass(n, in);
		ctx->changes++;
	}
	return pass_result(ctx);
}

const struct pass pass_remove_identity = {
	.name = "remove-identity",
	.summary = "removes nodes that give back their input",
	.help = "Identity, Dropout, Mul and Div by 1, Add and Sub of 0, Transpose, Reshape, Pad and Cast that change nothing.",
	.requires = GRAPH_INFERRED,
	.preserves = ~0u,
	.run = run,
};

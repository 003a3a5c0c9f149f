/* fold-transpose: Transpose and Reshape of a quantised constant move before the quantiser and are folded into the
 * constants, so that the quantiser's output is the weight as its consumer reads it. */
#include <string.h>

#include "ops/op.h"
#include "passes/edit.h"
#include "passes/pass.h"

static bool is_quantiser_of_constant(const struct node *q)
{
	if (!q || (q->op != &op_Quant && q->op != &op_BipolarQuant))
		return false;
	for (uint32_t i = 0; i < q->n_inputs; i++)
		if (q->inputs[i].value && !value_is_constant(q->inputs[i].value))
			return false;
	return true;
}

/* A parameter that is one number needs no moving. A Reshape can move only those; of others, a Transpose all of
 * the full rank. */
static bool parameters_follow(const struct node *mover, const struct node *q)
{
	for (uint32_t i = 1; i < q->n_inputs; i++) {
		const struct value *p = q->inputs[i].value;
		if (p && p->constant->count != 1 && (mover->op != &op_Transpose || p->rank != node_input(q, 0)->rank))
			return false;
	}
	return true;
}

/* The constant moved like the quantiser's output: a copy of the mover applied to it, folded. */
static struct value *moved(struct graph *g, const struct node *mover, struct value *constant, struct diags *d)
{
	struct tensor *in[2] = { constant->constant, NULL }, *out[1] = { NULL };
	if (mover->n_inputs > 1)
		in[1] = node_input(mover, 1)->constant;
	if (node_execute(mover, in, out, 1, d) != 0)
		return NULL;
	return value_new_constant(g, constant->name, out[0]);
}

static int move_before(struct graph *g, struct node *mover, struct node *q, struct diags *d)
{
	enum { MOST = 8 };
	struct value *inputs[MOST] = { NULL };
	for (uint32_t i = 0; i < q->n_inputs && i < MOST; i++) {
		inputs[i] = q->inputs[i].value;
		bool moves = i == 0 || (inputs[i] && inputs[i]->constant->count > 1);
		if (moves && !(inputs[i] = moved(g, mover, inputs[i], d)))
			return -1;
	}
	struct node *n = node_new(g, mover, q->domain, q->op_type, inputs, q->n_inputs, 1, q->name);
	node_copy_attrs(n, q);
	if (node_infer(n, d) != 0)
		return -1;
	node_bypass(mover, n->outputs[0]);
	if (!q->outputs[0]->uses)
		node_remove(q);
	return 0;
}

static enum pass_result run(struct pass_ctx *ctx)
{
	graph_for_each_node (ctx->graph, n) {
		if ((n->op != &op_Transpose && n->op != &op_Reshape) || !node_input(n, 0))
			continue;
		struct node *q = node_input(n, 0)->producer;
		if (n->n_inputs > 1 && !value_is_constant(node_input(n, 1)))
			continue;
		if (!is_quantiser_of_constant(q) || !parameters_follow(n, q))
			continue;
		if (move_before(ctx->graph, n, q, ctx->diags) != 0)
			return PASS_ERROR;
		ctx->changes++;
	}
	return pass_result(ctx);
}

const struct pass pass_fold_transpose = {
	.name = "fold-transpose",
	.summary = "Transpose and Reshape of quantised weights are folded into the weights",
	.help = "Transpose(Quant(W)) becomes Quant(W transposed), scale and zero point transposed with it.",
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = GRAPH_CLEAN,
	.run = run,
};

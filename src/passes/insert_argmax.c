/* insert-argmax: the output becomes the index of its largest element. */
#include "passes/edit.h"
#include "passes/pass.h"

static enum pass_result run(struct pass_ctx *ctx)
{
	struct graph *g = ctx->graph;
	if (g->n_outputs != 1)
		return diag_error(ctx->diags, NULL, "the graph has %u outputs, not one", g->n_outputs);
	struct value *v = g->outputs[0].value;
	if (v->producer && v->producer->op == &op_ArgMax)
		return PASS_UNCHANGED;
	int axis = v->rank < 0 ? -1 : normal_axis(pass_int(ctx, "axis"), v->rank);
	if (axis < 0)
		return diag_error(ctx->diags, "write insert-argmax(axis=N)", "the output has no axis %lld",
				  (long long)pass_int(ctx, "axis"));
	struct node *n = node_new(g, NULL, DOMAIN_ONNX, "ArgMax", &v, 1, 1, "ArgMax");
	node_set_int(n, "axis", axis);
	node_set_int(n, "keepdims", pass_flag(ctx, "keepdims"));
	if (node_infer(n, ctx->diags) != 0)
		return PASS_ERROR;
	graph_set_output(g, 0, n->outputs[0]);
	ctx->changes = 1;
	return PASS_CHANGED;
}

static const struct pass_option options[] = {
	{ "axis", OPTION_INT, "-1", "along which axis" },
	{ "keepdims", OPTION_FLAG, NULL, "that axis stays, with one element" },
	{ NULL, OPTION_FLAG, NULL, NULL },
};

const struct pass pass_insert_argmax = {
	.name = "insert-argmax",
	.summary = "the output becomes the index of its largest element",
	.help = "Puts an ArgMax behind the only output, so that the network gives the class. insert-topk(k=1) does the same\n"
		"with the operator that FINN's LabelSelect is made from.",
	.options = options,
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = GRAPH_CLEAN | GRAPH_CONVERTED,
	.run = run,
	.changes_function = true,
};

/* insert-topk: the output becomes the indices of its largest elements. */
#include "passes/edit.h"
#include "passes/pass.h"

static struct value *indices(struct graph *g, struct value *v, int axis, const struct pass_ctx *ctx)
{
	int64_t one = 1, k = pass_int(ctx, "k");
	struct value *inputs[] = { v, value_new_constant(g, "k", tensor_int64(1, &one, &k)) };
	struct node *n = node_new(g, NULL, DOMAIN_ONNX, "TopK", inputs, 2, 2, "TopK");
	node_set_int(n, "axis", axis);
	node_set_int(n, "largest", 1);
	node_set_int(n, "sorted", 1);
	return node_infer(n, ctx->diags) == 0 ? n->outputs[1] : NULL;
}

static enum pass_result run(struct pass_ctx *ctx)
{
	struct graph *g = ctx->graph;
	if (g->n_outputs != 1)
		return diag_error(ctx->diags, NULL, "the graph has %u outputs, not one", g->n_outputs);
	struct value *v = g->outputs[0].value;
	if (v->producer && v->producer->op == &op_TopK)
		return PASS_UNCHANGED;
	int axis = v->rank < 0 ? -1 : normal_axis(pass_int(ctx, "axis"), v->rank);
	int64_t k = pass_int(ctx, "k");
	if (axis < 0)
		return diag_error(ctx->diags, "write insert-topk(axis=N)", "the output has no axis %lld",
				  (long long)pass_int(ctx, "axis"));
	if (k < 1 || (v->dims[axis] >= 0 && k > v->dims[axis]))
		return diag_error(ctx->diags, "write insert-topk(k=N)", "%lld of %lld elements cannot be chosen",
				  (long long)k, (long long)v->dims[axis]);
	struct value *y = indices(g, v, axis, ctx);
	if (!y)
		return PASS_ERROR;
	graph_set_output(g, 0, y);
	ctx->changes = 1;
	return PASS_CHANGED;
}

static const struct pass_option options[] = {
	{ "k", OPTION_INT, "5", "how many" },
	{ "axis", OPTION_INT, "-1", "along which axis" },
	{ NULL, OPTION_FLAG, NULL, NULL },
};

const struct pass pass_insert_topk = {
	.name = "insert-topk",
	.summary = "the output becomes the indices of its largest elements",
	.help = "Puts a TopK behind the only output: insert-topk(k=1) gives the class. Scales before it then have no\n"
		"effect, so that streamline drops them.",
	.options = options,
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = GRAPH_CLEAN | GRAPH_CONVERTED,
	.run = run,
	.changes_function = true,
};

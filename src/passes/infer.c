/* infer: storage types, shapes, datatypes and layouts of every value, as far as they can be known. */
#include "ops/op.h"
#include "passes/pass.h"

/* Layout of a node's first output from its first input's: movers of axes change it, others keep it where
 * the rank stays. */
static void infer_layout(const struct node *n)
{
	struct value *out = node_output(n, 0);
	const struct value *in = node_input(n, 0);
	if (!out || !in || out->layout || !in->layout || out->rank != in->rank)
		return;
	if (n->op == &op_Transpose) {
		if (in->layout == LAYOUT_NCHW || in->layout == LAYOUT_NHWC) {
			size_t count;
			const int64_t *perm = node_attr_ints(n, "perm", &count);
			if (count == 4 && perm[1] == 2 && perm[2] == 3 && perm[3] == 1)
				out->layout = LAYOUT_NHWC;
			else if (count == 4 && perm[1] == 3 && perm[2] == 1 && perm[3] == 2)
				out->layout = LAYOUT_NCHW;
		}
		return;
	}
	if (n->op && n->op != &op_Reshape)
		out->layout = in->layout;
}

/* Images and signals enter channels first unless the file says otherwise, as qonnx assumes. */
static void guess_input_layouts(struct graph *g)
{
	static const enum layout by_rank[] = { 0, 0, LAYOUT_NC, LAYOUT_NCW, LAYOUT_NCHW };
	for (uint32_t i = 0; i < g->n_inputs; i++) {
		struct value *v = g->inputs[i];
		if (!v->layout && !v->constant && v->rank >= 2 && v->rank <= 4)
			v->layout = (uint8_t)by_rank[v->rank];
	}
}

static enum pass_result run(struct pass_ctx *ctx)
{
	guess_input_layouts(ctx->graph);
	if (graph_infer(ctx->graph, ctx->diags) != 0)
		return PASS_ERROR;
	graph_for_each_node (ctx->graph, n)
		infer_layout(n);
	return PASS_UNCHANGED;
}

const struct pass pass_infer = {
	.name = "infer",
	.summary = "types every value: storage, shape, QONNX datatype, layout",
	.help = "Walks the graph once and lets each operator say what its outputs are. What cannot be known stays\n"
		"unknown; a declared shape that contradicts the inferred one is an error that names the node.",
	.ensures = GRAPH_INFERRED,
	.preserves = ~0u,
	.run = run,
};

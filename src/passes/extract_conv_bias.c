/* extract-conv-bias: the bias of a Conv or ConvTranspose becomes an Add behind it. */
#include <string.h>

#include "ops/op.h"
#include "passes/edit.h"
#include "passes/pass.h"

/* The bias as [1, C, 1, ...]; through a Reshape node where it is no constant (a quantiser's output). */
static struct value *spread(struct graph *g, struct node *before, struct value *bias, int rank, struct diags *d)
{
	int64_t dims[MAX_RANK], rank_dims[] = { rank };
	for (int i = 0; i < rank; i++)
		dims[i] = 1;
	dims[1] = value_is_constant(bias) ? bias->constant->count : -1;
	if (value_is_constant(bias))
		return value_new_constant(g, bias->name, tensor_view(bias->constant, rank, dims));
	struct value *inputs[] = { bias, value_new_constant(g, "shape", tensor_int64(1, rank_dims, dims)) };
	struct node *n = node_new(g, before, "", "Reshape", inputs, 2, 1, "Reshape");
	return node_infer(n, d) == 0 ? n->outputs[0] : NULL;
}

static int extract(struct graph *g, struct node *n, struct diags *d)
{
	struct value *bias = node_input(n, 2), *y = n->outputs[0];
	struct value *placeholder = value_new(g, y->name);
	value_replace_uses(y, placeholder);
	struct node *after = n->next;
	struct value *spread_bias = spread(g, after, bias, y->rank, d);
	if (!spread_bias)
		return -1;
	struct value *terms[] = { y, spread_bias };
	struct node *add = node_new(g, after, "", "Add", terms, 2, 1, "Add");
	node_truncate_inputs(n, 2);
	value_replace_uses(placeholder, add->outputs[0]);
	value_remove(g, placeholder);
	return node_infer(add, d);
}

static enum pass_result run(struct pass_ctx *ctx)
{
	graph_for_each_node (ctx->graph, n) {
		bool conv = n->op == &op_Conv || n->op == &op_ConvTranspose;
		if (!conv || !node_input(n, 2) || n->outputs[0]->rank < 2)
			continue;
		if (extract(ctx->graph, n, ctx->diags) != 0)
			return PASS_ERROR;
		ctx->changes++;
	}
	return pass_result(ctx);
}

const struct pass pass_extract_conv_bias = {
	.name = "extract-conv-bias",
	.summary = "the bias of a convolution becomes an Add behind it",
	.help = "Conv(x, w, b) becomes Add(Conv(x, w), b') with b' of shape [1, C, 1, ...], so that the convolution\n"
		"itself is of integers.",
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = GRAPH_CLEAN,
	.run = run,
};

/* lower-convs: integer convolutions become windows (Im2Col) times a matrix, on channels-last images. */
#include "passes/lower_convs.h"

#include <stdlib.h>

#include "util/vec.h"

static const struct {
	const struct op *op;
	int (*lower)(struct lowering *l, struct node *n);
} lowerings[] = {
	{ &op_Conv, nhwc_conv },
	{ &op_ConvTranspose, nhwc_transposed },
	{ &op_MaxPool, nhwc_max_pool },
	{ &op_MultiThreshold, nhwc_threshold },
	{ &op_Add, nhwc_elementwise },
	{ &op_Sub, nhwc_elementwise },
	{ &op_Mul, nhwc_elementwise },
	{ &op_Concat, nhwc_concat },
	{ &op_Resize, nhwc_resize },
	{ &op_Upsample, nhwc_resize },
	{ &op_ReduceSum, nhwc_reduction },
	{ &op_Reshape, nhwc_flatten },
	{ &op_Flatten, nhwc_flatten },
	{ &op_Squeeze, nhwc_flatten },
	{ &op_Transpose, nhwc_transpose },
	{ &op_Slice, nhwc_part },
	{ &op_Pad, nhwc_part },
	{ &op_Gather, nhwc_part },
	{ &op_Split, nhwc_split },
	{ &op_ReduceMax, nhwc_reduction },
	{ &op_GlobalMaxPool, nhwc_max_pool },
};

static int lower_node(struct lowering *l, struct node *n)
{
	for (size_t i = 0; i < sizeof lowerings / sizeof *lowerings; i++)
		if (lowerings[i].op == n->op)
			return lowerings[i].lower(l, n);
	return 0;
}

/* Removes the lowered nodes, last first; whoever else reads them gets channels-first values back. */
static void finish(struct lowering *l)
{
	for (size_t i = l->lowered.count; i > 0; i--) {
		struct node *n = l->lowered.items[i - 1];
		for (uint32_t k = 0; k < n->n_outputs; k++) {
			struct value *v = node_output(n, k);
			if (v && v->uses && has_twin(l, v))
				value_replace_uses(v, untwin(l, v, n));
		}
		node_remove(n);
	}
}

static enum pass_result run(struct pass_ctx *ctx)
{
	struct lowering l = { .ctx = ctx, .g = ctx->graph, .size = ctx->graph->next_value_id };
	int result = 0;
	l.twin = xcalloc(l.size + 1, sizeof *l.twin);
	graph_for_each_node (ctx->graph, n)
		if (result >= 0)
			result = lower_node(&l, n);
	finish(&l);
	graph_remove_dead(ctx->graph);
	ctx->changes += widen_padded_bipolar(ctx->graph);
	if (l.lowered.count && !graph_opset(ctx->graph, DOMAIN_QONNX))
		graph_set_opset(ctx->graph, DOMAIN_QONNX, 1);
	free(l.twin);
	vec_free(&l.lowered);
	if (result >= 0)
		result = graph_infer(ctx->graph, ctx->diags);
	return result < 0 ? PASS_ERROR : pass_result(ctx);
}

const struct pass pass_lower_convs = {
	.name = "lower-convs",
	.summary = "turns integer convolutions into Im2Col and MatMul, channels last",
	.help = "Conv (and ConvTranspose, behind FMPadding_Pixel) becomes Im2Col (where its kernel is larger than a pixel) and MatMul;\n"
		"a depthwise one keeps that fact in the tensor_sparsity annotation of its weights, other groups become zeros. MaxPool,\n"
		"MultiThreshold, Add, Concat, Split, Slice, Pad, Resize and sums over all pixels follow channels last, and a flattening in front of MatMul\n"
		"reorders the weights, also with a quantiser in between; a Transpose to channels last goes.\n"
		"A Pad of zeros becomes padding of the window behind it. Transposes stand only where the integer part begins and\n"
		"ends. Bipolar images that are padded become TERNARY, which holds the zeros of the padding (FINN would\n"
		"write bits of 0, its -1). qonnx executes the result.",
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = ~0u,
	.run = run,
};

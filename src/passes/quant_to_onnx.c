/* quant-to-onnx: replaces QONNX's operators by standard ONNX operators that compute the same, for runtimes without
 * QONNX support. The operators of each replacement are in expand_quant.c and expand_general.c. */
#include <string.h>

#include "passes/edit.h"
#include "passes/expand.h"
#include "passes/pass.h"
#include "passes/raise_opset.h"

static const struct {
	const struct op *op;
	expand_fn *expand;
} expansions[] = {
	{ &op_Quant, expand_quant },
	{ &op_BipolarQuant, expand_bipolar_quant },
	{ &op_Trunc, expand_trunc },
	{ &op_FloatQuant, expand_float_quant },
	{ &op_MultiThreshold, expand_multi_threshold },
	{ &op_QuantAvgPool2d, expand_quant_avg_pool },
	{ &op_Im2Col, expand_im2col },
	{ &op_MaxPoolNHWC, expand_channels_last },
	{ &op_ConvChannelsLast, expand_channels_last },
	{ &op_MaxPoolChannelsLast, expand_channels_last },
	{ &op_BatchNormalizationChannelsLast, expand_channels_last },
	{ &op_XnorPopcountMatMul, expand_xnor },
	{ &op_DebugMarker, expand_debug_marker },
};

static expand_fn *expansion_of(const struct node *n)
{
	for (size_t i = 0; i < sizeof expansions / sizeof *expansions; i++)
		if (n->op == expansions[i].op)
			return expansions[i].expand;
	return NULL;
}

/* Weights and other quantised constants: computed once and for all. */
static bool is_constant_node(const struct node *n)
{
	for (uint32_t i = 0; i < n->n_inputs; i++)
		if (n->inputs[i].value && !value_is_constant(n->inputs[i].value))
			return false;
	return n->op->exec && n->n_inputs && !value_is_output(n->outputs[0]) && !n->outputs[0]->is_pinned;
}

static int expand_node(struct graph *g, struct node *n, expand_fn *expand, bool all, struct diags *d)
{
	struct expansion s = { g, n, d, node_input(n, 0)->elem == ELEM_DOUBLE ? ELEM_DOUBLE : ELEM_FLOAT };
	if (all || !is_constant_node(n))
		return expand(&s);
	return fold_node(g, n, NULL, d) < 0 ? -1 : 0;
}

static int refuse_rest(const struct graph *g, struct diags *d)
{
	int errors = 0;
	for (const struct node *n = g->first; n; n = n->next)
		if (n->op && *n->op->domain)
			errors += diag_node_error(d, n,
						  strcmp(n->op->domain, DOMAIN_FINN) == 0
							  ? "run it before to-hw: streamline,quant-to-onnx"
							  : NULL,
						  "has no form in plain ONNX");
	return errors ? -1 : 0;
}

static enum pass_result run(struct pass_ctx *ctx)
{
	struct graph *g = ctx->graph;
	size_t found = 0;
	for (const struct node *n = g->first; n; n = n->next)
		found += n->op && *n->op->domain;
	if (!found) {
		drop_unused_opsets(g);
		return PASS_UNCHANGED;
	}
	if (raise_opset(g, ctx->diags) < 0)
		return PASS_ERROR;
	graph_for_each_node (g, n) {
		expand_fn *expand = expansion_of(n);
		if (!expand)
			continue;
		if (expand_node(g, n, expand, pass_flag(ctx, "constants"), ctx->diags) != 0)
			return PASS_ERROR;
		ctx->changes++;
	}
	if (refuse_rest(g, ctx->diags) != 0)
		return PASS_ERROR;
	graph_remove_dead(g);
	drop_unused_opsets(g);
	return graph_infer(g, ctx->diags) == 0 ? pass_result(ctx) : PASS_ERROR;
}

static const struct pass_option options[] = {
	{ "constants", OPTION_FLAG, NULL,
	  "replace the quantisers of constants too, instead of computing the constants" },
	{ NULL, OPTION_FLAG, NULL, NULL },
};

const struct pass pass_quant_to_onnx = {
	.name = "quant-to-onnx",
	.summary = "QONNX operators become standard ONNX operators, for runtimes without QONNX",
	.help = "Quant becomes Div, Add, Clip, Round, Sub, Mul (other rounding modes by Floor, Ceil, Sign and Abs);\n"
		"BipolarQuant GreaterOrEqual and Where; MultiThreshold a comparison with all thresholds and a sum;\n"
		"Trunc, FloatQuant, QuantAvgPool2d, Im2Col and channels-last layers likewise, each with the float\n"
		"operations it is defined by, in their order: the same numbers come out. Quantised constants are\n"
		"computed. An opset older than 13 is raised to 13. No node of QONNX's domains is left.\n"
		"    qcc model.onnx -p cleanup,quant-to-onnx -b finn",
	.options = options,
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.run = run,
};

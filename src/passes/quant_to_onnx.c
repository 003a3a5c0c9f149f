/* quant-to-onnx: QONNX's operators spelled out in ONNX's own, for runtimes that know no QONNX. */
#include <string.h>

#include "passes/edit.h"
#include "passes/pass.h"
#include "passes/raise_opset.h"
#include "passes/spell.h"

static const struct {
	const struct op *op;
	spell_fn *spell;
} spelled[] = {
	{ &op_Quant, spell_quant },
	{ &op_BipolarQuant, spell_bipolar_quant },
	{ &op_Trunc, spell_trunc },
	{ &op_FloatQuant, spell_float_quant },
	{ &op_MultiThreshold, spell_multi_threshold },
	{ &op_QuantAvgPool2d, spell_quant_avg_pool },
	{ &op_Im2Col, spell_im2col },
	{ &op_MaxPoolNHWC, spell_channels_last },
	{ &op_ConvChannelsLast, spell_channels_last },
	{ &op_MaxPoolChannelsLast, spell_channels_last },
	{ &op_BatchNormalizationChannelsLast, spell_channels_last },
	{ &op_XnorPopcountMatMul, spell_xnor },
	{ &op_DebugMarker, spell_debug_marker },
};

static spell_fn *spell_of(const struct node *n)
{
	for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++)
		if (n->op == spelled[i].op)
			return spelled[i].spell;
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

static int spell_node(struct graph *g, struct node *n, spell_fn *spell, bool all, struct diags *d)
{
	struct spelling s = { g, n, d, node_input(n, 0)->elem == ELEM_DOUBLE ? ELEM_DOUBLE : ELEM_FLOAT };
	if (all || !is_constant_node(n))
		return spell(&s);
	return fold_node(g, n, NULL, d) < 0 ? -1 : 0;
}

static int refuse_rest(const struct graph *g, struct diags *d)
{
	int errors = 0;
	for (const struct node *n = g->first; n; n = n->next)
		if (n->op && *n->op->domain)
			errors += diag_node_error(d, n,
						  strcmp(n->op->domain, DOMAIN_FINN) == 0
							  ? "spell out before to-hw: streamline,quant-to-onnx"
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
		spell_fn *spell = spell_of(n);
		if (!spell)
			continue;
		if (spell_node(g, n, spell, pass_flag(ctx, "constants"), ctx->diags) != 0)
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
	{ "constants", OPTION_FLAG, NULL, "spell quantised constants out as well, rather than computing them" },
	{ NULL, OPTION_FLAG, NULL, NULL },
};

const struct pass pass_quant_to_onnx = {
	.name = "quant-to-onnx",
	.summary = "quantisers spelled out in plain ONNX, for runtimes that know no QONNX",
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

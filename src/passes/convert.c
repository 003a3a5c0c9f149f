/* convert: from QONNX's quantisers to integer weights and thresholds, as ConvertQONNXtoFINN does it. */
#include "ops/op.h"
#include "passes/pass.h"

static enum pass_result run(struct pass_ctx *ctx)
{
	static const char *const steps[] = { "fix-batch",	    "qop-to-quant",	 "qcdq-to-quant",
					     "extract-conv-bias",   "gemm-to-matmul",	 "fold-transpose",
					     "fold-constants",	    "fold-weight-quant", "fold-constants",
					     "quant-to-thresholds", "remove-identity",	 "remove-dead" };
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (pass_run_nested(ctx, steps[i], NULL) == PASS_ERROR)
			return PASS_ERROR;
	ctx->graph->names_due = true;
	if (!graph_opset(ctx->graph, DOMAIN_QONNX))
		graph_set_opset(ctx->graph, DOMAIN_QONNX, 1);
	return pass_result(ctx);
}

const struct pass pass_convert = {
	.name = "convert",
	.summary = "quantisers become integer weights and MultiThreshold nodes",
	.help = "What FINN calls ConvertQONNXtoFINN: biases of convolutions apart, Gemm as MatMul, quantised weights as\n"
		"integers with their scale behind the product, quantised activations as MultiThreshold. QuantizeLinear\n"
		"and DequantizeLinear pairs and operators such as QLinearConv are read as quantisers too. The graph computes\n"
		"the same numbers as before.",
	.requires = GRAPH_INFERRED | GRAPH_CLEAN,
	.ensures = GRAPH_INFERRED | GRAPH_CLEAN | GRAPH_CONVERTED,
	.preserves = GRAPH_CLEAN,
	.run = run,
	.renames_all = true,
};

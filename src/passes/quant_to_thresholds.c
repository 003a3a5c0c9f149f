/* quant-to-thresholds: quantisers of activations become MultiThreshold nodes. */
#include "passes/edit.h"
#include "passes/pass.h"
#include "passes/thresholds.h"

static enum pass_result run(struct pass_ctx *ctx)
{
	struct certificates certificates = { 0 };
	bool failed = false;
	const struct absorb_options options = {
		.activations_only = true,
		.bias_apart = true,
		.certificates = ctx->driver->certify ? &certificates : NULL,
		.most_levels = MOST_TABLE_LEVELS,
	};
	graph_for_each_node (ctx->graph, n) {
		const char *reason = "";
		if (n->op == &op_MultiThreshold && sort_thresholds(n))
			ctx->changes++;
		if (!n->op || (n->op != &op_Quant && n->op != &op_BipolarQuant) || value_is_constant(node_input(n, 0)))
			continue;
		int done = absorb_into_thresholds(ctx->graph, n, &options, &reason, ctx->diags);
		if (done < 0)
			failed = true;
		else
			ctx->changes += (size_t)done;
		graph_reclaim(ctx->graph);
	}
	certificates_report(&certificates, ctx);
	return failed ? PASS_ERROR : pass_result(ctx);
}

const struct pass pass_quant_to_thresholds = {
	.name = "quant-to-thresholds",
	.summary = "quantisers of activations become MultiThreshold nodes",
	.help = "Each Quant or BipolarQuant of an activation becomes MultiThreshold, with an Add and a Mul that give its\n"
		"integers their offset and scale. A Relu or another monotone activation right before it goes in too. The\n"
		"thresholds are the exact float32 numbers at which the quantiser steps, whatever its rounding mode.\n"
		"Thresholds that are there already are put into ascending order. Quantisers of more than 4096 levels stay (see\n"
		"streamline).",
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = GRAPH_CLEAN,
	.run = run,
};

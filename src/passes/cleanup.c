/* cleanup: what qonnx-cleanup does, and the small passes that it consists of. */
#include "passes/pass.h"

static enum pass_result run_remove_dead(struct pass_ctx *ctx)
{
	ctx->changes += graph_remove_dead(ctx->graph);
	return pass_result(ctx);
}

const struct pass pass_remove_dead = {
	.name = "remove-dead",
	.summary = "removes nodes and constants whose results nobody uses",
	.help = "Walks the graph backwards once. Inputs of the graph stay, used or not: they are its interface.",
	.preserves = ~0u,
	.run = run_remove_dead,
};

static enum pass_result run_cleanup(struct pass_ctx *ctx)
{
	static const char *const steps[] = { "inline-functions", "remove-static-inputs", "infer",
					     "fold-constants",	 "remove-identity",	 "remove-dead" };
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (pass_run_nested(ctx, steps[i], NULL) == PASS_ERROR)
			return PASS_ERROR;
	ctx->graph->names_due = true;
	return pass_result(ctx);
}

const struct pass pass_cleanup = {
	.name = "cleanup",
	.summary = "infers types, folds constants, removes identities and dead nodes, names everything",
	.help = "The passes inline-functions, remove-static-inputs, infer, fold-constants, remove-identity and remove-dead, once\n"
		"each. Names (unique-names) are given before the next pass that keeps them, or at the end.",
	.ensures = GRAPH_INFERRED | GRAPH_CLEAN,
	.preserves = ~0u,
	.run = run_cleanup,
	.renames_all = true,
};

/* remove-static-inputs: before IR version 4 every constant had to be listed as an input of the graph. */
#include "passes/pass.h"

/* Version 4 is the first that lets constants be constants only. */
enum { IR_VERSION = 4 };

static enum pass_result run(struct pass_ctx *ctx)
{
	struct graph *g = ctx->graph;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < g->n_inputs; i++) {
		struct value *v = g->inputs[i];
		if (v->constant && !v->is_pinned)
			v->is_input = false;
		else
			g->inputs[kept++] = v;
	}
	ctx->changes = g->n_inputs - kept;
	g->n_inputs = kept;
	if (ctx->changes && g->ir_version < IR_VERSION)
		g->ir_version = IR_VERSION;
	return pass_result(ctx);
}

const struct pass pass_remove_static_inputs = {
	.name = "remove-static-inputs",
	.summary = "constants are no longer listed as inputs of the graph",
	.help = "Old exporters list every weight as an input with a default. What is left are the inputs to be fed.",
	.preserves = ~0u,
	.run = run,
};

/* fix-batch: a batch size that the exporter left open becomes a number, and what is computed from shapes follows. */
#include "passes/fix_batch.h"

#include "passes/pass.h"

/* Inputs whose leading dimension alone is not known: others leave open more than how many samples there are. */
static bool leaves_batch_open(const struct value *v)
{
	if (v->constant || v->rank < 1 || v->dims[0] >= 0)
		return false;
	for (int i = 1; i < v->rank; i++)
		if (v->dims[i] < 0)
			return false;
	return true;
}

static void set_batch(struct graph *g, struct value *v, int64_t size)
{
	int64_t dims[MAX_RANK];
	for (int i = 0; i < v->rank; i++)
		dims[i] = i ? v->dims[i] : size;
	value_set_type(g, v, (enum elem_type)v->elem, v->rank, dims);
}

bool batch_is_open(const struct graph *g)
{
	for (uint32_t i = 0; i < g->n_inputs; i++)
		if (leaves_batch_open(g->inputs[i]))
			return true;
	return false;
}

size_t fix_batch(struct graph *g, int64_t size)
{
	size_t fixed = 0;
	for (uint32_t i = 0; i < g->n_inputs; i++) {
		if (!leaves_batch_open(g->inputs[i]))
			continue;
		set_batch(g, g->inputs[i], size);
		fixed++;
	}
	return fixed;
}

static enum pass_result run(struct pass_ctx *ctx)
{
	int64_t size = pass_int(ctx, "size");
	if (size < 1)
		return diag_error(ctx->diags, "write fix-batch(size=1)", "a batch has one sample or more, not %lld",
				  (long long)size);
	size_t fixed = fix_batch(ctx->graph, size);
	if (!fixed)
		return PASS_UNCHANGED;
	ctx->changes += fixed;
	pass_note(ctx, "batch size left open: now %lld", (long long)size);
	bool failed =
		pass_run_nested(ctx, "infer", NULL) == PASS_ERROR ||
		pass_run_nested(ctx, "fold-constants", NULL) == PASS_ERROR; /* Shape, Gather, Concat for a Reshape */
	return failed ? PASS_ERROR : PASS_CHANGED;
}

static const struct pass_option options[] = {
	{ "size", OPTION_INT, "1", "samples in a batch" },
	{ NULL, OPTION_FLAG, NULL, NULL },
};

const struct pass pass_fix_batch = {
	.name = "fix-batch",
	.summary = "a batch size that is left open becomes a number",
	.help = "Where an input's first dimension alone is symbolic or unknown it becomes 1, or as many as fix-batch(size=N)\n"
		"says; shapes that are computed from it become constants. convert begins with it: qonnx and FINN execute no\n"
		"batch that is open. `qcc run` and generated C take any number of samples all the same.",
	.options = options,
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = ~0u,
	.run = run,
};

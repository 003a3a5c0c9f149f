/* set-shapes: dimensions of inputs that the exporter left open become numbers, and what is computed from shapes follows. */
#include <errno.h>
#include <stdlib.h>

#include "passes/surgery.h"

/* "1x3x224x224". The rank, or -1. */
static int read_dims(const char *text, int64_t dims[MAX_RANK])
{
	int rank = 0;
	for (const char *at = text; rank < MAX_RANK; at++) {
		char *end;
		errno = 0;
		long long n = *at >= '0' && *at <= '9' ? strtoll(at, &end, 10) : 0;
		if (n < 1 || n > INT32_MAX || errno)
			return -1;
		dims[rank++] = n;
		at = end;
		if (!*at)
			return rank;
		if (*at != 'x')
			return -1;
	}
	return -1;
}

/* Number of dimensions that were open, or -1 with a diagnostic. */
static int set_shape(struct pass_ctx *ctx, struct value *v, const char *text)
{
	int64_t dims[MAX_RANK];
	int rank = read_dims(text, dims), open = 0;
	if (rank < 0)
		return diag_error(ctx->diags, "write numbers from 1 on with x between them, as in 1x3x224x224",
				  "'%s' is no shape", text);
	if (v->rank >= 0 && v->rank != rank)
		return diag_error(ctx->diags, "give a number for each axis", "'%s' has %d axes, but '%s' has %d",
				  v->name, v->rank, text, rank);
	for (int i = 0; i < rank; i++) {
		int64_t declared = v->rank >= 0 ? v->dims[i] : -1;
		if (declared >= 0 && declared != dims[i])
			return diag_error(ctx->diags, "set-shapes gives numbers to open dimensions only",
					  "axis %d of '%s' is %lld, not %lld", i, v->name, (long long)declared,
					  (long long)dims[i]);
		open += declared < 0;
	}
	value_set_type(ctx->graph, v, (enum elem_type)v->elem, rank, dims);
	return open;
}

static enum pass_result run(struct pass_ctx *ctx)
{
	int fixed = 0;
	if (!ctx->n_args)
		return diag_error(ctx->diags, "write set-shapes(NAME=1x3x224x224)",
				  "set-shapes takes at least one NAME=SHAPE");
	for (size_t i = 0; i < ctx->n_args; i++) {
		struct value *v = surgery_input(ctx->graph, ctx->args[i].name);
		if (!v)
			return diag_error(ctx->diags, "qcc info MODEL lists inputs and outputs",
					  "no input is named '%s'", ctx->args[i].name);
		int open = set_shape(ctx, v, ctx->args[i].text);
		if (open < 0)
			return PASS_ERROR;
		fixed += open;
	}
	if (!fixed)
		return PASS_UNCHANGED;
	ctx->changes += (size_t)fixed;
	bool failed = pass_run_nested(ctx, "infer", NULL) == PASS_ERROR ||
		      pass_run_nested(ctx, "fold-constants", NULL) == PASS_ERROR; /* what is computed from shapes */
	return failed ? PASS_ERROR : PASS_CHANGED;
}

static const struct pass_option options[] = {
	{ "*", OPTION_NAMES, NULL, "NAME=SHAPE: an input and its shape, 1x3x224x224; 'input' is the only input" },
	{ NULL, OPTION_FLAG, NULL, NULL },
};

const struct pass pass_set_shapes = {
	.name = "set-shapes",
	.summary = "gives numbers to dimensions of inputs that are left open",
	.help = "set-shapes(x=1x3x224x224) says how large the input is where the exporter left heights, widths, lengths or the\n"
		"batch open; shapes that are computed from them become constants. A dimension that has a number keeps it.\n"
		"fix-batch does the same for a batch alone.",
	.options = options,
	.ensures = GRAPH_INFERRED,
	.preserves = ~0u,
	.run = run,
};

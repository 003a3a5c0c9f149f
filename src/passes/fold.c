/* fold and apply-folding: how much parallelism each hardware layer gets. The search itself is in hw/search.c. */
#include <stdlib.h>
#include <string.h>

#include "hw/folding.h"
#include "passes/pass.h"
#include "util/strbuf.h"

static const char *const resource_names[] = { "LUT", "BRAM_18K", "DSP", "URAM" };
static const char *const limit_options[] = { "max_lut", "max_bram", "max_dsp", "max_uram" };

#define DEFAULT_PART "xc7z020"

/* ---- limits ---- */

/* Limits from options; a part's where only it is given; -1: none. */
static int read_rules(struct pass_ctx *ctx, struct folding_rules *r, bool *limited)
{
	const char *part = pass_string(ctx, "part");
	bool target = pass_string(ctx, "target_fps") || pass_string(ctx, "target_cycles"), budget = false;
	for (int i = 0; i < FOLD_RESOURCES; i++) {
		r->limit[i] = pass_string(ctx, limit_options[i]) ? pass_int(ctx, limit_options[i]) : -1;
		budget = budget || r->limit[i] >= 0;
	}
	r->max_stream_bits = pass_string(ctx, "max_stream_bits") ? pass_int(ctx, "max_stream_bits") : 0;
	if (!part && !target && !budget) {
		part = DEFAULT_PART;
		diag_note(ctx->diags, DIAG_NOTE, NULL, "give target_fps, target_cycles, limits or part",
			  "no target and no limit given: folding for the highest rate in %lld %% of a " DEFAULT_PART,
			  (long long)pass_int(ctx, "fill"));
	}
	int64_t has[FOLD_RESOURCES];
	if (part && !part_resources(part, has))
		return diag_error(ctx->diags, "or give max_lut, max_bram, max_dsp, max_uram", "part '%s' is unknown; known are %s", part,
				  part_names());
	for (int i = 0; part && i < FOLD_RESOURCES; i++)
		if (r->limit[i] < 0)
			r->limit[i] = i == FOLD_DSP ? 0 : has[i] * pass_int(ctx, "fill") / 100;
	*limited = budget || part;
	return 0;
}

/* The bound on cycles a frame; INT64_MAX where none is given, -1 with a diagnostic. */
static int64_t read_target(struct pass_ctx *ctx, double clock_mhz)
{
	int64_t cycles = INT64_MAX;
	if (pass_string(ctx, "target_cycles"))
		cycles = pass_int(ctx, "target_cycles");
	if (pass_string(ctx, "target_fps")) {
		double fps = pass_real(ctx, "target_fps");
		double most = fps > 0 ? clock_mhz * 1e6 / fps * (1 + 1e-12) : 0;
		if (most < 1)
			return diag_error(ctx->diags, "lower target_fps or raise clock_mhz",
					  "target_fps=%g is more than one frame a cycle at %g MHz", fps, clock_mhz);
		cycles = most < (double)cycles ? (int64_t)most : cycles;
	}
	if (cycles < 1)
		return diag_error(ctx->diags, NULL, "target_cycles must be at least 1");
	return cycles;
}

/* ---- what to say where there is no solution ---- */

static int64_t fewest_cycles(const struct fold_unit *u)
{
	int64_t least = INT64_MAX;
	for (size_t i = 0; i < u->count; i++)
		least = u->options[i].cycles < least ? u->options[i].cycles : least;
	return least;
}

/* A layer that cannot keep to the bound whatever it costs. */
static bool explain_layer(struct pass_ctx *ctx, const struct folding *f, const struct folding_rules *r, int64_t cycles,
			  const char *remedy)
{
	bool found = false;
	for (size_t u = 0; u < f->count; u++) {
		int64_t least = fewest_cycles(&f->options[u]);
		if (least <= cycles)
			continue;
		found = true;
		struct strbuf limit = { 0 };
		if (r->max_stream_bits)
			strbuf_printf(&limit, " with streams of at most max_stream_bits=%lld", (long long)r->max_stream_bits);
		diag_node_error(ctx->diags, f->units[u].nodes[0], remedy,
				"takes at least %lld cycles a frame%s (%.6g frames per second at %g MHz); the target allows %lld",
				(long long)least, strbuf_text(&limit), folding_fps(f, least), f->clock_mhz, (long long)cycles);
		strbuf_free(&limit);
	}
	return found;
}

/* The layer that takes most of a resource even at its least. */
static const struct node *hungriest(const struct folding *f, int64_t cycles, enum fold_cost resource, int64_t *takes)
{
	const struct node *n = NULL;
	*takes = -1;
	for (size_t u = 0; u < f->count; u++) {
		int64_t least = fold_least(&f->options[u], cycles, resource);
		if (least > *takes) {
			*takes = least;
			n = f->units[u].nodes[0];
		}
	}
	return n;
}

static void explain_resources(struct pass_ctx *ctx, const struct folding *f, const struct folding_rules *r,
			      int64_t cycles, const char *remedy)
{
	bool found = false;
	for (int i = 0; i < FOLD_RESOURCES; i++) {
		int64_t sum = 0, takes;
		for (size_t u = 0; u < f->count; u++)
			sum += fold_least(&f->options[u], cycles, (enum fold_cost)i);
		if (r->limit[i] < 0 || sum <= r->limit[i])
			continue;
		const struct node *n = hungriest(f, cycles, (enum fold_cost)i, &takes);
		diag_node_error(ctx->diags, n, remedy,
				"%s=%lld is too little: the network takes at least %lld %s%s, this layer alone %lld",
				limit_options[i], (long long)r->limit[i], (long long)sum, resource_names[i],
				cycles == INT64_MAX ? " however slow" : " at the target", (long long)takes);
		found = true;
	}
	if (!found) {
		int64_t takes;
		diag_node_error(ctx->diags, hungriest(f, cycles, FOLD_LUT, &takes), remedy,
				"the limits can be met one by one at the target, but not together; this layer takes most");
	}
}

/* Says which layer and which limit bind, and what would be possible. */
static int explain(struct pass_ctx *ctx, const struct folding *f, const struct folding_rules *r,
		   const struct fold_problem *p, int64_t cycles, size_t *chosen)
{
	struct strbuf remedy = { 0 };
	int64_t best = fold_fastest(p, chosen);
	strbuf_puts(&remedy, r->max_stream_bits ? "raise max_stream_bits or another limit" : "raise the limit");
	if (best > 0)
		strbuf_printf(&remedy, ", or lower the target: %lld cycles a frame (%.6g frames per second) are possible",
			      (long long)best, folding_fps(f, best));
	if (!explain_layer(ctx, f, r, cycles, strbuf_text(&remedy)))
		explain_resources(ctx, f, r, cycles, strbuf_text(&remedy));
	strbuf_free(&remedy);
	folding_offers(f, NULL, cycles, ctx->report, ctx->diags);
	return -1;
}

/* ---- the pass ---- */

/* With option pad: pads the first layer where that gains. */
static bool pad_first(struct pass_ctx *ctx, const struct folding *f, const size_t *chosen, int64_t cycles)
{
	int64_t to;
	struct node *n = pass_flag(ctx, "pad") ? folding_offer_first(f, chosen, cycles, &to) : NULL;
	if (!n || !folding_pad(n, to))
		return false;
	json_object_set_new(ctx->report, "padded", json_pack("{s:s, s:I}", "layer", node_label(n), "MW", (json_int_t)to));
	ctx->changes++;
	return true;
}

/* *padded: set where the first layer was padded instead of folded, so that the search has to start again. */
static int search(struct pass_ctx *ctx, struct folding *f, const struct folding_rules *r, bool limited, int64_t target,
		  bool *padded)
{
	struct fold_problem p = folding_problem(f, r);
	size_t *chosen = xcalloc(f->count + 1, sizeof *chosen);
	int result = 0;
	int64_t cycles = target;
	if (cycles == INT64_MAX && limited)
		cycles = fold_fastest(&p, chosen);
	if (cycles < 0) {
		explain_resources(ctx, f, r, INT64_MAX, "raise the limit");
		result = -1;
	} else if (!fold_cheapest(&p, cycles, chosen)) {
		result = explain(ctx, f, r, &p, cycles, chosen);
	} else if (pad_first(ctx, f, chosen, cycles)) {
		*padded = true;
	} else {
		folding_write(f, chosen);
		folding_offers(f, chosen, cycles, ctx->report, ctx->diags);
		ctx->changes += f->count;
	}
	free(chosen);
	return result;
}

static enum pass_result run_fold(struct pass_ctx *ctx)
{
	struct folding f = { .clock_mhz = pass_real(ctx, "clock_mhz") };
	struct folding_rules rules;
	bool limited = false;
	if (f.clock_mhz <= 0) {
		diag_error(ctx->diags, NULL, "clock_mhz must be positive");
		return PASS_ERROR;
	}
	int64_t target = read_target(ctx, f.clock_mhz);
	if (target < 0 || read_rules(ctx, &rules, &limited) != 0)
		return PASS_ERROR;
	const char *pareto = pass_string(ctx, "pareto");
	bool padded;
	int result;
	do {
		padded = false;
		result = folding_read(&f, ctx->graph, &rules, ctx->diags);
		if (result == 0)
			result = search(ctx, &f, &rules, limited, target, &padded);
		if (padded)
			folding_free(&f);
		f.clock_mhz = pass_real(ctx, "clock_mhz");
	} while (padded);
	if (result == 0 && pareto)
		result = folding_pareto(&f, &rules, pareto, ctx->diags);
	folding_free(&f);
	if (result == 0)
		result = folding_report(ctx->graph, pass_real(ctx, "clock_mhz"), ctx->report, ctx->diags);
	return result == 0 ? PASS_CHANGED : PASS_ERROR;
}

static const struct pass_option fold_options[] = {
	{ "target_fps", OPTION_REAL, NULL, "frames per second to reach" },
	{ "target_cycles", OPTION_INT, NULL, "cycles a frame to keep to" },
	{ "clock_mhz", OPTION_REAL, "100", "clock of the design" },
	{ "max_lut", OPTION_INT, NULL, "most LUTs" },
	{ "max_bram", OPTION_INT, NULL, "most RAMB18s; weights may then lie in LUTs instead" },
	{ "max_dsp", OPTION_INT, NULL, "most DSP slices; 0 or absent: multipliers are made of LUTs" },
	{ "max_uram", OPTION_INT, NULL, "most UltraRAMs; 0 or absent: none" },
	{ "max_stream_bits", OPTION_INT, NULL, "widest stream between layers or of weights" },
	{ "part", OPTION_STRING, NULL, "FPGA or board whose LUTs, RAMs and URAMs are the limits" },
	{ "fill", OPTION_INT, "70", "percent of the part that may be used" },
	{ "pad", OPTION_FLAG, NULL, "pad the first layer's inputs with zero weights where better divisors save LUTs" },
	{ "pareto", OPTION_STRING, NULL, "file.csv for the Pareto front of rate and LUTs; its plot goes to file.svg" },
	{ 0 }
};

const struct pass pass_fold = {
	.name = "fold",
	.summary = "finds PE and SIMD of every layer: the cheapest that meets a rate, or the fastest that fits",
	.help = "An exact search over all divisors and memory primitives. With target_fps or target_cycles: the folding that takes the\n"
		"fewest LUTs (then RAMB18s, DSPs, URAMs, latency) in which no layer takes more cycles, within the limits given. With\n"
		"limits alone: the fastest within them, and among those the cheapest. With nothing given: the fastest in 70 % of a\n"
		DEFAULT_PART ". Where a limit binds, the error names limit and layer; PE = SIMD = 1 is never a silent answer. Numbers come\n"
		"from FINN's published formulas (hw/cost.c). Example: fold(target_fps=1000000, clock_mhz=200, pareto=front.csv)",
	.options = fold_options,
	.requires = GRAPH_HARDWARE,
	.ensures = GRAPH_FOLDED,
	.preserves = ~0u,
	.run = run_fold,
};

static enum pass_result run_apply(struct pass_ctx *ctx)
{
	const char *file = pass_string(ctx, "file");
	if (!file) {
		diag_error(ctx->diags, "apply-folding(file=folding_config.json)", "no file given");
		return PASS_ERROR;
	}
	if (folding_config_apply(ctx->graph, file, &ctx->changes, ctx->diags) != 0)
		return PASS_ERROR;
	if (folding_report(ctx->graph, pass_real(ctx, "clock_mhz"), ctx->report, ctx->diags) != 0)
		return PASS_ERROR;
	return pass_result(ctx);
}

static const struct pass_option apply_options[] = {
	{ "file", OPTION_STRING, NULL, "folding_config.json, as FINN's builder writes it" },
	{ "clock_mhz", OPTION_REAL, "100", "clock of the design, for the report" },
	{ 0 }
};

const struct pass pass_apply_folding = {
	.name = "apply-folding",
	.summary = "takes the folding from a folding_config.json in FINN's format",
	.help = "Sets the attributes that the file gives for each layer, by name, and those under \"Defaults\". A name that no layer has,\n"
		"and a PE or SIMD that does not divide its layer, are errors.",
	.options = apply_options,
	.requires = GRAPH_HARDWARE,
	.ensures = GRAPH_FOLDED,
	.preserves = ~0u,
	.run = run_apply,
};

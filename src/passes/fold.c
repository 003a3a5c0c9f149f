/* fold and apply-folding: how much parallelism each hardware layer gets. The search itself is in hw/search.c. */
#include <stdlib.h>
#include <string.h>

#include "hw/design.h"
#include "hw/folding.h"
#include "hw/parts.h"
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
		return part_unknown(part, "or give max_lut, max_bram, max_dsp, max_uram", ctx->diags);
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
		double most = clock_mhz * 1e6 / fps * (1 + 1e-12);
		if (!(fps > 0))
			return diag_error(ctx->diags, "give frames per second, such as target_fps=1000",
					  "target_fps=%g is no rate: it must be positive", fps);
		if (most < 1)
			return diag_error(ctx->diags, "lower target_fps or raise clock_mhz",
					  "target_fps=%g is more than one frame per cycle at %g MHz", fps, clock_mhz);
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
			strbuf_printf(&limit, " with streams of at most max_stream_bits=%lld",
				      (long long)r->max_stream_bits);
		diag_node_error(
			ctx->diags, f->units[u].nodes[0], remedy,
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
		diag_node_error(
			ctx->diags, hungriest(f, cycles, FOLD_LUT, &takes), remedy,
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
		strbuf_printf(&remedy,
			      ", or lower the target: %lld cycles a frame (%.6g frames per second) are possible",
			      (long long)best, folding_fps(f, best));
	if (!explain_layer(ctx, f, r, cycles, strbuf_text(&remedy)))
		explain_resources(ctx, f, r, cycles, strbuf_text(&remedy));
	strbuf_free(&remedy);
	return -1;
}

/* ---- padding ---- */

/* One search: what it is for, and what it found. */
struct search {
	struct pass_ctx *ctx;
	struct folding f;
	struct folding_rules rules;
	bool limited;	/* resources are */
	int64_t target; /* INT64_MAX: the fastest */
	int64_t cycles; /* the bound that the choice keeps to; -1: there is no choice */
	size_t *chosen;
};

/* Whether better divisors are asked for: where prune-dead removed something, and with option pad. */
static bool may_pad(const struct pass_ctx *ctx)
{
	return pass_flag(ctx, "pad") || (!pass_keeps_shape(ctx) && ctx->graph->properties & GRAPH_SHRUNK);
}

static json_t *padding_json(const struct fold_padding *p, const char *layer)
{
	json_t *entry =
		json_pack("{s:s, s:s, s:I, s:I, s:I}", "layer", layer, "dimension", p->columns ? "MW" : "MH", "from",
			  (json_int_t)p->from, "to", (json_int_t)p->to, "LUT_after", (json_int_t)p->after);
	json_object_set_new(entry, "LUT_before", p->before < 0 ? json_null() : json_integer(p->before));
	return entry;
}

/* One line: what padding gains, or what it gained. */
static void say_padding(struct pass_ctx *ctx, const struct fold_padding *p, const struct node *n, bool done,
			bool failing)
{
	struct strbuf text = { 0 };
	strbuf_printf(&text, "%s %s of %s from %lld to %lld: ", done ? "padded" : "pad", p->columns ? "MW" : "MH",
		      node_label(n), (long long)p->from, (long long)p->to);
	if (p->before < 0)
		strbuf_printf(&text, "the bound can be met, at %lld LUT", (long long)p->after);
	else
		strbuf_printf(&text, "%lld LUT instead of %lld", (long long)p->after, (long long)p->before);
	if (failing)
		diag_note(ctx->diags, DIAG_WARNING, n, "fold(pad)", "%s", strbuf_text(&text));
	else
		pass_note(ctx, "%s%s", strbuf_text(&text),
			  done		 ? pass_flag(ctx, "pad") ? "" : "; --keep-shape turns that off"
			  : may_pad(ctx) ? "; not done, since all together it does not gain"
					 : "; fold(pad) does that");
	strbuf_free(&text);
}

static void say_paddings(struct search *s, const struct fold_paddings *list, bool done)
{
	json_t *entries = json_array();
	for (size_t i = 0; i < list->count; i++) {
		const struct node *n = s->f.units[list->items[i].unit].nodes[0];
		json_array_append_new(entries, padding_json(&list->items[i], node_label(n)));
		say_padding(s->ctx, &list->items[i], n, done, s->cycles < 0);
	}
	if (list->count)
		json_object_set(s->ctx->report, done ? "padded" : "padding_suggested", entries);
	json_decref(entries);
}

/* ---- the search ---- */

static void solve(struct search *s)
{
	struct fold_problem p = folding_problem(&s->f, &s->rules);
	s->cycles = s->target;
	if (s->target == INT64_MAX && s->limited)
		s->cycles = fold_fastest(&p, s->chosen);
	if (s->cycles >= 0 && !fold_cheapest(&p, s->cycles, s->chosen))
		s->cycles = -1;
}

/* Whether the padded choice is faster where speed was asked for, else cheaper. */
static bool gains(const struct search *s, int64_t cycles_before, int64_t lut_before)
{
	if (s->cycles < 0 || cycles_before < 0)
		return s->cycles >= 0;
	return s->cycles < cycles_before ||
	       (s->cycles == cycles_before && folding_cost(&s->f, s->chosen).lut < lut_before);
}

/* Tries the padding on the folding, and keeps it, in the graph too, where the whole gains. */
static bool pad(struct search *s, const struct fold_paddings *list)
{
	int64_t cycles = s->cycles, lut = cycles < 0 ? 0 : folding_cost(&s->f, s->chosen).lut;
	bool listed = folding_resize(&s->f, list, false, &s->rules) == 0;
	if (listed)
		solve(s);
	if (listed && gains(s, cycles, lut)) {
		folding_pad(&s->f, list);
		s->ctx->changes += list->count;
		return true;
	}
	folding_resize(&s->f, list, true, &s->rules);
	solve(s);
	return false;
}

static void consider_padding(struct search *s)
{
	struct fold_paddings list = { 0 };
	int64_t bound = s->cycles < 0 ? s->target : s->cycles;
	if (bound < INT64_MAX)
		folding_paddings(&s->f, &s->rules, s->cycles < 0 ? NULL : s->chosen, bound, &list);
	bool done = list.count && may_pad(s->ctx) && pad(s, &list);
	say_paddings(s, &list, done);
	vec_free(&list);
}

/* Says which layer and which limit bind. */
static int explain_failure(struct search *s)
{
	struct fold_problem p = folding_problem(&s->f, &s->rules);
	if (s->target == INT64_MAX)
		explain_resources(s->ctx, &s->f, &s->rules, INT64_MAX, "raise the limit");
	else
		explain(s->ctx, &s->f, &s->rules, &p, s->target, s->chosen);
	return -1;
}

static int search(struct search *s)
{
	s->chosen = xcalloc(s->f.count + 1, sizeof *s->chosen);
	solve(s);
	consider_padding(s);
	if (s->cycles < 0)
		return explain_failure(s);
	folding_write(&s->f, s->chosen);
	s->ctx->changes += s->f.count;
	return 0;
}

/* ---- the pass ---- */

static int fold(struct search *s)
{
	struct pass_ctx *ctx = s->ctx;
	const char *pareto = pass_string(ctx, "pareto");
	if (s->f.clock_mhz <= 0)
		return diag_error(ctx->diags, NULL, "clock_mhz must be positive");
	s->target = read_target(ctx, s->f.clock_mhz);
	if (s->target < 0 || read_rules(ctx, &s->rules, &s->limited) != 0 ||
	    folding_read(&s->f, ctx->graph, &s->rules, ctx->diags) != 0 || search(s) != 0)
		return -1;
	if (pareto && folding_pareto(&s->f, &s->rules, pareto, ctx->diags) != 0)
		return -1;
	design_set_target(ctx->graph, pass_string(ctx, "part"), s->f.clock_mhz);
	return folding_report(ctx->graph, ctx->report, ctx->diags);
}

static enum pass_result run_fold(struct pass_ctx *ctx)
{
	struct search s = { .ctx = ctx, .f.clock_mhz = pass_real(ctx, "clock_mhz") };
	int result = fold(&s);
	folding_free(&s.f);
	free(s.chosen);
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
	{ "keep_shape", OPTION_FLAG, NULL, "neither remove dead hardware first (prune-dead) nor pad unless told to" },
	{ "pad", OPTION_FLAG, NULL, "pad matrices to better divisors where that saves, also where nothing was dead" },
	{ "pareto", OPTION_STRING, NULL, "file.csv for the Pareto front of rate and LUTs; its plot goes to file.svg" },
	{ 0 }
};

const struct pass pass_fold = {
	.name = "fold",
	.summary = "finds PE and SIMD of every layer: the cheapest that meets a rate, or the fastest that fits",
	.help = "An exact search over all divisors and memory primitives. With target_fps or target_cycles: the folding that takes the\n"
		"fewest LUTs (then RAMB18s, DSPs, URAMs, latency) in which no layer takes more cycles, within the limits given. With\n"
		"limits alone: the fastest within them, and among those the cheapest. With nothing given: the fastest in 70 % of a\n" DEFAULT_PART
		". Where a limit binds, the error names limit and layer; PE = SIMD = 1 is never a silent answer.\n"
		"Before to-hw, dead hardware is removed (prune-dead). Where some was, numbers of inputs and outputs are then padded by up to\n"
		"a tenth where better divisors make the layers cheaper for this target (463, a prime, to 468), with weights or constants\n"
		"that change no output; elsewhere fold only reports what padding would gain, and the option pad does it. Layers that\n"
		"read one another directly are padded, and the first one's inputs. keep_shape, or --keep-shape for all passes, keeps\n"
		"the network as it is. Numbers come\n"
		"from FINN's published formulas (hw/cost.c). Example: fold(target_fps=1000000, clock_mhz=200, pareto=front.csv)",
	.options = fold_options,
	.waives = pass_keeps_shape,
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
	design_set_target(ctx->graph, pass_string(ctx, "part"), pass_real(ctx, "clock_mhz"));
	if (folding_report(ctx->graph, ctx->report, ctx->diags) != 0)
		return PASS_ERROR;
	return pass_result(ctx);
}

static const struct pass_option apply_options[] = {
	{ "file", OPTION_STRING, NULL, "folding_config.json, as FINN's builder writes it" },
	{ "clock_mhz", OPTION_REAL, "100", "clock of the design, for the report and the backends" },
	{ "part", OPTION_STRING, NULL, "FPGA or board, for the backends" },
	{ 0 }
};

const struct pass pass_apply_folding = {
	.name = "apply-folding",
	.summary = "takes the folding from a folding_config.json in FINN's format",
	.help = "Sets the attributes that the file gives for each layer, by name, and those under \"Defaults\". A name that no layer has,\n"
		"and a PE or SIMD that does not divide its layer, are errors. Where fold padded a matrix (MW, MH in the file), the\n"
		"matrix is padded in the same way.",
	.options = apply_options,
	.requires = GRAPH_HARDWARE,
	.ensures = GRAPH_FOLDED,
	.preserves = ~0u,
	.run = run_apply,
};

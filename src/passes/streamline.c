/* streamline: from a converted graph to one of integers, in one sweep of rules; then what is left over. */
#include <stdlib.h>
#include <string.h>

#include "passes/pass.h"
#include "passes/rules/rule.h"
#include "passes/thresholds.h"
#include "util/strbuf.h"
#include "util/limits.h"

struct sweep {
	struct rule_ctx x;
	const char *rules;    /* names joined by '+'; NULL: all */
	const char **reasons; /* by node id: why the node could not work on integers */
	size_t n_reasons;
	size_t changes;
};

static bool is_chosen(const char *names, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = names; at && (at = strstr(at, name)); at += length)
		if ((at == names || at[-1] == '+') && (at[length] == '+' || !at[length]))
			return true;
	return names == NULL;
}

static void set_reason(struct sweep *s, const struct node *n, const char *reason)
{
	if (n->id >= s->n_reasons) {
		size_t more = 2 * (size_t)n->id + 64;
		s->reasons = xrealloc(s->reasons, more * sizeof *s->reasons);
		memset(s->reasons + s->n_reasons, 0, (more - s->n_reasons) * sizeof *s->reasons);
		s->n_reasons = more;
	}
	s->reasons[n->id] = reason;
}

static const char *reason_of(const struct sweep *s, const struct node *n)
{
	return n->id < s->n_reasons ? s->reasons[n->id] : NULL;
}

/* The rules on every node, in order. What a rule puts behind its node is not visited: it is scale and bias. */
static int sweep_graph(struct sweep *s, struct graph *g)
{
	uint32_t all = g->n_nodes, at = 0;
	for (struct node *n = g->first, *next; n; n = next) {
		next = n->next;
		progress_tell(s->x.diags, "streamline", at < all ? (double)at++ / all : 1);
		s->x.reason = NULL;
		for (size_t i = 0; i < rule_table_size; i++) {
			const struct rule *rule = rule_table[i];
			if (!is_chosen(s->rules, rule->name))
				continue;
			int applied = rule->apply(&s->x, n);
			if (applied < 0)
				return -1;
			if (applied) {
				s->changes++;
				s->x.reason = NULL;
				break;
			}
		}
		if (s->x.reason)
			set_reason(s, n, s->x.reason);
		graph_reclaim(g);
	}
	progress_tell(s->x.diags, "streamline", 1);
	return 0;
}

/* ---- the linear tail ---- */

static bool is_linear_step(const struct node *n)
{
	return elementwise_data(n) >= 0 && (n->op == &op_Mul || n->op == &op_Add || n->op == &op_Sub ||
					    n->op == &op_Div || n->op == &op_BatchNormalization || n->op == &op_Neg);
}

/* No linear step follows, nor a quantiser, which may decide otherwise where its operand is rounded otherwise. */
static bool ends_linear_chain(const struct node *n)
{
	for (const struct use *u = n->outputs[0]->uses; u; u = u->next)
		if (u->user && (is_linear_step(u->user) || u->user->op == &op_Quant))
			return false;
	return true;
}

/* Nodes of the linear chain from root to n. *plain: they are Mul and Add only. */
static size_t linear_length(const struct node *n, const struct value *root, bool *plain)
{
	size_t length = 0;
	*plain = true;
	for (const struct value *v = n->outputs[0]; v != root; length++) {
		const struct node *step = v->producer;
		*plain = *plain && (step->op == &op_Mul || step->op == &op_Add);
		v = node_input(step, (size_t)elementwise_data(step));
	}
	return length;
}

/* Chains of Mul, Add, ... behind an integer become one Mul and one Add, or fewer. */
static void collapse(struct graph *g, size_t *changes)
{
	struct affine a;
	graph_for_each_node (g, n) {
		if (!is_linear_step(n) || !ends_linear_chain(n))
			continue;
		bool plain;
		if (affine_of(n->outputs[0], &a)) {
			size_t length = linear_length(n, a.root, &plain);
			size_t needed = (size_t)affine_is_scaled(&a) + affine_is_biased(&a);
			if (plain ? length > 1 && length > needed : length > 0) {
				struct value *y = affine_emit(&a, g, n->next, a.root);
				value_replace_uses(n->outputs[0], y);
				n_next = n->next;
				remove_unused_above(n->outputs[0]);
				(*changes)++;
			}
		}
		affine_free(&a);
	}
}

/* ---- what is left over ---- */

/* 1: computed from an integer; 2: and not an integer itself. */
static bool is_float_value(const struct value *v)
{
	return !datatype_is_integer(v->datatype) && (v->elem == ELEM_FLOAT || v->elem == ELEM_UNDEFINED);
}

/* Marks, by value id, floats that some quantiser or product with integer weights further on reads. */
static bool *read_further_on(const struct graph *g, int64_t most_levels)
{
	bool *marked = xcalloc(g->next_value_id + 1, sizeof *marked);
	for (const struct node *n = g->last; n; n = n->prev) {
		bool wanted = n->op && (n->op->flags & OP_QUANTISER) && !quantiser_stays(n, most_levels);
		wanted = wanted || n->op == &op_MatMul || n->op == &op_Conv || n->op == &op_ConvTranspose;
		for (uint32_t i = 0; i < n->n_outputs && !wanted; i++)
			wanted = n->outputs[i] && marked[n->outputs[i]->id];
		for (uint32_t i = 0; i < n->n_inputs && wanted; i++)
			if (n->inputs[i].value)
				marked[n->inputs[i].value->id] = true;
	}
	return marked;
}

static bool all_outputs_integer(const struct node *n)
{
	for (uint32_t i = 0; i < n->n_outputs; i++)
		if (n->outputs[i] && n->outputs[i]->uses && is_float_value(n->outputs[i]))
			return false;
	return true;
}

static void report_leftover(struct pass_ctx *ctx, json_t *list, const struct node *n, const struct node *blocker,
			    const char *reason)
{
	if (!reason && n->op && n->op->flags & OP_ELEMENTWISE)
		reason =
			"no quantiser behind it takes it in: none follows at once, or together they rise and fall over too wide "
			"a range to look at everywhere";
	json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "node", node_label(n), "op", n->op_type,
					      "blocked_by", blocker ? node_label(blocker) : node_label(n), "reason",
					      reason ? reason : "not known to work on integers"));
	if (n == blocker)
		diag_note(ctx->diags, DIAG_WARNING, n, NULL, "stays floating-point: %s",
			  reason ? reason : "no rule makes it work on integers");
}

static bool is_product(const struct node *n)
{
	return n->op == &op_MatMul || n->op == &op_Conv || n->op == &op_ConvTranspose;
}

/* By value id: the node further on that could not take the value's scale in. */
static const struct node **blockers_below(const struct graph *g, const struct sweep *s)
{
	const struct node **below = xcalloc(g->next_value_id + 1, sizeof(struct node *));
	for (const struct node *n = g->last; n; n = n->prev) {
		const struct node *b = reason_of(s, n) || !is_linear_step(n) ? n : below[n->outputs[0]->id];
		for (uint32_t i = 0; i < n->n_inputs; i++)
			if (n->inputs[i].value && b)
				below[n->inputs[i].value->id] = b;
	}
	return below;
}

/* What the walk knows of each value, by id. */
struct trace {
	bool *wanted;		   /* a quantiser or a product further on reads it */
	bool *quantised;	   /* computed from integers */
	const struct node **above; /* the first node on its way that could not work on integers */
	const struct node **below;
};

static bool is_leftover(const struct node *n, const struct trace *t, bool from_integers)
{
	bool feeds = is_product(n);
	const struct value *w = node_input(n, 1);
	bool integer_weights = is_product(n) && value_is_constant(w) && datatype_is_integer(w->datatype);
	for (uint32_t i = 0; i < n->n_outputs; i++)
		feeds = feeds || (n->outputs[i] && t->wanted[n->outputs[i]->id]);
	return !all_outputs_integer(n) && feeds && (from_integers || integer_weights);
}

static void trace_node(struct pass_ctx *ctx, const struct sweep *s, const struct node *n, struct trace *t, json_t *list,
		       json_t *head)
{
	const struct node *b = NULL;
	bool from_integers = node_reads_any(n, t->quantised);
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		const struct value *v = n->inputs[i].value;
		from_integers = from_integers || (v && datatype_is_integer(v->datatype) && !value_is_constant(v));
		b = v && t->above[v->id] ? t->above[v->id] : b;
	}
	if (is_leftover(n, t, from_integers)) {
		bool scaling = is_linear_step(n) && !reason_of(s, n);
		if (!b)
			b = scaling ? t->below[n->outputs[0]->id] : n;
		report_leftover(ctx, from_integers ? list : head, n, b, b ? reason_of(s, b) : NULL);
		b = scaling ? NULL : b;
	}
	for (uint32_t i = 0; i < n->n_outputs; i++)
		if (n->outputs[i]) {
			t->quantised[n->outputs[i]->id] = from_integers;
			t->above[n->outputs[i]->id] = all_outputs_integer(n) ? NULL : b;
		}
}

/* Whether a quantiser or a product reads a float that is computed (a product: any float). Where none does, which is
 * the rule, nothing can be left over. */
static bool floats_are_read(const struct graph *g, int64_t most_levels)
{
	graph_for_each_node (g, n) {
		bool quantiser = n->op && (n->op->flags & OP_QUANTISER) && !quantiser_stays(n, most_levels);
		for (uint32_t i = 0; i < n->n_inputs && (quantiser || is_product(n)); i++) {
			const struct value *v = n->inputs[i].value;
			if (v && !value_is_constant(v) && is_float_value(v) && (v->producer || is_product(n)))
				return true;
		}
	}
	return false;
}

/* Float nodes between the first quantiser and the last quantised layer, each with the node that blocks it: the first
 * one on its way that could not work on integers, or, for scales and biases, the one that could not take them in.
 * Products fed by a float graph input count too. */
static void report_leftovers(struct pass_ctx *ctx, const struct sweep *s)
{
	struct graph *g = ctx->graph;
	json_t *list = json_array(), *head = json_array();
	if (floats_are_read(g, s->x.most_levels)) {
		size_t values = g->next_value_id + 1;
		struct trace t = { read_further_on(g, s->x.most_levels), xcalloc(values, sizeof *t.quantised),
				   xcalloc(values, sizeof(struct node *)), blockers_below(g, s) };
		graph_for_each_node (g, n)
			trace_node(ctx, s, n, &t, list, head);
		free(t.wanted);
		free(t.quantised);
		free(t.above);
		free(t.below);
	}
	json_object_set_new(ctx->report, "leftovers", list);
	json_object_set_new(ctx->report, "float_head", head); /* products fed by floats, before any quantiser */
}

/* Sums that float32, in which graphs store integers, does not hold exactly. */
static void note_large_sums(struct pass_ctx *ctx)
{
	graph_for_each_node (ctx->graph, n) {
		const struct value *v = n->n_outputs ? n->outputs[0] : NULL;
		if (!v || !datatype_is_integer(v->datatype) || (!is_product(n) && strcmp(n->op_type, "Add") != 0))
			continue;
		if (datatype_min(v->datatype) < -0x1p24 || datatype_max(v->datatype) > 0x1p24)
			diag_note(
				ctx->diags, DIAG_NOTE, n, NULL,
				"its sums may pass 2^24, up to which float32 holds every integer: generated C, HLS and "
				"Verilog compute them exactly, an executor of the written graph may round them");
	}
}

static void note_wide_quantisers(struct pass_ctx *ctx, int64_t most_levels)
{
	graph_for_each_node (ctx->graph, n)
		if (quantiser_stays(n, most_levels))
			diag_note(
				ctx->diags, DIAG_NOTE, n, NULL,
				"it has so many levels that what stands before it is computed, instead of a table with a "
				"threshold for each level and channel; streamline(levels=65536) makes such tables");
}

/* ---- passes ---- */

static enum pass_result run_rules(struct pass_ctx *ctx, const char *rules, bool whole, int64_t most_levels,
				  struct certificates *certificates)
{
	struct sweep s = { .x = { .graph = ctx->graph, .diags = ctx->diags, .most_levels = most_levels },
			   .rules = rules };
	s.x.certificates = ctx->driver->certify ? certificates : NULL;
	ranges_compute(ctx->graph);
	int result = sweep_graph(&s, ctx->graph);
	if (result == 0 && whole) {
		collapse(ctx->graph, &s.changes);
		graph_remove_dead(ctx->graph);
		ranges_compute(ctx->graph);
		report_leftovers(ctx, &s);
		note_large_sums(ctx);
		note_wide_quantisers(ctx, most_levels);
	}
	free(s.reasons);
	ctx->changes += s.changes;
	return result == 0 ? pass_result(ctx) : PASS_ERROR;
}

static enum pass_result run_streamline(struct pass_ctx *ctx)
{
	struct certificates certificates = { 0 };
	int64_t levels = pass_int(ctx, "levels");
	if (levels < 2) {
		diag_error(ctx->diags, "a quantiser has two levels at least", "streamline: levels=%lld",
			   (long long)levels);
		return PASS_ERROR;
	}
	bool done = run_rules(ctx, NULL, true, levels, &certificates) != PASS_ERROR &&
		    pass_run_nested(ctx, "batchnorm-to-affine", NULL) != PASS_ERROR &&
		    pass_run_nested(ctx, "remove-identity", NULL) != PASS_ERROR &&
		    pass_run_nested(ctx, "unique-names", NULL) != PASS_ERROR;
	certificates_report(&certificates, ctx);
	return done ? pass_result(ctx) : PASS_ERROR;
}

static const struct pass_option streamline_options[] = {
	{ "levels", OPTION_INT, "4096",
	  "most levels of which a table of thresholds is made, one for each level and channel" },
	{ 0 }
};

const struct pass pass_streamline = {
	.name = "streamline",
	.summary = "scales and biases go; thresholds are found by evaluation; integers remain",
	.help = "One sweep of all rules (see move-scales) from the inputs to the outputs. Each value is known as\n"
		"scale * integer + bias; products, poolings, joins and moves work on the integers, and every quantiser\n"
		"takes in all that stands before it, as thresholds that give the same result at every integer its accumulator\n"
		"can take. Batch norms that no quantiser takes in become Mul and Add. Floating-point nodes left between the first quantiser and the last quantised layer are\n"
		"listed, with the node that blocks them.\n"
		"A quantiser of more levels than the option says stays: integers come out of it, and what stands before it is\n"
		"computed, in the same operations. to-hw makes thresholds of any number of levels.",
	.options = streamline_options,
	.requires = GRAPH_INFERRED | GRAPH_CLEAN | GRAPH_CONVERTED,
	.ensures = GRAPH_INFERRED | GRAPH_CLEAN | GRAPH_CONVERTED | GRAPH_STREAMLINED,
	.run = run_streamline,
	.renames_all = true,
};

static enum pass_result run_move_scales(struct pass_ctx *ctx)
{
	const char *rules = pass_string(ctx, "rules");
	for (const char *at = rules; at && *at; at += strcspn(at, "+"), at += *at == '+') {
		size_t length = strcspn(at, "+"), known = 0;
		for (size_t i = 0; i < rule_table_size; i++)
			known += strlen(rule_table[i]->name) == length && strncmp(rule_table[i]->name, at, length) == 0;
		if (!known)
			return diag_error(ctx->diags,
					  "rules are quantiser, threshold-bias, product, matmul, max-pool, "
					  "average, move, concat, add, multiply, select",
					  "unknown rule '%.*s'", (int)length, at);
	}
	struct certificates certificates = { 0 };
	enum pass_result result = run_rules(ctx, rules, false, MOST_TABLE_LEVELS, &certificates);
	certificates_report(&certificates, ctx);
	return result;
}

static const struct pass_option move_scales_options[] = {
	{ "rules", OPTION_STRING, NULL, "names of rules joined by '+'; all where it is not given" },
	{ NULL, OPTION_FLAG, NULL, NULL },
};

const struct pass pass_move_scales = {
	.name = "move-scales",
	.summary = "one sweep of chosen streamlining rules",
	.help = "Rules: quantiser, threshold-bias, product, matmul, max-pool, average, move, concat, add, multiply,\n"
		"select. move-scales(rules=product+max-pool) moves scales and biases past MatMul, Conv and MaxPool and\n"
		"leaves everything else. FINN's names for single moves are aliases with the rule preset.",
	.options = move_scales_options,
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = GRAPH_CLEAN | GRAPH_CONVERTED,
	.run = run_move_scales,
};

static enum pass_result run_collapse(struct pass_ctx *ctx)
{
	collapse(ctx->graph, &ctx->changes);
	return pass_result(ctx);
}

const struct pass pass_collapse_affine = {
	.name = "collapse-affine",
	.summary = "chains of Mul, Add, Div, Sub behind an integer become one Mul and one Add",
	.help = "What FINN calls CollapseRepeatedMul and CollapseRepeatedAdd, for scales per tensor and per channel.",
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = GRAPH_CLEAN | GRAPH_CONVERTED,
	.run = run_collapse,
};

static enum pass_result run_minimize(struct pass_ctx *ctx)
{
	ranges_compute(ctx->graph);
	for (struct value *v = ctx->graph->values; v; v = v->next) {
		const struct range *r =
			value_is_constant(v) && datatype_is_integer(v->datatype) ? range_of(ctx->graph, v) : NULL;
		if (!r || v->datatype.kind == DT_BIPOLAR)
			continue;
		struct datatype least = datatype_for_range(r->lo, r->hi);
		if (datatype_bits(least) < datatype_bits(v->datatype)) {
			v->datatype = least;
			ctx->changes++;
		}
	}
	return pass_result(ctx);
}

const struct pass pass_minimize_widths = {
	.name = "minimize-widths",
	.summary = "accumulators and weights get the narrowest datatype that holds them",
	.help = "Accumulators from the exact range that weights and inputs give; weights from their largest element.",
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = ~0u,
	.run = run_minimize,
};

/* prune-dead: exact shrinking. Channels that their thresholds hold constant over the whole range of their
 * accumulator, channels that nobody reads, and inputs whose weights are all zero are removed; what constants
 * contributed is folded into the layers that read them. No output changes for any input.
 *
 * What is needed is found in prune_needs.c; here the graph is rewritten and the report made. The graph's inputs keep their
 * shape; where only some of their elements are needed, a Gather with an index list picks them. */
#include <stdlib.h>
#include <string.h>

#include "ops/op.h"
#include "passes/chain.h"
#include "passes/edit.h"
#include "passes/prune_dead.h"
#include "passes/ranges.h"
#include "passes/rules/rule.h"
#include "util/strbuf.h"
#include "util/integers.h"

/* ---- rewriting ---- */

/* The slice of t along axis that keep selects. */
static struct tensor *selected(const struct tensor *t, int axis, const bool *keep, int64_t kept)
{
	int64_t dims[MAX_RANK], at = 0;
	memcpy(dims, t->dims, t->rank * sizeof *dims);
	dims[axis] = kept;
	int64_t outer = dims_product(t->dims, 0, axis);
	int64_t inner = dims_product(t->dims, axis + 1, t->rank) * (int64_t)elem_size(t->elem);
	struct tensor *s = tensor_new_raw(t->elem, t->rank, dims);
	for (int64_t o = 0; s && o < outer; o++)
		for (int64_t c = 0; c < t->dims[axis]; c++)
			if (keep[c])
				memcpy((char *)s->data + inner * at++,
				       (const char *)t->data + inner * (o * t->dims[axis] + c), (size_t)inner);
	return s;
}

static void select_input(struct pruning *p, struct node *n, size_t i, int axis, const struct channels *c)
{
	struct value *old = node_input(n, i);
	struct value *v = value_new_constant(p->graph, old->name, selected(old->constant, axis, c->needed, c->kept));
	v->datatype = old->datatype;
	node_set_input(n, i, v);
}

/* What constant inputs that go contributed to each output that stays. */
static bool folded_sums(const struct pruning *p, const struct node *n, const struct product *d, double *sums)
{
	const struct channels *in = channels_of(p, node_input(n, 0)), *out = channels_of(p, n->outputs[0]);
	bool any = false;
	int64_t at = 0, number;
	for (int64_t o = 0; o < d->out; o++) {
		if (!out->needed[o])
			continue;
		sums[at] = 0;
		for (int64_t i = 0; i < d->in; i++) {
			if (in->needed[i] || !prune_is_constant(node_input(n, 0), d->in_axis, i, &number) || !number)
				continue;
			for (int64_t k = 0; k < d->taps; k++)
				sums[at] += (double)tensor_floats(d->weights)[product_index(d, 0, o, i, k)] *
					    (double)number;
		}
		any = any || sums[at] != 0;
		at++;
	}
	return any;
}

static void shrink_product(struct pruning *p, struct node *n)
{
	struct product d;
	const struct channels *in = channels_of(p, node_input(n, 0)), *out = channels_of(p, n->outputs[0]);
	product_describe(n, &d);
	bool is_matmul = n->op == &op_MatMul;
	struct affine sums;
	affine_init(&sums, NULL, out->axis, out->kept);
	bool folded = in->kept < in->count && folded_sums(p, n, &d, sums.bias);
	if (in->kept < in->count)
		select_input(p, n, 1, is_matmul ? 0 : 1, in);
	if (out->kept < out->count)
		select_input(p, n, 1, is_matmul ? 1 : 0, out);
	if (folded) {
		struct rule_ctx x = { .graph = p->graph, .diags = p->diags };
		affine_make_uniform(&sums);
		put_behind(&x, n, 0, &sums);
		n->outputs[0]->uses->user->outputs[0]->datatype = datatype_int(32); /* its range follows */
	}
	affine_free(&sums);
}

static void shrink_parameters(struct pruning *p, struct node *n, const struct channels *out)
{
	int data = elementwise_data(n), rank = n->outputs[0]->rank;
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		const struct value *v = node_input(n, i);
		if (!v || (int)i == data || v->constant->count == 1 || elementwise_axis(n, rank) != out->axis)
			continue;
		bool rows = n->op == &op_MultiThreshold || n->op == &op_BatchNormalization;
		int axis = rows ? 0 : out->axis - (rank - v->rank);
		if (axis >= 0 && v->dims[axis] == out->count)
			select_input(p, n, i, axis, out);
	}
}

static void shrink_reshape(struct pruning *p, struct node *n, const struct channels *out)
{
	if (n->op != &op_Reshape)
		return;
	int64_t shape[2] = { n->outputs[0]->dims[0], out->kept }, dims[1] = { 2 };
	node_set_input(n, 1, value_new_constant(p->graph, "shape", tensor_int64(1, dims, shape)));
}

/* Whether channels go away in the node itself; else a Gather behind it picks them. */
static bool shrinks_itself(const struct pruning *p, const struct node *n)
{
	const struct channels *out = channels_of(p, n->outputs[0]);
	return out->axis >= 0 && prune_role(n) != ROLE_OTHER;
}

/* Picks the needed channels of a value that is given whole. */
static void pick(struct pruning *p, struct value *v, struct node *before)
{
	const struct channels *c = channels_of(p, v);
	int64_t dims[1] = { c->kept }, at = 0;
	struct tensor *indices = tensor_new_raw(ELEM_INT64, 1, dims);
	for (int64_t i = 0; i < c->count; i++)
		if (c->needed[i])
			((int64_t *)indices->data)[at++] = i;
	struct value *placeholder = value_new(p->graph, v->name), *list = value_new_constant(p->graph, "kept", indices);
	value_replace_uses(v, placeholder);
	struct value *inputs[] = { v, list };
	struct node *gather = node_new(p->graph, before, "", "Gather", inputs, 2, 1, "Gather");
	node_set_int(gather, "axis", c->axis);
	value_replace_uses(placeholder, gather->outputs[0]);
	value_remove(p->graph, placeholder);
	gather->outputs[0]->datatype = v->datatype;
	gather->outputs[0]->layout = v->layout;
}

static void shrink_node(struct pruning *p, struct node *n)
{
	const struct channels *out = channels_of(p, n->outputs[0]);
	enum role role = prune_role(n);
	if (role == ROLE_PRODUCT)
		shrink_product(p, n);
	else if (out->kept == out->count)
		return;
	else if (role == ROLE_DEPTHWISE) {
		select_input(p, n, 1, 0, out);
		node_set_int(n, "group", out->kept);
	} else if (role == ROLE_EACH)
		shrink_parameters(p, n, out);
	else if (role == ROLE_FLATTEN)
		shrink_reshape(p, n, out);
}

static void rewrite(struct pruning *p)
{
	struct graph *g = p->graph;
	for (struct node *n = g->last, *prev; n; n = prev) { /* backwards: shapes seen are those before */
		prev = n->prev;
		if (n->n_outputs == 0 || !n->outputs[0])
			continue;
		if (shrinks_itself(p, n))
			shrink_node(p, n);
		for (uint32_t i = 0; i < n->n_outputs; i++) {
			struct value *v = n->outputs[i];
			const struct channels *c = v ? channels_of(p, v) : NULL;
			if (c && !shrinks_itself(p, n) && c->kept < c->count && v->uses)
				pick(p, v, n->next);
		}
	}
	for (uint32_t i = 0; i < g->n_inputs; i++) {
		struct value *v = g->inputs[i];
		const struct channels *c = channels_of(p, v);
		if (!v->constant && c->kept < c->count && v->uses)
			pick(p, v, g->first);
	}
}

/* Infers all types again. Shapes are forgotten first, since declared ones no longer hold. */
static int retype_graph(struct pruning *p)
{
	for (struct node *n = p->graph->first; n; n = n->next)
		for (uint32_t i = 0; i < n->n_outputs; i++)
			if (n->outputs[i])
				n->outputs[i]->is_declared = false;
	for (struct node *n = p->graph->first; n; n = n->next) {
		struct datatype kept =
			n->n_outputs && n->outputs[0] ? n->outputs[0]->datatype : datatype_of_kind(DT_NONE);
		if (node_infer(n, p->diags) != 0)
			return -1;
		if (n->op == &op_Gather || n->op == &op_MultiThreshold)
			n->outputs[0]->datatype = kept;
	}
	return 0;
}

/* ---- report ---- */

/* What layers lose. */
struct losses {
	int64_t layers, constant,
		unread; /* inputs: always the same number; multiplied by zero weights only, or read by no node */
	struct strbuf shapes;
};

enum { SHAPES_SHOWN = 6 };

static json_t *report_node(const struct node *n, const struct channels *in, const struct channels *out,
			   struct losses *sum)
{
	const struct value *v = node_input(n, 0);
	int64_t constant = 0, number, gone = in->count - in->kept;
	for (int64_t c = 0; c < in->count && in->axis >= 0; c++)
		constant += !in->needed[c] && prune_is_constant(v, in->axis, c, &number);
	sum->constant += constant;
	sum->unread += gone - constant;
	if (sum->layers++ < SHAPES_SHOWN)
		strbuf_printf(&sum->shapes, "%s%lldx%lld to %lldx%lld", sum->shapes.length ? ", " : "",
			      (long long)in->count, (long long)out->count, (long long)in->kept, (long long)out->kept);
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "layer", node_label(n), "inputs", (json_int_t)in->count,
			 "inputs_kept", (json_int_t)in->kept, "inputs_constant", (json_int_t)constant, "inputs_unread",
			 (json_int_t)(gone - constant), "outputs", (json_int_t)out->count, "outputs_kept",
			 (json_int_t)out->kept);
}

/* The layers that lose something. */
static json_t *report_layers(const struct pruning *p, struct losses *sum)
{
	json_t *layers = json_array();
	for (const struct node *n = p->graph->first; n; n = n->next) {
		if (prune_role(n) != ROLE_PRODUCT)
			continue;
		const struct channels *in = channels_of(p, node_input(n, 0)), *out = channels_of(p, n->outputs[0]);
		if (in->kept < in->count || out->kept < out->count)
			json_array_append_new(layers, report_node(n, in, out, sum));
	}
	return layers;
}

static size_t report(struct pass_ctx *ctx, const struct pruning *p)
{
	size_t removed = 0;
	struct losses sum = { 0 };
	for (const struct value *v = p->graph->values; v; v = v->next)
		removed += (size_t)(channels_of(p, v)->count - channels_of(p, v)->kept);
	json_object_set_new(ctx->report, "layers", report_layers(p, &sum));
	json_object_set_new(ctx->report, "channels_removed", json_integer((json_int_t)removed));
	if (sum.layers) {
		json_object_set_new(ctx->report, "turned_off_by", json_string("--keep-shape"));
		pass_note(
			ctx,
			"dead hardware removed from %lld layers (%s%s): %lld inputs whose weights are all zero, %lld that "
			"always hold one number; for fold and to-hw --keep-shape keeps it",
			(long long)sum.layers, strbuf_text(&sum.shapes), sum.layers > SHAPES_SHOWN ? ", ..." : "",
			(long long)sum.unread, (long long)sum.constant);
	}
	strbuf_free(&sum.shapes);
	return removed;
}

static int prune(struct pass_ctx *ctx, struct pruning *p)
{
	ranges_compute(p->graph);
	prune_find_needs(p, pass_flag(ctx, "divisors"));
	ctx->changes += report(ctx, p);
	if (!ctx->changes)
		return 0;
	rewrite(p);
	return retype_graph(p);
}

static enum pass_result run(struct pass_ctx *ctx)
{
	struct pruning p = { .graph = ctx->graph, .n_values = ctx->graph->next_value_id, .diags = ctx->diags };
	p.of = xcalloc(p.n_values + 1, sizeof *p.of);
	int result = prune(ctx, &p);
	prune_free(&p);
	if (result != 0)
		return PASS_ERROR;
	if (!ctx->changes)
		return PASS_UNCHANGED;
	if (pass_run_nested(ctx, "move-scales", NULL) == PASS_ERROR ||
	    pass_run_nested(ctx, "collapse-affine", NULL) == PASS_ERROR ||
	    pass_run_nested(ctx, "remove-dead", NULL) == PASS_ERROR ||
	    pass_run_nested(ctx, "unique-names", NULL) == PASS_ERROR)
		return PASS_ERROR;
	ranges_compute(ctx->graph);
	ctx->graph->properties |= GRAPH_SHRUNK;
	return PASS_CHANGED;
}

static const struct pass_option options[] = {
	{ "divisors", OPTION_FLAG, NULL,
	  "images keep so many dead channels that their number has more divisors; to-hw asks for that" },
	{ 0 }
};

const struct pass pass_prune_dead = {
	.name = "prune-dead",
	.summary = "removes channels that cannot matter; no output changes",
	.help = "Inputs whose weights are all zero, channels that their thresholds hold constant over the whole range of\n"
		"their accumulator, and channels nobody reads are removed, and what constants contributed is folded into\n"
		"the thresholds behind. The graph's inputs keep their shape; a Gather picks the elements that are\n"
		"needed. The report says per layer what went. fold and to-hw ask for this pass where it was not run;\n"
		"--keep-shape (or fold(keep_shape), to-hw(keep_shape)) turns that off.",
	.requires = GRAPH_INFERRED | GRAPH_CLEAN | GRAPH_CONVERTED | GRAPH_STREAMLINED,
	.options = options,
	.ensures = GRAPH_INFERRED | GRAPH_CLEAN | GRAPH_CONVERTED | GRAPH_STREAMLINED | GRAPH_PRUNED,
	.preserves = GRAPH_SHRUNK,
	.run = run,
};

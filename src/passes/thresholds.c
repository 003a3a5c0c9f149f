/* Thresholds by evaluation (thresholds.h): what of the chain goes in, and the two forms that thresholds take. */
#include "passes/thresholds.h"

#include <stdlib.h>
#include <string.h>

#include "passes/edit.h"
#include "passes/ranges.h"
#include "passes/threshold_job.h"
#include "util/vec.h"

/* Thresholds of the steps up (direction 1) or down (-1), rows[c * most + k]; returns the largest number any channel
 * has. With rows NULL it only counts. */
static int64_t steps_of(const struct job *j, const struct level_function *functions, int direction, int64_t *rows,
			int64_t most)
{
	int64_t channels = j->chain.channels, largest = 0;
	for (int64_t c = 0; c < channels; c++) {
		int64_t count = 0;
		for (size_t i = 0; i < functions[c].count; i++)
			for (int64_t rise = direction * functions[c].items[i].change; rise > 0; rise--, count++)
				if (rows)
					rows[c * most + count] = functions[c].items[i].point;
		largest = count > largest ? count : largest;
		for (; rows && count < most; count++)
			rows[c * most + count] = j->hi + 1;
	}
	return largest;
}
/* ---- the two forms ---- */

/* Level k is above every point (or, the other way, at or below every point) of all channels. */
static bool all_beyond(const struct job *j, const int64_t *rows, int64_t k, bool above)
{
	for (int64_t c = 0; c < j->chain.channels; c++) {
		int64_t t = rows[c * j->grid.steps + k];
		if (above ? t <= j->hi : t > j->lo)
			return false;
	}
	return true;
}

/* Levels of an open grid that every point reaches or none does are no levels: *first to the result remain, one
 * at least, since qonnx executes no quantiser without thresholds. */
static int64_t trim_levels(const struct job *j, const int64_t *rows, int64_t *first)
{
	int64_t kept = j->grid.steps;
	*first = 0;
	while (*first + 1 < kept && all_beyond(j, rows, *first, false))
		++*first;
	while (kept > *first + 1 && all_beyond(j, rows, kept - 1, true))
		kept--;
	return kept;
}

static int build_monotone(struct job *j, const struct absorb_options *o)
{
	struct value *root = signed_root(j);
	const struct range *r = j->of_floats ? NULL : range_of(j->graph, root);
	if (r) { /* exact bounds of the turned root */
		j->lo = r->lo;
		j->hi = r->hi;
	}
	int64_t channels = j->chain.channels, steps = j->grid.steps;
	int64_t *found = xcalloc((size_t)(2 * steps * channels) + 1, sizeof *found), *rows = found + steps * channels;
	int result = first_points(j, found);
	for (int64_t c = 0; c < channels; c++)
		for (int64_t k = 0; k < steps; k++)
			rows[c * steps + k] = found[k * channels + c];
	int64_t first = 0;
	if (j->grid.is_open && result == 0) {
		int64_t kept = trim_levels(j, rows, &first);
		for (int64_t c = 0; c < channels; c++)
			memmove(rows + c * (kept - first), rows + c * steps + first,
				(size_t)(kept - first) * sizeof *rows);
		steps = kept - first;
		j->grid.base += first * j->grid.stride;
		j->grid.datatype = datatype_for_range(j->grid.base, j->grid.base + steps * j->grid.stride);
	}
	struct value *y = NULL;
	bool apart = o->bias_apart && j->grid.stride == 1;
	struct datatype type = apart ? datatype_for_range(0, steps) : j->grid.datatype;
	if (result == 0)
		y = add_thresholds(j, root, rows, steps, apart ? 0 : j->grid.base, j->grid.stride, type);
	free(found);
	return y ? replace_quantiser(j, y, o, y->producer, NULL) : -1;
}

/* y = base of the first point + steps up - steps down. The base must be one for all channels: where it is not,
 * thresholds at the lowest point lift the others. */
static int build_two_way(struct job *j, const struct level_function *functions, const struct absorb_options *o)
{
	int64_t channels = j->chain.channels, least = functions[0].first, lift = 0;
	for (int64_t c = 0; c < channels; c++)
		least = functions[c].first < least ? functions[c].first : least;
	for (int64_t c = 0; c < channels; c++)
		lift = functions[c].first - least > lift ? functions[c].first - least : lift;
	int64_t up = steps_of(j, functions, 1, NULL, 0) + lift, down = steps_of(j, functions, -1, NULL, 0);
	int64_t *rows = xcalloc((size_t)(channels * (up + down)) + 1, sizeof *rows), *falls = rows + channels * up;
	if (lift) { /* rows of up - lift steps first, then shifted right behind the lifting ones */
		int64_t plain = up - lift, *steps = xcalloc((size_t)(channels * plain) + 1, sizeof *steps);
		steps_of(j, functions, 1, steps, plain);
		for (int64_t c = 0; c < channels; c++)
			for (int64_t k = 0; k < up; k++) {
				int64_t own = functions[c].first - least, at = k - own;
				rows[c * up + k] = k < own ? j->lo : at < plain ? steps[c * plain + at] : j->hi + 1;
			}
		free(steps);
	} else {
		steps_of(j, functions, 1, rows, up);
	}
	steps_of(j, functions, -1, falls, down);
	int64_t base = j->grid.base + j->grid.stride * least, stride = j->grid.stride;
	struct value *y =
		add_thresholds(j, j->chain.root, rows, up, base, stride, datatype_for_range(base, base + stride * up));
	struct value *z =
		y ? add_thresholds(j, j->chain.root, falls, down, 0, stride, datatype_for_range(0, stride * down))
		  : NULL;
	free(rows);
	if (!z)
		return -1;
	struct value *q = add_node2(j->graph, j->quantiser, "", "Sub", y, z, "Sub");
	q->datatype = j->grid.datatype;
	return replace_quantiser(j, q, o, y->producer, z->producer);
}

/* Whether each channel only rises or only falls; those that fall get sign -1. */
static bool one_way(struct job *j, const struct level_function *functions)
{
	bool turned = false;
	for (int64_t c = 0; c < j->chain.channels; c++) {
		bool rises = false, falls = false;
		for (size_t i = 0; i < functions[c].count; i++) {
			rises = rises || functions[c].items[i].change > 0;
			falls = falls || functions[c].items[i].change < 0;
		}
		if (rises && falls)
			return false;
		j->sign[c] = falls ? -1 : 1;
		turned = turned || falls;
	}
	if (turned)
		mirror_points(j);
	return true;
}

static int build_any(struct job *j, const struct absorb_options *o, const char **reason)
{
	int64_t channels = j->chain.channels;
	if (!can_evaluate_everywhere(j)) {
		*reason =
			"what stands before it is not known to be monotone, over too wide a range to look at everywhere";
		return 0;
	}
	struct level_function *functions = xcalloc((size_t)channels, sizeof *functions);
	int result = evaluate_everywhere(j, functions);
	if (result == 0 && one_way(j, functions)) {
		result = build_monotone(j, o);
	} else if (result == 0) {
		for (int64_t c = 0; c < channels; c++)
			j->sign[c] = 1;
		result = build_two_way(j, functions, o);
	}
	for (int64_t c = 0; c < channels; c++)
		vec_free(&functions[c]);
	free(functions);
	return result;
}
/* ---- what goes in ---- */

/* Keeps of the chain only what stands right above the quantiser and is a monotone activation used by it alone. */
static void keep_activations(struct chain *c)
{
	size_t cut = c->count;
	while (cut > 0) {
		const struct node *n = c->nodes[cut - 1];
		bool arithmetic = n->op->max_inputs == 2;
		if (!(n->op->flags & OP_MONOTONE) || arithmetic || n->op == &op_Identity ||
		    !value_only_use(n->outputs[0]) || elementwise_axis(n, n->outputs[0]->rank) != -1)
			break;
		cut--;
	}
	chain_cut(c, cut);
}

/* Of a chain on floats only what never decreases can go in. */
static void keep_increasing(struct chain *c)
{
	size_t cut = c->count;
	bool mixed;
	while (cut > 0 && elementwise_direction(c->nodes[cut - 1], &mixed) == 1)
		cut--;
	chain_cut(c, cut);
}

static int choose_chain(struct job *j, const struct absorb_options *o)
{
	struct node *q = j->quantiser;
	chain_of(node_input(q, 0), &j->chain);
	struct chain function;
	if (!o->activations_only && !datatype_is_integer(j->chain.root->datatype) &&
	    function_of(node_input(q, 0), &function)) {
		chain_free(&j->chain);
		j->chain = function;
	}
	int own = elementwise_axis(q, q->outputs[0]->rank);
	if (own >= 0 && j->chain.axis >= 0 && own != j->chain.axis)
		chain_cut(&j->chain, j->chain.count);
	if (o->activations_only)
		keep_activations(&j->chain);
	j->of_floats = o->activations_only || !datatype_is_integer(j->chain.root->datatype);
	if (j->of_floats && !o->activations_only)
		keep_increasing(&j->chain);
	chain_push(&j->chain, q);
	return own == -2 ? -1 : 0;
}

static bool find_domain(struct job *j, const char **reason)
{
	const struct range *r;
	if (j->of_floats) {
		j->lo = -LARGEST_FLOAT_POINT;
		j->hi = LARGEST_FLOAT_POINT;
		return true;
	}
	r = range_of(j->graph, j->chain.root);
	if (!r) {
		*reason = "the range of the integer before it is not known, or too wide";
		return false;
	}
	j->lo = j->root_lo = r->lo;
	j->hi = j->root_hi = r->hi;
	return true;
}

static int absorb(struct job *j, const struct absorb_options *o, const char **reason)
{
	bool mixed;
	if (choose_chain(j, o) != 0) {
		*reason = "its parameters vary along more than one axis";
		return 0;
	}
	if (!find_domain(j, reason))
		return 0;
	if (j->grid.scales && j->grid.scales->count != j->chain.channels) {
		*reason = "its scale does not go along the channels";
		return 0;
	}
	j->sign = xcalloc((size_t)j->chain.channels, sizeof *j->sign);
	for (int64_t c = 0; c < j->chain.channels; c++)
		j->sign[c] = 1;
	int direction = known_direction(j, &mixed);
	if (!direction && !mixed)
		return build_any(j, o, reason);
	if ((direction < 0 || mixed) && find_signs(j) != 0)
		return -1;
	return build_monotone(j, o);
}

/* ---- many levels ---- */

bool quantiser_stays(const struct node *n, int64_t most_levels)
{
	struct quant_grid grid;
	const char *reason;
	return n->op == &op_Quant && datatype_is_integer(n->outputs[0]->datatype) && quant_grid_of(n, &grid, &reason) &&
	       grid.steps >= most_levels;
}

/* Quant(x, s) = s * Quant(x / s, 1), in the same operations on the same numbers. 1, or 0 where s is 1 already. */
static int divide_before(const struct job *j)
{
	struct node *old = j->quantiser;
	struct value *scale = node_input(old, 1);
	if (tensor_all(scale->constant, 1))
		return 0;
	struct value *x = add_node2(j->graph, old, "", "Div", node_input(old, 0), scale, "Div");
	struct value *inputs[] = { x, constant_scalar(j->graph, "scale", 1), node_input(old, 2), node_input(old, 3) };
	struct node *quant = node_new(j->graph, old, old->domain, old->op_type, inputs, 4, 1, old->name);
	node_copy_attrs(quant, old);
	value_copy_type(j->graph, x, old->outputs[0]);
	value_copy_type(j->graph, quant->outputs[0], old->outputs[0]);
	x->datatype = datatype_of_kind(DT_NONE);
	quant->outputs[0]->datatype = j->grid.datatype;
	quant->outputs[0]->layout = x->layout = old->outputs[0]->layout;
	struct value *y = add_node2(j->graph, old, "", "Mul", quant->outputs[0], scale, "Mul");
	value_copy_type(j->graph, y, old->outputs[0]);
	node_bypass(old, y);
	return 1;
}

int absorb_into_thresholds(struct graph *g, struct node *quantiser, const struct absorb_options *o, const char **reason,
			   struct diags *d)
{
	struct job j = { .graph = g, .quantiser = quantiser, .diags = d };
	if (!quant_grid_of(quantiser, &j.grid, reason))
		return 0;
	if (j.grid.steps < 0) {
		*reason = "its bit width leaves it no level";
		return 0;
	}
	if (o->most_levels && quantiser->op == &op_Quant && j.grid.steps >= o->most_levels)
		return divide_before(&j);
	if (j.grid.steps > MOST_STEPS) {
		*reason = "it has more levels than thresholds can tell apart (65,536)";
		return 0;
	}
	int result = absorb(&j, o, reason);
	chain_free(&j.chain);
	free(j.sign);
	return result;
}

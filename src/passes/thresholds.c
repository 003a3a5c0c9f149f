/* Thresholds by evaluation: see thresholds.h. */
#include "passes/thresholds.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "passes/edit.h"
#include "passes/products.h"
#include "passes/ranges.h"
#include "util/vec.h"

enum {
	MOST_POINTS = 1 << 25, /* of a function that must be looked at everywhere, over all channels; a few seconds */
	POINTS_AT_ONCE = 1 << 16,
};

/* One quantiser with the chain that is to go into it. */
struct job {
	struct graph *graph;
	struct node *quantiser;
	struct chain chain; /* ends with the quantiser itself */
	struct grid grid;
	bool of_floats; /* the root is a float: points are floats in order, see key_to_float */
	int64_t lo, hi; /* the points */
	double *sign;	/* per channel: the function is of sign * point */
	struct diags *diags;
};

/* ---- points ---- */

/* float32 in order of value: negative ones below 0, both zeros 0. */
static double key_to_float(int64_t key)
{
	uint32_t bits = key >= 0 ? (uint32_t)key : 0x80000000u | (uint32_t)-key;
	float x;
	memcpy(&x, &bits, sizeof x);
	return (double)x;
}

static const int64_t LARGEST_KEY = 0x7f7fffff; /* FLT_MAX */

static double point_value(const struct job *j, int64_t point)
{
	return j->of_floats ? key_to_float(point) : (double)point;
}

/* Levels at points[p * channels + c]. */
static int levels_at(const struct job *j, const int64_t *points, int64_t *levels, int64_t n)
{
	int64_t channels = j->chain.channels, count = n * channels;
	double *x = xcalloc((size_t)count * 2, sizeof *x), *y = x + count;
	for (int64_t i = 0; i < count; i++)
		x[i] = j->sign[i % channels] * point_value(j, points[i]);
	int result = chain_eval(&j->chain, x, y, n, false, j->diags);
	for (int64_t i = 0; result == 0 && i < count; i++)
		levels[i] = grid_level(&j->grid, i % channels, y[i]);
	free(x);
	return result;
}

/* ---- monotone functions ---- */

/* For levels first..first+n-1 (+1) of each channel the first point that reaches them, into out[k * channels + c];
 * hi + 1 where none does. */
static int bisect(const struct job *j, int64_t first, int64_t n, int64_t *out)
{
	int64_t channels = j->chain.channels, count = n * channels;
	int64_t *lo = xcalloc((size_t)count * 4, sizeof *lo), *hi = lo + count, *mid = hi + count, *level = mid + count;
	int result = 0;
	for (int64_t i = 0; i < count; i++) {
		lo[i] = j->lo;
		hi[i] = j->hi + 1;
	}
	for (int64_t width = j->hi - j->lo + 1; width > 0 && result == 0; width /= 2) {
		for (int64_t i = 0; i < count; i++) {
			mid[i] = lo[i] + (hi[i] - lo[i]) / 2;
			if (mid[i] > j->hi)
				mid[i] = j->hi;
		}
		result = levels_at(j, mid, level, n);
		for (int64_t i = 0; i < count; i++) {
			if (lo[i] >= hi[i])
				continue;
			if (level[i] > first + i / channels)
				hi[i] = mid[i];
			else
				lo[i] = mid[i] + 1;
		}
	}
	memcpy(out, lo, (size_t)count * sizeof *out);
	free(lo);
	return result;
}

static int bisect_all(const struct job *j, int64_t *out)
{
	int64_t channels = j->chain.channels, at_once = POINTS_AT_ONCE / channels + 1;
	for (int64_t k = 0; k < j->grid.steps; k += at_once) {
		int64_t n = j->grid.steps - k < at_once ? j->grid.steps - k : at_once;
		if (bisect(j, k, n, out + k * channels) != 0)
			return -1;
	}
	return 0;
}

/* Direction in every channel by the operators' own account: 1, -1, or 0 where one may go both ways or where
 * parameters of both signs set channels apart. */
static int known_direction(const struct job *j, bool *mixed)
{
	int direction = 1;
	*mixed = false;
	for (size_t i = 0; i < j->chain.count; i++) {
		bool channels_differ;
		int its = elementwise_direction(j->chain.nodes[i], &channels_differ);
		*mixed = *mixed || channels_differ;
		if (!its && !channels_differ) {
			*mixed = false;
			return 0;
		}
		direction *= channels_differ ? 1 : its;
	}
	return *mixed ? 0 : direction;
}

/* ---- any function ---- */

/* Where a channel's level changes, and by how much. */
struct step {
	int64_t point, change;
};

/* A function looked at everywhere: the level of its lowest point and its steps. */
struct course {
	int64_t first, last;
	struct step *items;
	size_t count, capacity;
};

static void follow(struct course *f, int64_t point, int64_t level, bool is_first)
{
	if (is_first)
		f->first = level;
	else if (level != f->last)
		vec_push(f, ((struct step){ point, level - f->last }));
	f->last = level;
}

/* A course for each channel, from blocks of points. */
static int look_everywhere(const struct job *j, struct course *courses)
{
	int64_t channels = j->chain.channels, at_once = POINTS_AT_ONCE / channels + 1;
	int64_t *points = xcalloc((size_t)(at_once * channels) * 2, sizeof *points),
		*levels = points + at_once * channels;
	int result = 0;
	for (int64_t p = j->lo; p <= j->hi && result == 0; p += at_once) {
		int64_t n = j->hi - p + 1 < at_once ? j->hi - p + 1 : at_once;
		for (int64_t i = 0; i < n * channels; i++)
			points[i] = p + i / channels;
		result = levels_at(j, points, levels, n);
		for (int64_t i = 0; i < n * channels && result == 0; i++)
			follow(&courses[i % channels], points[i], levels[i], points[i] == j->lo);
	}
	free(points);
	return result;
}

/* Thresholds of the steps up (direction 1) or down (-1), rows[c * most + k]; returns the largest number any channel
 * has. With rows NULL it only counts. */
static int64_t steps_of(const struct job *j, const struct course *courses, int direction, int64_t *rows, int64_t most)
{
	int64_t channels = j->chain.channels, largest = 0;
	for (int64_t c = 0; c < channels; c++) {
		int64_t count = 0;
		for (size_t i = 0; i < courses[c].count; i++)
			for (int64_t rise = direction * courses[c].items[i].change; rise > 0; rise--, count++)
				if (rows)
					rows[c * most + count] = courses[c].items[i].point;
		largest = count > largest ? count : largest;
		for (; rows && count < most; count++)
			rows[c * most + count] = j->hi + 1;
	}
	return largest;
}

/* ---- building nodes ---- */

static const char *layout_for(int rank, int axis)
{
	bool last = axis == rank - 1 && rank > 2;
	switch (rank) {
	case 4: return last ? "NHWC" : "NCHW";
	case 3: return last ? "NWC" : "NCW";
	default: return "NC";
	}
}

/* The threshold for a point. Those that no point reaches, or all do, keep clear of the range where it passes 2^24 and
 * float32 sums are no longer exact. */
static float threshold_value(const struct job *j, int64_t point)
{
	if (j->of_floats)
		return point > j->hi ? INFINITY : (float)point_value(j, point);
	float most = fmaxf(fabsf((float)j->lo), fabsf((float)j->hi)), margin = most < 0x1p24f ? 0 : most / 16;
	if (point > j->hi)
		return (float)(j->hi + 1) + margin;
	/* the chain was evaluated at float32 numbers, so that the first point of a level is one, or rounds to the next */
	return point <= j->lo ? (float)j->lo - margin : (float)point;
}

/* rows[c * n + k] as a [channels or 1, n] constant; one row where all are alike. */
static struct value *threshold_constant(const struct job *j, const int64_t *rows, int64_t n, bool *uniform)
{
	int64_t channels = j->chain.channels, dims[2] = { channels, n };
	*uniform = true;
	for (int64_t c = 1; c < channels && *uniform; c++)
		*uniform = memcmp(rows, rows + c * n, (size_t)n * sizeof *rows) == 0;
	dims[0] = *uniform ? 1 : channels;
	struct tensor *t = tensor_new_raw(ELEM_FLOAT, 2, dims);
	for (int64_t i = 0; t && i < t->count; i++)
		((float *)t->data)[i] = threshold_value(j, rows[i]);
	struct value *v = t ? value_new_constant(j->graph, "thresholds", t) : NULL;
	if (v && !j->of_floats)
		v->datatype = datatype_for_range(j->lo, j->hi + 1);
	return v;
}

static struct value *add_thresholds(const struct job *j, struct value *x, const int64_t *rows, int64_t n, int64_t base,
				    int64_t stride, struct datatype type)
{
	char name[DATATYPE_NAME_SIZE];
	bool uniform;
	struct value *inputs[] = { x, threshold_constant(j, rows, n, &uniform) };
	if (!inputs[1])
		return NULL;
	struct node *mt =
		node_new(j->graph, j->quantiser, DOMAIN_QONNX, "MultiThreshold", inputs, 2, 1, "MultiThreshold");
	node_set_string(mt, "out_dtype", datatype_name(type, name));
	if (stride != 1)
		node_set_float(mt, "out_scale", (float)stride);
	if (base != 0)
		node_set_float(mt, "out_bias", (float)base);
	int axis = j->chain.axis >= 0 ? j->chain.axis : value_channel_axis(x);
	node_set_string(mt, "data_layout", layout_for(x->rank, uniform ? value_channel_axis(x) : axis));
	struct value *y = mt->outputs[0];
	value_copy_type(j->graph, y, x);
	y->datatype = type;
	return y;
}

/* Scale and bias that give the quantiser's own numbers back from its integers. */
static struct value *add_grid_scale(const struct job *j, struct value *q)
{
	struct affine a;
	int64_t channels = j->grid.scales ? j->chain.channels : 1;
	affine_init(&a, q, channels > 1 ? j->chain.axis : -1, channels);
	for (int64_t c = 0; c < channels; c++) {
		a.scale[c] = grid_scale(&j->grid, c);
		a.bias[c] = j->grid.bias;
	}
	struct value *y = affine_emit(&a, j->graph, j->quantiser, q);
	affine_free(&a);
	return y;
}

/* The computed inputs of an element-wise node, each once; 0 for other nodes. */
static uint32_t computed_inputs(const struct node *n, struct value **in, uint32_t most)
{
	uint32_t count = 0;
	for (uint32_t i = 0; n->op && n->op->flags & OP_ELEMENTWISE && i < n->n_inputs; i++) {
		struct value *v = n->inputs[i].value;
		bool known = !v || value_is_constant(v);
		for (uint32_t k = 0; k < count; k++)
			known = known || in[k] == v;
		if (!known && count < most)
			in[count++] = v;
	}
	return count;
}

void remove_unused_above(struct value *v)
{
	enum { MOST_INPUTS = 8 };
	while (v && !v->uses && v->producer && !v->is_pinned) {
		struct value *above[MOST_INPUTS];
		bool pinned[MOST_INPUTS];
		struct node *n = v->producer;
		for (uint32_t i = 0; i < n->n_outputs; i++)
			if (n->outputs[i] && n->outputs[i]->uses)
				return;
		uint32_t count = computed_inputs(n, above, MOST_INPUTS);
		for (uint32_t i = 0; i < count; i++) { /* paths may meet again above: each waits for its turn */
			pinned[i] = above[i]->is_pinned;
			above[i]->is_pinned = true;
		}
		node_remove(n);
		for (uint32_t i = count; i-- > 0;) {
			above[i]->is_pinned = pinned[i];
			if (i)
				remove_unused_above(above[i]);
		}
		v = count ? above[0] : NULL;
	}
}

/* Where asked: the new nodes against the chain they replace, while that still stands. */
static int check(const struct job *j, const struct absorb_options *o, const struct node *up, const struct node *down)
{
	struct claim claim = { &j->chain, &j->grid, j->sign, j->of_floats, j->lo, j->hi, up, down };
	return o->certificates ? certify(&claim, o->certificates, j->diags) : 0;
}

static void replace_quantiser(const struct job *j, struct value *q, const struct absorb_options *o)
{
	struct node *old = j->quantiser;
	struct value *in = node_input(old, 0);
	if (o->bias_apart && j->grid.base && j->grid.stride == 1) {
		q = add_node2(j->graph, old, "", "Add", q, constant_scalar(j->graph, "bias", (double)j->grid.base),
			      "Add");
		q->datatype = j->grid.datatype;
	}
	q->layout = old->outputs[0]->layout;
	node_bypass(old, add_grid_scale(j, q));
	remove_unused_above(in);
}

/* ---- signs ---- */

/* Whether the root serves this quantiser alone, through the chain. */
static bool root_is_private(const struct job *j)
{
	if (!value_only_use(j->chain.root))
		return false;
	for (size_t i = 0; i + 1 < j->chain.count; i++)
		if (!value_only_use(j->chain.nodes[i]->outputs[0]))
			return false;
	return true;
}

/* sign * root: by turning the weights that made it where nobody else sees it, else by a Mul. */
static struct value *signed_root(struct job *j)
{
	struct value *root = j->chain.root;
	struct node *producer = root->producer;
	struct product p;
	bool turned = false;
	for (int64_t c = 0; c < j->chain.channels; c++)
		turned = turned || j->sign[c] < 0;
	if (!turned)
		return root;
	bool per_channel = j->chain.channels > 1;
	if (producer && root_is_private(j) && product_describe(producer, &p) &&
	    (!per_channel || (p.out_axis == j->chain.axis && p.groups * p.out == j->chain.channels))) {
		int64_t outputs = p.groups * p.out;
		double *factors = xcalloc((size_t)outputs, sizeof *factors);
		for (int64_t c = 0; c < outputs; c++)
			factors[c] = j->sign[per_channel ? c : 0];
		struct value *old = node_input(producer, 1);
		struct value *w = value_new_constant(j->graph, old->name, product_scaled(&p, factors, NULL, NULL));
		free(factors);
		w->datatype = datatype_is_signed(old->datatype) ? old->datatype
								: datatype_int(datatype_bits(old->datatype) + 1);
		if (old->datatype.kind == DT_INT) { /* -2 turns into +2 */
			const struct range *r = range_of(j->graph, w);
			struct datatype least = datatype_for_range(r->lo < 0 ? r->lo : -1, r->hi);
			if (least.bits > w->datatype.bits)
				w->datatype = least;
		}
		node_set_input(producer, 1, w);
		range_forget(root);
		const struct range *r = range_of(j->graph, root);
		if (r)
			root->datatype = datatype_for_range(r->lo, r->hi);
		return root;
	}
	struct affine a;
	affine_init(&a, root, per_channel ? j->chain.axis : -1, j->chain.channels);
	memcpy(a.scale, j->sign, (size_t)j->chain.channels * sizeof *a.scale);
	struct value *v = affine_emit(&a, j->graph, j->quantiser, root);
	affine_free(&a);
	v->datatype = datatype_for_range(-j->hi, j->hi > -j->lo ? j->hi : -j->lo);
	const struct range *r = range_of(j->graph, v);
	if (r)
		v->datatype = datatype_for_range(r->lo, r->hi);
	return v;
}

/* Points of a root that is turned in some channels: the range and its mirror image. */
static void mirror_points(struct job *j)
{
	int64_t most = j->hi > -j->lo ? j->hi : -j->lo;
	j->lo = -most;
	j->hi = most;
}

/* Looks at both ends of each channel and turns those where the level falls. Points become those of the turned
 * root, which mirrors the range. */
static int find_signs(struct job *j, int direction, bool mixed)
{
	int64_t channels = j->chain.channels;
	int64_t *points = xcalloc((size_t)channels * 4, sizeof *points), *levels = points + 2 * channels;
	for (int64_t c = 0; c < channels; c++) {
		points[c] = j->lo;
		points[channels + c] = j->hi;
	}
	int result = levels_at(j, points, levels, 2);
	bool turned = false;
	for (int64_t c = 0; c < channels && result == 0; c++) {
		bool falls = levels[c] > levels[channels + c] || (!mixed && direction < 0 && !j->of_floats);
		j->sign[c] = falls ? -1 : 1;
		turned = turned || falls;
	}
	if (turned)
		mirror_points(j);
	free(points);
	return result;
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
	int result = bisect_all(j, found);
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
	if (!y || check(j, o, y->producer, NULL) != 0)
		return -1;
	replace_quantiser(j, y, o);
	return 1;
}

/* y = base of the first point + steps up - steps down. The base must be one for all channels: where it is not,
 * thresholds at the lowest point lift the others. */
static int build_two_way(struct job *j, const struct course *courses, const struct absorb_options *o)
{
	int64_t channels = j->chain.channels, least = courses[0].first, lift = 0;
	for (int64_t c = 0; c < channels; c++)
		least = courses[c].first < least ? courses[c].first : least;
	for (int64_t c = 0; c < channels; c++)
		lift = courses[c].first - least > lift ? courses[c].first - least : lift;
	int64_t up = steps_of(j, courses, 1, NULL, 0) + lift, down = steps_of(j, courses, -1, NULL, 0);
	int64_t *rows = xcalloc((size_t)(channels * (up + down)) + 1, sizeof *rows), *falls = rows + channels * up;
	if (lift) { /* rows of up - lift steps first, then shifted right behind the lifting ones */
		int64_t plain = up - lift, *steps = xcalloc((size_t)(channels * plain) + 1, sizeof *steps);
		steps_of(j, courses, 1, steps, plain);
		for (int64_t c = 0; c < channels; c++)
			for (int64_t k = 0; k < up; k++) {
				int64_t own = courses[c].first - least, at = k - own;
				rows[c * up + k] = k < own ? j->lo : at < plain ? steps[c * plain + at] : j->hi + 1;
			}
		free(steps);
	} else {
		steps_of(j, courses, 1, rows, up);
	}
	steps_of(j, courses, -1, falls, down);
	int64_t base = j->grid.base + j->grid.stride * least, stride = j->grid.stride;
	struct value *y =
		add_thresholds(j, j->chain.root, rows, up, base, stride, datatype_for_range(base, base + stride * up));
	struct value *z =
		y ? add_thresholds(j, j->chain.root, falls, down, 0, stride, datatype_for_range(0, stride * down))
		  : NULL;
	free(rows);
	if (!z || check(j, o, y->producer, z->producer) != 0)
		return -1;
	struct value *q = add_node2(j->graph, j->quantiser, "", "Sub", y, z, "Sub");
	q->datatype = j->grid.datatype;
	struct absorb_options whole = { .activations_only = o->activations_only };
	replace_quantiser(j, q, &whole);
	return 1;
}

/* Whether each channel only rises or only falls; those that fall get sign -1. */
static bool one_way(struct job *j, const struct course *courses)
{
	bool turned = false;
	for (int64_t c = 0; c < j->chain.channels; c++) {
		bool rises = false, falls = false;
		for (size_t i = 0; i < courses[c].count; i++) {
			rises = rises || courses[c].items[i].change > 0;
			falls = falls || courses[c].items[i].change < 0;
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
	int64_t channels = j->chain.channels, total = j->hi - j->lo + 1;
	if (j->of_floats || total > MOST_POINTS / channels) {
		*reason =
			"what stands before it is not known to be monotone, over too wide a range to look at everywhere";
		return 0;
	}
	struct course *courses = xcalloc((size_t)channels, sizeof *courses);
	int result = look_everywhere(j, courses);
	if (result == 0 && one_way(j, courses)) {
		result = build_monotone(j, o);
	} else if (result == 0) {
		for (int64_t c = 0; c < channels; c++)
			j->sign[c] = 1;
		result = build_two_way(j, courses, o);
	}
	for (int64_t c = 0; c < channels; c++)
		vec_free(&courses[c]);
	free(courses);
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
		j->lo = -LARGEST_KEY;
		j->hi = LARGEST_KEY;
		return true;
	}
	r = range_of(j->graph, j->chain.root);
	if (!r) {
		*reason = "the range of the integer before it is not known, or too wide";
		return false;
	}
	j->lo = r->lo;
	j->hi = r->hi;
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
	if ((direction < 0 || mixed) && find_signs(j, direction, mixed) != 0)
		return -1;
	return build_monotone(j, o);
}

int absorb_into_thresholds(struct graph *g, struct node *quantiser, const struct absorb_options *o, const char **reason,
			   struct diags *d)
{
	struct job j = { .graph = g, .quantiser = quantiser, .diags = d };
	if (!grid_of(quantiser, &j.grid, reason))
		return 0;
	if (j.grid.steps < 0) {
		*reason = "its bit width leaves it no level";
		return 0;
	}
	if (j.grid.steps > MOST_STEPS) {
		*reason = "it has more levels than thresholds can tell apart (65,536)";
		return 0;
	}
	int result = absorb(&j, o, reason);
	chain_free(&j.chain);
	free(j.sign);
	return result;
}

/* Certificates: exhaustive comparison of thresholds with what they replace. */
#include "passes/certify.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "util/limits.h"
#include "util/vec.h"

enum {
	AT_ONCE = 1 << 15,
	FLOAT_COUNTS_TO = 1 << 24,
};

/* ---- what the new nodes say ---- */

/* What one of the new nodes gives for the points of all channels, arranged as the chain has them. */
static int execute_node(const struct claim *c, struct node *n, const double *points, int64_t count, double *y,
			struct diags *d)
{
	struct chain one = { .root = node_input(n, 0),
			     .nodes = &n,
			     .count = 1,
			     .axis = c->chain->axis,
			     .channels = c->chain->channels };
	return chain_eval(&one, points, y, count, false, d);
}

/* up - down, rounded to the integers they are. */
static int new_levels(const struct claim *c, const double *points, int64_t n, double *levels, struct diags *d)
{
	int64_t count = n * c->chain->channels;
	double *down = xcalloc((size_t)count, sizeof *down);
	int result = execute_node(c, c->up, points, n, levels, d);
	if (result == 0 && c->down)
		result = execute_node(c, c->down, points, n, down, d);
	for (int64_t i = 0; i < count; i++)
		levels[i] = rint(levels[i] - down[i]);
	free(down);
	return result;
}

/* The integer that a level of the grid is. */
static int64_t old_level(const struct claim *c, int64_t channel, double y)
{
	return c->grid->base + c->grid->stride * quant_grid_level(c->grid, channel, y);
}

/* ---- comparing ---- */

/* What comparing has found so far. */
struct found {
	int64_t points, undecided;
	struct certified_point named[MOST_NAMED_POINTS];
};

static void name_point(struct found *found, int64_t channel, double x)
{
	if (found->undecided < MOST_NAMED_POINTS)
		found->named[found->undecided] = (struct certified_point){ channel, (int64_t)x };
	found->undecided++;
}

/* What the chain's root is at a point of that channel. */
static double root_at(const struct claim *c, int64_t channel, double point)
{
	double x = c->sign[channel] * point;
	return c->of_floats ? x : fmin(fmax(x, (double)c->root_lo), (double)c->root_hi);
}

/* n points in all channels, points[p * channels + c]. With shift, levels of a node whose offset was moved apart
 * count from 0. */
static int compare(const struct claim *c, const double *points, int64_t n, int64_t shift, struct found *found,
		   struct diags *d)
{
	int64_t channels = c->chain->channels, count = n * channels;
	double *x = xcalloc(4 * (size_t)count, sizeof *x), *y = x + count, *exact = y + count, *levels = exact + count;
	for (int64_t i = 0; i < count; i++)
		x[i] = root_at(c, i % channels, points[i]);
	int result = chain_eval(c->chain, x, y, n, false, d);
	if (result == 0)
		result = chain_eval(c->chain, x, exact, n, true, d);
	if (result == 0)
		result = new_levels(c, points, n, levels, d);
	for (int64_t i = 0; i < count && result == 0; i++) {
		int64_t channel = i % channels, now = llrint(levels[i]) + shift;
		int64_t was = old_level(c, channel, y[i]);
		if (now != was)
			result =
				diag_node_error(d, c->up, "please report this as a bug of qcc",
						"certificate: channel %lld gives %lld at %.9g, the original gives %lld",
						(long long)channel, (long long)now, points[i], (long long)was);
		else if (old_level(c, channel, exact[i]) != now)
			name_point(found, channel, points[i]);
	}
	found->points += count;
	free(x);
	return result;
}

static int compare_integers(const struct claim *c, int64_t shift, struct found *found, struct diags *d)
{
	int64_t channels = c->chain->channels, at_once = chain_points_at_once(c->chain, AT_ONCE, c->hi - c->lo + 1);
	double *points = xcalloc((size_t)(at_once * channels), sizeof *points);
	int result = 0;
	for (int64_t p = c->lo; p <= c->hi && result == 0; p += at_once) {
		int64_t n = c->hi - p + 1 < at_once ? c->hi - p + 1 : at_once;
		progress_tell(d, "certify", (double)(p - c->lo) / (double)(c->hi - c->lo + 1));
		for (int64_t i = 0; i < n * channels; i++)
			points[i] = (double)(p + i / channels);
		result = compare(c, points, n, shift, found, d);
	}
	progress_tell(d, "certify", 1);
	free(points);
	return result;
}

/* A float32 at or below x. Beyond 2^24 float32 does not hold every integer; the network can only produce those it holds. */
static double float_below(double x)
{
	float f = (float)x;
	return (double)f > x ? (double)nextafterf(f, -INFINITY) : (double)f;
}

/* The point of a threshold; where no point reaches it or all do, one at that end. */
static double point_at(const struct claim *c, float threshold)
{
	if (c->of_floats)
		return isinf(threshold) ? 0 : (double)threshold;
	double x = ceil((double)threshold), hi = float_below((double)c->hi), lo = -float_below(-(double)c->lo - 1);
	return x > hi ? hi : x < lo ? lo : x;
}

static double point_below(const struct claim *c, double x)
{
	double below = (double)nextafterf((float)x, -INFINITY);
	return c->of_floats ? fmax(below, -(double)FLT_MAX) : fmin(x - 1, below);
}

/* Each threshold and the point right below it, and both ends. Between them neither side changes, because the chain never
 * goes back. */
static int compare_steps(const struct claim *c, int64_t shift, struct found *found, struct diags *d)
{
	const struct tensor *t = node_input(c->up, 1)->constant;
	int64_t channels = c->chain->channels, levels = t->dims[1],
		at_once = chain_points_at_once(c->chain, AT_ONCE, levels);
	double *points = xcalloc((size_t)(2 * (at_once ? at_once : 1) * channels), sizeof *points);
	for (int64_t i = 0; i < channels; i++) {
		points[i] = c->of_floats ? -(double)FLT_MAX : -float_below(-(double)c->lo);
		points[channels + i] = c->of_floats ? (double)FLT_MAX : float_below((double)c->hi);
	}
	int result = compare(c, points, 2, shift, found, d);
	for (int64_t k = 0; k < levels && result == 0; k += at_once) {
		int64_t n = levels - k < at_once ? levels - k : at_once;
		progress_tell(d, "certify", (double)k / (double)levels);
		for (int64_t i = 0; i < n * channels; i++) {
			int64_t row = t->dims[0] > 1 ? i % channels : 0;
			points[i] = point_at(c, tensor_floats(t)[row * levels + k + i / channels]);
			points[n * channels + i] = point_below(c, points[i]);
		}
		result = compare(c, points, 2 * n, shift, found, d);
	}
	progress_tell(d, "certify", 1);
	free(points);
	return result;
}

/* Whether the chain goes one way in each channel, so that its steps tell everything. */
static bool goes_one_way(const struct claim *c)
{
	bool mixed = false;
	for (size_t i = 0; i < c->chain->count; i++)
		if (!elementwise_direction(c->chain->nodes[i], &mixed) && !mixed)
			return false;
	return !c->down;
}

/* Of a chain that goes one way the steps, wherever there are fewer of them than points; of floats always. A chain that
 * turns back is looked at everywhere. */
static bool looks_at_steps(const struct claim *c)
{
	int64_t steps = node_input(c->up, 1)->constant->dims[1];
	return c->of_floats || (goes_one_way(c) && c->hi - c->lo > 2 * (steps + 1));
}

/* ---- in the network's own shape ---- */

/* A root of the network's shape that goes through the whole range; with `turned`, in the chain's own sign. */
static struct tensor *root_tensor(const struct claim *c, bool turned)
{
	enum { STRIDE = 7919 }; /* a prime: neighbours along any axis differ */
	const struct value *v = c->chain->root;
	int64_t dims[MAX_RANK], inner = 1;
	for (int i = 0; i < v->rank; i++)
		dims[i] = v->dims[i] > 0 ? v->dims[i] : 1;
	for (int i = c->chain->axis + 1; i < v->rank; i++)
		inner *= dims[i];
	double lo = c->of_floats ? -8 : fmax((double)c->lo, -FLOAT_COUNTS_TO);
	double hi = c->of_floats ? 8 : fmin((double)c->hi, FLOAT_COUNTS_TO);
	int64_t span = (int64_t)(hi - lo) + 1;
	struct tensor *t = tensor_new_raw(ELEM_FLOAT, v->rank, dims);
	for (int64_t i = 0; t && i < t->count; i++) {
		int64_t channel = i / inner % c->chain->channels;
		double x = root_at(c, channel, lo + (double)(i * STRIDE % span));
		((float *)t->data)[i] = (float)(turned ? x : c->sign[channel] * x);
	}
	return t;
}

static struct tensor *run_between(struct value *root, struct value *result, struct tensor *t, struct diags *d)
{
	struct chain c;
	if (!chain_between(root, result, &c))
		return NULL;
	struct tensor *y = chain_run(&c, t, d);
	chain_free(&c);
	return y;
}

static int compare_tensors(const struct claim *c, const struct tensor *was, const struct tensor *is, struct diags *d)
{
	double lo, hi;
	if (was->count != is->count)
		return diag_node_error(d, c->up, "please report this as a bug of qcc",
				       "certificate: it changes the shape of its data");
	tensor_min_max(was, &lo, &hi);
	double slack = 1e-6 * fmax(fabs(lo), fabs(hi));
	for (int64_t i = 0; i < was->count; i++)
		if (!(fabs(tensor_at(was, i) - tensor_at(is, i)) <= slack))
			return diag_node_error(
				d, c->up, "please report this as a bug of qcc",
				"certificate: element %lld of a tensor of its shape is %.9g, the original gives %.9g",
				(long long)i, tensor_at(is, i), tensor_at(was, i));
	return 0;
}

/* Chain and result on a tensor of the root's shape; nothing to compare where that shape is not known. */
static int compare_shaped(const struct claim *c, struct diags *d)
{
	const struct node *quantiser = c->chain->nodes[c->chain->count - 1];
	struct value *new_root = node_input(c->up, 0);
	if (c->chain->root->rank < 0)
		return 0;
	struct tensor *x = root_tensor(c, false), *turned = root_tensor(c, true);
	struct tensor *was = x && turned ? run_between(c->chain->root, quantiser->outputs[0], turned, d) : NULL;
	struct tensor *is = was ? run_between(new_root, c->result, x, d) : NULL;
	int status = was && is ? compare_tensors(c, was, is, d) : -1;
	if (!was || !is)
		diag_node_error(d, c->up, "please report this as a bug of qcc",
				"certificate: it cannot be executed on a tensor of its shape");
	tensor_unref(x);
	tensor_unref(turned);
	tensor_unref(was);
	tensor_unref(is);
	return status;
}

int certify(const struct claim *c, struct certificates *list, struct diags *d)
{
	const struct node *quantiser = c->chain->nodes[c->chain->count - 1];
	struct found found = { 0 };
	bool apart = !c->down && node_attr_float(c->up, "out_bias", 0) == 0;
	int64_t shift = apart ? c->grid->base : 0;
	if ((looks_at_steps(c) ? compare_steps : compare_integers)(c, shift, &found, d) != 0 ||
	    compare_shaped(c, d) != 0)
		return -1;
	struct certificate made = {
		.replaces = arena_strdup(&list->arena, node_label(quantiser)),
		.node = c->up->id,
		.channels = c->chain->channels,
		.lo = c->of_floats ? 1 : c->lo,
		.hi = c->of_floats ? 0 : c->hi,
		.points = found.points,
		.undecided = found.undecided,
	};
	if (found.undecided)
		made.named = arena_copy(&list->arena, found.named, sizeof found.named);
	vec_push(list, made);
	return 0;
}

/* ---- report ---- */

json_t *certificate_json(const struct certificate *c)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "pass", c->pass, "layer", c->layer, "replaces",
			      c->replaces, "channels", (json_int_t)c->channels, "points", (json_int_t)c->points,
			      "undecided_by_float32", (json_int_t)c->undecided);
	if (c->lo <= c->hi)
		json_object_set_new(o, "range", json_pack("[I, I]", (json_int_t)c->lo, (json_int_t)c->hi));
	else
		json_object_set_new(o, "range", json_string("float32"));
	json_t *points = json_array();
	for (int64_t i = 0; i < c->undecided && i < MOST_NAMED_POINTS; i++)
		json_array_append_new(points, json_pack("{s:I, s:I}", "channel", (json_int_t)c->named[i].channel, "at",
							(json_int_t)c->named[i].point));
	json_object_set_new(o, "undecided", points);
	return o;
}

/* Labels of the nodes by their id; NULL where a node is gone. */
static const char **labels_by_id(const struct graph *g)
{
	const char **labels = xcalloc(g->next_node_id + 1u, sizeof *labels);
	graph_for_each_node (g, n)
		labels[n->id] = node_label(n);
	return labels;
}

/* A certificate that outlives its pass. Thresholds that went into others since go by what they replaced. */
static void keep(struct certificates *run, const struct certificate *c, const char *pass, const char *label)
{
	struct certificate kept = *c;
	kept.pass = pass;
	kept.layer = arena_strdup(&run->arena, label ? label : c->replaces);
	kept.replaces = arena_strdup(&run->arena, c->replaces);
	if (c->named)
		kept.named = arena_copy(&run->arena, c->named, MOST_NAMED_POINTS * sizeof *c->named);
	vec_push(run, kept);
}

void certificates_report(struct certificates *list, struct pass_ctx *ctx)
{
	struct certificates *run = ctx->driver->certificates;
	const char **labels = run && list->count ? labels_by_id(ctx->graph) : NULL;
	for (size_t i = 0; labels && i < list->count; i++)
		keep(run, &list->items[i], ctx->pass->name, labels[list->items[i].node]);
	if (ctx->driver->certify)
		json_object_set_new(ctx->report, "certificates", json_integer((json_int_t)list->count));
	free(labels);
	certificates_free(list);
}

void certificates_free(struct certificates *list)
{
	vec_free(list);
	arena_free(&list->arena);
}

/* Following the decisions of one graph's quantisers through another graph: see decisions.h. */
#include "pipeline/decisions.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "exec/exec.h"
#include "passes/chain.h"
#include "passes/quant_grid.h"
#include "util/vec.h"
#include "util/integers.h"

/* ---- what a quantiser decided ---- */

static bool takes_thresholds_apart(const struct node *n)
{
	if (n->op != &op_Sub)
		return false;
	const struct node *up = node_input(n, 0)->producer, *down = node_input(n, 1)->producer;
	return up && down && up->op == &op_MultiThreshold && down->op == &op_MultiThreshold;
}

/* A node whose output steps from level to level. Thresholds that rise and fall are the difference of two. */
static bool is_decision(const struct node *n)
{
	if (!n || !n->op)
		return false;
	unsigned both = OP_QUANTISER | OP_ELEMENTWISE;
	return (n->op->flags & both) == both || n->op == &op_Round || n->op == &op_Floor || n->op == &op_Ceil ||
	       n->op == &op_Sign || takes_thresholds_apart(n);
}

/* How integers and the numbers that n puts out belong together: number = scale * integer + bias. */
struct levels {
	struct quant_grid grid;
	int axis; /* of grid.scales; -1: one scale */
	int64_t channels, inner;
};

static struct levels levels_of(const struct node *n, const struct tensor *y)
{
	struct levels l = { .axis = -1, .channels = 1, .inner = 1 };
	const char *reason;
	if (takes_thresholds_apart(n) || !quant_grid_of(n, &l.grid, &reason))
		l.grid = (struct quant_grid){ .scale = 1, .stride = 1 };
	if (!l.grid.scales)
		return l;
	l.axis = elementwise_axis(n, y->rank);
	if (l.axis < 0 || l.grid.scales->count != y->dims[l.axis]) {
		l.grid = (struct quant_grid){ .scale = 1, .stride = 1 };
		return l;
	}
	l.channels = y->dims[l.axis];
	l.inner = dims_product(y->dims, l.axis + 1, y->rank);
	return l;
}

static double level_scale(const struct levels *l, int64_t i)
{
	return quant_grid_scale(&l->grid, l->grid.scales ? i / l->inner % l->channels : 0);
}

/* The integers that stand for the elements of y; malloc'd. */
static double *read_levels(const struct node *n, const struct tensor *y)
{
	struct levels l = levels_of(n, y);
	double *integers = xcalloc((size_t)y->count + 1, sizeof *integers);
	for (int64_t i = 0; i < y->count; i++)
		integers[i] = rint((tensor_at(y, i) - l.grid.bias) / level_scale(&l, i));
	return integers;
}

/* ---- the graph whose decisions are followed ---- */

struct decision {
	double *levels;
	int64_t count;
};

struct decisions {
	struct decision *items;
	size_t count, capacity;
};

static void note_decision(void *user, const struct value *v, const struct tensor *t)
{
	struct decisions *list = user;
	if (!v->constant && t && is_decision(v->producer))
		vec_push(list, ((struct decision){ read_levels(v->producer, t), t->count }));
}

static void decisions_free(struct decisions *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].levels);
	vec_free(list);
}

static int64_t differing(const double *a, const double *b, double offset, int64_t count)
{
	int64_t n = 0;
	for (int64_t i = 0; i < count; i++)
		n += a[i] != b[i] + offset;
	return n;
}

static double median_difference(const double *a, const double *b, int64_t count)
{
	double *all = xcalloc((size_t)count, sizeof *all);
	for (int64_t i = 0; i < count; i++)
		all[i] = a[i] - b[i];
	qsort(all, (size_t)count, sizeof *all, compare_doubles);
	double median = all[count / 2];
	free(all);
	return median;
}

/* The decision on the same numbers: the same levels, or levels shifted by one offset (a zero point), in more than half of the
 * elements. NULL where there is none. */
static const struct decision *counterpart(const struct decisions *list, const double *levels, int64_t count,
					  double *offset)
{
	const struct decision *best = NULL;
	int64_t least = (count + 1) / 2;
	for (size_t i = 0; i < list->count && least > 0; i++) {
		const struct decision *d = &list->items[i];
		if (d->count != count)
			continue;
		double offsets[2] = { 0 };
		int64_t n = differing(d->levels, levels, 0, count);
		if (n >= least) {
			offsets[1] = median_difference(d->levels, levels, count);
			n = differing(d->levels, levels, offsets[1], count);
		}
		if (n < least) {
			least = n;
			best = d;
			*offset = offsets[1];
		}
	}
	return best;
}

/* ---- the graph that follows ---- */

/* Values of a graph under execution in one arithmetic, by value id. */
struct lane {
	enum elem_type real;
	struct tensor **values;
};

struct follower {
	const struct graph *graph;
	struct lane exact, single;
	bool *fixed; /* by value id: computed from constants alone */
	const struct decisions *decisions;
	struct decision_report *report;
	struct diags *diags;
};

static struct tensor *in_arithmetic(struct tensor *t, enum elem_type from, enum elem_type to)
{
	return t && t->elem == from ? tensor_cast(t, to) : tensor_ref(t);
}

static struct tensor *lane_value(const struct lane *l, const struct value *v)
{
	if (!v)
		return NULL;
	return v->constant ? in_arithmetic(v->constant, ELEM_FLOAT, l->real) : tensor_ref(l->values[v->id]);
}

static void set_value(struct lane *l, const struct value *v, struct tensor *t)
{
	tensor_unref(l->values[v->id]);
	l->values[v->id] = t;
}

static void unref_all(struct tensor **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		tensor_unref(list[i]);
	free(list);
}

static struct tensor **lane_inputs(const struct lane *l, const struct node *n)
{
	struct tensor **in = xcalloc(n->n_inputs + 1u, sizeof(struct tensor *));
	for (uint32_t i = 0; i < n->n_inputs; i++)
		in[i] = lane_value(l, n->inputs[i].value);
	return in;
}

/* An operator that knows no float64 computes in float32. */
static int execute_somehow(const struct node *n, struct tensor **in, struct tensor **out, struct diags *d)
{
	struct diags quiet = { 0 };
	int status = node_execute(n, in, out, 1, &quiet);
	diags_free(&quiet);
	if (status == 0)
		return 0;
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		struct tensor *t = in_arithmetic(in[i], ELEM_DOUBLE, ELEM_FLOAT);
		tensor_unref(in[i]);
		in[i] = t;
	}
	return node_execute(n, in, out, 1, d);
}

static int lane_execute(struct lane *l, const struct node *n, struct diags *d)
{
	struct tensor **in = lane_inputs(l, n), **out = xcalloc(n->n_outputs + 1u, sizeof(struct tensor *));
	int status = execute_somehow(n, in, out, d);
	for (uint32_t i = 0; i < n->n_outputs && status == 0; i++)
		if (n->outputs[i])
			set_value(l, n->outputs[i], in_arithmetic(out[i], ELEM_FLOAT, l->real));
	unref_all(in, n->n_inputs);
	unref_all(out, n->n_outputs);
	return status;
}

/* How far a number may be from where exact arithmetic puts it: a few times what float32 was seen to be off in this very
 * tensor, and a few units in the last place of its largest element. */
static double accuracy(const struct tensor *exact, const struct tensor *single, double *largest)
{
	double off = 0;
	*largest = 0;
	for (int64_t i = 0; i < exact->count && i < single->count; i++) {
		double x = tensor_at(exact, i), y = tensor_at(single, i);
		if (!isfinite(x) || !isfinite(y))
			continue;
		off = fmax(off, fabs(x - y));
		*largest = fmax(*largest, fabs(x));
	}
	return fmin(8 * off, *largest * 0x1p-14) + *largest * 0x1p-22;
}

/* Levels of n where its data lie that much higher; NULL where they cannot be computed. */
static double *levels_at(const struct follower *f, const struct node *n, double shift)
{
	struct tensor **in = lane_inputs(&f->exact, n), **out = xcalloc(n->n_outputs + 1u, sizeof(struct tensor *));
	struct tensor *x = tensor_cast(in[0], ELEM_DOUBLE), *moved = tensor_copy(x);
	for (int64_t i = 0; i < moved->count; i++)
		((double *)moved->data)[i] += shift;
	tensor_unref(x);
	tensor_unref(in[0]);
	in[0] = moved;
	double *levels = execute_somehow(n, in, out, f->diags) == 0 ? read_levels(n, out[0]) : NULL;
	unref_all(in, n->n_inputs);
	unref_all(out, n->n_outputs);
	return levels;
}

/* The first element whose wanted level is out of reach when all numbers may move by `reach`; -1: none; -2: unknown. */
static int64_t first_out_of_reach(const struct follower *f, const struct node *n, const double *own,
				  const double *wanted, int64_t count, double reach)
{
	double *below = levels_at(f, n, -reach), *above = levels_at(f, n, reach);
	int64_t first = below && above ? -1 : -2;
	for (int64_t i = 0; i < count && first == -1; i++)
		if (wanted[i] != own[i] &&
		    (wanted[i] < fmin(below[i], above[i]) || wanted[i] > fmax(below[i], above[i])))
			first = i;
	free(below);
	free(above);
	return first;
}

/* The least reach, by halves, at which every wanted level is still there. */
static double distance_of(const struct follower *f, const struct node *n, const double *own, const double *wanted,
			  int64_t count, double reach)
{
	enum { HALVINGS = 30 };
	for (int i = 0; i < HALVINGS && first_out_of_reach(f, n, own, wanted, count, reach / 2) == -1; i++)
		reach /= 2;
	return reach;
}

static void note_undecidable(struct follower *f, const struct node *n, int64_t count, double distance)
{
	struct decision_report *r = f->report;
	if (!r->quantiser)
		r->quantiser = node_label(n);
	r->undecidable += count;
	r->distance = fmax(r->distance, distance);
}

/* Both arithmetics go on with the wanted levels. */
static void take_levels(struct follower *f, const struct node *n, const double *own, const double *wanted)
{
	struct value *v = n->outputs[0];
	const struct tensor *old = f->exact.values[v->id];
	struct tensor *y = tensor_copy(old);
	struct levels l = levels_of(n, old);
	for (int64_t i = 0; i < y->count; i++)
		if (wanted[i] != own[i])
			tensor_put(y, i, level_scale(&l, i) * wanted[i] + l.grid.bias);
	set_value(&f->single, v, in_arithmetic(y, ELEM_DOUBLE, ELEM_FLOAT));
	set_value(&f->exact, v, y);
}

/* The levels that n's counterpart took, or its own where it has none. Malloc'd. */
static double *levels_to_follow(const struct follower *f, const double *own, int64_t count)
{
	double offset = 0, *wanted = xcalloc((size_t)count + 1, sizeof *wanted);
	const struct decision *d = counterpart(f->decisions, own, count, &offset);
	for (int64_t i = 0; i < count; i++)
		wanted[i] = d ? d->levels[i] - offset : own[i];
	return wanted;
}

/* Checks the levels to follow against what float64 finds, and counts the contested ones: those that either float32
 * execution sees otherwise. */
static void judge(struct follower *f, const struct node *n, const double *own, const double *wanted,
		  const double *rounded, int64_t count)
{
	const struct value *in = node_input(n, 0);
	const struct tensor *x = f->exact.values[in->id], *x32 = f->single.values[in->id];
	double *contested = xcalloc((size_t)count + 1, sizeof *contested), largest;
	for (int64_t i = 0; i < count; i++)
		contested[i] = wanted[i] != own[i] ? wanted[i] : rounded[i];
	int64_t differ = differing(contested, own, 0, count);
	if (differ > 0) {
		double reach = accuracy(x, x32, &largest);
		int64_t far = first_out_of_reach(f, n, own, wanted, count, reach);
		if (far == -1) {
			double distance = distance_of(f, n, own, contested, count, reach);
			note_undecidable(f, n, differ, distance / fmax(largest, DBL_MIN));
		} else if (!f->report->wrong) {
			f->report->wrong = node_label(n);
			f->report->wrong_element = far;
		}
	}
	free(contested);
}

/* n decides as its counterpart did where it may. */
static void follow(struct follower *f, const struct node *n)
{
	const struct value *in = node_input(n, 0), *v = n->outputs[0];
	const struct tensor *y = f->exact.values[v->id], *y32 = f->single.values[v->id];
	if (!f->exact.values[in->id] || !f->single.values[in->id])
		return;
	double *own = read_levels(n, y), *rounded = read_levels(n, y32);
	double *wanted = levels_to_follow(f, own, y->count);
	judge(f, n, own, wanted, rounded, y->count);
	take_levels(f, n, own, wanted);
	free(own);
	free(rounded);
	free(wanted);
}

/* Quantised weights are what float32 makes of them: every pass computes them so. */
static void keep_single(struct follower *f, const struct node *n)
{
	const struct value *v = n->outputs[0];
	double *own = read_levels(n, f->exact.values[v->id]), *wanted = read_levels(n, f->single.values[v->id]);
	take_levels(f, n, own, wanted);
	free(own);
	free(wanted);
}

static bool reads_constants_only(const struct follower *f, const struct node *n)
{
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		const struct value *v = n->inputs[i].value;
		if (v && !v->constant && !f->fixed[v->id])
			return false;
	}
	return true;
}

static int run_follower(struct follower *f)
{
	graph_for_each_node (f->graph, n) {
		if (lane_execute(&f->exact, n, f->diags) != 0 || lane_execute(&f->single, n, f->diags) != 0)
			return -1;
		bool fixed = reads_constants_only(f, n), decides = is_decision(n) && !takes_thresholds_apart(n);
		for (uint32_t i = 0; i < n->n_outputs; i++)
			if (n->outputs[i])
				f->fixed[n->outputs[i]->id] = fixed;
		if (decides && fixed)
			keep_single(f, n);
		else if (decides)
			follow(f, n);
	}
	return 0;
}

static int take_outputs(const struct follower *f, struct tensor **outputs)
{
	for (uint32_t i = 0; i < f->graph->n_outputs; i++) {
		outputs[i] = lane_value(&f->exact, f->graph->outputs[i].value);
		if (!outputs[i])
			return diag_error(f->diags, NULL, "output '%s' is never computed", f->graph->output_names[i]);
	}
	return 0;
}

static int follow_through(struct follower *f, struct tensor *const *inputs, struct tensor **outputs)
{
	enum { MOST_INPUTS = 64 };
	struct value *fed[MOST_INPUTS];
	size_t values = f->graph->next_value_id + 1u, count = graph_data_inputs(f->graph, fed, MOST_INPUTS);
	f->exact = (struct lane){ ELEM_DOUBLE, xcalloc(values, sizeof(struct tensor *)) };
	f->single = (struct lane){ ELEM_FLOAT, xcalloc(values, sizeof(struct tensor *)) };
	f->fixed = xcalloc(values, sizeof *f->fixed);
	for (size_t i = 0; i < count && i < MOST_INPUTS; i++) {
		set_value(&f->exact, fed[i], in_arithmetic(inputs[i], ELEM_FLOAT, ELEM_DOUBLE));
		set_value(&f->single, fed[i], tensor_ref(inputs[i]));
	}
	int status = run_follower(f);
	if (status == 0)
		status = take_outputs(f, outputs);
	unref_all(f->exact.values, values);
	unref_all(f->single.values, values);
	free(f->fixed);
	return status;
}

int follow_decisions(const struct graph *before, const struct graph *after, struct tensor *const *inputs,
		     struct tensor **was, struct tensor **is, struct decision_report *report, struct diags *d)
{
	struct decisions decisions = { 0 };
	struct exec_options o = { .threads = 1, .observe = note_decision, .user = &decisions };
	struct follower f = { .graph = before, .decisions = &decisions, .report = report, .diags = d };
	int status = exec_graph(after, inputs, is, &o, d);
	if (status == 0)
		status = follow_through(&f, inputs, was);
	decisions_free(&decisions);
	return status;
}

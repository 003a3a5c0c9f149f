/* Thresholds become integers where their operand is one (x >= t is then x >= ceil(t)) and are clamped to the
 * operand's range; rows that are all equal are stored once. They are attached to the layer that computes the operand
 * where it can still take them, else they are a layer of their own. */
#include "plan/lower.h"
#include "ops/channels.h"
#include "util/integers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows of the constant as doubles, each in ascending order, and one row where all are equal. */
static double *rows_of(struct lowering *l, const struct tensor *t, double factor, struct plan_activation *s)
{
	double *rows = arena_array(&l->plan->arena, double, t->count + 1);
	s->count = t->rank ? t->dims[t->rank - 1] : 1;
	s->channels = s->count ? t->count / s->count : 1;
	for (int64_t i = 0; i < t->count; i++)
		rows[i] = tensor_at(t, i) * factor;
	for (int64_t c = 0; c < s->channels; c++)
		qsort(rows + c * s->count, (size_t)s->count, sizeof *rows, compare_doubles);
	bool equal = true;
	for (int64_t i = s->count; i < t->count && equal; i++)
		equal = rows[i] == rows[i - s->count];
	if (equal)
		s->channels = 1;
	return rows;
}

static int64_t clamp_threshold(double t, int64_t lo, int64_t hi)
{
	double up = ceil(t);
	int64_t above = hi < INT64_MAX ? hi + 1 : hi;
	return up <= (double)lo ? lo : up > (double)hi || up >= 0x1p63 ? above : (int64_t)up;
}

/* Lines instead of thresholds, where that many are closer to one than to a table. */
static void find_lines(struct lowering *l, struct plan_activation *s, const struct requantise_problem *p)
{
	enum { LEAST = 8 }; /* as many comparisons take as long as a multiplication of 64 bits */
	/* Small, so that a look at the exceptions is rare; but any is cheaper than comparing. */
	static const double doubt[] = { 1.0 / 1024, 1.0 / 128, 1.0 / 16 };
	enum { DOUBTS = sizeof doubt / sizeof *doubt };
	struct requantisation *q = arena_array(&l->plan->arena, struct requantisation, s->channels + 1);
	size_t i = 0;
	while (s->count >= LEAST && i < DOUBTS && !requantise_channels(p, s->channels, doubt[i], q))
		i++;
	if (s->count < LEAST || i == DOUBTS)
		return;
	for (int64_t c = 0; c < s->channels; c++) {
		size_t size = (size_t)q[c].n_exceptions * sizeof *q[c].exceptions;
		struct requantise_exception *kept = arena_copy(&l->plan->arena, q[c].exceptions, size);
		free(q[c].exceptions);
		q[c].exceptions = kept;
		s->doubt = q[c].doubt > s->doubt ? q[c].doubt : s->doubt;
	}
	s->lines = q;
}

/* Range analysis knows more of the graph than the layer does: thresholds of sums that do not occur are not on the line. */
static void tighten(const struct range *r, int axis, int64_t channel, int64_t *lo, int64_t *hi)
{
	bool own = r->axis == axis && channel >= 0 && channel < r->channels;
	int64_t least = own ? r->channel_lo[channel] : r->lo, most = own ? r->channel_hi[channel] : r->hi;
	*lo = least > *lo ? least : *lo;
	*hi = most < *hi ? most : *hi;
}

/* Where clamping could make rows of one unlike, keep one row per channel only if the ranges are per channel. */
static void int_thresholds(struct lowering *l, struct plan_activation *s, const double *rows,
			   const struct plan_layer *y, const struct plan_buf *in, const struct range *known, int axis)
{
	int64_t *t = arena_array(&l->plan->arena, int64_t, s->channels * s->count + 1);
	struct contents whole = in ? contents_of(in) : contents_int(INT64_MAX, INT64_MIN);
	for (int64_t o = 0; y && o < y->window.oc; o++) {
		whole.lo = y->channel_lo[o] < whole.lo ? y->channel_lo[o] : whole.lo;
		whole.hi = y->channel_hi[o] > whole.hi ? y->channel_hi[o] : whole.hi;
	}
	struct requantise_problem *p = arena_array(&l->plan->arena, struct requantise_problem, s->channels + 1);
	for (int64_t c = 0; c < s->channels; c++) {
		bool own = y && s->channels == y->window.oc;
		int64_t lo = own ? y->channel_lo[c] : whole.lo, hi = own ? y->channel_hi[c] : whole.hi;
		for (int64_t i = 0; i < s->count; i++)
			t[c * s->count + i] = clamp_threshold(rows[c * s->count + i], lo, hi);
		if (known)
			tighten(known, axis, s->channels == 1 ? -1 : c, &lo, &hi);
		p[c] = (struct requantise_problem){ t + c * s->count, s->count, lo, hi };
	}
	s->t = t;
	find_lines(l, s, p);
}

static void real_thresholds(struct lowering *l, struct plan_activation *s, const double *rows)
{
	float *t = arena_array(&l->plan->arena, float, s->channels * s->count + 1);
	for (int64_t i = 0; i < s->channels * s->count; i++)
		t[i] = (float)rows[i];
	s->real = t;
}

static bool has_nan(const struct tensor *t)
{
	for (int64_t i = 0; i < t->count; i++)
		if (isnan(tensor_at(t, i)))
			return true;
	return false;
}

/* Whether scale and bias make the counts integers that are kept as such. */
static bool keeps_integers(const struct thresholds *t)
{
	return t->scale == floor(t->scale) && t->scale > 0 && t->scale <= 0x1p31 && t->bias == floor(t->bias) &&
	       fabs(t->bias) <= 0x1p53;
}

/* A scale or bias that is no integer: thresholds count, and the rest is float arithmetic after them. */
static int scale_after(struct lowering *l, const struct node *n, struct plan_buf *count, double scale, double bias,
		       const struct value *result)
{
	struct plan_buf *product = lower_buf_like(l, count, "scaled", contents_real());
	const double factor[2] = { scale, bias };
	for (int i = 0; i < 2; i++) {
		struct plan_buf *from = i ? product : count;
		struct plan_layer *y = lower_layer(l, n, PLAN_BINARY, from);
		y->function = i ? PLAN_ADD : PLAN_MUL;
		y->real = true;
		y->operand = arena_copy(&l->plan->arena, &factor[i], sizeof(double));
		y->operand_count = 1;
		y->out = i ? lower_buf(l, result, count->channels_last, contents_real()) : product;
		y->stride_a = lower_strides(l, from, y->out);
		y->stride_b = arena_array(&l->plan->arena, int64_t, y->out->rank + 1);
	}
	return 0;
}

/* The buffer of what the thresholds give: an image layer's keeps the order the layer writes in, unless it is
 * an output, which has the graph's. */
static struct plan_buf *activation_buf(struct lowering *l, struct plan_layer *y, const struct plan_buf *in,
				       const struct value *x, const struct value *result, bool integral,
				       struct contents c)
{
	bool image = y && !y->window.dense && !lower_is_native(y->node);
	bool last = y ? image && l->options->channels_last && y->window.out_last && !value_is_output(result)
		      : lower_result_last(l, result, in);
	struct plan_buf *out = integral ? lower_buf(l, result, last, c)
					: lower_buf_like(l, y ? lower_buf(l, x, last, c) : in, "count", c);
	if (image)
		y->window.out_last = out->channels_last || y->window.oc == 1;
	return out;
}

int lower_activation(struct lowering *l, const struct node *n, const struct value *x, const struct thresholds *t,
		     const struct value *result)
{
	struct plan_layer *y = l->pending[x->id];
	struct plan_buf *in = l->of[x->id];
	struct plan_activation *s = arena_new(&l->plan->arena, struct plan_activation);
	bool integral = keeps_integers(t);
	if (has_nan(t->t) || t->t->count > INT32_MAX)
		return lower_unsupported(l, n, "thresholds that are no numbers, or this many");
	const double *rows = rows_of(l, t->t, t->factor, s);
	s->node = n;
	s->base = integral ? (int64_t)t->bias : 0;
	s->step = integral ? (int64_t)t->scale : 1;
	if (!y && !in)
		return lower_unsupported(l, n, "a constant as this operand");
	/* Where one node sums and compares, the sum is no value of the graph, and nothing is known of it. */
	const struct range *known = x == result ? NULL : x->range;
	if (y || !in->real)
		int_thresholds(l, s, rows, y, in, known, t->channel_axis);
	else
		real_thresholds(l, s, rows);
	struct contents c = contents_int(s->base, s->base + s->step * s->count);
	c.step = s->step;
	struct plan_buf *out = activation_buf(l, y, in, x, result, integral, c);
	if (!y) {
		y = lower_layer(l, n, PLAN_THRESHOLD, in);
		y->stride_a = lower_strides(l, in, out);
		lower_split(out, lower_storage_axis(out, t->channel_axis), y);
	}
	if (s->channels != 1 && s->channels != (y->kind == PLAN_THRESHOLD ? y->length : y->window.oc))
		return lower_unsupported(l, n, "thresholds of another number of channels");
	y->activation = s;
	y->out = out;
	return integral ? 0 : scale_after(l, n, out, t->scale, t->bias, result);
}

int lower_thresholds(struct lowering *l, const struct node *n)
{
	const struct value *x = node_input(n, 0), *t = node_input(n, 1);
	if (!value_is_constant(t) || t->rank != 2)
		return lower_unsupported(l, n, "thresholds that are computed at run time, or are no matrix");
	struct thresholds what = { t->constant, 1, threshold_axis(n, x->rank), node_attr_float(n, "out_scale", 1),
				   node_attr_float(n, "out_bias", 0) };
	return lower_activation(l, n, x, &what, n->outputs[0]);
}

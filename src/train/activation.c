/* relu(BITS) and quant(BITS): quantised activations y = s clamp(round(x / s), lo, hi), relu without negative codes.
 *
 * The scale s is t / top, where t is a learned number. In the first batches t follows the data: it is a high percentile
 * of |x| in the batch (and its gradient that of the element it is), and a running mean of these is what t starts from,
 * as Brevitas does by default. The surrogate
 * for gradients takes round(x / s) - x / s as a constant inside the range: dy/dx = 1, dy/ds = round(x / s) - x / s;
 * outside dy/dx = 0, dy/ds = the code. Bipolar activations are s sign(x), the range being |x| <= s. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/export.h"
#include "train/net.h"

enum { MOST_TOPS = 64 };
static const double MOMENTUM = 0.1;
static const float LEAST_RANGE = 1e-4f;

struct activation {
	struct bit_width width;
	bool is_signed, narrow;
	float lo, hi, top;
	float range;	 /* t of the current batch */
	bool collecting; /* it is the batch's own percentile */
	int64_t *places; /* of the tops, in the batch */
	float *tops;	 /* parts x MOST_TOPS: the largest magnitudes of each part, descending */
};

static void set_codes(struct activation *a)
{
	int bits = a->width.bits;
	a->top = a->hi = a->is_signed ? (float)((INT64_C(1) << (bits - 1)) - 1) : (float)((INT64_C(1) << bits) - 1);
	a->lo = a->is_signed ? -a->hi - (a->narrow ? 0 : 1) : 0;
	if (a->is_signed && !a->narrow)
		a->top = (float)(INT64_C(1) << (bits - 1));
	if (a->width.kind == BITS_BIPOLAR || a->width.kind == BITS_TERNARY) {
		a->lo = -1;
		a->hi = a->top = 1;
	}
}

static int setup_any(struct net *n, struct layer *l, bool is_signed, struct diags *d)
{
	struct activation *a = xcalloc(1, sizeof *a);
	const char *bits = layer_text(l, "bits", 0);
	int64_t one = 1;
	l->state = a;
	a->width = n->options.acts;
	if (bits && !bit_width_parse(bits, &a->width))
		return layer_error(l, d, "'%s' is no width of activations: 1 to 8, ternary or float", bits);
	a->narrow = a->width.kind == BITS_TERNARY;
	a->is_signed = is_signed || a->width.kind == BITS_TERNARY || a->width.kind == BITS_BIPOLAR;
	set_codes(a);
	if (a->width.kind == BITS_FLOAT)
		return 0;
	struct param *t = layer_add_param(l, "range", 1, &one);
	t->decays = false;
	t->frozen = n->options.collect > 0;
	t->least = LEAST_RANGE;
	t->value[0] = 1;
	layer_add_buffer(l, "collected_range", 1)->value[0] = 1;
	layer_add_buffer(l, "collected_batches", 1);
	a->tops = xcalloc((size_t)(n->parts * MOST_TOPS), sizeof *a->tops);
	a->places = xcalloc((size_t)(n->parts * MOST_TOPS), sizeof *a->places);
	return 0;
}

static int setup_relu(struct net *n, struct layer *l, struct diags *d)
{
	return setup_any(n, l, false, d);
}

static int setup_quant(struct net *n, struct layer *l, struct diags *d)
{
	return setup_any(n, l, true, d);
}

static void free_activation(struct layer *l)
{
	struct activation *a = l->state;
	free(a->tops);
	free(a->places);
	free(a);
}

/* ---- the range ---- */

static bool is_collecting(const struct layer *l)
{
	return l->n_buffers && (double)l->buffers[1].value[0] < (double)l->net->options.collect;
}

static void prepare(struct net *n, struct layer *l)
{
	struct activation *a = l->state;
	if (!l->n_params)
		return;
	a->collecting = n->training && is_collecting(l);
	a->range = is_collecting(l) ? l->buffers[0].value[0] : l->params[0].value[0];
	a->range = a->range > LEAST_RANGE ? a->range : LEAST_RANGE;
	l->params[0].frozen = is_collecting(l);
}

static bool observes(const struct layer *l)
{
	return ((const struct activation *)l->state)->collecting;
}

/* How many of the largest magnitudes lie from the percentile on: the k-th smallest of n is the one, k = n p / 100
 * rounded. */
static int64_t tops_wanted(const struct net *n, const struct layer *l)
{
	double count = (double)(n->rows * l->in.count), k = floor(n->options.percentile / 100 * count + 0.5);
	double m = count - (k < 1 ? 1 : k) + 1;
	return m > MOST_TOPS ? MOST_TOPS : (int64_t)m;
}

static void insert(float *tops, int64_t *places, int64_t wanted, float x, int64_t place)
{
	int64_t i = wanted - 1;
	for (; i > 0 && tops[i - 1] < x; i--) {
		tops[i] = tops[i - 1];
		places[i] = places[i - 1];
	}
	tops[i] = x;
	places[i] = place;
}

static void observe(const struct net *n, struct layer *l, const struct part *p)
{
	const struct activation *a = l->state;
	float *tops = a->tops + p->number * MOST_TOPS;
	int64_t wanted = tops_wanted(n, l), first = p->first * l->in.count, *places = a->places + p->number * MOST_TOPS;
	memset(tops, 0, MOST_TOPS * sizeof *tops);
	memset(places, 0, MOST_TOPS * sizeof *places);
	for (int64_t i = first; i < first + p->rows * l->in.count; i++) {
		float size = a->is_signed ? fabsf(l->x[i]) : l->x[i];
		if (size > tops[wanted - 1])
			insert(tops, places, wanted, size, i);
	}
}

static void observed(struct net *n, struct layer *l)
{
	struct activation *a = l->state;
	float *tops = a->tops, *collected = &l->buffers[0].value[0], *batches = &l->buffers[1].value[0];
	int64_t wanted = tops_wanted(n, l);
	for (int64_t p = 1; p < net_parts_of(n); p++)
		for (int64_t i = 0; i < wanted; i++)
			if (a->tops[p * MOST_TOPS + i] > tops[wanted - 1])
				insert(tops, a->places, wanted, a->tops[p * MOST_TOPS + i],
				       a->places[p * MOST_TOPS + i]);
	a->range = tops[wanted - 1] > LEAST_RANGE ? tops[wanted - 1] : LEAST_RANGE;
	*collected =
		*batches == 0 ? a->range : (float)((1 - MOMENTUM) * (double)*collected + MOMENTUM * (double)a->range);
	*batches += 1;
	if (!is_collecting(l))
		l->params[0].value[0] = *collected;
}

/* ---- values ---- */

static float scale_of(const struct activation *a)
{
	return a->range / a->top;
}

static void forward(const struct net *n, struct layer *l, const struct part *p)
{
	const struct activation *a = l->state;
	int64_t first = p->first * l->in.count, count = p->rows * l->in.count;
	const float *x = l->x + first;
	float *y = l->y + first, s = scale_of(a);
	switch (a->width.kind) {
	case BITS_FLOAT:
		for (int64_t i = 0; i < count; i++)
			y[i] = x[i] > 0 || a->is_signed ? x[i] : 0;
		break;
	case BITS_BIPOLAR:
		for (int64_t i = 0; i < count; i++)
			y[i] = x[i] >= 0 ? s : -s;
		break;
	default: n->kernels->quantise(y, x, s, a->lo, a->hi, count);
	}
}

static double bipolar_back(float *dx, const float *dy, const float *x, float s, int64_t count)
{
	double sum = 0;
	for (int64_t i = 0; i < count; i++) {
		float q = x[i] >= 0 ? 1 : -1;
		bool inside = fabsf(x[i]) <= s;
		sum += (double)(dy[i] * (inside ? q - x[i] / s : q));
		dx[i] = inside ? dy[i] : 0;
	}
	return sum;
}

/* dx, and the part's gradient of t. */
static void both_gradients(const struct net *n, struct layer *l, const struct part *p)
{
	const struct activation *a = l->state;
	int64_t first = p->first * l->in.count, count = p->rows * l->in.count;
	const float *x = l->x + first, *dy = l->dy + first;
	float *dx = l->dx ? l->dx + first : net_scratch(n, p->worker, (size_t)count * sizeof(float)), s = scale_of(a);
	double of_scale = 0;
	if (a->width.kind == BITS_FLOAT)
		for (int64_t i = 0; i < count; i++)
			dx[i] = x[i] > 0 || a->is_signed ? dy[i] : 0;
	else if (a->width.kind == BITS_BIPOLAR)
		of_scale = bipolar_back(dx, dy, x, s, count);
	else
		of_scale = n->kernels->quantise_back(dx, dy, x, s, a->lo, a->hi, a->is_signed ? -INFINITY : 0, count);
	if (l->n_params)
		*param_partial(&l->params[0], p) = (float)(of_scale / (double)a->top);
}

/* While t is a percentile of the batch, its gradient belongs to the element that it is. */
static void give_to_element(struct net *n, struct layer *l)
{
	const struct activation *a = l->state;
	int64_t wanted = tops_wanted(n, l), place = a->places[wanted - 1];
	double sum = 0;
	for (int64_t p = 0; p < net_parts_of(n); p++)
		sum += (double)l->params[0].partial[p];
	if (l->dx && a->tops[wanted - 1] > LEAST_RANGE)
		l->dx[place] += l->x[place] < 0 ? (float)-sum : (float)sum;
}

static void backward(const struct net *n, struct layer *l, const struct part *p)
{
	if (!((const struct activation *)l->state)->collecting)
		both_gradients(n, l, p);
}

static int export(struct export *e, const struct layer *l)
{
	const struct activation *a = l->state;
	if (!a->is_signed)
		export_node(e, "", "Relu", &e->value, 1);
	if (a->width.kind != BITS_FLOAT)
		export_quant(e, l, a->width, a->is_signed, a->narrow, scale_of(a));
	return 0;
}

const struct layer_type layer_relu = {
	.name = "relu",
	.form = "relu([bits])",
	.summary = "activations from 0 on, quantised with a learned scale",
	.setup = setup_relu,
	.prepare = prepare,
	.observes = observes,
	.observe = observe,
	.observed = observed,
	.forward = forward,
	.observe_back = both_gradients,
	.observed_back = give_to_element,
	.backward = backward,
	.export = export,
	.free = free_activation,
};

const struct layer_type layer_quant = {
	.name = "quant",
	.form = "quant([bits])",
	.summary = "signed activations, quantised with a learned scale",
	.setup = setup_quant,
	.prepare = prepare,
	.observes = observes,
	.observe = observe,
	.observed = observed,
	.forward = forward,
	.observe_back = both_gradients,
	.observed_back = give_to_element,
	.backward = backward,
	.export = export,
	.free = free_activation,
};

/* bn: batch normalisation with learned scale and shift per channel; running statistics serve after training.
 *
 * Each part of the batch tells mean and squared deviations of its rows, which are put together exactly (Chan, Golub and
 * LeVeque 1979). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/export.h"
#include "train/net.h"

static const double EPSILON = 1e-5, MOMENTUM = 0.1;

struct batch_norm {
	int64_t channels, inner;
	float *part_mean, *part_squares;  /* parts x channels */
	float *mean, *inverse;		  /* of the batch: mean, 1 / sqrt(variance + epsilon) */
	float *a, *b;			  /* y = x a + b */
	float *back_dy, *back_x, *back_1; /* dx = dy back_dy + x back_x + back_1 */
};

static float *numbers(int64_t n)
{
	return xcalloc((size_t)n, sizeof(float));
}

static int setup(struct net *n, struct layer *l, struct diags *d)
{
	struct batch_norm *s = xcalloc(1, sizeof *s);
	int64_t c = l->in.dims[0];
	(void)d;
	l->state = s;
	s->channels = c;
	s->inner = shape_inner(&l->in);
	layer_add_param(l, "weight", 1, &c)->decays = false;
	layer_add_param(l, "bias", 1, &c)->decays = false;
	layer_add_buffer(l, "running_mean", c);
	layer_add_buffer(l, "running_var", c);
	for (int64_t i = 0; i < c; i++)
		l->params[0].value[i] = l->buffers[1].value[i] = 1;
	s->part_mean = numbers(c * n->parts);
	s->part_squares = numbers(c * n->parts);
	s->mean = numbers(c);
	s->inverse = numbers(c);
	s->a = numbers(c);
	s->b = numbers(c);
	s->back_dy = numbers(c);
	s->back_x = numbers(c);
	s->back_1 = numbers(c);
	return 0;
}

static void free_batch_norm(struct layer *l)
{
	struct batch_norm *s = l->state;
	float *all[] = { s->part_mean, s->part_squares, s->mean,   s->inverse, s->a,
			 s->b,	       s->back_dy,	s->back_x, s->back_1 };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free(all[i]);
	free(s);
}

static void set_line(const struct layer *l, struct batch_norm *s, int64_t c, double mean, double variance)
{
	double inverse = 1 / sqrt(variance + EPSILON), a = (double)l->params[0].value[c] * inverse;
	s->mean[c] = (float)mean;
	s->inverse[c] = (float)inverse;
	s->a[c] = (float)a;
	s->b[c] = (float)((double)l->params[1].value[c] - mean * a);
}

/* After training the running statistics take the batch's place. */
static void prepare(struct net *n, struct layer *l)
{
	struct batch_norm *s = l->state;
	for (int64_t c = 0; c < s->channels && !n->training; c++)
		set_line(l, s, c, (double)l->buffers[0].value[c], (double)l->buffers[1].value[c]);
}

/* ---- statistics ---- */

static void observe(const struct net *n, struct layer *l, const struct part *p)
{
	struct batch_norm *s = l->state;
	const float *x = l->x + p->first * l->in.count;
	float *mean = s->part_mean + p->number * s->channels, *squares = s->part_squares + p->number * s->channels;
	float share = 1 / (float)(p->rows * s->inner);
	memset(mean, 0, (size_t)s->channels * sizeof *mean);
	memset(squares, 0, (size_t)s->channels * sizeof *squares);
	if (s->inner == 1)
		n->kernels->column_sums(mean, x, p->rows, s->channels);
	else
		for (int64_t r = 0; r < p->rows; r++)
			for (int64_t c = 0; c < s->channels; c++)
				for (int64_t i = 0; i < s->inner; i++)
					mean[c] += x[(r * s->channels + c) * s->inner + i];
	for (int64_t c = 0; c < s->channels; c++)
		mean[c] *= share;
	if (s->inner == 1) {
		n->kernels->column_squares(squares, x, mean, p->rows, s->channels);
		return;
	}
	for (int64_t r = 0; r < p->rows; r++)
		for (int64_t c = 0; c < s->channels; c++)
			for (int64_t i = 0; i < s->inner; i++) {
				float gap = x[(r * s->channels + c) * s->inner + i] - mean[c];
				squares[c] += gap * gap;
			}
}

static void observed(struct net *n, struct layer *l)
{
	struct batch_norm *s = l->state;
	for (int64_t c = 0; c < s->channels; c++) {
		double count = 0, mean = 0, squares = 0;
		for (int64_t p = 0; p < net_parts_of(n); p++) {
			int64_t left = n->rows - p * n->part_rows;
			double rows = (double)((left < n->part_rows ? left : n->part_rows) * s->inner);
			double gap = (double)s->part_mean[p * s->channels + c] - mean, total = count + rows;
			mean += gap * rows / total;
			squares += (double)s->part_squares[p * s->channels + c] + gap * gap * count * rows / total;
			count = total;
		}
		float *running_mean = &l->buffers[0].value[c], *running_var = &l->buffers[1].value[c];
		double unbiased = count > 1 ? squares / (count - 1) : squares;
		*running_mean = (float)((1 - MOMENTUM) * (double)*running_mean + MOMENTUM * mean);
		*running_var = (float)((1 - MOMENTUM) * (double)*running_var + MOMENTUM * unbiased);
		set_line(l, s, c, mean, squares / count);
	}
}

static void forward(const struct net *n, struct layer *l, const struct part *p)
{
	const struct batch_norm *s = l->state;
	const float *x = l->x + p->first * l->in.count;
	float *y = l->y + p->first * l->out.count;
	if (s->inner == 1) {
		n->kernels->affine(y, x, s->a, s->b, p->rows, s->channels);
		return;
	}
	for (int64_t r = 0; r < p->rows; r++)
		for (int64_t c = 0; c < s->channels; c++)
			for (int64_t i = 0; i < s->inner; i++, x++, y++)
				*y = *x * s->a[c] + s->b[c];
}

/* ---- gradients ---- */

/* The sums of dy and of dy times the normalised x are the gradients of shift and scale. */
static void observe_back(const struct net *n, struct layer *l, const struct part *p)
{
	const struct batch_norm *s = l->state;
	const float *x = l->x + p->first * l->in.count, *dy = l->dy + p->first * l->out.count;
	float *sums = param_partial(&l->params[1], p), *products = param_partial(&l->params[0], p);
	memset(sums, 0, (size_t)s->channels * sizeof *sums);
	memset(products, 0, (size_t)s->channels * sizeof *products);
	if (s->inner == 1) {
		n->kernels->column_products(sums, products, dy, x, s->mean, s->inverse, p->rows, s->channels);
		return;
	}
	for (int64_t r = 0; r < p->rows; r++)
		for (int64_t c = 0; c < s->channels; c++)
			for (int64_t i = 0; i < s->inner; i++, x++, dy++) {
				sums[c] += *dy;
				products[c] += *dy * ((*x - s->mean[c]) * s->inverse[c]);
			}
}

static double total(const struct param *p, int64_t parts, int64_t c)
{
	double sum = 0;
	for (int64_t k = 0; k < parts; k++)
		sum += (double)p->partial[k * p->count + c];
	return sum;
}

/* dx = a (dy - mean(dy) - x' mean(dy x')), x' = (x - mean) inverse, as factors of dy, x and 1. */
static void observed_back(struct net *n, struct layer *l)
{
	struct batch_norm *s = l->state;
	double count = (double)(n->rows * s->inner);
	for (int64_t c = 0; c < s->channels; c++) {
		double of_dy = total(&l->params[1], net_parts_of(n), c) / count;
		double of_product = total(&l->params[0], net_parts_of(n), c) / count;
		double a = (double)l->params[0].value[c] * (double)s->inverse[c];
		double of_x = -a * (double)s->inverse[c] * of_product;
		s->back_dy[c] = (float)a;
		s->back_x[c] = (float)of_x;
		s->back_1[c] = (float)(-a * of_dy - of_x * (double)s->mean[c]);
	}
}

static void backward(const struct net *n, struct layer *l, const struct part *p)
{
	const struct batch_norm *s = l->state;
	if (!l->dx)
		return;
	const float *x = l->x + p->first * l->in.count, *dy = l->dy + p->first * l->out.count;
	float *dx = l->dx + p->first * l->in.count;
	if (s->inner == 1) {
		n->kernels->affine_of_two(dx, dy, x, s->back_dy, s->back_x, s->back_1, p->rows, s->channels);
		return;
	}
	for (int64_t r = 0; r < p->rows; r++)
		for (int64_t c = 0; c < s->channels; c++)
			for (int64_t i = 0; i < s->inner; i++)
				*dx++ = *dy++ * s->back_dy[c] + *x++ * s->back_x[c] + s->back_1[c];
}

static int export(struct export *e, const struct layer *l)
{
	const int64_t *c = l->in.dims;
	struct value *inputs[] = { e->value, export_floats(e, l, "weight", 1, c, l->params[0].value),
				   export_floats(e, l, "bias", 1, c, l->params[1].value),
				   export_floats(e, l, "running_mean", 1, c, l->buffers[0].value),
				   export_floats(e, l, "running_var", 1, c, l->buffers[1].value) };
	node_set_float(export_node(e, "", "BatchNormalization", inputs, 5), "epsilon", (float)EPSILON);
	return 0;
}

const struct layer_type layer_bn = {
	.name = "bn",
	.form = "bn",
	.summary = "batch normalisation",
	.setup = setup,
	.prepare = prepare,
	.observe = observe,
	.observed = observed,
	.forward = forward,
	.observe_back = observe_back,
	.observed_back = observed_back,
	.backward = backward,
	.export = export,
	.free = free_batch_norm,
};

/* maxpool(SIZE), avgpool (over the whole image) and flatten. */
#include <stdlib.h>

#include "train/export.h"
#include "train/net.h"

static int needs_image(const struct layer *l, struct diags *d)
{
	return l->in.rank == 3 ? 0 : layer_error(l, d, "its input is no image (channels, height, width)");
}

/* ---- maxpool ---- */

struct max_pool {
	int64_t size, stride;
	int32_t *chosen; /* of each output in the batch: which input of its channel */
};

static int setup_max(struct net *n, struct layer *l, struct diags *d)
{
	struct max_pool *s = xcalloc(1, sizeof *s);
	l->state = s;
	if (needs_image(l, d) < 0 || layer_int(l, "size", 0, 2, 1, &s->size, d) < 0 ||
	    layer_int(l, "stride", 1, s->size, 1, &s->stride, d) < 0)
		return -1;
	if (l->in.dims[1] < s->size || l->in.dims[2] < s->size)
		return layer_error(l, d, "its windows are larger than the image of %lld x %lld",
				   (long long)l->in.dims[1], (long long)l->in.dims[2]);
	int64_t dims[] = { l->in.dims[0], (l->in.dims[1] - s->size) / s->stride + 1,
			   (l->in.dims[2] - s->size) / s->stride + 1 };
	l->out = shape_of(3, dims);
	s->chosen = xcalloc((size_t)(n->batch * l->out.count), sizeof *s->chosen);
	return 0;
}

static int32_t largest_of(const float *x, int64_t width, int64_t size)
{
	int32_t best = 0;
	for (int64_t i = 0; i < size; i++)
		for (int64_t k = 0; k < size; k++)
			if (x[i * width + k] > x[best])
				best = (int32_t)(i * width + k);
	return best;
}

static void forward_max(const struct net *n, struct layer *l, const struct part *p)
{
	const struct max_pool *s = l->state;
	int64_t width = l->in.dims[2], inner = shape_inner(&l->in), at = p->first * l->out.count;
	(void)n;
	for (int64_t c = p->first * l->in.dims[0]; c < (p->first + p->rows) * l->in.dims[0]; c++)
		for (int64_t i = 0; i < l->out.dims[1]; i++)
			for (int64_t k = 0; k < l->out.dims[2]; k++, at++) {
				int64_t corner = (i * width + k) * s->stride;
				s->chosen[at] = (int32_t)corner + largest_of(l->x + c * inner + corner, width, s->size);
				l->y[at] = l->x[c * inner + s->chosen[at]];
			}
}

static void backward_max(const struct net *n, struct layer *l, const struct part *p)
{
	const struct max_pool *s = l->state;
	int64_t inner = shape_inner(&l->in), outer = shape_inner(&l->out);
	(void)n;
	if (!l->dx)
		return;
	for (int64_t i = p->first * l->in.count; i < (p->first + p->rows) * l->in.count; i++)
		l->dx[i] = 0;
	for (int64_t i = p->first * l->out.count; i < (p->first + p->rows) * l->out.count; i++)
		l->dx[i / outer * inner + s->chosen[i]] += l->dy[i];
}

static int export_max(struct export *e, const struct layer *l)
{
	const struct max_pool *s = l->state;
	struct node *n = export_node(e, "", "MaxPool", &e->value, 1);
	node_set_ints(n, "kernel_shape", (int64_t[]){ s->size, s->size }, 2);
	node_set_ints(n, "strides", (int64_t[]){ s->stride, s->stride }, 2);
	return 0;
}

static void free_max(struct layer *l)
{
	free(((struct max_pool *)l->state)->chosen);
	free(l->state);
}

const struct layer_type layer_maxpool = {
	.name = "maxpool",
	.form = "maxpool([size=2][,stride=2])",
	.summary = "the largest element of each window",
	.setup = setup_max,
	.forward = forward_max,
	.backward = backward_max,
	.export = export_max,
	.free = free_max,
};

/* ---- avgpool ---- */

static int setup_average(struct net *n, struct layer *l, struct diags *d)
{
	(void)n;
	l->out = shape_of(1, l->in.dims);
	return needs_image(l, d);
}

static void forward_average(const struct net *n, struct layer *l, const struct part *p)
{
	int64_t inner = shape_inner(&l->in);
	(void)n;
	for (int64_t c = p->first * l->out.count; c < (p->first + p->rows) * l->out.count; c++) {
		float sum = 0;
		for (int64_t i = 0; i < inner; i++)
			sum += l->x[c * inner + i];
		l->y[c] = sum / (float)inner;
	}
}

static void backward_average(const struct net *n, struct layer *l, const struct part *p)
{
	int64_t inner = shape_inner(&l->in);
	(void)n;
	for (int64_t i = p->first * l->in.count; l->dx && i < (p->first + p->rows) * l->in.count; i++)
		l->dx[i] = l->dy[i / inner] / (float)inner;
}

static int export_flatten(struct export *e, const struct layer *l)
{
	(void)l;
	node_set_int(export_node(e, "", "Flatten", &e->value, 1), "axis", 1);
	return 0;
}

static int export_average(struct export *e, const struct layer *l)
{
	export_node(e, "", "GlobalAveragePool", &e->value, 1);
	return export_flatten(e, l);
}

const struct layer_type layer_avgpool = {
	.name = "avgpool",
	.form = "avgpool",
	.summary = "the mean of each channel",
	.setup = setup_average,
	.forward = forward_average,
	.backward = backward_average,
	.export = export_average,
};

/* ---- flatten ---- */

static int setup_flatten(struct net *n, struct layer *l, struct diags *d)
{
	(void)n, (void)d;
	l->out = shape_of(1, &l->in.count);
	return 0;
}

const struct layer_type layer_flatten = {
	.name = "flatten",
	.form = "flatten",
	.summary = "an image as a vector",
	.setup = setup_flatten,
	.export = export_flatten,
};

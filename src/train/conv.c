/* conv(CHANNELS,SIZE): a convolution with quantised weights, without a bias: windows are laid out as a matrix, sample by
 * sample, and multiplied. */
#include <stdlib.h>
#include <string.h>

#include "ops/gemm_kernel.h"
#include "train/export.h"
#include "train/net.h"

struct conv {
	struct weight_quantiser weights;
	int64_t size, stride, pad;
	int64_t window; /* elements of a window: channels * size * size */
};

static int setup(struct net *n, struct layer *l, struct diags *d)
{
	struct conv *s = xcalloc(1, sizeof *s);
	struct bit_width width = n->options.weights;
	const char *bits = layer_text(l, "bits", 4);
	int64_t channels;
	l->state = s;
	if (l->in.rank != 3)
		return layer_error(l, d, "its input is no image (channels, height, width)");
	if (layer_int(l, "channels", 0, 0, 1, &channels, d) < 0 || layer_int(l, "size", 1, 3, 1, &s->size, d) < 0 ||
	    layer_int(l, "stride", 2, 1, 1, &s->stride, d) < 0 || layer_int(l, "pad", 3, 0, 0, &s->pad, d) < 0)
		return -1;
	if (bits && !bit_width_parse(bits, &width))
		return layer_error(l, d, "'%s' is no width of weights: 1 to 8, ternary or float", bits);
	int64_t h = l->in.dims[1] + 2 * s->pad, w = l->in.dims[2] + 2 * s->pad;
	if (h < s->size || w < s->size)
		return layer_error(l, d, "its windows are larger than the image of %lld x %lld",
				   (long long)l->in.dims[1], (long long)l->in.dims[2]);
	int64_t out[] = { channels, (h - s->size) / s->stride + 1, (w - s->size) / s->stride + 1 };
	int64_t dims[] = { channels, l->in.dims[0], s->size, s->size };
	l->out = shape_of(3, out);
	s->window = dims[1] * s->size * s->size;
	layer_add_param(l, "weight", 4, dims);
	weights_init(&s->weights, width, 1, n->options.per_channel ? channels : 1,
		     n->options.per_channel ? s->window : channels * s->window);
	l->weights = &s->weights;
	return 0;
}

static void prepare(struct net *n, struct layer *l)
{
	(void)n;
	weights_quantise(l->weights, l->params[0].value);
}

/* ---- windows ---- */

/* The image as a matrix window x places, zeros in the padding. */
static void gather(const struct layer *l, const float *image, float *matrix)
{
	const struct conv *s = l->state;
	int64_t h = l->in.dims[1], w = l->in.dims[2];
	for (int64_t row = 0; row < s->window; row++) {
		int64_t c = row / (s->size * s->size), i = row / s->size % s->size, k = row % s->size;
		for (int64_t y = 0; y < l->out.dims[1]; y++)
			for (int64_t x = 0; x < l->out.dims[2]; x++) {
				int64_t at_y = y * s->stride + i - s->pad, at_x = x * s->stride + k - s->pad;
				bool inside = at_y >= 0 && at_y < h && at_x >= 0 && at_x < w;
				*matrix++ = inside ? image[(c * h + at_y) * w + at_x] : 0;
			}
	}
}

/* The other way: adds the elements of the matrix to the image. */
static void scatter(const struct layer *l, float *image, const float *matrix)
{
	const struct conv *s = l->state;
	int64_t h = l->in.dims[1], w = l->in.dims[2];
	for (int64_t row = 0; row < s->window; row++) {
		int64_t c = row / (s->size * s->size), i = row / s->size % s->size, k = row % s->size;
		for (int64_t y = 0; y < l->out.dims[1]; y++)
			for (int64_t x = 0; x < l->out.dims[2]; x++, matrix++) {
				int64_t at_y = y * s->stride + i - s->pad, at_x = x * s->stride + k - s->pad;
				if (at_y >= 0 && at_y < h && at_x >= 0 && at_x < w)
					image[(c * h + at_y) * w + at_x] += *matrix;
			}
	}
}

static void forward(const struct net *n, struct layer *l, const struct part *p)
{
	const struct conv *s = l->state;
	int64_t places = shape_inner(&l->out), channels = l->out.dims[0];
	float *matrix = net_scratch(n, p->worker, (size_t)(s->window * places) * sizeof *matrix);
	const struct matrix_shape m = {
		.m = channels, .n = places, .k = s->window, .lda = s->window, .ldb = places, .ldc = places
	};
	for (int64_t r = p->first; r < p->first + p->rows; r++) {
		gather(l, l->x + r * l->in.count, matrix);
		gemm_float(&m, s->weights.values, matrix, l->y + r * l->out.count);
	}
}

static void backward(const struct net *n, struct layer *l, const struct part *p)
{
	const struct conv *s = l->state;
	int64_t places = shape_inner(&l->out), channels = l->out.dims[0], count = l->params[0].count;
	float *matrix = net_scratch(n, p->worker, (size_t)(s->window * places + count) * sizeof *matrix),
	      *one = matrix + s->window * places;
	float *dw = param_partial(&l->params[0], p);
	const struct matrix_shape to_weights = { .m = channels,
						 .n = s->window,
						 .k = places,
						 .trans_b = true,
						 .lda = places,
						 .ldb = places,
						 .ldc = s->window };
	const struct matrix_shape to_input = { .m = s->window,
					       .n = places,
					       .k = channels,
					       .trans_a = true,
					       .lda = s->window,
					       .ldb = places,
					       .ldc = places };
	memset(dw, 0, (size_t)count * sizeof *dw);
	for (int64_t r = p->first; r < p->first + p->rows; r++) {
		gather(l, l->x + r * l->in.count, matrix);
		gemm_float(&to_weights, l->dy + r * l->out.count, matrix, one);
		n->kernels->add(dw, one, count);
		if (!l->dx)
			continue;
		memset(l->dx + r * l->in.count, 0, (size_t)l->in.count * sizeof *l->dx);
		gemm_float(&to_input, s->weights.values, l->dy + r * l->out.count, matrix);
		scatter(l, l->dx + r * l->in.count, matrix);
	}
}

static void finish(struct net *n, struct layer *l)
{
	(void)n;
	weights_gradient(l->weights, l->params[0].value, l->params[0].grad);
}

static int export(struct export *e, const struct layer *l)
{
	const struct conv *s = l->state;
	struct value *inputs[] = { e->value, export_weights(e, l, 4, l->params[0].dims, false) };
	struct node *n = export_node(e, "", "Conv", inputs, 2);
	node_set_ints(n, "kernel_shape", (int64_t[]){ s->size, s->size }, 2);
	node_set_ints(n, "strides", (int64_t[]){ s->stride, s->stride }, 2);
	node_set_ints(n, "pads", (int64_t[]){ s->pad, s->pad, s->pad, s->pad }, 4);
	node_set_ints(n, "dilations", (int64_t[]){ 1, 1 }, 2);
	node_set_int(n, "group", 1);
	return 0;
}

static void free_conv(struct layer *l)
{
	struct conv *s = l->state;
	weights_free(&s->weights);
	free(s);
}

const struct layer_type layer_conv = {
	.name = "conv",
	.form = "conv(channels,size=3[,stride=1][,pad=0][,bits=2])",
	.summary = "a convolution with weights",
	.setup = setup,
	.prepare = prepare,
	.forward = forward,
	.backward = backward,
	.finish = finish,
	.export = export,
	.free = free_conv,
};

/* StreamingMaxPool: the maximum over windows that do not overlap. */
#include <math.h>

#include "hw/kinds/exec.h"

static int read_pool(const struct node *n, struct hw_layer *l, struct diags *d)
{
	hw_read_pair(n, "ImgDim", l->in_dim);
	hw_read_pair(n, "PoolDim", l->kernel);
	bool ceil = node_attr_int(n, "CeilMode", 0) != 0;
	if (l->kernel[0] < 1 || l->kernel[1] < 1)
		return diag_node_error(d, n, NULL, "PoolDim is not positive");
	for (int i = 0; i < 2; i++) {
		l->stride[i] = l->kernel[i];
		l->out_dim[i] = ceil ? ceil_div(l->in_dim[i], l->kernel[i]) : l->in_dim[i] / l->kernel[i];
	}
	l->mh = node_attr_int(n, "NumChannels", 0);
	l->max_pe = hw_is_line(l) ? l->mh : 1; /* a line may be folded, an image not */
	l->vectors = hw_pixels(l->out_dim);
	l->elements[0] = hw_pixels(l->in_dim) * l->mh;
	l->elements[1] = l->vectors * l->mh;
	return 0;
}

static int64_t word_elements(const struct hw_layer *l, const struct hw_choice *c)
{
	return l->max_pe > 1 ? c->pe : l->mh;
}

static struct hw_stream input(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	(void)i;
	return hw_stream_of(l->in_bits, word_elements(l, c), l->elements[0]);
}

static struct hw_stream output(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	(void)i;
	return hw_stream_of(l->out_bits, word_elements(l, c), l->elements[1]);
}

static struct hw_cost cost(const struct hw_layer *l, const struct hw_choice *c)
{
	struct hw_cost sum = { 0 };
	if (hw_is_line(l)) {
		int axis = l->in_dim[1] == 1 ? 0 : 1;
		sum.cycles = l->out_dim[axis] * (l->mh / c->pe) * (l->kernel[axis] + 1);
		sum.lut = 2 * c->pe * l->in_bits;
	} else {
		double k = (double)(l->kernel[1] * l->kernel[1]), w = (double)(l->in_dim[1] * l->in_dim[1]);
		sum.cycles = (int64_t)(w * (1 + 1 / k));
		sum.lut = l->mh * l->in_bits * (1 + ceil_div(l->out_dim[1], 38));
	}
	return sum;
}

static struct hw_step step(const struct hw_layer *l, const struct hw_progress *p)
{
	int64_t y, x;
	hw_pixel_of(p->at, l->mh / word_elements(l, &l->now), l->in_dim, &y, &x);
	bool last = y % l->stride[0] == l->kernel[0] - 1 && x % l->stride[1] == l->kernel[1] - 1;
	bool inside = y / l->stride[0] < l->out_dim[0] && x / l->stride[1] < l->out_dim[1];
	return (struct hw_step){ true, last && inside, false };
}

/* ---- execution ---- */

/* Of one channel over the window whose first pixel that is. */
static double maximum(const struct hw_layer *l, const struct tensor *in, int64_t in_at, int64_t row, int64_t column)
{
	double most = -INFINITY;
	for (int64_t y = row; y < row + l->kernel[0] && y < l->in_dim[0]; y++)
		for (int64_t x = column; x < column + l->kernel[1] && x < l->in_dim[1]; x++) {
			double v = hw_get(in, in_at + (y * l->in_dim[1] + x) * l->mh);
			most = v > most ? v : most;
		}
	return most;
}

static void image(const struct hw_layer *l, const struct tensor *in, int64_t in_at, struct tensor *out, int64_t out_at)
{
	for (int64_t y = 0; y < l->out_dim[0]; y++)
		for (int64_t x = 0; x < l->out_dim[1]; x++)
			for (int64_t c = 0; c < l->mh; c++)
				hw_put(out, out_at++, maximum(l, in, in_at + c, y * l->stride[0], x * l->stride[1]));
}

static int exec(struct exec_ctx *x)
{
	return hw_run_images(x, image);
}

static const struct hw_kind kind = {
	.streams = 1,
	.in_type = "dataType",
	.out_type = "dataType",
	.read = read_pool,
	.input = input,
	.output = output,
	.cost = cost,
	.step = step,
};

const struct op op_StreamingMaxPool = {
	.domain = DOMAIN_FINN,
	.name = "StreamingMaxPool",
	.summary = "Hardware: maximum over windows that do not overlap",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = hw_infer_images,
	.datatype = hw_plumbing_datatype,
	.exec = exec,
	.hw = &kind,
};

/* UpsampleNearestNeighbour: an image, or a line of pixels, enlarged by a whole factor by repeating pixels. */
#include "hw/kinds/exec.h"

static int read_enlarging(const struct node *n, struct hw_layer *l, struct diags *d)
{
	int64_t in = node_attr_int(n, "IFMDim", 1), out = node_attr_int(n, "OFMDim", 1);
	bool line = node_attr_int(n, "DimMode", 0) != 0;
	if (in < 1 || out < in)
		return diag_node_error(d, n, NULL, "enlarges %lld pixels to %lld", (long long)in, (long long)out);
	for (int i = 0; i < 2; i++) {
		l->in_dim[i] = line && i == 1 ? 1 : in;
		l->out_dim[i] = line && i == 1 ? 1 : out;
	}
	hw_read_batch(n, l, node_attr_int(n, "NumChannels", 1));
	l->now.simd = 1; /* all channels of a pixel at a time, which FINN-plus writes as their number */
	return 0;
}

/* All channels of a pixel. */
static struct hw_stream input(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	(void)c;
	(void)i;
	return hw_stream_of(l->in_bits, l->mh, l->elements[0]);
}

static struct hw_stream output(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	(void)c;
	(void)i;
	return hw_stream_of(l->out_bits, l->mh, l->elements[1]);
}

/* A buffer of a line. */
static struct hw_cost cost(const struct hw_layer *l, const struct hw_choice *c)
{
	struct hw_cost sum = hw_default_cost(l, c);
	sum.lut = l->mh * l->in_bits * ceil_div(l->in_dim[1], 38);
	return sum;
}

static struct hw_step step(const struct hw_layer *l, const struct hw_progress *p)
{
	int64_t y, x;
	hw_pixel_of(p->at, 1, l->out_dim, &y, &x);
	bool fresh = y % (l->out_dim[0] / l->in_dim[0]) == 0 && x % (l->out_dim[1] / l->in_dim[1]) == 0;
	return (struct hw_step){ fresh, true, false };
}

static void image(const struct hw_layer *l, const struct tensor *in, int64_t in_at, struct tensor *out, int64_t out_at)
{
	for (int64_t y = 0; y < l->out_dim[0]; y++)
		for (int64_t x = 0; x < l->out_dim[1]; x++, out_at += l->mh) {
			int64_t from_y = y * l->in_dim[0] / l->out_dim[0], from_x = x * l->in_dim[1] / l->out_dim[1];
			hw_copy(out, out_at, in, in_at + (from_y * l->in_dim[1] + from_x) * l->mh, l->mh);
		}
}

static int exec(struct exec_ctx *x)
{
	return hw_run_images(x, image);
}

static const struct hw_kind kind = {
	.streams = 1,
	.in_type = "inputDataType",
	.out_type = "inputDataType",
	.read = read_enlarging,
	.input = input,
	.output = output,
	.cost = cost,
	.steps = hw_output_words,
	.step = step,
};

const struct op op_UpsampleNearestNeighbour = {
	.domain = DOMAIN_FINN,
	.name = "UpsampleNearestNeighbour",
	.summary = "Hardware: enlarges an image by repeating pixels",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = hw_infer_images,
	.datatype = hw_input_datatype,
	.exec = exec,
	.hw = &kind,
};

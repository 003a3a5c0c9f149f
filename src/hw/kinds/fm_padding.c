/* FMPadding: a border of zeros around an image. */
#include "hw/kinds/exec.h"

static int read_padding(const struct node *n, struct hw_layer *l, struct diags *d)
{
	size_t count = 0;
	const int64_t *pad = node_attr_ints(n, "Padding", &count);
	(void)d;
	hw_read_pair(n, "ImgDim", l->in_dim);
	for (size_t i = 0; i < 4; i++)
		l->pad[i] = i < count ? pad[i] : 1;
	for (int i = 0; i < 2; i++)
		l->out_dim[i] = l->in_dim[i] + l->pad[i] + l->pad[i + 2];
	hw_read_batch(n, l, l->max_simd);
	return 0;
}

static struct hw_step step(const struct hw_layer *l, const struct hw_progress *p)
{
	int64_t y, x;
	hw_pixel_of(p->at, l->mh / l->now.simd, l->out_dim, &y, &x);
	bool inside = y >= l->pad[0] && y < l->pad[0] + l->in_dim[0] && x >= l->pad[1] && x < l->pad[1] + l->in_dim[1];
	return (struct hw_step){ inside, true, false };
}

static void image(const struct hw_layer *l, const struct tensor *in, int64_t in_at, struct tensor *out, int64_t out_at)
{
	int64_t line = l->in_dim[1] * l->mh;
	for (int64_t y = 0; y < l->in_dim[0]; y++)
		hw_copy(out, out_at + ((y + l->pad[0]) * l->out_dim[1] + l->pad[1]) * l->mh, in, in_at + y * line,
			line);
}

static int exec(struct exec_ctx *x)
{
	return hw_run_images(x, image);
}

static const struct hw_kind kind = {
	.flags = HW_IN_RTL,
	.streams = 1,
	.simd_limit = "NumChannels",
	.in_type = "inputDataType",
	.out_type = "inputDataType",
	.read = read_padding,
	.steps = hw_output_words,
	.step = step,
};

const struct op op_FMPadding = {
	.domain = DOMAIN_FINN,
	.name = "FMPadding",
	.summary = "Hardware: a border of zeros around an image",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = hw_infer_images,
	.datatype = hw_input_datatype,
	.exec = exec,
	.hw = &kind,
};

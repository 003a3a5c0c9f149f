/* FMPadding_Pixel: zeros between the pixels of an image, as a transposed convolution asks for. */
#include "hw/kinds/exec.h"

static int read_spreading(const struct node *n, struct hw_layer *l, struct diags *d)
{
	(void)d;
	hw_read_pair(n, "ImgDim", l->in_dim);
	hw_read_pair(n, "Stride", l->stride);
	for (int i = 0; i < 2; i++)
		l->out_dim[i] = (l->in_dim[i] - 1) * l->stride[i] + 1;
	hw_read_batch(n, l, l->max_simd);
	return 0;
}

static struct hw_step step(const struct hw_layer *l, const struct hw_progress *p)
{
	int64_t y, x;
	hw_pixel_of(p->at, l->mh / l->now.simd, l->out_dim, &y, &x);
	return (struct hw_step){ y % l->stride[0] == 0 && x % l->stride[1] == 0, true, false };
}

static void image(const struct hw_layer *l, const struct tensor *in, int64_t in_at, struct tensor *out, int64_t out_at)
{
	for (int64_t y = 0; y < l->in_dim[0]; y++)
		for (int64_t x = 0; x < l->in_dim[1]; x++, in_at += l->mh) {
			int64_t to = (y * l->stride[0] * l->out_dim[1] + x * l->stride[1]) * l->mh;
			hw_copy(out, out_at + to, in, in_at, l->mh);
		}
}

static int exec(struct exec_ctx *x)
{
	return hw_run_images(x, image);
}

static const struct hw_kind kind = {
	.streams = 1,
	.simd_limit = "NumChannels",
	.in_type = "inputDataType",
	.out_type = "inputDataType",
	.read = read_spreading,
	.steps = hw_output_words,
	.step = step,
};

const struct op op_FMPadding_Pixel = {
	.domain = DOMAIN_FINN,
	.name = "FMPadding_Pixel",
	.summary = "Hardware: zeros between the pixels of an image",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = hw_infer_images,
	.datatype = hw_input_datatype,
	.exec = exec,
	.hw = &kind,
};

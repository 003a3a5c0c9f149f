/* DownSampler: every n-th pixel of every n-th row, or of a line of pixels. */
#include "hw/kinds/exec.h"

static int read_sampling(const struct node *n, struct hw_layer *l, struct diags *d)
{
	int64_t in = node_attr_int(n, "ImgDim", 1), stride = node_attr_int(n, "Stride", 1);
	bool line = node_attr_int(n, "is1D", 0) != 0, column = node_attr_int(n, "is1D_unitx", 1) != 0;
	if (stride < 1)
		return diag_node_error(d, n, NULL, "Stride %lld is not positive", (long long)stride);
	for (int i = 0; i < 2; i++) {
		bool used = !line || (i == 0) == column;
		l->in_dim[i] = used ? in : 1;
		l->stride[i] = used ? stride : 1;
		l->out_dim[i] = ceil_div(l->in_dim[i], l->stride[i]);
	}
	hw_read_batch(n, l, node_attr_int(n, "NumChannels", 1));
	return 0;
}

static struct hw_step step(const struct hw_layer *l, const struct hw_progress *p)
{
	int64_t y, x;
	hw_pixel_of(p->at, l->mh / l->now.simd, l->in_dim, &y, &x);
	return (struct hw_step){ true, y % l->stride[0] == 0 && x % l->stride[1] == 0, false };
}

static void image(const struct hw_layer *l, const struct tensor *in, int64_t in_at, struct tensor *out, int64_t out_at)
{
	for (int64_t y = 0; y < l->out_dim[0]; y++)
		for (int64_t x = 0; x < l->out_dim[1]; x++, out_at += l->mh) {
			int64_t from = (y * l->stride[0] * l->in_dim[1] + x * l->stride[1]) * l->mh;
			hw_copy(out, out_at, in, in_at + from, l->mh);
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
	.read = read_sampling,
	.step = step,
};

const struct op op_DownSampler = {
	.domain = DOMAIN_FINN,
	.name = "DownSampler",
	.summary = "Hardware: every n-th pixel of every n-th row",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = hw_infer_images,
	.datatype = hw_input_datatype,
	.exec = exec,
	.hw = &kind,
};

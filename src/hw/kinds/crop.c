/* Crop: takes rows and columns away at the borders of an image. */
#include "hw/kinds/exec.h"

static int read_crop(const struct node *n, struct hw_layer *l, struct diags *d)
{
	static const char *const sides[] = { "CropNorth", "CropWest", "CropSouth", "CropEast" };
	hw_read_pair(n, "ImgDim", l->in_dim);
	if (l->in_dim[0] == 0) /* FINN's form of a line */
		l->in_dim[0] = 1;
	for (int i = 0; i < 4; i++) {
		l->pad[i] = node_attr_int(n, sides[i], 0);
		if (l->pad[i] < 0)
			return diag_node_error(d, n, NULL, "%s is negative", sides[i]);
	}
	for (int i = 0; i < 2; i++)
		l->out_dim[i] = l->in_dim[i] - l->pad[i] - l->pad[i + 2];
	if (l->out_dim[0] < 1 || l->out_dim[1] < 1)
		return diag_node_error(d, n, NULL, "takes away more than the image has");
	l->mh = l->max_simd;
	l->elements[0] = hw_pixels(l->in_dim) * l->mh;
	l->elements[1] = hw_pixels(l->out_dim) * l->mh;
	return 0;
}

static struct hw_step step(const struct hw_layer *l, const struct hw_progress *p)
{
	int64_t y, x;
	hw_pixel_of(p->at, l->mh / l->now.simd, l->in_dim, &y, &x);
	bool inside =
		y >= l->pad[0] && y < l->pad[0] + l->out_dim[0] && x >= l->pad[1] && x < l->pad[1] + l->out_dim[1];
	return (struct hw_step){ true, inside, false };
}

static void image(const struct hw_layer *l, const struct tensor *in, int64_t in_at, struct tensor *out, int64_t out_at)
{
	int64_t line = l->out_dim[1] * l->mh;
	for (int64_t y = 0; y < l->out_dim[0]; y++)
		hw_copy(out, out_at + y * line, in, in_at + ((y + l->pad[0]) * l->in_dim[1] + l->pad[1]) * l->mh, line);
}

static int exec(struct exec_ctx *x)
{
	return hw_run_images(x, image);
}

static struct datatype datatype(const struct node *n, size_t i)
{
	(void)i;
	return hw_datatype(n, "DataType");
}

static const struct hw_kind kind = {
	.streams = 1,
	.simd_limit = "NumChannels",
	.in_type = "DataType",
	.out_type = "DataType",
	.read = read_crop,
	.step = step,
};

const struct op op_Crop = {
	.domain = DOMAIN_FINN,
	.name = "Crop",
	.summary = "Hardware: an image without rows and columns at its borders",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = hw_infer_images,
	.datatype = datatype,
	.exec = exec,
	.hw = &kind,
};

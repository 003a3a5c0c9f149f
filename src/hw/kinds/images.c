/* What the layers that turn images into images share: running over a batch, typing the output. */
#include <string.h>

#include "hw/kinds/exec.h"

int hw_run_windows(struct exec_ctx *x, const struct hw_layer *l, int64_t in_channels, int64_t out_channels,
		   hw_image_fn *f)
{
	int64_t size_in = hw_pixels(l->in_dim) * in_channels, size_out = hw_pixels(l->out_dim) * out_channels;
	struct tensor *in = hw_numbers(x, 0), *y = NULL;
	if (!in)
		return -1;
	if (size_in < 1 || in->count % size_in)
		diag_node_error(x->diags, x->node, NULL, "the image size in its attributes does not fit the input");
	else
		y = exec_output(x, 0, hw_elem(x), 4,
				(int64_t[]){ in->count / size_in, l->out_dim[0], l->out_dim[1], out_channels });
	if (y)
		memset(y->data, 0, (size_t)y->count * elem_size(hw_elem(x)));
	for (int64_t i = 0; y && i < in->count / size_in; i++)
		f(l, in, i * size_in, y, i * size_out);
	tensor_unref(in);
	return y ? 0 : -1;
}

int hw_run_images(struct exec_ctx *x, hw_image_fn *f)
{
	struct hw_layer l;
	if (hw_layer_read(x->node, &l, x->diags) != 0)
		return -1;
	return hw_run_windows(x, &l, l.mh, l.mh, f);
}

/* Where attributes are missing the output's shape stays unknown. */
static int infer_geometry(struct infer_ctx *x, bool windows)
{
	struct hw_layer l;
	struct diags ignored = { 0 };
	int result = 0;
	if (hw_layer_read(x->node, &l, &ignored) == 0)
		result = hw_infer_image(x, l.out_dim[0], l.out_dim[1], windows ? l.mw * l.mh : l.mh);
	diags_free(&ignored);
	return result;
}

int hw_infer_images(struct infer_ctx *x)
{
	return infer_geometry(x, false);
}

int hw_infer_windows(struct infer_ctx *x)
{
	return infer_geometry(x, true);
}

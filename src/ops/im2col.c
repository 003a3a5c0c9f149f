/* Im2Col: NHWC data unfolded so that a convolution becomes a matrix product. Each output pixel holds its
 * window: kernel rows, kernel columns, channels (channels fastest). */
#include <string.h>

#include "ops/op.h"

struct unfold {
	int64_t in[2], channels, out[2], kernel[2], stride[2], pad[4], dilation[2];
};

static int read_pair(const struct node *n, const char *name, int64_t fallback, int64_t *out, struct diags *d)
{
	size_t count;
	const int64_t *list = node_attr_ints(n, name, &count);
	if (list && count != 2)
		return diag_node_error(d, n, NULL, "attribute %s must have two entries", name);
	if (!list && !fallback)
		return diag_node_error(d, n, NULL, "attribute %s is missing", name);
	for (int i = 0; i < 2; i++) {
		out[i] = list ? list[i] : fallback;
		if (out[i] < 1 || out[i] > INT32_MAX)
			return diag_node_error(d, n, NULL, "attribute %s contains %lld", name, (long long)out[i]);
	}
	return 0;
}

/* dims: of the input, -1 where unknown. */
static int read_unfold(const struct node *n, int rank, const int64_t *dims, struct unfold *u, struct diags *d)
{
	size_t pads;
	const int64_t *pad = node_attr_ints(n, "pad_amount", &pads);
	if (rank != 4)
		return diag_node_error(d, n, "transpose the data to NHWC", "the input has %d axes, not 4", rank);
	if (read_pair(n, "kernel_size", 0, u->kernel, d) != 0 || read_pair(n, "stride", 0, u->stride, d) != 0 ||
	    read_pair(n, "dilations", 1, u->dilation, d) != 0)
		return -1;
	if (pad && pads != 4)
		return diag_node_error(d, n, NULL, "attribute pad_amount must have four entries");
	u->channels = dims[3];
	if (u->kernel[0] > INT32_MAX / u->kernel[1])
		return diag_node_error(d, n, NULL, "a window of %lld x %lld elements is too large",
				       (long long)u->kernel[0], (long long)u->kernel[1]);
	for (int i = 0; i < 4; i++)
		u->pad[i] = pad ? pad[i] : 0;
	for (int i = 0; i < 2; i++) {
		if (u->pad[i] < 0 || u->pad[i + 2] < 0 || u->pad[i] > INT32_MAX || u->pad[i + 2] > INT32_MAX)
			return diag_node_error(d, n, NULL, "attribute pad_amount is out of range");
		u->in[i] = dims[1 + i];
		int64_t room = u->in[i] + u->pad[i] + u->pad[i + 2] - u->dilation[i] * (u->kernel[i] - 1) - 1;
		u->out[i] = u->in[i] < 0 ? -1 : room / u->stride[i] + 1;
		if (u->in[i] >= 0 && room < 0)
			return diag_node_error(d, n, NULL, "the window is larger than the padded input");
	}
	return 0;
}

static int infer(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	struct unfold u;
	if (in->rank < 0) {
		infer_output(x, 0, (enum elem_type)in->elem, 4, (const int64_t[]){ -1, -1, -1, -1 });
		return 0;
	}
	if (read_unfold(x->node, in->rank, in->dims, &u, x->diags) != 0)
		return -1;
	int64_t depth = u.channels < 0 ? -1 : u.channels * u.kernel[0] * u.kernel[1];
	infer_output(x, 0, (enum elem_type)in->elem, 4, (const int64_t[]){ in->dims[0], u.out[0], u.out[1], depth });
	return 0;
}

/* One kernel tap of one output pixel: its channels, or the padding value (given as one element's bytes). */
static void copy_tap(const struct unfold *u, const char *sample, int64_t h, int64_t w, size_t size, const char *padding,
		     char *to)
{
	if (h >= 0 && h < u->in[0] && w >= 0 && w < u->in[1]) {
		memcpy(to, sample + (size_t)((h * u->in[1] + w) * u->channels) * size, (size_t)u->channels * size);
		return;
	}
	for (int64_t c = 0; c < u->channels; c++)
		memcpy(to + (size_t)c * size, padding, size);
}

static void unfold_sample(const struct unfold *u, const char *sample, size_t size, const char *padding, char *to)
{
	for (int64_t oh = 0; oh < u->out[0]; oh++)
		for (int64_t ow = 0; ow < u->out[1]; ow++)
			for (int64_t k = 0; k < u->kernel[0] * u->kernel[1]; k++) {
				int64_t kh = k / u->kernel[1], kw = k % u->kernel[1];
				copy_tap(u, sample, oh * u->stride[0] + kh * u->dilation[0] - u->pad[0],
					 ow * u->stride[1] + kw * u->dilation[1] - u->pad[1], size, padding, to);
				to += (size_t)u->channels * size;
			}
}

static int exec(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0];
	enum elem_type elem = (enum elem_type)in->elem;
	struct unfold u;
	if (elem == ELEM_STRING)
		return exec_unsupported(x, "strings");
	if (read_unfold(x->node, in->rank, in->dims, &u, x->diags) != 0)
		return -1;
	int64_t dims[4] = { in->dims[0], u.out[0], u.out[1], u.channels * u.kernel[0] * u.kernel[1] };
	struct tensor *y = exec_output(x, 0, elem, 4, dims), *padding = tensor_try_new(elem, 0, NULL);
	if (y && padding) {
		size_t size = elem_size(elem);
		size_t in_bytes = (size_t)(u.in[0] * u.in[1] * u.channels) * size;
		size_t out_bytes = (size_t)(dims[1] * dims[2] * dims[3]) * size;
		tensor_put(padding, 0, (double)node_attr_int(x->node, "pad_value", 0));
		for (int64_t i = 0; i < dims[0]; i++)
			unfold_sample(&u, (const char *)in->data + (size_t)i * in_bytes, size, padding->data,
				      (char *)y->data + (size_t)i * out_bytes);
	}
	tensor_unref(padding);
	return y && padding ? 0 : -1;
}

const struct op op_Im2Col = {
	.domain = DOMAIN_QONNX,
	.name = "Im2Col",
	.summary = "Unfolds the windows of NHWC data into rows",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer,
	.datatype = datatype_same,
	.exec = exec,
};

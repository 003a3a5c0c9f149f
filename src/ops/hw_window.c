/* Hardware layers that move windows and pixels of NHWC images: ConvolutionInputGenerator, FMPadding,
 * DownSampler, UpsampleNearestNeighbour, StreamingMaxPool and Pool. */
#include <string.h>

#include "ops/hw_ops.h"

/* What one image of the batch is turned into by. */
typedef void image_fn(const struct hw_layer *l, const float *in, float *out);

/* Reads the layer, types the output and runs f over the images of the batch. */
static int run_images(struct exec_ctx *x, int64_t channels, image_fn *f)
{
	struct hw_layer l;
	if (hw_layer_read(x->node, &l, x->diags) != 0)
		return -1;
	struct tensor *in = hw_floats(x, 0);
	if (!in)
		return -1;
	int64_t size_in = l.elements[0], size_out = l.out_dim[0] * l.out_dim[1] * channels;
	if (l.kind == HW_FMPADDING || l.kind == HW_PIXELPAD || l.kind == HW_UPSAMPLE || l.kind == HW_DOWNSAMPLER ||
	    l.kind == HW_POOL)
		size_in = l.elements[0] / (l.vectors / (l.kind == HW_POOL ? l.out_dim[0] * l.out_dim[1] : 1));
	struct tensor *y = NULL;
	if (in->rank != 4 || size_in < 1 || in->count % size_in)
		diag_node_error(x->diags, x->node, NULL, "the image size in its attributes does not fit the input");
	else
		y = exec_output(x, 0, ELEM_FLOAT, 4,
				(int64_t[]){ in->count / size_in, l.out_dim[0], l.out_dim[1], channels });
	for (int64_t i = 0; y && i < in->count / size_in; i++)
		f(&l, tensor_floats(in) + i * size_in, (float *)y->data + i * size_out);
	tensor_unref(in);
	return y ? 0 : -1;
}

/* The layer's geometry, for inference; false (and no output dims) where attributes are missing. */
static bool geometry(struct infer_ctx *x, struct hw_layer *l)
{
	struct diags ignored = { 0 };
	bool ok = hw_layer_read(x->node, l, &ignored) == 0;
	diags_free(&ignored);
	return ok;
}

static int infer_geometry(struct infer_ctx *x, bool window)
{
	struct hw_layer l;
	if (!geometry(x, &l))
		return 0;
	return hw_infer_image(x, l.out_dim[0], l.out_dim[1], window ? l.mw * l.mh : l.mh);
}

static int infer_plain(struct infer_ctx *x)
{
	return infer_geometry(x, false);
}

/* ---- ConvolutionInputGenerator ---- */

static int infer_swg(struct infer_ctx *x)
{
	return infer_geometry(x, true);
}

/* One window: kernel positions of all channels; depthwise: of SIMD channels, then of the next SIMD ones. */
static void swg_window(const struct hw_layer *l, const float *in, int64_t row, int64_t column, float *out)
{
	int64_t group = l->depthwise ? l->now.simd : l->mh;
	for (int64_t from = 0; from < l->mh; from += group)
		for (int64_t ky = 0; ky < l->kernel[0]; ky++)
			for (int64_t kx = 0; kx < l->kernel[1]; kx++, out += group) {
				int64_t y = row + ky * l->dilation[0], x = column + kx * l->dilation[1];
				memcpy(out, in + (y * l->in_dim[1] + x) * l->mh + from, (size_t)group * sizeof *out);
			}
}

static void swg_image(const struct hw_layer *l, const float *in, float *out)
{
	for (int64_t y = 0; y < l->out_dim[0]; y++)
		for (int64_t x = 0; x < l->out_dim[1]; x++, out += l->mw * l->mh)
			swg_window(l, in, y * l->stride[0], x * l->stride[1], out);
}

static int exec_swg(struct exec_ctx *x)
{
	struct hw_layer l;
	if (hw_layer_read(x->node, &l, x->diags) != 0)
		return -1;
	for (int i = 0; i < 2; i++)
		if ((l.out_dim[i] - 1) * l.stride[i] + (l.kernel[i] - 1) * l.dilation[i] >= l.in_dim[i])
			return diag_node_error(x->diags, x->node, NULL, "OFMDim is too large for IFMDim");
	if (l.mh % l.now.simd)
		return diag_node_error(x->diags, x->node, NULL, "SIMD does not divide IFMChannels");
	return run_images(x, l.mw * l.mh, swg_image);
}

const struct op op_ConvolutionInputGenerator = {
	.domain = DOMAIN_FINN,
	.name = "ConvolutionInputGenerator",
	.summary = "Hardware: sliding window, from pixels to the windows of a convolution",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_swg,
	.datatype = hw_input_datatype,
	.exec = exec_swg,
};

/* ---- FMPadding ---- */

static void pad_image(const struct hw_layer *l, const float *in, float *out)
{
	memset(out, 0, (size_t)(l->out_dim[0] * l->out_dim[1] * l->mh) * sizeof *out);
	int64_t line = l->in_dim[1] * l->mh;
	for (int64_t y = 0; y < l->in_dim[0]; y++)
		memcpy(out + ((y + l->pad[0]) * l->out_dim[1] + l->pad[1]) * l->mh, in + y * line,
		       (size_t)line * sizeof *out);
}

static int64_t channels_of(const struct exec_ctx *x)
{
	return node_attr_int(x->node, "NumChannels", node_attr_int(x->node, "Channels", 0));
}

static int exec_padding(struct exec_ctx *x)
{
	return run_images(x, channels_of(x), pad_image);
}

const struct op op_FMPadding = {
	.domain = DOMAIN_FINN,
	.name = "FMPadding",
	.summary = "Hardware: a border of zeros around an image",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_plain,
	.datatype = hw_input_datatype,
	.exec = exec_padding,
};

/* Zeros between the pixels. */
static void spread_image(const struct hw_layer *l, const float *in, float *out)
{
	memset(out, 0, (size_t)(l->out_dim[0] * l->out_dim[1] * l->mh) * sizeof *out);
	for (int64_t y = 0; y < l->in_dim[0]; y++)
		for (int64_t x = 0; x < l->in_dim[1]; x++, in += l->mh)
			memcpy(out + (y * l->stride[0] * l->out_dim[1] + x * l->stride[1]) * l->mh, in,
			       (size_t)l->mh * sizeof *out);
}

static int exec_spread(struct exec_ctx *x)
{
	return run_images(x, channels_of(x), spread_image);
}

const struct op op_FMPadding_Pixel = {
	.domain = DOMAIN_FINN,
	.name = "FMPadding_Pixel",
	.summary = "Hardware: zeros between the pixels of an image",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_plain,
	.datatype = hw_input_datatype,
	.exec = exec_spread,
};

/* ---- DownSampler, UpsampleNearestNeighbour ---- */

static void resample_image(const struct hw_layer *l, const float *in, float *out)
{
	for (int64_t y = 0; y < l->out_dim[0]; y++)
		for (int64_t x = 0; x < l->out_dim[1]; x++, out += l->mh) {
			int64_t from_y = y * l->stride[0], from_x = x * l->stride[1];
			if (l->kind == HW_UPSAMPLE) {
				from_y = y * l->in_dim[0] / l->out_dim[0];
				from_x = x * l->in_dim[1] / l->out_dim[1];
			}
			memcpy(out, in + (from_y * l->in_dim[1] + from_x) * l->mh, (size_t)l->mh * sizeof *out);
		}
}

static int exec_resample(struct exec_ctx *x)
{
	return run_images(x, channels_of(x), resample_image);
}

const struct op op_DownSampler = {
	.domain = DOMAIN_FINN,
	.name = "DownSampler",
	.summary = "Hardware: every n-th pixel of every n-th row",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_plain,
	.datatype = hw_input_datatype,
	.exec = exec_resample,
};

const struct op op_UpsampleNearestNeighbour = {
	.domain = DOMAIN_FINN,
	.name = "UpsampleNearestNeighbour",
	.summary = "Hardware: enlarges an image by repeating pixels",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_plain,
	.datatype = hw_input_datatype,
	.exec = exec_resample,
};

/* ---- StreamingMaxPool, Pool ---- */

static void max_window(const struct hw_layer *l, const float *in, int64_t row, int64_t column, float *out)
{
	memcpy(out, in + (row * l->in_dim[1] + column) * l->mh, (size_t)l->mh * sizeof *out);
	for (int64_t y = row; y < row + l->kernel[0] && y < l->in_dim[0]; y++)
		for (int64_t x = column; x < column + l->kernel[1] && x < l->in_dim[1]; x++)
			for (int64_t c = 0; c < l->mh; c++) {
				float v = in[(y * l->in_dim[1] + x) * l->mh + c];
				if (v > out[c])
					out[c] = v;
			}
}

static void max_image(const struct hw_layer *l, const float *in, float *out)
{
	for (int64_t y = 0; y < l->out_dim[0]; y++)
		for (int64_t x = 0; x < l->out_dim[1]; x++, out += l->mh)
			max_window(l, in, y * l->stride[0], x * l->stride[1], out);
}

static int exec_max_pool(struct exec_ctx *x)
{
	return run_images(x, channels_of(x), max_image);
}

static struct datatype datatype_pooled(const struct node *n, size_t i)
{
	(void)i;
	return hw_datatype(n, "dataType");
}

const struct op op_StreamingMaxPool = {
	.domain = DOMAIN_FINN,
	.name = "StreamingMaxPool",
	.summary = "Hardware: maximum over windows that do not overlap",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_plain,
	.datatype = datatype_pooled,
	.exec = exec_max_pool,
};

/* Windows come from a depthwise ConvolutionInputGenerator: PE channels of all kernel positions at a time. */
static void pool_image(const struct hw_layer *l, const float *in, float *out)
{
	bool average = strcmp(node_attr_string(l->node, "Function", "MaxPool"), "QuantAvgPool") == 0;
	int64_t shift = node_attr_int(l->node, "Size", 0), pe = l->now.pe;
	for (int64_t i = 0; i < l->out_dim[0] * l->out_dim[1] * l->mh; i++) {
		int64_t c = i % l->mh;
		const float *w = in + i / l->mh * l->mh * l->mw + c / pe * pe * l->mw + c % pe;
		double sum = w[0];
		for (int64_t k = 1; k < l->mw; k++)
			sum = average ? sum + (double)w[k * pe] : (double)w[k * pe] > sum ? (double)w[k * pe] : sum;
		out[i] = (float)(average ? (double)((int64_t)sum >> shift) : sum);
	}
}

static int exec_pool(struct exec_ctx *x)
{
	return run_images(x, channels_of(x), pool_image);
}

static struct datatype datatype_pool(const struct node *n, size_t i)
{
	(void)i;
	return hw_datatype(n, "OutputDataType");
}

const struct op op_Pool = {
	.domain = DOMAIN_FINN,
	.name = "Pool",
	.summary = "Hardware: maximum or truncated average of windows",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_plain,
	.datatype = datatype_pool,
	.exec = exec_pool,
};

/* to-hw: nodes that move windows and pixels of NHWC images. Im2Col becomes FMPadding and ConvolutionInputGenerator
 * (DownSampler where the kernel is one pixel), MaxPoolNHWC StreamingMaxPool or Pool, Resize and Upsample
 * UpsampleNearestNeighbour. */
#include <string.h>

#include "passes/edit.h"
#include "passes/to_hw.h"

/* A pair of ints; one alone counts for both; fallback where absent. */
static void pair(const struct node *n, const char *name, int64_t fallback, int64_t out[2])
{
	size_t count = 0;
	const int64_t *ints = node_attr_ints(n, name, &count);
	out[0] = count ? ints[0] : fallback;
	out[1] = count > 1 ? ints[1] : out[0];
}

static void pads(const struct node *n, const char *name, int64_t out[4])
{
	size_t count = 0;
	const int64_t *ints = node_attr_ints(n, name, &count);
	for (size_t i = 0; i < 4; i++)
		out[i] = count == 4 ? ints[i] : count == 2 ? ints[i % 2] : 0;
}

/* A window over an image: what Im2Col and a pool have in common. */
struct view {
	int64_t kernel[2], stride[2], dilation[2], pad[4], in[2], out[2], channels;
	bool depthwise;
};

static bool any_pad(const struct view *v)
{
	return v->pad[0] || v->pad[1] || v->pad[2] || v->pad[3];
}

/* FMPadding before `before`; its output. */
static struct value *insert_padding(struct node *before, struct value *x, const struct view *v)
{
	struct graph *g = before->graph;
	struct node *n = to_hw_insert(before, "FMPadding", x, "padded");
	node_set_ints(n, "ImgDim", v->in, 2);
	node_set_ints(n, "Padding", v->pad, 4);
	node_set_int(n, "NumChannels", v->channels);
	node_set_int(n, "SIMD", v->channels);
	to_hw_set_datatype(n, "inputDataType", x->datatype);
	value_set_type(g, n->outputs[0], ELEM_FLOAT, 4,
		       (int64_t[]){ x->dims[0], v->in[0] + v->pad[0] + v->pad[2], v->in[1] + v->pad[1] + v->pad[3],
				    v->channels });
	n->outputs[0]->datatype = x->datatype;
	return n->outputs[0];
}

static void set_swg(struct node *n, const struct view *v, struct datatype t)
{
	int64_t padded[2] = { v->in[0] + v->pad[0] + v->pad[2], v->in[1] + v->pad[1] + v->pad[3] };
	node_set_ints(n, "ConvKernelDim", v->kernel, 2);
	node_set_int(n, "IFMChannels", v->channels);
	node_set_ints(n, "IFMDim", padded, 2);
	node_set_ints(n, "OFMDim", v->out, 2);
	node_set_int(n, "SIMD", v->channels);
	node_set_ints(n, "Stride", v->stride, 2);
	node_set_ints(n, "Dilation", v->dilation, 2);
	to_hw_set_datatype(n, "inputDataType", t);
	to_hw_set_datatype(n, "outputDataType", t);
	node_set_int(n, "depthwise", v->depthwise);
	node_set_int(n, "is1D", padded[0] == 1 || padded[1] == 1);
	node_set_int(n, "parallel_window", 0);
	node_set_string(n, "ram_style", "auto");
}

/* Every how manieth row and column, or pixel of a line, is taken: what DownSampler can do. Else 1. */
static int64_t down_sampling(const struct view *v, const int64_t in[2])
{
	if (v->kernel[0] != 1 || v->kernel[1] != 1)
		return 1;
	if (in[0] == 1 || in[1] == 1)
		return v->stride[in[1] == 1 ? 0 : 1];
	return in[0] == in[1] && v->stride[0] == v->stride[1] ? v->stride[0] : 1;
}

static void set_down_sampler(struct node *n, const struct view *v, struct datatype t, const int64_t in[2])
{
	node_set_int(n, "ImgDim", in[0] > in[1] ? in[0] : in[1]);
	node_set_int(n, "NumChannels", v->channels);
	node_set_int(n, "SIMD", v->channels);
	node_set_int(n, "Stride", down_sampling(v, in));
	to_hw_set_datatype(n, "inputDataType", t);
	node_set_int(n, "is1D", in[0] == 1 || in[1] == 1);
	node_set_int(n, "is1D_unitx", in[1] == 1);
}

static int convert_im2col(struct pass_ctx *ctx, struct node *n)
{
	struct value *x = node_input(n, 0), *out = node_output(n, 0);
	struct view v = { .in = { x->dims[1], x->dims[2] },
			  .out = { out->dims[1], out->dims[2] },
			  .channels = x->dims[3],
			  .depthwise = node_attr_int(n, "depthwise", 0) != 0 };
	pair(n, "kernel_size", 1, v.kernel);
	pair(n, "stride", 1, v.stride);
	pair(n, "dilations", 1, v.dilation);
	pads(n, "pad_amount", v.pad);
	if (any_pad(&v) && node_attr_float(n, "pad_value", (double)node_attr_int(n, "pad_value", 0)) != 0)
		return diag_node_error(ctx->diags, n, NULL, "pads with another value than 0, which FMPadding cannot");
	if (any_pad(&v) && !datatype_allows(x->datatype, 0))
		return diag_node_error(ctx->diags, n, "give the activation a datatype that holds 0",
				       "pads with 0, which its input's datatype does not hold");
	struct datatype t = x->datatype;
	if (any_pad(&v))
		x = insert_padding(n, x, &v);
	int64_t in[2] = { x->dims[1], x->dims[2] };
	bool down = down_sampling(&v, in) > 1 && !to_hw_for_plus(ctx);
	struct node *hw = to_hw_replace(n, down ? "DownSampler" : "ConvolutionInputGenerator", &x, 1);
	hw->outputs[0]->datatype = t;
	if (down)
		set_down_sampler(hw, &v, t, in);
	else
		set_swg(hw, &v, t);
	return 1;
}

/* ---- pooling ---- */

/* Windows that neither overlap nor leave pixels out, without padding: StreamingMaxPool. */
static bool is_tiling(const struct view *v)
{
	for (int i = 0; i < 2; i++)
		if (v->kernel[i] != v->stride[i] || v->in[i] % v->kernel[i] || v->dilation[i] != 1)
			return false;
	return !any_pad(v);
}

static int convert_tiling(struct node *n, struct value *x, const struct view *v)
{
	struct node *hw = to_hw_replace(n, "StreamingMaxPool", &x, 1);
	node_set_ints(hw, "PoolDim", v->kernel, 2);
	node_set_int(hw, "NumChannels", v->channels);
	node_set_ints(hw, "ImgDim", v->in, 2);
	to_hw_set_datatype(hw, "dataType", x->datatype);
	node_set_int(hw, "PE", 1);
	node_set_int(hw, "CeilMode", 0);
	hw->outputs[0]->datatype = x->datatype;
	return 1;
}

/* Other maxima: windows of one channel each, then Pool. */
static int convert_pool(struct pass_ctx *ctx, struct node *n, struct value *x, struct view *v)
{
	struct datatype t = x->datatype;
	if (any_pad(v) && datatype_is_signed(t))
		return diag_node_error(ctx->diags, n, "use unsigned activations, or no padding",
				       "pads signed values; FMPadding adds zeros, which may be larger than they are");
	if (any_pad(v))
		x = insert_padding(n, x, v);
	v->depthwise = true;
	struct node *swg = to_hw_insert(n, "ConvolutionInputGenerator", x, "windows");
	struct view plain = *v;
	plain.in[0] = x->dims[1];
	plain.in[1] = x->dims[2];
	memset(plain.pad, 0, sizeof plain.pad);
	set_swg(swg, &plain, t);
	value_set_type(ctx->graph, swg->outputs[0], ELEM_FLOAT, 4,
		       (int64_t[]){ x->dims[0], v->out[0], v->out[1], v->kernel[0] * v->kernel[1] * v->channels });
	swg->outputs[0]->datatype = t;
	struct node *hw = to_hw_replace(n, "Pool", &swg->outputs[0], 1);
	hw->outputs[0]->datatype = t;
	to_hw_set_datatype(hw, "InputDataType", t);
	to_hw_set_datatype(hw, "OutputDataType", t);
	node_set_int(hw, "Channels", v->channels);
	node_set_int(hw, "PE", v->channels);
	node_set_ints(hw, "KernelSize", v->kernel, 2);
	node_set_string(hw, "Function", "MaxPool");
	node_set_ints(hw, "OutImgDims", v->out, 2);
	node_set_int(hw, "BatchSize", 1);
	return 1;
}

static int convert_max_pool(struct pass_ctx *ctx, struct node *n)
{
	struct value *x = node_input(n, 0), *out = node_output(n, 0);
	struct view v = { .in = { x->dims[1], x->dims[2] },
			  .out = { out->dims[1], out->dims[2] },
			  .channels = x->dims[3] };
	pair(n, "kernel_shape", 1, v.kernel);
	pair(n, "strides", 1, v.stride);
	pair(n, "dilations", 1, v.dilation);
	pads(n, "pads", v.pad);
	if (is_tiling(&v) && !to_hw_for_plus(ctx))
		return convert_tiling(n, x, &v);
	for (int i = 0; i < 2; i++) /* ceil_mode: the last window hangs over */
		if ((v.out[i] - 1) * v.stride[i] + (v.kernel[i] - 1) * v.dilation[i] + 1 >
		    v.in[i] + v.pad[i] + v.pad[i + 2])
			v.pad[i + 2] = (v.out[i] - 1) * v.stride[i] + (v.kernel[i] - 1) * v.dilation[i] + 1 - v.in[i] -
				       v.pad[i];
	return convert_pool(ctx, n, x, &v);
}

/* ---- enlarging ---- */

static int convert_upsample(struct pass_ctx *ctx, struct node *n)
{
	struct value *x = node_input(n, 0), *out = node_output(n, 0);
	bool line = x->dims[2] == 1 && out->dims[2] == 1;
	if (strcmp(node_attr_string(n, "mode", "nearest"), "nearest") != 0)
		return diag_node_error(ctx->diags, n, "use mode nearest", "interpolates, which has no hardware form");
	for (int i = 1; i <= (line ? 1 : 2); i++)
		if (out->dims[i] % x->dims[i] || out->dims[i] / x->dims[i] != out->dims[1] / x->dims[1])
			return diag_node_error(ctx->diags, n, NULL, "does not enlarge by one whole factor");
	if (out->dims[3] != x->dims[3])
		return diag_node_error(ctx->diags, n, NULL, "enlarges along its channels, which has no hardware form");
	if (!line && x->dims[1] != x->dims[2])
		return diag_node_error(ctx->diags, n, "make the images square", "hardware enlarges square images only");
	int64_t in_dim = x->dims[1], out_dim = out->dims[1];
	struct datatype t = x->datatype;
	struct node *hw = to_hw_replace(n, "UpsampleNearestNeighbour", &x, 1);
	node_set_int(hw, "OFMDim", out_dim);
	node_set_int(hw, "IFMDim", in_dim);
	node_set_int(hw, "NumChannels", x->dims[3]);
	to_hw_set_datatype(hw, "inputDataType", t);
	node_set_int(hw, "numInputVectors", x->dims[0]);
	node_set_int(hw, "DimMode", line ? 1 : 0);
	hw->outputs[0]->datatype = t;
	return 1;
}

int to_hw_window(struct pass_ctx *ctx, struct node *n)
{
	const struct value *x = node_input(n, 0), *out = node_output(n, 0);
	if (!to_hw_is_integer(x) || !out || x->rank != 4 || out->rank != 4)
		return 0;
	if (n->op == &op_Im2Col)
		return convert_im2col(ctx, n);
	if (n->op == &op_MaxPoolNHWC)
		return convert_max_pool(ctx, n);
	if (n->op == &op_Resize || n->op == &op_Upsample)
		return convert_upsample(ctx, n);
	return 0;
}

/* lower-convs: operators with a sliding window. Conv and ConvTranspose become Im2Col and MatMul, MaxPool stays one. */
#include <string.h>

#include "passes/edit.h"
#include "passes/lower_convs.h"

static int read_window(struct lowering *l, struct node *n, struct window *w, const int64_t *kernel)
{
	const struct value *x = node_input(n, 0);
	return window_read(w, n, x->rank - 2, x->dims + 2, kernel, l->ctx->diags);
}

/* Rows and columns of a window's array; signals have columns of `one`. */
static void two(const struct window *w, const int64_t *three, int64_t one, int64_t out[2])
{
	out[0] = w->spatial == 2 ? three[1] : three[2];
	out[1] = w->spatial == 2 ? three[2] : one;
}

static struct value *insert_im2col(struct node *before, struct value *x, const struct window *w, bool depthwise)
{
	struct node *n = node_new(before->graph, before, DOMAIN_QONNX, "Im2Col", &x, 1, 1, "windows");
	int64_t kernel[2], stride[2], dilation[2], begin[2], end[2];
	two(w, w->kernel, 1, kernel);
	two(w, w->stride, 1, stride);
	two(w, w->dilation, 1, dilation);
	two(w, w->begin, 0, begin);
	two(w, w->end, 0, end);
	node_set_ints(n, "stride", stride, 2);
	node_set_ints(n, "kernel_size", kernel, 2);
	node_set_ints(n, "pad_amount", (int64_t[]){ begin[0], begin[1], end[0], end[1] }, 4);
	node_set_int(n, "pad_value", 0);
	node_set_ints(n, "dilations", dilation, 2);
	node_set_int(n, "depthwise", depthwise);
	node_set_string(n, "input_shape",
			arena_printf(&n->graph->arena, "(%lld,%lld,%lld,%lld)", (long long)x->dims[0],
				     (long long)x->dims[1], (long long)x->dims[2], (long long)x->dims[3]));
	return twin_output(n, x);
}

/* Amounts of a Pad: at the begin and the end of each axis; NULL where they are given otherwise. */
static const int64_t *pad_amounts(const struct node *n, int rank, int64_t buffer[2 * MAX_RANK])
{
	const struct value *given = node_input(n, 1);
	size_t count = 0;
	const int64_t *pads = node_attr_ints(n, "pads", &count);
	if (node_input(n, 3) || (given && (!value_is_constant(given) || given->constant->count > 2 * MAX_RANK)))
		return NULL;
	if (given) {
		count = (size_t)given->constant->count;
		for (size_t i = 0; i < count; i++)
			buffer[i] = tensor_int_at(given->constant, (int64_t)i);
		pads = buffer;
	}
	return count == 2 * (size_t)rank ? pads : NULL;
}

/* A Pad of zeros around the pixels becomes padding of the window that reads it: what it pads, or v where there is none. */
static struct value *take_padding(struct value *v, struct window *w)
{
	struct node *n = v->producer;
	double value = n ? node_attr_float(n, "value", 0) : 0;
	int64_t buffer[2 * MAX_RANK];
	if (!n || n->op != &op_Pad || !is_image(node_input(n, 0)) ||
	    strcmp(node_attr_string(n, "mode", "constant"), "constant") != 0 ||
	    (node_input(n, 2) && !value_scalar(node_input(n, 2), &value)) || value != 0)
		return v;
	const int64_t *pads = pad_amounts(n, v->rank, buffer);
	if (!pads || pads[0] || pads[1] || pads[v->rank] || pads[v->rank + 1])
		return v;
	for (int i = 2; i < v->rank; i++)
		if (pads[i] < 0 || pads[v->rank + i] < 0)
			return v;
	for (int i = WINDOW_AXES - w->spatial; i < WINDOW_AXES; i++) {
		w->begin[i] += pads[v->rank - WINDOW_AXES + i];
		w->end[i] += pads[2 * v->rank - WINDOW_AXES + i];
	}
	return node_input(n, 0);
}

int nhwc_conv(struct lowering *l, struct node *n)
{
	struct value *x = node_input(n, 0), *w = node_input(n, 1);
	struct window window;
	if (!is_image(x) || !value_is_constant(w) || !tensor_is_integral(w->constant) || node_input(n, 2))
		return 0;
	if (read_window(l, n, &window, w->dims + 2) != 0)
		return -1;
	int64_t groups = node_attr_int(n, "group", 1), kernel[2];
	bool depthwise = groups > 1 && w->dims[1] == 1 && w->dims[0] == groups;
	struct value *image = twin_of(l, take_padding(x, &window), n);
	if (!window_is_pointwise(&window) || depthwise)
		image = insert_im2col(n, image, &window, depthwise);
	struct value *matrix = lower_weights(l->g, w, groups);
	two(&window, window.kernel, 1, kernel);
	if (depthwise)
		mark_depthwise(l->g, matrix, kernel[0], kernel[1]);
	add_lowered(l, n, DOMAIN_ONNX, "MatMul", (struct value *[]){ image, matrix }, 2);
	return 1;
}

/* Zeros between the pixels: FINN's FMPadding_Pixel, the first step of a transposed convolution. */
static struct value *insert_pixel_padding(struct node *before, struct value *x, const int64_t stride[2])
{
	struct graph *g = before->graph;
	struct node *n = node_new(g, before, DOMAIN_FINN, "FMPadding_Pixel", &x, 1, 1, "spread");
	char name[DATATYPE_NAME_SIZE];
	node_set_string(n, "backend", "fpgadataflow");
	node_set_ints(n, "ImgDim", x->dims + 1, 2);
	node_set_ints(n, "Stride", stride, 2);
	node_set_int(n, "NumChannels", x->dims[3]);
	node_set_int(n, "SIMD", x->dims[3]);
	node_set_string(n, "inputDataType", datatype_name(x->datatype, name));
	struct value *y = n->outputs[0];
	value_set_type(g, y, (enum elem_type)x->elem, 4,
		       (int64_t[]){ x->dims[0], (x->dims[1] - 1) * stride[0] + 1, (x->dims[2] - 1) * stride[1] + 1,
				    x->dims[3] });
	y->datatype = x->datatype;
	y->layout = LAYOUT_NHWC;
	if (!graph_opset(g, DOMAIN_FINN))
		graph_set_opset(g, DOMAIN_FINN, 1);
	return y;
}

/* The window of the convolution over spread pixels that a transposed convolution is: stride 1, its padding the
 * complement. False where that would be negative. */
static bool transposed_window(const struct window *w, const struct value *out, int64_t stride[2], struct window *conv)
{
	*conv = *w;
	two(w, w->stride, 1, stride);
	for (int i = WINDOW_AXES - w->spatial; i < WINDOW_AXES; i++) {
		int64_t reach = w->dilation[i] * (w->kernel[i] - 1), spread = (w->in[i] - 1) * w->stride[i] + 1;
		conv->stride[i] = 1;
		conv->begin[i] = reach - w->begin[i];
		conv->out[i] = out->dims[out->rank - WINDOW_AXES + i];
		conv->end[i] = conv->out[i] + reach - spread - conv->begin[i];
		if (conv->begin[i] < 0 || conv->end[i] < 0)
			return false;
	}
	return true;
}

int nhwc_transposed(struct lowering *l, struct node *n)
{
	struct value *x = node_input(n, 0), *w = node_input(n, 1), *out = node_output(n, 0);
	struct window window, conv;
	int64_t stride[2];
	if (!is_image(x) || !is_image(out) || !value_is_constant(w) || !tensor_is_integral(w->constant) ||
	    node_input(n, 2))
		return 0;
	if (window_read_attributes(&window, n, x->rank - 2, x->dims + 2, w->dims + 2, l->ctx->diags) != 0)
		return -1;
	if (!transposed_window(&window, out, stride, &conv))
		return 0;
	int64_t groups = node_attr_int(n, "group", 1), kernel[2];
	bool depthwise = groups > 1 && w->dims[1] == 1 && w->dims[0] == groups;
	struct value *image = insert_pixel_padding(n, twin_of(l, x, n), stride);
	image = insert_im2col(n, image, &conv, depthwise);
	struct value *matrix = lower_transposed_weights(l->g, w, groups);
	two(&conv, conv.kernel, 1, kernel);
	if (depthwise)
		mark_depthwise(l->g, matrix, kernel[0], kernel[1]);
	add_lowered(l, n, DOMAIN_ONNX, "MatMul", (struct value *[]){ image, matrix }, 2);
	return 1;
}

/* The window of a pooling; that of a global one is the image. */
static int read_pool(struct lowering *l, struct node *n, struct window *w)
{
	const struct value *x = node_input(n, 0);
	bool global = n->op == &op_GlobalMaxPool;
	int result = read_window(l, n, w, global ? x->dims + 2 : NULL);
	if (global)
		memcpy(w->stride, w->kernel, sizeof w->stride);
	return result;
}

int nhwc_max_pool(struct lowering *l, struct node *n)
{
	struct value *x = node_input(n, 0);
	struct window w;
	int64_t kernel[2], stride[2], begin[2], end[2];
	if (!is_image(x) || (n->n_outputs > 1 && node_output(n, 1)))
		return 0;
	if (read_pool(l, n, &w) != 0)
		return -1;
	for (int i = 0; i < WINDOW_AXES; i++)
		if (w.dilation[i] != 1)
			return 0;
	two(&w, w.kernel, 1, kernel);
	two(&w, w.stride, 1, stride);
	two(&w, w.begin, 0, begin);
	two(&w, w.end, 0, end);
	struct value *image = twin_of(l, x, n);
	struct node *new = add_lowered(l, n, DOMAIN_QONNX, "MaxPoolNHWC", &image, 1);
	node_set_ints(new, "kernel_shape", kernel, 2);
	node_set_ints(new, "strides", stride, 2);
	node_set_ints(new, "pads", (int64_t[]){ begin[0], begin[1], end[0], end[1] }, 4);
	node_set_int(new, "ceil_mode", node_attr_int(n, "ceil_mode", 0));
	return 1;
}

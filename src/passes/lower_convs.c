/* lower-convs: integer convolutions become windows (Im2Col) times a matrix, on channels-last images.
 *
 * Every integer image gets a channels-last twin when something that is lowered reads it: the twin of what a lowered
 * node writes is written by its lowered form; any other comes from a Transpose. So transposes appear only where
 * the integer part begins and ends, with nothing to cancel. Signals (rank 3) are images one pixel wide. */
#include <stdlib.h>
#include <string.h>

#include "ops/window.h"
#include "passes/edit.h"
#include "passes/lower_convs.h"
#include "passes/pass.h"
#include "util/vec.h"

struct lowering {
	struct pass_ctx *ctx;
	struct graph *g;
	struct value **twin; /* by id of the channels-first value */
	size_t size;
	struct {
		struct node **items;
		size_t count, capacity;
	} lowered;
};

/* ---- twins ---- */

static bool is_image(const struct value *v)
{
	return v && datatype_is_integer(v->datatype) && (v->rank == 4 || v->rank == 3) && value_shape_known(v);
}

static const struct range *range_last(struct graph *g, const struct range *r)
{
	if (!r || !r->channels || r->axis != 1)
		return r && !r->channels ? r : NULL;
	struct range *copy = arena_new(&g->arena, struct range);
	*copy = *r;
	copy->axis = 3;
	return copy;
}

/* Types y as the channels-last form of v. */
static void type_twin(struct graph *g, struct value *y, const struct value *v)
{
	int64_t width = v->rank == 4 ? v->dims[3] : 1;
	value_set_type(g, y, (enum elem_type)v->elem, 4, (int64_t[]){ v->dims[0], v->dims[2], width, v->dims[1] });
	y->datatype = v->datatype;
	y->layout = LAYOUT_NHWC;
	y->range = range_last(g, v->range);
}

static void set_twin(struct lowering *l, struct value *v, struct value *y)
{
	type_twin(l->g, y, v);
	if (v->id < l->size)
		l->twin[v->id] = y;
}

static struct value *axes_constant(struct graph *g, int64_t axis)
{
	return value_new_constant(g, "axes", tensor_int64(1, (int64_t[]){ 1 }, &axis));
}

static struct value *transpose(struct node *before, struct value *v, const int64_t *perm)
{
	struct node *n = node_new(before->graph, before, DOMAIN_ONNX, "Transpose", &v, 1, 1, v->name);
	node_set_ints(n, "perm", perm, 4);
	struct diags quiet = { 0 };
	node_infer(n, &quiet);
	diags_free(&quiet);
	return n->outputs[0];
}

/* A single pixel has its channels last already. */
static struct value *as_pixel(struct node *before, struct value *v)
{
	struct graph *g = before->graph;
	int64_t dims[] = { v->dims[0], 1, 1, v->dims[1] };
	struct value *shape = value_new_constant(g, "shape", tensor_int64(1, (int64_t[]){ 4 }, dims));
	return add_node2(g, before, DOMAIN_ONNX, "Reshape", v, shape, v->name);
}

/* The channels-last form of v, made before `before` where there is none. */
static struct value *twin_of(struct lowering *l, struct value *v, struct node *before)
{
	static const int64_t perm[] = { 0, 2, 3, 1 };
	if (v->id < l->size && l->twin[v->id])
		return l->twin[v->id];
	struct value *image = v, *y;
	bool pixel = v->dims[2] == 1 && (v->rank == 3 || v->dims[3] == 1);
	if (v->rank == 3 && !pixel) {
		image = add_node2(l->g, before, DOMAIN_ONNX, "Unsqueeze", v, axes_constant(l->g, 3), "image");
		image->datatype = v->datatype;
	}
	y = pixel ? as_pixel(before, v) : transpose(before, image, perm);
	set_twin(l, v, y);
	return y;
}

/* Channels-first again, for those that were not lowered. */
static struct value *untwin(struct lowering *l, struct value *v, struct node *before)
{
	static const int64_t perm[] = { 0, 3, 1, 2 };
	struct value *y = transpose(before, l->twin[v->id], perm);
	y->datatype = v->datatype;
	if (v->rank == 3)
		y = add_node2(l->g, before, DOMAIN_ONNX, "Squeeze", y, axes_constant(l->g, 3), v->name);
	y->datatype = v->datatype;
	y->layout = v->layout;
	y->range = v->range;
	return y;
}

/* A node before n that reads inputs; its output is the twin of n's. */
static struct node *lowered(struct lowering *l, struct node *n, const char *domain, const char *op,
			    struct value *const *inputs, size_t count)
{
	struct node *new = node_new(l->g, n, domain, op, inputs, count, 1, node_output(n, 0)->name);
	set_twin(l, node_output(n, 0), new->outputs[0]);
	vec_push(&l->lowered, n);
	l->ctx->changes++;
	return new;
}

/* ---- convolution ---- */

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

static bool is_pointwise(const struct window *w)
{
	for (int i = 0; i < WINDOW_AXES; i++)
		if (w->kernel[i] != 1 || w->stride[i] != 1 || w->begin[i] || w->end[i])
			return false;
	return true;
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
	struct diags quiet = { 0 };
	node_infer(n, &quiet);
	diags_free(&quiet);
	n->outputs[0]->datatype = x->datatype;
	n->outputs[0]->layout = LAYOUT_NHWC;
	return n->outputs[0];
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

static int lower_conv(struct lowering *l, struct node *n)
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
	if (!is_pointwise(&window) || depthwise)
		image = insert_im2col(n, image, &window, depthwise);
	struct value *matrix = lower_weights(l->g, w, groups);
	two(&window, window.kernel, 1, kernel);
	if (depthwise)
		mark_depthwise(l->g, matrix, kernel[0], kernel[1]);
	lowered(l, n, DOMAIN_ONNX, "MatMul", (struct value *[]){ image, matrix }, 2);
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

static int lower_transposed(struct lowering *l, struct node *n)
{
	struct value *x = node_input(n, 0), *w = node_input(n, 1), *out = node_output(n, 0);
	struct window window, conv;
	int64_t stride[2];
	if (!is_image(x) || !is_image(out) || !value_is_constant(w) || !tensor_is_integral(w->constant) ||
	    node_input(n, 2) || node_attr_int(n, "group", 1) != 1)
		return 0;
	if (window_read_attributes(&window, n, x->rank - 2, x->dims + 2, w->dims + 2, l->ctx->diags) != 0)
		return -1;
	if (!transposed_window(&window, out, stride, &conv))
		return 0;
	struct value *image = insert_pixel_padding(n, twin_of(l, x, n), stride);
	image = insert_im2col(n, image, &conv, false);
	lowered(l, n, DOMAIN_ONNX, "MatMul", (struct value *[]){ image, lower_transposed_weights(l->g, w) }, 2);
	return 1;
}

/* ---- what keeps the image ---- */

static int lower_max_pool(struct lowering *l, struct node *n)
{
	struct value *x = node_input(n, 0);
	struct window w;
	int64_t kernel[2], stride[2], begin[2], end[2];
	if (!is_image(x) || (n->n_outputs > 1 && node_output(n, 1)))
		return 0;
	if (read_window(l, n, &w, NULL) != 0)
		return -1;
	for (int i = 0; i < WINDOW_AXES; i++)
		if (w.dilation[i] != 1)
			return 0;
	two(&w, w.kernel, 1, kernel);
	two(&w, w.stride, 1, stride);
	two(&w, w.begin, 0, begin);
	two(&w, w.end, 0, end);
	struct value *image = twin_of(l, x, n);
	struct node *new = lowered(l, n, DOMAIN_QONNX, "MaxPoolNHWC", &image, 1);
	node_set_ints(new, "kernel_shape", kernel, 2);
	node_set_ints(new, "strides", stride, 2);
	node_set_ints(new, "pads", (int64_t[]){ begin[0], begin[1], end[0], end[1] }, 4);
	node_set_int(new, "ceil_mode", node_attr_int(n, "ceil_mode", 0));
	return 1;
}

static int lower_threshold(struct lowering *l, struct node *n)
{
	struct value *x = node_input(n, 0);
	if (!is_image(x) || !is_image(node_output(n, 0)) || !strcmp(node_attr_string(n, "data_layout", ""), "NHWC"))
		return 0;
	struct value *inputs[] = { twin_of(l, x, n), node_input(n, 1) };
	struct node *new = lowered(l, n, DOMAIN_QONNX, "MultiThreshold", inputs, 2);
	node_copy_attrs(new, n);
	node_set_string(new, "data_layout", "NHWC");
	return 1;
}

/* A constant that is one element or one a channel of an NCHW image, for NHWC; NULL where it is neither. */
static struct value *constant_last(struct graph *g, const struct value *c, const struct value *image)
{
	int64_t channels = image->dims[1], count = c->constant->count;
	int from_last = image->rank - 2; /* the channel axis counts from the end: [.., C, H, W] */
	bool per_channel = count == channels && c->rank > from_last && c->dims[c->rank - 1 - from_last] == channels;
	if (count != 1 && !per_channel)
		return NULL;
	struct value *v = value_new_constant(g, c->name, tensor_view(c->constant, count == 1 ? 0 : 1, &count));
	v->datatype = c->datatype;
	return v;
}

/* An image of that size, or one of its pixels, rows or columns alone, which the operator repeats. */
static bool is_image_for(const struct value *v, const struct value *out)
{
	if (!is_image(v) || v->rank != out->rank)
		return false;
	for (int k = 0; k < v->rank; k++)
		if (v->dims[k] != out->dims[k] && v->dims[k] != 1)
			return false;
	return true;
}

/* Add, Sub, Mul of two images, or of one and a constant. */
static int lower_elementwise(struct lowering *l, struct node *n)
{
	struct value *out = node_output(n, 0), *inputs[2];
	if (!is_image(out))
		return 0;
	for (size_t i = 0; i < 2; i++) {
		struct value *v = node_input(n, i);
		bool constant = value_is_constant(v);
		if (!constant && !is_image_for(v, out))
			return 0;
		inputs[i] = constant ? constant_last(l->g, v, out) : NULL;
		if (constant && !inputs[i])
			return 0;
	}
	for (size_t i = 0; i < 2; i++)
		if (!inputs[i])
			inputs[i] = twin_of(l, node_input(n, i), n);
	lowered(l, n, DOMAIN_ONNX, n->op_type, inputs, 2);
	return 1;
}

/* Where an axis of [N, C, H, W] (or [N, C, L]) lies in [N, H, W, C]. */
static int64_t axis_last(int axis)
{
	static const int64_t to[] = { 0, 3, 1, 2 };
	return to[axis];
}

static int lower_concat(struct lowering *l, struct node *n)
{
	struct value *out = node_output(n, 0), **inputs;
	if (!is_image(out))
		return 0;
	for (uint32_t i = 0; i < n->n_inputs; i++)
		if (!is_image(node_input(n, i)) || value_is_constant(node_input(n, i)))
			return 0;
	inputs = xcalloc(n->n_inputs, sizeof *inputs);
	for (uint32_t i = 0; i < n->n_inputs; i++)
		inputs[i] = twin_of(l, node_input(n, i), n);
	struct node *new = lowered(l, n, DOMAIN_ONNX, "Concat", inputs, n->n_inputs);
	node_set_int(new, "axis", axis_last(normal_axis(node_attr_int(n, "axis", 1), out->rank)));
	free(inputs);
	return 1;
}

/* Nearest neighbour by the factors that the shapes show. */
static int lower_resize(struct lowering *l, struct node *n)
{
	struct value *x = node_input(n, 0), *out = node_output(n, 0);
	float scales[4] = { 1, 1, 1, 1 };
	if (!is_image(x) || !is_image(out) || x->rank != out->rank || x->dims[1] != out->dims[1] ||
	    strcmp(node_attr_string(n, "mode", "nearest"), "nearest") != 0)
		return 0;
	for (int i = 2; i < x->rank; i++) {
		if (out->dims[i] % x->dims[i])
			return 0;
		scales[i - 1] = (float)(out->dims[i] / x->dims[i]);
	}
	struct value *factors = value_new_constant(l->g, "scales", tensor_float(1, (int64_t[]){ 4 }, scales));
	struct value *inputs[] = { twin_of(l, x, n), NULL, factors };
	int64_t opset = graph_opset(l->g, DOMAIN_ONNX);
	bool two = n->op == &op_Upsample || opset < 11; /* no roi yet */
	if (two)
		inputs[1] = factors;
	else if (opset < 13) /* roi may not be left out yet */
		inputs[1] = value_new_constant(l->g, "roi", tensor_new(ELEM_FLOAT, 1, (int64_t[]){ 0 }));
	struct node *new = lowered(l, n, DOMAIN_ONNX, n->op_type, inputs, two ? 2 : 3);
	node_set_string(new, "mode", "nearest");
	if (!two) {
		node_set_string(new, "coordinate_transformation_mode", "asymmetric");
		node_set_string(new, "nearest_mode", "floor");
	}
	return 1;
}

/* ---- where images end ---- */

/* Sum over all pixels; the axes may go or stay. */
static int lower_sum(struct lowering *l, struct node *n)
{
	struct value *x = node_input(n, 0), *out = node_output(n, 0);
	int64_t pixels = 1, summed[2] = { 1, 2 };
	if (!is_image(x) || out->rank < 2 || out->dims[1] != x->dims[1] || out->dims[0] != x->dims[0])
		return 0;
	for (int i = 2; i < out->rank; i++)
		pixels *= out->dims[i];
	if (pixels != 1)
		return 0;
	struct value *axes = value_new_constant(l->g, "axes", tensor_int64(1, (int64_t[]){ 2 }, summed));
	bool by_input = graph_opset(l->g, DOMAIN_ONNX) >= 13;
	struct value *inputs[] = { twin_of(l, x, n), axes };
	struct node *sum = is_image(out)
				   ? lowered(l, n, DOMAIN_ONNX, "ReduceSum", inputs, by_input ? 2 : 1)
				   : node_new(l->g, n, DOMAIN_ONNX, "ReduceSum", inputs, by_input ? 2 : 1, 1, "sum");
	node_set_int(sum, "keepdims", 1);
	if (!by_input)
		node_set_ints(sum, "axes", summed, 2);
	if (is_image(out))
		return 1;
	struct value *y = sum->outputs[0];
	value_set_type(l->g, y, (enum elem_type)out->elem, 4, (int64_t[]){ x->dims[0], 1, 1, x->dims[1] });
	y->datatype = out->datatype;
	struct value *shape = value_new_constant(l->g, "shape", tensor_int64(1, (int64_t[]){ out->rank }, out->dims));
	struct value *same = add_node2(l->g, n, DOMAIN_ONNX, "Reshape", y, shape, out->name);
	same->datatype = out->datatype;
	value_replace_uses(out, same);
	vec_push(&l->lowered, n);
	l->ctx->changes++;
	return 1;
}

/* Does the same to every element. */
static bool treats_all_alike(const struct node *n, size_t data)
{
	const struct value *other = node_input(n, 1 - data);
	if (n->op == &op_MultiThreshold)
		return data == 0 && value_is_constant(other) && other->dims[0] == 1;
	return (n->op == &op_Add || n->op == &op_Sub || n->op == &op_Mul) && value_is_constant(other) &&
	       other->constant->count == 1;
}

/* All readers are products with constant weights, whose rows can be put into another order, behind what treats all
 * elements alike. */
static bool only_products_read(const struct value *v)
{
	if (!v->uses)
		return false;
	value_for_each_use (v, u) {
		const struct node *n = u->user;
		bool product = n && n->op == &op_MatMul && u->index == 0 && value_is_constant(node_input(n, 1)) &&
			       node_input(n, 1)->rank == 2;
		if (!product &&
		    !(n && u->index < 2 && treats_all_alike(n, u->index) && only_products_read(node_output(n, 0))))
			return false;
	}
	return true;
}

/* Puts the rows of those products into the order of channels-last pixels. */
static void permute_readers(struct lowering *l, struct value *v, int64_t channels, int64_t pixels)
{
	value_for_each_use (v, u)
		if (u->user->op == &op_MatMul)
			node_set_input(u->user, 1, permute_rows(l->g, node_input(u->user, 1), channels, pixels));
		else
			permute_readers(l, node_output(u->user, 0), channels, pixels);
}

/* A reshape of an image to one row a sample. */
static int lower_flatten(struct lowering *l, struct node *n)
{
	struct value *x = node_input(n, 0), *out = node_output(n, 0);
	if (!is_image(x) || x->id >= l->size || out->rank != 2 || out->dims[0] != x->dims[0])
		return 0;
	int64_t channels = x->dims[1], pixels = out->dims[1] / channels;
	if (pixels > 1 && !only_products_read(out))
		return 0;
	struct value *shape = value_new_constant(l->g, "shape", tensor_int64(1, (int64_t[]){ 2 }, out->dims));
	struct value *flat = add_node2(l->g, n, DOMAIN_ONNX, "Reshape", twin_of(l, x, n), shape, out->name);
	flat->datatype = out->datatype;
	flat->range = out->range && !out->range->channels ? out->range : NULL;
	if (pixels > 1)
		permute_readers(l, out, channels, pixels);
	value_replace_uses(out, flat);
	vec_push(&l->lowered, n);
	l->ctx->changes++;
	return 1;
}

/* A Transpose of the network's own between the two layouts: what it gives, or reads, is a twin already. */
static int lower_transpose(struct lowering *l, struct node *n)
{
	static const int64_t to_last[] = { 0, 2, 3, 1 }, to_first[] = { 0, 3, 1, 2 };
	struct value *x = node_input(n, 0), *out = node_output(n, 0);
	size_t count = 0;
	const int64_t *perm = node_attr_ints(n, "perm", &count);
	if (!is_image(x) || x->rank != 4 || !perm || count != 4)
		return 0;
	if (!memcmp(perm, to_last, sizeof to_last) && x->id < l->size && l->twin[x->id]) {
		value_replace_uses(out, l->twin[x->id]);
	} else if (!memcmp(perm, to_first, sizeof to_first) && out->id < l->size && !l->twin[out->id]) {
		l->twin[out->id] = x;
	} else {
		return 0;
	}
	vec_push(&l->lowered, n);
	l->ctx->changes++;
	return 1;
}

/* ---- the pass ---- */

static int lower_node(struct lowering *l, struct node *n)
{
	if (n->op == &op_Conv)
		return lower_conv(l, n);
	if (n->op == &op_ConvTranspose)
		return lower_transposed(l, n);
	if (n->op == &op_MaxPool)
		return lower_max_pool(l, n);
	if (n->op == &op_MultiThreshold)
		return lower_threshold(l, n);
	if (n->op == &op_Add || n->op == &op_Sub || n->op == &op_Mul)
		return lower_elementwise(l, n);
	if (n->op == &op_Concat)
		return lower_concat(l, n);
	if (n->op == &op_Resize || n->op == &op_Upsample)
		return lower_resize(l, n);
	if (n->op == &op_ReduceSum)
		return lower_sum(l, n);
	if (n->op == &op_Reshape || n->op == &op_Flatten || n->op == &op_Squeeze)
		return lower_flatten(l, n);
	if (n->op == &op_Transpose)
		return lower_transpose(l, n);
	return 0;
}

/* Removes the lowered nodes, last first; whoever else reads them gets channels-first values back. */
static void finish(struct lowering *l)
{
	for (size_t i = l->lowered.count; i > 0; i--) {
		struct node *n = l->lowered.items[i - 1];
		struct value *v = node_output(n, 0);
		if (v->uses && v->id < l->size && l->twin[v->id])
			value_replace_uses(v, untwin(l, v, n));
		node_remove(n);
	}
}

static enum pass_result run(struct pass_ctx *ctx)
{
	struct lowering l = { .ctx = ctx, .g = ctx->graph, .size = ctx->graph->next_value_id };
	int result = 0;
	l.twin = xcalloc(l.size + 1, sizeof *l.twin);
	graph_for_each_node (ctx->graph, n)
		if (result >= 0)
			result = lower_node(&l, n);
	finish(&l);
	graph_remove_dead(ctx->graph);
	ctx->changes += hold_zeros(ctx->graph);
	if (l.lowered.count && !graph_opset(ctx->graph, DOMAIN_QONNX))
		graph_set_opset(ctx->graph, DOMAIN_QONNX, 1);
	free(l.twin);
	vec_free(&l.lowered);
	if (result >= 0)
		result = graph_infer(ctx->graph, ctx->diags);
	return result < 0 ? PASS_ERROR : pass_result(ctx);
}

const struct pass pass_lower_convs = {
	.name = "lower-convs",
	.summary = "turns integer convolutions into Im2Col and MatMul, channels last",
	.help = "Conv (and ConvTranspose, behind FMPadding_Pixel) becomes Im2Col (where its kernel is larger than a pixel) and MatMul;\n"
		"a depthwise one keeps that fact in the tensor_sparsity annotation of its weights, other groups become zeros. MaxPool,\n"
		"MultiThreshold, Add, Concat, Resize and sums over all pixels follow channels last, and a flattening in front of MatMul\n"
		"reorders the weights, also with a quantiser in between; a Transpose to channels last goes.\n"
		"A Pad of zeros becomes padding of the window behind it. Transposes stand only where the integer part begins and\n"
		"ends. Bipolar images that are padded become TERNARY, which holds the zeros of the padding (FINN would\n"
		"write bits of 0, its -1). qonnx executes the result.",
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = ~0u,
	.run = run,
};

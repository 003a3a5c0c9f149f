/* lower-convs: operators from images to images: element-wise ones, concatenation, and enlargement. */
#include <stdlib.h>
#include <string.h>

#include "ops/channels.h"
#include "passes/lower_convs.h"
#include "util/integers.h"

bool is_read_by_window(const struct value *v)
{
	value_for_each_use (v, u) {
		const struct op *op = u->user ? u->user->op : NULL;
		if (op == &op_Conv || op == &op_ConvTranspose || op == &op_MaxPool)
			return true;
	}
	return false;
}

bool is_surely_image(const struct lowering *l, const struct value *v)
{
	return is_image(v) && (v->rank == 4 || has_twin(l, v) || is_read_by_window(v));
}

/* Thresholds of channels, or one row of them for all. */
int nhwc_threshold(struct lowering *l, struct node *n)
{
	struct value *x = node_input(n, 0), *out = node_output(n, 0), *t = node_input(n, 1);
	bool uniform = value_is_constant(t) && t->rank == 2 && t->dims[0] == 1;
	if (!is_image(x) || !is_image(out) || (!uniform && threshold_axis(n, x->rank) != 1) ||
	    (!is_surely_image(l, x) && !is_read_by_window(out)))
		return 0;
	struct value *inputs[] = { twin_of(l, x, n), t };
	struct node *new = add_lowered(l, n, DOMAIN_QONNX, "MultiThreshold", inputs, 2);
	node_copy_attrs(new, n);
	set_threshold_axis(new, 4, 3);
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
int nhwc_elementwise(struct lowering *l, struct node *n)
{
	struct value *out = node_output(n, 0), *inputs[2];
	bool image = is_surely_image(l, out);
	for (size_t i = 0; i < 2; i++)
		image = image || (!value_is_constant(node_input(n, i)) && is_surely_image(l, node_input(n, i)));
	if (!is_image(out) || !image)
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
	add_lowered(l, n, DOMAIN_ONNX, n->op_type, inputs, 2);
	return 1;
}

int nhwc_concat(struct lowering *l, struct node *n)
{
	struct value *out = node_output(n, 0), **inputs;
	bool image = is_surely_image(l, out);
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		if (!is_image(node_input(n, i)) || value_is_constant(node_input(n, i)))
			return 0;
		image = image || is_surely_image(l, node_input(n, i));
	}
	if (!is_image(out) || !image)
		return 0;
	inputs = xcalloc(n->n_inputs, sizeof *inputs);
	for (uint32_t i = 0; i < n->n_inputs; i++)
		inputs[i] = twin_of(l, node_input(n, i), n);
	struct node *new = add_lowered(l, n, DOMAIN_ONNX, "Concat", inputs, n->n_inputs);
	node_set_int(new, "axis", axis_last(normal_axis(node_attr_int(n, "axis", 1), out->rank)));
	free(inputs);
	return 1;
}

/* The pixels of an image numbered along its spatial axes. */
static struct tensor *pixel_numbers(const struct value *x)
{
	enum { MOST_ELEMENTS = 1 << 24 }; /* float32 counts so far */
	int64_t count = shape_count(x->rank, x->dims, ELEM_FLOAT), pixels = 1;
	pixels = dims_product(x->dims, 2, x->rank);
	if (count <= 0 || count > MOST_ELEMENTS)
		return NULL;
	struct tensor *t = tensor_new_raw(ELEM_FLOAT, x->rank, x->dims);
	for (int64_t i = 0; t && i < count; i++)
		((float *)t->data)[i] = (float)(i % pixels);
	return t;
}

/* Whether each output pixel o is the input's pixel o / factor, along all axes. */
static bool repeats_pixels(const struct tensor *numbers, const struct value *x, const struct value *out)
{
	int64_t rows = x->rank == 4 ? x->dims[2] : 1, columns = x->dims[x->rank - 1];
	int64_t out_rows = x->rank == 4 ? out->dims[2] : 1, out_columns = out->dims[x->rank - 1];
	for (int64_t i = 0; i < numbers->count; i++) {
		int64_t row = i / out_columns % out_rows * rows / out_rows,
			column = i % out_columns * columns / out_columns;
		if (tensor_floats(numbers)[i] != (float)(row * columns + column))
			return false;
	}
	return true;
}

/* Which pixel a Resize takes depends on its coordinate and rounding modes: its own execution on pixel numbers tells. */
static bool resize_repeats_pixels(struct lowering *l, const struct node *n)
{
	enum { MOST_INPUTS = 4 };
	const struct value *x = node_input(n, 0);
	struct tensor *in[MOST_INPUTS] = { pixel_numbers(x) }, *out[1] = { NULL };
	bool constant = n->n_inputs <= MOST_INPUTS;
	for (uint32_t i = 1; i < n->n_inputs && constant; i++) {
		const struct value *v = n->inputs[i].value;
		constant = !v || value_is_constant(v);
		in[i] = v ? v->constant : NULL;
	}
	bool repeats = constant && in[0] && node_execute(n, in, out, 1, l->ctx->diags) == 0 &&
		       repeats_pixels(out[0], x, node_output(n, 0));
	tensor_unref(in[0]);
	tensor_unref(out[0]);
	return repeats;
}

/* Nearest neighbour where it repeats pixels, by the factors that the shapes show. */
int nhwc_resize(struct lowering *l, struct node *n)
{
	struct value *x = node_input(n, 0), *out = node_output(n, 0);
	float scales[4] = { 1, 1, 1, 1 };
	if (!is_surely_image(l, x) || !is_image(out) || x->rank != out->rank || x->dims[1] != out->dims[1] ||
	    strcmp(node_attr_string(n, "mode", "nearest"), "nearest") != 0)
		return 0;
	for (int i = 2; i < x->rank; i++) {
		if (out->dims[i] % x->dims[i])
			return 0;
		scales[i - 1] = (float)(out->dims[i] / x->dims[i]);
	}
	if (!resize_repeats_pixels(l, n))
		return 0;
	struct value *factors = value_new_constant(l->g, "scales", tensor_float(1, (int64_t[]){ 4 }, scales));
	struct value *inputs[] = { twin_of(l, x, n), NULL, factors };
	int64_t opset = graph_opset(l->g, DOMAIN_ONNX);
	bool two = n->op == &op_Upsample || opset < 11; /* no roi yet */
	if (two)
		inputs[1] = factors;
	else if (opset < 13) /* roi may not be left out yet */
		inputs[1] = value_new_constant(l->g, "roi", tensor_new(ELEM_FLOAT, 1, (int64_t[]){ 0 }));
	struct node *new = add_lowered(l, n, DOMAIN_ONNX, n->op_type, inputs, two ? 2 : 3);
	node_set_string(new, "mode", "nearest");
	if (!two) {
		node_set_string(new, "coordinate_transformation_mode", "asymmetric");
		node_set_string(new, "nearest_mode", "floor");
	}
	return 1;
}

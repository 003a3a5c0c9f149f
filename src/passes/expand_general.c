/* Expansion of the QONNX operators that are not quantisers into standard ONNX: Im2Col, QuantAvgPool2d, channels-last
 * layers, XnorPopcountMatMul, DebugMarker. */
#include <math.h>
#include <string.h>

#include "passes/edit.h"
#include "passes/expand.h"

/* ---- channels last ---- */

static struct value *channels_first(struct expansion *s, struct value *v)
{
	int64_t perm[MAX_RANK] = { 0, v->rank - 1 };
	for (int i = 2; i < v->rank; i++)
		perm[i] = i - 1;
	return expand_transpose(s, v, perm, (size_t)v->rank);
}

static struct value *channels_last(struct expansion *s, struct value *v, int rank)
{
	int64_t perm[MAX_RANK] = { 0 };
	for (int i = 1; i < rank; i++)
		perm[i] = i == rank - 1 ? 1 : i + 1;
	return expand_transpose(s, v, perm, (size_t)rank);
}

/* A node of a standard ONNX operator with the attributes of the node that is expanded. */
static struct value *with_attributes(struct expansion *s, const char *op_type, struct value *const *inputs,
				     size_t count)
{
	struct node *n = node_new(s->graph, s->node, DOMAIN_ONNX, op_type, inputs, count, 1, op_type);
	struct diags quiet = { 0 };
	node_copy_attrs(n, s->node);
	node_remove_attr(n, "data_layout");
	node_infer(n, &quiet);
	diags_free(&quiet);
	return n->outputs[0];
}

static int rank_unknown(const struct expansion *s)
{
	return diag_node_error(s->diags, s->node, "give the inputs of the graph a shape",
			       "the rank of its input is not known");
}

/* Conv, MaxPool, BatchNormalization and MaxPoolNHWC between two transposes. Weights of Conv are transposed too. */
int expand_channels_last(struct expansion *s)
{
	struct node *n = s->node;
	struct value *inputs[MAX_RANK];
	int rank = node_input(n, 0)->rank;
	bool pool = n->op == &op_MaxPoolNHWC;
	if (rank < 2 || n->n_inputs > MAX_RANK)
		return rank_unknown(s);
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		bool turn = i == 0 || (i == 1 && n->op == &op_ConvChannelsLast);
		inputs[i] = turn ? channels_first(s, node_input(n, i)) : node_input(n, i);
	}
	expand_finish(s,
		      channels_last(s, with_attributes(s, pool ? "MaxPool" : n->op_type, inputs, n->n_inputs), rank));
	return 0;
}

/* ---- QuantAvgPool2d ---- */

/* The sum over a window is computed as its mean times its area, then shifted right so that it fits obits (see ops/quant_avg_pool2d.c). */
int expand_quant_avg_pool(struct expansion *s)
{
	struct node *n = s->node;
	bool last = strcmp(node_attr_string(n, "data_layout", "NCHW"), "NHWC") == 0;
	int64_t kernel = node_attr_int(n, "kernel", 1), stride = node_attr_int(n, "stride", 1);
	double most = (exp2((double)node_attr_int(n, "ibits", 1)) - 1) * (double)kernel * (double)kernel;
	int bits;
	frexp(most, &bits);
	int64_t shift = bits - node_attr_int(n, "obits", 1);
	struct value *x = expand_operand(s, node_input(n, 0));
	if (x->rank != 4)
		return rank_unknown(s);
	struct value *y = expand_unary(s, "AveragePool", last ? channels_first(s, x) : x);
	node_set_ints(y->producer, "kernel_shape", (const int64_t[]){ kernel, kernel }, 2);
	node_set_ints(y->producer, "strides", (const int64_t[]){ stride, stride }, 2);
	if (node_infer(y->producer, s->diags) != 0)
		return -1;
	y = expand_unary(s, "Round", expand_binary(s, "Mul", y, expand_scalar(s, (double)(kernel * kernel))));
	if (shift > 0)
		y = expand_unary(s, "Floor", expand_binary(s, "Mul", y, expand_scalar(s, exp2(-(double)shift))));
	expand_finish(s, last ? channels_last(s, y, 4) : y);
	return 0;
}

/* ---- Im2Col ---- */

/* [C * taps, 1, kh, kw]: channel c * taps + k of a convolution in C groups is tap k of channel c. */
static struct value *picking_weights(struct expansion *s, int64_t channels, const int64_t kernel[2])
{
	int64_t taps = kernel[0] * kernel[1];
	int64_t dims[] = { channels * taps, 1, kernel[0], kernel[1] };
	struct tensor *t = tensor_new(s->elem, 4, dims);
	for (int64_t i = 0; i < channels * taps; i++)
		tensor_put(t, i * taps + i % taps, 1);
	return value_new_constant(s->graph, "pick", t);
}

/* x with its spatial border added. */
static struct value *bordered(struct expansion *s, struct value *x)
{
	size_t count;
	const int64_t *pad = node_attr_ints(s->node, "pad_amount", &count);
	if (!pad || count != 4 || !(pad[0] | pad[1] | pad[2] | pad[3]))
		return x;
	int64_t eight[] = { 8 }, pads[] = { 0, 0, pad[0], pad[1], 0, 0, pad[2], pad[3] };
	struct value *amounts = value_new_constant(s->graph, "pads", tensor_int64(1, eight, pads));
	return expand_ternary(s, "Pad", x, amounts, expand_scalar(s, (double)node_attr_int(s->node, "pad_value", 0)));
}

static void copy_ints(struct node *to, const char *name, const struct node *from, const char *its_name)
{
	size_t count;
	const int64_t *list = node_attr_ints(from, its_name, &count);
	if (list)
		node_set_ints(to, name, list, count);
}

/* A convolution whose weights pick one element each; then the taps go before the channels. */
int expand_im2col(struct expansion *s)
{
	struct node *n = s->node;
	size_t count;
	const int64_t *kernel = node_attr_ints(n, "kernel_size", &count);
	const struct value *out = n->outputs[0];
	struct value *x = expand_operand(s, node_input(n, 0));
	if (x->rank != 4 || x->dims[3] < 1 || !value_shape_known(out) || !kernel || count != 2)
		return rank_unknown(s);
	int64_t channels = x->dims[3], taps = kernel[0] * kernel[1];
	int64_t apart[] = { out->dims[0], channels, taps, out->dims[1], out->dims[2] };
	struct value *weights = picking_weights(s, channels, kernel);
	struct value *y = expand_binary(s, "Conv", bordered(s, channels_first(s, x)), weights);
	node_set_int(y->producer, "group", channels);
	node_set_ints(y->producer, "kernel_shape", kernel, 2);
	copy_ints(y->producer, "strides", n, "stride");
	copy_ints(y->producer, "dilations", n, "dilations");
	if (node_infer(y->producer, s->diags) != 0)
		return -1;
	y = expand_transpose(s, expand_reshape(s, y, apart, 5), (const int64_t[]){ 0, 3, 4, 2, 1 }, 5);
	expand_finish(s, expand_reshape(s, y, out->dims, 4));
	return 0;
}

/* ---- the rest ---- */

/* With bits as -1 and +1 the product of two vectors of K elements is 2 * (number of equal elements) - K. */
int expand_xnor(struct expansion *s)
{
	struct value *signs[2];
	const struct value *a = node_input(s->node, 0);
	if (a->rank < 1 || a->dims[a->rank - 1] < 1)
		return rank_unknown(s);
	for (size_t i = 0; i < 2; i++) {
		struct value *two = expand_scalar(s, 2);
		struct value *doubled = expand_binary(s, "Mul", expand_operand(s, node_input(s->node, i)), two);
		signs[i] = expand_binary(s, "Sub", doubled, expand_scalar(s, 1));
	}
	struct value *length = expand_scalar(s, (double)a->dims[a->rank - 1]);
	struct value *sum = expand_binary(s, "Add", expand_binary(s, "MatMul", signs[0], signs[1]), length);
	expand_finish(s, expand_binary(s, "Mul", sum, expand_scalar(s, 0.5)));
	return 0;
}

int expand_debug_marker(struct expansion *s)
{
	expand_finish(s, expand_unary(s, "Identity", node_input(s->node, 0)));
	return 0;
}

/* The QONNX operators that are no quantisers, in plain ONNX: unfolding, pooling, channels-last layers, products of
 * bits. */
#include <math.h>
#include <string.h>

#include "passes/edit.h"
#include "passes/spell.h"

/* ---- channels last ---- */

static struct value *channels_first(struct spelling *s, struct value *v)
{
	int64_t perm[MAX_RANK] = { 0, v->rank - 1 };
	for (int i = 2; i < v->rank; i++)
		perm[i] = i - 1;
	return spell_transpose(s, v, perm, (size_t)v->rank);
}

static struct value *channels_last(struct spelling *s, struct value *v, int rank)
{
	int64_t perm[MAX_RANK] = { 0 };
	for (int i = 1; i < rank; i++)
		perm[i] = i == rank - 1 ? 1 : i + 1;
	return spell_transpose(s, v, perm, (size_t)rank);
}

/* A node of ONNX's operator with the attributes of the one spelled out. */
static struct value *with_attributes(struct spelling *s, const char *op_type, struct value *const *inputs, size_t count)
{
	struct node *n = node_new(s->graph, s->node, DOMAIN_ONNX, op_type, inputs, count, 1, op_type);
	struct diags quiet = { 0 };
	node_copy_attrs(n, s->node);
	node_remove_attr(n, "data_layout");
	node_infer(n, &quiet);
	diags_free(&quiet);
	return n->outputs[0];
}

static int rank_unknown(const struct spelling *s)
{
	return diag_node_error(s->diags, s->node, "give the inputs of the graph a shape",
			       "the rank of its input is not known");
}

/* Conv, MaxPool, BatchNormalization and MaxPoolNHWC between two transposes. Weights of Conv are turned too. */
int spell_channels_last(struct spelling *s)
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
	spell_finish(s, channels_last(s, with_attributes(s, pool ? "MaxPool" : n->op_type, inputs, n->n_inputs), rank));
	return 0;
}

/* ---- QuantAvgPool2d ---- */

/* The mean times the area is the sum again; it is shifted right so that it fits obits (see ops/quant_avg_pool2d.c). */
int spell_quant_avg_pool(struct spelling *s)
{
	struct node *n = s->node;
	bool last = strcmp(node_attr_string(n, "data_layout", "NCHW"), "NHWC") == 0;
	int64_t kernel = node_attr_int(n, "kernel", 1), stride = node_attr_int(n, "stride", 1);
	double most = (exp2((double)node_attr_int(n, "ibits", 1)) - 1) * (double)kernel * (double)kernel;
	int bits;
	frexp(most, &bits);
	int64_t shift = bits - node_attr_int(n, "obits", 1);
	struct value *x = spell_operand(s, node_input(n, 0));
	if (x->rank != 4)
		return rank_unknown(s);
	struct value *y = spell1(s, "AveragePool", last ? channels_first(s, x) : x);
	node_set_ints(y->producer, "kernel_shape", (const int64_t[]){ kernel, kernel }, 2);
	node_set_ints(y->producer, "strides", (const int64_t[]){ stride, stride }, 2);
	if (node_infer(y->producer, s->diags) != 0)
		return -1;
	y = spell1(s, "Round", spell2(s, "Mul", y, spell_number(s, (double)(kernel * kernel))));
	if (shift > 0)
		y = spell1(s, "Floor", spell2(s, "Mul", y, spell_number(s, exp2(-(double)shift))));
	spell_finish(s, last ? channels_last(s, y, 4) : y);
	return 0;
}

/* ---- Im2Col ---- */

/* [C * taps, 1, kh, kw]: channel c * taps + k of a convolution in C groups is tap k of channel c. */
static struct value *picking_weights(struct spelling *s, int64_t channels, const int64_t kernel[2])
{
	int64_t taps = kernel[0] * kernel[1];
	int64_t dims[] = { channels * taps, 1, kernel[0], kernel[1] };
	struct tensor *t = tensor_new(s->elem, 4, dims);
	for (int64_t i = 0; i < channels * taps; i++)
		tensor_put(t, i * taps + i % taps, 1);
	return value_new_constant(s->graph, "pick", t);
}

/* x with its spatial border added. */
static struct value *bordered(struct spelling *s, struct value *x)
{
	size_t count;
	const int64_t *pad = node_attr_ints(s->node, "pad_amount", &count);
	if (!pad || count != 4 || !(pad[0] | pad[1] | pad[2] | pad[3]))
		return x;
	int64_t eight[] = { 8 }, pads[] = { 0, 0, pad[0], pad[1], 0, 0, pad[2], pad[3] };
	struct value *amounts = value_new_constant(s->graph, "pads", tensor_int64(1, eight, pads));
	return spell3(s, "Pad", x, amounts, spell_number(s, (double)node_attr_int(s->node, "pad_value", 0)));
}

static void copy_ints(struct node *to, const char *name, const struct node *from, const char *its_name)
{
	size_t count;
	const int64_t *list = node_attr_ints(from, its_name, &count);
	if (list)
		node_set_ints(to, name, list, count);
}

/* A convolution whose weights pick one element each; then the taps go before the channels. */
int spell_im2col(struct spelling *s)
{
	struct node *n = s->node;
	size_t count;
	const int64_t *kernel = node_attr_ints(n, "kernel_size", &count);
	const struct value *out = n->outputs[0];
	struct value *x = spell_operand(s, node_input(n, 0));
	if (x->rank != 4 || x->dims[3] < 1 || !value_shape_known(out) || !kernel || count != 2)
		return rank_unknown(s);
	int64_t channels = x->dims[3], taps = kernel[0] * kernel[1];
	int64_t apart[] = { out->dims[0], channels, taps, out->dims[1], out->dims[2] };
	struct value *y = spell2(s, "Conv", bordered(s, channels_first(s, x)), picking_weights(s, channels, kernel));
	node_set_int(y->producer, "group", channels);
	node_set_ints(y->producer, "kernel_shape", kernel, 2);
	copy_ints(y->producer, "strides", n, "stride");
	copy_ints(y->producer, "dilations", n, "dilations");
	if (node_infer(y->producer, s->diags) != 0)
		return -1;
	y = spell_transpose(s, spell_reshape(s, y, apart, 5), (const int64_t[]){ 0, 3, 4, 2, 1 }, 5);
	spell_finish(s, spell_reshape(s, y, out->dims, 4));
	return 0;
}

/* ---- the rest ---- */

/* Bits as -1 and +1: their product is agreements less disagreements, of K places. */
int spell_xnor(struct spelling *s)
{
	struct value *signs[2];
	const struct value *a = node_input(s->node, 0);
	if (a->rank < 1 || a->dims[a->rank - 1] < 1)
		return rank_unknown(s);
	for (size_t i = 0; i < 2; i++) {
		struct value *doubled = spell2(s, "Mul", spell_operand(s, node_input(s->node, i)), spell_number(s, 2));
		signs[i] = spell2(s, "Sub", doubled, spell_number(s, 1));
	}
	struct value *sum = spell2(s, "Add", spell2(s, "MatMul", signs[0], signs[1]),
				   spell_number(s, (double)a->dims[a->rank - 1]));
	spell_finish(s, spell2(s, "Mul", sum, spell_number(s, 0.5)));
	return 0;
}

int spell_debug_marker(struct spelling *s)
{
	spell_finish(s, spell1(s, "Identity", node_input(s->node, 0)));
	return 0;
}

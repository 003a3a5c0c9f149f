/* Products: MatMul, Conv and ConvTranspose with constant integer weights, and MatMul of two computed values. */
#include "passes/products.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "passes/rules/rule.h"

/* Scale and bias of the output, per output channel; NULL scale entries mean they could not be found. */
struct moved {
	struct affine out;
	struct tensor *weights; /* new ones, or NULL: as they are */
};

/* One scale per group of input channels comes out as one scale per output channel. */
static bool scales_by_group(const struct product *p, const struct affine *in)
{
	for (int64_t c = 0; c < p->groups * p->in; c++)
		if (in->scale[in->channels == 1 ? 0 : c] != in->scale[in->channels == 1 ? 0 : c / p->in * p->in])
			return false;
	return true;
}

/* Whether the sums with these weights stay within what float32 counts exactly (2^24). */
static bool sums_count(struct rule_ctx *x, const struct product *p, const struct affine *in,
		       const struct tensor *weights)
{
	const struct range *r = range_of(x->graph, in->root);
	struct product scaled = *p;
	scaled.weights = weights;
	if (!r)
		return false;
	for (int64_t c = 0; c < p->groups * p->out; c++) {
		double sum = 0;
		for (int64_t i = 0; i < p->in; i++) {
			int64_t lo, hi, from = c / p->out * p->in + i;
			range_channel(r, p->in_axis, from, &lo, &hi);
			double largest = fmax(fabs((double)lo), fabs((double)hi));
			for (int64_t k = 0; k < p->taps; k++)
				sum += largest *
				       fabs((double)tensor_floats(
					       weights)[product_index(&scaled, c / p->out, c % p->out, i, k)]);
		}
		if (sum > 0x1p24)
			return false;
	}
	return true;
}

static bool move_scales(struct rule_ctx *x, const struct product *p, const struct affine *in, struct moved *m)
{
	int64_t inputs = p->groups * p->in, outputs = p->groups * p->out;
	bool per_group = in->channels > 1 && scales_by_group(p, in);
	affine_init(&m->out, NULL, p->out_axis, outputs);
	for (int64_t c = 0; c < outputs; c++)
		m->out.scale[c] = in->scale[per_group ? c / p->out * p->in : 0];
	if (in->channels == 1 || per_group)
		return true;
	double common, *multiples = xcalloc((size_t)inputs, sizeof *multiples);
	bool found = common_scale(in->scale, inputs, &common, multiples), rounded;
	if (found) {
		m->weights = product_scaled(p, NULL, multiples, &rounded);
		found = !rounded && sums_count(x, p, in, m->weights);
		if (!found)
			x->reason =
				"with the scales of its input channels its integer sums would pass 2^24, more than float32 "
				"counts; scales that are powers of two, or one for all channels, fit";
		for (int64_t c = 0; c < outputs; c++)
			m->out.scale[c] = common;
	} else {
		x->reason = "the scales of its input channels have no common measure below 2^31";
	}
	free(multiples);
	return found;
}

/* What the bias of the input adds to each output channel. */
static void move_bias(const struct product *p, const struct affine *in, struct affine *out)
{
	double *sums = xcalloc((size_t)(p->groups * p->out), sizeof *sums);
	product_sums(p, in->bias, in->channels, sums);
	memcpy(out->bias, sums, (size_t)(p->groups * p->out) * sizeof *sums);
	free(sums);
}

/* Padding means 0 in real numbers, which is -bias/scale in integers: an explicit Pad with that. */
static bool pad_before(struct rule_ctx *x, struct node *n, const struct affine *in, struct value **data)
{
	size_t count;
	const int64_t *pads = node_attr_ints(n, "pads", &count);
	int rank = node_input(n, 0)->rank;
	double z = in->channels == 1 ? -in->bias[0] / in->scale[0] : 0.5;
	if (n->op != &op_Conv || !pads || count != 2 * (size_t)(rank - 2) || fabs(z - rint(z)) > 1e-6) {
		x->reason =
			"it pads with 0, which is no integer behind its input's scale and offset: quantise behind what "
			"adds the offset (a batch norm?), or do without the padding";
		return false;
	}
	int64_t all[2 * MAX_RANK] = { 0 }, none[2 * MAX_RANK] = { 0 }, dims[] = { 2 * rank };
	for (int i = 0; i < rank - 2; i++) {
		all[2 + i] = pads[i];
		all[rank + 2 + i] = pads[rank - 2 + i];
	}
	struct value *inputs[] = { in->root, value_new_constant(x->graph, "pads", tensor_int64(1, dims, all)),
				   constant_scalar(x->graph, "zero", rint(z)) };
	struct node *pad = node_new(x->graph, n, "", "Pad", inputs, 3, 1, "Pad");
	node_set_ints(n, "pads", none, count);
	if (retype(x, pad, 0) != 0)
		return false;
	*data = pad->outputs[0];
	const struct range *r = range_of(x->graph, *data);
	if (r)
		(*data)->datatype = datatype_for_range(r->lo, r->hi);
	return true;
}

static int apply_product(struct rule_ctx *x, struct node *n)
{
	struct product p;
	struct affine in;
	struct moved m = { .weights = NULL };
	if (!product_weights(n) || n->n_inputs > 2)
		return 0;
	if (!product_describe(n, &p))
		return refuse(x, "its weights are not of the usual shape");
	if (!range_of(x->graph, node_input(n, 1)))
		return refuse(x, "its weights are not quantised");
	int result = 0;
	bool integer = integer_input(x, n, 0, &in);
	struct value *data = in.root;
	bool vector_fits = in.channels == 1 || (in.axis == p.in_axis && in.channels == p.groups * p.in);
	bool border = affine_is_biased(&in) && (product_is_padded(n) || n->op == &op_ConvTranspose);
	if (integer && !vector_fits) {
		x->reason = "scales vary along an axis that is not its input channels";
		integer = false;
	}
	if (integer && in.root == node_input(n, 0) && !affine_is_scaled(&in) && !affine_is_biased(&in)) {
		result = retype(x, n, 0) < 0 ? -1 : 0; /* is there already */
		integer = false;
	}
	if (integer && move_scales(x, &p, &in, &m) && (!border || pad_before(x, n, &in, &data))) {
		if (affine_is_biased(&in))
			move_bias(&p, &in, &m.out);
		replace_input(n, 0, data);
		if (m.weights) {
			struct value *w = value_new_constant(x->graph, node_input(n, 1)->name, tensor_ref(m.weights));
			const struct range *r = range_of(x->graph, w);
			if (r)
				w->datatype = datatype_for_range(r->lo, r->hi);
			node_set_input(n, 1, w);
		}
		result = retype(x, n, 0) == 0 ? 1 : -1;
		affine_make_uniform(&m.out);
		put_behind(x, n, 0, &m.out);
	}
	tensor_unref(m.weights);
	affine_free(&m.out);
	affine_free(&in);
	return result;
}

const struct rule rule_product = {
	"product",
	"scales and biases move past MatMul, Conv and ConvTranspose with integer weights",
	apply_product,
};

/* One scale each, and offsets that are whole integers of it. */
static int apply_matmul(struct rule_ctx *x, struct node *n)
{
	struct affine a, b = { 0 };
	if (n->op != &op_MatMul || value_is_constant(node_input(n, 1)) || value_is_constant(node_input(n, 0)))
		return 0;
	int result = 0;
	bool both = integer_input(x, n, 0, &a) && integer_input(x, n, 1, &b);
	struct value *p = both ? shifted_integer(x, n, &a) : NULL, *q = p ? shifted_integer(x, n, &b) : NULL;
	if (q && (affine_is_scaled(&a) || affine_is_scaled(&b) || affine_is_biased(&a) || affine_is_biased(&b))) {
		replace_input(n, 0, p);
		replace_input(n, 1, q);
		result = retype(x, n, 0) == 0 ? 1 : -1;
		struct affine out;
		affine_init(&out, NULL, -1, 1);
		out.scale[0] = a.scale[0] * b.scale[0];
		put_behind(x, n, 0, &out);
		affine_free(&out);
	} else if (both && !q) {
		x->reason = "an operand has several scales, or an offset that is no integer of its scale";
	}
	affine_free(&a);
	affine_free(&b);
	return result;
}

const struct rule rule_matmul = {
	"matmul",
	"scales move past a MatMul of two computed values",
	apply_matmul,
};

/* qcdq-to-quant: QuantizeLinear, Clip, DequantizeLinear read as the one quantiser that they are. */
#include <math.h>

#include "ops/op.h"
#include "ops/rounding.h"
#include "passes/edit.h"
#include "passes/pass.h"

/* Integers a QuantizeLinear gives: by its zero point's type, narrowed by a Clip. */
struct levels {
	double lo, hi;
	bool is_signed, narrow;
	int bits;
};

static bool type_levels(enum elem_type elem, struct levels *l)
{
	if (!elem_is_integer(elem))
		return false;
	l->is_signed = elem_is_signed(elem);
	l->bits = (int)elem_file_bits(elem);
	l->narrow = false;
	quant_bounds(l->is_signed, false, l->bits, &l->lo, &l->hi);
	return true;
}

/* The bit width, sign and narrowness whose bounds are lo..hi. */
static bool match_bounds(double lo, double hi, struct levels *l)
{
	for (int bits = 1; bits <= 32; bits++)
		for (int form = 0; form < 4; form++) {
			double a, b;
			bool is_signed = form & 1, narrow = form & 2;
			quant_bounds(is_signed, narrow, bits, &a, &b);
			if (a == lo && b == hi && !(bits == 1 && is_signed)) {
				*l = (struct levels){ lo, hi, is_signed, narrow, bits };
				return true;
			}
		}
	return false;
}

/* A parameter along `axis` of a value of that rank; one number stays one. Floats. */
static struct value *spread(struct graph *g, const struct value *p, int rank, int64_t axis)
{
	struct tensor *t = tensor_cast(p->constant, ELEM_FLOAT);
	int64_t dims[MAX_RANK];
	if (t->count > 1) {
		for (int i = 0; i < rank; i++)
			dims[i] = i == axis ? t->count : 1;
		struct tensor *view = tensor_view(t, rank, dims);
		tensor_unref(t);
		t = view;
	}
	return value_new_constant(g, p->name, t);
}

static struct value *zero_point(struct graph *g, const struct value *zero, int rank, int64_t axis)
{
	return zero ? spread(g, zero, rank, axis) : constant_scalar(g, "zero", 0);
}

static struct value *add_quant(struct graph *g, struct node *before, struct value *x, const struct node *dq,
			       const struct levels *l)
{
	int64_t axis = normal_axis(node_attr_int(dq, "axis", 1), x->rank);
	struct value *inputs[] = { x, spread(g, node_input(dq, 1), x->rank, axis),
				   zero_point(g, node_input(dq, 2), x->rank, axis),
				   constant_scalar(g, "bits", l->bits) };
	struct node *q = node_new(g, before, DOMAIN_QONNX, "Quant", inputs, 4, 1, "Quant");
	node_set_int(q, "signed", l->is_signed);
	node_set_int(q, "narrow", l->narrow);
	node_set_string(q, "rounding_mode", "ROUND");
	value_copy_type(g, q->outputs[0], dq->outputs[0]);
	return q->outputs[0];
}

static bool same_constant(const struct value *a, const struct value *b)
{
	if (a == b)
		return true;
	return value_is_constant(a) && value_is_constant(b) && tensor_equal(a->constant, b->constant);
}

static bool parameters_constant(const struct node *dq)
{
	const struct value *zero = node_input(dq, 2);
	return value_is_constant(node_input(dq, 1)) && (!zero || value_is_constant(zero));
}

/* QuantizeLinear above, perhaps behind a Clip; NULL where it is not such a pair. */
static struct node *quantise_above(struct node *dq, struct levels *l)
{
	struct node *n = node_input(dq, 0)->producer, *clip = NULL;
	if (n && n->op == &op_Clip) {
		clip = n;
		n = node_input(n, 0)->producer;
	}
	if (!n || n->op != &op_QuantizeLinear || !same_constant(node_input(n, 1), node_input(dq, 1)) ||
	    !same_constant(node_input(n, 2), node_input(dq, 2)) || node_attr_int(n, "block_size", 0))
		return NULL;
	enum elem_type elem = node_input(n, 2) ? node_input(n, 2)->elem
					       : (enum elem_type)node_attr_int(n, "output_dtype", ELEM_UINT8);
	if (!type_levels(elem, l))
		return NULL;
	double lo = l->lo, hi = l->hi;
	if (clip && node_input(clip, 1) && !value_scalar(node_input(clip, 1), &lo))
		return NULL;
	if (clip && node_input(clip, 2) && !value_scalar(node_input(clip, 2), &hi))
		return NULL;
	return !clip || match_bounds(fmax(lo, l->lo), fmin(hi, l->hi), l) ? n : NULL;
}

/* A stored integer constant: the numbers it stands for, under a quantiser that leaves them as they are. */
static struct value *quantised_constant(struct graph *g, struct node *dq, struct diags *d)
{
	struct tensor *in[3] = { node_input(dq, 0)->constant, node_input(dq, 1)->constant,
				 node_input(dq, 2) ? node_input(dq, 2)->constant : NULL };
	struct tensor *out[1] = { NULL };
	struct levels l;
	if (node_execute(dq, in, out, 1, d) != 0)
		return NULL;
	struct value *x = value_new_constant(g, node_input(dq, 0)->name, out[0]);
	if (!type_levels((enum elem_type)in[0]->elem, &l) || l.bits > 16)
		return x;	/* a wide bias: plain numbers */
	return add_quant(g, dq, x, dq, &l);
}

static enum pass_result run(struct pass_ctx *ctx)
{
	struct graph *g = ctx->graph;
	graph_for_each_node(g, n) {
		struct levels l;
		if (n->op != &op_DequantizeLinear || !parameters_constant(n) || node_attr_int(n, "block_size", 0))
			continue;
		struct value *y = NULL;
		struct node *q = NULL;
		if (value_is_constant(node_input(n, 0)))
			y = quantised_constant(g, n, ctx->diags);
		else if ((q = quantise_above(n, &l)))
			y = add_quant(g, n, node_input(q, 0), n, &l);
		else
			continue;
		if (!y)
			return PASS_ERROR;
		node_bypass(n, y);
		ctx->changes++;
	}
	if (ctx->changes) {
		graph_remove_dead(g);
		if (!graph_opset(g, DOMAIN_QONNX))
			graph_set_opset(g, DOMAIN_QONNX, 1);
		if (graph_infer(g, ctx->diags) != 0)
			return PASS_ERROR;
	}
	return pass_result(ctx);
}

const struct pass pass_qcdq_to_quant = {
	.name = "qcdq-to-quant",
	.summary = "QuantizeLinear, Clip, DequantizeLinear become one Quant",
	.help = "Reads the pairs of ONNX's own quantisation as QONNX: activations and weights, per tensor and per axis,\n"
		"with a Clip for widths under 8 bits. A constant behind a DequantizeLinear alone becomes a quantised\n"
		"constant.",
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = GRAPH_CLEAN,
	.run = run,
};

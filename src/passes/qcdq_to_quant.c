/* qcdq-to-quant: QuantizeLinear, Clip, DequantizeLinear read as the one quantiser that they are. */
#include <math.h>

#include "ops/op.h"
#include "ops/rounding.h"
#include "passes/edit.h"
#include "passes/pass.h"
#include "passes/raise_dequantise.h"

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

static struct value *add_quant(struct graph *g, struct node *before, struct value *x, struct value *scale,
			       struct value *zero, const struct levels *l)
{
	struct value *inputs[] = { x, scale, zero, constant_scalar(g, "bits", l->bits) };
	struct node *q = node_new(g, before, DOMAIN_QONNX, "Quant", inputs, 4, 1, "Quant");
	struct diags quiet = { 0 };
	node_set_int(q, "signed", l->is_signed);
	node_set_int(q, "narrow", l->narrow);
	node_set_string(q, "rounding_mode", "ROUND");
	node_infer(q, &quiet);
	diags_free(&quiet);
	return q->outputs[0];
}

/* ---- pairs ---- */

/* A DequantizeLinear, the QuantizeLinear above, and the levels that a Clip between them leaves. */
struct pair {
	struct node *q, *dq;
	struct levels type; /* of the storage type */
	double lo, hi;
};

static bool read_pair(struct node *dq, struct pair *p)
{
	struct node *n = node_input(dq, 0)->producer, *clip = NULL;
	if (n && n->op == &op_Clip) {
		clip = n;
		n = node_input(n, 0)->producer;
	}
	if (!n || n->op != &op_QuantizeLinear || !linear_parameters_constant(n) || node_attr_int(n, "block_size", 0))
		return false;
	enum elem_type elem = node_input(n, 2) ? node_input(n, 2)->elem
					       : (enum elem_type)node_attr_int(n, "output_dtype", ELEM_UINT8);
	*p = (struct pair){ .q = n, .dq = dq };
	if (!type_levels(elem ? elem : ELEM_UINT8, &p->type))
		return false;
	double lo = p->type.lo, hi = p->type.hi;
	if (clip && node_input(clip, 1) && !value_scalar(node_input(clip, 1), &lo))
		return false;
	if (clip && node_input(clip, 2) && !value_scalar(node_input(clip, 2), &hi))
		return false;
	p->lo = fmax(lo, p->type.lo);
	p->hi = fmin(hi, p->type.hi);
	return p->lo <= p->hi;
}

/* The zero points of both ends are the same number everywhere. */
static bool one_zero(const struct pair *p, double *zero)
{
	const struct value *a = node_input(p->q, 2), *b = node_input(p->dq, 2);
	*zero = zero_point_at(a, 0);
	return (!a || tensor_all(a->constant, *zero)) && (b ? tensor_all(b->constant, *zero) : *zero == 0);
}

static bool same_scale(const struct pair *p)
{
	const struct value *a = node_input(p->q, 1), *b = node_input(p->dq, 1);
	bool same_axis = a->constant->count == 1 || node_attr_int(p->q, "axis", 1) == node_attr_int(p->dq, "axis", 1);
	return same_axis && (a == b || tensor_equal(a->constant, b->constant));
}

/* The parameter i of a node of the pair, for values of x's rank. */
static struct value *parameter(struct graph *g, const struct node *n, size_t i, const struct value *x)
{
	int64_t axis = normal_axis(node_attr_int(n, "axis", 1), x->rank);
	return i == 1 ? spread(g, node_input(n, 1), x->rank, axis) : zero_point(g, node_input(n, 2), x->rank, axis);
}

static bool is_zero(const struct value *v)
{
	return tensor_all(v->constant, 0);
}

/* Any pair, in steps: QuantizeLinear adds its zero point after rounding, where Quant does it before, so that ties
 * would go another way. y = (clip(round(x / s) + z) - z + (z - z2)) * s2. NULL where it cannot be said. */
static struct value *quantised_in_steps(struct graph *g, const struct pair *p)
{
	struct node *at = p->dq;
	struct value *x = node_input(p->q, 0), *zero = parameter(g, p->q, 2, x), *to = parameter(g, p->dq, 2, x);
	struct value *scale = parameter(g, p->q, 1, x), *y = x;
	double z;
	bool clips = p->lo > p->type.lo || p->hi < p->type.hi, single = one_zero(p, &z);
	if (clips && !tensor_all(zero->constant, zero_point_at(zero, 0)))
		return NULL;
	if (!tensor_all(scale->constant, 1))
		y = add_node2(g, at, "", "Div", y, scale, "Div");
	y = add_node1(g, at, "", "Round", y, "Round");
	if (clips) {
		struct value *inputs[] = { y, constant_scalar(g, "least", p->lo - zero_point_at(zero, 0)),
					   constant_scalar(g, "most", p->hi - zero_point_at(zero, 0)) };
		struct node *clip = node_new(g, at, "", "Clip", inputs, 3, 1, "Clip");
		value_copy_type(g, clip->outputs[0], y);
		y = clip->outputs[0];
	}
	y = add_quant(g, at, y, constant_scalar(g, "scale", 1), zero, &p->type);
	if (!single) {
		if (!is_zero(zero))
			y = add_node2(g, at, "", "Add", y, zero, "Add");
		if (!is_zero(to))
			y = add_node2(g, at, "", "Sub", y, to, "Sub");
	}
	scale = parameter(g, p->dq, 1, x);
	return tensor_all(scale->constant, 1) ? y : add_node2(g, at, "", "Mul", y, scale, "Mul");
}

static struct value *quantised(struct graph *g, const struct pair *p)
{
	struct levels l;
	double zero;
	struct value *x = node_input(p->q, 0);
	if (x->rank < 0 || x->elem != ELEM_FLOAT)
		return NULL;
	if (same_scale(p) && one_zero(p, &zero) && match_bounds(p->lo - zero, p->hi - zero, &l)) {
		struct value *none = constant_scalar(g, "zero", 0);
		return add_quant(g, p->dq, x, parameter(g, p->q, 1, x), none, &l);
	}
	return quantised_in_steps(g, p);
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
		return x; /* a wide bias: plain numbers */
	struct value *zero = parameter(g, dq, 2, x);
	return add_quant(g, dq, x, parameter(g, dq, 1, x), zero, &l);
}

/* ---- where integers enter and leave the graph ---- */

/* An integer input: (x - zero) * scale, by these very operations. NULL where x's rank is unknown. */
static struct value *dequantised_input(struct graph *g, struct node *dq)
{
	struct value *x = node_input(dq, 0);
	if (x->rank < 0 || !elem_is_integer(x->elem) || x->elem == ELEM_INT32 || node_input(dq, 1)->elem != ELEM_FLOAT)
		return NULL;
	struct value *scale = parameter(g, dq, 1, x), *zero = parameter(g, dq, 2, x);
	struct node *cast = node_new(g, dq, "", "Cast", &x, 1, 1, "Cast");
	struct diags quiet = { 0 };
	node_set_int(cast, "to", ELEM_FLOAT);
	node_infer(cast, &quiet);
	diags_free(&quiet);
	struct value *y = cast->outputs[0];
	if (!is_zero(zero))
		y = add_node2(g, dq, "", "Sub", y, zero, "Sub");
	return tensor_all(scale->constant, 1) ? y : add_node2(g, dq, "", "Mul", y, scale, "Mul");
}

/* A quantised output: dequantised with scale 1 and cast back, so that a pair stands before it. */
static void pair_outputs(struct graph *g)
{
	for (uint32_t i = 0; i < g->n_outputs; i++) {
		struct value *q = g->outputs[i].value;
		struct node *n = q->producer;
		if (!n || n->op != &op_QuantizeLinear || !linear_parameters_constant(n) || !elem_is_integer(q->elem) ||
		    node_input(n, 0)->rank < 0)
			continue;
		struct value *y =
			add_node2(g, NULL, "", "DequantizeLinear", q, constant_scalar(g, "one", 1), "DequantizeLinear");
		struct node *cast = node_new(g, NULL, "", "Cast", &y, 1, 1, "Cast");
		node_set_int(cast, "to", q->elem);
		value_copy_type(g, cast->outputs[0], q);
		graph_set_output(g, i, cast->outputs[0]);
	}
}

static enum pass_result run(struct pass_ctx *ctx)
{
	struct graph *g = ctx->graph;
	pair_outputs(g);
	raise_dequantise(g, &ctx->changes);
	graph_for_each_node (g, n) {
		struct pair p;
		if (n->op != &op_DequantizeLinear || !linear_parameters_constant(n) ||
		    node_attr_int(n, "block_size", 0))
			continue;
		struct value *y = NULL;
		bool constant = value_is_constant(node_input(n, 0));
		if (constant)
			y = quantised_constant(g, n, ctx->diags);
		else if (read_pair(n, &p))
			y = quantised(g, &p);
		else if (!node_input(n, 0)->producer)
			y = dequantised_input(g, n);
		if (!y && constant)
			return PASS_ERROR;
		if (!y)
			continue;
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
		"constant. QuantizeLinear adds its zero point after rounding, Quant before: where that tells, or scales\n"
		"differ, the pair becomes Div, Round, Quant, Mul. What only moves or picks elements between quantising\n"
		"and dequantising (Reshape, Transpose, Concat, Split, Pad, Gather, Resize, MaxPool, Relu, ...) works on the\n"
		"real numbers instead.",
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = GRAPH_CLEAN,
	.run = run,
};

/* quant-to-qcdq: quantisers as QuantizeLinear, Clip, DequantizeLinear, the form that runtimes with ONNX's own
 * quantisation take. */
#include <math.h>

#include "ops/rounding.h"
#include "passes/edit.h"
#include "passes/pass.h"
#include "passes/raise_opset.h"
#include "util/integers.h"

/* How a quantiser is said in QCDQ. */
struct qcdq {
	double lo, hi;		     /* levels */
	enum elem_type storage;	     /* the narrowest type that holds them */
	int axis;		     /* along which scale and zero point vary; -1: they do not */
	struct tensor *scale, *zero; /* scalars or vectors; zero in the storage type */
	bool is_constant;	     /* of a constant: only its integers and a DequantizeLinear are needed */
};

static void qcdq_free(struct qcdq *c)
{
	tensor_unref(c->scale);
	tensor_unref(c->zero);
}

/* 16 bits since opset 21. ELEM_UNDEFINED where no type holds the levels. */
static enum elem_type storage_for(double lo, double hi, int64_t opset)
{
	if (lo >= 0 && hi <= UINT8_MAX)
		return ELEM_UINT8;
	if (lo >= INT8_MIN && hi <= INT8_MAX)
		return ELEM_INT8;
	if (opset < 21)
		return ELEM_UNDEFINED;
	if (lo >= 0 && hi <= UINT16_MAX)
		return ELEM_UINT16;
	return lo >= INT16_MIN && hi <= INT16_MAX ? ELEM_INT16 : ELEM_UNDEFINED;
}

/* The one axis (in a value of that rank) along which p varies; -1: none; -2: several, or p has more axes. */
static int varying_axis(const struct tensor *p, int rank)
{
	int axis = -1;
	if (p->count > 1 && p->rank > rank)
		return -2;
	for (int i = 0; i < p->rank; i++)
		if (p->dims[i] != 1) {
			if (axis != -1)
				return -2;
			axis = i + rank - p->rank;
		}
	return axis;
}

/* p as a scalar, or as a vector of `count` (one number repeated). */
static struct tensor *spread(const struct tensor *p, int64_t count, bool vector, enum elem_type elem)
{
	struct tensor *t = tensor_new(elem, vector ? 1 : 0, &count);
	for (int64_t i = 0; i < t->count; i++)
		tensor_put(t, i, tensor_at(p, p->count == 1 ? 0 : i));
	return t;
}

static int refuse(const struct node *n, struct diags *d, const char *what)
{
	return diag_node_error(d, n, "quant-to-onnx expresses it in standard ONNX operators",
			       "QCDQ cannot express it: %s", what);
}

static bool is_constant_node(const struct node *n)
{
	for (uint32_t i = 0; i < n->n_inputs; i++)
		if (n->inputs[i].value && !value_is_constant(n->inputs[i].value))
			return false;
	return true;
}

static bool bounds_of(const struct node *n, double *lo, double *hi)
{
	double bits;
	*lo = -1;
	*hi = 1;
	if (n->op == &op_BipolarQuant)
		return true;
	bool is_signed = node_attr_int(n, "signed", 1) != 0;
	if (!value_is_constant(node_input(n, 3)) || !node_input(n, 3)->constant->count)
		return false;
	bits = tensor_at(node_input(n, 3)->constant, 0);
	if (!tensor_all(node_input(n, 3)->constant, bits))
		return false;
	if (!(is_signed && bits == 1))
		quant_bounds(is_signed, node_attr_int(n, "narrow", 0) != 0, bits, lo, hi);
	return true;
}

/* What only activations have to fulfil: constants are rounded here and now. */
static int check_activation(const struct node *n, struct diags *d, struct qcdq *c)
{
	enum rounding mode;
	if (n->op == &op_BipolarQuant || c->lo > 0 || (c->lo == -1 && c->hi == 1 && !node_attr_int(n, "narrow", 0)))
		return refuse(n, d, "the levels -1 and +1 without 0");
	if (!node_rounding(n, "ROUND", &mode, d))
		return -1;
	if (mode != ROUND_HALF_EVEN)
		return refuse(n, d, "QuantizeLinear rounds half to even only");
	if (c->lo != rint(c->lo) || c->hi != rint(c->hi))
		return refuse(n, d, "a fractional bit width that clips between integers");
	for (int64_t i = 0; i < c->zero->count; i++)
		if (fmod(tensor_at(c->zero, i), 2) != 0) {
			diag_note(d, DIAG_NOTE, n, NULL,
				  "its zero point is odd: halfway between two levels "
				  "QuantizeLinear, which adds it after rounding, takes the other one");
			break;
		}
	return 0;
}

static int set_parameters(const struct node *n, struct diags *d, struct qcdq *c)
{
	const struct value *x = node_input(n, 0), *scale = node_input(n, 1);
	const struct value *zero = n->op == &op_Quant ? node_input(n, 2) : NULL;
	struct tensor *none = tensor_scalar(0);
	const struct tensor *z = zero ? zero->constant : none;
	int a = varying_axis(scale->constant, x->rank), b = varying_axis(z, x->rank), result = 0;
	double least, most, first, last;
	tensor_min_max(scale->constant, &least, &most);
	tensor_min_max(z, &first, &last);
	c->axis = a >= 0 ? a : b;
	int64_t count = a >= 0 ? scale->constant->count : z->count;
	if (a == -2 || b == -2 || (a >= 0 && b >= 0 && a != b))
		result = refuse(n, d, "parameters that vary along more than one axis");
	else if (!(least > 0))
		result = refuse(n, d, "a scale that is not positive");
	else if (!tensor_is_integral(z))
		result = refuse(n, d, "a zero point that is not an integer");
	else if (first < c->lo || last > c->hi)
		result = refuse(n, d, "a zero point outside the levels");
	if (result == 0) {
		c->scale = spread(scale->constant, count, c->axis >= 0, ELEM_FLOAT);
		c->zero = spread(z, count, c->axis >= 0, c->storage);
	}
	tensor_unref(none);
	return result;
}

/* Reads n. 0, or -1 with a diagnostic that names what QCDQ lacks. */
static int describe(const struct graph *g, const struct node *n, struct diags *d, struct qcdq *c)
{
	const struct value *x = node_input(n, 0);
	*c = (struct qcdq){ .axis = -1, .is_constant = is_constant_node(n) };
	if (n->op != &op_Quant && n->op != &op_BipolarQuant)
		return refuse(n, d, "there is no such quantiser in ONNX");
	if (x->elem != ELEM_FLOAT || x->rank < 0)
		return refuse(n, d, "an input that is not float32, or of unknown rank");
	if (!value_is_constant(node_input(n, 1)) || (n->op == &op_Quant && !value_is_constant(node_input(n, 2))))
		return refuse(n, d, "a scale or zero point computed at run time");
	if (!bounds_of(n, &c->lo, &c->hi))
		return refuse(n, d, "bit widths that vary or are computed at run time");
	c->storage = storage_for(floor(c->lo), ceil(c->hi), graph_opset(g, DOMAIN_ONNX));
	if (!c->storage)
		return refuse(n, d,
			      graph_opset(g, DOMAIN_ONNX) < 21 ? "more than 8 bits (16 from opset 21 on)"
							       : "more than 16 bits");
	if (set_parameters(n, d, c) != 0)
		return -1;
	return c->is_constant ? 0 : check_activation(n, d, c);
}

static struct value *constant_of(struct graph *g, const char *hint, struct tensor *t)
{
	return value_new_constant(g, hint, tensor_ref(t));
}

static struct value *bound(struct graph *g, enum elem_type elem, double x)
{
	struct tensor *t = tensor_new(elem, 0, NULL);
	tensor_put(t, 0, x);
	return value_new_constant(g, "bound", t);
}

static struct value *linear(struct graph *g, struct node *before, const char *op_type, struct value *x,
			    const struct qcdq *c)
{
	struct value *inputs[] = { x, constant_of(g, "scale", c->scale), constant_of(g, "zero", c->zero) };
	struct node *n = node_new(g, before, DOMAIN_ONNX, op_type, inputs, 3, 1, op_type);
	if (c->axis >= 0)
		node_set_int(n, "axis", c->axis);
	return n->outputs[0];
}

/* QuantizeLinear, and Clip where the storage type has more levels. */
static struct value *quantised(struct graph *g, struct node *n, const struct qcdq *c)
{
	double lo, hi;
	struct value *q = linear(g, n, "QuantizeLinear", node_input(n, 0), c);
	quant_bounds(elem_is_signed(c->storage), false, elem_file_bits(c->storage), &lo, &hi);
	if (lo == c->lo && hi == c->hi)
		return q;
	struct value *inputs[] = { q, bound(g, c->storage, c->lo), bound(g, c->storage, c->hi) };
	return node_new(g, n, DOMAIN_ONNX, "Clip", inputs, 3, 1, "Clip")->outputs[0];
}

/* The integers of a quantised constant; NULL where they do not give back what the quantiser gives. */
static struct value *constant_integers(struct graph *g, struct node *n, const struct qcdq *c, struct diags *d)
{
	struct tensor *in[4] = { NULL }, *out[1] = { NULL };
	int64_t inner = 1;
	for (uint32_t i = 0; i < n->n_inputs && i < 4; i++)
		in[i] = node_input(n, i)->constant;
	if (node_execute(n, in, out, 1, d) != 0)
		return NULL;
	struct tensor *y = out[0], *t = tensor_new(c->storage, y->rank, y->dims);
	inner = dims_product(y->dims, c->axis + 1, y->rank);
	bool exact = y->rank == node_input(n, 0)->rank;
	for (int64_t i = 0; i < y->count && exact; i++) {
		int64_t k = c->axis < 0 ? 0 : i / inner % y->dims[c->axis];
		float s = tensor_floats(c->scale)[k], v = tensor_floats(y)[i];
		double z = tensor_at(c->zero, k), q = rint((double)v / (double)s) + z;
		tensor_put(t, i, q);
		exact = (float)(tensor_at(t, i) - z) * s == v;
	}
	tensor_unref(y);
	if (exact)
		return value_new_constant(g, node_input(n, 0)->name, t);
	tensor_unref(t);
	refuse(n, d, "levels that are no integers of 8 or 16 bits");
	return NULL;
}

static int convert(struct graph *g, struct node *n, struct diags *d)
{
	struct qcdq c;
	int result = describe(g, n, d, &c);
	struct value *q = NULL;
	if (result == 0)
		q = c.is_constant ? constant_integers(g, n, &c, d) : quantised(g, n, &c);
	if (q) {
		struct value *y = linear(g, n, "DequantizeLinear", q, &c);
		value_copy_type(g, y, n->outputs[0]);
		node_bypass(n, y);
	}
	qcdq_free(&c);
	return q ? 0 : -1;
}

/* Says of every quantiser what QCDQ lacks before anything is changed. */
static int check_all(const struct graph *g, struct diags *d, size_t *found)
{
	int result = 0;
	for (const struct node *n = g->first; n; n = n->next) {
		struct qcdq c;
		if (!n->op || !*n->op->domain || !(n->op->flags & OP_QUANTISER))
			continue;
		++*found;
		struct diags mine = { .file = d->file, .pass = d->pass };
		if (describe(g, n, &mine, &c) != 0) {
			diags_free(&mine);
			qcdq_free(&c);
			describe(g, n, d, &c);
			result = -1;
		}
		diags_free(&mine);
		qcdq_free(&c);
	}
	return result;
}

static enum pass_result run(struct pass_ctx *ctx)
{
	struct graph *g = ctx->graph;
	size_t found = 0;
	if (check_all(g, ctx->diags, &found) != 0)
		return PASS_ERROR;
	if (!found)
		return PASS_UNCHANGED;
	if (raise_opset(g, ctx->diags) < 0)
		return PASS_ERROR;
	graph_for_each_node (g, n) {
		if (!n->op || !*n->op->domain || !(n->op->flags & OP_QUANTISER))
			continue;
		if (convert(g, n, ctx->diags) != 0)
			return PASS_ERROR;
		ctx->changes++;
	}
	graph_remove_dead(g);
	drop_unused_opsets(g);
	return graph_infer(g, ctx->diags) == 0 ? PASS_CHANGED : PASS_ERROR;
}

const struct pass pass_quant_to_qcdq = {
	.name = "quant-to-qcdq",
	.summary = "Quant becomes QuantizeLinear, Clip, DequantizeLinear",
	.help = "For runtimes with ONNX's own quantisation. A quantised constant becomes integers (8 bits, 16 from opset\n"
		"21 on) and a DequantizeLinear; a Clip narrows widths that ONNX has no type for. What that form cannot\n"
		"express is an error that names the node and the reason: rounding modes other than half to even,\n"
		"activations of one signed bit, wider types, fractional zero points, Trunc, MultiThreshold.",
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.run = run,
};

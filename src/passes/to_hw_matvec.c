/* to-hw: MatMul with constant weights becomes MVAU, or VVAU where the weights are marked depthwise, and takes in the
 * MultiThreshold behind it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/channels.h"
#include "passes/edit.h"
#include "passes/ranges.h"
#include "passes/to_hw.h"

/* ---- thresholds ---- */

/* Thresholds t of a product as thresholds of its popcount p, where the product is 2 p - k. */
static struct value *popcount_thresholds(struct graph *g, const struct value *t, int64_t k)
{
	struct tensor *copy = tensor_copy(t->constant);
	for (int64_t i = 0; i < copy->count; i++) {
		double p = ceil((tensor_at(copy, i) + (double)k) / 2);
		tensor_put(copy, i, p < 0 ? 0 : p);
	}
	struct value *v = value_new_constant(g, t->name, copy);
	v->datatype = to_hw_constant_datatype(v);
	return v;
}

/* The MultiThreshold that alone reads v, along its last axis; NULL where there is none. */
static struct node *activation_of(const struct value *v)
{
	const struct use *u = value_only_use(v);
	if (!u || !u->user || u->user->op != &op_MultiThreshold || u->index != 0)
		return NULL;
	bool last = threshold_axis(u->user, v->rank) == v->rank - 1;
	return last || node_input(u->user, 1)->dims[0] == 1 ? u->user : NULL;
}

/* ---- weights ---- */

/* Kernel of depthwise weights as lower-convs (and qonnx) marks them; false where they are dense. */
static bool depthwise_kernel(const struct value *w, int64_t kernel[2])
{
	const char *mark = w->extra ? property_get(w->extra->annotations, "tensor_sparsity") : NULL;
	const char *list = mark ? strchr(mark, '[') : NULL;
	long long a, b;
	if (!list || sscanf(list, "[%lld, %lld]", &a, &b) != 2)
		return false;
	kernel[0] = a;
	kernel[1] = b;
	return true;
}

/* From [k * C, C] with C columns, one filter each, to [C, 1, rows, columns]. */
static struct value *depthwise_weights(struct graph *g, const struct value *w, const int64_t kernel[2])
{
	int64_t channels = w->dims[1], k = kernel[0] * kernel[1];
	struct tensor *t = tensor_new(ELEM_FLOAT, 4, (int64_t[]){ channels, 1, kernel[0], kernel[1] });
	for (int64_t c = 0; c < channels; c++)
		for (int64_t i = 0; i < k; i++)
			tensor_put(t, c * k + i, tensor_at(w->constant, (i * channels + c) * channels + c));
	struct value *v = value_new_constant(g, w->name, t);
	v->datatype = w->datatype;
	return v;
}

/* ---- accumulators ---- */

static struct datatype accumulator_of(struct graph *g, struct value *product, bool popcount, int64_t k)
{
	const struct range *r = range_of(g, product);
	if (popcount)
		return datatype_for_range(0, k);
	if (r)
		return datatype_for_range(r->lo, r->hi);
	return datatype_is_integer(product->datatype) ? product->datatype : datatype_int(32);
}

/* ---- conversion ---- */

struct matvec {
	struct node *matmul, *threshold; /* threshold NULL: none */
	int64_t act_val;		 /* offset of the thresholds' output; 0 without thresholds */
	struct value *x, *w;
	bool depthwise, popcount;
	int64_t kernel[2], k; /* k: terms of a sum */
	struct datatype weights, accumulator;
};

static void set_matvec_attributes(struct node *n, const struct matvec *m, struct datatype out)
{
	if (m->depthwise) {
		node_set_ints(n, "Dim", m->x->dims + 1, 2);
		node_set_int(n, "Channels", m->w->dims[0]);
		node_set_ints(n, "Kernel", m->kernel, 2);
		node_set_int(n, "PE", m->w->dims[0]);
		node_set_int(n, "SIMD", 1);
	} else {
		node_set_int(n, "MW", m->w->dims[0]);
		node_set_int(n, "MH", m->w->dims[1]);
		node_set_int(n, "SIMD", 1);
		node_set_int(n, "PE", 1);
		node_set_int(n, "binaryXnorMode", 0);
		to_hw_set_vectors(n, m->x);
	}
	to_hw_set_datatype(n, "inputDataType", m->x->datatype);
	to_hw_set_datatype(n, "weightDataType", m->weights);
	to_hw_set_datatype(n, "accDataType", m->accumulator);
	to_hw_set_datatype(n, "outputDataType", out);
	node_set_int(n, "ActVal", m->act_val);
	node_set_int(n, "noActivation", m->threshold ? 0 : 1);
	node_set_string(n, "mem_mode", "internal_decoupled");
	node_set_string(n, "ram_style", "auto");
	node_set_string(n, "resType", "lut");
	node_set_string(n, "preferred_impl_style", "hls");
}

/* 2 p - k behind an MVAU without thresholds, for the host. */
static void expand_popcount(struct node *n, int64_t k)
{
	struct graph *g = n->graph;
	struct value *p = n->outputs[0], *old = value_new(g, NULL);
	value_copy_type(g, old, p);
	value_replace_uses(p, old); /* what read the product reads old, then what is computed from p */
	struct node *after = n->next;
	struct value *twice = add_node2(g, after, DOMAIN_ONNX, "Mul", p, constant_scalar(g, "two", 2), "twice");
	struct value *product =
		add_node2(g, after, DOMAIN_ONNX, "Add", twice, constant_scalar(g, "minus_k", (double)-k), "product");
	value_replace_uses(old, product);
	value_remove(g, old);
}

/* True where something that stays in integers reads the product itself. */
static bool product_is_used_as_integer(const struct value *v)
{
	value_for_each_use (v, u)
		if (!u->user || (u->user->n_outputs && to_hw_is_integer(node_output(u->user, 0))))
			return true;
	return false;
}

static void replace(struct pass_ctx *ctx, struct matvec *m)
{
	struct graph *g = ctx->graph;
	struct value *inputs[3] = { m->x, m->w, NULL };
	struct node *last = m->threshold ? m->threshold : m->matmul;
	if (m->threshold) {
		struct value *t = to_hw_thresholds(g, m->threshold);
		inputs[2] = m->popcount ? popcount_thresholds(g, t, m->k) : t;
	}
	struct datatype out = m->threshold ? node_output(last, 0)->datatype : m->accumulator;
	struct node *n = to_hw_replace(last, m->depthwise ? "VVAU" : "MVAU", inputs, m->threshold ? 3 : 2);
	n->outputs[0]->datatype = out;
	set_matvec_attributes(n, m, out);
	if (m->threshold)
		node_remove(m->matmul);
	else if (m->popcount)
		expand_popcount(n, m->k);
}

int to_hw_matmul(struct pass_ctx *ctx, struct node *n)
{
	struct graph *g = ctx->graph;
	struct value *x = node_input(n, 0), *w = node_input(n, 1);
	if (n->op != &op_MatMul || !to_hw_is_integer(x) || !value_is_constant(w) || w->rank != 2 ||
	    !tensor_is_integral(w->constant))
		return 0;
	struct matvec m = { .matmul = n, .x = x, .w = w, .k = w->dims[0], .weights = to_hw_constant_datatype(w) };
	struct value *product = node_output(n, 0);
	m.threshold = activation_of(product);
	if (m.threshold && to_hw_check_threshold(m.threshold, ctx->diags) != 0)
		return -1;
	m.act_val = m.threshold ? to_hw_act_val(m.threshold) : 0;
	m.depthwise = depthwise_kernel(w, m.kernel);
	if (m.depthwise)
		m.k = m.kernel[0] * m.kernel[1];
	if (m.depthwise)
		m.w = depthwise_weights(g, w, m.kernel);
	if (m.depthwise && datatype_bits(m.weights) <= 2 && to_hw_is_bipolar(m.w))
		m.weights = datatype_of_kind(DT_BIPOLAR); /* the zeros were those between the channels */
	m.popcount = x->datatype.kind == DT_BIPOLAR && m.weights.kind == DT_BIPOLAR;
	if (m.popcount && !m.threshold && product_is_used_as_integer(product)) {
		m.popcount = false; /* the product itself is needed: weights of two bits */
		m.weights = datatype_int(2);
	}
	m.accumulator = accumulator_of(g, product, m.popcount, m.k);
	if (!datatype_equal(m.w->datatype, m.weights))
		m.w->datatype = m.weights;
	replace(ctx, &m);
	return 1;
}

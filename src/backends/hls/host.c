/* host.c: what is left of the network before the first and behind the last hardware layer, as two C functions. */
#include "backends/hls/hls.h"

#include <stdlib.h>
#include <string.h>

#include "ops/channels.h"
#include "ops/op.h"

struct host {
	const struct hls_plan *p;
	struct strbuf *constants, *body;
	struct diags *d;
	unsigned char *known; /* by value id: has an array */
};

static long long count_of(const struct value *v)
{
	long long n = 1;
	for (int i = 0; i < v->rank; i++)
		n *= v->dims[i];
	return n;
}

/* Makes sure that v (behind reshapes) can be named v<id>. */
static int need(struct host *h, const struct node *n, const struct value **v)
{
	const struct value *x = *v = value_is_constant(*v) ? *v : design_value_behind(*v);
	if (h->known[x->id])
		return 0;
	if (!value_is_constant(x) || x->constant->elem == ELEM_STRING)
		return diag_node_error(h->d, n, NULL,
				       "needs '%s', which neither the host's part before it nor the hardware computes",
				       x->name);
	strbuf_printf(h->constants, "static const float v%u[%lld] = {", x->id, (long long)x->constant->count);
	for (int64_t i = 0; i < x->constant->count; i++)
		strbuf_printf(h->constants, "%s%af", i ? (i % 8 ? ", " : ",\n\t") : "\n\t", tensor_at(x->constant, i));
	strbuf_puts(h->constants, "\n};\n");
	h->known[x->id] = 1;
	return 0;
}

static void declare(struct host *h, const struct value *v)
{
	strbuf_printf(h->body, "\tstatic float v%u[%lld];\n", v->id, count_of(v));
	h->known[v->id] = 1;
}

/* Strides of v along the axes of a result of that rank: 0 where it repeats. */
static void strides_of(const struct value *v, int rank, const int64_t *dims, int64_t *out)
{
	int64_t step = 1;
	for (int k = rank - 1; k >= 0; k--) {
		int from = k - (rank - v->rank);
		int64_t dim = from < 0 ? 1 : v->dims[from];
		out[k] = dim == 1 && dims[k] != 1 ? 0 : from < 0 ? 0 : step;
		step *= dim;
	}
}

static void emit_list(struct strbuf *b, const char *name, unsigned id, int rank, const int64_t *list)
{
	strbuf_printf(b, "\tstatic const long %s%u[] = { ", name, id);
	for (int i = 0; i < rank; i++)
		strbuf_printf(b, "%s%lld", i ? ", " : "", (long long)list[i]);
	strbuf_puts(b, rank ? " };\n" : "1 };\n");
}

/* ---- operators ---- */

static int emit_threshold(struct host *h, const struct node *n, const struct value *x, const struct value *y)
{
	const struct value *t = node_input(n, 1), *shaped = node_input(n, 0);
	int axis = threshold_axis(n, shaped->rank);
	long long outer = 1, inner = 1;
	for (int i = 0; i < shaped->rank; i++)
		*(i < axis ? &outer : &inner) *= i == axis ? 1 : shaped->dims[i];
	if (need(h, n, &t) != 0)
		return -1;
	strbuf_printf(h->body, "\thost_multi_threshold(%lld, %lld, %lld, %lld, %lld, v%u, %af, %af, v%u, v%u);\n",
		      outer, axis < 0 ? 1LL : (long long)shaped->dims[axis], inner, (long long)t->dims[1],
		      (long long)t->dims[0], t->id, node_attr_float(n, "out_scale", 1),
		      node_attr_float(n, "out_bias", 0), x->id, y->id);
	return 0;
}

static int emit_binary(struct host *h, const struct node *n, const struct value *y)
{
	static const char *const names[] = { "ADD", "SUB", "MUL", "DIV" };
	const struct op *const ops[] = { &op_Add, &op_Sub, &op_Mul, &op_Div };
	const struct value *a = node_input(n, 0), *b = node_input(n, 1);
	int64_t sa[MAX_RANK], sb[MAX_RANK];
	size_t which = 0;
	while (which < 3 && n->op != ops[which])
		which++;
	strides_of(a, y->rank, y->dims, sa);
	strides_of(b, y->rank, y->dims, sb);
	if (need(h, n, &a) != 0 || need(h, n, &b) != 0)
		return -1;
	emit_list(h->body, "d", y->id, y->rank, y->dims);
	emit_list(h->body, "a", y->id, y->rank, sa);
	emit_list(h->body, "b", y->id, y->rank, sb);
	strbuf_printf(h->body, "\thost_binary(HOST_%s, %d, d%u, v%u, a%u, v%u, b%u, v%u);\n", names[which], y->rank,
		      y->id, a->id, y->id, b->id, y->id, y->id);
	return 0;
}

static int emit_transpose(struct host *h, const struct node *n, const struct value *x, const struct value *y)
{
	const struct value *in = node_input(n, 0);
	size_t count;
	const int64_t *perm = node_attr_ints(n, "perm", &count);
	int64_t strides[MAX_RANK], permuted[MAX_RANK];
	strides_of(in, in->rank, in->dims, strides);
	for (int i = 0; i < in->rank; i++)
		permuted[i] = strides[count ? perm[i] : in->rank - 1 - i];
	emit_list(h->body, "d", y->id, y->rank, y->dims);
	emit_list(h->body, "a", y->id, y->rank, permuted);
	strbuf_printf(h->body, "\thost_transpose(%d, d%u, a%u, v%u, v%u);\n", y->rank, y->id, y->id, x->id, y->id);
	return 0;
}

/* Gather with constant indices along an axis: what prune-dead leaves in front of a network. */
static int emit_gather(struct host *h, const struct node *n, const struct value *x, const struct value *y)
{
	const struct value *in = node_input(n, 0), *index = node_input(n, 1);
	int axis = normal_axis(node_attr_int(n, "axis", 0), in->rank);
	long long outer = 1, inner = 1;
	if (!value_is_constant(index) || index->rank != 1 || axis < 0)
		return diag_node_error(h->d, n, NULL, "has no constant list of indices, which the host's part needs");
	for (int i = 0; i < in->rank; i++)
		*(i < axis ? &outer : &inner) *= i == axis ? 1 : in->dims[i];
	strbuf_printf(h->body, "\tstatic const long i%u[] = { ", y->id);
	for (int64_t i = 0; i < index->constant->count; i++) {
		int64_t k = tensor_int_at(index->constant, i);
		strbuf_printf(h->body, "%s%lld", i ? (i % 16 ? ", " : ",\n\t\t") : "",
			      (long long)(k < 0 ? k + in->dims[axis] : k));
	}
	strbuf_printf(h->body, " };\n\thost_gather(%lld, %lld, %lld, %lld, i%u, v%u, v%u);\n", outer,
		      (long long)in->dims[axis], (long long)index->constant->count, inner, y->id, x->id, y->id);
	return 0;
}

static int emit_concat(struct host *h, const struct node *n, const struct value *y)
{
	int axis = normal_axis(node_attr_int(n, "axis", 0), y->rank);
	long long outer = 1, inner = 1, at = 0;
	for (int i = 0; i < y->rank; i++)
		*(i < axis ? &outer : &inner) *= i == axis ? 1 : y->dims[i];
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		const struct value *x = node_input(n, i);
		long long size = x->dims[axis] * inner;
		if (need(h, n, &x) != 0)
			return -1;
		strbuf_printf(h->body, "\thost_place(%lld, %lld, %lld, %lld, v%u, v%u);\n", outer, size,
			      (long long)y->dims[axis] * inner, at, x->id, y->id);
		at += size;
	}
	return 0;
}

static int emit_mat_mul(struct host *h, const struct node *n, const struct value *x, const struct value *y)
{
	const struct value *w = node_input(n, 1);
	if (!value_is_constant(w) || w->rank != 2)
		return diag_node_error(h->d, n, NULL, "has no constant matrix, which the host's part needs");
	if (need(h, n, &w) != 0)
		return -1;
	strbuf_printf(h->body, "\thost_mat_mul(%lld, %lld, %lld, v%u, v%u, v%u);\n", count_of(x) / w->dims[0],
		      (long long)w->dims[0], (long long)w->dims[1], x->id, w->id, y->id);
	return 0;
}

static int emit_softmax(struct host *h, const struct node *n, const struct value *x, const struct value *y)
{
	if (normal_axis(node_attr_int(n, "axis", -1), y->rank) != y->rank - 1)
		return diag_node_error(h->d, n, NULL, "is not along the last axis, which the host's part needs");
	long long last = y->dims[y->rank - 1];
	strbuf_printf(h->body, "\thost_%s(%lld, %lld, v%u, v%u);\n", n->op == &op_Softmax ? "softmax" : "log_softmax",
		      count_of(y) / last, last, x->id, y->id);
	return 0;
}

static int emit_node(struct host *h, const struct node *n)
{
	const struct value *x = node_input(n, 0), *y = node_output(n, 0);
	if (hw_is_view(n))
		return 0; /* its output goes by its input's name */
	if (!value_shape_known(y) || y->rank > 8)
		return diag_node_error(h->d, n, NULL,
				       "has no known shape (or more than 8 axes), which the host's part needs");
	bool binary = n->op == &op_Add || n->op == &op_Sub || n->op == &op_Mul || n->op == &op_Div;
	if (!binary && need(h, n, &x) != 0)
		return -1;
	declare(h, y);
	if (binary)
		return emit_binary(h, n, y);
	if (n->op == &op_MultiThreshold)
		return emit_threshold(h, n, x, y);
	if (n->op == &op_Transpose)
		return emit_transpose(h, n, x, y);
	if (n->op == &op_Concat)
		return emit_concat(h, n, y);
	if (n->op == &op_Gather)
		return emit_gather(h, n, x, y);
	if (n->op == &op_MatMul)
		return emit_mat_mul(h, n, x, y);
	if (n->op == &op_Softmax || n->op == &op_LogSoftmax)
		return emit_softmax(h, n, x, y);
	const char *unary = n->op == &op_Relu	   ? "relu"
			    : n->op == &op_Sigmoid ? "sigmoid"
			    : n->op == &op_Tanh	   ? "tanh"
						   : NULL;
	if (unary) {
		strbuf_printf(h->body, "\thost_%s(%lld, v%u, v%u);\n", unary, count_of(y), x->id, y->id);
		return 0;
	}
	return diag_node_error(h->d, n, NULL, "stays with the host, but has no form in its C function");
}

/* ---- the two functions ---- */

static int finish(struct host *h, const struct value *v, size_t index)
{
	if (need(h, NULL, &v) != 0)
		return -1;
	strbuf_printf(h->body, "\tmemcpy(out[%zu], v%u, %lld * sizeof(float));\n", index, v->id, count_of(v));
	return 0;
}

static void name_input(struct host *h, const struct value *v, size_t index)
{
	strbuf_printf(h->body, "\tconst float *v%u = in[%zu];\n", v->id, index);
	h->known[v->id] = 1;
}

static int emit_head(struct host *h)
{
	const struct hls_plan *p = h->p;
	size_t index = 0;
	strbuf_printf(h->body,
		      "\n/* From the network's inputs to the integers that the design's input streams carry. */\n"
		      "void %s_head(const float *const *in, float *const *out)\n{\n",
		      p->top);
	for (uint32_t i = 0; i < p->design.g->n_inputs; i++)
		if (!p->design.g->inputs[i]->constant)
			name_input(h, p->design.g->inputs[i], index++);
	for (size_t i = 0; i < p->design.n_head; i++)
		if (emit_node(h, p->design.head[i]) != 0)
			return -1;
	for (size_t k = 0; k < p->design.n_inputs; k++)
		if (finish(h, design_port(&p->design, false, k)->value, k) != 0)
			return -1;
	strbuf_puts(h->body, "}\n");
	return 0;
}

static int emit_tail(struct host *h)
{
	const struct hls_plan *p = h->p;
	strbuf_printf(h->body,
		      "\n/* From the integers of the design's output streams to the network's outputs. */\n"
		      "void %s_tail(const float *const *in, float *const *out)\n{\n",
		      p->top);
	graph_for_each_value (p->design.g, v)
		if (!value_is_constant(v))
			h->known[v->id] = 0; /* what the head had */
	for (size_t k = 0; k < p->design.n_outputs; k++)
		name_input(h, design_port(&p->design, true, k)->value, k);
	for (size_t i = 0; i < p->design.n_tail; i++)
		if (emit_node(h, p->design.tail[i]) != 0)
			return -1;
	for (uint32_t i = 0; i < p->design.g->n_outputs; i++)
		if (finish(h, p->design.g->outputs[i].value, i) != 0)
			return -1;
	strbuf_puts(h->body, "}\n");
	return 0;
}

int hls_emit_host(const struct hls_plan *p, struct strbuf *b, struct diags *d)
{
	struct strbuf constants = { 0 }, body = { 0 };
	struct host h = { p, &constants, &body, d, xcalloc((size_t)p->design.g->next_value_id + 1, 1) };
	int result = emit_head(&h);
	if (result == 0)
		result = emit_tail(&h);
	strbuf_puts(
		b,
		"/* The parts of the network that stay with the host. */\n#include \"host.h\"\n#include \"host_ops.h\"\n\n");
	strbuf_puts(b, strbuf_text(&constants));
	strbuf_puts(b, strbuf_text(&body));
	strbuf_free(&constants);
	strbuf_free(&body);
	free(h.known);
	return result;
}

/* Inference of storage types, shapes and datatypes over nodes and graphs, and execution of one node. The
 * rules are the operators'; what is here applies them and says where a file contradicts itself. */
#include <stdlib.h>
#include <string.h>

#include "ir/op.h"
#include "util/integers.h"

int64_t node_opset(const struct node *n)
{
	int64_t version = graph_opset(n->graph, n->domain);
	if (version)
		return version;
	version = n->op ? graph_opset(n->graph, n->op->domain) : 0;
	return version ? version : 1000;
}

struct declared { /* an output's type before inference */
	int rank;
	int64_t dims[MAX_RANK];
};

static void remember(struct declared *was, const struct value *v)
{
	was->rank = v && v->is_declared && v->rank <= MAX_RANK ? v->rank : -1;
	for (int i = 0; i < was->rank; i++)
		was->dims[i] = v->dims[i];
}

/* The inferred shape stands, unless the file declared another one. */
static int check_declared(const struct node *n, const struct declared *was, const struct value *v, struct diags *d)
{
	if (was->rank < 0)
		return 0;
	if (v->rank != was->rank)
		return diag_node_error(d, n, "re-export the model, or remove the wrong value_info",
				       "'%s' is declared with %d axes, but has %d", v->name, was->rank, v->rank);
	for (int i = 0; i < v->rank; i++)
		if (was->dims[i] >= 0 && v->dims[i] >= 0 && was->dims[i] != v->dims[i])
			return diag_node_error(d, n, "re-export the model, or remove the wrong value_info",
					       "'%s' is declared with %lld along axis %d, but has %lld", v->name,
					       (long long)was->dims[i], i, (long long)v->dims[i]);
	return 0;
}

enum { FEW_OUTPUTS = 8 };

int node_infer(struct node *n, struct diags *d)
{
	if (!n->op)
		return 0;
	struct declared was[FEW_OUTPUTS];
	for (uint32_t i = 0; i < n->n_outputs && i < FEW_OUTPUTS; i++)
		remember(&was[i], n->outputs[i]);
	if (node_check_arity(n, d) != 0)
		return -1;
	struct infer_ctx x = { n->graph, n, node_opset(n), d };
	if (n->op->infer && n->op->infer(&x) != 0)
		return -1;
	for (uint32_t i = 0; i < n->n_outputs; i++) {
		struct value *v = n->outputs[i];
		if (!v)
			continue;
		if (i < FEW_OUTPUTS && check_declared(n, &was[i], v, d) != 0)
			return -1;
		if (!shape_fits(v->rank, v->dims))
			return diag_node_error(d, n, "split the model", "the shape of its output '%s' is too large: %s",
					       v->name, SHAPE_LIMITS);
		if (n->op->datatype)
			v->datatype = n->op->datatype(n, i);
	}
	return 0;
}

int graph_infer(struct graph *g, struct diags *d)
{
	int result = 0;
	graph_for_each_node (g, n)
		if (node_infer(n, d) != 0)
			result = -1;
	return result;
}

/* A required input that is missing would otherwise be every operator's own business. */
static int check_inputs(const struct node *n, struct tensor *const *in, struct diags *d)
{
	if (n->n_inputs < (uint32_t)n->op->min_inputs)
		return diag_node_error(d, n, NULL, "has %u inputs, needs %d", n->n_inputs, n->op->min_inputs);
	for (int i = 0; i < n->op->min_inputs; i++)
		if (!in[i])
			return diag_node_error(d, n, NULL, "input %d must not be left out", i);
	return 0;
}

static int64_t total_count(struct tensor *const *t, size_t count)
{
	int64_t total = 0;
	for (size_t i = 0; i < count; i++)
		total = add_clamped(total, t[i] ? t[i]->count : 0);
	return total;
}

static int64_t total_bytes(struct tensor *const *t, size_t count)
{
	int64_t total = 0;
	for (size_t i = 0; i < count; i++)
		total = add_clamped(total, tensor_bytes(t[i]));
	return total;
}

/* The shapes of all results, also of those that share an input's elements, and the work that their size says. */
static int check_results(struct exec_ctx *x)
{
	for (size_t i = 0; i < x->n_out; i++)
		if (x->out[i] && exec_check_shape(x, i, x->out[i]->rank, x->out[i]->dims) < 0)
			return -1;
	return exec_work(x, total_count(x->out, x->n_out), 1);
}

static bool is_half(const struct tensor *t)
{
	return t && (t->elem == ELEM_FLOAT16 || t->elem == ELEM_BFLOAT16);
}

/* The first half-precision type among the inputs. */
static enum elem_type half_of(const struct exec_ctx *x)
{
	for (size_t i = 0; i < x->n_in; i++)
		if (is_half(x->in[i]))
			return (enum elem_type)x->in[i]->elem;
	return ELEM_UNDEFINED;
}

/* Float32 outputs become the half type again. */
static int narrow_outputs(struct exec_ctx *x, enum elem_type half)
{
	for (size_t i = 0; i < x->n_out; i++) {
		struct tensor *wide = x->out[i];
		if (!wide || wide->elem != ELEM_FLOAT)
			continue;
		x->out[i] = tensor_cast(wide, half);
		tensor_unref(wide);
		if (!x->out[i])
			return diag_node_error(x->diags, x->node, NULL, "no memory for a result");
	}
	return 0;
}

/* The operator on float32 in place of half-precision inputs, where there are some and it wants that. */
static int run_operator(struct exec_ctx *x)
{
	enum elem_type half = x->node->op->widens ? half_of(x) : ELEM_UNDEFINED;
	if (!half)
		return x->node->op->exec(x);
	struct tensor **wide = xcalloc(x->n_in, sizeof *wide);
	struct exec_ctx inner = *x;
	inner.in = wide;
	int result = 0;
	for (size_t i = 0; i < x->n_in; i++) {
		wide[i] = is_half(x->in[i]) ? tensor_cast(x->in[i], ELEM_FLOAT) : tensor_ref(x->in[i]);
		if (x->in[i] && !wide[i])
			result = diag_node_error(x->diags, x->node, NULL, "no memory for an input");
	}
	if (result == 0)
		result = x->node->op->exec(&inner);
	if (result == 0)
		result = narrow_outputs(x, half);
	for (size_t i = 0; i < x->n_in; i++)
		tensor_unref(wide[i]);
	free(wide);
	return result;
}

int node_execute_with(const struct node *n, struct tensor *const *in, struct tensor **out, const struct exec_how *how,
		      struct diags *d)
{
	if (!n->op)
		return diag_node_error(d, n, "remove the node or see qcc --list-ops", "unknown operator %s%s%s",
				       n->domain, *n->domain ? "." : "", n->op_type);
	if (!n->op->exec)
		return diag_node_error(d, n, NULL, "operator %s cannot be executed", n->op_type);
	if (check_inputs(n, in, d) != 0)
		return -1;
	memset(out, 0, n->n_outputs * sizeof *out);
	struct exec_budget own = how->left ? *how->left : exec_budget_of(total_bytes(in, n->n_inputs), d);
	struct exec_ctx x = { n,
			      node_opset(n),
			      n->n_inputs,
			      n->n_outputs,
			      in,
			      out,
			      how->threads,
			      how->run,
			      how->left ? how->left : &own,
			      how->shapes,
			      d };
	bool done = exec_work(&x, total_count(in, n->n_inputs), 1) == 0 && run_operator(&x) == 0;
	x.shapes = how->shapes; /* an operator that calculates in several steps sets it aside */
	if (done && check_results(&x) == 0)
		return 0;
	for (uint32_t i = 0; i < n->n_outputs; i++) {
		tensor_unref(out[i]);
		out[i] = NULL;
	}
	return -1;
}

int node_execute(const struct node *n, struct tensor *const *in, struct tensor **out, int threads, struct diags *d)
{
	return node_execute_with(n, in, out, &(struct exec_how){ .threads = threads }, d);
}

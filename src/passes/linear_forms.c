/* sub-to-add, div-to-mul, batchnorm-to-affine: nodes that are linear in their input are written as Add and Mul.
 * streamline does not need these passes; they help when a graph is inspected between steps, and for tools that handle
 * Add and Mul only. */
#include <math.h>

#include "ops/op.h"
#include "passes/chain.h"
#include "passes/edit.h"
#include "passes/pass.h"

/* A constant of the same shape with each element changed. */
static struct value *mapped(struct graph *g, const struct value *v, double (*f)(double))
{
	struct tensor *t = tensor_copy(v->constant);
	for (int64_t i = 0; i < t->count; i++)
		tensor_put(t, i, f(tensor_at(v->constant, i)));
	return value_new_constant(g, v->name, t);
}

static double negated(double x)
{
	return -x;
}

static double inverse(double x)
{
	return 1 / x;
}

/* Replaces each node of the operator `from` with a constant second operand c by a node of the operator `to` with f(c). */
static enum pass_result replace_linear(struct pass_ctx *ctx, const struct op *from, const char *to, double (*f)(double))
{
	graph_for_each_node (ctx->graph, n) {
		const struct value *p = n->op == from ? node_input(n, 1) : NULL;
		if (!value_is_constant(p) || !elem_is_float(p->constant->elem))
			continue;
		node_set_input(n, 1, mapped(ctx->graph, p, f));
		node_set_op(n, "", to);
		ctx->changes++;
	}
	return pass_result(ctx);
}

static enum pass_result run_sub(struct pass_ctx *ctx)
{
	return replace_linear(ctx, &op_Sub, "Add", negated);
}

static enum pass_result run_div(struct pass_ctx *ctx)
{
	return replace_linear(ctx, &op_Div, "Mul", inverse);
}

const struct pass pass_sub_to_add = {
	.name = "sub-to-add",
	.summary = "Sub of a constant becomes Add of its negative",
	.help = "x - c becomes x + (-c), which is exactly the same.",
	.requires = GRAPH_INFERRED,
	.preserves = ~0u,
	.run = run_sub,
};

const struct pass pass_div_to_mul = {
	.name = "div-to-mul",
	.summary = "Div by a constant becomes Mul by its inverse",
	.help = "x / c becomes x * (1 / c). Where c is no power of two the result may differ in the last bit; streamline\n"
		"does without this pass.",
	.requires = GRAPH_INFERRED,
	.preserves = ~0u,
	.run = run_div,
};

static enum pass_result run_batchnorm(struct pass_ctx *ctx)
{
	graph_for_each_node (ctx->graph, n) {
		if (n->op != &op_BatchNormalization || elementwise_data(n) != 0 || n->outputs[0]->rank < 2)
			continue;
		struct value *x = node_input(n, 0);
		struct affine a;
		affine_init(&a, x, 1, node_input(n, 1)->constant->count);
		affine_apply(&a, n);
		struct value *y = affine_emit(&a, ctx->graph, n, x);
		affine_free(&a);
		node_bypass(n, y);
		ctx->changes++;
	}
	return pass_result(ctx);
}

const struct pass pass_batchnorm_to_affine = {
	.name = "batchnorm-to-affine",
	.summary = "BatchNormalization becomes Mul and Add",
	.help = "With constant parameters: scale / sqrt(var + epsilon) as a Mul, the rest as an Add, per channel.",
	.requires = GRAPH_INFERRED,
	.preserves = ~0u,
	.run = run_batchnorm,
};

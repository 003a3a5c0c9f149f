/* gemm-to-matmul: Gemm becomes MatMul, with Transpose, Mul and Add nodes for what else it may do. */
#include "ops/op.h"
#include "passes/edit.h"
#include "passes/pass.h"

static struct value *transposed(struct graph *g, struct node *before, struct value *v)
{
	static const int64_t swap[] = { 1, 0 };
	struct node *t = node_new(g, before, "", "Transpose", &v, 1, 1, "Transpose");
	node_set_ints(t, "perm", swap, 2);
	return t->outputs[0];
}

/* beta * C; at once where C is a constant: the product of two floats is exact in double. */
static struct value *scaled_term(struct graph *g, struct node *before, struct value *c, double beta)
{
	if (!value_is_constant(c) || c->elem != ELEM_FLOAT)
		return add_node2(g, before, "", "Mul", c, constant_scalar(g, "beta", beta), "Mul");
	struct tensor *t = tensor_new(ELEM_FLOAT, c->rank, c->dims);
	for (int64_t i = 0; i < t->count; i++)
		tensor_put(t, i, tensor_at(c->constant, i) * beta);
	return value_new_constant(g, c->name, t);
}

/* alpha * A' * B' + beta * C. */
static int expand(struct graph *g, struct node *n, struct diags *d)
{
	struct value *a = node_input(n, 0), *b = node_input(n, 1), *c = node_input(n, 2);
	double alpha = node_attr_float(n, "alpha", 1), beta = node_attr_float(n, "beta", 1);
	struct node *first = n->prev;
	if (node_attr_int(n, "transA", 0))
		a = transposed(g, n, a);
	if (node_attr_int(n, "transB", 0))
		b = transposed(g, n, b);
	struct value *factors[] = { a, b };
	struct value *y = node_new(g, n, "", "MatMul", factors, 2, 1, node_label(n))->outputs[0];
	if (alpha != 1) {
		struct value *scaled[] = { y, constant_scalar(g, "alpha", alpha) };
		y = node_new(g, n, "", "Mul", scaled, 2, 1, "Mul")->outputs[0];
	}
	if (c && beta != 1 && beta != 0)
		c = scaled_term(g, n, c, beta);
	if (c && beta != 0) {
		struct value *terms[] = { y, c };
		y = node_new(g, n, "", "Add", terms, 2, 1, "Add")->outputs[0];
	}
	for (struct node *m = first ? first->next : g->first; m != n; m = m->next)
		if (node_infer(m, d) != 0)
			return -1;
	value_copy_type(g, y, n->outputs[0]);
	node_bypass(n, y);
	return 0;
}

static enum pass_result run(struct pass_ctx *ctx)
{
	graph_for_each_node (ctx->graph, n) {
		if (n->op != &op_Gemm)
			continue;
		if (expand(ctx->graph, n, ctx->diags) != 0)
			return PASS_ERROR;
		ctx->changes++;
	}
	return pass_result(ctx);
}

const struct pass pass_gemm_to_matmul = {
	.name = "gemm-to-matmul",
	.summary = "Gemm becomes MatMul and, where it needs them, Transpose, Mul and Add",
	.help = "Handles Gemm with and without C, any alpha, beta, transA and transB. Transposes of constant weights\n"
		"are folded by fold-transpose.",
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = GRAPH_CLEAN,
	.run = run,
};

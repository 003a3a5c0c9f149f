/* fold-constants: nodes whose inputs are all constant become constants. Quantisers stay: they carry the
 * datatype of weights, which convert turns into integers. */
#include <stdlib.h>

#include "ops/op.h"
#include "passes/edit.h"
#include "passes/pass.h"
#include "util/integers.h"
#include "util/limits.h"

static bool is_foldable(const struct node *n)
{
	if (!n->op || !n->op->exec || (n->op->flags & (OP_IMPURE | OP_QUANTISER)) || n->op == &op_DequantizeLinear ||
	    n->n_outputs == 0)
		return false;
	for (uint32_t i = 0; i < n->n_outputs; i++)
		if (n->outputs[i] && (value_is_output(n->outputs[i]) || n->outputs[i]->is_pinned))
			return false;
	for (uint32_t i = 0; i < n->n_inputs; i++)
		if (n->inputs[i].value && !value_is_constant(n->inputs[i].value))
			return false;
	return true;
}

/* Whether the operator asks input i for its shape or type alone. */
static bool asks_type(const struct node *n, uint32_t i)
{
	static const struct {
		const struct op *op;
		uint32_t input;
	} rows[] = { { &op_Shape, 0 }, { &op_Size, 0 }, { &op_CastLike, 1 }, { &op_EyeLike, 0 } };
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
		if (n->op == rows[k].op && i == rows[k].input)
			return true;
	return false;
}

/* A node whose result the types and shapes of its inputs, and constants, decide. */
static bool is_known_type(const struct node *n)
{
	bool any = false;
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		const struct value *v = n->inputs[i].value;
		bool asked = v && asks_type(n, i);
		if (!v || (asked ? v->elem == ELEM_STRING || (n->op != &op_CastLike && !value_shape_known(v))
				 : !value_is_constant(v)))
			return false;
		any |= asked;
	}
	return any && !value_is_output(n->outputs[0]);
}

static struct tensor *type_only(const struct value *v)
{
	/* One element stands for all: nobody looks at them. */
	struct blob *one = blob_new(xcalloc(1, 16), 16, false);
	bool known = value_shape_known(v);
	struct tensor *t = tensor_over(one, one->base, v->elem ? (enum elem_type)v->elem : ELEM_UINT8,
				       known ? v->rank : 0, v->dims);
	blob_unref(one);
	return t;
}

int fold_node(struct graph *g, struct node *n, struct exec_budget *left, struct diags *d)
{
	struct tensor *in[MAX_RANK] = { NULL }, *out[MAX_RANK] = { NULL };
	bool of_shape = (n->op == &op_Shape || n->op == &op_Size) && is_known_type(n); /* a few numbers */
	if (n->n_inputs > MAX_RANK || n->n_outputs > MAX_RANK)
		return 0;
	for (uint32_t i = 0; i < n->n_inputs; i++)
		in[i] = !n->inputs[i].value	       ? NULL
			: n->inputs[i].value->constant ? tensor_ref(n->inputs[i].value->constant)
						       : type_only(n->inputs[i].value);
	struct exec_budget free_of_charge = { INT64_MAX, INT64_MAX };
	struct exec_how how = { .threads = 1, .left = of_shape ? &free_of_charge : left, .shapes = SHAPES_DECLARED };
	int result = node_execute_with(n, in, out, &how, d);
	for (uint32_t i = 0; i < n->n_inputs; i++)
		tensor_unref(in[i]);
	if (result != 0)
		return -1;
	for (uint32_t i = 0; i < n->n_outputs; i++)
		if (n->outputs[i] && out[i]) {
			if (left)
				left->bytes -= tensor_bytes(out[i]);
			struct value *folded = value_new_constant(g, n->outputs[i]->name, out[i]);
			folded->datatype = n->outputs[i]->datatype;
			value_replace_uses(n->outputs[i], folded);
		}
	node_remove(n);
	return 1;
}

static enum pass_result run(struct pass_ctx *ctx)
{
	struct exec_budget left = exec_budget_of_constants(ctx->graph, ctx->diags);
	uint32_t all = ctx->graph->n_nodes, at = 0;
	graph_for_each_node (ctx->graph, n) {
		progress_tell(ctx->diags, "fold-constants", (double)at++ / all);
		if (!is_known_type(n) && !is_foldable(n)) {
			/* Folding upstream may have made shapes known: types go on as the walk does. */
			if (ctx->changes && node_infer(n, ctx->diags) != 0)
				return PASS_ERROR;
			continue;
		}
		if (node_infer(n, ctx->diags) != 0)
			return PASS_ERROR;
		int folded = fold_node(ctx->graph, n, &left, ctx->diags);
		if (folded < 0)
			return PASS_ERROR;
		ctx->changes += (size_t)folded;
	}
	progress_tell(ctx->diags, "fold-constants", 1);
	return pass_result(ctx);
}

const struct pass pass_fold_constants = {
	.name = "fold-constants",
	.summary = "nodes whose inputs are all constant become constants",
	.help = "Executes every node that depends on constants (or on known shapes) alone and puts the result in its\n"
		"place. Quantisers of weights stay, because convert needs them.",
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = ~0u,
	.run = run,
};

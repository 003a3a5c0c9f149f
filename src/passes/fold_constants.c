/* fold-constants: nodes whose inputs are all constant become constants. Quantisers stay: they carry the
 * datatype of weights, which convert turns into integers. */
#include <stdlib.h>

#include "ops/op.h"
#include "passes/edit.h"
#include "passes/pass.h"
#include "util/integers.h"

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

/* The shape of a value with known dims is a constant whatever the value is. */
static bool is_known_shape(const struct node *n)
{
	return (n->op == &op_Shape || n->op == &op_Size) && value_shape_known(node_input(n, 0)) &&
	       !value_is_output(n->outputs[0]);
}

static struct tensor *shape_only(const struct value *v)
{
	/* One element, of any type that owns no memory, stands for all: Shape and Size look at the dims alone. */
	struct blob *one = blob_new(xcalloc(1, 16), 16, false);
	struct tensor *t = tensor_over(one, one->base, ELEM_UINT8, v->rank, v->dims);
	blob_unref(one);
	return t;
}

/* What folding may take altogether: in proportion to the graph's constants. */
static struct exec_budget fold_budget(const struct graph *g, const struct diags *d)
{
	int64_t bytes = 0;
	for (const struct value *v = g->values; v; v = v->next)
		bytes = add_clamped(bytes, v->constant ? tensor_bytes(v->constant) : 0);
	return exec_budget_of(bytes, d);
}

int fold_node(struct graph *g, struct node *n, struct exec_budget *left, struct diags *d)
{
	struct tensor *in[MAX_RANK] = { NULL }, *out[MAX_RANK] = { NULL };
	bool of_shape = is_known_shape(n) && !node_input(n, 0)->constant;
	if (n->n_inputs > MAX_RANK || n->n_outputs > MAX_RANK)
		return 0;
	for (uint32_t i = 0; i < n->n_inputs; i++)
		in[i] = n->inputs[i].value ? tensor_ref(n->inputs[i].value->constant) : NULL;
	if (of_shape)
		in[0] = shape_only(node_input(n, 0));
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
	struct exec_budget left = fold_budget(ctx->graph, ctx->diags);
	graph_for_each_node (ctx->graph, n) {
		if (!is_known_shape(n) && !is_foldable(n)) {
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

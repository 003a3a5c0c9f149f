/* What comes in front of a network: preprocess (subtract, divide), merge (another network). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/op.h"
#include "passes/edit.h"
#include "passes/pass.h"
#include "passes/surgery.h"

/* ---- preprocess ---- */

static enum pass_result run_preprocess(struct pass_ctx *ctx)
{
	struct graph *g = ctx->graph;
	struct value *v = only_input(ctx), *x = v;
	double subtract = pass_real(ctx, "subtract"), divide = pass_real(ctx, "divide");
	if (!v)
		return PASS_ERROR;
	if (divide == 0 || !isfinite(divide) || !isfinite(subtract))
		return diag_error(ctx->diags, "write preprocess(divide=255)", "the input cannot be divided by %g",
				  divide);
	struct value *placeholder = detach_uses(g, v);
	struct node *first = g->first;
	if (subtract != 0)
		x = add_node2(g, first, DOMAIN_ONNX, "Sub", x, constant_scalar(g, "subtract", subtract), "Sub");
	if (divide != 1)
		x = add_node2(g, first, DOMAIN_ONNX, "Div", x, constant_scalar(g, "divide", divide), "Div");
	value_replace_uses(placeholder, x);
	value_remove(g, placeholder);
	if (x != v) { /* what was declared about the input holds for what the network gets */
		x->datatype = v->datatype;
		v->datatype = datatype_of_kind(DT_NONE);
		v->range = NULL;
	}
	ctx->changes = x != v;
	return pass_result(ctx);
}

static const struct pass_option preprocess_options[] = {
	{ "subtract", OPTION_REAL, "0", "from each element, first" },
	{ "divide", OPTION_REAL, "1", "each element by that" },
	{ NULL, OPTION_FLAG, NULL, NULL },
};

const struct pass pass_preprocess = {
	.name = "preprocess",
	.summary = "subtracts from the input and divides it",
	.help = "preprocess(divide=255) lets a network that was trained on 0 to 1 take raw pixels of 0 to 255; declare them\n"
		"with set-datatype(input=UINT8), so that the first layer works on integers.",
	.options = preprocess_options,
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = GRAPH_CLEAN,
	.run = run_preprocess,
	.changes_function = true,
};

/* ---- merge ---- */

struct merger {
	struct graph *to;
	struct value **map; /* of the front's values, by id */
	struct node *before;
};

static struct value *mapped(struct merger *m, const struct value *v)
{
	if (!v)
		return NULL;
	if (!m->map[v->id]) {
		m->map[v->id] = v->constant && !v->producer
					? value_new_constant(m->to, v->name, tensor_ref(v->constant))
					: value_new(m->to, v->name);
		value_copy_type(m->to, m->map[v->id], v);
	}
	return m->map[v->id];
}

static void copy_node(struct merger *m, const struct node *n)
{
	struct value **inputs = xcalloc(n->n_inputs + 1, sizeof *inputs),
		     **outputs = xcalloc(n->n_outputs + 1, sizeof *outputs);
	for (uint32_t i = 0; i < n->n_inputs; i++)
		inputs[i] = mapped(m, node_input(n, i));
	for (uint32_t i = 0; i < n->n_outputs; i++)
		outputs[i] = mapped(m, n->outputs[i]);
	struct node *copy = node_new_with(m->to, m->before, n->domain, n->op_type, inputs, n->n_inputs, outputs,
					  n->n_outputs, n->name);
	node_copy_attrs(copy, n);
	free(inputs);
	free(outputs);
}

/* One input, one output, no subgraphs that use names from outside, no model-local functions. */
static const struct value *front_input(const struct graph *front, struct diags *d)
{
	const struct value *v = NULL;
	uint32_t count = 0;
	for (uint32_t i = 0; i < front->n_inputs; i++)
		if (!front->inputs[i]->constant) {
			v = front->inputs[i];
			count++;
		}
	if (count != 1 || front->n_outputs != 1 || front->functions) {
		diag_error(d, "merge a network with one of each", "has %u inputs and %u outputs%s", count,
			   front->n_outputs, front->functions ? ", and functions of its own" : "");
		return NULL;
	}
	return v;
}

static int fits(const struct graph *front, const struct value *input, struct diags *d)
{
	const struct value *y = front->outputs[0].value;
	bool same = y->rank < 0 || input->rank < 0 || y->rank == input->rank;
	for (int i = 0; same && i < y->rank && i < input->rank; i++)
		same = y->dims[i] < 0 || input->dims[i] < 0 || y->dims[i] == input->dims[i];
	if (same)
		return 0;
	return diag_error(d, NULL, "its output has not the shape of input '%s'", input->name);
}

static int merge(struct pass_ctx *ctx, const struct graph *front, struct value *v)
{
	struct graph *g = ctx->graph;
	const struct value *in = front_input(front, ctx->diags);
	int64_t theirs = graph_opset(front, ""), ours = graph_opset(g, "");
	if (in && theirs != ours) /* operators may mean something else */
		return diag_error(ctx->diags, "export both with the same opset",
				  "is of opset %lld, but the network of %lld", (long long)theirs, (long long)ours);
	if (!in || fits(front, v, ctx->diags) < 0)
		return -1;
	struct value *placeholder = detach_uses(g, v);
	struct merger m = { g, xcalloc(front->next_value_id + 1, sizeof *m.map), g->first };
	m.map[in->id] = v;
	value_copy_type(g, v, in);
	for (const struct opset *o = front->opsets; o; o = o->next)
		if (!graph_opset(g, o->domain))
			graph_set_opset(g, o->domain, o->version);
	graph_for_each_node (front, n)
		copy_node(&m, n);
	value_replace_uses(placeholder, m.map[front->outputs[0].value->id]);
	value_remove(g, placeholder);
	free(m.map);
	ctx->changes = front->n_nodes;
	return graph_infer(g, ctx->diags);
}

static enum pass_result run_merge(struct pass_ctx *ctx)
{
	const char *path = pass_string(ctx, "file"), *context = ctx->diags->file;
	struct value *v = only_input(ctx);
	if (!path)
		return diag_error(ctx->diags, "write merge(file=front.onnx)", "merge needs the file of a network");
	if (!v)
		return PASS_ERROR;
	ctx->diags->file = path;
	struct graph *front = graph_read(path, ctx->diags);
	int status = front ? graph_infer(front, ctx->diags) : -1;
	if (status == 0)
		status = merge(ctx, front, v);
	if (front)
		graph_free(front);
	ctx->diags->file = context;
	return status < 0 ? PASS_ERROR : pass_result(ctx);
}

static const struct pass_option merge_options[] = {
	{ "file", OPTION_STRING, NULL, "the network that comes first" },
	{ NULL, OPTION_FLAG, NULL, NULL },
};

const struct pass pass_merge = {
	.name = "merge",
	.summary = "puts another network in front: its output is this one's input",
	.help = "merge(file=front.onnx) reads a network with one input and one output, for instance the preprocessing that was\n"
		"exported beside a network, and connects them. The input keeps its name and takes the front's shape and type.",
	.options = merge_options,
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.run = run_merge,
	.changes_function = true,
};

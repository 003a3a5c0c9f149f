/* Edits of the network that flows to hardware need: set-datatype, pad-input, bipolar-input, binary-output. */
#include <string.h>

#include "ops/op.h"
#include "passes/edit.h"
#include "passes/pass.h"
#include "passes/surgery.h"
#include "util/integers.h"

/* ---- set-datatype ---- */

struct value *surgery_input(const struct graph *g, const char *name)
{
	struct value *only = NULL;
	size_t count = 0;
	for (uint32_t i = 0; i < g->n_inputs; i++) {
		if (g->inputs[i]->constant)
			continue;
		if (strcmp(g->inputs[i]->name, name) == 0)
			return g->inputs[i];
		only = g->inputs[i];
		count++;
	}
	return strcmp(name, "input") == 0 && count == 1 ? only : NULL;
}

static struct value *named_output(const struct graph *g, const char *name)
{
	for (uint32_t i = 0; i < g->n_outputs; i++)
		if (strcmp(g->output_names[i], name) == 0)
			return g->outputs[i].value;
	return strcmp(name, "output") == 0 && g->n_outputs == 1 ? g->outputs[0].value : NULL;
}

/* A value by name. The network's inputs and outputs come first: one inside may happen to be called "input". */
static struct value *named_value(struct graph *g, const char *name)
{
	struct value *v = surgery_input(g, name);
	if (!v)
		v = named_output(g, name);
	return v ? v : graph_value(g, name);
}

static enum pass_result run_set_datatype(struct pass_ctx *ctx)
{
	for (size_t i = 0; i < ctx->n_args; i++) {
		const struct pass_arg *arg = &ctx->args[i];
		struct value *v = named_value(ctx->graph, arg->name);
		struct datatype type;
		if (!v)
			return diag_error(ctx->diags, "qcc info MODEL lists inputs and outputs",
					  "no value is named '%s'", arg->name);
		if (!datatype_parse(arg->text, &type))
			return diag_error(ctx->diags,
					  "write BIPOLAR, BINARY, TERNARY, INT4, UINT8, FIXED<8,3>, FLOAT32 or "
					  "the like",
					  "'%s' is no datatype", arg->text);
		if (datatype_equal(v->datatype, type))
			continue;
		v->datatype = type;
		v->range = NULL;
		ctx->changes++;
	}
	if (ctx->n_args)
		return pass_result(ctx);
	return diag_error(ctx->diags, "write set-datatype(input=BIPOLAR)", "set-datatype takes at least one NAME=TYPE");
}

static const struct pass_option names_options[] = {
	{ "*", OPTION_NAMES, NULL, "NAME=TYPE: a value and its datatype; 'input' is the only input" },
	{ NULL, OPTION_FLAG, NULL, NULL },
};

const struct pass pass_set_datatype = {
	.name = "set-datatype",
	.summary = "declares what numbers a value holds",
	.help = "set-datatype(input=BIPOLAR) says that the input holds -1 and +1 only, although it is stored as float.\n"
		"The first layer can then work on integers. Names are values of the graph; 'input' and 'output' also\n"
		"stand for the only one there is. It is a promise: qcc run checks the data it is given against it.",
	.options = names_options,
	.preserves = GRAPH_CLEAN | GRAPH_CONVERTED,
	.run = run_set_datatype,
};

/* ---- the only input ---- */

struct value *only_input(struct pass_ctx *ctx)
{
	struct value *v = NULL;
	for (uint32_t i = 0; i < ctx->graph->n_inputs; i++) {
		struct value *in = ctx->graph->inputs[i];
		if (in->constant)
			continue;
		if (v) {
			diag_error(ctx->diags, "the pass handles graphs with one input",
				   "the graph has several inputs");
			return NULL;
		}
		v = in;
	}
	if (!v)
		diag_error(ctx->diags, NULL, "the graph has no input");
	return v;
}

struct value *detach_uses(struct graph *g, struct value *input)
{
	struct value *placeholder = value_new(g, "placeholder");
	value_replace_uses(input, placeholder);
	return placeholder;
}

/* ---- pad-input ---- */

/* Along which axis of the weights the input lies. */
static int contraction_axis(const struct node *n, const struct value *w)
{
	if (n->op == &op_Gemm)
		return node_attr_int(n, "transB", 0) ? 1 : 0;
	return w->rank - 2;
}

static struct tensor *zero_padded(const struct tensor *t, int axis, int64_t to)
{
	int64_t dims[MAX_RANK], outer = dims_product(t->dims, 0, axis);
	int64_t inner = dims_product(t->dims, axis + 1, t->rank) * (int64_t)elem_size(t->elem);
	memcpy(dims, t->dims, t->rank * sizeof *dims);
	dims[axis] = to;
	struct tensor *padded = tensor_new(t->elem, t->rank, dims);
	for (int64_t i = 0; padded && i < outer; i++)
		memcpy((char *)padded->data + i * to * inner, (const char *)t->data + i * t->dims[axis] * inner,
		       (size_t)(t->dims[axis] * inner));
	return padded;
}

/* The constant behind the weights: itself, or what their quantiser reads. */
static struct value *weight_constant(struct value *w)
{
	if (value_is_constant(w))
		return w;
	struct node *q = w ? w->producer : NULL;
	bool quantiser = q && (q->op == &op_Quant || q->op == &op_BipolarQuant);
	return quantiser && value_is_constant(node_input(q, 0)) ? node_input(q, 0) : NULL;
}

static int pad_weights(struct pass_ctx *ctx, struct node *n, int64_t to)
{
	struct value *w = node_input(n, 1), *constant = weight_constant(w);
	struct node *q = w->producer;
	if (!constant || constant->rank != 2 || node_attr_int(n, "transA", 0))
		return diag_node_error(ctx->diags, n, "pad the input before its weights are computed",
				       "its weights are no constant matrix that zeros could be added to");
	int axis = contraction_axis(n, constant);
	for (uint32_t i = 1; q && i < q->n_inputs; i++) {
		const struct value *p = node_input(q, i);
		if (!value_is_constant(p) || (p->rank == 2 && p->dims[axis] != 1))
			return diag_node_error(ctx->diags, q, "use one scale for all inputs",
					       "its parameters vary along the inputs");
	}
	if (q && q->op == &op_BipolarQuant)
		return diag_node_error(ctx->diags, q, "only weights that may be 0 can be padded",
				       "bipolar weights have no zero to pad with");
	struct value *padded =
		value_new_constant(ctx->graph, constant->name, zero_padded(constant->constant, axis, to));
	padded->datatype = constant->datatype;
	if (q) {
		w->is_declared = false; /* the exporter's value_info tells of the old shape */
		node_set_input(q, 0, padded);
		return node_infer(q, ctx->diags);
	}
	node_set_input(n, 1, padded);
	return 0;
}

/* Follows v through element-wise nodes with scalar parameters to the products that read it. */
static int pad_users(struct pass_ctx *ctx, struct value *v, int64_t to)
{
	value_for_each_use (v, u) {
		struct node *n = u->user;
		bool product = n && (n->op == &op_MatMul || n->op == &op_Gemm) && u->index == 0;
		bool each = n && n->op && (n->op->flags & OP_ELEMENTWISE);
		if (product) {
			if (pad_weights(ctx, n, to) != 0)
				return -1;
			continue;
		}
		for (uint32_t i = 0; each && i < n->n_inputs; i++)
			each = i == u->index ||
			       (value_is_constant(node_input(n, i)) && node_input(n, i)->constant->count == 1);
		if (!each)
			return n ? diag_node_error(ctx->diags, n, "pad-input needs a MatMul or Gemm behind the input",
						   "does more with the input than multiply it by weights")
				 : diag_error(ctx->diags, NULL, "the input is an output of the graph");
		n->outputs[0]->is_declared = false;
		int64_t dims[MAX_RANK];
		struct value *y = n->outputs[0];
		memcpy(dims, y->dims, (size_t)y->rank * sizeof *dims);
		dims[y->rank - 1] = to;
		value_set_type(ctx->graph, y, y->elem, y->rank, dims);
		if (pad_users(ctx, y, to) != 0)
			return -1;
	}
	return 0;
}

static enum pass_result run_pad_input(struct pass_ctx *ctx)
{
	struct value *v = only_input(ctx);
	int64_t to = pass_int(ctx, "to"), dims[MAX_RANK];
	if (!v)
		return PASS_ERROR;
	if (v->rank < 1 || v->dims[v->rank - 1] < 1)
		return diag_error(ctx->diags, "set-shapes gives open dimensions numbers",
				  "the length of input '%s' is not known", v->name);
	int64_t length = v->dims[v->rank - 1];
	if (to == length)
		return PASS_UNCHANGED;
	if (to < length)
		return diag_error(ctx->diags, "write pad-input(to=N) with N at least that",
				  "input '%s' has %lld elements, which do not fit into %lld", v->name,
				  (long long)length, (long long)to);
	memcpy(dims, v->dims, (size_t)v->rank * sizeof *dims);
	dims[v->rank - 1] = to;
	if (pad_users(ctx, v, to) != 0)
		return PASS_ERROR;
	value_set_type(ctx->graph, v, v->elem, v->rank, dims);
	ctx->changes++;
	return graph_infer(ctx->graph, ctx->diags) == 0 ? PASS_CHANGED : PASS_ERROR;
}

static const struct pass_option pad_options[] = {
	{ "to", OPTION_INT, "0", "elements the input shall have" },
	{ NULL, OPTION_FLAG, NULL, NULL },
};

const struct pass pass_pad_input = {
	.name = "pad-input",
	.summary = "lengthens the input; the weights get zeros for the new elements",
	.help = "pad-input(to=600) makes an input of 593 elements one of 600, which has more divisors to fold by. The new\n"
		"elements meet zero weights: whatever they hold, the outputs are the same.",
	.options = pad_options,
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = GRAPH_CLEAN | GRAPH_CONVERTED,
	.run = run_pad_input,
	.changes_function = true,
};

/* ---- bipolar-input, binary-output ---- */

static enum pass_result run_bipolar_input(struct pass_ctx *ctx)
{
	struct graph *g = ctx->graph;
	struct value *v = only_input(ctx);
	if (!v)
		return PASS_ERROR;
	struct value *placeholder = detach_uses(g, v);
	struct node *first = g->first;
	struct value *sum = add_node2(g, first, "", "Add", v, constant_scalar(g, "one", 1), "Add");
	struct value *half = add_node2(g, first, "", "Div", sum, constant_scalar(g, "two", 2), "Div");
	value_replace_uses(placeholder, half);
	value_remove(g, placeholder);
	if (v->datatype.kind == DT_BINARY) { /* which the bits are now */
		v->datatype = datatype_of_kind(DT_BIPOLAR);
		half->datatype = datatype_of_kind(DT_BINARY);
	}
	ctx->changes = 2;
	return PASS_CHANGED;
}

const struct pass pass_bipolar_input = {
	.name = "bipolar-input",
	.summary = "the input becomes bipolar: -1 and +1 stand for 0 and 1",
	.help = "Puts (x + 1) / 2 behind the input, so that a network trained on bits can be fed with -1 and +1, as FINN's\n"
		"hardware takes them. Declare it with set-datatype(input=BIPOLAR).",
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = GRAPH_CLEAN,
	.run = run_bipolar_input,
	.changes_function = true,
};

static enum pass_result run_binary_output(struct pass_ctx *ctx)
{
	struct graph *g = ctx->graph;
	for (uint32_t i = 0; i < g->n_outputs; i++) {
		struct value *v = g->outputs[i].value;
		struct value *inputs[] = { v, constant_scalar(g, "one", 1) };
		struct node *q = node_new(g, NULL, DOMAIN_QONNX, "BipolarQuant", inputs, 2, 1, "BipolarQuant");
		if (node_infer(q, ctx->diags) != 0)
			return PASS_ERROR;
		graph_set_output(g, i, q->outputs[0]);
		ctx->changes++;
	}
	if (!graph_opset(g, DOMAIN_QONNX))
		graph_set_opset(g, DOMAIN_QONNX, 1);
	return pass_result(ctx);
}

const struct pass pass_binary_output = {
	.name = "binary-output",
	.summary = "each output becomes its sign: +1 from 0 on, else -1",
	.help = "Puts a BipolarQuant of scale 1 before each output: a logit becomes the decision.",
	.requires = GRAPH_INFERRED,
	.ensures = GRAPH_INFERRED,
	.preserves = GRAPH_CLEAN,
	.run = run_binary_output,
	.changes_function = true,
};

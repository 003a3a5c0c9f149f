/* Operators that stand for a graph in a file of its own, named by the attribute model: GenericPartition of QONNX and
 * StreamingDataflowPartition of FINN. */
#include <stdlib.h>
#include <string.h>

#include "ops/op.h"
#include "util/arena.h"
#include "util/file.h"
#include "util/strbuf.h"

/* The partition's graph; its name counts from the folder of the model around it where from_model, else from the working folder,
 * as FINN has it. NULL with a diagnostic. */
static struct graph *read_partition(const struct node *n, bool from_model, struct diags *d)
{
	const char *name = node_attr_string(n, "model", ""), *file = n->graph->file ? n->graph->file : "";
	const char *slash = from_model ? strrchr(file, '/') : NULL;
	struct strbuf folder = { 0 };
	if (!*name) {
		diag_node_error(d, n, NULL, "attribute model is missing");
		return NULL;
	}
	if (!file_may_be_named(name, d)) {
		diag_node_error(d, n, "put it there, or allow it with --allow-paths",
				"its model '%s' lies outside the %s folder", name, from_model ? "model's" : "working");
		return NULL;
	}
	if (slash)
		strbuf_add(&folder, file, (size_t)(slash - file) + (slash == file));
	struct graph *g = graph_read_below(strbuf_text(&folder), name, d);
	strbuf_free(&folder);
	return g;
}

/* Files that name each other would go on for ever. */
static bool has_partitions(const struct graph *g)
{
	graph_for_each_node (g, n)
		if (n->op && (n->op == &op_GenericPartition || n->op == &op_StreamingDataflowPartition))
			return true;
	return false;
}

static int run_partition(struct exec_ctx *x, struct graph *part)
{
	size_t inputs = graph_data_inputs(part, NULL, 0);
	if (has_partitions(part))
		return diag_node_error(x->diags, x->node, NULL, "the partition's model has partitions of its own");
	if (inputs != x->n_in || part->n_outputs != x->n_out)
		return diag_node_error(x->diags, x->node, NULL,
				       "the partition has %zu inputs and %u outputs, the node %zu and %zu", inputs,
				       part->n_outputs, x->n_in, x->n_out);
	if (graph_infer(part, x->diags) < 0)
		return -1;
	return x->run_graph(part, x->in, x->out, x->threads, x->diags);
}

static int exec_partition(struct exec_ctx *x, bool from_model)
{
	if (!x->run_graph)
		return diag_node_error(x->diags, x->node, NULL, "a partition is executed with its whole graph only");
	struct graph *part = read_partition(x->node, from_model, x->diags);
	if (!part)
		return -1;
	int result = run_partition(x, part);
	graph_free(part);
	return result;
}

/* ---- GenericPartition ---- */

static int exec_generic(struct exec_ctx *x)
{
	return exec_partition(x, true);
}

/* The partition's own types would take reading its file: outputs keep what was declared. */
static int infer_generic(struct infer_ctx *x)
{
	for (size_t i = 0; i < x->node->n_outputs; i++)
		infer_output(x, i, ELEM_UNDEFINED, -1, NULL);
	return 0;
}

const struct op op_GenericPartition = {
	.domain = DOMAIN_QONNX,
	.name = "GenericPartition",
	.summary = "A part of the graph kept in a model file of its own",
	.min_inputs = 0,
	.max_inputs = -1,
	.min_outputs = 1,
	.max_outputs = -1,
	.flags = OP_IMPURE,
	.infer = infer_generic,
	.exec = exec_generic,
};

/* ---- StreamingDataflowPartition ---- */

static int exec_dataflow(struct exec_ctx *x)
{
	return exec_partition(x, false);
}

static int infer_dataflow(struct infer_ctx *x)
{
	for (size_t i = 0; i < x->node->n_outputs; i++) { /* as declared: the file is not opened for this */
		const struct value *v = node_output(x->node, i);
		if (v)
			infer_output(x, i, (enum elem_type)v->elem, v->rank, v->dims);
	}
	return 0;
}

static struct datatype datatype_declared(const struct node *n, size_t i)
{
	return node_output(n, i)->datatype;
}

const struct op op_StreamingDataflowPartition = {
	.domain = DOMAIN_FINN,
	.name = "StreamingDataflowPartition",
	.summary = "Hardware: a stretch of layers, kept in a file of its own",
	.min_inputs = 1,
	.max_inputs = -1,
	.min_outputs = 1,
	.max_outputs = -1,
	.infer = infer_dataflow,
	.datatype = datatype_declared,
	.exec = exec_dataflow,
};

/* GenericPartition: a part of the graph that lies in a model file of its own, named by the attribute model,
 * relative to the file of the graph around it. */
#include <stdlib.h>
#include <string.h>

#include "exec/exec.h"
#include "ops/op.h"
#include "util/arena.h"
#include "util/strbuf.h"

static struct graph *read_part(const struct node *n, struct diags *d)
{
	const char *name = node_attr_string(n, "model", ""), *file = n->graph->file ? n->graph->file : "";
	const char *slash = strrchr(file, '/');
	struct strbuf path = { 0 };
	if (!*name) {
		diag_node_error(d, n, NULL, "attribute model is missing");
		return NULL;
	}
	if (slash && *name != '/')
		strbuf_add(&path, file, (size_t)(slash - file) + 1);
	strbuf_puts(&path, name);
	struct graph *g = graph_read(path.text, d);
	strbuf_free(&path);
	return g;
}

/* A file that names itself would go on for ever. */
static bool names_itself(const struct graph *part, const struct graph *around)
{
	return part->file && around->file && strcmp(part->file, around->file) == 0;
}

static int exec(struct exec_ctx *x)
{
	struct graph *part = read_part(x->node, x->diags);
	int result = -1;
	if (!part)
		return -1;
	size_t inputs = graph_data_inputs(part, NULL, 0);
	if (names_itself(part, x->node->graph))
		diag_node_error(x->diags, x->node, NULL, "the partition's model is the model itself");
	else if (inputs != x->n_in || part->n_outputs != x->n_out)
		diag_node_error(x->diags, x->node, NULL,
				"the partition has %zu inputs and %u outputs, the node %zu and %zu", inputs,
				part->n_outputs, x->n_in, x->n_out);
	else if (graph_infer(part, x->diags) == 0)
		result = exec_graph(part, x->in, x->out, NULL, x->diags);
	graph_free(part);
	return result;
}

/* The partition's own types would take reading its file: outputs keep what was declared. */
static int infer(struct infer_ctx *x)
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
	.infer = infer,
	.exec = exec,
};

/* StreamingDataflowPartition: a stretch of hardware layers kept in a file of its own. */
#include <stdlib.h>
#include <string.h>

#include "exec/exec.h"
#include "ops/hw_ops.h"

/* The partition's file: as the attribute says, or beside the model. NULL with a diagnostic. */
static struct graph *read_partition(const struct node *n, struct diags *d)
{
	const char *file = node_attr_string(n, "model", "");
	if (!*file) {
		diag_node_error(d, n, NULL, "attribute model names no file");
		return NULL;
	}
	return graph_read(file, d);
}

static int infer(struct infer_ctx *x)
{
	for (size_t i = 0; i < x->node->n_outputs; i++) { /* as declared: the file is not opened for this */
		const struct value *v = node_output(x->node, i);
		if (v)
			infer_output(x, i, (enum elem_type)v->elem, v->rank, v->dims);
	}
	return 0;
}

static struct datatype datatype(const struct node *n, size_t i)
{
	return node_output(n, i)->datatype;
}

static int exec(struct exec_ctx *x)
{
	struct graph *g = read_partition(x->node, x->diags);
	struct exec_options o = { .threads = x->threads };
	if (!g)
		return -1;
	int result = graph_data_inputs(g, NULL, 0) == x->n_in && g->n_outputs == x->n_out
			     ? graph_infer(g, x->diags)
			     : diag_node_error(x->diags, x->node, NULL,
					       "the partition has another number of inputs or outputs");
	if (result == 0)
		result = exec_graph(g, x->in, x->out, &o, x->diags);
	graph_free(g);
	return result;
}

const struct op op_StreamingDataflowPartition = {
	.domain = DOMAIN_FINN,
	.name = "StreamingDataflowPartition",
	.summary = "Hardware: a stretch of layers, kept in a file of its own",
	.min_inputs = 1,
	.max_inputs = -1,
	.min_outputs = 1,
	.max_outputs = -1,
	.infer = infer,
	.datatype = datatype,
	.exec = exec,
};

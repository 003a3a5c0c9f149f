/* Execution of a network as it was read. The executor knows neither model-local functions nor ONNX Runtime's own
 * quantised operators: it gets a copy in which operators that it knows stand for them. */
#include "pipeline/execute.h"

#include "passes/edit.h"
#include "passes/qop_to_quant.h"

int make_executable(struct graph *g, struct diags *d)
{
	size_t changes = 0;
	if (inline_functions(g, &changes, d) < 0 || graph_infer(g, d) < 0)
		return -1;
	return qop_read_unknown(g, d);
}

static bool is_executable(const struct graph *g)
{
	graph_for_each_node (g, n)
		if (!n->op && qop_is_read(n))
			return false;
	return !g->functions;
}

int execute_any(const struct graph *g, struct tensor *const *inputs, struct tensor **outputs, struct diags *d)
{
	struct exec_options o = { 0 };
	if (is_executable(g))
		return exec_batch(g, inputs, outputs, &o, NULL, d);
	struct graph *copy = graph_copy(g);
	int status = make_executable(copy, d);
	if (status == 0)
		status = exec_batch(copy, inputs, outputs, &o, NULL, d);
	graph_free(copy);
	return status;
}

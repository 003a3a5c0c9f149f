/* Execution of a network as it was read: the executor knows no model-local functions, so it gets a copy in which they
 * are in place. */
#include "pipeline/execute.h"

#include "passes/edit.h"

int execute_any(const struct graph *g, struct tensor *const *inputs, struct tensor **outputs, struct diags *d)
{
	struct exec_options o = { 0 };
	if (!g->functions)
		return exec_batch(g, inputs, outputs, &o, NULL, d);
	size_t changes = 0;
	struct graph *copy = graph_copy(g);
	int status = inline_functions(copy, &changes, d) < 0 || graph_infer(copy, d) < 0 ? -1 : 0;
	if (status == 0)
		status = exec_batch(copy, inputs, outputs, &o, NULL, d);
	graph_free(copy);
	return status;
}

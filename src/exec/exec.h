/* The executor: computes a graph's outputs from its inputs, node by node, as qonnx does. */
#ifndef QCC_EXEC_EXEC_H
#define QCC_EXEC_EXEC_H

#include "ir/ir.h"

struct exec_options {
	int threads; /* 0: as many as the machine has */
	/* Called with each value once it is computed (graph inputs too); may be NULL. With exec_batch it is
	 * called once per part, and the parts run one after the other. */
	void (*observe)(void *user, const struct value *v, const struct tensor *t);
	void *user;
};

/* One execution. inputs[i] belongs to the i-th graph input that is no constant (graph_data_inputs); outputs gets
 * g->n_outputs fresh references. Intermediates are freed after their last use. 0, or -1 with diagnostics. */
int exec_graph(const struct graph *g, struct tensor *const *inputs, struct tensor **outputs,
	       const struct exec_options *o, struct diags *d);
/* As exec_graph, but the first dim of every input may be any multiple of the model's: runs the samples in
 * parts, over threads, and joins the outputs along their first axis. progress (may be NULL) is called
 * with samples done and total. */
int exec_batch(const struct graph *g, struct tensor *const *inputs, struct tensor **outputs,
	       const struct exec_options *o, void (*progress)(void *user, int64_t done, int64_t total),
	       struct diags *d);

/* A graph prepared for any number of executions: nodes on constants are computed once, at the start. The graph
 * must not change while the plan lives. NULL with diagnostics. Any number of threads may run one plan. */
struct exec_plan;
struct exec_plan *exec_plan_new(const struct graph *g, struct diags *d);
void exec_plan_free(struct exec_plan *p);
/* As exec_graph and exec_batch. */
int exec_plan_run(const struct exec_plan *p, struct tensor *const *inputs, struct tensor **outputs,
		  const struct exec_options *o, struct diags *d);
int exec_plan_batch(const struct exec_plan *p, struct tensor *const *inputs, struct tensor **outputs,
		    const struct exec_options *o, void (*progress)(void *user, int64_t done, int64_t total),
		    struct diags *d);

#endif

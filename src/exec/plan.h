/* Inside the executor: what is worked out once per graph. */
#ifndef QCC_EXEC_PLAN_H
#define QCC_EXEC_PLAN_H

#include "exec/exec.h"

/* One node to run, or one already run because it depends on constants alone. */
struct exec_step {
	const struct node *node;
	bool folded;
	bool keeps_batch;	     /* reshapes each sample: in batches the first dim is taken from the data */
	uint32_t first_free, n_free; /* values in plan->frees whose last use this is */
};

struct exec_plan {
	const struct graph *graph;
	struct exec_step *steps;
	size_t n_steps;
	uint32_t *frees;	   /* value ids */
	struct tensor **constants; /* by value id: initializers and folded values, owned */
	struct value **inputs;
	size_t n_inputs;
	int64_t constant_bytes; /* of the initializers */
	size_t widest;		/* most inputs or outputs a node has */
	bool batchable;		/* samples are independent along axis 0: many may run at once */
	int64_t batch;		/* first dim of the model's inputs; 1 where unknown or scalar */
	int64_t sample_bytes;	/* of the largest intermediate, per model batch; 0 where unknown */
};

/* Runs the steps on checked inputs. in_batches: first dims may be a multiple of the model's. */
int plan_execute(const struct exec_plan *p, struct tensor *const *inputs, struct tensor **outputs,
		 const struct exec_options *o, bool in_batches, struct diags *d);
/* Decides plan->batchable and which steps keep the batch (exec/polymorphic.c). */
void plan_find_batches(struct exec_plan *p);

/* Checks inputs against the graph's declarations; *samples gets how many times the model's batch they hold
 * (1 unless many). -1 with diagnostics (exec/check.c). */
int check_inputs(const struct exec_plan *p, struct tensor *const *inputs, bool many, int64_t *samples, struct diags *d);

/* For operators that stand for a graph: exec_graph with a number of threads. */
int exec_nested(const struct graph *g, struct tensor *const *in, struct tensor **out, int threads, struct diags *d);

#endif

/* Execution of a network that passes may not have seen yet. */
#ifndef QCC_PIPELINE_EXECUTE_H
#define QCC_PIPELINE_EXECUTE_H

#include "exec/exec.h"

/* As exec_batch (exec/exec.h), and the model's functions may still be called: a copy has them put in place. */
int execute_any(const struct graph *g, struct tensor *const *inputs, struct tensor **outputs, struct diags *d);

#endif

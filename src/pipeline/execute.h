/* Execution of a network that passes may not have seen yet. */
#ifndef QCC_PIPELINE_EXECUTE_H
#define QCC_PIPELINE_EXECUTE_H

#include "exec/exec.h"

/* Puts model-local functions in place, rewrites ONNX Runtime's quantised operators by those that the executor knows, and
 * types the values. 0, or -1 with diagnostics. */
int make_executable(struct graph *g, struct diags *d);
/* As exec_batch (exec/exec.h), of a copy that was made executable where g is not. */
int execute_any(const struct graph *g, struct tensor *const *inputs, struct tensor **outputs, struct diags *d);

#endif

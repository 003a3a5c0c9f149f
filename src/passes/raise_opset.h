/* Bringing a graph to a newer version of ONNX's operators. */
#ifndef QCC_PASSES_RAISE_OPSET_H
#define QCC_PASSES_RAISE_OPSET_H

#include "ops/op.h"

/* Rewrites nodes of ONNX's domain so that they mean the same in opset 13, where the graph imports an older one.
 * 1 where it was raised, 0 where it is that new, -1 with a diagnostic (older than 7, or an operator whose newer
 * form is not known). */
int raise_opset(struct graph *g, struct diags *d);
/* Forgets imports of domains that no node and no function is of. */
void drop_unused_opsets(struct graph *g);

#endif

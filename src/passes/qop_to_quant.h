/* What qop-to-quant reads. */
#ifndef QCC_PASSES_QOP_TO_QUANT_H
#define QCC_PASSES_QOP_TO_QUANT_H

#include "ir/ir.h"

/* An operator on quantised values that the pass has a rewrite for; ONNX Runtime's among them are in no operator
 * table. */
bool qop_is_read(const struct node *n);
/* Rewrites those that are in no operator table, as the pass does, so that the graph can be executed; constants must be
 * in place and types inferred. Types the result. 0, or -1 with diagnostics. */
int qop_read_unknown(struct graph *g, struct diags *d);

#endif

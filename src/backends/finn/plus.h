/* Hardware layers in FINN-plus's form. */
#ifndef QCC_BACKENDS_FINN_PLUS_H
#define QCC_BACKENDS_FINN_PLUS_H

#include "ir/ir.h"

/* Whether to-hw was told that the layers are for FINN-plus. */
bool finn_is_plus(const struct graph *g);
/* Names layers by FINN-plus's operators (ElementwiseAdd_0), which folding_config.json needs. -1 with a diagnostic where
 * a layer has no form there. */
int finn_name_plus(struct graph *g, struct diags *d);
/* Changes operators and attributes. What comes out is no hardware layer for qcc any more. */
void finn_convert_plus(struct graph *g);

#endif

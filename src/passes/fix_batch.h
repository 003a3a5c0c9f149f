/* Batch sizes that a network leaves open. */
#ifndef QCC_PASSES_FIX_BATCH_H
#define QCC_PASSES_FIX_BATCH_H

#include "ir/ir.h"

/* Whether an input's first dimension, and no other, is not known. */
bool batch_is_open(const struct graph *g);
/* Such inputs get that many samples. Returns how many inputs; what depends on them is for inference. */
size_t fix_batch(struct graph *g, int64_t size);

#endif

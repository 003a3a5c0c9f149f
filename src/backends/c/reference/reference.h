/* What the style `reference` gives to others: a kernel for every kind of layer. Other styles use these kernels for layers
 * that they have none for, and the HLS backend for what the host computes. */
#ifndef QCC_BACKENDS_C_REFERENCE_H
#define QCC_BACKENDS_C_REFERENCE_H

#include "backends/c/emit.h"

/* The function of layer l by its kind's kernel, and its call in NAME_run. */
void ref_layer(struct emit *e, const struct plan_layer *l);

#endif

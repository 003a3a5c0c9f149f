/* Moves DequantizeLinear before the nodes between QuantizeLinear and it. */
#ifndef QCC_PASSES_RAISE_DEQUANTISE_H
#define QCC_PASSES_RAISE_DEQUANTISE_H

#include "ops/op.h"

/* Scale and zero point of a QuantizeLinear or DequantizeLinear are constants. */
static inline bool linear_parameters_constant(const struct node *n)
{
	const struct value *zero = node_input(n, 2);
	return value_is_constant(node_input(n, 1)) && (!zero || value_is_constant(zero));
}

/* Zero point i; one number counts for all, none is 0. */
static inline double zero_point_at(const struct value *zero, int64_t i)
{
	return zero ? tensor_at(zero->constant, zero->constant->count == 1 ? 0 : i) : 0;
}

/* Nodes that move or pick elements between QuantizeLinear and DequantizeLinear work on the dequantised numbers instead, so
 * that the two stand together. Counts what it changes. */
void raise_dequantise(struct graph *g, size_t *changes);

#endif

/* What the operators that multiply and accumulate share: the datatype of an accumulator. */
#ifndef QCC_OPS_PRODUCTS_H
#define QCC_OPS_PRODUCTS_H

#include "ops/op.h"

/* Datatype of a sum of `terms` products of a and b (plus c where it is not NULL) as output 0 of n: exact
 * bounds from the factors' integer ranges; DT_NONE where one is no integer or terms is unknown (< 0). */
struct datatype accumulator_datatype(const struct node *n, const struct value *a, const struct value *b,
				     const struct value *c, int64_t terms);

#endif

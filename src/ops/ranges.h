/* Integer ranges of values as far as QONNX datatypes, integral constants and storage types tell them:
 * what the operators' datatype functions reckon with. */
#ifndef QCC_OPS_RANGES_H
#define QCC_OPS_RANGES_H

#include "ops/op.h"

/* Inclusive bounds of the integers v holds; false where it may hold anything else. */
bool value_int_range(const struct value *v, int64_t *lo, int64_t *hi);
/* The smallest integer datatype for lo..hi as output i of n; where the storage type is an integer too
 * small for it (the result wraps) that of the storage. */
struct datatype datatype_within(const struct node *n, size_t i, int64_t lo, int64_t hi);
/* A datatype that holds the values of both; DT_NONE where only float does. */
struct datatype datatype_join(struct datatype a, struct datatype b);
/* The same over inputs first..last of n (omitted ones left out): Concat, Where, Pad. */
struct datatype datatype_join_inputs(const struct node *n, size_t first, size_t last);
/* The datatype of v: the annotated one; of an unannotated integral constant, the smallest it fits. */
struct datatype value_datatype(const struct value *v);
/* The integers that a storage type holds; DT_NONE for others. */
struct datatype storage_datatype(enum elem_type elem);
/* BINARY, whatever the inputs: comparisons and logic. */
struct datatype datatype_binary(const struct node *n, size_t i);

#endif

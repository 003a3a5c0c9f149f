/* An order over elements of any type as an order over integers, so that sorting needs no types. */
#ifndef QCC_OPS_ORDER_H
#define QCC_OPS_ORDER_H

#include "ir/tensor.h"

struct ranked {
	uint64_t key;  /* element_key, or its complement for a descending order */
	int64_t index; /* along the axis; breaks ties */
};

/* a < b as elements exactly where the key of a is below that of b; -0 equals 0, NaN comes last. Not for
 * strings. */
uint64_t element_key(const struct tensor *t, int64_t i);
/* Sorts by key, then index. */
void ranked_sort(struct ranked *r, int64_t n);

#endif

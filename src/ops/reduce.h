/* Reductions: which axes they go over. */
#ifndef QCC_OPS_REDUCE_H
#define QCC_OPS_REDUCE_H

#include "ops/op.h"

struct reduction {
	uint32_t axes; /* one bit for each */
	bool keep;     /* they stay, with length 1 */
};

/* What a Reduce node of data of that rank does. False where its axes are computed at run time or out of range. */
bool reduction_of(const struct node *n, int rank, struct reduction *r);

#endif

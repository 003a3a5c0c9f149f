/* Nodes that give a box of their input: parts of some axes, perhaps in steps, zeros added at the ends of others. That is what Slice, Split, Pad and
 * Gather do for most parameters; which box it is tells their own execution, so that signs, defaults and versions of their
 * parameters need no second reading. */
#ifndef QCC_PASSES_BOX_H
#define QCC_PASSES_BOX_H

#include "ops/op.h"

struct box {
	int rank;		  /* of the input; 0: what comes out is no box of it */
	int64_t before[MAX_RANK]; /* zeros added in front on each axis; negative: elements taken away */
	int64_t after[MAX_RANK];  /* the same behind */
	int64_t step[MAX_RANK];	  /* of what is left every so manieth is taken, beginning and ending with one that is */
};

/* The boxes of its first input that the outputs of n are, one for each; an axis that a Gather of one index drops counts as one of
 * length 1. They have rank 0 where n is none of those operators or its parameters are no constants. */
void boxes_of(const struct node *n, struct box *boxes);
/* Whether it is another one than all of that axis. */
static inline bool box_changes(const struct box *b, int axis)
{
	return b->before[axis] || b->after[axis] || b->step[axis] != 1;
}

#endif

/* Where an axis goes through a node that joins elements along others. */
#ifndef QCC_PASSES_AXES_H
#define QCC_PASSES_AXES_H

#include "ops/op.h"

/* The axis of output 0 whose element i is made of elements i of that axis of input 0 alone: what is known of each channel
 * there (a scale, a range) holds behind the node. -1 where the node joins, moves or repeats elements along the axis, or is
 * not one of poolings, reductions and resizings. */
int axis_through(const struct node *n, int axis);

#endif

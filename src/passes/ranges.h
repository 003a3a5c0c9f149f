/* Integer ranges: for every integer value the bounds of what it can hold, per channel where that says more,
 * from the datatypes of inputs and the constants' actual elements. */
#ifndef QCC_PASSES_RANGES_H
#define QCC_PASSES_RANGES_H

#include "ops/op.h"

/* The range of an integer value, computed from its producer where it is not known yet (and of the values above,
 * as far as needed). NULL where the value is not an integer one or bounds would pass 2^62. */
const struct range *range_of(struct graph *g, struct value *v);
/* Computes the ranges of all integer values afresh, in one walk, and sets the datatype of values that nodes
 * accumulate (MatMul, Conv, Add, ...) to the smallest that holds them. */
void ranges_compute(struct graph *g);
/* Forgets the range of v: its producer changed. */
void range_forget(struct value *v);
/* A range per channel from bounds computed in double; NULL where one passes 2^53 and may be inexact. */
const struct range *range_from_doubles(struct graph *g, int axis, int64_t channels, const double *lo, const double *hi);
/* Bounds of one channel, or of the whole where channels are not told apart (or lie along another axis). */
void range_channel(const struct range *r, int axis, int64_t channel, int64_t *lo, int64_t *hi);

#endif

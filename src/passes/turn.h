/* Flips the sign of integers, so that a decreasing function of them becomes an increasing one. */
#ifndef QCC_PASSES_TURN_H
#define QCC_PASSES_TURN_H

#include "passes/chain.h"

/* sign[channel] * the chain's root: by negating the weights that produce the root where it has no other use, else by
 * a Mul before `before`. With no sign below 0 it is the root itself. Where weights are turned, the chain's own nodes
 * compute something else from then on: they must go. */
struct value *turn_root(struct graph *g, struct node *before, const struct chain *c, const double *sign);
/* For each channel 1 or -1: whether the chain increases or decreases there, as its operators alone determine it.
 * False where a node may do both. */
bool chain_directions(const struct chain *c, double *sign);

#endif

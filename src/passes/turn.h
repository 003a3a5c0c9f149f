/* Integers whose sign is turned, so that what is computed from them rises where it fell. */
#ifndef QCC_PASSES_TURN_H
#define QCC_PASSES_TURN_H

#include "passes/chain.h"

/* sign[channel] * the chain's root: by turning the weights that made the root where nobody else sees it, else by a Mul
 * before `before`. With no sign below 0 it is the root itself. Where weights are turned, the chain's own nodes compute
 * something else from then on: they must go. */
struct value *turn_root(struct graph *g, struct node *before, const struct chain *c, const double *sign);
/* 1 or -1 for each channel by the operators' own account: in which direction the chain goes there. False where one of its
 * nodes may go both ways. */
bool chain_directions(const struct chain *c, double *sign);

#endif

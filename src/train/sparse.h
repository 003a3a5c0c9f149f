/* Networks for look-up tables: neurons with few inputs, and an estimate of what they cost. */
#ifndef QCC_TRAIN_SPARSE_H
#define QCC_TRAIN_SPARSE_H

#include "train/net.h"

/* Each neuron of the linear layers but the last keeps its `keep` weights of largest magnitude; the others are masked.
 * progress: from 0 (all are there) to 1 (fan_in are). */
void sparse_prune(struct net *n, int64_t fan_in, double progress);
/* Every such neuron has fan_in inputs at the most. */
bool sparse_keeps(const struct net *n, int64_t fan_in);
/* Estimated LUTs of six inputs. A neuron whose inputs have up to 12 bits together is a table: a LUT for each output bit
 * up to 6 bits, doubling with each further one, less about a third that synthesis saves; any other is a tree of adders:
 * a LUT for each bit of each input with a weight that is not 0. Neurons that no other one uses, and inputs that always
 * hold one number, are left out, as prune-dead does it. */
double sparse_luts(const struct net *n);
/* Adds the estimate, times the strength, to the loss: each weight is pulled to 0 by what its input costs; the count of
 * weights that are not 0 is taken as the sum of min(1, |w| / s). */
void sparse_add_cost(struct net *n, double strength);

#endif

/* Thresholds by evaluation. A quantiser behind a chain of element-wise nodes is an integer function of the
 * number the chain starts from, in each channel. Where that number is an integer of known range, the function
 * is known at finitely many points; where it is a float32, at the finitely many floats. If it never decreases,
 * bisection finds the first point of each level: the thresholds, exact by construction, with every rounding
 * mode and tie as the nodes themselves compute them. If it never increases, the sign of the number is turned.
 * If it does both, it is the difference of two such functions. No algebra of particular operators is needed. */
#ifndef QCC_PASSES_THRESHOLDS_H
#define QCC_PASSES_THRESHOLDS_H

#include "passes/certify.h"
#include "passes/chain.h"
#include "passes/quant_grid.h"

struct absorb_options {
	bool activations_only; /* take only activations right above the quantiser; thresholds are of floats */
	bool bias_apart;       /* levels count from 0; an Add behind shifts them (FINN's form after conversion) */
	struct certificates *certificates; /* compare everywhere and add what was found; NULL: do not */
	int64_t most_levels; /* a Quant of more levels stays one, of integers; 0: as many as a row may have thresholds */
};

/* A table costs a threshold for each level and channel: what a Quant of more levels than this does is computed instead. */
enum { MOST_TABLE_LEVELS = 4096 };
/* A Quant that gives integers and has more levels. */
bool quantiser_stays(const struct node *n, int64_t most_levels);

/* Replaces the quantiser, and as much of the chain above as it can take in, by MultiThreshold (two of them and a
 * Sub where it must), followed by the Mul and Add that give the quantiser's own scale back where it is not 1.
 * 1 where it was replaced, 0 (with the reason) where it stays, -1 with a diagnostic. */
int absorb_into_thresholds(struct graph *g, struct node *quantiser, const struct absorb_options *o, const char **reason,
			   struct diags *d);

#endif

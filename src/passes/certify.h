/* Certificates: the thresholds that were generated, compared with the chain of operators they replace at every
 * integer the accumulator can take, in all channels. */
#ifndef QCC_PASSES_CERTIFY_H
#define QCC_PASSES_CERTIFY_H

#include "passes/chain.h"
#include "passes/grid.h"
#include "passes/pass.h"

enum { MOST_NAMED_POINTS = 4 };

struct certificate {
	const struct node *node;	/* the MultiThreshold; named when the report is made */
	const char *replaces;		/* name of the quantiser it stands for */
	int64_t channels, lo, hi;	/* what was looked at; lo > hi for floats */
	int64_t points;			/* evaluations compared, over all channels */
	int64_t undecided;		/* points where double arithmetic decides otherwise than float32 */
	struct { int64_t channel, point; } named[MOST_NAMED_POINTS];
};

struct certificates {
	struct certificate *items;
	size_t count, capacity;
};

/* A function of one number per channel, and what stands for it now. */
struct claim {
	const struct chain *chain;	/* ends with the quantiser */
	const struct grid *grid;
	const double *sign;		/* per channel: the chain is of sign * point */
	bool of_floats;			/* points are float32 numbers, not integers */
	int64_t lo, hi;			/* the integers */
	const struct node *up, *down;	/* MultiThreshold; y = up - down, down may be NULL */
};

/* Compares and adds a certificate. -1 with a diagnostic that names node and channel where they differ. */
int certify(const struct claim *c, struct certificates *list, struct diags *d);
/* Into the pass's report, where certificates were asked for: [{layer, points, undecided, ...}]. Frees the list. */
void certificates_report(struct certificates *list, struct pass_ctx *ctx);

#endif

/* Certificates. The nodes that a pass generated are executed and compared with the chain of operators they replace,
 * for every integer the accumulator can take and in all channels. Where the operators are monotone, that takes both ends
 * of the range, each threshold and the integer below it, since neither side changes between two thresholds; others
 * are looked at everywhere. Both are then executed on a tensor of the network's own shape, so that parameters along the wrong axis
 * are noticed. */
#ifndef QCC_PASSES_CERTIFY_H
#define QCC_PASSES_CERTIFY_H

#include "passes/chain.h"
#include "passes/quant_grid.h"
#include "passes/pass.h"

enum { MOST_NAMED_POINTS = 4 };

struct certified_point {
	int64_t channel, point;
};

struct certificate {
	const char *pass;
	const char *layer;		     /* name of the MultiThreshold; NULL until the pass is done */
	const char *replaces;		     /* name of the quantiser it stands for */
	uint32_t node;			     /* the MultiThreshold's id */
	int64_t channels, lo, hi;	     /* the range that was compared; lo > hi for floats */
	int64_t points;			     /* evaluations compared, over all channels */
	int64_t undecided;		     /* points where double arithmetic decides otherwise than float32 */
	const struct certified_point *named; /* the first MOST_NAMED_POINTS of them, or fewer */
};

struct certificates {
	struct certificate *items;
	size_t count, capacity;
	struct arena arena; /* names and points */
};

/* A function of one number per channel, and what stands for it now. */
struct claim {
	const struct chain *chain; /* ends with the quantiser */
	const struct quant_grid *grid;
	const double *sign;	  /* per channel: the chain is of sign * point */
	bool of_floats;		  /* points are float32 numbers, not integers */
	int64_t lo, hi;		  /* the integers */
	int64_t root_lo, root_hi; /* those that the root takes: fewer where some channels are turned */
	struct node *up, *down;	  /* MultiThreshold; y = up - down, down may be NULL */
	struct value *result;	  /* what is to be read instead of the quantiser's output */
};

/* Compares and adds a certificate. -1 with a diagnostic that names node and channel where they differ. */
int certify(const struct claim *c, struct certificates *list, struct diags *d);
/* A pass is done: its certificates go to those of the run (pipeline_options) under the names its nodes have by now, and
 * their number into its report. Frees the list. */
void certificates_report(struct certificates *list, struct pass_ctx *ctx);
/* {pass, layer, replaces, channels, points, undecided_by_float32, range, undecided}. A new reference. */
json_t *certificate_json(const struct certificate *c);
void certificates_free(struct certificates *list);

#endif

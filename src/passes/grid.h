/* What a quantiser puts out: scale * (base + stride * k) + bias for the levels k = 0..steps. The integer
 * base + stride * k is what the integer graph carries. */
#ifndef QCC_PASSES_GRID_H
#define QCC_PASSES_GRID_H

#include "ops/op.h"

struct grid {
	int64_t steps; /* number of levels less one: how many thresholds it takes */
	int64_t base, stride;
	double scale, bias;	     /* where scales is NULL */
	const struct tensor *scales; /* one scale per channel, or NULL */
	struct datatype datatype;    /* of base + stride * k */
	bool is_open;		     /* the levels are bounds only: those that are never reached may be dropped */
};

/* Thresholds a row may have at most; beyond it a quantiser stays what it is. */
enum { MOST_STEPS = 65535 };

/* Reads Quant, BipolarQuant, Trunc and MultiThreshold nodes. False, with the reason, where parameters are
 * computed at run time or give no such grid. */
bool grid_of(const struct node *n, struct grid *g, const char **reason);
static inline double grid_scale(const struct grid *g, int64_t channel)
{
	return g->scales ? tensor_at(g->scales, channel) : g->scale;
}
/* The level that gave y in that channel. */
int64_t grid_level(const struct grid *g, int64_t channel, double y);

#endif

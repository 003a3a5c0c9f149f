/* The quantisation grid: the numbers that a quantiser can output, which are scale * (base + stride * k) + bias for the
 * levels k = 0..steps. Once scale and bias have moved away, the graph carries the integers base + stride * k. */
#ifndef QCC_PASSES_QUANT_GRID_H
#define QCC_PASSES_QUANT_GRID_H

#include "ops/op.h"

struct quant_grid {
	int64_t steps; /* number of levels less one, which is the number of thresholds */
	int64_t base, stride;
	double scale, bias;	     /* where scales is NULL */
	const struct tensor *scales; /* one scale per channel, or NULL */
	struct datatype datatype;    /* of base + stride * k */
	bool is_open; /* base and steps are only bounds (Trunc version 1): levels that no input reaches may be dropped */
};

/* Thresholds a row may have at most; beyond it a quantiser stays what it is. */
enum { MOST_STEPS = 65535 };

/* Reads the grid of a Quant, BipolarQuant, Trunc or MultiThreshold node. False, with the reason, where its parameters are
 * computed at run time or its outputs are not of this form. */
bool quant_grid_of(const struct node *n, struct quant_grid *g, const char **reason);
static inline double quant_grid_scale(const struct quant_grid *g, int64_t channel)
{
	return g->scales ? tensor_at(g->scales, channel) : g->scale;
}
/* The level k of the output y in that channel. */
int64_t quant_grid_level(const struct quant_grid *g, int64_t channel, double y);

#endif

/* The exact folding search: one option for each unit (a layer, or layers folded together), so that every unit
 * keeps to a bound on its cycles, sums of resources keep to limits, and the sum of costs is least.
 *
 * Units are independent given the bound, so without limits the cheapest option of each is the optimum; with
 * limits, partial sums that no other partial sum dominates are carried from unit to unit (a knapsack with a
 * choice a unit). Nothing is cut off: the result is the optimum. */
#ifndef QCC_HW_SEARCH_H
#define QCC_HW_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Resources, in the order in which cheapness is compared: LUTs first, then RAMB18s, ...; FOLD_CYCLES, which cannot
 * be limited, prefers the shorter latency where all else is equal. */
enum fold_cost { FOLD_LUT, FOLD_BRAM, FOLD_DSP, FOLD_URAM, FOLD_CYCLES, FOLD_COSTS };

enum { FOLD_RESOURCES = FOLD_CYCLES }; /* those that can be limited */

struct fold_option {
	int64_t cycles;		  /* of the unit, per frame */
	int64_t cost[FOLD_COSTS]; /* not negative */
	int64_t tag;		  /* the caller's */
};

struct fold_unit {
	struct fold_option *options;
	size_t count;
};

struct fold_problem {
	const struct fold_unit *units;
	size_t count;
	int64_t limit[FOLD_RESOURCES]; /* -1: none */
};

/* The cheapest choice in which no unit takes more than `cycles`. chosen[u] is an index into unit u's options. False
 * where there is none (chosen is then undefined). */
bool fold_cheapest(const struct fold_problem *p, int64_t cycles, size_t *chosen);
/* The least bound for which there is a choice, and the cheapest choice for it; -1 where there is none. */
int64_t fold_fastest(const struct fold_problem *p, size_t *chosen);
/* All different cycle counts of the options, ascending; malloc'd. */
int64_t *fold_cycle_counts(const struct fold_problem *p, size_t *count);
/* The least of a resource over the unit's options within the bound; -1 where no option is. */
int64_t fold_least(const struct fold_unit *u, int64_t cycles, enum fold_cost resource);

#endif

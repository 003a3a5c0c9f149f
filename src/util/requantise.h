/* Requantisation: thresholds that lie close to a line, as one multiplication. Where
 *
 *     count(x) = number of thresholds t with x >= t
 *
 * is (nearly) evenly spaced, integers m, r and s exist for which clamp((x * m + r) >> s, 0, thresholds) is the same
 * number at every integer x of a range. Both sides never decrease, so that comparing them at each threshold and one
 * below it compares them everywhere. Generated C and hardware take a multiplier instead of hundreds of comparisons. */
#ifndef QCC_UTIL_REQUANTISE_H
#define QCC_UTIL_REQUANTISE_H

#include <stdbool.h>
#include <stdint.h>

enum { REQUANTISE_EXCEPTIONS = 4, REQUANTISE_SHIFT = 46 };

/* A sum at which the line is off: the count there is the line's plus `correction`. */
struct requantise_exception {
	int64_t x, correction;
};

struct requantisation {
	int64_t multiplier; /* 0 .. 2^31 - 1 */
	int64_t offset;	    /* below 2^62 in magnitude, as is every x * multiplier + offset */
	int shift;	    /* 0 .. REQUANTISE_SHIFT */
	int n_exceptions;   /* ascending in x */
	struct requantise_exception exceptions[REQUANTISE_EXCEPTIONS];
};

/* Thresholds t[0] <= t[1] <= ... of sums lo <= x <= hi, with -2^31 <= lo and hi < 2^31. */
struct requantise_problem {
	const int64_t *t;
	int64_t count, lo, hi;
};

/* The count by the line and its exceptions: what generated code computes. top: the number of thresholds. */
int64_t requantise_apply(const struct requantisation *q, int64_t x, int64_t top);

/* Finds the line with that shift, with at most `exceptions` of them. False where there is none. */
bool requantise_fit(const struct requantise_problem *p, int shift, int exceptions, struct requantisation *q);

/* One shift for n channels, from a few bits more than the widest range takes upwards; q has room for n. False where some
 * channel needs more than `exceptions` with every shift that is tried. */
bool requantise_channels(const struct requantise_problem *p, int64_t n, int exceptions, struct requantisation *q);

#endif

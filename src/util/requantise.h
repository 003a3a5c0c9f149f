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

enum { REQUANTISE_SHIFT = 32 };

/* A sum at which the line is off: the count there is the line's plus `correction`. */
struct requantise_exception {
	int64_t x, correction;
};

/* Thresholds t[0] <= t[1] <= ... of sums lo <= x <= hi, with -2^31 <= lo and hi < 2^31. */
struct requantise_problem {
	const int64_t *t;
	int64_t count, lo, hi;
};

/* A line: x * multiplier + offset stays below 2^62 in magnitude, and fits 32 bits once it is shifted, so that vectors of
 * 32-bit lanes can hold it before it is clamped. Float arithmetic in the network moves thresholds a little to and fro:
 * sums next to a threshold can be on its other side. All such sums have (x * multiplier + offset) within `doubt` of a
 * multiple of 2^shift, so that few sums need a look at the list of exceptions. */
struct requantisation {
	int64_t multiplier; /* 0 .. 2^31 - 1 */
	int64_t offset;
	int64_t doubt;	  /* 0: there are no exceptions */
	int shift;	  /* 0 .. REQUANTISE_SHIFT */
	int n_exceptions; /* ascending in x */
	struct requantise_exception *exceptions;
};

/* The count by the line and its exceptions: what generated code computes. top: the number of thresholds. */
int64_t requantise_apply(const struct requantisation *q, int64_t x, int64_t top);

/* Finds the line with that shift that has the least doubt, which is at most `doubt` of a step (0: no exceptions). False
 * where there is none. requantise_free releases the exceptions. */
bool requantise_fit(const struct requantise_problem *p, int shift, double doubt, struct requantisation *q);
void requantise_free(struct requantisation *q);

/* One shift for n channels, from a few bits more than the widest distance between thresholds takes upwards; q has room
 * for n. False, with nothing to release, where some channel has no line with any shift that is tried. */
bool requantise_channels(const struct requantise_problem *p, int64_t n, double doubt, struct requantisation *q);

#endif

/* Comparison of outputs with recorded ones, for test programs: how many elements differ, and by how much. */
#ifndef QCC_TESTS_COMPARE_H
#define QCC_TESTS_COMPARE_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "ir/tensor.h"

/* tolerance 0: equal including the sign of zero. */
static inline bool same_number(double a, double b, double tolerance)
{
	if ((isnan(a) && isnan(b)) || a == b)
		return tolerance > 0 || (signbit(a) != 0) == (signbit(b) != 0);
	return fabs(a - b) <= tolerance;
}

struct comparison {
	bool same_size;
	int64_t count, differ;	  /* elements; those off by more than 1e-5 of the largest magnitude */
	double largest, furthest; /* magnitude; difference */
};

static inline struct comparison compare_tensors(const struct tensor *got, const struct tensor *want)
{
	struct comparison c = { .same_size = got->count == want->count, .count = want->count };
	for (int64_t i = 0; i < want->count; i++)
		c.largest = fmax(c.largest, fabs(tensor_at(want, i)));
	for (int64_t i = 0; i < want->count && c.same_size; i++) {
		double a = tensor_at(got, i), b = tensor_at(want, i);
		if (same_number(a, b, 1e-5 * c.largest))
			continue;
		c.differ++;
		c.furthest = isnan(a - b) ? INFINITY : fmax(c.furthest, fabs(a - b));
	}
	return c;
}

/* Networks whose recording differs from exact arithmetic: they add many products in float32 before they round, and some sums
 * step over a tie. At most one element in `one_in` may differ, by at most `step`. A step of an inner quantiser, which
 * streamlining decides by exact integers, becomes five steps of 1/255 in the last layer. */
static const struct {
	const char *name;
	bool streamlined;
	int64_t one_in;
	double step;
} ties[] = {
	{ "espcn_nn_resize", false, 10000, 1 / 255.0 },
	{ "espcn_nn_resize", true, 1000, 5 / 255.0 },
};

/* Elsewhere no element may differ. */
static inline bool comparison_is_good(const struct comparison *c, const char *network, bool streamlined)
{
	int64_t allowed = 0;
	double step = 0;
	for (size_t i = 0; i < sizeof ties / sizeof *ties; i++)
		if (strcmp(ties[i].name, network) == 0 && ties[i].streamlined == streamlined) {
			allowed = c->count / ties[i].one_in;
			step = ties[i].step;
		}
	return c->same_size && c->differ <= allowed && c->furthest <= step * (1 + 1e-5);
}

static inline void comparison_print(const struct comparison *c, char *text, size_t size)
{
	if (c->same_size)
		snprintf(text, size, "%lld of %lld elements differ, by up to %.4g (the largest is %.4g)",
			 (long long)c->differ, (long long)c->count, c->furthest, c->largest);
	else
		snprintf(text, size, "another number of elements than %lld", (long long)c->count);
}

#endif

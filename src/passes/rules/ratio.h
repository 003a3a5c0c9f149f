/* Small integers for the ratio of two scales, proven to give the same results behind every quantiser. */
#ifndef QCC_PASSES_RULES_RATIO_H
#define QCC_PASSES_RULES_RATIO_H

#include "passes/rules/rule.h"

/* For n, a sum (or difference) of a = sa * qa + ba and b = sb * qb + bb, all uniform: integers m[0], m[1] and a
 * common scale such that common * (m[0] * qa + m[1] * qb) + bias is quantised exactly as the original sum is, by
 * every quantiser that reads it, for every pair of integers qa and qb can take. Looks at the smallest ratios
 * first. False where the pairs are too many to look at, something other than quantisers reads the sum, or no
 * small ratio gives the same results. */
bool ratio_proven(struct rule_ctx *x, struct node *n, const struct affine *a, const struct affine *b, double m[2],
		  double *common);
/* Keeps a sum m[0] * qa + m[1] * qb of integers with scales s[0], s[1] = common * m[0], common * m[1] within what float32
 * counts exactly (2^24). Where it would not, the nearest ratio of smaller integers is taken, if it is as near as float32
 * holds a scale. False where there is none, or a range is not known. */
bool ratio_counts(struct rule_ctx *x, const struct affine *a, const struct affine *b, const double s[2], double m[2],
		  double *common);

#endif

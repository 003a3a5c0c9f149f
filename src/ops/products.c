/* Accumulator datatypes (see products.h). */
#include "ops/products.h"

#include "ops/ranges.h"

static bool product_range(int64_t alo, int64_t ahi, int64_t blo, int64_t bhi, int64_t *lo, int64_t *hi)
{
	int64_t p[4];
	if (__builtin_mul_overflow(alo, blo, &p[0]) || __builtin_mul_overflow(alo, bhi, &p[1]) ||
	    __builtin_mul_overflow(ahi, blo, &p[2]) || __builtin_mul_overflow(ahi, bhi, &p[3]))
		return false;
	*lo = *hi = p[0];
	for (int i = 1; i < 4; i++) {
		*lo = p[i] < *lo ? p[i] : *lo;
		*hi = p[i] > *hi ? p[i] : *hi;
	}
	return true;
}

struct datatype accumulator_datatype(const struct node *n, const struct value *a, const struct value *b,
				     const struct value *c, int64_t terms)
{
	struct datatype none = datatype_of_kind(DT_NONE);
	int64_t alo, ahi, blo, bhi, lo, hi, clo = 0, chi = 0;
	if (terms < 0 || !a || !b || !value_int_range(a, &alo, &ahi) || !value_int_range(b, &blo, &bhi) ||
	    (c && !value_int_range(c, &clo, &chi)) || !product_range(alo, ahi, blo, bhi, &lo, &hi))
		return none;
	if (__builtin_mul_overflow(lo, terms, &lo) || __builtin_mul_overflow(hi, terms, &hi) ||
	    __builtin_add_overflow(lo, clo, &lo) || __builtin_add_overflow(hi, chi, &hi))
		return none;
	return datatype_within(n, 0, lo, hi);
}

/* Arithmetic of integers. */
#ifndef QCC_UTIL_INTEGERS_H
#define QCC_UTIL_INTEGERS_H

#include <stdbool.h>
#include <stdint.h>

/* The greatest number that divides both, not negative; of a number and 0 that number. */
static inline int64_t common_divisor(int64_t a, int64_t b)
{
	for (int64_t rest; b; b = rest) {
		rest = a % b;
		a = b;
	}
	return a < 0 ? -a : a;
}

/* a / b, rounded up; b is positive. */
static inline int64_t ceil_div(int64_t a, int64_t b)
{
	return a / b + (a % b > 0);
}

/* Bits that hold 0 to most, which is not negative. */
static inline int bits_of_unsigned(int64_t most)
{
	int bits = 0;
	while (bits < 63 && most >> bits)
		bits++;
	return bits;
}

/* x without its fraction; the nearest bound where it does not fit, 0 where it is no number. */
static inline int64_t saturated_int64(double x)
{
	if (x >= 0x1p63)
		return INT64_MAX;
	return x >= -0x1p63 ? (int64_t)x : x < 0 ? INT64_MIN : 0;
}

/* a * b of numbers that are not negative; INT64_MAX where the product is larger: for costs and budgets. */
static inline int64_t multiply_clamped(int64_t a, int64_t b)
{
	int64_t product;
	return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

static inline int64_t add_clamped(int64_t a, int64_t b)
{
	int64_t sum;
	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* The most elements that a shape may have: their bytes (and small multiples of them) fit an int64_t. */
#define DIMS_COUNT_MAX (INT64_C(1) << 56)

/* The product of dims, the one place where dimensions are multiplied. False where a dim is negative (unknown) or the
 * dims that are not 0 have a product above DIMS_COUNT_MAX; *count is 0 then. So each part of a shape that has a
 * count has one too. */
static inline bool dims_count(int rank, const int64_t *dims, int64_t *count)
{
	int64_t product = 1;
	bool empty = false, fits = true;
	for (int i = 0; i < rank; i++) {
		empty = empty || dims[i] == 0;
		fits = fits && dims[i] >= 0 && !__builtin_mul_overflow(product, dims[i] ? dims[i] : 1, &product) &&
		       product <= DIMS_COUNT_MAX;
	}
	*count = fits && !empty ? product : 0;
	return fits;
}

/* The product of dims[from] up to, without, dims[to]; -1 where they have no count. */
static inline int64_t dims_product(const int64_t *dims, int from, int to)
{
	int64_t count;
	if (from >= to)
		return 1;
	return dims_count(to - from, dims + from, &count) ? count : -1;
}

/* For qsort: doubles in ascending order. */
static inline int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* For printf's %lld: int64_t is long on one machine and long long on another. */
#define LL(x) ((long long)(x))

#endif

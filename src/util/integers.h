/* Arithmetic of integers. */
#ifndef QCC_UTIL_INTEGERS_H
#define QCC_UTIL_INTEGERS_H

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

static inline int64_t ceil_div(int64_t a, int64_t b)
{
	return (a + b - 1) / b;
}

#endif

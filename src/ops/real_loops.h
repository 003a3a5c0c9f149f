/* Loops that quantisers share, for one floating-point type: include with REAL set to float or double and
 * NAME(f) to f with that type's suffix. Arithmetic is that of REAL, as NumPy's is that of its arrays. */
#include <stdint.h>
#include <tgmath.h>

#include "ops/broadcast.h"
#include "ops/rounding.h"

#ifndef QCC_OPS_REAL_LOOPS_H
#define QCC_OPS_REAL_LOOPS_H
enum { BLOCK = 512 }; /* elements handled at a time: operands stay in the first-level cache */
#endif

/* A parameter along a block: where it stands still it is spread out, so that loops know one form only. */
struct NAME(spread) {
	const REAL *from;
	int64_t filled;
	REAL block[BLOCK];
};

static inline const REAL *NAME(spread_at)(struct NAME(spread) * s, const REAL *from, bool step, int64_t n)
{
	if (step)
		return from;
	if (s->from != from || s->filled < n) {
		for (int64_t i = 0; i < n; i++)
			s->block[i] = *from;
		s->from = from;
		s->filled = n;
	}
	return s->block;
}

/* Half to even by adding and taking away 1.5 * 2^(mantissa bits): exact below 2^(mantissa bits - 1), and
 * unlike rint it becomes vector code on every machine. The sign of zero is that of x. */
LOOP_FUNCTION NAME(round_even_small)(REAL *y, int64_t n)
{
	const REAL big = (REAL)(sizeof(REAL) == 4 ? 0x1.8p23 : 0x1.8p52);
	for (int64_t i = 0; i < n; i++) {
		REAL r = (y[i] + big) - big;
		y[i] = copysign(r, y[i]);
	}
}

#define ROUND_LOOP(expression)                                                 \
	for (int64_t i = 0; i < n; i++) {                                      \
		REAL x = y[i];                                                 \
		REAL sign __attribute__((unused)) = (REAL)((x > 0) - (x < 0)); \
		y[i] = (expression);                                           \
	}                                                                      \
	break;

/* Rounds in place; bound: no |y| is above it (INFINITY: not known). */
LOOP_FUNCTION NAME(round_block)(REAL *y, int64_t n, enum rounding mode, REAL bound)
{
	const REAL half = (REAL)0.5;
	switch (mode) {
	case ROUND_HALF_EVEN:
		if (bound <= (REAL)(sizeof(REAL) == 4 ? 0x1p22 : 0x1p51)) {
			NAME(round_even_small)(y, n);
			break;
		}
		ROUND_LOOP(rint(x))
	case ROUND_CEIL: ROUND_LOOP(ceil(x))
	case ROUND_FLOOR: ROUND_LOOP(floor(x))
	case ROUND_UP: ROUND_LOOP(isnan(x) ? x : sign * ceil(fabs(x)))
	case ROUND_DOWN: ROUND_LOOP(trunc(x))
	case ROUND_HALF_UP: ROUND_LOOP(isnan(x) ? x : sign * floor(fabs(x) + half))
	case ROUND_HALF_DOWN: ROUND_LOOP(isnan(x) ? x : sign * ceil(fabs(x) - half))
	}
}
#undef ROUND_LOOP

/* Quant for one floating-point type (see real_loops.h for REAL and NAME). */
#include "ops/real_loops.h"

/* y = clamp(x / scale + zero point). Comparisons as NumPy's where: a NaN stays. */
LOOP_FUNCTION NAME(quant_scale)(REAL *restrict y, const REAL *restrict x, const REAL *restrict scale,
				const REAL *restrict zero, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		y[i] = x[i] / scale[i] + zero[i];
}

LOOP_FUNCTION NAME(quant_clamp)(REAL *restrict y, const REAL *restrict lo, const REAL *restrict hi, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		REAL v = y[i] > hi[i] ? hi[i] : y[i];
		y[i] = v < lo[i] ? lo[i] : v;
	}
}

LOOP_FUNCTION NAME(quant_rescale)(REAL *restrict y, const REAL *restrict scale, const REAL *restrict zero, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		y[i] = (y[i] - zero[i]) * scale[i];
}

/* Least and largest integer for each element of the bit widths, and the largest magnitude among them. */
static REAL NAME(quant_limits)(const struct quant_mode *m, const REAL *bits, int64_t n, REAL *lo, REAL *hi)
{
	REAL bound = 0;
	for (int64_t i = 0; i < n; i++) {
		REAL signed_top = pow((REAL)2, bits[i] - 1);
		lo[i] = m->is_signed ? -signed_top + (REAL)m->narrow : 0;
		hi[i] = m->is_signed ? signed_top - 1 : pow((REAL)2, bits[i]) - (m->narrow ? 2 : 1);
		bound = fmax(bound, fmax(-lo[i], hi[i]));
	}
	return bound;
}

struct NAME(quant_state) {
	struct NAME(spread) x, scale, zero, lo, hi;
};

static void NAME(quant_walk)(const struct quant_mode *m, struct walk *w, struct tensor *const *in, const REAL *lo,
			     const REAL *hi, REAL bound, REAL *out)
{
	struct NAME(quant_state) s;
	s.x.from = s.scale.from = s.zero.from = s.lo.from = s.hi.from = NULL;
	const REAL *base[3] = { in[0]->data, in[1]->data, in[2]->data };
	do {
		for (int64_t at = 0; at < w->run; at += BLOCK) {
			int64_t n = w->run - at < BLOCK ? w->run - at : BLOCK;
			REAL *y = out + w->done + at;
#define ALONG(k) (w->offset[k] + (w->step[k] ? at : 0))
			const REAL *x = NAME(spread_at)(&s.x, base[0] + ALONG(0), w->step[0], n);
			const REAL *scale = NAME(spread_at)(&s.scale, base[1] + ALONG(1), w->step[1], n);
			const REAL *zero = NAME(spread_at)(&s.zero, base[2] + ALONG(2), w->step[2], n);
			NAME(quant_scale)(y, x, scale, zero, n);
			if (m->bipolar) {
				for (int64_t i = 0; i < n; i++)
					y[i] = y[i] >= 0 ? 1 : -1;
			} else {
				NAME(quant_clamp)
				(y, NAME(spread_at)(&s.lo, lo + ALONG(3), w->step[3], n),
				 NAME(spread_at)(&s.hi, hi + ALONG(3), w->step[3], n), n);
				NAME(round_block)(y, n, m->rounding, bound);
			}
			NAME(quant_rescale)(y, scale, zero, n);
#undef ALONG
		}
	} while (walk_next(w));
}

/* in: x, scale, zero point, bit width, all REAL and broadcast to the output's shape. */
static void NAME(quant_run)(const struct quant_mode *m, struct tensor *const *in, struct tensor *out)
{
	struct walk w;
	if (!walk_start(&w, out->rank, out->dims, 4, in))
		return;
	size_t widths = (size_t)in[3]->count;
	REAL few[2], *lo = widths == 1 ? few : xmalloc(2 * widths * sizeof *lo), *hi = lo + widths;
	REAL bound = NAME(quant_limits)(m, in[3]->data, in[3]->count, lo, hi);
	NAME(quant_walk)(m, &w, in, lo, hi, bound, out->data);
	if (lo != few)
		free(lo);
}

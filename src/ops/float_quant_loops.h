/* FloatQuant for one floating-point type (see real_loops.h for REAL and NAME). */
#include "ops/real_loops.h"

static REAL NAME(float_quant_one)(const struct float_format *f, REAL x)
{
	REAL tiny = (REAL)(sizeof(REAL) == 4 ? (double)FLT_MIN : DBL_MIN), q = x;
	REAL unit = floor(log2(fabs(x) + tiny)) - (REAL)f->mantissa;
	unit = exp2(fmax(unit, (REAL)f->least_exponent));
	q = x / unit;
	NAME(round_block)(&q, 1, f->rounding, (REAL)INFINITY);
	q *= unit;
	REAL max = (REAL)f->max;
	bool over = q > max, under = q < -max;
	if (isinf(q) && !f->saturates && !f->has_inf)
		return (REAL)NAN;
	if (!over && !under)
		return q;
	if (f->saturates)
		return over ? max : -max;
	return f->has_inf ? (over ? (REAL)INFINITY : -(REAL)INFINITY) : (REAL)NAN;
}

/* y = quantised(x / scale) * scale; in: x and scale, broadcast. */
static void NAME(float_quant_run)(const struct float_format *f, struct tensor *const *in, struct tensor *out)
{
	struct walk w;
	const REAL *x = in[0]->data, *scale = in[1]->data;
	REAL *y = out->data;
	if (!walk_start(&w, out->rank, out->dims, 2, in))
		return;
	do {
		for (int64_t i = 0; i < w.run; i++) {
			REAL s = scale[w.offset[1] + (w.step[1] ? i : 0)];
			y[w.done + i] = NAME(float_quant_one)(f, x[w.offset[0] + (w.step[0] ? i : 0)] / s) * s;
		}
	} while (walk_next(&w));
}

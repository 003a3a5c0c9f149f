/* Trunc for one floating-point type (see real_loops.h for REAL and NAME). */
#include "ops/real_loops.h"

/* What the scalars of a node come to. */
struct NAME(trunc_values) {
	REAL scale, zero, divisor, lo, hi, out_zero, out_scale;
};

static void NAME(trunc_run)(const struct trunc_mode *m, const struct NAME(trunc_values) * v, const REAL *x, REAL *y,
			    int64_t total)
{
	for (int64_t at = 0; at < total; at += BLOCK, x += BLOCK, y += BLOCK) {
		int64_t n = total - at < BLOCK ? total - at : BLOCK;
		for (int64_t i = 0; i < n; i++)
			y[i] = x[i] / v->scale + v->zero;
		NAME(round_block)(y, n, ROUND_HALF_EVEN, (REAL)INFINITY);
		for (int64_t i = 0; i < n; i++)
			y[i] = y[i] / v->divisor;
		for (int64_t i = 0; i < n && m->clamps; i++) {
			REAL t = y[i] > v->hi ? v->hi : y[i];
			y[i] = t < v->lo ? v->lo : t;
		}
		NAME(round_block)(y, n, m->rounding, (REAL)INFINITY);
		for (int64_t i = 0; i < n; i++)
			y[i] = (y[i] - v->out_zero) * v->out_scale;
	}
}

/* in: x, scale, zero point, input bits, then output bits (version 1) or output scale and output bits. */
static void NAME(trunc_scalars)(const struct trunc_mode *m, struct tensor *const *in, struct NAME(trunc_values) * v)
{
	v->scale = (REAL)tensor_at(in[1], 0);
	v->zero = (REAL)tensor_at(in[2], 0);
	v->out_zero = v->zero;
	v->out_scale = v->scale;
	v->lo = v->hi = 0;
	if (!m->clamps) {
		v->divisor = pow((REAL)2, (REAL)tensor_at(in[3], 0) - (REAL)tensor_at(in[4], 0));
		return;
	}
	v->out_scale = (REAL)tensor_at(in[4], 0);
	v->divisor = pow((REAL)2, rint(log2(v->out_scale / v->scale)));
	v->out_zero = v->zero / v->divisor;
	double lo, hi;
	quant_bounds(m->is_signed, m->narrow, tensor_at(in[5], 0), &lo, &hi);
	v->lo = (REAL)lo;
	v->hi = (REAL)hi;
}

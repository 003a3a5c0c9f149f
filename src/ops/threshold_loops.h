/* MultiThreshold for one floating-point type: include with REAL and NAME(f) as in real_loops.h. */

/* One channel: y[i] = bias + scale * (number of thresholds t with x[i] >= t). Counted threshold by threshold. */
LOOP_FUNCTION NAME(count_few)(REAL *restrict y, const REAL *restrict x, int64_t n, int64_t stride, const REAL *t,
			      int64_t steps)
{
	for (int64_t i = 0; i < n; i++)
		y[i * stride] = 0;
	if (stride == 1) {
		for (int64_t k = 0; k < steps; k++)
			for (int64_t i = 0; i < n; i++)
				y[i] += x[i] >= t[k] ? (REAL)1 : (REAL)0;
		return;
	}
	for (int64_t i = 0; i < n; i++)
		for (int64_t k = 0; k < steps; k++)
			y[i * stride] += x[i * stride] >= t[k] ? (REAL)1 : (REAL)0;
}

/* By bisection, where the thresholds ascend. */
static void NAME(count_many)(REAL *y, const REAL *x, int64_t n, int64_t stride, const REAL *t, int64_t steps)
{
	for (int64_t i = 0; i < n; i++) {
		int64_t below = 0, above = steps; /* t[below - 1] <= x < t[above] */
		while (below < above) {
			int64_t middle = below + (above - below) / 2;
			if (x[i * stride] >= t[middle])
				below = middle + 1;
			else
				above = middle;
		}
		y[i * stride] = (REAL)below;
	}
}

static bool NAME(ascends)(const REAL *t, int64_t steps)
{
	for (int64_t k = 1; k < steps; k++)
		if (!(t[k - 1] <= t[k]))
			return false;
	return true;
}

/* x and y: outer x channels x inner; thresholds: rows x steps, rows 1 or channels. */
static void NAME(thresholds)(const struct threshold_dims *p, const REAL *x, const REAL *t, REAL *y)
{
	/* channels innermost: walk each channel with a stride, so that its thresholds stay at hand */
	int64_t runs = p->inner == 1 ? 1 : p->outer, n = p->inner == 1 ? p->outer : p->inner;
	int64_t stride = p->inner == 1 ? p->channels : 1;
	for (int64_t c = 0; c < p->channels; c++) {
		const REAL *row = t + (p->rows == 1 ? 0 : c * p->steps);
		bool many = p->steps > 24 && NAME(ascends)(row, p->steps);
		for (int64_t r = 0; r < runs; r++) {
			int64_t at = (r * p->channels + c) * p->inner;
			if (many)
				NAME(count_many)(y + at, x + at, n, stride, row, p->steps);
			else
				NAME(count_few)(y + at, x + at, n, stride, row, p->steps);
		}
	}
	int64_t total = p->outer * p->channels * p->inner;
	REAL scale = (REAL)p->scale, bias = (REAL)p->bias;
	for (int64_t i = 0; i < total; i++)
		y[i] = scale * y[i] + bias;
}

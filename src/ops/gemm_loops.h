/* Plain matrix product for one floating-point type: include with REAL and NAME(f) as in real_loops.h. */

/* c[0..n) += a * b[0..n) */
LOOP_FUNCTION NAME(axpy)(REAL *restrict c, REAL a, const REAL *restrict b, int64_t n)
{
	for (int64_t j = 0; j < n; j++)
		c[j] += a * b[j];
}

/* Sixteen partial sums, so that the compiler can keep them in vector registers. */
#define DOT_LANES 16
static REAL NAME(dot)(const REAL *restrict a, const REAL *restrict b, int64_t n)
{
	REAL lane[DOT_LANES] = { 0 }, sum = 0;
	int64_t i = 0;
	for (; i + DOT_LANES <= n; i += DOT_LANES)
		for (int k = 0; k < DOT_LANES; k++)
			lane[k] += a[i + k] * b[i + k];
	for (; i < n; i++)
		sum += a[i] * b[i];
	for (int k = 0; k < DOT_LANES; k++)
		sum += lane[k];
	return sum;
}
#undef DOT_LANES

/* Row by row: as dot products where B's columns lie contiguous, else as sums of B's rows. */
static void NAME(plain)(const struct matrix_shape *s, const REAL *a, const REAL *b, REAL *c)
{
	int64_t row = s->trans_a ? 1 : s->lda, step = s->trans_a ? s->lda : 1;
	bool columns = s->trans_b || (s->n == 1 && s->ldb == 1);
	int64_t ldb = s->trans_b ? s->ldb : 0;
	for (int64_t i = 0; i < s->m; i++) {
		const REAL *x = a + i * row;
		REAL *y = c + i * s->ldc;
		if (columns && step == 1) {
			for (int64_t j = 0; j < s->n; j++)
				y[j] = NAME(dot)(x, b + j * ldb, s->k);
			continue;
		}
		for (int64_t j = 0; j < s->n; j++)
			y[j] = 0;
		for (int64_t p = 0; p < s->k; p++) {
			if (!s->trans_b)
				NAME(axpy)(y, x[p * step], b + p * s->ldb, s->n);
			else
				for (int64_t j = 0; j < s->n; j++)
					y[j] += x[p * step] * b[j * s->ldb + p];
		}
	}
}

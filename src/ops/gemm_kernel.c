/* Matrix products (see gemm_kernel.h). */
#include "ops/gemm_kernel.h"

#include <limits.h>

#include "ops/blas.h"
#include "ops/broadcast.h"

#define LOOPS "ops/gemm_loops.h"
#include "ops/float_and_double.h"

/* Below this many multiplications, or with few rows, a call into BLAS costs more than it saves. */
enum { BLAS_WORTH = 1 << 18, BLAS_ROWS = 4 };

static bool worth_blas(const struct matrix_shape *s)
{
	return s->m >= BLAS_ROWS && s->n >= 2 && s->m * s->n * s->k >= BLAS_WORTH && s->m <= INT_MAX &&
	       s->n <= INT_MAX && s->k <= INT_MAX && s->lda <= INT_MAX && s->ldb <= INT_MAX && s->ldc <= INT_MAX;
}

void gemm_float(const struct matrix_shape *s, const float *a, const float *b, float *c)
{
	if (!worth_blas(s) || !blas_float(s, a, b, c))
		plain_float(s, a, b, c);
}

void gemm_double(const struct matrix_shape *s, const double *a, const double *b, double *c)
{
	if (!worth_blas(s) || !blas_double(s, a, b, c))
		plain_double(s, a, b, c);
}

/* Matrix products for the executor: plain loops where the problem is small, the BLAS library where it is
 * large. The library is loaded at its first use, since merely loading it takes milliseconds. */
#ifndef QCC_OPS_GEMM_KERNEL_H
#define QCC_OPS_GEMM_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

/* One factor: rows x columns after the optional transposition, `stride` elements from row to row as stored. */
struct matrix_shape {
	int64_t m, n, k;       /* C is m x n, the inner dimension k */
	bool trans_a, trans_b; /* A is stored k x m, B is stored n x k */
	int64_t lda, ldb, ldc;
};

/* C = A B. C may hold anything before. m, n, k >= 0. */
void gemm_float(const struct matrix_shape *s, const float *a, const float *b, float *c);
void gemm_double(const struct matrix_shape *s, const double *a, const double *b, double *c);

#endif

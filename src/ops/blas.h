/* Matrix products by a BLAS library: C = A B as in gemm_kernel.h, whose numbers must fit into int. False where there is no
 * such library; nothing is computed then. */
#ifndef QCC_OPS_BLAS_H
#define QCC_OPS_BLAS_H

#include "ops/gemm_kernel.h"

bool blas_float(const struct matrix_shape *s, const float *a, const float *b, float *c);
bool blas_double(const struct matrix_shape *s, const double *a, const double *b, double *c);

#endif

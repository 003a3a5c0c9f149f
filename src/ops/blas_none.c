/* In the place of blas.c where qcc is configured --without-openblas: the plain loops do all the work. */
#include "ops/blas.h"

bool blas_float(const struct matrix_shape *s, const float *a, const float *b, float *c)
{
	(void)s;
	(void)a;
	(void)b;
	(void)c;
	return false;
}

bool blas_double(const struct matrix_shape *s, const double *a, const double *b, double *c)
{
	(void)s;
	(void)a;
	(void)b;
	(void)c;
	return false;
}

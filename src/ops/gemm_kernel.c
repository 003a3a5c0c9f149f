/* Matrix products (see gemm_kernel.h). */
#include "ops/gemm_kernel.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include <cblas.h>

#include "ops/broadcast.h"

#define LOOPS "ops/gemm_loops.h"
#include "ops/float_and_double.h"

/* Below this many multiplications, or with few rows, a call into BLAS costs more than it saves. */
enum { BLAS_WORTH = 1 << 18, BLAS_ROWS = 4 };

/* The library's entry points. Set once, under pthread_once, and never again: the one piece of process-wide
 * state here. NULL where no library was found: then the plain loops do all the work. */
static struct {
	__typeof__(&cblas_sgemm) sgemm;
	__typeof__(&cblas_dgemm) dgemm;
} blas;

/* OpenBLAS looks up the processor's model when it is loaded, and takes kernels of 2004 for one that came out after
 * it (a quarter of the speed). It is told what the processor can do instead, unless the user told it. */
static const char *core_type(void)
{
#if defined __x86_64__
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
		return "SkylakeX";
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return "Haswell";
#endif
	return NULL;
}

/* Sets a variable for the time of loading, unless the user has set it; tells whether it did. */
static bool lend(const char *name, const char *value)
{
	return value && !getenv(name) && setenv(name, value, 0) == 0;
}

/* One thread: the executor's threads are over samples, and idle ones of the library would spin. */
static void *open_library(void)
{
	static const char *const names[] = { "libopenblas.so.0", "libopenblas.so", "libcblas.so.3", "libblas.so.3" };
	bool core = lend("OPENBLAS_CORETYPE", core_type()), threads = lend("OPENBLAS_NUM_THREADS", "1");
	void *library = NULL;
	for (size_t i = 0; i < sizeof names / sizeof *names && !library; i++)
		library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (core)
		unsetenv("OPENBLAS_CORETYPE");
	if (threads)
		unsetenv("OPENBLAS_NUM_THREADS");
	return library;
}

static void load_blas(void)
{
	void *library = open_library();
	if (!library)
		return;
	void (*set_threads)(int);
	*(void **)&set_threads = dlsym(library, "openblas_set_num_threads");
	if (set_threads)
		set_threads(1);
	*(void **)&blas.sgemm = dlsym(library, "cblas_sgemm");
	*(void **)&blas.dgemm = dlsym(library, "cblas_dgemm");
}

static bool worth_blas(const struct matrix_shape *s)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	if (s->m < BLAS_ROWS || s->n < 2 || s->m * s->n * s->k < BLAS_WORTH || s->m > INT_MAX || s->n > INT_MAX ||
	    s->k > INT_MAX || s->lda > INT_MAX || s->ldb > INT_MAX || s->ldc > INT_MAX)
		return false;
	pthread_once(&once, load_blas);
	return true;
}

#define CALL_BLAS(function)                                                                                     \
	function(CblasRowMajor, s->trans_a ? CblasTrans : CblasNoTrans, s->trans_b ? CblasTrans : CblasNoTrans, \
		 (int)s->m, (int)s->n, (int)s->k, 1, a, (int)s->lda, b, (int)s->ldb, 0, c, (int)s->ldc)

void gemm_float(const struct matrix_shape *s, const float *a, const float *b, float *c)
{
	if (worth_blas(s) && blas.sgemm)
		CALL_BLAS(blas.sgemm);
	else
		plain_float(s, a, b, c);
}

void gemm_double(const struct matrix_shape *s, const double *a, const double *b, double *c)
{
	if (worth_blas(s) && blas.dgemm)
		CALL_BLAS(blas.dgemm);
	else
		plain_double(s, a, b, c);
}

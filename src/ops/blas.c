/* The BLAS library (see blas.h), loaded at run time. */
#include "ops/blas.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

#include <cblas.h>

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

static bool is_loaded(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, load_blas);
	return blas.sgemm && blas.dgemm;
}

#define CALL_BLAS(function)                                                                                     \
	function(CblasRowMajor, s->trans_a ? CblasTrans : CblasNoTrans, s->trans_b ? CblasTrans : CblasNoTrans, \
		 (int)s->m, (int)s->n, (int)s->k, 1, a, (int)s->lda, b, (int)s->ldb, 0, c, (int)s->ldc)

bool blas_float(const struct matrix_shape *s, const float *a, const float *b, float *c)
{
	if (!is_loaded())
		return false;
	CALL_BLAS(blas.sgemm);
	return true;
}

bool blas_double(const struct matrix_shape *s, const double *a, const double *b, double *c)
{
	if (!is_loaded())
		return false;
	CALL_BLAS(blas.dgemm);
	return true;
}

/* The loops of kernel_loops.h, compiled for several sets of instructions. */
#include "train/kernels.h"

#include <math.h>
#include <stdbool.h>

#if defined __GNUC__ && !defined __clang__ && defined __OPTIMIZE__
#define OPTIMISED optimize("O3", "no-math-errno"), /* from -O3 on GCC makes vector code of loops */
#else
#define OPTIMISED
#endif

#define NAME(f) f##_plain
#define TARGET __attribute__((OPTIMISED unused))
#include "train/kernel_loops.h"
#undef NAME
#undef TARGET

#if defined __x86_64__
#define NAME(f) f##_avx2
#define TARGET __attribute__((OPTIMISED target("avx2"), unused))
#include "train/kernel_loops.h"
#undef NAME
#undef TARGET

#define NAME(f) f##_avx512
#define TARGET __attribute__((OPTIMISED target("avx512f,avx512bw,avx512dq,avx512vl"), unused))
#include "train/kernel_loops.h"
#undef NAME
#undef TARGET
#endif

const struct kernels *kernels_best(void)
{
#if defined __x86_64__
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
		return &kernels_avx512;
	if (__builtin_cpu_supports("avx2"))
		return &kernels_avx2;
#endif
	return &kernels_plain;
}

/* Typed loops over broadcast operands, shared by the element-wise operators.
 *
 * A loop handles one run of elements; the walk below cuts broadcast operands into such runs, as long as
 * they can be, so that equal shapes are one run and a per-channel operand is a scalar in each. Loops are
 * made for each storage type by the EACH_ lists: EACH_NUMBER(BINARY_LOOP, add, (W)x + (W)y). */
#ifndef QCC_OPS_BROADCAST_H
#define QCC_OPS_BROADCAST_H

#include "ops/op.h"

/* X(elem, C type, type in which integers wrap without overflow, ...) for each storage type of a kind. */
#define EACH_FLOAT(X, ...)                       \
	X(ELEM_FLOAT, float, float, __VA_ARGS__) \
	X(ELEM_DOUBLE, double, double, __VA_ARGS__)
#define EACH_SIGNED(X, ...)                           \
	X(ELEM_INT8, int8_t, uint32_t, __VA_ARGS__)   \
	X(ELEM_INT16, int16_t, uint32_t, __VA_ARGS__) \
	X(ELEM_INT32, int32_t, uint32_t, __VA_ARGS__) \
	X(ELEM_INT64, int64_t, uint64_t, __VA_ARGS__)
#define EACH_UNSIGNED(X, ...)                           \
	X(ELEM_UINT8, uint8_t, uint32_t, __VA_ARGS__)   \
	X(ELEM_UINT16, uint16_t, uint32_t, __VA_ARGS__) \
	X(ELEM_UINT32, uint32_t, uint32_t, __VA_ARGS__) \
	X(ELEM_UINT64, uint64_t, uint64_t, __VA_ARGS__)
#define EACH_BOOL(X, ...) X(ELEM_BOOL, uint8_t, uint32_t, __VA_ARGS__)
#define EACH_INTEGER(X, ...) EACH_SIGNED(X, __VA_ARGS__) EACH_UNSIGNED(X, __VA_ARGS__)
#define EACH_SIGNED_NUMBER(X, ...) EACH_FLOAT(X, __VA_ARGS__) EACH_SIGNED(X, __VA_ARGS__)
#define EACH_NUMBER(X, ...) EACH_FLOAT(X, __VA_ARGS__) EACH_INTEGER(X, __VA_ARGS__)

/* gcc turns simple loops into vector code from -O3 on only; clang does at -O2. */
#if defined __GNUC__ && !defined __clang__ && defined __OPTIMIZE__
#define LOOP_FUNCTION static __attribute__((optimize("O3"))) void
#else
#define LOOP_FUNCTION static void
#endif

/* n elements; a and b advance where their step is set, else they are one scalar. */
typedef void binary_loop(void *out, const void *a, const void *b, int64_t n, bool step_a, bool step_b);
/* n elements; alpha and beta are the operator's parameters, in double. */
typedef void unary_loop(void *out, const void *in, int64_t n, const double parameters[2]);

/* The expression (of x and y, type T) comes last. MIXED_LOOP: the result has another type. */
#define BINARY_LOOP(elem, T, W, name, ...) MIXED_LOOP(elem, T, W, T, name, __VA_ARGS__)
#define MIXED_LOOP(elem, T, W, R, name, ...)                                                                      \
	LOOP_FUNCTION name##_##elem(void *out, const void *a, const void *b, int64_t n, bool step_a, bool step_b) \
	{                                                                                                         \
		typedef W wide __attribute__((unused));                                                           \
		R *restrict o = out;                                                                              \
		const T *p = a, *q = b;                                                                           \
		if (step_a && step_b) {                                                                           \
			for (int64_t i = 0; i < n; i++) {                                                         \
				T x = p[i], y = q[i];                                                             \
				o[i] = (R)(__VA_ARGS__);                                                          \
			}                                                                                         \
		} else if (step_a) {                                                                              \
			T y = *q;                                                                                 \
			for (int64_t i = 0; i < n; i++) {                                                         \
				T x = p[i];                                                                       \
				o[i] = (R)(__VA_ARGS__);                                                          \
			}                                                                                         \
		} else {                                                                                          \
			T x = *p;                                                                                 \
			for (int64_t i = 0; i < n; i++) {                                                         \
				T y = q[step_b ? i : 0];                                                          \
				o[i] = (R)(__VA_ARGS__);                                                          \
			}                                                                                         \
		}                                                                                                 \
	}
/* The expression of x, alpha and beta comes last. */
#define UNARY_LOOP(elem, T, W, name, ...) UNARY_MIXED_LOOP(elem, T, W, T, name, __VA_ARGS__)
#define UNARY_MIXED_LOOP(elem, T, W, R, name, ...)                                                    \
	LOOP_FUNCTION name##_##elem(void *out, const void *in, int64_t n, const double parameters[2]) \
	{                                                                                             \
		typedef W wide __attribute__((unused));                                               \
		typedef T real __attribute__((unused));                                               \
		R *restrict o = out;                                                                  \
		const T *p = in;                                                                      \
		T alpha __attribute__((unused)) = (T)parameters[0];                                   \
		T beta __attribute__((unused)) = (T)parameters[1];                                    \
		for (int64_t i = 0; i < n; i++) {                                                     \
			T x = p[i];                                                                   \
			o[i] = (R)(__VA_ARGS__);                                                      \
		}                                                                                     \
	}
/* Loops of a kind (EACH_FLOAT, ...), and their expression as text for generated code: name_EACH_FLOAT, ... */
#define LOOPS_AND_TEXT(EACH, LOOP, name, ...) \
	EACH(LOOP, name, __VA_ARGS__)         \
	static const char name##_##EACH[] __attribute__((unused)) = #__VA_ARGS__;
/* A row of a table of loops indexed by storage type: { EACH_NUMBER(LOOP_ROW, add) }. */
#define LOOP_ROW(elem, T, W, name) [elem] = name##_##elem,

/* ---- walking broadcast operands ---- */
enum { WALK_OPERANDS = 8 };

struct walk {
	int64_t run;		       /* elements of the innermost run */
	bool step[WALK_OPERANDS];      /* the operand advances in it (else it is a scalar) */
	int64_t offset[WALK_OPERANDS]; /* element at which the operand's run starts */
	int64_t done;		       /* element of the result at which the run starts */
	int rank;		       /* of the loops around the run, merged where possible */
	int64_t dims[MAX_RANK], index[MAX_RANK];
	int64_t strides[WALK_OPERANDS][MAX_RANK];
};

/* Starts a walk over a result of that shape, to which all operands broadcast. False where it is empty. */
bool walk_start(struct walk *w, int rank, const int64_t *dims, size_t operands, struct tensor *const *t);
/* Goes to the next run; false at the end. */
bool walk_next(struct walk *w);

/* Up to opset 6 the second operand's first dim may lie along a given axis of the first (attribute axis; PRelu: the
 * channels). That axis; -1 where NumPy's rules hold. */
int legacy_axis(const struct node *n, int64_t opset, int rank_a, int rank_b);

/* Shape that all given tensors broadcast to; false (a diagnostic said) where they clash. */
bool exec_broadcast_shape(struct exec_ctx *x, struct tensor *const *t, size_t count, int *rank, int64_t dims[MAX_RANK]);
/* Output 0 = loop(a, b) with storage type out_elem (ELEM_UNDEFINED: that of a). */
int exec_binary_on(struct exec_ctx *x, struct tensor *a, struct tensor *b, binary_loop *const *loops,
		   enum elem_type out_elem);
/* The same on inputs 0 and 1. */
int exec_binary(struct exec_ctx *x, binary_loop *const *loops, enum elem_type out_elem);
/* Output 0 = loop(input 0), storage type out_elem or the same. */
int exec_unary(struct exec_ctx *x, unary_loop *const *loops, enum elem_type out_elem, double alpha, double beta);

/* Kernels in the storage type of input 0, float or double. False, with a diagnostic, where it is neither. */
bool exec_takes_real(struct exec_ctx *x);
/* False, with a diagnostic, where an input from that one on is missing or has other than one element. */
bool exec_takes_scalars(struct exec_ctx *x, size_t first);
/* The first `count` inputs in that type, and output 0 in the shape that they broadcast to. 0, or -1 with a diagnostic;
 * exec_real_end gives the inputs back in either case. */
struct real_operands {
	struct tensor *in[4], *out;
};
int exec_real_begin(struct exec_ctx *x, size_t count, struct real_operands *o);
void exec_real_end(struct real_operands *o);

#endif

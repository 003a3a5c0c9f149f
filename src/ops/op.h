/* The table of operators and what their files share. One file per operator (or per family with one implementation) fills
 * a `const struct op op_NAME` (ir/op.h); one row of ops.def lists it. */
#ifndef QCC_OPS_OP_H
#define QCC_OPS_OP_H

#include "ir/op.h"

#define OP(symbol) extern const struct op op_##symbol;
#include "ops/ops.def"
#undef OP

/* The table, sorted by name then domain. */
extern const struct op *const op_table[];
extern const size_t op_table_size;

/* ---- what operator files share (ops/op.c, ops/broadcast.c) ---- */
/* Types output i. dims may hold -1; rank -1 means unknown. */
void infer_output(struct infer_ctx *x, size_t i, enum elem_type elem, int rank, const int64_t *dims);
/* Output 0 has storage type and shape of input 0. */
int infer_same(struct infer_ctx *x);
/* Output 0 has the storage type of input 0 and the shape all inputs broadcast to. */
int infer_broadcast(struct infer_ctx *x);
/* Output 0 is as infer_broadcast, of type bool: comparisons. */
int infer_broadcast_bool(struct infer_ctx *x);
/* Shape a and b broadcast to (unknown dims allowed); false where they clash. */
bool broadcast_shapes(int rank_a, const int64_t *a, int rank_b, const int64_t *b, int *rank, int64_t *out);
/* Copies a constant input's integers (shape of Reshape, axes of Unsqueeze, ...); false where it is no
 * constant or has more than MAX_RANK elements. */
bool constant_ints(const struct value *v, int64_t out[MAX_RANK], size_t *count);
/* Axis in 0..rank-1 from one that may be negative; -1 where it is out of range. */
int normal_axis(int64_t axis, int rank);
/* Datatype of input 0, for operators that move elements. */
struct datatype datatype_same(const struct node *n, size_t i);

/* A fresh tensor as output i: NULL (with a diagnostic said) where the shape is not the declared one, is beyond the
 * budget, or memory is out. */
struct tensor *exec_output(struct exec_ctx *x, size_t i, enum elem_type elem, int rank, const int64_t *dims);
/* Compares a result's shape with the declared one (x->shapes). 0, or -1 with a diagnostic that names both. */
int exec_check_shape(struct exec_ctx *x, size_t i, int rank, const int64_t *dims);
/* A tensor for the operator's own use, elements not set; the same budget and diagnostics. The caller drops it. */
struct tensor *exec_scratch(struct exec_ctx *x, enum elem_type elem, int rank, const int64_t *dims);
/* The same, zeroed. */
struct tensor *exec_zeros(struct exec_ctx *x, enum elem_type elem, int rank, const int64_t *dims);
/* t cast to another type, which may take eight times the memory. */
struct tensor *exec_as(struct exec_ctx *x, const struct tensor *t, enum elem_type elem);
/* Plain memory for `count` objects of that size; the caller frees it. NULL with a diagnostic. */
void *exec_memory(struct exec_ctx *x, int64_t count, size_t size);
/* Loops that take more steps than inputs and results have elements tell before they start: -1 with a diagnostic where
 * that is more than what is left. count times steps, both clamped. */
int exec_work(struct exec_ctx *x, int64_t count, int64_t steps);
/* Says that the operator does not take this combination; returns -1. */
int exec_unsupported(struct exec_ctx *x, const char *what);
static inline struct tensor *exec_input(const struct exec_ctx *x, size_t i)
{
	return i < x->n_in ? x->in[i] : NULL;
}

#endif

/* MatMul's shapes and batched product, shared with MatMulInteger, QLinearMatMul and XnorPopcountMatMul. */
#ifndef QCC_OPS_MAT_MUL_H
#define QCC_OPS_MAT_MUL_H

#include "ops/op.h"

/* How two operands multiply under NumPy's rules for matmul. */
struct mat_mul_dims {
	int64_t m, n, k;
	int rank; /* of the result */
	int64_t dims[MAX_RANK];
	int batch_rank; /* leading axes, broadcast */
	int64_t batch[MAX_RANK], a_stride[MAX_RANK], b_stride[MAX_RANK];
};

/* False where the shapes do not multiply. All dims known. */
bool mat_mul_read(struct mat_mul_dims *p, int rank_a, const int64_t *a, int rank_b, const int64_t *b);
/* c = a b, all of one type, float or double; c's elements are m * n per batch. */
/* Asks the budget for the product: 0, or -1 with a diagnostic. */
int mat_mul_work(struct exec_ctx *x, const struct mat_mul_dims *p);
void mat_mul_run(const struct mat_mul_dims *p, const struct tensor *a, const struct tensor *b, struct tensor *c);
/* Types output 0 as the product of inputs a and b with that storage type. */
int mat_mul_infer(struct infer_ctx *x, size_t a, size_t b, enum elem_type elem);
/* The inner dimension of the node's product; -1 where unknown. */
int64_t mat_mul_inner(const struct value *a);
int64_t mat_mul_macs(const struct node *n); /* inputs 0 and 1 */
/* Says that the shapes of inputs a and b do not multiply; returns -1. */
int mat_mul_clash(struct exec_ctx *x, size_t a, size_t b);

#endif

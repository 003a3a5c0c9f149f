/* Transpose: axes in another order. */
#include "ops/move.h"

bool transpose_permutation(const struct node *n, int rank, int64_t perm[MAX_RANK])
{
	size_t count;
	const int64_t *given = node_attr_ints(n, "perm", &count);
	for (int i = 0; i < rank; i++)
		perm[i] = given && (int)count == rank ? given[i] : rank - 1 - i;
	return (!given || (int)count == rank) && normal_axes(perm, (size_t)rank, rank);
}

static int perm_error(struct diags *d, const struct node *n)
{
	return diag_node_error(d, n, "check attribute perm", "perm is no permutation of the input's axes");
}

static int infer_transpose(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t perm[MAX_RANK], dims[MAX_RANK];
	if (in->rank >= 0 && !transpose_permutation(x->node, in->rank, perm))
		return perm_error(x->diags, x->node);
	for (int i = 0; i < in->rank; i++)
		dims[i] = in->dims[perm[i]];
	infer_output(x, 0, in->elem, in->rank, dims);
	return 0;
}

static int exec_transpose(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0];
	int64_t perm[MAX_RANK], strides[MAX_RANK];
	if (!transpose_permutation(x->node, in->rank, perm))
		return perm_error(x->diags, x->node);
	row_major_strides(in->rank, in->dims, strides);
	struct move m = { .x = x };
	for (int i = 0; i < in->rank; i++)
		move_axis(&m, in->dims[perm[i]], strides[perm[i]]);
	return exec_move(x, 0, &m, in, NULL, 0, NULL);
}

const struct op op_Transpose = {
	.name = "Transpose",
	.domain = DOMAIN_ONNX,
	.summary = "axes in another order",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer_transpose,
	.datatype = datatype_same,
	.exec = exec_transpose,
};

/* to-hw: a Transpose between hardware layers is a Shuffle, which stores a frame. */
#include "ops/move.h"
#include "passes/to_hw.h"

/* Whether no element changes its place: axes of length 1 may stand anywhere. */
static bool keeps_order(const struct value *x, const int64_t *perm)
{
	int64_t last = -1;
	for (int k = 0; k < x->rank; k++) {
		if (x->dims[perm[k]] == 1)
			continue;
		if (perm[k] < last)
			return false;
		last = perm[k];
	}
	return true;
}

static void set_shapes(struct node *hw, const struct value *x, const int64_t *perm)
{
	size_t rank = (size_t)x->rank;
	const struct value *y = node_output(hw, 0);
	node_set_ints(hw, "in_shape", x->dims, rank);
	node_set_ints(hw, "transpose_in_shape", x->dims, rank);
	node_set_ints(hw, "transpose_out_shape", y->dims, rank);
	node_set_ints(hw, "out_shape", y->dims, rank);
	node_set_ints(hw, "perm", perm, rank);
	node_set_int(hw, "NumChannels", x->dims[rank - 1]);
	node_set_int(hw, "SIMD", 1);
	to_hw_set_datatype(hw, "data_type", x->datatype);
}

/* What a Shuffle in front of n shuffles, which n then orders as perm says now; x itself where there is none. */
static struct value *through_shuffle(struct value *x, int64_t *perm)
{
	const struct node *first = x->producer;
	size_t count = 0;
	const int64_t *before = first && first->op == &op_Shuffle ? node_attr_ints(first, "perm", &count) : NULL;
	for (int k = 0; before && k < x->rank; k++)
		perm[k] = before[perm[k]];
	return before ? node_input(first, 0) : x;
}

int to_hw_shuffle(struct pass_ctx *ctx, struct node *n)
{
	struct value *x = node_input(n, 0), *y = node_output(n, 0);
	int64_t perm[MAX_RANK];
	if (n->op != &op_Transpose || !to_hw_is_integer(x) || !transpose_permutation(n, x->rank, perm))
		return 0;
	x = through_shuffle(x, perm);
	if (keeps_order(x, perm)) {
		value_replace_uses(y, to_hw_view(n, x, y->rank, y->dims));
		node_remove(n);
		return 1;
	}
	if (perm[0] != 0 && x->dims[0] != 1)
		return diag_node_error(ctx->diags, n, "leave the batch as it is",
				       "mixes samples of a batch, which hardware cannot");
	if (!to_hw_for_plus(ctx))
		diag_note(ctx->diags, DIAG_NOTE, n, "to-hw(for=finn-plus) where the builder is to take it over",
			  "FINN 0.10 has no Shuffle, which changes the order of a stream");
	set_shapes(to_hw_replace(n, "Shuffle", &x, 1), x, perm);
	return 1;
}

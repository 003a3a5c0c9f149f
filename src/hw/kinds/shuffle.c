/* Shuffle: a frame in another order of its axes. All of it is stored before the first word goes on. The layer is FINN-plus's; FINN
 * 0.10 has none. */
#include <string.h>

#include "hw/cost.h"
#include "hw/kinds/exec.h"
#include "ops/move.h"

/* The shape that is transposed, and the axes' order; the rank, 0 where the attributes are none of one. */
static int axes_of(const struct node *n, const int64_t **dims, const int64_t **perm)
{
	size_t rank = 0, count = 0;
	int64_t elements, axes[MAX_RANK];
	*dims = node_attr_ints(n, "transpose_in_shape", &rank);
	*perm = node_attr_ints(n, "perm", &count);
	if (!rank || rank != count || rank > MAX_RANK || !dims_count((int)rank, *dims, &elements) || elements < 1)
		return 0;
	memcpy(axes, *perm, rank * sizeof *axes);
	return normal_axes(axes, rank, (int)rank) ? (int)rank : 0;
}

int hw_shuffle_loops(const struct node *n, int64_t simd, int64_t lengths[MAX_RANK], int64_t steps[MAX_RANK])
{
	const int64_t *dims, *perm;
	int64_t strides[MAX_RANK];
	int rank = axes_of(n, &dims, &perm);
	row_major_strides(rank, dims, strides);
	for (int k = 0; k < rank; k++) {
		bool inner = k == rank - 1;
		lengths[k] = dims[perm[k]] / (inner ? simd : 1);
		steps[k] = inner && simd > 1 ? 1 : strides[perm[k]] / simd;
	}
	return rank;
}

/* Words of several elements stay whole where the innermost axis stays the innermost. */
static int read_shuffle(const struct node *n, struct hw_layer *l, struct diags *d)
{
	const int64_t *dims, *perm;
	int rank = axes_of(n, &dims, &perm);
	if (!rank)
		return diag_node_error(d, n, "check both attributes", "perm does not fit transpose_in_shape");
	l->mh = dims[rank - 1];
	l->max_simd = perm[rank - 1] == rank - 1 ? l->mh : 1;
	l->elements[0] = l->elements[1] = dims_product(dims, 0, rank);
	return 0;
}

/* FINN estimates by simulation. Here: all words in, all words out, and the memory for a frame: LUTs up to 1,024 bits. */
static struct hw_cost cost(const struct hw_layer *l, const struct hw_choice *c)
{
	enum { BITS_A_LUT = 38, MOST_IN_LUTS = 1024 };
	struct hw_stream s = hw_input(l, c, 0);
	bool small = s.words * hw_width(s) <= MOST_IN_LUTS;
	return (struct hw_cost){ .cycles = 2 * s.words,
				 .lut = small ? ceil_div(s.words * hw_width(s), BITS_A_LUT) : 0,
				 .bram = small ? 0 : hw_block_rams(hw_width(s), s.words, true) };
}

/* ---- execution ---- */

static int infer(struct infer_ctx *x)
{
	size_t rank = 0;
	const int64_t *dims = node_attr_ints(x->node, "out_shape", &rank);
	bool known = rank > 0 && rank <= MAX_RANK;
	infer_output(x, 0, ELEM_FLOAT, known ? (int)rank : -1, known ? dims : NULL);
	return 0;
}

static struct datatype datatype(const struct node *n, size_t i)
{
	(void)i;
	return hw_datatype(n, "data_type");
}

static void transpose(struct tensor *y, const struct tensor *in, int rank, const int64_t *lengths, const int64_t *steps)
{
	for (int64_t i = 0; i < y->count; i++) {
		int64_t from = 0, rest = i;
		for (int k = rank - 1; k >= 0; k--) {
			from += rest % lengths[k] * steps[k];
			rest /= lengths[k];
		}
		hw_copy(y, i, in, from, 1);
	}
}

static int exec(struct exec_ctx *x)
{
	int64_t lengths[MAX_RANK], steps[MAX_RANK];
	size_t out_rank = 0;
	const int64_t *out_dims = node_attr_ints(x->node, "out_shape", &out_rank);
	int rank = hw_shuffle_loops(x->node, 1, lengths, steps);
	int64_t count = out_rank && out_rank <= MAX_RANK ? dims_product(out_dims, 0, (int)out_rank) : -1;
	struct tensor *in = hw_numbers(x, 0);
	if (!in || !rank || count != in->count || count != dims_product(lengths, 0, rank)) {
		tensor_unref(in);
		return in ? exec_unsupported(x, "its attributes do not fit its input") : -1;
	}
	struct tensor *y = exec_output(x, 0, hw_elem(x), (int)out_rank, out_dims);
	if (y)
		transpose(y, in, rank, lengths, steps);
	tensor_unref(in);
	return y ? 0 : -1;
}

static const struct hw_kind kind = {
	.streams = 1,
	.simd_limit = "NumChannels",
	.in_type = "data_type",
	.out_type = "data_type",
	.read = read_shuffle,
	.cost = cost,
	.steps = hw_words_in_and_out,
	.step = hw_step_in_then_out,
};

const struct op op_Shuffle = {
	.domain = DOMAIN_FINN,
	.name = "Shuffle",
	.summary = "Hardware: a frame in another order of its axes",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer,
	.datatype = datatype,
	.exec = exec,
	.hw = &kind,
};

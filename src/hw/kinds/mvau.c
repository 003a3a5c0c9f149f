/* MVAU: a matrix-vector product with optional thresholds.
 *
 * Bipolar inputs times bipolar weights, and binaryXnorMode, count equal bits instead: the accumulator is the
 * popcount p of FINN's hardware, where the product would be 2 p - MW; thresholds are in terms of p. */
#include <stdlib.h>

#include "hw/kinds/exec.h"
#include "ops/gemm_kernel.h"

static int read_mvau(const struct node *n, struct hw_layer *l, struct diags *d)
{
	(void)d;
	hw_read_matvec(n, l);
	l->mw = node_attr_int(n, "MW", 0);
	l->vectors = hw_product(n, "numInputVectors");
	l->elements[0] = l->vectors * l->mw;
	l->elements[1] = l->vectors * l->mh;
	return 0;
}

static struct hw_stream input(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	(void)i;
	return hw_stream_of(l->in_bits, c->simd, l->elements[0]);
}

/* ---- schedule: the vector is read with the first PE outputs and kept for the others ---- */

static int64_t steps(const struct hw_layer *l)
{
	return l->mw / l->now.simd * (l->mh / l->now.pe) * l->vectors;
}

static struct hw_step step(const struct hw_layer *l, const struct hw_progress *p)
{
	int64_t sf = l->mw / l->now.simd, nf = l->mh / l->now.pe;
	return (struct hw_step){ p->at / sf % nf == 0, p->at % sf == sf - 1, false };
}

/* ---- memories: weights are [MW][MH] ---- */

static int64_t weight(const struct hw_layer *l, const struct hw_memory *m, int64_t bank, int64_t word, int64_t element)
{
	int64_t sf = l->mw / l->now.simd, output = word / sf * l->now.pe + bank;
	(void)m;
	return (word % sf * l->now.simd + element) * l->mh + output;
}

static size_t memories(const struct hw_layer *l, struct hw_memory out[HW_MEMORIES])
{
	return hw_matvec_memories(l, out, weight);
}

/* ---- execution ---- */

static int infer(struct infer_ctx *x)
{
	return hw_infer_last(x, node_attr_int(x->node, "MW", -1), node_attr_int(x->node, "MH", -1));
}

/* y = a b with exact sums: in float where they surely fit its 24 bits, else in double. */
static int product(const struct hw_layer *l, const struct tensor *a, const struct tensor *b, struct tensor *y)
{
	int64_t rows = a->count / b->dims[0], k = b->dims[0], columns = b->dims[1];
	struct matrix_shape s = { rows, columns, k, false, false, k, columns, columns };
	bool small = l->in_bits + l->weight_bits < 20 && k << (l->in_bits + l->weight_bits) < 1 << 24;
	if (small && y->elem == ELEM_FLOAT) {
		gemm_float(&s, a->data, b->data, y->data);
		return 0;
	}
	struct tensor *wa = tensor_try_cast(a, ELEM_DOUBLE), *wb = tensor_try_cast(b, ELEM_DOUBLE);
	double *wide = memory_try(((size_t)(rows * columns) + 1) * sizeof *wide);
	bool ok = wa && wb && wide;
	if (ok)
		gemm_double(&s, wa->data, wb->data, wide);
	for (int64_t i = 0; ok && i < rows * columns; i++)
		hw_put(y, i, wide[i]);
	free(wide);
	tensor_unref(wa);
	tensor_unref(wb);
	return ok ? 0 : -1;
}

static int run(struct exec_ctx *x, const struct hw_layer *l, const struct tensor *a, const struct tensor *b,
	       bool popcount)
{
	int64_t dims[MAX_RANK];
	int rank = a->rank > 0 ? hw_input_shape(x->node, l->mw, a->rank, a->dims, dims) : 0;
	if (b->rank != 2 || rank < 1 || dims[rank - 1] != b->dims[0])
		return diag_node_error(x->diags, x->node, NULL, "the weights' shape does not fit the input's");
	dims[rank - 1] = b->dims[1];
	struct tensor *y = exec_output(x, 0, hw_elem(x), rank, dims);
	if (!y || exec_work(x, y->count, b->dims[0] / 4 + 1) < 0 || product(l, a, b, y) != 0)
		return -1;
	for (int64_t i = 0; popcount && i < y->count; i++)
		hw_put(y, i, (hw_get(y, i) + (double)b->dims[0]) / 2);
	return hw_exec_thresholds(x, y, b->dims[1]);
}

static int exec(struct exec_ctx *x)
{
	struct hw_layer l;
	if (hw_layer_read(x->node, &l, x->diags) != 0)
		return -1;
	struct tensor *a = hw_numbers(x, 0), *b = a ? hw_numbers(x, 1) : NULL;
	if (b) {
		a = hw_weights_to_bipolar(x->node, a);
		b = hw_weights_to_bipolar(x->node, b);
	}
	int result = a && b ? run(x, &l, a, b, hw_counts_bits(x->node)) : -1;
	tensor_unref(a);
	tensor_unref(b);
	return result;
}

static const struct hw_kind kind = {
	.flags = HW_CHOOSES_RAM | HW_CHOOSES_URAM | HW_MULTIPLIES | HW_MATRIX,
	.streams = 1,
	.pe_limit = "MH",
	.simd_limit = "MW",
	.in_type = "inputDataType",
	.out_type = "outputDataType",
	.read = read_mvau,
	.input = input,
	.cost = hw_matvec_cost,
	.steps = steps,
	.step = step,
	.memories = memories,
};

const struct op op_MVAU = {
	.domain = DOMAIN_FINN,
	.name = "MVAU",
	.summary = "Hardware: matrix-vector product with optional thresholds",
	.min_inputs = 2,
	.max_inputs = 3,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer,
	.datatype = hw_output_datatype,
	.exec = exec,
	.macs = hw_matvec_macs,
	.hw = &kind,
};

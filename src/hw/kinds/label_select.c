/* LabelSelect: the indices of the K largest of a vector. */
#include "hw/cost.h"
#include "hw/kinds/exec.h"
#include "util/integers.h"

static int read_labels(const struct node *n, struct hw_layer *l, struct diags *d)
{
	hw_read_vectors(n, l, d);
	l->elements[1] = l->vectors * node_attr_int(n, "K", 1);
	return 0;
}

static struct hw_stream output(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	(void)c;
	(void)i;
	return hw_stream_of(l->out_bits, 1, l->elements[1]);
}

/* ---- execution ---- */

static int infer(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t dims[MAX_RANK], labels = node_attr_int(x->node, "Labels", -1);
	int rank = in->rank > 0 ? hw_input_shape(x->node, labels, in->rank, in->dims, dims) : in->rank;
	if (rank > 0)
		dims[rank - 1] = node_attr_int(x->node, "K", 1);
	infer_output(x, 0, ELEM_INT64, rank, dims);
	return 0;
}

/* Indices of the k largest, largest first; of equal ones the first. */
static void largest(const struct tensor *in, int64_t at, int64_t n, int64_t k, int64_t *out)
{
	for (int64_t i = 0; i < k; i++) {
		int64_t best = -1;
		for (int64_t j = 0; j < n; j++) {
			bool taken = false;
			for (int64_t seen = 0; seen < i; seen++)
				taken = taken || out[seen] == j;
			if (!taken && (best < 0 || hw_get(in, at + j) > hw_get(in, at + best)))
				best = j;
		}
		out[i] = best;
	}
}

static int exec(struct exec_ctx *x)
{
	int64_t dims[MAX_RANK], k = node_attr_int(x->node, "K", 1);
	struct tensor *in = hw_numbers(x, 0);
	int64_t labels = node_attr_int(x->node, "Labels", -1);
	int rank = in && in->rank > 0 ? hw_input_shape(x->node, labels, in->rank, in->dims, dims) : 0;
	if (rank < 1 || k < 1 || k > dims[rank - 1]) {
		tensor_unref(in);
		return in ? exec_unsupported(x, "K is larger than the number of labels") : -1;
	}
	int64_t n = dims[rank - 1];
	dims[rank - 1] = k;
	bool fits = exec_work(x, in->count, multiply_clamped(k, k)) == 0;
	struct tensor *y = fits ? exec_output(x, 0, ELEM_INT64, rank, dims) : NULL;
	for (int64_t i = 0; y && i < in->count / n; i++)
		largest(in, i * n, n, k, (int64_t *)y->data + i * k);
	tensor_unref(in);
	return y ? 0 : -1;
}

static const struct hw_kind kind = {
	.streams = 1,
	.pe_limit = "Labels",
	.in_type = "inputDataType",
	.out_type = "outputDataType",
	.read = read_labels,
	.output = output,
	.cost = hw_comparator_cost,
	.steps = hw_words_in_and_out,
	.step = hw_step_in_then_out,
};

const struct op op_LabelSelect = {
	.domain = DOMAIN_FINN,
	.name = "LabelSelect",
	.summary = "Hardware: indices of the K largest of a vector",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer,
	.datatype = hw_output_datatype,
	.exec = exec,
	.hw = &kind,
};

/* Lookup: rows of a table by index. */
#include <string.h>

#include "hw/kinds/exec.h"

static int read_table(const struct node *n, struct hw_layer *l, struct diags *d)
{
	(void)d;
	l->mh = node_attr_int(n, "EmbeddingDim", 1);
	l->depth = node_attr_int(n, "NumEmbeddings", 1);
	l->elements[0] = l->vectors = hw_product(n, "InputShape");
	l->elements[1] = l->vectors * l->mh;
	return 0;
}

static struct hw_stream input(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	(void)c;
	(void)i;
	return hw_stream_of(l->in_bits, 1, l->elements[0]);
}

static struct hw_stream output(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	(void)c;
	(void)i;
	return hw_stream_of(l->out_bits, l->mh, l->elements[1]);
}

static struct hw_cost cost(const struct hw_layer *l, const struct hw_choice *c)
{
	struct hw_cost sum = hw_default_cost(l, c);
	sum.bram = ceil_div(hw_width(hw_output(l, c, 0)), 16) * ceil_div(l->depth, 1024);
	return sum;
}

static int64_t entry(const struct hw_layer *l, const struct hw_memory *m, int64_t bank, int64_t word, int64_t element)
{
	(void)m;
	(void)bank;
	return word * l->mh + element;
}

static size_t memories(const struct hw_layer *l, struct hw_memory out[HW_MEMORIES])
{
	out[0] = (struct hw_memory){ .role = HW_TABLE,
				     .input = 1,
				     .type = hw_datatype(l->node, "EmbeddingType"),
				     .banks = 1,
				     .words = l->depth,
				     .elements = l->mh,
				     .source = entry };
	return 1;
}

/* ---- execution ---- */

static int infer(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t dims[MAX_RANK];
	if (in->rank < 0 || in->rank >= MAX_RANK)
		return 0;
	for (int i = 0; i < in->rank; i++)
		dims[i] = in->dims[i];
	dims[in->rank] = node_attr_int(x->node, "EmbeddingDim", -1);
	infer_output(x, 0, ELEM_FLOAT, in->rank + 1, dims);
	return 0;
}

static struct datatype datatype(const struct node *n, size_t i)
{
	(void)i;
	return hw_datatype(n, "EmbeddingType");
}

static int exec(struct exec_ctx *x)
{
	struct tensor *table = hw_numbers(x, 1);
	const struct tensor *in = x->in[0];
	int64_t dims[MAX_RANK], size = table && table->rank == 2 ? table->dims[1] : 0;
	struct tensor *y = NULL;
	if (size && in->rank < MAX_RANK) {
		memcpy(dims, in->dims, (size_t)in->rank * sizeof *dims);
		dims[in->rank] = size;
		y = exec_output(x, 0, hw_elem(x), in->rank + 1, dims);
	}
	for (int64_t i = 0; y && i < in->count; i++) {
		int64_t row = tensor_int_at(in, i);
		if (row < 0 || row >= table->dims[0]) {
			tensor_unref(table);
			return diag_node_error(x->diags, x->node, NULL, "index %lld is outside of the table",
					       (long long)row);
		}
		hw_copy(y, i * size, table, row * size, size);
	}
	tensor_unref(table);
	return y ? 0 : exec_unsupported(x, "the table must be a matrix");
}

static const struct hw_kind kind = {
	.streams = 1,
	.in_type = "InputType",
	.out_type = "EmbeddingType",
	.read = read_table,
	.input = input,
	.output = output,
	.cost = cost,
	.memories = memories,
};

const struct op op_Lookup = {
	.domain = DOMAIN_FINN,
	.name = "Lookup",
	.summary = "Hardware: rows of a table by index",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer,
	.datatype = datatype,
	.exec = exec,
	.hw = &kind,
};

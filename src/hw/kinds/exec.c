/* What executing and typing hardware layers shares. Channels last. */
#include "hw/kinds/exec.h"

#include <string.h>

enum elem_type hw_elem(const struct exec_ctx *x)
{
	for (size_t i = 0; i < x->n_in; i++)
		if (x->in[i] && x->in[i]->elem == ELEM_DOUBLE)
			return ELEM_DOUBLE;
	return ELEM_FLOAT;
}

struct tensor *hw_numbers(struct exec_ctx *x, size_t i)
{
	const struct tensor *in = exec_input(x, i);
	struct tensor *t = in ? tensor_try_cast(in, hw_elem(x)) : NULL;
	if (!t)
		exec_unsupported(x, "an input is missing or holds no numbers");
	return t;
}

void hw_copy(struct tensor *to, int64_t to_at, const struct tensor *from, int64_t from_at, int64_t count)
{
	size_t size = elem_size((enum elem_type)to->elem);
	memcpy((char *)to->data + (size_t)to_at * size, (const char *)from->data + (size_t)from_at * size,
	       (size_t)count * size);
}

int hw_exec_copies(struct exec_ctx *x)
{
	for (size_t i = 0; i < x->n_out; i++)
		x->out[i] = tensor_ref(x->in[0]);
	return 0;
}

static int64_t product(const int64_t *dims, size_t count)
{
	int64_t n = 1;
	for (size_t i = 0; i < count; i++)
		if (dims[i] < 0 || __builtin_mul_overflow(n, dims[i], &n))
			return -1;
	return n;
}

int hw_input_shape(const struct node *n, int64_t vector, int rank, const int64_t *given, int64_t dims[MAX_RANK])
{
	size_t count = 0;
	const int64_t *vectors = node_attr_ints(n, "numInputVectors", &count);
	int64_t elements = product(given, (size_t)rank), others = count ? product(vectors + 1, count - 1) : 0;
	bool fits = given[rank - 1] == vector && rank == (int)count + 1 &&
		    (product(given + 1, (size_t)rank - 2) != others ||
		     !memcmp(given + 1, vectors + 1, (size_t)(rank - 2) * sizeof *given));
	if (fits || vector < 1 || others < 1 || count >= MAX_RANK || elements < 0 || elements % vector ||
	    elements / vector % others) {
		memcpy(dims, given, (size_t)rank * sizeof *dims);
		return rank;
	}
	memcpy(dims, vectors, count * sizeof *dims);
	dims[0] = elements / vector / others; /* several samples, where the executor is given them */
	dims[count] = vector;
	return (int)count + 1;
}

int hw_infer_last(struct infer_ctx *x, int64_t vector, int64_t last)
{
	const struct value *in = node_input(x->node, 0);
	int64_t dims[MAX_RANK];
	if (in->rank < 1) {
		infer_output(x, 0, ELEM_FLOAT, -1, NULL);
		return 0;
	}
	int rank = hw_input_shape(x->node, vector, in->rank, in->dims, dims);
	dims[rank - 1] = last > 0 ? last : -1;
	infer_output(x, 0, ELEM_FLOAT, rank, dims);
	return 0;
}

int hw_infer_channels(struct infer_ctx *x)
{
	int64_t channels = node_attr_int(x->node, hw_kind_of(x->node)->pe_limit, -1);
	const struct value *in = node_input(x->node, 0);
	return hw_infer_last(x, channels, in->rank > 0 && channels < 1 ? in->dims[in->rank - 1] : channels);
}

int hw_infer_image(struct infer_ctx *x, int64_t rows, int64_t columns, int64_t channels)
{
	const struct value *in = node_input(x->node, 0);
	int64_t dims[4] = { in->rank > 0 ? in->dims[0] : -1, rows, columns, channels };
	infer_output(x, 0, ELEM_FLOAT, 4, dims);
	return 0;
}

/* The datatype that the attribute names, else the output's annotation. */
static struct datatype named_or_annotated(const struct node *n, const char *attribute, size_t i)
{
	struct datatype t = hw_datatype(n, attribute);
	return t.kind == DT_NONE && node_output(n, i) ? node_output(n, i)->datatype : t;
}

struct datatype hw_output_datatype(const struct node *n, size_t i)
{
	return named_or_annotated(n, "outputDataType", i);
}

struct datatype hw_input_datatype(const struct node *n, size_t i)
{
	return named_or_annotated(n, "inputDataType", i);
}

struct datatype hw_plumbing_datatype(const struct node *n, size_t i)
{
	(void)i;
	return hw_datatype(n, "dataType");
}

struct hw_stream hw_wide_input(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	(void)c;
	(void)i;
	return hw_stream_of(l->in_bits, l->widths[0] / l->in_bits, l->elements[0]);
}

struct hw_stream hw_wide_output(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	(void)c;
	(void)i;
	return hw_stream_of(l->out_bits, l->widths[1] / l->out_bits, l->elements[1]);
}

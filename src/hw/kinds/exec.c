/* What executing and typing hardware layers shares. Channels last. */
#include "hw/kinds/exec.h"

#include <string.h>

struct tensor *hw_floats(struct exec_ctx *x, size_t i)
{
	const struct tensor *in = exec_input(x, i);
	struct tensor *t = in ? tensor_cast(in, ELEM_FLOAT) : NULL;
	if (!t)
		exec_unsupported(x, "an input is missing or holds no numbers");
	return t;
}

int hw_exec_copies(struct exec_ctx *x)
{
	for (size_t i = 0; i < x->n_out; i++)
		x->out[i] = tensor_ref(x->in[0]);
	return 0;
}

int hw_infer_last(struct infer_ctx *x, int64_t last)
{
	const struct value *in = node_input(x->node, 0);
	int64_t dims[MAX_RANK];
	if (in->rank < 1) {
		infer_output(x, 0, ELEM_FLOAT, -1, NULL);
		return 0;
	}
	memcpy(dims, in->dims, (size_t)in->rank * sizeof *dims);
	dims[in->rank - 1] = last > 0 ? last : -1;
	infer_output(x, 0, ELEM_FLOAT, in->rank, dims);
	return 0;
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

/* Shape and Size: what is known about a tensor's extent, as a tensor. */
#include "ops/op.h"

/* Clamps start and end (negative: from the end) to 0..rank. */
static void shape_bounds(const struct node *n, int rank, int *start, int *end)
{
	int64_t s = node_attr_int(n, "start", 0), e = node_attr_int(n, "end", rank);
	s += s < 0 ? rank : 0;
	e += e < 0 ? rank : 0;
	*start = s < 0 ? 0 : s > rank ? rank : (int)s;
	*end = e < 0 ? 0 : e > rank ? rank : (int)e;
	if (*end < *start)
		*end = *start;
}

static int infer_shape(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t count = -1;
	int start, end;
	if (in->rank >= 0) {
		shape_bounds(x->node, in->rank, &start, &end);
		count = end - start;
	}
	infer_output(x, 0, ELEM_INT64, 1, &count);
	return 0;
}

static int exec_shape(struct exec_ctx *x)
{
	int start, end;
	shape_bounds(x->node, x->in[0]->rank, &start, &end);
	struct tensor *out = exec_output(x, 0, ELEM_INT64, 1, (int64_t[]){ end - start });
	if (!out)
		return -1;
	for (int i = start; i < end; i++)
		((int64_t *)out->data)[i - start] = x->in[0]->dims[i];
	return 0;
}

static int infer_size(struct infer_ctx *x)
{
	infer_output(x, 0, ELEM_INT64, 0, NULL);
	return 0;
}

static int exec_size(struct exec_ctx *x)
{
	struct tensor *out = exec_output(x, 0, ELEM_INT64, 0, NULL);
	if (!out)
		return -1;
	*(int64_t *)out->data = x->in[0]->count;
	return 0;
}

const struct op op_Shape = {
	.name = "Shape",
	.domain = DOMAIN_ONNX,
	.summary = "the input's dims, or some of them",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_shape,
	.exec = exec_shape,
};

const struct op op_Size = {
	.name = "Size",
	.domain = DOMAIN_ONNX,
	.summary = "the input's number of elements",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_size,
	.exec = exec_size,
};

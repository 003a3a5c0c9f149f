/* Thresholding: FINN's stand-alone activation, and the thresholds inside MVAU and VVAU. Channels last. */
#include <string.h>

#include "ops/hw_ops.h"

struct tensor *hw_floats(struct exec_ctx *x, size_t i)
{
	const struct tensor *in = exec_input(x, i);
	struct tensor *t = in ? tensor_cast(in, ELEM_FLOAT) : NULL;
	if (!t)
		exec_unsupported(x, "an input is missing or holds no numbers");
	return t;
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

struct datatype hw_output_datatype(const struct node *n, size_t i)
{
	struct datatype t = hw_datatype(n, "outputDataType");
	return t.kind == DT_NONE && node_output(n, i) ? node_output(n, i)->datatype : t;
}

struct datatype hw_input_datatype(const struct node *n, size_t i)
{
	struct datatype t = hw_datatype(n, "inputDataType");
	return t.kind == DT_NONE && node_output(n, i) ? node_output(n, i)->datatype : t;
}

/* How many of the ascending thresholds x reaches. */
static int64_t reached(const float *t, int64_t steps, float x)
{
	int64_t below = 0, above = steps;
	while (below < above) {
		int64_t middle = below + (above - below) / 2;
		if (x >= t[middle])
			below = middle + 1;
		else
			above = middle;
	}
	return below;
}

int hw_activate(struct exec_ctx *x, float *y, int64_t outer, int64_t channels, const struct tensor *t)
{
	if (t->rank != 2 || (t->dims[0] != 1 && t->dims[0] != channels))
		return diag_node_error(x->diags, x->node, NULL, "thresholds must have one row, or one per channel");
	bool bipolar = hw_datatype(x->node, "outputDataType").kind == DT_BIPOLAR;
	float scale = bipolar ? 2 : 1, bias = bipolar ? -1 : (float)node_attr_int(x->node, "ActVal", 0);
	int64_t steps = t->dims[1], row = t->dims[0] == 1 ? 0 : steps;
	const float *thresholds = t->data;
	for (int64_t i = 0; i < outer; i++)
		for (int64_t c = 0; c < channels; c++, y++)
			*y = bias + scale * (float)reached(thresholds + c * row, steps, *y);
	return 0;
}

static int exec(struct exec_ctx *x)
{
	struct tensor *in = hw_floats(x, 0), *t = in ? hw_floats(x, 1) : NULL;
	struct tensor *y = t ? exec_output(x, 0, ELEM_FLOAT, in->rank, in->dims) : NULL;
	int result = -1;
	if (y) {
		int64_t channels = in->rank ? in->dims[in->rank - 1] : 1;
		memcpy(y->data, in->data, (size_t)in->count * sizeof(float));
		result = hw_activate(x, y->data, channels ? in->count / channels : 0, channels, t);
	}
	tensor_unref(in);
	tensor_unref(t);
	return result;
}

const struct op op_Thresholding = {
	.domain = DOMAIN_FINN,
	.name = "Thresholding",
	.summary = "Hardware: counts the thresholds of its channel that x reaches, channels last",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_same,
	.datatype = hw_output_datatype,
	.exec = exec,
};

/* Thresholding: FINN's stand-alone activation, and the counting of thresholds inside MVAU and VVAU. Channels last. */
#include <string.h>

#include "hw/kinds/exec.h"

static int read_thresholds(const struct node *n, struct hw_layer *l, struct diags *d)
{
	l->steps = node_attr_int(n, "numSteps", 1);
	l->weight_bits = datatype_bits(hw_datatype(n, "weightDataType"));
	return hw_read_vectors(n, l, d);
}

static struct hw_cost cost(const struct hw_layer *l, const struct hw_choice *c)
{
	int64_t fold = l->mh / c->pe, lut = c->pe * l->in_bits;
	if (fold > 1)
		lut += c->pe * l->in_bits * ceil_div(fold, 64);
	return (struct hw_cost){ .cycles = l->vectors * fold, .lut = lut };
}

static size_t memories(const struct hw_layer *l, struct hw_memory out[HW_MEMORIES])
{
	out[0] = hw_threshold_memory(l, 1);
	return 1;
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
	struct hw_layer l;
	if (hw_layer_read(x->node, &l, x->diags) != 0)
		return -1;
	struct tensor *in = hw_floats(x, 0), *t = in ? hw_floats(x, 1) : NULL;
	int64_t dims[MAX_RANK];
	int rank = in && in->rank > 0 ? hw_input_shape(x->node, l.mh, in->rank, in->dims, dims) : 0;
	struct tensor *y = t ? exec_output(x, 0, ELEM_FLOAT, rank, dims) : NULL;
	int result = -1;
	if (y) {
		int64_t channels = rank ? dims[rank - 1] : 1;
		memcpy(y->data, in->data, (size_t)in->count * sizeof(float));
		result = hw_activate(x, y->data, channels ? in->count / channels : 0, channels, t);
	}
	tensor_unref(in);
	tensor_unref(t);
	return result;
}

static const struct hw_kind kind = {
	.streams = 1,
	.pe_limit = "NumChannels",
	.in_type = "inputDataType",
	.out_type = "outputDataType",
	.read = read_thresholds,
	.cost = cost,
	.memories = memories,
};

const struct op op_Thresholding = {
	.domain = DOMAIN_FINN,
	.name = "Thresholding",
	.summary = "Hardware: counts the thresholds of its channel that x reaches, channels last",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = hw_infer_channels,
	.datatype = hw_output_datatype,
	.exec = exec,
	.hw = &kind,
};

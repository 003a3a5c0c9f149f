/* Thresholding: FINN's stand-alone activation, and the counting of thresholds inside MVAU and VVAU. Channels last. */
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

/* How many thresholds x reaches; files may have them in any order. */
static int64_t reached(const struct tensor *t, int64_t from, int64_t steps, double x, bool ascending)
{
	int64_t below = 0, above = steps;
	if (!ascending) {
		for (int64_t i = 0; i < steps; i++)
			below += x >= hw_get(t, from + i);
		return below;
	}
	while (below < above) {
		int64_t middle = below + (above - below) / 2;
		if (x >= hw_get(t, from + middle))
			below = middle + 1;
		else
			above = middle;
	}
	return below;
}

static bool ascends(const struct tensor *t)
{
	for (int64_t i = 1; i < t->count; i++)
		if (i % t->dims[1] && !(hw_get(t, i - 1) <= hw_get(t, i)))
			return false;
	return true;
}

int hw_activate(struct exec_ctx *x, struct tensor *y, int64_t channels, const struct tensor *t)
{
	if (t->rank != 2 || (t->dims[0] != 1 && t->dims[0] != channels))
		return diag_node_error(x->diags, x->node, NULL, "thresholds must have one row, or one per channel");
	bool bipolar = hw_datatype(x->node, "outputDataType").kind == DT_BIPOLAR, ascending = ascends(t);
	double scale = bipolar ? 2 : 1, bias = bipolar ? -1 : (double)node_attr_int(x->node, "ActVal", 0);
	int64_t steps = t->dims[1], row = t->dims[0] == 1 ? 0 : steps;
	for (int64_t i = 0; i < y->count; i++) {
		int64_t count = reached(t, i % channels * row, steps, hw_get(y, i), ascending);
		hw_put(y, i, bias + scale * (double)count);
	}
	return 0;
}

static int exec(struct exec_ctx *x)
{
	struct hw_layer l;
	if (hw_layer_read(x->node, &l, x->diags) != 0)
		return -1;
	struct tensor *in = hw_numbers(x, 0), *t = in ? hw_numbers(x, 1) : NULL;
	int64_t dims[MAX_RANK];
	int rank = in && in->rank > 0 ? hw_input_shape(x->node, l.mh, in->rank, in->dims, dims) : 0;
	struct tensor *y = t ? exec_output(x, 0, hw_elem(x), rank, dims) : NULL;
	int result = -1;
	if (y) {
		int64_t channels = rank ? dims[rank - 1] : 1;
		hw_copy(y, 0, in, 0, in->count);
		result = hw_activate(x, y, channels, t);
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

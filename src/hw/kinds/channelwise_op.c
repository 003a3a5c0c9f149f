/* ChannelwiseOp: adds, multiplies or compares with one constant per channel. */
#include "hw/cost.h"
#include "hw/kinds/exec.h"

static int read_channelwise(const struct node *n, struct hw_layer *l, struct diags *d)
{
	l->weight_bits = datatype_bits(hw_datatype(n, "paramDataType"));
	return hw_read_vectors(n, l, d);
}

static size_t memories(const struct hw_layer *l, struct hw_memory out[HW_MEMORIES])
{
	out[0] = (struct hw_memory){ .role = HW_CONSTANTS,
				     .input = 1,
				     .type = hw_datatype(l->node, "paramDataType"),
				     .banks = l->now.pe,
				     .words = l->mh / l->now.pe,
				     .elements = 1,
				     .source = hw_source_rows };
	return 1;
}

static const struct hw_kind kind = {
	.streams = 1,
	.pe_limit = "NumChannels",
	.in_type = "inputDataType",
	.out_type = "outputDataType",
	.function = "Func",
	.default_function = "cmp_le",
	.read = read_channelwise,
	.cost = hw_arithmetic_cost,
	.memories = memories,
};

const struct op op_ChannelwiseOp = {
	.domain = DOMAIN_FINN,
	.name = "ChannelwiseOp",
	.summary = "Hardware: adds, multiplies or compares with a constant a channel",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = hw_infer_channels,
	.datatype = hw_output_datatype,
	.exec = hw_run_pairs,
	.hw = &kind,
};

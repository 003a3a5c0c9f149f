/* StreamingEltwise: sum, difference, its absolute value, or product of two streams, the second of which may be one vector a
 * frame that is combined with each of the first. */
#include "hw/cost.h"
#include "hw/kinds/exec.h"

static struct hw_stream input(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	int bits = i ? datatype_bits(hw_datatype(l->node, "inputDataType1")) : l->in_bits;
	return hw_stream_of(bits, c->pe, i && l->repeats ? l->mh : l->elements[1]);
}

static struct datatype datatype(const struct node *n, size_t i)
{
	(void)i;
	return hw_combined(hw_function_of(n), hw_datatype(n, "inputDataType0"), hw_datatype(n, "inputDataType1"));
}

static const struct hw_kind kind = {
	.streams = 2,
	.pe_limit = "NumChannels",
	.in_type = "inputDataType0",
	.function = "eltwiseOp",
	.default_function = "Add",
	.read = hw_read_pairs,
	.input = input,
	.cost = hw_arithmetic_cost,
	.takes = hw_takes_repeating,
};

const struct op op_StreamingEltwise = {
	.domain = DOMAIN_FINN,
	.name = "StreamingEltwise",
	.summary = "Hardware: sum, difference or its absolute value, or product, of two streams",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = hw_infer_channels,
	.datatype = datatype,
	.exec = hw_run_pairs,
	.hw = &kind,
};

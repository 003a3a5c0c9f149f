/* AddStreams: the sum of two streams of the same datatype. */
#include "hw/cost.h"
#include "hw/kinds/exec.h"

static struct hw_stream input(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	return hw_stream_of(l->in_bits, c->pe, i && l->repeats ? l->mh : l->elements[1]);
}

static struct datatype datatype(const struct node *n, size_t i)
{
	struct datatype t = hw_datatype(n, "inputDataType");
	(void)i;
	return hw_combined(HW_ADD, t, t);
}

static const struct hw_kind kind = {
	.streams = 2,
	.pe_limit = "NumChannels",
	.in_type = "inputDataType",
	.function = "",
	.read = hw_read_pairs,
	.input = input,
	.cost = hw_arithmetic_cost,
	.takes = hw_takes_repeating,
};

const struct op op_AddStreams = {
	.domain = DOMAIN_FINN,
	.name = "AddStreams",
	.summary = "Hardware: sum of two streams",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = hw_infer_channels,
	.datatype = datatype,
	.exec = hw_run_pairs,
	.hw = &kind,
};

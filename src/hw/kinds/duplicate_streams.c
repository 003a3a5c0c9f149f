/* DuplicateStreams: copies of a stream. */
#include "hw/kinds/exec.h"

static int infer(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	for (size_t i = 0; i < x->node->n_outputs; i++)
		infer_output(x, i, (enum elem_type)in->elem, in->rank, in->dims);
	return 0;
}

static const struct hw_kind kind = {
	.flags = HW_FORK,
	.streams = 1,
	.pe_limit = "NumChannels",
	.in_type = "inputDataType",
	.out_type = "inputDataType",
	.read = hw_read_vectors,
};

const struct op op_DuplicateStreams = {
	.domain = DOMAIN_FINN,
	.name = "DuplicateStreams",
	.summary = "Hardware: copies of a stream",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = -1,
	.flags = OP_MOVES,
	.infer = infer,
	.datatype = datatype_same,
	.exec = hw_exec_copies,
	.hw = &kind,
};

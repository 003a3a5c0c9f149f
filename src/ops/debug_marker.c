/* DebugMarker: passes its input on; the attribute export_debug_name names it for whoever looks. */
#include "ops/op.h"

static int exec(struct exec_ctx *x)
{
	x->out[0] = tensor_ref(x->in[0]);
	return 0;
}

const struct op op_DebugMarker = {
	.domain = DOMAIN_QONNX,
	.name = "DebugMarker",
	.summary = "Passes its input on under a name for debugging",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_ELEMENTWISE | OP_MOVES | OP_MONOTONE,
	.infer = infer_same,
	.datatype = datatype_same,
	.exec = exec,
};

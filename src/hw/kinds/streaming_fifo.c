/* StreamingFIFO: a queue between two layers. */
#include <math.h>

#include "hw/kinds/exec.h"

static int read_queue(const struct node *n, struct hw_layer *l, struct diags *d)
{
	size_t count = 0;
	const int64_t *folded = node_attr_ints(n, "folded_shape", &count);
	l->elements[0] = l->elements[1] = hw_product(n, "normal_shape");
	l->depth = node_attr_int(n, "depth", 0);
	if (!count || folded[count - 1] < 1)
		return diag_node_error(d, n, NULL, "folded_shape is missing or not positive");
	l->widths[0] = l->widths[1] = folded[count - 1] * l->in_bits;
	return 0;
}

static struct hw_cost cost(const struct hw_layer *l, const struct hw_choice *c)
{
	int64_t lut = 2 * (int64_t)ceil(log2((double)(l->depth > 1 ? l->depth : 2)));
	lut += ceil_div(l->depth, 32) * ceil_div(l->widths[0], 2);
	return (struct hw_cost){ .cycles = hw_input(l, c, 0).words, .lut = lut };
}

static const struct hw_kind kind = {
	.flags = HW_QUEUE | HW_IN_RTL,
	.streams = 1,
	.in_type = "dataType",
	.out_type = "dataType",
	.read = read_queue,
	.input = hw_wide_input,
	.output = hw_wide_output,
	.cost = cost,
};

const struct op op_StreamingFIFO = {
	.domain = DOMAIN_FINN,
	.name = "StreamingFIFO",
	.summary = "Hardware: a queue between two layers",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer_same,
	.datatype = hw_plumbing_datatype,
	.exec = hw_exec_copies,
	.hw = &kind,
};

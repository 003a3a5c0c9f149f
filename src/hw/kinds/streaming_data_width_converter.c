/* StreamingDataWidthConverter: the same elements in words of another width. */
#include <math.h>

#include "hw/kinds/exec.h"

static int read_converter(const struct node *n, struct hw_layer *l, struct diags *d)
{
	l->elements[0] = l->elements[1] = hw_product(n, "shape");
	l->widths[0] = node_attr_int(n, "inWidth", 0);
	l->widths[1] = node_attr_int(n, "outWidth", 0);
	for (int i = 0; i < 2; i++)
		if (l->widths[i] < l->in_bits)
			return diag_node_error(d, n, NULL, "%s=%lld is less than an element of %d bits",
					       i ? "outWidth" : "inWidth", (long long)l->widths[i], l->in_bits);
	return 0;
}

/* Words pass through one of the least common multiple of both widths. */
static struct hw_cost cost(const struct hw_layer *l, const struct hw_choice *c)
{
	int64_t in = l->widths[0], out = l->widths[1], small = in < out ? in : out, large = in < out ? out : in;
	int64_t common = large / common_divisor(large, small) * small;
	struct hw_cost sum = hw_default_cost(l, c);
	if (in != common)
		sum.lut += (int64_t)fabs(ceil(log2((double)in / (double)common))) + common;
	if (common != out)
		sum.lut += (int64_t)fabs(ceil(log2((double)common / (double)out))) + out;
	return sum;
}

/* Elements are buffered until a word of the output is complete; the next input word is read while there is room for it. */
static struct hw_step step(const struct hw_layer *l, const struct hw_progress *p)
{
	int64_t in = l->widths[0], out = l->widths[1], buffered = p->read * in - p->written * out;
	bool more = p->read < hw_input(l, &l->now, 0).words;
	if (buffered < out)
		return (struct hw_step){ .read = more };
	return (struct hw_step){ more && buffered - out < out, true, true };
}

static const struct hw_kind kind = {
	.flags = HW_CONVERTER | HW_IN_RTL,
	.streams = 1,
	.in_type = "dataType",
	.out_type = "dataType",
	.read = read_converter,
	.input = hw_wide_input,
	.output = hw_wide_output,
	.cost = cost,
	.steps = hw_until_written,
	.step = step,
};

const struct op op_StreamingDataWidthConverter = {
	.domain = DOMAIN_FINN,
	.name = "StreamingDataWidthConverter",
	.summary = "Hardware: the same elements in words of another width",
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

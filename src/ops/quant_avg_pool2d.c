/* QuantAvgPool2d: the sum over each window, shifted right so that it fits obits. */
#include <math.h>
#include <string.h>

#include "ops/channels.h"
#include "ops/pool.h"

static int read_window(const struct node *n, const int64_t in[2], struct window *w, struct diags *d)
{
	int64_t k = node_attr_int(n, "kernel", 1), s = node_attr_int(n, "stride", 1);
	*w = (struct window){ .spatial = 2,
			      .in = { 1, in[0], in[1] },
			      .out = { 1, -1, -1 },
			      .kernel = { 1, k, k },
			      .stride = { 1, s, s },
			      .dilation = { 1, 1, 1 } };
	if (k < 1 || s < 1 || k > INT32_MAX || s > INT32_MAX)
		return diag_node_error(d, n, NULL, "kernel %lld and stride %lld must be positive", (long long)k,
				       (long long)s);
	for (int i = 1; i < 3; i++) {
		if (w->in[i] >= 0 && w->in[i] < k)
			return diag_node_error(d, n, NULL, "the window is larger than the input");
		w->out[i] = w->in[i] < 0 ? -1 : (w->in[i] - k) / s + 1;
	}
	return 0;
}

static bool is_nhwc(const struct node *n)
{
	return strcmp(node_attr_string(n, "data_layout", "NCHW"), "NHWC") == 0;
}

static int infer(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int c = is_nhwc(x->node) ? 3 : 1, h = is_nhwc(x->node) ? 1 : 2;
	struct window w;
	int64_t dims[4];
	if (in->rank < 0) {
		infer_output(x, 0, (enum elem_type)in->elem, -1, NULL);
		return 0;
	}
	if (in->rank != 4)
		return diag_node_error(x->diags, x->node, NULL, "the input has %d axes, not 4", in->rank);
	if (read_window(x->node, in->dims + h, &w, x->diags) != 0)
		return -1;
	dims[0] = in->dims[0];
	dims[c] = in->dims[c];
	dims[h] = w.out[1];
	dims[h + 1] = w.out[2];
	infer_output(x, 0, (enum elem_type)in->elem, 4, dims);
	return 0;
}

/* Bits that the largest sum has beyond obits: how far it is shifted. */
static int shift_bits(const struct node *n)
{
	int64_t k = node_attr_int(n, "kernel", 1), ibits = node_attr_int(n, "ibits", 1);
	double most = (exp2((double)ibits) - 1) * (double)k * (double)k;
	int accumulator = 0;
	if (isfinite(most))
		frexp(most, &accumulator); /* the bit length of an integer */
	int64_t obits = node_attr_int(n, "obits", 1);
	return obits < 0 || obits >= accumulator ? 0 : accumulator - (int)obits;
}

static int exec_nchw(struct exec_ctx *x)
{
	struct window w;
	if (x->in[0]->rank != 4)
		return exec_unsupported(x, "an input without four axes");
	if (read_window(x->node, x->in[0]->dims + 2, &w, x->diags) != 0 || pool_exec_window(x, POOL_AVERAGE, &w) != 0)
		return -1;
	struct tensor *y = x->out[0];
	int64_t area = w.kernel[1] * w.kernel[2];
	int shift = shift_bits(x->node);
	for (int64_t i = 0; i < y->count; i++) { /* the mean times the area is the sum again */
		double sum = y->elem == ELEM_FLOAT ? rintf(((float *)y->data)[i] * (float)area)
						   : rint(tensor_at(y, i) * (double)area);
		tensor_put(y, i, floor(ldexp(sum, -shift)));
	}
	return 0;
}

static int exec(struct exec_ctx *x)
{
	return is_nhwc(x->node) ? exec_channels_last(x, exec_nchw, 1) : exec_nchw(x);
}

static struct datatype datatype(const struct node *n, size_t i)
{
	(void)i;
	int64_t bits = node_attr_int(n, "obits", 1);
	if (bits < 1 || bits > 32)
		return datatype_of_kind(DT_NONE);
	return node_attr_int(n, "signed", 0) ? datatype_int((int)bits) : datatype_uint((int)bits);
}

const struct op op_QuantAvgPool2d = {
	.domain = DOMAIN_QONNX,
	.name = "QuantAvgPool2d",
	.summary = "Sums each window of integers and shifts the sum to obits",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_QUANTISER,
	.infer = infer,
	.datatype = datatype,
	.exec = exec,
};

/* Conv: convolution over one to three spatial axes, channels first, and channels last in QONNX's domain. */
#include "ops/broadcast.h"
#include "ops/form.h"
#include "ops/channels.h"
#include "ops/conv_kernel.h"
#include "ops/products.h"

static int infer_first(struct infer_ctx *x)
{
	return conv_infer(x, 0, 1, false, (enum elem_type)node_input(x->node, 0)->elem);
}

static int infer_last(struct infer_ctx *x)
{
	return conv_infer(x, 0, 1, true, (enum elem_type)node_input(x->node, 0)->elem);
}

static struct datatype datatype(const struct node *n, size_t i)
{
	(void)i;
	const struct value *weights = node_input(n, 1);
	size_t pads;
	const struct value *x = node_input(n, 0);
	const int64_t *pad = node_attr_ints(n, "pads", &pads);
	bool padded = node_attr(n, "auto_pad") != NULL;
	for (size_t k = 0; k < pads; k++)
		padded = padded || pad[k];
	/* padding mixes zeros in: the datatype's bounds stay an over-estimate as long as they include 0 */
	if (padded && x->datatype.kind == DT_BIPOLAR) {
		struct value ternary = *x;
		ternary.datatype = datatype_of_kind(DT_TERNARY);
		return accumulator_datatype(n, &ternary, weights, node_input(n, 2), conv_terms(weights));
	}
	return accumulator_datatype(n, x, weights, node_input(n, 2), conv_terms(weights));
}

static int64_t macs(const struct node *n)
{
	return conv_macs(n, 1);
}

static int kernel(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0], *weights = x->in[1], *bias = exec_input(x, 2);
	struct conv c;
	int64_t dims[MAX_RANK];
	if ((in->elem != ELEM_FLOAT && in->elem != ELEM_DOUBLE) || weights->elem != in->elem ||
	    (bias && bias->elem != in->elem))
		return exec_unsupported(x, "operands that are not all float or all double");
	if (conv_plan(&c, x->node, in, weights, x->diags) != 0)
		return -1;
	if (bias && bias->count != c.out_channels)
		return exec_unsupported(x, "a bias whose size is not the number of output channels");
	int rank = conv_dims(&c, dims);
	struct tensor *y = exec_output(x, 0, (enum elem_type)in->elem, rank, dims);
	if (!y || conv_work(x, &c) < 0)
		return -1;
	conv_run(&c, in, weights, bias, y);
	return 0;
}

static int exec_last(struct exec_ctx *x)
{
	return exec_channels_last(x, kernel, 2);
}

const struct op op_Conv = {
	.domain = DOMAIN_ONNX,
	.name = "Conv",
	.summary = "Convolution, in groups, with stride, dilation and padding",
	.min_inputs = 2,
	.max_inputs = 3,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_first,
	.datatype = datatype,
	.exec = kernel,
	.widens = true,
	.macs = macs,
	.form = form_conv,
};

const struct op op_ConvChannelsLast = {
	.domain = DOMAIN_CHANNELS_LAST,
	.name = "Conv",
	.summary = "Convolution of channels-last data (N, spatial, C) with weights (M, kernel, C)",
	.min_inputs = 2,
	.max_inputs = 3,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_last,
	.datatype = datatype,
	.exec = exec_last,
	.widens = true,
	.macs = macs,
};

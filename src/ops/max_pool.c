/* MaxPool, channels first and (in QONNX's domain) channels last, and QONNX's older MaxPoolNHWC. */
#include "ops/channels.h"
#include "ops/form.h"
#include "ops/pool.h"

static int infer_first(struct infer_ctx *x)
{
	return pool_infer(x, false);
}

static int infer_last(struct infer_ctx *x)
{
	return pool_infer(x, true);
}

static int exec_first(struct exec_ctx *x)
{
	return pool_exec(x, POOL_MAX);
}

static int exec_last(struct exec_ctx *x)
{
	return exec_channels_last(x, exec_first, 1);
}

static struct datatype datatype(const struct node *n, size_t i)
{
	return i == 0 ? datatype_same(n, 0) : datatype_of_kind(DT_NONE);
}

const struct op op_MaxPool = {
	.domain = DOMAIN_ONNX,
	.name = "MaxPool",
	.summary = "The largest element of each window",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 2,
	.infer = infer_first,
	.datatype = datatype,
	.exec = exec_first,
	.form = form_pool,
};

const struct op op_MaxPoolChannelsLast = {
	.domain = DOMAIN_CHANNELS_LAST,
	.name = "MaxPool",
	.summary = "The largest element of each window, channels last",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_last,
	.datatype = datatype,
	.exec = exec_last,
};

const struct op op_MaxPoolNHWC = {
	.domain = DOMAIN_QONNX,
	.name = "MaxPoolNHWC",
	.summary = "The largest element of each window of NHWC data",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_last,
	.datatype = datatype,
	.exec = exec_last,
};

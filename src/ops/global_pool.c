/* GlobalAveragePool, GlobalMaxPool and GlobalLpPool: one window over all spatial axes. */
#include "ops/form.h"
#include "ops/lines.h"
#include "ops/pool.h"
#include "util/integers.h"

static int infer(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t dims[MAX_RANK];
	for (int i = 0; i < in->rank; i++)
		dims[i] = i < 2 ? in->dims[i] : 1;
	infer_output(x, 0, (enum elem_type)in->elem, in->rank, dims);
	return 0;
}

/* All spatial axes as one, which a single window spans. */
static int pool_all(struct exec_ctx *x, enum pool_kind kind)
{
	const struct tensor *in = x->in[0];
	int64_t dims[MAX_RANK];
	if (in->rank < 2)
		return exec_unsupported(x, "data without channels");
	int64_t area = dims_product(in->dims, 2, in->rank);
	if (area == 0)
		return exec_unsupported(x, "data with an empty spatial axis");
	struct window w = { .spatial = 1,
			    .in = { 1, 1, area },
			    .out = { 1, 1, 1 },
			    .kernel = { 1, 1, area },
			    .stride = { 1, 1, 1 },
			    .dilation = { 1, 1, 1 } };
	struct tensor *flat = tensor_view(in, 3, (const int64_t[]){ in->dims[0], in->dims[1], area });
	struct exec_ctx inner = *x;
	inner.in = &flat;
	inner.shapes = SHAPES_ANY; /* the spatial axes are still one */
	int result = flat ? pool_exec_window(&inner, kind, &w) : exec_unsupported(x, "data of that size");
	tensor_unref(flat);
	if (result != 0)
		return -1;
	for (int i = 0; i < in->rank; i++)
		dims[i] = i < 2 ? in->dims[i] : 1;
	struct tensor *y = x->out[0];
	x->out[0] = tensor_view(y, in->rank, dims);
	tensor_unref(y);
	return x->out[0] ? 0 : -1;
}

static int exec_average(struct exec_ctx *x)
{
	return pool_all(x, POOL_AVERAGE);
}

static int exec_max(struct exec_ctx *x)
{
	return pool_all(x, POOL_MAX);
}

static int exec_lp(struct exec_ctx *x)
{
	return pool_all(x, POOL_LP);
}

const struct op op_GlobalAveragePool = {
	.domain = DOMAIN_ONNX,
	.name = "GlobalAveragePool",
	.summary = "The mean over all spatial axes",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer,
	.exec = exec_average,
	.form = form_pool,
};

const struct op op_GlobalMaxPool = {
	.domain = DOMAIN_ONNX,
	.name = "GlobalMaxPool",
	.summary = "The largest element over all spatial axes",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer,
	.datatype = datatype_same,
	.exec = exec_max,
	.form = form_pool,
};

const struct op op_GlobalLpPool = {
	.domain = DOMAIN_ONNX,
	.name = "GlobalLpPool",
	.summary = "The p-norm over all spatial axes",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer,
	.exec = exec_lp,
	.form = form_pool,
};

/* AveragePool and LpPool. */
#include "ops/form.h"
#include "ops/pool.h"

static int infer(struct infer_ctx *x)
{
	return pool_infer(x, false);
}

static int exec_average(struct exec_ctx *x)
{
	return pool_exec(x, POOL_AVERAGE);
}

static int exec_lp(struct exec_ctx *x)
{
	return pool_exec(x, POOL_LP);
}

const struct op op_AveragePool = {
	.domain = DOMAIN_ONNX,
	.name = "AveragePool",
	.summary = "The mean of each window",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer,
	.exec = exec_average,
	.form = form_pool,
};

const struct op op_LpPool = {
	.domain = DOMAIN_ONNX,
	.name = "LpPool",
	.summary = "The p-norm of each window",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer,
	.exec = exec_lp,
	.form = form_pool,
};

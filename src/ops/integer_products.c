/* MatMulInteger, ConvInteger, QLinearMatMul and QLinearConv: products of integers less their zero points, computed
 * in double, where they are exact (sums stay far below 2^53). */
#include <math.h>

#include "ops/conv_kernel.h"
#include "ops/form.h"
#include "ops/linear.h"
#include "ops/mat_mul.h"
#include "ops/products.h"
#include "ops/ranges.h"

/* Which inputs of the node play which part; -1: absent. */
struct roles {
	int a, a_zero, b, b_zero;
};
static const struct roles integer_roles = { 0, 2, 1, 3 }, linear_roles = { 0, 2, 3, 5 };

static const struct tensor *role(const struct exec_ctx *x, int i)
{
	return i < 0 ? NULL : exec_input(x, (size_t)i);
}

/* ---- matrices ---- */

static struct tensor *matrix_product(struct exec_ctx *x, const struct roles *r)
{
	const struct tensor *a = role(x, r->a), *b = role(x, r->b);
	struct mat_mul_dims p;
	if (!mat_mul_read(&p, a->rank, a->dims, b->rank, b->dims)) {
		mat_mul_clash(x, (size_t)r->a, (size_t)r->b);
		return NULL;
	}
	struct tensor *wide_a = linear_centred(x, a, role(x, r->a_zero), a->rank - 2);
	struct tensor *wide_b = linear_centred(x, b, role(x, r->b_zero), b->rank - 1);
	bool ready = wide_a && wide_b && mat_mul_work(x, &p) == 0;
	struct tensor *y = ready ? exec_scratch(x, ELEM_DOUBLE, p.rank, p.dims) : NULL;
	if (y)
		mat_mul_run(&p, wide_a, wide_b, y);
	tensor_unref(wide_a);
	tensor_unref(wide_b);
	return y;
}

/* Sums wrap as int32 does. */
static int as_int32(struct exec_ctx *x, struct tensor *sums)
{
	if (!sums)
		return -1;
	struct tensor *y = exec_output(x, 0, ELEM_INT32, sums->rank, sums->dims);
	for (int64_t i = 0; y && i < sums->count; i++)
		((int32_t *)y->data)[i] = (int32_t)(uint32_t)(int64_t)((double *)sums->data)[i];
	tensor_unref(sums);
	return y ? 0 : -1;
}

static int exec_mat_mul_integer(struct exec_ctx *x)
{
	return as_int32(x, matrix_product(x, &integer_roles));
}

/* scale_a * scale_b / scale_y, in float as onnxruntime has it; scale_b may be per output channel. */
static struct tensor *output_factor(struct exec_ctx *x)
{
	const struct tensor *a = x->in[1], *b = x->in[4], *y = x->in[6];
	if (a->count != 1 || y->count != 1 || b->count < 1) {
		exec_unsupported(x, "scales of the input or output that are no scalars");
		return NULL;
	}
	struct tensor *factor = tensor_try_raw(ELEM_FLOAT, 1, (const int64_t[]){ b->count });
	for (int64_t i = 0; factor && i < b->count; i++)
		((float *)factor->data)[i] = (float)tensor_at(a, 0) * (float)tensor_at(b, i) / (float)tensor_at(y, 0);
	return factor;
}

static int requantise(struct exec_ctx *x, struct tensor *sums, int axis)
{
	struct tensor *factor = sums ? output_factor(x) : NULL;
	if (!factor) {
		tensor_unref(sums);
		return -1;
	}
	int result = linear_requantise(x, sums, factor, x->in[7], axis);
	tensor_unref(factor);
	return result;
}

static int exec_linear_mat_mul(struct exec_ctx *x)
{
	struct tensor *sums = matrix_product(x, &linear_roles);
	return requantise(x, sums, sums ? sums->rank - 1 : 0);
}

/* ---- convolutions ---- */

static struct tensor *convolution(struct exec_ctx *x, const struct roles *r, const struct tensor *bias)
{
	const struct tensor *in = role(x, r->a), *weights = role(x, r->b);
	struct conv c;
	int64_t dims[MAX_RANK];
	if (conv_plan(&c, x->node, in, weights, x->diags) != 0)
		return NULL;
	if (bias && bias->count != c.out_channels) {
		exec_unsupported(x, "a bias whose size is not the number of output channels");
		return NULL;
	}
	int rank = conv_dims(&c, dims);
	struct tensor *wide = linear_centred(x, in, role(x, r->a_zero), 1);
	struct tensor *wide_weights = linear_centred(x, weights, role(x, r->b_zero), 0);
	struct tensor *wide_bias = bias ? tensor_try_cast(bias, ELEM_DOUBLE) : NULL;
	bool ready = wide && wide_weights && (wide_bias || !bias) && conv_work(x, &c) == 0;
	struct tensor *y = ready ? exec_scratch(x, ELEM_DOUBLE, rank, dims) : NULL;
	if (y)
		conv_run(&c, wide, wide_weights, wide_bias, y);
	tensor_unref(wide);
	tensor_unref(wide_weights);
	tensor_unref(wide_bias);
	return y;
}

static int exec_conv_integer(struct exec_ctx *x)
{
	return as_int32(x, convolution(x, &integer_roles, NULL));
}

static int exec_linear_conv(struct exec_ctx *x)
{
	return requantise(x, convolution(x, &linear_roles, exec_input(x, 8)), 1);
}

/* ---- inference ---- */

static int infer_mat_mul_integer(struct infer_ctx *x)
{
	return mat_mul_infer(x, 0, 1, ELEM_INT32);
}

static int infer_conv_integer(struct infer_ctx *x)
{
	return conv_infer(x, 0, 1, false, ELEM_INT32);
}

static enum elem_type output_type(const struct infer_ctx *x)
{
	return (enum elem_type)node_input(x->node, 7)->elem;
}

static int infer_linear_mat_mul(struct infer_ctx *x)
{
	return mat_mul_infer(x, 0, 3, output_type(x));
}

static int infer_linear_conv(struct infer_ctx *x)
{
	return conv_infer(x, 0, 3, false, output_type(x));
}

/* Without zero points the accumulator's range follows from the factors'; else it is what int32 holds. */
static struct datatype datatype_sums(const struct node *n, int64_t terms)
{
	struct datatype t = datatype_of_kind(DT_NONE);
	if (!node_input(n, 2) && !node_input(n, 3))
		t = accumulator_datatype(n, node_input(n, 0), node_input(n, 1), NULL, terms);
	return t.kind == DT_NONE ? datatype_int(32) : t;
}

static struct datatype datatype_mat_mul(const struct node *n, size_t i)
{
	(void)i;
	return datatype_sums(n, mat_mul_inner(node_input(n, 0)));
}

static struct datatype datatype_conv(const struct node *n, size_t i)
{
	(void)i;
	return datatype_sums(n, conv_terms(node_input(n, 1)));
}

static struct datatype datatype_linear(const struct node *n, size_t i)
{
	(void)i;
	const struct value *zero = node_input(n, 7);
	return zero->elem == ELEM_INT8	  ? datatype_int(8)
	       : zero->elem == ELEM_UINT8 ? datatype_uint(8)
					  : datatype_of_kind(DT_NONE);
}

static int64_t macs_mat_mul(const struct node *n)
{
	return mat_mul_macs(n);
}

static int64_t macs_conv(const struct node *n)
{
	return conv_macs(n, 1);
}

static int64_t macs_linear_conv(const struct node *n)
{
	return conv_macs(n, 3);
}

const struct op op_MatMulInteger = {
	.domain = DOMAIN_ONNX,
	.name = "MatMulInteger",
	.summary = "Product of 8-bit matrices less their zero points, in int32",
	.min_inputs = 2,
	.max_inputs = 4,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_mat_mul_integer,
	.datatype = datatype_mat_mul,
	.exec = exec_mat_mul_integer,
	.macs = macs_mat_mul,
	.form = form_mat_mul,
};

const struct op op_ConvInteger = {
	.domain = DOMAIN_ONNX,
	.name = "ConvInteger",
	.summary = "Convolution of 8-bit data less their zero points, in int32",
	.min_inputs = 2,
	.max_inputs = 4,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_conv_integer,
	.datatype = datatype_conv,
	.exec = exec_conv_integer,
	.macs = macs_conv,
	.form = form_conv,
};

const struct op op_QLinearMatMul = {
	.domain = DOMAIN_ONNX,
	.name = "QLinearMatMul",
	.summary = "Product of linearly quantised matrices, quantised again",
	.min_inputs = 8,
	.max_inputs = 8,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_linear_mat_mul,
	.datatype = datatype_linear,
	.exec = exec_linear_mat_mul,
	.macs = macs_mat_mul,
	.form = form_mat_mul,
};

const struct op op_QLinearConv = {
	.domain = DOMAIN_ONNX,
	.name = "QLinearConv",
	.summary = "Convolution of linearly quantised data, quantised again",
	.min_inputs = 8,
	.max_inputs = 9,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_linear_conv,
	.datatype = datatype_linear,
	.exec = exec_linear_conv,
	.macs = macs_linear_conv,
	.form = form_conv,
};

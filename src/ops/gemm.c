/* Gemm: alpha * A' * B' + beta * C, with A' and B' optionally transposed. */
#include "ops/broadcast.h"
#include "ops/form.h"
#include "ops/gemm_kernel.h"
#include "ops/products.h"
#include "ops/ranges.h"
#include "util/integers.h"

static bool flag(const struct node *n, const char *name)
{
	return node_attr_int(n, name, 0) != 0;
}

static int infer(struct infer_ctx *x)
{
	const struct node *n = x->node;
	const struct value *a = node_input(n, 0), *b = node_input(n, 1);
	int64_t dims[2] = { -1, -1 };
	bool ta = flag(n, "transA"), tb = flag(n, "transB");
	if ((a->rank >= 0 && a->rank != 2) || (b->rank >= 0 && b->rank != 2))
		return diag_node_error(x->diags, n, "flatten the input first", "both factors must be matrices");
	if (a->rank == 2)
		dims[0] = a->dims[ta];
	if (b->rank == 2)
		dims[1] = b->dims[!tb];
	if (a->rank == 2 && b->rank == 2 && a->dims[!ta] != b->dims[tb] && a->dims[!ta] >= 0 && b->dims[tb] >= 0)
		return diag_node_error(x->diags, n, NULL, "matrices do not multiply: inner dimensions %lld and %lld",
				       (long long)a->dims[!ta], (long long)b->dims[tb]);
	infer_output(x, 0, (enum elem_type)a->elem, 2, dims);
	return 0;
}

static int64_t inner(const struct node *n)
{
	const struct value *a = node_input(n, 0);
	return a->rank == 2 ? a->dims[!flag(n, "transA")] : -1;
}

static struct datatype datatype(const struct node *n, size_t i)
{
	(void)i;
	if (node_attr_float(n, "alpha", 1) != 1 || node_attr_float(n, "beta", 1) != 1)
		return datatype_of_kind(DT_NONE);
	return accumulator_datatype(n, node_input(n, 0), node_input(n, 1), node_input(n, 2), inner(n));
}

static int64_t macs(const struct node *n)
{
	const struct value *out = node_output(n, 0);
	int64_t k = inner(n), count;
	return k >= 0 && out && out->rank == 2 && dims_count(2, out->dims, &count) ? multiply_clamped(k, count) : -1;
}

/* y = alpha * y + beta * c, c broadcast over y. */
#define BIAS_LOOP(elem, T, W, ...)                                                                               \
	LOOP_FUNCTION add_bias_##elem(T *restrict y, const T *restrict c, int64_t n, bool step, T alpha, T beta) \
	{                                                                                                        \
		if (step && alpha == 1 && beta == 1)                                                             \
			for (int64_t i = 0; i < n; i++)                                                          \
				y[i] += c[i];                                                                    \
		else                                                                                             \
			for (int64_t i = 0; i < n; i++)                                                          \
				y[i] = alpha * y[i] + beta * c[step ? i : 0];                                    \
	}
EACH_FLOAT(BIAS_LOOP, unused)

static int finish(struct exec_ctx *x, struct tensor *y, struct tensor *c)
{
	double alpha = node_attr_float(x->node, "alpha", 1), beta = node_attr_float(x->node, "beta", 1);
	struct tensor *zero = NULL, *both[2] = { y, c };
	struct walk w;
	int rank;
	int64_t dims[MAX_RANK];
	if (!c && alpha == 1)
		return 0;
	if (!c) {
		both[1] = zero = tensor_try_new((enum elem_type)y->elem, 0, NULL);
		beta = 0;
	}
	if (!exec_broadcast_shape(x, both, 2, &rank, dims))
		return -1;
	if (rank != 2 || dims[0] != y->dims[0] || dims[1] != y->dims[1])
		return exec_unsupported(x, "C does not broadcast to the product");
	if (walk_start(&w, rank, dims, 2, both))
		do {
			if (y->elem == ELEM_FLOAT)
				add_bias_ELEM_FLOAT((float *)y->data + w.done, (float *)both[1]->data + w.offset[1],
						    w.run, w.step[1], (float)alpha, (float)beta);
			else
				add_bias_ELEM_DOUBLE((double *)y->data + w.done, (double *)both[1]->data + w.offset[1],
						     w.run, w.step[1], alpha, beta);
		} while (walk_next(&w));
	tensor_unref(zero);
	return 0;
}

static int product(struct exec_ctx *x)
{
	const struct tensor *a = x->in[0], *b = x->in[1];
	bool ta = flag(x->node, "transA"), tb = flag(x->node, "transB");
	if (a->rank != 2 || b->rank != 2)
		return exec_unsupported(x, "a factor is no matrix");
	if (a->dims[!ta] != b->dims[tb])
		return exec_unsupported(x, "inner dimensions differ");
	int64_t dims[2] = { a->dims[ta], b->dims[!tb] };
	struct matrix_shape s = { dims[0], dims[1], a->dims[!ta], ta, tb, a->dims[1], b->dims[1], dims[1] };
	struct tensor *y = exec_output(x, 0, (enum elem_type)a->elem, 2, dims);
	if (!y || exec_work(x, y->count, s.k / 4 + 1) < 0)
		return -1;
	if (a->elem == ELEM_FLOAT)
		gemm_float(&s, a->data, b->data, y->data);
	else
		gemm_double(&s, a->data, b->data, y->data);
	return finish(x, y, exec_input(x, 2));
}

/* Integer matrices are multiplied in double: exact as far as sums stay below 2^53. */
static int in_double(struct exec_ctx *x, enum elem_type elem)
{
	struct tensor *in[3] = { NULL };
	struct exec_ctx inner = *x;
	inner.in = in;
	for (size_t i = 0; i < x->n_in && i < 3; i++)
		in[i] = x->in[i] ? tensor_try_cast(x->in[i], ELEM_DOUBLE) : NULL;
	bool cast = true;
	for (size_t i = 0; i < x->n_in && i < 3; i++)
		cast = cast && (in[i] || !x->in[i]);
	int result = cast ? product(&inner) : exec_unsupported(x, "operands of that size");
	if (result == 0) {
		struct tensor *y = x->out[0];
		x->out[0] = tensor_try_cast(y, elem);
		tensor_unref(y);
		result = x->out[0] ? 0 : -1;
	}
	for (int i = 0; i < 3; i++)
		tensor_unref(in[i]);
	return result;
}

static int kernel(struct exec_ctx *x)
{
	enum elem_type elem = (enum elem_type)x->in[0]->elem;
	for (size_t i = 1; i < x->n_in; i++)
		if (x->in[i] && x->in[i]->elem != elem)
			return exec_unsupported(x, "operands of different storage types");
	if (elem == ELEM_FLOAT || elem == ELEM_DOUBLE)
		return product(x);
	return elem_is_integer(elem) ? in_double(x, elem) : exec_unsupported(x, elem_name(elem));
}

const struct op op_Gemm = {
	.domain = DOMAIN_ONNX,
	.name = "Gemm",
	.summary = "Matrix product with scaling, optional transposition and an added C",
	.min_inputs = 2,
	.max_inputs = 3,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer,
	.datatype = datatype,
	.exec = kernel,
	.widens = true,
	.macs = macs,
	.form = form_gemm,
};

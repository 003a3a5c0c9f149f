/* MatMul: the product of (stacks of) matrices under NumPy's rules. */
#include "ops/form.h"
#include "ops/mat_mul.h"

#include <string.h>

#include "ops/broadcast.h"
#include "ops/gemm_kernel.h"
#include "ops/products.h"
#include "util/integers.h"

/* Strides, in elements, of an operand along the broadcast batch axes. */
static void batch_strides(int rank, const int64_t *dims, int batch_rank, int64_t *stride)
{
	int own_rank = rank > 2 ? rank - 2 : 0;
	int64_t step = rank >= 2 ? dims[rank - 1] * dims[rank - 2] : 0;
	for (int i = batch_rank - 1; i >= 0; i--) {
		int own = i - (batch_rank - own_rank);
		stride[i] = own < 0 || dims[own] == 1 ? 0 : step;
		step *= own < 0 ? 1 : dims[own];
	}
}

/* Shape of the product: rank -1 where unknown; false where the shapes clash. Dims may be -1. */
static bool product_shape(int rank_a, const int64_t *a, int rank_b, const int64_t *b, int *rank, int64_t *out)
{
	int64_t inner_a = a[rank_a - 1], inner_b = b[rank_b >= 2 ? rank_b - 2 : 0];
	if (inner_a != inner_b && inner_a >= 0 && inner_b >= 0)
		return false;
	if (!broadcast_shapes(rank_a > 2 ? rank_a - 2 : 0, a, rank_b > 2 ? rank_b - 2 : 0, b, rank, out))
		return false;
	if (*rank + 2 > MAX_RANK)
		return false;
	if (rank_a >= 2)
		out[(*rank)++] = a[rank_a - 2];
	if (rank_b >= 2)
		out[(*rank)++] = b[rank_b - 1];
	return true;
}

bool mat_mul_read(struct mat_mul_dims *p, int rank_a, const int64_t *a, int rank_b, const int64_t *b)
{
	if (rank_a < 1 || rank_b < 1 || !product_shape(rank_a, a, rank_b, b, &p->rank, p->dims))
		return false;
	p->m = rank_a >= 2 ? a[rank_a - 2] : 1;
	p->n = rank_b >= 2 ? b[rank_b - 1] : 1;
	p->k = a[rank_a - 1];
	p->batch_rank = p->rank - (rank_a >= 2) - (rank_b >= 2);
	memcpy(p->batch, p->dims, sizeof p->batch);
	batch_strides(rank_a, a, p->batch_rank, p->a_stride);
	batch_strides(rank_b, b, p->batch_rank, p->b_stride);
	if (rank_b <= 2 && p->batch_rank && rank_a > 2) { /* one B for all: a single tall product */
		for (int i = 0; i < p->batch_rank; i++)
			p->m *= p->batch[i];
		p->batch_rank = 0;
	}
	return true;
}

/* One product of a stack, at element offsets into the three operands. */
static void multiply(const struct mat_mul_dims *p, const struct tensor *a, int64_t at_a, const struct tensor *b,
		     int64_t at_b, struct tensor *c, int64_t at_c)
{
	struct matrix_shape s = { p->m, p->n, p->k, false, false, p->k, p->n, p->n };
	if (a->elem == ELEM_FLOAT)
		gemm_float(&s, (const float *)a->data + at_a, (const float *)b->data + at_b, (float *)c->data + at_c);
	else
		gemm_double(&s, (const double *)a->data + at_a, (const double *)b->data + at_b,
			    (double *)c->data + at_c);
}

int mat_mul_work(struct exec_ctx *x, const struct mat_mul_dims *p)
{
	int64_t count;
	if (!dims_count(p->rank, p->dims, &count))
		return exec_unsupported(x, "a product of that size");
	return exec_work(x, count, p->k / 4 + 1);
}

void mat_mul_run(const struct mat_mul_dims *p, const struct tensor *a, const struct tensor *b, struct tensor *c)
{
	int64_t index[MAX_RANK] = { 0 }, at_a = 0, at_b = 0;
	for (int64_t at_c = 0; at_c < c->count; at_c += p->m * p->n) {
		multiply(p, a, at_a, b, at_b, c, at_c);
		for (int i = p->batch_rank - 1; i >= 0; i--) {
			at_a += p->a_stride[i];
			at_b += p->b_stride[i];
			if (++index[i] < p->batch[i])
				break;
			at_a -= p->a_stride[i] * p->batch[i];
			at_b -= p->b_stride[i] * p->batch[i];
			index[i] = 0;
		}
	}
}

int mat_mul_infer(struct infer_ctx *x, size_t a_input, size_t b_input, enum elem_type elem)
{
	const struct value *a = node_input(x->node, a_input), *b = node_input(x->node, b_input);
	int rank;
	int64_t dims[MAX_RANK];
	if (a->rank < 0 || b->rank < 0) {
		infer_output(x, 0, elem, -1, NULL);
		return 0;
	}
	if (a->rank == 0 || b->rank == 0)
		return diag_node_error(x->diags, x->node, NULL, "a scalar cannot be multiplied as a matrix");
	if (!product_shape(a->rank, a->dims, b->rank, b->dims, &rank, dims))
		return diag_node_error(x->diags, x->node, NULL,
				       "shapes of '%s' and '%s' do not multiply: inner dimensions %lld and %lld",
				       a->name, b->name, (long long)a->dims[a->rank - 1],
				       (long long)b->dims[b->rank >= 2 ? b->rank - 2 : 0]);
	infer_output(x, 0, elem, rank, dims);
	return 0;
}

int64_t mat_mul_inner(const struct value *a)
{
	return a && a->rank > 0 ? a->dims[a->rank - 1] : -1;
}

int64_t mat_mul_macs(const struct node *n)
{
	const struct value *out = node_output(n, 0);
	int64_t inner = mat_mul_inner(node_input(n, 0)), count;
	bool known = inner >= 0 && out && value_shape_known(out) && dims_count(out->rank, out->dims, &count);
	return known ? multiply_clamped(inner, count) : -1;
}

int mat_mul_clash(struct exec_ctx *x, size_t a, size_t b)
{
	const struct tensor *p = x->in[a], *q = x->in[b];
	if (!p->rank || !q->rank)
		return exec_unsupported(x, "a scalar is no matrix");
	return diag_node_error(x->diags, x->node, NULL, "matrices do not multiply: inner dimensions %lld and %lld",
			       (long long)p->dims[p->rank - 1], (long long)q->dims[q->rank >= 2 ? q->rank - 2 : 0]);
}

static int infer(struct infer_ctx *x)
{
	return mat_mul_infer(x, 0, 1, (enum elem_type)node_input(x->node, 0)->elem);
}

static struct datatype datatype(const struct node *n, size_t i)
{
	(void)i;
	const struct value *a = node_input(n, 0);
	return accumulator_datatype(n, a, node_input(n, 1), NULL, mat_mul_inner(a));
}

/* Integers: wrapping 64-bit arithmetic, then cut to the storage type. */
static void integer_product(const struct mat_mul_dims *p, const uint64_t *a, const uint64_t *b, uint64_t *c)
{
	for (int64_t i = 0; i < p->m; i++)
		for (int64_t j = 0; j < p->n; j++) {
			uint64_t sum = 0;
			for (int64_t k = 0; k < p->k; k++)
				sum += a[i * p->k + k] * b[k * p->n + j];
			c[i * p->n + j] = sum;
		}
}

static int exec_integer(struct exec_ctx *x, const struct mat_mul_dims *p, enum elem_type elem)
{
	if (p->batch_rank)
		return exec_unsupported(x, "stacks of integer matrices");
	struct tensor *a = tensor_try_cast(x->in[0], ELEM_INT64), *b = tensor_try_cast(x->in[1], ELEM_INT64);
	struct tensor *c = exec_scratch(x, ELEM_INT64, p->rank, p->dims);
	if (a && b && c) {
		integer_product(p, a->data, b->data, c->data);
		x->out[0] = tensor_try_cast(c, elem);
	}
	tensor_unref(a);
	tensor_unref(b);
	tensor_unref(c);
	return x->out[0] ? 0 : exec_unsupported(x, "a product of that size");
}

static int kernel(struct exec_ctx *x)
{
	struct mat_mul_dims p;
	const struct tensor *a = x->in[0], *b = x->in[1];
	enum elem_type elem = (enum elem_type)a->elem;
	if (a->elem != b->elem)
		return exec_unsupported(x, "operands of different storage types");
	if (!mat_mul_read(&p, a->rank, a->dims, b->rank, b->dims))
		return mat_mul_clash(x, 0, 1);
	if (mat_mul_work(x, &p) < 0)
		return -1;
	if (elem_is_integer(elem))
		return exec_integer(x, &p, elem);
	if (elem != ELEM_FLOAT && elem != ELEM_DOUBLE)
		return exec_unsupported(x, elem_name(elem));
	struct tensor *c = exec_output(x, 0, elem, p.rank, p.dims);
	if (!c)
		return -1;
	mat_mul_run(&p, a, b, c);
	return 0;
}

const struct op op_MatMul = {
	.domain = DOMAIN_ONNX,
	.name = "MatMul",
	.summary = "Product of matrices, or of stacks of them",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer,
	.datatype = datatype,
	.exec = kernel,
	.widens = true,
	.macs = mat_mul_macs,
	.form = form_mat_mul,
};

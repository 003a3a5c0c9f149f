/* XnorPopcountMatMul: for operands in {0, 1}, the number of places where a row of A equals a column of B. */
#include "ops/broadcast.h"
#include "ops/mat_mul.h"

static int infer(struct infer_ctx *x)
{
	return mat_mul_infer(x, 0, 1, (enum elem_type)node_input(x->node, 0)->elem);
}

/* As the product of 2a - 1 and 2b - 1, P - N of K places: P = (product + K) / 2. */
static int in_type(struct exec_ctx *x, const struct mat_mul_dims *p, struct tensor *a, struct tensor *b)
{
	struct tensor *y = exec_output(x, 0, (enum elem_type)a->elem, p->rank, p->dims);
	if (!y)
		return -1;
	for (int64_t i = 0; i < a->count; i++)
		tensor_put(a, i, 2 * tensor_at(a, i) - 1);
	for (int64_t i = 0; i < b->count; i++)
		tensor_put(b, i, 2 * tensor_at(b, i) - 1);
	mat_mul_run(p, a, b, y);
	for (int64_t i = 0; i < y->count; i++)
		tensor_put(y, i, (tensor_at(y, i) + (double)p->k) * 0.5);
	return 0;
}

static int kernel(struct exec_ctx *x)
{
	struct mat_mul_dims p;
	const struct tensor *a = x->in[0], *b = x->in[1];
	if ((a->elem != ELEM_FLOAT && a->elem != ELEM_DOUBLE) || a->elem != b->elem)
		return exec_unsupported(x, "operands that are not both float or both double");
	if (!mat_mul_read(&p, a->rank, a->dims, b->rank, b->dims))
		return mat_mul_clash(x, 0, 1);
	struct tensor *own_a = tensor_try_copy(a), *own_b = tensor_try_copy(b);
	int result = own_a && own_b ? in_type(x, &p, own_a, own_b) : -1;
	tensor_unref(own_a);
	tensor_unref(own_b);
	return result;
}

static struct datatype datatype(const struct node *n, size_t i)
{
	(void)i;
	int64_t k = mat_mul_inner(node_input(n, 0));
	return k < 0 ? datatype_uint(32) : datatype_for_range(0, k);
}

const struct op op_XnorPopcountMatMul = {
	.domain = DOMAIN_QONNX,
	.name = "XnorPopcountMatMul",
	.summary = "Matrix product of binary operands by XNOR and popcount",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer,
	.datatype = datatype,
	.exec = kernel,
	.widens = true,
	.macs = mat_mul_macs,
};

/* ONNX Runtime's operators (domain com.microsoft) that qop-to-quant writes with ONNX's own, beside those that
 * qop_to_quant.c shares with ONNX's QOperator form. */
#include <math.h>
#include <string.h>

#include "passes/qop_rewrite.h"

static struct value *number(const struct rewrite *r, double x)
{
	return constant_scalar(r->g, "number", x);
}

static int done(const struct rewrite *r, struct value *y)
{
	node_bypass(r->n, y);
	return 1;
}

/* ---- on quantised values ---- */

/* ONNX's Softmax goes along one axis; until opset 12 it went along all from that one on, which for the last is the same. */
static int linear_softmax(const struct rewrite *r)
{
	int64_t axis = node_attr_int(r->n, "axis", -1), rank = in(r, 0)->rank;
	bool last = axis == -1 || axis == rank - 1;
	if (rank < 1 || (!last && (node_attr_int(r->n, "opset", 13) < 13 || graph_opset(r->g, "") < 13)))
		return 0;
	struct value *y = one(r, "Softmax", qop_real(r, 0, 1, 2));
	node_set_int(y->producer, "axis", axis < 0 ? axis + rank : axis);
	return qop_finish(r, typed_output(y->producer), in(r, 3), in(r, 4));
}

/* Condition; x with scale and zero point; y; the output's scale and zero point. */
static int linear_where(const struct rewrite *r)
{
	struct value *inputs[] = { in(r, 0), qop_real(r, 1, 2, 3), qop_real(r, 4, 5, 6) };
	struct node *n = node_new(r->g, r->n, "", "Where", inputs, 3, 1, "Where");
	return qop_finish(r, typed_output(n), in(r, 7), in(r, 8));
}

/* (a - za) (b - zb) * factor + bias: the sums are integers, scaled once. */
static int scaled_product(const struct rewrite *r, struct value *a, struct value *b, struct value *factor,
			  struct value *bias)
{
	struct value *y = two(r, "Mul", two(r, "MatMul", a, b), factor);
	return done(r, bias ? two(r, "Add", y, bias) : y);
}

/* a, b, their scales, their zero points, bias. */
static int product_to_float(const struct rewrite *r)
{
	struct value *b_zero = in(r, 5);
	if ((b_zero && !value_is_constant(b_zero)) || in(r, 1)->rank < 1)
		return 0;
	struct value *a = qop_integers(r, 0, 4, 1), *b = qop_integers(r, 1, 5, in(r, 1)->rank - 1);
	return scaled_product(r, a, b, two(r, "Mul", in(r, 2), in(r, 3)), in(r, 6));
}

/* a, b, b's scale and zero point, bias: a is quantised by its own range. */
static int dynamic_product(const struct rewrite *r)
{
	struct value *a = in(r, 0), *b_zero = in(r, 3);
	if ((b_zero && !value_is_constant(b_zero)) || in(r, 1)->rank < 1)
		return 0;
	struct node *q = node_new(r->g, r->n, "", "DynamicQuantizeLinear", &a, 1, 3, "DynamicQuantizeLinear");
	typed_output(q);
	struct value *inputs[] = { q->outputs[0], number(r, 1), q->outputs[2] };
	struct value *centred =
		typed_output(node_new(r->g, r->n, "", "DequantizeLinear", inputs, 3, 1, "DequantizeLinear"));
	struct value *b = qop_integers(r, 1, 3, in(r, 1)->rank - 1);
	return scaled_product(r, centred, b, two(r, "Mul", q->outputs[1], in(r, 2)), in(r, 4));
}

/* ---- weights of few bits in blocks ---- */

struct blocks {
	int64_t k, n, bits, size, per_row, bytes; /* blocks in a row of weights, bytes in a block */
};

static bool read_blocks(const struct rewrite *r, struct blocks *b)
{
	*b = (struct blocks){ .k = node_attr_int(r->n, "K", 0),
			      .n = node_attr_int(r->n, "N", 0),
			      .bits = node_attr_int(r->n, "bits", 4),
			      .size = node_attr_int(r->n, "block_size", 0) };
	bool plain = (b->bits == 2 || b->bits == 4 || b->bits == 8) && b->size >= 8 && b->k > 0 && b->n > 0;
	if (!plain || in(r, 4))
		return false;
	b->per_row = (b->k + b->size - 1) / b->size;
	b->bytes = b->size * b->bits / 8;
	for (size_t i = 1; i < 4; i++)
		if (in(r, i) && !value_is_constant(in(r, i)))
			return false;
	const struct tensor *w = in(r, 1)->constant, *scales = in(r, 2)->constant;
	/* no product of numbers that the tensors' sizes do not bound */
	return scales->count == b->n * b->per_row && w->count % scales->count == 0 &&
	       w->count / scales->count == b->bytes;
}

/* Element i of numbers of so many bits, the first in the lowest bits of a byte. */
static double packed_at(const struct tensor *t, int64_t bytes_before, int64_t i, int64_t bits)
{
	int64_t byte = (int64_t)tensor_at(t, bytes_before + i * bits / 8);
	return (double)((byte >> (i * bits % 8)) & ((1 << bits) - 1));
}

/* The zero point of a block: packed as the weights are, a row at a time, or a number each; half the range where none is given. */
static double block_zero(const struct rewrite *r, const struct blocks *b, int64_t row, int64_t block)
{
	const struct tensor *t = in(r, 3) ? in(r, 3)->constant : NULL;
	if (!t)
		return (double)(1 << (b->bits - 1));
	if (t->elem != ELEM_UINT8)
		return tensor_at(t, row * b->per_row + block);
	return packed_at(t, row * ((b->per_row * b->bits + 7) / 8), block, b->bits);
}

static bool zeros_fit(const struct rewrite *r, const struct blocks *b)
{
	const struct tensor *t = in(r, 3) ? in(r, 3)->constant : NULL;
	int64_t packed = b->n * ((b->per_row * b->bits + 7) / 8);
	return !t || t->count == (t->elem == ELEM_UINT8 ? packed : b->n * b->per_row);
}

/* Weights [N, blocks, bytes] become a matrix [K, N]. */
static int product_of_blocks(const struct rewrite *r)
{
	struct blocks b;
	if (!read_blocks(r, &b) || !zeros_fit(r, &b))
		return 0;
	const struct tensor *w = in(r, 1)->constant, *scales = in(r, 2)->constant;
	struct tensor *t = tensor_new_raw(ELEM_FLOAT, 2, (int64_t[]){ b.k, b.n });
	for (int64_t row = 0; t && row < b.n; row++)
		for (int64_t k = 0; k < b.k; k++) {
			int64_t block = row * b.per_row + k / b.size;
			double q =
				packed_at(w, block * b.bytes, k % b.size, b.bits) - block_zero(r, &b, row, k / b.size);
			((float *)t->data)[k * b.n + row] = (float)q * (float)tensor_at(scales, block);
		}
	if (!t)
		return 0;
	struct value *y = two(r, "MatMul", in(r, 0), value_new_constant(r->g, in(r, 1)->name, t));
	return done(r, in(r, 5) ? two(r, "Add", y, in(r, 5)) : y);
}

/* ---- activations ---- */

static struct value *gelu(const struct rewrite *r, struct value *x)
{
	struct value *e = one(r, "Erf", two(r, "Mul", x, number(r, sqrt(0.5))));
	struct value *above = two(r, "Add", e, number(r, 1));
	return two(r, "Mul", two(r, "Mul", x, number(r, 0.5)), above);
}

static int plain_gelu(const struct rewrite *r)
{
	return done(r, gelu(r, in(r, 0)));
}

static int bias_gelu(const struct rewrite *r)
{
	return done(r, gelu(r, two(r, "Add", in(r, 0), in(r, 1))));
}

/* x (1/2 + 1/2 tanh(x (c x^2 + b))) with b = sqrt(2 / pi), c = 0.044715 b */
static int fast_gelu(const struct rewrite *r)
{
	double b = sqrt(2 / 3.14159265358979323846);
	struct value *x = in(r, 1) ? two(r, "Add", in(r, 0), in(r, 1)) : in(r, 0);
	struct value *c = number(r, 0.044715 * b);
	struct value *square = two(r, "Mul", two(r, "Mul", x, x), c);
	struct value *t = one(r, "Tanh", two(r, "Mul", x, two(r, "Add", square, number(r, b))));
	struct value *half = number(r, 0.5);
	return done(r, two(r, "Mul", x, two(r, "Add", two(r, "Mul", t, half), half)));
}

static int quick_gelu(const struct rewrite *r)
{
	struct value *x = in(r, 0), *alpha = number(r, node_attr_float(r->n, "alpha", 1.702));
	return done(r, two(r, "Mul", x, one(r, "Sigmoid", two(r, "Mul", x, alpha))));
}

/* ---- products with more in them ---- */

static struct value *turned(const struct rewrite *r, struct value *x, const char *attr)
{
	int64_t perm[MAX_RANK];
	if (!node_attr_int(r->n, attr, 0))
		return x;
	for (int i = 0; i < x->rank; i++)
		perm[i] = i;
	perm[x->rank - 1] = x->rank - 2;
	perm[x->rank - 2] = x->rank - 1;
	struct node *n = node_new(r->g, r->n, "", "Transpose", &x, 1, 1, "Transpose");
	node_set_ints(n, "perm", perm, (size_t)x->rank);
	return typed_output(n);
}

static int fused_matmul(const struct rewrite *r)
{
	bool batches = node_attr_int(r->n, "transBatchA", 0) || node_attr_int(r->n, "transBatchB", 0);
	if (batches || in(r, 0)->rank < 2 || in(r, 1)->rank < 2)
		return 0;
	struct value *b = turned(r, in(r, 1), "transB");
	struct value *y = two(r, "MatMul", turned(r, in(r, 0), "transA"), b);
	double alpha = node_attr_float(r->n, "alpha", 1);
	return done(r, alpha == 1 ? y : two(r, "Mul", y, number(r, alpha)));
}

const struct rewrite_row runtime_rewrites[] = {
	{ DOMAIN_MICROSOFT, "BiasGelu", 2, bias_gelu },
	{ DOMAIN_MICROSOFT, "DynamicQuantizeMatMul", 2, dynamic_product },
	{ DOMAIN_MICROSOFT, "FastGelu", 1, fast_gelu },
	{ DOMAIN_MICROSOFT, "FusedMatMul", 2, fused_matmul },
	{ DOMAIN_MICROSOFT, "Gelu", 1, plain_gelu },
	{ DOMAIN_MICROSOFT, "MatMulIntegerToFloat", 4, product_to_float },
	{ DOMAIN_MICROSOFT, "MatMulNBits", 3, product_of_blocks },
	{ DOMAIN_MICROSOFT, "QLinearSoftmax", 4, linear_softmax },
	{ DOMAIN_MICROSOFT, "QLinearWhere", 8, linear_where },
	{ DOMAIN_MICROSOFT, "QuickGelu", 1, quick_gelu },
};
const size_t n_runtime_rewrites = sizeof runtime_rewrites / sizeof *runtime_rewrites;

/* ONNX's linear quantisation: parameters that hold for a whole tensor, per index of one axis, or per block of
 * it; and the integer operators' way of computing, in double, which holds their sums exactly. */
#ifndef QCC_OPS_LINEAR_H
#define QCC_OPS_LINEAR_H

#include "ops/op.h"

/* Where an element's parameters lie: the data seen as outer x axis x inner. */
struct linear_map {
	int64_t outer, axis, inner;
	int64_t block;	/* indices of the axis that share a parameter; 0: one parameter for all */
	int64_t blocks; /* parameters along the axis */
	bool per_inner; /* blocked: parameters differ along inner and outer axes too */
};

/* Reads the layout of `params` (the scale) for data of t's shape, from attributes axis and block_size.
 * -1 with a diagnostic. */
/* What does not fit, or NULL. */
const char *linear_map_of(const struct node *n, int rank, const int64_t *dims, int params_rank, const int64_t *params,
			  struct linear_map *m);
int linear_map(struct exec_ctx *x, const struct tensor *t, const struct tensor *params, struct linear_map *m);
/* Index of the parameter for element (o, a, i). */
static inline int64_t linear_index(const struct linear_map *m, int64_t o, int64_t a, int64_t i)
{
	if (!m->block)
		return 0;
	return m->per_inner ? (o * m->blocks + a / m->block) * m->inner + i : a / m->block;
}

/* t - zero in double. zero: NULL, one element, or one per index of `axis` of t. NULL with a diagnostic. */
struct tensor *linear_centred(struct exec_ctx *x, const struct tensor *t, const struct tensor *zero, int axis);
/* Output 0, of zero's type (zero NULL: uint8): t (double) times factor in float (which decides at ties, as in
 * onnxruntime), rounded half to even, plus zero, saturated.
 * factor and zero: one element, or one per index of `axis` of t. Consumes t. */
int linear_requantise(struct exec_ctx *x, struct tensor *t, const struct tensor *factor, const struct tensor *zero,
		      int axis);
/* Rounded, offset and saturated to an integer storage type. */
double linear_saturate(double rounded, enum elem_type elem);

#endif

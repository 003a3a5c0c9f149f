/* Linear quantisation (see linear.h). */
#include "ops/linear.h"

#include <math.h>

#include "ops/lines.h"
#include "util/integers.h"

const char *linear_map_of(const struct node *n, int rank, const int64_t *dims, int params_rank, const int64_t *params,
			  struct linear_map *m)
{
	int64_t block = node_attr_int(n, "block_size", 0), count = dims_product(params, 0, params_rank);
	*m = (struct linear_map){ .outer = 1, .axis = 1, .inner = dims_product(dims, 0, rank) };
	if (count == 1)
		return NULL;
	int axis = normal_axis(node_attr_int(n, "axis", 1), rank);
	if (axis < 0)
		return "an axis that is out of range";
	*m = (struct linear_map){ .outer = dims_product(dims, 0, axis),
				  .axis = dims[axis],
				  .block = 1,
				  .blocks = count,
				  .inner = dims_product(dims, axis + 1, rank) };
	if (params_rank == 1 && count == dims[axis])
		return NULL;
	if (params_rank != rank || params[axis] < 1)
		return "a scale that fits neither tensor, axis nor blocks";
	m->blocks = params[axis];
	m->block = block > 0 ? block : (m->axis + m->blocks - 1) / m->blocks;
	m->per_inner = true;
	for (int i = 0; i < rank; i++)
		if (i != axis && params[i] != dims[i])
			return "a blocked scale whose other dims are not those of the data";
	if ((m->axis + m->block - 1) / m->block > m->blocks)
		return "fewer blocks than the axis has";
	return NULL;
}

int linear_map(struct exec_ctx *x, const struct tensor *t, const struct tensor *params, struct linear_map *m)
{
	const char *why = linear_map_of(x->node, t->rank, t->dims, params->rank, params->dims, m);
	return why ? exec_unsupported(x, why) : 0;
}

double linear_saturate(double rounded, enum elem_type elem)
{
	double bits = elem_file_bits(elem);
	double lo = elem_is_signed(elem) ? -exp2(bits - 1) : 0;
	double hi = elem_is_signed(elem) ? exp2(bits - 1) - 1 : exp2(bits) - 1;
	return rounded < lo ? lo : rounded > hi ? hi : rounded;
}

/* One element per index of the axis, or one for all. */
static bool fits(const struct tensor *param, const struct tensor *t, int axis)
{
	return !param || param->count == 1 || (axis >= 0 && axis < t->rank && param->count == t->dims[axis]);
}

static double param_at(const struct tensor *param, int64_t index)
{
	return param ? tensor_at(param, param->count == 1 ? 0 : index) : 0;
}

struct tensor *linear_centred(struct exec_ctx *x, const struct tensor *t, const struct tensor *zero, int axis)
{
	if (!fits(zero, t, axis)) {
		exec_unsupported(x, "a zero point that fits neither tensor nor axis");
		return NULL;
	}
	struct tensor *cast = tensor_try_cast(t, ELEM_DOUBLE);
	struct tensor *out = cast && cast->elem == t->elem ? tensor_try_copy(cast) : tensor_ref(cast);
	tensor_unref(cast);
	if (!out) {
		exec_unsupported(x, "an operand of that type or size");
		return NULL;
	}
	bool single = !zero || zero->count == 1;
	int64_t inner = single ? out->count : dims_product(t->dims, axis + 1, t->rank);
	double *y = out->data;
	for (int64_t i = 0; zero && i < out->count; i++)
		y[i] -= param_at(zero, single ? 0 : i / inner % t->dims[axis]);
	return out;
}

int linear_requantise(struct exec_ctx *x, struct tensor *t, const struct tensor *factor, const struct tensor *zero,
		      int axis)
{
	enum elem_type elem = zero ? (enum elem_type)zero->elem : ELEM_UINT8;
	bool fit = fits(factor, t, axis) && fits(zero, t, axis);
	if (fit) {
		bool single = factor->count == 1 && (!zero || zero->count == 1);
		int64_t inner = single ? t->count : dims_product(t->dims, axis + 1, t->rank);
		double *y = t->data;
		for (int64_t i = 0; i < t->count; i++) {
			int64_t k = single ? 0 : i / inner % t->dims[axis];
			float product = (float)y[i] * (float)param_at(factor, k);
			y[i] = linear_saturate((double)rintf(product) + param_at(zero, k), elem);
		}
		x->out[0] = tensor_try_cast(t, elem);
	}
	tensor_unref(t);
	return fit && x->out[0]
		       ? 0
		       : exec_unsupported(x, "an output scale or zero point that fits neither tensor nor axis");
}

/* Integer ranges. One rule per kind of operator; each looks only at its inputs' ranges and constants. */
#include "passes/ranges.h"

#include <stdlib.h>
#include <string.h>

#include "passes/axes.h"
#include "passes/chain.h"
#include "passes/products.h"
#include "util/integers.h"

static const int64_t LIMIT = (int64_t)1 << 62;

static const struct range *new_range(struct graph *g, int axis, int32_t channels, const int64_t *lo, const int64_t *hi)
{
	struct range *r = arena_new(&g->range_arena, struct range);
	r->lo = lo[0];
	r->hi = hi[0];
	bool uniform = true;
	for (int32_t i = 1; i < channels; i++) {
		uniform = uniform && lo[i] == lo[0] && hi[i] == hi[0];
		r->lo = lo[i] < r->lo ? lo[i] : r->lo;
		r->hi = hi[i] > r->hi ? hi[i] : r->hi;
	}
	if (r->lo < -LIMIT || r->hi > LIMIT)
		return NULL;
	if (!uniform) {
		r->axis = axis;
		r->channels = channels;
		r->channel_lo = arena_copy(&g->range_arena, lo, (size_t)channels * sizeof *lo);
		r->channel_hi = arena_copy(&g->range_arena, hi, (size_t)channels * sizeof *hi);
	}
	return r;
}

static const struct range *plain_range(struct graph *g, int64_t lo, int64_t hi)
{
	return new_range(g, -1, 1, &lo, &hi);
}

const struct range *range_from_doubles(struct graph *g, int axis, int64_t channels, const double *lo, const double *hi)
{
	int64_t *bounds = xcalloc(2 * (size_t)channels, sizeof *bounds);
	bool exact = true;
	for (int64_t c = 0; c < channels && exact; c++) {
		exact = lo[c] > -0x1p53 && hi[c] < 0x1p53;
		bounds[c] = exact ? (int64_t)lo[c] : 0;
		bounds[channels + c] = exact ? (int64_t)hi[c] : 0;
	}
	const struct range *r = exact ? new_range(g, axis, (int32_t)channels, bounds, bounds + channels) : NULL;
	free(bounds);
	return r;
}

void range_channel(const struct range *r, int axis, int64_t channel, int64_t *lo, int64_t *hi)
{
	bool known = r->channels > 0 && r->axis == axis && channel < r->channels;
	*lo = known ? r->channel_lo[channel] : r->lo;
	*hi = known ? r->channel_hi[channel] : r->hi;
}

static const struct range *range_of_datatype(struct graph *g, struct datatype t)
{
	if (!datatype_is_integer(t) || datatype_bits(t) > 62)
		return NULL;
	return plain_range(g, datatype_int_min(t), datatype_int_max(t));
}

static const struct range *range_of_constant(struct graph *g, const struct value *v)
{
	double lo, hi;
	if (!v->constant->count || !tensor_is_integral(v->constant))
		return NULL;
	tensor_min_max(v->constant, &lo, &hi);
	if (lo < (double)-LIMIT || hi > (double)LIMIT)
		return NULL;
	struct range *r = arena_new(&g->arena, struct range); /* stays as long as the constant does */
	r->lo = (int64_t)lo;
	r->hi = (int64_t)hi;
	return r;
}

/* ---- rules ---- */

/* Every channel of the output lies between the levels of the thresholds that can be reached. */
static const struct range *thresholds_range(struct graph *g, struct node *n)
{
	const struct value *in = node_input(n, 0), *out = n->outputs[0], *t = node_input(n, 1);
	double scale = node_attr_float(n, "out_scale", 1), bias = node_attr_float(n, "out_bias", 0);
	if (!value_is_constant(t) || t->constant->rank != 2)
		return range_of_datatype(g, out->datatype);
	int64_t rows = t->constant->dims[0], levels = t->constant->dims[1];
	int axis = threshold_axis(n, out->rank);
	const struct range *r = datatype_is_integer(in->datatype) ? range_of(g, node_input(n, 0)) : NULL;
	int32_t channels = (int32_t)(rows > 1 ? rows : r && r->channels && r->axis == axis ? r->channels : 1);
	int64_t *lo = xcalloc(2 * (size_t)channels, sizeof *lo), *hi = lo + channels;
	for (int32_t c = 0; c < channels; c++) {
		int64_t a = -LIMIT, b = LIMIT, low = 0, high = 0;
		if (r)
			range_channel(r, axis, c, &a, &b);
		for (int64_t k = 0; k < levels; k++) {
			double x = tensor_at(t->constant, (rows > 1 ? c : 0) * levels + k);
			low += r && (double)a >= x;
			high += !r || (double)b >= x;
		}
		double y0 = bias + scale * (double)low, y1 = bias + scale * (double)high;
		lo[c] = (int64_t)(y0 < y1 ? y0 : y1);
		hi[c] = (int64_t)(y0 < y1 ? y1 : y0);
	}
	const struct range *result = new_range(g, axis, channels, lo, hi);
	free(lo);
	return result;
}

/* Element-wise arithmetic of two operands, interval by interval; same channels on both sides. */
static bool combine(const struct node *n, int64_t a0, int64_t a1, int64_t b0, int64_t b1, int64_t *lo, int64_t *hi)
{
	int64_t p[4];
	if (n->op == &op_Add)
		return !__builtin_add_overflow(a0, b0, lo) && !__builtin_add_overflow(a1, b1, hi);
	if (n->op == &op_Sub)
		return !__builtin_sub_overflow(a0, b1, lo) && !__builtin_sub_overflow(a1, b0, hi);
	if (n->op == &op_Max || n->op == &op_Min) {
		bool max = n->op == &op_Max;
		*lo = (a0 > b0) == max ? a0 : b0;
		*hi = (a1 > b1) == max ? a1 : b1;
		return true;
	}
	if (__builtin_mul_overflow(a0, b0, &p[0]) || __builtin_mul_overflow(a0, b1, &p[1]) ||
	    __builtin_mul_overflow(a1, b0, &p[2]) || __builtin_mul_overflow(a1, b1, &p[3]))
		return false;
	*lo = *hi = p[0];
	for (int i = 1; i < 4; i++) {
		*lo = p[i] < *lo ? p[i] : *lo;
		*hi = p[i] > *hi ? p[i] : *hi;
	}
	return true;
}

/* Bounds of operand i of an element-wise node for one channel of the output. */
static bool operand_bounds(struct graph *g, struct node *n, size_t i, int axis, int64_t channel, int64_t *lo,
			   int64_t *hi)
{
	struct value *v = node_input(n, i);
	const struct range *r = range_of(g, v);
	if (!r)
		return false;
	int rank = n->outputs[0]->rank, own = axis - (rank - v->rank);
	if (value_is_constant(v) && v->constant->count > 1 && own >= 0 && v->dims[own] == v->constant->count) {
		*lo = *hi = tensor_int_at(v->constant, channel);
		return true;
	}
	range_channel(r, v->rank == rank ? axis : -2, channel, lo, hi);
	return true;
}

/* The axis channels lie along in an element-wise result: where an operand tells channels apart. */
static int channel_axis_of(struct graph *g, const struct node *n)
{
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		struct value *v = node_input(n, i);
		const struct range *r = v ? range_of(g, v) : NULL;
		if (r && r->channels && v->rank == n->outputs[0]->rank)
			return r->axis;
		if (value_is_constant(v) && v->constant->count > 1)
			for (int k = 0; k < v->rank; k++)
				if (v->dims[k] == v->constant->count)
					return k + n->outputs[0]->rank - v->rank;
	}
	return -1;
}

static const struct range *arithmetic_range(struct graph *g, struct node *n)
{
	const struct value *out = n->outputs[0];
	int axis = channel_axis_of(g, n);
	int64_t channels = axis >= 0 && out->rank > axis && out->dims[axis] > 0 ? out->dims[axis] : 1;
	int64_t *lo = xcalloc(2 * (size_t)channels, sizeof *lo), *hi = lo + channels;
	const struct range *result = NULL;
	for (int64_t c = 0; c < channels; c++) {
		int64_t a0, a1, b0, b1;
		if (!operand_bounds(g, n, 0, axis, c, &a0, &a1) || !operand_bounds(g, n, 1, axis, c, &b0, &b1) ||
		    !combine(n, a0, a1, b0, b1, &lo[c], &hi[c]))
			goto done;
	}
	result = new_range(g, axis, (int32_t)channels, lo, hi);
done:
	free(lo);
	return result;
}

/* Joins the ranges of all inputs; along the channel axis they stand one after the other. */
static const struct range *concat_range(struct graph *g, struct node *n)
{
	const struct value *out = n->outputs[0];
	int axis = normal_axis(node_attr_int(n, "axis", 0), out->rank);
	int64_t total = axis >= 0 && out->dims[axis] > 0 ? out->dims[axis] : 1, at = 0;
	int64_t *lo = xcalloc(2 * (size_t)total, sizeof *lo), *hi = lo + total;
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		struct value *v = node_input(n, i);
		const struct range *r = range_of(g, v);
		int64_t length = axis >= 0 && v->rank > axis ? v->dims[axis] : 0;
		if (!r || at + length > total) {
			free(lo);
			return NULL;
		}
		for (int64_t c = 0; c < length; c++)
			range_channel(r, axis, c, &lo[at + c], &hi[at + c]);
		at += length;
	}
	const struct range *result = new_range(g, axis, (int32_t)total, lo, hi);
	free(lo);
	return result;
}

/* [N, C, ...] to [N, C * ...]: each channel's bounds for all of its features. */
static const struct range *flattened_range(struct graph *g, const struct range *r, int64_t features)
{
	int64_t *lo = xcalloc(2 * (size_t)features, sizeof *lo), *hi = lo + features, each = features / r->channels;
	for (int64_t f = 0; f < features; f++)
		range_channel(r, r->axis, f / each, &lo[f], &hi[f]);
	const struct range *result = new_range(g, 1, (int32_t)features, lo, hi);
	free(lo);
	return result;
}

/* Input 0's bounds, channels too where they stay on their axis. */
static const struct range *moved_range(struct graph *g, struct node *n)
{
	const struct range *r = range_of(g, node_input(n, 0));
	const struct value *in = node_input(n, 0), *out = n->outputs[0];
	if (!r || !r->channels)
		return r;
	int axis = n->op == &op_Identity ? r->axis : axis_through(n, r->axis);
	if (axis >= 0)
		return new_range(g, axis, r->channels, r->channel_lo, r->channel_hi);
	if (n->op == &op_Transpose) {
		size_t count;
		const int64_t *perm = node_attr_ints(n, "perm", &count);
		for (size_t i = 0; i < count; i++)
			if (perm[i] == r->axis)
				return new_range(g, (int)i, r->channels, r->channel_lo, r->channel_hi);
	}
	if (r->axis == 1 && (n->op == &op_Reshape || n->op == &op_Flatten) && in->rank > 2 && out->rank == 2 &&
	    in->dims[0] == out->dims[0] && out->dims[1] > 0 && out->dims[1] % r->channels == 0)
		return flattened_range(g, r, out->dims[1]);
	return plain_range(g, r->lo, r->hi);
}

static const struct range *pad_range(struct graph *g, struct node *n)
{
	const struct range *r = moved_range(g, n);
	double x = node_attr_float(n, "value", 0);
	if (node_input(n, 2) && !value_scalar(node_input(n, 2), &x))
		return NULL;
	int64_t p = saturated_int64(x);
	return r ? plain_range(g, p < r->lo ? p : r->lo, p > r->hi ? p : r->hi) : NULL;
}

static const struct range *relu_range(struct graph *g, struct node *n)
{
	const struct range *r = range_of(g, node_input(n, 0));
	return r ? plain_range(g, r->lo > 0 ? r->lo : 0, r->hi > 0 ? r->hi : 0) : NULL;
}

/* A sum of `terms` elements of the input. */
static const struct range *sum_range(struct graph *g, struct node *n)
{
	const struct value *in = node_input(n, 0), *out = n->outputs[0];
	const struct range *r = range_of(g, node_input(n, 0));
	if (!r || !value_shape_known(in) || !value_shape_known(out))
		return NULL;
	int64_t elements = shape_count(in->rank, in->dims, ELEM_FLOAT);
	int64_t sums = shape_count(out->rank, out->dims, ELEM_FLOAT), lo, hi;
	int64_t terms = sums > 0 ? elements / sums : 0;
	if (__builtin_mul_overflow(r->lo, terms, &lo) || __builtin_mul_overflow(r->hi, terms, &hi))
		return NULL;
	return plain_range(g, lo, hi);
}

static bool moves_elements(const struct node *n)
{
	return (n->op->flags & OP_MOVES) || n->op == &op_MaxPool || n->op == &op_MaxPoolNHWC || n->op == &op_Im2Col ||
	       n->op == &op_GlobalMaxPool || n->op == &op_ReduceMax || n->op == &op_ReduceMin;
}

static const struct range *range_of_node(struct graph *g, struct node *n, const struct value *v)
{
	if (!n->op)
		return range_of_datatype(g, v->datatype);
	if (n->op == &op_MultiThreshold)
		return thresholds_range(g, n);
	if (product_weights(n))
		return product_range(g, n);
	if (n->op == &op_Add || n->op == &op_Sub || n->op == &op_Mul || n->op == &op_Max || n->op == &op_Min)
		return n->n_inputs == 2 ? arithmetic_range(g, n) : range_of_datatype(g, v->datatype);
	if (n->op == &op_Concat)
		return concat_range(g, n);
	if (n->op == &op_Pad)
		return pad_range(g, n);
	if (n->op == &op_Relu)
		return relu_range(g, n);
	if (n->op == &op_ReduceSum)
		return sum_range(g, n);
	if (n->op == &op_Im2Col) { /* its padding is 0 */
		const struct range *r = moved_range(g, n);
		return r ? plain_range(g, r->lo < 0 ? r->lo : 0, r->hi > 0 ? r->hi : 0) : NULL;
	}
	if (moves_elements(n))
		return moved_range(g, n);
	return range_of_datatype(g, v->datatype);
}

const struct range *range_of(struct graph *g, struct value *v)
{
	if (v->range)
		return v->range;
	if (value_is_constant(v))
		v->range = range_of_constant(g, v);
	else if (!datatype_is_integer(v->datatype))
		return NULL;
	else if (v->producer)
		v->range = range_of_node(g, v->producer, v);
	else
		v->range = range_of_datatype(g, v->datatype);
	return v->range;
}

void range_forget(struct value *v)
{
	v->range = NULL;
}

static bool accumulates(const struct node *n)
{
	return n->op && (product_weights(n) || n->op == &op_Add || n->op == &op_Sub || n->op == &op_Mul ||
			 n->op == &op_ReduceSum || n->op == &op_Relu);
}

void ranges_compute(struct graph *g)
{
	graph_for_each_value (g, v)
		if (!v->constant) /* a constant's never changes */
			v->range = NULL;
	arena_free(&g->range_arena);
	graph_for_each_node (g, n)
		for (uint32_t i = 0; i < n->n_outputs; i++) {
			struct value *v = n->outputs[i];
			const struct range *r = v ? range_of(g, v) : NULL;
			if (r && accumulates(n))
				v->datatype = datatype_for_range(r->lo, r->hi);
		}
}

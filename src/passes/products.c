/* Products with constant weights, described once for all that reason about them. */
#include "passes/products.h"

#include <stdlib.h>
#include <string.h>

#include "passes/ranges.h"

struct value *product_weights(const struct node *n)
{
	bool product = n->op == &op_MatMul || n->op == &op_Conv || n->op == &op_ConvTranspose;
	struct value *w = product ? node_input(n, 1) : NULL;
	return value_is_constant(w) && w->constant->elem == ELEM_FLOAT ? w : NULL;
}

static bool describe_matmul(struct product *p, const struct node *n)
{
	const struct tensor *w = p->weights;
	if (w->rank != 2)
		return false;
	p->groups = 1;
	p->in = w->dims[0];
	p->out = w->dims[1];
	p->taps = 1;
	p->stride_in = w->dims[1];
	p->stride_out = 1;
	p->in_axis = node_input(n, 0)->rank - 1;
	p->out_axis = n->outputs[0]->rank - 1;
	return p->in_axis >= 0;
}

bool product_describe(const struct node *n, struct product *p)
{
	const struct value *v = product_weights(n);
	*p = (struct product){ .weights = v ? v->constant : NULL };
	if (!v)
		return false;
	if (n->op == &op_MatMul)
		return describe_matmul(p, n);
	const struct tensor *w = v->constant;
	p->groups = node_attr_int(n, "group", 1);
	if (w->rank < 3 || p->groups < 1 || w->dims[0] % p->groups || !w->count)
		return false;
	p->taps = w->count / (w->dims[0] * w->dims[1]);
	p->in_axis = p->out_axis = 1;
	bool transposed = n->op == &op_ConvTranspose;	/* [in, out/groups, ...] instead of [out, in/groups, ...] */
	int64_t first = w->dims[0] / p->groups, second = w->dims[1];
	p->out = transposed ? second : first;
	p->in = transposed ? first : second;
	p->stride_out = transposed ? p->taps : second * p->taps;
	p->stride_in = transposed ? second * p->taps : p->taps;
	p->stride_group = first * second * p->taps;
	return true;
}

bool product_is_padded(const struct node *n)
{
	size_t count;
	const int64_t *pads = node_attr_ints(n, "pads", &count);
	const char *automatic = node_attr_string(n, "auto_pad", "NOTSET");
	if (n->op == &op_MatMul)
		return false;
	if (strcmp(automatic, "NOTSET") != 0 && strcmp(automatic, "VALID") != 0)
		return true;
	for (size_t i = 0; i < count; i++)
		if (pads[i])
			return true;
	return false;
}

/* Adds what one weight contributes at its extremes. False on overflow. */
static bool add_term(int64_t w, int64_t a, int64_t b, bool zero_too, int64_t *lo, int64_t *hi)
{
	int64_t x, y;
	if (__builtin_mul_overflow(w, w < 0 ? b : a, &x) || __builtin_mul_overflow(w, w < 0 ? a : b, &y))
		return false;
	if (zero_too) {	/* padding may stand in for the input */
		x = x > 0 ? 0 : x;
		y = y < 0 ? 0 : y;
	}
	return !__builtin_add_overflow(*lo, x, lo) && !__builtin_add_overflow(*hi, y, hi);
}

static bool channel_bounds(const struct product *p, const struct range *r, bool padded, int64_t g, int64_t o,
			   int64_t *lo, int64_t *hi)
{
	const float *w = tensor_floats(p->weights);
	*lo = *hi = 0;
	for (int64_t i = 0; i < p->in; i++) {
		int64_t a, b;
		range_channel(r, p->in_axis, g * p->in + i, &a, &b);
		for (int64_t k = 0; k < p->taps; k++) {
			float x = w[product_index(p, g, o, i, k)];
			if (x != (float)(int64_t)x)
				return false;
			if (x != 0 && !add_term((int64_t)x, a, b, padded, lo, hi))
				return false;
		}
	}
	return true;
}

const struct range *product_range(struct graph *g, struct node *n)
{
	struct product p;
	const struct range *r = range_of(g, node_input(n, 0));
	if (!r || !product_describe(n, &p))
		return NULL;
	/* A transposed convolution reaches each output with only some of its taps. */
	bool partial = product_is_padded(n) || n->op == &op_ConvTranspose;
	int64_t channels = p.groups * p.out;
	int64_t *lo = xcalloc(2 * (size_t)channels, sizeof *lo), *hi = lo + channels;
	bool fits = true;
	for (int64_t c = 0; c < channels && fits; c++)
		fits = channel_bounds(&p, r, partial, c / p.out, c % p.out, &lo[c], &hi[c]);
	const struct range *result = NULL;
	if (fits) {
		struct range *whole = arena_new(&g->arena, struct range);
		*whole = (struct range){ lo[0], hi[0], (int32_t)channels, p.out_axis, NULL, NULL };
		for (int64_t c = 0; c < channels; c++) {
			whole->lo = lo[c] < whole->lo ? lo[c] : whole->lo;
			whole->hi = hi[c] > whole->hi ? hi[c] : whole->hi;
		}
		whole->channel_lo = arena_copy(&g->arena, lo, (size_t)channels * sizeof *lo);
		whole->channel_hi = arena_copy(&g->arena, hi, (size_t)channels * sizeof *hi);
		result = whole;
	}
	free(lo);
	return result;
}

void product_sums(const struct product *p, const double *x, int64_t x_count, double *sums)
{
	const float *w = tensor_floats(p->weights);
	for (int64_t c = 0; c < p->groups * p->out; c++) {
		int64_t g = c / p->out, o = c % p->out;
		sums[c] = 0;
		for (int64_t i = 0; i < p->in; i++) {
			double tap_sum = 0;
			for (int64_t k = 0; k < p->taps; k++)
				tap_sum += (double)w[product_index(p, g, o, i, k)];
			sums[c] += tap_sum * x[x_count == 1 ? 0 : g * p->in + i];
		}
	}
}

struct tensor *product_scaled(const struct product *p, const double *per_out, const double *per_in)
{
	struct tensor *t = tensor_copy(p->weights);
	float *w = t ? t->data : NULL;
	for (int64_t c = 0; t && c < p->groups * p->out; c++) {
		int64_t g = c / p->out, o = c % p->out;
		for (int64_t i = 0; i < p->in; i++)
			for (int64_t k = 0; k < p->taps; k++) {
				float *x = &w[product_index(p, g, o, i, k)];
				double factor = (per_out ? per_out[c] : 1) * (per_in ? per_in[g * p->in + i] : 1);
				*x = *x == 0 ? 0 : (float)(*x * factor);
			}
	}
	return t;
}

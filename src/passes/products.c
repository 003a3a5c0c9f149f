/* Products with constant weights, described once for all that reason about them. */
#include "passes/products.h"

#include <math.h>
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
	bool transposed = n->op == &op_ConvTranspose; /* [in, out/groups, ...] instead of [out, in/groups, ...] */
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

/* Bounds of all output channels at once, in double: exact while they stay below 2^53. Weights are walked in the
 * order they lie in, because that is what takes the time. Of w * x with x in [a, b], the least and the most add up to
 * w * (a + b) and are |w| * (b - a) apart. */
static void add_bounds_by_row(const struct product *p, const double *a, const double *b, double *restrict lo,
			      double *restrict hi)
{
	for (int64_t i = 0; i < p->in; i++) { /* MatMul: outputs lie side by side */
		const float *w = tensor_floats(p->weights) + i * p->stride_in;
		double middle = (a[i] + b[i]) / 2, reach = (b[i] - a[i]) / 2;
		for (int64_t o = 0; o < p->out; o++) {
			double x = (double)w[o];
			lo[o] += x * middle;
			hi[o] += fabs(x) * reach;
		}
	}
	for (int64_t o = 0; o < p->out; o++) {
		double middle = lo[o], reach = hi[o];
		lo[o] = middle - reach;
		hi[o] = middle + reach;
	}
}

static void add_bounds_by_taps(const struct product *p, const double *a, const double *b, double *lo, double *hi)
{
	for (int64_t c = 0; c < p->groups * p->out; c++)
		for (int64_t i = 0; i < p->in; i++) {
			int64_t g = c / p->out, from = g * p->in + i;
			const float *w = tensor_floats(p->weights) + product_index(p, g, c % p->out, i, 0);
			float above = 0, below = 0; /* sums of up to a few hundred small integers */
			for (int64_t k = 0; k < p->taps; k++) {
				above += w[k] > 0 ? w[k] : 0;
				below += w[k] < 0 ? w[k] : 0;
			}
			lo[c] += (double)above * a[from] + (double)below * b[from];
			hi[c] += (double)above * b[from] + (double)below * a[from];
		}
}

/* Halves below 2^52: whatever is added up on the way, double holds it. */
static bool sums_are_exact(const struct product *p, const struct range *w, const struct range *x)
{
	double largest = fmax(fabs((double)w->lo), fabs((double)w->hi)),
	       reach = fmax(fabs((double)x->lo), fabs((double)x->hi));
	return (double)p->in * largest * reach < 0x1p51;
}

const struct range *product_range(struct graph *g, struct node *n)
{
	struct product p;
	const struct range *r = range_of(g, node_input(n, 0)), *w = r ? range_of(g, node_input(n, 1)) : NULL;
	if (!w || !product_describe(n, &p))
		return NULL;
	/* A transposed convolution reaches each output with only some of its taps; padding stands in with 0. */
	bool partial = product_is_padded(n) || n->op == &op_ConvTranspose;
	int64_t inputs = p.groups * p.in, outputs = p.groups * p.out;
	double *a = xcalloc((size_t)(2 * inputs + 2 * outputs), sizeof *a), *b = a + inputs;
	double *lo = b + inputs, *hi = lo + outputs;
	for (int64_t i = 0; i < inputs; i++) {
		int64_t least, most;
		range_channel(r, p.in_axis, i, &least, &most);
		a[i] = partial && least > 0 ? 0 : (double)least;
		b[i] = partial && most < 0 ? 0 : (double)most;
	}
	if (p.groups == 1 && p.taps == 1 && p.stride_out == 1 && sums_are_exact(&p, w, r))
		add_bounds_by_row(&p, a, b, lo, hi);
	else
		add_bounds_by_taps(&p, a, b, lo, hi);
	const struct range *result = range_from_doubles(g, p.out_axis, outputs, lo, hi);
	free(a);
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

struct tensor *product_scaled(const struct product *p, const double *per_out, const double *per_in, bool *rounded)
{
	bool lossy = false;
	struct tensor *t = tensor_copy(p->weights);
	float *w = t ? t->data : NULL;
	for (int64_t c = 0; t && c < p->groups * p->out; c++) {
		int64_t g = c / p->out, o = c % p->out;
		for (int64_t i = 0; i < p->in; i++)
			for (int64_t k = 0; k < p->taps; k++) {
				float *x = &w[product_index(p, g, o, i, k)];
				double factor = (per_out ? per_out[c] : 1) * (per_in ? per_in[g * p->in + i] : 1);
				double exact = *x == 0 ? 0 : (double)*x * factor;
				*x = (float)exact;
				lossy |= (double)*x != exact;
			}
	}
	if (rounded)
		*rounded = lossy;
	return t;
}

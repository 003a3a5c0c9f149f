/* Normalisations of ONNX Runtime and ONNX, and Deeploy's requantisation, which qop-to-quant writes with other operators. */
#include <math.h>
#include <string.h>

#include "ops/op.h"
#include "passes/qop_rewrite.h"

/* ---- normalisations ---- */

/* The mean over the axes from `axis` on, which stay with length 1. */
static struct value *mean(const struct rewrite *r, struct value *x, int axis)
{
	return qop_reduced(r, "ReduceMean", 18, x, axis, (size_t)(x->rank - axis));
}

/* x / sqrt(mean(x^2) + epsilon) */
static struct value *by_deviation(const struct rewrite *r, struct value *x, int axis, double epsilon)
{
	struct value *square = mean(r, two(r, "Mul", x, x), axis);
	struct value *root = one(r, "Sqrt", two(r, "Add", square, constant_scalar(r->g, "epsilon", epsilon)));
	return two(r, "Div", x, root);
}

/* Output i, where somebody reads it, becomes v. */
static void give(const struct rewrite *r, uint32_t i, struct value *v)
{
	if (i < r->n->n_outputs && r->n->outputs[i])
		value_replace_uses(r->n->outputs[i], v);
}

static bool is_read(const struct node *n, uint32_t i)
{
	return i < n->n_outputs && n->outputs[i] && (n->outputs[i]->uses || n->outputs[i]->is_pinned);
}

/* The sum of input and skip, and of `bias` where it is there. */
static struct value *sum(const struct rewrite *r, size_t bias)
{
	struct value *x = two(r, "Add", in(r, 0), in(r, 1));
	return in(r, bias) ? two(r, "Add", x, in(r, bias)) : x;
}

/* input, skip, gamma, beta, bias; outputs: result, mean, inverse deviation, sum. */
static int skip_layer_norm(const struct rewrite *r)
{
	int axis = in(r, 0)->rank - 1;
	if (axis < 1 || is_read(r->n, 1) || is_read(r->n, 2))
		return 0;
	struct value *x = sum(r, 4), *centred = two(r, "Sub", x, mean(r, x, axis));
	struct value *y = by_deviation(r, centred, axis, node_attr_float(r->n, "epsilon", 1e-12));
	y = two(r, "Mul", y, in(r, 2));
	give(r, 3, x);
	node_bypass(r->n, in(r, 3) ? two(r, "Add", y, in(r, 3)) : y);
	return 1;
}

/* input, skip, gamma, bias; the same outputs. */
static int skip_simplified_layer_norm(const struct rewrite *r)
{
	int axis = in(r, 0)->rank - 1;
	if (axis < 1 || is_read(r->n, 1) || is_read(r->n, 2))
		return 0;
	struct value *x = sum(r, 3);
	struct value *y = by_deviation(r, x, axis, node_attr_float(r->n, "epsilon", 1e-12));
	give(r, 3, x);
	node_bypass(r->n, two(r, "Mul", y, in(r, 2)));
	return 1;
}

/* x, scale. */
static int root_mean_square_norm(const struct rewrite *r)
{
	struct value *x = in(r, 0);
	int axis = x->rank > 0 ? normal_axis(node_attr_int(r->n, "axis", -1), x->rank) : -1;
	if (axis < 0 || x->elem != ELEM_FLOAT || is_read(r->n, 1))
		return 0;
	struct value *y = by_deviation(r, x, axis, node_attr_float(r->n, "epsilon", 1e-5));
	node_bypass(r->n, two(r, "Mul", y, in(r, 1)));
	return 1;
}

/* ---- requantisation ---- */

/* A number given as an attribute of any kind: an integer, a float, or a tensor of one element. */
static bool attribute(const struct node *n, const char *name, double *x)
{
	const struct attr *a = node_attr(n, name);
	if (!a || (a->kind == ATTR_TENSOR && a->t->count != 1))
		return false;
	*x = a->kind == ATTR_TENSOR ? tensor_at(a->t, 0)
	     : a->kind == ATTR_INT  ? (double)a->i
				    : node_attr_float(n, name, 0);
	return true;
}

struct requant {
	double divisor, lo, hi; /* clamp(floor((x * m + a + divisor / 2) / divisor), lo, hi) */
	int64_t channels, levels;
	const struct tensor *m, *a;
};

static double at(const struct tensor *t, int64_t c)
{
	return tensor_at(t, t->count == 1 ? 0 : c);
}

static bool read_requant(const struct rewrite *r, struct requant *q)
{
	double levels, is_signed = 0;
	if (!attribute(r->n, "div", &q->divisor) ||
	    (!attribute(r->n, "n_levels_out", &levels) && !attribute(r->n, "n_levels", &levels)) ||
	    !value_is_constant(in(r, 1)) || !value_is_constant(in(r, 2)) || !(levels >= 2 && levels <= 65536))
		return false;
	attribute(r->n, "signed", &is_signed);
	q->m = in(r, 1)->constant;
	q->a = in(r, 2)->constant;
	q->channels = q->m->count > q->a->count ? q->m->count : q->a->count;
	q->levels = (int64_t)levels;
	q->lo = is_signed != 0 ? -(double)(q->levels / 2) : 0;
	q->hi = q->lo + levels - 1;
	bool fit = (q->m->count == 1 || q->m->count == q->channels) && (q->a->count == 1 || q->a->count == q->channels);
	return fit && q->divisor > 0 && q->levels >= 2 && q->levels <= 65536 && tensor_is_integral(q->m) &&
	       tensor_is_integral(q->a);
}

/* The first integers x of levels lo + 1, ... of a channel: x * m + a + divisor / 2 >= k * divisor. Where m is 0, all or none. */
static void threshold_row(const struct requant *q, int64_t c, float *t)
{
	double m = fabs(at(q->m, c)), a = at(q->a, c);
	for (int64_t k = 0; k + 1 < q->levels; k++) {
		double least = (q->lo + 1 + (double)k) * q->divisor - a - floor(q->divisor / 2);
		t[k] = (float)(m > 0 ? ceil(least / m) : least <= 0 ? -INFINITY : INFINITY);
	}
}

/* x, or x times the sign of its factor where some factor is negative. */
static struct value *signed_input(const struct rewrite *r, const struct requant *q)
{
	double lo, hi;
	tensor_min_max(q->m, &lo, &hi);
	if (lo >= 0)
		return in(r, 0);
	struct tensor *t = tensor_new(ELEM_FLOAT, q->m->rank, q->m->dims);
	for (int64_t i = 0; i < t->count; i++)
		tensor_put(t, i, tensor_at(q->m, i) < 0 ? -1 : 1);
	return two(r, "Mul", in(r, 0), value_new_constant(r->g, "sign", t));
}

/* Deeploy's and QuantLab's RequantShift as thresholds, which decide as its integers do: floats hold no products of an
 * accumulator and a factor of 16 bits. */
static int requant_shift(const struct rewrite *r)
{
	struct requant q;
	char name[DATATYPE_NAME_SIZE];
	if (!read_requant(r, &q))
		return 0;
	struct tensor *t = tensor_new_raw(ELEM_FLOAT, 2, (int64_t[]){ q.channels, q.levels - 1 });
	for (int64_t c = 0; t && c < q.channels; c++)
		threshold_row(&q, c, (float *)t->data + c * (q.levels - 1));
	if (!t)
		return 0;
	struct value *inputs[] = { signed_input(r, &q), value_new_constant(r->g, "thresholds", t) };
	struct node *n = node_new(r->g, r->n, DOMAIN_QONNX, "MultiThreshold", inputs, 2, 1, "MultiThreshold");
	struct datatype type = datatype_for_range((int64_t)q.lo, (int64_t)q.hi);
	node_set_string(n, "out_dtype", datatype_name(type, name));
	if (q.lo != 0)
		node_set_float(n, "out_bias", (float)q.lo);
	node_bypass(r->n, typed_output(n));
	return 1;
}

const struct rewrite_row layer_rewrites[] = {
	{ "", "RMSNormalization", 2, root_mean_square_norm },
	{ "", "RequantShift", 3, requant_shift },
	{ "", "SimplifiedLayerNormalization", 2, root_mean_square_norm },
	{ "PACTOps", "RequantShift", 3, requant_shift },
	{ DOMAIN_MICROSOFT, "SkipLayerNormalization", 3, skip_layer_norm },
	{ DOMAIN_MICROSOFT, "SkipSimplifiedLayerNormalization", 3, skip_simplified_layer_norm },
};
const size_t n_layer_rewrites = sizeof layer_rewrites / sizeof *layer_rewrites;

/* Reading the quantisation grid of a quantiser from its parameters. */
#include "passes/quant_grid.h"

#include <math.h>

#include "ops/rounding.h"

static bool is_integer(double x)
{
	return x == rint(x) && fabs(x) < 0x1p52;
}

static bool refuse(const char **reason, const char *why)
{
	*reason = why;
	return false;
}

static bool set_scale(struct quant_grid *g, const struct value *v, const char **reason)
{
	double lo, hi;
	if (!value_is_constant(v))
		return refuse(reason, "its scale is computed at run time");
	tensor_min_max(v->constant, &lo, &hi);
	if (!(lo > 0))
		return refuse(reason, "its scale is not positive");
	g->scales = lo == hi ? NULL : v->constant;
	g->scale = lo;
	return true;
}

static struct datatype datatype_of_levels(int64_t lo, int64_t hi)
{
	return lo == 0 && hi == 1 ? datatype_of_kind(DT_BINARY) : datatype_for_range(lo, hi);
}

static bool bipolar_grid(struct quant_grid *g)
{
	g->steps = 1;
	g->base = -1;
	g->stride = 2;
	g->datatype = datatype_of_kind(DT_BIPOLAR);
	return true;
}

static bool set_levels(struct quant_grid *g, double lo, double hi, double zero, const char **reason)
{
	if (!is_integer(zero))
		return refuse(reason, "its zero point is not an integer");
	if (hi - lo > 0x1p32)
		return refuse(reason, "it is wider than 32 bits");
	g->steps = (int64_t)(hi - lo);
	g->base = (int64_t)(lo - zero);
	g->stride = 1;
	g->datatype = datatype_of_levels(g->base, g->base + g->steps);
	return true;
}

static bool uniform(const struct value *v, double *x)
{
	if (!value_is_constant(v) || !v->constant->count)
		return false;
	*x = tensor_at(v->constant, 0);
	return tensor_all(v->constant, *x);
}

static bool grid_of_quant(const struct node *n, struct quant_grid *g, const char **reason)
{
	double zero, bits, lo, hi;
	bool is_signed = node_attr_int(n, "signed", 1) != 0;
	if (!set_scale(g, node_input(n, 1), reason))
		return false;
	if (!uniform(node_input(n, 2), &zero))
		return refuse(reason, "its zero point is computed or varies");
	if (!uniform(node_input(n, 3), &bits))
		return refuse(reason, "its bit width is computed or varies");
	if (is_signed && bits == 1)
		return bipolar_grid(g);
	quant_bounds(is_signed, node_attr_int(n, "narrow", 0) != 0, bits, &lo, &hi);
	enum rounding mode; /* a fractional bit width clips between integers, and rounding follows */
	if (!rounding_parse(node_attr_string(n, "rounding_mode", "ROUND"), &mode))
		return refuse(reason, "its rounding mode is unknown");
	lo = rounding_apply(mode, lo);
	hi = rounding_apply(mode, hi);
	return set_levels(g, lo, hi, zero, reason);
}

/* Version 1 keeps the input's scale and clips nothing; version 2 has an output scale and clips. */
static bool trunc_grid(const struct node *n, struct quant_grid *g, const char **reason)
{
	double zero, bits, in_bits, lo, hi;
	bool v2 = n->n_inputs >= 6;
	if (!uniform(node_input(n, 2), &zero) || zero != 0)
		return refuse(reason, "its zero point is not 0");
	if (!uniform(node_input(n, 3), &in_bits) || !uniform(node_input(n, v2 ? 5 : 4), &bits) || bits != rint(bits))
		return refuse(reason, "its bit widths are not constant integers");
	if (!set_scale(g, node_input(n, v2 ? 4 : 1), reason))
		return false;
	if (v2) {
		quant_bounds(node_attr_int(n, "signed", 1) != 0, node_attr_int(n, "narrow", 0) != 0, bits, &lo, &hi);
		return set_levels(g, lo, hi, 0, reason);
	}
	g->is_open = true;
	return set_levels(g, -exp2(bits), exp2(bits), 0, reason);
}

static bool threshold_grid(const struct node *n, struct quant_grid *g, const char **reason)
{
	const struct value *t = node_input(n, 1);
	double scale = node_attr_float(n, "out_scale", 1), bias = node_attr_float(n, "out_bias", 0);
	if (!value_is_constant(t) || t->constant->rank != 2)
		return refuse(reason, "its thresholds are computed at run time");
	g->steps = t->constant->dims[1];
	if (is_integer(scale) && is_integer(bias)) {
		g->stride = (int64_t)scale;
		g->base = (int64_t)bias;
		g->scale = 1;
	} else {
		g->stride = 1;
		g->base = is_integer(bias / scale) ? (int64_t)(bias / scale) : 0;
		g->scale = scale;
		g->bias = is_integer(bias / scale) ? 0 : bias;
	}
	if (scale == 0)
		return refuse(reason, "its output scale is 0");
	int64_t end = g->base + g->stride * g->steps;
	g->datatype = g->base == -1 && g->stride == 2 && g->steps == 1
			      ? datatype_of_kind(DT_BIPOLAR)
			      : datatype_of_levels(g->base < end ? g->base : end, g->base < end ? end : g->base);
	return true;
}

bool quant_grid_of(const struct node *n, struct quant_grid *g, const char **reason)
{
	*g = (struct quant_grid){ .scale = 1, .stride = 1 };
	if (n->op == &op_MultiThreshold)
		return threshold_grid(n, g, reason);
	if (n->op == &op_Quant)
		return grid_of_quant(n, g, reason);
	if (n->op == &op_BipolarQuant)
		return set_scale(g, node_input(n, 1), reason) && bipolar_grid(g);
	if (n->op == &op_Trunc)
		return trunc_grid(n, g, reason);
	return refuse(reason, "this quantiser is not known to give integers");
}

int64_t quant_grid_level(const struct quant_grid *g, int64_t channel, double y)
{
	double q = (y - g->bias) / quant_grid_scale(g, channel);
	return llrint((q - (double)g->base) / (double)g->stride);
}

/* to-hw: thresholds in the form that hardware takes; a MultiThreshold alone becomes Thresholding. */
#include <math.h>
#include <string.h>

#include "ops/channels.h"
#include "passes/edit.h"
#include "passes/ranges.h"
#include "passes/to_hw.h"

static bool is_bipolar_output(const struct node *threshold)
{
	return node_output(threshold, 0)->datatype.kind == DT_BIPOLAR;
}

static bool is_whole(double x)
{
	return isfinite(x) && fabs(x) < 0x1p53 && x == floor(x);
}

int to_hw_check_threshold(const struct node *n, struct diags *d)
{
	double scale = node_attr_float(n, "out_scale", 1), bias = node_attr_float(n, "out_bias", 0);
	const struct value *t = node_input(n, 1);
	if (!value_is_constant(t) || t->rank != 2)
		return diag_node_error(d, n, "give it constant thresholds, a row for each channel",
				       "its thresholds are no constant matrix");
	if (!to_hw_is_integer(node_output(n, 0)))
		return diag_node_error(d, n, "name an integer type in its attribute out_dtype",
				       "its output is not of an integer datatype");
	if (is_bipolar_output(n) && scale == 2 && bias == -1 && t->dims[1] <= 1)
		return 0;
	if (scale == 1 && is_whole(bias) && !is_bipolar_output(n))
		return 0;
	return diag_node_error(d, n, "move the scale behind it, where it joins the next layer's",
			       "out_scale %g and out_bias %g with %lld thresholds have no hardware form", scale, bias,
			       (long long)t->dims[1]);
}

int64_t to_hw_act_val(const struct node *threshold)
{
	return is_bipolar_output(threshold) ? 0 : (int64_t)node_attr_float(threshold, "out_bias", 0);
}

bool to_hw_is_bipolar(const struct value *w)
{
	for (int64_t i = 0; i < w->constant->count; i++)
		if (fabs(tensor_at(w->constant, i)) != 1)
			return false;
	return true;
}

struct datatype to_hw_constant_datatype(const struct value *v)
{
	double lo, hi;
	tensor_min_max(v->constant, &lo, &hi);
	if (v->datatype.kind == DT_BIPOLAR && !to_hw_is_bipolar(v)) /* zeros between groups of a lowered convolution */
		return datatype_for_bounds(lo, hi);
	if (datatype_is_integer(v->datatype) && datatype_allows(v->datatype, lo) && datatype_allows(v->datatype, hi))
		return v->datatype;
	return datatype_for_bounds(lo, hi);
}

/* A threshold as a whole number that x reaches exactly where it reaches t. What no x reaches, or every x does, comes to
 * lie next to the range of x. */
static double whole_threshold(double t, const struct value *x)
{
	bool known = datatype_is_integer(x->datatype);
	double lo = known ? datatype_min(x->datatype) : -0x1p62, hi = known ? datatype_max(x->datatype) : 0x1p62;
	if (t > hi)
		return hi + 1;
	return t <= lo ? fmax(ceil(t), lo - 1) : ceil(t);
}

/* Where there are no thresholds, one that is never reached. */
struct value *to_hw_thresholds(struct graph *g, struct node *threshold)
{
	sort_thresholds(threshold);
	struct value *x = node_input(threshold, 0), *t = node_input(threshold, 1);
	bool none = t->dims[1] == 0;
	struct tensor *whole = tensor_new(ELEM_FLOAT, 2, (int64_t[]){ t->dims[0], none ? 1 : t->dims[1] });
	for (int64_t i = 0; i < whole->count; i++)
		tensor_put(whole, i, whole_threshold(none ? INFINITY : tensor_at(t->constant, i), x));
	struct value *v = value_new_constant(g, t->name, whole);
	v->datatype = t->datatype;
	v->datatype = to_hw_constant_datatype(v);
	return v;
}

/* Whether thresholds, ascending whole numbers, give every x from lo to hi back: some up to lo count to lo with the bias, then
 * come lo + 1 ... hi, and no other below hi. */
static bool row_is_identity(const struct tensor *t, int64_t row, int64_t lo, int64_t hi, int64_t bias)
{
	int64_t steps = t->dims[1], first = row * steps, below = 0;
	while (below < steps && tensor_at(t, first + below) <= (double)lo)
		below++;
	if (bias + below != lo || (double)hi - (double)lo > (double)(steps - below))
		return false;
	for (int64_t k = 0; k < hi - lo; k++)
		if (tensor_at(t, first + below + k) != (double)(lo + 1 + k))
			return false;
	return below + hi - lo == steps || tensor_at(t, first + below + hi - lo) > (double)hi;
}

/* Whether the thresholds change no value that x can have. */
static bool is_identity(struct graph *g, struct value *x, const struct tensor *t, struct datatype out, int64_t bias)
{
	const struct range *r = range_of(g, x);
	bool bipolar = x->datatype.kind == DT_BIPOLAR;
	int64_t lo = r ? r->lo : datatype_int_min(x->datatype), hi = r ? r->hi : datatype_int_max(x->datatype);
	if (bipolar != (out.kind == DT_BIPOLAR))
		return false;
	for (int64_t row = 0; row < t->dims[0]; row++) {
		double only = tensor_at(t, row * t->dims[1]);
		bool same = bipolar ? t->dims[1] == 1 && only > -1 && only <= 1 : row_is_identity(t, row, lo, hi, bias);
		if (!same)
			return false;
	}
	return true;
}

/* Each row of t so many times: thresholds along an axis, for all elements of the axes behind it. */
static struct value *repeated_rows(struct graph *g, const struct value *t, int64_t times)
{
	int64_t rows = t->dims[0], steps = t->dims[1];
	struct tensor *all = tensor_new(ELEM_FLOAT, 2, (int64_t[]){ rows * times, steps });
	for (int64_t i = 0; i < all->count; i++)
		tensor_put(all, i, tensor_at(t->constant, i / steps / times * steps + i % steps));
	struct value *v = value_new_constant(g, t->name, all);
	v->datatype = t->datatype;
	return v;
}

/* Hardware holds channels along the last axis: thresholds along another one are those of channels that are all elements from that
 * axis on, a view that costs nothing but memory for the thresholds. Returns that view of x, and its thresholds in *t. */
static struct value *channels_last(struct node *n, struct value *x, struct value **t)
{
	int axis = (*t)->dims[0] > 1 ? threshold_axis(n, x->rank) : x->rank - 1;
	int64_t inner = dims_product(x->dims, axis + 1, x->rank), dims[MAX_RANK];
	if (axis == x->rank - 1)
		return x;
	*t = repeated_rows(n->graph, *t, inner);
	memcpy(dims, x->dims, (size_t)axis * sizeof *dims);
	dims[axis] = x->dims[axis] * inner;
	return to_hw_view(n, x, axis + 1, dims);
}

static struct node *thresholding(struct node *before, struct value *x, struct value *t, const struct node *n)
{
	struct datatype out = node_output(n, 0)->datatype;
	struct node *hw = node_new(n->graph, before, DOMAIN_FINN, "Thresholding", (struct value *[]){ x, t }, 2, 1,
				   node_output(n, 0)->name);
	node_set_string(hw, "backend", "fpgadataflow");
	value_set_type(n->graph, hw->outputs[0], ELEM_FLOAT, x->rank, x->dims);
	if (x->rank == node_output(n, 0)->rank) /* no view */
		hw->outputs[0]->layout = node_output(n, 0)->layout;
	hw->outputs[0]->datatype = out;
	hw->outputs[0]->range = node_output(n, 0)->range;
	node_set_int(hw, "NumChannels", x->dims[x->rank - 1]);
	node_set_int(hw, "PE", 1);
	node_set_int(hw, "numSteps", t->dims[1]);
	to_hw_set_datatype(hw, "inputDataType", x->datatype);
	to_hw_set_datatype(hw, "weightDataType", t->datatype);
	to_hw_set_datatype(hw, "outputDataType", out);
	to_hw_set_vectors(hw, x);
	node_set_int(hw, "ActVal", to_hw_act_val(n));
	node_set_string(hw, "preferred_impl_style", "hls");
	return hw;
}

int to_hw_threshold(struct pass_ctx *ctx, struct node *n)
{
	struct value *x = node_input(n, 0), *out = node_output(n, 0);
	if (n->op != &op_MultiThreshold || !to_hw_is_integer(x))
		return 0;
	if (to_hw_check_threshold(n, ctx->diags) != 0)
		return -1;
	struct value *t = to_hw_thresholds(ctx->graph, n);
	if (is_identity(ctx->graph, x, t->constant, out->datatype, to_hw_act_val(n))) {
		value_replace_uses(out, x);
	} else {
		struct value *rows = channels_last(n, x, &t);
		struct node *hw = thresholding(n, rows, t, n);
		value_replace_uses(out, to_hw_view(n, hw->outputs[0], out->rank, out->dims));
	}
	node_remove(n);
	return 1;
}

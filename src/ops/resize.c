/* Resize and Upsample: interpolation along axes. Nearest neighbour moves elements; linear and cubic apply the
 * axes one by one, each output position a weighted sum of taps. Formulas as the ONNX specification of Resize
 * gives them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/broadcast.h"
#include "ops/form.h"
#include "ops/move.h"
#include "util/integers.h"

enum transform {
	HALF_PIXEL,
	HALF_PIXEL_SYMMETRIC,
	PYTORCH_HALF_PIXEL,
	ALIGN_CORNERS,
	ASYMMETRIC,
	CROP_AND_RESIZE,
	HALF_PIXEL_FOR_NEAREST,
	TRANSFORM_UNKNOWN
};
static const char *const transform_names[] = { "half_pixel",	      "half_pixel_symmetric", "pytorch_half_pixel",
					       "align_corners",	      "asymmetric",	      "tf_crop_and_resize",
					       "tf_half_pixel_for_nn" };
enum interpolation { NEAREST, LINEAR, CUBIC };

struct resize {
	int rank;
	enum interpolation mode;
	enum transform transform;
	const char *nearest_mode;
	bool antialias, exclude_outside;
	double cubic_a, extrapolation;
	int64_t in[MAX_RANK], out[MAX_RANK];
	double scale[MAX_RANK];
	double start[MAX_RANK], end[MAX_RANK]; /* region of interest, for CROP_AND_RESIZE */
};

static int resize_error(struct diags *d, const struct node *n)
{
	return diag_node_error(d, n, "check its scales, sizes, roi and axes",
			       "its parameters do not fit the shape of the input");
}

/* Attributes; opset 10 and Upsample had none but the mode. False where a mode is unknown. */
static bool read_attributes(const struct node *n, int64_t opset, struct resize *r)
{
	bool old = opset < 11 || strcmp(n->op_type, "Upsample") == 0;
	const char *mode = node_attr_string(n, "mode", "nearest");
	const char *transform =
		node_attr_string(n, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
	r->mode = strcmp(mode, "cubic") == 0 ? CUBIC : strstr(mode, "linear") ? LINEAR : NEAREST;
	r->transform = HALF_PIXEL;
	while (r->transform < TRANSFORM_UNKNOWN && strcmp(transform, transform_names[r->transform]) != 0)
		r->transform++;
	r->nearest_mode = node_attr_string(n, "nearest_mode", old ? "floor" : "round_prefer_floor");
	r->antialias = node_attr_int(n, "antialias", 0) != 0;
	r->exclude_outside = node_attr_int(n, "exclude_outside", 0) != 0;
	r->cubic_a = node_attr_float(n, "cubic_coeff_a", -0.75);
	r->extrapolation = node_attr_float(n, "extrapolation_value", 0);
	return r->transform != TRANSFORM_UNKNOWN && (r->mode != NEAREST || strcmp(mode, "nearest") == 0);
}

/* Where sizes must keep the aspect ratio, the one scale for all axes; else 0. */
static double common_scale(const struct node *n, const struct resize *r, const int64_t *axes, size_t n_axes,
			   const struct tensor *sizes)
{
	const char *policy = node_attr_string(n, "keep_aspect_ratio_policy", "stretch");
	bool larger = strcmp(policy, "not_smaller") == 0;
	double scale = 0;
	if (strcmp(policy, "stretch") == 0)
		return 0;
	for (size_t i = 0; i < n_axes; i++) {
		double s = tensor_at(sizes, (int64_t)i) / (double)r->in[axes[i]];
		if (i == 0 || (s > scale) == larger)
			scale = s;
	}
	return scale;
}

/* Output extents and scales; exactly one of scales and sizes is given, with one entry for each axis. */
static bool plan(const struct node *n, struct resize *r, const struct tensor *scales, const struct tensor *sizes)
{
	int64_t axes[MAX_RANK];
	size_t n_axes;
	const int64_t *given = node_attr_ints(n, "axes", &n_axes);
	const struct tensor *by = scales ? scales : sizes;
	if (!given)
		n_axes = (size_t)r->rank;
	if (!by || n_axes > MAX_RANK || by->count != (int64_t)n_axes || by->elem == ELEM_STRING)
		return false;
	for (size_t i = 0; i < n_axes; i++)
		axes[i] = given ? given[i] : (int64_t)i;
	if (!normal_axes(axes, n_axes, r->rank))
		return false;
	double common = scales ? 0 : common_scale(n, r, axes, n_axes, sizes);
	for (size_t i = 0; i < n_axes; i++) {
		int64_t axis = axes[i];
		double in = (double)r->in[axis], value = tensor_at(by, (int64_t)i);
		double out = scales	  ? floor((double)((float)value * (float)in))
			     : common > 0 ? floor(common * in + 0.5)
					  : value;
		if (!(value > 0 && out >= 0 && out <= (double)MOVE_EXTENT_LIMIT) || (in == 0 && out > 0))
			return false;
		r->out[axis] = (int64_t)out;
		r->scale[axis] = scales ? value : common > 0 ? common : in > 0 ? out / in : 1;
	}
	return true;
}

/* The region of interest: starts, then ends, of the axes in order. */
static bool read_roi(const struct node *n, struct resize *r, const struct tensor *roi)
{
	size_t n_axes;
	const int64_t *axes = node_attr_ints(n, "axes", &n_axes);
	if (!axes)
		n_axes = (size_t)r->rank;
	if (r->transform != CROP_AND_RESIZE)
		return true;
	if (!roi || roi->count != 2 * (int64_t)n_axes || roi->elem == ELEM_STRING)
		return false;
	for (size_t i = 0; i < n_axes; i++) {
		int axis = normal_axis(axes ? axes[i] : (int64_t)i, r->rank);
		r->start[axis] = tensor_at(roi, (int64_t)i);
		r->end[axis] = tensor_at(roi, (int64_t)(i + n_axes));
		if (!isfinite(r->start[axis]) || !isfinite(r->end[axis]))
			return false;
	}
	return true;
}

static void start_plan(struct resize *r, int rank, const int64_t *dims)
{
	r->rank = rank;
	for (int i = 0; i < rank; i++) {
		r->in[i] = r->out[i] = dims[i];
		r->scale[i] = r->end[i] = 1;
		r->start[i] = 0;
	}
}

/* ---- inference ---- */

static const struct tensor *given_constant(const struct node *n, size_t i)
{
	const struct value *v = node_input(n, i);
	return value_is_constant(v) && v->constant->count > 0 ? v->constant : NULL;
}

/* Scales as Upsample's attribute had them, else NULL. The caller owns the tensor. */
static struct tensor *attribute_scales(const struct node *n)
{
	size_t count;
	const float *scales = node_attr_floats(n, "scales", &count);
	int64_t dim = (int64_t)count;
	return scales ? tensor_float(1, &dim, scales) : NULL;
}

static int infer_planned(struct infer_ctx *x, const struct tensor *scales, const struct tensor *sizes)
{
	const struct value *in = node_input(x->node, 0);
	struct resize r;
	int64_t dims[MAX_RANK], positive[MAX_RANK];
	if (in->rank < 0 || (!scales && !sizes)) {
		for (int i = 0; i < in->rank; i++)
			dims[i] = -1;
		infer_output(x, 0, in->elem, in->rank, dims);
		return 0;
	}
	for (int i = 0; i < in->rank; i++) /* unknown extents come out unknown unless a size says more */
		positive[i] = in->dims[i] < 0 ? 1 : in->dims[i];
	start_plan(&r, in->rank, positive);
	if (!plan(x->node, &r, scales, sizes))
		return resize_error(x->diags, x->node);
	for (int i = 0; i < in->rank; i++)
		dims[i] = in->dims[i] < 0 ? -1 : r.out[i];
	infer_output(x, 0, in->elem, in->rank, dims);
	return 0;
}

static int infer_resize(struct infer_ctx *x)
{
	if (x->opset < 11)
		return infer_planned(x, given_constant(x->node, 1), NULL);
	const struct tensor *scales = given_constant(x->node, 2);
	return infer_planned(x, scales, scales ? NULL : given_constant(x->node, 3));
}

static int infer_upsample(struct infer_ctx *x)
{
	struct tensor *attribute = attribute_scales(x->node);
	int result = infer_planned(x, attribute ? attribute : given_constant(x->node, 1), NULL);
	tensor_unref(attribute);
	return result;
}

/* ---- coordinates ---- */

/* Where in the input position `at` of the output lies along an axis. */
static double original(const struct resize *r, int axis, int64_t at)
{
	double x = (double)at, scale = r->scale[axis], in = (double)r->in[axis], out = (double)r->out[axis];
	switch (r->transform) {
	case ALIGN_CORNERS: /* by the extent before rounding, as the specification's test cases */
		return out == 1 ? 0 : x * (in - 1) / (scale * in - 1);
	case ASYMMETRIC: return x / scale;
	case PYTORCH_HALF_PIXEL: return out > 1 ? (x + 0.5) / scale - 0.5 : 0;
	case HALF_PIXEL_FOR_NEAREST: return (x + 0.5) / scale;
	case HALF_PIXEL_SYMMETRIC: return in / 2 * (1 - out / (scale * in)) + (x + 0.5) / scale - 0.5;
	case CROP_AND_RESIZE:
		if (out > 1)
			return r->start[axis] * (in - 1) + x * (r->end[axis] - r->start[axis]) * (in - 1) / (out - 1);
		return 0.5 * (r->start[axis] + r->end[axis]) * (in - 1);
	default: return (x + 0.5) / scale - 0.5;
	}
}

static bool outside(const struct resize *r, int axis, double x)
{
	return r->transform == CROP_AND_RESIZE && (x < 0 || x > (double)(r->in[axis] - 1));
}

static int64_t clamp_index(double x, int64_t extent)
{
	return !(x > 0) ? 0 : x >= (double)extent ? extent - 1 : (int64_t)x;
}

static int64_t nearest_index(const struct resize *r, int axis, double x)
{
	double i = strcmp(r->nearest_mode, "floor") == 0	       ? floor(x)
		   : strcmp(r->nearest_mode, "ceil") == 0	       ? ceil(x)
		   : strcmp(r->nearest_mode, "round_prefer_ceil") == 0 ? floor(x + 0.5)
								       : ceil(x - 0.5);
	return clamp_index(i, r->in[axis]);
}

static int exec_nearest(struct exec_ctx *x, const struct resize *r)
{
	struct move m = { .x = x };
	int64_t strides[MAX_RANK];
	row_major_strides(r->rank, r->in, strides);
	for (int k = 0; k < r->rank; k++) {
		bool same = r->in[k] == r->out[k] && r->scale[k] == 1 && r->transform != CROP_AND_RESIZE;
		int64_t *table = move_axis(&m, r->out[k], strides[k]);
		for (int64_t i = 0; table && i < r->out[k] && !same; i++) {
			double at = original(r, k, i);
			table[i] = outside(r, k, at) ? MOVE_FILL : nearest_index(r, k, at) * strides[k];
		}
	}
	struct tensor *value = NULL, *given = tensor_scalar((float)r->extrapolation);
	if (given && x->in[0]->elem != ELEM_STRING)
		value = tensor_try_cast(given, x->in[0]->elem);
	int result = exec_move(x, 0, &m, x->in[0], value ? value->data : NULL, 0, NULL);
	tensor_unref(given);
	tensor_unref(value);
	return result;
}

/* ---- linear and cubic ---- */

/* Weights along one axis: for each output position, `width` taps at indices into the input. */
struct taps {
	int64_t width;
	int64_t *index;
	double *weight;
};

/* The interpolation's kernel at distance x. Cubic: Keys 1981, with parameter a. */
static double kernel(const struct resize *r, double x)
{
	double a = r->cubic_a;
	x = fabs(x);
	if (r->mode == LINEAR)
		return x < 1 ? 1 - x : 0;
	if (x <= 1)
		return ((a + 2) * x - (a + 3)) * x * x + 1;
	return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/* Taps of one output position: the kernel around x, widened by 1 / narrow where antialiasing. */
static void position_taps(const struct resize *r, int axis, double x, double narrow, int64_t first, struct taps *t,
			  int64_t at)
{
	double sum = 0, base = floor(x);
	for (int64_t j = 0; j < t->width; j++) {
		double i = base + (double)(first + j);
		double weight = kernel(r, (i - x) * narrow);
		if (r->exclude_outside && (i < 0 || i >= (double)r->in[axis]))
			weight = 0;
		t->index[at * t->width + j] = clamp_index(i, r->in[axis]);
		t->weight[at * t->width + j] = weight;
		sum += weight;
	}
	for (int64_t j = 0; j < t->width && sum != 0; j++)
		t->weight[at * t->width + j] /= sum;
}

/* False with a diagnostic where they are beyond the budget. */
static bool axis_taps(struct exec_ctx *x, const struct resize *r, int axis, struct taps *t)
{
	double narrow = r->antialias && r->scale[axis] < 1 ? r->scale[axis] : 1;
	double radius = fmin((r->mode == LINEAR ? 1 : 2) / narrow, 0x1p31);
	int64_t first = (int64_t)floor(-radius) + 1;
	*t = (struct taps){ .width = 2 - 2 * first };
	int64_t count = multiply_clamped(t->width, r->out[axis]);
	if (exec_work(x, count, 16) < 0)
		return false;
	t->index = exec_memory(x, count, sizeof *t->index);
	t->weight = t->index ? exec_memory(x, count, sizeof *t->weight) : NULL;
	for (int64_t i = 0; t->weight && i < r->out[axis]; i++)
		position_taps(r, axis, original(r, axis, i), narrow, first, t, i);
	return t->weight != NULL;
}

static void weigh(const struct resize *r, int axis, const struct taps *t, const struct tensor *in, struct tensor *out,
		  int64_t inner)
{
	for (int64_t row = 0; row < out->count / inner; row++) {
		int64_t at = row % r->out[axis], outer = row / r->out[axis];
		double *to = (double *)out->data + row * inner;
		for (int64_t j = 0; j < t->width; j++) {
			double w = t->weight[at * t->width + j];
			const double *from =
				(const double *)in->data + (outer * r->in[axis] + t->index[at * t->width + j]) * inner;
			for (int64_t i = 0; i < inner; i++)
				to[i] += w * from[i];
		}
	}
}

/* One axis of `in` interpolated; both double. NULL with a diagnostic where it takes too much. */
static struct tensor *interpolate_axis(struct exec_ctx *x, const struct resize *r, int axis, const struct tensor *in)
{
	int64_t dims[MAX_RANK];
	memcpy(dims, in->dims, in->rank * sizeof *dims);
	dims[axis] = r->out[axis];
	struct tensor *out = exec_zeros(x, ELEM_DOUBLE, in->rank, dims);
	struct taps t = { 0 };
	if (!out || out->count == 0)
		return out;
	if (axis_taps(x, r, axis, &t) && exec_work(x, out->count, t.width) == 0) {
		weigh(r, axis, &t, in, out, dims_product(dims, axis + 1, in->rank));
	} else {
		tensor_unref(out);
		out = NULL;
	}
	free(t.index);
	free(t.weight);
	return out;
}

/* Positions beyond the input get the extrapolation value. */
static int extrapolate(struct exec_ctx *x, const struct resize *r, struct tensor *t)
{
	int64_t strides[MAX_RANK];
	row_major_strides(r->rank, r->out, strides);
	for (int k = 0; k < r->rank; k++) {
		bool *beyond = exec_memory(x, r->out[k], sizeof *beyond);
		if (!beyond)
			return -1;
		for (int64_t i = 0; i < r->out[k]; i++)
			beyond[i] = outside(r, k, original(r, k, i));
		for (int64_t e = 0; e < t->count; e++)
			if (beyond[e / strides[k] % r->out[k]])
				((double *)t->data)[e] = r->extrapolation;
		free(beyond);
	}
	return 0;
}

static int exec_interpolated(struct exec_ctx *x, const struct resize *r)
{
	if (x->in[0]->elem == ELEM_STRING)
		return exec_unsupported(x, "strings");
	struct tensor *t = tensor_try_cast(x->in[0], ELEM_DOUBLE);
	for (int k = 0; k < r->rank && t; k++) {
		if (r->in[k] == r->out[k] && r->scale[k] == 1 && r->transform != CROP_AND_RESIZE)
			continue;
		struct tensor *next = interpolate_axis(x, r, k, t);
		tensor_unref(t);
		t = next;
	}
	if (t && r->transform == CROP_AND_RESIZE && extrapolate(x, r, t) < 0) {
		tensor_unref(t);
		t = NULL;
	}
	x->out[0] = t ? exec_as(x, t, x->in[0]->elem) : NULL;
	tensor_unref(t);
	return x->out[0] ? 0 : -1;
}

static int exec_planned(struct exec_ctx *x, const struct tensor *roi, const struct tensor *scales,
			const struct tensor *sizes)
{
	struct resize r;
	const struct tensor *in = x->in[0];
	if (!read_attributes(x->node, x->opset, &r))
		return exec_unsupported(x, "a mode that is not known");
	start_plan(&r, in->rank, in->dims);
	if (!plan(x->node, &r, scales, sizes) || !read_roi(x->node, &r, roi) ||
	    shape_count(r.rank, r.out, ELEM_DOUBLE) < 0)
		return resize_error(x->diags, x->node);
	return r.mode == NEAREST ? exec_nearest(x, &r) : exec_interpolated(x, &r);
}

static const struct tensor *given_input(const struct exec_ctx *x, size_t i)
{
	const struct tensor *t = exec_input(x, i);
	return t && t->count > 0 ? t : NULL;
}

static int exec_resize(struct exec_ctx *x)
{
	if (x->opset < 11)
		return exec_planned(x, NULL, given_input(x, 1), NULL);
	const struct tensor *scales = given_input(x, 2);
	return exec_planned(x, given_input(x, 1), scales, scales ? NULL : given_input(x, 3));
}

static int exec_upsample(struct exec_ctx *x)
{
	struct tensor *attribute = attribute_scales(x->node);
	int result = exec_planned(x, NULL, attribute ? attribute : given_input(x, 1), NULL);
	tensor_unref(attribute);
	return result;
}

/* ---- generated code: each element as a sum over the taps of all axes that are resized, weights from tables ---- */

static bool keeps_axis(const struct resize *r, int k)
{
	return r->in[k] == r->out[k] && r->scale[k] == 1 && r->transform != CROP_AND_RESIZE;
}

/* What the operator's inputs say, which must be constants. */
static bool form_plan(const struct op_form *f, struct resize *r)
{
	const struct node *n = f->node;
	const struct value *v = node_input(n, 0);
	bool upsample = n->op == &op_Upsample, old = upsample || f->opset < 11;
	struct tensor *attribute = upsample ? attribute_scales(n) : NULL;
	const struct tensor *scales = attribute ? attribute : given_constant(n, old ? 1 : 2);
	start_plan(r, v->rank, v->dims);
	bool known = read_attributes(n, f->opset, r) && r->mode != NEAREST &&
		     plan(n, r, scales, scales || old ? NULL : given_constant(n, 3)) &&
		     read_roi(n, r, old ? NULL : given_constant(n, 1));
	tensor_unref(attribute);
	return known;
}

/* Tables of axis k: NAME_iK and NAME_wK, taps by position. Returns how many taps a position has; 0: too many. */
static int64_t form_taps(struct op_form *f, const struct resize *r, int k, const char **index, const char **weight)
{
	struct diags quiet = { 0 };
	struct exec_budget left = { INT64_C(1) << 28, INT64_C(1) << 28 };
	struct exec_ctx x = { .node = f->node, .left = &left, .diags = &quiet };
	struct taps t = { 0 };
	int64_t width = axis_taps(&x, r, k, &t) ? t.width : 0;
	if (width) {
		*index = f->integers(f, form_text(f, "i%d", k), t.index, width * r->out[k]);
		*weight = f->reals(f, form_text(f, "w%d", k), t.weight, width * r->out[k]);
	}
	free(t.index);
	free(t.weight);
	diags_free(&quiet);
	return width;
}

/* "beyond0[i0] || ...": positions beyond the input, where the operator crops. */
static const char *form_beyond(struct op_form *f, const struct resize *r)
{
	const char *text = "";
	for (int k = 0; k < r->rank && r->transform == CROP_AND_RESIZE; k++) {
		int64_t *beyond = arena_array(f->arena, int64_t, r->out[k] + 1), any = 0;
		for (int64_t i = 0; i < r->out[k]; i++)
			any |= beyond[i] = outside(r, k, original(r, k, i));
		if (any)
			text = form_text(f, "%s%s%s[o%d]", text, *text ? " || " : "",
					 f->integers(f, form_text(f, "b%d", k), beyond, r->out[k]), k);
	}
	return text;
}

static int form_resize(struct op_form *f)
{
	struct resize r;
	const struct value *v = node_input(f->node, 0), *out = f->node->outputs[0];
	int64_t in_step[MAX_RANK], out_step[MAX_RANK];
	const char *at = "0", *factor = "1", *type = form_type(f, 0);
	int taps = 0;
	if (!form_plan(f, &r))
		return -1;
	row_major_strides(r.rank, v->dims, in_step);
	row_major_strides(r.rank, out->dims, out_step);
	int open = form_open(f, "o", r.rank, r.out);
	const char *beyond = form_beyond(f, &r);
	form_line(f, "double sum = 0;");
	for (int k = 0; k < r.rank; k++) {
		const char *index, *weight, *tap = form_text(f, "o%d", k);
		if (!keeps_axis(&r, k)) {
			int64_t width = form_taps(f, &r, k, &index, &weight);
			if (!width)
				return -1;
			form_loop(f, form_text(f, "t%d", k), width);
			const char *entry = form_text(f, "[o%d * %lld + t%d]", k, LL(width), k);
			factor = form_text(f, "%s * (double)%s%s", factor, weight, entry);
			tap = form_text(f, "%s%s", index, entry);
			taps++;
		}
		at = form_text(f, "%s + %s * %lld", at, tap, LL(in_step[k]));
	}
	form_line(f, "sum += %s * (double)%s;", factor, f->load(f, 0, at));
	form_end(f, taps);
	if (*beyond)
		form_line(f, "sum = %s ? %s : sum;", beyond, form_float(f, r.extrapolation, true));
	form_store(f, 0, form_at(f, "o", r.rank, out_step), form_text(f, "(%s)sum", type));
	form_end(f, open);
	return 0;
}

bool resize_moves(const struct node *n)
{
	const char *transform = node_attr_string(n, "coordinate_transformation_mode", "");
	return strcmp(node_attr_string(n, "mode", "nearest"), "nearest") == 0 &&
	       strcmp(transform, "tf_crop_and_resize") != 0;
}

static struct datatype datatype_resize(const struct node *n, size_t i)
{
	return resize_moves(n) ? datatype_same(n, i) : datatype_of_kind(DT_NONE);
}

const struct op op_Resize = {
	.name = "Resize",
	.domain = DOMAIN_ONNX,
	.summary = "interpolation along axes",
	.min_inputs = 1,
	.max_inputs = 4,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_resize,
	.datatype = datatype_resize,
	.exec = exec_resize,
	.form = form_resize,
};

const struct op op_Upsample = {
	.name = "Upsample",
	.domain = DOMAIN_ONNX,
	.summary = "interpolation along axes (before opset 10)",
	.min_inputs = 1,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_upsample,
	.datatype = datatype_resize,
	.exec = exec_upsample,
	.form = form_resize,
};

/* Forms of operators that go along axes: reductions, positions of extremes, softmax and normalisations. */
#include "ops/form.h"
#include "ops/move.h"
#include "ops/reduce.h"
#include "util/integers.h"

/* ---- reductions ---- */

/* What a starts with, how x joins it, and the result (n: elements that were joined). NULL: 0, a. */
static const struct reducer {
	const struct op *op;
	const char *real_start, *signed_start, *unsigned_start, *join_real, *join_integer, *finish;
} reducers[] = {
	{ &op_ReduceSum, NULL, NULL, NULL, "a + x", "a + x", NULL },
	{ &op_ReduceMean, NULL, NULL, NULL, "a + x", "a + x", "(double)a / n" },
	{ &op_ReduceProd, "1", "1", "1", "a * x", "a * x", NULL },
	{ &op_ReduceMax, "-INFINITY", "INT64_MIN", "0", "isnan(x) || x > a ? x : a", "x > a ? x : a", NULL },
	{ &op_ReduceMin, "INFINITY", "INT64_MAX", "UINT64_MAX", "isnan(x) || x < a ? x : a", "x < a ? x : a", NULL },
	{ &op_ReduceL1, NULL, NULL, NULL, "a + fabs(x)", "a + ((int64_t)x < 0 ? 0 - x : x)", NULL },
	{ &op_ReduceL2, NULL, NULL, NULL, "a + x * x", "a + x * x", "sqrt((double)a)" },
	{ &op_ReduceSumSquare, NULL, NULL, NULL, "a + x * x", "a + x * x", NULL },
	{ &op_ReduceLogSum, NULL, NULL, NULL, "a + x", "a + x", "log((double)a)" },
	{ &op_ReduceLogSumExp, NULL, NULL, NULL, "a + exp(x - top)", NULL, "top + log(a)" },
};

static const struct reducer *reducer_of(const struct node *n)
{
	for (size_t i = 0; i < sizeof reducers / sizeof *reducers; i++)
		if (n->op == reducers[i].op)
			return &reducers[i];
	return NULL;
}

/* Strides of the result, which has the axes in `gone` with one element or not at all, along the axes of the operand. */
static void kept_strides(const struct value *v, uint32_t gone, int64_t *strides)
{
	int64_t step = 1;
	for (int i = v->rank - 1; i >= 0; i--) {
		strides[i] = gone >> i & 1 ? 0 : step;
		step *= gone >> i & 1 ? 1 : v->dims[i];
	}
}

/* Loops over the axes whose bit in `gone` is `inner`. Returns how many. */
static int open_axes(struct op_form *f, const struct value *v, uint32_t gone, bool inner)
{
	int open = 0;
	for (int i = 0; i < v->rank; i++)
		if ((gone >> i & 1) == inner) {
			form_loop(f, form_text(f, "i%d", i), v->dims[i]);
			open++;
		}
	if (!open)
		form_line(f, "{");
	return open ? open : 1;
}

static int64_t gone_count(const struct value *v, uint32_t gone)
{
	int64_t n = 1;
	for (int i = 0; i < v->rank; i++)
		n *= gone >> i & 1 ? v->dims[i] : 1;
	return n;
}

/* The largest element of the inner loops, where it is finite. */
static void largest(struct op_form *f, const struct value *v, uint32_t gone, const char *x)
{
	form_line(f, "double top = -INFINITY;");
	int open = open_axes(f, v, gone, true);
	form_line(f, "top = (double)%s > top ? (double)%s : top;", x, x);
	form_end(f, open);
	form_line(f, "top = isfinite(top) ? top : 0.0;");
}

int form_reduce(struct op_form *f)
{
	const struct value *v = node_input(f->node, 0), *out = f->node->outputs[0];
	const struct reducer *r = reducer_of(f->node);
	struct reduction axes;
	int64_t own[MAX_RANK], kept[MAX_RANK];
	bool real = form_is_real(v), is_signed = elem_is_signed((enum elem_type)v->elem);
	if (!reduction_of(f->node, v->rank, &axes) || (!real && !r->join_integer))
		return -1;
	form_strides(v, v->rank, v->dims, own);
	kept_strides(v, axes.axes, kept);
	bool ordered = r->signed_start && r->signed_start[0] == 'I';
	bool as_signed = is_signed && (ordered || r->finish);
	const char *type = real ? "double" : as_signed ? "int64_t" : "uint64_t";
	const char *start = real ? r->real_start : as_signed ? r->signed_start : r->unsigned_start;
	const char *x = f->load(f, 0, form_at(f, "i", v->rank, own));
	int outer = open_axes(f, v, axes.axes, false);
	if (r->op == &op_ReduceLogSumExp)
		largest(f, v, axes.axes, x);
	form_line(f, "%s a = %s;", type, start ? start : "0");
	int inner = open_axes(f, v, axes.axes, true);
	form_line(f, "const %s x = (%s)%s;", type, type, x);
	form_line(f, "a = %s;", real ? r->join_real : r->join_integer);
	form_end(f, inner);
	if (r->op == &op_ReduceMean)
		form_line(f, "const double n = %lld;", LL(gone_count(v, axes.axes)));
	form_store(f, 0, form_at(f, "i", v->rank, kept),
		   form_text(f, "(%s)(%s)", form_ctype((enum elem_type)out->elem), r->finish ? r->finish : "a"));
	form_end(f, outer);
	return 0;
}

int form_arg(struct op_form *f)
{
	const struct node *n = f->node;
	const struct value *v = node_input(n, 0);
	int axis = normal_axis(node_attr_int(n, "axis", 0), v->rank);
	if (axis < 0)
		return -1;
	bool last = node_attr_int(n, "select_last_index", 0) != 0;
	int64_t inner = dims_product(v->dims, axis + 1, v->rank), length = v->dims[axis];
	form_loop(f, "p", dims_product(v->dims, 0, axis));
	form_loop(f, "q", inner);
	form_line(f, "int best = 0;");
	form_line(f, "for (int i = 1; i < %lld; i++)", LL(length));
	const char *x = f->load(f, 0, form_text(f, "(p * %lld + i) * %lld + q", LL(length), LL(inner)));
	const char *y = f->load(f, 0, form_text(f, "(p * %lld + best) * %lld + q", LL(length), LL(inner)));
	form_line(f, "\tbest = %s %s%s %s ? i : best;", x, n->op == &op_ArgMin ? "<" : ">", last ? "=" : "", y);
	form_store(f, 0, form_text(f, "p * %lld + q", LL(inner)), "best");
	form_end(f, 2);
	return 0;
}

/* ---- lines along an axis ---- */

struct line {
	int64_t outer, length, inner;
	const char *x, *at; /* element i of line (p, q), and its place */
	const char *type;
};

static struct line line_open(struct op_form *f, int64_t length, int64_t inner)
{
	const struct value *v = node_input(f->node, 0);
	int64_t count = dims_product(v->dims, 0, v->rank);
	struct line l = { .outer = count / (length * inner), .length = length, .inner = inner };
	l.at = form_text(f, "(p * %lld + i) * %lld + q", LL(length), LL(inner));
	l.x = form_text(f, "(double)%s", f->load(f, 0, l.at));
	l.type = form_type(f, 0);
	form_loop(f, "p", l.outer);
	form_loop(f, "q", inner);
	return l;
}

/* The lines of Softmax and its kin: before opset 13 all axes from `axis` on. False where the axis is out of range. */
static bool softmax_line(struct op_form *f, struct line *l)
{
	const struct value *v = node_input(f->node, 0);
	bool flattens = f->opset < 13;
	int64_t given = node_attr_int(f->node, "axis", flattens ? 1 : -1);
	if (!form_is_real(v))
		return false;
	if (v->rank == 0 || (flattens && given == v->rank)) {
		*l = line_open(f, 1, 1);
		return true;
	}
	int axis = normal_axis(given, v->rank);
	if (axis < 0)
		return false;
	*l = flattens ? line_open(f, dims_product(v->dims, axis, v->rank), 1)
		      : line_open(f, v->dims[axis], dims_product(v->dims, axis + 1, v->rank));
	return true;
}

int form_softmax(struct op_form *f)
{
	struct line l;
	if (!softmax_line(f, &l))
		return -1;
	form_line(f, "double top = -INFINITY, sum = 0;");
	form_line(f, "for (int i = 0; i < %lld; i++)", LL(l.length));
	form_line(f, "\ttop = %s > top ? %s : top;", l.x, l.x);
	form_line(f, "for (int i = 0; i < %lld; i++)", LL(l.length));
	form_line(f, "\tsum += exp(%s - top);", l.x);
	form_loop(f, "i", l.length);
	const char *value = f->node->op == &op_LogSoftmax ? form_text(f, "%s - (top + log(sum))", l.x)
							  : form_text(f, "exp(%s - top) / sum", l.x);
	form_store(f, 0, l.at, form_text(f, "(%s)(%s)", l.type, value));
	form_end(f, 3);
	return 0;
}

int form_hardmax(struct op_form *f)
{
	struct line l;
	if (!softmax_line(f, &l))
		return -1;
	form_line(f, "int best = 0;");
	form_line(f, "double top = -INFINITY;");
	form_loop(f, "i", l.length);
	form_line(f, "best = %s > top ? i : best;", l.x);
	form_line(f, "top = %s > top ? %s : top;", l.x, l.x);
	form_end(f, 1);
	form_loop(f, "i", l.length);
	form_store(f, 0, l.at, form_text(f, "(%s)(i == best)", l.type));
	form_end(f, 3);
	return 0;
}

/* mean and inverse (of the standard deviation) of the line. */
static void statistics(struct op_form *f, const struct line *l)
{
	double epsilon = node_attr_float(f->node, "epsilon", (double)1e-5f);
	form_line(f, "double mean = 0, variance = 0;");
	form_line(f, "for (int i = 0; i < %lld; i++)", LL(l->length));
	form_line(f, "\tmean += %s;", l->x);
	form_line(f, "mean /= %lld;", LL(l->length));
	form_line(f, "for (int i = 0; i < %lld; i++)", LL(l->length));
	form_line(f, "\tvariance += (%s - mean) * (%s - mean);", l->x, l->x);
	form_line(f, "const double inverse = 1 / sqrt(variance / %lld + %s);", LL(l->length),
		  form_float(f, epsilon, true));
}

/* "(double)scale[at]", or what stands for an input that is not there. */
static const char *parameter(struct op_form *f, size_t input, const char *at, const char *otherwise)
{
	const struct value *v = node_input(f->node, input);
	if (!v)
		return otherwise;
	return form_text(f, "(double)%s", f->load(f, input, dims_product(v->dims, 0, v->rank) == 1 ? "0" : at));
}

/* Standardised lines with scale and bias at that place (a C expression of p and i). */
static int standardise(struct op_form *f, int64_t length, const char *place)
{
	if (!form_is_real(node_input(f->node, 0)))
		return -1;
	struct line l = line_open(f, length, 1);
	statistics(f, &l);
	if (f->node->n_outputs > 1 && f->node->outputs[1])
		form_store(f, 1, "p", "(float)mean");
	if (f->node->n_outputs > 2 && f->node->outputs[2])
		form_store(f, 2, "p", "(float)inverse");
	form_loop(f, "i", length);
	form_store(f, 0, l.at,
		   form_text(f, "(%s)((%s - mean) * inverse * %s + %s)", l.type, l.x, parameter(f, 1, place, "1"),
			     parameter(f, 2, place, "0")));
	form_end(f, 3);
	return 0;
}

int form_layer_normalization(struct op_form *f)
{
	const struct value *v = node_input(f->node, 0);
	int axis = normal_axis(node_attr_int(f->node, "axis", -1), v->rank);
	return axis < 0 ? -1 : standardise(f, dims_product(v->dims, axis, v->rank), "i");
}

int form_instance_normalization(struct op_form *f)
{
	const struct value *v = node_input(f->node, 0);
	if (v->rank < 3)
		return -1;
	return standardise(f, dims_product(v->dims, 2, v->rank), form_text(f, "p %% %lld", LL(v->dims[1])));
}

int form_group_normalization(struct op_form *f)
{
	const struct value *v = node_input(f->node, 0);
	int64_t groups = node_attr_int(f->node, "num_groups", 0);
	if (v->rank < 2 || groups < 1 || v->dims[1] % groups)
		return -1;
	int64_t area = dims_product(v->dims, 2, v->rank), each = v->dims[1] / groups;
	const char *place = form_text(f, "p %% %lld", LL(groups));
	if (f->opset >= 21)
		place = form_text(f, "%s * %lld + i / %lld", place, LL(each), LL(area));
	return standardise(f, each * area, place);
}

int form_lp_normalization(struct op_form *f)
{
	const struct value *v = node_input(f->node, 0);
	int64_t p = node_attr_int(f->node, "p", 2);
	int axis = normal_axis(node_attr_int(f->node, "axis", -1), v->rank);
	if (axis < 0 || p < 1 || p > 2 || !form_is_real(v))
		return -1;
	struct line l = line_open(f, v->dims[axis], dims_product(v->dims, axis + 1, v->rank));
	form_line(f, "double norm = 0;");
	form_line(f, "for (int i = 0; i < %lld; i++)", LL(l.length));
	form_line(f, p == 1 ? "\tnorm += fabs(%s);" : "\tnorm += %s * %s;", l.x, l.x);
	if (p == 2)
		form_line(f, "norm = sqrt(norm);");
	form_loop(f, "i", l.length);
	form_store(f, 0, l.at, form_text(f, "(%s)(norm > 0 ? %s / norm : %s)", l.type, l.x, l.x));
	form_end(f, 3);
	return 0;
}

int form_mean_variance(struct op_form *f)
{
	static const int64_t usual[] = { 0, 2, 3 };
	const struct value *v = node_input(f->node, 0);
	int64_t own[MAX_RANK];
	size_t count;
	const int64_t *axes = node_attr_ints(f->node, "axes", &count);
	uint32_t gone = 0;
	if (!axes)
		axes = usual, count = 3;
	for (size_t i = 0; i < count; i++) {
		int axis = normal_axis(axes[i], v->rank);
		if (axis < 0 || !form_is_real(v))
			return -1;
		gone |= 1u << axis;
	}
	form_strides(v, v->rank, v->dims, own);
	const char *at = form_at(f, "i", v->rank, own), *x = form_text(f, "(double)%s", f->load(f, 0, at));
	int outer = open_axes(f, v, gone, false);
	form_line(f, "double mean = 0, variance = 0;");
	for (int pass = 0; pass < 2; pass++) {
		int inner = open_axes(f, v, gone, true);
		form_line(f, pass ? "variance += (%s - mean) * (%s - mean);" : "mean += %s;", x, x);
		form_end(f, inner);
		form_line(f, "%s /= %lld;", pass ? "variance" : "mean", LL(gone_count(v, gone)));
	}
	int inner = open_axes(f, v, gone, true);
	form_store(f, 0, at, form_text(f, "(%s)((%s - mean) / (sqrt(variance) + 1e-9))", form_type(f, 0), x));
	form_end(f, inner + outer);
	return 0;
}

/* ---- BatchNormalization, with the statistics that are given ---- */

int form_batch_normalization(struct op_form *f)
{
	const struct node *n = f->node;
	const struct value *v = node_input(n, 0);
	bool last = n->op == &op_BatchNormalizationChannelsLast;
	int axis = last ? v->rank - 1 : v->rank > 1 ? 1 : 0;
	if (node_attr_int(n, "training_mode", 0) || !form_is_real(v))
		return -1;
	const char *type = form_type(f, 0), *name[] = { "", "scale", "bias", "mean", "variance" };
	int64_t channels = v->rank ? v->dims[axis] : 1, inner = v->rank ? dims_product(v->dims, axis + 1, v->rank) : 1;
	form_loop(f, "c", channels);
	for (size_t i = 1; i < 5; i++)
		form_line(f, "const %s %s = (%s)%s;", type, name[i], type, f->load(f, i, "c"));
	const char *epsilon = form_float(f, node_attr_float(n, "epsilon", (double)1e-5f), v->elem == ELEM_DOUBLE);
	form_line(f, "const %s s = (%s)1 / sqrt(variance + %s) * scale, t = bias - mean * s;", type, type, epsilon);
	form_loop(f, "p", dims_product(v->dims, 0, v->rank) / (channels * inner));
	form_loop(f, "q", inner);
	const char *at = form_text(f, "(p * %lld + c) * %lld + q", LL(channels), LL(inner));
	form_store(f, 0, at, form_text(f, "%s * s + t", f->load(f, 0, at)));
	form_end(f, 3);
	return 0;
}

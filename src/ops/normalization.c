/* Normalisations by the statistics of the data: InstanceNormalization, LayerNormalization, GroupNormalization,
 * LpNormalization and MeanVarianceNormalization. */
#include <math.h>
#include <string.h>

#include "ops/form.h"
#include "ops/lines.h"
#include "util/integers.h"

struct affine {
	const struct tensor *scale, *bias; /* NULL: 1 and 0 */
	double epsilon;
	int64_t period;		       /* scale and bias repeat after so many lines; 0: they run along the line */
	int64_t run;		       /* elements of a line that share one scale; 0: all */
	struct tensor *mean, *inverse; /* LayerNormalization's further outputs, or NULL */
};

static void standardise(double *line, int64_t n, int64_t which, void *user)
{
	const struct affine *a = user;
	double mean, variance;
	line_statistics(line, n, &mean, &variance);
	double inverse = 1 / sqrt(variance + a->epsilon);
	if (a->mean)
		tensor_put(a->mean, which, mean);
	if (a->inverse)
		tensor_put(a->inverse, which, inverse);
	int64_t per_line = a->run ? n / a->run : 1;
	for (int64_t i = 0; i < n; i++) {
		int64_t at = a->period ? which % a->period * per_line + (a->run ? i / a->run : 0) : i;
		double scale = a->scale ? tensor_at(a->scale, a->scale->count == 1 ? 0 : at) : 1;
		double bias = a->bias ? tensor_at(a->bias, a->bias->count == 1 ? 0 : at) : 0;
		line[i] = (line[i] - mean) * inverse * scale + bias;
	}
}

static int check_channels(struct exec_ctx *x, int64_t count)
{
	for (size_t i = 1; i < 3; i++)
		if (x->in[i]->count != count)
			return diag_node_error(x->diags, x->node, NULL, "input %zu has %lld elements, not %lld", i,
					       (long long)x->in[i]->count, (long long)count);
	return 0;
}

static int exec_instance(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0];
	if (in->rank < 3)
		return exec_unsupported(x, "data without spatial axes");
	if (check_channels(x, in->dims[1]) != 0)
		return -1;
	struct affine a = { .scale = x->in[1],
			    .bias = x->in[2],
			    .period = in->dims[1],
			    .epsilon = node_attr_float(x->node, "epsilon", (double)1e-5f) };
	return exec_lines(x, dims_product(in->dims, 2, in->rank), 1, standardise, &a);
}

/* Scale and bias are per channel since opset 21, per group before. */
static int exec_group(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0];
	int64_t groups = node_attr_int(x->node, "num_groups", 0);
	if (in->rank < 2 || groups < 1 || in->dims[1] % groups)
		return exec_unsupported(x, "channels that num_groups does not divide");
	int64_t area = dims_product(in->dims, 2, in->rank), n = in->dims[1] / groups * area;
	bool per_channel = x->opset >= 21;
	if (check_channels(x, per_channel ? in->dims[1] : groups) != 0)
		return -1;
	struct affine a = { .scale = x->in[1],
			    .bias = x->in[2],
			    .period = groups,
			    .run = per_channel ? area : 0,
			    .epsilon = node_attr_float(x->node, "epsilon", (double)1e-5f) };
	return exec_lines(x, n, 1, standardise, &a);
}

/* Dims of the statistics: those before the axis, then ones. */
static int statistics_dims(int rank, const int64_t *dims, int axis, int64_t *out)
{
	for (int i = 0; i < rank; i++)
		out[i] = i < axis ? dims[i] : 1;
	return rank;
}

static int exec_layer(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0], *bias = exec_input(x, 2);
	int axis = normal_axis(node_attr_int(x->node, "axis", -1), in->rank);
	int64_t dims[MAX_RANK];
	if (axis < 0)
		return exec_unsupported(x, "an axis that is out of range");
	int64_t n = dims_product(in->dims, axis, in->rank);
	if ((x->in[1]->count != n && x->in[1]->count != 1) || (bias && bias->count != n && bias->count != 1))
		return exec_unsupported(x, "scale or bias that differ in size from the normalised axes");
	struct affine a = { .scale = x->in[1],
			    .bias = bias,
			    .epsilon = node_attr_float(x->node, "epsilon", (double)1e-5f) };
	int rank = statistics_dims(in->rank, in->dims, axis, dims);
	if (x->n_out > 1 && x->node->outputs[1])
		a.mean = exec_output(x, 1, ELEM_FLOAT, rank, dims);
	if (x->n_out > 2 && x->node->outputs[2])
		a.inverse = exec_output(x, 2, ELEM_FLOAT, rank, dims);
	return exec_lines(x, n, 1, standardise, &a);
}

static int infer_layer(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t dims[MAX_RANK];
	int axis = in->rank < 0 ? -1 : normal_axis(node_attr_int(x->node, "axis", -1), in->rank);
	for (size_t i = 1; i < x->node->n_outputs && axis >= 0; i++)
		infer_output(x, i, ELEM_FLOAT, statistics_dims(in->rank, in->dims, axis, dims), dims);
	return infer_same(x);
}

static void divide_by_norm(double *line, int64_t n, int64_t which, void *user)
{
	double norm = 0;
	bool first = *(const int64_t *)user == 1;
	(void)which;
	for (int64_t i = 0; i < n; i++)
		norm += first ? fabs(line[i]) : line[i] * line[i];
	norm = first ? norm : sqrt(norm);
	for (int64_t i = 0; i < n && norm != 0; i++)
		line[i] /= norm;
}

static int exec_lp(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0];
	int64_t p = node_attr_int(x->node, "p", 2);
	int axis = normal_axis(node_attr_int(x->node, "axis", -1), in->rank);
	if (axis < 0 || p < 1 || p > 2)
		return exec_unsupported(x, "an axis out of range, or p other than 1 and 2");
	return exec_lines(x, in->dims[axis], dims_product(in->dims, axis + 1, in->rank), divide_by_norm, &p);
}

/* ---- MeanVarianceNormalization: statistics over any set of axes ---- */

/* For each element, the number of the group of elements that share its index along the axes not reduced. */
struct grouping {
	int64_t dims[MAX_RANK], weight[MAX_RANK]; /* weight 0: reduced */
	int rank;
	int64_t groups;
};

static int64_t group_of(const struct grouping *g, int64_t element)
{
	int64_t group = 0;
	for (int i = g->rank - 1; i >= 0; i--) {
		group += element % g->dims[i] * g->weight[i];
		element /= g->dims[i];
	}
	return group;
}

static void make_groups(struct grouping *g, const struct tensor *t, const int64_t *axes, size_t count)
{
	g->rank = t->rank;
	g->groups = 1;
	memcpy(g->dims, t->dims, t->rank * sizeof *t->dims);
	for (int i = t->rank - 1; i >= 0; i--) {
		bool reduced = false;
		for (size_t k = 0; k < count; k++)
			reduced = reduced || normal_axis(axes[k], t->rank) == i;
		g->weight[i] = reduced ? 0 : g->groups;
		g->groups *= reduced ? 1 : t->dims[i];
	}
}

static int exec_mean_variance(struct exec_ctx *x)
{
	static const int64_t usual[] = { 0, 2, 3 };
	const struct tensor *in = x->in[0];
	size_t count;
	const int64_t *axes = node_attr_ints(x->node, "axes", &count);
	struct grouping g;
	if (!elem_is_float((enum elem_type)in->elem))
		return exec_unsupported(x, "the input is of no floating-point type");
	make_groups(&g, in, axes ? axes : usual, axes ? count : 3);
	struct tensor *y = exec_output(x, 0, (enum elem_type)in->elem, in->rank, in->dims);
	struct tensor *sums = exec_zeros(x, ELEM_DOUBLE, 2, (const int64_t[]){ 2, g.groups });
	if (y && sums && in->count) {
		double *sum = sums->data, *squares = sum + g.groups, n = (double)(in->count / g.groups);
		for (int64_t i = 0; i < in->count; i++)
			sum[group_of(&g, i)] += tensor_at(in, i);
		for (int64_t i = 0; i < in->count; i++) {
			int64_t k = group_of(&g, i);
			squares[k] += (tensor_at(in, i) - sum[k] / n) * (tensor_at(in, i) - sum[k] / n);
		}
		for (int64_t i = 0; i < in->count; i++) {
			int64_t k = group_of(&g, i);
			tensor_put(y, i, (tensor_at(in, i) - sum[k] / n) / (sqrt(squares[k] / n) + 1e-9));
		}
	}
	bool done = y && sums;
	tensor_unref(sums);
	return done ? 0 : -1;
}

const struct op op_InstanceNormalization = {
	.domain = DOMAIN_ONNX,
	.name = "InstanceNormalization",
	.summary = "Normalises each channel of each sample over its spatial axes",
	.min_inputs = 3,
	.max_inputs = 3,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_same,
	.exec = exec_instance,
	.form = form_instance_normalization,
};

const struct op op_GroupNormalization = {
	.domain = DOMAIN_ONNX,
	.name = "GroupNormalization",
	.summary = "Normalises groups of channels of each sample",
	.min_inputs = 3,
	.max_inputs = 3,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_same,
	.exec = exec_group,
	.form = form_group_normalization,
};

const struct op op_LayerNormalization = {
	.domain = DOMAIN_ONNX,
	.name = "LayerNormalization",
	.summary = "Normalises over the axes from a given one on",
	.min_inputs = 2,
	.max_inputs = 3,
	.min_outputs = 1,
	.max_outputs = 3,
	.infer = infer_layer,
	.exec = exec_layer,
	.form = form_layer_normalization,
};

const struct op op_LpNormalization = {
	.domain = DOMAIN_ONNX,
	.name = "LpNormalization",
	.summary = "Divides by the p-norm along an axis",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_same,
	.exec = exec_lp,
	.form = form_lp_normalization,
};

const struct op op_MeanVarianceNormalization = {
	.domain = DOMAIN_ONNX,
	.name = "MeanVarianceNormalization",
	.summary = "Subtracts the mean and divides by the standard deviation over given axes",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_same,
	.exec = exec_mean_variance,
	.form = form_mean_variance,
};

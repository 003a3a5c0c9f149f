/* Softmax, LogSoftmax and Hardmax. Before opset 13 all axes from `axis` (default 1) on form one line; since then
 * the line runs along one axis (default the last). */
#include <math.h>

#include "ops/form.h"
#include "ops/lines.h"
#include "util/integers.h"

static double largest(const double *line, int64_t n)
{
	double most = -INFINITY;
	for (int64_t i = 0; i < n; i++)
		most = line[i] > most ? line[i] : most;
	return most;
}

static void softmax_line(double *line, int64_t n, int64_t which, void *user)
{
	double most = largest(line, n), sum = 0;
	(void)which;
	(void)user;
	for (int64_t i = 0; i < n; i++)
		sum += line[i] = exp(line[i] - most);
	for (int64_t i = 0; i < n; i++)
		line[i] /= sum;
}

static void log_softmax_line(double *line, int64_t n, int64_t which, void *user)
{
	double most = largest(line, n), sum = 0;
	(void)which;
	(void)user;
	for (int64_t i = 0; i < n; i++)
		sum += exp(line[i] - most);
	for (int64_t i = 0; i < n; i++)
		line[i] -= most + log(sum);
}

static void hardmax_line(double *line, int64_t n, int64_t which, void *user)
{
	int64_t best = 0;
	(void)which;
	(void)user;
	for (int64_t i = 1; i < n; i++)
		best = line[i] > line[best] ? i : best;
	for (int64_t i = 0; i < n; i++)
		line[i] = i == best;
}

static int along_axis(struct exec_ctx *x, line_fn *fn)
{
	const struct tensor *in = x->in[0];
	bool flattens = x->opset < 13;
	int64_t given = node_attr_int(x->node, "axis", flattens ? 1 : -1);
	if (in->rank == 0 || (flattens && given == in->rank))
		return exec_lines(x, 1, 1, fn, NULL);
	int axis = normal_axis(given, in->rank);
	if (axis < 0)
		return diag_node_error(x->diags, x->node, NULL, "axis %lld is out of range", (long long)given);
	if (flattens)
		return exec_lines(x, dims_product(in->dims, axis, in->rank), 1, fn, NULL);
	return exec_lines(x, in->dims[axis], dims_product(in->dims, axis + 1, in->rank), fn, NULL);
}

static int exec_softmax(struct exec_ctx *x)
{
	return along_axis(x, softmax_line);
}

static int exec_log_softmax(struct exec_ctx *x)
{
	return along_axis(x, log_softmax_line);
}

static int exec_hardmax(struct exec_ctx *x)
{
	return along_axis(x, hardmax_line);
}

static struct datatype datatype_one_hot(const struct node *n, size_t i)
{
	(void)n;
	(void)i;
	return datatype_of_kind(DT_BINARY);
}

const struct op op_Softmax = {
	.domain = DOMAIN_ONNX,
	.name = "Softmax",
	.summary = "Exponentials divided by their sum along an axis",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_same,
	.exec = exec_softmax,
	.form = form_softmax,
};

const struct op op_LogSoftmax = {
	.domain = DOMAIN_ONNX,
	.name = "LogSoftmax",
	.summary = "Logarithm of the softmax along an axis",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_same,
	.exec = exec_log_softmax,
	.form = form_softmax,
};

const struct op op_Hardmax = {
	.domain = DOMAIN_ONNX,
	.name = "Hardmax",
	.summary = "1 for the first largest element along an axis, else 0",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_same,
	.datatype = datatype_one_hot,
	.exec = exec_hardmax,
	.form = form_hardmax,
};

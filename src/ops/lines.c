/* Line-wise execution (see lines.h). */
#include "ops/lines.h"

#include <stdlib.h>

#include "util/arena.h"

void line_statistics(const double *line, int64_t n, double *mean, double *variance)
{
	double sum = 0, squares = 0;
	for (int64_t i = 0; i < n; i++)
		sum += line[i];
	*mean = sum / (double)n;
	for (int64_t i = 0; i < n; i++)
		squares += (line[i] - *mean) * (line[i] - *mean);
	*variance = squares / (double)n;
}

static void load(const struct tensor *t, int64_t at, int64_t step, int64_t n, double *line)
{
	if (t->elem == ELEM_FLOAT)
		for (int64_t i = 0; i < n; i++)
			line[i] = (double)((const float *)t->data)[at + i * step];
	else
		for (int64_t i = 0; i < n; i++)
			line[i] = tensor_at(t, at + i * step);
}

static void store(struct tensor *t, int64_t at, int64_t step, int64_t n, const double *line)
{
	if (t->elem == ELEM_FLOAT)
		for (int64_t i = 0; i < n; i++)
			((float *)t->data)[at + i * step] = (float)line[i];
	else
		for (int64_t i = 0; i < n; i++)
			tensor_put(t, at + i * step, line[i]);
}

int exec_lines(struct exec_ctx *x, int64_t n, int64_t inner, line_fn *fn, void *user)
{
	const struct tensor *in = x->in[0];
	if (!elem_is_float((enum elem_type)in->elem))
		return exec_unsupported(x, "the input is of no floating-point type");
	struct tensor *y = exec_output(x, 0, (enum elem_type)in->elem, in->rank, in->dims);
	if (!y)
		return -1;
	double *line = xmalloc((size_t)n * sizeof *line);
	for (int64_t k = 0; n && k < in->count / n; k++) {
		int64_t at = k / inner * n * inner + k % inner;
		load(in, at, inner, n, line);
		fn(line, n, k, user);
		store(y, at, inner, n, line);
	}
	free(line);
	return 0;
}

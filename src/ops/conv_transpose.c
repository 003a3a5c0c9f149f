/* ConvTranspose: each input element adds a weighted kernel to the output; the gradient of Conv. */
#include <stdlib.h>
#include <string.h>

#include "ops/broadcast.h"
#include "ops/gemm_kernel.h"
#include "ops/products.h"
#include "ops/window.h"
#include "util/arena.h"
#include "util/integers.h"

struct spread {
	int64_t batch, groups, in_channels, out_channels;
	struct window w; /* in and out as the operator has them */
};

/* Output size of one axis, and its padding where output_shape or auto_pad decide it. */
static void output_dim(struct window *w, int i, int64_t extra, int64_t wanted, const char *auto_pad)
{
	int64_t full = (w->in[i] - 1) * w->stride[i] + extra + (w->kernel[i] - 1) * w->dilation[i] + 1;
	bool same = strncmp(auto_pad, "SAME_", 5) == 0;
	if (w->in[i] < 0 || w->kernel[i] < 0) {
		w->out[i] = wanted >= 0 ? wanted : -1;
		return;
	}
	if (same && wanted < 0)
		wanted = w->in[i] * w->stride[i];
	if (strcmp(auto_pad, "VALID") == 0)
		w->begin[i] = w->end[i] = 0;
	if (wanted >= 0) {
		int64_t total = full > wanted ? full - wanted : 0;
		bool upper = strcmp(auto_pad, "SAME_UPPER") == 0;
		w->begin[i] = upper ? total / 2 : total - total / 2;
		w->end[i] = total - w->begin[i];
	}
	w->out[i] = wanted >= 0 ? wanted : full - w->begin[i] - w->end[i];
}

static int read_outputs(struct window *w, const struct node *n, struct diags *d)
{
	size_t extras, shapes;
	const int64_t *extra = node_attr_ints(n, "output_padding", &extras);
	const int64_t *shape = node_attr_ints(n, "output_shape", &shapes);
	size_t spatial = (size_t)w->spatial, skip = WINDOW_AXES - spatial;
	if ((extra && extras != spatial) || (shape && shapes != spatial && shapes != spatial + 2))
		return diag_node_error(d, n, NULL, "output_padding or output_shape do not fit %zu spatial axes",
				       spatial);
	if (shape)
		shape += shapes - spatial; /* some exporters write the whole shape */
	for (size_t i = 0; i < WINDOW_AXES; i++) {
		w->out[i] = 1;
		if (i < skip)
			continue;
		output_dim(w, (int)i, extra ? extra[i - skip] : 0, shape ? shape[i - skip] : -1,
			   node_attr_string(n, "auto_pad", "NOTSET"));
		if (w->out[i] == 0 || w->out[i] < -1)
			return diag_node_error(d, n, NULL, "the padding leaves no output");
	}
	return 0;
}

/* x: N, C, spatial; weights: C, M / groups, kernel. Dims may be -1. */
static int read_spread(struct spread *s, const struct node *n, int rank, const int64_t *x, int weight_rank,
		       const int64_t *weights, struct diags *d)
{
	s->groups = node_attr_int(n, "group", 1);
	if (rank < 3 || weight_rank != rank || s->groups < 1)
		return diag_node_error(d, n, NULL, "data with %d axes and weights with %d do not convolve", rank,
				       weight_rank);
	s->batch = x[0];
	s->in_channels = x[1];
	if ((x[1] >= 0 && weights[0] >= 0 && x[1] != weights[0]) || (x[1] >= 0 && x[1] % s->groups))
		return diag_node_error(d, n, NULL, "%lld input channels do not fit weights for %lld in %lld groups",
				       (long long)x[1], (long long)weights[0], (long long)s->groups);
	s->out_channels = weights[1] < 0 ? -1 : weights[1] * s->groups;
	if (window_read_attributes(&s->w, n, rank - 2, x + 2, weights + 2, d) != 0)
		return -1;
	return read_outputs(&s->w, n, d);
}

static int infer(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0), *weights = node_input(x->node, 1);
	struct spread s;
	int64_t dims[MAX_RANK];
	if (in->rank < 0 || weights->rank < 0) {
		infer_output(x, 0, (enum elem_type)in->elem, -1, NULL);
		return 0;
	}
	if (read_spread(&s, x->node, in->rank, in->dims, weights->rank, weights->dims, x->diags) != 0)
		return -1;
	dims[0] = s.batch;
	dims[1] = s.out_channels;
	memcpy(dims + 2, window_own(&s.w, s.w.out), (size_t)s.w.spatial * sizeof *dims);
	infer_output(x, 0, (enum elem_type)in->elem, in->rank, dims);
	return 0;
}

/* One tap of one output channel: what each input position adds, in the order of positions. */
#define SPREAD_TAP(elem, T, W, ...)                                                                                  \
	LOOP_FUNCTION spread_tap_##elem(const struct window *w, const T *from, int64_t k, T *to)                     \
	{                                                                                                            \
		int64_t lo[3], hi[3], shift[3];                                                                      \
		for (int i = 2; i >= 0; k /= w->kernel[i--]) {                                                       \
			shift[i] = k % w->kernel[i] * w->dilation[i] - w->begin[i];                                  \
			window_valid(shift[i], w->stride[i], w->out[i], w->in[i], &lo[i], &hi[i]);                   \
		}                                                                                                    \
		for (int64_t d = lo[0]; d < hi[0]; d++)                                                              \
			for (int64_t h = lo[1]; h < hi[1]; h++) {                                                    \
				const T *row = from + (d * w->in[1] + h) * w->in[2];                                 \
				T *out = to +                                                                        \
					 ((d * w->stride[0] + shift[0]) * w->out[1] + h * w->stride[1] + shift[1]) * \
						 w->out[2];                                                          \
				for (int64_t i = lo[2]; i < hi[2]; i++)                                              \
					out[i * w->stride[2] + shift[2]] += row[i];                                  \
			}                                                                                            \
	}                                                                                                            \
	static void spread_run_##elem(const struct spread *s, const T *x, const T *weights, const T *bias, T *y,     \
				      T *columns, void gemm(const struct matrix_shape *, const T *, const T *, T *)) \
	{                                                                                                            \
		const struct window *w = &s->w;                                                                      \
		int64_t in = window_count(w->in), out = window_count(w->out), taps = window_count(w->kernel);        \
		int64_t c = s->in_channels / s->groups, m = s->out_channels / s->groups;                             \
		for (int64_t i = 0; i < s->batch * s->groups; i++, y += m * out) {                                   \
			int64_t g = i % s->groups;                                                                   \
			struct matrix_shape shape = { m * taps, in, c, true, false, m * taps, in, in };              \
			gemm(&shape, weights + g * c * m * taps, x + i * c * in, columns);                           \
			for (int64_t o = 0; o < m * out; o++)                                                        \
				y[o] = bias ? bias[g * m + o / out] : 0;                                             \
			for (int64_t k = 0; k < m * taps; k++) {                                                     \
				spread_tap_##elem(w, columns + k * in, k % taps, y + k / taps * out);                \
			}                                                                                            \
		}                                                                                                    \
	}

EACH_FLOAT(SPREAD_TAP, unused)

static int kernel(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0], *weights = x->in[1], *bias = exec_input(x, 2);
	struct spread s;
	int64_t dims[MAX_RANK];
	if ((in->elem != ELEM_FLOAT && in->elem != ELEM_DOUBLE) || weights->elem != in->elem ||
	    (bias && bias->elem != in->elem))
		return exec_unsupported(x, "operands that are not all float or all double");
	if (read_spread(&s, x->node, in->rank, in->dims, weights->rank, weights->dims, x->diags) != 0)
		return -1;
	if (bias && bias->count != s.out_channels)
		return exec_unsupported(x, "a bias whose size is not the number of output channels");
	dims[0] = s.batch;
	dims[1] = s.out_channels;
	memcpy(dims + 2, window_own(&s.w, s.w.out), (size_t)s.w.spatial * sizeof *dims);
	struct tensor *y = exec_output(x, 0, (enum elem_type)in->elem, in->rank, dims);
	int64_t rows = s.out_channels / s.groups * window_count(s.w.kernel);
	struct tensor *columns =
		y ? exec_scratch(x, (enum elem_type)in->elem, 2, (const int64_t[]){ rows, window_count(s.w.in) })
		  : NULL;
	int result = columns ? exec_work(x, in->count, rows) : -1;
	if (result == 0 && in->elem == ELEM_FLOAT)
		spread_run_ELEM_FLOAT(&s, in->data, weights->data, bias ? bias->data : NULL, y->data, columns->data,
				      gemm_float);
	else if (result == 0)
		spread_run_ELEM_DOUBLE(&s, in->data, weights->data, bias ? bias->data : NULL, y->data, columns->data,
				       gemm_double);
	tensor_unref(columns);
	return result;
}

static int64_t macs(const struct node *n)
{
	const struct value *in = node_input(n, 0), *weights = node_input(n, 1);
	if (!value_shape_known(in) || !value_shape_known(weights) || in->rank < 3)
		return -1;
	int64_t count, terms = dims_product(weights->dims, 1, weights->rank);
	return dims_count(in->rank, in->dims, &count) && terms >= 0 ? multiply_clamped(count, terms) : -1;
}

/* At most every tap of every channel of the group contributes to one output. */
static struct datatype datatype(const struct node *n, size_t i)
{
	(void)i;
	const struct value *weights = node_input(n, 1), *x = node_input(n, 0);
	int64_t groups = node_attr_int(n, "group", 1), terms;
	if (weights->rank < 3 || !value_shape_known(weights) || groups < 1 || x->datatype.kind == DT_BIPOLAR)
		return datatype_of_kind(DT_NONE);
	terms = dims_product(weights->dims, 2, weights->rank);
	if (terms < 0 || __builtin_mul_overflow(terms, weights->dims[0] / groups, &terms))
		return datatype_of_kind(DT_NONE);
	return accumulator_datatype(n, x, weights, node_input(n, 2), terms);
}

const struct op op_ConvTranspose = {
	.domain = DOMAIN_ONNX,
	.name = "ConvTranspose",
	.summary = "Transposed convolution, in groups, with stride, dilation and padding",
	.min_inputs = 2,
	.max_inputs = 3,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer,
	.datatype = datatype,
	.exec = kernel,
	.widens = true,
	.macs = macs,
};

/* Convolution (see conv_kernel.h): as matrix products over blocks of columns, or directly. */
#include "ops/conv_kernel.h"

#include <stdlib.h>
#include <string.h>

#include "ops/broadcast.h"
#include "ops/channels.h"
#include "ops/gemm_kernel.h"
#include "util/arena.h"
#include "util/integers.h"

#define LOOPS "ops/conv_loops.h"
#include "ops/float_and_double.h"

/* Channels, groups and window from shapes, where -1 stands for unknown. */
static int plan_dims(struct conv *c, const struct node *n, int rank, const int64_t *x, int weight_rank,
		     const int64_t *weights, struct diags *d)
{
	c->groups = node_attr_int(n, "group", 1);
	if (rank < 3 || weight_rank != rank)
		return diag_node_error(d, n, NULL, "data with %d axes and weights with %d do not convolve", rank,
				       weight_rank);
	c->batch = x[0];
	c->in_channels = x[1];
	c->out_channels = weights[0];
	if (c->groups < 1 || (weights[1] >= 0 && x[1] >= 0 && x[1] != weights[1] * c->groups) ||
	    (weights[0] >= 0 && weights[0] % c->groups))
		return diag_node_error(d, n, NULL, "%lld input channels do not fit weights for %lld in %lld groups",
				       (long long)x[1], (long long)weights[1], (long long)c->groups);
	return window_read(&c->w, n, rank - 2, x + 2, weights + 2, d);
}

int conv_plan(struct conv *c, const struct node *n, const struct tensor *x, const struct tensor *weights,
	      struct diags *d)
{
	return plan_dims(c, n, x->rank, x->dims, weights->rank, weights->dims, d);
}

int conv_dims(const struct conv *c, int64_t dims[MAX_RANK])
{
	dims[0] = c->batch;
	dims[1] = c->out_channels;
	memcpy(dims + 2, window_own(&c->w, c->w.out), (size_t)c->w.spatial * sizeof *dims);
	return c->w.spatial + 2;
}

int conv_work(struct exec_ctx *x, const struct conv *c)
{
	int64_t dims[MAX_RANK], count;
	if (!dims_count(conv_dims(c, dims), dims, &count))
		return exec_unsupported(x, "a result of that size");
	return exec_work(x, count, c->in_channels / c->groups * window_count(c->w.kernel) / 4 + 1);
}

void conv_run(const struct conv *c, const struct tensor *x, const struct tensor *weights, const struct tensor *bias,
	      struct tensor *y)
{
	if (y->count == 0)
		return;
	if (x->elem == ELEM_FLOAT)
		conv_any_float(c, x->data, weights->data, bias ? bias->data : NULL, y->data);
	else
		conv_any_double(c, x->data, weights->data, bias ? bias->data : NULL, y->data);
}

int conv_infer(struct infer_ctx *x, size_t data, size_t weights, bool channels_last, enum elem_type elem)
{
	const struct value *in = node_input(x->node, data), *w = node_input(x->node, weights);
	int64_t dims[MAX_RANK], kernel[MAX_RANK], out[MAX_RANK];
	struct conv c;
	if (in->rank < 0 || w->rank < 0) {
		infer_output(x, 0, elem, -1, NULL);
		return 0;
	}
	bool turn = channels_last && in->rank >= 2 && w->rank >= 2;
	if (turn) {
		dims_channels_first(in->rank, in->dims, dims);
		dims_channels_first(w->rank, w->dims, kernel);
	}
	if (plan_dims(&c, x->node, in->rank, turn ? dims : in->dims, w->rank, turn ? kernel : w->dims, x->diags) != 0)
		return -1;
	int rank = conv_dims(&c, dims);
	if (channels_last)
		dims_channels_last(rank, dims, out);
	infer_output(x, 0, elem, rank, channels_last ? out : dims);
	return 0;
}

int64_t conv_terms(const struct value *weights)
{
	return weights && weights->rank > 1 ? dims_product(weights->dims, 1, weights->rank) : -1;
}

int64_t conv_macs(const struct node *n, size_t weights)
{
	const struct value *out = node_output(n, 0);
	int64_t terms = conv_terms(node_input(n, weights)), count;
	bool known = terms >= 0 && out && value_shape_known(out) && dims_count(out->rank, out->dims, &count);
	return known ? multiply_clamped(terms, count) : -1;
}

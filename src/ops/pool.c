/* Poolings over windows (see pool.h). */
#include "ops/pool.h"

#include <string.h>
#include <tgmath.h>

#include "ops/broadcast.h"
#include "ops/channels.h"
#include "util/integers.h"

struct pool {
	enum pool_kind kind;
	struct window w;
	int64_t planes;
	bool count_pads;   /* AveragePool: padding counts as zeros */
	bool column_major; /* MaxPool's indices: storage_order 1 */
	int64_t p;	   /* LpPool */
};

/* What one output sees of the input: [lo, hi) in steps of the dilation. */
struct window_box {
	int64_t lo[WINDOW_AXES], hi[WINDOW_AXES];
	int64_t seen, padded; /* elements without and with padding */
};

static struct window_box box_at(const struct window *w, int64_t d, int64_t h, int64_t i)
{
	const int64_t at[WINDOW_AXES] = { d, h, i };
	struct window_box b = { .seen = 1, .padded = 1 };
	for (int k = 0; k < WINDOW_AXES; k++) {
		int64_t step = w->dilation[k], start = at[k] * w->stride[k] - w->begin[k];
		int64_t stop = start + (w->kernel[k] - 1) * step + 1, limit = w->in[k] + w->end[k];
		b.padded *= ceil_div((stop < limit ? stop : limit) - start, step);
		b.lo[k] = start >= 0 ? start : start + (-start + step - 1) / step * step;
		b.hi[k] = stop < w->in[k] ? stop : w->in[k];
		b.seen *= b.hi[k] > b.lo[k] ? ceil_div(b.hi[k] - b.lo[k], step) : 0;
	}
	return b;
}

static int64_t index_in_plane(const struct pool *p, int64_t at)
{
	const int64_t *in = p->w.in;
	if (!p->column_major || at < 0)
		return at;
	int64_t i = at % in[2], h = at / in[2] % in[1], d = at / (in[2] * in[1]);
	/* the first of the operator's own axes varies fastest */
	return d + in[0] * (h + in[1] * i);
}

#define LOOPS "ops/pool_loops.h"
#include "ops/float_and_double.h"

static struct tensor *indices_output(struct exec_ctx *x, enum pool_kind kind, int rank, const int64_t *dims)
{
	if (kind != POOL_MAX || x->n_out < 2 || !x->node->outputs[1])
		return NULL;
	return exec_output(x, 1, ELEM_INT64, rank, dims);
}

/* Integers go through double, which holds them (up to 2^53) as they are. */
static int pool_cast(struct exec_ctx *x, enum pool_kind kind, const struct window *w)
{
	struct exec_ctx inner = *x;
	struct tensor *wide =
		tensor_try_cast(x->in[0], elem_is_float((enum elem_type)x->in[0]->elem) ? ELEM_FLOAT : ELEM_DOUBLE);
	if (!wide)
		return exec_unsupported(x, "an input of that type");
	inner.in = &wide;
	inner.n_in = 1;
	int result = pool_exec_window(&inner, kind, w);
	if (result == 0) {
		struct tensor *y = x->out[0];
		x->out[0] = tensor_try_cast(y, (enum elem_type)x->in[0]->elem);
		tensor_unref(y);
		result = x->out[0] ? 0 : -1;
	}
	tensor_unref(wide);
	return result;
}

/* What one output takes at most: a window, or all of the input where that is smaller; 8 for finding out. */
static int64_t window_steps(const struct window *w)
{
	int64_t seen = 8;
	for (int k = 0; k < WINDOW_AXES; k++)
		seen = multiply_clamped(seen, w->kernel[k] < w->in[k] ? w->kernel[k] : w->in[k]);
	return add_clamped(seen, 8);
}

int pool_exec_window(struct exec_ctx *x, enum pool_kind kind, const struct window *w)
{
	const struct tensor *in = x->in[0];
	int64_t dims[MAX_RANK] = { in->dims[0], in->dims[1] };
	if (in->elem != ELEM_FLOAT && in->elem != ELEM_DOUBLE)
		return pool_cast(x, kind, w);
	struct pool p = { .kind = kind,
			  .w = *w,
			  .planes = dims[0] * dims[1],
			  .count_pads = node_attr_int(x->node, "count_include_pad", 0) != 0,
			  .column_major = node_attr_int(x->node, "storage_order", 0) != 0,
			  .p = node_attr_int(x->node, "p", 2) };
	memcpy(dims + 2, window_own(w, w->out), (size_t)w->spatial * sizeof *dims);
	struct tensor *y = exec_output(x, 0, (enum elem_type)in->elem, in->rank, dims);
	if (!y || exec_work(x, y->count, window_steps(w)) < 0)
		return -1;
	struct tensor *indices = indices_output(x, kind, in->rank, dims);
	if (in->elem == ELEM_FLOAT)
		pool_planes_float(&p, in->data, y->data, indices ? indices->data : NULL);
	else
		pool_planes_double(&p, in->data, y->data, indices ? indices->data : NULL);
	return 0;
}

int pool_exec(struct exec_ctx *x, enum pool_kind kind)
{
	const struct tensor *in = x->in[0];
	struct window w;
	if (in->rank < 3)
		return exec_unsupported(x, "data without spatial axes");
	if (window_read(&w, x->node, in->rank - 2, in->dims + 2, NULL, x->diags) != 0)
		return -1;
	return pool_exec_window(x, kind, &w);
}

int pool_infer(struct infer_ctx *x, bool channels_last)
{
	const struct value *in = node_input(x->node, 0);
	int64_t dims[MAX_RANK], out[MAX_RANK];
	struct window w;
	if (in->rank < 0) {
		infer_output(x, 0, (enum elem_type)in->elem, -1, NULL);
		return 0;
	}
	if (in->rank < 3)
		return diag_node_error(x->diags, x->node, NULL, "the input has no spatial axes");
	if (channels_last)
		dims_channels_first(in->rank, in->dims, dims);
	else
		memcpy(dims, in->dims, (size_t)in->rank * sizeof *dims);
	if (window_read(&w, x->node, in->rank - 2, dims + 2, NULL, x->diags) != 0)
		return -1;
	memcpy(dims + 2, window_own(&w, w.out), (size_t)w.spatial * sizeof *dims);
	if (channels_last)
		dims_channels_last(in->rank, dims, out);
	infer_output(x, 0, (enum elem_type)in->elem, in->rank, channels_last ? out : dims);
	infer_output(x, 1, ELEM_INT64, in->rank, dims);
	return 0;
}

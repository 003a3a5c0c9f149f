/* FINN's hardware layers: matrix products with thresholds, streams of windows that become convolutions again,
 * pools. They work on channels last, with all constants as inputs and attributes. */
#include "plan/lower.h"
#include "hw/hw.h"

#include <string.h>

bool lower_is_native(const struct node *n)
{
	return n->op && (!strcmp(n->op->domain, DOMAIN_CHANNELS_LAST) || !strcmp(n->op->domain, DOMAIN_FINN));
}

static struct thresholds hw_thresholds(const struct node *n, const struct tensor *t)
{
	bool bipolar = hw_datatype(n, "outputDataType").kind == DT_BIPOLAR;
	return (struct thresholds){ t, 1, n->outputs[0]->rank - 1, bipolar ? 2 : 1,
				    bipolar ? -1 : (double)node_attr_int(n, "ActVal", 0) };
}

/* ---- products ---- */

/* In XNOR mode operand and weights are 0 and 1 for -1 and +1, and the sum counts agreements. */
static void xnor_mode(struct lowering *l, struct plan_layer *y)
{
	int64_t n = plan_layer_weights(y), k = y->window.ic;
	int64_t *w = arena_copy(&l->plan->arena, y->weights, sizeof *w * (size_t)n);
	int64_t *bias = arena_array(&l->plan->arena, int64_t, y->window.oc);
	for (int64_t o = 0; o < y->window.oc; o++) /* agree = sum over w = 1 of x + sum over w = 0 of 1 - x */
		for (int64_t i = 0; i < k; i++) {
			bias[o] += !w[o * k + i];
			w[o * k + i] = w[o * k + i] ? 1 : -1;
		}
	y->weights = w;
	y->int_bias = bias;
	y->weight_lo = -1, y->weight_hi = 1;
}

/* Bipolar operands and weights: FINN counts equal signs, (product + k) / 2. The layer sums product + k, twice that;
 * thresholds are doubled, and without them the sum is halved after it. */
static void count_equal(struct lowering *l, struct plan_layer *y)
{
	int64_t k = plan_layer_weights(y) / y->window.oc, *bias = arena_array(&l->plan->arena, int64_t, y->window.oc);
	for (int64_t o = 0; o < y->window.oc; o++)
		bias[o] = k;
	y->int_bias = bias;
}

static int halved(struct lowering *l, const struct node *n, struct plan_layer *y)
{
	const struct value *v = n->outputs[0];
	if (lower_mac_ranges(l, y) < 0)
		return -1;
	int64_t k = plan_layer_weights(y) / y->window.oc;
	struct plan_buf *half = lower_buf(l, v, false, contents_int(0, k));
	struct plan_layer *h = lower_layer(l, n, PLAN_UNARY, NULL);
	y->out = lower_buf_like(l, half, "twice", contents_int(0, 2 * k));
	h->function = PLAN_HALVE;
	h->in[h->n_in++] = y->out;
	h->out = half;
	h->stride_a = lower_strides(l, y->out, half);
	return 0;
}

/* Thresholds of the node's own, or the plain sum. */
static int finish(struct lowering *l, const struct node *n, struct plan_layer *y)
{
	const struct value *tv = node_input(n, 2), *v = n->outputs[0];
	bool xnor = node_attr_int(n, "binaryXnorMode", 0), equal = !xnor && hw_counts_bits(n);
	if (y->real || !y->weights)
		return lower_unsupported(l, n, "an operand that is not integer");
	if (xnor)
		xnor_mode(l, y);
	else if (equal)
		count_equal(l, y);
	if (node_attr_int(n, "noActivation", 0) || !value_is_constant(tv))
		return equal ? halved(l, n, y) : lower_finish_mac(l, y, v);
	struct thresholds t = hw_thresholds(n, tv->constant);
	t.factor = equal ? 2 : 1;
	if (lower_mac_ranges(l, y) < 0)
		return -1;
	l->pending[v->id] = y;
	int status = lower_activation(l, n, v, &t, v);
	l->pending[v->id] = NULL; /* a Thresholding that follows has a layer of its own */
	return status;
}

/* A convolution from a stream of windows: channels last on both sides. */
static struct plan_layer *conv_of(struct lowering *l, const struct node *n, const struct stream *s, int64_t oc)
{
	const struct hw_layer *g = &s->windows;
	struct plan_layer *y = lower_layer(l, n, PLAN_MAC, s->in);
	const int64_t *d = s->in->dims;
	y->window = (struct plan_window){ .ic = d[3],
					  .ih = d[1],
					  .iw = d[2],
					  .oc = oc,
					  .oh = g->out_dim[0],
					  .ow = g->out_dim[1],
					  .kh = g->kernel[0],
					  .kw = g->kernel[1],
					  .stride_h = g->stride[0],
					  .stride_w = g->stride[1],
					  .dilation_h = g->dilation[0],
					  .dilation_w = g->dilation[1],
					  .pad_top = s->pad_top,
					  .pad_left = s->pad_left,
					  .group = 1,
					  .in_last = true,
					  .out_last = true };
	struct plan_window *w = &y->window;
	w->batch = d[0] > 1 ? d[0] : 0;
	w->padded = w->pad_top || w->pad_left ||
		    (w->oh - 1) * w->stride_h + (w->kh - 1) * w->dilation_h - w->pad_top >= w->ih ||
		    (w->ow - 1) * w->stride_w + (w->kw - 1) * w->dilation_w - w->pad_left >= w->iw;
	return y;
}

static const struct stream *stream_of(const struct lowering *l, const struct node *n)
{
	const struct value *x = node_input(n, 0);
	return x ? l->streams[x->id] : NULL;
}

/* The buffer as rows of that many elements: hardware layers read a stream of elements, whatever the shape of the value. */
static struct plan_buf *as_rows(struct lowering *l, struct plan_buf *in, int64_t row)
{
	if (in->channels_last || in->shuffle || !in->rank || in->dims[in->rank - 1] == row || row < 1 ||
	    in->count % row)
		return in;
	struct plan_buf *b = lower_buf_like(l, in, "rows", contents_of(in));
	const int64_t dims[2] = { in->count / row, row };
	b->rank = 2;
	b->dims = arena_copy(&l->plan->arena, dims, sizeof dims);
	b->channel_axis = 1;
	b->same = in;
	return b;
}

/* MVAU: a matrix product, or a convolution where windows come in: weights [kernel y, kernel x, channel][output]. */
int lower_mvau(struct lowering *l, const struct node *n)
{
	const struct value *wv = node_input(n, 1);
	const struct stream *s = stream_of(l, n);
	if (!value_is_constant(wv) || wv->constant->rank != 2)
		return lower_unsupported(l, n, "an MVAU without constant weights");
	int64_t oc = wv->constant->dims[1];
	struct plan_layer *y;
	if (s) {
		y = conv_of(l, n, s, oc);
		const struct plan_window *w = &y->window;
		lower_take_weights(l, y, &(struct weight_map){ wv, 1, oc, w->kw * w->ic * oc, w->ic * oc, NULL, 0, 0 });
		return finish(l, n, y);
	}
	struct plan_buf *in = lower_input(l, n, 0);
	if (in)
		in = as_rows(l, in, wv->constant->dims[0]);
	if (!in || !lower_is_dense(in, wv->constant, false))
		return in ? lower_unsupported(l, n, "this operand") : -1;
	y = lower_dense(l, n, in, wv, false);
	return finish(l, n, y);
}

/* VVAU: a depthwise convolution, weights [channel][1][kernel y][kernel x]. */
int lower_vvau(struct lowering *l, const struct node *n)
{
	const struct value *wv = node_input(n, 1);
	const struct stream *s = stream_of(l, n);
	if (!value_is_constant(wv) || wv->constant->rank != 4 || !s)
		return lower_unsupported(
			l, n, "a VVAU without constant weights or without a ConvolutionInputGenerator before it");
	struct plan_layer *y = conv_of(l, n, s, wv->constant->dims[0]);
	y->window.group = y->window.ic;
	lower_take_weights(l, y,
			   &(struct weight_map){ wv, y->window.kh * y->window.kw, 0, y->window.kw, 1, NULL, 0, 0 });
	return finish(l, n, y);
}

int lower_hw_thresholds(struct lowering *l, const struct node *n)
{
	const struct value *t = node_input(n, 1);
	if (!value_is_constant(t))
		return lower_unsupported(l, n, "thresholds that are computed at run time");
	struct thresholds what = hw_thresholds(n, t->constant);
	return lower_activation(l, n, node_input(n, 0), &what, n->outputs[0]);
}

/* ---- streams ---- */

/* The node that alone reads v, if its operator is one of the two. */
static const struct node *only_reader(const struct value *v, const struct op *a, const struct op *b)
{
	const struct use *u = value_only_use(v);
	if (!u || !u->user || u->index)
		return NULL;
	return u->user->op == a || u->user->op == b ? u->user : NULL;
}

static struct stream *stream_new(struct lowering *l, const struct value *v, struct plan_buf *in)
{
	struct stream *s = arena_new(&l->plan->arena, struct stream);
	s->in = in;
	l->streams[v->id] = s;
	return s;
}

/* Whether the windows v go into a product or a pool, which read the image instead. Zeros around signed values that a
 * maximum is taken of are written out. */
static bool feeds_windows(const struct value *v)
{
	return only_reader(v, &op_MVAU, &op_VVAU) || only_reader(v, &op_Pool, &op_Pool);
}

int lower_padding(struct lowering *l, const struct node *n)
{
	const struct value *v = n->outputs[0];
	const struct node *g = only_reader(v, &op_ConvolutionInputGenerator, &op_ConvolutionInputGenerator);
	struct hw_layer padding;
	struct plan_buf *in = lower_input(l, n, 0);
	if (!in || hw_layer_read(n, &padding, l->diags) != 0)
		return -1;
	bool pool = g && only_reader(g->outputs[0], &op_Pool, &op_Pool);
	if (!g || !feeds_windows(g->outputs[0]) || (pool && (in->real || in->lo < 0)) || in->rank != 4 ||
	    in->channels_last || in->shuffle)
		return lower_move(l, n);
	struct stream *s = stream_new(l, v, in);
	s->pad_top = padding.pad[0];
	s->pad_left = padding.pad[1];
	return 0;
}

int lower_windows(struct lowering *l, const struct node *n)
{
	const struct stream *padding = stream_of(l, n);
	const struct value *v = n->outputs[0];
	struct plan_buf *in = padding ? padding->in : lower_input(l, n, 0);
	if (!in)
		return -1;
	if (!padding && (!feeds_windows(v) || in->rank != 4 || in->channels_last || in->shuffle))
		return lower_move(l, n);
	struct stream *s = stream_new(l, v, in);
	if (hw_layer_read(n, &s->windows, l->diags) != 0)
		return -1;
	s->generator = n;
	s->pad_top = padding ? padding->pad_top : 0;
	s->pad_left = padding ? padding->pad_left : 0;
	return 0;
}

int lower_duplicate(struct lowering *l, const struct node *n)
{
	struct plan_buf *in = lower_input(l, n, 0);
	if (!in)
		return -1;
	for (size_t i = 0; i < n->n_outputs; i++) {
		struct plan_buf *b = lower_buf(l, n->outputs[i], in->channels_last, contents_of(in));
		b->same = in;
		b->shuffle = in->shuffle;
	}
	return 0;
}

int lower_stream_pool(struct lowering *l, const struct node *n)
{
	struct plan_buf *in = lower_ordered(l, n, lower_input(l, n, 0));
	const struct value *v = n->outputs[0];
	if (!in || in->rank != 4 || v->rank != 4)
		return in ? lower_unsupported(l, n, "this operand") : -1;
	struct plan_layer *y = lower_layer(l, n, PLAN_MAXPOOL, in);
	struct hw_layer pool;
	if (hw_layer_read(n, &pool, l->diags) != 0)
		return -1;
	int64_t kh = pool.kernel[0], kw = pool.kernel[1];
	y->window = (struct plan_window){ .ic = in->dims[3],
					  .ih = in->dims[1],
					  .iw = in->dims[2],
					  .oc = in->dims[3],
					  .oh = v->dims[1],
					  .ow = v->dims[2],
					  .kh = kh,
					  .kw = kw,
					  .stride_h = kh,
					  .stride_w = kw,
					  .dilation_h = 1,
					  .dilation_w = 1,
					  .group = in->dims[3],
					  .in_last = true,
					  .out_last = true };
	y->window.batch = in->dims[0] > 1 ? in->dims[0] : 0;
	y->window.padded = v->dims[1] * kh > in->dims[1] || v->dims[2] * kw > in->dims[2];
	y->out = lower_buf(l, v, false, contents_of(in));
	y->real = in->real;
	return 0;
}

/* The sum of every channel over the image. */
int lower_global_sum(struct lowering *l, const struct node *n)
{
	struct plan_buf *in = lower_ordered(l, n, lower_input(l, n, 0));
	if (!in || in->rank != 4 || in->real)
		return in ? lower_unsupported(l, n, "this operand") : -1;
	struct plan_layer *y = lower_layer(l, n, PLAN_SUM, in);
	y->outer = in->dims[0];
	y->length = in->dims[1] * in->dims[2];
	y->inner = in->dims[3];
	struct contents c;
	if (!lower_sum_contents(in, y->length, &c))
		return lower_unsupported(l, n, "sums that 64 bits do not hold");
	y->out = lower_buf(l, n->outputs[0], false, c);
	return 0;
}

/* AddStreams' relatives: two streams, or a stream and a constant a channel. */
int lower_hw_pair(struct lowering *l, const struct node *n)
{
	static const enum plan_function functions[] = {
		[HW_ADD] = PLAN_ADD, [HW_SUB] = PLAN_SUB,	    [HW_ABS_DIFF] = PLAN_ABS_DIFF,
		[HW_MUL] = PLAN_MUL, [HW_AT_LEAST] = PLAN_AT_LEAST, [HW_AT_MOST] = PLAN_AT_MOST,
	};
	enum hw_function f = hw_function_of(n);
	return f == HW_NO_FUNCTION ? lower_unsupported(l, n, "this function") : lower_pair(l, n, functions[f]);
}

/* The sum over a window, shifted right. */
static int shifted_sum(struct lowering *l, const struct node *n, struct plan_layer *y)
{
	const struct plan_buf *in = y->in[0];
	int64_t count = y->window.kh * y->window.kw, shift = node_attr_int(n, "Size", 0);
	struct plan_buf padded = *in;
	struct contents sum;
	if (y->window.padded) {
		padded.lo = in->lo < 0 ? in->lo : 0;
		padded.hi = in->hi > 0 ? in->hi : 0;
	}
	if (in->real || shift < 0 || shift > 31 || !lower_sum_contents(&padded, count, &sum))
		return lower_unsupported(l, n, "this average");
	y->kind = PLAN_SUM;
	y->window_sum = true;
	struct plan_buf *out = lower_buf(l, n->outputs[0], false, contents_int(sum.lo >> shift, sum.hi >> shift));
	y->out = lower_buf_like(l, out, "sum", sum);
	struct plan_layer *s = lower_layer(l, n, PLAN_UNARY, y->out);
	s->function = PLAN_SHIFT;
	s->k = shift;
	s->out = out;
	s->stride_a = lower_strides(l, y->out, out);
	return 0;
}

/* Pool behind a window generator: a maximum, or an average that is cut to bits. */
int lower_hw_pool(struct lowering *l, const struct node *n)
{
	const struct stream *s = stream_of(l, n);
	if (!s || !s->generator)
		return lower_unsupported(l, n, "a Pool without a ConvolutionInputGenerator before it");
	struct plan_layer *y = conv_of(l, n, s, s->in->dims[3]);
	y->window.group = y->window.ic;
	if (!strcmp(node_attr_string(n, "Function", "MaxPool"), "QuantAvgPool"))
		return shifted_sum(l, n, y);
	struct contents c = contents_of(s->in);
	if (y->window.padded && c.lo > 0) /* a window may lie on padding alone */
		c = contents_int(0, c.hi);
	y->kind = PLAN_MAXPOOL;
	y->real = s->in->real;
	y->out = lower_buf(l, n->outputs[0], false, c);
	return 0;
}

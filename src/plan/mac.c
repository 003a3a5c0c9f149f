/* Layers that multiply and accumulate: convolutions, dense layers, transposed convolutions. Their weights
 * become plain integers in one order, [output][input of the group][y][x], and the ranges of their sums are
 * computed exactly from weights and operand. */
#include "plan/lower.h"
#include "ops/channels.h"
#include "ops/window.h"

#include <math.h>
#include <string.h>

static int64_t weight_index(const struct weight_map *m, int64_t o, int64_t i)
{
	return (m->out ? o % m->out : o) * m->o + (m->shuffle ? m->shuffle[i] : i) * m->i;
}

static int64_t weights_per_output(const struct plan_window *w)
{
	return w->ic / w->group * w->kh * w->kw;
}

/* Whether input i is of another group than output o. */
static bool other_group(const struct weight_map *m, int64_t o, int64_t i)
{
	return m->out && o / m->out != i / m->in;
}

/* n integers of t from element `at` on, `step` apart; widens *lo..*hi to them. */
static void int_run(const struct tensor *t, int64_t at, int64_t step, int64_t n, int64_t *to, int64_t *lo, int64_t *hi)
{
	const float *from = t->elem == ELEM_FLOAT ? tensor_floats(t) + at : NULL; /* as nearly always */
	int64_t least = *lo, most = *hi;
	for (int64_t i = 0; i < n; i++) {
		int64_t v = from ? (int64_t)from[i * step] : (int64_t)tensor_int_at(t, at + i * step);
		least = v < least ? v : least;
		most = v > most ? v : most;
		to[i] = v;
	}
	*lo = least;
	*hi = most;
}

static void int_weights(struct lowering *l, struct plan_layer *y, const struct weight_map *m)
{
	const struct plan_window *w = &y->window;
	int64_t icg = w->ic / w->group, lo = 0, hi = 0;
	int64_t *to = arena_array(&l->plan->arena, int64_t, w->oc * weights_per_output(w) + 1);
	bool point = w->kh * w->kw == 1 && !m->shuffle && !m->out;
	y->weights = to;
	for (int64_t o = 0; o < w->oc; o++) {
		if (point) {
			int_run(m->v->constant, weight_index(m, o, 0), m->i, icg, to, &lo, &hi);
			to += icg;
			continue;
		}
		for (int64_t i = 0; i < icg; i++, to += w->kh * w->kw)
			for (int64_t r = 0; r < w->kh && !other_group(m, o, i); r++)
				int_run(m->v->constant, weight_index(m, o, i) + r * m->y, m->x, w->kw, to + r * w->kw,
					&lo, &hi);
	}
	y->weight_lo = lo, y->weight_hi = hi;
}

static void float_weights(struct lowering *l, struct plan_layer *y, const struct weight_map *m)
{
	const struct plan_window *w = &y->window;
	int64_t icg = w->ic / w->group;
	float *to = arena_array(&l->plan->arena, float, w->oc *weights_per_output(w) + 1);
	y->real_weights = to;
	y->real = true;
	for (int64_t o = 0; o < w->oc; o++)
		for (int64_t i = 0; i < icg; i++, to += w->kh * w->kw)
			for (int64_t k = 0; k < w->kh * w->kw && !other_group(m, o, i); k++)
				to[k] = (float)tensor_at(m->v->constant,
							 weight_index(m, o, i) + k / w->kw * m->y + k % w->kw * m->x);
}

/* What the positive and the negative weights of an output sum up to. */
static void signed_sums(const int64_t *w, int64_t n, int64_t *positive, int64_t *negative)
{
	int64_t all = 0, above = 0;
	for (int64_t i = 0; i < n; i++) {
		all += w[i];
		above += w[i] > 0 ? w[i] : 0;
	}
	*positive = above;
	*negative = all - above;
}

/* Whether sums of y's products of any subset of its weights with -most..most fit 62 bits. */
static bool sums_fit(const struct plan_layer *y, int64_t lo, int64_t hi)
{
	double weight = fmax((double)y->weight_hi, -(double)y->weight_lo),
	       most = fmax(fabs((double)lo), fabs((double)hi));
	return weight * most * (double)weights_per_output(&y->window) < 0x1p61;
}

/* Widens low..high to what the caller's memory can hold, whatever the datatype promises: the type of the sums follows. */
static void stored_bounds(const struct plan_buf *b, int64_t *low, int64_t *high)
{
	static const int64_t least[] = { [PLAN_I8] = INT8_MIN, [PLAN_I16] = INT16_MIN, [PLAN_F32] = 0 };
	static const int64_t most[] = { [PLAN_I8] = INT8_MAX,
					[PLAN_U8] = UINT8_MAX,
					[PLAN_I16] = INT16_MAX,
					[PLAN_U16] = UINT16_MAX,
					[PLAN_F32] = 0 };
	while (b->same)
		b = b->same;
	if (b->role != PLAN_INPUT)
		return;
	*low = least[b->elem] < *low ? least[b->elem] : *low;
	*high = most[b->elem] > *high ? most[b->elem] : *high;
}

/* Exact bounds per output channel; acc_lo and acc_hi bound partial sums in any order too. A padded window
 * may read zeros instead of the operand. The least sum has positive weights meet the operand's least value and negative
 * ones its greatest. */
int lower_mac_ranges(struct lowering *l, struct plan_layer *y)
{
	const struct plan_window *w = &y->window;
	const struct plan_buf *in = y->in[0];
	int64_t per = weights_per_output(w);
	int64_t *lo = arena_array(&l->plan->arena, int64_t, w->oc), *hi = arena_array(&l->plan->arena, int64_t, w->oc);
	int64_t low = in->lo < 0 ? in->lo : 0, high = in->hi > 0 ? in->hi : 0;
	bool zeros = w->padded || y->kind == PLAN_DECONV;
	int64_t a = zeros ? low : in->lo, b = zeros ? high : in->hi;
	stored_bounds(in, &low, &high);
	if (!sums_fit(y, low, high))
		return lower_unsupported(l, y->node, "sums that 64 bits do not hold");
	for (int64_t o = 0; o < w->oc; o++) {
		int64_t bias = y->int_bias ? y->int_bias[o] : 0, positive, negative;
		signed_sums(y->weights + o * per, per, &positive, &negative);
		lo[o] = bias + positive * a + negative * b;
		hi[o] = bias + positive * b + negative * a;
		int64_t least = (bias < 0 ? bias : 0) + positive * low + negative * high;
		int64_t most = (bias > 0 ? bias : 0) + positive * high + negative * low;
		y->acc_lo = least < y->acc_lo ? least : y->acc_lo;
		y->acc_hi = most > y->acc_hi ? most : y->acc_hi;
	}
	y->channel_lo = lo, y->channel_hi = hi;
	return 0;
}

static struct contents mac_contents(const struct plan_layer *y)
{
	if (y->real)
		return contents_real();
	int64_t lo = INT64_MAX, hi = INT64_MIN;
	for (int64_t o = 0; o < y->window.oc; o++) {
		lo = y->channel_lo[o] < lo ? y->channel_lo[o] : lo;
		hi = y->channel_hi[o] > hi ? y->channel_hi[o] : hi;
	}
	return contents_int(lo, hi);
}

/* Whether n is thresholds with one row, or one a channel of v, which layer y computes. */
static bool thresholds_of(const struct node *n, const struct plan_layer *y, const struct value *v)
{
	const struct value *t = node_input(n, 1);
	bool software = n->op == &op_MultiThreshold, hardware = n->op == &op_Thresholding;
	int last = v->rank - 1, channels = y->window.dense || lower_is_native(y->node) ? last : 1;
	if ((!software && !hardware) || !value_is_constant(t) || t->rank != 2)
		return false;
	return t->dims[0] == 1 || (software ? threshold_axis(n, v->rank) : last) == channels;
}

/* Whether thresholds alone read v, so that they can be computed where it is. */
static bool fuses(const struct lowering *l, const struct plan_layer *y, const struct value *v)
{
	const struct use *u = value_only_use(v);
	return l->options->fuse && !y->real && u && u->user && u->index == 0 && thresholds_of(u->user, y, v);
}

/* Ranges, then the result: now, or by the thresholds that follow. */
int lower_finish_mac(struct lowering *l, struct plan_layer *y, const struct value *v)
{
	if (!y->real && lower_mac_ranges(l, y) < 0)
		return -1;
	if (fuses(l, y, v))
		l->pending[v->id] = y;
	else
		y->out = lower_buf(l, v,
				   !y->window.dense && !lower_is_native(y->node) && lower_result_last(l, v, y->in[0]),
				   mac_contents(y));
	return 0;
}

/* Integer where operand, weights and bias are; a float operand with constant weights is a float layer. */
void lower_take_weights(struct lowering *l, struct plan_layer *y, const struct weight_map *m)
{
	/* a constant has a range where it was found to be integers */
	if (!y->in[0]->real && (m->v->range || !lower_interval_constant(m->v->constant).real))
		int_weights(l, y, m);
	else
		float_weights(l, y, m);
}

static void take_bias(struct lowering *l, struct plan_layer *y, const struct tensor *t, double scale)
{
	int64_t n = y->window.oc;
	if (!t)
		return;
	bool integral = !y->real;
	for (int64_t i = 0; i < n && integral; i++) {
		double v = tensor_at(t, t->count == 1 ? 0 : i) * scale;
		integral = v == floor(v) && fabs(v) < 0x1p53;
	}
	int64_t *ints = arena_array(&l->plan->arena, int64_t, n);
	float *reals = arena_array(&l->plan->arena, float, n);
	for (int64_t i = 0; i < n; i++) {
		double v = tensor_at(t, t->count == 1 ? 0 : i) * scale;
		reals[i] = (float)v;
		ints[i] = integral ? (int64_t)v : 0;
	}
	y->int_bias = integral ? ints : NULL;
	y->bias = integral ? NULL : reals;
}

/* ---- convolutions ---- */

/* Spatial dims of a graph's value, two of them (a leading 1 for 1-D). */
static void spatial(const struct value *v, bool last, int64_t hw[2])
{
	int first = last ? 1 : 2, n = v->rank - 2;
	hw[0] = n == 2 ? v->dims[first] : 1;
	hw[1] = v->dims[first + n - 1];
}

static int conv_window(struct lowering *l, struct plan_layer *y, const struct node *n, const struct tensor *t)
{
	const struct value *x = node_input(n, 0), *v = n->outputs[0];
	bool last = lower_is_native(n);
	struct plan_window *w = &y->window;
	struct window g;
	int64_t in[2], out[2];
	if (x->rank < 3 || x->rank > 4)
		return lower_unsupported(l, n, "a window of other than one or two axes");
	spatial(x, last, in);
	spatial(v, last, out);
	if (window_read(&g, n, x->rank - 2, last ? x->dims + 1 : x->dims + 2,
			t ? (last ? t->dims + 1 : t->dims + 2) : NULL, l->diags) < 0)
		return -1;
	*w = (struct plan_window){ .ic = last ? x->dims[x->rank - 1] : x->dims[1],
				   .ih = in[0],
				   .iw = in[1],
				   .oc = last ? v->dims[v->rank - 1] : v->dims[1],
				   .oh = out[0],
				   .ow = out[1],
				   .kh = g.kernel[1],
				   .kw = g.kernel[2],
				   .stride_h = g.stride[1],
				   .stride_w = g.stride[2],
				   .dilation_h = g.dilation[1],
				   .dilation_w = g.dilation[2],
				   .pad_top = g.begin[1],
				   .pad_left = g.begin[2],
				   .group = node_attr_int(n, "group", 1) };
	w->in_last = last || y->in[0]->channels_last || w->ic == 1;
	w->out_last = last || lower_result_last(l, v, y->in[0]) || w->oc == 1;
	int64_t bottom = (w->oh - 1) * w->stride_h + (w->kh - 1) * w->dilation_h - w->pad_top;
	int64_t right = (w->ow - 1) * w->stride_w + (w->kw - 1) * w->dilation_w - w->pad_left;
	w->padded = w->pad_top > 0 || w->pad_left > 0 || bottom >= w->ih || right >= w->iw;
	w->batch = x->dims[0] > 1 ? x->dims[0] : 0;
	return 0;
}

int lower_conv(struct lowering *l, const struct node *n)
{
	struct plan_buf *in = lower_input(l, n, 0);
	const struct value *wv = node_input(n, 1), *bv = node_input(n, 2);
	if (lower_is_native(n))
		in = lower_ordered(l, n, in);
	if (!in)
		return -1;
	if (!value_is_constant(wv) || (bv && !value_is_constant(bv)))
		return lower_unsupported(l, n, "weights that are computed at run time");
	struct plan_layer *y = lower_layer(l, n, PLAN_MAC, in);
	const struct tensor *t = wv->constant;
	if (conv_window(l, y, n, t) < 0)
		return -1;
	struct plan_window *w = &y->window;
	int64_t icg = w->ic / w->group, k = w->kh * w->kw;
	struct weight_map m = { wv, icg * k, k, w->kw, 1, NULL, 0, 0 };
	if (lower_is_native(n))
		m = (struct weight_map){ wv, icg * k, 1, w->kw * icg, icg, NULL, 0, 0 };
	lower_take_weights(l, y, &m);
	take_bias(l, y, bv ? bv->constant : NULL, 1);
	if (y->bias && !y->real)
		float_weights(l, y, &m);
	return lower_finish_mac(l, y, n->outputs[0]);
}

/* out(y, x) += in(i, j) * w(r, s) where y = i * stride + r * dilation - pad. Weights are [input][output of the
 * group][kh][kw] in ONNX; several groups become one layer with zeros between them. */
int lower_deconv(struct lowering *l, const struct node *n)
{
	struct plan_buf *in = lower_input(l, n, 0);
	const struct value *x = node_input(n, 0), *v = n->outputs[0], *wv = node_input(n, 1), *bv = node_input(n, 2);
	struct window g;
	if (!in)
		return -1;
	int64_t group = node_attr_int(n, "group", 1);
	if (!value_is_constant(wv) || (bv && !value_is_constant(bv)) || x->rank < 3 || x->rank > 4)
		return lower_unsupported(l, n, "weights that are computed at run time, or more axes than two,");
	struct plan_layer *y = lower_layer(l, n, PLAN_DECONV, in);
	const struct tensor *t = wv->constant;
	if (window_read_attributes(&g, n, x->rank - 2, x->dims + 2, t->dims + 2, l->diags) < 0)
		return -1;
	int64_t from[2], to[2];
	spatial(x, false, from);
	spatial(v, false, to);
	y->window = (struct plan_window){ .ic = x->dims[1],
					  .ih = from[0],
					  .iw = from[1],
					  .oc = v->dims[1],
					  .oh = to[0],
					  .ow = to[1],
					  .kh = g.kernel[1],
					  .kw = g.kernel[2],
					  .stride_h = g.stride[1],
					  .stride_w = g.stride[2],
					  .dilation_h = g.dilation[1],
					  .dilation_w = g.dilation[2],
					  .pad_top = g.begin[1],
					  .pad_left = g.begin[2],
					  .group = 1,
					  .padded = true,
					  .batch = x->dims[0] > 1 ? x->dims[0] : 0 };
	y->window.in_last = in->channels_last || x->dims[1] == 1;
	y->window.out_last = lower_result_last(l, v, in) || v->dims[1] == 1;
	int64_t k = y->window.kh * y->window.kw;
	int64_t outputs = y->window.oc / group;
	struct weight_map m = { wv, k, outputs * k, y->window.kw, 1, NULL, 0, 0 };
	if (group > 1)
		m.out = outputs, m.in = y->window.ic / group;
	lower_take_weights(l, y, &m);
	take_bias(l, y, bv ? bv->constant : NULL, 1);
	if (y->bias && !y->real)
		float_weights(l, y, &m);
	return lower_finish_mac(l, y, v);
}

/* ---- dense layers ---- */

/* The layer before y where it only selects elements for y: y can read what it reads. */
static struct plan_layer *selection(const struct lowering *l, const struct plan_layer *y)
{
	const struct plan_buf *in = y->in[0];
	struct plan_layer *m = l->plan->layers;
	while (m && (m->kind != PLAN_MOVE || m->out != in))
		m = m->next;
	if (!l->options->absorb || !m || m->n_in != 1 || m->fill_count || !in->value || y->window.oh != 1 ||
	    !value_only_use(in->value) || in->shuffle || m->in[0]->shuffle)
		return NULL;
	return m->in[0]->count <= 4 * in->count ? m : NULL;
}

static void unlink_layer(struct plan *p, struct plan_layer *m)
{
	struct plan_layer *before = NULL;
	for (struct plan_layer *k = p->layers; k != m; k = k->next)
		before = k;
	*(before ? &before->next : &p->layers) = m->next;
	for (struct plan_layer *k = m->next; k; k = k->next)
		k->index--;
	p->n_layers--;
	if (!m->next)
		p->last_layer = before;
}

/* Weights of elements that were not selected are zero. */
static void absorb_selection(struct lowering *l, struct plan_layer *y)
{
	struct plan_layer *m = selection(l, y);
	if (!m || !y->weights)
		return;
	int64_t from = y->window.ic, to = m->in[0]->count;
	int64_t *w = arena_array(&l->plan->arena, int64_t, to * y->window.oc + 1);
	for (int64_t o = 0; o < y->window.oc; o++)
		for (int64_t i = 0; i < from; i++)
			w[o * to + m->map[i]] += y->weights[o * from + i];
	for (int64_t i = 0; i < to * y->window.oc; i++) {
		y->weight_lo = w[i] < y->weight_lo ? w[i] : y->weight_lo;
		y->weight_hi = w[i] > y->weight_hi ? w[i] : y->weight_hi;
	}
	y->weights = w;
	y->window.ic = to;
	y->in[0] = m->in[0];
	unlink_layer(l->plan, m);
}

struct plan_layer *lower_dense(struct lowering *l, const struct node *n, struct plan_buf *in, const struct value *wv,
			       bool transposed)
{
	const struct tensor *t = wv->constant;
	struct plan_layer *y = lower_layer(l, n, PLAN_MAC, in);
	int64_t rows = t->dims[t->rank - (transposed ? 1 : 2)], columns = t->dims[t->rank - (transposed ? 2 : 1)];
	y->window = (struct plan_window){ .ic = rows,
					  .ih = in->count / rows,
					  .iw = 1,
					  .oc = columns,
					  .oh = in->count / rows,
					  .ow = 1,
					  .kh = 1,
					  .kw = 1,
					  .stride_h = 1,
					  .stride_w = 1,
					  .dilation_h = 1,
					  .dilation_w = 1,
					  .group = 1,
					  .in_last = true,
					  .out_last = true,
					  .dense = true };
	struct weight_map m = { wv, transposed ? rows : 1, transposed ? 1 : columns, 0, 0, NULL, 0, 0 };
	if (in->shuffle) { /* memory element shuffle[i] is multiplied by row i of the constant: the rows are moved instead */
		int64_t *row = arena_array(&l->plan->arena, int64_t, rows);
		for (int64_t i = 0; i < rows; i++)
			row[in->shuffle[i]] = i;
		m.shuffle = row;
	}
	lower_take_weights(l, y, &m);
	absorb_selection(l, y);
	return y;
}

bool lower_is_dense(const struct plan_buf *in, const struct tensor *t, bool transposed)
{
	int64_t rows = t->rank == 2 ? t->dims[transposed ? 1 : 0] : -1;
	return rows > 0 && in->rank >= 1 && !(in->channels_last && in->rank > 2) && in->dims[in->rank - 1] == rows &&
	       (!in->shuffle || in->count == rows);
}

int lower_matmul(struct lowering *l, const struct node *n)
{
	const struct value *wv = node_input(n, 1);
	struct plan_buf *in = value_is_constant(wv) ? lower_input(l, n, 0) : NULL;
	if (!in && value_is_constant(wv))
		return -1;
	if (!in || !lower_is_dense(in, wv->constant, false))
		return lower_product_of_two(l, n);
	return lower_finish_mac(l, lower_dense(l, n, in, wv, false), n->outputs[0]);
}

int lower_gemm(struct lowering *l, const struct node *n)
{
	const struct value *wv = node_input(n, 1), *cv = node_input(n, 2);
	struct plan_buf *in = lower_input(l, n, 0);
	bool transposed = node_attr_int(n, "transB", 0);
	if (!in)
		return -1;
	if (!value_is_constant(wv) || (cv && !value_is_constant(cv)) || node_attr_int(n, "transA", 0) ||
	    node_attr_float(n, "alpha", 1) != 1 || !lower_is_dense(in, wv->constant, transposed) ||
	    (cv && cv->constant->count != 1 && cv->constant->count != n->outputs[0]->dims[1]))
		return lower_unsupported(l, n, "this form of Gemm (alpha, transA or a matrix C)");
	struct plan_layer *y = lower_dense(l, n, in, wv, transposed);
	take_bias(l, y, cv ? cv->constant : NULL, node_attr_float(n, "beta", 1));
	if (y->bias && !y->real)
		float_weights(l, y,
			      &(struct weight_map){ wv, transposed ? y->window.ic : 1, transposed ? 1 : y->window.oc, 0,
						    0, NULL, 0, 0 });
	return lower_finish_mac(l, y, n->outputs[0]);
}

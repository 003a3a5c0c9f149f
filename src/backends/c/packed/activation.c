/* Thresholds of the packed style: moved from the layer's sum to what the kernel sums, and, where they are evenly
 * spaced, turned into one multiplication whose exactness is proven here. */
#include "backends/c/packed/packed.h"

#include <math.h>

static int64_t weights_per_output(const struct plan_layer *l)
{
	return plan_layer_weights(l) / l->window.oc;
}

/* D's offset for output o: the layer's sum is offset + step * D. */
static int64_t offset_of(const struct plan_layer *l, int64_t o)
{
	int64_t n = weights_per_output(l), sum = 0;
	for (int64_t i = 0; i < n; i++)
		sum += l->weights[o * n + i];
	return plan_root(l->in[0])->base * sum + (l->int_bias ? l->int_bias[o] : 0);
}

/* ---- evenly spaced thresholds ---- */

/* How counts are computed: fused or not is the compiler's choice, so that proofs try both. */
struct rounding {
	bool fused, even;
};

static int64_t affine_count(float x, float scale, float offset, int64_t top, struct rounding r)
{
	float v = r.fused ? fmaf(x, scale, offset) : x * scale + offset;
	v = v > 0.0f ? v : 0.0f;
	v = v < (float)top ? v : (float)top;
	return (int64_t)(r.even ? rintf(v) : v);
}

/* Bounds of the offset for a slope: f(t[k]) >= k + 1 and f(below t[k]) < k + 1. */
static double slack(const double *at, const double *below, int64_t count, double m, double *middle)
{
	double lo = -INFINITY, hi = INFINITY;
	for (int64_t k = 0; k < count; k++) {
		if (!isnan(at[k]))
			lo = fmax(lo, (double)(k + 1) - at[k] * m);
		if (!isnan(below[k]))
			hi = fmin(hi, (double)(k + 1) - below[k] * m);
	}
	*middle = isinf(lo) && isinf(hi) ? 0 : isinf(lo) ? hi - 1 : isinf(hi) ? lo + 1 : (lo + hi) / 2;
	return hi - lo;
}

/* The slope with the most room; room is concave in the slope. */
static double best_slope(const double *at, const double *below, int64_t count, double most)
{
	double a = 0, b = most, unused;
	for (int i = 0; i < 200; i++) {
		double p = a + (b - a) / 3, q = b - (b - a) / 3;
		if (slack(at, below, count, p, &unused) < slack(at, below, count, q, &unused))
			a = p;
		else
			b = q;
	}
	return (a + b) / 2;
}

static bool proven(const int64_t *t, int64_t count, int64_t lo, int64_t hi, bool even, float scale, float offset)
{
	for (int fused = 0; fused < 2; fused++)
		for (int64_t k = 0; k < count; k++) {
			const struct rounding r = { fused, even };
			if (t[k] <= hi && affine_count((float)t[k], scale, offset, count, r) < k + 1)
				return false;
			if (t[k] > lo && affine_count((float)(t[k] - 1), scale, offset, count, r) > k)
				return false;
		}
	return scale >= 0;
}

/* The line through two ties, x0 and x1, at which the count goes from k to k + 1 and from k + 1 to k + 2. */
static void through_ties(double x0, double x1, int64_t k, float *scale, float *offset)
{
	*scale = (float)(1 / (x1 - x0));
	*offset = (float)((double)k + 0.5 - x0 / (x1 - x0));
}

/* A tie goes down where k is even: the threshold is the next integer. Ranges cut thresholds at either end. */
static bool fit_even(const int64_t *t, int64_t count, int64_t lo, int64_t hi, float *scale, float *offset)
{
	int64_t k = 0;
	while (k + 1 < count && t[k] <= lo + 1)
		k++;
	if (k + 1 >= count || t[k + 1] > hi)
		return false;
	int64_t x0 = t[k] - (k % 2 == 0), x1 = t[k + 1] - (k % 2 == 1);
	if (x1 <= x0)
		return false;
	through_ties((double)x0, (double)x1, k, scale, offset);
	return true;
}

bool affine_fit(const int64_t *t, int64_t count, int64_t lo, int64_t hi, bool even, float *scale, float *offset)
{
	double at[256] = { 0 }, below[256] = { 0 }, middle;
	if (count < 1 || count > 255 || lo < -(1 << 24) || hi > 1 << 24)
		return false;
	if (even && fit_even(t, count, lo, hi, scale, offset))
		return proven(t, count, lo, hi, true, *scale, *offset);
	for (int64_t k = 0; k < count; k++) {
		at[k] = t[k] <= hi ? (double)t[k] : NAN;
		below[k] = t[k] > lo ? (double)t[k] - 1 : NAN;
	}
	double m = best_slope(at, below, count, 2.0 * (double)count + 2);
	slack(at, below, count, m, &middle);
	*scale = (float)m;
	*offset = (float)(even ? middle - 0.5 : middle);
	return proven(t, count, lo, hi, even, *scale, *offset);
}

static void check_real(const float *t, int64_t count, bool even, float scale, float offset, bool *exact, bool *near)
{
	*exact = *near = scale >= 0;
	for (int fused = 0; fused < 2; fused++)
		for (int64_t k = 0; k < count; k++) {
			const struct rounding r = { fused, even };
			int64_t up = affine_count(t[k], scale, offset, count, r);
			int64_t down = affine_count(nextafterf(t[k], -INFINITY), scale, offset, count, r);
			*exact &= up >= k + 1 && down <= k;
			*near &= up >= k && down <= k + 1;
		}
}

bool affine_fit_real(const float *t, int64_t count, bool even, float *scale, float *offset, bool *exact)
{
	double at[256] = { 0 }, below[256] = { 0 }, middle, least = INFINITY;
	bool near;
	if (count > 255 || count < 2)
		return false;
	for (int64_t k = 0; k < count; k++) {
		if (!isfinite(t[k]))
			return false;
		at[k] = (double)t[k];
		below[k] = (double)nextafterf(t[k], -INFINITY);
		if (k && t[k] > t[k - 1])
			least = fmin(least, at[k] - at[k - 1]);
	}
	if (even) {
		through_ties(below[0], at[1], 0, scale, offset);
	} else {
		double m = best_slope(at, below, count, isinf(least) ? 1 : 4 / least);
		slack(at, below, count, m, &middle);
		*scale = (float)m;
		*offset = (float)middle;
	}
	check_real(t, count, even, *scale, *offset, exact, &near);
	return near;
}

double affine_doubt(const float *t, int64_t count, float scale, float offset)
{
	double most = 0;
	for (int64_t k = 0; k < count; k++) {
		float below = nextafterf(t[k], -INFINITY);
		most = fmax(most, (double)(k + 1) - (double)fminf(fmaf(t[k], scale, offset), t[k] * scale + offset));
		most = fmax(most, (double)fmaxf(fmaf(below, scale, offset), below * scale + offset) - (double)(k + 1));
	}
	return most * 1.01 + 1e-6;
}

/* ---- the activation ---- */

/* The same rounding for all outputs. */
static bool fit_all(const struct plan_layer *l, struct packed_activation *s, const int64_t *extra)
{
	int64_t step = plan_root(l->in[0])->step;
	for (int64_t o = 0; o < l->window.oc; o++) {
		int64_t off = offset_of(l, o), more = extra ? extra[o] : 0;
		if (!affine_fit(s->t + o * s->count, s->count, (l->channel_lo[o] - off) / step + more,
				(l->channel_hi[o] - off) / step + more, s->even, &s->scale[o], &s->offset[o]))
			return false;
	}
	return true;
}

static void fit(struct emit *e, const struct plan_layer *l, struct packed_activation *s, const int64_t *extra)
{
	s->scale = arena_array(e->arena, float, l->window.oc);
	s->offset = arena_array(e->arena, float, l->window.oc);
	for (int even = 0; even < 2 && s->count >= 3 && !s->affine; even++) {
		s->even = even;
		s->affine = fit_all(l, s, extra);
	}
}

/* Kernels that sum in lanes of 32 bits take 16 channels at a time. */
enum { GROUP = 16 };

static int64_t padded_channels(const struct plan_layer *l)
{
	return (l->window.oc + GROUP - 1) / GROUP * GROUP;
}

/* The plan's line of a sum as one of D, where sum = start + step * D. */
static bool line_of_codes(struct emit *e, const struct requantisation *q, int64_t start, int64_t step,
			  struct requantisation *to)
{
	*to = *q;
	to->multiplier *= step;
	to->offset += q->multiplier * start;
	to->n_exceptions = 0;
	to->exceptions = arena_array(e->arena, struct requantise_exception, q->n_exceptions + 1);
	for (int k = 0; k < q->n_exceptions; k++) {
		int64_t d = q->exceptions[k].x - start;
		if (d % step == 0) /* others are no sums that occur */
			to->exceptions[to->n_exceptions++] =
				(struct requantise_exception){ d / step, q->exceptions[k].correction };
	}
	return to->multiplier <= INT32_MAX;
}

/* Brings n lines to a shift of 32, by which a vector's counts are the upper halves of its products: nothing is shifted
 * out then. Multipliers that would not fit stay as they are. */
static void widen_lines(struct requantisation *q, int64_t n, int64_t *doubt)
{
	int more = REQUANTISE_SHIFT - q->shift;
	int64_t scale = INT64_C(1) << more;
	if (*doubt >= INT64_C(1) << (q->shift > 0 ? q->shift - 1 : 0))
		return;
	for (int64_t o = 0; o < n; o++)
		if (q[o].multiplier > INT32_MAX / scale)
			return;
	for (int64_t o = 0; o < n; o++) {
		q[o].multiplier *= scale;
		q[o].offset *= scale;
		q[o].doubt *= scale;
		q[o].shift = REQUANTISE_SHIFT;
	}
	*doubt *= scale;
}

static void take_lines(struct emit *e, const struct plan_layer *l, struct packed_activation *s, const int64_t *extra)
{
	struct requantisation *to = arena_array(e->arena, struct requantisation, padded_channels(l));
	int64_t step = plan_root(l->in[0])->step;
	for (int64_t o = 0; o < l->window.oc; o++) {
		const struct requantisation *q = &l->activation->lines[l->activation->channels == 1 ? 0 : o];
		if (!line_of_codes(e, q, offset_of(l, o) - step * (extra ? extra[o] : 0), step, &to[o]))
			return;
	}
	s->lines = to;
	s->doubt = l->activation->doubt;
	widen_lines(to, l->window.oc, &s->doubt);
}

struct packed_activation *packed_activation(struct emit *e, const struct plan_layer *l, const int64_t *extra)
{
	const struct plan_activation *from = l->activation;
	const struct plan_buf *out = plan_root(l->out);
	int64_t step = plan_root(l->in[0])->step;
	struct packed_activation *s = arena_new(e->arena, struct packed_activation);
	s->count = from->count;
	s->multiply = out->holds_codes ? from->step / out->step : from->step;
	s->add = out->holds_codes ? (from->base - out->base) / out->step : from->base;
	s->t = arena_array(e->arena, int64_t, l->window.oc * s->count + 1);
	for (int64_t o = 0; o < l->window.oc; o++)
		for (int64_t k = 0; k < s->count; k++) {
			int64_t t = from->t[(from->channels == 1 ? 0 : o) * s->count + k];
			s->t[o * s->count + k] = ceil_div(t - offset_of(l, o), step) + (extra ? extra[o] : 0);
		}
	fit(e, l, s, extra);
	if (!s->affine && from->lines)
		take_lines(e, l, s, extra);
	return s;
}

/* "(uint8_t)(2 * v - 1)": the result's element from an expression v. */
static const char *scaled(struct emit *e, const char *type, const char *v, int64_t multiply, int64_t add)
{
	const char *s = multiply == 1 ? v : arena_printf(e->arena, "%s * %lld", v, LL(multiply));
	if (add)
		s = arena_printf(e->arena, "%s %c %lld", s, add < 0 ? '-' : '+', LL(add < 0 ? -add : add));
	return arena_printf(e->arena, "(%s)(%s)", type, s);
}

static const char *offsets(struct emit *e, const struct plan_layer *l, const int64_t *extra)
{
	const struct plan_buf *out = plan_root(l->out);
	int64_t oc = l->window.oc, step = plan_root(l->in[0])->step, *v = arena_array(e->arena, int64_t, oc);
	for (int64_t o = 0; o < oc; o++)
		v[o] = offset_of(l, o) - step * (extra ? extra[o] : 0) - (out->holds_codes ? out->base : 0);
	return emit_ints(e, v, (size_t)oc, NULL, "%s_o", l->name);
}

static const char TABS[] = "\t\t\t\t\t\t";

void packed_finish(struct emit *e, const struct plan_layer *l, const int64_t *extra, int indent, const char *pixel)
{
	const char *type = buf_ctype(l->out), *value;
	struct packed_activation *s = l->activation ? packed_activation(e, l, extra) : NULL;
	bool bytes = s && s->multiply == 1 && s->add == 0 &&
		     array_size(array_type_for(0, s->count)) == plan_elem_size(l->out->elem);
	if (bytes || l->real) {
		strbuf_printf(e->code, "%.*smemcpy(y + %s, row, %lld);\n", indent, TABS, pixel,
			      LL(l->window.oc * (int64_t)plan_elem_size(l->out->elem)));
		return;
	}
	if (s) {
		value = scaled(e, type, "row[o]", s->multiply, s->add);
	} else {
		const char *term = arena_printf(e->arena, "row[o] * %lld + %s[o]", LL(plan_root(l->in[0])->step),
						offsets(e, l, extra));
		value = arena_printf(e->arena, "(%s)(%s)", type, term);
	}
	e->stack += 256; /* a loop that GCC turns into vectors and unrolls */
	strbuf_printf(e->code, "%.*sfor (int o = 0; o < %lld; o++)\n%.*sy[%s + o] = %s;\n", indent, TABS,
		      LL(l->window.oc), indent + 1, TABS, pixel, value);
}

/* ---- constants of kernels that sum in lanes of 32 bits ---- */

static const char *thresholds(struct emit *e, const struct plan_layer *l, const struct packed_activation *s)
{
	int64_t groups = (l->window.oc + GROUP - 1) / GROUP;
	int32_t *t = arena_array(e->arena, int32_t, groups * s->count * GROUP);
	for (int64_t o = 0; o < groups * GROUP; o++)
		for (int64_t k = 0; k < s->count; k++) {
			int64_t v = o < l->window.oc ? s->t[o * s->count + k] : INT32_MAX;
			t[(o / GROUP * s->count + k) * GROUP + o % GROUP] = (int32_t)(v < INT32_MIN   ? INT32_MIN
										      : v > INT32_MAX ? INT32_MAX
												      : v);
		}
	return emit_array(e, ARRAY_I32, t, (size_t)(groups * s->count * GROUP), "%s_t", l->name);
}

static const char *padded_floats(struct emit *e, const struct plan_layer *l, const float *v, const char *suffix)
{
	int64_t n = (l->window.oc + GROUP - 1) / GROUP * GROUP;
	float *to = arena_array(e->arena, float, n);
	for (int64_t o = 0; o < l->window.oc; o++)
		to[o] = v[o];
	return emit_array(e, ARRAY_F32, to, (size_t)n, "%s_%s", l->name, suffix);
}

static const char *multipliers(struct emit *e, const struct plan_layer *l, const struct packed_activation *s)
{
	int32_t *m = arena_array(e->arena, int32_t, padded_channels(l));
	for (int64_t o = 0; o < l->window.oc; o++)
		m[o] = (int32_t)s->lines[o].multiplier;
	return emit_array(e, ARRAY_I32, m, (size_t)padded_channels(l), "%s_m", l->name);
}

/* Of 16 channels those with even numbers first: products of 64 bits take every second lane. Channels that are not
 * there are far from any doubt. */
static const char *line_offsets(struct emit *e, const struct plan_layer *l, const struct packed_activation *s)
{
	int64_t *r = arena_array(e->arena, int64_t, padded_channels(l));
	for (int64_t o = 0; o < padded_channels(l); o++)
		r[o / GROUP * GROUP + o % 2 * (GROUP / 2) + o % GROUP / 2] =
			o < l->window.oc ? s->lines[o].offset : (INT64_C(1) << s->lines->shift) / 2;
	return emit_array(e, ARRAY_I64, r, (size_t)padded_channels(l), "%s_r", l->name);
}

static void line_constants(struct emit *e, const struct plan_layer *l, const struct packed_activation *s,
			   struct packed_constants *k)
{
	int64_t n = padded_channels(l);
	k->m = multipliers(e, l, s);
	k->r = line_offsets(e, l, s);
	if (!s->doubt)
		return;
	struct line_exceptions x = gather_exceptions(e, s->lines, n);
	k->first = emit_array(e, ARRAY_I32, x.first, (size_t)n + 1, "%s_f", l->name);
	k->at = emit_array(e, ARRAY_I32, x.x, (size_t)x.count + 1, "%s_x", l->name);
	k->add = emit_array(e, ARRAY_I32, x.correction, (size_t)x.count + 1, "%s_d", l->name);
}

struct packed_constants packed_constants(struct emit *e, const struct plan_layer *l, const struct packed_activation *s)
{
	struct packed_constants k = { 0 };
	if (s->affine) {
		k.r = padded_floats(e, l, s->offset, "a");
		k.m = padded_floats(e, l, s->scale, "m");
	} else if (s->lines) {
		line_constants(e, l, s, &k);
	} else {
		k.t = thresholds(e, l, s);
	}
	return k;
}

static void count_by_line(struct emit *e, const struct packed_activation *s, const struct packed_constants *k,
			  int indent)
{
	struct strbuf *b = e->code;
	strbuf_printf(b, "%.*sqcc_i32 n = qcc_requantise%s(sum, %s + channel, ", indent, TABS, s->doubt ? "_near" : "",
		      k->m);
	strbuf_printf(b, "%s + channel / %d * %d + channel %% %d / 2, %d, %lld", k->r, GROUP, GROUP, GROUP,
		      s->lines->shift, LL(s->count));
	if (s->doubt)
		strbuf_printf(b, ", %lld, %s + channel, %s, %s", LL(s->doubt), k->first, k->at, k->add);
	strbuf_puts(b, ");\n");
}

static void count_by_comparing(struct emit *e, const struct packed_activation *s, const struct packed_constants *k,
			       int indent)
{
	struct strbuf *b = e->code;
	strbuf_printf(b, "%.*sconst int32_t *t = %s + channel / %d * %lld + channel %% %d;\n%.*sqcc_i32 n = { 0 };\n",
		      indent, TABS, k->t, GROUP, LL(s->count * GROUP), GROUP, indent, TABS);
	if (s->count > 8)
		strbuf_printf(b, "%.*sfor (int k = 0; k < %lld; k++)\n%.*sn = qcc_reach32(n, sum, t + k * %d);\n",
			      indent, TABS, LL(s->count), indent + 1, TABS, GROUP);
	for (int64_t i = 0; i < s->count && s->count <= 8; i++)
		strbuf_printf(b, "%.*sn = qcc_reach32(n, sum, t + %lld);\n", indent, TABS, LL(i * GROUP));
}

void packed_count(struct emit *e, const struct packed_activation *s, const struct packed_constants *k, int indent,
		  const char *at)
{
	strbuf_printf(e->code, "%.*sconst int channel = %s;\n", indent, TABS, at);
	if (s->affine)
		strbuf_printf(e->code, "%.*sconst qcc_i32 n = %s(sum, %s + channel, %s + channel, %lld.0f);\n", indent,
			      TABS, s->even ? "qcc_affine_even" : "qcc_affine", k->m, k->r, LL(s->count));
	else if (s->lines)
		count_by_line(e, s, k, indent);
	else
		count_by_comparing(e, s, k, indent);
}

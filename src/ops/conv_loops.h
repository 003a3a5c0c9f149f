/* Convolution for one floating-point type: include with REAL and NAME(f) as in real_loops.h. */

/* A stretch of one output row: outputs [from, from + n) of row (od, oh) of a sample. */
struct NAME(stretch) {
	int64_t sample, od, oh, from, n;
};

/* Copies what one tap of one channel sees along the stretch: n outputs, of which [lo, hi) lie in the row. */
static inline void NAME(fill_stretch)(const REAL *row, int64_t stride, int64_t lo, int64_t hi, int64_t n, REAL *to)
{
	for (int64_t i = 0; i < lo; i++)
		to[i] = 0;
	if (stride == 1)
		memcpy(to + lo, row + lo, (size_t)(hi - lo) * sizeof *to);
	else
		for (int64_t i = lo; i < hi; i++)
			to[i] = row[i * stride];
	for (int64_t i = hi; i < n; i++)
		to[i] = 0;
}

/* One tap along a stretch, for all channels of the group: rows of the columns matrix `taps` apart. */
static void NAME(fill_tap)(const struct window *w, const struct window_tap *t, const struct NAME(stretch) * s,
			   const REAL *data, int64_t channels, REAL *to, int64_t next)
{
	int64_t id = s->od * w->stride[0] + t->shift[0], ih = s->oh * w->stride[1] + t->shift[1];
	int64_t plane = window_count(w->in), lo = t->from[2] - s->from, hi = t->to[2] - s->from;
	bool outside = id < 0 || id >= w->in[0] || ih < 0 || ih >= w->in[1];
	lo = lo < 0 ? 0 : lo > s->n ? s->n : lo;
	hi = outside ? lo : hi > s->n ? s->n : hi < lo ? lo : hi;
	int64_t at = outside ? 0 : (id * w->in[1] + ih) * w->in[2] + s->from * w->stride[2] + t->shift[2];
	for (int64_t c = 0; c < channels; c++, to += next)
		NAME(fill_stretch)(data + c * plane + at, w->stride[2], lo, hi, s->n, to);
}

/* The columns matrix of outputs [first, first + n), counted over samples and positions: one row per channel of
 * the group and kernel tap. */
static void NAME(columns)(const struct conv *c, const REAL *x, int64_t group, int64_t first, int64_t n, REAL *to)
{
	const struct window *w = &c->w;
	int64_t channels = c->in_channels / c->groups, plane = window_count(w->in);
	int64_t taps = window_count(w->kernel), positions = window_count(w->out);
	for (int64_t k = 0; k < taps; k++) {
		struct window_tap t = window_tap(w, k);
		for (int64_t at = first; at < first + n;) {
			int64_t row = at / w->out[2];
			struct NAME(stretch)
				s = { at / positions, row / w->out[1] % w->out[0], row % w->out[1], at % w->out[2], 0 };
			s.n = w->out[2] - s.from;
			s.n = s.n < first + n - at ? s.n : first + n - at;
			NAME(fill_tap)
			(w, &t, &s, x + (s.sample * c->in_channels + group * channels) * plane, channels,
			 to + k * n + (at - first), taps * n);
			at += s.n;
		}
	}
}

/* Takes a block of results, one row per output channel, to its places, the bias added. */
static void NAME(scatter)(const struct conv *c, const REAL *block, int64_t group, int64_t first, int64_t n,
			  const REAL *bias, REAL *y)
{
	int64_t positions = window_count(c->w.out), channels = c->out_channels / c->groups;
	for (int64_t o = 0; o < channels; o++) {
		REAL b = bias ? bias[group * channels + o] : 0;
		for (int64_t j = 0; j < n;) {
			int64_t sample = (first + j) / positions, at = (first + j) % positions;
			int64_t run = positions - at < n - j ? positions - at : n - j;
			REAL *to = y + (sample * c->out_channels + group * channels + o) * positions + at;
			const REAL *from = block + o * n + j;
			for (int64_t i = 0; i < run; i++)
				to[i] = from[i] + b;
			j += run;
		}
	}
}

/* Enough columns for an efficient product, few enough to stay in the second-level cache. */
static int64_t NAME(block_columns)(int64_t rows, int64_t total)
{
	int64_t n = (1 << 17) / (rows ? rows : 1);
	n = n < 32 ? 32 : n;
	return n < total ? n : total;
}

static void NAME(conv_general)(const struct conv *c, const REAL *x, const REAL *weights, const REAL *bias, REAL *y)
{
	int64_t rows = c->in_channels / c->groups * window_count(c->w.kernel), m = c->out_channels / c->groups;
	int64_t total = c->batch * window_count(c->w.out), step = NAME(block_columns)(rows, total);
	REAL *block = xmalloc((size_t)(rows + m) * (size_t)step * sizeof *block), *result = block + rows * step;
	for (int64_t g = 0; g < c->groups; g++)
		for (int64_t at = 0; at < total; at += step) {
			int64_t n = total - at < step ? total - at : step;
			struct matrix_shape s = { m, n, rows, false, false, rows, n, n };
			NAME(columns)(c, x, g, at, n, block);
			NAME(gemm)(&s, weights + g * m * rows, block, result);
			NAME(scatter)(c, result, g, at, n, bias, y);
		}
	free(block);
}

/* A 1x1 kernel without stride or padding is a matrix product as the data lies. */
static void NAME(conv_pointwise)(const struct conv *c, const REAL *x, const REAL *weights, const REAL *bias, REAL *y)
{
	int64_t k = c->in_channels / c->groups, m = c->out_channels / c->groups, n = window_count(c->w.out);
	struct matrix_shape s = { m, n, k, false, false, k, n, n };
	for (int64_t i = 0; i < c->batch * c->groups; i++) {
		int64_t g = i % c->groups;
		NAME(gemm)(&s, weights + g * m * k, x + i * k * n, y + i * m * n);
		for (int64_t o = 0; bias && o < m; o++)
			for (int64_t j = 0; j < n; j++)
				y[(i * m + o) * n + j] += bias[g * m + o];
	}
}

/* One tap of a plane: y += weight * what the tap sees. */
LOOP_FUNCTION NAME(tap_plane)(const struct window *w, const REAL *x, REAL weight, int64_t k, REAL *y)
{
	struct window_tap t = window_tap(w, k);
	int64_t stride = w->stride[2], shift = t.shift[2];
	for (int64_t d = t.from[0]; d < t.to[0]; d++)
		for (int64_t h = t.from[1]; h < t.to[1]; h++) {
			int64_t id = d * w->stride[0] + t.shift[0], ih = h * w->stride[1] + t.shift[1];
			const REAL *from = x + (id * w->in[1] + ih) * w->in[2];
			REAL *to = y + (d * w->out[1] + h) * w->out[2];
			if (stride == 1)
				for (int64_t i = t.from[2]; i < t.to[2]; i++)
					to[i] += weight * from[i + shift];
			else
				for (int64_t i = t.from[2]; i < t.to[2]; i++)
					to[i] += weight * from[i * stride + shift];
		}
}

/* One input channel per group: each output plane is a sum over the taps. */
static void NAME(conv_depthwise)(const struct conv *c, const REAL *x, const REAL *weights, const REAL *bias, REAL *y)
{
	const struct window *w = &c->w;
	int64_t in = window_count(w->in), out = window_count(w->out), taps = window_count(w->kernel);
	int64_t per_group = c->out_channels / c->groups;
	for (int64_t i = 0; i < c->batch * c->out_channels; i++) {
		int64_t o = i % c->out_channels, sample = i / c->out_channels;
		const REAL *plane = x + (sample * c->in_channels + o / per_group) * in;
		REAL b = bias ? bias[o] : 0;
		for (int64_t j = 0; j < out; j++)
			y[i * out + j] = b;
		for (int64_t k = 0; k < taps; k++)
			NAME(tap_plane)(w, plane, weights[o * taps + k], k, y + i * out);
	}
}

static void NAME(conv_any)(const struct conv *c, const REAL *x, const REAL *weights, const REAL *bias, REAL *y)
{
	if (window_is_pointwise(&c->w))
		NAME(conv_pointwise)(c, x, weights, bias, y);
	else if (c->groups > 1 && c->groups == c->in_channels)
		NAME(conv_depthwise)(c, x, weights, bias, y);
	else
		NAME(conv_general)(c, x, weights, bias, y);
}

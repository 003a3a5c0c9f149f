/* Convolution for one floating-point type: include with REAL and NAME(f) as in real_loops.h. */

/* A stretch of one output row: outputs [from, from + n) of the row that starts at input row (sample, d, h). */
struct NAME(stretch) {
	int64_t sample, od, oh, from, n;
};

/* Copies what kernel tap (kd, kh, kw) of one channel sees along the stretch. */
static inline void NAME(fill_stretch)(const struct window *w, const REAL *plane, const struct NAME(stretch) *s,
				      int64_t kd, int64_t kh, int64_t kw, REAL *to)
{
	int64_t id = s->od * w->stride[0] + kd * w->dilation[0] - w->begin[0];
	int64_t ih = s->oh * w->stride[1] + kh * w->dilation[1] - w->begin[1];
	if (id < 0 || id >= w->in[0] || ih < 0 || ih >= w->in[1]) {
		memset(to, 0, (size_t)s->n * sizeof *to);
		return;
	}
	const REAL *row = plane + (id * w->in[1] + ih) * w->in[2];
	int64_t shift = s->from * w->stride[2] + kw * w->dilation[2] - w->begin[2], lo, hi;
	window_valid(shift, w->stride[2], w->in[2], s->n, &lo, &hi);
	for (int64_t i = 0; i < lo; i++)
		to[i] = 0;
	if (w->stride[2] == 1)
		for (int64_t i = lo; i < hi; i++)
			to[i] = row[shift + i];
	else
		for (int64_t i = lo; i < hi; i++)
			to[i] = row[shift + i * w->stride[2]];
	for (int64_t i = hi; i < s->n; i++)
		to[i] = 0;
}

/* The columns matrix of outputs [first, first + n), counted over samples and positions: one row per channel of
 * the group and kernel tap. */
static void NAME(columns)(const struct conv *c, const REAL *x, int64_t group, int64_t first, int64_t n, REAL *to)
{
	const struct window *w = &c->w;
	int64_t channels = c->in_channels / c->groups, plane = window_count(w->in);
	int64_t taps = window_count(w->kernel), positions = window_count(w->out);
	for (int64_t at = first; at < first + n;) {
		int64_t row = at / w->out[2];
		struct NAME(stretch) s = { at / positions, row / w->out[1] % w->out[0], row % w->out[1],
					   at % w->out[2], 0 };
		s.n = w->out[2] - s.from;
		s.n = s.n < first + n - at ? s.n : first + n - at;
		const REAL *data = x + (s.sample * c->in_channels + group * channels) * plane;
		REAL *out = to + (at - first);
		for (int64_t k = 0; k < channels * taps; k++, out += n) {
			int64_t tap = k % taps, kd = tap / (w->kernel[1] * w->kernel[2]);
			NAME(fill_stretch)(w, data + k / taps * plane, &s, kd, tap / w->kernel[2] % w->kernel[1],
					   tap % w->kernel[2], out);
		}
		at += s.n;
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
static void NAME(conv_pointwise)(const struct conv *c, const REAL *x, const REAL *weights, const REAL *bias,
				 REAL *y)
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
LOOP_FUNCTION NAME(tap_plane)(const struct window *w, const REAL *x, REAL weight, int64_t kd, int64_t kh,
			      int64_t kw, REAL *y)
{
	int64_t shift[3] = { kd * w->dilation[0] - w->begin[0], kh * w->dilation[1] - w->begin[1],
			     kw * w->dilation[2] - w->begin[2] };
	int64_t lo[3], hi[3], stride = w->stride[2];
	for (int i = 0; i < 3; i++)
		window_valid(shift[i], w->stride[i], w->in[i], w->out[i], &lo[i], &hi[i]);
	for (int64_t d = lo[0]; d < hi[0]; d++)
		for (int64_t h = lo[1]; h < hi[1]; h++) {
			int64_t id = d * w->stride[0] + shift[0], ih = h * w->stride[1] + shift[1];
			const REAL *from = x + (id * w->in[1] + ih) * w->in[2];
			REAL *to = y + (d * w->out[1] + h) * w->out[2];
			if (stride == 1)
				for (int64_t i = lo[2]; i < hi[2]; i++)
					to[i] += weight * from[i + shift[2]];
			else
				for (int64_t i = lo[2]; i < hi[2]; i++)
					to[i] += weight * from[i * stride + shift[2]];
		}
}

/* One input channel per group: each output plane is a sum over the taps. */
static void NAME(conv_depthwise)(const struct conv *c, const REAL *x, const REAL *weights, const REAL *bias,
				 REAL *y)
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
			NAME(tap_plane)(w, plane, weights[o * taps + k], k / (w->kernel[1] * w->kernel[2]),
					k / w->kernel[2] % w->kernel[1], k % w->kernel[2], y + i * out);
	}
}

static void NAME(conv_any)(const struct conv *c, const REAL *x, const REAL *weights, const REAL *bias, REAL *y)
{
	if (is_pointwise(&c->w))
		NAME(conv_pointwise)(c, x, weights, bias, y);
	else if (c->groups > 1 && c->groups == c->in_channels)
		NAME(conv_depthwise)(c, x, weights, bias, y);
	else
		NAME(conv_general)(c, x, weights, bias, y);
}

/* Poolings for one floating-point type: include with REAL and NAME(f) as in real_loops.h. */

/* The largest element a window sees; *at gets its index in the plane (-1: it sees none). */
static REAL NAME(window_max)(const struct window *w, const struct window_box *b, const REAL *plane, int64_t *at)
{
	REAL best = -(REAL)INFINITY;
	*at = -1;
	for (int64_t d = b->lo[0]; d < b->hi[0]; d += w->dilation[0])
		for (int64_t h = b->lo[1]; h < b->hi[1]; h += w->dilation[1])
			for (int64_t i = b->lo[2]; i < b->hi[2]; i += w->dilation[2]) {
				int64_t index = (d * w->in[1] + h) * w->in[2] + i;
				if (*at < 0 || plane[index] > best) {
					best = plane[index];
					*at = index;
				}
			}
	return best;
}

/* Sum of |x|^p over the window: p 0 stands for the plain sum. */
static REAL NAME(window_sum)(const struct window *w, const struct window_box *b, const REAL *plane, int64_t p)
{
	REAL sum = 0;
	for (int64_t d = b->lo[0]; d < b->hi[0]; d += w->dilation[0])
		for (int64_t h = b->lo[1]; h < b->hi[1]; h += w->dilation[1])
			for (int64_t i = b->lo[2]; i < b->hi[2]; i += w->dilation[2]) {
				REAL v = plane[(d * w->in[1] + h) * w->in[2] + i];
				sum += p == 0 ? v : p == 1 ? fabs(v) : p == 2 ? v * v : pow(fabs(v), (REAL)p);
			}
	return sum;
}

static REAL NAME(pool_value)(const struct pool *p, const struct window_box *b, const REAL *plane, int64_t *at)
{
	if (p->kind == POOL_MAX)
		return NAME(window_max)(&p->w, b, plane, at);
	if (p->kind == POOL_LP) {
		REAL sum = NAME(window_sum)(&p->w, b, plane, p->p);
		return p->p == 1 ? sum : p->p == 2 ? sqrt(sum) : pow(sum, 1 / (REAL)p->p);
	}
	int64_t n = p->count_pads ? b->padded : b->seen;
	return NAME(window_sum)(&p->w, b, plane, 0) / (REAL)n;
}

/* Largest elements of one plane, tap by tap over whole rows. */
LOOP_FUNCTION NAME(max_plane)(const struct window *w, const REAL *x, REAL *y)
{
	int64_t out = window_count(w->out), taps = window_count(w->kernel), stride = w->stride[2];
	for (int64_t i = 0; i < out; i++)
		y[i] = -(REAL)INFINITY;
	for (int64_t k = 0; k < taps; k++) {
		struct window_tap t = window_tap(w, k);
		for (int64_t d = t.from[0]; d < t.to[0]; d++)
			for (int64_t h = t.from[1]; h < t.to[1]; h++) {
				int64_t id = d * w->stride[0] + t.shift[0], ih = h * w->stride[1] + t.shift[1];
				const REAL *from = x + (id * w->in[1] + ih) * w->in[2];
				REAL *to = y + (d * w->out[1] + h) * w->out[2];
				for (int64_t i = t.from[2]; i < t.to[2]; i++) {
					REAL v = from[i * stride + t.shift[2]];
					to[i] = v > to[i] ? v : to[i];
				}
			}
	}
}

/* One plane, window by window; indices may be NULL, first is the index of the plane's first element. */
static void NAME(pool_plane)(const struct pool *p, const REAL *x, REAL *y, int64_t *indices, int64_t first)
{
	const struct window *w = &p->w;
	int64_t o = 0;
	for (int64_t d = 0; d < w->out[0]; d++)
		for (int64_t h = 0; h < w->out[1]; h++)
			for (int64_t i = 0; i < w->out[2]; i++, o++) {
				struct window_box b = box_at(w, d, h, i);
				int64_t at = 0;
				y[o] = NAME(pool_value)(p, &b, x, &at);
				if (indices)
					indices[o] = first + index_in_plane(p, at);
			}
}

/* All planes (samples times channels); indices may be NULL. */
static void NAME(pool_planes)(const struct pool *p, const REAL *x, REAL *y, int64_t *indices)
{
	int64_t in = window_count(p->w.in), out = window_count(p->w.out);
	/* a window much larger than the input is better cut to it than walked tap by tap */
	bool by_taps = p->kind == POOL_MAX && !indices && window_count(p->w.kernel) / 4 <= in;
	for (int64_t i = 0; i < p->planes; i++)
		if (by_taps)
			NAME(max_plane)(&p->w, x + i * in, y + i * out);
		else
			NAME(pool_plane)(p, x + i * in, y + i * out, indices ? indices + i * out : NULL, i * in);
}

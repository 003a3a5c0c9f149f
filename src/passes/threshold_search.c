/* Where the levels of a quantiser begin: by bisection of monotone functions, by looking at every point of others. */
#include "passes/threshold_job.h"

#include <stdlib.h>
#include <string.h>

#include "util/vec.h"

enum {
	MOST_POINTS = 1 << 25, /* of a function that must be looked at everywhere, over all channels; a few seconds */
	POINTS_AT_ONCE = 1 << 16,
};

/* ---- points ---- */

/* float32 in order of value: negative ones below 0, both zeros 0. */
static double key_to_float(int64_t key)
{
	uint32_t bits = key >= 0 ? (uint32_t)key : 0x80000000u | (uint32_t)-key;
	float x;
	memcpy(&x, &bits, sizeof x);
	return (double)x;
}

double point_value(const struct job *j, int64_t point)
{
	return j->of_floats ? key_to_float(point) : (double)point;
}

int levels_at(const struct job *j, const int64_t *points, int64_t *levels, int64_t n)
{
	int64_t channels = j->chain.channels, count = n * channels;
	double *x = xcalloc((size_t)count * 2, sizeof *x), *y = x + count;
	const double least = (double)j->root_lo, most = (double)j->root_hi;
	for (int64_t i = 0; i < count; i++) {
		x[i] = j->sign[i % channels] * point_value(j, points[i]);
		if (!j->of_floats)
			x[i] = x[i] < least ? least : x[i] > most ? most : x[i];
	}
	int result = chain_eval(&j->chain, x, y, n, false, j->diags);
	for (int64_t i = 0; result == 0 && i < count; i++)
		levels[i] = quant_grid_level(&j->grid, i % channels, y[i]);
	free(x);
	return result;
}
/* ---- monotone functions ---- */

/* For levels first..first+n-1 (+1) of each channel the first point that reaches them, into out[k * channels + c];
 * hi + 1 where none does. */
static int bisect(const struct job *j, int64_t first, int64_t n, int64_t *out)
{
	int64_t channels = j->chain.channels, count = n * channels;
	int64_t *lo = xcalloc((size_t)count * 4, sizeof *lo), *hi = lo + count, *mid = hi + count, *level = mid + count;
	int result = 0;
	for (int64_t i = 0; i < count; i++) {
		lo[i] = j->lo;
		hi[i] = j->hi + 1;
	}
	for (int64_t width = j->hi - j->lo + 1; width > 0 && result == 0; width /= 2) {
		for (int64_t i = 0; i < count; i++) {
			mid[i] = lo[i] + (hi[i] - lo[i]) / 2;
			if (mid[i] > j->hi)
				mid[i] = j->hi;
		}
		result = levels_at(j, mid, level, n);
		for (int64_t i = 0; i < count; i++) {
			if (lo[i] >= hi[i])
				continue;
			if (level[i] > first + i / channels)
				hi[i] = mid[i];
			else
				lo[i] = mid[i] + 1;
		}
	}
	memcpy(out, lo, (size_t)count * sizeof *out);
	free(lo);
	return result;
}

int first_points(const struct job *j, int64_t *first)
{
	int64_t channels = j->chain.channels, at_once = POINTS_AT_ONCE / channels + 1;
	for (int64_t k = 0; k < j->grid.steps; k += at_once) {
		int64_t n = j->grid.steps - k < at_once ? j->grid.steps - k : at_once;
		if (bisect(j, k, n, first + k * channels) != 0)
			return -1;
	}
	return 0;
}

/* ---- any function ---- */

static void add_point(struct level_function *f, int64_t point, int64_t level, bool is_first)
{
	if (is_first)
		f->first = level;
	else if (level != f->last)
		vec_push(f, ((struct level_step){ point, level - f->last }));
	f->last = level;
}

/* In blocks of points. */
int evaluate_everywhere(const struct job *j, struct level_function *functions)
{
	int64_t channels = j->chain.channels, at_once = POINTS_AT_ONCE / channels + 1;
	int64_t *points = xcalloc((size_t)(at_once * channels) * 2, sizeof *points),
		*levels = points + at_once * channels;
	int result = 0;
	for (int64_t p = j->lo; p <= j->hi && result == 0; p += at_once) {
		int64_t n = j->hi - p + 1 < at_once ? j->hi - p + 1 : at_once;
		for (int64_t i = 0; i < n * channels; i++)
			points[i] = p + i / channels;
		result = levels_at(j, points, levels, n);
		for (int64_t i = 0; i < n * channels && result == 0; i++)
			add_point(&functions[i % channels], points[i], levels[i], points[i] == j->lo);
	}
	free(points);
	return result;
}

bool can_evaluate_everywhere(const struct job *j)
{
	return !j->of_floats && j->hi - j->lo + 1 <= MOST_POINTS / j->chain.channels;
}

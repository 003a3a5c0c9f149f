/* Where the levels of a quantiser begin: by bisection of monotone functions, by looking at every point of others. */
#include "passes/threshold_job.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/vec.h"

enum {
	MOST_POINTS = 1 << 25, /* of a function that must be looked at everywhere, over all channels; a few seconds */
	POINTS_AT_ONCE = 1 << 16,
	FEW_LEVELS = 15, /* looking at one point costs as much as at this many */
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

/* The point of the nearest number. */
static int64_t point_at_value(const struct job *j, double x)
{
	if (!j->of_floats)
		return llrint(x);
	float f = (float)x;
	uint32_t bits;
	memcpy(&bits, &f, sizeof bits);
	return bits & 0x80000000u ? -(int64_t)(bits & 0x7fffffffu) : (int64_t)bits;
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

/* Looking for the first point that reaches a level: it lies in lo..hi. */
struct quest {
	int64_t lo, hi, next,
		width; /* next is looked at now; steps from a guess grow by width until they pass the answer */
};

static void go_on(struct quest *q, bool reached)
{
	if (reached)
		q->hi = q->next;
	else
		q->lo = q->next + 1;
	bool close = (q->hi - q->lo) / 2 <= q->width;
	q->next = close ? q->lo + (q->hi - q->lo) / 2 : reached ? q->hi - q->width : q->lo + q->width - 1;
	q->width = q->width > INT64_MAX / 4 ? q->width : 2 * q->width;
}

/* The quests of n levels and all channels, quests[i * channels + c] for level levels[i], in rounds: in each, those that
 * are still open look at one point. */
static int look_for(const struct job *j, const int64_t *levels, int64_t n, struct quest *quests)
{
	int64_t channels = j->chain.channels, count = n * channels, rows = n;
	int64_t *points = xcalloc((size_t)count * 3 + (size_t)channels, sizeof *points);
	int64_t *found = points + count, *item = found + count, *open = item + count;
	int result = 0;
	while (result == 0) {
		memset(open, 0, (size_t)channels * sizeof *open);
		rows = 0;
		for (int64_t i = 0; i < count; i++) {
			int64_t c = i % channels, at = open[c] * channels + c;
			if (quests[i].lo >= quests[i].hi)
				continue;
			points[at] = quests[i].next;
			item[at] = i;
			rows = ++open[c] > rows ? open[c] : rows;
		}
		for (int64_t i = 0; i < rows * channels; i++)
			if (i / channels >= open[i % channels])
				points[i] = j->lo;
		if (!rows)
			break;
		result = levels_at(j, points, found, rows);
		for (int64_t i = 0; result == 0 && i < rows * channels; i++)
			if (i / channels < open[i % channels])
				go_on(&quests[item[i]], found[i] > levels[item[i] / channels]);
	}
	free(points);
	return result;
}

/* A point between two, in proportion to the numbers that they stand for. */
static int64_t point_between(const struct job *j, int64_t a, int64_t b, double share)
{
	double x = point_value(j, a), y = point_value(j, b < j->hi ? b : j->hi);
	return point_at_value(j, x + (y - x) * share);
}

/* The quest of one level whose neighbours below and above (-1, steps: none) are known. Where thresholds lie on a line, the
 * guess is off by one at most. */
static struct quest quest_between(const struct job *j, const int64_t *first, int64_t below, int64_t k, int64_t above,
				  int64_t channel)
{
	int64_t channels = j->chain.channels;
	bool between = below >= 0 && above < j->grid.steps;
	struct quest q = { .lo = below < 0 ? j->lo : first[below * channels + channel],
			   .hi = above < j->grid.steps ? first[above * channels + channel] : j->hi + 1,
			   .width = between ? 1 : INT64_MAX / 2 };
	q.next = q.lo + (q.hi - q.lo) / 2;
	if (between && q.lo < q.hi) {
		int64_t guess = point_between(j, q.lo, q.hi, (double)(k - below) / (double)(above - below));
		q.next = guess < q.lo ? q.lo : guess >= q.hi ? q.hi - 1 : guess;
	}
	return q;
}

/* The levels from, from + apart, ... Their neighbours at a distance of the stride are known, and the last level; stride 0:
 * none is. */
static int refine(const struct job *j, int64_t from, int64_t apart, int64_t stride, int64_t *first)
{
	int64_t channels = j->chain.channels, steps = j->grid.steps,
		at_once = chain_points_at_once(&j->chain, POINTS_AT_ONCE, (steps - from + apart - 1) / apart);
	struct quest *quests = xcalloc((size_t)(at_once * channels), sizeof *quests);
	int64_t *levels = xcalloc((size_t)at_once, sizeof *levels);
	int result = 0;
	for (int64_t k = from; k < steps && result == 0;) {
		int64_t n = 0;
		for (; n < at_once && k < steps; k += apart, n++) {
			int64_t below = stride ? k - stride : -1, above = stride ? k + stride : steps;
			if (stride && above >= steps && k + 1 < steps)
				above = steps - 1;
			levels[n] = k;
			for (int64_t c = 0; c < channels; c++)
				quests[n * channels + c] = quest_between(j, first, below, k, above, c);
		}
		result = look_for(j, levels, n, quests);
		for (int64_t i = 0; i < n * channels; i++)
			first[levels[i / channels] * channels + i % channels] = quests[i].lo;
	}
	free(levels);
	free(quests);
	return result;
}

/* Few levels by bisection together. Of many the last one and the first one, then those half-way between known ones. */
int first_points(const struct job *j, int64_t *first)
{
	int64_t steps = j->grid.steps, stride = 1;
	if (steps <= FEW_LEVELS)
		return refine(j, 0, 1, 0, first);
	while (stride < steps)
		stride *= 2;
	int result = refine(j, steps - 1, 1, 0, first);
	if (result == 0)
		result = refine(j, 0, steps, stride, first);
	for (stride /= 2; stride > 0 && result == 0; stride /= 2)
		result = refine(j, stride, 2 * stride, stride, first);
	return result;
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
	int64_t channels = j->chain.channels,
		at_once = chain_points_at_once(&j->chain, POINTS_AT_ONCE, j->hi - j->lo + 1);
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

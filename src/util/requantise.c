/* Lines through thresholds (see requantise.h). A line must reach k + 1 at threshold k and stay below k + 1 just before
 * it: for a given multiplier these are bounds of the offset, and the room between them is concave in the multiplier, so
 * that a search for its maximum finds a line wherever there is one. Only the corners of the thresholds' convex hull can
 * bound the offset. Where there is no line, the one that is furthest on the right side errs least. */
#include "util/requantise.h"
#include "util/memory.h"

#include <stdlib.h>
#include <string.h>

/* Sums at which the line must reach a count, or must not reach it yet; ascending. */
struct corner {
	int64_t x, count;
};

struct corners {
	struct corner *items;
	int64_t n;
};

/* Leaving more out takes longer than it saves. */
enum { LEFT_OUT = 8 };

/* What is searched: a channel's thresholds and their hulls. */
struct search {
	const struct requantise_problem *p;
	struct corners reached, not_reached;
	int shift;
	int64_t most;		    /* the largest multiplier that keeps products within 60 bits */
	int64_t left_out[LEFT_OUT]; /* sums that need not be right: they will be exceptions */
	int n_left_out;
};

/* The first sum of the range at which threshold k counts, and the last at which it does not. */
static int64_t reached_at(const struct requantise_problem *p, int64_t k)
{
	return p->t[k] < p->lo ? p->lo : p->t[k];
}

static int64_t not_reached_at(const struct requantise_problem *p, int64_t k)
{
	return (p->t[k] > p->hi ? p->hi + 1 : p->t[k]) - 1;
}

/* Appends a corner to a hull that lies above its points (sign 1) or below them (sign -1). */
static void add_corner(struct corners *h, struct corner c, int sign)
{
	if (h->n && h->items[h->n - 1].x == c.x) {
		if (sign * (c.count - h->items[h->n - 1].count) <= 0)
			return;
		h->n--;
	}
	while (h->n > 1) {
		struct corner a = h->items[h->n - 2], b = h->items[h->n - 1];
		int64_t turn = (b.x - a.x) * (c.count - a.count) - (b.count - a.count) * (c.x - a.x);
		if (sign * turn < 0)
			break;
		h->n--;
	}
	h->items[h->n++] = c;
}

/* The next sum from x in that direction that is not left out. */
static int64_t kept(const struct search *s, int64_t x, int direction)
{
	for (int i = 0; i < s->n_left_out; i++)
		if (s->left_out[i] == x)
			return kept(s, x + direction, direction);
	return x;
}

static void find_corners(struct search *s)
{
	s->reached.n = s->not_reached.n = 0;
	for (int64_t k = 0; k < s->p->count; k++) {
		struct corner at = { kept(s, reached_at(s->p, k), 1), k + 1 };
		struct corner below = { kept(s, not_reached_at(s->p, k), -1), k + 1 };
		if (at.x <= s->p->hi)
			add_corner(&s->reached, at, 1);
		if (below.x >= s->p->lo)
			add_corner(&s->not_reached, below, -1);
	}
}

/* Bounds of the offset for a multiplier, and the sums that set them. */
struct bounds {
	int64_t least, most, least_x, most_x;
};

static struct bounds bounds_for(const struct search *s, int64_t m)
{
	struct bounds b = { INT64_MIN, INT64_MAX, 0, 0 };
	for (int64_t i = 0; i < s->reached.n; i++) {
		int64_t r = (s->reached.items[i].count << s->shift) - s->reached.items[i].x * m;
		if (r > b.least)
			b = (struct bounds){ r, b.most, s->reached.items[i].x, b.most_x };
	}
	for (int64_t i = 0; i < s->not_reached.n; i++) {
		int64_t r = (s->not_reached.items[i].count << s->shift) - 1 - s->not_reached.items[i].x * m;
		if (r < b.most)
			b = (struct bounds){ b.least, r, b.least_x, s->not_reached.items[i].x };
	}
	return b;
}

/* How much room the offset has; negative: no line with this multiplier is right everywhere. */
static int64_t room(const struct search *s, int64_t m)
{
	struct bounds b = bounds_for(s, m);
	return s->reached.n && s->not_reached.n ? b.most - b.least : INT64_MAX;
}

/* The multiplier with the most room. Room is concave: it is level at its maximum only. */
static int64_t best_multiplier(const struct search *s)
{
	int64_t a = 0, b = s->most;
	while (a < b) {
		int64_t m = a + (b - a) / 2;
		if (room(s, m) < room(s, m + 1))
			a = m + 1;
		else
			b = m;
	}
	return a;
}

static int64_t value_at(const struct requantisation *q, int64_t x)
{
	return x * q->multiplier + q->offset;
}

static int64_t line_at(const struct requantisation *q, int64_t x, int64_t top)
{
	int64_t v = value_at(q, x) >> q->shift;
	return v < 0 ? 0 : v > top ? top : v;
}

/* Whether (x * multiplier + offset) is within `doubt` of a multiple of 2^shift. */
static bool is_doubtful(const struct requantisation *q, int64_t x)
{
	int64_t mask = (INT64_C(1) << q->shift) - 1;
	return ((value_at(q, x) + q->doubt) & mask) < 2 * q->doubt;
}

int64_t requantise_apply(const struct requantisation *q, int64_t x, int64_t top)
{
	int64_t v = line_at(q, x, top);
	for (int i = 0; i < q->n_exceptions && is_doubtful(q, x); i++)
		if (q->exceptions[i].x == x)
			v += q->exceptions[i].correction;
	return v;
}

/* How many thresholds x reaches. */
static int64_t count_at(const struct requantise_problem *p, int64_t x)
{
	int64_t a = 0, b = p->count;
	while (a < b) {
		int64_t k = a + (b - a) / 2;
		if (x >= p->t[k])
			a = k + 1;
		else
			b = k;
	}
	return a;
}

/* Line and thresholds never decrease, so that they differ only between a threshold and where the line reaches its
 * count: from the threshold upwards while the line is below, from just before it downwards while the line has reached
 * it. Lists these sums; false where there are too many, or one that is not within `doubt` of a step. */
static bool list_exceptions(const struct requantise_problem *p, double doubt, struct requantisation *q)
{
	enum { MOST = 1 << 12 };
	int64_t limit = (int64_t)(doubt * (double)(INT64_C(1) << q->shift)), last = INT64_MIN;
	q->n_exceptions = 0;
	q->doubt = 0;
	for (int64_t k = 0; k < p->count; k++) {
		int64_t from = reached_at(p, k), to = from;
		while (from > p->lo && line_at(q, from - 1, p->count) > k)
			if (--from, to - from > MOST)
				return false;
		while (to <= p->hi && line_at(q, to, p->count) < k + 1)
			if (++to - from > MOST)
				return false;
		for (int64_t x = from > last ? from : last + 1; x < to; x++) {
			int64_t v = value_at(q, x), step = INT64_C(1) << q->shift, above = v & (step - 1);
			int64_t far = above < step / 2 ? above + 1 : step - above;
			int64_t wrong = count_at(p, x) - line_at(q, x, p->count);
			if (!wrong)
				continue;
			if (far > limit || q->n_exceptions == MOST)
				return false;
			struct requantise_exception *more =
				memory_try_again(q->exceptions, (size_t)(q->n_exceptions + 1) * sizeof *more);
			if (!more)
				return false;
			q->exceptions = more;
			q->exceptions[q->n_exceptions++] = (struct requantise_exception){ x, wrong };
			q->doubt = far > q->doubt ? far : q->doubt;
			last = x;
		}
	}
	return true;
}

/* Every number of the search stays below 2^62. */
static int64_t most_multiplier(const struct requantise_problem *p)
{
	int64_t reach = -p->lo > p->hi ? -p->lo : p->hi, limit = INT32_MAX;
	return reach > 0 && limit > (INT64_C(1) << 60) / reach ? (INT64_C(1) << 60) / reach : limit;
}

/* Room with one more sum left out. */
static int64_t room_without(struct search *s, int64_t x)
{
	s->left_out[s->n_left_out++] = x;
	find_corners(s);
	int64_t most = room(s, best_multiplier(s));
	s->n_left_out--;
	return most;
}

/* Leaves out one of the two sums that stand against each other: the one without which there is more room. */
static void leave_out(struct search *s, int64_t m)
{
	struct bounds b = bounds_for(s, m);
	int64_t one = room_without(s, b.least_x), other = room_without(s, b.most_x);
	s->left_out[s->n_left_out++] = one >= other ? b.least_x : b.most_x;
	find_corners(s);
}

static bool fit(struct search *s, double doubt, struct requantisation *q)
{
	find_corners(s);
	q->shift = s->shift;
	q->multiplier = best_multiplier(s);
	while (doubt > 0 && s->n_left_out < LEFT_OUT && room(s, q->multiplier) < 0) {
		leave_out(s, q->multiplier);
		q->multiplier = best_multiplier(s);
	}
	struct bounds b = bounds_for(s, q->multiplier);
	bool up = s->reached.n, down = s->not_reached.n;
	q->offset = up && down ? b.least + (b.most - b.least) / 2 : up ? b.least : down ? b.most : 0;
	int64_t first = value_at(q, s->p->lo) >> q->shift, last = value_at(q, s->p->hi) >> q->shift;
	return first >= INT32_MIN && last <= INT32_MAX && list_exceptions(s->p, doubt, q);
}

void requantise_free(struct requantisation *q)
{
	free(q->exceptions);
	q->exceptions = NULL;
	q->n_exceptions = 0;
}

bool requantise_fit(const struct requantise_problem *p, int shift, double doubt, struct requantisation *q)
{
	*q = (struct requantisation){ .shift = shift };
	if (p->lo < INT32_MIN || p->hi > INT32_MAX || p->lo > p->hi || p->count < 1 ||
	    p->count >= INT64_C(1) << (60 - shift))
		return false;
	struct corner *items = memory_try_zeroed((size_t)p->count * 2, sizeof *items);
	if (!items)
		return false;
	struct search s = { .p = p, .shift = shift, .most = most_multiplier(p) };
	s.reached.items = items;
	s.not_reached.items = items + p->count;
	bool found = fit(&s, doubt, q);
	free(items);
	if (!found)
		requantise_free(q);
	return found;
}

/* Every channel with that shift; the one that failed last comes first, so that a shift that does not do is left early. */
static bool all_fit(const struct requantise_problem *p, int64_t n, int shift, double doubt, struct requantisation *q,
		    int64_t *failed)
{
	for (int64_t i = 0; i < n; i++) {
		int64_t c = (*failed + i) % n;
		if (requantise_fit(&p[c], shift, doubt, &q[c]))
			continue;
		for (int64_t j = 0; j < i; j++)
			requantise_free(&q[(*failed + j) % n]);
		*failed = c;
		return false;
	}
	return true;
}

static int bits_of(int64_t n)
{
	int bits = 0;
	for (; n > 0; n >>= 1)
		bits++;
	return bits;
}

bool requantise_channels(const struct requantise_problem *p, int64_t n, double doubt, struct requantisation *q)
{
	enum { SPARE = 14, STEP = 4 };	/* bits beyond those of the distance: enough as a rule */
	int64_t widest = 1, failed = 0; /* from the first threshold to the last */
	for (int64_t i = 0; i < n && p[i].count > 0; i++) {
		int64_t width = p[i].t[p[i].count - 1] - p[i].t[0];
		widest = width > widest ? width : widest;
	}
	int start = bits_of(widest) + SPARE;
	start = start > REQUANTISE_SHIFT ? REQUANTISE_SHIFT : start;
	for (int shift = start; shift <= REQUANTISE_SHIFT; shift += STEP)
		if (all_fit(p, n, shift, doubt, q, &failed))
			return true;
	for (int shift = start - STEP; shift >= 0; shift -= STEP) /* where the multiplier is too large */
		if (all_fit(p, n, shift, doubt, q, &failed))
			return true;
	return false;
}

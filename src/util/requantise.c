/* Lines through thresholds (see requantise.h). A line must reach k + 1 at threshold k and stay below k + 1 just before
 * it: for a given multiplier these are bounds of the offset, and the room between them is concave in the multiplier, so
 * that a search for its maximum finds a line wherever there is one. Only the corners of the thresholds' convex hull can
 * bound the offset. Where there is no line, the thresholds that stand furthest on the wrong side become exceptions. */
#include "util/requantise.h"

#include <stdlib.h>

/* Sums at which the line must reach a count, or must not reach it yet; ascending. */
struct corner {
	int64_t x, count;
};

struct corners {
	struct corner *items;
	int64_t n;
};

/* What is searched: a channel's thresholds, and room for their hulls. */
struct search {
	const struct requantise_problem *p;
	struct corners reached, not_reached;
	int64_t excluded[REQUANTISE_EXCEPTIONS]; /* sums that are exceptions */
	int n_excluded;
	int shift;
	int64_t most; /* the largest multiplier that keeps products within 60 bits */
};

static bool is_excluded(const struct search *s, int64_t x)
{
	for (int i = 0; i < s->n_excluded; i++)
		if (s->excluded[i] == x)
			return true;
	return false;
}

/* The sum from which threshold k counts, and the last one at which it does not; within the range and not excluded. */
static int64_t reached_at(const struct search *s, int64_t k)
{
	int64_t x = s->p->t[k] < s->p->lo ? s->p->lo : s->p->t[k];
	while (is_excluded(s, x))
		x++;
	return x;
}

static int64_t not_reached_at(const struct search *s, int64_t k)
{
	int64_t x = (s->p->t[k] > s->p->hi ? s->p->hi + 1 : s->p->t[k]) - 1;
	while (is_excluded(s, x))
		x--;
	return x;
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

static void find_corners(struct search *s)
{
	s->reached.n = s->not_reached.n = 0;
	for (int64_t k = 0; k < s->p->count; k++) {
		struct corner at = { reached_at(s, k), k + 1 }, below = { not_reached_at(s, k), k + 1 };
		if (at.x <= s->p->hi)
			add_corner(&s->reached, at, 1);
		if (below.x >= s->p->lo)
			add_corner(&s->not_reached, below, -1);
	}
}

/* The bounds of the offset for a multiplier, and the sums that they come from. */
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

/* How much room the offset has; negative: there is no line with this multiplier. */
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

static int64_t line_at(const struct requantisation *q, int64_t x, int64_t top)
{
	int64_t v = x * q->multiplier + q->offset;
	v = v < 0 ? 0 : v >> q->shift;
	return v > top ? top : v;
}

int64_t requantise_apply(const struct requantisation *q, int64_t x, int64_t top)
{
	int64_t v = line_at(q, x, top);
	for (int i = 0; i < q->n_exceptions; i++)
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

static int by_sum(const void *a, const void *b)
{
	const struct requantise_exception *x = a, *y = b;
	return (x->x > y->x) - (x->x < y->x);
}

static void set_exceptions(const struct search *s, struct requantisation *q)
{
	q->n_exceptions = 0;
	for (int i = 0; i < s->n_excluded; i++) {
		int64_t x = s->excluded[i], wrong = count_at(s->p, x) - line_at(q, x, s->p->count);
		if (wrong)
			q->exceptions[q->n_exceptions++] = (struct requantise_exception){ x, wrong };
	}
	qsort(q->exceptions, (size_t)q->n_exceptions, sizeof *q->exceptions, by_sum);
}

/* Line and thresholds never decrease: where the line is right at both sides of each threshold, next to the sums that are
 * exceptions, it is right everywhere; and the exceptions are right by what they are. */
static bool proven(const struct search *s, const struct requantisation *q)
{
	for (int64_t k = 0; k < s->p->count; k++) {
		int64_t at = reached_at(s, k), below = not_reached_at(s, k);
		if (at <= s->p->hi && line_at(q, at, s->p->count) < k + 1)
			return false;
		if (below >= s->p->lo && line_at(q, below, s->p->count) > k)
			return false;
	}
	for (int i = 0; i < s->n_excluded; i++)
		if (requantise_apply(q, s->excluded[i], s->p->count) != count_at(s->p, s->excluded[i]))
			return false;
	return true;
}

/* Room with one more sum left out. */
static int64_t room_without(struct search *s, int64_t x)
{
	s->excluded[s->n_excluded++] = x;
	find_corners(s);
	int64_t most = room(s, best_multiplier(s));
	s->n_excluded--;
	return most;
}

static void exclude(struct search *s, struct bounds b)
{
	int64_t one = room_without(s, b.least_x), other = room_without(s, b.most_x);
	s->excluded[s->n_excluded++] = one >= other ? b.least_x : b.most_x;
	find_corners(s);
}

static bool fit(struct search *s, int exceptions, struct requantisation *q)
{
	s->n_excluded = 0;
	find_corners(s);
	for (;;) {
		q->shift = s->shift;
		q->multiplier = best_multiplier(s);
		struct bounds b = bounds_for(s, q->multiplier);
		bool least = s->reached.n, most = s->not_reached.n;
		q->offset = least && most ? b.least + (b.most - b.least) / 2 : least ? b.least : most ? b.most : 0;
		if (!least || !most || b.most >= b.least) {
			set_exceptions(s, q);
			return proven(s, q);
		}
		if (s->n_excluded == exceptions)
			return false;
		exclude(s, b);
	}
}

/* Every number of the search stays below 2^62. */
static int64_t most_multiplier(const struct requantise_problem *p)
{
	int64_t reach = -p->lo > p->hi ? -p->lo : p->hi, limit = INT32_MAX;
	return reach > 0 && limit > (INT64_C(1) << 60) / reach ? (INT64_C(1) << 60) / reach : limit;
}

bool requantise_fit(const struct requantise_problem *p, int shift, int exceptions, struct requantisation *q)
{
	if (p->lo < INT32_MIN || p->hi > INT32_MAX || p->lo > p->hi || p->count < 1 ||
	    p->count >= INT64_C(1) << (60 - shift))
		return false;
	struct corner *room = calloc((size_t)p->count * 2, sizeof *room);
	struct search s = { .p = p, .shift = shift, .most = most_multiplier(p) };
	s.reached.items = room;
	s.not_reached.items = room + p->count;
	bool found = room && fit(&s, exceptions, q);
	free(room);
	return found;
}

/* Every channel with that shift; the one that failed last comes first, so that a shift that does not do is left early. */
static bool all_fit(const struct requantise_problem *p, int64_t n, int shift, int exceptions, struct requantisation *q,
		    int64_t *failed)
{
	for (int64_t i = 0; i < n; i++) {
		int64_t c = (*failed + i) % n;
		if (!requantise_fit(&p[c], shift, exceptions, &q[c])) {
			*failed = c;
			return false;
		}
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

bool requantise_channels(const struct requantise_problem *p, int64_t n, int exceptions, struct requantisation *q)
{
	enum { SPARE = 6, STEP = 4 }; /* bits beyond those of the range: enough as a rule */
	int64_t widest = 1, failed = 0;
	for (int64_t i = 0; i < n; i++)
		widest = p[i].hi - p[i].lo > widest ? p[i].hi - p[i].lo : widest;
	int start = bits_of(widest) + SPARE;
	start = start > REQUANTISE_SHIFT ? REQUANTISE_SHIFT : start;
	for (int shift = start; shift <= REQUANTISE_SHIFT; shift += STEP)
		if (all_fit(p, n, shift, exceptions, q, &failed))
			return true;
	for (int shift = start - STEP; shift >= 0; shift -= STEP) /* where the multiplier is too large */
		if (all_fit(p, n, shift, exceptions, q, &failed))
			return true;
	return false;
}

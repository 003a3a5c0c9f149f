/* How many thresholds a number reaches: a table where the number is narrow; where the thresholds repeat with a power of two,
 * the upper bits of the number and a table of the lower ones; few thresholds as comparisons; else bit by bit from the top,
 * each compared with a threshold that the bits above it choose. */
#include "backends/verilog/unrolled/activate.h"

#include <stdlib.h>

#include "util/integers.h"

enum { TABLE_BITS = 8, PERIOD_BITS = 10, MOST_PERIOD = 3, FEW = 4 };

/* Whether threshold j + 2^period is always 2^width above threshold j. */
static bool repeats(const struct activation *a, int period, int *width)
{
	int64_t n = INT64_C(1) << period, distance = a->steps > n ? a->thresholds[n] - a->thresholds[0] : 0;
	if (distance <= 0 || distance & (distance - 1))
		return false;
	for (int64_t j = 0; j + n < a->steps; j++)
		if (a->thresholds[j + n] - a->thresholds[j] != distance)
			return false;
	for (*width = 0; INT64_C(1) << *width < distance;)
		++*width;
	return true;
}

/* The number then counts from where the code is 0, and something more that is a multiple of all codes together, so that it is
 * not negative: see `repeating`. */
static int64_t zero_point(const struct activation *a)
{
	return a->thresholds[(INT64_C(1) << a->period) - 1] - (INT64_C(1) << a->width);
}

void activation_plan(struct activation *a)
{
	a->period = a->width = 0;
	a->offset = 0;
	if (a->steps <= 2 * FEW || ((a->steps + 1) & a->steps) || !((a->hi - a->lo) >> TABLE_BITS))
		return;
	for (int period = 0; period <= MOST_PERIOD; period++) {
		int width;
		if (!repeats(a, period, &width) || (period && width > PERIOD_BITS))
			continue;
		a->period = period;
		a->width = width;
		a->offset = -zero_point(a);
		while (a->lo + a->offset < 0)
			a->offset += (a->steps + 1) >> period << width;
		return;
	}
}

/* ---- tables ---- */

struct lookup {
	const struct activation *a;
	int64_t offset;
	uint64_t first, mask; /* the inputs stand for first + in, of which `mask` is returned from `shift` on */
};

static uint64_t count_reached(const struct activation *a, int64_t x)
{
	uint64_t count = 0;
	for (int64_t j = 0; j < a->steps; j++)
		count += x >= a->thresholds[j];
	return count;
}

static uint64_t reached(const void *user, uint64_t in)
{
	const struct lookup *l = user;
	return count_reached(l->a, (int64_t)(l->first + in) - l->offset) & l->mask;
}

static void as_table(struct netlist *n, const struct activation *a, struct net_number x, lit *out, int bits)
{
	struct lookup l = { a, x.offset, 0, UINT64_MAX };
	netlist_table(n, x.bits, x.n, reached, &l, out, bits);
}

/* ---- thresholds that repeat ---- */

struct top {
	uint64_t middle; /* the upper bits that belong to codes; below: 0, above: all ones */
};

/* Inputs: a bit of the code, then the upper bits. */
static uint64_t clip(const void *user, uint64_t in)
{
	const struct top *t = user;
	uint64_t upper = in >> 1;
	return upper < t->middle ? 0 : upper > t->middle ? 1 : in & 1;
}

/* The upper bits alone: below, above. */
static uint64_t sides(const void *user, uint64_t in)
{
	const struct top *t = user;
	return (in < t->middle) | (uint64_t)(in > t->middle) << 1;
}

static uint64_t between(const void *user, uint64_t in)
{
	(void)user;
	return in & 4 ? 1 : in & 2 ? 0 : in & 1;
}

static void clip_bits(struct netlist *n, const struct top *t, const lit *upper, int n_upper, lit *out, int bits)
{
	lit both[2], in[8];
	if (n_upper > 5)
		netlist_table(n, upper, n_upper, sides, t, both, 2);
	for (int k = 0; k < bits; k++) {
		in[0] = out[k];
		if (n_upper > 5) {
			in[1] = both[0];
			in[2] = both[1];
			netlist_table(n, in, 3, between, NULL, &out[k], 1);
			continue;
		}
		for (int i = 0; i < n_upper; i++)
			in[1 + i] = upper[i];
		netlist_table(n, in, 1 + n_upper, clip, t, &out[k], 1);
	}
}

static void repeating(struct netlist *n, const struct activation *a, struct net_number x, lit *out, int bits)
{
	int code_bits = bits - a->period, n_upper = x.n - a->width - code_bits;
	int64_t codes = (a->steps + 1) >> a->period << a->width, zero = zero_point(a);
	struct lookup l = { a, 0, (uint64_t)zero, (UINT64_C(1) << a->period) - 1 };
	struct top t = { (uint64_t)((x.offset + zero) / codes) };
	lit low[CHAIN_COLUMNS];
	for (int k = 0; k < a->width + code_bits; k++)
		low[k] = k < x.n ? x.bits[k] : LIT_0;
	if (a->period)
		netlist_table(n, low, a->width, reached, &l, out, a->period);
	for (int k = 0; k < code_bits; k++)
		out[a->period + k] = low[a->width + k];
	if (n_upper > 0)
		clip_bits(n, &t, x.bits + a->width + code_bits, n_upper, out, bits);
}

/* ---- comparisons ---- */

static void constant_bits(int64_t c, lit *out, int n)
{
	for (int k = 0; k < n; k++)
		out[k] = c >> k & 1 ? LIT_1 : LIT_0;
}

static lit compare(struct netlist *n, struct net_number x, int64_t threshold)
{
	lit t[CHAIN_COLUMNS];
	int64_t c = threshold + x.offset;
	if (c <= 0)
		return LIT_1;
	if (c >> x.n)
		return LIT_0;
	constant_bits(c, t, x.n);
	return netlist_at_least(n, x.bits, t, x.n);
}

static uint64_t ones(const void *user, uint64_t in)
{
	uint64_t count = 0;
	(void)user;
	for (; in; in >>= 1)
		count += in & 1;
	return count;
}

static void few(struct netlist *n, const struct activation *a, struct net_number x, lit *out, int bits)
{
	lit reached_each[FEW];
	for (int64_t j = 0; j < a->steps; j++)
		reached_each[j] = compare(n, x, a->thresholds[j]);
	netlist_table(n, reached_each, (int)a->steps, ones, NULL, out, bits);
}

/* ---- bit by bit ---- */

struct choice {
	const struct activation *a;
	int64_t offset;
	int bits, below; /* of the code; those below the one that is sought, itself included */
	int width;
};

/* The threshold at which the next bit of the code is set, where the bits above it are `in`; beyond the last one: more than
 * any number has. */
static uint64_t chosen(const void *user, uint64_t in)
{
	const struct choice *c = user;
	int64_t j = (int64_t)((in << c->below) | UINT64_C(1) << (c->below - 1)) - 1;
	int64_t most = (INT64_C(1) << c->width) - 1;
	if (j >= c->a->steps)
		return (uint64_t)most;
	int64_t t = c->a->thresholds[j] + c->offset;
	return (uint64_t)(t < 0 ? 0 : t > most ? most : t);
}

static void one_by_one(struct netlist *n, const struct activation *a, struct net_number x, lit *out, int bits)
{
	lit wide[CHAIN_COLUMNS], threshold[CHAIN_COLUMNS];
	for (int k = 0; k <= x.n; k++)
		wide[k] = k < x.n ? x.bits[k] : LIT_0;
	for (int below = bits; below > 0; below--) {
		struct choice c = { a, x.offset, bits, below, x.n + 1 };
		netlist_table(n, out + below, bits - below, chosen, &c, threshold, x.n + 1);
		out[below - 1] = netlist_at_least(n, wide, threshold, x.n + 1);
	}
}

void activation_count(struct netlist *n, const struct activation *a, struct net_number x, lit *out, int bits)
{
	if (a->width)
		repeating(n, a, x, out, bits);
	else if (x.n <= TABLE_BITS)
		as_table(n, a, x, out, bits);
	else if (a->steps <= FEW)
		few(n, a, x, out, bits);
	else
		one_by_one(n, a, x, out, bits);
}

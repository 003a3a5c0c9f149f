/* Compression of a heap of bits by chains (netlist.h), until a column holds one bit. */
#include "backends/verilog/unrolled/heap.h"

#include <string.h>

#include "util/vec.h"

void heap_free(struct heap *h)
{
	for (int i = 0; i < CHAIN_COLUMNS; i++)
		vec_free(&h->columns[i]);
}

static void push(struct heap *h, int column, lit x)
{
	if (x != LIT_0 && column < CHAIN_COLUMNS)
		vec_push(&h->columns[column], x);
}

/* -(sum of bits) is the sum of the inverse bits less the largest number. */
void heap_add(struct heap *h, struct net_number x, int shift, bool negative)
{
	for (int k = 0; k < x.n; k++) {
		if (x.bits[k] == LIT_0)
			continue;
		push(h, k + shift, negative ? lit_not(x.bits[k]) : x.bits[k]);
		if (negative)
			h->constant -= INT64_C(1) << (k + shift);
	}
	h->constant += (negative ? x.offset : -x.offset) * (INT64_C(1) << shift);
}

void heap_put_constant(struct heap *h, int64_t c)
{
	for (int k = 0; k < CHAIN_COLUMNS - 1; k++)
		if (c >> k & 1)
			push(h, k, LIT_1);
}

/* ---- taking bits ---- */

/* What a round of compression may still use: the first `left[c]` bits of each column. */
struct round {
	struct heap *h;
	struct netlist *n;
	int left[CHAIN_COLUMNS];
	int columns;
};

/* Removes one of the usable bits: the earliest, or (plain) the earliest that is no inverse if there is one. */
static lit take(struct round *r, int column, bool plain)
{
	struct heap_column *c = &r->h->columns[column];
	int best = 0;
	for (int i = 1; i < r->left[column]; i++) {
		int a = netlist_level(r->n, c->items[i]) + (plain && c->items[i] & 1 ? 1000 : 0);
		int b = netlist_level(r->n, c->items[best]) + (plain && c->items[best] & 1 ? 1000 : 0);
		if (a < b)
			best = i;
	}
	lit x = c->items[best];
	r->left[column]--;
	c->count--;
	memmove(c->items + best, c->items + best + 1, (c->count - (size_t)best) * sizeof *c->items);
	return x;
}

static int left(const struct round *r, int column)
{
	return column < r->columns ? r->left[column] : 0;
}

/* ---- groups ---- */

struct shape {
	int here, next, columns; /* literals of this and the next column, binary digits of their sum */
};

/* In this order: most literals a column first. */
static const struct shape shapes[] = { { 5, 0, 3 }, { 3, 2, 3 }, { 3, 0, 2 }, { 1, 3, 3 }, { 2, 2, 3 },
				       { 4, 0, 3 }, { 1, 1, 2 }, { 2, 0, 2 }, { 1, 0, 1 } };
enum { GOOD_SHAPES = 6, SHAPES = sizeof shapes / sizeof *shapes };

/* The best group at that column where the next columns each keep a bit to be used as it is. */
static const struct shape *find_shape(const struct round *r, int column, int most)
{
	for (int i = 0; i < most; i++) {
		const struct shape *s = &shapes[i];
		int next = left(r, column + 1) - (s->next ? 1 : 0);
		if (left(r, column) >= s->here && next >= s->next)
			return s;
	}
	return NULL;
}

/* How many of the columns after the first have a bit that is used as it is. */
static int raw_bits(const struct round *r, int column, const struct shape *s)
{
	int raw = 0;
	for (int k = 1; k < s->columns; k++)
		raw += left(r, column + k) > (k == 1 ? s->next : 0);
	return raw;
}

static void add_group(struct round *r, struct net_chain *c, int start, int column, const struct shape *s)
{
	struct chain_group *g = &c->groups[c->n_groups++];
	g->column = column - start;
	g->columns = s->columns;
	for (int k = 0; k < s->here + s->next; k++) {
		g->next[g->n] = k >= s->here;
		g->in[g->n++] = take(r, column + (k >= s->here), false);
	}
}

/* ---- chains ---- */

static void put_chain(struct round *r, const struct net_chain *c, int start)
{
	lit out[CHAIN_COLUMNS + 1];
	netlist_chain(r->n, c, out);
	int64_t most = c->carry != LIT_0;
	for (int k = 0; k < c->columns && k < 40; k++)
		most += (int64_t)(c->raw[k] != LIT_0) << k;
	for (int i = 0; i < c->n_groups; i++)
		for (int k = 0; k < c->groups[i].n; k++)
			most += INT64_C(1) << (c->groups[i].column + c->groups[i].next[k]);
	for (int k = 0; k <= c->columns && start + k < r->columns; k++)
		if (most >> k)
			push(r->h, start + k, out[k]);
}

/* A chain of good groups, each with bits used as they are in all (or, `poor`, in some) of its columns. False: none there. */
static bool good_chain(struct round *r, int start, bool poor)
{
	struct net_chain c = { 0 };
	int column = start;
	if (left(r, start) < 4)
		return false;
	while (column + 3 < CHAIN_COLUMNS) {
		r->left[column]--; /* the one that is used as it is */
		const struct shape *s = r->left[column] >= 0 ? find_shape(r, column, GOOD_SHAPES) : NULL;
		bool fits =
			s && column + s->columns <= r->columns && (poor || raw_bits(r, column, s) == s->columns - 1);
		r->left[column]++;
		if (!fits)
			break;
		c.raw[column - start] = take(r, column, true);
		add_group(r, &c, start, column, s);
		for (int k = 1; k < s->columns; k++)
			c.raw[column - start + k] = left(r, column + k) ? take(r, column + k, true) : LIT_0;
		column += s->columns;
		if (poor)
			break;
	}
	if (column == start)
		return false;
	c.columns = column - start;
	c.carry = left(r, start) ? take(r, start, true) : LIT_0;
	put_chain(r, &c, start);
	return true;
}

/* Whether a column from that one up holds anything. */
static bool any_from(const struct round *r, int column)
{
	for (; column < r->columns; column++)
		if (left(r, column))
			return true;
	return false;
}

/* A chain from that column up that takes two bits of each column, three of the first, as far as there are two. */
static void plain_chain(struct round *r, int start, bool last)
{
	struct net_chain c = { 0 };
	int column = start;
	c.carry = left(r, start) > 2 ? take(r, start, true) : LIT_0;
	for (; column < r->columns && ((last && any_from(r, column)) || left(r, column) >= 2); column++) {
		/* An inverse alone goes through the table, which costs nothing. */
		if (left(r, column) > 1 || (left(r, column) && !(r->h->columns[column].items[0] & 1)))
			c.raw[column - start] = take(r, column, true);
		if (left(r, column))
			add_group(r, &c, start, column, &shapes[SHAPES - 1]);
	}
	c.columns = column - start;
	put_chain(r, &c, start);
}

/* The first column that holds more than one bit; -1: none. */
static int first_full(const struct round *r)
{
	for (int c = 0; c < r->columns; c++)
		if (r->h->columns[c].count > 1)
			return c;
	return -1;
}

/* Whether one chain from that column up finishes the heap. */
static bool one_is_enough(const struct round *r, int start)
{
	for (int c = start; c < r->columns; c++)
		if (r->h->columns[c].count > (c == start ? 3 : 2))
			return false;
	return true;
}

static void compress(struct round *r, bool first)
{
	int start = first_full(r), done = 0;
	for (int c = 0; c < r->columns; c++)
		r->left[c] = (int)r->h->columns[c].count;
	if (one_is_enough(r, start)) {
		plain_chain(r, start, true);
		return;
	}
	for (int c = start; !first && c < r->columns; c++)
		while (good_chain(r, c, false))
			done++;
	for (int c = start; !done && c < r->columns; c++)
		for (int k = left(r, c) / 13 + 1; k > 0 && good_chain(r, c, true); k--)
			done++;
	if (!done)
		plain_chain(r, start, false);
}

struct net_number heap_sum(struct heap *h, struct netlist *n, int n_bits)
{
	struct round r = { .h = h, .n = n, .columns = n_bits };
	struct net_number sum = { arena_array(&n->arena, lit, n_bits + 1), n_bits, 0 };
	for (bool first = true; first_full(&r) >= 0; first = false)
		compress(&r, first);
	for (int k = 0; k < n_bits; k++)
		sum.bits[k] = h->columns[k].count ? h->columns[k].items[0] : LIT_0;
	return sum;
}

/* Common parts of sums. */
#include "backends/verilog/unrolled/share.h"

#include <stdlib.h>
#include <string.h>

#include "util/integers.h"
#include "util/vec.h"

/* LUTs that removing a bit from a heap takes (heap.c), about. */
#define LUTS_A_BIT 0.65

static int signal_bits(const struct share *s, int32_t signal)
{
	return signal < s->n_inputs ? s->inputs[signal].bits : s->rows.items[signal - s->n_inputs].bits;
}

/* LUTs of a sum of so many bits that has that many. */
static double sum_cost(int bits, int result)
{
	double compressed = LUTS_A_BIT * (bits - result);
	return compressed > result ? compressed : result;
}

/* ---- rows ---- */

static int by_signal(const void *a, const void *b)
{
	const struct share_digit *x = a, *y = b;
	return x->signal != y->signal ? (x->signal < y->signal ? -1 : 1) : x->shift - y->shift;
}

static void set_range(const struct share *s, struct share_row *r)
{
	uint64_t steps = 0;
	r->lo = r->hi = 0;
	for (int32_t i = 0; i < s->n_inputs; i++) {
		steps |= (uint64_t)r->form[i] << s->inputs[i].shift;
		int64_t a = r->form[i] * s->inputs[i].lo, b = r->form[i] * s->inputs[i].hi;
		r->lo += a < b ? a : b;
		r->hi += a < b ? b : a;
	}
	r->bits = bits_of_unsigned(r->hi - r->lo);
	for (; r->bits > 0 && !(steps & 1); steps >>= 1)
		r->bits--;
	r->changed = true;
}

static struct share_row *new_row(struct share *s)
{
	struct share_row r = { .form = arena_array(&s->arena, int64_t, s->n_inputs + 1) };
	vec_push(&s->rows, r);
	return &s->rows.items[s->rows.count - 1];
}

void share_init(struct share *s, const struct share_input *inputs, int32_t n_inputs)
{
	*s = (struct share){ .n_inputs = n_inputs, .inputs = inputs };
	arena_init(&s->arena);
}

/* The digits of c in canonical signed-digit form: no two neighbours. */
static void add_digits(struct share_row *r, int32_t signal, int64_t c)
{
	for (int16_t shift = 0; c; shift++, c /= 2)
		if (c & 1) {
			bool negative = (c & 3) == 3;
			struct share_digit digit = { signal, shift, negative };
			vec_push(r, digit);
			c += negative ? 1 : -1;
		}
}

void share_add_row(struct share *s, const int64_t *coefficients)
{
	struct share_row *r = new_row(s);
	for (int32_t i = 0; i < s->n_inputs; i++) {
		r->form[i] = coefficients[i];
		add_digits(r, i, coefficients[i]);
	}
	set_range(s, r);
}

void share_free(struct share *s)
{
	for (size_t i = 0; i < s->rows.count; i++)
		vec_free(&s->rows.items[i]);
	vec_free(&s->rows);
	arena_free(&s->arena);
}

static int row_bits(const struct share *s, const struct share_row *r)
{
	int bits = 0;
	for (size_t i = 0; i < r->count; i++)
		bits += signal_bits(s, r->items[i].signal);
	return bits;
}

static void sort_row(struct share_row *r)
{
	qsort(r->items, r->count, sizeof *r->items, by_signal);
	r->changed = true;
}

/* The sum over inputs that the digits of a row make. */
static void compute_form(struct share *s, struct share_row *r)
{
	memset(r->form, 0, (size_t)s->n_inputs * sizeof *r->form);
	for (size_t i = 0; i < r->count; i++) {
		const struct share_digit *d = &r->items[i];
		int64_t factor = (d->negative ? -1 : 1) * (INT64_C(1) << d->shift);
		if (d->signal < s->n_inputs)
			r->form[d->signal] += factor;
		else
			for (int32_t k = 0; k < s->n_inputs; k++)
				r->form[k] += factor * s->rows.items[d->signal - s->n_inputs].form[k];
	}
	set_range(s, r);
}

/* ---- what two rows have in common ---- */

struct overlap {
	int bits[2], count[2]; /* in digits of the same sign, of opposite signs */
};

static struct overlap overlap_of(const struct share *s, const struct share_row *a, const struct share_row *b)
{
	struct overlap o = { { 0, 0 }, { 0, 0 } };
	for (size_t i = 0, k = 0; i < a->count && k < b->count;) {
		int order = by_signal(&a->items[i], &b->items[k]);
		if (!order) {
			int opposite = a->items[i].negative != b->items[k].negative;
			o.bits[opposite] += signal_bits(s, a->items[i].signal);
			o.count[opposite]++;
		}
		i += order <= 0;
		k += order >= 0;
	}
	return o;
}

enum move_kind { MOVE_NONE, MOVE_EXTRACT, MOVE_DERIVE, MOVE_PAIR };

struct move {
	enum move_kind kind;
	double gain;
	size_t a, b; /* rows: MOVE_DERIVE makes a of b */
	bool opposite;
	struct share_digit first, second; /* MOVE_PAIR: the second relative to the first */
};

static bool depends(const struct share *s, size_t row, size_t on)
{
	const struct share_row *r = &s->rows.items[row];
	if (row == on)
		return true;
	for (size_t i = 0; i < r->count; i++)
		if (r->items[i].signal >= s->n_inputs && depends(s, (size_t)(r->items[i].signal - s->n_inputs), on))
			return true;
	return false;
}

static void consider(struct move *best, struct move m)
{
	if (m.gain > best->gain)
		*best = m;
}

/* The digits of a that are not in b with that sign, and those of b that are not in a, which change sign; one that has the
 * other sign in b counts twice. */
static int difference_bits(const struct share *s, const struct share_row *a, const struct share_row *b, bool opposite,
			   const struct overlap *o)
{
	return row_bits(s, a) + row_bits(s, b) - 2 * o->bits[opposite] - o->bits[!opposite];
}

static void consider_rows(const struct share *s, size_t a, size_t b, struct move *best)
{
	const struct share_row *x = &s->rows.items[a], *y = &s->rows.items[b];
	struct overlap o = overlap_of(s, x, y);
	int bits_a = row_bits(s, x), bits_b = row_bits(s, y);
	for (int opposite = 0; opposite < 2; opposite++) {
		int common = o.bits[opposite],
		    result = bits_of_unsigned((INT64_C(1) << (common < 40 ? common : 40)) - 1);
		if (o.count[opposite] < 2)
			continue;
		/* A common sum of n one-bit digits has about log2(n + 1) bits. */
		int widest = x->bits < y->bits ? x->bits : y->bits;
		result = result < widest ? result : widest;
		double saved = LUTS_A_BIT * 2 * (common - result);
		consider(best,
			 (struct move){ MOVE_EXTRACT, saved - sum_cost(common, result), a, b, opposite, { 0 }, { 0 } });
		int rest = difference_bits(s, x, y, opposite, &o);
		double from_b = LUTS_A_BIT * (bits_a - y->bits - rest), from_a = LUTS_A_BIT * (bits_b - x->bits - rest);
		if (from_b > best->gain && !depends(s, b, a))
			consider(best, (struct move){ MOVE_DERIVE, from_b, a, b, opposite, { 0 }, { 0 } });
		if (from_a > best->gain && !depends(s, a, b))
			consider(best, (struct move){ MOVE_DERIVE, from_a, b, a, opposite, { 0 }, { 0 } });
	}
}

/* ---- doing it ---- */

/* Removes from a and b what they share, into the row `to`, where it has the sign that it has in a. */
static void extract(struct share *s, const struct move *m)
{
	new_row(s);
	struct share_row *a = &s->rows.items[m->a], *b = &s->rows.items[m->b], *c = &s->rows.items[s->rows.count - 1];
	int32_t signal = s->n_inputs + (int32_t)s->rows.count - 1;
	size_t rest_a = 0, rest_b = 0, i = 0, k = 0;
	while (i < a->count || k < b->count) {
		int order = i == a->count ? 1 : k == b->count ? -1 : by_signal(&a->items[i], &b->items[k]);
		if (!order && (a->items[i].negative != b->items[k].negative) == m->opposite) {
			vec_push(c, a->items[i]);
			i++;
			k++;
			continue;
		}
		if (order <= 0)
			a->items[rest_a++] = a->items[i++];
		if (order >= 0)
			b->items[rest_b++] = b->items[k++];
	}
	a->count = rest_a;
	b->count = rest_b;
	struct share_digit in_a = { signal, 0, false }, in_b = { signal, 0, m->opposite };
	vec_push(a, in_a);
	vec_push(b, in_b);
	sort_row(a);
	sort_row(b);
	compute_form(s, c);
}

/* a = b + (a - b), or -b + (a + b) where they are opposite. */
static void derive(struct share *s, const struct move *m)
{
	struct share_row *a = &s->rows.items[m->a], *b = &s->rows.items[m->b], rest = *a;
	rest.items = NULL;
	rest.count = rest.capacity = 0;
	size_t i = 0, k = 0;
	while (i < a->count || k < b->count) {
		int order = i == a->count ? 1 : k == b->count ? -1 : by_signal(&a->items[i], &b->items[k]);
		bool cancel = !order && (a->items[i].negative != b->items[k].negative) == m->opposite;
		if (order < 0 || (!order && !cancel)) {
			struct share_digit digit = a->items[i];
			digit.shift = (int16_t)(digit.shift + !order);
			vec_push(&rest, digit);
		} else if (order > 0) {
			struct share_digit digit = b->items[k];
			digit.negative = digit.negative == m->opposite;
			vec_push(&rest, digit);
		}
		i += order <= 0;
		k += order >= 0;
	}
	struct share_digit whole = { s->n_inputs + (int32_t)m->b, 0, m->opposite };
	vec_push(&rest, whole);
	free(a->items);
	*a = rest;
	sort_row(a);
}

/* ---- two signals in many rows ---- */

struct pair {
	uint64_t key; /* signals, relative shift and sign */
	int32_t count;
};

struct pairs {
	struct pair *items;
	size_t size, used;
};

static uint64_t pair_key(const struct share_digit *a, const struct share_digit *b)
{
	return (uint64_t)a->signal << 40 | (uint64_t)b->signal << 16 | (uint64_t)(b->shift - a->shift + 64) << 1 |
	       (a->negative != b->negative);
}

static struct pair *find_pair(struct pairs *p, uint64_t key)
{
	size_t at = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (p->size - 1);
	while (p->items[at].count && p->items[at].key != key)
		at = (at + 1) & (p->size - 1);
	return &p->items[at];
}

static void grow(struct pairs *p)
{
	struct pairs old = *p;
	p->size = old.size ? 2 * old.size : 1024;
	p->items = xcalloc(p->size, sizeof *p->items);
	for (size_t i = 0; i < old.size; i++)
		if (old.items[i].count)
			*find_pair(p, old.items[i].key) = old.items[i];
	free(old.items);
}

/* Bits of a + 2^shift b. */
static int pair_bits(int a, int b, int shift)
{
	int top = a > b + shift ? a : b + shift;
	return top - (shift < 0 ? shift : 0) + 1;
}

static double pair_gain(const struct share *s, const struct share_digit *a, const struct share_digit *b, int count)
{
	int x = signal_bits(s, a->signal), y = signal_bits(s, b->signal), shift = b->shift - a->shift;
	int result = pair_bits(x, y, shift), adder = result - (shift < 0 ? -shift : shift) - 1;
	return LUTS_A_BIT * count * (x + y - result) - adder;
}

static void consider_pairs(const struct share *s, struct move *best)
{
	struct pairs p = { 0 };
	for (size_t r = 0; r < s->rows.count; r++) {
		const struct share_row *row = &s->rows.items[r];
		for (size_t i = 0; i < row->count; i++)
			for (size_t k = i + 1; k < row->count; k++) {
				const struct share_digit *a = &row->items[i], *b = &row->items[k];
				/* One pair of bits has two. */
				if (a->signal == b->signal || signal_bits(s, a->signal) + signal_bits(s, b->signal) < 4)
					continue;
				if (2 * p.used >= p.size)
					grow(&p);
				struct pair *at = find_pair(&p, pair_key(a, b));
				p.used += !at->count++;
				at->key = pair_key(a, b);
				consider(best,
					 (struct move){ MOVE_PAIR, at->count > 1 ? pair_gain(s, a, b, at->count) : -1,
							0, 0, false, *a, *b });
			}
	}
	free(p.items);
}

static void replace_pair(struct share *s, const struct move *m)
{
	uint64_t key = pair_key(&m->first, &m->second);
	int16_t base = m->second.shift < m->first.shift ? (int16_t)(m->first.shift - m->second.shift) : 0;
	int32_t signal = s->n_inputs + (int32_t)s->rows.count;
	for (size_t r = 0; r < s->rows.count; r++) {
		struct share_row *row = &s->rows.items[r];
		bool sort = false;
		for (size_t i = 0; i < row->count; i++)
			for (size_t k = i + 1; k < row->count; k++) {
				struct share_digit a = row->items[i], b = row->items[k];
				if (a.signal == signal || b.signal == signal || pair_key(&a, &b) != key)
					continue;
				row->items[i] = (struct share_digit){ signal, (int16_t)(a.shift - base), a.negative };
				row->items[k] = row->items[--row->count];
				/* Later digits are unsorted from here on; pairs are looked for in order. */
				qsort(row->items + i + 1, row->count - i - 1, sizeof *row->items, by_signal);
				sort = true;
				break;
			}
		if (sort)
			sort_row(row);
	}
	struct share_row *row = new_row(s);
	struct share_digit a = { m->first.signal, base, false };
	struct share_digit b = { m->second.signal, (int16_t)(base + m->second.shift - m->first.shift),
				 m->first.negative != m->second.negative };
	vec_push(row, a);
	vec_push(row, b);
	sort_row(row);
	compute_form(s, row);
}

/* ---- all of it ---- */

static struct move find_move(const struct share *s, struct move *cached, size_t capacity)
{
	struct move best = { .gain = 1 };
	for (size_t a = 0; a < s->rows.count; a++)
		for (size_t b = a + 1; b < s->rows.count; b++) {
			struct move *m = &cached[a * capacity + b];
			if (s->rows.items[a].changed || s->rows.items[b].changed || m->kind == MOVE_DERIVE) {
				*m = (struct move){ .gain = 1 };
				consider_rows(s, a, b, m);
			}
			consider(&best, *m);
		}
	for (size_t a = 0; a < s->rows.count; a++)
		s->rows.items[a].changed = false;
	consider_pairs(s, &best);
	return best;
}

void share_run(struct share *s)
{
	size_t capacity = 2 * s->rows.count + 512;
	struct move *cached = xcalloc(capacity * capacity, sizeof *cached);
	while (s->rows.count < capacity) {
		struct move m = find_move(s, cached, capacity);
		if (m.kind == MOVE_NONE)
			break;
		if (m.kind == MOVE_EXTRACT)
			extract(s, &m);
		else if (m.kind == MOVE_DERIVE)
			derive(s, &m);
		else
			replace_pair(s, &m);
	}
	free(cached);
}

/* Truth tables. */
#include "backends/verilog/unrolled/tables.h"

#include <assert.h>

static bool varies(lit x)
{
	return x >> 1 != 0;
}

int table_bits(const struct table_term *terms, size_t count)
{
	int bits = 0;
	for (size_t i = 0; i < count; i++)
		for (int k = 0; terms[i].weight && k < terms[i].x->n; k++)
			bits += varies(terms[i].x->bits[k]);
	return bits;
}

void table_add_range(const struct table_term *terms, size_t count, int64_t *lo, int64_t *hi)
{
	for (size_t i = 0; i < count; i++) {
		int64_t a = terms[i].weight * terms[i].lo, b = terms[i].weight * terms[i].hi;
		*lo += a < b ? a : b;
		*hi += a < b ? b : a;
	}
}

struct neuron {
	const struct table_term *terms;
	size_t count;
	int64_t constant;
	const struct activation *a;
};

/* The term's number where the next of the bits `in` are its own, which are taken away. */
static int64_t number_of(const struct table_term *t, uint64_t *in)
{
	int64_t x = -t->x->offset;
	for (int k = 0; k < t->x->n; k++) {
		lit bit = t->x->bits[k];
		bool set = bit == LIT_1;
		if (varies(bit)) {
			set = (*in & 1) != (uint64_t)(bit & 1);
			*in >>= 1;
		}
		x += set ? INT64_C(1) << k : 0;
	}
	return x < t->lo ? t->lo : x > t->hi ? t->hi : x;
}

static uint64_t reached(const void *user, uint64_t in)
{
	const struct neuron *n = user;
	int64_t sum = n->constant;
	uint64_t steps = 0;
	for (size_t i = 0; i < n->count; i++)
		if (n->terms[i].weight)
			sum += n->terms[i].weight * number_of(&n->terms[i], &in);
	for (int64_t j = 0; j < n->a->steps; j++)
		steps += sum >= n->a->thresholds[j];
	return steps;
}

void table_count(struct netlist *n, const struct table_term *terms, size_t count, int64_t constant,
		 const struct activation *a, lit *out, int bits)
{
	struct neuron neuron = { terms, count, constant, a };
	lit in[TABLE_BITS];
	int n_in = 0;
	assert(table_bits(terms, count) <= TABLE_BITS);
	for (size_t i = 0; i < count; i++)
		for (int k = 0; terms[i].weight && k < terms[i].x->n; k++)
			if (varies(terms[i].x->bits[k]))
				in[n_in++] = terms[i].x->bits[k] & ~1;
	netlist_table(n, in, n_in, reached, &neuron, out, bits);
}

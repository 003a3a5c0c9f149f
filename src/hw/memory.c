/* Packing weights, thresholds, constants and tables into words; see memory.h for their order. */
#include "hw/memory.h"

#include <math.h>
#include <stdlib.h>

#include "hw/kind.h"
#include "util/integers.h"

uint64_t hw_code(struct datatype t, double x)
{
	int bits = datatype_bits(t);
	if (t.kind == DT_BIPOLAR)
		return x > 0;
	return (uint64_t)saturated_int64(x) & (bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1);
}

int64_t hw_source_rows(const struct hw_layer *l, const struct hw_memory *m, int64_t bank, int64_t word, int64_t element)
{
	int64_t row = m->count == m->elements ? 0 : word * l->now.pe + bank;
	return row * m->elements + element;
}

const char *hw_memory_name(const struct hw_memory *m)
{
	static const char *const names[] = { "weights", "thresholds", "constants", "table" };
	return names[m->role];
}

/* The datatype, if none was given, from the constant; a diagnostic where a number is not in it. Thresholds are compared with
 * integers and are as good rounded up. */
static int check_numbers(const struct hw_layer *l, struct hw_memory *m, const struct tensor *t, struct diags *d)
{
	double lo, hi;
	bool integral = m->role == HW_THRESHOLDS || tensor_is_integral(t);
	tensor_min_max(t, &lo, &hi);
	if (m->role == HW_THRESHOLDS) {
		lo = ceil(lo);
		hi = ceil(hi);
	}
	integral = integral && fabs(lo) <= 0x1p53 && fabs(hi) <= 0x1p53;
	if (integral && m->type.kind == DT_NONE)
		m->type = datatype_for_bounds(lo, hi);
	m->bits = datatype_bits(m->type);
	if (integral) {
		m->lo = (int64_t)lo;
		m->hi = (int64_t)hi;
	}
	char name[DATATYPE_NAME_SIZE];
	if (!integral || !datatype_allows(m->type, lo) || !datatype_allows(m->type, hi))
		return diag_node_error(d, l->node, "correct the datatype in its attributes",
				       "its %s are from %g to %g, which %s does not hold", hw_memory_name(m), lo, hi,
				       datatype_name(m->type, name));
	return 0;
}

static void pack_word(const struct hw_layer *l, const struct hw_memory *m, const struct tensor *t, int64_t bank,
		      int64_t word)
{
	uint64_t *chunks = m->data + (bank * m->words + word) * m->chunks;
	for (int64_t e = 0; e < m->elements; e++) {
		double x = tensor_at(t, m->source(l, m, bank, word, e));
		uint64_t code = hw_code(m->type, m->role == HW_THRESHOLDS ? ceil(x) : x);
		int64_t at = e * m->bits, low = at % 64;
		chunks[at / 64] |= code << low;
		if (low + m->bits > 64)
			chunks[at / 64 + 1] |= code >> (64 - low);
	}
}

static int pack(const struct hw_layer *l, struct hw_memory *m, struct diags *d)
{
	const struct value *v = node_input(l->node, m->input);
	if (!value_is_constant(v))
		return diag_node_error(d, l->node, NULL, "its weights or thresholds are no constants");
	m->count = v->constant->count;
	int64_t all = m->banks * m->words * m->elements;
	bool shared = m->source == hw_source_rows && m->count == m->elements; /* one row for all channels */
	if (m->count != all && !shared)
		return diag_node_error(d, l->node, NULL, "has %lld %s; its attributes ask for %lld",
				       (long long)m->count, hw_memory_name(m), (long long)all);
	if (check_numbers(l, m, v->constant, d) != 0)
		return -1;
	m->chunks = ceil_div(hw_memory_width(m), 64);
	m->data = xcalloc((size_t)(m->banks * m->words * m->chunks), sizeof *m->data);
	for (int64_t bank = 0; bank < m->banks; bank++)
		for (int64_t word = 0; word < m->words; word++)
			pack_word(l, m, v->constant, bank, word);
	return 0;
}

int hw_memories(const struct hw_layer *l, struct hw_memory out[HW_MEMORIES], struct diags *d)
{
	for (size_t i = 0; i < HW_MEMORIES; i++)
		out[i] = (struct hw_memory){ 0 };
	size_t count = l->kind->memories ? l->kind->memories(l, out) : 0;
	for (size_t i = 0; i < count; i++)
		if (pack(l, &out[i], d) != 0) {
			for (size_t k = 0; k < i; k++)
				hw_memory_free(&out[k]);
			return -1;
		}
	return (int)count;
}

void hw_memory_free(struct hw_memory *m)
{
	free(m->data);
	m->data = NULL;
}

int64_t hw_memory_at(const struct hw_memory *m, int64_t bank, int64_t word, int64_t element)
{
	const uint64_t *chunks = hw_memory_word(m, bank, word);
	int64_t at = element * m->bits, low = at % 64;
	uint64_t code = chunks[at / 64] >> low;
	if (low + m->bits > 64)
		code |= chunks[at / 64 + 1] << (64 - low);
	if (m->type.kind == DT_BIPOLAR)
		return code & 1 ? 1 : -1;
	if (m->bits >= 64)
		return (int64_t)code;
	code &= (UINT64_C(1) << m->bits) - 1;
	bool negative = datatype_is_signed(m->type) && code >> (m->bits - 1);
	return negative ? (int64_t)(code | ~((UINT64_C(1) << m->bits) - 1)) : (int64_t)code;
}

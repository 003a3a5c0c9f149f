/* Tensors as text: integers in as few bits as their range takes, in base64. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backends/html/html.h"
#include "util/base64.h"
#include "util/vec.h"

enum { SMALL = 16384, MOST_BITS = 32 };

void page_tensors_free(struct page_tensors *p)
{
	map_free(&p->numbers);
	vec_free(&p->texts);
	arena_free(&p->arena);
}

/* 0: not integers, or of more than 32 bits. */
static unsigned bits_of(const struct tensor *t, double *lo)
{
	double hi;
	*lo = 0;
	if (t->count == 0 || !tensor_is_integral(t))
		return 0;
	tensor_min_max(t, lo, &hi);
	unsigned bits = 1;
	while (bits < MOST_BITS && hi - *lo >= ldexp(1, (int)bits))
		bits++;
	return fabs(*lo) < 0x1p53 && hi - *lo < ldexp(1, (int)bits) ? bits : 0;
}

static void pack(const struct tensor *t, unsigned bits, double lo, unsigned char *bytes)
{
	uint64_t word = 0;
	unsigned filled = 0;
	for (int64_t i = 0; i < t->count; i++) {
		word |= (uint64_t)(tensor_at(t, i) - lo) << filled;
		for (filled += bits; filled >= 8; filled -= 8, word >>= 8)
			*bytes++ = (unsigned char)word;
	}
	if (filled)
		*bytes = (unsigned char)word;
}

static void put_integers(struct strbuf *b, const struct tensor *t, unsigned bits, double lo)
{
	size_t size = ((size_t)t->count * bits + 7) / 8;
	unsigned char *bytes = xcalloc(size + 1, 1);
	pack(t, bits, lo, bytes);
	strbuf_printf(b, "[%u,%.17g,\"", bits, lo);
	base64_add(b, bytes, size);
	strbuf_puts(b, "\"]");
	free(bytes);
}

/* Least significant byte first on every machine. */
static void put_floats(struct strbuf *b, const struct tensor *t)
{
	unsigned char *bytes = xcalloc((size_t)t->count + 1, sizeof(float));
	for (int64_t i = 0; i < t->count; i++) {
		float x = (float)tensor_at(t, i);
		uint32_t word;
		memcpy(&word, &x, sizeof word);
		for (int k = 0; k < 4; k++)
			bytes[4 * i + k] = (unsigned char)(word >> 8 * k);
	}
	strbuf_puts(b, "[0,0,\"");
	base64_add(b, bytes, (size_t)t->count * sizeof(float));
	strbuf_puts(b, "\"]");
	free(bytes);
}

/* NULL: no numbers. malloc'd. */
static char *text_of(const struct tensor *t)
{
	struct strbuf b = { 0 };
	double lo;
	if (t->elem == ELEM_STRING)
		return NULL;
	unsigned bits = bits_of(t, &lo);
	if (bits)
		put_integers(&b, t, bits, lo);
	else
		put_floats(&b, t);
	return b.text;
}

static int64_t known_number(const struct page_tensors *p, const char *text)
{
	return (int64_t)(uintptr_t)map_get(&p->numbers, text) - 1;
}

int64_t page_tensor(struct page_tensors *p, const struct tensor *t)
{
	char *text = text_of(t);
	int64_t number = text ? known_number(p, text) : -1;
	if (text && number < 0) {
		const char *kept = arena_strdup(&p->arena, text);
		vec_push(&p->texts, kept);
		map_set(&p->numbers, kept, (void *)(uintptr_t)p->texts.count);
		number = (int64_t)p->texts.count - 1;
	}
	free(text);
	return number;
}

void page_tensors_print(const struct page_tensors *p, struct strbuf *out)
{
	strbuf_puts(out, "[");
	for (size_t i = 0; i < p->texts.count; i++) {
		strbuf_puts(out, i ? ",\n" : "\n");
		strbuf_puts(out, p->texts.items[i]);
	}
	strbuf_puts(out, "]");
}

/* Large ones only where they are there already. */
static int64_t number_to_show(struct page_tensors *p, const struct tensor *t)
{
	if (t->count <= SMALL)
		return page_tensor(p, t);
	char *text = text_of(t);
	int64_t number = text ? known_number(p, text) : -1;
	free(text);
	return number;
}

void page_constants_print(const struct graph *g, struct page_tensors *p, struct strbuf *out)
{
	const char *separator = "";
	strbuf_puts(out, "{");
	graph_for_each_value (g, v) {
		int64_t number = value_is_constant(v) && v->uses ? number_to_show(p, v->constant) : -1;
		if (number < 0)
			continue;
		strbuf_printf(out, "%s\"%" PRIu32 "\":%" PRId64, separator, v->id, number);
		separator = ",";
	}
	strbuf_puts(out, "}");
}

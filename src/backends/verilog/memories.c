/* Memories of layers as files for $readmemh. */
#include "backends/verilog/verilog.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/file.h"
#include "util/integers.h"

int verilog_index_bits(int64_t n)
{
	int bits = 1;
	while (bits < 62 && INT64_C(1) << bits < n)
		bits++;
	return bits;
}

int verilog_signed_bits(int64_t lo, int64_t hi)
{
	int bits = 1;
	while (bits < 63 && (lo < -(INT64_C(1) << (bits - 1)) || hi >= INT64_C(1) << (bits - 1)))
		bits++;
	return bits;
}

/* ---- writing ---- */

/* A word that grows from its lowest bit. */
struct word {
	uint64_t *chunks;
	int64_t at, width;
};

static void put(struct word *w, uint64_t code, int bits)
{
	int64_t low = w->at % 64;
	if (bits < 64)
		code &= (UINT64_C(1) << bits) - 1;
	w->chunks[w->at / 64] |= code << low;
	if (low + bits > 64)
		w->chunks[w->at / 64 + 1] |= code >> (64 - low);
	w->at += bits;
}

static void print_word(struct word *w, struct strbuf *b)
{
	for (int64_t digit = ceil_div(w->width, 4) - 1; digit >= 0; digit--)
		strbuf_char(b, "0123456789abcdef"[w->chunks[digit / 16] >> (digit % 16 * 4) & 15]);
	strbuf_char(b, '\n');
	memset(w->chunks, 0, (size_t)(w->width / 64 + 2) * sizeof *w->chunks);
	w->at = 0;
}

static void write_file(struct verilog_writer *w, const struct design_layer *layer, const char *what, struct strbuf *b)
{
	struct strbuf path = { 0 };
	strbuf_printf(&path, "%s/layer%zu_%s.hex", w->dir ? w->dir : "", (size_t)(layer - w->p->design.layers), what);
	if (w->dir && file_write(path.text, strbuf_text(b), b->length, w->d) != 0)
		w->failed = true;
	strbuf_free(&path);
	strbuf_free(b);
}

static struct word new_word(int64_t width)
{
	return (struct word){ xcalloc((size_t)(width / 64 + 2), sizeof(uint64_t)), 0, width };
}

void verilog_write_memory(struct verilog_writer *w, const struct design_layer *layer, const struct hw_memory *m)
{
	struct strbuf b = { 0 };
	struct word word = new_word(m->banks * hw_memory_width(m));
	for (int64_t i = 0; w->dir && i < m->words; i++) {
		for (int64_t bank = 0; bank < m->banks; bank++)
			for (int64_t e = 0; e < m->elements; e++)
				put(&word, hw_code(m->type, (double)hw_memory_at(m, bank, i, e)), m->bits);
		print_word(&word, &b);
	}
	free(word.chunks);
	write_file(w, layer, hw_memory_name(m), &b);
}

/* ---- sums and thresholds ---- */

/* Words of weights that belong to one output of a bank. */
static int64_t words_of_output(const struct hw_layer *l, const struct hw_memory *weights)
{
	return weights->words / (l->mh / l->now.pe);
}

/* The sum of the weights of that output. */
static int64_t weight_sum(const struct hw_layer *l, const struct hw_memory *weights, int64_t bank, int64_t output)
{
	int64_t sum = 0, words = words_of_output(l, weights);
	for (int64_t i = output * words; i < (output + 1) * words; i++)
		for (int64_t e = 0; e < weights->elements; e++)
			sum += hw_memory_at(weights, bank, i, e);
	return sum;
}

static void add_product(int64_t weight, int64_t x_lo, int64_t x_hi, int64_t *lo, int64_t *hi)
{
	int64_t a = weight * x_lo, b = weight * x_hi;
	*lo += a < b ? a : b;
	*hi += a < b ? b : a;
}

struct verilog_sums verilog_matvec_sums(const struct hw_layer *l, const struct hw_memory *weights)
{
	struct datatype x = hw_datatype(l->node, "inputDataType");
	struct verilog_sums s = { 0 };
	if (hw_counts_bits(l->node)) {
		s.hi = l->mw;
		s.bits = verilog_signed_bits(0, s.hi + 1);
		return s;
	}
	s.halved = x.kind == DT_BIPOLAR && l->steps;
	int64_t x_lo = s.halved ? 0 : datatype_int_min(x), x_hi = s.halved ? 1 : datatype_int_max(x);
	int64_t words = words_of_output(l, weights);
	for (int64_t bank = 0; bank < weights->banks; bank++)
		for (int64_t output = 0; output < weights->words / words; output++) {
			int64_t lo = 0, hi = 0;
			for (int64_t i = output * words; i < (output + 1) * words; i++)
				for (int64_t e = 0; e < weights->elements; e++)
					add_product(hw_memory_at(weights, bank, i, e), x_lo, x_hi, &lo, &hi);
			s.lo = lo < s.lo ? lo : s.lo;
			s.hi = hi > s.hi ? hi : s.hi;
		}
	s.bits = verilog_signed_bits(s.lo, s.hi + 1);
	return s;
}

void verilog_write_thresholds(struct verilog_writer *w, const struct design_layer *layer, const struct hw_memory *m,
			      const struct hw_memory *weights, const struct verilog_sums *s)
{
	struct strbuf b = { 0 };
	struct word word = new_word(m->banks * m->elements * s->bits);
	for (int64_t i = 0; w->dir && i < m->words; i++) {
		for (int64_t bank = 0; bank < m->banks; bank++) {
			int64_t sum = s->halved ? weight_sum(&layer->l, weights, bank, i) : 0;
			for (int64_t e = 0; e < m->elements; e++) {
				int64_t t = hw_memory_at(m, bank, i, e);
				if (s->halved) /* rounded up, also where it is negative */
					t = (t + sum + 1) >> 1;
				t = t < s->lo ? s->lo : t > s->hi ? s->hi + 1 : t;
				put(&word, (uint64_t)t, s->bits);
			}
		}
		print_word(&word, &b);
	}
	free(word.chunks);
	write_file(w, layer, hw_memory_name(m), &b);
}

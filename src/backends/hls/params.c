/* params.h and thresh.h: the memories of all layers (hw/memory.h) as aligned constant tables. */
#include "backends/hls/hls.h"

#include <inttypes.h>

/* The native integer that holds all numbers of the memory. */
static const char *native_type(const struct hw_memory *m)
{
	if (m->lo >= INT8_MIN && m->hi <= INT8_MAX)
		return "int8_t";
	if (m->lo >= INT16_MIN && m->hi <= INT16_MAX)
		return "int16_t";
	return m->lo >= INT32_MIN && m->hi <= INT32_MAX ? "int32_t" : "int64_t";
}

static void emit_chunks(const struct hw_memory *m, int64_t bank, int64_t word, struct strbuf *b)
{
	const uint64_t *chunks = hw_memory_word(m, bank, word);
	strbuf_puts(b, "{");
	for (int64_t i = 0; i < m->chunks; i++)
		strbuf_printf(b, "%s0x%" PRIx64, i ? "," : "", chunks[i]);
	strbuf_puts(b, word % 8 == 7 ? "},\n" : "},");
}

static void emit_weights(const struct design_layer *layer, const struct hw_memory *m, struct strbuf *b)
{
	strbuf_printf(b, "alignas(64) static const qcc::Weights<%lld, %lld, %lld> %s_weights = {{\n",
		      (long long)m->banks, (long long)m->words, (long long)m->chunks, layer->name);
	for (int64_t bank = 0; bank < m->banks; bank++) {
		strbuf_puts(b, "{");
		for (int64_t word = 0; word < m->words; word++)
			emit_chunks(m, bank, word, b);
		strbuf_puts(b, "},\n");
	}
	strbuf_puts(b, "}};\n\n");
}

/* A word's elements as numbers. */
static void emit_numbers(const struct hw_memory *m, int64_t bank, int64_t word, struct strbuf *b)
{
	for (int64_t e = 0; e < m->elements; e++)
		strbuf_printf(b, "%s%lld", e ? "," : "", (long long)hw_memory_at(m, bank, word, e));
}

/* [bank][word][element]; an only element without braces of its own. */
static void emit_banks(const struct hw_memory *m, struct strbuf *b)
{
	bool nested = m->role != HW_CONSTANTS;
	for (int64_t bank = 0; bank < m->banks; bank++) {
		strbuf_puts(b, "{");
		for (int64_t word = 0; word < m->words; word++) {
			strbuf_puts(b, nested ? "{" : "");
			emit_numbers(m, bank, word, b);
			strbuf_puts(b, nested ? "}," : ",");
			strbuf_puts(b, word % 8 == 7 ? "\n" : "");
		}
		strbuf_puts(b, "},\n");
	}
	strbuf_puts(b, "}};\n\n");
}

static void emit_thresholds(const struct design_layer *layer, const struct hw_memory *m, struct strbuf *b)
{
	const struct node *n = layer->l.node;
	struct datatype out = hw_datatype(n, "outputDataType");
	char element[40];
	strbuf_printf(b,
		      "alignas(64) static const qcc::Thresholds<%s, %lld, %lld, %lld, %s, %lld> %s_activation = {{\n",
		      native_type(m), (long long)m->banks, (long long)m->words, (long long)m->elements,
		      hls_element(out, element),
		      (long long)(out.kind == DT_BIPOLAR ? 0 : node_attr_int(n, "ActVal", 0)), layer->name);
	emit_banks(m, b);
}

static void emit_constants(const struct design_layer *layer, const struct hw_memory *m, struct strbuf *b)
{
	strbuf_printf(b, "alignas(64) static const qcc::Constants<%s, %lld, %lld> %s_constants = {{\n", native_type(m),
		      (long long)m->banks, (long long)m->words, layer->name);
	emit_banks(m, b);
}

static void emit_table(const struct design_layer *layer, const struct hw_memory *m, struct strbuf *b)
{
	strbuf_printf(b, "alignas(64) static const %s %s_table[%lld][%lld] = {\n", native_type(m), layer->name,
		      (long long)m->words, (long long)m->elements);
	for (int64_t word = 0; word < m->words; word++) {
		strbuf_puts(b, "{");
		emit_numbers(m, 0, word, b);
		strbuf_puts(b, "},\n");
	}
	strbuf_puts(b, "};\n\n");
}

static int emit_layer(const struct design_layer *layer, struct strbuf *params, struct strbuf *thresholds,
		      struct diags *d)
{
	struct hw_memory memories[HW_MEMORIES];
	int count = hw_memories(&layer->l, memories, d);
	for (int i = 0; i < count; i++) {
		struct hw_memory *m = &memories[i];
		switch (m->role) {
		case HW_WEIGHTS: emit_weights(layer, m, params); break;
		case HW_THRESHOLDS: emit_thresholds(layer, m, thresholds); break;
		case HW_CONSTANTS: emit_constants(layer, m, params); break;
		case HW_TABLE: emit_table(layer, m, params); break;
		}
		hw_memory_free(m);
	}
	return count < 0 ? -1 : 0;
}

int hls_emit_params(const struct hls_design *p, struct strbuf *params, struct strbuf *thresholds, struct diags *d)
{
	strbuf_puts(
		params,
		"/* Weights: [PE][word][64-bit chunks], a word holding SIMD weights, the first in its lowest bits. */\n"
		"#include \"qcc_layers.h\"\n\n");
	strbuf_puts(thresholds, "/* Thresholds: [PE][fold][step], ascending. */\n#include \"qcc_layers.h\"\n\n");
	for (size_t i = 0; i < p->design.n_layers; i++)
		if (emit_layer(&p->design.layers[i], params, thresholds, d) != 0)
			return -1;
	return 0;
}

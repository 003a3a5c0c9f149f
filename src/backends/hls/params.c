/* params.h and thresh.h: weights, constants and thresholds as aligned constant tables in the order in which the
 * layers read them. Rows are dealt out to PEs in turn (output o: PE o % PE, fold o / PE), as FINN does. */
#include "backends/hls/hls.h"

#include <inttypes.h>
#include <stdlib.h>

#include "util/arena.h"

/* Weight of output row o at input k. */
static double weight_at(const struct hw_layer *l, const struct tensor *t, int64_t o, int64_t k)
{
	return tensor_at(t, l->kind == HW_VVAU ? o * l->mw + k : k * l->mh + o);
}

static struct datatype weight_type(const struct hw_layer *l)
{
	if (node_attr_int(l->node, "binaryXnorMode", 0))
		return datatype_of_kind(DT_BIPOLAR);
	return hw_datatype(l->node, "weightDataType");
}

static void pack_word(const struct hw_layer *l, const struct tensor *t, int64_t row, int64_t from, uint64_t *chunks)
{
	struct datatype type = weight_type(l);
	bool binary = node_attr_int(l->node, "binaryXnorMode", 0) != 0;
	for (int64_t s = 0; s < l->now.simd; s++) {
		double x = weight_at(l, t, row, from + s);
		uint64_t code = hls_code(type, binary ? 2 * x - 1 : x);
		int64_t at = s * l->weight_bits, low = at % 64;
		chunks[at / 64] |= code << low;
		if (low + l->weight_bits > 64)
			chunks[at / 64 + 1] |= code >> (64 - low);
	}
}

static void emit_weights(const struct hls_layer *layer, struct strbuf *b)
{
	const struct hw_layer *l = &layer->l;
	const struct tensor *t = node_input(l->node, 1)->constant;
	int64_t chunks = ceil_div(l->now.simd * l->weight_bits, 64), sf = l->mw / l->now.simd, nf = l->mh / l->now.pe;
	uint64_t *word = xcalloc((size_t)chunks, sizeof *word);
	strbuf_printf(b, "alignas(64) static const qcc::Weights<%lld, %lld, %lld> %s_weights = {{\n",
		      (long long)l->now.pe, (long long)(sf * nf), (long long)chunks, layer->name);
	for (int64_t pe = 0; pe < l->now.pe; pe++) {
		strbuf_puts(b, "{");
		for (int64_t tile = 0; tile < sf * nf; tile++) {
			for (int64_t i = 0; i < chunks; i++)
				word[i] = 0;
			pack_word(l, t, tile / sf * l->now.pe + pe, tile % sf * l->now.simd, word);
			strbuf_puts(b, "{");
			for (int64_t i = 0; i < chunks; i++)
				strbuf_printf(b, "%s0x%" PRIx64, i ? "," : "", word[i]);
			strbuf_puts(b, tile % 8 == 7 ? "},\n" : "},");
		}
		strbuf_puts(b, "},\n");
	}
	strbuf_puts(b, "}};\n\n");
	free(word);
}

/* The native integer that holds lo..hi. */
static const char *native_type(double lo, double hi)
{
	if (lo >= -128 && hi <= 127)
		return "int8_t";
	if (lo >= -32768 && hi <= 32767)
		return "int16_t";
	return lo >= -2147483648.0 && hi <= 2147483647.0 ? "int32_t" : "int64_t";
}

/* Rows [channels or 1][steps] as [PE][fold][steps]. */
static void emit_rows(const struct hw_layer *l, const struct tensor *t, int64_t steps, struct strbuf *b)
{
	int64_t rows = t->count / steps;
	for (int64_t pe = 0; pe < l->now.pe; pe++) {
		strbuf_puts(b, "{");
		for (int64_t f = 0; f < l->mh / l->now.pe; f++) {
			int64_t row = rows == 1 ? 0 : f * l->now.pe + pe;
			if (l->kind != HW_CHANNELWISE)
				strbuf_puts(b, "{");
			for (int64_t s = 0; s < steps; s++)
				strbuf_printf(b, "%s%lld", s ? "," : "", (long long)tensor_at(t, row * steps + s));
			strbuf_puts(b, l->kind == HW_CHANNELWISE ? "," : "},");
			if (f % 8 == 7)
				strbuf_puts(b, "\n");
		}
		strbuf_puts(b, "},\n");
	}
}

static void emit_thresholds(const struct hls_layer *layer, const struct value *v, struct strbuf *b)
{
	const struct hw_layer *l = &layer->l;
	char element[40];
	double lo, hi;
	int64_t steps = v->dims[1];
	bool bipolar = hw_datatype(l->node, "outputDataType").kind == DT_BIPOLAR;
	tensor_min_max(v->constant, &lo, &hi);
	strbuf_printf(b,
		      "alignas(64) static const qcc::Thresholds<%s, %lld, %lld, %lld, %s, %lld> %s_activation = {{\n",
		      native_type(lo, hi), (long long)l->now.pe, (long long)(l->mh / l->now.pe), (long long)steps,
		      hls_element(hw_datatype(l->node, "outputDataType"), element),
		      (long long)(bipolar ? 0 : node_attr_int(l->node, "ActVal", 0)), layer->name);
	emit_rows(l, v->constant, steps, b);
	strbuf_puts(b, "}};\n\n");
}

static void emit_constants(const struct hls_layer *layer, const struct value *v, struct strbuf *b)
{
	double lo, hi;
	const struct hw_layer *l = &layer->l;
	tensor_min_max(v->constant, &lo, &hi);
	strbuf_printf(b, "alignas(64) static const qcc::Constants<%s, %lld, %lld> %s_constants = {{\n",
		      native_type(lo, hi), (long long)l->now.pe, (long long)(l->mh / l->now.pe), layer->name);
	emit_rows(l, v->constant, 1, b);
	strbuf_puts(b, "}};\n\n");
}

static void emit_table(const struct hls_layer *layer, const struct value *v, struct strbuf *b)
{
	double lo, hi;
	tensor_min_max(v->constant, &lo, &hi);
	strbuf_printf(b, "alignas(64) static const %s %s_table[%lld][%lld] = {\n", native_type(lo, hi), layer->name,
		      (long long)v->dims[0], (long long)v->dims[1]);
	for (int64_t i = 0; i < v->constant->count; i++)
		strbuf_printf(b, "%s%lld%s", i % v->dims[1] ? "," : "{", (long long)tensor_at(v->constant, i),
			      (i + 1) % v->dims[1] ? "" : "},\n");
	strbuf_puts(b, "};\n\n");
}

static int emit_layer(const struct hls_layer *layer, struct strbuf *params, struct strbuf *thresholds, struct diags *d)
{
	enum hw_kind kind = layer->l.kind;
	bool matvec = kind == HW_MVAU || kind == HW_VVAU;
	if (!matvec && kind != HW_THRESHOLDING && kind != HW_CHANNELWISE && kind != HW_LOOKUP)
		return 0;
	const struct value *v = node_input(layer->l.node, 1), *t = matvec ? node_input(layer->l.node, 2) : v;
	if (!value_is_constant(v) || (matvec && layer->l.steps && !value_is_constant(t)))
		return diag_node_error(d, layer->l.node, NULL, "its weights or thresholds are no constants");
	if (matvec)
		emit_weights(layer, params);
	if ((matvec && layer->l.steps) || kind == HW_THRESHOLDING)
		emit_thresholds(layer, t, thresholds);
	if (kind == HW_CHANNELWISE)
		emit_constants(layer, v, params);
	if (kind == HW_LOOKUP)
		emit_table(layer, v, params);
	return 0;
}

int hls_emit_params(const struct hls_plan *p, struct strbuf *params, struct strbuf *thresholds, struct diags *d)
{
	strbuf_puts(
		params,
		"/* Weights: [PE][word][64-bit chunks], a word holding SIMD weights, the first in its lowest bits. */\n"
		"#include \"qcc_layers.h\"\n\n");
	strbuf_puts(thresholds, "/* Thresholds: [PE][fold][step], ascending. */\n#include \"qcc_layers.h\"\n\n");
	for (size_t i = 0; i < p->n_layers; i++)
		if (emit_layer(&p->layers[i], params, thresholds, d) != 0)
			return -1;
	return 0;
}

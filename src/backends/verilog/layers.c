/* An instance of a module for each layer, its parameters from the layer. */
#include "backends/verilog/verilog.h"

#include <string.h>

#include "hw/kind.h"
#include "ops/op.h"
#include "util/identifier.h"

/* Kinds of elements in the modules (qcc_number.v). */
static int64_t kind_of(struct datatype t)
{
	return t.kind == DT_BIPOLAR ? 2 : datatype_is_signed(t) ? 1 : 0;
}

static const struct design_stream *input(const struct verilog_writer *w, const struct design_layer *layer, size_t i)
{
	return &w->p->design.streams[layer->in[i]];
}

static const struct design_stream *output(const struct verilog_writer *w, const struct design_layer *layer, size_t i)
{
	return &w->p->design.streams[layer->out[i]];
}

/* ---- instances ---- */

static void open_instance(struct verilog_writer *w, const char *module)
{
	strbuf_printf(w->b, "\t%s #(", module);
}

static void separate(struct verilog_writer *w)
{
	if (w->b->text[w->b->length - 1] != '(')
		strbuf_puts(w->b, ", ");
}

void verilog_param(struct verilog_writer *w, const char *name, int64_t value)
{
	separate(w);
	strbuf_printf(w->b, ".%s(%lld)", name, (long long)value);
}

static void file_param(struct verilog_writer *w, const struct design_layer *layer, const char *name, const char *what)
{
	separate(w);
	strbuf_printf(w->b, ".%s(\"layer%zu_%s.hex\")", name, (size_t)(layer - w->p->design.layers), what);
}

static void name_instance(struct verilog_writer *w, const struct design_layer *layer)
{
	strbuf_printf(w->b, ") layer_%s (\n\t\t.clock(clock), .reset(reset)", layer->name);
}

static void connect(struct verilog_writer *w, const char *port, char side, size_t stream)
{
	strbuf_printf(w->b, ",\n\t\t.%s_data(%c%zu_data), .%s_valid(%c%zu_valid), .%s_ready(%c%zu_ready)", port, side,
		      stream, port, side, stream, port, side, stream);
}

/* Closes the parameters and connects all streams: ports in or in0, in1, ...; out. */
static void close_instance(struct verilog_writer *w, const struct design_layer *layer)
{
	char port[24];
	name_instance(w, layer);
	for (size_t i = 0; i < layer->n_in; i++) {
		snprintf(port, sizeof port, layer->n_in > 1 ? "in%zu" : "in", i);
		connect(w, port, 'r', layer->in[i]);
	}
	connect(w, "out", 'w', layer->out[0]);
	strbuf_puts(w->b, ");\n");
}

/* ---- sums and thresholds ---- */

static void emit_mvau(struct verilog_writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	struct hw_memory m[HW_MEMORIES];
	int count = hw_memories(l, m, w->d);
	if (count < 0) {
		w->failed = true;
		return;
	}
	struct verilog_sums sums = verilog_matvec_sums(l, &m[0]);
	bool depthwise = l->node->op == &op_VVAU, binary = node_attr_int(l->node, "binaryXnorMode", 0) != 0;
	int64_t sf = l->mw / l->now.simd, nf = l->mh / l->now.pe;
	struct datatype out = hw_datatype(l->node, "outputDataType");
	open_instance(w, "qcc_mvau");
	verilog_param(w, "SF", sf);
	verilog_param(w, "NF", nf);
	verilog_param(w, "PE", l->now.pe);
	verilog_param(w, "SIMD", l->now.simd);
	verilog_param(w, "DEPTHWISE", depthwise);
	verilog_param(w, "X_BITS", l->in_bits);
	verilog_param(w, "X_KIND", sums.halved ? 0 : binary ? 2 : kind_of(hw_datatype(l->node, "inputDataType")));
	verilog_param(w, "W_BITS", l->weight_bits);
	verilog_param(w, "W_KIND", binary ? 2 : kind_of(hw_datatype(l->node, "weightDataType")));
	verilog_param(w, "COUNT", hw_counts_bits(l->node));
	verilog_param(w, "BITS", sums.bits);
	verilog_param(w, "STEPS", count > 1 ? m[1].elements : 0);
	verilog_param(w, "OUT_BITS", l->out_bits);
	verilog_param(w, "OUT_KIND", kind_of(out));
	verilog_param(w, "BASE", out.kind == DT_BIPOLAR ? 0 : node_attr_int(l->node, "ActVal", 0));
	verilog_param(w, "SF_BITS", verilog_index_bits(sf));
	verilog_param(w, "NF_BITS", verilog_index_bits(nf));
	verilog_param(w, "ADDRESS_BITS", verilog_index_bits(sf * nf));
	verilog_param(w, "IN_WIDTH", hw_width(input(w, layer, 0)->words));
	file_param(w, layer, "WEIGHTS", "weights");
	verilog_write_memory(w, layer, &m[0]);
	if (count > 1) {
		file_param(w, layer, "THRESHOLDS", "thresholds");
		verilog_write_thresholds(w, layer, &m[1], &m[0], &sums);
	}
	close_instance(w, layer);
	for (int i = 0; i < count; i++)
		hw_memory_free(&m[i]);
}

static void emit_thresholding(struct verilog_writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	struct hw_memory m[HW_MEMORIES];
	if (hw_memories(l, m, w->d) < 0) {
		w->failed = true;
		return;
	}
	struct datatype x = input(w, layer, 0)->type, out = hw_datatype(l->node, "outputDataType");
	struct verilog_sums s = { .lo = datatype_int_min(x), .hi = datatype_int_max(x) };
	int64_t fold = l->mh / l->now.pe;
	s.bits = verilog_signed_bits(s.lo, s.hi + 1);
	open_instance(w, "qcc_threshold");
	verilog_param(w, "FOLD", fold);
	verilog_param(w, "PE", l->now.pe);
	verilog_param(w, "X_BITS", l->in_bits);
	verilog_param(w, "X_KIND", kind_of(x));
	verilog_param(w, "BITS", s.bits);
	verilog_param(w, "STEPS", m[0].elements);
	verilog_param(w, "OUT_BITS", l->out_bits);
	verilog_param(w, "BASE", out.kind == DT_BIPOLAR ? 0 : node_attr_int(l->node, "ActVal", 0));
	verilog_param(w, "FOLD_BITS", verilog_index_bits(fold));
	file_param(w, layer, "THRESHOLDS", "thresholds");
	verilog_write_thresholds(w, layer, &m[0], NULL, &s);
	close_instance(w, layer);
	hw_memory_free(&m[0]);
}

/* ---- others ---- */

static void emit_width(struct verilog_writer *w, const struct design_layer *layer)
{
	int64_t in = layer->l.widths[0], out = layer->l.widths[1], words = input(w, layer, 0)->words.words;
	open_instance(w, "qcc_width");
	verilog_param(w, "IN", in);
	verilog_param(w, "OUT", out);
	verilog_param(w, "WORDS", words);
	verilog_param(w, "WORDS_BITS", verilog_index_bits(words + 1));
	verilog_param(w, "HELD_BITS", verilog_index_bits(2 * out + in + 1));
	close_instance(w, layer);
}

static void emit_labels(struct verilog_writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	int64_t k = node_attr_int(l->node, "K", 1), fold = l->mh / l->now.pe;
	open_instance(w, "qcc_label");
	verilog_param(w, "FOLD", fold);
	verilog_param(w, "PE", l->now.pe);
	verilog_param(w, "K", k);
	verilog_param(w, "X_BITS", l->in_bits);
	verilog_param(w, "X_KIND", kind_of(input(w, layer, 0)->type));
	verilog_param(w, "OUT_BITS", l->out_bits);
	verilog_param(w, "STEP_BITS", verilog_index_bits(fold + k));
	close_instance(w, layer);
}

/* ---- element by element ---- */

static void binary_params(struct verilog_writer *w, const struct design_layer *layer, struct datatype a,
			  struct datatype b)
{
	const struct design_stream *out = output(w, layer, 0);
	verilog_param(w, "FUNCTION", layer->l.function ? (int64_t)layer->l.function : (int64_t)HW_ADD);
	verilog_param(w, "PE", layer->l.now.pe);
	verilog_param(w, "A_BITS", datatype_bits(a));
	verilog_param(w, "A_KIND", kind_of(a));
	verilog_param(w, "B_BITS", datatype_bits(b));
	verilog_param(w, "B_KIND", kind_of(b));
	verilog_param(w, "OUT_BITS", out->words.bits);
	verilog_param(w, "OUT_KIND", kind_of(out->type));
}

static void emit_eltwise(struct verilog_writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	int64_t words = output(w, layer, 0)->words.words, held = l->repeats ? l->mh / l->now.pe : 0;
	open_instance(w, "qcc_eltwise");
	binary_params(w, layer, input(w, layer, 0)->type, input(w, layer, 1)->type);
	verilog_param(w, "WORDS", words);
	verilog_param(w, "HELD", held);
	verilog_param(w, "WORDS_BITS", verilog_index_bits(words + 1));
	verilog_param(w, "HELD_BITS", verilog_index_bits(held));
	close_instance(w, layer);
}

static void emit_channelwise(struct verilog_writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	struct hw_memory m[HW_MEMORIES];
	if (hw_memories(l, m, w->d) < 0) {
		w->failed = true;
		return;
	}
	open_instance(w, "qcc_channelwise");
	binary_params(w, layer, input(w, layer, 0)->type, m[0].type);
	verilog_param(w, "FOLD", l->mh / l->now.pe);
	verilog_param(w, "FOLD_BITS", verilog_index_bits(l->mh / l->now.pe));
	file_param(w, layer, "CONSTANTS", "constants");
	verilog_write_memory(w, layer, &m[0]);
	close_instance(w, layer);
	hw_memory_free(&m[0]);
}

static void emit_lookup(struct verilog_writer *w, const struct design_layer *layer)
{
	struct hw_memory m[HW_MEMORIES];
	if (hw_memories(&layer->l, m, w->d) < 0) {
		w->failed = true;
		return;
	}
	open_instance(w, "qcc_lookup");
	verilog_param(w, "ROWS", layer->l.depth);
	verilog_param(w, "X_BITS", input(w, layer, 0)->words.bits);
	verilog_param(w, "ROW_BITS", verilog_index_bits(layer->l.depth));
	verilog_param(w, "OUT_WIDTH", hw_width(output(w, layer, 0)->words));
	file_param(w, layer, "TABLE", "table");
	verilog_write_memory(w, layer, &m[0]);
	close_instance(w, layer);
	hw_memory_free(&m[0]);
}

/* ---- images ---- */

static void pair_param(struct verilog_writer *w, const char *rows, const char *columns, const int64_t pair[2])
{
	verilog_param(w, rows, pair[0]);
	verilog_param(w, columns, pair[1]);
}

/* Bits of a counter that holds each of them. */
static int64_t counter_bits(int64_t a, int64_t b, int64_t c)
{
	int64_t most = a > b ? a : b;
	return verilog_index_bits((most > c ? most : c) + 1);
}

static void emit_window(struct verilog_writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	int64_t fold = l->mh / l->now.simd, line = l->in_dim[1] * fold;
	int64_t lines = (l->kernel[0] - 1) * l->dilation[0] + 1 + l->stride[0];
	int64_t row = l->out_dim[1] * l->mw * fold;
	open_instance(w, l->now.window ? "qcc_window_parallel" : "qcc_window");
	verilog_param(w, "WIDTH", hw_width(input(w, layer, 0)->words));
	pair_param(w, "KH", "KW", l->kernel);
	pair_param(w, "H", "W", l->in_dim);
	pair_param(w, "SH", "SW", l->stride);
	pair_param(w, "DH", "DW", l->dilation);
	if (l->now.window) {
		verilog_param(w, "BITS", counter_bits(l->in_dim[0], l->in_dim[1], 0));
		verilog_param(w, "X_BITS", verilog_index_bits(l->in_dim[1]));
	} else {
		pair_param(w, "OH", "OW", l->out_dim);
		verilog_param(w, "FOLD", fold);
		verilog_param(w, "DEPTHWISE", l->depthwise);
		verilog_param(w, "LINES", lines);
		verilog_param(w, "BITS", counter_bits(l->in_dim[0] * line, row, lines * line));
		verilog_param(w, "ADDRESS_BITS", verilog_index_bits(lines * line));
	}
	close_instance(w, layer);
}

/* Zeros around the image, or (stride) between its pixels. */
static void emit_padding(struct verilog_writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	static const char *const sides[] = { "TOP", "LEFT", "BOTTOM", "RIGHT" };
	static const int64_t one[2] = { 1, 1 };
	open_instance(w, "qcc_pad");
	verilog_param(w, "WIDTH", hw_width(input(w, layer, 0)->words));
	verilog_param(w, "FOLD", l->mh / l->now.simd);
	pair_param(w, "H", "W", l->in_dim);
	for (int i = 0; i < 4; i++)
		verilog_param(w, sides[i], l->pad[i]);
	pair_param(w, "STRIDE_H", "STRIDE_W", l->node->op == &op_FMPadding_Pixel ? l->stride : one);
	verilog_param(w, "BITS", counter_bits(l->out_dim[0], l->out_dim[1], l->mh / l->now.simd));
	close_instance(w, layer);
}

static void emit_crop(struct verilog_writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	static const char *const sides[] = { "TOP", "LEFT", "BOTTOM", "RIGHT" };
	open_instance(w, "qcc_crop");
	verilog_param(w, "WIDTH", hw_width(input(w, layer, 0)->words));
	verilog_param(w, "FOLD", l->mh / l->now.simd);
	pair_param(w, "H", "W", l->out_dim);
	for (int i = 0; i < 4; i++)
		verilog_param(w, sides[i], l->pad[i]);
	verilog_param(w, "BITS", counter_bits(l->in_dim[0], l->in_dim[1], l->mh / l->now.simd));
	close_instance(w, layer);
}

static void emit_sample(struct verilog_writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	open_instance(w, "qcc_sample");
	verilog_param(w, "WIDTH", hw_width(input(w, layer, 0)->words));
	verilog_param(w, "FOLD", l->mh / l->now.simd);
	pair_param(w, "H", "W", l->in_dim);
	pair_param(w, "STRIDE_H", "STRIDE_W", l->stride);
	verilog_param(w, "BITS", counter_bits(l->in_dim[0], l->in_dim[1], l->mh / l->now.simd));
	close_instance(w, layer);
}

static void emit_enlarge(struct verilog_writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	open_instance(w, "qcc_enlarge");
	verilog_param(w, "WIDTH", hw_width(input(w, layer, 0)->words));
	pair_param(w, "H", "W", l->in_dim);
	verilog_param(w, "FACTOR_H", l->out_dim[0] / l->in_dim[0]);
	verilog_param(w, "FACTOR_W", l->out_dim[1] / l->in_dim[1]);
	verilog_param(w, "BITS", counter_bits(l->out_dim[0], l->out_dim[1], 0));
	verilog_param(w, "X_BITS", verilog_index_bits(l->in_dim[1]));
	close_instance(w, layer);
}

/* ---- poolings ---- */

static void emit_max_pool(struct verilog_writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	const struct design_stream *x = input(w, layer, 0);
	int64_t fold = l->mh / x->words.elements;
	open_instance(w, "qcc_max_pool");
	verilog_param(w, "N", x->words.elements);
	verilog_param(w, "FOLD", fold);
	pair_param(w, "H", "W", l->in_dim);
	pair_param(w, "KH", "KW", l->kernel);
	verilog_param(w, "X_BITS", x->words.bits);
	verilog_param(w, "X_KIND", kind_of(x->type));
	verilog_param(w, "BITS", counter_bits(l->in_dim[0], l->in_dim[1], fold));
	verilog_param(w, "LINE_BITS", verilog_index_bits(l->in_dim[1] / l->kernel[1] * fold));
	close_instance(w, layer);
}

static void emit_pool(struct verilog_writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	struct datatype x = input(w, layer, 0)->type, out = output(w, layer, 0)->type;
	bool average = !strcmp(node_attr_string(l->node, "Function", ""), "QuantAvgPool");
	open_instance(w, "qcc_pool");
	verilog_param(w, "KERNEL", l->mw);
	verilog_param(w, "PE", l->now.pe);
	verilog_param(w, "AVERAGE", average);
	verilog_param(w, "SHIFT", average ? node_attr_int(l->node, "Size", 0) : 0);
	verilog_param(w, "X_BITS", datatype_bits(x));
	verilog_param(w, "X_KIND", kind_of(x));
	verilog_param(w, "SUM_BITS", verilog_signed_bits(l->mw * datatype_int_min(x), l->mw * datatype_int_max(x)));
	verilog_param(w, "OUT_BITS", datatype_bits(out));
	verilog_param(w, "OUT_KIND", kind_of(out));
	verilog_param(w, "BITS", verilog_index_bits(l->mw));
	close_instance(w, layer);
}

static void emit_global_sum(struct verilog_writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	const struct design_stream *x = input(w, layer, 0), *out = output(w, layer, 0);
	int64_t fold = l->mh / l->now.pe;
	open_instance(w, "qcc_global_sum");
	verilog_param(w, "WORDS", x->words.words);
	verilog_param(w, "FOLD", fold);
	verilog_param(w, "PE", l->now.pe);
	verilog_param(w, "X_BITS", x->words.bits);
	verilog_param(w, "X_KIND", kind_of(x->type));
	verilog_param(w, "OUT_BITS", out->words.bits);
	verilog_param(w, "OUT_KIND", kind_of(out->type));
	verilog_param(w, "BITS", verilog_index_bits(x->words.words + fold));
	verilog_param(w, "FOLD_BITS", verilog_index_bits(fold));
	close_instance(w, layer);
}

/* ---- several streams ---- */

/* {w3_data, w2_data, ...}: that signal of all streams, the first lowest. */
static void emit_joined(struct verilog_writer *w, char side, const size_t *streams, size_t count, const char *signal)
{
	strbuf_puts(w->b, "{");
	for (size_t i = count; i-- > 0;)
		strbuf_printf(w->b, "%c%zu_%s%s", side, streams[i], signal, i ? ", " : "}");
}

static void emit_fork(struct verilog_writer *w, const struct design_layer *layer)
{
	static const char *const signals[] = { "data", "valid", "ready" };
	open_instance(w, "qcc_fork");
	verilog_param(w, "WIDTH", hw_width(input(w, layer, 0)->words));
	verilog_param(w, "N", (int64_t)layer->n_out);
	strbuf_printf(w->b, ") layer_%s (\n\t\t.in_data(r%zu_data), .in_valid(r%zu_valid), .in_ready(r%zu_ready)",
		      layer->name, layer->in[0], layer->in[0], layer->in[0]);
	for (int i = 0; i < 3; i++) {
		strbuf_printf(w->b, ",\n\t\t.out_%s(", signals[i]);
		emit_joined(w, 'w', layer->out, layer->n_out, signals[i]);
		strbuf_puts(w->b, ")");
	}
	strbuf_puts(w->b, ");\n");
}

/* The parts' words with elements as wide as the whole's: layerN_partI. */
static void emit_parts(struct verilog_writer *w, const struct design_layer *layer)
{
	const struct design_stream *y = output(w, layer, 0);
	for (size_t i = 0; i < layer->n_in; i++) {
		const struct design_stream *x = input(w, layer, i);
		strbuf_printf(w->b, "\twire [%lld:0] %s_part%zu;\n", (long long)(x->words.elements * y->words.bits - 1),
			      layer->name, i);
		open_instance(w, "qcc_widen");
		verilog_param(w, "N", x->words.elements);
		verilog_param(w, "X_BITS", x->words.bits);
		verilog_param(w, "X_KIND", kind_of(x->type));
		verilog_param(w, "OUT_BITS", y->words.bits);
		verilog_param(w, "OUT_KIND", kind_of(y->type));
		strbuf_printf(w->b, ") layer_%s_part%zu (.in(r%zu_data), .out(%s_part%zu));\n", layer->name, i,
			      layer->in[i], layer->name, i);
	}
}

/* Each word from words of all parts. */
static void emit_concat_at_once(struct verilog_writer *w, const struct design_layer *layer)
{
	size_t out = layer->out[0];
	strbuf_printf(w->b, "\tassign w%zu_data = {", out);
	for (size_t i = layer->n_in; i-- > 0;)
		strbuf_printf(w->b, "%s_part%zu%s", layer->name, i, i ? ", " : "};\n");
	strbuf_printf(w->b, "\tassign w%zu_valid = &", out);
	emit_joined(w, 'r', layer->in, layer->n_in, "valid");
	strbuf_puts(w->b, ";\n");
	for (size_t i = 0; i < layer->n_in; i++)
		strbuf_printf(w->b, "\tassign r%zu_ready = w%zu_valid && w%zu_ready;\n", layer->in[i], out, out);
}

/* layerN_at counts the words of a vector, which one stream after the other has: layerN_turnI says whose turn it is. The count goes
 * on where that many words' stream passes one. */
static void emit_turns(struct verilog_writer *w, const struct design_layer *layer, const size_t *streams, size_t count,
		       const char *passes)
{
	int64_t all = 0, from = 0;
	for (size_t i = 0; i < count; i++)
		all += w->p->design.streams[streams[i]].words.words / layer->l.vectors;
	int bits = verilog_index_bits(all + 1);
	strbuf_printf(w->b, "\twire [%d:0] %s_at, %s_next_unused;\n\twire %s_last_unused;\n", bits - 1, layer->name,
		      layer->name, layer->name);
	open_instance(w, "qcc_counter");
	verilog_param(w, "N", all);
	verilog_param(w, "BITS", bits);
	strbuf_printf(w->b,
		      ") layer_%s (\n\t\t.clock(clock), .reset(reset), .step(%s_valid && %s_ready), .at(%s_at), "
		      ".next(%s_next_unused), .last(%s_last_unused));\n",
		      layer->name, passes, passes, layer->name, layer->name, layer->name);
	for (size_t i = 0; i < count; i++) {
		int64_t to = from + w->p->design.streams[streams[i]].words.words / layer->l.vectors;
		strbuf_printf(w->b, "\twire %s_turn%zu = ", layer->name, i);
		if (i)
			strbuf_printf(w->b, "%s_at >= %d'd%lld && ", layer->name, bits, (long long)from);
		strbuf_printf(w->b, "%s_at < %d'd%lld;\n", layer->name, bits, (long long)to);
		from = to;
	}
}

/* signal of whose turn it is. */
static void emit_whose_turn(struct verilog_writer *w, const struct design_layer *layer, char side,
			    const size_t *streams, size_t count, const char *signal)
{
	for (size_t i = 0; i < count; i++)
		strbuf_printf(w->b, "%s(%s_turn%zu && %c%zu_%s)", i ? " || " : "", layer->name, i, side, streams[i],
			      signal);
	strbuf_puts(w->b, ";\n");
}

/* The parts' words follow each other. */
static void emit_concat_in_turn(struct verilog_writer *w, const struct design_layer *layer)
{
	size_t out = layer->out[0];
	char passes[24];
	snprintf(passes, sizeof passes, "w%zu", out);
	emit_turns(w, layer, layer->in, layer->n_in, passes);
	for (size_t i = 0; i < layer->n_in; i++)
		strbuf_printf(w->b, "\tassign r%zu_ready = %s_turn%zu && w%zu_ready;\n", layer->in[i], layer->name, i,
			      out);
	strbuf_printf(w->b, "\tassign w%zu_valid = ", out);
	emit_whose_turn(w, layer, 'r', layer->in, layer->n_in, "valid");
	strbuf_printf(w->b, "\tassign w%zu_data = ", out);
	for (size_t i = 0; i + 1 < layer->n_in; i++)
		strbuf_printf(w->b, "%s_turn%zu ? %s_part%zu : ", layer->name, i, layer->name, i);
	strbuf_printf(w->b, "%s_part%zu;\n", layer->name, layer->n_in - 1);
}

/* A vector's words go to the parts in turn. */
static void emit_split(struct verilog_writer *w, const struct design_layer *layer)
{
	size_t in = layer->in[0];
	char passes[24];
	snprintf(passes, sizeof passes, "r%zu", in);
	emit_turns(w, layer, layer->out, layer->n_out, passes);
	for (size_t i = 0; i < layer->n_out; i++)
		strbuf_printf(w->b,
			      "\tassign w%zu_data = r%zu_data;\n\tassign w%zu_valid = %s_turn%zu && r%zu_valid;\n",
			      layer->out[i], in, layer->out[i], layer->name, i, in);
	strbuf_printf(w->b, "\tassign r%zu_ready = ", in);
	emit_whose_turn(w, layer, 'w', layer->out, layer->n_out, "ready");
}

static void emit_concat(struct verilog_writer *w, const struct design_layer *layer)
{
	emit_parts(w, layer);
	(layer->l.in_turn ? emit_concat_in_turn : emit_concat_at_once)(w, layer);
}

static const struct {
	const struct op *op;
	void (*emit)(struct verilog_writer *w, const struct design_layer *layer);
} instances[] = {
	{ &op_AddStreams, emit_eltwise },
	{ &op_ChannelwiseOp, emit_channelwise },
	{ &op_ConvolutionInputGenerator, emit_window },
	{ &op_Crop, emit_crop },
	{ &op_DownSampler, emit_sample },
	{ &op_DuplicateStreams, emit_fork },
	{ &op_FMPadding, emit_padding },
	{ &op_FMPadding_Pixel, emit_padding },
	{ &op_GlobalAccPool, emit_global_sum },
	{ &op_LabelSelect, emit_labels },
	{ &op_Lookup, emit_lookup },
	{ &op_MVAU, emit_mvau },
	{ &op_Pool, emit_pool },
	{ &op_StreamingConcat, emit_concat },
	{ &op_StreamingDataWidthConverter, emit_width },
	{ &op_StreamingEltwise, emit_eltwise },
	{ &op_StreamingMaxPool, emit_max_pool },
	{ &op_StreamingSplit, emit_split },
	{ &op_Thresholding, emit_thresholding },
	{ &op_UpsampleNearestNeighbour, emit_enlarge },
	{ &op_VVAU, emit_mvau },
};

/* Registers between a step of the module and the word it writes: see the modules. */
static int registers(const struct hw_layer *l)
{
	enum { MVAU_STAGES = 4, MVAU_HOLDS = 4 /* SIMD beyond which inputs and weights are held: qcc_mvau.v */ };
	const struct op *op = l->node->op;
	if (op == &op_MVAU || op == &op_VVAU)
		return MVAU_STAGES + (l->now.simd > MVAU_HOLDS);
	return op == &op_Thresholding || op == &op_ChannelwiseOp || op == &op_Lookup;
}

const struct schedule_modules verilog_modules = { registers };

/* Windows of a pooling that reach beyond the image. */
static bool has_partial_windows(const struct hw_layer *l)
{
	return l->node->op == &op_StreamingMaxPool &&
	       (l->out_dim[0] != l->in_dim[0] / l->kernel[0] || l->out_dim[1] != l->in_dim[1] / l->kernel[1]);
}

static bool has_module(const struct node *n)
{
	for (size_t i = 0; i < sizeof instances / sizeof *instances; i++)
		if (instances[i].op == n->op)
			return true;
	return false;
}

int verilog_check_layer(const struct hw_layer *l, struct diags *d)
{
	if (!has_module(l->node))
		return diag_node_error(d, l->node, "the HLS backend may have it (-b hls)",
				       "the Verilog backend has no module for %s", l->node->op->name);
	if (has_partial_windows(l))
		return diag_node_error(d, l->node, "pad the image",
				       "the Verilog backend has no poolings with windows that reach beyond the image");
	return 0;
}

void verilog_emit_layer(struct verilog_writer *w, const struct design_layer *layer)
{
	strbuf_printf(w->b, "\n\t// %s: PE %lld, SIMD %lld, %lld cycles a frame by itself (estimate).\n",
		      layer->l.node->op->name, (long long)layer->l.now.pe, (long long)layer->l.now.simd,
		      (long long)layer->cost.cycles);
	for (size_t i = 0; i < sizeof instances / sizeof *instances; i++)
		if (instances[i].op == layer->l.node->op)
			instances[i].emit(w, layer);
}

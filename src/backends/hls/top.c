/* top.cpp: a function per layer that fixes its template's parameters and pragmas, and the top function that
 * connects them. */
#include "backends/hls/hls.h"

#include <string.h>

#include "ops/op.h"

struct writer {
	const struct hls_design *p;
	struct strbuf *b;
	struct diags *d;
};

static long long in_width(const struct hls_design *p, const struct design_layer *l, size_t i)
{
	return (long long)hw_width(p->design.streams[l->in[i]].words);
}

static long long out_width(const struct hls_design *p, const struct design_layer *l, size_t i)
{
	return (long long)hw_width(p->design.streams[l->out[i]].words);
}

/* ---- one layer's body ---- */

static const char *memory(uint8_t ram)
{
	return ram == HW_RAM_DISTRIBUTED ? "lutram" : ram == HW_RAM_ULTRA ? "uram" : "bram";
}

static void emit_accumulator(const struct hw_layer *l, struct strbuf *b)
{
	struct datatype t = hw_datatype(l->node, "accDataType");
	if (!datatype_is_integer(t))
		t = datatype_int(32);
	strbuf_printf(b, "ap_%sint<%d>", datatype_is_signed(t) ? "" : "u", datatype_bits(t));
}

static void emit_matvec(struct writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	char in[40], weight[40], out[40];
	bool binary = node_attr_int(l->node, "binaryXnorMode", 0) != 0;
	struct datatype bipolar = datatype_of_kind(DT_BIPOLAR);
	hls_element(binary ? bipolar : hw_datatype(l->node, "inputDataType"), in);
	hls_element(binary ? bipolar : hw_datatype(l->node, "weightDataType"), weight);
	strbuf_printf(w->b,
		      "#pragma HLS ARRAY_PARTITION variable=%s_weights.w complete dim=1\n"
		      "#pragma HLS ARRAY_RESHAPE variable=%s_weights.w complete dim=3\n"
		      "#pragma HLS BIND_STORAGE variable=%s_weights.w type=rom_1p impl=%s\n",
		      layer->name, layer->name, layer->name, memory(l->now.ram));
	if (!l->steps)
		strbuf_printf(w->b, "\tconst qcc::Identity<%s> %s_activation = {};\n",
			      hls_element(hw_datatype(l->node, "outputDataType"), out), layer->name);
	else
		strbuf_printf(w->b,
			      "#pragma HLS ARRAY_PARTITION variable=%s_activation.t complete dim=1\n"
			      "#pragma HLS ARRAY_PARTITION variable=%s_activation.t complete dim=3\n",
			      layer->name, layer->name);
	strbuf_printf(w->b, "\tqcc::%s<%s, %s, ", l->node->op == &op_VVAU ? "vvau" : "mvau",
		      hls_element(binary ? bipolar : hw_datatype(l->node, "inputDataType"), in),
		      hls_element(binary ? bipolar : hw_datatype(l->node, "weightDataType"), weight));
	emit_accumulator(l, w->b);
	strbuf_printf(w->b, ", %s, %lld, %lld, %lld, %lld, %lld, %s>(in0, out0, %s_weights, %s_activation);\n",
		      hls_element(hw_datatype(l->node, "outputDataType"), out), (long long)l->mw, (long long)l->mh,
		      (long long)l->now.simd, (long long)l->now.pe, (long long)l->vectors,
		      hw_counts_bits(l->node) ? "true" : "false", layer->name, layer->name);
}

/* The memory that fold chose, where it chose one. */
static void bind_storage(struct strbuf *b, const char *variable, const char *type, uint8_t ram)
{
	if (ram != HW_RAM_AUTO)
		strbuf_printf(b, "#pragma HLS BIND_STORAGE variable=%s type=%s impl=%s\n", variable, type, memory(ram));
}

static void emit_window(struct writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	const int64_t *k = l->kernel, *in = l->in_dim, *out = l->out_dim, *s = l->stride, *d = l->dilation;
	long long width = in_width(w->p, layer, 0), fold = l->mh / l->now.simd;
	if (l->now.window) {
		strbuf_printf(
			w->b,
			"\tqcc::parallel_window<%lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld>(in0, out0);\n",
			width, (long long)k[0], (long long)k[1], (long long)in[0], (long long)in[1], (long long)s[0],
			(long long)s[1], (long long)d[0], (long long)d[1]);
		return;
	}
	strbuf_printf(w->b, "\tap_uint<%lld> lines[%lld][%lld];\n", width, (long long)((k[0] - 1) * d[0] + 1 + s[0]),
		      (long long)in[1] * fold);
	bind_storage(w->b, "lines", "ram_s2p", l->now.ram);
	strbuf_printf(w->b,
		      "\tqcc::sliding_window<%lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %s>"
		      "(in0, out0, lines);\n",
		      fold, (long long)k[0], (long long)k[1], (long long)in[0], (long long)in[1], (long long)out[0],
		      (long long)out[1], (long long)s[0], (long long)s[1], (long long)d[0], (long long)d[1],
		      l->depthwise ? "true" : "false");
}

static void emit_down_sampler(struct writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	strbuf_printf(w->b, "\tqcc::down_sample<%lld, %lld, %lld, %lld, %lld, %lld, %lld>(in0, out0);\n",
		      in_width(w->p, layer, 0), (long long)(l->mh / l->now.simd), (long long)l->in_dim[0],
		      (long long)l->in_dim[1], (long long)l->stride[0], (long long)l->stride[1], (long long)l->vectors);
}

static void emit_upsample(struct writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	strbuf_printf(w->b, "\tqcc::up_sample<%lld, %lld, %lld, %lld, %lld, %lld>(in0, out0);\n",
		      in_width(w->p, layer, 0), (long long)l->in_dim[0], (long long)l->in_dim[1],
		      (long long)(l->out_dim[0] / l->in_dim[0]), (long long)(l->out_dim[1] / l->in_dim[1]),
		      (long long)l->vectors);
}

/* Zeros around the image, or (stride) between its pixels. */
static void emit_padding(struct writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	strbuf_printf(w->b, "\tqcc::pad<%lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld>(in0, out0);\n",
		      in_width(w->p, layer, 0), (long long)(l->mh / l->now.simd), (long long)l->in_dim[0],
		      (long long)l->in_dim[1], (long long)l->pad[0], (long long)l->pad[1], (long long)l->pad[2],
		      (long long)l->pad[3], (long long)l->stride[0], (long long)l->stride[1]);
}

static void emit_crop(struct writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	strbuf_printf(w->b, "\tqcc::crop<%lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld>(in0, out0);\n",
		      in_width(w->p, layer, 0), (long long)(l->mh / l->now.simd), (long long)l->in_dim[0],
		      (long long)l->in_dim[1], (long long)l->pad[0], (long long)l->pad[1], (long long)l->out_dim[0],
		      (long long)l->out_dim[1]);
}

static void emit_max_pool(struct writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	char in[40];
	const struct design_stream *x = &w->p->design.streams[layer->in[0]];
	strbuf_printf(w->b, "\tqcc::max_pool<%s, %lld, %lld, %lld, %lld, %lld, %lld>(in0, out0);\n",
		      hls_element(x->type, in), (long long)x->words.elements, (long long)(l->mh / x->words.elements),
		      (long long)l->in_dim[0], (long long)l->in_dim[1], (long long)l->kernel[0],
		      (long long)l->kernel[1]);
}

static void emit_pool(struct writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	char in[40], out[40];
	const struct design_stream *x = &w->p->design.streams[layer->in[0]], *y = &w->p->design.streams[layer->out[0]];
	bool average = !strcmp(node_attr_string(l->node, "Function", ""), "QuantAvgPool");
	strbuf_printf(w->b, "\tqcc::pool<%s, %s, %lld, %lld, %lld, %s, %lld>(in0, out0);\n", hls_element(x->type, in),
		      hls_element(y->type, out), (long long)l->mw, (long long)l->now.pe, (long long)y->words.words,
		      average ? "true" : "false", average ? (long long)node_attr_int(l->node, "Size", 0) : 0LL);
}

static void emit_global_sum(struct writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	char in[40], out[40];
	strbuf_printf(w->b, "\tqcc::global_sum<%s, %s, %lld, %lld, %lld>(in0, out0);\n",
		      hls_element(w->p->design.streams[layer->in[0]].type, in),
		      hls_element(w->p->design.streams[layer->out[0]].type, out), (long long)l->mh,
		      (long long)l->now.pe, (long long)l->vectors);
}

static const char *operation(const struct hw_layer *l)
{
	switch (l->function) {
	case HW_SUB: return "qcc::SUB";
	case HW_ABS_DIFF: return "qcc::ABS_DIFF";
	case HW_MUL: return "qcc::MUL";
	case HW_AT_LEAST: return "qcc::AT_LEAST";
	case HW_AT_MOST: return "qcc::AT_MOST";
	default: return "qcc::ADD";
	}
}

static void emit_thresholding(struct writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	char in[40], out[40];
	strbuf_printf(w->b,
		      "#pragma HLS ARRAY_PARTITION variable=%s_activation.t complete dim=1\n"
		      "#pragma HLS ARRAY_PARTITION variable=%s_activation.t complete dim=3\n"
		      "\tqcc::thresholding<%s, %s, %lld, %lld, %lld>(in0, out0, %s_activation);\n",
		      layer->name, layer->name, hls_element(w->p->design.streams[layer->in[0]].type, in),
		      hls_element(w->p->design.streams[layer->out[0]].type, out), (long long)l->mh,
		      (long long)l->now.pe, (long long)l->vectors, layer->name);
}

static void emit_channelwise(struct writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	char in[40], constant[40], out[40];
	strbuf_printf(w->b, "\tqcc::channelwise<%s, %s, %s, %s, %lld, %lld, %lld>(in0, out0, %s_constants);\n",
		      operation(l), hls_element(w->p->design.streams[layer->in[0]].type, in),
		      hls_element(hw_datatype(l->node, "paramDataType"), constant),
		      hls_element(w->p->design.streams[layer->out[0]].type, out), (long long)l->mh,
		      (long long)l->now.pe, (long long)l->vectors, layer->name);
}

static void emit_eltwise(struct writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	char a[40], b[40], out[40];
	const struct design_stream *y = &w->p->design.streams[layer->out[0]];
	strbuf_printf(w->b, "\tqcc::eltwise<%s, %s, %s, %s, %lld, %lld, %lld>(in0, in1, out0);\n", operation(l),
		      hls_element(w->p->design.streams[layer->in[0]].type, a),
		      hls_element(w->p->design.streams[layer->in[1]].type, b), hls_element(y->type, out),
		      (long long)l->now.pe, (long long)y->words.words,
		      l->repeats ? (long long)(l->mh / l->now.pe) : 0LL);
}

static void emit_converter(struct writer *w, const struct design_layer *layer)
{
	strbuf_printf(w->b, "\tqcc::convert_width<%lld, %lld, %lld>(in0, out0);\n", in_width(w->p, layer, 0),
		      out_width(w->p, layer, 0), (long long)w->p->design.streams[layer->in[0]].words.words);
}

static void emit_labels(struct writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	char in[40];
	strbuf_printf(w->b, "\tqcc::label_select<%s, %lld, %lld, %lld, %lld, %lld>(in0, out0);\n",
		      hls_element(w->p->design.streams[layer->in[0]].type, in), (long long)l->mh, (long long)l->now.pe,
		      (long long)node_attr_int(l->node, "K", 1), out_width(w->p, layer, 0), (long long)l->vectors);
}

static void emit_lookup(struct writer *w, const struct design_layer *layer)
{
	const struct hw_layer *l = &layer->l;
	char out[40];
	strbuf_printf(
		w->b,
		"\tfor (int i = 0; i < %lld; i++) {\n#pragma HLS PIPELINE II=1\n\t\tconst int row = in0.read();\n"
		"\t\tap_uint<%lld> word = 0;\n\t\tfor (int k = 0; k < %lld; k++)\n"
		"\t\t\tqcc::set_element<%d>(word, k, %s::encode(%s_table[row][k]));\n\t\tout0.write(word);\n\t}\n",
		(long long)l->vectors, out_width(w->p, layer, 0), (long long)l->mh, l->out_bits,
		hls_element(w->p->design.streams[layer->out[0]].type, out), layer->name);
}

static void emit_duplicate(struct writer *w, const struct design_layer *layer)
{
	strbuf_printf(
		w->b,
		"\tfor (int i = 0; i < %lld; i++) {\n#pragma HLS PIPELINE II=1\n\t\tconst ap_uint<%lld> word = in0.read();\n",
		(long long)w->p->design.streams[layer->in[0]].words.words, in_width(w->p, layer, 0));
	for (size_t i = 0; i < layer->n_out; i++)
		strbuf_printf(w->b, "\t\tout%zu.write(word);\n", i);
	strbuf_puts(w->b, "\t}\n");
}

/* All words of a frame are stored, and read in the other order. */
static void emit_shuffle(struct writer *w, const struct design_layer *layer)
{
	int64_t lengths[MAX_RANK], steps[MAX_RANK];
	int loops = hw_shuffle_loops(layer->l.node, layer->l.now.simd, lengths, steps);
	long long words = w->p->design.streams[layer->in[0]].words.words;
	strbuf_printf(
		w->b,
		"\tstatic ap_uint<%lld> frame[%lld];\n\tfor (int i = 0; i < %lld; i++) {\n#pragma HLS PIPELINE II=1\n"
		"\t\tframe[i] = in0.read();\n\t}\n",
		in_width(w->p, layer, 0), words, words);
	for (int k = 0; k < loops; k++)
		strbuf_printf(w->b, "\tfor (int i%d = 0; i%d < %lld; i%d++)%s\n", k, k, (long long)lengths[k], k,
			      k + 1 < loops ? "" : " {");
	strbuf_puts(w->b, "#pragma HLS PIPELINE II=1\n\t\tout0.write(frame[");
	for (int k = 0; k < loops; k++)
		strbuf_printf(w->b, "%si%d * %lld", k ? " + " : "", k, (long long)steps[k]);
	strbuf_puts(w->b, "]);\n\t}\n");
}

/* A vector's words go to the parts in turn. */
static void emit_split(struct writer *w, const struct design_layer *layer)
{
	long long at = 0;
	strbuf_printf(w->b,
		      "\tint at = 0;\n\tfor (int i = 0; i < %lld; i++) {\n#pragma HLS PIPELINE II=1\n"
		      "\t\tconst ap_uint<%lld> word = in0.read();\n",
		      (long long)w->p->design.streams[layer->in[0]].words.words, in_width(w->p, layer, 0));
	for (size_t i = 0; i < layer->n_out; i++) {
		at += w->p->design.streams[layer->out[i]].words.words / layer->l.vectors;
		strbuf_printf(w->b, "\t\t%s", i ? "else " : "");
		if (i + 1 < layer->n_out)
			strbuf_printf(w->b, "if (at < %lld)", at);
		strbuf_printf(w->b, "\n\t\t\tout%zu.write(word);\n", i);
	}
	strbuf_printf(w->b, "\t\tif (++at == %lld)\n\t\t\tat = 0;\n\t}\n", at);
}

/* A word of part i, its elements widened where the part is narrower, to place `at` of the output word. */
static void emit_part(struct writer *w, const struct design_layer *layer, size_t i, long long at)
{
	char in[40], out[40];
	const struct design_stream *x = &w->p->design.streams[layer->in[i]], *y = &w->p->design.streams[layer->out[0]];
	strbuf_printf(
		w->b,
		"\t\t\tconst ap_uint<%lld> part = in%zu.read();\n\t\t\tfor (int k = 0; k < %lld; k++)\n"
		"\t\t\t\tqcc::set_element<%d>(word, %lld + k, %s::encode(%s::decode(qcc::element<%d>(part, k))));\n",
		in_width(w->p, layer, i), i, (long long)x->words.elements, y->words.bits, at, hls_element(y->type, out),
		hls_element(x->type, in), x->words.bits);
}

/* All parts' words make one, or the parts' words follow each other. */
static void emit_concat(struct writer *w, const struct design_layer *layer)
{
	const struct design_stream *y = &w->p->design.streams[layer->out[0]];
	bool in_turn = layer->l.in_turn;
	long long at = 0;
	if (in_turn)
		strbuf_puts(w->b, "\tint at = 0;\n");
	strbuf_printf(w->b,
		      "\tfor (int i = 0; i < %lld; i++) {\n#pragma HLS PIPELINE II=1\n\t\tap_uint<%lld> word = 0;\n",
		      (long long)y->words.words, out_width(w->p, layer, 0));
	for (size_t i = 0; i < layer->n_in; i++) {
		const struct design_stream *x = &w->p->design.streams[layer->in[i]];
		long long first = at;
		at += in_turn ? x->words.words / layer->l.vectors : x->words.elements;
		if (in_turn && i + 1 < layer->n_in)
			strbuf_printf(w->b, "\t\t%sif (at < %lld) {\n", i ? "else " : "", at);
		else
			strbuf_printf(w->b, "\t\t%s{\n", in_turn && i ? "else " : "");
		emit_part(w, layer, i, in_turn ? 0 : first);
		strbuf_puts(w->b, "\t\t}\n");
	}
	if (in_turn)
		strbuf_printf(w->b, "\t\tif (++at == %lld)\n\t\t\tat = 0;\n", at);
	strbuf_puts(w->b, "\t\tout0.write(word);\n\t}\n");
}

static const struct {
	const struct op *op;
	void (*emit)(struct writer *w, const struct design_layer *layer);
} bodies[] = {
	{ &op_AddStreams, emit_eltwise },
	{ &op_ChannelwiseOp, emit_channelwise },
	{ &op_ConvolutionInputGenerator, emit_window },
	{ &op_Crop, emit_crop },
	{ &op_DownSampler, emit_down_sampler },
	{ &op_DuplicateStreams, emit_duplicate },
	{ &op_FMPadding, emit_padding },
	{ &op_FMPadding_Pixel, emit_padding },
	{ &op_GlobalAccPool, emit_global_sum },
	{ &op_LabelSelect, emit_labels },
	{ &op_Lookup, emit_lookup },
	{ &op_MVAU, emit_matvec },
	{ &op_Pool, emit_pool },
	{ &op_Shuffle, emit_shuffle },
	{ &op_StreamingConcat, emit_concat },
	{ &op_StreamingDataWidthConverter, emit_converter },
	{ &op_StreamingEltwise, emit_eltwise },
	{ &op_StreamingMaxPool, emit_max_pool },
	{ &op_StreamingSplit, emit_split },
	{ &op_Thresholding, emit_thresholding },
	{ &op_UpsampleNearestNeighbour, emit_upsample },
	{ &op_VVAU, emit_matvec },
};

static int emit_body(struct writer *w, const struct design_layer *layer)
{
	const struct node *n = layer->l.node;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
		if (bodies[i].op == n->op) {
			bodies[i].emit(w, layer);
			return 0;
		}
	return diag_node_error(w->d, n, NULL, "the HLS backend has no %s", n->op->name);
}

static int emit_layer(struct writer *w, const struct design_layer *layer)
{
	struct hw_cost cost = hw_layer_cost(&layer->l, &layer->l.now);
	strbuf_printf(w->b, "/* PE %lld, SIMD %lld; %lld cycles a frame (estimate). */\nstatic void %s(",
		      (long long)layer->l.now.pe, (long long)layer->l.now.simd, (long long)cost.cycles, layer->name);
	for (size_t i = 0; i < layer->n_in; i++)
		strbuf_printf(w->b, "hls::stream<ap_uint<%lld> > &in%zu, ", in_width(w->p, layer, i), i);
	for (size_t i = 0; i < layer->n_out; i++)
		strbuf_printf(w->b, "%shls::stream<ap_uint<%lld> > &out%zu", i ? ", " : "", out_width(w->p, layer, i),
			      i);
	strbuf_puts(w->b, ")\n{\n");
	int result = emit_body(w, layer);
	strbuf_puts(w->b, "}\n\n");
	return result;
}

/* ---- the top function ---- */

static void emit_signature(const struct hls_design *p, struct strbuf *b)
{
	strbuf_printf(b, "void %s(", p->top);
	for (size_t i = 0; i < p->design.n_inputs; i++)
		strbuf_printf(b, "hls::stream<qcc::Port<%lld>::word> &in%zu, ",
			      (long long)hls_border(hw_width(design_port(&p->design, false, i)->words)), i);
	for (size_t i = 0; i < p->design.n_outputs; i++)
		strbuf_printf(b, "%shls::stream<qcc::Port<%lld>::word> &out%zu", i ? ", " : "",
			      (long long)hls_border(hw_width(design_port(&p->design, true, i)->words)), i);
	strbuf_puts(b, ")");
}

static void emit_border(const struct hls_design *p, bool output, size_t k, struct strbuf *b)
{
	const struct design_stream *s = design_port(&p->design, output, k);
	long long width = hw_width(s->words);
	size_t index = (size_t)(s - p->design.streams);
	if (output)
		strbuf_printf(b, "\tqcc::to_border<%lld, %lld, %lld>(s%zu, out%zu);\n", width,
			      (long long)hls_border(width), (long long)s->words.words, index, k);
	else
		strbuf_printf(b, "\tqcc::from_border<%lld, %lld, %lld>(in%zu, s%zu);\n", width,
			      (long long)hls_border(width), (long long)s->words.words, k, index);
}

static void emit_call(const struct design_layer *layer, struct strbuf *b)
{
	strbuf_printf(b, "\t%s(", layer->name);
	for (size_t i = 0; i < layer->n_in; i++)
		strbuf_printf(b, "s%zu, ", layer->in[i]);
	for (size_t i = 0; i < layer->n_out; i++)
		strbuf_printf(b, "%ss%zu", i ? ", " : "", layer->out[i]);
	strbuf_puts(b, ");\n");
}

static void emit_top(const struct hls_design *p, struct strbuf *b)
{
	emit_signature(p, b);
	strbuf_puts(b, "\n{\n#pragma HLS INTERFACE ap_ctrl_none port=return\n");
	for (size_t i = 0; i < p->design.n_inputs; i++)
		strbuf_printf(b, "#pragma HLS INTERFACE axis port=in%zu\n", i);
	for (size_t i = 0; i < p->design.n_outputs; i++)
		strbuf_printf(b, "#pragma HLS INTERFACE axis port=out%zu\n", i);
	strbuf_puts(b, "#pragma HLS DATAFLOW disable_start_propagation\n");
	for (size_t i = 0; i < p->design.n_streams; i++)
		strbuf_printf(
			b,
			"\tstatic hls::stream<ap_uint<%lld> > s%zu(\"s%zu\");\n#pragma HLS STREAM variable=s%zu depth=%lld\n",
			(long long)hw_width(p->design.streams[i].words), i, i, i,
			(long long)p->design.streams[i].depth);
	for (size_t i = 0; i < p->design.n_inputs; i++)
		emit_border(p, false, i, b);
	for (size_t i = 0; i < p->design.n_layers; i++)
		emit_call(&p->design.layers[i], b);
	for (size_t i = 0; i < p->design.n_outputs; i++)
		emit_border(p, true, i, b);
	strbuf_puts(b, "}\n");
}

int hls_emit_top(const struct hls_design *p, struct strbuf *top, struct strbuf *header, struct diags *d)
{
	struct writer w = { p, top, d };
	strbuf_puts(
		header,
		"/* The design's top function: AXI streams whose words are whole bytes, no control signals; a call takes a frame. */\n");
	if (p->tlast)
		strbuf_puts(header, "#define QCC_TLAST 1\t/* words carry TKEEP, and TLAST at the end of a frame */\n");
	strbuf_puts(header, "#include \"qcc_layers.h\"\n\n");
	emit_signature(p, header);
	strbuf_puts(header, ";\n");
	strbuf_puts(top, "/* The dataflow design: a function per layer, connected by streams. */\n"
			 "#include \"top.h\"\n#include \"params.h\"\n#include \"thresh.h\"\n\n");
	for (size_t i = 0; i < p->design.n_layers; i++)
		if (emit_layer(&w, &p->design.layers[i]) != 0)
			return -1;
	emit_top(p, top);
	return 0;
}

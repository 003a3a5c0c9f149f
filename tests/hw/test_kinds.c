/* Every kind of hardware layer: the words of its streams, its cycles a frame (FINN 0.10.1's get_exp_cycles for the same
 * attributes, worked out by hand) and its steps, which must read and write exactly those words. A kind that has no row here
 * fails the last test. */
#include "../unit/test.h"

#include "hw/kind.h"

#define FINN "finn.custom_op.fpgadataflow."

static const struct figures {
	const char *op, *inputs, *input_types, *attributes, *output_type;
	struct hw_stream in[2], out;
	int64_t cycles, lut;
} figures[] = {
	/* 24 inputs, 6 outputs: 4 reads of 6 columns, 3 rounds of 2 rows, 5 vectors */
	{ "MVAU",
	  "x, w",
	  "float[5,24] x",
	  "MW = 24, MH = 6, SIMD = 6, PE = 2, numInputVectors = [5], noActivation = 1, "
	  "inputDataType = \"UINT4\", weightDataType = \"INT2\", outputDataType = \"INT10\", accDataType = \"INT10\"",
	  "INT10",
	  { { 4, 6, 20 } },
	  { 10, 2, 15 },
	  60,
	  546 },
	{ "VVAU",
	  "x, v",
	  "float[1,5,4,36] x",
	  "Channels = 4, Kernel = [3, 3], Dim = [5, 4], PE = 2, SIMD = 3, "
	  "noActivation = 1, inputDataType = \"UINT4\", weightDataType = \"INT2\", outputDataType = \"INT9\"",
	  "INT9",
	  { { 4, 6, 120 } },
	  { 9, 2, 40 },
	  120,
	  427 },
	{ "Thresholding",
	  "x, t",
	  "float[7,8] x",
	  "NumChannels = 8, PE = 4, numSteps = 3, numInputVectors = [7], "
	  "inputDataType = \"INT8\", weightDataType = \"INT8\", outputDataType = \"UINT2\"",
	  "UINT2",
	  { { 8, 4, 14 } },
	  { 2, 4, 14 },
	  14,
	  64 },
	/* 3 x 3 windows of an image of 6 x 5: fill 2 rows and 3 pixels of 2 words, then 4 rows of 3 windows of 9 x 2 words */
	{ "ConvolutionInputGenerator",
	  "x",
	  "float[1,6,5,4] x",
	  "ConvKernelDim = [3, 3], Stride = [1, 1], Dilation = [1, 1], "
	  "IFMDim = [6, 5], OFMDim = [4, 3], IFMChannels = 4, SIMD = 2, inputDataType = \"UINT3\", outputDataType = \"UINT3\"",
	  "UINT3",
	  { { 3, 2, 60 } },
	  { 3, 2, 216 },
	  242,
	  300 },
	{ "FMPadding",
	  "x",
	  "float[1,6,5,4] x",
	  "ImgDim = [6, 5], Padding = [1, 2, 1, 2], NumChannels = 4, SIMD = 2, "
	  "inputDataType = \"UINT3\"",
	  "UINT3",
	  { { 3, 2, 60 } },
	  { 3, 2, 144 },
	  144,
	  0 },
	{ "FMPadding_Pixel",
	  "x",
	  "float[1,4,3,4] x",
	  "ImgDim = [4, 3], Stride = [2, 3], NumChannels = 4, SIMD = 4, "
	  "inputDataType = \"UINT3\"",
	  "UINT3",
	  { { 3, 4, 12 } },
	  { 3, 4, 49 },
	  49,
	  0 },
	{ "DownSampler",
	  "x",
	  "float[1,7,7,4] x",
	  "ImgDim = 7, Stride = 2, NumChannels = 4, SIMD = 2, "
	  "inputDataType = \"UINT3\"",
	  "UINT3",
	  { { 3, 2, 98 } },
	  { 3, 2, 32 },
	  98,
	  0 },
	{ "UpsampleNearestNeighbour",
	  "x",
	  "float[1,3,3,4] x",
	  "IFMDim = 3, OFMDim = 6, NumChannels = 4, "
	  "inputDataType = \"UINT3\"",
	  "UINT3",
	  { { 3, 4, 9 } },
	  { 3, 4, 36 },
	  36,
	  12 },
	/* an image: 36 pixels and, for each window, one more */
	{ "StreamingMaxPool",
	  "x",
	  "float[1,6,6,4] x",
	  "ImgDim = [6, 6], PoolDim = [2, 2], NumChannels = 4, "
	  "dataType = \"UINT3\"",
	  "UINT3",
	  { { 3, 4, 36 } },
	  { 3, 4, 9 },
	  45,
	  24 },
	{ "Pool",
	  "x",
	  "float[1,3,2,16] x",
	  "Channels = 4, PE = 2, KernelSize = [2, 2], OutImgDims = [3, 2], BatchSize = 1, "
	  "Function = \"MaxPool\", InputDataType = \"UINT3\", OutputDataType = \"UINT3\"",
	  "UINT3",
	  { { 3, 2, 48 } },
	  { 3, 2, 12 },
	  48,
	  12 },
	{ "GlobalAccPool",
	  "x",
	  "float[1,3,3,8] x",
	  "NumChannels = 8, PE = 2, numInputVectors = [1, 3, 3], "
	  "inputDataType = \"UINT4\"",
	  "UINT8",
	  { { 4, 2, 36 } },
	  { 8, 2, 4 },
	  40,
	  16 },
	{ "AddStreams",
	  "x, z",
	  "float[5,8] x, float[5,8] z",
	  "NumChannels = 8, PE = 4, numInputVectors = [5], "
	  "inputDataType = \"INT4\"",
	  "INT5",
	  { { 4, 4, 10 }, { 4, 4, 10 } },
	  { 5, 4, 10 },
	  10,
	  20 },
	/* the second stream is one vector, of which a word a LUT column of 32 is kept */
	{ "StreamingEltwise",
	  "x, z",
	  "float[1,3,3,8] x, float[1,1,1,8] z",
	  "NumChannels = 8, PE = 4, "
	  "numInputVectors = [1, 3, 3], eltwiseOp = \"Mul\", inputDataType0 = \"INT4\", inputDataType1 = \"UINT3\"",
	  "INT7",
	  { { 4, 4, 18 }, { 3, 4, 2 } },
	  { 7, 4, 18 },
	  18,
	  60 },
	{ "ChannelwiseOp",
	  "x, c",
	  "float[5,8] x",
	  "NumChannels = 8, PE = 2, numInputVectors = [5], Func = \"add\", "
	  "inputDataType = \"INT4\", paramDataType = \"INT4\", outputDataType = \"INT5\"",
	  "INT5",
	  { { 4, 2, 20 } },
	  { 5, 2, 20 },
	  20,
	  10 },
	{ "DuplicateStreams",
	  "x",
	  "float[5,8] x",
	  "NumChannels = 8, PE = 2, numInputVectors = [5], "
	  "inputDataType = \"INT4\"",
	  "INT4",
	  { { 4, 2, 20 } },
	  { 4, 2, 20 },
	  20,
	  0 },
	{ "StreamingConcat",
	  "x, z",
	  "float[5,8] x, float[5,4] z",
	  "ChannelsPerStream = [8, 4], SIMD = 2, "
	  "numInputVectors = [5], inputDataType = \"INT4\"",
	  "INT4",
	  { { 4, 2, 20 }, { 4, 2, 10 } },
	  { 4, 2, 30 },
	  30,
	  0 },
	{ "StreamingSplit",
	  "x",
	  "float[5,12] x",
	  "ChannelsPerStream = [12], SIMD = 4, numInputVectors = [5], inputDataType = \"INT4\"",
	  "INT4",
	  { { 4, 4, 15 } },
	  { 4, 4, 15 },
	  15,
	  0 },
	/* 5 x 4 pixels of 2 words are left of 6 x 7 */
	{ "Crop",
	  "x",
	  "float[1,6,7,4] x",
	  "ImgDim = [6, 7], CropNorth = 1, CropSouth = 0, CropWest = 2, CropEast = 1, NumChannels = 4, SIMD = 2, "
	  "DataType = \"UINT3\"",
	  "UINT3",
	  { { 3, 2, 84 } },
	  { 3, 2, 40 },
	  84,
	  0 },
	/* 32 words of 6 bits are stored in LUTs of 38 bits each, then read */
	{ "Shuffle",
	  "x",
	  "float[1,2,8,4] x",
	  "in_shape = [1, 2, 8, 4], transpose_in_shape = [1, 2, 8, 4], transpose_out_shape = [1, 8, 2, 4], "
	  "out_shape = [1, 8, 2, 4], perm = [0, 2, 1, 3], NumChannels = 4, SIMD = 2, data_type = \"UINT3\"",
	  "UINT3",
	  { { 3, 2, 32 } },
	  { 3, 2, 32 },
	  64,
	  6 },
	{ "LabelSelect",
	  "x",
	  "float[2,10] x",
	  "Labels = 10, PE = 2, K = 1, numInputVectors = [2], "
	  "inputDataType = \"INT8\", outputDataType = \"UINT4\"",
	  "UINT4",
	  { { 8, 2, 10 } },
	  { 4, 1, 2 },
	  10,
	  32 },
	{ "Lookup",
	  "x, e",
	  "float[1,6] x",
	  "NumEmbeddings = 16, EmbeddingDim = 4, EmbeddingType = \"INT4\", "
	  "InputType = \"UINT4\", InputShape = [1, 6]",
	  "INT4",
	  { { 4, 1, 6 } },
	  { 4, 4, 6 },
	  6,
	  0 },
	{ "StreamingDataWidthConverter",
	  "x",
	  "float[1,24] x",
	  "shape = [1, 24], inWidth = 24, outWidth = 16, "
	  "dataType = \"INT4\"",
	  "INT4",
	  { { 4, 6, 4 } },
	  { 4, 4, 6 },
	  6,
	  67 },
	{ "StreamingFIFO",
	  "x",
	  "float[1,24] x",
	  "depth = 64, folded_shape = [1, 6, 4], normal_shape = [1, 24], "
	  "dataType = \"INT4\"",
	  "INT4",
	  { { 4, 4, 6 } },
	  { 4, 4, 6 },
	  6,
	  28 },
};

enum { KINDS = sizeof figures / sizeof *figures };

/* A graph of the row's node alone. */
static struct graph *graph_of(const struct figures *f)
{
	char text[2048];
	snprintf(text, sizeof text,
		 "g (%s, float[24,6] w, float[4,1,3,3] v, float[8,3] t, float[8] c, float[16,4] e) => (y) {\n"
		 "\ty = " FINN "%s <%s> (%s)\n}\n",
		 f->input_types, f->op, f->attributes, f->inputs);
	struct graph *g = test_graph(text);
	datatype_parse(f->output_type, &g->last->outputs[0]->datatype);
	return g;
}

static struct hw_layer layer_of(const struct figures *f, struct graph *g)
{
	struct hw_layer l;
	struct diags d = { 0 };
	if (hw_layer_read(g->last, &l, &d) != 0)
		print_message("# %s\n", f->op);
	assert_no_errors(&d);
	diags_free(&d);
	return l;
}

static void compare(const char *op, const char *what, struct hw_stream is, struct hw_stream want)
{
	if (is.bits != want.bits || is.elements != want.elements || is.words != want.words)
		fail_msg("%s: %s of %d bits x %lld, %lld words, not %d x %lld, %lld", op, what, is.bits,
			 (long long)is.elements, (long long)is.words, want.bits, (long long)want.elements,
			 (long long)want.words);
}

static void streams_and_cycles(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		const struct figures *f = &figures[i];
		struct graph *g = graph_of(f);
		struct hw_layer l = layer_of(f, g);
		struct hw_cost cost = hw_layer_cost(&l, &l.now);
		assert_int_equal(hw_stream_inputs(&l), f->in[1].bits ? 2 : 1);
		for (size_t k = 0; k < hw_stream_inputs(&l); k++)
			compare(f->op, "input", hw_input(&l, &l.now, k), f->in[k]);
		compare(f->op, "output", hw_output(&l, &l.now, 0), f->out);
		if (cost.cycles != f->cycles || cost.lut != f->lut)
			fail_msg("%s: %lld cycles and %lld LUT, not %lld and %lld", f->op, (long long)cost.cycles,
				 (long long)cost.lut, (long long)f->cycles, (long long)f->lut);
		assert_true(hw_choice_fits(&l, &l.now));
		graph_free(g);
	}
}

/* Steps of a frame read and write the words that the streams have, no more and no fewer. */
static void steps_move_all_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct graph *g = graph_of(&figures[i]);
		struct hw_layer l = layer_of(&figures[i], g);
		const struct hw_kind *k = l.kind;
		int64_t taken[2] = { 0 }, words = hw_output(&l, &l.now, 0).words;
		int64_t steps = k->steps ? k->steps(&l) : hw_input(&l, &l.now, 0).words;
		struct hw_progress p = { 0 };
		while (steps == HW_UNTIL_WRITTEN ? p.written < words : p.at < steps) {
			struct hw_step t = k->step ? k->step(&l, &p) : (struct hw_step){ true, true, false };
			for (size_t in = 0; t.read && in < hw_stream_inputs(&l); in++)
				taken[in] += !k->takes || k->takes(&l, &p, in);
			p.read += t.read;
			p.written += t.write;
			assert_true(++p.at < 10000);
		}
		for (size_t in = 0; in < hw_stream_inputs(&l); in++)
			if (taken[in] != hw_input(&l, &l.now, in).words)
				fail_msg("%s takes %lld words of input %zu", figures[i].op, (long long)taken[in], in);
		if (p.written != words)
			fail_msg("%s writes %lld words", figures[i].op, (long long)p.written);
		graph_free(g);
	}
}

/* Each step of a split gives its word to one of the outputs, as many as its stream has. */
static void words_of_a_split(void **state)
{
	struct graph *g = test_graph("g (float[5,12] x) => (y, z) {\n\ty, z = " FINN
				     "StreamingSplit <ChannelsPerStream = [8, 4], SIMD = 2, numInputVectors = [5], "
				     "inputDataType = \"INT4\">(x)\n}\n");
	struct hw_layer l;
	struct diags d = { 0 };
	int64_t given[2] = { 0 };
	(void)state;
	assert_int_equal(hw_layer_read(g->last, &l, &d), 0);
	assert_int_equal(l.max_simd, 4);
	for (struct hw_progress p = { 0 }; p.at < hw_input(&l, &l.now, 0).words; p.at++)
		for (size_t k = 0; k < 2; k++)
			given[k] += l.kind->gives(&l, &p, k);
	assert_int_equal(given[0], 20);
	assert_int_equal(given[1], 10);
	for (size_t k = 0; k < 2; k++)
		assert_int_equal(hw_output(&l, &l.now, k).words, given[k]);
	graph_free(g);
}

static void choices_are_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct graph *g = graph_of(&figures[i]);
		struct hw_layer l = layer_of(&figures[i], g), again;
		struct hw_choice all = { l.max_pe, l.max_simd, l.now.ram, l.now.dsp, false };
		hw_layer_write(g->last, &l, &all);
		again = layer_of(&figures[i], g);
		assert_int_equal(again.now.pe, l.max_pe);
		assert_int_equal(again.now.simd, l.max_simd);
		graph_free(g);
	}
}

static void impossible_attributes(void **state)
{
	static const struct figures bad[] = {
		{ "ChannelwiseOp",
		  "x, c",
		  "float[5,8] x",
		  "NumChannels = 8, Func = \"root\", inputDataType = \"INT4\"",
		  "INT4",
		  { { 0 } },
		  { 0 },
		  0,
		  0 },
		{ "StreamingDataWidthConverter",
		  "x",
		  "float[1,24] x",
		  "shape = [1, 24], inWidth = 24, dataType = \"INT4\"",
		  "INT4",
		  { { 0 } },
		  { 0 },
		  0,
		  0 },
		{ "StreamingConcat",
		  "x, z",
		  "float[5,8] x, float[5,4] z",
		  "ChannelsPerStream = [8], inputDataType = \"INT4\"",
		  "INT4",
		  { { 0 } },
		  { 0 },
		  0,
		  0 },
		{ "MVAU", "x, w", "float[5,24] x", "MH = 6, inputDataType = \"INT4\"", "INT4", { { 0 } }, { 0 }, 0, 0 },
	};
	static const char *const says[] = { "Func names no function", "outWidth=0", "1 entries for 2 streams",
					    "missing" };
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct graph *g = graph_of(&bad[i]);
		struct hw_layer l;
		struct diags d = { 0 };
		assert_int_equal(hw_layer_read(g->last, &l, &d), -1);
		assert_said(&d, says[i]);
		graph_free(g);
	}
}

static void every_kind_has_figures(void **state)
{
	(void)state;
	for (size_t i = 0; i < op_table_size; i++) {
		bool known = !op_table[i]->hw;
		for (size_t k = 0; k < KINDS; k++)
			known = known || strcmp(figures[k].op, op_table[i]->name) == 0;
		if (!known)
			fail_msg("%s is a hardware layer without figures in this test", op_table[i]->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_and_cycles),	  cmocka_unit_test(steps_move_all_words),
		cmocka_unit_test(choices_are_written),	  cmocka_unit_test(impossible_attributes),
		cmocka_unit_test(every_kind_has_figures), cmocka_unit_test(words_of_a_split),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

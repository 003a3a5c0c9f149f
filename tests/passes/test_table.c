/* The table of passes, one by one: a row for each pass runs it on a graph of a few lines to which it applies, and counts
 * the operators of the result; a row for each alias names its pass. A pass or an alias without a row fails. */
#include "passes.h"

#include "passes/pass.h"
#include "util/file.h"

#define ROW "(float[1,4] x) => (y)"
#define IMAGE "(float[1,2,4,4] x) => (y)"
#define INTEGERS "(float[1,4]:INT4 x) => (y)"
#define W44 "float[4,4] w = {1,-1,0,2,-2,1,1,0,0,1,-1,2,1,0,-2,1}"
#define W4 "float[4] c = {1,-2,3,0.5}"
#define KERNEL "float[3,2,1,1] k = {1,-1,0,1,1,1}, float[3] b = {1,2,3}"
#define QUANTISED "q = qonnx.Quant" SIGNED "(w, one, zero, four) "
#define LAYER "m = MatMul(x, w) y = qonnx.MultiThreshold<out_dtype=\"UINT2\">(m, t)"
#define THRESHOLDS "float[4,4]:INT4 w = {1,-1,0,2,-2,1,1,0,0,1,-1,2,1,0,-2,1}, float[4,3] t = {0,1,2,0,1,2,0,1,2,0,1,2}"
#define TWO_LAYERS \
	"m = MatMul(x, w) h = qonnx.MultiThreshold<out_dtype=\"UINT2\">(m, t) k = MatMul(h, w) y = qonnx.MultiThreshold<out_dtype=\"UINT2\">(k, t)"
#define UNUSED "float[4,2]:INT4 v = {1,-1,2,1,0,0,1,2}"
#define STATISTICS "float[2] s = {1,2}, float[2] o = {0,1}, float[2] mean = {1,-1}, float[2] var = {1,4}"
#define SCALED "m = Mul(x, half) y = MatMul(m, w)"

/* passes: the pass, behind what it needs; changes_function: inputs or outputs mean something else afterwards, on purpose. */
static const struct row {
	const char *pass, *passes;
	struct pass_case c;
	bool changes_function;
} rows[] = {
	{ "batchnorm-to-affine",
	  "batchnorm-to-affine",
	  { "", IMAGE, STATISTICS, "y = BatchNormalization(x, s, o, mean, var)", "BatchNormalization=0 Mul=1 Add=1" },
	  false },
	{ "apply-folding",
	  "to-hw,apply-folding(file=test_table.json)",
	  { "", INTEGERS, THRESHOLDS, LAYER, "MVAU=1 MVAU.PE=2 MVAU.SIMD=1" },
	  false },
	{ "binary-output", "binary-output", { "", ROW, W44, "y = MatMul(x, w)", "MatMul=1 BipolarQuant=1" }, true },
	{ "bipolar-input",
	  "bipolar-input",
	  { "", "(float[1,4]:BINARY x) => (y)", W44, "y = MatMul(x, w)", "MatMul=1 Add=1" },
	  true },
	{ "cleanup", "cleanup", { "", ROW, W44, "i = Identity(x) y = MatMul(i, w)", "Identity=0 MatMul=1" }, false },
	{ "collapse-affine",
	  "collapse-affine",
	  { "", INTEGERS, "", "a = Mul(x, two) b = Add(a, one) d = Mul(b, two) y = Add(d, three)", "Mul=1 Add=1" },
	  false },
	{ "convert", "convert", { "", ROW, W44, QUANTISED "y = MatMul(x, q)", "Quant=0 MatMul=1" }, false },
	{ "div-to-mul", "div-to-mul", { "", ROW, W4, "y = Div(x, c)", "Div=0 Mul=1" }, false },
	{ "extract-conv-bias", "extract-conv-bias", { "", IMAGE, KERNEL, "y = Conv(x, k, b)", "Conv=1 Add=1" }, false },
	{ "fix-batch", "fix-batch", { "", "(float[N,4] x) => (y)", W44, "y = MatMul(x, w)", "MatMul=1" }, false },
	{ "fold", "to-hw,fold", { "", INTEGERS, THRESHOLDS, LAYER, "MVAU=1 MVAU.PE=4 MVAU.SIMD=4" }, false },
	{ "fold-constants", "fold-constants", { "", ROW, W4, "d = Mul(c, two) y = Add(x, d)", "Mul=0 Add=1" }, false },
	{ "fold-transpose",
	  "fold-transpose",
	  { "", ROW, W44, QUANTISED "t = Transpose<perm=[1,0]>(q) y = MatMul(x, t)", "Transpose=0 Quant=1" },
	  false },
	{ "fold-weight-quant",
	  "fold-weight-quant",
	  { "", ROW, W44, "q = qonnx.Quant" SIGNED "(w, half, zero, four) y = MatMul(x, q)", "Quant=0 Mul=1" },
	  false },
	{ "gemm-to-matmul",
	  "gemm-to-matmul",
	  { "", ROW, W44 ", " W4, "y = Gemm<transB=1>(x, w, c)", "Gemm=0 MatMul=1 Add=1" },
	  false },
	{ "infer", "infer", { "", ROW, "", "y = Relu(x)", "Relu=1" }, false },
	{ "insert-argmax", "insert-argmax", { "", ROW, W44, "y = MatMul(x, w)", "MatMul=1 ArgMax=1" }, true },
	{ "insert-dwc",
	  "to-hw,apply-folding(file=test_table.json),insert-dwc",
	  { "", INTEGERS, THRESHOLDS, TWO_LAYERS, "MVAU=2 StreamingDataWidthConverter=1" },
	  false },
	{ "insert-fifo",
	  "to-hw,fold,insert-fifo(depth=32)",
	  { "", INTEGERS, THRESHOLDS, TWO_LAYERS, "MVAU=2 StreamingFIFO=1 StreamingFIFO.depth=32" },
	  false },
	{ "integer-io",
	  "integer-io",
	  { "", ROW, W44, "i = qonnx.Quant" SIGNED "(x, half, zero, four) y = MatMul(i, w)", "Quant=0 MatMul=1" },
	  true },
	{ "insert-topk", "insert-topk(k=1)", { "", ROW, W44, "y = MatMul(x, w)", "MatMul=1 TopK=1" }, true },
	{ "lower-convs",
	  "lower-convs",
	  { "", "(float[1,2,4,4]:INT4 x) => (y)",
	    "float[3,2,2,2]:INT2 k = {1,-1,0,1,1,1,0,0,1,-1,0,1,1,1,0,0,1,-1,0,1,1,1,0,0}", "y = Conv(x, k)",
	    "Conv=0 Im2Col=1 MatMul=1" },
	  false },
	{ "minimize-widths", "minimize-widths", { "", INTEGERS, W44, "y = MatMul(x, w)", "MatMul=1" }, false },
	{ "move-scales", "move-scales", { "", INTEGERS, W44, SCALED, "MatMul=1 Mul=1" }, false },
	{ "pad-input", "pad-input(to=6)", { "", ROW, W44, "y = MatMul(x, w)", "MatMul=1" }, true },
	{ "partition",
	  "to-hw,partition(file=test_table.onnx)",
	  { "", INTEGERS, THRESHOLDS, LAYER, "MVAU=0 StreamingDataflowPartition=1" },
	  true },
	{ "preprocess",
	  "preprocess(subtract=1,divide=2)",
	  { "", ROW, W44, "y = MatMul(x, w)", "Sub=1 Div=1 MatMul=1" },
	  true },
	{ "prune-dead",
	  "prune-dead",
	  { "", INTEGERS, THRESHOLDS ", " UNUSED,
	    "m = MatMul(x, w) h = qonnx.MultiThreshold<out_dtype=\"UINT2\">(m, t) y = MatMul(h, v)", "MatMul=2" },
	  false },
	{ "qcdq-to-quant",
	  "qcdq-to-quant",
	  { "", ROW, "uint8 z = {0}", "i = QuantizeLinear(x, half, z) y = DequantizeLinear(i, half, z)", "Quant=1" },
	  false },
	{ "qop-to-quant",
	  "qop-to-quant",
	  { "", "(uint8[1,2] x) => (y)", "uint8[2,1] v = {1,3}", "y = MatMulInteger(x, v)",
	    "MatMulInteger=0 MatMul=1" },
	  false },
	{ "quant-to-onnx",
	  "quant-to-onnx",
	  { "", ROW, "", "y = qonnx.BipolarQuant(x, half)", "BipolarQuant=0 Where=1" },
	  false },
	{ "quant-to-qcdq",
	  "quant-to-qcdq",
	  { "", ROW, "float eightbits = {8}", "y = qonnx.Quant" SIGNED "(x, half, zero, eightbits)",
	    "Quant=0 QuantizeLinear=1 DequantizeLinear=1" },
	  false },
	{ "quant-to-thresholds",
	  "quant-to-thresholds",
	  { "", ROW, "", "r = Relu(x) y = qonnx.Quant" UNSIGNED "(r, one, zero, two)", "Quant=0 MultiThreshold=1" },
	  false },
	{ "remove-dead", "remove-dead", { "", ROW, "", "n = Neg(x) y = Relu(x)", "Neg=0 Relu=1" }, false },
	{ "remove-identity",
	  "remove-identity",
	  { "", ROW, "", "i = Identity(x) r = Relu(i) y = Mul(r, one)", "Identity=0 Relu=1 Mul=0" },
	  false },
	{ "set-shapes",
	  "set-shapes(x=2x3)",
	  { "", "(float[N,M] x) => (y)", "", "s = Shape(x) y = Cast <to = 1> (s)", "Shape=0" },
	  true },
	{ "set-datatype", "set-datatype(y=UINT8)", { "", ROW, "", "y = Relu(x)", "Relu=1" }, false },
	{ "streamline", "streamline", { "", INTEGERS, W44, SCALED, "MatMul=1 Mul=1" }, false },
	{ "sub-to-add", "sub-to-add", { "", ROW, W4, "y = Sub(x, c)", "Sub=0 Add=1" }, false },
	{ "to-hw", "to-hw", { "", INTEGERS, THRESHOLDS, LAYER, "MatMul=0 MultiThreshold=0 MVAU=1" }, false },
	{ "unique-names", "unique-names", { "", ROW, W44, "y = MatMul(x, w)", "MatMul=1" }, false },
};

/* Passes that a row cannot run: the text form has neither initializers that are inputs (there is a test below) nor
 * functions (tests/ops/onnx_nodes.py), and merge needs a second model (tests/passes/test_surgery.c). */
static const char *const elsewhere[] = { "remove-static-inputs", "inline-functions", "merge" };

/* Each pass, as pipeline_print writes it, and its other names. */
static const struct {
	const char *pass, *names;
} aliases[] = {
	{ "apply-folding", "ApplyConfig step_apply_folding_config" },
	{ "batchnorm-to-affine", "BatchNormToAffine" },
	{ "cleanup", "cleanup_model qonnx-cleanup step_tidy_up" },
	{ "collapse-affine", "CollapseRepeatedAdd CollapseRepeatedMul CollapseRepeatedOp MoveAddPastMul" },
	{ "convert", "ConvertQONNXtoFINN step_qonnx_to_finn" },
	{ "div-to-mul", "ConvertDivToMul" },
	{ "extract-conv-bias", "ExtractBiasFromConv" },
	{ "fix-batch", "ChangeBatchSize" },
	{ "fold", "SetFolding step_target_fps_parallelization" },
	{ "fold-constants", "FoldConstants FoldConstantsFiltered" },
	{ "fold-transpose", "FoldTransposeIntoQuantInit" },
	{ "fold-weight-quant", "FoldQuantWeights" },
	{ "gemm-to-matmul", "GemmToMatMul" },
	{ "infer", "InferDataLayouts InferDataTypes InferShapes SortGraph" },
	{ "insert-dwc", "InsertDWC" },
	{ "insert-fifo", "InsertFIFO step_set_fifo_depths" },
	{ "insert-topk", "InsertTopK" },
	{ "lower-convs", "AbsorbConsecutiveTransposes AbsorbTransposeIntoFlatten "
			 "AbsorbTransposeIntoMultiThreshold AbsorbTransposeIntoResize "
			 "ConvertToChannelsLastAndClean InferPixelPaddingDeconv LowerConvsToMatMul "
			 "MakeMaxPoolNHWC MakeScaleResizeNHWC" },
	{ "minimize-widths", "MinimizeAccumulatorWidth MinimizeWeightBitWidth step_minimize_bit_width" },
	{ "move-scales", "MoveAddPastFork MoveLinearPastFork MoveMulPastFork" },
	{ "move-scales(rules=add)", "MoveAddPastJoinAdd MoveLinearPastEltwiseAdd MoveMulPastJoinAdd" },
	{ "move-scales(rules=average+quantiser)", "AvgPoolAndTruncToQuantAvgPool" },
	{ "move-scales(rules=concat)", "MoveAddPastJoinConcat MoveAffinePastJoinConcat MoveMulPastJoinConcat" },
	{ "move-scales(rules=max-pool)", "MoveMulPastMaxPool" },
	{ "move-scales(rules=move)", "MoveFlattenPastAffine MoveScalarLinearPastInvariants MoveScalarLinearPastSplit "
				     "MoveTransposePastScalarMul" },
	{ "move-scales(rules=product)",
	  "Absorb1BitMulIntoConv Absorb1BitMulIntoMatMul FactorOutMulSignMagnitude "
	  "MoveAddPastConv MoveMulPastDWConv MoveScalarAddPastMatMul MoveScalarMulPastConv "
	  "MoveScalarMulPastConvTranspose MoveScalarMulPastMatMul" },
	{ "move-scales(rules=quantiser)", "AbsorbAddIntoMultiThreshold AbsorbMulIntoMultiThreshold "
					  "AbsorbSignBiasIntoMultiThreshold RoundAndClipThresholds" },
	{ "move-scales(rules=select)", "AbsorbScalarMulAddIntoTopK" },
	{ "partition", "CreateDataflowPartition step_create_dataflow_partition" },
	{ "qcdq-to-quant", "QCDQToQuant" },
	{ "quant-to-qcdq", "QuantToQCDQ" },
	{ "quant-to-thresholds", "ConvertQuantActToMultiThreshold" },
	{ "remove-dead", "RemoveUnusedNodes RemoveUnusedTensors" },
	{ "remove-identity", "RemoveIdentityOps" },
	{ "remove-static-inputs", "RemoveStaticGraphInputs" },
	{ "streamline", "Streamline step_streamline" },
	{ "sub-to-add", "ConvertSubToAdd" },
	{ "to-hw", "InferAddStreamsLayer InferBinaryMatrixVectorActivation "
		   "InferChannelwiseLinearLayer InferConcatLayer InferConvInpGen "
		   "InferDuplicateStreamsLayer InferGlobalAccPoolLayer InferLabelSelectLayer "
		   "InferLookupLayer InferPool InferQuantizedMatrixVectorActivation "
		   "InferStreamingEltwise InferStreamingMaxPool InferThresholdingLayer InferUpsample "
		   "InferVectorVectorActivation step_convert_to_hw" },
	{ "unique-names", "GiveReadableTensorNames GiveUniqueNodeNames GiveUniqueParameterTensors "
			  "GiveUniqueTensorNames" },
};

static bool has_row(const char *pass)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (!strcmp(rows[i].pass, pass))
			return true;
	for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
		if (!strcmp(elsewhere[i], pass))
			return true;
	return false;
}

static void every_pass_has_a_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < pass_table_size; i++)
		if (!has_row(pass_table[i]->name))
			fail_msg("pass %s has no row in this test", pass_table[i]->name);
	assert_int_equal(sizeof rows / sizeof *rows + sizeof elsewhere / sizeof *elsewhere, pass_table_size);
}

static void write_config(void)
{
	static const char config[] = "{\"Defaults\": {}, \"MVAU_0\": {\"PE\": 2}}";
	struct diags d = { 0 };
	assert_int_equal(file_write("test_table.json", config, sizeof config - 1, &d), 0);
}

/* What the driver runs before a pass that requires it. */
static void run_required(struct graph *g, const char *pass)
{
	static const struct {
		unsigned property;
		const char *pass;
	} ensured[] = {
		{ GRAPH_INFERRED, "infer" },
		{ GRAPH_CLEAN, "cleanup" },
		{ GRAPH_CONVERTED, "convert" },
		{ GRAPH_STREAMLINED, "streamline" },
	};
	const char *preset;
	for (size_t i = 0; i < sizeof ensured / sizeof *ensured; i++)
		if (pass_find(pass, &preset)->requires & ensured[i].property)
			test_run(g, ensured[i].pass);
}

/* The graph as text after the row's passes, or after all but the last one; with the names that the driver gives. */
static char *text_after(const struct row *r, bool last_too)
{
	char passes[256];
	snprintf(passes, sizeof passes, "%s", r->passes);
	char *end = passes;
	int depth = 0;
	for (char *c = passes; *c; c++) {
		depth += (*c == '(') - (*c == ')');
		end = *c == ',' && depth == 0 ? c : end;
	}
	if (!last_too)
		*end = 0;
	struct graph *g = case_graph(&r->c);
	if (*passes)
		test_run(g, passes);
	else
		run_required(g, r->pass);
	if (strcmp(r->pass, "unique-names") != 0)
		test_run(g, "unique-names");
	char *text = graph_print(g);
	graph_free(g);
	return text;
}

/* So that a row would fail if its pass did nothing. */
static void every_pass_does_something(void **state)
{
	(void)state;
	size_t idle = 0;
	write_config();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *before = text_after(&rows[i], false), *after = text_after(&rows[i], true);
		if (!strcmp(before, after)) {
			fprintf(stderr, "%s does nothing to\n%s", rows[i].passes, before);
			idle++;
		}
		free(before);
		free(after);
	}
	assert_int_equal(idle, 0);
}

static void every_pass_runs(void **state)
{
	(void)state;
	write_config();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		struct pass_case c = r->c;
		c.what = r->pass;
		struct graph *g = r->changes_function ? case_graph(&c) : run_case(&c, r->passes, 1e-5);
		if (r->changes_function)
			test_run(g, r->passes);
		if (!has_operators(g, c.expected))
			fail_msg("after %s", r->passes);
		graph_free(g);
	}
	unlink("test_table.json");
	unlink("test_table.onnx");
}

static void static_inputs_go(void **state)
{
	(void)state;
	static const struct pass_case c = { "", ROW, W4, "y = Add(x, c)", "" };
	struct graph *g = case_graph(&c);
	graph_add_input(g, graph_value(g, "c"));
	assert_int_equal(g->n_inputs, 2);
	test_run(g, "remove-static-inputs");
	assert_int_equal(g->n_inputs, 1);
	graph_free(g);
}

static void is_alias_of(const char *name, const char *pass)
{
	struct diags d = { 0 };
	struct pipeline p;
	assert_int_equal(pipeline_parse(&p, name, &d), 0);
	char *text = pipeline_print(&p);
	assert_string_equal(text, pass);
	free(text);
	pipeline_free(&p);
}

static void every_alias_names_its_pass(void **state)
{
	(void)state;
	char name[64];
	int length;
	size_t count = 0;
	for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
		for (const char *at = aliases[i].names; sscanf(at, " %63s%n", name, &length) == 1;
		     at += length, count++)
			is_alias_of(name, aliases[i].pass);
	assert_int_equal(count, pass_aliases_size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pass_has_a_row),
		cmocka_unit_test(every_pass_does_something),
		cmocka_unit_test(every_pass_runs),
		cmocka_unit_test(static_inputs_go),
		cmocka_unit_test(every_alias_names_its_pass),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

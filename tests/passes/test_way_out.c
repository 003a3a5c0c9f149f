/* quant-to-onnx and quant-to-qcdq: the ways out to runtimes that know no QONNX; and the ways in. */
#include "passes.h"

/* ---- quant-to-onnx: bit for bit ---- */

static const struct pass_case spelled[] = {
	{ "half even", "(float[1,8] x) => (float[1,8] y)", "",
	  "y = qonnx.Quant" ROUNDING("ROUND") "(x, third, zero, four)",
	  "Quant=0 Div=1 Clip=1 Round=1 Mul=1 Add=0 Sub=0" },
	{ "CEIL", "(float[1,8] x) => (float[1,8] y)", "", "y = qonnx.Quant" ROUNDING("CEIL") "(x, half, zero, four)",
	  "Quant=0 Ceil=1 Round=0" },
	{ "FLOOR", "(float[1,8] x) => (float[1,8] y)", "", "y = qonnx.Quant" ROUNDING("FLOOR") "(x, half, zero, four)",
	  "Quant=0 Floor=1 Round=0" },
	{ "UP", "(float[1,8] x) => (float[1,8] y)", "", "y = qonnx.Quant" ROUNDING("UP") "(x, half, zero, four)",
	  "Quant=0 Ceil=1 Sign=1 Abs=1" },
	{ "DOWN", "(float[1,8] x) => (float[1,8] y)", "", "y = qonnx.Quant" ROUNDING("DOWN") "(x, half, zero, four)",
	  "Quant=0 Floor=1 Sign=1 Abs=1" },
	{ "HALF_UP", "(float[1,8] x) => (float[1,8] y)", "",
	  "y = qonnx.Quant" ROUNDING("HALF_UP") "(x, eighth, zero, eight)", "Quant=0 Floor=1 Sign=1 Abs=1 Add=1" },
	{ "HALF_DOWN", "(float[1,8] x) => (float[1,8] y)", "",
	  "y = qonnx.Quant" ROUNDING("HALF_DOWN") "(x, eighth, zero, eight)", "Quant=0 Ceil=1 Sign=1 Abs=1 Add=1" },
	{ "zero point", "(float[1,8] x) => (float[1,8] y)", "", "y = qonnx.Quant" UNSIGNED "(x, tenth, three, four)",
	  "Quant=0 Add=1 Sub=1 Clip=1" },
	{ "narrow", "(float[1,8] x) => (float[1,8] y)", "", "y = qonnx.Quant" NARROW "(x, half, zero, three)",
	  "Quant=0" },
	{ "one signed bit", "(float[1,8] x) => (float[1,8] y)", "", "y = qonnx.Quant" SIGNED "(x, half, zero, one)",
	  "Quant=0 GreaterOrEqual=1 Where=1" },
	{ "fractional width", "(float[1,8] x) => (float[1,8] y)", "float b = {3.5}",
	  "y = qonnx.Quant" SIGNED "(x, half, zero, b)", "Quant=0 Clip=1" },
	{ "per channel", "(float[1,2,4] x) => (float[1,2,4] y)",
	  "float[1,2,1] s = {0.1,0.7}, float[1,2,1] z = {1,0}, float[1,2,1] b = {2,5}",
	  "y = qonnx.Quant" SIGNED "(x, s, z, b)", "Quant=0 Clip=0 Min=1 Max=1" },
	{ "width at run time", "(float[1,8] x, float[1,1]:UINT3 n) => (float[1,8] y)", "",
	  "w = Add(n, two) y = qonnx.Quant" SIGNED "(x, half, zero, w)", "Quant=0 Pow=2" },
	{ "bipolar", "(float[1,8] x) => (float[1,8] y)", "", "y = qonnx.BipolarQuant(x, third)",
	  "BipolarQuant=0 GreaterOrEqual=1 Where=1 Mul=1" },
	{ "thresholds of one row", "(float[1,8] x) => (float[1,8] y)", "float[1,3] t = {-1,0.5,2}",
	  "y = qonnx.MultiThreshold<out_dtype=\"INT3\",out_bias=-1.0>(x, t)",
	  "MultiThreshold=0 ReduceSum=1 Add=1 Mul=0" },
	{ "thresholds per channel", "(float[1,2,2,2] x) => (float[1,2,2,2] y)", "float[2,3] t = {-1,0.5,2,-3,0,1}",
	  "y = qonnx.MultiThreshold<out_dtype=\"INT3\",out_scale=0.3>(x, t)", "MultiThreshold=0 ReduceSum=1 Mul=1" },
	{ "thresholds channels last", "(float[1,2,2,3] x) => (float[1,2,2,3] y)", "float[3,2] t = {-1,0.5,-3,0,1,2}",
	  "y = qonnx.MultiThreshold<out_dtype=\"UINT2\",data_layout=\"NHWC\">(x, t)", "MultiThreshold=0" },
	{ "thresholds of three axes", "(float[1,2,3] x) => (float[1,2,3] y)", "float[3,2] t = {-1,0.5,-3,0,1,2}",
	  "y = qonnx.MultiThreshold<out_dtype=\"UINT2\">(x, t)", "MultiThreshold=0" },
	{ "Trunc, version 1", "(float[1,8] x) => (float[1,8] y)", "",
	  "y = qonnx.Trunc<rounding_mode=\"FLOOR\">(x, eighth, "
	  "zero, eight, four)",
	  "Trunc=0 Floor=1 Round=1" },
	{ "Trunc, version 2", "(float[1,8] x) => (float[1,8] y)", "",
	  "y = qonnx.Trunc<rounding_mode=\"ROUND\",signed=1,narrow=0>(x, eighth, zero, eight, half, four)",
	  "Trunc=0 Clip=1 Round=2" },
	{ "FloatQuant", "(float[1,8] x) => (float[1,8] y)", "float bias = {7}, float most = {240}",
	  "y = qonnx.FloatQuant<rounding_mode=\"ROUND\",has_inf=0,has_nan=0,saturation=1>(x, third, four, three, bias, most)",
	  "FloatQuant=0 Gather=1" },
	{ "small floats that overflow", "(float[1,8] x) => (float[1,8] y)", "float most = {3}",
	  "y = qonnx.FloatQuant<rounding_mode=\"FLOOR\",has_inf=1,has_nan=1,saturation=0>(x, tenth, three, two, three, most)",
	  "FloatQuant=0 Where=2" },
	{ "Im2Col", "(float[1,4,5,3] x) => (y)", "",
	  "y = qonnx.Im2Col<kernel_size=[3,2],stride=[1,2],pad_amount=[1,0,1,1],pad_value=2,dilations=[1,1],"
	  "input_shape=\"1,4,5,3\">(x)",
	  "Im2Col=0 Conv=1 Pad=1" },
	{ "QuantAvgPool2d", "(float[1,2,4,4]:UINT4 x) => (y)", "",
	  "y = qonnx.QuantAvgPool2d<kernel=2,stride=2,ibits=4,obits=4,signed=0,data_layout=\"NCHW\">(x)",
	  "QuantAvgPool2d=0 AveragePool=1" },
	{ "QuantAvgPool2d, channels last", "(float[1,4,4,2]:UINT4 x) => (y)", "",
	  "y = qonnx.QuantAvgPool2d<kernel=3,stride=1,ibits=4,obits=3,signed=0,data_layout=\"NHWC\">(x)",
	  "QuantAvgPool2d=0 AveragePool=1 Transpose=2" },
	{ "MaxPoolNHWC", "(float[1,4,4,2] x) => (y)", "",
	  "y = qonnx.MaxPoolNHWC<kernel_shape=[2,2],strides=[2,2],pads=[0,0,0,0]>(x)", "MaxPoolNHWC=0 MaxPool=1" },
	{ "Conv, channels last", "(float[1,4,4,2] x) => (y)", "float[1,2,2,2] w = {" EIGHT_NUMBERS "}",
	  "y = qonnx.custom_op.channels_last.Conv<kernel_shape=[2,2]>(x, w)", "Conv=1" },
	{ "XnorPopcountMatMul", "(float[1,4]:BINARY x) => (y)", "float[4,2] w = {1,0,0,1,1,1,0,0}",
	  "y = qonnx.XnorPopcountMatMul(x, w)", "XnorPopcountMatMul=0 MatMul=1" },
	{ "a weight", "(float[1,4] x) => (y)", "float[4,2] w = {" EIGHT_NUMBERS "}",
	  "q = qonnx.Quant" SIGNED "(w, half, zero, two) y = MatMul(x, q)", "Quant=0 MatMul=1 Div=0" },
};

static bool is_plain(const struct graph *g)
{
	graph_for_each_node (g, n)
		if (*n->domain)
			return false;
	return !graph_opset(g, DOMAIN_QONNX) && graph_opset(g, DOMAIN_ONNX) >= 13;
}

static void spells_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++) {
		struct graph *g = run_case(&spelled[i], "quant-to-onnx", 0);
		assert_true(is_plain(g));
		graph_free(g);
	}
}

/* What changed between opset 8 and 13 is rewritten; a network of quantisers shows it. */
static void raises_the_opset(void **state)
{
	(void)state;
	struct diags d = { 0 };
	const char *text =
		"<ir_version: 3, opset_import: [\"\" : 8, \"qonnx.custom_op.general\" : 1]>\n"
		"g (float[1,4,3] x) => (y) <float s = {0.3}, float z = {0}, float b = {4}> {\n"
		"q = qonnx.custom_op.general.Quant" SIGNED "(x, s, z, b)\n"
		"c = Clip<min=-0.7,max=1.5>(q)\n u = Unsqueeze<axes=[0]>(c)\n v = Squeeze<axes=[0]>(u)\n"
		"p = Pad<pads=[0,1,0,0,0,2],value=0.5>(v)\n t = Slice<starts=[1],ends=[4],axes=[1]>(p)\n"
		"r = ReduceSum<axes=[2],keepdims=1>(t)\n a = Add(r, t)\n i, j = Split<axis=1,split=[1,2]>(a)\n"
		"k = Softmax(j)\n y = Concat<axis=1>(k, i) }";
	struct graph *before = graph_parse(text, "test", &d), *after = graph_parse(text, "test", &d);
	assert_no_errors(&d);
	test_run(before, "infer");
	test_run(after, "quant-to-onnx");
	assert_true(graphs_differ(before, after) == 0);
	assert_true(is_plain(after));
	assert_true(after->ir_version >= 7);
	graph_for_each_node (after, n)
		assert_null(node_attr(n, "axes"));
	graph_free(before);
	graph_free(after);
}

static void refuses_what_onnx_lacks(void **state)
{
	static const struct pass_case hardware = {
		"hardware", "(float[1,4]:INT4 x) => (y)", "",
		"y = finn.custom_op.fpgadataflow.StreamingFIFO<depth=2,folded_shape=[1,4,1],dataType=\"INT4\">(x)", ""
	};
	static const struct pass_case divisor = { "Trunc at run time", "(float[1,4] x, float n) => (y)", "",
						  "y = qonnx.Trunc(x, one, zero, n, four)", "" };
	(void)state;
	case_fails(&hardware, "quant-to-onnx", "no form in plain ONNX");
	case_fails(&divisor, "quant-to-onnx", "computed at run time");
}

/* ---- quant-to-qcdq ---- */

static const struct pass_case linear[] = {
	{ "int8", "(float[1,8] x) => (y)", "", "y = qonnx.Quant" SIGNED "(x, tenth, zero, eight)",
	  "Quant=0 QuantizeLinear=1 Clip=0 DequantizeLinear=1" },
	{ "int4", "(float[1,8] x) => (y)", "", "y = qonnx.Quant" SIGNED "(x, third, zero, four)",
	  "QuantizeLinear=1 Clip=1 DequantizeLinear=1" },
	{ "narrow int8", "(float[1,8] x) => (y)", "", "y = qonnx.Quant" NARROW "(x, tenth, zero, eight)",
	  "QuantizeLinear=1 Clip=1 DequantizeLinear=1" },
	{ "uint2", "(float[1,8] x) => (y)", "", "y = qonnx.Quant" UNSIGNED "(x, third, zero, two)",
	  "QuantizeLinear=1 Clip=1 DequantizeLinear=1" },
	{ "even zero point", "(float[1,8] x) => (y)", "float z = {128}",
	  "y = qonnx.Quant" UNSIGNED "(x, eighth, z, eight)", "QuantizeLinear=1 Clip=0 DequantizeLinear=1" },
	{ "per channel", "(float[1,2,4] x) => (y)", "float[1,2,1] s = {0.1,0.7}",
	  "y = qonnx.Quant" SIGNED "(x, s, zero, four)", "QuantizeLinear=1 DequantizeLinear=1" },
	{ "a weight of one bit", "(float[1,4] x) => (y)", "float[4,2] w = {" EIGHT_NUMBERS "}",
	  "q = qonnx.BipolarQuant(w, third) y = MatMul(x, q)", "BipolarQuant=0 QuantizeLinear=0 DequantizeLinear=1" },
	{ "a weight per channel, rounded down", "(float[1,4] x) => (y)",
	  "float[4,2] w = {" EIGHT_NUMBERS "}, float[1,2] s = {0.3,0.7}",
	  "q = qonnx.Quant" ROUNDING("FLOOR") "(w, s, zero, three) y = MatMul(x, q)",
	  "Quant=0 QuantizeLinear=0 DequantizeLinear=1" },
};

static void becomes_linear(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof linear / sizeof *linear; i++) {
		struct graph *g = run_case(&linear[i], "quant-to-qcdq", 0);
		assert_true(is_plain(g));
		test_run(g, "qcdq-to-quant"); /* and back */
		assert_int_equal(test_count(g, "QuantizeLinear") + test_count(g, "DequantizeLinear"), 0);
		struct graph *before = case_graph(&linear[i]);
		test_run(before, "infer");
		assert_true(graphs_differ(before, g) == 0);
		graph_free(before);
		graph_free(g);
	}
}

static void names_what_linear_lacks(void **state)
{
	static const struct {
		struct pass_case c;
		const char *said;
	} cases[] = {
		{ { "rounding", "(float[1,8] x) => (y)", "",
		    "y = qonnx.Quant" ROUNDING("FLOOR") "(x, half, zero, four)", "" },
		  "rounds half to even only" },
		{ { "width", "(float[1,8] x) => (y)", "float b = {9}", "y = qonnx.Quant" SIGNED "(x, half, zero, b)",
		    "" },
		  "more than 8 bits" },
		{ { "zero point", "(float[1,8] x) => (y)", "", "y = qonnx.Quant" SIGNED "(x, half, half, four)", "" },
		  "zero point that is not an integer" },
		{ { "bipolar", "(float[1,8] x) => (y)", "", "y = qonnx.BipolarQuant(x, half)", "" }, "without 0" },
		{ { "one signed bit", "(float[1,8] x) => (y)", "", "y = qonnx.Quant" SIGNED "(x, half, zero, one)",
		    "" },
		  "without 0" },
		{ { "fraction", "(float[1,8] x) => (y)", "float b = {3.5}",
		    "y = qonnx.Quant" SIGNED "(x, half, zero, b)", "" },
		  "fractional bit width" },
		{ { "thresholds", "(float[1,8] x) => (y)", "float[1,2] t = {0,1}",
		    "y = qonnx.MultiThreshold<out_dtype=\"UINT2\">(x, t)", "" },
		  "no such quantiser" },
		{ { "scale", "(float[1,8] x, float s) => (y)", "", "y = qonnx.Quant" SIGNED "(x, s, zero, four)", "" },
		  "computed at run time" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		case_fails(&cases[i].c, "quant-to-qcdq", cases[i].said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spells_out),
		cmocka_unit_test(raises_the_opset),
		cmocka_unit_test(refuses_what_onnx_lacks),
		cmocka_unit_test(becomes_linear),
		cmocka_unit_test(names_what_linear_lacks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

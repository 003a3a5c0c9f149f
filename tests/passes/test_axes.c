/* Axes: parameters along any of them, what joins elements along some, and what lower-convs makes of both. Each case gives
 * the same before and after. */
#include "passes.h"

#include "passes/certify.h"

#define TOKENS "(float[1,4,4] x) => (y)"
#define IMAGE "(float[1,4,4,4] x) => (y)"
#define IN "i = qonnx.Quant" SIGNED "(x, half, zero, four) "
#define OUT(v) "y = qonnx.Quant" SIGNED "(" v ", half, zero, four)"
#define FOUR "1,-2,0.5,3"
#define SCALES "0.25,1,0.5,2"
#define PIXELS "float[4,4,1,1] w = {1,-2,0,1, 2,1,-1,0, 0,1,1,-2, -1,0,2,1}"
#define CONV "q = qonnx.Quant" SIGNED "(w, one, zero, four) c = Conv(i, q) "

/* All axes of these have length 4, so that a wrong one would go unseen by shape alone. */
static const struct pass_case any_axis[] = {
	{ "rows", IMAGE, "float[4,1] p = {" FOUR "}", IN "a = Add(i, p) " OUT("a"), "MultiThreshold=2 Quant=0" },
	{ "columns", IMAGE, "float[4] p = {" FOUR "}", IN "a = Add(i, p) " OUT("a"), "MultiThreshold=2 Quant=0" },
	{ "channels", IMAGE, "float[4,1,1] p = {" FOUR "}", IN "a = Add(i, p) " OUT("a"), "MultiThreshold=2 Quant=0" },
	{ "rows, of both signs", IMAGE, "float[4,1] p = {" FOUR "}", IN "a = Mul(i, p) " OUT("a"), "Quant=0" },
	{ "rows and columns", IMAGE, "float[4,1] p = {" FOUR "}, float[4] r = {" SCALES "}",
	  IN "a = Add(i, p) b = Mul(a, r) " OUT("b"), "" },
	{ "a quantiser's scales along rows", IMAGE, "float[1,1,4,1] s = {" SCALES "}",
	  IN "y = qonnx.Quant" SIGNED "(i, s, zero, four)", "MultiThreshold=2 Quant=0" },
	{ "tokens", TOKENS, "float[4,1] p = {" FOUR "}", IN "a = Add(i, p) " OUT("a"), "MultiThreshold=2 Quant=0" },
	{ "features of tokens", TOKENS, "float[4] p = {" FOUR "}", IN "a = Add(i, p) " OUT("a"),
	  "MultiThreshold=2 Quant=0" },
	{ "rows behind a convolution", IMAGE, PIXELS ", float[4,1] p = {" FOUR "}", IN CONV "a = Add(c, p) " OUT("a"),
	  "MultiThreshold=2 Quant=0" },
};

static const struct pass_case joined_axes[] = {
	{ "columns, maximum", IMAGE, "float[4] s = {" SCALES "}",
	  IN "a = Mul(i, s) p = MaxPool<kernel_shape=[2,2]>(a) " OUT("p"), "" },
	{ "channels, maximum", IMAGE, "float[4,1,1] s = {" SCALES "}",
	  IN "a = Mul(i, s) p = MaxPool<kernel_shape=[2,2]>(a) " OUT("p"), "Mul=1" },
	{ "columns, average", IMAGE, "float[4] s = {" SCALES "}",
	  IN "a = Mul(i, s) p = AveragePool<kernel_shape=[2,2]>(a) " OUT("p"), "" },
	{ "columns, global average", IMAGE, "float[4] s = {" SCALES "}",
	  IN "a = Mul(i, s) p = GlobalAveragePool(a) " OUT("p"), "" },
	{ "rows, sum over columns", IMAGE, "float[4,1] s = {" SCALES "}, int64[1] axes = {3}",
	  IN "a = Mul(i, s) p = ReduceSum<keepdims=0>(a, axes) " OUT("p"), "Mul=1" },
	{ "rows, sum over rows", IMAGE, "float[4,1] s = {" SCALES "}, int64[1] axes = {2}",
	  IN "a = Mul(i, s) p = ReduceSum(a, axes) " OUT("p"), "" },
	{ "channels of both signs, maximum", IMAGE, PIXELS ", float[4,1,1] s = {" FOUR "}",
	  IN CONV "a = Mul(c, s) r = Relu(a) p = MaxPool<kernel_shape=[2,2]>(r) " OUT("p"),
	  "Conv=1 MaxPool=1 Mul=1 Quant=0" },
};

#define RESIZE(name, modes)                                                                 \
	{                                                                                   \
		name, IMAGE, PIXELS ", float[4] f = {1,1,2,2}",                             \
			IN CONV "m = qonnx.Quant" SIGNED "(c, half, zero, four) "           \
				"r = Resize<mode=\"nearest\"," modes ">(m, , f) " OUT("r"), \
			"MatMul=1 Conv=0"                                                   \
	}
#define REDUCED(name, list, count, keep)                                                                      \
	{                                                                                                     \
		name, IMAGE, PIXELS ", int64[" count "] axes = {" list "}",                                   \
			IN CONV "m = qonnx.Quant" SIGNED "(c, half, zero, four) r = ReduceSum<keepdims=" keep \
				">(m, axes) " OUT("r"),                                                       \
			"MatMul=1 Conv=0"                                                                     \
	}
static const struct pass_case lowered[] = {
	RESIZE("floor", "coordinate_transformation_mode=\"asymmetric\",nearest_mode=\"floor\""),
	RESIZE("ceil", "coordinate_transformation_mode=\"asymmetric\",nearest_mode=\"ceil\""),
	RESIZE("half pixel", "coordinate_transformation_mode=\"half_pixel\",nearest_mode=\"round_prefer_floor\""),
	RESIZE("corners", "coordinate_transformation_mode=\"align_corners\",nearest_mode=\"round_prefer_ceil\""),
	REDUCED("channels", "1", "1", "1"),
	REDUCED("rows", "2", "1", "1"),
	REDUCED("columns", "3", "1", "1"),
	REDUCED("channels and rows", "1,2", "2", "1"),
	REDUCED("pixels", "2,3", "2", "1"),
	REDUCED("pixels, dropped", "2,3", "2", "0"),
	REDUCED("channels and rows, dropped", "1,2", "2", "0"),
	REDUCED("rows, dropped", "2", "1", "0"),
	{ "grouped ConvTranspose", IMAGE,
	  "float[4,2,2,2] w = {1,-2,0,1,2,1,-1,0,0,1,1,-2,-1,0,2,1,1,1,0,2,-1,2,1,0,"
	  "2,0,-2,1,0,1,1,-1}",
	  IN "q = qonnx.Quant" SIGNED "(w, one, zero, four) "
	     "c = ConvTranspose<group=2,kernel_shape=[2,2],strides=[2,2]>(i, q) " OUT("c"),
	  "MatMul=1 ConvTranspose=0 FMPadding_Pixel=1" },
	{ "depthwise ConvTranspose", IMAGE, "float[4,1,2,2] w = {1,-2,0,1,2,1,-1,0,0,1,1,-2,-1,0,2,1}",
	  IN "q = qonnx.Quant" SIGNED "(w, one, zero, four) "
	     "c = ConvTranspose<group=4,kernel_shape=[2,2],strides=[2,2]>(i, q) " OUT("c"),
	  "MatMul=1 ConvTranspose=0 FMPadding_Pixel=1" },
};

static void run_cases(const struct pass_case *cases, size_t count, const char *passes)
{
	for (size_t i = 0; i < count; i++)
		graph_free(run_case(&cases[i], passes, 0));
}

#define RUN(cases, passes) run_cases(cases, sizeof cases / sizeof *cases, passes)

static void parameters_lie_along_any_axis(void **state)
{
	(void)state;
	RUN(any_axis, "streamline");
	RUN(any_axis, "streamline,lower-convs");
}

static void scales_stay_before_what_joins_them(void **state)
{
	(void)state;
	RUN(joined_axes, "streamline");
}

static void lowering_keeps_axes(void **state)
{
	(void)state;
	RUN(lowered, "streamline,lower-convs");
}

/* ---- certificates ---- */

/* Thresholds of an image's rows, the first integers x with x + p > 0, certified under a layout. */
static int certify_rows(const char *layout, struct diags *d)
{
	struct graph *g = test_graph(
		"rows (float[1,4,4,4]:INT4 x) => (y) <float[4,1] p = {" FOUR "}, float[4,1] t = {0,3,0,-2}, "
		"float one = {1}, float zero = {0}, float bits = {1}> "
		"{ a = Add(x, p) y = qonnx.Quant<signed=0,narrow=0,rounding_mode=\"CEIL\">(a, one, zero, bits) "
		"z = qonnx.MultiThreshold<data_layout=\"NHCW\",out_dtype=\"BINARY\">(x, t) }");
	test_run(g, "infer");
	struct node *add = g->first, *quant = add->next, *mt = quant->next;
	struct chain chain;
	struct quant_grid grid;
	const char *reason;
	double sign[4] = { 1, 1, 1, 1 };
	node_set_string(mt, "data_layout", layout);
	chain_of(node_input(quant, 0), &chain);
	chain_push(&chain, quant);
	assert_true(quant_grid_of(quant, &grid, &reason));
	struct certificates made = { 0 };
	struct claim claim = { .chain = &chain,
			       .grid = &grid,
			       .sign = sign,
			       .lo = -8,
			       .hi = 7,
			       .root_lo = -8,
			       .root_hi = 7,
			       .up = mt,
			       .result = mt->outputs[0] };
	int status = certify(&claim, &made, d);
	certificates_free(&made);
	chain_free(&chain);
	graph_free(g);
	return status;
}

static void certificates_cover_the_axis(void **state)
{
	(void)state;
	struct diags d = { 0 };
	assert_int_equal(certify_rows("NHCW", &d), 0);
	assert_no_errors(&d);
	assert_int_not_equal(certify_rows("NCHW", &d), 0);
	assert_true(d.errors > 0);
	diags_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_lie_along_any_axis),
		cmocka_unit_test(scales_stay_before_what_joins_them),
		cmocka_unit_test(lowering_keeps_axes),
		cmocka_unit_test(certificates_cover_the_axis),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Parts of values, zeros around them, and reductions, as hardware layers: each case gives the same before and after, the last
 * with the message that names the reason. All axes have different lengths. */
#include "passes.h"

#include "hw/kind.h"
#include "passes/box.h"

#define IMAGE "(float[1,4,6,8] x) => (y)"
#define SIGNAL "(float[1,4,8] x) => (y)"
#define TOKENS "(float[1,6,4] x) => (y)"
#define QUANT(v) "qonnx.Quant" SIGNED "(" v ", half, zero, four) "
#define IN "i = " QUANT("x")
#define PIXELS "float[4,4,1,1] w = {1,-2,0,1, 2,1,-1,0, 0,1,1,-2, -1,0,2,1}"
#define TAPS "float[4,4,1] w = {1,-2,0,1, 2,1,-1,0, 0,1,1,-2, -1,0,2,1}"
#define SQUARE "float[4,4] w = {1,-2,0,1, 2,1,-1,0, 0,1,1,-2, -1,0,2,1}"
#define WEIGHTS "q = qonnx.Quant" SIGNED "(w, one, zero, four) "
#define FIRST IN WEIGHTS "c = Conv(i, q) m = " QUANT("c")
#define TOKEN_FIRST IN WEIGHTS "c = MatMul(i, q) m = " QUANT("c")
#define LAST(v) "y = " QUANT(v)

/* Slice of that axis between two convolutions of all channels, or quantisers. */
#define SLICED(name, from, to, axis, step, ops)                                                                   \
	{                                                                                                         \
		name, IMAGE,                                                                                      \
			PIXELS ", int64[1] from = {" from "}, int64[1] to = {" to "}, int64[1] axis = {" axis     \
			       "}, int64[1] step = {" step "}",                                                   \
			FIRST "s = Slice(m, from, to, axis, step) r = Add(s, quarter) " LAST("r"), "Slice=0 " ops \
	}
#define REDUCED(name, op, axes, count, keep, ops)                                                                   \
	{                                                                                                           \
		name, IMAGE, PIXELS ", int64[" count "] axes = {" axes "}",                                         \
			FIRST "s = " op "<keepdims=" keep ">(m, axes) r = Mul(s, quarter) " LAST("r"), op "=0 " ops \
	}

static const struct pass_case parts[] = {
	SLICED("channels", "1", "3", "1", "1", "Crop=1"),
	SLICED("rows", "2", "5", "2", "1", "Crop=1"),
	SLICED("columns from behind", "-5", "-1", "3", "1", "Crop=1"),
	SLICED("every other row", "0", "6", "2", "2", "Crop=1 DownSampler=1"),
	SLICED("every third column from the second", "1", "8", "3", "3", "Crop=1 ConvolutionInputGenerator=1"),
	{ "rows and columns", IMAGE, PIXELS ", int64[2] from = {1,2}, int64[2] to = {5,8}, int64[2] axis = {2,3}",
	  FIRST "s = Slice(m, from, to, axis) r = Add(s, quarter) " LAST("r"), "Slice=0 Crop=1" },
	{ "channels split", IMAGE, PIXELS ", int64[2] sizes = {1,3}",
	  FIRST "a, b = Split<axis=1>(m, sizes) e = Add(a, quarter) f = " QUANT("e") "g = Add(b, half) h = " QUANT(
		  "g") "y = Concat<axis=1>(h, f)",
	  "Split=0 StreamingSplit=1 StreamingConcat=1 Crop=0" },
	{ "rows split", IMAGE, PIXELS ", int64[2] sizes = {2,4}",
	  FIRST "a, b = Split<axis=2>(m, sizes) e = Add(a, quarter) f = " QUANT("e") "g = Add(b, half) h = " QUANT(
		  "g") "y = Concat<axis=2>(h, f)",
	  "Split=0 StreamingSplit=1 StreamingConcat=1" },
	{ "a part that nothing reads", IMAGE, PIXELS ", int64[2] sizes = {1,3}",
	  FIRST "a, b = Split<axis=1>(m, sizes) r = Add(b, quarter) " LAST("r"), "Split=0 StreamingSplit=0 Crop=1" },
	{ "zeros around pixels", IMAGE, PIXELS ", int64[8] pads = {0,0,1,2,0,0,0,3}",
	  FIRST "s = Pad(m, pads) r = MaxPool<kernel_shape=[2,2]>(s) " LAST("r"), "Pad=0 FMPadding=1" },
	{ "zeros around channels", IMAGE, PIXELS ", int64[8] pads = {0,2,0,0,0,4,0,0}",
	  FIRST "s = Pad(m, pads) r = Add(s, quarter) " LAST("r"), "Pad=0 FMPadding=1" },
	{ "zeros in front, less behind", IMAGE, PIXELS ", int64[8] pads = {0,0,1,0,0,0,-2,0}",
	  FIRST "s = Pad(m, pads) r = Add(s, quarter) " LAST("r"), "Pad=0 FMPadding=1 Crop=1" },
	{ "zeros around bipolar numbers", IMAGE, PIXELS ", int64[8] pads = {0,0,1,0,0,0,0,1}",
	  IN WEIGHTS
	  "c = Conv(i, q) m = qonnx.BipolarQuant(c, one) s = Pad(m, pads) r = MaxPool<kernel_shape=[2,2]>(s) " LAST(
		  "r"),
	  "Pad=0 FMPadding=1" },
	{ "one token", TOKENS, SQUARE ", int64 at = {2}",
	  TOKEN_FIRST "s = Gather<axis=1>(m, at) r = MatMul(s, q) " LAST("r"), "Gather=0 Crop=1" },
	{ "some tokens", TOKENS, SQUARE ", int64[3] at = {2,3,4}",
	  TOKEN_FIRST "s = Gather<axis=1>(m, at) r = MatMul(s, q) " LAST("r"), "Gather=0 Crop=1" },
};

static const struct pass_case reductions[] = {
	REDUCED("sums of pixels", "ReduceSum", "2,3", "2", "1", "GlobalAccPool=1"),
	REDUCED("sums of pixels, dropped", "ReduceSum", "2,3", "2", "0", "GlobalAccPool=1"),
	REDUCED("sums of rows", "ReduceSum", "2", "1", "1", "GlobalAccPool=1"),
	REDUCED("sums of columns", "ReduceSum", "3", "1", "1", "VVAU=1"),
	REDUCED("sums of channels", "ReduceSum", "1", "1", "1", "MVAU=2"),
	REDUCED("sums of columns and channels", "ReduceSum", "1,3", "2", "1", "MVAU=2"),
	{ "sums of tokens", TOKENS, SQUARE ", int64[1] axes = {1}",
	  TOKEN_FIRST "s = ReduceSum<keepdims=0>(m, axes) r = MatMul(s, q) " LAST("r"), "GlobalAccPool=1" },
	{ "means of a signal", SIGNAL, TAPS, FIRST "s = GlobalAveragePool(m) f = Flatten(s) " LAST("f"),
	  "GlobalAccPool=1" },
	{ "largest pixels", IMAGE, PIXELS, FIRST "s = GlobalMaxPool(m) " LAST("s"), "StreamingMaxPool=1" },
	{ "largest pixels, by axes", IMAGE, PIXELS, FIRST "s = ReduceMax<axes=[2,3],keepdims=1>(m) " LAST("s"),
	  "StreamingMaxPool=1" },
	{ "largest rows", IMAGE, PIXELS, FIRST "s = ReduceMax<axes=[2],keepdims=1>(m) " LAST("s"),
	  "StreamingMaxPool=1" },
};

static const struct pass_case turned[] = {
	{ "a signal turned and flattened", SIGNAL,
	  TAPS ", float[32,1] v = {1,0,-1,2,1,-2,1,0,1,1,1,-1,0,2,-1,1,2,-1,0,1,-2,1,1,0,1,0,-1,1,2,1,-1,0}",
	  FIRST "t = Transpose<perm=[0,2,1]>(m) f = Flatten(t) u = qonnx.Quant" SIGNED
		"(v, one, zero, four) y = MatMul(f, u)",
	  "Transpose=1 MVAU=2" },
	{ "a signal turned for a product", SIGNAL, TAPS ", float[4,2] v = {1,-1,2,0,1,1,-1,0}",
	  FIRST "t = Transpose<perm=[0,2,1]>(m) u = qonnx.Quant" SIGNED "(v, one, zero, four) y = MatMul(t, u)",
	  "Transpose=1 MVAU=2" },
	{ "rows become channels", IMAGE, PIXELS ", float[2,6,1,1] v = {1,-1,2,0,1,1, -1,0,2,1,-2,1}",
	  FIRST "t = Transpose<perm=[0,2,1,3]>(m) u = qonnx.Quant" SIGNED
		"(v, one, zero, four) d = Conv(t, u) " LAST("d"),
	  "Shuffle=1 MVAU=2" },
	{ "thresholds along rows", IMAGE, PIXELS ", float[6,1] rows = {0,0.5,1,-0.5,-1,2}",
	  FIRST "r = Add(m, rows) n = " QUANT("r") "d = Conv(n, q) " LAST("d"), "Shuffle=2 Thresholding=1 MVAU=2" },
	{ "heads that are turned", TOKENS, SQUARE ", int64[4] heads = {0,0,2,2}, float[2,1] v = {1,-2}",
	  IN WEIGHTS "c = MatMul(i, q) h = Reshape(c, heads) t = Transpose<perm=[0,2,1,3]>(h) n = " QUANT(
		  "t") "u = qonnx.Quant" SIGNED "(v, one, zero, four) y = MatMul(n, u)",
	  "Transpose=0 Thresholding=1 MVAU=2" },
	{ "tokens turned for a convolution", TOKENS,
	  "float[4,4,1] w = {1,-2,0,1, 2,1,-1,0, 0,1,1,-2, -1,0,2,1}, float[4,4] v = {1,-2,0,1, 2,1,-1,0, 0,1,1,-2, -1,0,2,1}",
	  IN "u = qonnx.Quant" SIGNED "(v, one, zero, four) c = MatMul(i, u) m = " QUANT(
		  "c") "t = Transpose<perm=[0,2,1]>(m) " WEIGHTS "d = Conv(t, q) " LAST("d"),
	  "Transpose=1 MVAU=2" },
};

/* The layers say of their streams what the values say that they are. */
static void assert_types_fit(const struct graph *g)
{
	for (const struct node *n = g->first; n; n = n->next) {
		struct hw_layer l;
		struct diags d = { 0 };
		if (!hw_kind_of(n))
			continue;
		assert_int_equal(hw_layer_read(n, &l, &d), 0);
		assert_int_equal(l.in_bits, datatype_bits(node_input(n, 0)->datatype));
		assert_int_equal(l.out_bits, datatype_bits(node_output(n, 0)->datatype));
		diags_free(&d);
	}
}

static void run_cases(const struct pass_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct graph *g = run_case(&cases[i], "streamline,lower-convs,to-hw", 0);
		assert_types_fit(g);
		graph_free(g);
		graph_free(run_case(&cases[i], "streamline,fold(target_cycles=2000)", 0));
	}
}

#define RUN(cases) run_cases(cases, sizeof cases / sizeof *cases)

static void parts_are_layers(void **state)
{
	(void)state;
	RUN(parts);
}

static void reductions_are_layers(void **state)
{
	(void)state;
	RUN(reductions);
}

static void signals_turn(void **state)
{
	(void)state;
	RUN(turned);
}

static void reasons_are_named(void **state)
{
	static const struct pass_case backwards = {
		"backwards", IMAGE,
		PIXELS ", int64[1] from = {5}, int64[1] to = {-9}, int64[1] axis = {2}, int64[1] step = {-1}",
		FIRST "s = Slice(m, from, to, axis, step) r = Conv(s, q) " LAST("r"), ""
	};
	static const struct pass_case ones = { "ones around", IMAGE, PIXELS ", int64[8] pads = {0,0,1,1,0,0,1,1}",
					       FIRST "s = Pad(m, pads, one) r = Conv(s, q) " LAST("r"), "" };
	static const struct pass_case apart = {
		"axes apart", IMAGE, PIXELS ", int64[2] axes = {1,2}",
		FIRST "s = ReduceSum(m, axes) r = Conv(i, q) n = " QUANT("s") "o = " QUANT("r") "y = Mul(n, o)", ""
	};
	(void)state;
	case_fails(&backwards, "streamline,lower-convs,to-hw", "takes elements in another order");
	case_fails(&ones, "streamline,lower-convs,to-hw", "pads with other values than 0");
	case_fails(&apart, "streamline,lower-convs,to-hw", "do not lie side by side");
}

/* A step of -1 over one element is a part like any other; a Gather of any indices is none. */
static void boxes(void **state)
{
	struct box b;
	struct graph *g = test_graph(
		"parts (float[4,6,8] x) => (a, c, e) <int64[1] from = {3}, int64[1] to = {2}, "
		"int64[1] axis = {1}, int64[1] back = {-1}, int64[3] at = {1,4,7}, int64[3] any = {1,4,6}> "
		"{ a = Slice(x, from, to, axis, back) c = Gather<axis=2>(x, at) e = Gather<axis=2>(x, any) }");
	(void)state;
	test_run(g, "infer");
	boxes_of(g->first, &b);
	assert_true(b.rank > 0);
	assert_int_equal(b.before[1], -3);
	assert_int_equal(b.after[1], -2);
	assert_true(!box_changes(&b, 0) && !box_changes(&b, 2));
	boxes_of(g->first->next, &b);
	assert_true(b.rank > 0);
	assert_int_equal(b.step[2], 3);
	assert_int_equal(b.before[2], -1);
	assert_int_equal(b.after[2], 0);
	boxes_of(g->last, &b);
	assert_false(b.rank > 0);
	graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_layers),
		cmocka_unit_test(reductions_are_layers),
		cmocka_unit_test(signals_turn),
		cmocka_unit_test(reasons_are_named),
		cmocka_unit_test(boxes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

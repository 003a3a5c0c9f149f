/* streamline: whatever stands between two quantisers becomes integer products and thresholds. */
#include "passes.h"

#include "passes/certify.h"

#define X "(float[1,4] x) => (y)"
#define IN "i = qonnx.Quant" SIGNED "(x, half, zero, four) "
#define OUT(v) "y = qonnx.Quant" SIGNED "(" v ", third, zero, four)"
#define W44 "float[4,4] w = {1,-2,0.5,0,1.5,2,-1,1,0,-0.5,1,-1,2,1.5,-2,0.5}"
#define WEIGHTS "q = qonnx.Quant" SIGNED "(w, half, zero, four) "
#define LAYER IN WEIGHTS "m = MatMul(i, q) "
#define DENSE(name, more, chain, last)                                                            \
	{                                                                                         \
		name, X, W44 more, LAYER chain " " OUT(last), "MatMul=1 MultiThreshold=2 Quant=0" \
	}

/* ---- chains between the product and the quantiser ---- */

static const struct pass_case chains[] = {
	DENSE("nothing", "", "", "m"),
	DENSE("bias", ", float[4] c = {0.3,-0.7,1.1,0}", "a = Add(m, c)", "a"),
	DENSE("Sub and Div", ", float[4] c = {0.3,-0.7,1.1,0}, float d = {1.7}", "a = Sub(m, c) b = Div(a, d)", "b"),
	DENSE("Relu", "", "a = Relu(m)", "a"),
	DENSE("LeakyRelu", "", "a = LeakyRelu<alpha=0.1>(m)", "a"),
	DENSE("Sigmoid", "", "a = Sigmoid(m)", "a"),
	DENSE("Elu", "", "a = Elu(m)", "a"),
	DENSE("a chain of them", "", "a = Mul(m, third) b = Elu(a) c = Add(b, half) d = Sigmoid(c) e = Mul(d, four)",
	      "e"),
	DENSE("BatchNorm",
	      ", float[4] g = {0.5,1,1.5,2}, float[4] c = {0.1,-0.2,0.3,0}, float[4] u = {1,-1,0.5,0}, "
	      "float[4] v = {1,2,0.5,4}",
	      "a = BatchNormalization(m, g, c, u, v)", "a"),
	DENSE("BatchNorm, negative scales",
	      ", float[4] g = {-0.5,1,-1.5,2}, float[4] c = {0.1,-0.2,0.3,0}, "
	      "float[4] u = {1,-1,0.5,0}, float[4] v = {1,2,0.5,4}",
	      "a = BatchNormalization(m, g, c, u, v)", "a"),
	DENSE("BatchNorm, a scale of 0",
	      ", float[4] g = {-0.5,0,-1.5,2}, float[4] c = {0.1,-0.2,0.3,0}, "
	      "float[4] u = {1,-1,0.5,0}, float[4] v = {1,2,0.5,4}",
	      "a = BatchNormalization(m, g, c, u, v)", "a"),
	DENSE("negative", "", "a = Neg(m)", "a"),
};

/* No product of floats, no quantiser but thresholds of integers, behind the first one. */
static bool is_integer_inside(const struct graph *g)
{
	graph_for_each_node (g, n) {
		bool product = n->op == &op_MatMul || n->op == &op_Conv || n->op == &op_ConvTranspose;
		if (product && !datatype_is_integer(n->outputs[0]->datatype))
			return false;
		if (n->op == &op_MultiThreshold && !datatype_is_integer(n->outputs[0]->datatype))
			return false;
	}
	return true;
}

/* A threshold decides the same, or it is off by a level: outputs are far apart or a rounding error. */
static void streamlines(const struct pass_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct graph *g = run_case(&cases[i], "streamline", 1e-6);
		if (!is_integer_inside(g)) {
			fprintf(stderr, "case '%s': floats inside\n", cases[i].what);
			print_graph(g);
		}
		assert_true(is_integer_inside(g));
		graph_free(g);
	}
}

#define RUN(cases) streamlines(cases, sizeof cases / sizeof *cases)

/* A region that Resize fills with a number brings in an element that is not under its input's scale. */
static void filled_regions_stay_behind_scales(void **state)
{
#define REGION "float[8] r = {0,0,-0.5,-0.5,1,1,1.5,1.5}, int64[4] sizes = {1,2,4,4}, float[1,2,1,1] c = {0.5,0.25}"
#define FILLED \
	"y = Resize<mode=\"nearest\",extrapolation_value=3.0,coordinate_transformation_mode=\"tf_crop_and_resize\">(i, r, , sizes)"
	static const struct pass_case cases[] = {
		{ "one scale", "(float[1,2,4,4] x) => (y)", REGION,
		  "i = qonnx.Quant" SIGNED "(x, half, zero, four) " FILLED, "Resize=1" },
		{ "scales of channels", "(float[1,2,4,4] x) => (y)", REGION,
		  "i = qonnx.Quant" SIGNED "(x, c, zero, four) " FILLED, "Resize=1" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		graph_free(run_case(&cases[i], "streamline", 0));
}

/* Normalisation that learns is no scale and bias: its further outputs are the network's. */
static void normalisation_that_learns_stays(void **state)
{
	static const struct pass_case cases[] = {
		{ "training", "(float[4,2] x) => (float[4,2] y, float[2] m, float[2] v)", "float[2] p = {1,2}",
		  "y, m, v = BatchNormalization<training_mode=1>(x, p, p, p, p)", "BatchNormalization=1" },
	};
	(void)state;
	RUN(cases);
}

static void chains_become_thresholds(void **state)
{
	(void)state;
	RUN(chains);
}

#define ROUNDED(mode)                                                                         \
	{                                                                                     \
		mode, X, W44, LAYER "y = qonnx.Quant" ROUNDING(mode) "(m, half, zero, four)", \
			"MatMul=1 MultiThreshold=2 Quant=0"                                   \
	}

/* Accumulators are multiples of a quarter: with scale 1/2 every second one is a tie. */
static const struct pass_case roundings[] = {
	ROUNDED("ROUND"), ROUNDED("CEIL"),    ROUNDED("FLOOR"),	    ROUNDED("UP"),
	ROUNDED("DOWN"),  ROUNDED("HALF_UP"), ROUNDED("HALF_DOWN"), ROUNDED("ROUND_TO_ZERO"),
};

static void rounding_modes_are_honoured(void **state)
{
	(void)state;
	RUN(roundings);
}

/* ---- what is not monotone ---- */

static const struct pass_case bends[] = {
	{ "Abs", X, W44, LAYER "a = Abs(m) " OUT("a"), "MatMul=1 MultiThreshold=3 Sub=1 Quant=0 Abs=0" },
	{ "square", X, W44, LAYER "a = Mul(m, m) " OUT("a"), "MatMul=1 Quant=0" },
	{ "HardSwish", X, W44, LAYER "a = HardSwish(m) " OUT("a"), "MatMul=1 MultiThreshold=3 Sub=1 Quant=0" },
	{ "Abs of a difference", X, W44, LAYER "s = Sub(m, two) a = Abs(s) b = Neg(a) " OUT("b"),
	  "MatMul=1 MultiThreshold=3 Sub=1 Quant=0" },
	{ "paths that meet: SiLU", X, W44 ", float[4] c = {0.3,-0.7,1.1,0}",
	  LAYER "b = Add(m, c) s = Sigmoid(b) a = Mul(b, s) " OUT("a"), "MatMul=1 Quant=0 Sigmoid=0 Mul=1" },
	{ "paths that meet: Softsign", X, W44,
	  LAYER "b = Mul(m, third) s = Abs(b) t = Add(s, one) a = Div(b, t) " OUT("a"),
	  "MatMul=1 MultiThreshold=2 Quant=0 Div=0" },
	{ "SiLU of millions of integers", X,
	  "float[4,1] w = {1000,-100,20,3}, float fine = {0.001953125}, float twelve = {12}",
	  "i = qonnx.Quant" SIGNED "(x, fine, zero, twelve) q = qonnx.Quant" SIGNED
	  "(w, one, zero, twelve) m = MatMul(i, q) "
	  "b = Mul(m, fine) s = Sigmoid(b) a = Mul(b, s) " OUT("a"),
	  "MatMul=1 MultiThreshold=3 Sub=1 Quant=0 Sigmoid=0" },
	{ "paths that meet twice: Mish", X, W44,
	  LAYER "b = Mul(m, third) e = Softplus(b) t = Tanh(e) a = Mul(b, t) "
		"h = Max(a, b) " OUT("h"),
	  "MatMul=1 Quant=0 Tanh=0" },
};

static void bends_become_differences(void **state)
{
	(void)state;
	RUN(bends);
}

/* ---- scales of weights and activations ---- */

/* Scales before the product are binary fractions: with others the float sums of the original are rounded, and where
 * that makes or breaks a tie the integers, which are exact, decide otherwise. */
static const struct pass_case scales[] = {
	{ "weights per output channel", X, W44 ", float[1,4] s = {0.5,0.375,0.75,0.125}",
	  IN "q = qonnx.Quant" SIGNED "(w, s, zero, four) m = MatMul(i, q) " OUT("m"),
	  "MatMul=1 MultiThreshold=2 Mul=1" },
	{ "activation with zero point", X, W44,
	  "i = qonnx.Quant" UNSIGNED "(x, half, three, four) " WEIGHTS "m = MatMul(i, q) " OUT("m"),
	  "MatMul=1 MultiThreshold=2 Quant=0" },
	{ "output with zero point", X, W44, LAYER "y = qonnx.Quant" UNSIGNED "(m, third, three, four)",
	  "MatMul=1 MultiThreshold=2 Quant=0" },
	{ "bipolar", X, W44,
	  "i = qonnx.BipolarQuant(x, half) q = qonnx.BipolarQuant(w, half) m = MatMul(i, q) "
	  "y = qonnx.BipolarQuant(m, tenth)",
	  "MatMul=1 MultiThreshold=2 BipolarQuant=0" },
	{ "weights shared by two layers", X, W44,
	  LAYER "r = qonnx.Quant" UNSIGNED "(m, half, zero, three) "
		"n = MatMul(r, q) " OUT("n"),
	  "MatMul=2 MultiThreshold=3 Quant=0" },
	{ "zero points of weights per channel", X,
	  W44 ", float[1,4] z = {1,0,-1,2}, float[1,4] s = {0.5,0.375,0.75,0.125}",
	  IN "q = qonnx.Quant" SIGNED "(w, s, z, four) m = MatMul(i, q) " OUT("m"),
	  "MatMul=1 MultiThreshold=2 Quant=0" },
	{ "Gemm", X, W44 ", float[4] c = {0.3,-0.7,1.1,0}",
	  IN WEIGHTS "m = Gemm<alpha=0.5,transB=1>(i, q, c) " OUT("m"), "Gemm=0 MatMul=1 MultiThreshold=2 Quant=0" },
	{ "declared input", "(float[1,4]:INT4 x) => (y)", W44, WEIGHTS "m = MatMul(x, q) " OUT("m"),
	  "MatMul=1 MultiThreshold=1 Quant=0" },
	{ "QuantizeLinear", X, W44 ", uint8 z = {113}, int8 n = {0}",
	  "l = QuantizeLinear(x, quarter, z) i = DequantizeLinear(l, quarter, z) " WEIGHTS "m = MatMul(i, q) "
	  "k = QuantizeLinear(m, third, n) y = DequantizeLinear(k, third, n)",
	  "MatMul=1 MultiThreshold=2 Quant=0" },
};

static void scales_go(void **state)
{
	(void)state;
	RUN(scales);
}

/* ---- images ---- */

#define IMAGE "(float[1,2,4,4] x) => (y)"
#define W22 "float[2,2,2,2] w = {1,-2,0.5,0,1.5,2,-1,1,0,-0.5,1,-1,2,1.5,-2,0.5}"
#define CONV "m = Conv<kernel_shape=[2,2]>(i, q) "

static const struct pass_case images[] = {
	{ "Conv", IMAGE, W22, IN WEIGHTS CONV OUT("m"), "Conv=1 MultiThreshold=2 Quant=0" },
	{ "Conv, padded", IMAGE, W22, IN WEIGHTS "m = Conv<kernel_shape=[2,2],pads=[1,1,1,1]>(i, q) " OUT("m"),
	  "Conv=1 MultiThreshold=2 Quant=0" },
	{ "Conv, bias", IMAGE, W22 ", float[2] c = {0.3,-0.7}",
	  IN WEIGHTS "m = Conv<kernel_shape=[2,2]>(i, q, c) " OUT("m"), "Conv=1 MultiThreshold=2 Quant=0" },
	{ "Conv, depthwise", IMAGE, "float[2,1,2,2] w = {" EIGHT_NUMBERS "}, float[2,1,1,1] s = {0.5,0.375}",
	  IN "q = qonnx.Quant" SIGNED "(w, s, zero, three) m = Conv<kernel_shape=[2,2],group=2>(i, q) " OUT("m"),
	  "Conv=1 MultiThreshold=2 Quant=0" },
	{ "ConvTranspose", IMAGE, W22, IN WEIGHTS "m = ConvTranspose<kernel_shape=[2,2],strides=[2,2]>(i, q) " OUT("m"),
	  "ConvTranspose=1 MultiThreshold=2 Quant=0" },
	{ "zero point, then padding", IMAGE, W22,
	  "i = qonnx.Quant" UNSIGNED "(x, half, three, four) " WEIGHTS
	  "m = Conv<kernel_shape=[2,2],pads=[1,1,1,1]>(i, q) " OUT("m"),
	  "Conv=1 MultiThreshold=2 Quant=0" },
	{ "Pad, zero point", IMAGE, W22 ", int64[8] p = {0,0,1,1,0,0,1,1}",
	  "i = qonnx.Quant" UNSIGNED "(x, half, three, four) j = Pad(i, p) " WEIGHTS
	  "m = Conv<kernel_shape=[2,2]>(j, q) " OUT("m"),
	  "Conv=1 MultiThreshold=2 Quant=0" },
	{ "Pad with a number", IMAGE, W22 ", int64[8] p = {0,0,1,1,0,0,1,1}",
	  IN "j = Pad(i, p, three) " WEIGHTS "m = Conv<kernel_shape=[2,2]>(j, q) " OUT("m"),
	  "Conv=1 MultiThreshold=2 Quant=0" },
	{ "Pad by reflection", IMAGE, W22 ", int64[8] p = {0,0,1,1,0,0,1,1}",
	  IN "j = Pad<mode=\"reflect\">(i, p) " WEIGHTS "m = Conv<kernel_shape=[2,2]>(j, q) " OUT("m"),
	  "Conv=1 MultiThreshold=2 Quant=0" },
	{ "MaxPool", IMAGE, W22, IN WEIGHTS CONV "p = MaxPool<kernel_shape=[2,2]>(m) " OUT("p"),
	  "Conv=1 MaxPool=1 MultiThreshold=2 Quant=0" },
	{ "BatchNorm, negative, Relu, MaxPool", IMAGE,
	  W22 ", float[2] g = {-0.5,1.5}, float[2] c = {0.1,-0.2}, "
	      "float[2] u = {1,-1}, float[2] v = {1,2}",
	  IN WEIGHTS CONV "n = BatchNormalization(m, g, c, u, v) r = Relu(n) "
			  "p = MaxPool<kernel_shape=[2,2]>(r) " OUT("p"),
	  "Conv=1 MaxPool=1 MultiThreshold=2 Quant=0" },
	{ "AveragePool", IMAGE, W22, IN "p = AveragePool<kernel_shape=[2,2],strides=[2,2]>(i) " OUT("p"),
	  "AveragePool=0 MultiThreshold=2 Quant=0" },
	{ "AveragePool without its padding", IMAGE, W22,
	  IN "p = AveragePool<kernel_shape=[3,2],strides=[2,1],pads=[1,1,0,1]>(i) " OUT("p"),
	  "AveragePool=0 Conv=1 MultiThreshold=2 Quant=0" },
	{ "AveragePool, the last window cut off", IMAGE, W22,
	  IN "p = AveragePool<kernel_shape=[3,3],strides=[2,2],ceil_mode=1>(i) " OUT("p"),
	  "AveragePool=0 Conv=1 MultiThreshold=2 Quant=0" },
	{ "GlobalAveragePool", IMAGE, W22,
	  IN WEIGHTS CONV "r = qonnx.Quant" UNSIGNED "(m, half, zero, four) "
			  "p = GlobalAveragePool(r) " OUT("p"),
	  "GlobalAveragePool=0 MultiThreshold=3 Quant=0" },
	{ "ReduceMean", IMAGE, W22 ", int64[2] axes = {2,3}", IN "p = ReduceMean<keepdims=0>(i, axes) " OUT("p"),
	  "ReduceMean=0 MultiThreshold=2 Quant=0" },
	{ "channels of different scales, shuffled", IMAGE,
	  "float[2,4,1,1] w = {" EIGHT_NUMBERS "}, int64[5] a = {1,2,2,4,4}, "
	  "int64[4] b = {1,4,4,4}",
	  IN "r = qonnx.Quant" UNSIGNED "(x, quarter, zero, three) j = Concat<axis=1>(i, r) "
	     "k = Reshape(j, a) t = Transpose<perm=[0,2,1,3,4]>(k) u = Reshape(t, b) " WEIGHTS
	     "m = Conv<kernel_shape=[1,1]>(u, q) " OUT("m"),
	  "Conv=1 MultiThreshold=3 Quant=0 Mul=1" },
	{ "Flatten behind scales per channel", IMAGE,
	  W22 ", float[2,1,1,1] s = {0.5,0.375}, "
	      "float[18,2] v = {1,-1,2,0,1,1,-2,1,0,1,-1,2,1,-1,2,0,1,1,-2,1,0,1,-1,2,1,-1,2,0,1,1,-2,1,0,1,-1,2}",
	  IN "q = qonnx.Quant" SIGNED "(w, s, zero, four) " CONV "r = qonnx.Quant" UNSIGNED "(m, half, zero, two) "
	     "f = Flatten(r) k = qonnx.Quant" SIGNED "(v, one, zero, three) n = MatMul(f, k) " OUT("n"),
	  "Conv=1 MatMul=1 MultiThreshold=3 Quant=0" },
};

static void images_are_integers(void **state)
{
	(void)state;
	RUN(images);
}

/* ---- branches ---- */

#define BRANCH(name, scale) name " = qonnx.Quant" SIGNED "(m" name ", " scale ", zero, four) "
#define TWO_PRODUCTS LAYER "mb = MatMul(i, q) ma = Mul(mb, third) "

static const struct pass_case branches[] = {
	{ "Add, equal scales", X, W44, TWO_PRODUCTS BRANCH("a", "half") BRANCH("b", "half") "s = Add(a, b) " OUT("s"),
	  "Add=1 Quant=0" },
	{ "Add, scales that are multiples", X, W44,
	  TWO_PRODUCTS BRANCH("a", "half") BRANCH("b", "quarter") "s = Add(a, b) " OUT("s"), "Add=1 Quant=0" },
	{ "residual", X, W44, LAYER "r = qonnx.Quant" SIGNED "(m, half, zero, four) s = Add(r, i) " OUT("s"),
	  "Add=1 MatMul=1 Quant=0" },
	{ "Concat, equal scales", X, W44,
	  TWO_PRODUCTS BRANCH("a", "half") BRANCH("b", "half") "s = Concat<axis=1>(a, b) " OUT("s"),
	  "Concat=1 Quant=0" },
	{ "Concat, other scales", X, W44 ", float[8,1] v = {" EIGHT_NUMBERS "}",
	  TWO_PRODUCTS BRANCH("a", "half") BRANCH("b", "quarter") "s = Concat<axis=1>(a, b) k = qonnx.Quant" SIGNED
								  "(v, half, zero, four) "
								  "n = MatMul(s, k) " OUT("n"),
	  "Concat=1 Quant=0" },
	{ "product of two", X, W44, TWO_PRODUCTS BRANCH("a", "half") BRANCH("b", "third") "s = Mul(a, b) " OUT("s"),
	  "Quant=0" },
	{ "two readers", X, W44,
	  LAYER "r = Relu(m) a = qonnx.Quant" UNSIGNED "(r, third, zero, three) b = qonnx.Quant" UNSIGNED
		"(r, half, zero, two) s = Sub(a, b) " OUT("s"),
	  "MatMul=1 Quant=0" },
};

static void branches_meet(void **state)
{
	(void)state;
	RUN(branches);
}

/* Binary fractions whose ratio is no small integer: integers either way, or said to be left over. */
static void unequal_scales_are_exact(void **state)
{
	static const struct pass_case c = { "Add, other scales", X, W44,
					    TWO_PRODUCTS BRANCH("a", "half")
						    BRANCH("b", "third") "s = Add(a, b) " OUT("s"),
					    "Quant=0" };
	(void)state;
	graph_free(run_case(&c, "streamline", 1e-6));
}

/* ---- the end ---- */

static const struct pass_case ends[] = {
	{ "scale and bias stay behind", X, W44 ", float[4] c = {0.3,-0.7,1.1,0}", LAYER "y = Add(m, c)",
	  "MatMul=1 MultiThreshold=1 Mul=1 Add=1" },
	{ "batch size left open", "(float[N,4] x) => (y)", W44, LAYER OUT("m"), "MatMul=1 MultiThreshold=2 Quant=0" },
	{ "batch size left open, a shape computed from it", "(float[N,2,2] x) => (y)",
	  W44 ", int64 k = {0}, int64[1] a = {0}, int64[1] r = {-1}",
	  IN "h = Shape(i) g = Gather(h, k) u = Unsqueeze(g, a) t = Concat<axis=0>(u, r) f = Reshape(i, t) " WEIGHTS
	     "m = MatMul(f, q) " OUT("m"),
	  "MatMul=1 MultiThreshold=2 Shape=0 Quant=0" },
	{ "of scales along one axis and biases along another", "(float[1,2,4] x) => (y)",
	  "float[2,1] c = {2,-1}, float[4] e = {0.5,1.5,-1,0.25}",
	  "i = qonnx.Quant" SIGNED "(x, one, zero, four) a = Mul(i, c) b = Add(a, e) y = LeakyRelu(b)",
	  "Mul=1 Add=1 LeakyRelu=1" },
	{ "TopK drops them", "(float[1,4] x) => (int64[1,1] y)", W44 ", int64[1] k = {1}",
	  LAYER "a = Add(m, third) v, y = TopK(a, k)", "MatMul=1 MultiThreshold=1 Mul=0 Add=0 TopK=1" },
	{ "ArgMax drops them", "(float[1,4] x) => (int64[1,1] y)", W44, LAYER "a = Mul(m, third) y = ArgMax<axis=1>(a)",
	  "MatMul=1 MultiThreshold=1 Mul=0 ArgMax=1" },
};

static void ends_in_scale_and_bias(void **state)
{
	(void)state;
	RUN(ends);
}

/* Weights of channels whose batch norm is negative change their sign; thresholds ascend. */
static void negative_scales_flip_weights(void **state)
{
	(void)state;
	struct graph *g = run_case(&chains[9], "streamline", 1e-6);
	int flipped = 0;
	graph_for_each_node (g, n) {
		const struct value *v = node_input(n, 1);
		if (n->op == &op_MatMul)
			flipped = tensor_at(v->constant, 0) == -2 && tensor_at(v->constant, 1) == -4;
		for (int64_t i = 1; n->op == &op_MultiThreshold && i < v->constant->count; i++)
			assert_true(i % v->dims[1] == 0 || tensor_at(v->constant, i - 1) <= tensor_at(v->constant, i));
	}
	assert_true(flipped);
	graph_free(g);
}

/* ---- certificates ---- */

/* An accumulator of 118 million integers; the third level starts behind 2^24, where float32 holds every other integer. */
static const struct pass_case wide = {
	"wide",
	X,
	"float[4,2] w = {1000,1, -500,2, 300,3, 1,4}, float bits = {16}, float fine = {0.000244140625}, "
	"float coarse = {1638.4000244140625}",
	"i = qonnx.Quant" SIGNED "(x, fine, zero, bits) q = qonnx.Quant" SIGNED "(w, one, zero, bits) m = MatMul(i, q) "
	"y = qonnx.Quant" SIGNED "(m, coarse, zero, eight)",
	"MatMul=1 MultiThreshold=1 Quant=1",
};

static void certified(struct graph *g, struct certificates *made)
{
	struct pipeline_options o = { .verify_structure = true, .certify = true, .certificates = made };
	struct diags d = { 0 };
	struct pipeline p;
	json_t *report = json_array();
	assert_int_equal(pipeline_parse(&p, "streamline", &d), 0);
	pipeline_run(&p, g, &o, report, &d);
	assert_no_errors(&d);
	diags_free(&d); /* notes */
	pipeline_free(&p);
	json_decref(report);
}

static void wide_ranges_are_certified_at_their_steps(void **state)
{
	(void)state;
	struct graph *g = case_graph(&wide);
	struct certificates made = { 0 };
	certified(g, &made);
	const struct certificate *last = &made.items[made.count - 1];
	assert_true(last->hi - last->lo > 1 << 26);
	assert_true(last->points > 0 && last->points < 1 << 16);
	certificates_free(&made);
	graph_free(g);
}

/* Few levels over some ten thousand integers: both ends, and two points a threshold. */
static void certificates_cost_thresholds_where_chains_are_monotone(void **state)
{
	(void)state;
	static const struct pass_case c = {
		"monotone",
		X,
		"float[4,2] w = {100,1, -50,2, 30,3, 1,4}, float coarse = {3000}",
		"i = qonnx.Quant" SIGNED "(x, one, zero, eight) q = qonnx.Quant" SIGNED
		"(w, one, zero, eight) m = MatMul(i, q) y = qonnx.Quant" SIGNED "(m, coarse, zero, two)",
		"MatMul=1 MultiThreshold=2 Quant=0",
	};
	struct graph *g = case_graph(&c);
	struct certificates made = { 0 };
	certified(g, &made);
	const struct certificate *last = &made.items[made.count - 1];
	assert_true(last->hi - last->lo > 1 << 14);
	assert_int_equal(last->points, (2 + 2 * 3) * last->channels);
	certificates_free(&made);
	graph_free(g);
}

static void wide_thresholds_are_what_float32_holds(void **state)
{
	(void)state;
	struct graph *g = run_case(&wide, "streamline", 1e-6);
	bool seen = false;
	graph_for_each_node (g, n) {
		const struct value *t = n->op == &op_MultiThreshold ? node_input(n, 1) : NULL;
		for (int64_t i = 0; t && i < t->constant->count; i++) {
			assert_true(tensor_at(t->constant, i) != 0x1p24);
			seen = seen || tensor_at(t->constant, i) == 0x1p24 + 2;
		}
	}
	assert_true(seen);
	graph_free(g);
}

/* ---- many levels ---- */

/* Integers come out of quantisers of 16 bits, and no table of 65,535 thresholds a channel. */
static const struct pass_case many_levels = {
	"many levels",
	X,
	"float[4,2] w = {100,1, -50,2, 30,3, 1,4}, float bits = {16}, float coarse = {0.013}, float[2] b = {0.3,-0.7}",
	"i = qonnx.Quant" SIGNED "(x, tenth, zero, bits) q = qonnx.Quant" SIGNED
	"(w, tenth, zero, eight) m = MatMul(i, q) n = Add(m, b) r = Relu(n) o = qonnx.Quant" UNSIGNED
	"(r, coarse, three, bits) p = qonnx.Quant" NARROW "(o, tenth, zero, bits) y = Mul(p, two)",
	"MatMul=1 MultiThreshold=0 Quant=3",
};

static const struct pass_case many_levels_with_thresholds = {
	"many levels with thresholds",
	X,
	"float bits = {13}",
	"i = qonnx.Quant" SIGNED "(x, tenth, zero, bits) r = Relu(i) y = qonnx.Quant" UNSIGNED "(r, third, zero, bits)",
	"MultiThreshold=2 Quant=0",
};

static void quantisers_of_many_levels_stay(void **state)
{
	(void)state;
	graph_free(run_case(&many_levels, "streamline", 1e-6));
	graph_free(run_case(&many_levels_with_thresholds, "streamline(levels=65536)", 1e-6));
}

/* ---- what stays ---- */

static const struct pass_case float_head[] = {
	{ "a batch norm that no quantiser takes in", "(float[1,4] x) => (y)",
	  W44 ", float[4] g = {0.5,1,-1.5,2}, float[4] c = {0.1,-0.2,0.3,0}, float[4] u = {1,-1,0.5,0}, "
	      "float[4] v = {1,2,0.5,4}",
	  LAYER "y = BatchNormalization(m, g, c, u, v)", "BatchNormalization=0 MatMul=1" },
};

static void batch_norms_become_mul_and_add(void **state)
{
	(void)state;
	graph_free(run_case(&float_head[0], "streamline", 1e-6));
}

/* 0.3 and 0.5 as float32 are 5033165 and 8388608 times 2^-24: as they are, sums of such multiples pass 2^24. */
static const struct pass_case far_scales = { "scales without a small measure", "(float[1,4] x) => (y)", "",
					     "i = qonnx.Quant" SIGNED "(x, third, zero, eight) j = qonnx.Quant" SIGNED
					     "(x, half, zero, eight) y = Add(i, j)",
					     "Add=1 MultiThreshold=2" };

static const struct pass_case large_sums = {
	"sums beyond 2^24", "(float[1,4]:UINT24 x) => (y)", "float[4,1]:INT4 w = {1,-2,3,4}", "y = MatMul(x, w)",
	"MatMul=1",
};

static void sums_that_float32_does_not_hold_are_named(void **state)
{
	(void)state;
	struct graph *g = case_graph(&large_sums);
	struct pipeline_options o = { .verify_structure = true };
	struct diags d = { 0 };
	struct pipeline p;
	json_t *report = json_array();
	assert_int_equal(pipeline_parse(&p, "streamline", &d), 0);
	pipeline_run(&p, g, &o, report, &d);
	assert_int_equal(d.errors, 0);
	assert_said(&d, "may pass 2^24");
	pipeline_free(&p);
	json_decref(report);
	graph_free(g);
}

static void sums_stay_within_what_float32_counts(void **state)
{
	(void)state;
	struct graph *g = run_case(&far_scales, "streamline", 1e-6);
	bool integer = false;
	graph_for_each_node (g, n)
		for (uint32_t i = 0; n->op == &op_Add && i < n->n_outputs; i++) {
			struct datatype t = n->outputs[i]->datatype;
			integer = integer || datatype_is_integer(t);
			assert_true(!datatype_is_integer(t) || datatype_bits(t) <= 25);
		}
	assert_true(integer);
	graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normalisation_that_learns_stays),
		cmocka_unit_test(filled_regions_stay_behind_scales),
		cmocka_unit_test(chains_become_thresholds),
		cmocka_unit_test(rounding_modes_are_honoured),
		cmocka_unit_test(bends_become_differences),
		cmocka_unit_test(scales_go),
		cmocka_unit_test(images_are_integers),
		cmocka_unit_test(branches_meet),
		cmocka_unit_test(unequal_scales_are_exact),
		cmocka_unit_test(ends_in_scale_and_bias),
		cmocka_unit_test(negative_scales_flip_weights),
		cmocka_unit_test(wide_ranges_are_certified_at_their_steps),
		cmocka_unit_test(certificates_cost_thresholds_where_chains_are_monotone),
		cmocka_unit_test(wide_thresholds_are_what_float32_holds),
		cmocka_unit_test(quantisers_of_many_levels_stay),
		cmocka_unit_test(batch_norms_become_mul_and_add),
		cmocka_unit_test(sums_that_float32_does_not_hold_are_named),
		cmocka_unit_test(sums_stay_within_what_float32_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* convert and its parts: quantisers become integer weights and thresholds, and the function stays. */
#include "passes.h"

#define X "(float[1,4] x) => (y)"
#define W42 "float[4,2] w = {" EIGHT_NUMBERS "}"
#define W24 "float[2,4] w = {" EIGHT_NUMBERS "}"

/* ---- products: float sums in another order, so the last bits may differ ---- */

static const struct pass_case products[] = {
	{ "Gemm with C", X, W42 ", float[2] c = {0.5,-1}", "y = Gemm(x, w, c)", "Gemm=0 MatMul=1 Add=1 Mul=0" },
	{ "Gemm without C", X, W42, "y = Gemm(x, w)", "Gemm=0 MatMul=1 Add=0" },
	{ "Gemm with C left out", X, W42, "y = Gemm(x, w, )", "Gemm=0 MatMul=1 Add=0" },
	{ "Gemm, beta 0", X, W42 ", float[2] c = {0.5,-1}", "y = Gemm<beta=0.0>(x, w, c)", "Gemm=0 MatMul=1 Add=0" },
	{ "Gemm, alpha and beta", X, W42 ", float[2] c = {0.5,-1}", "y = Gemm<alpha=0.5,beta=3.0>(x, w, c)",
	  "Gemm=0 MatMul=1 Add=1 Mul=1" },
	{ "Gemm, transB", X, W24, "y = Gemm<transB=1>(x, w)", "Gemm=0 MatMul=1 Transpose=0" },
	{ "Gemm, transB, quantised", X, W24, "q = qonnx.Quant" SIGNED "(w, half, zero, three) y = Gemm<transB=1>(x, q)",
	  "Gemm=0 MatMul=1 Transpose=0 Quant=0 Mul=1" },
	{ "Gemm, transB, scale per output", X, W24 ", float[2,1] s = {0.5,0.3}",
	  "q = qonnx.Quant" SIGNED "(w, s, zero, three) y = Gemm<transB=1>(x, q)",
	  "MatMul=1 Transpose=0 Quant=0 Mul=1" },
	{ "Gemm, transA", "(float[4,1] x) => (y)", W42, "y = Gemm<transA=1>(x, w)", "Gemm=0 MatMul=1 Transpose=1" },
	{ "bias of Conv", "(float[1,2,3,3] x) => (y)", "float[1,2,2,2] w = {" EIGHT_NUMBERS "}, float[1] c = {0.7}",
	  "y = Conv<kernel_shape=[2,2]>(x, w, c)", "Conv=1 Add=1" },
	{ "bias of Conv, quantised", "(float[1,2,3,3] x) => (y)",
	  "float[2,2,1,2] w = {" EIGHT_NUMBERS "}, float[2] c = {0.7,-0.4}",
	  "q = qonnx.Quant" SIGNED "(c, quarter, zero, four) y = Conv<kernel_shape=[1,2]>(x, w, q)",
	  "Conv=1 Add=1 Quant=0" },
	{ "bias of ConvTranspose", "(float[1,2,3,3] x) => (y)",
	  "float[2,1,2,2] w = {" EIGHT_NUMBERS "}, float[1] c = {0.7}",
	  "y = ConvTranspose<kernel_shape=[2,2]>(x, w, c)", "ConvTranspose=1 Add=1" },
	{ "weights per tensor", X, W42, "q = qonnx.Quant" SIGNED "(w, half, zero, two) y = MatMul(x, q)",
	  "Quant=0 MatMul=1 Mul=1" },
	{ "weights, narrow, scale 1", X, W42, "q = qonnx.Quant" NARROW "(w, one, zero, two) y = MatMul(x, q)",
	  "Quant=0 MatMul=1 Mul=0" },
	{ "weights, bipolar", X, W42, "q = qonnx.BipolarQuant(w, third) y = MatMul(x, q)",
	  "BipolarQuant=0 MatMul=1 Mul=1" },
	{ "weights with zero point", X, W42, "q = qonnx.Quant" UNSIGNED "(w, half, three, three) y = MatMul(x, q)",
	  "Quant=0 MatMul=1 Mul=1" },
	{ "weights, negative scale", X, W42 ", float minus = {-0.5}",
	  "q = qonnx.Quant" SIGNED "(w, minus, zero, three) y = MatMul(x, q)", "Quant=0 MatMul=1 Mul=1" },
	{ "weights per output channel", X, W42 ", float[1,2] s = {0.5,0.3}",
	  "q = qonnx.Quant" SIGNED "(w, s, zero, three) y = MatMul(x, q)", "Quant=0 MatMul=1 Mul=1" },
	{ "weights per input channel", X, W42 ", float[4,1] s = {0.5,0.3,0.1,0.7}",
	  "q = qonnx.Quant" SIGNED "(w, s, zero, three) y = MatMul(x, q)", "Quant=0 MatMul=1 Mul=1" },
	{ "weights, a scale each", X, W42 ", float[4,2] s = {0.5,0.3,0.1,0.7,0.2,0.4,0.6,0.8}",
	  "q = qonnx.Quant" SIGNED "(w, s, zero, three) y = MatMul(x, q)", "Quant=0 MatMul=1" },
	{ "weights, other rounding", X, W42,
	  "q = qonnx.Quant" ROUNDING("CEIL") "(w, third, zero, three) y = MatMul(x, q)", "Quant=0 MatMul=1 Mul=1" },
	{ "weights of Conv per output channel", "(float[1,2,3,3] x) => (y)",
	  "float[2,2,1,2] w = {" EIGHT_NUMBERS "}, float[2,1,1,1] s = {0.5,0.3}",
	  "q = qonnx.Quant" SIGNED "(w, s, zero, three) y = Conv<kernel_shape=[1,2]>(x, q)", "Quant=0 Conv=1 Mul=1" },
	{ "weights of Conv per input channel", "(float[1,2,3,3] x) => (y)",
	  "float[2,2,1,2] w = {" EIGHT_NUMBERS "}, float[1,2,1,1] s = {0.5,0.3}",
	  "q = qonnx.Quant" SIGNED "(w, s, zero, three) y = Conv<kernel_shape=[1,2],pads=[1,0,0,1]>(x, q)",
	  "Quant=0 Conv=1 Mul=1" },
	{ "weights of depthwise Conv per channel", "(float[1,2,3,3] x) => (y)",
	  "float[2,1,2,2] w = {" EIGHT_NUMBERS "}, float[2,1,1,1] s = {0.5,0.3}",
	  "q = qonnx.Quant" SIGNED "(w, s, zero, three) y = Conv<kernel_shape=[2,2],group=2>(x, q)",
	  "Quant=0 Conv=1 Mul=1" },
	{ "weights of ConvTranspose", "(float[1,2,3,3] x) => (y)",
	  "float[2,1,2,2] w = {" EIGHT_NUMBERS "}, float[2,1,1,1] s = {0.5,0.3}",
	  "q = qonnx.Quant" SIGNED "(w, s, zero, three) y = ConvTranspose<kernel_shape=[2,2]>(x, q)",
	  "Quant=0 ConvTranspose=1 Mul=1" },
	{ "weights shared by two layers", "(float[1,4] x, float[1,4] z) => (y)", W42 ", float[1,2] s = {0.5,0.3}",
	  "q = qonnx.Quant" SIGNED "(w, s, zero, three) a = MatMul(x, q) b = MatMul(z, q) y = Add(a, b)",
	  "Quant=0 MatMul=2 Mul=2" },
	{ "weights used as they are too", "(float[1,4] x, float[4,2] z) => (y, u)", W42,
	  "q = qonnx.Quant" SIGNED "(w, half, zero, three) y = MatMul(x, q) u = Mul(z, q)", "Quant=0 MatMul=1" },
};

static void products_keep_their_function(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof products / sizeof *products; i++)
		graph_free(run_case(&products[i], "convert", 2e-6));
}

static void weights_are_integers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
		bool quantised = strstr(products[i].body, "Quant") && !strstr(products[i].body, "(c, ");
		struct graph *g = run_case(&products[i], "convert", 2e-6);
		graph_for_each_node (g, n)
			if (quantised && !strstr(products[i].what, "a scale each") &&
			    (n->op == &op_MatMul || n->op == &op_Conv || n->op == &op_ConvTranspose)) {
				assert_true(datatype_is_integer(node_input(n, 1)->datatype));
				assert_true(tensor_is_integral(node_input(n, 1)->constant));
			}
		graph_free(g);
	}
}

/* ---- activations: thresholds are exact ---- */

#define ACTIVATION(name, chain, quant)                                                                        \
	{                                                                                                     \
		name, "(float[1,8] x) => (y)", "", chain " y = qonnx.Quant" quant, "Quant=0 MultiThreshold=1" \
	}

static const struct pass_case activations[] = {
	ACTIVATION("signed", "", SIGNED "(x, half, zero, three)"),
	ACTIVATION("narrow", "", NARROW "(x, third, zero, three)"),
	ACTIVATION("unsigned", "", UNSIGNED "(x, third, zero, four)"),
	ACTIVATION("zero point", "", UNSIGNED "(x, third, three, four)"),
	ACTIVATION("one unsigned bit", "", UNSIGNED "(x, third, zero, one)"),
	ACTIVATION("one signed bit", "", SIGNED "(x, third, zero, one)"),
	ACTIVATION("eight bits", "", SIGNED "(x, tenth, zero, eight)"),
	ACTIVATION("half even", "", ROUNDING("HALF_EVEN") "(x, half, zero, three)"),
	ACTIVATION("ceil", "", ROUNDING("CEIL") "(x, half, zero, three)"),
	ACTIVATION("floor", "", ROUNDING("FLOOR") "(x, half, zero, three)"),
	ACTIVATION("up", "", ROUNDING("UP") "(x, half, zero, three)"),
	ACTIVATION("down", "", ROUNDING("DOWN") "(x, half, zero, three)"),
	ACTIVATION("half up", "", ROUNDING("HALF_UP") "(x, half, zero, three)"),
	ACTIVATION("half down", "", ROUNDING("HALF_DOWN") "(x, half, zero, three)"),
	ACTIVATION("Relu", "r = Relu(x)", UNSIGNED "(r, third, zero, four)"),
	ACTIVATION("LeakyRelu", "r = LeakyRelu<alpha=0.1>(x)", SIGNED "(r, third, zero, four)"),
	ACTIVATION("Sigmoid", "r = Sigmoid(x)", UNSIGNED "(r, tenth, zero, four)"),
	ACTIVATION("Elu", "r = Elu(x)", SIGNED "(r, quarter, zero, four)"),
	ACTIVATION("Tanh", "r = Tanh(x)", SIGNED "(r, quarter, zero, four)"),
	ACTIVATION("Clip", "r = Clip(x, zero, two)", UNSIGNED "(r, third, zero, four)"),
};

static void thresholds_are_exact(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof activations / sizeof *activations; i++)
		graph_free(run_case(&activations[i], "convert", 0));
}

static const struct pass_case per_channel[] = {
	{ "scale per channel", "(float[1,2,3,3] x) => (y)", "float[1,2,1,1] s = {0.5,0.3}",
	  "y = qonnx.Quant" SIGNED "(x, s, zero, three)", "Quant=0 MultiThreshold=1" },
	{ "scale per channel of a signal", "(float[1,2,3] x) => (y)", "float[1,2,1] s = {0.5,0.3}",
	  "y = qonnx.Quant" SIGNED "(x, s, zero, three)", "Quant=0 MultiThreshold=1" },
	{ "scale along the last axis", "(float[1,2,3] x) => (y)", "float[3] s = {0.5,0.3,0.1}",
	  "y = qonnx.Quant" SIGNED "(x, s, zero, three)", "Quant=0 MultiThreshold=1" },
	{ "bipolar", "(float[1,8] x) => (y)", "", "y = qonnx.BipolarQuant(x, third)",
	  "BipolarQuant=0 MultiThreshold=1" },
};

static void channels_have_their_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof per_channel / sizeof *per_channel; i++)
		graph_free(run_case(&per_channel[i], "convert", 0));
}

/* ---- ONNX's own quantisation ---- */

/* What moves or picks elements between the two. */
#define BETWEEN(what, zero, constants, mover)                                                        \
	{                                                                                            \
		what, "(float[1,2,4,4] x) => (y)", zero constants,                                   \
			"q = QuantizeLinear(x, half, z) " mover " y = DequantizeLinear(m, half, z)", \
			"QuantizeLinear=0 DequantizeLinear=0 Quant=1"                                \
	}
static const struct pass_case between[] = {
	BETWEEN("Resize", "uint8 z = {10}", ", float[4] f = {1,1,2,2}", "m = Resize<mode=\"nearest\">(q, , f)"),
	BETWEEN("Pad with the integer 0", "uint8 z = {10}", ", int64[8] p = {0,0,1,1,0,0,1,1}", "m = Pad(q, p)"),
	BETWEEN("Gather", "uint8 z = {10}", ", int64[2] i = {1,0}", "m = Gather<axis=1>(q, i)"),
	BETWEEN("Split and Concat", "uint8 z = {10}", ", int64[2] s = {1,1}",
		"a, b = Split<axis=1>(q, s) m = Concat<axis=1>(b, a)"),
	BETWEEN("Relu of uint8", "uint8 z = {10}", "", "m = Relu(q)"),
	BETWEEN("Relu of int8", "int8 z = {0}", "", "m = Relu(q)"),
	BETWEEN("Relu of int8 with a zero point", "int8 z = {5}", "", "m = Relu(q)"),
};

static void moves_stand_behind_the_pair(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof between / sizeof *between; i++)
		graph_free(run_case(&between[i], "qcdq-to-quant", 0));
}

#define QDQ "q = QuantizeLinear(x, third, z) y = DequantizeLinear(q, third, z)"

static const struct pass_case linear[] = {
	{ "int8", "(float[1,8] x) => (y)", "int8 z = {0}", QDQ, "QuantizeLinear=0 DequantizeLinear=0 Quant=1" },
	{ "uint8", "(float[1,8] x) => (y)", "uint8 z = {0}", QDQ, "QuantizeLinear=0 DequantizeLinear=0 Quant=1" },
	{ "odd zero point", "(float[1,8] x) => (y)", "uint8 z = {113}",
	  "q = QuantizeLinear(x, half, z) y = DequantizeLinear(q, half, z)",
	  "QuantizeLinear=0 DequantizeLinear=0 Quant=1" },
	{ "even zero point", "(float[1,8] x) => (y)", "uint8 z = {128}",
	  "q = QuantizeLinear(x, half, z) y = DequantizeLinear(q, half, z)",
	  "QuantizeLinear=0 DequantizeLinear=0 Quant=1" },
	{ "zero point that is met", "(float[1,8] x) => (y)", "uint8 z = {3}", QDQ, "QuantizeLinear=0 Quant=1" },
	{ "int4", "(float[1,8] x) => (y)", "int4 z = {0}", QDQ, "QuantizeLinear=0 DequantizeLinear=0 Quant=1" },
	{ "uint4, zero point", "(float[1,8] x) => (y)", "uint4 z = {7}", QDQ,
	  "QuantizeLinear=0 DequantizeLinear=0 Quant=1" },
	{ "no zero point", "(float[1,8] x) => (y)", "", "q = QuantizeLinear(x, third) y = DequantizeLinear(q, third)",
	  "QuantizeLinear=0 DequantizeLinear=0 Quant=1" },
	{ "zero point on one side", "(float[1,8] x) => (y)", "uint8 z = {0}",
	  "q = QuantizeLinear(x, third) y = DequantizeLinear(q, third, z)",
	  "QuantizeLinear=0 DequantizeLinear=0 Quant=1" },
	{ "Clip to 4 bits", "(float[1,8] x) => (y)", "int8 z = {0}, int8 lo = {-7}, int8 hi = {7}",
	  "q = QuantizeLinear(x, third, z) c = Clip(q, lo, hi) y = DequantizeLinear(c, third, z)",
	  "QuantizeLinear=0 DequantizeLinear=0 Clip=0 Quant=1" },
	{ "Clip to 3 unsigned bits", "(float[1,8] x) => (y)", "uint8 z = {0}, uint8 lo = {0}, uint8 hi = {7}",
	  "q = QuantizeLinear(x, third, z) c = Clip(q, lo, hi) y = DequantizeLinear(c, third, z)",
	  "QuantizeLinear=0 DequantizeLinear=0 Clip=0 Quant=1" },
	{ "Clip to odd bounds", "(float[1,8] x) => (y)", "uint8 z = {3}, uint8 lo = {1}, uint8 hi = {9}",
	  "q = QuantizeLinear(x, third, z) c = Clip(q, lo, hi) y = DequantizeLinear(c, third, z)",
	  "QuantizeLinear=0 DequantizeLinear=0 Quant=1" },
	{ "several readers", "(float[1,8] x) => (y)", "int8 z = {0}",
	  "q = QuantizeLinear(x, third, z) a = DequantizeLinear(q, third, z) b = DequantizeLinear(q, third, z) "
	  "y = Sub(a, b)",
	  "QuantizeLinear=0 DequantizeLinear=0" },
	{ "per axis", "(float[1,2,4] x) => (y)", "float[2] s = {0.3,0.5}, int8[2] z = {0,0}",
	  "q = QuantizeLinear<axis=1>(x, s, z) y = DequantizeLinear<axis=1>(q, s, z)",
	  "QuantizeLinear=0 DequantizeLinear=0 Quant=1" },
	{ "per axis, zero points", "(float[1,2,4] x) => (y)", "float[2] s = {0.3,0.5}, uint8[2] z = {3,8}",
	  "q = QuantizeLinear<axis=1>(x, s, z) y = DequantizeLinear<axis=1>(q, s, z)",
	  "QuantizeLinear=0 DequantizeLinear=0 Quant=1" },
	{ "weights per axis", "(float[1,4] x) => (y)",
	  "int8[4,2] w = {1,-2,3,0,-1,2,-3,127}, float[2] s = {0.3,0.5}, int8[2] z = {0,0}",
	  "d = DequantizeLinear<axis=1>(w, s, z) y = MatMul(x, d)", "DequantizeLinear=0 Quant=1" },
	{ "weights with zero point", "(float[1,4] x) => (y)", "uint8[4,2] w = {1,2,3,0,255,2,3,127}, uint8 z = {128}",
	  "d = DequantizeLinear(w, third, z) y = MatMul(x, d)", "DequantizeLinear=0 Quant=1" },
	{ "int4 weights", "(float[1,4] x) => (y)", "int4[4,2] w = {1,-2,3,0,-1,2,-8,7}",
	  "d = DequantizeLinear(w, third) y = MatMul(x, d)", "DequantizeLinear=0 Quant=1" },
	{ "int32 bias", "(float[1,2] x) => (y)", "int32[2] c = {1000,-20000}, float s = {0.001}",
	  "d = DequantizeLinear(c, s) y = Add(x, d)", "DequantizeLinear=0" },
};

static void linear_becomes_quant(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof linear / sizeof *linear; i++)
		graph_free(run_case(&linear[i], "qcdq-to-quant", 0));
}

/* ---- operators on quantised values: the same integers come out ---- */

#define QUANTISED "q = QuantizeLinear(x, quarter, z) "
#define DEQUANTISED(v) " y = DequantizeLinear(" v ", third, yz)"
#define POINTS ", uint8 z = {113}, int8 wz = {0}, uint8 yz = {100}"
#define INT8_W42 "int8[4,2] w = {1,-2,3,0,-1,2,-30,127}"
#define INT8_CONV "int8[2,2,2,2] w = {1,-2,3,0,-1,2,-30,127,5,6,-7,8,0,1,-1,2}"

static const struct pass_case operators[] = {
	{ "QLinearMatMul", X, INT8_W42 POINTS,
	  QUANTISED "r = QLinearMatMul(q, quarter, z, w, half, wz, third, yz)" DEQUANTISED("r"),
	  "QLinearMatMul=0 QuantizeLinear=0 DequantizeLinear=0 MatMul=1" },
	{ "QLinearMatMul per channel", X, INT8_W42 POINTS ", float[2] s = {0.5,0.01}, int8[2] sz = {0,0}",
	  QUANTISED "r = QLinearMatMul(q, quarter, z, w, s, sz, third, yz)" DEQUANTISED("r"),
	  "QLinearMatMul=0 QuantizeLinear=0 DequantizeLinear=0 MatMul=1" },
	{ "QLinearConv", "(float[1,2,4,4] x) => (y)",
	  INT8_CONV POINTS ", int32[2] c = {1000,-77}, float[2] s = {0.5,0.01}, "
			   "int8[2] sz = {0,0}",
	  QUANTISED "r = QLinearConv<pads=[1,0,0,1]>(q, quarter, z, w, s, sz, third, yz, c)" DEQUANTISED("r"),
	  "QLinearConv=0 QuantizeLinear=0 DequantizeLinear=0 Conv=1" },
	{ "QLinearConv, MaxPool, Flatten, QLinearMatMul", "(float[1,2,4,4] x) => (y)",
	  INT8_CONV POINTS ", int8[2,3] v = {1,-2,3,4,-5,6}",
	  QUANTISED
	  "r = QLinearConv(q, quarter, z, w, half, wz, third, yz) "
	  "m = MaxPool<kernel_shape=[3,3]>(r) f = Flatten(m) n = QLinearMatMul(f, third, yz, v, half, wz, third, yz)" DEQUANTISED(
		  "n"),
	  "QLinearConv=0 QuantizeLinear=0 DequantizeLinear=0 MatMul=1 MaxPool=1" },
	{ "MatMulInteger", X, INT8_W42 POINTS,
	  QUANTISED "i = MatMulInteger(q, w, z, wz) f = Cast<to=1>(i) y = Mul(f, third)",
	  "MatMulInteger=0 Cast=0 QuantizeLinear=0 DequantizeLinear=0 MatMul=1" },
	{ "MatMulInteger, integer output", "(uint8[1,4] x) => (int32[1,2] y)", INT8_W42, "y = MatMulInteger(x, w)",
	  "MatMulInteger=0 MatMul=1 Cast=2 DequantizeLinear=0" },
	{ "ConvInteger", "(float[1,2,4,4] x) => (y)", INT8_CONV POINTS,
	  QUANTISED "i = ConvInteger<pads=[1,0,0,1]>(q, w, z) "
		    "f = Cast<to=1>(i) y = Mul(f, third)",
	  "ConvInteger=0 Cast=0 QuantizeLinear=0 DequantizeLinear=0 Conv=1" },
	{ "quantised input and output", "(uint8[1,4] x) => (uint8[1,2] y)", INT8_W42 POINTS,
	  "y = QLinearMatMul(x, quarter, z, w, half, wz, third, yz)",
	  "QLinearMatMul=0 QuantizeLinear=0 DequantizeLinear=0 Cast=2" },
};

static void operators_become_quant(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
		graph_free(run_case(&operators[i], "qop-to-quant,qcdq-to-quant,fold-weight-quant", 0));
}

/* And on to integers. */
static void operators_streamline(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
		struct pass_case c = operators[i];
		c.expected = "Quant=0 QuantizeLinear=0 DequantizeLinear=0";
		struct graph *g = run_case(&c, "streamline", 0);
		graph_for_each_node (g, n)
			assert_true((n->op != &op_MatMul && n->op != &op_Conv) ||
				    datatype_is_integer(n->outputs[0]->datatype));
		graph_free(g);
	}
}

/* ONNX Runtime's operators have no execution here: what they become must be what the pairs become. */
static void runtime_operators_are_read(void **state)
{
	static const struct pass_case ours = {
		"pairs", "(float[1,4] x, float[1,4] u) => (float[1,4] y)", "uint8 z = {113}, uint8 yz = {100}",
		"q = QuantizeLinear(x, quarter, z) a = DequantizeLinear(q, quarter, z) p = QuantizeLinear(u, eighth, z) "
		"b = DequantizeLinear(p, eighth, z) s = Add(a, b) r = QuantizeLinear(s, third, yz) "
		"e = DequantizeLinear(r, third, yz) f = Sigmoid(e) h = QuantizeLinear(f, eighth, z) "
		"y = DequantizeLinear(h, eighth, z)",
		""
	};
	static const struct pass_case theirs = {
		"operators", "(float[1,4] x, float[1,4] u) => (float[1,4] y)", "uint8 z = {113}, uint8 yz = {100}",
		"q = QuantizeLinear(x, quarter, z) p = QuantizeLinear(u, eighth, z) "
		"r = com.microsoft.QLinearAdd(q, quarter, z, p, eighth, z, third, yz) "
		"h = com.microsoft.QLinearSigmoid(r, third, yz, eighth, z) y = DequantizeLinear(h, eighth, z)",
		""
	};
	(void)state;
	struct graph *a = case_graph(&ours), *b = case_graph(&theirs);
	test_run(a, "infer");
	test_run(b, "qop-to-quant,qcdq-to-quant");
	assert_true(has_operators(b, "QLinearAdd=0 QLinearSigmoid=0 QuantizeLinear=0 DequantizeLinear=0"));
	assert_true(graphs_differ(a, b) == 0);
	graph_free(b);
	b = case_graph(&theirs);
	test_run(b, "streamline");
	assert_true(has_operators(b, "MultiThreshold=4 Quant=0 Sigmoid=0"));
	assert_true(graphs_differ(a, b) == 0);
	graph_free(a);
	graph_free(b);
}

/* Scales from the data cannot be read as a quantiser's: the operators stay. */
static void dynamic_operators_stay(void **state)
{
	static const struct pass_case dynamic = { "DynamicQuantizeLinear", X, INT8_W42,
						  "q, s, z = DynamicQuantizeLinear(x) i = MatMulInteger(q, w, z) "
						  "f = Cast<to=1>(i) y = Mul(f, s)",
						  "MatMulInteger=1 DynamicQuantizeLinear=1" };
	static const struct pass_case unreadable = { "missing inputs", "(uint8[1,4] x) => (y)", "",
						     "y = com.microsoft.QLinearConcat<axis=1>(third, , x, , , )", "" };
	(void)state;
	graph_free(run_case(&dynamic, "convert", 0));
	case_fails(&unreadable, "convert", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves_stand_behind_the_pair), cmocka_unit_test(products_keep_their_function),
		cmocka_unit_test(weights_are_integers),	       cmocka_unit_test(thresholds_are_exact),
		cmocka_unit_test(channels_have_their_own),     cmocka_unit_test(linear_becomes_quant),
		cmocka_unit_test(operators_become_quant),      cmocka_unit_test(operators_streamline),
		cmocka_unit_test(runtime_operators_are_read),  cmocka_unit_test(dynamic_operators_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

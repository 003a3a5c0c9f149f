/* Quantisers and products: results beyond what the recorded cases hold (double inputs, broadcasting, NaN), the
 * datatypes and multiply-accumulates they report, and what they refuse. */
#include "../unit/test.h"

#include <math.h>

#include "exec/exec.h"
#include "ops/op.h"

#define Q "qonnx.custom_op.general."
#define LAST "qonnx.custom_op.channels_last."

static struct graph *typed_graph(const char *text)
{
	struct diags d = { 0 };
	struct graph *g = test_graph(text);
	graph_infer(g, &d);
	assert_no_errors(&d);
	return g;
}

/* Output 0 for one input of n elements and that type, shaped as the graph says. */
static struct tensor *output_of(const char *text, enum elem_type elem, const double *x)
{
	struct graph *g = typed_graph(text);
	struct diags d = { 0 };
	const struct value *v = g->inputs[0];
	struct tensor *in = tensor_new(elem, v->rank, v->dims), *out = NULL;
	for (int64_t i = 0; i < in->count; i++)
		tensor_put(in, i, x[i]);
	assert_int_equal(exec_graph(g, &in, &out, NULL, &d), 0);
	assert_no_errors(&d);
	tensor_unref(in);
	graph_free(g);
	return out;
}

static void assert_gives(const char *text, enum elem_type elem, const double *x, size_t n, const double *want)
{
	struct tensor *out = output_of(text, elem, x);
	assert_int_equal(out->count, n);
	for (size_t i = 0; i < n; i++) {
		double got = tensor_at(out, (int64_t)i);
		if (!(got == want[i] || (isnan(got) && isnan(want[i]))))
			fail_msg("%s\n  element %zu is %.17g, not %.17g", text, i, got, want[i]);
	}
	tensor_unref(out);
}
#define GIVES(text, elem, x, ...)                                                             \
	assert_gives(text, elem, x, sizeof((const double[]){ __VA_ARGS__ }) / sizeof(double), \
		     (const double[]){ __VA_ARGS__ })

static void rounding_modes_and_ties(void **state)
{
	static const struct {
		const char *mode;
		double y[6];
	} rows[] = {
		{ "ROUND", { -2, -2, 0, 0, 2, 2 } },	{ "half_even", { -2, -2, 0, 0, 2, 2 } },
		{ "CEIL", { -2, -1, 0, 1, 2, 3 } },	{ "FLOOR", { -3, -2, -1, 0, 1, 2 } },
		{ "UP", { -3, -2, -1, 1, 2, 3 } },	{ "DOWN", { -2, -1, 0, 0, 1, 2 } },
		{ "HALF_UP", { -3, -2, -1, 1, 2, 3 } }, { "HALF_DOWN", { -2, -1, 0, 0, 1, 2 } },
	};
	const double x[] = { -2.5, -1.5, -0.5, 0.5, 1.5, 2.5 };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (int wide = 0; wide < 2; wide++) {
			char text[512];
			snprintf(text, sizeof text,
				 "g (%s[6] x) => (y) <float s = {1}, float z = {0}, float b = {8}>"
				 "{ y = " Q "Quant<signed=1, narrow=0, rounding_mode=\"%s\">(x, s, z, b) }",
				 wide ? "double" : "float", rows[i].mode);
			assert_gives(text, wide ? ELEM_DOUBLE : ELEM_FLOAT, x, 6, rows[i].y);
		}
}

static void doubles_stay_double(void **state)
{
	/* 2^24 + 1 is no float; a scale of 0.1f is the float's value, not the double's 0.1 */
	const double big[] = { 16777217, 0.25 };
	(void)state;
	GIVES("g (double[2] x) => (y) <float s = {1}, float z = {0}, float b = {32}>"
	      "{ y = " Q "Quant<signed=1, narrow=0>(x, s, z, b) }",
	      ELEM_DOUBLE, big, 16777217, 0);
	GIVES("g (double[2] x) => (y) <float s = {0.1}> { y = " Q "BipolarQuant(x, s) }", ELEM_DOUBLE, big,
	      (double)0.1f, (double)0.1f);
	GIVES("g (double[1,2] x) => (y) <float[1,2] t = {1, 16777217}>"
	      "{ y = " Q "MultiThreshold<out_dtype=\"UINT2\">(x, t) }",
	      ELEM_DOUBLE, big, 2, 0);
	GIVES("g (double[1,2] x) => (y) <float[2] one = {1, 1}, float[2] zero = {0, 0}>"
	      "{ y = BatchNormalization<epsilon=0.0>(x, one, zero, zero, one) }",
	      ELEM_DOUBLE, big, 16777217, 0.25);
}

static void parameters_broadcast(void **state)
{
	const double x[] = { 1, 2, 3, 4 }, one[] = { 3 };
	(void)state;
	GIVES("g (float[2,2] x) => (y) <float[2,1] s = {1, 2}, float[2] z = {0, 1}, float b = {8}>"
	      "{ y = " Q "Quant<signed=1, narrow=0>(x, s, z, b) }",
	      ELEM_FLOAT, x, 1, 2, 4, 4);
	GIVES("g (float x) => (y) <float[3] s = {1, 2, 4}, float z = {0}, float[3] b = {2, 8, 8}>"
	      "{ y = " Q "Quant<signed=0, narrow=0>(x, s, z, b) }",
	      ELEM_FLOAT, one, 3, 4, 4);
	GIVES("g (float[1,2,2] x) => (y) <float[2,2] t = {2, 3, 3, 4}>"
	      "{ y = " Q
	      "MultiThreshold<out_dtype=\"INT8\", out_scale=2.0, out_bias=-1.0, data_layout=\"NCW\">(x, t) }",
	      ELEM_FLOAT, x, -1, 1, 1, 3);
}

static void nan_is_kept(void **state)
{
	const double x[] = { NAN, 300 };
	(void)state;
	GIVES("g (float[2] x) => (y) <float s = {1}, float z = {0}, float b = {8}>"
	      "{ y = " Q "Quant<signed=1, narrow=0>(x, s, z, b) }",
	      ELEM_FLOAT, x, NAN, 127);
	GIVES("g (float[2] x) => (y) <float s = {1}> { y = " Q "BipolarQuant(x, s) }", ELEM_FLOAT, x, -1, 1);
}

static void channels_last_agrees(void **state)
{
	const double x[] = { 1, 10, 2, 20, 3, 30 };
	(void)state;
	GIVES("g (float[1,3,2] x) => (y) <float[1,2,2] w = {1, 0, 0, 1}>"
	      "{ y = " LAST "Conv<kernel_shape=[2], strides=[1], pads=[0,0], dilations=[1], group=1>(x, w) }",
	      ELEM_FLOAT, x, 21, 32);
	GIVES("g (float[1,3,2] x) => (y)"
	      "{ y = " LAST "MaxPool<kernel_shape=[2], strides=[1], pads=[0,0]>(x) }",
	      ELEM_FLOAT, x, 2, 20, 3, 30);
}

static void assert_datatype(const char *text, const char *want)
{
	char name[DATATYPE_NAME_SIZE];
	struct graph *g = typed_graph(text);
	const char *got = datatype_name(g->outputs[0].value->datatype, name);
	if (strcmp(got, want) != 0)
		fail_msg("%s\n  gives %s, not %s", text, got, want);
	graph_free(g);
}

#define QUANT(s, z, b, attributes)                                                        \
	"g (float[2] x) => (y) <float s = {" s "}, float z = {" z "}, float b = {" b "}>" \
	"{ y = " Q "Quant<" attributes ">(x, s, z, b) }"

static void datatypes(void **state)
{
	(void)state;
	assert_datatype(QUANT("1", "0", "4", "signed=1, narrow=0"), "INT4");
	assert_datatype(QUANT("1", "0", "4", "signed=0, narrow=0"), "UINT4");
	assert_datatype(QUANT("1", "0", "1", "signed=1, narrow=0"), "BIPOLAR");
	assert_datatype(QUANT("1", "0", "1", "signed=0, narrow=0"), "BINARY");
	assert_datatype(QUANT("0.5", "0", "4", "signed=1, narrow=0"), "SCALEDINT<4>");
	assert_datatype(QUANT("1", "3", "4", "signed=0, narrow=0"), "INT5");
	assert_datatype(QUANT("1", "0.5", "4", "signed=0, narrow=0"), "FLOAT32");
	assert_datatype(QUANT("1", "0", "3.5", "signed=0, narrow=0"), "FLOAT32");
	assert_datatype("g (float[2] x) => (y) <float s = {1}> { y = " Q "BipolarQuant(x, s) }", "BIPOLAR");
	assert_datatype("g (float[2] x) => (y) <float s = {2}> { y = " Q "BipolarQuant(x, s) }", "FLOAT32");
	assert_datatype("g (float[1,2] x) => (y) <float[1,3] t = {1, 2, 3}>"
			"{ y = " Q "MultiThreshold<out_dtype=\"UINT2\">(x, t) }",
			"UINT2");
	assert_datatype("g (float[1,2] x) => (y) <float[1,3] t = {1, 2, 3}>"
			"{ y = " Q "MultiThreshold<out_dtype=\"UINT2\", out_scale=0.5>(x, t) }",
			"FLOAT32");
	assert_datatype("g (float[1,8]:UINT2 x, float[8,3]:INT2 w) => (y) { y = MatMul(x, w) }", "INT7");
	assert_datatype("g (float[1,8]:BIPOLAR x, float[8,3]:BIPOLAR w) => (y) { y = MatMul(x, w) }", "INT5");
	assert_datatype("g (float[1,8]:UINT2 x, float[8,3] w) => (y) { y = MatMul(x, w) }", "FLOAT32");
	assert_datatype("g (float[1,2,5]:UINT2 x, float[3,2,3]:INT2 w) => (y) { y = Conv(x, w) }", "INT7");
	assert_datatype("g (float[1,8] a, float[8,3] b) => (y) { y = " Q "XnorPopcountMatMul(a, b) }", "UINT4");
	assert_datatype("g (float[2] x) => (y) <float s = {1}> { y = QuantizeLinear(x, s) }", "UINT8");
}

static void macs_are_counted(void **state)
{
	static const struct {
		const char *text;
		int64_t macs;
	} rows[] = {
		{ "g (float[1,8] x, float[8,3] w) => (y) { y = MatMul(x, w) }", 24 },
		{ "g (float[1,8] x, float[3,8] w) => (y) { y = Gemm<transB=1>(x, w) }", 24 },
		{ "g (float[1,4,6,6] x, float[8,2,3,3] w) => (y) { y = Conv<group=2>(x, w) }", 8 * 16 * 18 },
		{ "g (float[1,4,3] x, float[4,2,2] w) => (y) { y = ConvTranspose(x, w) }", 4 * 3 * 4 },
		{ "g (float[N,8] x, float[8,3] w) => (y) { y = MatMul(x, w) }", -1 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct graph *g = typed_graph(rows[i].text);
		assert_int_equal(g->first->op->macs(g->first), rows[i].macs);
		graph_free(g);
	}
}

static void assert_refused(const char *text, const char *why)
{
	struct graph *g = test_graph(text);
	struct diags d = { 0 };
	int result = graph_infer(g, &d);
	if (result == 0) {
		const struct value *v = g->inputs[0];
		struct tensor *in = tensor_new(ELEM_FLOAT, v->rank, v->dims), *out = NULL;
		result = exec_graph(g, &in, &out, NULL, &d);
		tensor_unref(in);
		tensor_unref(out);
	}
	assert_int_equal(result, -1);
	assert_said(&d, why);
	graph_free(g);
}

static void nonsense_is_refused(void **state)
{
	(void)state;
	assert_refused(QUANT("1", "0", "4", "signed=1, rounding_mode=\"SIDEWAYS\""),
		       "unknown rounding mode 'SIDEWAYS'");
	assert_refused("g (float[1,2] x) => (y) <float[3,1] t = {1, 2, 3}>"
		       "{ y = " Q "MultiThreshold<out_dtype=\"UINT2\">(x, t) }",
		       "3 rows of thresholds for 2 channels");
	assert_refused("g (float[1,3] x) => (y) <float[4,2] w = {1,2,3,4,5,6,7,8}> { y = MatMul(x, w) }",
		       "do not multiply");
	assert_refused("g (float[1,3,4] x) => (y) <float[1,2,1] w = {1,2}> { y = Conv(x, w) }", "do not fit weights");
	assert_refused("g (float[1,1,4] x) => (y) <float[1,1,1] w = {1}> { y = Conv<strides=[0]>(x, w) }", "strides");
	assert_refused("g (float[1,1,2] x) => (y) { y = MaxPool<kernel_shape=[5]>(x) }",
		       "larger than the padded input");
	assert_refused("g (float[1,1,2] x) => (y) { y = MaxPool(x) }", "kernel_shape is missing");
	assert_refused(
		"g (float[2] x) => (y) <float s = {1}, float e = {4}, float m = {3}, float b = {7}, float l = {448}>"
		"{ y = " Q "FloatQuant<saturation=0>(x, s, e, m, b, l) }",
		"no saturation");
	assert_refused("g (float[1,2,2] x) => (y) { y = " Q "Im2Col<kernel_size=[1,1], stride=[1,1]>(x) }", "3 axes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rounding_modes_and_ties), cmocka_unit_test(doubles_stay_double),
		cmocka_unit_test(parameters_broadcast),	   cmocka_unit_test(nan_is_kept),
		cmocka_unit_test(channels_last_agrees),	   cmocka_unit_test(datatypes),
		cmocka_unit_test(macs_are_counted),	   cmocka_unit_test(nonsense_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

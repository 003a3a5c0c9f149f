/* set-datatype, pad-input, bipolar-input, binary-output, insert-topk, integer-io: what they do, and what they say where they
 * cannot. */
#include "passes.h"

#include "passes/integer_io.h"

#define W42 "float[4,2] w = {" EIGHT_NUMBERS "}"
#define X "(float[1,4] x) => (y)"

static const struct pass_case plain = { "MatMul", X, W42, "y = MatMul(x, w)", "MatMul=1" };
static const struct pass_case two_inputs = { "two inputs", "(float[1,4] x, float[1,4] z) => (y)", "", "y = Add(x, z)",
					     "" };

static void sets_datatypes(void **state)
{
	(void)state;
	struct graph *g = case_graph(&plain);
	test_run(g, "set-datatype(input=BIPOLAR,w=INT4,output=\"FIXED<8,3>\")");
	assert_int_equal(graph_value(g, "x")->datatype.kind, DT_BIPOLAR);
	assert_true(datatype_equal(graph_value(g, "w")->datatype, datatype_int(4)));
	assert_int_equal(g->outputs[0].value->datatype.kind, DT_FIXED);
	graph_free(g);
	case_fails(&plain, "set-datatype(q=INT4)", "no value is named 'q'");
	case_fails(&plain, "set-datatype(x=INT)", "is no datatype");
	case_fails(&plain, "set-datatype", "at least one");
	case_fails(&two_inputs, "set-datatype(input=INT4)", "no value is named 'input'");
}

/* A value inside that is called as the one input is by its role. */
static const struct pass_case inner = { "a value named input", "(float[1,4] x) => (y)", "",
					"input = Mul(x, half) y = Relu(input)", "" };

static void means_the_networks_input(void **state)
{
	(void)state;
	struct graph *g = case_graph(&inner);
	test_run(g, "set-datatype(input=UINT8)");
	assert_true(datatype_equal(graph_value(g, "x")->datatype, datatype_uint(8)));
	graph_free(g);
}

/* ---- pad-input ---- */

static void run_both(const struct graph *a, const struct tensor *x, const struct graph *b, const struct tensor *z)
{
	struct diags d = { 0 };
	struct exec_options o = { .threads = 1 };
	struct tensor *in[1] = { (struct tensor *)(uintptr_t)x }, *y[1] = { NULL }, *u[1] = { NULL };
	exec_graph(a, in, y, &o, &d);
	in[0] = (struct tensor *)(uintptr_t)z;
	exec_graph(b, in, u, &o, &d);
	assert_no_errors(&d);
	assert_true(relative_difference(y[0], u[0]) < 1e-6);
	tensor_unref(y[0]);
	tensor_unref(u[0]);
}

static const struct pass_case padded[] = {
	{ "MatMul", X, W42, "y = MatMul(x, w)", "MatMul=1" },
	{ "Gemm, transB", X, "float[2,4] w = {" EIGHT_NUMBERS "}", "y = Gemm<transB=1>(x, w)", "Gemm=1" },
	{ "quantised weights", X, W42, "q = qonnx.Quant" SIGNED "(w, half, zero, two) y = MatMul(x, q)", "Quant=1" },
	{ "behind a chain", X, W42, "a = Add(x, one) b = Div(a, two) y = MatMul(b, w)", "Add=1 Div=1" },
	{ "two readers", X, W42, "a = MatMul(x, w) b = MatMul(x, w) y = Add(a, b)", "MatMul=2" },
};

static void pads_the_input(void **state)
{
	(void)state;
	const int64_t four[] = { 1, 4 }, six[] = { 1, 6 };
	struct tensor *x = tensor_float(2, four, (float[]){ 1, -2, 0.5f, 3 });
	struct tensor *z = tensor_float(2, six, (float[]){ 1, -2, 0.5f, 3, 7, -9 }); /* whatever the new ones hold */
	for (size_t i = 0; i < sizeof padded / sizeof *padded; i++) {
		struct graph *before = case_graph(&padded[i]), *after = case_graph(&padded[i]);
		test_run(before, "infer");
		test_run(after, "pad-input(to=6)");
		assert_int_equal(after->inputs[0]->dims[1], 6);
		assert_true(has_operators(after, padded[i].expected));
		run_both(before, x, after, z);
		graph_free(before);
		graph_free(after);
	}
	tensor_unref(x);
	tensor_unref(z);
}

static void says_why_it_cannot_pad(void **state)
{
	static const struct {
		struct pass_case c;
		const char *passes, *said;
	} cases[] = {
		{ { "shorter", X, W42, "y = MatMul(x, w)", "" }, "pad-input(to=3)", "do not fit into 3" },
		{ { "bipolar", X, W42, "q = qonnx.BipolarQuant(w, one) y = MatMul(x, q)", "" },
		  "pad-input(to=6)",
		  "no zero" },
		{ { "scales along the inputs", X, W42 ", float[4,1] s = {1,2,3,4}",
		    "q = qonnx.Quant" SIGNED "(w, s, zero, two) y = MatMul(x, q)", "" },
		  "pad-input(to=6)",
		  "vary along" },
		{ { "something else", X, "", "y = Softmax(x)", "" }, "pad-input(to=6)", "does more with the input" },
		{ { "computed weights", "(float[1,4] x) => (y)", "float[1,4] v = {1,2,3,4}",
		    "t = Transpose(x) y = MatMul(v, t)", "" },
		  "pad-input(to=6)",
		  "does more with the input" },
		{ { "an output", X, "", "y = Identity(x)", "" }, "pad-input(to=6)", "output of the graph" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		case_fails(&cases[i].c, cases[i].passes, cases[i].said);
	case_fails(&two_inputs, "pad-input(to=6)", "several inputs");
}

/* ---- bipolar-input, binary-output, insert-topk ---- */

static void input_becomes_bipolar(void **state)
{
	(void)state;
	const int64_t dims[] = { 1, 4 };
	struct tensor *bits = tensor_float(2, dims, (float[]){ 0, 1, 1, 0 });
	struct tensor *signs = tensor_float(2, dims, (float[]){ -1, 1, 1, -1 });
	struct graph *before = case_graph(&plain), *after = case_graph(&plain);
	test_run(before, "infer");
	test_run(after, "bipolar-input,set-datatype(input=BIPOLAR)");
	assert_true(has_operators(after, "Add=1 Div=1 MatMul=1"));
	run_both(before, bits, after, signs);
	graph_free(before);
	graph_free(after);
	tensor_unref(bits);
	tensor_unref(signs);
	case_fails(&two_inputs, "bipolar-input", "several inputs");
}

static void output_becomes_a_sign(void **state)
{
	(void)state;
	struct graph *g = case_graph(&plain);
	const int64_t dims[] = { 1, 4 };
	struct tensor *in[1] = { tensor_float(2, dims, (float[]){ 0, 0, 0, 0 }) }, *out[1] = { NULL };
	struct exec_options o = { .threads = 1 };
	struct diags d = { 0 };
	test_run(g, "binary-output");
	assert_true(has_operators(g, "BipolarQuant=1"));
	assert_string_equal(g->output_names[0], "y");
	assert_int_equal(g->outputs[0].value->datatype.kind, DT_BIPOLAR);
	exec_graph(g, in, out, &o, &d);
	assert_no_errors(&d);
	assert_true(tensor_all(out[0], 1)); /* +1 from 0 on */
	tensor_unref(in[0]);
	tensor_unref(out[0]);
	graph_free(g);
}

static void output_becomes_indices(void **state)
{
	(void)state;
	struct graph *g = case_graph(&plain);
	const int64_t dims[] = { 1, 4 };
	struct tensor *in[1] = { tensor_float(2, dims, (float[]){ 1, 0, 0, 0 }) }, *out[1] = { NULL };
	struct exec_options o = { .threads = 1 };
	struct diags d = { 0 };
	test_run(g, "insert-topk(k=1)");
	exec_graph(g, in, out, &o, &d);
	assert_no_errors(&d);
	assert_int_equal(tensor_int_at(out[0], 0), 0); /* 0.5 against -1 */
	tensor_unref(in[0]);
	tensor_unref(out[0]);
	graph_free(g);
	case_fails(&plain, "insert-topk(k=3)", "3 of 2 elements");
	case_fails(&plain, "insert-topk(axis=5)", "no axis 5");
}

/* ---- integer-io ---- */

static const struct pass_case eight_bits = { "quantised at both ends", X, W42,
					     "q = qonnx.Quant" SIGNED "(x, half, one, four) v = qonnx.Quant" SIGNED
					     "(w, quarter, zero, four) m = MatMul(q, v) "
					     "y = qonnx.Quant" UNSIGNED "(m, eighth, three, eight)",
					     "" };
static const struct pass_case by_channel = { "a scale for each channel", X, W42 ", float[4] s = {1,2,1,2}",
					     "q = qonnx.Quant" SIGNED "(x, s, zero, four) y = MatMul(q, w)", "" };

static const struct pass_case padded_image = {
	"a zero point before padding", "(float[1,1,3,3] x) => (float[1,2,3,3] y)",
	"float[2,1,3,3] w = {1,-2,3,1,-1,2,0,-3,1,1,-2,3,1,-1,2,0,-3,1}",
	"q = qonnx.Quant" SIGNED "(x, half, three, four) v = qonnx.Quant" SIGNED "(w, one, zero, four) "
	"m = Conv<pads=[1,1,1,1]>(q, v) y = qonnx.Quant" UNSIGNED "(m, half, two, four)",
	""
};

/* Integers in give integers out, which stand for what the network computes from what the integers in stand for. */
static void compare_meanings(const struct graph *original, const struct graph *g, uint32_t *random)
{
	const struct value *x = g->inputs[0];
	struct integer_meaning in = integer_meaning(g, "x"), out = integer_meaning(g, "y");
	struct tensor *codes = random_input(x, 1, random), *reals = tensor_new(ELEM_FLOAT, x->rank, x->dims);
	struct tensor *want[1], *got[1];
	struct diags d = { 0 };
	struct exec_options o = { .threads = 1 };
	for (int64_t k = 0; k < codes->count; k++)
		tensor_put(reals, k, in.scale * tensor_at(codes, k) + in.offset);
	exec_graph(original, &reals, want, &o, &d);
	exec_graph(g, &codes, got, &o, &d);
	assert_no_errors(&d);
	assert_int_equal(want[0]->count, got[0]->count);
	for (int64_t k = 0; k < got[0]->count; k++)
		assert_true(out.scale * tensor_at(got[0], k) + out.offset == tensor_at(want[0], k));
	tensor_unref(codes);
	tensor_unref(reals);
	tensor_unref(want[0]);
	tensor_unref(got[0]);
}

static struct graph *becomes_integer(const struct pass_case *c, struct datatype in, struct datatype out)
{
	struct graph *g = case_graph(c), *original = graph_copy(g);
	uint32_t random = 7;
	test_run(g, "integer-io");
	assert_true(datatype_equal(g->inputs[0]->datatype, in));
	assert_true(datatype_equal(g->outputs[0].value->datatype, out));
	for (int i = 0; i < 50; i++)
		compare_meanings(original, g, &random);
	graph_free(original);
	return g;
}

static void ends_become_integers(void **state)
{
	(void)state;
	struct graph *g = becomes_integer(&eight_bits, datatype_int(4), datatype_uint(8));
	struct integer_meaning in = integer_meaning(g, "x"), out = integer_meaning(g, "y");
	assert_true(in.scale == 0.5 && in.offset == -0.5 && out.scale == 0.125 && out.offset == -0.375);
	graph_free(g);
	graph_free(becomes_integer(&padded_image, datatype_int(4), datatype_uint(4)));
	g = case_graph(&by_channel);
	test_run(g, "integer-io");
	assert_false(datatype_is_integer(graph_value(g, "x")->datatype));
	assert_true(integer_meaning(g, "x").scale == 1);
	graph_free(g);
	case_fails(&eight_bits, "streamline,integer-io", "convert and streamline come after this pass");
}

/* ---- preprocess, merge, insert-argmax ---- */

/* The first output for one sample of the only input. */
static struct tensor *first_output(struct graph *g, const int64_t *dims, const float *x)
{
	struct tensor *in[1] = { tensor_float(2, dims, x) }, *out[1] = { NULL };
	struct exec_options o = { .threads = 1 };
	struct diags d = { 0 };
	exec_graph(g, in, out, &o, &d);
	assert_no_errors(&d);
	tensor_unref(in[0]);
	return out[0];
}

static const char twice[] = "<ir_version: 8, opset_import: [\"\" : 13]>\n"
			    "net (float[1,2] x) => (float[1,2] y) <float two = {2}> { y = Mul(x, two) }";
static const char less_one[] = "<ir_version: 8, opset_import: [\"\" : 13]>\n"
			       "front (float[1,2] raw) => (float[1,2] z) <float one = {1}> { z = Sub(raw, one) }";
static const char wider[] = "<ir_version: 8, opset_import: [\"\" : 13]>\n"
			    "front (float[1,3] raw) => (float[1,3] z) { z = Relu(raw) }";
static const char newer[] = "<ir_version: 8, opset_import: [\"\" : 17]>\n"
			    "front (float[1,2] raw) => (float[1,2] z) { z = Relu(raw) }";

static void input_is_preprocessed(void **state)
{
	(void)state;
	struct graph *g = test_graph(twice);
	test_run(g, "preprocess(divide=255,subtract=51),set-datatype(input=UINT8)");
	struct tensor *y = first_output(g, (int64_t[]){ 1, 2 }, (float[]){ 51, 255 });
	assert_true(tensor_at(y, 0) == 0 && fabs(tensor_at(y, 1) - 1.6) < 1e-6);
	tensor_unref(y);
	graph_free(g);
	g = test_graph(twice);
	test_run(g, "set-datatype(input=BINARY),bipolar-input");
	assert_int_equal(graph_value(g, "x")->datatype.kind, DT_BIPOLAR);
	graph_free(g);
	g = test_graph(twice);
	test_run(g, "set-datatype(input=UINT4),preprocess(divide=2)");
	assert_int_equal(graph_value(g, "x")->datatype.kind, DT_NONE);
	graph_free(g);
	g = test_graph(twice);
	test_run(g, "preprocess");
	assert_int_equal(test_count(g, NULL), 1);
	graph_free(g);
}

static void output_becomes_an_index(void **state)
{
	(void)state;
	struct graph *g = test_graph(twice);
	test_run(g, "insert-argmax");
	struct tensor *y = first_output(g, (int64_t[]){ 1, 2 }, (float[]){ 1, 3 });
	assert_int_equal(y->rank, 1);
	assert_int_equal(tensor_int_at(y, 0), 1);
	tensor_unref(y);
	graph_free(g);
}

/* Runs merge with the front of that text; what it says, or NULL where it succeeds. */
static void merge_front(struct graph *g, const char *front, const char *said)
{
	char *path = test_file(".onnx"), text[128];
	struct graph *f = test_graph(front);
	struct diags d = { 0 };
	struct pipeline p;
	struct pipeline_options o = { .verify_structure = true };
	json_t *report = json_array();
	assert_int_equal(graph_write(f, path, &d), 0);
	snprintf(text, sizeof text, "merge(file=%s)", path);
	if (pipeline_parse(&p, text, &d) == 0)
		pipeline_run(&p, g, &o, report, &d);
	pipeline_free(&p);
	json_decref(report);
	if (said)
		assert_said(&d, said);
	else
		assert_no_errors(&d);
	diags_free(&d);
	graph_free(f);
	unlink(path);
	free(path);
}

static void networks_are_merged(void **state)
{
	(void)state;
	struct graph *g = test_graph(twice);
	merge_front(g, less_one, NULL);
	struct tensor *y = first_output(g, (int64_t[]){ 1, 2 }, (float[]){ 3, 0 });
	assert_true(tensor_at(y, 0) == 4 && tensor_at(y, 1) == -2);
	tensor_unref(y);
	merge_front(g, wider, "has not the shape of input 'x'");
	merge_front(g, newer, "is of opset 17, but the network of 13");
	graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_become_integers),	   cmocka_unit_test(input_is_preprocessed),
		cmocka_unit_test(output_becomes_an_index), cmocka_unit_test(networks_are_merged),
		cmocka_unit_test(sets_datatypes),	   cmocka_unit_test(means_the_networks_input),
		cmocka_unit_test(pads_the_input),	   cmocka_unit_test(says_why_it_cannot_pad),
		cmocka_unit_test(input_becomes_bipolar),   cmocka_unit_test(output_becomes_a_sign),
		cmocka_unit_test(output_becomes_indices),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ONNX's textual form: what is read, what is printed, and what is said of mistakes. */
#include "test.h"

#include "ir/onnx.h"

#define HEADER "<ir_version: 10, opset_import: [\"\" : 20, \"qonnx.custom_op.general\" : 2]>\n"

/* The text printed for a graph read from `text`. */
static void assert_prints(const char *text, const char *expected)
{
	struct graph *g = test_graph(text);
	struct diags d = { 0 };
	char *printed = graph_print(g);
	assert_string_equal(printed, expected);
	assert_int_equal(graph_verify(g, &d), 0);
	free(printed);
	graph_free(g);
}

/* Canonical text prints as itself. */
static void assert_stable(const char *text)
{
	assert_prints(text, text);
}

static void assert_refused(const char *text, const char *said)
{
	struct diags d = { 0 };
	assert_null(graph_parse(text, "test", &d));
	assert_int_equal(d.errors, 1);
	assert_said(&d, said);
}

static void header_has_defaults(void **state)
{
	(void)state;
	assert_prints("g (float[2] x) => (float[2] y) { y = Relu(x) }",
		      HEADER "g (float[2] x) => (float[2] y)\n{\n  y = Relu(x)\n}\n");
	struct graph *g = test_graph("g (x) => (y) { y = com.acme.Foo(x) }");
	assert_int_equal(graph_opset(g, "com.acme"), 1);
	graph_free(g);
}

static void header_is_kept(void **state)
{
	(void)state;
	assert_stable(
		"<ir_version: 8, opset_import: [\"\" : 13], producer_name: \"p\", producer_version: \"1\", "
		"domain: \"d\", model_version: 3, doc_string: \"say \\\"hi\\\"\", metadata_props: [\"a\" : \"b\"]>\n"
		"\"a graph\" (x) => (y)\n{\n  y = Relu(x)\n}\n");
}

static void types_and_annotations(void **state)
{
	(void)state;
	const char *text = HEADER
		"g (float[1,N,?]:INT2@NCW a, float b, float[] c, int8[2]@NC d, "
		"float:FIXED<8,3> e, \"f/0\") => (float[4]:SCALEDINT<7> y)\n{\n  y = Foo(a, b, c, d, e, \"f/0\")\n}\n";
	assert_stable(text);
	struct graph *g = test_graph(text);
	const struct value *a = graph_value(g, "a");
	assert_int_equal(a->rank, 3);
	assert_true(a->dims[0] == 1 && a->dims[1] == -1 && a->dims[2] == -1);
	assert_string_equal(a->extra->dim_params[1], "N");
	assert_true(a->datatype.kind == DT_INT && a->datatype.bits == 2 && a->layout == LAYOUT_NCW);
	assert_int_equal(graph_value(g, "b")->rank, 0);
	assert_int_equal(graph_value(g, "c")->rank, -1);
	assert_int_equal(graph_value(g, "f/0")->elem, ELEM_UNDEFINED);
	graph_free(g);
}

static void constants_of_all_types(void **state)
{
	(void)state;
	assert_stable(HEADER
		      "g () => (y)\n<\n"
		      "  float[2,2] a = {1,-0.1,inf,1e-20},\n  float b = {nan},\n  double c = {3.141592653589793},\n"
		      "  float16[2] d = {1.5,65504},\n  bfloat16 e = {2},\n  int4[3] f = {-8,7,0},\n"
		      "  uint2[2] h = {3,0},\n  int64 i = {-9223372036854775808},\n"
		      "  uint64 j = {18446744073709551615},\n  bool[2] k = {1,0},\n  string[2] l = {\"a\\\"\",\"\"},\n"
		      "  float8e4m3fn m = {448},\n  float[0,3] n = {}\n>\n"
		      "{\n  y = Foo(a, b, c, d, e, f, h, i, j, k, l, m, n)\n}\n");
}

static void attributes_of_all_kinds(void **state)
{
	(void)state;
	assert_prints("g (x) => (y) { y = Foo<i = -3, f = 2.0, g: float = 2, s = \"t\", is = [1,2], fs = [1,2.5], "
		      "none: floats = [], ss = [\"a\"], t = int8[2] {1,2}, r: int = @other>(x, , x) <more = inf> }",
		      HEADER "g (x) => (y)\n{\n  y = Foo<i = -3, f = 2.0, g = 2.0, s = \"t\", is = [1,2], "
			     "fs = [1.0,2.5], none: floats = [], ss = [\"a\"], t = int8[2] {1,2}, r: int = @other, "
			     "more = inf>(x, \"\", x)\n}\n");
}

static void names_labels_and_domains(void **state)
{
	(void)state;
	assert_prints("# a comment\n\"my graph\" (x) => (\"y/0:0\") { [\"n 1\"] a = qonnx.Quant(x, x, x, x) "
		      "\"y/0:0\", \"\" = com.acme.Foo:over(a) # the end\n}",
		      "<ir_version: 10, opset_import: [\"\" : 20, \"qonnx.custom_op.general\" : 2, \"com.acme\" : 1]>\n"
		      "\"my graph\" (x) => (\"y/0:0\")\n{\n  [\"n 1\"] a = qonnx.custom_op.general.Quant(x, x, x, x)\n"
		      "  \"y/0:0\", \"\" = com.acme.Foo:over(a)\n}\n");
}

static void initializer_as_input(void **state)
{
	(void)state;
	assert_stable(HEADER "g (float[1] x, float[1] w = {3}) => (y)\n{\n  y = Mul(x, w)\n}\n");
}

static void nodes_are_sorted(void **state)
{
	(void)state;
	assert_prints("g (x) => (y) { y = Neg(b) b = Abs(a) a = Relu(x) }",
		      HEADER "g (x) => (y)\n{\n  a = Relu(x)\n  b = Abs(a)\n  y = Neg(b)\n}\n");
}

static void large_constants_are_left_out(void **state)
{
	(void)state;
	struct graph *g = test_graph("g (x) => (y) { y = Relu(x) }");
	struct value *w = value_new_constant(g, "w", tensor_new(ELEM_FLOAT, 2, (int64_t[]){ 5, 13 }));
	node_append_input(g->first, w);
	char *printed = graph_print(g), *whole = graph_print_all(g);
	assert_non_null(strstr(printed, "float[5,13] w = {...}"));
	assert_refused(printed, "'w' were left out");
	struct graph *again = test_graph(whole);
	assert_true(tensor_equal(graph_value(again, "w")->constant, w->constant));
	free(printed);
	free(whole);
	graph_free(again);
	graph_free(g);
}

/* What the graph calls its outputs, whatever their values are called inside. */
static void outputs_keep_their_names(void **state)
{
	(void)state;
	struct graph *g = test_graph("g (x) => (a, y) { a = Relu(x) y = Neg(a) }");
	struct value *a = graph_value(g, "a"), *x = graph_value(g, "x");
	assert_true(value_rename(g, a, "b"));
	value_replace_uses(graph_value(g, "y"), x); /* an input cannot be renamed */
	char *printed = graph_print(g);
	assert_string_equal(printed,
			    HEADER "g (x) => (a, y)\n{\n  a = Relu(x)\n  y_1 = Neg(a)\n  y = Identity(x)\n}\n");
	free(printed);
	graph_free(g);
}

static void mistakes_are_located(void **state)
{
	(void)state;
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "", "line 1, column 1: the name of the graph expected, not the end of the text" },
		{ "g (x) =>\n (y) {\n  y = Relu(x }", "line 3, column 14: ')' expected, not '}'" },
		{ "<what: 1>", "'what' is no entry" },
		{ "g (foo x) => (y) {}", "'foo' is no type" },
		{ "g (float[-1] x) => (y) {}", "negative" },
		{ "g (float:INT99 x) => (y) {}", "'INT99' is no datatype" },
		{ "g (float@XY x) => (y) {}", "'XY' is no layout" },
		{ "g (x, x) => (y) {}", "'x' is defined twice" },
		{ "g (x) => (y) { y = A(x) y = B(x) }", "'y' is defined twice" },
		{ "g (x) => (y) { y, y = A(x) }", "'y' is defined twice" },
		{ "g (x) => (y) { x = A(x) }", "'x' is defined twice" },
		{ "g (x) => (y) <float w = {1}, float w = {2}> {}", "'w' is defined twice" },
		{ "g (x) => (y) <float[2] w = {1}> {}", "2 elements expected, not 1" },
		{ "g (x) => (y) <float[1] w = {1,2}> {}", "no more than 1" },
		{ "g (x) => (y) <float[9999999999] w = {1}> {}", "the shape is too large" },
		{ "g (x) => (y) <int8 w = {300}> {}", "300 does not fit into int8" },
		{ "g (x) => (y) <int8 w = {1.5}> {}", "an integer expected" },
		{ "g (x) => (y) <int64 w = {99999999999999999999}> {}", "does not fit into 64 bits" },
		{ "g (x) => (y) { y = A<a = foo>(x) }", "'foo' is no value" },
		{ "g (x) => (y) { y = A<a = [1,\"b\"]>(x) }", "cannot be mixed" },
		{ "g (x) => (y) { y = A<a: int = \"b\">(x) }", "of another kind" },
		{ "g (x) => (y) { y = A<a: graph = {...}>(x) }", "left out" },
		{ "g (x) => (y) { y = A<a = @b>(x) }", "say its kind" },
		{ "g (x) => (y) { y = A<s = \"x>(x) }", "no end" },
		{ "g (x) => (y) { y = A(z) }", "'z', which no node" },
		{ "g (x) => (y) { z = A(x) }", "output 'y' is computed by no node" },
		{ "g (x) => (y) { y = A(a) a = B(y) }", "cycle" },
		{ "g (x) => (y) { y = A(x) } more", "the end of the text expected" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_refused(cases[i].text, cases[i].said);
}

/* No prefix of a valid text, and no text with a byte changed, does harm. */
static void damage_does_no_harm(void **state)
{
	(void)state;
	const char *text = HEADER "g (float[1,N]:INT2@NC x) => (float y) <float[2] w = {1,2}, int4[1] v = {-1}> "
				  "{ [l] y = a.Foo<t = float[1] {1}, s = [\"a\"], f: floats = []>(x, w, , v) }";
	size_t n = strlen(text);
	char *copy = malloc(n + 1);
	for (size_t i = 0; i < 4 * n; i++) {
		struct diags d = { 0 };
		memcpy(copy, text, n + 1);
		if (i < n)
			copy[i] = 0;
		else
			copy[i % n] = "<\"[7"[i / n - (i / n == 4)];
		struct graph *g = graph_parse(copy, "test", &d);
		assert_true(g || d.errors == 1);
		graph_free(g);
		diags_free(&d);
	}
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_has_defaults),		cmocka_unit_test(header_is_kept),
		cmocka_unit_test(types_and_annotations),	cmocka_unit_test(constants_of_all_types),
		cmocka_unit_test(attributes_of_all_kinds),	cmocka_unit_test(names_labels_and_domains),
		cmocka_unit_test(initializer_as_input),		cmocka_unit_test(nodes_are_sorted),
		cmocka_unit_test(large_constants_are_left_out), cmocka_unit_test(outputs_keep_their_names),
		cmocka_unit_test(mistakes_are_located),		cmocka_unit_test(damage_does_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

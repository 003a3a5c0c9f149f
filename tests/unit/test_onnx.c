/* Reading and writing ONNX's binary form: round trips, damaged files, mistakes in models.
 * `test_onnx --roundtrip IN OUT` reads and writes one model, for tests/interop/roundtrip.py. */
#include "test.h"

#include "ir/onnx.h"
#include "util/file.h"

/* ---- messages by hand ---- */

struct message {
	uint8_t bytes[2048];
	size_t size;
};

static void put_bytes(struct message *m, uint32_t number, const void *bytes, size_t size)
{
	m->size += wire_put_tag(m->bytes + m->size, number, WIRE_BYTES, size);
	assert_true(m->size + size <= sizeof m->bytes);
	memcpy(m->bytes + m->size, bytes, size);
	m->size += size;
}

static void put_text(struct message *m, uint32_t number, const char *s)
{
	put_bytes(m, number, s, strlen(s));
}

static void put_int(struct message *m, uint32_t number, uint64_t x)
{
	m->size += wire_put_tag(m->bytes + m->size, number, WIRE_VARINT, x);
}

static void put(struct message *m, uint32_t number, struct message part)
{
	put_bytes(m, number, part.bytes, part.size);
}

static struct message node(const char *name, const char *op, const char *input, const char *output)
{
	struct message m = { .size = 0 };
	put_text(&m, NODE_INPUT, input);
	put_text(&m, NODE_OUTPUT, output);
	put_text(&m, 3, name);
	put_text(&m, 4, op);
	return m;
}

static struct message value(const char *name)
{
	struct message m = { .size = 0 };
	put_text(&m, 1, name);
	return m;
}

/* float tensor with dims (0-terminated list) and so many bytes of data */
static struct message tensor(const char *name, int elem, const int64_t *dims, size_t bytes)
{
	static const uint8_t zeros[1024];
	struct message m = { .size = 0 };
	for (; *dims; dims++)
		put_int(&m, 1, (uint64_t)*dims);
	put_int(&m, 2, (uint64_t)elem);
	put_text(&m, TENSOR_NAME, name);
	put_bytes(&m, TENSOR_RAW_DATA, zeros, bytes);
	return m;
}

static struct message graph(void)
{
	struct message m = { .size = 0 };
	put_text(&m, GRAPH_NAME, "g");
	put(&m, GRAPH_INPUT, value("x"));
	put(&m, GRAPH_OUTPUT, value("y"));
	return m;
}

static struct message model(struct message graph)
{
	struct message m = { .size = 0 };
	put_int(&m, MODEL_IR_VERSION, 8);
	put(&m, MODEL_GRAPH, graph);
	return m;
}

/* ---- reading what was made ---- */

static struct graph *read_bytes(const void *bytes, size_t size, struct diags *d)
{
	char *path = test_file(".onnx");
	struct graph *g = NULL;
	if (file_write(path, bytes, size, d) == 0)
		g = graph_read(path, d);
	unlink(path);
	free(path);
	return g;
}

static void assert_refused(struct message m, const char *said)
{
	struct diags d = { 0 };
	assert_null(read_bytes(m.bytes, m.size, &d));
	assert_int_equal(d.errors, 1);
	assert_null(d.first->next);
	assert_non_null(d.first->file);
	assert_said(&d, said);
}

static void files_that_are_no_models(void **state)
{
	(void)state;
	struct diags d = { 0 };
	assert_null(graph_read("no/such/file.onnx", &d));
	assert_said(&d, "cannot open");
	assert_null(graph_read("/tmp", &d));
	assert_said(&d, "is a folder");
	struct message m = { .size = 0 };
	assert_refused(m, "the file is empty");
	m.size = (size_t)snprintf((char *)m.bytes, sizeof m.bytes, "Dear reader, this is a letter.");
	assert_refused(m, "no ONNX model");
	m.size = 0;
	put_text(&m, 2, "pytorch");
	assert_refused(m, "no ONNX model");
	m.size = 0;
	put_int(&m, MODEL_IR_VERSION, 8);
	assert_refused(m, "the model has no graph");
	m = model(graph());
	m.size -= 3;
	assert_refused(m, "cut short");
	m = model((struct message){ .bytes = { 0x0a, 0x7f }, .size = 2 });
	assert_refused(m, "damaged");
}

static void names_defined_twice(void **state)
{
	(void)state;
	struct message g = graph();
	put(&g, GRAPH_NODE, node("first", "Relu", "x", "y"));
	put(&g, GRAPH_NODE, node("second", "Neg", "x", "y"));
	assert_refused(model(g), "'y' is defined twice: by node 'first' (Relu) and by node 'second' (Neg)");
	g = graph();
	put(&g, GRAPH_NODE, node("n", "Relu", "x", "x"));
	assert_refused(model(g), "'x' is defined twice: as a graph input and by node 'n' (Relu)");
	g = graph();
	put(&g, GRAPH_INITIALIZER, tensor("y", ELEM_FLOAT, (int64_t[]){ 2, 0 }, 8));
	struct message twice = g;
	put(&twice, GRAPH_INITIALIZER, tensor("y", ELEM_FLOAT, (int64_t[]){ 2, 0 }, 8));
	assert_refused(model(twice), "'y' is defined twice: as an initializer and by another initializer");
	put(&g, GRAPH_NODE, node("", "Relu", "x", "y"));
	assert_refused(model(g), "as an initializer and by node 'y' (Relu)");
	g = graph();
	struct message n = node("n", "Split", "x", "y");
	put_text(&n, NODE_OUTPUT, "y");
	put(&g, GRAPH_NODE, n);
	assert_refused(model(g), "'y' is defined twice by node 'n' (Split)");
}

static void names_defined_nowhere(void **state)
{
	(void)state;
	struct message g = graph();
	assert_refused(model(g), "output 'y' is computed by no node");
	put(&g, GRAPH_NODE, node("n", "Relu", "lost", "y"));
	struct diags d = { 0 };
	struct message m = model(g);
	assert_null(read_bytes(m.bytes, m.size, &d));
	assert_string_equal(d.first->node, "n");
	assert_said(&d, "its input 0 is 'lost'");
}

static void cycles(void **state)
{
	(void)state;
	struct message g = graph();
	put(&g, GRAPH_NODE, node("first", "Relu", "b", "y"));
	put(&g, GRAPH_NODE, node("second", "Neg", "y", "b"));
	assert_refused(model(g), "'first' <- 'second' <- 'first'");
}

/* A graph with one more initializer. */
static struct message with_tensor(struct message t)
{
	struct message g = graph();
	put(&g, GRAPH_NODE, node("n", "Relu", "x", "y"));
	put(&g, GRAPH_INITIALIZER, t);
	return model(g);
}

static void tensors_that_cannot_be(void **state)
{
	(void)state;
	assert_refused(with_tensor(tensor("w", ELEM_FLOAT, (int64_t[]){ 4, 2, 0 }, 28)),
		       "'w' has 28 bytes of data where its shape needs 32");
	assert_refused(with_tensor(tensor("w", ELEM_INT4, (int64_t[]){ 3, 0 }, 3)), "needs 2");
	assert_refused(with_tensor(tensor("w", ELEM_FLOAT, (int64_t[]){ 1LL << 40, 1LL << 40, 0 }, 4)), "absurd");
	assert_refused(with_tensor(tensor("w", ELEM_FLOAT, (int64_t[]){ -4, 0 }, 4)), "negative");
	assert_refused(with_tensor(tensor("w", ELEM_FLOAT, (int64_t[]){ 1LL << 50, 0 }, 4)), "absurd");
	assert_refused(with_tensor(tensor("w", 99, (int64_t[]){ 1, 0 }, 4)), "element type 99");
	assert_refused(with_tensor(tensor("w", ELEM_STRING, (int64_t[]){ 2, 0 }, 0)), "0 strings");
	int64_t deep[] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0 };
	assert_refused(with_tensor(tensor("w", ELEM_FLOAT, deep, 4)), "17 dimensions");
	struct message t = tensor("w", ELEM_FLOAT, (int64_t[]){ 4, 0 }, 0);
	put_bytes(&t, TENSOR_FLOAT_DATA, "\0\0\0\0\0\0\0\0", 8);
	assert_refused(with_tensor(t), "2 elements of data where its shape needs 4");
}

static struct message external(const char *location, const char *offset)
{
	struct message t = { .size = 0 }, entry = { .size = 0 };
	put_int(&t, 1, 4);
	put_int(&t, 2, ELEM_FLOAT);
	put_text(&t, TENSOR_NAME, "w");
	put_text(&entry, 1, "location");
	put_text(&entry, 2, location);
	put(&t, 13, entry);
	entry.size = 0;
	put_text(&entry, 1, "offset");
	put_text(&entry, 2, offset);
	put(&t, 13, entry);
	put_int(&t, 14, 1);
	return t;
}

static void external_data_that_cannot_be(void **state)
{
	(void)state;
	assert_refused(with_tensor(external("/etc/passwd", "0")), "'/etc/passwd', outside the model's folder");
	assert_refused(with_tensor(external("a/../../b", "0")), "'a/../../b', outside the model's folder");
	assert_refused(with_tensor(external("", "0")), "outside the model's folder");
	assert_refused(with_tensor(external("no such file", "0")), "cannot open");
	char *data = test_file(".bin");
	struct diags d = { 0 };
	assert_int_equal(file_write(data, "0123456789abcdef0", 17, &d), 0);
	assert_refused(with_tensor(external(data, "2")), "ends beyond");
	assert_refused(with_tensor(external(data, "18446744073709551615")), "ends beyond");
	assert_refused(with_tensor(external(data, "-1")), "unsupported");
	struct message m = with_tensor(external(data, "1"));
	struct graph *g = read_bytes(m.bytes, m.size, &d);
	assert_no_errors(&d);
	char expected[] = "123456789abcdef0";
	if (!NATIVE_IS_LITTLE)
		elements_swap((enum elem_type)graph_value(g, "w")->constant->elem, expected, 16);
	assert_memory_equal(graph_value(g, "w")->constant->data, expected, 16);
	graph_free(g);
	unlink(data);
	free(data);
}

/* ---- round trips ---- */

/* The graph after it was written and read. */
static struct graph *again(const struct graph *g)
{
	struct diags d = { 0 };
	char *path = test_file(".onnx");
	assert_int_equal(graph_write(g, path, &d), 0);
	struct graph *copy = graph_read(path, &d);
	assert_no_errors(&d);
	assert_int_equal(graph_verify(copy, &d), 0);
	unlink(path);
	free(path);
	return copy;
}

static const char everything[] =
	"<ir_version: 8, opset_import: [\"\" : 20, \"qonnx.custom_op.general\" : 2, \"com.acme\" : 4], "
	"producer_name: \"p\", model_version: 2, doc_string: \"d\", metadata_props: [\"a\" : \"b\"]>\n"
	"g (float[1,N,?]:INT2@NCW x, float s, int8[2] iv = {-1,5}) => (float[1,2]:BIPOLAR y, z)\n<\n"
	"  float[4,2]:TERNARY W = {1,2,3,4.5,-inf,nan,1e-20,0.1},\n  int4[3] i4 = {1,-8,7},\n"
	"  uint2[5] u2 = {1,0,3,2,1},\n  float4e2m1[3] f4 = {1,-6,0.5},\n  string[2] st = {\"a\",\"\"},\n"
	"  bool[2] bb = {1,0},\n  bfloat16 bf = {2},\n  float[0] e = {},\n"
	"  float[?]:FIXED<8,3> h\n>\n{\n"
	"  [n1] h = MatMul(x, W)\n"
	"  y = qonnx.custom_op.general.Quant<signed = 1, narrow = 0, mode = \"ROUND\", f = 0.0, fs = [1.0,2.0], "
	"is = [1,2], e: ints = [], ss = [\"a\",\"\"], t = float[2] {1,2}>(h, s, s, iv)\n"
	"  q, \"\" = com.acme.Foo:over(y, \"\", i4, u2, f4, st, bb, bf, e)\n"
	"  z = Relu(q)\n}\n";

static void text_survives_the_binary_form(void **state)
{
	(void)state;
	struct graph *g = test_graph(everything), *copy = again(g);
	char *before = graph_print(g), *after = graph_print(copy);
	assert_string_equal(before, everything);
	assert_string_equal(after, before);
	free(before);
	free(after);
	graph_free(copy);
	graph_free(g);
}

static void constants_in_a_file_of_their_own(void **state)
{
	(void)state;
	struct diags d = { 0 };
	struct graph *g = test_graph("g (x) => (y) <float[2] small = {1,2}> { y = Foo(x, small) }");
	struct tensor *t = tensor_new(ELEM_INT4, 1, (int64_t[]){ 70001 });
	struct tensor *f = tensor_new(ELEM_FLOAT, 1, (int64_t[]){ 5000 });
	for (int64_t i = 0; i < t->count; i++)
		tensor_put(t, i, (double)(i % 16 - 8));
	for (int64_t i = 0; i < f->count; i++)
		tensor_put(f, i, (double)i / 3);
	node_append_input(g->first, value_new_constant(g, "t", t));
	node_append_input(g->first, value_new_constant(g, "f", f));
	char *path = test_file(".onnx"), *data = malloc(strlen(path) + 6);
	strcat(strcpy(data, path), ".data");
	assert_int_equal(graph_write_split(g, path, 1000, &d), 0);
	struct graph *copy = graph_read(path, &d);
	assert_no_errors(&d);
	assert_true(tensor_equal(graph_value(copy, "t")->constant, t));
	assert_true(tensor_equal(graph_value(copy, "f")->constant, f));
	assert_true(tensor_equal(graph_value(copy, "small")->constant, graph_value(g, "small")->constant));
	assert_int_equal(graph_value(copy, "f")->constant->blob->mapped, NATIVE_IS_LITTLE);
	assert_int_equal(graph_write_split(copy, path, 1000, &d), 0); /* over the files it is mapped from */
	graph_free(copy);
	copy = graph_read(path, &d);
	assert_true(tensor_equal(graph_value(copy, "f")->constant, f));
	graph_free(copy);
	graph_free(g);
	unlink(path);
	unlink(data);
	free(path);
	free(data);
}

static void outputs_keep_their_names(void **state)
{
	(void)state;
	struct graph *g = test_graph("g (x) => (a, y, z) { a = Relu(x) y = Neg(a) z = Abs(a) }");
	assert_true(value_rename(g, graph_value(g, "a"), "b"));
	value_replace_uses(graph_value(g, "z"), graph_value(g, "y"));
	struct graph *copy = again(g);
	assert_string_equal(copy->output_names[0], "a");
	assert_string_equal(copy->output_names[1], "y");
	assert_string_equal(copy->output_names[2], "z");
	assert_ptr_equal(copy->outputs[1].value, node_input(copy->outputs[2].value->producer, 0));
	assert_int_equal(test_count(copy, "Identity"), 1);
	graph_free(copy);
	graph_free(g);
}

static void a_failed_write_leaves_nothing(void **state)
{
	(void)state;
	struct diags d = { 0 };
	struct graph *g = test_graph("g (x) => (y) { y = Relu(x) }");
	assert_int_equal(graph_write(g, "no/such/folder/a.onnx", &d), -1);
	assert_int_equal(d.errors, 1);
	diags_free(&d);
	graph_free(g);
}

/* ---- damage ---- */

/* Reads it; whatever comes of that, a graph that came is whole. */
static void survive(const uint8_t *bytes, size_t size)
{
	struct diags d = { 0 };
	struct graph *g = read_bytes(bytes, size, &d);
	assert_true(g ? d.errors == 0 : d.errors == 1);
	if (g) {
		char *text = graph_print(g);
		assert_non_null(text);
		free(text);
	}
	graph_free(g);
	diags_free(&d);
}

static void damage_does_no_harm(void **state)
{
	(void)state;
	struct diags d = { 0 };
	char *path = test_file(".onnx");
	struct graph *g = test_graph(everything);
	assert_int_equal(graph_write(g, path, &d), 0);
	struct blob *file = file_map(path, &d);
	uint8_t *bytes = malloc(file->size);
	for (size_t size = 0; size < file->size; size += 7)
		survive(file->base, size);
	uint32_t random = 1;
	for (int i = 0; i < 2000; i++) {
		memcpy(bytes, file->base, file->size);
		for (int flips = 1 + i % 3; flips; flips--) {
			random = random * 1664525 + 1013904223;
			size_t at = (random >> 8) % file->size;
			random = random * 1664525 + 1013904223;
			bytes[at] ^= (uint8_t)(1 + (random >> 8) % 255);
		}
		survive(bytes, file->size);
	}
	free(bytes);
	blob_unref(file);
	graph_free(g);
	unlink(path);
	free(path);
}

/* Types nest without end in a small file; they are kept, not walked. */
static void deep_types_do_no_harm(void **state)
{
	(void)state;
	enum { DEPTH = 200 };
	struct message m = { .size = 0 };
	for (int i = 0; i < DEPTH; i++) {
		struct message sequence = { .size = 0 }, type = { .size = 0 };
		put(&sequence, 1, m);
		put(&type, 4, sequence);
		m = type;
	}
	struct message v = value("s"), g = graph();
	put(&v, 2, m);
	put(&g, GRAPH_INPUT, v);
	put(&g, GRAPH_NODE, node("n", "Relu", "x", "y"));
	struct diags d = { 0 };
	struct message whole = model(g);
	struct graph *read = read_bytes(whole.bytes, whole.size, &d), *copy = again(read);
	assert_int_equal(graph_value(copy, "s")->extra->type_proto_size, m.size);
	graph_free(copy);
	graph_free(read);
}

/* A model-local function hides the operator of its name, survives, and can be looked into. */
static void functions(void **state)
{
	(void)state;
	struct message f = { .size = 0 }, opset = { .size = 0 }, g = graph(), n = node("n", "Add", "a", "b");
	put_text(&f, 1, "Relu");
	put_text(&f, FUNCTION_INPUT, "a");
	put_text(&f, FUNCTION_OUTPUT, "b");
	put_text(&n, NODE_INPUT, "a");
	put(&f, FUNCTION_NODE, n);
	put_int(&opset, 2, 20);
	put(&f, FUNCTION_OPSET, opset);
	put(&g, GRAPH_NODE, node("call", "Relu", "x", "y"));
	struct message m = model(g);
	put(&m, MODEL_FUNCTIONS, f);
	struct diags d = { 0 };
	struct graph *read = read_bytes(m.bytes, m.size, &d), *copy = again(read);
	assert_null(copy->first->op);
	assert_string_equal(copy->functions->name, "Relu");
	assert_memory_equal(copy->functions->proto, f.bytes, f.size);
	struct graph *body = function_read(copy->functions, &d);
	assert_no_errors(&d);
	assert_int_equal(graph_opset(body, ""), 20);
	assert_true(body->n_inputs == 1 && body->n_outputs == 1 && test_count(body, "Add") == 1);
	graph_free(body);
	graph_free(copy);
	graph_free(read);
}

/* What qcc does not read comes back as it was: unknown fields of nodes, graphs and models. */
static void unknown_fields_are_kept(void **state)
{
	(void)state;
	struct message g = graph(), n = node("n", "Relu", "x", "y");
	put_text(&n, 77, "of the node");
	put(&g, GRAPH_NODE, n);
	put_int(&g, 78, 5);
	struct message m = model(g);
	put_text(&m, 79, "of the model");
	struct diags d = { 0 };
	struct graph *read = read_bytes(m.bytes, m.size, &d), *twin = graph_copy(read), *copy = again(twin);
	assert_int_equal(copy->first->unknown->size, 2 + 1 + strlen("of the node"));
	assert_int_equal(wire_int(span_of(copy->sparse_proto, copy->sparse_size), 78, 0), 5);
	assert_int_equal(span_size(wire_bytes(span_of(copy->training_proto, copy->training_size), 79)), 12);
	graph_free(copy);
	graph_free(twin);
	graph_free(read);
}

static int roundtrip(const char *from, const char *to)
{
	struct diags d = { 0 };
	struct graph *g = graph_read(from, &d);
	int result = g && graph_verify(g, &d) == 0 && graph_write(g, to, &d) == 0 ? 0 : 1;
	for (const struct diag *diag = d.first; diag; diag = diag->next)
		diag_print(diag, stdout);
	graph_free(g);
	diags_free(&d);
	return result;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "--roundtrip") == 0)
		return roundtrip(argv[2], argv[3]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_that_are_no_models),
		cmocka_unit_test(names_defined_twice),
		cmocka_unit_test(names_defined_nowhere),
		cmocka_unit_test(cycles),
		cmocka_unit_test(tensors_that_cannot_be),
		cmocka_unit_test(external_data_that_cannot_be),
		cmocka_unit_test(text_survives_the_binary_form),
		cmocka_unit_test(constants_in_a_file_of_their_own),
		cmocka_unit_test(outputs_keep_their_names),
		cmocka_unit_test(a_failed_write_leaves_nothing),
		cmocka_unit_test(damage_does_no_harm),
		cmocka_unit_test(deep_types_do_no_harm),
		cmocka_unit_test(functions),
		cmocka_unit_test(unknown_fields_are_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

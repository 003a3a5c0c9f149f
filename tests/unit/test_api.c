/* The library's public face. */
#include "test.h"

#include "qcc/qcc.h"

static char *own_model(void)
{
	const char *source = getenv("QCC_SRC");
	char *path = malloc(strlen(source ? source : ".") + 64);
	assert_non_null(path);
	sprintf(path, "%s/models/mlp_2w2a/model.onnx", source ? source : ".");
	return path;
}

static void loads_and_writes(void **state)
{
	(void)state;
	char *path = own_model(), *copy = test_file(".onnx");
	struct qcc_model *m = qcc_load(path);
	size_t nodes = qcc_count(m, NULL);
	assert_string_equal(qcc_messages(m), "");
	assert_true(nodes > 0);
	assert_int_equal(qcc_run(m, ""), 0);
	assert_int_equal(qcc_write(m, copy), 0);
	qcc_free(m);
	m = qcc_load(copy);
	assert_int_equal(qcc_count(m, NULL), nodes);
	qcc_free(m);
	unlink(copy);
	free(copy);
	free(path);
}

static void says_what_failed(void **state)
{
	(void)state;
	struct qcc_model *m = qcc_load("no such file.onnx");
	assert_non_null(m);
	assert_non_null(strstr(qcc_messages(m), "no such file.onnx"));
	assert_int_equal(qcc_run(m, ""), -1);
	assert_int_equal(qcc_emit(m, NULL, "."), -1);
	assert_int_equal(qcc_write(m, "x.onnx"), -1);
	assert_int_equal(qcc_count(m, NULL), 0);
	qcc_free(m);
	char *path = own_model();
	m = qcc_load(path);
	assert_int_equal(qcc_run(m, "no-such-pass"), -1);
	assert_int_equal(qcc_emit(m, "no-such-backend", "."), -1);
	assert_non_null(strstr(qcc_messages(m), "no-such-backend"));
	qcc_free(m);
	qcc_free(NULL);
	free(path);
}

static struct qcc_array sample(const struct qcc_value *input, enum qcc_type type, size_t width, int64_t samples)
{
	struct qcc_array a = { .type = type, .rank = qcc_value_rank(input) };
	size_t count = width;
	for (int k = 0; k < a.rank; k++) {
		a.dims[k] = k ? qcc_value_dim(input, k) : samples;
		count *= (size_t)a.dims[k];
	}
	a.data = calloc(count, 1);
	return a;
}

/* From memory, on float and on integer arrays, on several samples: one output, which streamlining keeps. */
static void executes(void **state)
{
	(void)state;
	char *path = own_model();
	struct qcc_model *m = qcc_load(path), *copy = qcc_clone(m);
	struct qcc_array floats = sample(qcc_input(m, 0), QCC_FLOAT, 4, 3), out, again;
	struct qcc_array bytes = sample(qcc_input(m, 0), QCC_UINT8, 1, 3);
	((float *)floats.data)[5] = 1;
	((uint8_t *)bytes.data)[5] = 1;
	assert_int_equal(qcc_execute(m, &floats, 1, &out, 1), 0);
	assert_int_equal(out.dims[0], 3);
	assert_int_equal(out.type, QCC_FLOAT);
	assert_int_equal(qcc_run(copy, "set-datatype(input=BINARY),streamline"), 0);
	assert_true(qcc_count(copy, NULL) < qcc_count(m, NULL));
	assert_int_equal(qcc_execute(copy, &bytes, 1, &again, 1), 0);
	assert_memory_equal(out.data, again.data, 3 * sizeof(float));
	qcc_array_free(&again);
	assert_int_equal(qcc_execute(m, &floats, 0, &again, 1), -1);
	floats.rank = 17;
	assert_int_equal(qcc_execute(m, &floats, 1, &again, 1), -1);
	assert_non_null(strstr(qcc_messages(m), "shape"));
	qcc_clear_messages(m);
	assert_string_equal(qcc_messages(m), "");
	qcc_array_free(&out);
	free(floats.data);
	free(bytes.data);
	qcc_free(copy);
	qcc_free(m);
	free(path);
}

static void lists_the_graph(void **state)
{
	static const char text[] = "<ir_version: 8, opset_import: [\"\" : 13]> g (float[1,2] x) => (y)\n"
				   "<float[2] w = {3, 4}> {\n y = Add(x, w)\n}\n";
	(void)state;
	char name[QCC_DATATYPE_SIZE];
	struct qcc_model *m = qcc_load_memory(text, sizeof text - 1, "g.onnxtxt");
	const struct qcc_node *n = qcc_first_node(m);
	struct qcc_array w;
	assert_string_equal(qcc_messages(m), "");
	assert_string_equal(qcc_node_op_type(n), "Add");
	assert_string_equal(qcc_node_domain(n), "");
	assert_int_equal(qcc_node_input_count(n), 2);
	assert_null(qcc_next_node(n));
	assert_null(qcc_node_input(n, 2));
	assert_ptr_equal(qcc_node_input(n, 0), qcc_input(m, 0));
	assert_ptr_equal(qcc_value_producer(qcc_output(m, 0)), n);
	assert_string_equal(qcc_output_name(m, 0), "y");
	assert_null(qcc_input(m, 1));
	assert_int_equal(qcc_value_constant(qcc_input(m, 0), &w), -1);
	assert_int_equal(qcc_value_constant(qcc_node_input(n, 1), &w), 0);
	assert_int_equal(w.dims[0], 2);
	assert_true(((float *)w.data)[1] == 4);
	qcc_array_free(&w);
	assert_int_equal(qcc_value_type(qcc_input(m, 0)), QCC_FLOAT);
	assert_string_equal(qcc_value_datatype(qcc_input(m, 0), name), "FLOAT32");
	assert_int_equal(qcc_value_dim(qcc_input(m, 0), 1), 2);
	assert_int_equal(qcc_value_dim(qcc_input(m, 0), 2), -1);
	assert_non_null(strstr(qcc_dot(m), "digraph"));
	assert_non_null(strstr(qcc_text(m), "Add"));
	assert_non_null(strstr(qcc_report(m), "\"layers\""));
	qcc_free(m);
}

static int stop_at(void *user, const char *what, double done)
{
	(void)done;
	return strcmp(what, user) == 0;
}

static void is_given_up(void **state)
{
	(void)state;
	char *path = own_model(), pass[] = "convert";
	struct qcc_message message;
	struct qcc_model *m = qcc_load(path);
	qcc_set_progress(m, stop_at, pass);
	assert_int_equal(qcc_run(m, "cleanup,convert"), -1);
	assert_int_equal(qcc_message(m, 0, &message), 1);
	assert_int_equal(message.severity, QCC_ERROR);
	assert_string_equal(message.cause, "cancelled");
	assert_int_equal(qcc_message(m, 1, &message), 0);
	assert_non_null(strstr(qcc_report(m), "\"cleanup\""));
	assert_null(strstr(qcc_report(m), "\"streamline\""));
	qcc_free(m);
	free(path);
}

static void tells_what_it_proved(void **state)
{
	(void)state;
	char *path = own_model();
	struct qcc_model *m = qcc_load(path);
	qcc_set_verify(m, 2);
	qcc_set_certify(m, 1);
	assert_int_equal(qcc_run(m, "streamline"), 0);
	assert_non_null(strstr(qcc_report(m), "\"samples\": 2"));
	assert_non_null(strstr(qcc_report(m), "\"points\""));
	qcc_free(m);
	free(path);
}

/* The page of the html backend has a stage for each pass, from where on they are kept. */
static void keeps_stages(void **state)
{
	(void)state;
	char *path = own_model(), *page = NULL;
	size_t size = 0;
	struct qcc_model *m = qcc_load(path);
	qcc_keep_stages(m);
	assert_int_equal(qcc_run(m, "streamline"), 0);
	assert_int_equal(qcc_emit(m, "html", "test_api_page"), 0);
	FILE *f = fopen("test_api_page/html/index.html", "r");
	assert_non_null(f);
	assert_true(getdelim(&page, &size, 0, f) > 0);
	fclose(f);
	assert_non_null(strstr(page, "{\"name\":\"as read\""));
	assert_non_null(strstr(page, "{\"name\":\"streamline\""));
	free(page);
	remove("test_api_page/html/index.html");
	remove("test_api_page/html");
	rmdir("test_api_page/.qcc");
	remove("test_api_page");
	qcc_free(m);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_stages),		cmocka_unit_test(loads_and_writes),
		cmocka_unit_test(says_what_failed),	cmocka_unit_test(executes),
		cmocka_unit_test(lists_the_graph),	cmocka_unit_test(is_given_up),
		cmocka_unit_test(tells_what_it_proved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

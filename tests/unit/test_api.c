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

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(loads_and_writes), cmocka_unit_test(says_what_failed) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

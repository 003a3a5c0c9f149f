/* What unit tests share: cmocka, and helpers for graphs in text form, diagnostics and files. A test program:
 *
 *     static void adds_up(void **state) { (void)state; assert_int_equal(1 + 1, 2); }
 *
 *     int main(void)
 *     {
 *             const struct CMUnitTest tests[] = { cmocka_unit_test(adds_up) };
 *             return cmocka_run_group_tests(tests, NULL, NULL);
 *     }
 */
#ifndef QCC_TESTS_UNIT_TEST_H
#define QCC_TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ir/ir.h"
#include "pipeline/pipeline.h"
#include "util/diag.h"

/* Prints what was collected and fails where there is an error. */
static inline void assert_no_errors(struct diags *d)
{
	if (d->errors)
		for (const struct diag *diag = d->first; diag; diag = diag->next)
			diag_print(diag, stderr);
	assert_int_equal(d->errors, 0);
}

/* Some diagnostic's cause or remedy contains the text. Frees them all. */
static inline void assert_said(struct diags *d, const char *text)
{
	bool said = false;
	for (const struct diag *diag = d->first; diag; diag = diag->next)
		said = said || strstr(diag->cause, text) || (diag->remedy && strstr(diag->remedy, text));
	if (!said) {
		fprintf(stderr, "nothing said of '%s':\n", text);
		for (const struct diag *diag = d->first; diag; diag = diag->next)
			diag_print(diag, stderr);
	}
	diags_free(d);
	assert_true(said);
}

/* A graph from ONNX's text form; fails where it cannot be read. */
static inline struct graph *test_graph(const char *text)
{
	struct diags d = { 0 };
	struct graph *g = graph_parse(text, "test", &d);
	assert_no_errors(&d);
	assert_non_null(g);
	diags_free(&d);
	return g;
}

/* Runs passes on it, verifying the structure after each; fails where they do. */
static inline void test_run(struct graph *g, const char *passes)
{
	struct diags d = { 0 };
	struct pipeline p;
	struct pipeline_options o = { .verify_structure = true };
	json_t *report = json_array();
	if (pipeline_parse(&p, passes, &d) == 0)
		pipeline_run(&p, g, &o, report, &d);
	pipeline_free(&p);
	json_decref(report);
	assert_no_errors(&d);
	diags_free(&d);
}

/* How many nodes of that operator; all where op is NULL. */
static inline int test_count(const struct graph *g, const char *op)
{
	int count = 0;
	graph_for_each_node (g, n)
		count += !op || !strcmp(n->op_type, op);
	return count;
}

/* A fresh name for a file, in the folder where tests run; the caller unlinks and frees it. */
static inline char *test_file(const char *suffix)
{
	size_t size = strlen(suffix) + 64;
	char *path = malloc(size);
	static int number;
	static char *volatile kept[64]; /* a test that is skipped later does not leak them */
	assert_non_null(path);
	kept[number % 64] = path;
	(void)kept;
	snprintf(path, size, "test-%ld-%d%s", (long)getpid(), number++, suffix);
	return path;
}

/* A path below the folder of shared data, which not everyone has: the test is skipped, with a message, where it is
 * missing. The caller frees it. Ask for it first: nothing that a test allocated before it is skipped is ever freed. */
static inline char *test_shared(const char *name)
{
	const char *base = getenv("QCC_SHARED");
	size_t size = strlen(base ? base : "") + strlen(name) + 2;
	char *path = malloc(size);
	assert_non_null(path);
	snprintf(path, size, "%s/%s", base ? base : "", name);
	if (base && access(path, R_OK) == 0)
		return path;
	free(path);
	print_message("# skipped: %s is not there\n", name);
	skip();
	return NULL;
}

#endif

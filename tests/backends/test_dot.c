/* Unit tests of the DOT backend: labels, colours, strange names, the same text twice, cost on a large
 * graph, SVG. */
#include "backends/dot/dot.h"

#include "ir/ir.h"
#include "util/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const int64_t row[] = { 1, 4 };

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *text;
	long size;

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	text = xcalloc((size_t)size + 1, 1);
	assert_int_equal(fread(text, 1, (size_t)size, f), size);
	fclose(f);
	return text;
}

static char *draw(const struct graph *g, const char *path)
{
	struct diags d = { 0 };
	char *text;

	assert_int_equal(dot_write(g, path, &d), 0);
	assert_null(d.first);
	text = slurp(path);
	remove(path);
	return text;
}

static struct value *typed(struct graph *g, struct value *v, const char *datatype)
{
	value_set_type(g, v, ELEM_FLOAT, 2, row);
	if (datatype)
		assert_true(datatype_parse(datatype, &v->datatype));
	return v;
}

static struct value *weights(struct graph *g, const char *name)
{
	const int64_t dims[] = { 4, 4 };
	struct value *v = value_new_constant(g, name, tensor_new(ELEM_FLOAT, 2, dims));

	v->datatype = datatype_int(2);
	return v;
}

static struct value *append(struct graph *g, const char *op, struct value *x, struct value *w, const char *datatype)
{
	struct value *inputs[] = { x, w };
	struct node *n = node_new(g, NULL, "", op, inputs, w ? 2 : 1, 1, NULL);

	return typed(g, n->outputs[0], datatype);
}

/* in -> MatMul -> Relu -> MatMul -> out, all annotated as told. */
static struct graph *small(const char *middle)
{
	struct graph *g = graph_new();
	struct value *x = typed(g, value_new_named(g, "x<&\"\x01\xff>"), "UINT2");

	graph_add_input(g, x);
	x = append(g, "MatMul", x, weights(g, "W"), "INT5");
	node_set_int(x->producer, "PE", 2);
	x = append(g, "Relu", x, NULL, middle);
	x = append(g, "MatMul", x, weights(g, "W2"), "INT8");
	x = append(g, "MatMul", x, weights(g, "W3"), "INT12");
	graph_add_output(g, x, "y");
	return g;
}

static void test_labels(void **state)
{
	struct graph *g = small("INT5");
	char *text = draw(g, "test_dot_labels.dot");

	(void)state;
	assert_non_null(strstr(text, "<B>MatMul</B>"));
	assert_non_null(strstr(text, "<B>PE 2</B>"));
	assert_non_null(strstr(text, "<I>W</I>: INT2 4x4"));
	assert_non_null(strstr(text, "UINT2 1x4"));
	assert_non_null(strstr(text, "x<&\\\"?\?>")); /* plain text: only the quote is escaped */
	assert_null(strstr(text, "#f9cb9c"));
	free(text);
	graph_free(g);
}

static void test_leftover_stands_out(void **state)
{
	struct graph *g = small(NULL);
	char *text = draw(g, "test_dot_leftover.dot");
	const char *first = strstr(text, "#f9cb9c");

	(void)state;
	assert_non_null(first); /* the Relu, and the MatMul behind it that reads floats */
	assert_non_null(strstr(first + 1, "#f9cb9c"));
	assert_null(strstr(strstr(first + 1, "#f9cb9c") + 1, "#f9cb9c"));
	free(text);
	graph_free(g);
}

static void test_same_text_twice(void **state)
{
	struct graph *g = small(NULL), *h = small(NULL);
	char *a = draw(g, "test_dot_a.dot"), *b = draw(h, "test_dot_b.dot"), *c = draw(g, "test_dot_c.dot");

	(void)state;
	assert_string_equal(a, b);
	assert_string_equal(a, c);
	free(a);
	free(b);
	free(c);
	graph_free(g);
	graph_free(h);
}

static void test_untyped_and_empty(void **state)
{
	struct graph *g = graph_new();
	char *text = draw(g, "test_dot_empty.dot");
	struct value *x = value_new(g, "x");

	(void)state;
	assert_non_null(strstr(text, "digraph"));
	free(text);
	graph_add_input(g, x);
	graph_add_output(g, x, "x");
	text = draw(g, "test_dot_untyped.dot");
	assert_non_null(strstr(text, "in0 -> out0"));
	free(text);
	graph_free(g);
}

static void test_unwritable(void **state)
{
	struct graph *g = graph_new();
	struct diags d = { 0 };

	(void)state;
	assert_int_equal(dot_write(g, "/nonexistent/folder/x.dot", &d), -1);
	assert_int_equal(d.errors, 1);
	diags_free(&d);
	graph_free(g);
}

static double seconds_for(size_t layers)
{
	struct graph *g = graph_new();
	struct value *x = typed(g, value_new_named(g, "x"), "UINT2"), *w = weights(g, "W");
	struct timespec a, b;
	struct diags d = { 0 };

	graph_add_input(g, x);
	for (size_t i = 0; i < layers; i++)
		x = append(g, "MatMul", x, w, "INT5");
	graph_add_output(g, x, "y");
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	assert_int_equal(dot_write(g, "test_dot_large.dot", &d), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	remove("test_dot_large.dot");
	graph_free(g);
	return (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec);
}

/* Ten times the nodes, about ten times the time; generous, since the machine may be busy. */
static void test_cost_is_linear(void **state)
{
	const double small_cost = seconds_for(10000), large_cost = seconds_for(100000);

	(void)state;
	print_message("# 10,000 nodes %.3f s, 100,000 nodes %.3f s\n", small_cost, large_cost);
	assert_true(large_cost < 25 * small_cost + 0.5);
}

static void test_svg(void **state)
{
	struct graph *g = small(NULL);
	struct diags d = { 0 };
	char *text;

	(void)state;
	assert_int_equal(dot_write_svg(g, "test_dot.svg", &d), 0);
	text = slurp("test_dot.svg");
	assert_non_null(strstr(text, "<svg"));
	assert_non_null(strstr(text, "PE 2"));
	remove("test_dot.svg");
	free(text);
	graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_leftover_stands_out),
		cmocka_unit_test(test_same_text_twice),
		cmocka_unit_test(test_untyped_and_empty),
		cmocka_unit_test(test_unwritable),
		cmocka_unit_test(test_cost_is_linear),
		cmocka_unit_test(test_svg),
	};

	return cmocka_run_group_tests_name("dot", tests, NULL, NULL);
}

/* Unit tests of the DOT backend: labels, colours, strange names, the same text twice, cost on a large
 * graph; options: direction, legend, a part, blocks that repeat; SVG, PNG, PDF; groups of nodes. */
#include "backends/dot/dot.h"

#include "ir/ir.h"
#include "report/picture.h"
#include "report/report.h"
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

static void skip_without_graphviz(void)
{
	if (strstr(QCC_WITHOUT, "graphviz"))
		skip();
}

static void test_svg(void **state)
{
	skip_without_graphviz();
	struct graph *g = small(NULL);
	struct diags d = { 0 };
	char *text;

	(void)state;
	text = dot_svg(g, &d);
	assert_non_null(text);
	assert_non_null(strstr(text, "<svg"));
	assert_non_null(strstr(text, "PE 2"));
	free(text);
	graph_free(g);
}

/* Whether the texts begin with what their formats begin with. */
static void test_png_and_pdf(void **state)
{
	skip_without_graphviz();
	struct diags d = { 0 };
	size_t size = 0;
	char *png = dot_draw("digraph { a -> b }", "png", &size, &d);

	(void)state;
	assert_non_null(png);
	assert_memory_equal(png, "\x89PNG", 4);
	assert_true(size > 100);
	char *pdf = dot_draw("digraph { a -> b }", "pdf", &size, &d);
	assert_non_null(pdf);
	assert_memory_equal(pdf, "%PDF", 4);
	assert_null(dot_draw("digraph {", "svg", &size, &d)); /* broken text: Graphviz says why */
	assert_int_equal(d.errors, 1);
	free(png);
	free(pdf);
	diags_free(&d);
}

static char *text_of(const struct graph *g, struct dot_options o)
{
	struct diags d = { 0 };
	char *text = dot_text_of(g, &o, &d);

	assert_null(d.first);
	return text;
}

static int count(const char *text, const char *part)
{
	int n = 0;

	for (; (text = strstr(text, part)); text++)
		n++;
	return n;
}

static void test_direction_and_legend(void **state)
{
	struct graph *g = small(NULL);
	char *text = text_of(g, (struct dot_options){ .rankdir = "LR", .legend = true });

	(void)state;
	assert_non_null(strstr(text, "rankdir=LR"));
	assert_int_equal(count(text, "legend"), 1 + 2); /* the cluster, integer, left over */
	assert_non_null(strstr(text, "label=\"integer\""));
	assert_null(strstr(text, "label=\"quantiser\""));
	free(text);
	graph_free(g);
}

/* Names of nodes, of values, of the graph's input and output; the other side of a cut is dashed. */
static void test_part_of_a_graph(void **state)
{
	struct graph *g = small(NULL);
	const char *relu = node_label(g->first->next);
	char *text = text_of(g, (struct dot_options){ .from = relu });

	(void)state;
	assert_int_equal(count(text, "<B>MatMul</B>"), 2);
	assert_int_equal(count(text, "style=dashed"), 1);
	assert_null(strstr(text, "in0"));
	assert_non_null(strstr(text, "out0"));
	free(text);
	text = text_of(g, (struct dot_options){ .to = relu });
	assert_int_equal(count(text, "<B>MatMul</B>"), 1);
	assert_non_null(strstr(text, "in0"));
	assert_null(strstr(text, "out0"));
	free(text);
	text = text_of(g, (struct dot_options){ .from = g->inputs[0]->name, .to = "y" });
	assert_int_equal(count(text, "<B>MatMul</B>"), 3);
	free(text);
	graph_free(g);
}

static void test_wrong_parts(void **state)
{
	struct graph *g = small(NULL);
	struct diags d = { 0 };
	const char *first = node_label(g->first), *last = node_label(g->last);

	(void)state;
	assert_null(dot_text_of(g, &(struct dot_options){ .from = "no such node" }, &d));
	assert_non_null(strstr(d.first->cause, "no such node"));
	assert_null(dot_text_of(g, &(struct dot_options){ .from = last, .to = first }, &d));
	assert_non_null(strstr(d.first->next->cause, "no path"));
	diags_free(&d);
	graph_free(g);
}

/* head -> count blocks of MatMul, Relu, MatMul + bypass, Add -> MatMul */
static struct graph *blocks(size_t n)
{
	struct graph *g = graph_new();
	struct value *x = typed(g, value_new_named(g, "x"), "INT8");

	graph_add_input(g, x);
	x = append(g, "Sigmoid", x, NULL, NULL);
	for (size_t i = 0; i < n; i++) {
		struct value *bypass = x;
		x = append(g, "Relu", append(g, "MatMul", x, weights(g, "W"), NULL), NULL, NULL);
		x = append(g, "MatMul", x, weights(g, "W"), NULL);
		x = append(g, "Add", x, bypass, NULL);
	}
	x = append(g, "MatMul", x, weights(g, "W"), NULL);
	graph_add_output(g, x, "y");
	return g;
}

static void test_repeated_blocks(void **state)
{
	struct graph *g = blocks(20);
	char *text = text_of(g, (struct dot_options){ .collapse = true });

	(void)state;
	assert_non_null(strstr(text, "<B>20 times</B>"));
	assert_non_null(strstr(text, "80 nodes"));
	assert_non_null(strstr(text, "MatMul, Relu, MatMul, Add"));
	assert_int_equal(count(text, "MatMul</B>"), 1);
	assert_int_equal(count(text, " -> "), 4); /* x, Sigmoid, blocks, MatMul, y */
	free(text);
	graph_free(g);
}

static void test_costs_of_hardware(void **state)
{
	struct graph *g = small(NULL);
	struct report_layer l = { .name = node_label(g->first), .cycles = 88, .lut = 436, .bram_18k = 0, .dsp = -1 };
	struct report r = { .layers = &l, .n_layers = 1 };
	char *text = text_of(g, (struct dot_options){ .results = &r });

	(void)state;
	assert_int_equal(count(text, "<B>88 cycles, 436 LUT</B>"), 1);
	free(text);
	graph_free(g);
}

/* ---- groups: layers and blocks ---- */

static void test_groups(void **state)
{
	struct graph *g = blocks(3);
	struct groups s;

	(void)state;
	groups_find(&s, g);
	assert_int_equal(s.items[0].kind, GROUP_REPEAT);
	assert_int_equal(s.items[0].times, 3);
	assert_int_equal(s.items[0].nodes, 12);
	assert_int_equal(s.items[1].kind, GROUP_BLOCK);
	assert_int_equal(s.items[1].parent, 0);
	assert_int_equal(s.of[g->first->id], NO_GROUP); /* Sigmoid */
	assert_int_equal(s.of[g->last->id], NO_GROUP);	/* the last MatMul */
	const struct node *product = g->first->next;
	assert_int_equal(s.items[s.of[product->id]].kind, GROUP_LAYER);
	assert_int_equal(s.of[product->next->id], s.of[product->id]); /* the Relu behind it */
	groups_free(&s);
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
		cmocka_unit_test(test_png_and_pdf),
		cmocka_unit_test(test_direction_and_legend),
		cmocka_unit_test(test_part_of_a_graph),
		cmocka_unit_test(test_wrong_parts),
		cmocka_unit_test(test_repeated_blocks),
		cmocka_unit_test(test_costs_of_hardware),
		cmocka_unit_test(test_groups),
	};

	return cmocka_run_group_tests_name("dot", tests, NULL, NULL);
}

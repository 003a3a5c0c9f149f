/* Tests of passes: a few lines of ONNX text go in, passes run, and what comes out must compute the same on random
 * inputs and have the operators expected. */
#ifndef QCC_TESTS_PASSES_PASSES_H
#define QCC_TESTS_PASSES_PASSES_H

#include "../unit/test.h"

#include <math.h>

#include "exec/exec.h"
#include "ops/op.h"

/* Attributes of Quant; rounding to even. */
#define SIGNED "<signed=1,narrow=0,rounding_mode=\"ROUND\">"
#define NARROW "<signed=1,narrow=1,rounding_mode=\"ROUND\">"
#define UNSIGNED "<signed=0,narrow=0,rounding_mode=\"ROUND\">"
#define ROUNDING(mode) "<signed=1,narrow=0,rounding_mode=\"" mode "\">"

/* Constants that cases share; those without use go. */
#define NUMBERS                                                                                     \
	"float zero = {0}, float one = {1}, float two = {2}, float three = {3}, float four = {4}, " \
	"float eight = {8}, float half = {0.5}, float quarter = {0.25}, float eighth = {0.125}, "   \
	"float tenth = {0.1}, float third = {0.3}"
#define EIGHT_NUMBERS "0.5,-1,0.25,1.5,-0.75,0,2,-1.5"

struct pass_case {
	const char *what;      /* a word or two for who reads a failure */
	const char *head;      /* "(float[1,4] x) => (float y)" */
	const char *constants; /* besides NUMBERS; "" for none */
	const char *body;
	const char *expected; /* operators and their numbers: "MatMul=1 Quant=0" */
};

static inline struct graph *case_graph(const struct pass_case *c)
{
	size_t size = strlen(c->head) + strlen(c->constants) + strlen(c->body) + sizeof NUMBERS + 64;
	char *text = malloc(size);
	assert_non_null(text);
	snprintf(text, size, "case %s <%s%s%s> { %s }", c->head, NUMBERS, *c->constants ? ", " : "", c->constants,
		 c->body);
	struct graph *g = test_graph(text);
	free(text);
	return g;
}

/* The same stream on every machine. */
static inline uint32_t test_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Half of them multiples of 1/16, which meet ties; integers where the datatype says so. */
static inline double random_element(const struct value *v, uint32_t *state)
{
	double unit = (double)test_random(state) / 0x1p24;
	if (v->datatype.kind == DT_BIPOLAR)
		return unit < 0.5 ? -1 : 1;
	if (v->elem == ELEM_UINT8)
		return floor(unit * 256);
	if (datatype_is_integer(v->datatype)) {
		double lo = datatype_min(v->datatype), hi = datatype_max(v->datatype);
		return lo + floor(unit * (hi - lo + 1));
	}
	double x = (unit - 0.5) * 12;
	return test_random(state) & 1 ? rint(x * 16) / 16 : x;
}

static inline struct tensor *random_input(const struct value *v, int64_t samples, uint32_t *state)
{
	int64_t dims[MAX_RANK];
	memcpy(dims, v->dims, (size_t)v->rank * sizeof *dims);
	if (v->rank)
		dims[0] = dims[0] < 0 ? samples : dims[0] * samples; /* left open: one each */
	struct tensor *t = tensor_new((enum elem_type)v->elem, v->rank, dims);
	assert_non_null(t);
	for (int64_t i = 0; i < t->count; i++)
		tensor_put(t, i, random_element(v, state));
	return t;
}

enum { TEST_SAMPLES = 64, MOST_INPUTS = 8 };

/* Largest difference of the first outputs, relative to the largest magnitude (or 1). */
static inline double relative_difference(const struct tensor *a, const struct tensor *b)
{
	double worst = 0, scale = 1;
	assert_int_equal(a->count, b->count);
	for (int64_t i = 0; i < a->count; i++) {
		double x = tensor_at(a, i), y = tensor_at(b, i);
		worst = x == y || (isnan(x) && isnan(y)) ? worst : fmax(worst, fabs(x - y));
		scale = fmax(scale, fabs(x));
	}
	return worst / scale;
}

/* Both on the same random inputs, TEST_SAMPLES of them. */
static inline double graphs_differ(const struct graph *a, const struct graph *b)
{
	struct value *inputs[MOST_INPUTS];
	struct tensor *in[MOST_INPUTS], *x[MOST_INPUTS] = { NULL }, *y[MOST_INPUTS] = { NULL };
	struct exec_options o = { .threads = 1 };
	struct diags d = { 0 };
	uint32_t state = 1;
	double worst = 0;
	size_t n = graph_data_inputs(a, inputs, MOST_INPUTS);
	assert_int_equal(n, graph_data_inputs(b, NULL, 0));
	for (size_t i = 0; i < n; i++)
		in[i] = random_input(inputs[i], TEST_SAMPLES, &state);
	exec_batch(a, in, x, &o, NULL, &d);
	exec_batch(b, in, y, &o, NULL, &d);
	assert_no_errors(&d);
	for (uint32_t i = 0; i < a->n_outputs; i++) {
		worst = fmax(worst, relative_difference(x[i], y[i]));
		tensor_unref(x[i]);
		tensor_unref(y[i]);
	}
	for (size_t i = 0; i < n; i++)
		tensor_unref(in[i]);
	return worst;
}

static inline void print_graph(const struct graph *g)
{
	char *text = graph_print(g);
	fprintf(stderr, "%s", text);
	free(text);
}

/* Whether the first node of that operator has an attribute with that value, a number or a text. */
static inline bool has_attribute(const struct graph *g, const char *op, const char *name, const char *value)
{
	char text[64] = "no such node";
	for (const struct node *n = g->first; n; n = n->next)
		if (!strcmp(n->op_type, op)) {
			snprintf(text, sizeof text, "%s", node_attr_string(n, name, ""));
			if (!*text)
				snprintf(text, sizeof text, "%lld", (long long)node_attr_int(n, name, 0));
			break;
		}
	if (strcmp(text, value) != 0)
		fprintf(stderr, "%s of %s is %s, not %s\n", name, op, text, value);
	return !strcmp(text, value);
}

/* Each "Op=number" of the list holds, a number of nodes, and each "Op.attribute=value" of the first node of that operator. */
static inline bool has_operators(const struct graph *g, const char *expected)
{
	char op[64], value[64];
	int length;
	for (; sscanf(expected, " %63[^= ]=%63s%n", op, value, &length) == 2; expected += length) {
		char *attribute = strchr(op, '.');
		if (attribute) {
			*attribute = 0;
			if (!has_attribute(g, op, attribute + 1, value))
				return false;
		} else if (test_count(g, op) != atoi(value)) {
			fprintf(stderr, "%d of %s, not %s\n", test_count(g, op), op, value);
			return false;
		}
	}
	return true;
}

/* Runs the passes on the case; what comes out is within `tolerance` of what went in. The caller frees the graph. */
static inline struct graph *run_case(const struct pass_case *c, const char *passes, double tolerance)
{
	struct graph *before = case_graph(c), *after = case_graph(c);
	test_run(before, "infer");
	test_run(after, passes);
	double worst = graphs_differ(before, after);
	bool good = has_operators(after, c->expected);
	if (!good || worst > tolerance) {
		fprintf(stderr, "case '%s': differs by %g after %s\n", c->what, worst, passes);
		print_graph(after);
	}
	assert_true(worst <= tolerance);
	assert_true(good);
	graph_free(before);
	return after;
}

/* The passes fail and say something that contains the text. */
static inline void case_fails(const struct pass_case *c, const char *passes, const char *said)
{
	struct graph *g = case_graph(c);
	struct diags d = { 0 };
	struct pipeline p;
	struct pipeline_options o = { .verify_structure = true };
	json_t *report = json_array();
	if (pipeline_parse(&p, passes, &d) == 0)
		assert_int_not_equal(pipeline_run(&p, g, &o, report, &d), 0);
	assert_true(d.errors > 0);
	assert_said(&d, said);
	pipeline_free(&p);
	json_decref(report);
	graph_free(g);
}

#endif

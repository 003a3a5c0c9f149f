/* Runs ONNX backend test cases: folders with model.onnx, input_N.pb and output_N.pb.
 *
 *     run_case FOLDER...     prints a line for each: NAME<tab>pass|fail<tab>why
 *     run_case --ops         lists the operators of qcc's table, a "domain name" a line
 *
 * Model-local functions are inlined first. Outputs are compared as the backend tests do: floats within rtol 1e-3, atol 1e-7, anything else exactly.
 * Then all inputs but the first are made constants and inference must say the same types and shapes, as far
 * as it says anything. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exec/exec.h"
#include "ir/ir.h"
#include "ir/onnx.h"
#include "ops/op.h"
#include "pipeline/pipeline.h"

enum { MAX_VALUES = 64 };

struct test_case {
	const char *folder;
	struct graph *graph;
	struct tensor *inputs[MAX_VALUES], *expected[MAX_VALUES], *outputs[MAX_VALUES];
	size_t n_inputs, n_expected;
	struct diags diags;
	char why[512];
};

static size_t read_tensors(struct test_case *c, const char *stem, struct tensor **to)
{
	size_t count = 0;
	char path[4096];
	for (; count < MAX_VALUES; count++) {
		snprintf(path, sizeof path, "%s/%s_%zu.pb", c->folder, stem, count);
		if (access(path, R_OK) != 0)
			break;
		to[count] = tensor_read_pb(path, &c->diags);
		if (!to[count])
			break;
	}
	return count;
}

static int fail(struct test_case *c, const char *what)
{
	const char *cause = c->diags.last ? c->diags.last->cause : "";
	snprintf(c->why, sizeof c->why, "%s: %s", what, cause);
	return -1;
}

static int differs(struct test_case *c, size_t i, const char *what)
{
	snprintf(c->why, sizeof c->why, "output %zu differs: %s", i, what);
	return -1;
}

static bool close_enough(double a, double b)
{
	if (isnan(a) || isnan(b) || isinf(a) || isinf(b))
		return (isnan(a) && isnan(b)) || a == b;
	return fabs(a - b) <= 1e-7 + 1e-3 * fabs(b);
}

static int compare(struct test_case *c, size_t i)
{
	const struct tensor *a = c->outputs[i], *b = c->expected[i];
	char text[160];
	if (a->elem != b->elem)
		return differs(c, i, "storage type");
	if (a->rank != b->rank || memcmp(a->dims, b->dims, a->rank * sizeof *a->dims) != 0)
		return differs(c, i, "shape");
	if (!elem_is_float((enum elem_type)a->elem))
		return tensor_equal(a, b) ? 0 : differs(c, i, "elements");
	for (int64_t e = 0; e < a->count; e++)
		if (!close_enough(tensor_at(a, e), tensor_at(b, e))) {
			snprintf(text, sizeof text, "element %lld is %.9g, not %.9g", (long long)e, tensor_at(a, e),
				 tensor_at(b, e));
			return differs(c, i, text);
		}
	return 0;
}

/* Runs pass inline-functions. */
static int inline_functions(struct test_case *c)
{
	struct pipeline p = { 0 };
	struct pipeline_options o = { .verify_structure = true };
	json_t *report = json_array();
	int result = pipeline_parse(&p, "inline-functions", &c->diags);
	if (result == 0)
		result = pipeline_run(&p, c->graph, &o, report, &c->diags);
	pipeline_free(&p);
	json_decref(report);
	return result;
}

static int execute(struct test_case *c)
{
	struct value *fed[MAX_VALUES];
	struct exec_options o = { .threads = 1 };
	if (c->graph->functions && inline_functions(c) != 0)
		return fail(c, "inlining");
	if (graph_infer(c->graph, &c->diags) != 0)
		return fail(c, "inference");
	if (graph_data_inputs(c->graph, fed, MAX_VALUES) != c->n_inputs)
		return fail(c, "number of inputs");
	if (c->graph->n_outputs > MAX_VALUES || c->graph->n_outputs != c->n_expected)
		return fail(c, "number of outputs");
	if (exec_graph(c->graph, c->inputs, c->outputs, &o, &c->diags) != 0) {
		memset(c->outputs, 0, sizeof c->outputs);
		return fail(c, "execution");
	}
	for (size_t i = 0; i < c->n_expected; i++)
		if (compare(c, i) != 0)
			return -1;
	return 0;
}

/* Forgets what the file declares about the outputs and infers them anew from constants. */
static int infer(struct test_case *c)
{
	struct graph *g = c->graph;
	struct value *fed[MAX_VALUES];
	size_t n = graph_data_inputs(g, fed, MAX_VALUES);
	for (size_t i = 1; i < n && i < c->n_inputs; i++)
		value_set_constant(fed[i], tensor_ref(c->inputs[i]));
	graph_for_each_value (g, v) {
		if (!v->producer)
			continue;
		value_set_type(g, v, ELEM_UNDEFINED, -1, NULL);
		v->is_declared = false;
	}
	if (graph_infer(g, &c->diags) != 0)
		return fail(c, "inference from constants");
	for (size_t i = 0; i < c->n_expected; i++) {
		const struct value *v = g->outputs[i].value;
		const struct tensor *t = c->expected[i];
		bool wrong = v->elem != t->elem || (v->rank >= 0 && v->rank != t->rank);
		for (int k = 0; !wrong && k < v->rank; k++)
			wrong = v->dims[k] >= 0 && v->dims[k] != t->dims[k];
		if (wrong)
			return fail(c, "inferred type or shape is wrong");
	}
	return 0;
}

static bool fully_inferred(const struct test_case *c)
{
	for (size_t i = 0; i < c->n_expected; i++)
		if (!value_shape_known(c->graph->outputs[i].value))
			return false;
	return true;
}

static void run(const char *folder)
{
	struct test_case c = { .folder = folder };
	char path[4096];
	snprintf(path, sizeof path, "%s/model.onnx", folder);
	c.graph = graph_read(path, &c.diags);
	c.n_inputs = read_tensors(&c, "input", c.inputs);
	c.n_expected = read_tensors(&c, "output", c.expected);
	int result = !c.graph ? fail(&c, "reading") : execute(&c) != 0 ? -1 : infer(&c);
	const char *name = strrchr(folder, '/');
	const char *verdict = result == 0 ? "pass" : "fail";
	if (result == 0 && !fully_inferred(&c))
		snprintf(c.why, sizeof c.why, "shape not inferred");
	printf("%s\t%s\t%s\n", name ? name + 1 : folder, verdict, c.why);
	for (size_t i = 0; i < MAX_VALUES; i++) {
		tensor_unref(c.inputs[i]);
		tensor_unref(c.expected[i]);
		tensor_unref(c.outputs[i]);
	}
	if (c.graph)
		graph_free(c.graph);
	diags_free(&c.diags);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--ops") == 0) {
		for (size_t i = 0; i < op_table_size; i++)
			if (op_table[i]->exec)
				printf("%s %s\n", *op_table[i]->domain ? op_table[i]->domain : "ai.onnx",
				       op_table[i]->name);
		return 0;
	}
	for (int i = 1; i < argc; i++) {
		run(argv[i]);
		fflush(stdout);
	}
	return 0;
}

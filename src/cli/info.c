/* qcc info: what is in a network: its interface, operators, layers, cost. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "ops/op.h"
#include "pipeline/pipeline.h"
#include "report/report.h"

static const struct option long_options[] = {
	CLI_COMMON_OPTIONS,
	{ "json", no_argument, NULL, OPT_OTHER },
	{ NULL, 0, NULL, 0 },
};

static const char help[] = "      --json              print it as JSON\n";

struct info {
	const char *model;
	bool json;
	struct loudness loud;
	struct diags diags;
	struct graph *graph;
};

/* 0: go on; 1: done; -1: wrong arguments. */
static int take_arguments(struct info *x, int argc, char **argv)
{
	int c;
	bool done;
	optind = 0;
	while ((c = cli_next_option(argc, argv, "vqh", long_options, &x->diags)) != -1) {
		if (cli_common_option(c, optarg, &command_info, &x->loud, &x->diags, &done)) {
			if (done)
				return 1;
		} else if (c == OPT_OTHER) {
			x->json = true;
		} else {
			return -1;
		}
	}
	if (argc - optind != 1)
		return diag_error(&x->diags, "qcc info --help shows how it is called", "one model is wanted");
	x->model = argv[optind];
	return 0;
}

static json_t *describe_value(const char *name, const struct value *v)
{
	char datatype[DATATYPE_NAME_SIZE];
	json_t *shape = json_array();
	for (int k = 0; k < v->rank; k++)
		json_array_append_new(shape, v->dims[k] < 0 ? json_null() : json_integer(v->dims[k]));
	json_t *object = json_object();
	json_object_set_new(object, "name", json_string(name));
	json_object_set_new(object, "elem", json_string(elem_name(v->elem)));
	json_object_set_new(object, "datatype", json_string(datatype_name(v->datatype, datatype)));
	json_object_set_new(object, "shape", shape);
	return object;
}

static json_t *describe_interface(const struct graph *g, bool inputs)
{
	json_t *list = json_array();
	for (uint32_t i = 0; inputs && i < g->n_inputs; i++)
		if (!value_is_constant(g->inputs[i]))
			json_array_append_new(list, describe_value(g->inputs[i]->name, g->inputs[i]));
	for (uint32_t i = 0; !inputs && i < g->n_outputs; i++)
		json_array_append_new(list, describe_value(g->output_names[i], g->outputs[i].value));
	return list;
}

static json_t *count_operators(const struct graph *g)
{
	json_t *counts = json_object();
	graph_for_each_node (g, n) {
		json_int_t old = json_integer_value(json_object_get(counts, n->op_type));
		json_object_set_new(counts, n->op_type, json_integer(old + 1));
	}
	return counts;
}

static json_t *describe(const struct info *x)
{
	json_t *all = json_object();
	json_object_set_new(all, "model", json_string(x->model));
	json_object_set_new(all, "opset", json_integer(graph_opset(x->graph, "")));
	json_object_set_new(all, "inputs", describe_interface(x->graph, true));
	json_object_set_new(all, "outputs", describe_interface(x->graph, false));
	json_object_set_new(all, "operators", count_operators(x->graph));
	return all;
}

static void print_interface(const char *title, const json_t *list)
{
	size_t i, k;
	const json_t *v, *dim;
	json_array_foreach(list, i, v)
	{
		printf("%s %s: %s stored as %s, ", title, json_string_value(json_object_get(v, "name")),
		       json_string_value(json_object_get(v, "datatype")),
		       json_string_value(json_object_get(v, "elem")));
		json_array_foreach(json_object_get(v, "shape"), k, dim) if (json_is_integer(dim))
			printf("%s%lld", k ? "x" : "", (long long)json_integer_value(dim));
		else printf("%s?", k ? "x" : "");
		putchar('\n');
	}
}

static void print_text(json_t *all, const struct report *r)
{
	const char *name;
	json_t *count;
	bool first = true;
	printf("%s: opset %lld\n", json_string_value(json_object_get(all, "model")),
	       (long long)json_integer_value(json_object_get(all, "opset")));
	print_interface("input", json_object_get(all, "inputs"));
	print_interface("output", json_object_get(all, "outputs"));
	json_object_foreach(json_object_get(all, "operators"), name, count)
	{
		printf("%s%s %lld", first ? "operators: " : ", ", name, (long long)json_integer_value(count));
		first = false;
	}
	puts(first ? "no operators" : "");
	report_print_layers(r, stdout);
}

/* Shapes that the file computes at run time (exported Reshape) are known once constants are folded; the operators were
 * counted before. Where that fails the report says less. */
static void find_shapes(struct info *x)
{
	struct diags ignored = { 0 };
	struct pipeline p;
	const struct pipeline_options o = { .nested = true };
	json_t *report = json_array();
	if (pipeline_parse(&p, "infer,fold-constants,infer", &ignored) == 0)
		pipeline_run(&p, x->graph, &o, report, &ignored);
	pipeline_free(&p);
	json_decref(report);
	diags_free(&ignored);
}

static int show(struct info *x)
{
	x->diags.file = x->model;
	x->graph = graph_read(x->model, &x->diags);
	if (!x->graph || graph_infer(x->graph, &x->diags) < 0)
		return -1;
	json_t *all = describe(x);
	struct report *r = report_new(x->model);
	find_shapes(x);
	report_describe(r, x->graph);
	if (x->json) {
		json_t *whole = report_json(r);
		json_object_set(all, "layers", json_object_get(whole, "layers"));
		json_object_set(all, "totals", json_object_get(whole, "totals"));
		json_decref(whole);
		json_dumpf(all, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		print_text(all, r);
	}
	report_free(r);
	json_decref(all);
	return 0;
}

static int run(int argc, char **argv)
{
	struct info x = { 0 };
	int status = take_arguments(&x, argc, argv);
	status = status == 0 ? show(&x) : status > 0 ? 0 : -1;
	if (x.graph)
		graph_free(x.graph);
	return cli_finish(&x.diags, x.loud, status);
}

const struct command command_info = {
	.name = "info",
	.usage = "qcc info MODEL [OPTION]...",
	.summary = "Tells what is in a network",
	.help = help,
	.options = long_options,
	.run = run,
};

/* qcc diff: how two networks differ, in structure and, on given or generated inputs, in their outputs. */
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "ops/op.h"
#include "pipeline/execute.h"
#include "pipeline/feed.h"
#include "util/map.h"

enum { SAMPLES = 16, SEED = 1 };

static const struct option long_options[] = { CLI_COMMON_OPTIONS, { NULL, 0, NULL, 0 } };

static const char help[] =
	"  INPUT.npy is what both are executed on (default: generated samples). Exit status 0 where all outputs\n"
	"  are equal, reals to 1e-5 relative; 1 where they differ; 2 where they could not be compared.\n\n";

struct diff {
	const char *models[2];
	char **inputs;
	int n_inputs;
	struct loudness loud;
	struct diags diags;
	struct graph *graphs[2];
	struct feed feed;
	struct tensor **results[2];
};

/* 0: go on; 1: done; -1: wrong arguments. */
static int take_arguments(struct diff *x, int argc, char **argv)
{
	int c;
	bool done;
	optind = 0;
	while ((c = cli_next_option(argc, argv, "vqh", long_options, &x->diags)) != -1) {
		if (!cli_common_option(c, optarg, &command_diff, &x->loud, &x->diags, &done))
			return -1;
		if (done)
			return 1;
	}
	if (argc - optind < 2)
		return diag_error(&x->diags, "qcc diff --help shows how it is called", "two models are wanted");
	x->models[0] = argv[optind];
	x->models[1] = argv[optind + 1];
	x->inputs = argv + optind + 2;
	x->n_inputs = argc - optind - 2;
	return 0;
}

/* ---- structure ---- */

static long count_op(const struct graph *g, const char *op_type)
{
	long count = 0;
	graph_for_each_node (g, n)
		count += !strcmp(n->op_type, op_type);
	return count;
}

/* Operators whose number differs; those of graph `which` that were not shown yet. */
static void compare_counts(const struct diff *x, int which, struct map *shown)
{
	graph_for_each_node (x->graphs[which], n) {
		if (map_has(shown, n->op_type))
			continue;
		map_set(shown, n->op_type, n);
		long a = count_op(x->graphs[0], n->op_type), b = count_op(x->graphs[1], n->op_type);
		if (a != b && !x->loud.quiet)
			printf("%s: %ld in the first, %ld in the second\n", n->op_type, a, b);
	}
}

static void compare_structure(const struct diff *x)
{
	struct map shown = { 0 };
	compare_counts(x, 0, &shown);
	compare_counts(x, 1, &shown);
	map_free(&shown);
}

/* ---- outputs ---- */

static int read_inputs(struct diff *x)
{
	feed_init(&x->feed, x->graphs[0]);
	for (int i = 0; i < x->n_inputs; i++)
		if (feed_read(&x->feed, x->inputs[i], &x->diags) < 0)
			return -1;
	return x->n_inputs ? feed_complete(&x->feed, &x->diags) : feed_generate(&x->feed, SAMPLES, SEED, &x->diags);
}

static int execute(struct diff *x, int which)
{
	struct graph *g = x->graphs[which];
	x->diags.file = x->models[which];
	x->results[which] = xcalloc(g->n_outputs, sizeof(struct tensor *));
	return execute_any(g, x->feed.tensors, x->results[which], &x->diags);
}

/* 0 where they are equal. */
static int compare_output(const struct diff *x, uint32_t i)
{
	const struct tensor *a = x->results[0][i], *b = x->results[1][i];
	const char *name = x->graphs[0]->output_names[i];
	if (a->count != b->count) {
		printf("output %s: %lld elements in the first, %lld in the second\n", name, (long long)a->count,
		       (long long)b->count);
		return -1;
	}
	int64_t differing = 0, first = -1;
	double largest = 0;
	for (int64_t k = 0; k < a->count; k++) {
		double p = tensor_at(a, k), q = tensor_at(b, k), gap = fabs(p - q);
		if (p == q || (isnan(p) && isnan(q)) || gap <= 1e-5 * fmax(fabs(p), fabs(q)))
			continue;
		differing++;
		largest = gap > largest || isnan(gap) ? gap : largest;
		first = first < 0 ? k : first;
	}
	if (differing)
		printf("output %s: %lld of %lld elements differ, by %g at most; element %lld is %.9g and %.9g\n", name,
		       (long long)differing, (long long)a->count, largest, (long long)first, tensor_at(a, first),
		       tensor_at(b, first));
	else if (!x->loud.quiet)
		printf("output %s: all %lld elements equal\n", name, (long long)a->count);
	return differing ? -1 : 0;
}

/* Shapes but for the first axis, along which samples lie. */
static bool same_shape(const struct value *a, const struct value *b)
{
	if (a->rank < 0 || b->rank < 0)
		return true;
	for (int k = 1; k < a->rank && a->rank == b->rank; k++)
		if (a->dims[k] >= 0 && b->dims[k] >= 0 && a->dims[k] != b->dims[k])
			return false;
	return a->rank == b->rank;
}

static bool same_inputs(const struct diff *x, size_t n)
{
	struct feed all[2];
	bool same = true;
	for (int i = 0; i < 2; i++)
		feed_init(&all[i], x->graphs[i]);
	for (size_t i = 0; i < n && same; i++) {
		same = same_shape(all[0].inputs[i], all[1].inputs[i]);
		if (!same)
			printf("input %s: the second has another shape\n", all[0].inputs[i]->name);
	}
	for (int i = 0; i < 2; i++)
		feed_free(&all[i]);
	return same;
}

/* Networks of another interface differ; nothing can be executed then. */
static bool same_interface(const struct diff *x)
{
	size_t in[2], out[2];
	for (int i = 0; i < 2; i++) {
		in[i] = graph_data_inputs(x->graphs[i], NULL, 0);
		out[i] = x->graphs[i]->n_outputs;
	}
	if (in[0] != in[1])
		printf("inputs: %zu in the first, %zu in the second\n", in[0], in[1]);
	if (out[0] != out[1])
		printf("outputs: %zu in the first, %zu in the second\n", out[0], out[1]);
	return in[0] == in[1] && out[0] == out[1] && same_inputs(x, in[0]);
}

static int compare_outputs(struct diff *x)
{
	if (!same_interface(x) || read_inputs(x) < 0 || execute(x, 0) < 0 || execute(x, 1) < 0)
		return -1;
	int status = 0;
	for (uint32_t i = 0; i < x->graphs[0]->n_outputs; i++)
		if (compare_output(x, i) < 0)
			status = -1;
	return status;
}

static int compare(struct diff *x)
{
	for (int i = 0; i < 2; i++) {
		x->diags.file = x->models[i];
		x->graphs[i] = graph_read(x->models[i], &x->diags);
		if (!x->graphs[i])
			return -1;
	}
	compare_structure(x);
	return compare_outputs(x);
}

static void clean_up(struct diff *x)
{
	for (int i = 0; i < 2; i++) {
		for (uint32_t k = 0; x->results[i] && k < x->graphs[i]->n_outputs; k++)
			tensor_unref(x->results[i][k]);
		free(x->results[i]);
	}
	feed_free(&x->feed);
	for (int i = 0; i < 2; i++)
		if (x->graphs[i])
			graph_free(x->graphs[i]);
}

static int run(int argc, char **argv)
{
	struct diff x = { 0 };
	int status = take_arguments(&x, argc, argv);
	status = status == 0 ? compare(&x) : status > 0 ? 0 : -1;
	bool failed = x.diags.errors > 0;
	clean_up(&x);
	status = cli_finish(&x.diags, x.loud, status);
	return failed ? 2 : status;
}

const struct command command_diff = {
	.name = "diff",
	.usage = "qcc diff MODEL MODEL [[NAME=]INPUT.npy]... [OPTION]...",
	.summary = "Compares two networks: operators and outputs",
	.help = help,
	.options = long_options,
	.run = run,
};

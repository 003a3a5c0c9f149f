/* qcc run: executes a network on inputs from files; writes or prints the outputs. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/outputs.h"
#include "exec/exec.h"
#include "ops/op.h"
#include "pipeline/execute.h"
#include "pipeline/feed.h"
#include "pipeline/pipeline.h"
#include "ir/npy.h"
#include "util/file.h"
#include "util/limits.h"

struct run {
	const char *model, *output, *dump_dir, *labels;
	char **inputs;
	int n_inputs;
	long top;
	struct loudness loud;
	struct diags diags;
	struct graph *graph;
	struct feed feed;
	struct tensor **results;
	double started;
	bool dump_failed;
};

/* ---- arguments ---- */

enum { OPT_DUMP_TENSORS = OPT_OTHER, OPT_LABELS, OPT_TOP };

static const struct option long_options[] = {
	CLI_COMMON_OPTIONS,
	{ "output", required_argument, NULL, 'o' },
	{ "dump-tensors", required_argument, NULL, OPT_DUMP_TENSORS },
	{ "labels", required_argument, NULL, OPT_LABELS },
	{ "top", required_argument, NULL, OPT_TOP },
	{ NULL, 0, NULL, 0 },
};

static const char help[] =
	"An input is a .npy file, a .npz archive with an array per input, or a .pb file (TensorProto).\n"
	"- is standard input (a model, or a .npy file) and, behind -o, standard output.\n\n"
	"  -o, --output FILE|DIR/  write the output to FILE (.npy), or each to DIR/NAME.npy\n"
	"      --dump-tensors DIR  write every tensor on the way to DIR/NAME.npy\n"
	"      --labels FILE       compare the decisions with the classes in FILE (.npy)\n"
	"      --top K             print the K largest elements of each row\n";

static int take_option(struct run *r, int c, const char *text)
{
	char *end;
	switch (c) {
	case 'o': r->output = text; return 0;
	case OPT_DUMP_TENSORS: r->dump_dir = text; return 0;
	case OPT_LABELS: r->labels = text; return 0;
	case OPT_TOP:
		r->top = strtol(text, &end, 10);
		if (*text && !*end && r->top > 0)
			return 0;
		return diag_error(&r->diags, NULL, "--top needs a number, 1 or more, not '%s'", text);
	default: return -1;
	}
}

static bool is_folder(const char *path)
{
	struct stat st;
	size_t n = strlen(path);
	return (n && path[n - 1] == '/') || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

/* What -o names is looked at before the network is executed. */
static int check_output(struct run *r)
{
	const char *o = r->output;
	size_t n = o ? strlen(o) : 0;
	if (!o || is_folder(o) || !strncmp(o, "/dev/", 5) || file_is_standard(o) ||
	    (n > 4 && !strcmp(o + n - 4, ".npy")))
		return 0;
	return diag_error(&r->diags, "write -o NAME.npy, or -o DIR/ for a file of each output",
			  "-o '%s' is neither a folder nor the name of a .npy file", o);
}

/* 0: go on; 1: done; -1: wrong arguments. */
static int take_arguments(struct run *r, int argc, char **argv)
{
	int c;
	bool done;
	optind = 0;
	while ((c = cli_next_option(argc, argv, "o:vqh", long_options, &r->diags)) != -1) {
		if (cli_common_option(c, optarg, &command_run, &r->loud, &r->diags, &done)) {
			if (done)
				return 1;
		} else if (take_option(r, c, optarg) < 0) {
			return -1;
		}
	}
	if (optind == argc)
		return diag_error(&r->diags, "qcc run --help shows how it is called", "no model given");
	r->model = argv[optind];
	r->inputs = argv + optind + 1;
	r->n_inputs = argc - optind - 1;
	return check_output(r);
}

/* A bar with the rate and the time left, on a terminal only. */
static void show_progress(void *user, int64_t done, int64_t total)
{
	enum { WIDTH = 30 };
	const struct run *r = user;
	double passed = seconds_now() - r->started;
	int filled = total > 0 ? (int)(done * WIDTH / total) : WIDTH;
	if (passed < 0.5)
		return;
	fprintf(stderr, "\r[%.*s%*s] %lld/%lld, %.0f a second, %.0f s left ", filled, "##############################",
		WIDTH - filled, "", (long long)done, (long long)total, (double)done / passed,
		done ? passed * (double)(total - done) / (double)done : 0.0);
	if (done == total)
		fputc('\n', stderr);
}

static void dump(void *user, const struct value *v, const struct tensor *t)
{
	struct run *r = user;
	if (output_write(t, r->dump_dir, v->name, &r->diags) < 0)
		r->dump_failed = true;
}

static int read_inputs(struct run *r)
{
	feed_init(&r->feed, r->graph);
	for (int i = 0; i < r->n_inputs; i++)
		if (feed_read(&r->feed, r->inputs[i], &r->diags) < 0)
			return -1;
	return feed_complete(&r->feed, &r->diags);
}

/* Values on the way are those of one execution: the network's own batch. */
static int execute(struct run *r)
{
	struct exec_options o = { .observe = r->dump_dir ? dump : NULL, .user = r };
	bool bar = !r->loud.quiet && isatty(STDERR_FILENO);
	r->results = xcalloc(r->graph->n_outputs, sizeof *r->results);
	r->started = seconds_now();
	int status = r->dump_dir ? exec_graph(r->graph, r->feed.tensors, r->results, &o, &r->diags)
				 : exec_batch(r->graph, r->feed.tensors, r->results, &o, bar ? show_progress : NULL,
					      &r->diags);
	return status < 0 || r->dump_failed ? -1 : 0;
}

static int write_results(struct run *r)
{
	const struct graph *g = r->graph;
	int status = 0;
	if (!is_folder(r->output)) {
		if (g->n_outputs == 1)
			return npy_write(r->results[0], r->output, &r->diags);
		return diag_error(&r->diags, "name a folder: -o DIR/", "the network has %u outputs, '%s' is one file",
				  g->n_outputs, r->output);
	}
	for (uint32_t i = 0; i < g->n_outputs; i++)
		if (output_write(r->results[i], r->output, g->output_names[i], &r->diags) < 0)
			status = -1;
	return status;
}

static int tell_results(struct run *r)
{
	const struct graph *g = r->graph;
	if (r->output && write_results(r) < 0)
		return -1;
	bool quiet = r->loud.quiet || (r->output && file_is_standard(r->output));
	for (uint32_t i = 0; i < g->n_outputs && !quiet; i++)
		if (r->top)
			output_print_top(g->output_names[i], r->results[i], r->top, stdout);
		else if (!r->output)
			output_print(g->output_names[i], r->results[i], stdout);
	if (r->labels)
		return output_print_accuracy(r->results[0], r->labels, stdout, &r->diags);
	return 0;
}

/* What depends on constants and shapes alone is computed once. */
static int fold_constants(struct run *r)
{
	struct pipeline p;
	struct pipeline_options o = { 0 };
	json_t *steps = json_array();
	int status = pipeline_parse(&p, "fold-constants", &r->diags);
	if (status == 0)
		status = pipeline_run(&p, r->graph, &o, steps, &r->diags);
	pipeline_free(&p);
	json_decref(steps);
	return status;
}

/* Every value gets its shape, too: the executor knows by it which samples it can run together. Where every tensor is to
 * be seen, none may be folded away. */
static int prepare(struct run *r)
{
	if (make_executable(r->graph, &r->diags) < 0 || (!r->dump_dir && fold_constants(r) < 0))
		return -1;
	return graph_infer(r->graph, &r->diags);
}

static int run_model(struct run *r)
{
	r->diags.file = r->model;
	r->graph = graph_read(r->model, &r->diags);
	if (!r->graph || prepare(r) < 0 || read_inputs(r) < 0 || execute(r) < 0)
		return -1;
	return tell_results(r);
}

static int run(int argc, char **argv)
{
	struct run r = { 0 };
	int status = take_arguments(&r, argc, argv);
	status = status == 0 ? run_model(&r) : status > 0 ? 0 : -1;
	for (uint32_t i = 0; r.results && i < r.graph->n_outputs; i++)
		tensor_unref(r.results[i]);
	free(r.results);
	feed_free(&r.feed);
	if (r.graph)
		graph_free(r.graph);
	return cli_finish(&r.diags, r.loud, status);
}

const struct command command_run = {
	.name = "run",
	.usage = "qcc run MODEL [NAME=]INPUT... [-o OUTPUT.npy|DIR/] [OPTION]...",
	.summary = "Executes a network",
	.help = help,
	.options = long_options,
	.run = run,
};

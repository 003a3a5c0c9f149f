/* qcc MODEL: reads a network, runs passes over it, writes it through backends, reports. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "backends/dot/dot.h"
#include "cli/cli.h"
#include "cli/stages.h"
#include "ops/op.h"
#include "pipeline/pipeline.h"
#include "report/report.h"
#include "script/script.h"
#include "util/file.h"
#include "util/output.h"
#include "util/strbuf.h"

enum { DEFAULT_SAMPLES = 16 };

struct job {
	const char *model, *script;
	struct strbuf passes, backends; /* lists, as given; no text: not given */
	const char *dir;
	char **rest; /* what follows MODEL, or a script's arguments */
	int n_rest;
	bool dry_run, testbench, interactive;
	struct output *output; /* NULL: a model file is written, no folder */
	struct loudness loud;
	struct pipeline_options options;
	struct pipeline pipeline;
	struct backend_list list;
	struct graph *graph;
	struct report *report;
	struct diags diags;
};

/* ---- arguments ---- */

enum {
	OPT_LIST_PASSES = OPT_OTHER,
	OPT_LIST_OPS,
	OPT_LIST_BACKENDS,
	OPT_HELP_PASS,
	OPT_HELP_BACKEND,
	OPT_DUMP_AFTER,
	OPT_DRY_RUN,
	OPT_SCRIPT,
	OPT_CERTIFY,
	OPT_EMIT_TESTBENCH,
	OPT_VERIFY,
	OPT_KEEP_SHAPE,
};

static const struct option long_options[] = {
	CLI_COMMON_OPTIONS,
	{ "passes", required_argument, NULL, 'p' },
	{ "backends", required_argument, NULL, 'b' },
	{ "output", required_argument, NULL, 'o' },
	{ "list-passes", no_argument, NULL, OPT_LIST_PASSES },
	{ "list-ops", no_argument, NULL, OPT_LIST_OPS },
	{ "list-backends", no_argument, NULL, OPT_LIST_BACKENDS },
	{ "help-pass", required_argument, NULL, OPT_HELP_PASS },
	{ "help-backend", required_argument, NULL, OPT_HELP_BACKEND },
	{ "dump-after", required_argument, NULL, OPT_DUMP_AFTER },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "script", required_argument, NULL, OPT_SCRIPT },
	{ "interactive", no_argument, NULL, 'i' },
	{ "keep-shape", no_argument, NULL, OPT_KEEP_SHAPE },
	{ "certify", no_argument, NULL, OPT_CERTIFY },
	{ "emit-testbench", no_argument, NULL, OPT_EMIT_TESTBENCH },
	{ "verify", optional_argument, NULL, OPT_VERIFY },
	{ NULL, 0, NULL, 0 },
};

static const char help[] =
	"  -p, --passes LIST       passes to run, in order: 'cleanup,fold(target_fps=1e6)'\n"
	"  -b, --backends LIST     what to write: 'finn,c'; default all that the graph allows;\n"
	"                          -p and -b may be given several times\n"
	"  -o, --output DIR        where to write (default out); with a name in .onnx that file alone,\n"
	"                          with - as standard output; MODEL - is standard input\n"
	"      --list-passes       the passes, and other names they go by\n"
	"      --list-ops          the operators\n"
	"      --list-backends     the backends\n"
	"      --help-pass NAME    what a pass does and its options\n"
	"      --help-backend NAME what a backend writes and its options\n"
	"      --dump-after PASS   write the graph after PASS (or 'all') to DIR/dump, as DOT and ONNX\n"
	"      --dry-run           print the passes, run nothing\n"
	"      --script FILE.lua   run a Lua script; the remaining arguments are its qcc.args\n"
	"  -i, --interactive       a prompt for Lua, behind --script where there is one; else with MODEL\n"
	"                          loaded as m ('qcc help lua' tells what there is)\n"
	"      --keep-shape        fold and to-hw neither remove dead hardware first nor pad\n"
	"      --emit-testbench    with C: a main that checks golden vectors, made by execution (c(testbench))\n"
	"      --certify           compare the thresholds of each layer with the original operators\n"
	"      --verify[=N|FILE]   execute the graph before and after each pass, on N generated samples\n"
	"                          (default 16) or on the inputs in FILE (.npy, .npz), and compare\n";

/* --verify=N or --verify=file.npy. */
static int take_verify(struct job *j, const char *text)
{
	char *end = NULL;
	errno = 0;
	long long n = text ? strtoll(text, &end, 10) : DEFAULT_SAMPLES;
	if (text && (end == text || *end)) {
		j->options.verify_file = text;
		return 0;
	}
	if (n <= 0 || errno || n > 1000000000)
		return diag_error(&j->diags, NULL, "--verify needs a number of samples, 1 or more, not '%s'", text);
	j->options.verify_samples = n;
	return 0;
}

/* Options that print something and end the command: true where c was one. */
static bool take_question(struct job *j, int c, const char *text)
{
	switch (c) {
	case OPT_LIST_PASSES: cli_list_passes(); return true;
	case OPT_LIST_OPS: cli_list_ops(); return true;
	case OPT_LIST_BACKENDS: cli_list_backends(); return true;
	case OPT_HELP_PASS: cli_help_pass(text, &j->diags); return true;
	case OPT_HELP_BACKEND: cli_help_backend(text, &j->diags); return true;
	default: return false;
	}
}

/* -b finn -b c is -b finn,c. */
static void add_to_list(struct strbuf *list, const char *text)
{
	strbuf_printf(list, "%s%s", list->text ? "," : "", text);
}

static int take_option(struct job *j, int c, const char *text)
{
	switch (c) {
	case 'p': add_to_list(&j->passes, text); return 0;
	case 'b': add_to_list(&j->backends, text); return 0;
	case 'o': j->dir = text; return 0;
	case OPT_DUMP_AFTER: j->options.dump_after = text; return 0;
	case OPT_DRY_RUN: j->dry_run = true; return 0;
	case OPT_SCRIPT: j->script = text; return 0;
	case 'i': j->interactive = true; return 0;
	case OPT_KEEP_SHAPE: j->options.waived |= GRAPH_PRUNED; return 0;
	case OPT_CERTIFY: j->options.certify = true; return 0;
	case OPT_EMIT_TESTBENCH: j->testbench = true; return 0;
	case OPT_VERIFY: return take_verify(j, text);
	default: return -1; /* cli_next_option has said why */
	}
}

/* 0: go on; 1: done; -1: wrong arguments. */
static int take_arguments(struct job *j, int argc, char **argv)
{
	int c;
	bool done;
	optind = 0;
	while ((c = cli_next_option(argc, argv, "p:b:o:ivqh", long_options, &j->diags)) != -1) {
		if (cli_common_option(c, optarg, &command_compile, &j->loud, &j->diags, &done)) {
			if (done)
				return 1;
		} else if (take_question(j, c, optarg)) {
			return 1;
		} else if (take_option(j, c, optarg) < 0) {
			return -1;
		}
	}
	j->rest = argv + optind;
	j->n_rest = argc - optind;
	return 0;
}

static int check_arguments(struct job *j)
{
	struct diags *d = &j->diags;
	if (j->script || j->interactive) {
		if (j->passes.text || j->backends.text)
			return diag_error(d, "call m:run and m:emit in Lua", "%s goes with neither -p nor -b",
					  j->script ? "--script" : "--interactive");
		return 0;
	}
	if (j->n_rest > 1)
		return diag_error(d, "qcc takes one model; passes go behind -p", "what is '%s'?", j->rest[1]);
	if (j->n_rest == 0 && !j->dry_run)
		return diag_error(d, "qcc --help shows how it is called", "no model given");
	j->model = j->n_rest ? j->rest[0] : NULL;
	return 0;
}

/* --dump-after takes our name of a pass, so that its aliases work too. */
static int resolve_dump(struct job *j)
{
	struct pipeline p;
	if (!j->options.dump_after || !strcmp(j->options.dump_after, "all"))
		return 0;
	int status = pipeline_parse(&p, j->options.dump_after, &j->diags);
	if (status == 0 && p.count)
		j->options.dump_after = p.steps[0].pass->name;
	pipeline_free(&p);
	return status;
}

static int parse_lists(struct job *j)
{
	int status = pipeline_parse(&j->pipeline, j->passes.text ? j->passes.text : "", &j->diags);
	if (backend_list_parse(&j->list, j->backends.text, &j->diags) < 0 || resolve_dump(j) < 0)
		status = -1;
	if (status == 0 && j->testbench)
		backend_list_set_flag(&j->list, "testbench");
	return status;
}

/* ---- the run ---- */

static int emit(struct job *j)
{
	report_infer(j->graph);
	report_describe(j->report, j->graph);
	j->list.may_change_graph = true; /* the report needs the graph no more */
	return backend_list_emit(&j->list, j->graph, output_dir(j->output), j->report, &j->diags);
}

/* -o model.onnx: that file alone. */
static int write_model(struct job *j)
{
	report_infer(j->graph);
	report_describe(j->report, j->graph);
	return graph_write(j->graph, j->dir, &j->diags);
}

/* The html backend shows the graph after each pass. */
static void start_history(struct job *j)
{
	struct history *h = j->report->history = history_new();
	history_record(h, j->graph, "as read");
	j->options.record = history_observe;
	j->options.recorder = h;
}

static int run_pipeline(struct job *j)
{
	struct stages stages;
	bool draws = j->output && backend_list_has(&j->list, "dot");
	if (draws) {
		stages_start(&stages, j->graph, output_dir(j->output), &j->diags);
		j->options.observe = stages_observe;
		j->options.user = &stages;
	}
	if (backend_list_has(&j->list, "html"))
		start_history(j);
	int status = pipeline_run(&j->pipeline, j->graph, &j->options, j->report->passes, &j->diags);
	if (draws && stages_finish(&stages) < 0)
		status = -1;
	if (status == 0)
		status = j->output ? emit(j) : write_model(j);
	return status;
}

static void start_report(struct job *j)
{
	char *text = pipeline_print(&j->pipeline);
	j->report = report_new(j->model);
	j->report->pipeline = arena_strdup(&j->report->arena, text);
	j->report->certify = j->options.certify;
	j->options.certificates = &j->report->certificates;
	j->options.verification = &j->report->verification;
	graph_mark_sources(j->graph);
	free(text);
}

static bool has_quantisers(const struct graph *g)
{
	graph_for_each_node (g, n)
		if (n->op && n->op->flags & OP_QUANTISER)
			return true;
	return false;
}

/* Passes that found nothing to do are worth a word. */
static void print_nothing_done(const struct job *j)
{
	size_t i;
	const json_t *pass;
	json_array_foreach(j->report->passes, i, pass)
	{
		if (json_integer_value(json_object_get(pass, "changes")) > 0)
			return;
	}
	if (j->pipeline.count)
		puts("note: no pass changed anything");
}

/* Streamlining and what follows work between quantisers: where the file has none, all of it stays as it is. */
static void note_float_model(struct job *j, bool quantised)
{
	const struct pipeline *p = &j->pipeline;
	for (size_t i = 0; i < p->count && !quantised; i++)
		if (p->steps[i].pass->ensures & GRAPH_STREAMLINED && !has_quantisers(j->graph)) {
			diag_note(
				&j->diags, DIAG_WARNING, NULL,
				"train or export it with quantisers (Brevitas, QKeras), or quantise it with onnxruntime",
				"no quantiser in this model: nothing to streamline");
			return;
		}
}

static void print_summary(const struct job *j)
{
	const struct report *r = j->report;
	printf("%s: %lld nodes\n", j->model, (long long)r->totals.nodes);
	report_print_layers(r, stdout);
	report_print_passes(r, stdout);
	print_nothing_done(j);
	report_print_proof(r, stdout);
	report_print_backends(r, stdout);
	printf("written to %s\n", j->dir);
}

static int write_report(struct job *j)
{
	char *path = path_join(output_dir(j->output), "report.json");
	int status = report_write(j->report, path, &j->diags);
	free(path);
	return status;
}

/* The files of the run appear, or none does, but for dumps that may tell why it failed. */
static int end_output(struct job *j, int status)
{
	if (j->output && status == 0)
		status = output_commit(j->output, &j->diags);
	else
		output_abandon(j->output, "dump");
	j->output = NULL;
	return status;
}

static bool names_model_file(const char *path)
{
	const char *dot = strrchr(path, '.');
	if (file_is_standard(path))
		return true;
	return dot && (!strcmp(dot, ".onnx") || !strcmp(dot, ".onnxtxt"));
}

/* The output folder is made before any work, so that one that cannot be written is found out early. */
static int begin_output(struct job *j)
{
	if (names_model_file(j->dir)) {
		if (j->backends.text || j->options.dump_after)
			return diag_error(&j->diags, "give -o a folder",
					  "-o %s writes one model file; -b and --dump-after need a folder", j->dir);
		if (file_same(j->dir, j->model))
			return diag_error(&j->diags, "name another file with -o",
					  "-o %s would replace the model that is read", j->dir);
		return 0;
	}
	if (!*j->dir)
		return diag_error(&j->diags, "name a folder or a file in .onnx behind -o", "the output has no name");
	j->output = output_begin(j->dir, OUTPUT_REPLACE, &j->diags);
	if (!j->output)
		return -1;
	j->options.dump_dir = path_in(&j->report->arena, output_dir(j->output), "dump");
	return 0;
}

static int compile(struct job *j)
{
	j->diags.file = j->model;
	j->graph = graph_read(j->model, &j->diags);
	if (!j->graph)
		return -1;
	start_report(j);
	if (begin_output(j) < 0)
		return -1;
	bool quantised = has_quantisers(j->graph); /* folding turns them into hardware layers */
	int status = run_pipeline(j);
	if (status == 0 && j->output)
		status = write_report(j);
	status = end_output(j, status);
	if (status == 0)
		note_float_model(j, quantised);
	if (status == 0 && !j->loud.quiet && !file_is_standard(j->dir))
		print_summary(j);
	return status;
}

static int dry_run(struct job *j)
{
	char *text = pipeline_print(&j->pipeline);
	puts(text);
	free(text);
	return 0;
}

static void say(void *user, struct diags *d)
{
	const struct job *j = user;
	cli_say(d, j->loud);
}

static int run_script(struct job *j)
{
	struct script_options o = { .args = (const char *const *)j->rest,
				    .n_args = (size_t)j->n_rest,
				    .dir = j->dir,
				    .dry_run = j->dry_run,
				    .interactive = j->interactive,
				    .loads_model = !j->script,
				    .say = say,
				    .user = j,
				    .pipeline = j->options };
	char *ran;
	int status = script_run(j->script, &o, &ran, &j->diags);
	if (j->dry_run)
		fputs(ran, stdout);
	free(ran);
	return status;
}

static int run_job(struct job *j)
{
	if (check_arguments(j) < 0 || parse_lists(j) < 0)
		return -1;
	char *dump = path_join(j->dir, "dump"); /* of scripts */
	j->options.dump_dir = dump;
	j->options.draw = dot_write;
	j->options.verbose = j->loud.verbose;
	j->options.verify_structure = pipeline_verify_default();
	bool scripted = j->script || j->interactive;
	cli_show_progress(&j->loud, &j->diags);
	int status = scripted ? run_script(j) : j->dry_run ? dry_run(j) : compile(j);
	free(dump);
	return status;
}

static int run(int argc, char **argv)
{
	struct job j = { .dir = "out" };
	int status = take_arguments(&j, argc, argv);
	if (status == 0)
		status = run_job(&j);
	else if (status > 0)
		status = 0;
	pipeline_free(&j.pipeline);
	backend_list_free(&j.list);
	strbuf_free(&j.passes);
	strbuf_free(&j.backends);
	report_free(j.report);
	if (j.graph)
		graph_free(j.graph);
	return cli_finish(&j.diags, j.loud, status);
}

const struct command command_compile = {
	.name = "compile",
	.usage = "qcc MODEL [-p PASSES] [-b BACKENDS] [-o DIR] [OPTION]...",
	.summary = "Compiles a quantised neural network (QONNX) to integer form",
	.help = help,
	.options = long_options,
	.run = run,
};

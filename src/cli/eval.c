/* qcc eval: how well a network decides about the rows of a data set; with --all, whether what is made of it decides the
 * same. */
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/eval_c.h"
#include "data/metrics.h"
#include "data/predict.h"
#include "ops/op.h"
#include "pipeline/execute.h"
#include "pipeline/pipeline.h"

enum { OPT_ALL = OPT_OTHER, OPT_JSON, OPT_STYLE };

static const struct option long_options[] = {
	CLI_COMMON_OPTIONS,
	{ "all", no_argument, NULL, OPT_ALL },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "style", required_argument, NULL, OPT_STYLE },
	{ NULL, 0, NULL, 0 },
};

static const char help[] =
	"The data are a .npz archive with arrays bits and label (or x and y), as qcc encode writes, or a .npy file with\n"
	"NAME.label.npy beside it. A network with a BIPOLAR input gets bits as -1 and +1; rows of bits are padded with\n"
	"zeros to the length of the input. A single output from 0 on (a probability: from 0.5 on) means class 1.\n\n"
	"      --all               also streamlined, and as C (compiled with $CC and executed): nothing may be lost\n"
	"      --style STYLE       of that C: packed (default), reference or tiny\n"
	"      --json              as JSON\n";

enum { ORIGINAL, STREAMLINED, GENERATED, FORMS };

struct eval {
	const char *model, *data, *style;
	bool all, json;
	struct loudness loud;
	struct diags diags;
	struct graph *graph, *streamlined;
	struct dataset set;
	struct feeding feeding;
	struct decisions decisions[FORMS];
	struct metrics metrics[FORMS];
	int forms;
};

static int take_option(struct eval *x, int c, const char *text)
{
	switch (c) {
	case OPT_ALL: x->all = true; return 0;
	case OPT_JSON: x->json = true; return 0;
	case OPT_STYLE: x->style = text; return 0;
	default: return -1;
	}
}

/* 0: go on; 1: done; -1: wrong arguments. */
static int take_arguments(struct eval *x, int argc, char **argv)
{
	int c;
	bool done;
	optind = 0;
	while ((c = cli_next_option(argc, argv, "vqh", long_options, &x->diags)) != -1) {
		if (cli_common_option(c, optarg, &command_eval, &x->loud, &x->diags, &done)) {
			if (done)
				return 1;
		} else if (take_option(x, c, optarg) < 0) {
			return -1;
		}
	}
	if (argc - optind != 2)
		return diag_error(&x->diags, "qcc eval --help shows how it is called", "a model and data are wanted");
	x->model = argv[optind];
	x->data = argv[optind + 1];
	return 0;
}

/* ---- the forms of the network ---- */

static int run_passes(struct graph *g, const char *text, struct diags *d)
{
	struct pipeline p;
	struct pipeline_options o = { 0 };
	json_t *steps = json_array();
	int status = pipeline_parse(&p, text, d);
	if (status == 0)
		status = pipeline_run(&p, g, &o, steps, d);
	pipeline_free(&p);
	json_decref(steps);
	return status;
}

static void judge(struct eval *x, int form, const struct tensor *y)
{
	decide(&x->decisions[form], y, x->set.rows, x->set.classes, x->feeding.middle);
	metrics_compute(&x->metrics[form], &x->decisions[form], x->set.labels);
	x->forms = form + 1;
}

static int take_output(struct eval *x, int form, struct tensor *y)
{
	if (!y)
		return -1;
	judge(x, form, y);
	tensor_unref(y);
	return 0;
}

static int judge_original(struct eval *x)
{
	if (make_executable(x->graph, &x->diags) < 0 || graph_infer(x->graph, &x->diags) < 0 ||
	    feeding_find(&x->feeding, x->graph, &x->set, &x->diags) < 0)
		return -1;
	return take_output(x, ORIGINAL, predict(x->graph, &x->feeding, &x->set, &x->diags));
}

/* Bits are declared as what they are, so that the first layer becomes one of integers. */
static int judge_streamlined(struct eval *x)
{
	const char *passes = x->feeding.bipolar ? "set-datatype(input=BIPOLAR),streamline"
			     : x->set.binary	? "set-datatype(input=BINARY),streamline"
						: "streamline";
	if (run_passes(x->streamlined, passes, &x->diags) < 0)
		return -1;
	return take_output(x, STREAMLINED, predict(x->streamlined, &x->feeding, &x->set, &x->diags));
}

static int judge_all(struct eval *x)
{
	if (judge_original(x) < 0)
		return -1;
	if (!x->all)
		return 0;
	if (judge_streamlined(x) < 0)
		return -1;
	return take_output(x, GENERATED, eval_generated_c(x->streamlined, x->style, &x->feeding, &x->set, &x->diags));
}

/* ---- telling ---- */

static int64_t differing(const struct eval *x, int form)
{
	int64_t count = 0;
	for (int64_t r = 0; r < x->set.rows; r++)
		count += x->decisions[form].chosen[r] != x->decisions[ORIGINAL].chosen[r];
	return count;
}

static const char *const form_names[] = { "original", "streamlined", "generated C" };

static void print_row(const struct eval *x, const char *name, double (*of)(const struct metrics *m))
{
	printf("%-20s", name);
	for (int i = 0; i < x->forms; i++) {
		double value = of(&x->metrics[i]);
		if (isnan(value))
			printf(" %20s", "-");
		else
			printf(" %20.10g", value);
	}
	putchar('\n');
}

static double accuracy(const struct metrics *m)
{
	return (double)m->right / (double)m->rows;
}

static double precision(const struct metrics *m)
{
	return metrics_mean(m, metrics_precision);
}

static double recall(const struct metrics *m)
{
	return metrics_mean(m, metrics_recall);
}

static double f1(const struct metrics *m)
{
	return metrics_mean(m, metrics_f1);
}

static double auc(const struct metrics *m)
{
	return m->auc;
}

/* Two classes have names that everybody knows; of more, each cell is a line. */
static void print_confusion(const struct eval *x)
{
	static const char *const of_two[] = { "TN", "FP", "FN", "TP" };
	int64_t k = x->metrics[0].classes;
	for (int64_t cell = 0; cell < k * k; cell++) {
		if (k > 2 && x->metrics[0].confusion[cell] == 0)
			continue;
		if (k == 2)
			printf("%-20s", of_two[cell]);
		else
			printf("label %4lld as %5lld ", (long long)(cell / k), (long long)(cell % k));
		for (int i = 0; i < x->forms; i++)
			printf(" %20lld", x->metrics[i].classes == k ? (long long)x->metrics[i].confusion[cell] : -1);
		putchar('\n');
	}
}

static void print_table(const struct eval *x)
{
	const char *mean = x->metrics[0].classes > 2 ? " (mean)" : "";
	printf("%-20s", "");
	for (int i = 0; i < x->forms; i++)
		printf(" %20s", form_names[i]);
	printf("\n%-20s", "right");
	for (int i = 0; i < x->forms; i++)
		printf(" %20lld", (long long)x->metrics[i].right);
	printf("\n%-20s", "of rows");
	for (int i = 0; i < x->forms; i++)
		printf(" %20lld", (long long)x->metrics[i].rows);
	putchar('\n');
	char name[32];
	print_row(x, "accuracy", accuracy);
	snprintf(name, sizeof name, "precision%s", mean);
	print_row(x, name, precision);
	snprintf(name, sizeof name, "recall%s", mean);
	print_row(x, name, recall);
	snprintf(name, sizeof name, "F1%s", mean);
	print_row(x, name, f1);
	print_row(x, "ROC AUC", auc);
	print_confusion(x);
	if (!x->all)
		return;
	printf("%-20s", "decided otherwise");
	for (int i = 0; i < x->forms; i++)
		printf(" %20lld", (long long)differing(x, i));
	putchar('\n');
}

static void print_json(const struct eval *x)
{
	json_t *j = json_object();
	for (int i = 0; i < x->forms; i++) {
		json_t *m = metrics_json(&x->metrics[i]);
		json_object_set_new(m, "decided_otherwise", json_integer(differing(x, i)));
		json_object_set_new(j,
				    i == ORIGINAL      ? "original"
				    : i == STREAMLINED ? "streamlined"
						       : "generated_c",
				    m);
	}
	char *text = json_dumps(j, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
	puts(text);
	free(text);
	json_decref(j);
}

static int evaluate(struct eval *x)
{
	if (dataset_read(&x->set, x->data, &x->diags) < 0)
		return -1;
	if (!x->set.labels)
		return diag_error(&x->diags, "qcc run gives outputs without labels", "'%s' has no labels", x->data);
	x->diags.file = x->model;
	x->graph = graph_read(x->model, &x->diags);
	if (!x->graph)
		return -1;
	x->streamlined = graph_copy(x->graph);
	if (judge_all(x) < 0)
		return -1;
	if (x->json)
		print_json(x);
	else if (!x->loud.quiet)
		print_table(x);
	return 0;
}

static int run(int argc, char **argv)
{
	struct eval x = { .style = "packed" };
	int status = take_arguments(&x, argc, argv);
	status = status == 0 ? evaluate(&x) : status > 0 ? 0 : -1;
	for (int i = 0; i < FORMS; i++) {
		decisions_free(&x.decisions[i]);
		metrics_free(&x.metrics[i]);
	}
	dataset_free(&x.set);
	if (x.graph)
		graph_free(x.graph);
	if (x.streamlined)
		graph_free(x.streamlined);
	return cli_finish(&x.diags, x.loud, status);
}

const struct command command_eval = {
	.name = "eval",
	.usage = "qcc eval MODEL DATA.npz [--all] [OPTION]...",
	.summary = "Tells how well a network decides: accuracy, confusion, precision, recall, F1, ROC AUC",
	.help = help,
	.options = long_options,
	.run = run,
};

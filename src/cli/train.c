/* qcc train: a quantised network from rows and labels. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "data/metrics.h"
#include "data/predict.h"
#include "ops/op.h"
#include "train/export.h"
#include "train/sparse.h"
#include "train/trainer.h"
#include "util/file.h"
#include "util/strbuf.h"

enum {
	OPT_ARCH = OPT_OTHER,
	OPT_DATA,
	OPT_VAL,
	OPT_TEST,
	OPT_EPOCHS,
	OPT_BATCH,
	OPT_LR,
	OPT_SEED,
	OPT_WEIGHTS,
	OPT_ACTS,
	OPT_PER_CHANNEL,
	OPT_DROPOUT,
	OPT_OPTIMISER,
	OPT_DECAY,
	OPT_SCHEDULE,
	OPT_CLASS_WEIGHTS,
	OPT_PATIENCE,
	OPT_BEST,
	OPT_BIAS,
	OPT_COLLECT,
	OPT_PERCENTILE,
	OPT_FAN_IN,
	OPT_PRUNE_END,
	OPT_LUTS,
	OPT_LOG,
	OPT_RESUME,
	OPT_THREADS,
	OPT_LIST
};

static const struct option long_options[] = {
	CLI_COMMON_OPTIONS,
	{ "output", required_argument, NULL, 'o' },
	{ "arch", required_argument, NULL, OPT_ARCH },
	{ "data", required_argument, NULL, OPT_DATA },
	{ "val", required_argument, NULL, OPT_VAL },
	{ "test", required_argument, NULL, OPT_TEST },
	{ "epochs", required_argument, NULL, OPT_EPOCHS },
	{ "batch", required_argument, NULL, OPT_BATCH },
	{ "lr", required_argument, NULL, OPT_LR },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "weights", required_argument, NULL, OPT_WEIGHTS },
	{ "acts", required_argument, NULL, OPT_ACTS },
	{ "per-channel", no_argument, NULL, OPT_PER_CHANNEL },
	{ "dropout", required_argument, NULL, OPT_DROPOUT },
	{ "optimiser", required_argument, NULL, OPT_OPTIMISER },
	{ "optimizer", required_argument, NULL, OPT_OPTIMISER },
	{ "decay", required_argument, NULL, OPT_DECAY },
	{ "schedule", required_argument, NULL, OPT_SCHEDULE },
	{ "class-weights", required_argument, NULL, OPT_CLASS_WEIGHTS },
	{ "patience", required_argument, NULL, OPT_PATIENCE },
	{ "best", required_argument, NULL, OPT_BEST },
	{ "output-bias", required_argument, NULL, OPT_BIAS },
	{ "collect", required_argument, NULL, OPT_COLLECT },
	{ "percentile", required_argument, NULL, OPT_PERCENTILE },
	{ "fan-in", required_argument, NULL, OPT_FAN_IN },
	{ "prune-end", required_argument, NULL, OPT_PRUNE_END },
	{ "lut-budget", required_argument, NULL, OPT_LUTS },
	{ "log", required_argument, NULL, OPT_LOG },
	{ "resume", required_argument, NULL, OPT_RESUME },
	{ "threads", required_argument, NULL, OPT_THREADS },
	{ "list-layers", no_argument, NULL, OPT_LIST },
	{ NULL, 0, NULL, 0 },
};

static const char help[] =
	"  -o, --output FILE.onnx  the trained network, as QONNX\n"
	"      --arch TEXT         'mlp(593,64,64,1)' or layers: 'conv(16,3),bn,relu(4),maxpool(2),flatten,linear(10)'\n"
	"      --list-layers       the layers there are\n"
	"      --data FILE.npz     rows and labels to train on: arrays bits (or x) and label\n"
	"      --val SHARE|FILE    validation rows: a share of the rows (default 0.1), or rows of their own. The state that\n"
	"                          is best on them is what is written\n"
	"      --test FILE         tell the accuracy of what is written on these rows, once, at the end\n"
	"      --weights BITS      1 (bipolar), ternary, 2 to 8 (default 2), float\n"
	"      --acts BITS         likewise of activations\n"
	"      --per-channel       a scale for each output of a layer\n"
	"      --dropout P         between the layers of mlp(...) (default 0)\n"
	"      --epochs N          (default 10)\n"
	"      --batch N           rows a step (default 1000)\n"
	"      --lr RATE           (default 0.001)\n"
	"      --optimiser NAME    adam (default) or adamw\n"
	"      --decay X           weight decay (default 0)\n"
	"      --schedule TEXT     constant (default), cosine, step(EPOCHS,FACTOR), restarts(EPOCHS,FACTOR); warmup=EPOCHS\n"
	"      --class-weights W   balanced, or a weight for each class: 1,2.5\n"
	"      --patience N        stop after N epochs without a better state\n"
	"      --best WHAT         accuracy (default) or loss decides which state is best\n"
	"      --output-bias WHAT  starts with the logarithm of the classes' shares added (shares, default), or as all biases\n"
	"                          do (random)\n"
	"      --collect N         steps in which activations' scales follow the data before they are learned (default 300)\n"
	"      --percentile P      of the activations that the scales follow (default 99.999)\n"
	"      --fan-in N          inputs that a neuron keeps: weights are pruned while training goes on\n"
	"      --prune-end SHARE   of the epochs, at which that is reached (default 0.6)\n"
	"      --lut-budget N      add the estimated number of LUTs to the loss until it is N at the most\n"
	"      --seed N            (default 1)\n"
	"      --log DIR           history.csv, loss.svg, accuracy.svg, checkpoint.npz (default: the output's name .train)\n"
	"      --resume FILE       go on from a checkpoint; Ctrl-C leaves one\n"
	"      --threads N         (default: as many as there are processors; the result is the same)\n\n"
	"The last line on standard output is JSON. Exit status: 0, 1 after an error, 130 after Ctrl-C.\n\n";

struct train {
	const char *output, *data, *val, *test, *resume;
	char *log;
	struct train_options o;
	struct loudness loud;
	struct diags diags;
	struct dataset rows, val_rows;
	struct trainer trainer;
	sigset_t signals;
	bool bar, interrupted, has_trainer;
	double shown; /* when the bar was drawn */
};

/* ---- arguments ---- */

static int take_number(struct train *x, const char *name, const char *text, double lo, double hi, bool whole,
		       double *out)
{
	char *end;
	double n = strtod(text, &end);
	if (!*text || *end || !(n >= lo && n <= hi) || (whole && n != floor(n)))
		return diag_error(&x->diags, NULL, "--%s needs a %snumber from %g to %g, not '%s'", name,
				  whole ? "whole " : "", lo, hi, text);
	*out = n;
	return 0;
}

static int take_whole(struct train *x, const char *name, const char *text, int64_t lo, int64_t *out)
{
	double n = 0;
	if (take_number(x, name, text, (double)lo, 1e12, true, &n) < 0)
		return -1;
	*out = (int64_t)n;
	return 0;
}

static int take_word(struct train *x, const char *name, const char *text, const char *no, const char *yes, bool *out)
{
	*out = !strcmp(text, yes);
	if (*out || !strcmp(text, no))
		return 0;
	return diag_error(&x->diags, NULL, "--%s is %s or %s, not '%s'", name, no, yes, text);
}

static int take_schedule(struct train *x, const char *text)
{
	x->o.schedule_text = text;
	if (schedule_parse(text, &x->o.schedule))
		return 0;
	return diag_error(&x->diags, "write constant, cosine, step(10,0.1) or restarts(10,2)", "'%s' is no schedule",
			  text);
}

static int take_threads(struct train *x, const char *text)
{
	int64_t n = 0;
	if (take_whole(x, "threads", text, 1, &n) < 0)
		return -1;
	x->o.net.threads = n < 256 ? (int)n : 256;
	return 0;
}

static int take_seed(struct train *x, const char *text)
{
	int64_t n = 0;
	if (take_whole(x, "seed", text, 0, &n) < 0)
		return -1;
	x->o.net.seed = (uint64_t)n;
	return 0;
}

static void take_log(struct train *x, const char *text)
{
	free(x->log);
	x->log = xstrdup(text);
}

static int take_option(struct train *x, int c, const char *text)
{
	struct train_options *o = &x->o;
	switch (c) {
	case 'o': x->output = text; return 0;
	case OPT_ARCH: o->arch = text; return 0;
	case OPT_DATA: x->data = text; return 0;
	case OPT_VAL: x->val = text; return 0;
	case OPT_TEST: x->test = text; return 0;
	case OPT_EPOCHS: return take_whole(x, "epochs", text, 0, &o->epochs);
	case OPT_BATCH: return take_whole(x, "batch", text, 2, &o->batch);
	case OPT_LR: return take_number(x, "lr", text, 1e-12, 1e3, false, &o->optimiser.rate);
	case OPT_SEED: return take_seed(x, text);
	case OPT_WEIGHTS: return bit_width_option("weights", text, &o->net.weights, &x->diags);
	case OPT_ACTS: return bit_width_option("acts", text, &o->net.acts, &x->diags);
	case OPT_PER_CHANNEL: o->net.per_channel = true; return 0;
	case OPT_DROPOUT: return take_number(x, "dropout", text, 0, 0.999, false, &o->net.dropout);
	case OPT_OPTIMISER: return take_word(x, "optimiser", text, "adam", "adamw", &o->optimiser.decoupled);
	case OPT_DECAY: return take_number(x, "decay", text, 0, 1e3, false, &o->optimiser.decay);
	case OPT_SCHEDULE: return take_schedule(x, text);
	case OPT_CLASS_WEIGHTS: o->class_weights = text; return 0;
	case OPT_PATIENCE: return take_whole(x, "patience", text, 0, &o->patience);
	case OPT_BEST: return take_word(x, "best", text, "accuracy", "loss", &o->best_by_loss);
	case OPT_BIAS: return take_word(x, "output-bias", text, "shares", "random", &o->plain_bias);
	case OPT_COLLECT: return take_whole(x, "collect", text, 1, &o->net.collect);
	case OPT_PERCENTILE: return take_number(x, "percentile", text, 50, 100, false, &o->net.percentile);
	case OPT_FAN_IN: return take_whole(x, "fan-in", text, 1, &o->net.fan_in);
	case OPT_PRUNE_END: return take_number(x, "prune-end", text, 0.01, 1, false, &o->prune_end);
	case OPT_LUTS: return take_number(x, "lut-budget", text, 1, 1e12, false, &o->lut_budget);
	case OPT_LOG: take_log(x, text); return 0;
	case OPT_RESUME: x->resume = text; return 0;
	case OPT_THREADS: return take_threads(x, text);
	default: return -1;
	}
}

/* net.onnx logs to net.train. */
static void default_log(struct train *x)
{
	struct strbuf name = { 0 };
	size_t n = strlen(x->output);
	if (x->log)
		return;
	n -= n > 5 && !strcmp(x->output + n - 5, ".onnx") ? 5 : 0;
	strbuf_printf(&name, "%.*s.train", (int)n, x->output);
	x->log = name.text;
}

static int check_arguments(struct train *x)
{
	const char *see = "qcc train --help shows how it is called", *missing = !x->o.arch ? "--arch"
										: !x->data ? "--data"
											   : NULL;
	if (missing)
		return diag_error(&x->diags, see, "%s is missing", missing);
	if (!x->output)
		return diag_error(&x->diags, see, "no output given: -o FILE.onnx");
	char *end;
	double share = x->val ? strtod(x->val, &end) : 0.1;
	if (!x->val || (*x->val && !*end)) {
		if (!(share >= 0 && share < 1))
			return diag_error(&x->diags, NULL, "--val needs a share from 0 to below 1, or a file");
		x->o.val_share = share;
		x->val = NULL;
	}
	default_log(x);
	return 0;
}

static void list_layers(void)
{
	static const struct layer_type *const types[] = {
#define LAYER(symbol) &layer_##symbol,
#include "train/layers.def"
#include "util/limits.h"
#undef LAYER
	};
	printf("%-48s %s\n", "mlp(inputs,width,...,outputs)",
	       "linear, bn, dropout, relu for each width; linear at the end");
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		printf("%-48s %s\n", types[i]->form, types[i]->summary);
}

/* 0: go on; 1: done; -1: wrong arguments. */
static int take_arguments(struct train *x, int argc, char **argv)
{
	int c;
	bool done;
	optind = 0;
	while ((c = cli_next_option(argc, argv, "o:vqh", long_options, &x->diags)) != -1) {
		if (c == '?')
			return -1;
		if (c == OPT_LIST) {
			list_layers();
			return 1;
		}
		if (cli_common_option(c, optarg, &command_train, &x->loud, &x->diags, &done)) {
			if (done)
				return 1;
		} else if (take_option(x, c, optarg) < 0) {
			return -1;
		}
	}
	if (optind < argc)
		return diag_error(&x->diags, "qcc train --help shows how it is called", "what is '%s'?", argv[optind]);
	return check_arguments(x);
}

static void show_bar(void *user, double share)
{
	enum { WIDTH = 30 };
	struct train *x = user;
	double now = seconds_now();
	if (!x->bar || (now - x->shown < 0.1 && share < 1))
		return;
	x->shown = now;
	int filled = (int)(share * WIDTH);
	fprintf(stderr, "\repoch %lld/%lld [%.*s%*s] %3.0f %% ", (long long)x->trainer.epoch + 1,
		(long long)x->o.epochs, filled, "##############################", WIDTH - filled, "", 100 * share);
}

static void show_epoch(struct train *x)
{
	const struct trainer *t = &x->trainer;
	const struct epoch_figures *f = &t->history.items[t->history.count - 1];
	if (x->loud.quiet)
		return;
	fprintf(stderr, "%sepoch %lld/%lld: loss %.4f, accuracy %.4f", x->bar ? "\r\33[K" : "", (long long)t->epoch,
		(long long)x->o.epochs, f->train_loss, f->train_accuracy);
	if (t->n_val)
		fprintf(stderr, "; validation: loss %.4f, accuracy %.4f%s", f->val_loss, f->val_accuracy,
			t->best == t->epoch ? " (best)" : "");
	fprintf(stderr, "; %.2f s\n", f->seconds);
}

/* Signals are blocked, and looked for between batches. */
static bool was_interrupted(void *user)
{
	struct train *x = user;
	const struct timespec now = { 0 };
	if (!x->interrupted && sigtimedwait(&x->signals, NULL, &now) > 0)
		x->interrupted = true;
	return x->interrupted;
}

/* ---- the work ---- */

/* What would fail at the end fails before training starts. */
static int check_output(struct train *x)
{
	struct file_out f;
	if (dir_make(x->log, &x->diags) < 0 || file_create(&f, x->output, &x->diags) < 0)
		return -1;
	file_abandon(&f);
	return 0;
}

static int prepare(struct train *x)
{
	struct diags *d = &x->diags;
	if (dataset_read(&x->rows, x->data, d) < 0 || (x->val && dataset_read(&x->val_rows, x->val, d) < 0))
		return -1;
	x->has_trainer = true;
	if (trainer_init(&x->trainer, &x->o, &x->rows, x->val ? &x->val_rows : NULL, d) < 0)
		return -1;
	if (x->resume && checkpoint_read(&x->trainer, x->resume, d) < 0)
		return -1;
	return check_output(x);
}

static int save(struct train *x)
{
	struct strbuf path = { 0 };
	strbuf_printf(&path, "%s/checkpoint.npz", x->log);
	int status = checkpoint_write(&x->trainer, path.text, &x->diags);
	strbuf_free(&path);
	return status;
}

static int train_epochs(struct train *x)
{
	while (!trainer_done(&x->trainer) && !was_interrupted(x)) {
		int done = trainer_epoch(&x->trainer, was_interrupted, show_bar, x);
		if (done)
			show_epoch(x);
		if (save(x) < 0 || (done && history_write(&x->trainer, x->log, &x->diags) < 0))
			return -1;
	}
	return 0;
}

static json_t *number(double x)
{
	return isfinite(x) ? json_real(x) : json_null();
}

/* Figures of the exported network, as everybody else will execute it. */
static int judge_export(struct train *x, const struct graph *g, const struct dataset *s, json_t **out)
{
	struct feeding f;
	struct decisions decisions;
	struct metrics m;
	if (feeding_find(&f, g, s, &x->diags) < 0)
		return -1;
	struct tensor *y = predict(g, &f, s, &x->diags);
	if (!y)
		return -1;
	decide(&decisions, y, s->rows, s->classes, f.middle);
	metrics_compute(&m, &decisions, s->labels);
	*out = metrics_json(&m);
	metrics_free(&m);
	decisions_free(&decisions);
	tensor_unref(y);
	return 0;
}

static int judge_test(struct train *x, const struct graph *g, json_t *j)
{
	struct dataset s;
	json_t *figures = NULL;
	int status = dataset_read(&s, x->test, &x->diags);
	if (status == 0 && !s.labels)
		status = diag_error(&x->diags, NULL, "'%s' has no labels", x->test);
	if (status == 0)
		status = judge_export(x, g, &s, &figures);
	if (figures)
		json_object_set_new(j, "test", figures);
	dataset_free(&s);
	return status;
}

/* The figures of the state that is written: the best, or the last where none was a candidate. */
static const struct epoch_figures *written(const struct trainer *t)
{
	if (t->best)
		return &t->history.items[t->best - 1];
	return t->history.count ? &t->history.items[t->history.count - 1] : NULL;
}

static void tell(struct train *x, json_t *j)
{
	const struct trainer *t = &x->trainer;
	const struct epoch_figures *f = written(t);
	json_object_set_new(j, "model", json_string(x->output));
	json_object_set_new(j, "epochs", json_integer(t->epoch));
	json_object_set_new(j, "best_epoch", json_integer(t->best));
	json_object_set_new(j, "val_accuracy", number(f ? f->val_accuracy : NAN));
	json_object_set_new(j, "val_loss", number(f ? f->val_loss : NAN));
	json_object_set_new(j, "luts_estimated", number(sparse_luts(t->net)));
	json_object_set_new(j, "seconds", number(t->seconds));
	json_object_set_new(j, "interrupted", json_boolean(x->interrupted));
	char *text = json_dumps(j, JSON_REAL_PRECISION(12));
	puts(text);
	free(text);
}

static int write_network(struct train *x, json_t *j)
{
	struct trainer *t = &x->trainer;
	trainer_take_best(t);
	struct graph *g = export_graph(t->net, "trained");
	int status = graph_infer(g, &x->diags);
	if (status == 0)
		status = graph_write(g, x->output, &x->diags);
	if (status == 0 && x->test)
		status = judge_test(x, g, j);
	graph_free(g);
	return status;
}

static int work(struct train *x)
{
	json_t *j = json_object();
	int status = train_epochs(x);
	if (status == 0 && !x->interrupted) {
		if (x->o.lut_budget > 0 && !x->trainer.best)
			diag_note(&x->diags, DIAG_WARNING, NULL, "train for more epochs",
				  "the LUT budget was not reached");
		status = write_network(x, j);
	}
	if (status == 0)
		tell(x, j);
	json_decref(j);
	return status;
}

static void block_signals(struct train *x)
{
	sigemptyset(&x->signals);
	sigaddset(&x->signals, SIGINT);
	sigaddset(&x->signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &x->signals, NULL);
}

static int run(int argc, char **argv)
{
	struct train x = { .o = { .net = { .weights = { BITS_INTEGER, 2 },
					   .acts = { BITS_INTEGER, 2 },
					   .collect = 300,
					   .percentile = 99.999,
					   .seed = 1 },
				  .optimiser = { .rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8 },
				  .schedule_text = "constant",
				  .epochs = 10,
				  .batch = 1000,
				  .prune_end = 0.6 } };
	int status = take_arguments(&x, argc, argv);
	if (status == 0) {
		block_signals(&x);
		x.bar = !x.loud.quiet && isatty(STDERR_FILENO);
		status = prepare(&x) < 0 ? -1 : work(&x);
	} else {
		status = status > 0 ? 0 : -1;
	}
	if (x.has_trainer)
		trainer_free(&x.trainer);
	dataset_free(&x.rows);
	dataset_free(&x.val_rows);
	free(x.log);
	int exit_status = cli_finish(&x.diags, x.loud, status);
	return x.interrupted && !exit_status ? 130 : exit_status;
}

const struct command command_train = {
	.name = "train",
	.usage = "qcc train --arch TEXT --data DATA.npz -o NET.onnx [OPTION]...",
	.summary = "Trains a quantised network",
	.help = help,
	.options = long_options,
	.run = run,
};

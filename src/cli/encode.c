/* qcc encode: rows of CSV files as bits and labels. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "data/encode.h"
#include "util/vec.h"

enum {
	OPT_SPEC = OPT_OTHER,
	OPT_FIT,
	OPT_LABEL,
	OPT_NO_LABEL,
	OPT_IGNORE,
	OPT_STRICT,
	OPT_DROP,
	OPT_PACKED,
	OPT_SEPARATOR,
	OPT_NO_HEADER,
	OPT_THREADS
};

static const struct option long_options[] = {
	CLI_COMMON_OPTIONS,
	{ "output", required_argument, NULL, 'o' },
	{ "spec", required_argument, NULL, OPT_SPEC },
	{ "fit", required_argument, NULL, OPT_FIT },
	{ "label", required_argument, NULL, OPT_LABEL },
	{ "no-label", no_argument, NULL, OPT_NO_LABEL },
	{ "ignore", required_argument, NULL, OPT_IGNORE },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "drop-bad", no_argument, NULL, OPT_DROP },
	{ "packed", no_argument, NULL, OPT_PACKED },
	{ "separator", required_argument, NULL, OPT_SEPARATOR },
	{ "no-header", no_argument, NULL, OPT_NO_HEADER },
	{ "threads", required_argument, NULL, OPT_THREADS },
	{ NULL, 0, NULL, 0 },
};

static const char help[] =
	"  -o, --output FILE       .npz: arrays bits and label; .npy: the bits, labels to NAME.label.npy\n"
	"      --spec FILE         how columns become bits (JSON)\n"
	"      --fit FILE          find that from the rows, and write it there\n"
	"      --label NAME        the label's column (default: the encoding's, else 'label')\n"
	"      --no-label          there are no labels\n"
	"      --ignore A,B,...    with --fit: columns to leave out\n"
	"      --strict            refuse missing, malformed and unknown fields (default: encode 0, and warn)\n"
	"      --drop-bad          leave rows with such fields out\n"
	"      --packed            eight bits a byte, most significant first, as numpy.packbits\n"
	"      --separator C       what is between fields (default: a comma; 'tab' for a tab)\n"
	"      --no-header         the first line is a row: fields are the encoding's columns, then the label\n"
	"      --threads N         (default: as many as there are processors)\n";

struct encode {
	const char *spec, *fit, *output;
	char *ignored_text;
	struct {
		char **items;
		size_t count, capacity;
	} ignored;
	struct encode_options o;
	char **paths;
	int n_paths;
	struct loudness loud;
	struct diags diags;
};

/* ---- arguments ---- */

static void take_ignored(struct encode *x, const char *text)
{
	char *rest = NULL;
	free(x->ignored_text);
	x->ignored_text = xstrdup(text);
	x->ignored.count = 0;
	for (char *name = strtok_r(x->ignored_text, ",", &rest); name; name = strtok_r(NULL, ",", &rest))
		vec_push(&x->ignored, name);
}

static int take_separator(struct encode *x, const char *text)
{
	bool tab = !strcmp(text, "tab") || !strcmp(text, "\\t");
	if (!tab && (strlen(text) != 1 || strchr("\"\n\r", *text)))
		return diag_error(&x->diags, NULL, "--separator needs one character, not '%s'", text);
	x->o.table.separator = tab ? '\t' : *text;
	return 0;
}

static int take_threads(struct encode *x, const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);
	if (!*text || *end || n < 1 || n > 1024)
		return diag_error(&x->diags, NULL, "--threads needs a number from 1 to 1024, not '%s'", text);
	x->o.table.threads = (int)n;
	return 0;
}

static int take_option(struct encode *x, int c, const char *text)
{
	switch (c) {
	case 'o': x->output = text; return 0;
	case OPT_SPEC: x->spec = text; return 0;
	case OPT_FIT: x->fit = text; return 0;
	case OPT_LABEL: x->o.table.label = text; return 0;
	case OPT_NO_LABEL: x->o.table.no_label = true; return 0;
	case OPT_IGNORE: take_ignored(x, text); return 0;
	case OPT_STRICT: x->o.strict = true; return 0;
	case OPT_DROP: x->o.drop_bad = true; return 0;
	case OPT_PACKED: x->o.packed = true; return 0;
	case OPT_SEPARATOR: return take_separator(x, text);
	case OPT_NO_HEADER: x->o.table.no_header = true; return 0;
	case OPT_THREADS: return take_threads(x, text);
	default: return -1;
	}
}

static int check_arguments(struct encode *x)
{
	const char *see = "qcc encode --help shows how it is called";
	if (!x->n_paths)
		return diag_error(&x->diags, see, "no CSV file given");
	if (!x->spec == !x->fit)
		return diag_error(&x->diags, see,
				  x->spec ? "--spec and --fit exclude each other"
					  : "--spec says how columns become bits, --fit finds it: one is wanted");
	if (!x->output && !x->fit)
		return diag_error(&x->diags, see, "no output given: -o FILE.npz");
	if (x->o.strict && x->o.drop_bad)
		return diag_error(&x->diags, see, "--strict and --drop-bad exclude each other");
	return 0;
}

/* 0: go on; 1: done; -1: wrong arguments. */
static int take_arguments(struct encode *x, int argc, char **argv)
{
	int c;
	bool done;
	optind = 0;
	while ((c = cli_next_option(argc, argv, "o:vqh", long_options, &x->diags)) != -1) {
		if (cli_common_option(c, optarg, &command_encode, &x->loud, &x->diags, &done)) {
			if (done)
				return 1;
		} else if (take_option(x, c, optarg) < 0) {
			return -1;
		}
	}
	x->paths = argv + optind;
	x->n_paths = argc - optind;
	return check_arguments(x);
}

/* ---- the work ---- */

static int get_encoding(struct encode *x, struct encoding *e)
{
	if (x->spec)
		return encoding_read(e, x->spec, &x->diags);
	if (encode_fit(e, x->paths, (size_t)x->n_paths, x->ignored.items, x->ignored.count, &x->o.table, &x->diags) <
		    0 ||
	    encoding_write(e, x->fit, &x->diags) < 0)
		return -1;
	if (!x->loud.quiet)
		printf("%s: %zu columns, %lld bits\n", x->fit, e->count, (long long)e->bits);
	return 0;
}

static int encode(struct encode *x)
{
	struct encoding e;
	struct encode_totals totals;
	int status = get_encoding(x, &e);
	if (status == 0 && x->output) {
		status = encode_tables(&e, x->paths, (size_t)x->n_paths, x->output, &x->o, &totals, &x->diags);
		if (status == 0 && !x->loud.quiet)
			printf("%s: %llu rows of %lld bits%s; %llu rows left out\n", x->output,
			       (unsigned long long)totals.rows, (long long)e.bits,
			       totals.has_labels ? " and labels" : "", (unsigned long long)totals.left_out);
	}
	encoding_free(&e);
	return status;
}

static int run(int argc, char **argv)
{
	struct encode x = { .o.table.separator = ',' };
	int status = take_arguments(&x, argc, argv);
	status = status == 0 ? encode(&x) : status > 0 ? 0 : -1;
	vec_free(&x.ignored);
	free(x.ignored_text);
	return cli_finish(&x.diags, x.loud, status);
}

const struct command command_encode = {
	.name = "encode",
	.usage = "qcc encode TABLE.csv... (--spec FILE | --fit FILE) [-o OUTPUT.npz] [OPTION]...",
	.summary = "Encodes rows of CSV files as bits and labels",
	.help = help,
	.options = long_options,
	.run = run,
};

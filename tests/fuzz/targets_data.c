/* Targets of fuzzing: what `qcc encode` and `qcc train` read. An archive's checksums would stop changes of its bytes before
 * any of qcc's code sees them; so data sets and checkpoints are described by lines, from which the archive is made. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/encode.h"
#include "ir/npy.h"
#include "targets.h"
#include "train/trainer.h"

/* ---- tables ---- */

static void encode_with(const char *spec, const char *csv, struct diags *d)
{
	const struct encode_options o = { .table = { .separator = ',', .threads = 1 } };
	struct encode_totals totals;
	struct encoding e;
	char path[128], *paths[] = { path };
	char output[128];
	snprintf(path, sizeof path, "%s", csv);
	snprintf(output, sizeof output, "%s/fuzz-bits.npz", target_folder());
	bool failed = spec ? encoding_read(&e, spec, d) < 0 : encode_fit(&e, paths, 1, NULL, 0, &o.table, d) < 0;
	if (!failed && e.bits < 1 << 16)
		failed = encode_tables(&e, paths, 1, output, &o, &totals, d) < 0;
	encoding_free(&e);
	must_have_said(failed, d);
}

/* A specification, a form feed, a table. */
void run_encode(const uint8_t *bytes, size_t size)
{
	const struct limits l = limits_for_one();
	struct diags d = { .limits = &l };
	const uint8_t *cut = size ? memchr(bytes, '\f', size) : NULL;
	size_t head = cut ? (size_t)(cut - bytes) : size;
	char csv[128];
	snprintf(csv, sizeof csv, "%s", as_file("fuzz.csv", cut ? cut + 1 : bytes, cut ? size - head - 1 : 0));
	encode_with(as_file("fuzz-spec.json", bytes, head), csv, &d);
}

/* A table whose encoding is found first. */
void run_fit(const uint8_t *bytes, size_t size)
{
	const struct limits l = limits_for_one();
	struct diags d = { .limits = &l };
	encode_with(NULL, as_file("fuzz.csv", bytes, size), &d);
}

/* ---- archives from lines ---- */

/* Axes of at most 4096 elements, at most 65536 together: "2,3". Moves *at behind them; the rank, or -1. */
static int read_dims(char **at, int64_t *dims)
{
	int64_t count = 1;
	for (int rank = 0; rank < MAX_RANK; rank++) {
		char *end;
		dims[rank] = strtol(*at, &end, 10);
		if (end == *at)
			return rank;
		if (dims[rank] < 0 || dims[rank] > 1 << 12 || (count *= dims[rank] + !dims[rank]) > 1 << 16)
			return -1;
		*at = end + (*end == ',');
	}
	return -1;
}

/* Numbers one after the other; the last one stands for all that follow. */
static void read_numbers(const char *at, struct tensor *t)
{
	double number = 0;
	for (int64_t i = 0; i < t->count; i++) {
		char *end;
		double next = strtod(at, &end);
		number = end > at ? next : number;
		at = end;
		tensor_put(t, i, number);
	}
}

/* What follows the name in `NAME TYPE DIM,DIM: NUMBER NUMBER...`, or the bytes of TEXT in `NAME "TEXT`. NULL: neither. */
static struct tensor *array_of(char *line)
{
	int64_t dims[MAX_RANK];
	if (*line == '"') {
		dims[0] = (int64_t)strlen(line + 1);
		struct tensor *t = tensor_new(ELEM_UINT8, 1, dims);
		memcpy(t->data, line + 1, (size_t)dims[0]);
		return t;
	}
	char *at = line;
	long elem = strtol(line, &at, 10);
	int rank = read_dims(&at, dims);
	if (elem < ELEM_FLOAT || elem > ELEM_UINT64 || elem == ELEM_STRING || rank < 0 || *at != ':')
		return NULL;
	struct tensor *t = tensor_new((enum elem_type)elem, rank, dims);
	read_numbers(at + 1, t);
	return t;
}

static const char *as_archive(const uint8_t *bytes, size_t size)
{
	static char path[128];
	struct diags d = { 0 };
	char *text = xmalloc(size + 1), *rest = NULL;
	memcpy(text, bytes, size);
	text[size] = '\0';
	snprintf(path, sizeof path, "%s/fuzz-lines.npz", target_folder());
	struct npz_out *z = npz_create(path, &d);
	int members = 0;
	for (char *line = strtok_r(text, "\n", &rest); z && line && members < 16; line = strtok_r(NULL, "\n", &rest)) {
		char *space = strchr(line, ' ');
		if (!space)
			continue;
		*space = '\0';
		struct tensor *t = array_of(space + 1);
		members += t && npz_add(z, line, t) == 0;
		tensor_unref(t);
	}
	if (!z || npz_commit(z, &d) < 0)
		abort();
	free(text);
	diags_free(&d);
	return path;
}

static bool starts_archive(const uint8_t *bytes, size_t size)
{
	return size > 1 && bytes[0] == 'P' && bytes[1] == 'K';
}

void run_dataset(const uint8_t *bytes, size_t size)
{
	const struct limits l = limits_for_one();
	struct diags d = { .limits = &l };
	struct dataset s;
	const char *path = starts_archive(bytes, size) ? as_file("fuzz.npz", bytes, size) : as_archive(bytes, size);
	bool failed = dataset_read(&s, path, &d) < 0;
	dataset_free(&s);
	must_have_said(failed, &d);
}

/* ---- checkpoints ---- */

enum { ROWS = 6, INPUTS = 3 };

/* Rows that do not change: checkpoints name the sum of the data that they belong to. */
static void some_rows(struct dataset *s)
{
	const int64_t dims[] = { ROWS, INPUTS };
	*s = (struct dataset){ .x = tensor_new(ELEM_UINT8, 2, dims), .rows = ROWS, .row = INPUTS, .classes = 2 };
	s->labels = xcalloc(ROWS, sizeof *s->labels);
	s->binary = true;
	for (int i = 0; i < ROWS * INPUTS; i++)
		((uint8_t *)s->x->data)[i] = i * 7 % 5 < 2;
	for (int i = 0; i < ROWS; i++)
		s->labels[i] = i % 2;
}

static const struct train_options options = {
	.arch = "mlp(3,2,1)",
	.net = { .weights = { BITS_INTEGER, 2 },
		 .acts = { BITS_INTEGER, 2 },
		 .collect = 2,
		 .percentile = 99,
		 .fan_in = 2,
		 .seed = 1,
		 .threads = 1 },
	.optimiser = { .rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8 },
	.schedule_text = "constant",
	.epochs = 3,
	.batch = 4,
	.val_share = 0.2,
	.prune_end = 0.6,
};

static void start_training(struct trainer *t, struct dataset *s)
{
	struct diags d = { 0 };
	some_rows(s);
	if (trainer_init(t, &options, s, NULL, &d) < 0)
		abort();
}

/* A training is continued from the checkpoint for an epoch. */
void run_checkpoint(const uint8_t *bytes, size_t size)
{
	const struct limits l = limits_for_one();
	struct diags d = { .limits = &l };
	struct dataset s;
	struct trainer t;
	start_training(&t, &s);
	const char *path = starts_archive(bytes, size) ? as_file("fuzz.npz", bytes, size) : as_archive(bytes, size);
	bool failed = checkpoint_read(&t, path, &d) < 0;
	if (!failed && !trainer_done(&t))
		trainer_epoch(&t, NULL, NULL, NULL);
	if (!failed)
		trainer_take_best(&t);
	trainer_free(&t);
	dataset_free(&s);
	must_have_said(failed, &d);
}

static void add_line(struct strbuf *out, const char *path, const char *name, struct diags *d)
{
	struct tensor *t = npz_read(path, name, d);
	if (!t)
		abort();
	if (t->elem == ELEM_UINT8) {
		strbuf_printf(out, "%s \"%.*s\n", name, (int)t->count, (const char *)t->data);
	} else {
		strbuf_printf(out, "%s %d %lld:", name, t->elem, (long long)t->count);
		for (int64_t i = 0; i < t->count; i++)
			strbuf_printf(out, " %.9g", tensor_at(t, i));
		strbuf_char(out, '\n');
	}
	tensor_unref(t);
}

void checkpoint_lines(struct strbuf *out)
{
	static const char *const names[] = { "place", "state", "best", "moments", "masks", "history" };
	struct diags d = { 0 };
	struct dataset s;
	struct trainer t;
	char path[128];
	snprintf(path, sizeof path, "%s/checkpoint.npz", target_folder());
	start_training(&t, &s);
	trainer_epoch(&t, NULL, NULL, NULL);
	if (checkpoint_write(&t, path, &d) < 0)
		abort();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		add_line(out, path, names[i], &d);
	trainer_free(&t);
	dataset_free(&s);
}

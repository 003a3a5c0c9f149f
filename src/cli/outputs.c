/* Writing, printing and judging outputs. */
#include "cli/outputs.h"

#include <stdlib.h>
#include <string.h>

#include "util/arena.h"
#include "util/file.h"
#include "ir/npy.h"
#include "util/strbuf.h"

int output_write(const struct tensor *t, const char *dir, const char *name, struct diags *d)
{
	struct strbuf path = { 0 };
	size_t n = strlen(dir);
	int status = dir_make(dir, d);
	strbuf_printf(&path, "%s%s", dir, n && dir[n - 1] == '/' ? "" : "/");
	for (const char *s = name; *s; s++)
		strbuf_add(&path, *s == '/' ? "_" : s, 1);
	strbuf_puts(&path, ".npy");
	if (status == 0)
		status = npy_write(t, path.text, d);
	strbuf_free(&path);
	return status;
}

static void print_head(const char *name, const struct tensor *t, FILE *out)
{
	fprintf(out, "%s: %s[", name, elem_name(t->elem));
	for (int k = 0; k < t->rank; k++)
		fprintf(out, "%s%lld", k ? "," : "", (long long)t->dims[k]);
	fputc(']', out);
}

void output_print(const char *name, const struct tensor *t, FILE *out)
{
	enum { SHOWN = 16 };
	print_head(name, t, out);
	for (int64_t i = 0; i < t->count && i < SHOWN; i++)
		fprintf(out, " %.9g", tensor_at(t, i));
	fputs(t->count > SHOWN ? " ...\n" : "\n", out);
}

/* Elements of a row: the last axis; a scalar is a row of one. */
static int64_t row_length(const struct tensor *t)
{
	return t->rank ? t->dims[t->rank - 1] : 1;
}

/* The largest element of the row that is not used yet, first places first. */
static int64_t largest(const struct tensor *t, int64_t start, int64_t n, const bool *used)
{
	int64_t best = -1;
	for (int64_t i = 0; i < n; i++)
		if (!(used && used[i]) && (best < 0 || tensor_at(t, start + i) > tensor_at(t, start + best)))
			best = i;
	return best;
}

void output_print_top(const char *name, const struct tensor *t, long k, FILE *out)
{
	int64_t n = row_length(t);
	print_head(name, t, out);
	fputc('\n', out);
	for (int64_t row = 0; n > 0 && row < t->count / n; row++) {
		bool *used = xcalloc((size_t)n, sizeof *used);
		fprintf(out, "  %lld:", (long long)row);
		for (long i = 0; i < k && i < n; i++) {
			int64_t best = largest(t, row * n, n, used);
			used[best] = true;
			fprintf(out, " %lld (%.6g)", (long long)best, tensor_at(t, row * n + best));
		}
		fputc('\n', out);
		free(used);
	}
}

static int64_t decide(const struct tensor *t, int64_t row, int64_t n, double middle)
{
	if (n > 1)
		return largest(t, row * n, n, NULL);
	if (elem_is_integer(t->elem) && elem_file_bits(t->elem) >= 32) /* an index: ArgMax, TopK */
		return tensor_int_at(t, row);
	return tensor_at(t, row) > middle;
}

static int64_t count_right(const struct tensor *t, const struct tensor *labels, int64_t rows)
{
	double lo = 0, hi = 0, label_lo = 0, label_hi = 0;
	int64_t n = rows ? t->count / rows : 1, right = 0;
	if (rows) {
		tensor_min_max(t, &lo, &hi);
		tensor_min_max(labels, &label_lo, &label_hi);
	}
	for (int64_t row = 0; row < rows; row++) {
		int64_t label = tensor_int_at(labels, row);
		right += decide(t, row, n, lo < 0 ? 0 : 0.5) == (label_lo < 0 ? label > 0 : label);
	}
	return right;
}

int output_print_accuracy(const struct tensor *t, const char *labels, FILE *out, struct diags *d)
{
	struct tensor *y = npy_read(labels, d);
	if (!y)
		return -1;
	int64_t rows = t->rank ? t->dims[0] : 1;
	int status = 0;
	if (y->count != rows)
		status = diag_error(d, NULL, "'%s' holds %lld labels for %lld samples", labels, (long long)y->count,
				    (long long)rows);
	else if (rows)
		fprintf(out, "accuracy: %.6f (%lld of %lld)\n", (double)count_right(t, y, rows) / (double)rows,
			(long long)count_right(t, y, rows), (long long)rows);
	tensor_unref(y);
	return status;
}

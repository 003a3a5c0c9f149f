/* Reading rows and labels (see dataset.h). */
#include "data/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/npy.h"
#include "util/arena.h"
#include "util/strbuf.h"

enum { MOST_CLASSES = 1 << 20 };

static const char *const row_names[] = { "bits", "x", "data", "images", "inputs", NULL };
static const char *const label_names[] = { "label", "labels", "y", "targets", NULL };

/* ---- files ---- */

struct source {
	const char *path;
	char **names; /* of an archive's arrays */
	size_t count;
};

static const char *first_of(const struct source *s, const char *const *wanted)
{
	for (; *wanted; wanted++)
		for (size_t i = 0; i < s->count; i++)
			if (!strcmp(s->names[i], *wanted))
				return *wanted;
	return NULL;
}

static int no_rows(const struct source *s, struct diags *d)
{
	struct strbuf names = { 0 };
	for (size_t i = 0; i < s->count; i++)
		strbuf_printf(&names, "%s%s", i ? ", " : "", s->names[i]);
	diag_error(d, "qcc encode writes such a file", "holds no array bits, x, data, images or inputs; it has %s",
		   names.length ? names.text : "none at all");
	strbuf_free(&names);
	return -1;
}

/* Eight bits a byte, most significant first. */
static struct tensor *unpacked(const struct tensor *packed, int64_t width, struct diags *d)
{
	int64_t rows = packed->rank == 2 ? packed->dims[0] : -1, dims[] = { rows, width };
	if (rows < 0 || packed->elem != ELEM_UINT8 || width < 1 || packed->dims[1] != (width - 1) / 8 + 1) {
		diag_error(d, NULL, "its packed rows do not have the width that the array width says");
		return NULL;
	}
	struct tensor *t = tensor_try_raw(ELEM_UINT8, 2, dims);
	const uint8_t *from = packed->data;
	uint8_t *to = t ? t->data : NULL;
	for (int64_t r = 0; t && r < rows; r++, from += packed->dims[1])
		for (int64_t i = 0; i < width; i++)
			*to++ = from[i / 8] >> (7 - i % 8) & 1;
	return t;
}

static struct tensor *read_rows(const struct source *s, struct diags *d)
{
	static const char *const width_name[] = { "width", NULL };
	const char *name = first_of(s, row_names);
	if (!name) {
		no_rows(s, d);
		return NULL;
	}
	struct tensor *t = npz_read(s->path, name, d);
	if (!t || !first_of(s, width_name))
		return t;
	struct tensor *width = npz_read(s->path, "width", d), *rows = NULL;
	if (width && width->count == 1)
		rows = unpacked(t, tensor_int_at(width, 0), d);
	else if (width)
		diag_error(d, NULL, "its array width holds more than one number");
	tensor_unref(width);
	tensor_unref(t);
	return rows;
}

static int read_archive(const char *path, struct tensor **rows, struct tensor **labels, struct diags *d)
{
	struct source s = { .path = path };
	if (npz_names(path, &s.names, &s.count, d) < 0)
		return -1;
	const char *label = first_of(&s, label_names);
	*rows = read_rows(&s, d);
	if (*rows && label)
		*labels = npz_read(path, label, d);
	for (size_t i = 0; i < s.count; i++)
		free(s.names[i]);
	free(s.names);
	return *rows && (!label || *labels) ? 0 : -1;
}

static int read_pair(const char *path, struct tensor **rows, struct tensor **labels, struct diags *d)
{
	struct strbuf beside = { 0 };
	*rows = npy_read(path, d);
	strbuf_printf(&beside, "%.*s.label.npy", (int)(strlen(path) - 4), path);
	FILE *f = *rows ? fopen(beside.text, "rb") : NULL;
	if (f) {
		fclose(f);
		*labels = npy_read(beside.text, d);
	}
	strbuf_free(&beside);
	return *rows && (!f || *labels) ? 0 : -1;
}

/* ---- checks ---- */

static int take_rows(struct dataset *s, struct tensor *t, struct diags *d)
{
	if (t->rank < 2 || t->dims[0] < 1)
		return diag_error(d, NULL,
				  t->rank < 2 ? "its rows are no array of two dimensions or more" : "has no rows");
	s->rows = t->dims[0];
	s->row = t->count / s->rows;
	if (s->row < 1)
		return diag_error(d, NULL, "its rows are empty");
	s->x = t->elem == ELEM_UINT8 || t->elem == ELEM_BOOL ? tensor_ref(t) : tensor_try_cast(t, ELEM_FLOAT);
	if (s->x->elem == ELEM_BOOL) {
		struct tensor *bytes = tensor_try_cast(s->x, ELEM_UINT8);
		tensor_unref(s->x);
		s->x = bytes;
	}
	s->binary = true;
	for (int64_t i = 0; i < t->count; i++) {
		float x = dataset_at(s, 0, i);
		if (!isfinite(x))
			return diag_error(d, "clean the data first", "element %lld of row %lld is %s",
					  (long long)(i % s->row), (long long)(i / s->row),
					  isnan(x) ? "NaN" : "infinite");
		s->binary = s->binary && (x == 0 || x == 1);
	}
	return 0;
}

static int take_labels(struct dataset *s, const struct tensor *t, struct diags *d)
{
	if (t->count != s->rows)
		return diag_error(d, NULL, "holds %lld labels for %lld rows", (long long)t->count, (long long)s->rows);
	s->labels = xcalloc((size_t)s->rows, sizeof *s->labels);
	for (int64_t i = 0; i < s->rows; i++) {
		double x = tensor_at(t, i);
		if (!(x >= 0 && x < MOST_CLASSES && x == floor(x)))
			return diag_error(d, "number the classes from 0 on",
					  "the label of row %lld is %g, which is no class", (long long)i, x);
		s->labels[i] = (int32_t)x;
		if (s->labels[i] >= s->classes)
			s->classes = s->labels[i] + 1;
	}
	return 0;
}

int dataset_read(struct dataset *s, const char *path, struct diags *d)
{
	struct tensor *rows = NULL, *labels = NULL;
	const char *context = d->file;
	size_t n = strlen(path);
	*s = (struct dataset){ 0 };
	int status = n > 4 && !strcmp(path + n - 4, ".npy") ? read_pair(path, &rows, &labels, d)
							    : read_archive(path, &rows, &labels, d);
	d->file = path;
	if (status == 0)
		status = take_rows(s, rows, d);
	if (status == 0 && labels)
		status = take_labels(s, labels, d);
	d->file = context;
	tensor_unref(rows);
	tensor_unref(labels);
	return status;
}

void dataset_free(struct dataset *s)
{
	tensor_unref(s->x);
	free(s->labels);
	*s = (struct dataset){ 0 };
}

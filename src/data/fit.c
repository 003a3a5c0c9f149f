/* Finding the encoding that a table asks for (see encode.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/encode.h"
#include "data/number.h"
#include "util/strbuf.h"

enum { MOST_CATEGORIES = 1 << 16 };

/* What the fields of a column were. */
struct seen {
	const char *name;
	bool is_text; /* not every field is a number */
	double smallest_positive, largest;
	struct categories texts;
	bool crowded; /* more texts than a category may have */
};

struct statistics {
	struct arena arena;
	struct seen *columns;
	size_t count;
	uint64_t rows;
};

/* ---- one block ---- */

static void see_text(struct seen *c, struct arena *a, const char *text, size_t length)
{
	if (c->texts.count >= MOST_CATEGORIES)
		c->crowded = true;
	else if (!categories_find(&c->texts, text, length))
		categories_add(&c->texts, a, text, length, 0);
}

/* Texts are remembered from the first field on as long as there are few: a later one may make the column a category. */
static void see_field(struct seen *c, struct arena *a, struct csv_field f)
{
	double x;
	if (!f.length)
		return;
	if (!c->crowded)
		see_text(c, a, f.text, f.length);
	if (c->is_text)
		return;
	if (!number_parse(f.text, f.length, &x)) {
		c->is_text = true;
		return;
	}
	if (x > 0 && (c->smallest_positive == 0 || x < c->smallest_positive))
		c->smallest_positive = x;
	if (x > c->largest)
		c->largest = x;
}

struct fitter {
	const struct table_options *o;
	const int64_t *fields; /* of each column */
	struct statistics *all;
};

static struct statistics *statistics_new(size_t count)
{
	struct statistics *s = xcalloc(1, sizeof *s);
	arena_init(&s->arena);
	s->count = count;
	s->columns = xcalloc(count + 1, sizeof *s->columns);
	return s;
}

static void statistics_free(struct statistics *s)
{
	arena_free(&s->arena);
	free(s->columns);
	free(s);
}

static void *see_block(void *user, struct csv_block *b)
{
	const struct fitter *f = user;
	struct statistics *s = statistics_new(f->all->count);
	struct csv_record record = { 0 };
	for (char *at = b->bytes; csv_next(&record, &at, b->bytes + b->size, f->o->separator); s->rows++)
		for (size_t i = 0; i < s->count; i++)
			if ((size_t)f->fields[i] < record.count)
				see_field(&s->columns[i], &s->arena, record.fields[f->fields[i]]);
	free(record.fields);
	return s;
}

static void merge_column(struct seen *to, struct arena *a, const struct seen *from)
{
	to->is_text = to->is_text || from->is_text;
	to->crowded = to->crowded || from->crowded;
	if (from->largest > to->largest)
		to->largest = from->largest;
	if (from->smallest_positive > 0 &&
	    (to->smallest_positive == 0 || from->smallest_positive < to->smallest_positive))
		to->smallest_positive = from->smallest_positive;
	for (size_t i = 0; i < from->texts.capacity && !to->crowded; i++)
		if (from->texts.slots[i].name)
			see_text(to, a, from->texts.slots[i].name, from->texts.slots[i].length);
}

static int merge_block(void *user, void *result)
{
	struct fitter *f = user;
	struct statistics *part = result;
	f->all->rows += part->rows;
	for (size_t i = 0; i < part->count; i++)
		merge_column(&f->all->columns[i], &f->all->arena, &part->columns[i]);
	statistics_free(part);
	return 0;
}

/* ---- files ---- */

/* The columns are those of the first file; the others may have them in another order. */
static int find_fields(const struct statistics *all, const struct table *t, int64_t *fields, struct diags *d)
{
	for (size_t i = 0; i < all->count; i++) {
		fields[i] = table_field(t, all->columns[i].name);
		if (fields[i] < 0)
			return diag_error(d, "fit files with the same columns", "lacks column '%s' of the first file",
					  all->columns[i].name);
	}
	return 0;
}

static int see_file(struct statistics *all, const char *path, const struct table_options *o, struct diags *d)
{
	struct table t;
	const char *context = d->file;
	if (table_open(&t, path, o, d) < 0)
		return -1;
	d->file = path;
	int64_t *fields = xcalloc(all->count + 1, sizeof *fields);
	struct fitter f = { o, fields, all };
	const struct csv_job job = { see_block, merge_block, &f, o->threads };
	int status = find_fields(all, &t, fields, d);
	if (status == 0)
		status = csv_each_block(&t.csv, &job, d);
	free(fields);
	d->file = context;
	table_close(&t);
	return status;
}

static bool is_ignored(struct csv_field f, char *const *ignored, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (csv_field_is(f, ignored[i]))
			return true;
	return false;
}

static struct statistics *columns_of(const char *path, char *const *ignored, size_t count,
				     const struct table_options *o, struct diags *d)
{
	struct table t;
	if (table_open(&t, path, o, d) < 0)
		return NULL;
	struct statistics *s = statistics_new(t.width);
	s->count = 0;
	for (size_t i = 0; i < t.width; i++)
		if (!is_ignored(t.header.fields[i], ignored, count))
			s->columns[s->count++].name =
				arena_strndup(&s->arena, t.header.fields[i].text, t.header.fields[i].length);
	table_close(&t);
	return s;
}

/* ---- the encoding ---- */

static int take_categories(struct encoding *e, struct categories *to, const struct seen *seen, struct diags *d)
{
	if (seen->crowded)
		return diag_error(d, "--ignore it", "column '%s' has more than %d different texts", seen->name,
				  MOST_CATEGORIES);
	for (size_t i = 0; i < seen->texts.capacity; i++)
		if (seen->texts.slots[i].name)
			categories_add(to, &e->arena, seen->texts.slots[i].name, seen->texts.slots[i].length, 0);
	categories_number(to);
	return 0;
}

static int fit_column(struct encoding *e, struct column *c, const struct seen *seen, struct diags *d)
{
	c->name = arena_strdup(&e->arena, seen->name);
	c->scale = 1;
	if (seen->is_text) {
		c->kind = COLUMN_CATEGORY;
		c->bits = encoding_width((double)seen->texts.count - 1);
		return take_categories(e, &c->codes, seen, d);
	}
	c->kind = COLUMN_INTEGER;
	if (seen->smallest_positive > 0 && 1 / seen->smallest_positive > 1) {
		c->kind = COLUMN_SCALED;
		c->scale = 1 / seen->smallest_positive;
	}
	c->bits = encoding_width(seen->largest * c->scale);
	return 0;
}

static int fit(struct encoding *e, const struct statistics *s, const char *label, struct diags *d)
{
	e->columns = arena_array(&e->arena, struct column, s->count);
	for (size_t i = 0; i < s->count; i++) {
		const struct seen *seen = &s->columns[i];
		if (label && !strcmp(seen->name, label)) {
			e->label = arena_strdup(&e->arena, label);
			if (seen->is_text && take_categories(e, &e->labels, seen, d) < 0)
				return -1;
			continue;
		}
		if (fit_column(e, &e->columns[e->count], seen, d) < 0)
			return -1;
		e->bits += e->columns[e->count++].bits;
	}
	if (!e->count)
		return diag_error(d, NULL, "no column is left to encode");
	if (!s->rows)
		return diag_error(d, NULL, "there are no rows to fit an encoding to");
	return 0;
}

int encode_fit(struct encoding *e, char *const *paths, size_t count, char *const *ignored, size_t n_ignored,
	       const struct table_options *o, struct diags *d)
{
	*e = (struct encoding){ 0 };
	arena_init(&e->arena);
	if (o->no_header)
		return diag_error(d, "give the file a header", "columns without names cannot be fitted");
	struct statistics *s = columns_of(paths[0], ignored, n_ignored, o, d);
	int status = s ? 0 : -1;
	for (size_t i = 0; i < count && status == 0; i++)
		status = see_file(s, paths[i], o, d);
	const char *label = o->label ? o->label : "label";
	if (status == 0)
		status = fit(e, s, label, d);
	if (status == 0 && !e->label && !o->no_label)
		status = diag_error(d, "--label NAME says which column it is; --no-label does without",
				    "'%s' has no label column '%s'", paths[0], label);
	if (s)
		statistics_free(s);
	return status;
}

/* The header of a CSV file (see table.h). */
#include "data/table.h"

#include <stdlib.h>
#include <string.h>

#include "util/arena.h"

bool csv_field_is(struct csv_field f, const char *text)
{
	return strlen(text) == f.length && !memcmp(f.text, text, f.length);
}

int64_t table_field(const struct table *t, const char *name)
{
	for (size_t i = 0; i < t->header.count; i++)
		if (csv_field_is(t->header.fields[i], name))
			return (int64_t)i;
	return -1;
}

static struct csv_field trimmed(struct csv_field f)
{
	while (f.length && *f.text == ' ')
		f.text++, f.length--;
	while (f.length && f.text[f.length - 1] == ' ')
		f.length--;
	return f;
}

static int check_names(const struct table *t, struct diags *d)
{
	const struct csv_record *h = &t->header;
	for (size_t i = 0; i < h->count; i++)
		for (size_t k = 0; k < i; k++)
			if (h->fields[i].length == h->fields[k].length &&
			    !memcmp(h->fields[i].text, h->fields[k].text, h->fields[i].length))
				return diag_error(d, "rename one of them", "fields %zu and %zu are both called '%.*s'",
						  k + 1, i + 1, (int)h->fields[i].length, h->fields[i].text);
	return 0;
}

static int read_header(struct table *t, const struct table_options *o, struct diags *d)
{
	struct csv_block b;
	int got = csv_read(&t->csv, &b, d);
	if (got <= 0)
		return got < 0 ? -1 : diag_error(d, NULL, "is empty; a CSV file with a header is wanted");
	t->header_text = xmalloc(b.size + 1); /* splitting takes quotes off in place */
	memcpy(t->header_text, b.bytes, b.size);
	char *at = t->header_text;
	if (!csv_next(&t->header, &at, t->header_text + b.size, o->separator)) {
		free(b.bytes);
		return diag_error(d, NULL, "has empty lines only; a CSV file with a header is wanted");
	}
	t->width = t->header.count;
	csv_unread(&t->csv, &b, o->no_header ? b.bytes : b.bytes + (at - t->header_text));
	for (size_t i = 0; i < t->width; i++)
		t->header.fields[i] = trimmed(t->header.fields[i]);
	return o->no_header ? 0 : check_names(t, d);
}

int table_open(struct table *t, const char *path, const struct table_options *o, struct diags *d)
{
	const char *context = d->file;
	*t = (struct table){ 0 };
	if (csv_open(&t->csv, path, o->separator, d) < 0)
		return -1;
	d->file = path;
	int status = read_header(t, o, d);
	d->file = context;
	if (status < 0)
		table_close(t);
	return status;
}

void table_close(struct table *t)
{
	csv_close(&t->csv);
	free(t->header.fields);
	free(t->header_text);
	*t = (struct table){ .csv.fd = -1 };
}

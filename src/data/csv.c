/* Reading CSV files by blocks, and splitting records (see csv.h). */
#include "data/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/arena.h"

enum { BLOCK = 1 << 20, LONGEST_RECORD = 1 << 26 };

static int csv_error(const struct csv_file *f, struct diags *d, const char *remedy, const char *why)
{
	const char *context = d->file;
	d->file = f->path;
	diag_error(d, remedy, "%s", why);
	d->file = context;
	return -1;
}

int csv_open(struct csv_file *f, const char *path, char separator, struct diags *d)
{
	*f = (struct csv_file){ .path = path, .separator = separator, .at_start = true };
	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	return f->fd < 0 ? csv_error(f, d, NULL, strerror(errno)) : 0;
}

void csv_close(struct csv_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->carry);
	f->carry = NULL;
	f->fd = -1;
}

/* ---- blocks ---- */

/* Where the last whole record ends; NULL: nowhere. Each quote opens or closes: a doubled one does both. */
static char *last_end(char *bytes, size_t size)
{
	if (!memchr(bytes, '"', size)) {
		char *end = memrchr(bytes, '\n', size);
		return end ? end + 1 : NULL;
	}
	char *last = NULL;
	bool quoted = false;
	for (char *p = bytes; p < bytes + size; p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (*p == '\n' && !quoted)
			last = p + 1;
	}
	return last;
}

static bool ends_in_quotes(const char *bytes, size_t size)
{
	bool quoted = false;
	for (const char *p = bytes; (p = memchr(p, '"', size - (size_t)(p - bytes))); p++)
		quoted = !quoted;
	return quoted;
}

/* Reads until the memory is full or the file ends. */
static int fill(struct csv_file *f, struct csv_block *b, size_t capacity, struct diags *d)
{
	while (b->size < capacity) {
		ssize_t n = read(f->fd, b->bytes + b->size, capacity - b->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return csv_error(f, d, NULL, strerror(errno));
		if (n == 0) {
			f->at_end = true;
			return 0;
		}
		b->size += (size_t)n;
	}
	return 0;
}

static int skip_mark(struct csv_file *f, struct csv_block *b, struct diags *d)
{
	f->at_start = false;
	if (b->size >= 2 && (!memcmp(b->bytes, "\xff\xfe", 2) || !memcmp(b->bytes, "\xfe\xff", 2)))
		return csv_error(f, d, "save it as UTF-8", "is UTF-16 text");
	if (b->size >= 4 && !memcmp(b->bytes, "PK\3\4", 4))
		return csv_error(f, d, "save the table as CSV", "is a zip archive (a spreadsheet?), not CSV text");
	if (b->size >= 3 && !memcmp(b->bytes, "\xef\xbb\xbf", 3))
		memset(b->bytes, '\n', 3); /* empty lines are no records */
	return 0;
}

/* What follows the last whole record waits for the next block. Something may be waiting already: it comes later. */
static void carry_rest(struct csv_file *f, struct csv_block *b, const char *end)
{
	size_t rest = b->size - (size_t)(end - b->bytes);
	if (f->carried + rest > f->carry_size) {
		f->carry_size = f->carried + rest;
		f->carry = xrealloc(f->carry, f->carry_size);
	}
	if (f->carried)
		memmove(f->carry + rest, f->carry, f->carried);
	if (rest)
		memcpy(f->carry, end, rest);
	f->carried += rest;
	b->size -= rest;
}

void csv_unread(struct csv_file *f, struct csv_block *b, const char *from)
{
	carry_rest(f, b, from);
	free(b->bytes);
	b->bytes = NULL;
}

static int read_block(struct csv_file *f, struct csv_block *b, struct diags *d)
{
	size_t capacity = BLOCK + f->carried;
	b->bytes = xmalloc(capacity + 1);
	if (f->carried)
		memcpy(b->bytes, f->carry, f->carried);
	b->size = f->carried;
	f->carried = 0;
	for (;;) {
		if (fill(f, b, capacity, d) < 0 || (f->at_start && skip_mark(f, b, d) < 0))
			return -1;
		if (f->at_end)
			return ends_in_quotes(b->bytes, b->size) ? csv_error(f, d, NULL, "a quote is never closed") : 0;
		const char *end = last_end(b->bytes, b->size);
		if (end) {
			carry_rest(f, b, end);
			return 0;
		}
		if (capacity >= LONGEST_RECORD)
			return csv_error(f, d, "is a quote never closed?", "a record is longer than 64 megabytes");
		capacity *= 2;
		b->bytes = xrealloc(b->bytes, capacity + 1);
	}
}

int csv_read(struct csv_file *f, struct csv_block *b, struct diags *d)
{
	*b = (struct csv_block){ 0 };
	if (f->at_end && !f->carried)
		return 0;
	if (read_block(f, b, d) < 0) {
		free(b->bytes);
		return -1;
	}
	b->bytes[b->size] = '\0';
	if (b->size)
		return 1;
	free(b->bytes);
	return 0;
}

/* ---- records ---- */

static void add_field(struct csv_record *r, const char *text, size_t length)
{
	if (r->count == r->capacity) {
		r->capacity = r->capacity ? 2 * r->capacity : 64;
		r->fields = xrealloc(r->fields, r->capacity * sizeof *r->fields);
	}
	r->fields[r->count++] = (struct csv_field){ text, length };
}

/* A field that starts with a quote at p; returns what follows it. */
static char *quoted_field(struct csv_record *r, char *p, char *end, char separator)
{
	char *to = ++p, *text = p;
	for (; p < end; p++) {
		if (*p == '"') {
			if (p + 1 == end || p[1] != '"')
				break;
			p++;
		}
		*to++ = *p;
	}
	p += p < end;
	for (; p < end && *p != separator && *p != '\n'; p++) {
		r->bad_quote = r->bad_quote || (*p != '\r' && *p != ' ');
	}
	add_field(r, text, (size_t)(to - text));
	return p;
}

/* Moves behind empty lines. */
static char *skip_empty(char *p, const char *end)
{
	while (p < end && (*p == '\n' || (*p == '\r' && p + 1 < end && p[1] == '\n')))
		p++;
	return p;
}

bool csv_next(struct csv_record *r, char **at, char *end, char separator)
{
	char *p = skip_empty(*at, end);
	r->count = 0;
	r->bad_quote = false;
	if (p == end)
		return false;
	for (;; p++) {
		char *start = p;
		if (p < end && *p == '"') {
			p = quoted_field(r, p, end, separator);
		} else {
			while (p < end && *p != separator && *p != '\n')
				p++;
			char *last = p;
			if (last > start && last[-1] == '\r' && (p == end || *p == '\n'))
				last--;
			add_field(r, start, (size_t)(last - start));
		}
		if (p >= end || *p == '\n')
			break;
	}
	*at = p < end ? p + 1 : end;
	return true;
}

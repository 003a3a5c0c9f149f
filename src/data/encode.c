/* Encoding the rows of tables as bits (see encode.h). */
#include "data/encode.h"

#include <stdlib.h>
#include <string.h>

#include "data/number.h"
#include "data/problems.h"
#include "ir/npy.h"
#include "util/arena.h"
#include "util/strbuf.h"
#include "util/vec.h"

enum { CLASSES = 256, NONE = -1 };

/* The encoding of one file's rows. */
struct encoder {
	const struct encoding *e;
	const struct encode_options *o;
	size_t width;	  /* fields of a record */
	int64_t *fields;  /* of each column */
	int64_t label;	  /* field; NONE */
	size_t row_bytes; /* packed */
	const struct npz_out *out;
};

struct run;
static const struct encoder *encoder_of(const struct run *run);

/* What a block became. */
struct encoded {
	uint8_t *bits, *labels; /* of the rows that are kept */
	int64_t kept;
	uint32_t sum; /* checksum of the bits */
	uint64_t rows;
	struct problems problems;
};

/* ---- one record ---- */

struct bit_writer {
	uint8_t *at;
	uint64_t bits;
	int waiting; /* of bits, below 32 */
};

static void write_few(struct bit_writer *w, uint64_t code, int count)
{
	w->bits = w->bits << count | code;
	w->waiting += count;
	if (w->waiting >= 32) {
		w->waiting -= 32;
		uint32_t word = __builtin_bswap32((uint32_t)(w->bits >> w->waiting));
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
		word = __builtin_bswap32(word);
#endif
		memcpy(w->at, &word, 4);
		w->at += 4;
	}
}

static void write_bits(struct bit_writer *w, uint64_t code, int count)
{
	if (count > 32)
		write_few(w, code >> 32, count - 32);
	write_few(w, code & UINT32_MAX, count > 32 ? 32 : count);
}

static void write_rest(struct bit_writer *w)
{
	uint64_t bits = w->bits << (32 - w->waiting);
	for (int left = w->waiting; left > 0; left -= 8, bits <<= 8)
		*w->at++ = (uint8_t)(bits >> 24 & 255);
}

struct row {
	struct problems *problems;
	uint64_t number; /* in its block, from 1 */
};

static uint64_t noted(const struct row *r, size_t column, enum problem_kind kind)
{
	problems_note(r->problems, column, kind, r->number);
	return 0;
}

static uint64_t code_of(const struct column *c, size_t i, struct csv_field f, const struct row *r)
{
	double x;
	if (c->kind == COLUMN_CATEGORY) {
		const struct category *found = categories_find(&c->codes, f.text, f.length);
		return found ? (uint64_t)found->code : noted(r, i, f.length ? PROBLEM_UNKNOWN : PROBLEM_MISSING);
	}
	if (!f.length)
		return noted(r, i, PROBLEM_MISSING);
	if (!number_parse(f.text, f.length, &x))
		return noted(r, i, PROBLEM_MALFORMED);
	return (uint64_t)encoding_code(x, c->scale);
}

static void encode_columns(const struct encoder *x, const struct csv_record *record, const struct row *r, uint8_t *out)
{
	struct bit_writer w = { .at = out };
	for (size_t i = 0; i < x->e->count; i++) {
		const struct column *c = &x->e->columns[i];
		uint64_t code = (size_t)x->fields[i] < record->count ? code_of(c, i, record->fields[x->fields[i]], r)
								     : 0; /* the record was noted */
		if (c->bits < 64 && code >> c->bits) {
			code = ((uint64_t)1 << c->bits) - 1;
			noted(r, i, PROBLEM_TOO_LARGE);
		}
		write_bits(&w, code, c->bits);
	}
	write_rest(&w);
}

/* The class; NONE where it cannot be known. */
static int label_of(const struct encoder *x, const struct csv_record *record, const struct row *r)
{
	size_t column = x->e->count;
	double class;
	if ((size_t)x->label >= record->count || !record->fields[x->label].length) {
		noted(r, column, PROBLEM_MISSING);
		return NONE;
	}
	struct csv_field f = record->fields[x->label];
	if (x->e->labels.count) {
		const struct category *found = categories_find(&x->e->labels, f.text, f.length);
		class = found ? (double)found->code : NONE;
		if (!found)
			noted(r, column, PROBLEM_UNKNOWN);
	} else if (!number_parse(f.text, f.length, &class) || class < 0 || class > 1e9 || class != (int)class) {
		noted(r, column, PROBLEM_MALFORMED);
		return NONE;
	}
	if (class >= CLASSES) {
		noted(r, column, PROBLEM_TOO_LARGE);
		return NONE;
	}
	return (int)class;
}

static void check_record(const struct encoder *x, const struct csv_record *record, const struct row *r)
{
	if (record->count != x->width)
		noted(r, x->e->count + 1, record->count < x->width ? PROBLEM_MISSING : PROBLEM_TOO_LARGE);
	if (record->bad_quote)
		noted(r, x->e->count + 1, PROBLEM_MALFORMED);
}

/* True where the row is kept. */
static bool encode_record(const struct encoder *x, const struct csv_record *record, const struct row *r, uint8_t *bits,
			  uint8_t *label)
{
	uint64_t before = r->problems->total;
	int class = 0;
	check_record(x, record, r);
	encode_columns(x, record, r, bits);
	if (x->label != NONE)
		class = label_of(x, record, r);
	*label = (uint8_t) class;
	return class != NONE && !(x->o->drop_bad && r->problems->total != before);
}

/* ---- a block ---- */

/* Eight bits of a byte, most significant first, as eight bytes. */
static uint64_t spread(uint8_t byte)
{
	uint64_t ones = 0x0101010101010101u, chosen = byte * ones & 0x0102040810204080u;
	uint64_t bytes = (chosen + 0x7f * ones) >> 7 & ones;
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
	bytes = __builtin_bswap64(bytes);
#endif
	return bytes;
}

static void spread_row(const uint8_t *packed, uint8_t *out, int64_t bits)
{
	for (; bits >= 8; bits -= 8, out += 8) {
		uint64_t bytes = spread(*packed++);
		memcpy(out, &bytes, 8);
	}
	if (bits) {
		uint64_t bytes = spread(*packed);
		memcpy(out, &bytes, (size_t)bits);
	}
}

static size_t count_lines(const struct csv_block *b)
{
	size_t n = 1;
	for (const char *p = b->bytes; (p = memchr(p, '\n', b->size - (size_t)(p - b->bytes))); p++)
		n++;
	return n;
}

static void *encode_block(void *user, struct csv_block *b)
{
	const struct encoder *x = encoder_of(user);
	struct encoded *y = xcalloc(1, sizeof *y);
	struct csv_record record = { 0 };
	size_t lines = count_lines(b), bytes = x->o->packed ? x->row_bytes : (size_t)x->e->bits;
	uint8_t *packed = xmalloc(x->row_bytes + 4);
	y->bits = xmalloc(lines * bytes + 1);
	y->labels = xmalloc(lines);
	problems_init(&y->problems, x->e->count);
	for (char *at = b->bytes; csv_next(&record, &at, b->bytes + b->size, x->o->table.separator);) {
		struct row r = { &y->problems, ++y->rows };
		if (!encode_record(x, &record, &r, packed, &y->labels[y->kept]))
			continue;
		uint8_t *to = y->bits + (size_t)y->kept++ * bytes;
		if (x->o->packed)
			memcpy(to, packed, bytes);
		else
			spread_row(packed, to, x->e->bits);
	}
	y->sum = npz_sum(x->out, y->bits, (size_t)y->kept * bytes);
	free(packed);
	free(record.fields);
	return y;
}

/* ---- all of them ---- */

struct run {
	struct encoder encoder;
	struct npz_out *out;
	struct {
		uint8_t *items;
		size_t count, capacity;
	} labels;
	struct problems problems; /* of the current file, as are the rows */
	uint64_t rows;
	struct encode_totals *totals;
	bool stopped;
};

static const struct encoder *encoder_of(const struct run *run)
{
	return &run->encoder;
}

static void keep(struct run *s, const struct encoded *y)
{
	npz_rows_summed(s->out, y->bits, y->kept, y->sum);
	if (y->kept) {
		vec_reserve(&s->labels, s->labels.count + (size_t)y->kept);
		memcpy(s->labels.items + s->labels.count, y->labels, (size_t)y->kept);
	}
	s->labels.count += (size_t)y->kept;
	s->totals->rows += (uint64_t)y->kept;
	s->totals->left_out += y->rows - (uint64_t)y->kept;
}

static int take_block(void *user, void *result)
{
	struct run *s = user;
	struct encoded *y = result;
	problems_add(&s->problems, &y->problems, s->rows);
	s->rows += y->rows;
	s->stopped = s->stopped || (s->encoder.o->strict && s->problems.total);
	if (!s->stopped)
		keep(s, y);
	problems_free(&y->problems);
	free(y->bits);
	free(y->labels);
	free(y);
	return s->stopped ? -1 : 0;
}

/* ---- one file ---- */

static int find_columns(struct encoder *x, const struct table *t, struct diags *d)
{
	struct strbuf missing = { 0 };
	size_t count = 0;
	for (size_t i = 0; i < x->e->count; i++) {
		x->fields[i] = table_field(t, x->e->columns[i].name);
		if (x->fields[i] < 0 && ++count <= 8)
			strbuf_printf(&missing, "%s'%s'", count > 1 ? ", " : "", x->e->columns[i].name);
	}
	if (count == x->e->count)
		diag_error(d,
			   "name the columns in the first line, or say --no-header; --separator says what is between "
			   "fields",
			   "its first line names no column of the encoding");
	else if (count)
		diag_error(d, NULL, "lacks column%s %s%s", count > 1 ? "s" : "", strbuf_text(&missing),
			   count > 8 ? ", ..." : "");
	strbuf_free(&missing);
	return count ? -1 : 0;
}

static int find_label(struct encoder *x, const struct table *t, struct diags *d)
{
	const struct table_options *o = &x->o->table;
	const char *name = o->label ? o->label : x->e->label ? x->e->label : "label";
	x->label = o->no_label ? NONE : table_field(t, name);
	if (x->label == NONE && !o->no_label)
		return diag_error(d, "--label NAME says which column it is; --no-label does without",
				  "has no label column '%s'", name);
	return 0;
}

/* Without a header: the columns in their order, then perhaps the label. */
static int count_fields(struct encoder *x, const struct table *t, struct diags *d)
{
	size_t n = x->e->count;
	bool no_label = x->o->table.no_label;
	for (size_t i = 0; i < n; i++)
		x->fields[i] = (int64_t)i;
	x->label = no_label ? NONE : (int64_t)n;
	if (t->width == n + 1 || (no_label && t->width == n))
		return 0;
	return diag_error(d, "give the file a header", "has %zu fields a row, but the encoding has %zu columns%s",
			  t->width, n, no_label ? "" : ", and the label is one more");
}

static int encode_rows(struct run *s, struct table *t, struct diags *d)
{
	struct encoder *x = &s->encoder;
	const struct csv_job job = { encode_block, take_block, s, x->o->table.threads };
	x->width = t->width;
	s->rows = 0;
	int status = x->o->table.no_header ? count_fields(x, t, d) : find_columns(x, t, d);
	if (status == 0 && !x->o->table.no_header)
		status = find_label(x, t, d);
	if (status < 0)
		return -1;
	problems_init(&s->problems, x->e->count);
	status = csv_each_block(&t->csv, &job, d);
	problems_tell(&s->problems, x->e, s->stopped ? DIAG_ERROR : DIAG_WARNING, d);
	problems_free(&s->problems);
	if (status == 0 && s->rows == 0)
		status = diag_error(d, NULL, "has no rows behind its header");
	return status;
}

static int encode_file(struct run *s, const char *path, struct diags *d)
{
	struct table t;
	const char *context = d->file;
	if (table_open(&t, path, &s->encoder.o->table, d) < 0)
		return -1;
	d->file = path;
	int status = encode_rows(s, &t, d);
	d->file = context;
	table_close(&t);
	return status;
}

/* ---- all files ---- */

static struct tensor *labels_tensor(const struct run *s)
{
	int64_t count = (int64_t)s->labels.count;
	struct tensor *t = tensor_new(ELEM_UINT8, 1, &count);
	if (t && count)
		memcpy(t->data, s->labels.items, s->labels.count);
	return t;
}

/* out.npy gets out.label.npy beside it. */
static int write_label_file(const struct run *s, const char *output, struct diags *d)
{
	struct strbuf path = { 0 };
	struct tensor *labels = labels_tensor(s);
	strbuf_printf(&path, "%.*s.label.npy", (int)(strlen(output) - 4), output);
	int status = npy_write(labels, path.text, d);
	tensor_unref(labels);
	strbuf_free(&path);
	return status;
}

static void add_labels(struct run *s)
{
	struct tensor *labels = labels_tensor(s), *width = tensor_int64(0, NULL, &s->encoder.e->bits);
	if (s->totals->has_labels)
		npz_add(s->out, "label", labels);
	if (s->encoder.o->packed)
		npz_add(s->out, "width", width);
	tensor_unref(labels);
	tensor_unref(width);
}

static int finish(struct run *s, const char *output, bool npy, struct diags *d)
{
	npz_end(s->out);
	if (!npy)
		add_labels(s);
	int status = npz_commit(s->out, d);
	if (status == 0 && npy && s->totals->has_labels)
		status = write_label_file(s, output, d);
	return status;
}

int encode_tables(const struct encoding *e, char *const *paths, size_t count, const char *output,
		  const struct encode_options *o, struct encode_totals *totals, struct diags *d)
{
	bool npy = ends_with(output, ".npy");
	struct run s = { .encoder = { .e = e, .o = o, .row_bytes = ((size_t)e->bits + 7) / 8 }, .totals = totals };
	*totals = (struct encode_totals){ .has_labels = !o->table.no_label };
	if (!npy && !ends_with(output, ".npz"))
		return diag_error(d, "name it NAME.npz or NAME.npy", "no format is known for the output '%s'", output);
	s.out = npy ? npz_create_npy(output, d) : npz_create(output, d);
	if (!s.out)
		return -1;
	s.encoder.out = s.out;
	s.encoder.fields = xcalloc(e->count, sizeof *s.encoder.fields);
	npz_begin(s.out, "bits", ELEM_UINT8, 1, &(int64_t){ o->packed ? (int64_t)s.encoder.row_bytes : e->bits });
	int status = 0;
	for (size_t i = 0; i < count && status == 0; i++)
		status = encode_file(&s, paths[i], d);
	if (status == 0)
		status = finish(&s, output, npy, d);
	else
		npz_abandon(s.out);
	free(s.encoder.fields);
	vec_free(&s.labels);
	return status;
}

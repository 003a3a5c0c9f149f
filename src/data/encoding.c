/* Encodings: their JSON file, and what they consist of (see encoding.h). */
#include "data/encoding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "util/file.h"
#include "util/json_file.h"
#include "util/map.h"

enum { WIDEST = 64 };

/* ---- categories ---- */

static uint64_t hash_of(const char *name, size_t length)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < length; i++)
		h = (h ^ (unsigned char)name[i]) * 0x100000001b3u;
	return h ^ h >> 29;
}

static struct category *slot_of(const struct categories *c, const char *name, size_t length)
{
	for (uint64_t i = hash_of(name, length);; i++) {
		struct category *s = &c->slots[i & (c->capacity - 1)];
		if (!s->name || (s->length == length && !memcmp(s->name, name, length)))
			return s;
	}
}

const struct category *categories_find(const struct categories *c, const char *name, size_t length)
{
	if (!c->count)
		return NULL;
	const struct category *s = slot_of(c, name, length);
	return s->name ? s : NULL;
}

static void grow(struct categories *c, struct arena *a)
{
	struct categories larger = { .capacity = c->capacity ? 2 * c->capacity : 16, .count = c->count };
	larger.slots = arena_array(a, struct category, larger.capacity);
	for (size_t i = 0; i < c->capacity; i++)
		if (c->slots[i].name)
			*slot_of(&larger, c->slots[i].name, c->slots[i].length) = c->slots[i];
	*c = larger;
}

void categories_add(struct categories *c, struct arena *a, const char *name, size_t length, int64_t code)
{
	if (2 * c->count >= c->capacity)
		grow(c, a);
	*slot_of(c, name, length) = (struct category){ arena_strndup(a, name, length), length, code };
	c->count++;
}

static int by_name(const void *a, const void *b)
{
	const struct category *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

static int by_code(const void *a, const void *b)
{
	const struct category *const *x = a, *const *y = b;
	return (*x)->code < (*y)->code ? -1 : (*x)->code > (*y)->code;
}

/* Pointers to the categories in order; malloc'd. */
static struct category **sorted(const struct categories *c, int (*order)(const void *, const void *))
{
	struct category **list = xcalloc(c->count + 1, sizeof *list);
	size_t n = 0;
	for (size_t i = 0; i < c->capacity; i++)
		if (c->slots[i].name)
			list[n++] = &c->slots[i];
	qsort(list, n, sizeof *list, order);
	return list;
}

void categories_number(struct categories *c)
{
	struct category **list = sorted(c, by_name);
	for (size_t i = 0; i < c->count; i++)
		list[i]->code = (int64_t)i;
	free(list);
}

/* ---- codes ---- */

int encoding_width(double max)
{
	double bits = ceil(log2(max + 1));
	return bits < 1 ? 1 : bits > WIDEST ? WIDEST : (int)bits;
}

int64_t encoding_code(double x, double scale)
{
	double y = x * scale;
	y = y < 0 ? 0 : y > 4294967295.0 ? 4294967295.0 : y;
	int64_t whole = (int64_t)y;
	return whole + (y - (double)whole >= 0.5);
}

/* ---- reading ---- */

static const char *const kind_names[] = { "category", "integer", "scaled" };
enum { KINDS = sizeof kind_names / sizeof *kind_names };

static int read_kind(struct column *c, const json_t *j, struct diags *d)
{
	const char *kind = json_string_value(json_object_get(j, "kind"));
	for (int i = 0; i < KINDS; i++)
		if (kind && !strcmp(kind, kind_names[i])) {
			c->kind = (enum column_kind)i;
			return 0;
		}
	return diag_error(d, "use \"category\", \"integer\" or \"scaled\"", "column '%s' has no known \"kind\"",
			  c->name);
}

static int read_codes(struct categories *c, struct arena *a, const char *what, json_t *codes, struct diags *d)
{
	const char *name;
	json_t *code;
	if (!json_object_size(codes))
		return diag_error(d, NULL, "%s has no \"codes\"", what);
	json_object_foreach(codes, name, code)
	{
		if (!json_is_integer(code) || json_integer_value(code) < 0)
			return diag_error(d, NULL, "%s: the code of '%s' is no integer from 0 on", what, name);
		categories_add(c, a, name, strlen(name), json_integer_value(code));
	}
	return 0;
}

static int read_scale(struct column *c, const json_t *j, struct diags *d)
{
	const json_t *scale = json_object_get(j, "scale");
	c->scale = scale ? json_number_value(scale) : 1;
	if (c->kind == COLUMN_SCALED && !scale)
		return diag_error(d, NULL, "column '%s' has no \"scale\"", c->name);
	if (!(c->scale > 0) || !isfinite(c->scale))
		return diag_error(d, NULL, "the \"scale\" of column '%s' is no positive number", c->name);
	return 0;
}

static int read_column(struct encoding *e, struct column *c, json_t *j, struct diags *d)
{
	const char *name = json_string_value(json_object_get(j, "name"));
	const json_t *bits = json_object_get(j, "bits"), *offset = json_object_get(j, "offset");
	if (!name)
		return diag_error(d, NULL, "column %zu has no \"name\"", (size_t)(c - e->columns));
	c->name = arena_strdup(&e->arena, name);
	if (!json_is_integer(bits) || json_integer_value(bits) < 1 || json_integer_value(bits) > WIDEST)
		return diag_error(d, NULL, "the \"bits\" of column '%s' are no integer from 1 to %d", name, WIDEST);
	c->bits = (int)json_integer_value(bits);
	if (offset && json_integer_value(offset) != e->bits)
		return diag_error(d, "leave \"offset\" out, or correct the widths",
				  "column '%s' is said to start at bit %lld, but the columns before it end at %lld",
				  name, (long long)json_integer_value(offset), (long long)e->bits);
	e->bits += c->bits;
	if (read_kind(c, j, d) < 0)
		return -1;
	char *what = arena_printf(&e->arena, "column '%s'", name);
	return c->kind == COLUMN_CATEGORY ? read_codes(&c->codes, &e->arena, what, json_object_get(j, "codes"), d)
					  : read_scale(c, j, d);
}

/* "label": a text is a remark, an object names the column and, where they are texts, the classes. */
static int read_label(struct encoding *e, const json_t *j, struct diags *d)
{
	const json_t *label = json_object_get(j, "label");
	json_t *codes = json_object_get(label, "codes");
	const char *name = json_string_value(json_object_get(label, "name"));
	if (!json_is_object(label))
		return 0;
	if (!name)
		return diag_error(d, NULL, "\"label\" has no \"name\"");
	e->label = arena_strdup(&e->arena, name);
	return codes ? read_codes(&e->labels, &e->arena, "\"label\"", codes, d) : 0;
}

static int read_columns(struct encoding *e, const json_t *j, struct diags *d)
{
	const json_t *columns = json_object_get(j, "columns"), *total = json_object_get(j, "total_bits");
	struct map names = { 0 };
	int status = 0;
	e->count = json_array_size(columns);
	if (!e->count)
		return diag_error(d, "qcc encode --fit makes such a file", "holds no list of \"columns\"");
	e->columns = arena_array(&e->arena, struct column, e->count);
	for (size_t i = 0; i < e->count && status == 0; i++) {
		status = read_column(e, &e->columns[i], json_array_get(columns, i), d);
		if (status == 0 && !map_add(&names, e->columns[i].name, e))
			status = diag_error(d, NULL, "column '%s' is there twice", e->columns[i].name);
	}
	map_free(&names);
	if (status == 0 && total && json_integer_value(total) != e->bits)
		return diag_error(d, NULL, "\"total_bits\" is %lld, but the columns take %lld",
				  (long long)json_integer_value(total), (long long)e->bits);
	return status;
}

int encoding_read(struct encoding *e, const char *path, struct diags *d)
{
	const char *context = d->file;
	*e = (struct encoding){ 0 };
	arena_init(&e->arena);
	d->file = path;
	json_t *j = json_file_read(path, d);
	int status = j ? read_columns(e, j, d) : -1;
	if (status == 0)
		status = read_label(e, j, d);
	json_decref(j);
	d->file = context;
	return status;
}

void encoding_free(struct encoding *e)
{
	arena_free(&e->arena);
}

/* ---- writing ---- */

static json_t *codes_json(const struct categories *c)
{
	struct category **list = sorted(c, by_code);
	json_t *codes = json_object();
	for (size_t i = 0; i < c->count; i++)
		json_object_set_new(codes, list[i]->name, json_integer(list[i]->code));
	free(list);
	return codes;
}

static json_t *column_json(const struct column *c, int64_t offset)
{
	json_t *j = json_object();
	json_object_set_new(j, "name", json_string(c->name));
	json_object_set_new(j, "offset", json_integer(offset));
	json_object_set_new(j, "bits", json_integer(c->bits));
	json_object_set_new(j, "kind", json_string(kind_names[c->kind]));
	if (c->kind == COLUMN_CATEGORY)
		json_object_set_new(j, "codes", codes_json(&c->codes));
	else
		json_object_set_new(j, "scale", json_real(c->scale));
	return j;
}

static json_t *encoding_json(const struct encoding *e)
{
	json_t *j = json_object(), *columns = json_array();
	int64_t offset = 0;
	json_object_set_new(j, "format", json_string("table_encoding"));
	json_object_set_new(j, "version", json_integer(1));
	json_object_set_new(j, "total_bits", json_integer(e->bits));
	if (e->label) {
		json_t *label = json_pack("{s:s}", "name", e->label);
		if (e->labels.count)
			json_object_set_new(label, "codes", codes_json(&e->labels));
		json_object_set_new(j, "label", label);
	}
	for (size_t i = 0; i < e->count; offset += e->columns[i++].bits)
		json_array_append_new(columns, column_json(&e->columns[i], offset));
	json_object_set_new(j, "columns", columns);
	return j;
}

int encoding_write(const struct encoding *e, const char *path, struct diags *d)
{
	json_t *j = encoding_json(e);
	char *text = json_dumps(j, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
	int status = text ? file_write(path, text, strlen(text), d)
			  : diag_error(d, "save the table as UTF-8", "a name is no UTF-8 text");
	free(text);
	json_decref(j);
	return status;
}

/* Reading TensorProto: elements in the file are used where they lie if they are aligned there, and copied
 * otherwise; typed fields are decoded, sub-byte types take one byte for each element, external files mapped once. */
#include <errno.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ir/onnx.h"
#include "util/file.h"
#include "util/strbuf.h"

#define DATA_FIELDS                                                                                 \
	(WIRE_SET(TENSOR_FLOAT_DATA) | WIRE_SET(TENSOR_INT32_DATA) | WIRE_SET(TENSOR_STRING_DATA) | \
	 WIRE_SET(TENSOR_INT64_DATA) | WIRE_SET(TENSOR_RAW_DATA) | WIRE_SET(TENSOR_DOUBLE_DATA) |   \
	 WIRE_SET(TENSOR_UINT64_DATA))

/* Smaller tensors are copied, so that the pages they lie in need not stay in memory. */
enum { WORTH_SHARING = 4096 };

struct external_file {
	char *location;
	struct blob *blob;
	struct external_file *next;
};

/* One tensor on its way in. */
struct source {
	struct onnx_reader *reader;
	struct span in;
	const Onnx__TensorProto *rest;
	enum elem_type elem;
	int rank;
	const int64_t *dims;
	int64_t count;
	size_t file_bytes; /* of the elements, packed as in a file */
};

static void *tensor_error(const struct source *s, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void *tensor_error(const struct source *s, const char *remedy, const char *format, ...)
{
	struct strbuf cause = { 0 };
	va_list args;
	va_start(args, format);
	strbuf_vprintf(&cause, format, args);
	va_end(args);
	const char *name = s->rest && s->rest->name ? s->rest->name : "";
	if (s->reader->node)
		diag_node_error(s->reader->diags, s->reader->node, remedy, "attribute '%s': %s", s->reader->attr,
				cause.text);
	else
		diag_error(s->reader->diags, remedy, "tensor '%s' %s", name, cause.text);
	strbuf_free(&cause);
	return NULL;
}

/* ---- elements as bytes ---- */

static void unpack_bits(uint8_t *to, const uint8_t *from, int64_t count, enum elem_type elem)
{
	unsigned bits = elem_file_bits(elem), mask = (1u << bits) - 1;
	unsigned sign = elem_is_signed(elem) && elem_is_integer(elem) ? 1u << (bits - 1) : 0;
	for (int64_t i = 0; i < count; i++) {
		uint64_t at = (uint64_t)i * bits;
		unsigned x = (unsigned)from[at / 8] >> (at % 8) & mask;
		to[i] = (uint8_t)((x ^ sign) - sign);
	}
}

void onnx_pack_bits(uint8_t *to, const uint8_t *elements, int64_t count, unsigned bits)
{
	memset(to, 0, ((uint64_t)count * bits + 7) / 8);
	for (int64_t i = 0; i < count; i++) {
		uint64_t at = (uint64_t)i * bits;
		to[at / 8] |= (uint8_t)((elements[i] & ((1u << bits) - 1)) << (at % 8));
	}
}

static size_t alignment(enum elem_type elem)
{
	size_t size = elem_size(elem);
	return size < alignof(double) ? size : alignof(double);
}

/* The elements lie in `bytes`, of the right length; blob keeps them alive (NULL: nothing does). */
static struct tensor *from_bytes(const struct source *s, const uint8_t *bytes, struct blob *blob)
{
	bool packed = elem_file_bits(s->elem) < 8;
	bool aligned = (uintptr_t)bytes % alignment(s->elem) == 0;
	bool as_is = NATIVE_IS_LITTLE || elem_size(s->elem) == 1;
	if (blob && aligned && as_is && !packed && s->file_bytes >= WORTH_SHARING)
		return tensor_over(blob, (void *)bytes, s->elem, s->rank, s->dims);
	struct tensor *t = tensor_try_raw(s->elem, s->rank, s->dims);
	if (!t)
		return tensor_error(s, NULL, "does not fit into memory");
	if (packed)
		unpack_bits(t->data, bytes, s->count, s->elem);
	else if (s->file_bytes)
		memcpy(t->data, bytes, s->file_bytes);
	if (!as_is && !packed)
		elements_swap(s->elem, t->data, s->file_bytes);
	return t;
}

static struct tensor *read_raw(const struct source *s, struct span raw)
{
	if (span_size(raw) != s->file_bytes)
		return tensor_error(s, "export the model again", "has %zu bytes of data where its shape needs %zu",
				    span_size(raw), s->file_bytes);
	return from_bytes(s, raw.at, s->reader->file);
}

/* ---- typed fields ---- */

/* Which field holds the elements of a type, how many entries an element takes there, and the size of an
 * entry on the wire (0: a varint). */
struct typed_field {
	uint32_t number;
	size_t wire_size;
	size_t size; /* of an entry in memory */
};

static struct typed_field typed_field(enum elem_type elem)
{
	switch (elem) {
	case ELEM_FLOAT:
	case ELEM_COMPLEX64: return (struct typed_field){ TENSOR_FLOAT_DATA, 4, 4 };
	case ELEM_DOUBLE:
	case ELEM_COMPLEX128: return (struct typed_field){ TENSOR_DOUBLE_DATA, 8, 8 };
	case ELEM_INT64: return (struct typed_field){ TENSOR_INT64_DATA, 0, 8 };
	case ELEM_UINT64: return (struct typed_field){ TENSOR_UINT64_DATA, 0, 8 };
	case ELEM_UINT32: return (struct typed_field){ TENSOR_UINT64_DATA, 0, 4 };
	default: return (struct typed_field){ TENSOR_INT32_DATA, 0, elem_size(elem) };
	}
}

/* Entries in one occurrence of the field; packed or not. */
static size_t entries(const struct wire_field *f, size_t wire_size)
{
	if (f->type != WIRE_BYTES)
		return 1;
	if (wire_size)
		return span_size(f->bytes) / wire_size;
	size_t count = 0;
	for (const uint8_t *p = f->bytes.at; p < f->bytes.end; p++)
		count += !(*p & 0x80);
	return count;
}

static size_t count_entries(struct span in, struct typed_field typed)
{
	struct wire_field f;
	size_t count = 0;
	while (wire_next(&in, &f))
		if (f.number == typed.number)
			count += entries(&f, typed.wire_size);
	return count;
}

/* Stores the field's entries one after another as a file has them, least significant byte first; `to` has room for as many as count_entries said. */
static void decode_entries(uint8_t *to, struct span in, struct typed_field typed)
{
	struct wire_field f;
	while (wire_next(&in, &f)) {
		if (f.number != typed.number)
			continue;
		size_t n = entries(&f, typed.wire_size);
		for (size_t i = 0; i < n; i++, to += typed.size) {
			uint64_t value = f.value;
			if (f.type == WIRE_BYTES && typed.wire_size) {
				memcpy(to, f.bytes.at + i * typed.wire_size, typed.size);
				continue;
			}
			if (f.type == WIRE_BYTES && !wire_varint(&f.bytes, &value))
				value = 0;
			for (size_t k = 0; k < typed.size; k++)
				to[k] = (uint8_t)(value >> 8 * k);
		}
	}
}

static struct tensor *read_typed(const struct source *s)
{
	struct typed_field typed = typed_field(s->elem);
	size_t found = count_entries(s->in, typed), needed = s->file_bytes / typed.size;
	if (found != needed)
		return tensor_error(s, "export the model again", "has %zu elements of data where its shape needs %zu",
				    found, needed);
	uint8_t *bytes = xmalloc(needed * typed.size);
	decode_entries(bytes, s->in, typed);
	struct tensor *t = from_bytes(s, bytes, NULL);
	free(bytes);
	return t;
}

static struct tensor *read_strings(const struct source *s)
{
	struct wire_field f;
	int64_t found = 0;
	for (struct span in = s->in; wire_next(&in, &f);)
		found += f.number == TENSOR_STRING_DATA && f.type == WIRE_BYTES;
	if (found != s->count)
		return tensor_error(s, "export the model again", "has %lld strings where its shape needs %lld",
				    (long long)found, (long long)s->count);
	struct tensor *t = tensor_try_new(ELEM_STRING, s->rank, s->dims);
	if (!t)
		return tensor_error(s, NULL, "does not fit into memory");
	char **to = t->data;
	for (struct span in = s->in; wire_next(&in, &f);) {
		if (f.number != TENSOR_STRING_DATA || f.type != WIRE_BYTES)
			continue;
		size_t size = span_size(f.bytes);
		char *copy = memcpy(xcalloc(size + 1, 1), f.bytes.at, size);
		*to++ = copy;
		if (strlen(copy) == size)
			continue;
		tensor_unref(t);
		return tensor_error(s, NULL, "has a string with a zero byte, which qcc cannot hold");
	}
	return t;
}

/* ---- external data ---- */

static const char *external_key(const struct source *s, const char *key)
{
	for (size_t i = 0; i < s->rest->n_external_data; i++) {
		const Onnx__StringStringEntryProto *e = s->rest->external_data[i];
		if (e->key && strcmp(e->key, key) == 0)
			return e->value ? e->value : "";
	}
	return NULL;
}

/* An offset or a length; false where it is no number. */
static bool external_number(const struct source *s, const char *key, uint64_t *out)
{
	const char *text = external_key(s, key);
	if (!text)
		return true;
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	*out = value;
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

static struct blob *map_external(struct onnx_reader *r, const char *location)
{
	for (struct external_file *e = r->externals; e; e = e->next)
		if (strcmp(e->location, location) == 0)
			return e->blob;
	const char *slash = r->path ? strrchr(r->path, '/') : NULL;
	struct strbuf folder = { 0 };
	if (slash)
		strbuf_add(&folder, r->path, (size_t)(slash - r->path) + (slash == r->path));
	struct blob *blob = file_map_below(strbuf_text(&folder), location, r->diags);
	strbuf_free(&folder);
	if (!blob)
		return NULL;
	struct external_file *e = xcalloc(1, sizeof *e);
	*e = (struct external_file){ xstrdup(location), blob, r->externals };
	r->externals = e;
	return blob;
}

void onnx_close_externals(struct onnx_reader *r)
{
	while (r->externals) {
		struct external_file *e = r->externals;
		r->externals = e->next;
		blob_unref(e->blob);
		free(e->location);
		free(e);
	}
}

static struct tensor *read_external(const struct source *s)
{
	const char *location = external_key(s, "location");
	uint64_t offset = 0, length = s->file_bytes;
	if (!location)
		return tensor_error(s, NULL, "has external data without a location");
	if (!file_may_be_named(location, s->reader->diags))
		return tensor_error(s,
				    "put the data beside the model and export it again, or allow it with --allow-paths",
				    "has external data in '%s', outside the model's folder", location);
	if (s->elem == ELEM_STRING || !external_number(s, "offset", &offset) || !external_number(s, "length", &length))
		return tensor_error(s, NULL, "has external data of an unsupported kind");
	if (length != s->file_bytes)
		return tensor_error(s, NULL, "has %llu bytes of external data where its shape needs %zu",
				    (unsigned long long)length, s->file_bytes);
	struct blob *blob = map_external(s->reader, location);
	if (!blob)
		return NULL;
	if (offset > blob->size || length > blob->size - offset)
		return tensor_error(s, "copy the data file again", "ends beyond its external data '%s'", location);
	return from_bytes(s, (const uint8_t *)blob->base + offset, blob);
}

/* ---- tensors ---- */

/* Type and shape from the small part of the message; false with a diagnostic. */
static bool read_shape(struct source *s)
{
	int32_t type = s->rest->data_type;
	if (type <= 0 || type >= ELEM_COUNT)
		return tensor_error(s, NULL, "has element type %d, which qcc does not know", type);
	if (s->rest->n_dims > MAX_RANK)
		return tensor_error(s, NULL, "has %zu dimensions; qcc takes at most %d", s->rest->n_dims, MAX_RANK);
	s->elem = (enum elem_type)type;
	s->rank = (int)s->rest->n_dims;
	s->dims = s->rest->dims;
	s->count = shape_count(s->rank, s->dims, s->elem);
	if (s->count < 0 || !shape_fits(s->rank, s->dims))
		return tensor_error(s, NULL, "has a negative dimension or an absurd size");
	unsigned bits = elem_file_bits(s->elem);
	s->file_bytes = (size_t)s->count / 8 * bits + ((size_t)s->count % 8 * bits + 7) / 8;
	return true;
}

struct tensor *onnx_read_tensor(struct onnx_reader *r, struct span in, Onnx__TensorProto **rest)
{
	struct source s = { .reader = r, .in = in };
	*rest = onnx_unpack(r, &onnx__tensor_proto__descriptor, in, DATA_FIELDS, "a tensor");
	s.rest = *rest;
	if (!s.rest || !read_shape(&s))
		return NULL;
	if (s.rest->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
		return read_external(&s);
	if (s.elem == ELEM_STRING)
		return read_strings(&s);
	struct span raw = wire_bytes(in, TENSOR_RAW_DATA);
	return raw.at && (span_size(raw) || !s.count) ? read_raw(&s, raw) : read_typed(&s);
}

struct tensor *tensor_read_pb(const char *path, struct diags *d)
{
	const char *context = d->file;
	struct tensor *t = NULL;
	Onnx__TensorProto *rest = NULL;
	struct blob *blob = file_map(path, d);
	if (!blob)
		return NULL;
	d->file = path;
	struct onnx_reader r = { .diags = d, .file = blob, .path = path };
	t = onnx_read_tensor(&r, span_of(blob->base, blob->size), &rest);
	if (rest)
		onnx__tensor_proto__free_unpacked(rest, NULL);
	onnx_close_externals(&r);
	wire_buffer_free(&r.rest);
	blob_unref(blob);
	d->file = context;
	return t;
}

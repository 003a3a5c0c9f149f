/* NumPy's .npy format, versions 1 to 3: a magic number, the length of a header, the header (a Python dict
 * literal with descr, fortran_order and shape), the elements. Source: numpy.lib.format's documentation. */
#include "ir/npy.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "util/arena.h"
#include "util/file.h"
#include "util/strbuf.h"

struct npy_header {
	char descr[16]; /* "<f4" */
	enum elem_type elem;
	bool fortran, swapped;
	int rank;
	int64_t dims[MAX_RANK];
	size_t data; /* where the elements start */
};

/* The header while it is read; why says what is wrong with it once something is. */
struct reader {
	const char *p, *end;
	const char *why;
};

static const struct {
	char code[3];
	enum elem_type elem;
} npy_types[] = {
	{ "b1", ELEM_BOOL },   { "i1", ELEM_INT8 },    { "i2", ELEM_INT16 },  { "i4", ELEM_INT32 },
	{ "i8", ELEM_INT64 },  { "u1", ELEM_UINT8 },   { "u2", ELEM_UINT16 }, { "u4", ELEM_UINT32 },
	{ "u8", ELEM_UINT64 }, { "f2", ELEM_FLOAT16 }, { "f4", ELEM_FLOAT },  { "f8", ELEM_DOUBLE },
};
enum { NPY_TYPES = sizeof npy_types / sizeof *npy_types };

/* ---- the header ---- */

static bool fail(struct reader *r, const char *why)
{
	if (!r->why)
		r->why = why;
	return false;
}

static bool take(struct reader *r, char c)
{
	while (r->p < r->end && isspace((unsigned char)*r->p))
		r->p++;
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

/* A quoted string without escapes. */
static bool take_string(struct reader *r, char *out, size_t size)
{
	char quote = take(r, '\'') ? '\'' : take(r, '"') ? '"' : '\0';
	if (!quote)
		return fail(r, "its header is malformed");
	const char *close = memchr(r->p, quote, (size_t)(r->end - r->p));
	if (!close)
		return fail(r, "its header is malformed");
	size_t n = (size_t)(close - r->p);
	if (n >= size)
		return fail(r, "its header has an unknown entry");
	memcpy(out, r->p, n);
	out[n] = '\0';
	r->p = close + 1;
	return true;
}

static bool take_word(struct reader *r, const char *word)
{
	size_t n = strlen(word);
	take(r, ' ');
	if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0)
		return false;
	r->p += n;
	return true;
}

static bool take_dim(struct reader *r, int64_t *dim)
{
	take(r, ' ');
	if (r->p == r->end || !isdigit((unsigned char)*r->p))
		return fail(r, "its shape is malformed");
	for (*dim = 0; r->p < r->end && isdigit((unsigned char)*r->p); r->p++)
		if (__builtin_mul_overflow(*dim, 10, dim) || __builtin_add_overflow(*dim, *r->p - '0', dim))
			return fail(r, "its shape is absurdly large");
	take(r, 'L'); /* written by Python 2 */
	return true;
}

static bool take_shape(struct reader *r, struct npy_header *h)
{
	if (!take(r, '('))
		return fail(r, "its shape is malformed");
	for (h->rank = 0; !take(r, ')'); h->rank++) {
		if (h->rank == MAX_RANK)
			return fail(r, "it has more than 16 dimensions");
		if (!take_dim(r, &h->dims[h->rank]))
			return false;
		if (!take(r, ',') && !(r->p < r->end && *r->p == ')'))
			return fail(r, "its shape is malformed");
	}
	return true;
}

static bool parse_descr(struct reader *r, struct npy_header *h)
{
	if (take(r, '['))
		return fail(r, "it holds records (a structured dtype); save one field of them");
	if (!take_string(r, h->descr, sizeof h->descr))
		return false;
	h->swapped = strchr("<>", h->descr[0]) && h->descr[0] != (NATIVE_IS_LITTLE ? '<' : '>');
	const char *code = h->descr + (strchr("<>|=", h->descr[0]) != NULL);
	for (int i = 0; i < NPY_TYPES; i++)
		if (!strcmp(npy_types[i].code, code))
			h->elem = npy_types[i].elem;
	return true;
}

static bool parse_entry(struct reader *r, struct npy_header *h, unsigned *seen)
{
	char key[16];
	if (!take_string(r, key, sizeof key) || !take(r, ':'))
		return fail(r, "its header is malformed");
	if (!strcmp(key, "descr")) {
		*seen |= 1;
		return parse_descr(r, h);
	}
	if (!strcmp(key, "fortran_order")) {
		*seen |= 2;
		h->fortran = take_word(r, "True");
		return h->fortran || take_word(r, "False") || fail(r, "its header is malformed");
	}
	if (strcmp(key, "shape") != 0)
		return fail(r, "its header has an unknown entry");
	*seen |= 4;
	return take_shape(r, h);
}

static bool parse_dict(struct reader *r, struct npy_header *h)
{
	unsigned seen = 0;
	if (!take(r, '{'))
		return fail(r, "its header is malformed");
	while (!take(r, '}')) {
		if (!parse_entry(r, h, &seen))
			return false;
		if (!take(r, ',') && !(r->p < r->end && *r->p == '}'))
			return fail(r, "its header is malformed");
	}
	return seen == 7 || fail(r, "its header lacks descr, fortran_order or shape");
}

static uint32_t little_endian(const unsigned char *p, int bytes)
{
	uint32_t x = 0;
	for (int i = bytes - 1; i >= 0; i--)
		x = x << 8 | p[i];
	return x;
}

/* NULL, or why the file cannot be read. */
static const char *parse_header(const struct blob *b, struct npy_header *h)
{
	static const unsigned char magic[] = { 0x93, 'N', 'U', 'M', 'P', 'Y' };
	const unsigned char *bytes = b->base;
	if (b->size == 0)
		return "is empty; a .npy file is wanted";
	if (b->size < 10 || memcmp(bytes, magic, sizeof magic) != 0)
		return "is no .npy file";
	if (bytes[6] < 1 || bytes[6] > 3)
		return "is a .npy file of an unknown version";
	size_t start = bytes[6] == 1 ? 10 : 12;
	if (b->size < start)
		return "is truncated";
	size_t length = little_endian(bytes + 8, bytes[6] == 1 ? 2 : 4);
	if (length > b->size - start)
		return "is truncated";
	struct reader r = { (const char *)bytes + start, (const char *)bytes + start + length, NULL };
	h->data = start + length;
	parse_dict(&r, h);
	return r.why;
}

/* ---- the elements ---- */

/* Copies elements stored with the first index running fastest into row-major order. */
static void from_fortran(struct tensor *t, const char *from)
{
	size_t size = elem_size(t->elem);
	int64_t index[MAX_RANK] = { 0 }, stride[MAX_RANK], offset = 0;
	if (t->count == 0) /* strides could overflow then */
		return;
	for (int k = 0; k < t->rank; k++)
		stride[k] = k ? stride[k - 1] * t->dims[k - 1] : 1;
	for (int64_t i = 0; i < t->count; i++) {
		memcpy((char *)t->data + (size_t)i * size, from + (size_t)offset * size, size);
		for (int k = t->rank - 1; k >= 0; k--) {
			offset += stride[k];
			if (++index[k] < t->dims[k])
				break;
			offset -= stride[k] * t->dims[k];
			index[k] = 0;
		}
	}
}

static struct tensor *read_elements(struct blob *b, const struct npy_header *h)
{
	char *data = (char *)b->base + h->data;
	bool fortran = h->fortran && h->rank > 1;
	if (!fortran && !h->swapped && (uintptr_t)data % elem_size(h->elem) == 0)
		return tensor_over(b, data, h->elem, h->rank, h->dims);
	struct tensor *t = tensor_try_raw(h->elem, h->rank, h->dims);
	if (!t)
		return NULL;
	if (fortran)
		from_fortran(t, data);
	else if (t->count)
		memcpy(t->data, data, (size_t)t->count * elem_size(h->elem));
	if (h->swapped)
		elements_swap(h->elem, t->data, (size_t)t->count * elem_size(h->elem));
	return t;
}

static struct tensor *decode(struct blob *b, struct diags *d)
{
	struct npy_header h = { .elem = ELEM_UNDEFINED };
	const char *why = parse_header(b, &h);
	if (why) {
		diag_error(d, NULL, "%s", why);
		return NULL;
	}
	if (h.elem == ELEM_UNDEFINED) {
		diag_error(d, "convert it with numpy's astype", "has elements of type '%s', which qcc does not read",
			   h.descr);
		return NULL;
	}
	int64_t count = shape_count(h.rank, h.dims, h.elem);
	if (count < 0) {
		diag_error(d, NULL, "its shape is absurdly large");
		return NULL;
	}
	size_t bytes = (size_t)count * elem_size(h.elem);
	if (b->size - h.data < bytes) {
		diag_error(d, NULL, "is truncated: %zu bytes of elements where %zu are needed", b->size - h.data,
			   bytes);
		return NULL;
	}
	struct tensor *t = read_elements(b, &h);
	if (!t)
		diag_error(d, NULL, "is too large for this machine's memory");
	return t;
}

struct tensor *npy_decode(struct blob *b, const char *name, struct diags *d)
{
	const char *context = d->file;
	d->file = name;
	struct tensor *t = decode(b, d);
	d->file = context;
	return t;
}

struct tensor *npy_read(const char *path, struct diags *d)
{
	struct blob *b = file_map(path, d);
	if (!b)
		return NULL;
	struct tensor *t = npy_decode(b, path, d);
	blob_unref(b);
	return t;
}

/* ---- writing ---- */

/* numpy's code for a storage type; NULL where it has none. Sub-byte integers take one byte each. */
static const char *code_of(enum elem_type elem)
{
	switch (elem) {
	case ELEM_INT4:
	case ELEM_INT2: return "i1";
	case ELEM_UINT4:
	case ELEM_UINT2: return "u1";
	case ELEM_COMPLEX64: return "c8";
	case ELEM_COMPLEX128: return "c16";
	default:
		for (int i = 0; i < NPY_TYPES; i++)
			if (npy_types[i].elem == elem)
				return npy_types[i].code;
		return NULL;
	}
}

int npy_header(struct strbuf *h, enum elem_type elem, int rank, const int64_t *dims, size_t at_least)
{
	const char *code = code_of(elem);
	if (!code)
		return -1;
	size_t start = h->length;
	strbuf_add(h, "\x93NUMPY\1\0\0\0", 10);
	strbuf_printf(h, "{'descr': '%c%s', 'fortran_order': False, 'shape': (", elem_size(elem) > 1 ? '<' : '|', code);
	for (int k = 0; k < rank; k++)
		strbuf_printf(h, "%s%lld", k ? ", " : "", (long long)dims[k]);
	strbuf_puts(h, rank == 1 ? ",), }" : "), }");
	while ((h->length - start + 1) % 64 || h->length - start + 1 < at_least)
		strbuf_char(h, ' ');
	strbuf_char(h, '\n');
	size_t length = h->length - start - 10;
	h->text[start + 8] = (char)(length & 255);
	h->text[start + 9] = (char)(length >> 8);
	return 0;
}

static int write_tensor(const struct tensor *t, const char *path, struct diags *d)
{
	struct file_out f;
	struct strbuf header = { 0 };
	if (file_create(&f, path, d) < 0)
		return -1;
	npy_header(&header, (enum elem_type)t->elem, t->rank, t->dims, 0);
	fwrite(header.text, 1, header.length, f.stream);
	strbuf_free(&header);
	void *copy;
	size_t bytes = (size_t)t->count * elem_size(t->elem);
	const void *elements = elements_for_file((enum elem_type)t->elem, t->data, bytes, &copy);
	if (bytes)
		fwrite(elements, 1, bytes, f.stream);
	free(copy);
	return file_commit(&f, d);
}

int npy_write(const struct tensor *t, const char *path, struct diags *d)
{
	if (code_of(t->elem))
		return write_tensor(t, path, d);
	if (!elem_is_float(t->elem))
		return diag_error(d, NULL, "cannot write '%s': numpy has no type for elements of type %s", path,
				  elem_name(t->elem));
	struct tensor *wide = tensor_try_cast(t, ELEM_FLOAT); /* bfloat16 and the float8 kinds */
	int status = write_tensor(wide, path, d);
	tensor_unref(wide);
	return status;
}

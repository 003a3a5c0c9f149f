/* Tensors: allocation, sharing, and element access for every storage type. */
#include "ir/tensor.h"

#include <math.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "ir/float_formats.h"
#include "util/arena.h"
#include "util/integers.h"
#include "util/strbuf.h"

static const struct {
	const char *name;
	uint8_t size; /* bytes in memory */
	uint8_t file_bits;
	bool is_float, is_integer, is_signed;
} elem_info[ELEM_COUNT] = {
	[ELEM_UNDEFINED] = { "undefined", 0, 0, false, false, false },
	[ELEM_FLOAT] = { "float", 4, 32, true, false, true },
	[ELEM_UINT8] = { "uint8", 1, 8, false, true, false },
	[ELEM_INT8] = { "int8", 1, 8, false, true, true },
	[ELEM_UINT16] = { "uint16", 2, 16, false, true, false },
	[ELEM_INT16] = { "int16", 2, 16, false, true, true },
	[ELEM_INT32] = { "int32", 4, 32, false, true, true },
	[ELEM_INT64] = { "int64", 8, 64, false, true, true },
	[ELEM_STRING] = { "string", sizeof(char *), 0, false, false, false },
	[ELEM_BOOL] = { "bool", 1, 8, false, false, false },
	[ELEM_FLOAT16] = { "float16", 2, 16, true, false, true },
	[ELEM_DOUBLE] = { "double", 8, 64, true, false, true },
	[ELEM_UINT32] = { "uint32", 4, 32, false, true, false },
	[ELEM_UINT64] = { "uint64", 8, 64, false, true, false },
	[ELEM_COMPLEX64] = { "complex64", 8, 64, false, false, true },
	[ELEM_COMPLEX128] = { "complex128", 16, 128, false, false, true },
	[ELEM_BFLOAT16] = { "bfloat16", 2, 16, true, false, true },
	[ELEM_FLOAT8E4M3FN] = { "float8e4m3fn", 1, 8, true, false, true },
	[ELEM_FLOAT8E4M3FNUZ] = { "float8e4m3fnuz", 1, 8, true, false, true },
	[ELEM_FLOAT8E5M2] = { "float8e5m2", 1, 8, true, false, true },
	[ELEM_FLOAT8E5M2FNUZ] = { "float8e5m2fnuz", 1, 8, true, false, true },
	[ELEM_UINT4] = { "uint4", 1, 4, false, true, false },
	[ELEM_INT4] = { "int4", 1, 4, false, true, true },
	[ELEM_FLOAT4E2M1] = { "float4e2m1", 1, 4, true, false, true },
	[ELEM_FLOAT8E8M0] = { "float8e8m0", 1, 8, true, false, false },
	[ELEM_UINT2] = { "uint2", 1, 2, false, true, false },
	[ELEM_INT2] = { "int2", 1, 2, false, true, true },
};

const char *elem_name(enum elem_type elem)
{
	return elem < ELEM_COUNT ? elem_info[elem].name : "undefined";
}

enum elem_type elem_parse(const char *name)
{
	for (int e = 1; e < ELEM_COUNT; e++)
		if (strcmp(name, elem_info[e].name) == 0)
			return (enum elem_type)e;
	return ELEM_UNDEFINED;
}

size_t elem_size(enum elem_type elem)
{
	return elem < ELEM_COUNT ? elem_info[elem].size : 0;
}

unsigned elem_file_bits(enum elem_type elem)
{
	return elem < ELEM_COUNT ? elem_info[elem].file_bits : 0;
}

void elements_swap(enum elem_type elem, void *elements, size_t bytes)
{
	size_t parts = elem == ELEM_COMPLEX64 || elem == ELEM_COMPLEX128 ? 2 : 1, size = elem_size(elem) / parts;
	unsigned char *p = elements;
	for (size_t at = 0; size > 1 && at < bytes; at += size, p += size)
		for (size_t k = 0; k < size / 2; k++) {
			unsigned char byte = p[k];
			p[k] = p[size - 1 - k];
			p[size - 1 - k] = byte;
		}
}

const void *elements_for_file(enum elem_type elem, const void *elements, size_t bytes, void **copy)
{
	*copy = NULL;
	if (NATIVE_IS_LITTLE || elem_size(elem) < 2 || !bytes)
		return elements;
	*copy = memcpy(xmalloc(bytes), elements, bytes);
	elements_swap(elem, *copy, bytes);
	return *copy;
}

bool elem_is_float(enum elem_type elem)
{
	return elem < ELEM_COUNT && elem_info[elem].is_float;
}

bool elem_is_integer(enum elem_type elem)
{
	return elem < ELEM_COUNT && elem_info[elem].is_integer;
}

bool elem_is_signed(enum elem_type elem)
{
	return elem < ELEM_COUNT && elem_info[elem].is_signed;
}

int64_t shape_count(int rank, const int64_t *dims, enum elem_type elem)
{
	int64_t count;
	if (!dims_count(rank, dims, &count) || (uint64_t)count > PTRDIFF_MAX / 2 / (elem_size(elem) + 1))
		return -1;
	return count;
}

bool shape_fits(int rank, const int64_t *dims)
{
	int64_t known[MAX_RANK], count;
	if (rank > MAX_RANK)
		return false;
	for (int i = 0; i < rank; i++) {
		if (dims[i] > INT32_MAX)
			return false;
		known[i] = dims[i] < 0 ? 1 : dims[i];
	}
	return dims_count(rank < 0 ? 0 : rank, known, &count) && count <= INT64_C(1) << 40;
}

void shape_text(struct strbuf *b, int rank, const int64_t *dims)
{
	strbuf_puts(b, "[");
	for (int i = 0; i < rank; i++) {
		strbuf_puts(b, i ? "," : "");
		if (dims[i] < 0)
			strbuf_puts(b, "?");
		else
			strbuf_printf(b, "%lld", (long long)dims[i]);
	}
	strbuf_puts(b, "]");
}

/* ---- tensors ---- */

enum {
	SMALL = 4096,	/* bytes of elements that lie beside the tensor's header */
	LARGE = 1 << 24 /* tensor_try_... tell the caller that memory is short beyond that; below, the call is left */
};
_Static_assert(sizeof(struct blob) % alignof(max_align_t) == 0, "a tensor may lie behind a blob");

static size_t header_size(int rank)
{
	return sizeof(struct tensor) + (size_t)rank * sizeof(int64_t);
}

/* Fills in the header of a tensor that has no elements yet. */
static struct tensor *header_init(struct tensor *t, enum elem_type elem, int rank, const int64_t *dims, int64_t count)
{
	if (!t)
		return NULL;
	atomic_init(&t->refs, 1);
	t->is_in_blob = false;
	t->elem = (uint8_t)elem;
	t->rank = (uint8_t)rank;
	t->count = count;
	t->data = NULL;
	t->blob = NULL;
	if (rank)
		memcpy(t->dims, dims, (size_t)rank * sizeof *dims);
	return t;
}

/* Blob, header and elements of a small tensor are one object, which the blob's references keep. */
static struct tensor *new_small(enum elem_type elem, int rank, const int64_t *dims, int64_t count, size_t size)
{
	const size_t unit = alignof(max_align_t);
	size_t header = (header_size(rank) + unit - 1) / unit * unit;
	struct blob *b = xmalloc(sizeof *b + header + size);
	*b = (struct blob){ .size = size };
	atomic_init(&b->refs, 1);
	struct tensor *t = header_init((struct tensor *)(b + 1), elem, rank, dims, count);
	t->is_in_blob = true;
	t->data = (char *)t + header;
	t->blob = b;
	return t;
}

/* try: where memory is short for a large one, NULL; else the call is left. */
static struct tensor *new_tensor(enum elem_type elem, int rank, const int64_t *dims, bool zeroed, bool try)
{
	int64_t count = rank > MAX_RANK ? -1 : shape_count(rank, dims, elem);
	if (count < 0)
		return NULL;
	size_t size = (size_t)count * elem_size(elem);
	if (size <= SMALL) {
		struct tensor *small = new_small(elem, rank, dims, count, size);
		if (zeroed)
			memset(small->data, 0, size);
		return small;
	}
	void *data = try && size > LARGE ? zeroed ? memory_try_zeroed(size, 1) : memory_try(size)
		     : zeroed ? xcalloc(size, 1)
					 : xmalloc(size);
	if (!data)
		return NULL;
	struct tensor *t = header_init(xmalloc(header_size(rank)), elem, rank, dims, count);
	t->data = data;
	t->blob = blob_new(data, size, false);
	return t;
}

struct tensor *tensor_new(enum elem_type elem, int rank, const int64_t *dims)
{
	return new_tensor(elem, rank, dims, true, false);
}

struct tensor *tensor_new_raw(enum elem_type elem, int rank, const int64_t *dims)
{
	return new_tensor(elem, rank, dims, elem == ELEM_STRING, false);
}

struct tensor *tensor_try_new(enum elem_type elem, int rank, const int64_t *dims)
{
	return new_tensor(elem, rank, dims, true, true);
}

struct tensor *tensor_try_raw(enum elem_type elem, int rank, const int64_t *dims)
{
	return new_tensor(elem, rank, dims, elem == ELEM_STRING, true);
}

struct tensor *tensor_over(struct blob *blob, void *data, enum elem_type elem, int rank, const int64_t *dims)
{
	int64_t count = rank > MAX_RANK ? -1 : shape_count(rank, dims, elem);
	struct tensor *t = count < 0 ? NULL : header_init(xmalloc(header_size(rank)), elem, rank, dims, count);
	if (!t)
		return NULL;
	t->data = data;
	t->blob = blob_ref(blob);
	return t;
}

struct tensor *tensor_view(const struct tensor *t, int rank, const int64_t *dims)
{
	if (t->elem == ELEM_STRING) { /* strings belong to one tensor */
		struct tensor *copy = tensor_new(ELEM_STRING, rank, dims);
		for (int64_t i = 0; copy && i < t->count; i++)
			((char **)copy->data)[i] = xstrdup(tensor_string(t, i));
		return copy;
	}
	return tensor_over(t->blob, t->data, t->elem, rank, dims);
}

struct tensor *tensor_rows(const struct tensor *t, int64_t first, int64_t count)
{
	int64_t dims[MAX_RANK], row = t->dims[0] ? t->count / t->dims[0] : 0;
	memcpy(dims, t->dims, t->rank * sizeof *dims);
	dims[0] = count;
	char *at = (char *)t->data + (size_t)(first * row) * elem_size((enum elem_type)t->elem);
	return tensor_over(t->blob, at, (enum elem_type)t->elem, t->rank, dims);
}

static struct tensor *copy(const struct tensor *t, bool try)
{
	if (t->elem == ELEM_STRING)
		return tensor_view(t, t->rank, t->dims);
	struct tensor *own = new_tensor(t->elem, t->rank, t->dims, false, try);
	if (own && t->count)
		memcpy(own->data, t->data, (size_t)t->count * elem_size(t->elem));
	return own;
}

struct tensor *tensor_copy(const struct tensor *t)
{
	return copy(t, false);
}

struct tensor *tensor_try_copy(const struct tensor *t)
{
	return copy(t, true);
}

struct tensor *tensor_ref(const struct tensor *t)
{
	struct tensor *shared = (struct tensor *)(uintptr_t)t;
	if (shared)
		atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
	return shared;
}

void tensor_unref(struct tensor *t)
{
	if (!t || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (t->elem == ELEM_STRING)
		for (int64_t i = 0; i < t->count; i++)
			free(((char **)t->data)[i]);
	bool apart = !t->is_in_blob;
	blob_unref(t->blob);
	if (apart)
		free(t);
}

static struct tensor *cast(const struct tensor *t, enum elem_type elem, bool try)
{
	if (t->elem == elem)
		return tensor_ref(t);
	struct tensor *out = new_tensor(elem, t->rank, t->dims, elem == ELEM_STRING, try);
	if (!out)
		return NULL;
	bool exact_ints = (elem == ELEM_INT64 || elem == ELEM_UINT64) && elem_is_integer(t->elem);
	for (int64_t i = 0; i < t->count; i++) {
		if (exact_ints)
			((int64_t *)out->data)[i] = tensor_int_at(t, i);
		else
			tensor_put(out, i, tensor_at(t, i));
	}
	return out;
}

struct tensor *tensor_cast(const struct tensor *t, enum elem_type elem)
{
	return cast(t, elem, false);
}

struct tensor *tensor_try_cast(const struct tensor *t, enum elem_type elem)
{
	return cast(t, elem, true);
}

struct tensor *tensor_float(int rank, const int64_t *dims, const float *elements)
{
	struct tensor *t = tensor_new_raw(ELEM_FLOAT, rank, dims);
	if (t)
		memcpy(t->data, elements, (size_t)t->count * sizeof *elements);
	return t;
}

struct tensor *tensor_int64(int rank, const int64_t *dims, const int64_t *elements)
{
	struct tensor *t = tensor_new_raw(ELEM_INT64, rank, dims);
	if (t)
		memcpy(t->data, elements, (size_t)t->count * sizeof *elements);
	return t;
}

struct tensor *tensor_scalar(float x)
{
	return tensor_float(0, NULL, &x);
}

/* ---- elements ---- */

double tensor_at(const struct tensor *t, int64_t i)
{
	const void *p = t->data;
	switch ((enum elem_type)t->elem) {
	case ELEM_FLOAT: return (double)((const float *)p)[i];
	case ELEM_DOUBLE: return ((const double *)p)[i];
	case ELEM_UINT8:
	case ELEM_BOOL:
	case ELEM_UINT4:
	case ELEM_UINT2: return ((const uint8_t *)p)[i];
	case ELEM_INT8:
	case ELEM_INT4:
	case ELEM_INT2: return ((const int8_t *)p)[i];
	case ELEM_UINT16: return ((const uint16_t *)p)[i];
	case ELEM_INT16: return ((const int16_t *)p)[i];
	case ELEM_UINT32: return ((const uint32_t *)p)[i];
	case ELEM_INT32: return ((const int32_t *)p)[i];
	case ELEM_UINT64: return (double)((const uint64_t *)p)[i];
	case ELEM_INT64: return (double)((const int64_t *)p)[i];
	case ELEM_FLOAT16:
	case ELEM_BFLOAT16: return float_decode(t->elem, ((const uint16_t *)p)[i]);
	case ELEM_FLOAT8E4M3FN:
	case ELEM_FLOAT8E4M3FNUZ:
	case ELEM_FLOAT8E5M2:
	case ELEM_FLOAT8E5M2FNUZ:
	case ELEM_FLOAT4E2M1:
	case ELEM_FLOAT8E8M0: return float_decode(t->elem, ((const uint8_t *)p)[i]);
	case ELEM_COMPLEX64: return (double)((const float *)p)[2 * i];
	case ELEM_COMPLEX128: return ((const double *)p)[2 * i];
	default: return 0;
	}
}

int64_t tensor_int_at(const struct tensor *t, int64_t i)
{
	if (t->elem == ELEM_INT64 || t->elem == ELEM_UINT64)
		return ((const int64_t *)t->data)[i];
	double x = tensor_at(t, i);
	return saturated_int64(x);
}

/* x rounded to nearest even and held within lo..hi; NaN becomes 0. */
static double saturate(double x, double lo, double hi)
{
	if (isnan(x))
		return 0;
	x = rint(x);
	return x < lo ? lo : x > hi ? hi : x;
}

void tensor_put(struct tensor *t, int64_t i, double x)
{
	void *p = t->data;
	switch ((enum elem_type)t->elem) {
	case ELEM_FLOAT: ((float *)p)[i] = (float)x; break;
	case ELEM_DOUBLE: ((double *)p)[i] = x; break;
	case ELEM_BOOL: ((uint8_t *)p)[i] = x != 0; break;
	case ELEM_UINT8: ((uint8_t *)p)[i] = (uint8_t)saturate(x, 0, 255); break;
	case ELEM_INT8: ((int8_t *)p)[i] = (int8_t)saturate(x, -128, 127); break;
	case ELEM_UINT4: ((uint8_t *)p)[i] = (uint8_t)saturate(x, 0, 15); break;
	case ELEM_INT4: ((int8_t *)p)[i] = (int8_t)saturate(x, -8, 7); break;
	case ELEM_UINT2: ((uint8_t *)p)[i] = (uint8_t)saturate(x, 0, 3); break;
	case ELEM_INT2: ((int8_t *)p)[i] = (int8_t)saturate(x, -2, 1); break;
	case ELEM_UINT16: ((uint16_t *)p)[i] = (uint16_t)saturate(x, 0, UINT16_MAX); break;
	case ELEM_INT16: ((int16_t *)p)[i] = (int16_t)saturate(x, INT16_MIN, INT16_MAX); break;
	case ELEM_UINT32: ((uint32_t *)p)[i] = (uint32_t)saturate(x, 0, UINT32_MAX); break;
	case ELEM_INT32: ((int32_t *)p)[i] = (int32_t)saturate(x, INT32_MIN, INT32_MAX); break;
	case ELEM_UINT64: /* the largest doubles below the types' ends */
		((uint64_t *)p)[i] = (uint64_t)saturate(x, 0, 18446744073709549568.0);
		break;
	case ELEM_INT64: ((int64_t *)p)[i] = (int64_t)saturate(x, -9223372036854775808.0, 9223372036854774784.0); break;
	case ELEM_FLOAT16:
	case ELEM_BFLOAT16: ((uint16_t *)p)[i] = (uint16_t)float_encode(t->elem, x, true); break;
	case ELEM_FLOAT8E4M3FN:
	case ELEM_FLOAT8E4M3FNUZ:
	case ELEM_FLOAT8E5M2:
	case ELEM_FLOAT8E5M2FNUZ:
	case ELEM_FLOAT4E2M1:
	case ELEM_FLOAT8E8M0: ((uint8_t *)p)[i] = (uint8_t)float_encode(t->elem, x, true); break;
	case ELEM_COMPLEX64:
		((float *)p)[2 * i] = (float)x;
		((float *)p)[2 * i + 1] = 0;
		break;
	case ELEM_COMPLEX128:
		((double *)p)[2 * i] = x;
		((double *)p)[2 * i + 1] = 0;
		break;
	default: break;
	}
}

/* ---- questions ---- */

bool tensor_equal(const struct tensor *a, const struct tensor *b)
{
	if (a == b)
		return true;
	if (a->elem != b->elem || a->rank != b->rank || a->count != b->count ||
	    memcmp(a->dims, b->dims, a->rank * sizeof *a->dims) != 0)
		return false;
	if (a->elem != ELEM_STRING)
		return a->data == b->data || !a->count ||
		       memcmp(a->data, b->data, (size_t)a->count * elem_size(a->elem)) == 0;
	for (int64_t i = 0; i < a->count; i++)
		if (strcmp(tensor_string(a, i), tensor_string(b, i)) != 0)
			return false;
	return true;
}

/* In blocks, so that the inner loop has no exit and vectorises. */
static bool floats_are_integral(const float *x, int64_t count)
{
	enum { BLOCK = 1024 };
	const float whole = 8388608; /* 2^23: from here on every float32 is an integer, or no number */
	for (int64_t start = 0; start < count; start += BLOCK) {
		int64_t end = start + BLOCK < count ? start + BLOCK : count;
		int fractions = 0;
		for (int64_t i = start; i < end; i++) {
			float magnitude = fabsf(x[i]);
			float small = magnitude < whole ? magnitude : 0;
			fractions += (float)(int)small != small;
			fractions += !(magnitude <= 3.402823466e38f);
		}
		if (fractions)
			return false;
	}
	return true;
}

bool tensor_is_integral(const struct tensor *t)
{
	if (elem_is_integer(t->elem) || t->elem == ELEM_BOOL)
		return true;
	if (!elem_is_float(t->elem))
		return false;
	if (t->elem == ELEM_FLOAT)
		return floats_are_integral(t->data, t->count);
	for (int64_t i = 0; i < t->count; i++) {
		double x = tensor_at(t, i);
		if (x != rint(x) || isinf(x))
			return false;
	}
	return true;
}

bool tensor_all(const struct tensor *t, double x)
{
	for (int64_t i = 0; i < t->count; i++)
		if (tensor_at(t, i) != x)
			return false;
	return true;
}

void tensor_min_max(const struct tensor *t, double *lo, double *hi)
{
	*lo = INFINITY;
	*hi = -INFINITY;
	if (t->elem == ELEM_FLOAT && t->count) {
		const float *p = t->data;
		float least = INFINITY, most = -INFINITY;
		for (int64_t i = 0; i < t->count; i++) {
			least = p[i] < least ? p[i] : least;
			most = p[i] > most ? p[i] : most;
		}
		*lo = (double)least;
		*hi = (double)most;
		return;
	}
	for (int64_t i = 0; i < t->count; i++) {
		double x = tensor_at(t, i);
		*lo = x < *lo ? x : *lo;
		*hi = x > *hi ? x : *hi;
	}
}

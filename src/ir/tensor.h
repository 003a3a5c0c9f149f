/* Tensors: a shape and its elements in row-major order, shared by reference count. Once others can
 * see a tensor its elements no longer change. Elements of sub-byte types (INT4, UINT2, ...) take one
 * byte each in memory; files pack them. Large tensors may be mapped from the model's file. */
#ifndef QCC_IR_TENSOR_H
#define QCC_IR_TENSOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/blob.h"

/* Numbered as TensorProto.DataType. */
enum elem_type {
	ELEM_UNDEFINED = 0,
	ELEM_FLOAT = 1,
	ELEM_UINT8 = 2,
	ELEM_INT8 = 3,
	ELEM_UINT16 = 4,
	ELEM_INT16 = 5,
	ELEM_INT32 = 6,
	ELEM_INT64 = 7,
	ELEM_STRING = 8, /* elements are char *, owned by the tensor */
	ELEM_BOOL = 9,
	ELEM_FLOAT16 = 10,
	ELEM_DOUBLE = 11,
	ELEM_UINT32 = 12,
	ELEM_UINT64 = 13,
	ELEM_COMPLEX64 = 14,
	ELEM_COMPLEX128 = 15,
	ELEM_BFLOAT16 = 16,
	ELEM_FLOAT8E4M3FN = 17,
	ELEM_FLOAT8E4M3FNUZ = 18,
	ELEM_FLOAT8E5M2 = 19,
	ELEM_FLOAT8E5M2FNUZ = 20,
	ELEM_UINT4 = 21,
	ELEM_INT4 = 22,
	ELEM_FLOAT4E2M1 = 23,
	ELEM_FLOAT8E8M0 = 24,
	ELEM_UINT2 = 25,
	ELEM_INT2 = 26,
	ELEM_COUNT
};

enum { MAX_RANK = 16 };

struct tensor {
	atomic_uint refs;
	uint8_t elem; /* enum elem_type */
	uint8_t rank;
	bool is_in_blob; /* the header lies in the blob's own memory */
	int64_t count;	 /* product of dims; 1 for a scalar */
	void *data;	 /* count elements */
	struct blob *blob;
	int64_t dims[];
};

/* Name as ONNX's text form writes it ("float", "int8"), and back (ELEM_UNDEFINED where unknown). */
const char *elem_name(enum elem_type elem);
enum elem_type elem_parse(const char *name);
size_t elem_size(enum elem_type elem);	      /* bytes in memory; 0 for ELEM_UNDEFINED */
unsigned elem_file_bits(enum elem_type elem); /* bits in a file: 4 for INT4, 2 for UINT2 */
bool elem_is_float(enum elem_type elem);      /* float, double, half, bfloat16, float8, float4 */
bool elem_is_integer(enum elem_type elem);    /* signed or unsigned, any width; not bool */
bool elem_is_signed(enum elem_type elem);

/* Files have the least significant byte of each number first, and some machines the most significant one. */
enum { NATIVE_IS_LITTLE = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ };
/* Turns the bytes of each number among the elements around, in place. */
void elements_swap(enum elem_type elem, void *elements, size_t bytes);
/* The elements as a file has them: the elements themselves, or a copy, which is put into *copy to be freed. */
const void *elements_for_file(enum elem_type elem, const void *elements, size_t bytes, void **copy);

/* Product of dims, or -1 where it overflows, a dim is negative or the bytes would not fit. */
int64_t shape_count(int rank, const int64_t *dims, enum elem_type elem);

/* Whether a value may be declared or inferred with that shape (rank and dims -1: unknown). Larger ones are refused
 * before anything is calculated with them: no product of a dim and a parameter overflows then. */
#define SHAPE_LIMITS "an axis has at most 2^31 - 1 elements, a tensor 2^40"
bool shape_fits(int rank, const int64_t *dims);
/* "[1,3,?]", added to the text. */
struct strbuf;
void shape_text(struct strbuf *b, int rank, const int64_t *dims);

/* Elements zeroed. NULL where the shape is invalid; where memory runs out, the call is left (util/memory.h). The caller owns
 * one reference. */
struct tensor *tensor_new(enum elem_type elem, int rank, const int64_t *dims);
/* Like tensor_new without zeroing: for callers that write every element. */
struct tensor *tensor_new_raw(enum elem_type elem, int rank, const int64_t *dims);
/* A tensor over memory that a blob keeps alive (takes a reference on it). */
struct tensor *tensor_over(struct blob *blob, void *data, enum elem_type elem, int rank, const int64_t *dims);
/* The same elements under another shape of equal count; shares them. */
struct tensor *tensor_view(const struct tensor *t, int rank, const int64_t *dims);
/* Elements first..first+count-1 of the first axis, rank at least 1; shares them. */
struct tensor *tensor_rows(const struct tensor *t, int64_t first, int64_t count);
struct tensor *tensor_copy(const struct tensor *t); /* own elements, writable */
struct tensor *tensor_ref(const struct tensor *t);  /* one more reference; NULL gives NULL */
void tensor_unref(struct tensor *t);		    /* NULL is fine */
/* Elements cast to another type (C conversion, saturating nothing); shares where it is the same. */
struct tensor *tensor_cast(const struct tensor *t, enum elem_type elem);

/* The same for operators and readers, whose callers report it where a tensor does not fit into memory: NULL where memory runs out
 * for more than 16 MiB. */
struct tensor *tensor_try_new(enum elem_type elem, int rank, const int64_t *dims);
struct tensor *tensor_try_raw(enum elem_type elem, int rank, const int64_t *dims);
struct tensor *tensor_try_copy(const struct tensor *t);
struct tensor *tensor_try_cast(const struct tensor *t, enum elem_type elem);

struct tensor *tensor_float(int rank, const int64_t *dims, const float *elements);   /* copies */
struct tensor *tensor_int64(int rank, const int64_t *dims, const int64_t *elements); /* copies */
struct tensor *tensor_scalar(float x);						     /* rank 0, float */

/* Element i as a double or an int64 whatever the type (half and float8 decoded); 0 for strings. */
double tensor_at(const struct tensor *t, int64_t i);
int64_t tensor_int_at(const struct tensor *t, int64_t i);
/* Stores x, rounded to nearest even and, for integers, saturated. */
void tensor_put(struct tensor *t, int64_t i, double x);

bool tensor_equal(const struct tensor *a, const struct tensor *b); /* type, shape, bytes */
bool tensor_is_integral(const struct tensor *t);		   /* every element is an integer */
bool tensor_all(const struct tensor *t, double x);		   /* every element equals x; true when empty */
void tensor_min_max(const struct tensor *t, double *lo, double *hi);

/* A string's text; "" where it was never set. */
static inline const char *tensor_string(const struct tensor *t, int64_t i)
{
	const char *s = ((const char *const *)t->data)[i];
	return s ? s : "";
}

static inline const float *tensor_floats(const struct tensor *t)
{
	return t->data;
}

#endif

/* NumPy's .npy and .npz files, and ONNX's TensorProto .pb files, as tensors. */
#ifndef QCC_IR_NPY_H
#define QCC_IR_NPY_H

#include "ir/tensor.h"
#include "util/diag.h"
#include "util/strbuf.h"

/* Reads a .npy file (format 1 to 3; either byte order; C or Fortran order, turned into C order; b1, i1..i8,
 * u1..u8, f2, f4, f8). Maps it where it can be used as it lies. NULL with a diagnostic naming the file. */
struct tensor *npy_read(const char *path, struct diags *d);
/* The same from memory; name is what diagnostics call it. Takes its own reference on the blob where needed. */
struct tensor *npy_decode(struct blob *b, const char *name, struct diags *d);
/* bfloat16 and float8 become float32, sub-byte integers take one byte each. 0, or -1 with a diagnostic. */
int npy_write(const struct tensor *t, const char *path, struct diags *d);
/* Adds what precedes the elements in a .npy file, padded to that many bytes at the least. -1 where numpy has no type for
 * such elements. */
int npy_header(struct strbuf *h, enum elem_type elem, int rank, const int64_t *dims, size_t at_least);
/* The member NAME (without ".npy") of a .npz archive (NULL: the only member). */
struct tensor *npz_read(const char *path, const char *name, struct diags *d);
/* Names of the members; array and strings malloc'd. */
int npz_names(const char *path, char ***names, size_t *count, struct diags *d);

/* An archive that is written: arrays one after the other, not compressed, of any size. It appears under its name only
 * when npz_commit succeeds. */
struct npz_out;
struct npz_out *npz_create(const char *path, struct diags *d); /* NULL with a diagnostic */
/* -1 where numpy has no type for the elements. */
int npz_add(struct npz_out *z, const char *name, const struct tensor *t);
/* An array whose number of rows is not known yet: npz_begin, npz_rows as often as there are some, npz_end. */
void npz_begin(struct npz_out *z, const char *name, enum elem_type elem, int row_rank, const int64_t *row_dims);
void npz_rows(struct npz_out *z, const void *rows, int64_t count);
/* The same where the checksum of the rows' bytes is known: npz_sum gives it, which several threads may call. */
uint32_t npz_sum(const struct npz_out *z, const void *bytes, size_t size);
void npz_rows_summed(struct npz_out *z, const void *rows, int64_t count, uint32_t sum);
void npz_end(struct npz_out *z);
/* Both free it. */
int npz_commit(struct npz_out *z, struct diags *d);
void npz_abandon(struct npz_out *z);
/* One array as a .npy file, likewise by rows: npz_create_npy, npz_begin, npz_rows, npz_end, npz_commit. */
struct npz_out *npz_create_npy(const char *path, struct diags *d);

#endif

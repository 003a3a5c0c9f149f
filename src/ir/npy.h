/* NumPy's .npy and .npz files, and ONNX's TensorProto .pb files, as tensors. */
#ifndef QCC_UTIL_NPY_H
#define QCC_UTIL_NPY_H

#include "ir/tensor.h"
#include "util/diag.h"

/* Reads a .npy file (format 1 to 3; either byte order; C or Fortran order, turned into C order; b1, i1..i8,
 * u1..u8, f2, f4, f8). Maps it where it can be used as it lies. NULL with a diagnostic naming the file. */
struct tensor *npy_read(const char *path, struct diags *d);
/* The same from memory; name is what diagnostics call it. Takes its own reference on the blob where needed. */
struct tensor *npy_decode(struct blob *b, const char *name, struct diags *d);
/* bfloat16 and float8 become float32, sub-byte integers a byte each. 0, or -1 with a diagnostic. */
int npy_write(const struct tensor *t, const char *path, struct diags *d);
/* The member NAME (without ".npy") of a .npz archive (NULL: the only member). */
struct tensor *npz_read(const char *path, const char *name, struct diags *d);
/* Names of the members; array and strings malloc'd. */
int npz_names(const char *path, char ***names, size_t *count, struct diags *d);

#endif

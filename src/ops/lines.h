/* Operators that treat each line of a tensor along one axis (or several adjacent ones) by itself: softmax and
 * normalisations. Lines are handed over in double, whatever the storage type; results are rounded once. */
#ifndef QCC_OPS_LINES_H
#define QCC_OPS_LINES_H

#include "ops/op.h"

/* Changes one line of n elements in place. which: the line's number, outer index first. */
typedef void line_fn(double *line, int64_t n, int64_t which, void *user);

/* Output 0 = input 0 with fn applied to every line. The data are seen as outer x n x inner. Float types only. */
int exec_lines(struct exec_ctx *x, int64_t n, int64_t inner, line_fn *fn, void *user);
/* Mean and biased variance. */
void line_statistics(const double *line, int64_t n, double *mean, double *variance);

#endif

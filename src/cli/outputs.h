/* What qcc run does with a network's outputs. */
#ifndef QCC_CLI_OUTPUTS_H
#define QCC_CLI_OUTPUTS_H

#include <stdio.h>

#include "ir/tensor.h"
#include "util/diag.h"

/* Writes DIR/NAME.npy, making the folder; '/' in the name becomes '_'. 0, or -1 with a diagnostic. */
int output_write(const struct tensor *t, const char *dir, const char *name, struct diags *d);
/* Name, shape and the first elements. */
void output_print(const char *name, const struct tensor *t, FILE *out);
/* The K largest elements of each row (last axis), with their places. */
void output_print_top(const char *name, const struct tensor *t, long k, FILE *out);
/* How many decisions equal the labels in a .npy file: the place of a row's largest element; of single integers they
 * themselves; of single reals whether they are above the middle (0, or 0.5 where none is negative). Labels of -1 and 1
 * count as 0 and 1. 0, or -1 with a diagnostic. */
int output_print_accuracy(const struct tensor *t, const char *labels, FILE *out, struct diags *d);

#endif

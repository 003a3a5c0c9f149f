/* What FINN's hardware operators share: shapes, datatypes and float tensors of integers. */
#ifndef QCC_OPS_HW_OPS_H
#define QCC_OPS_HW_OPS_H

#include "hw/hw.h"
#include "ops/op.h"

/* Input i as float32; a fresh reference, or NULL with a diagnostic. */
struct tensor *hw_floats(struct exec_ctx *x, size_t i);
/* Types output 0 as input 0 with its last axis replaced. */
int hw_infer_last(struct infer_ctx *x, int64_t last);
/* Types output 0 with the batch of input 0 and these rows, columns and channels (NHWC). */
int hw_infer_image(struct infer_ctx *x, int64_t rows, int64_t columns, int64_t channels);
/* Datatypes that attributes of these names say; else the output's annotation. */
struct datatype hw_output_datatype(const struct node *n, size_t i); /* outputDataType */
struct datatype hw_input_datatype(const struct node *n, size_t i);  /* inputDataType */
/* Counts thresholds in place: y has outer x channels elements; t has 1 or channels rows. Bipolar outputs are
 * 2 * count - 1, others count + bias. 0, or -1 with a diagnostic. */
int hw_activate(struct exec_ctx *x, float *y, int64_t outer, int64_t channels, const struct tensor *t);

#endif

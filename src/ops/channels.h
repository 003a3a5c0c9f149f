/* Channels first and channels last: NCHW-like and NHWC-like tensors turned into each other. */
#ifndef QCC_OPS_CHANNELS_H
#define QCC_OPS_CHANNELS_H

#include "ops/op.h"

/* Runs a channels-first kernel on channels-last data: the first n_data inputs and output 0 are turned. */
int exec_channels_last(struct exec_ctx *x, op_exec_fn *kernel, size_t n_data);
/* The same for shape inference: dims with the channels moved. rank >= 2. */
void dims_channels_first(int rank, const int64_t *dims, int64_t *out);
void dims_channels_last(int rank, const int64_t *dims, int64_t *out);

/* The axis that a MultiThreshold's rows go along in a value of that rank: by its data_layout; where there is none, by
 * rank: NC, NWC, NCHW. -1 for a scalar. */
int threshold_axis(const struct node *n, int rank);
/* Sets the data_layout that says so: NCHW, NHWC, NHCW, ... with C on that axis of a value of that rank. */
void set_threshold_axis(struct node *n, int rank, int axis);

#endif

/* Convolution of float or double tensors, channels first; shared by Conv, ConvInteger, QLinearConv. */
#ifndef QCC_OPS_CONV_KERNEL_H
#define QCC_OPS_CONV_KERNEL_H

#include "ops/window.h"

struct conv {
	int64_t batch, groups, in_channels, out_channels;
	struct window w;
};

/* Shape of the convolution of x (N, C, spatial) with weights (M, C / groups, kernel). -1 with a diagnostic. */
int conv_plan(struct conv *c, const struct node *n, const struct tensor *x, const struct tensor *weights,
	      struct diags *d);
/* y = conv(x, weights) + bias (NULL: none); all of one type, float or double. y is N, M, output spatial. */
/* Asks the budget for the convolution: 0, or -1 with a diagnostic. */
int conv_work(struct exec_ctx *x, const struct conv *c);
void conv_run(const struct conv *c, const struct tensor *x, const struct tensor *weights, const struct tensor *bias,
	      struct tensor *y);
/* Dims of the output: returns its rank. */
int conv_dims(const struct conv *c, int64_t dims[MAX_RANK]);

/* Types output 0 from inputs x and w (channels first or last) with that storage type. */
int conv_infer(struct infer_ctx *x, size_t data, size_t weights, bool channels_last, enum elem_type elem);
/* Products summed for one output element; -1 where unknown. */
int64_t conv_terms(const struct value *weights);
int64_t conv_macs(const struct node *n, size_t weights);

#endif

/* Sliding windows: what convolutions and poolings share about kernels, strides, dilations and padding.
 * One or two spatial axes are treated as three, with leading axes of size 1. */
#ifndef QCC_OPS_WINDOW_H
#define QCC_OPS_WINDOW_H

#include "ops/op.h"

enum { WINDOW_AXES = 3 };

struct window {
	int spatial;				   /* axes the operator has; they are the last of the three */
	int64_t in[WINDOW_AXES], out[WINDOW_AXES]; /* -1: unknown */
	int64_t kernel[WINDOW_AXES], stride[WINDOW_AXES], dilation[WINDOW_AXES];
	int64_t begin[WINDOW_AXES], end[WINDOW_AXES]; /* padding */
};

/* Reads attributes kernel_shape (where kernel is NULL), strides, dilations, pads, auto_pad and ceil_mode of n for
 * an input with these spatial dims. -1 with a diagnostic where they contradict each other. */
int window_read(struct window *w, const struct node *n, int spatial, const int64_t *in, const int64_t *kernel,
		struct diags *d);
/* The same without computing the output: ConvTranspose and unpooling have rules of their own. */
int window_read_attributes(struct window *w, const struct node *n, int spatial, const int64_t *in,
			   const int64_t *kernel, struct diags *d);

static inline int64_t window_count(const int64_t dims[WINDOW_AXES])
{
	return dims[0] * dims[1] * dims[2];
}
/* The operator's own axes of one of the arrays. */
static inline const int64_t *window_own(const struct window *w, const int64_t dims[WINDOW_AXES])
{
	return dims + WINDOW_AXES - w->spatial;
}
/* A kernel of one element, no strides, no padding: each output sees the input at its place. */
bool window_is_pointwise(const struct window *w);
/* Outputs o in [*from, *to) for which o * stride + shift lies in [0, in). */
void window_valid(int64_t shift, int64_t stride, int64_t in, int64_t out, int64_t *from, int64_t *to);
/* What kernel tap k (counted over the three axes, the last fastest) sees: output o sees input o * stride + shift, for o
 * in [from, to) along each axis. */
struct window_tap {
	int64_t shift[WINDOW_AXES], from[WINDOW_AXES], to[WINDOW_AXES];
};
struct window_tap window_tap(const struct window *w, int64_t k);

#endif

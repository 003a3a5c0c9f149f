/* Products with constant weights: MatMul, Conv, ConvTranspose. One description of which weight is multiplied by which
 * input channel and counts for which output channel, so that ranges, moved scales, flipped signs and
 * pruning are each written once. */
#ifndef QCC_PASSES_PRODUCTS_H
#define QCC_PASSES_PRODUCTS_H

#include "ops/op.h"

/* The constant weights of a product node, NULL where it is none (or its weights are computed). MatMul counts
 * with its constant on the right. */
struct value *product_weights(const struct node *n);

/* Weight tensor as [groups][out][in][taps] by strides: element ((g * out + o), i, k). */
struct product {
	const struct tensor *weights;
	int64_t groups, out, in, taps;		     /* out and in: channels per group; taps: kernel elements */
	int64_t stride_group, stride_out, stride_in; /* taps are adjacent */
	int in_axis, out_axis;			     /* channel axes of data input and output */
};

/* False where the weights' rank is not that of such a product. */
bool product_describe(const struct node *n, struct product *p);
static inline int64_t product_index(const struct product *p, int64_t g, int64_t o, int64_t i, int64_t k)
{
	return g * p->stride_group + o * p->stride_out + i * p->stride_in + k;
}
/* Any border added around the data (zeros). */
bool product_is_padded(const struct node *n);

/* Exact bounds of the accumulators per output channel. NULL where weights are no integers. */
const struct range *product_range(struct graph *g, struct node *n);
/* sums[o] = sum over i, k of weight * x[input channel], x one element or one per input channel. sums has
 * groups * out elements. */
void product_sums(const struct product *p, const double *x, int64_t x_count, double *sums);
/* The weights with element (g, o, i, k) multiplied by factor(out channel, in channel); a new tensor. NULL where
 * memory runs out. *rounded (may be NULL): whether float32 could not hold one of them. */
struct tensor *product_scaled(const struct product *p, const double *per_out, const double *per_in, bool *rounded);

#endif

/* Lowering convolutions: what the pass and the weights' rearrangement share. */
#ifndef QCC_PASSES_LOWER_CONVS_H
#define QCC_PASSES_LOWER_CONVS_H

#include "ops/op.h"

/* Weights [O, I / group, taps...] of a convolution as a matrix [taps * I, O] for windows with the channels fastest; a
 * group's filters are zero where they do not look. A fresh constant. */
struct value *lower_weights(struct graph *g, const struct value *w, int64_t groups);
/* The same for a transposed convolution of one group, weights [I, O, taps...]: its taps run backwards. */
struct value *lower_transposed_weights(struct graph *g, const struct value *w);
/* Marks them as one filter a channel, as qonnx's tensor_sparsity annotation does. */
void mark_depthwise(struct graph *g, struct value *w, int64_t rows, int64_t columns);
/* Rows of a MatMul's weights from the order [channels, pixels] to [pixels, channels]. A fresh constant. */
struct value *permute_rows(struct graph *g, const struct value *w, int64_t channels, int64_t pixels);
/* Bipolar values that are padded with zeros become TERNARY where they are made, so that they hold 0. Inference must
 * follow. How many sources were changed. */
size_t hold_zeros(struct graph *g);

#endif

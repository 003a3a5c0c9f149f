/* lower-convs, inside: what the pass, the operators that it knows, and the weights' rearrangement share.
 *
 * Every integer image gets a channels-last twin when something that is lowered reads it: the twin of what a lowered
 * node writes is written by its lowered form; any other comes from a Transpose. So transposes appear only where
 * the integer part begins and ends, with nothing to cancel. Signals (rank 3) are images one pixel wide. */
#ifndef QCC_PASSES_LOWER_CONVS_H
#define QCC_PASSES_LOWER_CONVS_H

#include "ops/window.h"
#include "passes/pass.h"

struct lowering {
	struct pass_ctx *ctx;
	struct graph *g;
	struct value **twin; /* by id of the channels-first value */
	size_t size;
	struct {
		struct node **items;
		size_t count, capacity;
	} lowered; /* nodes that have a lowered form: they go at the end */
};

/* ---- twins (lower_twins.c) ---- */

/* An integer value [N, C, H, W] or [N, C, L] of known shape. */
bool is_image(const struct value *v);
bool has_twin(const struct lowering *l, const struct value *v);
/* Whether something that slides a window reads v, which says that a value of rank 3 is a signal [N, C, L] and no row of
 * tokens [N, L, C] (lower_images.c). */
bool is_read_by_window(const struct value *v);
/* Rank 3 says nothing of its own: such a value is an image where its neighbours treat it as one. */
bool is_surely_image(const struct lowering *l, const struct value *v);
/* The channels-last form [N, H, W, C] of v, made before `before` where there is none. */
struct value *twin_of(struct lowering *l, struct value *v, struct node *before);
/* The output of a node that was inserted behind the twin x: typed, with x's datatype, channels last. */
struct value *twin_output(struct node *n, const struct value *x);
void set_twin(struct lowering *l, struct value *v, struct value *twin);
/* A node before n that reads inputs; its output is the twin of n's, and n goes at the end. */
struct node *add_lowered(struct lowering *l, struct node *n, const char *domain, const char *op,
			 struct value *const *inputs, size_t count);
/* v, of the layout that n wrote before, stands for n's output; n goes at the end. */
void replace_lowered(struct lowering *l, struct node *n, struct value *v);
/* Channels-first form of v's twin again, for those that were not lowered. */
struct value *untwin(struct lowering *l, struct value *v, struct node *before);
/* Where an axis of [N, C, H, W] (or [N, C, L]) lies in [N, H, W, C]. */
int64_t axis_last(int axis);

/* ---- operators: 1 lowered, 0 not possible, -1 error ---- */

/* lower_windows.c: windows over the image */
int nhwc_conv(struct lowering *l, struct node *n);
int nhwc_transposed(struct lowering *l, struct node *n);
int nhwc_max_pool(struct lowering *l, struct node *n);
/* lower_images.c: images stay images */
int nhwc_threshold(struct lowering *l, struct node *n);
int nhwc_elementwise(struct lowering *l, struct node *n);
int nhwc_concat(struct lowering *l, struct node *n);
int nhwc_resize(struct lowering *l, struct node *n);
/* lower_parts.c: parts of images, and zeros around them */
int nhwc_part(struct lowering *l, struct node *n);
int nhwc_split(struct lowering *l, struct node *n);
/* lower_ends.c: where images begin and end */
int nhwc_reduction(struct lowering *l, struct node *n);
int nhwc_flatten(struct lowering *l, struct node *n);
int nhwc_transpose(struct lowering *l, struct node *n);

/* ---- weights (lower_weights.c) ---- */

/* Weights [O, I / groups, taps...] of a convolution as a matrix [taps * I, O] for windows with the channels fastest; a
 * group's filters are zero where they do not look. A fresh constant. */
struct value *lower_weights(struct graph *g, const struct value *w, int64_t groups);
/* The same for a transposed convolution, weights [I, O / groups, taps...]: its taps run backwards. */
struct value *lower_transposed_weights(struct graph *g, const struct value *w, int64_t groups);
/* Marks them as one filter for each channel, as qonnx's tensor_sparsity annotation does. */
void mark_depthwise(struct graph *g, struct value *w, int64_t rows, int64_t columns);
/* Rows of a MatMul's weights from the order [channels, pixels] to [pixels, channels]. A fresh constant. */
struct value *permute_rows(struct graph *g, const struct value *w, int64_t channels, int64_t pixels);

/* ---- padding (padded_bipolar.c) ---- */

/* Bipolar values that are padded with zeros become TERNARY where they are made, so that they hold 0. Inference must
 * follow. How many sources were changed. */
size_t widen_padded_bipolar(struct graph *g);

#endif

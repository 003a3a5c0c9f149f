/* What the parts of to-hw share: each converts one kind of node into FINN's hardware operator. */
#ifndef QCC_PASSES_TO_HW_H
#define QCC_PASSES_TO_HW_H

#include "hw/hw.h"
#include "ops/op.h"
#include "passes/pass.h"

/* The model's metadata says by this key whose layers they are: the pass's option `for`. */
#define TO_HW_FOR "qcc.hardware"

/* Each returns 1 where n (and what it takes in) was replaced, 0 where it is not theirs, -1 with a diagnostic. */
int to_hw_matmul(struct pass_ctx *ctx, struct node *n);	   /* MatMul [+ MultiThreshold]: MVAU, VVAU */
int to_hw_threshold(struct pass_ctx *ctx, struct node *n); /* MultiThreshold: Thresholding */
int to_hw_window(struct pass_ctx *ctx, struct node *n);	   /* Im2Col, MaxPoolNHWC, Resize, Upsample */
int to_hw_stream(struct pass_ctx *ctx, struct node *n);	   /* Add, Sub, Mul, Concat, ReduceSum, TopK, ArgMax, Gather */
int to_hw_channelwise(struct pass_ctx *ctx, struct node *n); /* Add, Mul with a constant */
int to_hw_reduction(struct node *n);			     /* ReduceSum, ReduceMax */
int to_hw_part(struct pass_ctx *ctx, struct node *n);	     /* Slice, Split, Pad, Gather of constant indices */
int to_hw_shuffle(struct pass_ctx *ctx, struct node *n);     /* Transpose */
void to_hw_take_away_views(struct pass_ctx *ctx);	     /* Reshape between layers */
void to_hw_duplicate(struct pass_ctx *ctx);		     /* fan-out: DuplicateStreams */

/* A hardware node in the place of `last`: reads inputs, its output takes over type and uses of last's output 0;
 * last is removed. */
struct node *to_hw_replace(struct node *last, const char *op_type, struct value *const *inputs, size_t n_inputs);
/* A hardware node before `before` with one typed output (type of its own to be set by inference). */
struct node *to_hw_insert(struct node *before, const char *op_type, struct value *input, const char *hint);
/* v in that shape, by a Reshape before `before` where it has another. */
struct value *to_hw_view(struct node *before, struct value *v, int rank, const int64_t *dims);
/* Sets attribute name to the datatype's name. */
void to_hw_set_datatype(struct node *n, const char *name, struct datatype t);
/* numInputVectors: all dims of v but the last (1 where there is none). */
void to_hw_set_vectors(struct node *n, const struct value *v);
/* The option for=finn-plus. */
bool to_hw_for_plus(const struct pass_ctx *ctx);
/* The form of a MultiThreshold that hardware has: steps of 1 from an integer, or -1 and +1. -1 with a diagnostic. */
int to_hw_check_threshold(const struct node *n, struct diags *d);
/* Its thresholds as hardware wants them: whole numbers, each row ascending. Of the form that was checked. */
struct value *to_hw_thresholds(struct graph *g, struct node *threshold);
/* FINN's ActVal: what its output counts from; 0 for bipolar ones. */
int64_t to_hw_act_val(const struct node *threshold);
/* All elements of the constant are -1 or 1. */
bool to_hw_is_bipolar(const struct value *w);
/* A constant's datatype: the annotated one where it is an integer one, else the smallest its elements fit. */
struct datatype to_hw_constant_datatype(const struct value *v);
/* NumChannels and numInputVectors of a layer of v's shape; PE 1. */
void to_hw_set_channels(struct node *n, const struct value *v);
/* Integer value of known shape. */
bool to_hw_is_integer(const struct value *v);

#endif

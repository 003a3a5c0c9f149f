/* What executing and typing hardware layers shares: shapes, datatypes and tensors of integers. They are stored as float32, which
 * counts exactly up to 2^24; where a layer is given double, it computes in double, as hardware does in integers. */
#ifndef QCC_HW_KINDS_EXEC_H
#define QCC_HW_KINDS_EXEC_H

#include "hw/kind.h"

/* Double where one of the inputs is, else float32. */
enum elem_type hw_elem(const struct exec_ctx *x);
/* Input i in that type; a fresh reference, or NULL with a diagnostic. */
struct tensor *hw_numbers(struct exec_ctx *x, size_t i);
static inline double hw_get(const struct tensor *t, int64_t i)
{
	return t->elem == ELEM_FLOAT ? (double)((const float *)t->data)[i] : ((const double *)t->data)[i];
}
static inline void hw_put(struct tensor *t, int64_t i, double x)
{
	if (t->elem == ELEM_FLOAT)
		((float *)t->data)[i] = (float)x;
	else
		((double *)t->data)[i] = x;
}
/* Copies count elements of the same type. */
void hw_copy(struct tensor *to, int64_t to_at, const struct tensor *from, int64_t from_at, int64_t count);
/* Output 0 is a reference of each of the outputs' input 0: layers that copy. */
int hw_exec_copies(struct exec_ctx *x);
/* The shape in which a layer takes its input, whose shape is given: as it is where it is of the rank that
 * numInputVectors says, and its last axis holds the layer's vectors, which lie as that says or are others in number; else
 * numInputVectors vectors of that many elements. FINN takes a Reshape between two layers away, so that [1, 4, 4, 8] may
 * stand for [1, 128]. Returns the rank. */
int hw_input_shape(const struct node *n, int64_t vector, int rank, const int64_t *given, int64_t dims[MAX_RANK]);
/* Types output 0 as input 0, whose vectors have so many elements, with the last axis replaced. */
int hw_infer_last(struct infer_ctx *x, int64_t vector, int64_t last);
/* The same where the elements of a vector are as many as the layer has channels. */
int hw_infer_channels(struct infer_ctx *x);
/* Types output 0 with the batch of input 0 and these rows, columns and channels (NHWC). */
int hw_infer_image(struct infer_ctx *x, int64_t rows, int64_t columns, int64_t channels);
/* Datatypes that attributes of these names say; else the output's annotation. */
struct datatype hw_output_datatype(const struct node *n, size_t i);   /* outputDataType */
struct datatype hw_input_datatype(const struct node *n, size_t i);    /* inputDataType */
struct datatype hw_plumbing_datatype(const struct node *n, size_t i); /* dataType */
/* Counts thresholds in place: the channels are the last axis of y; t has a row for each, or one for all, in y's type. Bipolar
 * outputs are 2 * count - 1, others count + bias. 0, or -1 with a diagnostic. */
int hw_activate(struct exec_ctx *x, struct tensor *y, int64_t channels, const struct tensor *t);

/* Streams of layers whose attributes say how wide a word is (widths and elements of struct hw_layer). */
struct hw_stream hw_wide_input(const struct hw_layer *l, const struct hw_choice *c, size_t i);
struct hw_stream hw_wide_output(const struct hw_layer *l, const struct hw_choice *c, size_t i);

/* ---- layers that turn images into images, channels last (images.c) ---- */
/* What one image of the batch is turned into by: the one at element in_at becomes the one at out_at. The output holds zeros. */
typedef void hw_image_fn(const struct hw_layer *l, const struct tensor *in, int64_t in_at, struct tensor *out,
			 int64_t out_at);
/* Reads the layer, types the output and runs f over the images of the batch: in_dim of mh channels become out_dim of mh. */
int hw_run_images(struct exec_ctx *x, hw_image_fn *f);
/* The same where a pixel holds windows of so many channels, in or out. */
int hw_run_windows(struct exec_ctx *x, const struct hw_layer *l, int64_t in_channels, int64_t out_channels,
		   hw_image_fn *f);
/* Types output 0 as an image of out_dim with mh channels; with mw * mh, the pixels of windows. */
int hw_infer_images(struct infer_ctx *x);
int hw_infer_windows(struct infer_ctx *x);

/* ---- layers that combine a stream with another, or with constants (pairs.c) ---- */
/* Output 0 from input 0 and input 1, which repeats along the leading axes. */
int hw_run_pairs(struct exec_ctx *x);
/* Bounds of a function over two datatypes, as the smallest that holds them. */
struct datatype hw_combined(enum hw_function f, struct datatype a, struct datatype b);
/* Vectors of two streams, of which the second may be one vector that is used again and again. */
int hw_read_pairs(const struct node *n, struct hw_layer *l, struct diags *d);
/* No word of the second stream is taken after its first vector where it repeats. */
bool hw_takes_repeating(const struct hw_layer *l, const struct hw_progress *p, size_t k);

/* ---- MVAU and VVAU (matvec.c) ---- */
/* Datatypes, thresholds, resources of a matrix-vector unit. */
void hw_read_matvec(const struct node *n, struct hw_layer *l);
struct hw_cost hw_matvec_cost(const struct hw_layer *l, const struct hw_choice *c);
/* Weights and, where there is an activation, thresholds. */
size_t hw_matvec_memories(const struct hw_layer *l, struct hw_memory out[HW_MEMORIES], hw_source_fn *source);
/* In binaryXnorMode a copy with 0 and 1 as -1 and +1. Takes over the reference. */
struct tensor *hw_weights_to_bipolar(const struct node *n, struct tensor *t);
int hw_exec_thresholds(struct exec_ctx *x, struct tensor *y, int64_t channels);
int64_t hw_matvec_macs(const struct node *n);
/* Thresholds in input i. */
struct hw_memory hw_threshold_memory(const struct hw_layer *l, size_t i);

#endif

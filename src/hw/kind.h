/* A kind of hardware layer: one file of kinds/ fills one `struct hw_kind`, and the operator's `struct op` beside it
 * points to it (field hw), so that the operator's row in ops/ops.def is the only table that knows it. Where a
 * function is NULL, the default stated in its comment applies. */
#ifndef QCC_HW_KIND_H
#define QCC_HW_KIND_H

#include "hw/hw.h"
#include "hw/memory.h"
#include "ops/op.h"

enum hw_flag {
	HW_CHOOSES_RAM = 1 << 0,  /* attribute ram_style: a memory that may lie in block RAM or LUTs */
	HW_CHOOSES_URAM = 1 << 1, /* that memory may also lie in UltraRAM */
	HW_MULTIPLIES = 1 << 2,	  /* multiplies by weights, in LUTs or DSP slices: attribute resType */
	HW_MATRIX = 1 << 3, /* multiplies by a dense matrix (MW and MH can be padded); reads a whole vector first */
	HW_MAKES_WINDOWS = 1 << 4, /* a sliding window: attribute parallel_window */
	HW_READS_WINDOWS = 1 << 5, /* reads a depthwise sliding window, with which it shares PE and SIMD */
	HW_FORK = 1 << 6,	   /* writes the same stream several times */
	HW_CONVERTER = 1 << 7,	   /* stands between layers whose words differ */
	HW_QUEUE = 1 << 8,	   /* a FIFO: no layer of its own where streams have queues anyway */
	HW_IN_RTL = 1 << 9,	   /* FINN's SpecializeLayers picks the variant in RTL, not HLS */
};

/* Where a layer is within a frame: steps done, and words read and written. */
struct hw_progress {
	int64_t at, read, written;
};

/* What one step, a cycle, does. */
struct hw_step {
	bool read, write;
	bool may_wait; /* the read is left out where no word is there; the write is done all the same */
};

struct hw_kind {
	unsigned flags;			   /* enum hw_flag */
	int8_t streams;			   /* this many inputs, the first ones, are streams; -1: all */
	const char *pe_limit, *simd_limit; /* attributes that PE and SIMD divide; NULL: no such parallelism */
	const char *in_type, *out_type;	   /* attributes with the elements' datatypes; out_type NULL: as annotated */
	/* The attribute that says which function of two numbers it computes, and what it is where that is absent; "": always a
	 * sum; NULL: it computes none. */
	const char *function, *default_function;
	/* Fills the layer from the node's attributes; datatypes, PE, SIMD and their limits have been read. 0, or -1 with a
	 * diagnostic. */
	int (*read)(const struct node *n, struct hw_layer *l, struct diags *d);
	/* Streams of input and output i. NULL: words of PE elements (SIMD where only that has a limit). */
	struct hw_stream (*input)(const struct hw_layer *l, const struct hw_choice *c, size_t i);
	struct hw_stream (*output)(const struct hw_layer *l, const struct hw_choice *c, size_t i);
	/* NULL: a cycle for each word of the longer of its streams, no resources. */
	struct hw_cost (*cost)(const struct hw_layer *l, const struct hw_choice *c);
	/* The schedule: steps of a frame (NULL: as many as input 0 has words; HW_UNTIL_WRITTEN: until all words are
	 * written), what a step does (NULL: reads and writes), and whether its read takes a word of input k (NULL: of all
	 * inputs). */
	int64_t (*steps)(const struct hw_layer *l);
	struct hw_step (*step)(const struct hw_layer *l, const struct hw_progress *p);
	bool (*takes)(const struct hw_layer *l, const struct hw_progress *p, size_t k);
	/* Whether a step's write gives a word to output k (NULL: to all outputs). */
	bool (*gives)(const struct hw_layer *l, const struct hw_progress *p, size_t k);
	/* Its memories (weights, thresholds, ...), at most HW_MEMORIES; returns how many. NULL: none. */
	size_t (*memories)(const struct hw_layer *l, struct hw_memory out[HW_MEMORIES]);
};

#define HW_UNTIL_WRITTEN INT64_MAX

/* ---- what kinds share (hw/layer.c) ---- */
/* A stream of that many elements in words of so many. */
struct hw_stream hw_stream_of(int bits, int64_t elements, int64_t total);
/* The default cost, and the default streams. */
struct hw_cost hw_default_cost(const struct hw_layer *l, const struct hw_choice *c);
/* Copies a pair of ints; one alone counts twice. False where the attribute is absent. */
bool hw_read_pair(const struct node *n, const char *attribute, int64_t out[2]);
/* Product of an ints attribute, 1 where absent. */
int64_t hw_product(const struct node *n, const char *attribute);
static inline int64_t hw_pixels(const int64_t dim[2])
{
	return dim[0] * dim[1];
}
/* mh channels, numInputVectors vectors of them in and out. */
int hw_read_vectors(const struct node *n, struct hw_layer *l, struct diags *d);
/* mh channels and numInputVectors images of in_dim and out_dim pixels. */
void hw_read_batch(const struct node *n, struct hw_layer *l, int64_t channels);
/* Steps of a frame: the words of output 0, of layers that write in each; the words of input and output, of layers that read
 * all before they write; until all is written. */
int64_t hw_output_words(const struct hw_layer *l);
int64_t hw_words_in_and_out(const struct hw_layer *l);
int64_t hw_until_written(const struct hw_layer *l);
struct hw_step hw_step_in_then_out(const struct hw_layer *l, const struct hw_progress *p);
/* ram_style and resType. */
void hw_read_resources(const struct node *n, struct hw_layer *l);
/* An image of one row or one column. */
static inline bool hw_is_line(const struct hw_layer *l)
{
	return l->in_dim[0] == 1 || l->in_dim[1] == 1;
}
/* Row and column of the pixel that word i belongs to, in an image of that size with that many words a pixel. */
static inline void hw_pixel_of(int64_t i, int64_t words, const int64_t dim[2], int64_t *y, int64_t *x)
{
	*x = i / words % dim[1];
	*y = i / words / dim[1] % dim[0];
}

#endif

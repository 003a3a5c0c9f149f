/* What the files of the packed style share. */
#ifndef QCC_BACKENDS_C_PACKED_H
#define QCC_BACKENDS_C_PACKED_H

#include "backends/c/emit.h"

enum packed_kernel {
	PACKED_REFERENCE,
	PACKED_BITS,
	PACKED_BYTES,
	PACKED_DEPTHWISE,
	PACKED_MAXPOOL,
	PACKED_QUANTISE,
	PACKED_FLOATS
};

/* How one layer is computed. */
struct packed_layer {
	const struct plan_layer *layer;
	enum packed_kernel kernel;
	double cost;		  /* estimated cycles */
	int64_t zero;		  /* code of the operand 0, for padding */
	int64_t image_h, image_w; /* of the operand with its padding */
	struct plan_buf *image;	  /* codes, channels last, padded; NULL: the operand as it lies */
	/* bits */
	int planes;
	bool masked;   /* some weight is 0 */
	int64_t words; /* a pixel's, per plane */
	struct plan_buf *bits;
	/* blocking: pixels and vectors of channels computed at a time */
	int64_t pixels, vectors;
	int64_t segments, segment_pixels; /* runs of operands that lie together */
};

/* Thresholds in terms of the kernel's sum D, where the layer's is bias + base * (sum of weights) + step * D. */
struct packed_activation {
	int64_t count;
	int64_t *t;		      /* oc x count */
	bool affine;		      /* count = round(clamp(D * scale + offset)) exactly */
	bool even;		      /* round to the nearest, ties to even; else down */
	float *scale, *offset;	      /* oc each */
	struct requantisation *lines; /* oc: counts of D by a multiplication of integers; NULL: none */
	int64_t doubt;		      /* the most that a line has */
	int64_t multiply, add;	      /* code of the result from the count */
};

/* ---- activation.c ---- */
/* extra[o] is added to D by the kernel (bits count from -extra). NULL: none. */
struct packed_activation *packed_activation(struct emit *e, const struct plan_layer *l, const int64_t *extra);
/* Finds scale and offset such that round(clamp(x * scale + offset, 0, count)) counts the thresholds that x
 * reaches, for all integers lo..hi; false where there are none. Proven at the thresholds: both are monotone.
 * even: rounds to nearest, ties to even, as the quantiser did whose scale is a power of two; else down. */
bool affine_fit(const int64_t *t, int64_t count, int64_t lo, int64_t hi, bool even, float *scale, float *offset);
/* The same for floats; `exact` false: the count may be off by one, which is corrected by comparing with the thresholds beside it. */
bool affine_fit_real(const float *t, int64_t count, bool even, float *scale, float *offset, bool *exact);
/* The line is exact where it is further than this from every count: at a threshold and just below it, it is not
 * further on the wrong side. */
double affine_doubt(const float *t, int64_t count, float scale, float offset);
/* Constants for counting in lanes of 32 bits, channels in groups of 16; C expressions. */
struct packed_constants {
	const char *t;		      /* thresholds as [group][threshold][16] */
	const char *m, *r;	      /* or scales and offsets of lines, of floats or of integers */
	const char *first, *at, *add; /* and their exceptions */
};
struct packed_constants packed_constants(struct emit *e, const struct plan_layer *l, const struct packed_activation *s);
/* `qcc_i32 n`: the counts of the lanes of `sum`. at: a C expression of the first lane's channel. */
void packed_count(struct emit *e, const struct packed_activation *s, const struct packed_constants *k, int indent,
		  const char *at);
/* After the kernel: the code in `row` (bytes, or the sums where there is no activation) to y. */
void packed_finish(struct emit *e, const struct plan_layer *l, const int64_t *extra, int indent, const char *pixel);

/* ---- blocks.c: loops over blocks of p->pixels by p->vectors ---- */
struct packed_block {
	int group;	     /* channels in 64 bytes of weights */
	const char *lanes;   /* of them in a vector: a C constant */
	const char *operand; /* "const uint8_t *restrict x" */
	const char *weight;  /* type of an element of the weights */
	const char *step;    /* and how many of them a vector holds */
	const char *symbol;  /* the weights, per_group elements a group */
	int64_t per_group;
	bool rolled; /* the loop over channels: unrolled, its constants would fill the registers */
	bool direct; /* results are stored right into y; else into a row of */
	enum array_type row;
};
/* The function's head and loops, to the pointers w_0, w_1, ... of the block's weights; and what ends them. */
void packed_open(struct emit *e, const struct packed_layer *p, const struct packed_block *b);
void packed_close(struct emit *e, const struct packed_layer *p, const struct packed_block *b, const int64_t *extra);
/* Counts what the block takes of the stack: that many vectors, and its rows. */
void packed_stack(struct emit *e, const struct packed_layer *p, const struct packed_block *b, int64_t vectors);
/* Where the lanes of pixel i, vector v go. */
const char *packed_to(struct emit *e, const struct packed_layer *p, const struct packed_block *b, int64_t i, int64_t v);
/* Index of the block's first operand in segment s, for pixels of that many elements. */
const char *packed_segment(struct emit *e, const struct packed_layer *p, int64_t pixel);
int64_t packed_groups(const struct packed_layer *p, int64_t group);
/* Output pixels that lie in a row, which blocks cut. */
int64_t packed_columns(const struct packed_layer *p);
/* Segments of the window: its rows, or its pixels where they lie apart. */
void packed_cut_window(struct packed_layer *p);
/* Whether the kernel can store what it counts right into y: nothing remains to be computed, and the row is made of whole groups. */
bool packed_stores_directly(const struct packed_layer *p, const struct packed_activation *s, int64_t group);
/* The call in NAME_run with operand x. */
void packed_call(struct emit *e, const struct packed_layer *p, const char *x);

/* ---- kernels ---- */
void packed_bits_plan(struct emit *e, struct packed_layer *p);
void packed_bits(struct emit *e, struct packed_layer *p);
void packed_bytes_plan(struct emit *e, struct packed_layer *p);
void packed_bytes(struct emit *e, struct packed_layer *p);
void packed_floats_plan(struct packed_layer *p);
void packed_floats(struct emit *e, struct packed_layer *p);
void packed_depthwise(struct emit *e, struct packed_layer *p);
void packed_maxpool(struct emit *e, struct packed_layer *p);
void packed_quantise(struct emit *e, struct packed_layer *p);
/* The call that brings the operand into p->image, and the pointer the kernel reads. */
const char *packed_operand(struct emit *e, struct packed_layer *p);
/* Whether l alone reads the network's only input. */
bool packed_is_entry(const struct emit *e, const struct plan_layer *l);
/* A buffer that lives only while layer l is computed. */
struct plan_buf *packed_temporary(struct emit *e, const struct plan_layer *l, size_t bytes);
/* The largest divisor of n up to limit. */
int64_t packed_divisor(int64_t n, int64_t limit);

#endif

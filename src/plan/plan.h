/* The plan: what lies between the graph and generated code. A streamlined graph becomes a list of layers over buffers.
 * Ranges of integers are exact, weights and thresholds are plain integers, and it is known from which layer to which each
 * buffer is needed. The plan writes no text: the styles of the C backend print it, and so does the HLS backend for what its
 * host computes.
 *
 * Everything is in storage order: where the plan keeps channels last, a buffer's dims, a layer's strides and its constants
 * are permuted accordingly, so that printed code indexes memory without regard to layouts. */
#ifndef QCC_PLAN_PLAN_H
#define QCC_PLAN_PLAN_H

#include "ir/ir.h"
#include "util/requantise.h"

enum plan_elem { PLAN_I8, PLAN_U8, PLAN_I16, PLAN_U16, PLAN_I32, PLAN_I64, PLAN_F32 };

enum plan_role { PLAN_INNER, PLAN_INPUT, PLAN_OUTPUT };

struct plan_buf {
	const char *name;	   /* a C identifier, unique in the plan */
	const struct value *value; /* the graph's value; NULL where the plan made the buffer */
	int rank;
	const int64_t *dims; /* storage order, batch first */
	int64_t count;	     /* product of dims */
	bool channels_last;  /* dims are the graph's with axis 1 moved to the end */
	int channel_axis;    /* in dims; -1: none */
	bool real;	     /* float32; else integers lo..hi */
	int64_t lo, hi;
	int64_t base, step;  /* every integer is base + step * k, k >= 0 */
	enum plan_elem elem; /* the smallest plain type that holds it */
	bool holds_codes;    /* set by a style: memory holds the codes k, for base + step * k */
	enum plan_role role;
	int index;	       /* of the graph's input or output */
	struct plan_buf *same; /* shares the memory of this one (reshape); NULL: its own */
	/* Element i of the value, in the graph's order, is element shuffle[i] of the memory; NULL: i. */
	const int64_t *shuffle;
	int born, dies;	      /* indices of the first layer that writes and the last that reads it */
	size_t bytes, offset; /* set by the style: bytes; by plan_place: offset in the arena */
	struct plan_buf *next;
};

/* y = base + step * (number of thresholds t with x >= t), per channel. */
struct plan_activation {
	int64_t channels;  /* rows: 1 or the channels of what it reads */
	int64_t count;	   /* thresholds in a row */
	const int64_t *t;  /* channels x count, ascending, clamped to the range read; else NULL */
	const float *real; /* the same for a float operand */
	int64_t base, step;
	/* The same counts by a multiplication, one line for each row, with one shift for all; NULL: so few thresholds that
	 * comparing costs less, or no line gives the same counts. */
	const struct requantisation *lines;
	int64_t doubt; /* the most that a row has; 0: no row has exceptions */
	const struct node *node;
};

enum plan_kind {
	PLAN_MAC,	/* dense layers, convolutions of any grouping */
	PLAN_DECONV,	/* transposed convolution */
	PLAN_THRESHOLD, /* an activation that is not part of the layer before it */
	PLAN_MAXPOOL,
	PLAN_SUM,     /* sum over a window; sum, maximum or minimum over axes */
	PLAN_BINARY,  /* add, sub, mul, div, max, min, ... of two buffers or a buffer and constants */
	PLAN_UNARY,   /* relu, sigmoid, ... of floats (relu, neg, abs of integers too) */
	PLAN_PRODUCT, /* matrix product of two buffers or a buffer and constants */
	PLAN_SOFTMAX, /* and its logarithm */
	PLAN_TOPK,    /* argmax too */
	PLAN_CONCAT,
	PLAN_MOVE, /* any other rearrangement, as a map */
	PLAN_FORM, /* the operator's own form (ops/form.h) */
};

enum plan_function {
	PLAN_ADD,
	PLAN_SUB,
	PLAN_MUL,
	PLAN_DIV,
	PLAN_MAX,
	PLAN_MIN,
	PLAN_PRELU,
	PLAN_POW,
	PLAN_ABS_DIFF,
	PLAN_AT_LEAST,
	PLAN_AT_MOST, /* of integers: |a - b|, a >= b, a <= b */
	PLAN_COPY,
	PLAN_RELU,
	PLAN_NEG,
	PLAN_ABS,
	PLAN_SIGMOID,
	PLAN_TANH,
	PLAN_EXP,
	PLAN_SQRT,
	PLAN_FLOOR,
	PLAN_CEIL,
	PLAN_ROUND,
	PLAN_ERF,
	PLAN_LEAKY_RELU,
	PLAN_LOG,
	PLAN_SIGN,
	PLAN_RECIPROCAL,
	PLAN_ELU,
	PLAN_SELU,
	PLAN_CELU,
	PLAN_THRESHOLDED_RELU,
	PLAN_HARD_SIGMOID,
	PLAN_HARD_SWISH,
	PLAN_SOFTPLUS,
	PLAN_SOFTSIGN,
	PLAN_MISH,
	PLAN_GELU,
	PLAN_GELU_TANH,
	PLAN_HALVE, /* of even integers */
	PLAN_SHIFT, /* integers divided by 2^k, rounded down */
	/* Casts: floats cut to integers of `bits` bits, which wrap (0 or, of 64 bits, the least for what an int64_t does
	 * not hold); integers wrapped to them; 1 for what is not 0; floats rounded to 11 and 8 bits of significand. */
	PLAN_TRUNCATE,
	PLAN_WRAP,
	PLAN_NONZERO,
	PLAN_FLOAT16,
	PLAN_BFLOAT16,
};

/* Window of a convolution, deconvolution or pool. A dense layer is a 1x1 convolution over rows. */
struct plan_window {
	int64_t ic, ih, iw, oc, oh, ow, kh, kw;
	int64_t stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
	int64_t group;
	int64_t batch;		/* images in the graph's own batch, where it is fixed at more than 1; else 0 */
	bool in_last, out_last; /* channels last in the operand and in the result */
	bool dense;		/* kh = kw = 1, stride 1, no padding, channels last on both sides */
	bool padded;		/* some window reaches beyond the operand */
};

struct plan_layer {
	enum plan_kind kind;
	int index;
	const char *name; /* a C identifier */
	const struct node *node;
	size_t n_in;
	struct plan_buf **in;
	struct plan_buf *out;
	struct plan_buf *out2; /* PLAN_TOPK: the indices (out may be NULL then) */
	/* PLAN_FORM: outputs from the second on, NULL where unused (as out may be). in: inputs that are no constants */
	struct plan_buf **more;
	size_t n_more;
	bool real; /* computes in float */
	struct plan_window window;
	/* MAC, deconv. weights[o][i][y][x], i within the group (deconv: ConvTranspose's weights, rearranged into the
	 * same order) */
	const int64_t *weights;
	const float *real_weights;
	const float *bias;	 /* of a float layer; NULL: none */
	const int64_t *int_bias; /* of an integer layer, oc of them; NULL: none */
	int64_t weight_lo, weight_hi;
	int64_t acc_lo, acc_hi;			/* of the sum (partial sums included), before the activation */
	const int64_t *channel_lo, *channel_hi; /* of the sum, per output channel */
	struct plan_activation *activation;	/* thresholds on the result; THRESHOLD: what it does; NULL: none */
	/* BINARY, UNARY */
	enum plan_function function;
	const double *operand; /* constants of BINARY instead of in[1] (or in[0] if operand_first) */
	int64_t operand_count;
	bool operand_first;
	const int64_t *stride_a, *stride_b; /* per axis of out: strides of the two operands, 0 where repeated */
	double alpha, beta;		    /* attributes of the function */
	int bits;			    /* of TRUNCATE, WRAP */
	bool is_signed;
	/* SUM, SOFTMAX, TOPK, CONCAT: the operand is outer x length x inner. PRODUCT: each sum has length products, whose
	 * operands are step_a and step_b elements apart */
	int64_t outer, length, inner, k;
	int64_t step_a, step_b;
	bool largest;
	bool window_sum; /* SUM over the window instead */
	/* MOVE: element i of out is element map[i] of the operands one behind the other; map[i] < 0: fill[-1 - map[i]] */
	const int64_t *map;
	const double *fill;
	int64_t fill_count;
	struct plan_layer *next;
};

struct plan {
	struct arena arena;
	const struct graph *graph;
	struct graph *own; /* the graph, where the plan made it: one sample of an open batch; or NULL */
	struct plan_buf *bufs, *last_buf;
	struct plan_layer *layers, *last_layer;
	int n_layers, n_bufs;
	struct plan_buf **inputs, **outputs;
	size_t n_inputs, n_outputs;
	bool real;	    /* some layer computes in float (beyond a threshold compare) */
	bool libm;	    /* some layer needs exp or the like */
	size_t arena_bytes; /* set by plan_place */
};

struct plan_options {
	bool channels_last; /* images as N,H,W,C inside */
	bool fuse;	    /* attach thresholds to their producer */
	bool absorb;	    /* a selection of elements before a dense layer becomes columns of weights */
};

/* NULL with diagnostics that name the node that cannot be planned. The graph must outlive the plan. */
struct plan *plan_build(const struct graph *g, const struct plan_options *o, struct diags *d);
void plan_free(struct plan *p);

/* The buffer whose memory b uses. */
struct plan_buf *plan_root(struct plan_buf *b);
/* Lives: born and dies of every root. Called by plan_build. */
void plan_lives(struct plan *p);
/* Gives every inner root with bytes > 0 an offset, a multiple of align (a power of two), such that buffers
 * alive at the same time do not overlap; largest first, each at the lowest free offset. */
void plan_place(struct plan *p, size_t align);

/* Whether every layer can compute several samples as more rows of one; and the change to n of them (batch.c). */
bool plan_takes_samples(const struct plan *p);
void plan_add_samples(struct plan *p, int64_t n);

enum plan_elem plan_elem_for(int64_t lo, int64_t hi);
size_t plan_elem_size(enum plan_elem e);
const char *plan_kind_name(const struct plan_layer *l);
int64_t plan_layer_macs(const struct plan_layer *l);
/* Whether the layer sums floats or takes functions of them, whose last digits depend on the machine's libraries. */
bool plan_layer_rounds(const struct plan_layer *l);
/* How many weights the layer has, and the fewest bits a weight (of them or of the floats) takes. */
int64_t plan_layer_weights(const struct plan_layer *l);
int plan_bits(int64_t lo, int64_t hi);
/* The most samples k of a buffer's values base + step * k: k <= levels - 1. */
static inline int64_t plan_levels(const struct plan_buf *b)
{
	int64_t above;
	if (!b->step)
		return 1;
	return __builtin_sub_overflow(b->hi, b->base, &above) ? INT64_MAX : above / b->step + (above < INT64_MAX);
}

#endif

/* Hardware layers: what the operators of domain finn.custom_op.fpgadataflow are as circuits. One struct
 * describes a layer of any kind (read from a node's attributes, which are FINN's); from it and a choice of
 * parallelism follow its streams, its cycles per frame and its cost. Operators, the folding search,
 * reports and the HLS backend all ask here, so that they cannot disagree. */
#ifndef QCC_HW_HW_H
#define QCC_HW_HW_H

#include "ir/ir.h"
#include "util/integers.h"

enum hw_kind {
	HW_NONE, /* not a hardware layer */
	HW_MVAU,
	HW_VVAU,
	HW_THRESHOLDING,
	HW_SWG,
	HW_FMPADDING,
	HW_PIXELPAD,
	HW_MAXPOOL,
	HW_POOL,
	HW_GLOBALACC,
	HW_ADDSTREAMS,
	HW_ELTWISE,
	HW_CHANNELWISE,
	HW_DUPLICATE,
	HW_CONCAT,
	HW_LABELSELECT,
	HW_UPSAMPLE,
	HW_DOWNSAMPLER,
	HW_LOOKUP,
	HW_DWC,
	HW_FIFO,
};

enum hw_ram { HW_RAM_AUTO, HW_RAM_BLOCK, HW_RAM_DISTRIBUTED, HW_RAM_ULTRA };

/* One way to build a layer. */
struct hw_choice {
	int64_t pe, simd;
	uint8_t ram; /* enum hw_ram: where weights (MVAU, VVAU) or lines (SWG) lie */
	bool dsp;    /* multipliers in DSP slices */
	bool window; /* SWG: a whole window a word (parallel_window) */
};

struct hw_layer {
	const struct node *node;
	enum hw_kind kind;
	int64_t max_pe, max_simd; /* PE and SIMD divide these; 1: the layer has no such parallelism */
	int64_t vectors;	  /* executions of the inner loops per frame */
	int64_t mw, mh;		  /* MVAU, VVAU, Pool: inputs of an output, outputs; others: mh channels */
	int in_bits, weight_bits, out_bits, acc_bits;
	bool in_signed;
	int64_t steps; /* thresholds of a channel; 0: no activation */
	int64_t kernel[2], stride[2], dilation[2], in_dim[2], out_dim[2]; /* rows, columns */
	int64_t pad[4];							  /* FMPadding: top, left, bottom, right */
	bool depthwise;							  /* SWG */
	bool held;	      /* StreamingEltwise: its second input is one vector, which meets every one of the first */
	int64_t elements[2];  /* of all inputs together and of an output, per frame */
	int64_t depth;	      /* FIFO: words; Lookup: entries */
	int64_t widths[2];    /* converter: bits of its input and output words */
	struct hw_choice now; /* what the attributes say */
};

struct hw_cost {
	int64_t cycles;		      /* per frame */
	int64_t lut, bram, uram, dsp; /* bram in RAMB18 */
};

/* A stream of words: bits of an element, elements of a word, words of a frame. */
struct hw_stream {
	int bits;
	int64_t elements, words;
};

/* The kind of a node, HW_NONE where it is no hardware layer. */
enum hw_kind hw_kind_of(const struct node *n);
/* Reads a layer. 0, or -1 with a diagnostic (an attribute missing or impossible). */
int hw_layer_read(const struct node *n, struct hw_layer *l, struct diags *d);
/* Writes a choice into the node's attributes. */
void hw_layer_write(struct node *n, const struct hw_layer *l, const struct hw_choice *c);
/* True where PE and SIMD divide what they must. */
bool hw_choice_fits(const struct hw_layer *l, const struct hw_choice *c);
/* Cycles per frame and resources; formulas and their sources in hw/cost.c. */
struct hw_cost hw_layer_cost(const struct hw_layer *l, const struct hw_choice *c);
/* Stream of input or output i under a choice. */
struct hw_stream hw_input(const struct hw_layer *l, const struct hw_choice *c, size_t i);
struct hw_stream hw_output(const struct hw_layer *l, const struct hw_choice *c, size_t i);
static inline int64_t hw_width(struct hw_stream s)
{
	return s.bits * s.elements;
}
/* Bits of the weight stream a cycle (0: no weights), bits of all weights, and the share of the memory
 * blocks it takes that they fill (1 where it takes none). */
int64_t hw_weight_width(const struct hw_layer *l, const struct hw_choice *c);
int64_t hw_weight_bits(const struct hw_layer *l);
double hw_weight_efficiency(const struct hw_layer *l, const struct hw_choice *c);
/* Streams among a node's inputs come first; this many. */
size_t hw_stream_inputs(const struct hw_layer *l);

/* StreamingConcat: channels of each stream. A word is SIMD channels of one of them (FINN 0.10), or, where the node has no
 * SIMD, all channels of all of them (FINN before). */
const int64_t *hw_concat_parts(const struct node *n, size_t *count);
bool hw_concat_in_turn(const struct hw_layer *l);

/* Datatype that a string attribute names; DT_NONE where it is absent. */
struct datatype hw_datatype(const struct node *n, const char *attribute);
const char *hw_ram_name(enum hw_ram ram);
/* Product of an ints attribute, 1 where absent. */
int64_t hw_product(const struct node *n, const char *attribute);

#endif

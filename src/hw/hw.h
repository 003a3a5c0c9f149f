/* Hardware layers: what the operators of domain finn.custom_op.fpgadataflow are as circuits. One struct describes a
 * layer of any kind (read from a node's attributes, which are FINN's); from it and a choice of parallelism follow its
 * streams, its cycles per frame and its cost. What is specific to a kind is in its file in kinds/ (hw/kind.h).
 * Operators, the folding search, reports and backends all use the functions below, so that they cannot disagree. */
#ifndef QCC_HW_HW_H
#define QCC_HW_HW_H

#include "ir/ir.h"
#include "util/integers.h"

struct hw_kind;

enum hw_ram { HW_RAM_AUTO, HW_RAM_BLOCK, HW_RAM_DISTRIBUTED, HW_RAM_ULTRA };

/* What an element-by-element layer computes: attribute Func (ChannelwiseOp) or eltwiseOp (StreamingEltwise). */
enum hw_function { HW_NO_FUNCTION, HW_ADD, HW_SUB, HW_ABS_DIFF, HW_MUL, HW_AT_LEAST, HW_AT_MOST };

/* One way to build a layer. */
struct hw_choice {
	int64_t pe, simd;
	uint8_t ram; /* enum hw_ram: where weights (MVAU, VVAU) or lines (sliding window) lie */
	bool dsp;    /* multipliers in DSP slices */
	bool window; /* sliding window: a whole window a word (parallel_window) */
};

struct hw_layer {
	const struct node *node;
	const struct hw_kind *kind;
	int64_t max_pe, max_simd; /* PE and SIMD divide these; 1: the layer has no such parallelism */
	int64_t vectors;	  /* executions of the inner loops per frame */
	int64_t mw, mh;		  /* MVAU, VVAU, Pool: inputs of an output, outputs; others: mh channels */
	int in_bits, weight_bits, out_bits, acc_bits;
	bool in_signed;
	enum hw_function function;
	int64_t steps; /* thresholds of a channel; 0: no activation */
	int64_t kernel[2], stride[2], dilation[2], in_dim[2], out_dim[2]; /* rows, columns */
	int64_t pad[4];							  /* FMPadding: top, left, bottom, right */
	bool depthwise;							  /* sliding window */
	bool repeats; /* two streams: the second is one vector a frame, combined with each of the first */
	bool in_turn; /* StreamingConcat: a word holds SIMD channels of one stream (FINN 0.10), else all of all streams */
	int64_t elements[2];  /* of all inputs together and of an output, per frame */
	int64_t depth;	      /* FIFO: words; Lookup: entries */
	int64_t widths[2];    /* converter and FIFO: bits of input and output words */
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

/* The kind of a node, NULL where it is no hardware layer. */
const struct hw_kind *hw_kind_of(const struct node *n);
/* Reads a layer. 0, or -1 with a diagnostic (an attribute missing or impossible). */
int hw_layer_read(const struct node *n, struct hw_layer *l, struct diags *d);
/* Writes a choice into the node's attributes. */
void hw_layer_write(struct node *n, const struct hw_layer *l, const struct hw_choice *c);
/* True where PE and SIMD divide what they must. */
bool hw_choice_fits(const struct hw_layer *l, const struct hw_choice *c);
/* Cycles per frame and resources; formulas and their sources in hw/cost.h. */
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
/* What an element-by-element layer computes, HW_NO_FUNCTION for other nodes and unknown names. */
enum hw_function hw_function_of(const struct node *n);
/* The operator that stands for a layer in FINN-plus: its own type where they agree, NULL where there is none. */
const char *hw_plus_name(const struct node *n);
/* MVAU, VVAU: the accumulator counts equal bits of bipolar inputs and weights instead of adding products. */
bool hw_counts_bits(const struct node *n);

/* Datatype that a string attribute names; DT_NONE where it is absent. */
struct datatype hw_datatype(const struct node *n, const char *attribute);
const char *hw_ram_name(enum hw_ram ram);
/* Reshape, Flatten, Squeeze, Unsqueeze, Identity: the same elements in the same order; no hardware at all. */
bool hw_is_view(const struct node *n);
/* A Shuffle's order: loops, the outermost first, of such lengths, each step of which goes so many words on in what was read; words
 * of simd elements. Returns how many loops; 0 where the attributes are wrong. */
int hw_shuffle_loops(const struct node *n, int64_t simd, int64_t lengths[MAX_RANK], int64_t steps[MAX_RANK]);
/* A FIFO. */
bool hw_is_queue(const struct node *n);
/* What v holds, looking through reshapes and FIFOs: the value that a layer or the host computes. */
const struct value *hw_value_behind(const struct value *v);
/* The hardware node that writes what v holds, looking through views; NULL: the host does, or it is an input. */
struct node *hw_stream_producer(const struct value *v);

#endif

/* The memories of a layer: weights, thresholds, constants and tables as packed words in the order in which the circuit reads
 * them. They are computed here once; the HLS backend prints them as C arrays, a Verilog backend as .hex files.
 *
 * A memory has `banks` banks that are read side by side, bank b by processing element b. A bank has `words` words, read one
 * a cycle (weights) or one a result (the others), from address 0 up, again for each vector. A word has `elements` elements
 * of `bits` bits; element 0 is in the lowest bits. An element is coded in two's complement, a bipolar one as 0 for -1 and 1
 * for +1. Outputs are distributed over the banks in turn, as FINN does: output o belongs to bank o % PE.
 *
 *   weights (MVAU, VVAU)	banks PE, words (MH / PE) * (MW / SIMD), elements SIMD:
 *				word w holds inputs (w % (MW / SIMD)) * SIMD ... of output w / (MW / SIMD) * PE + bank
 *   thresholds			banks PE, words channels / PE, elements steps, ascending
 *   constants (ChannelwiseOp)	banks PE, words channels / PE, elements 1
 *   table (Lookup)		banks 1, words entries, elements EmbeddingDim */
#ifndef QCC_HW_MEMORY_H
#define QCC_HW_MEMORY_H

#include "hw/hw.h"

enum { HW_MEMORIES = 2 }; /* most of a layer */

enum hw_memory_role { HW_WEIGHTS, HW_THRESHOLDS, HW_CONSTANTS, HW_TABLE };

struct hw_memory;

/* Where that element of that word lies in the constant. */
typedef int64_t hw_source_fn(const struct hw_layer *l, const struct hw_memory *m, int64_t bank, int64_t word,
			     int64_t element);

struct hw_memory {
	enum hw_memory_role role;
	size_t input;	      /* of the node: the constant it is made of */
	struct datatype type; /* of an element; DT_NONE before packing: the smallest that holds all */
	int bits;	      /* of an element */
	int64_t banks, words, elements;
	hw_source_fn *source;
	int64_t lo, hi; /* the least and the largest number in it */
	int64_t count;	/* elements of the constant */
	int64_t chunks; /* 64-bit parts of a word, the lowest first */
	uint64_t *data; /* [banks][words][chunks] */
};

/* Packs the memories of a layer as the choice in its attributes asks; returns how many there are, or -1 with a diagnostic
 * (a constant is missing, or an element does not fit its datatype). Free each with hw_memory_free. */
int hw_memories(const struct hw_layer *l, struct hw_memory out[HW_MEMORIES], struct diags *d);
void hw_memory_free(struct hw_memory *m);
/* "weights", "thresholds", "constants", "table" */
const char *hw_memory_name(const struct hw_memory *m);
/* Bits of a word. */
static inline int64_t hw_memory_width(const struct hw_memory *m)
{
	return m->bits * m->elements;
}
/* The chunks of a word. */
static inline const uint64_t *hw_memory_word(const struct hw_memory *m, int64_t bank, int64_t word)
{
	return m->data + (bank * m->words + word) * m->chunks;
}
/* The number that an element holds, decoded. */
int64_t hw_memory_at(const struct hw_memory *m, int64_t bank, int64_t word, int64_t element);
/* The code of x: two's complement in the datatype's bits, or 0 and 1 for -1 and +1. */
uint64_t hw_code(struct datatype t, double x);

/* ---- sources that kinds share ---- */
/* Rows [channels][elements] of the constant, one for all channels where it has one: channel word * PE + bank. */
hw_source_fn hw_source_rows;

#endif

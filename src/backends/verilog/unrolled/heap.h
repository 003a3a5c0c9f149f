/* A heap of bits that are to be added: for each power of two a column of literals. */
#ifndef QCC_BACKENDS_VERILOG_UNROLLED_HEAP_H
#define QCC_BACKENDS_VERILOG_UNROLLED_HEAP_H

#include "backends/verilog/unrolled/netlist.h"

struct heap {
	struct heap_column {
		lit *items;
		size_t count, capacity;
	} columns[CHAIN_COLUMNS];
	int64_t constant; /* that is added as well */
};

void heap_free(struct heap *h);
/* Adds the number, negated or not, times 2^shift. Its offset goes into the constant. */
void heap_add(struct heap *h, struct net_number x, int shift, bool negative);
/* The heap's sum modulo 2^n_bits, without its constant: that is for the caller to put in (heap_put_constant) or to remember. */
struct net_number heap_sum(struct heap *h, struct netlist *n, int n_bits);
/* Puts the non-negative c into the columns. */
void heap_put_constant(struct heap *h, int64_t c);

#endif

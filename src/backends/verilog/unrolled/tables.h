/* Neurons of few input bits as truth tables. */
#ifndef QCC_BACKENDS_VERILOG_UNROLLED_TABLES_H
#define QCC_BACKENDS_VERILOG_UNROLLED_TABLES_H

#include "backends/verilog/unrolled/activate.h"

enum { TABLE_BITS = 12 }; /* the most that a table may have */

/* An input of a neuron, which is never below lo or above hi. */
struct table_term {
	int64_t weight;
	const struct net_number *x;
	int64_t lo, hi;
};

/* Bits on which the sum of the terms depends. */
int table_bits(const struct table_term *terms, size_t count);
/* Adds what the sum of the terms is at the least and at the most. */
void table_add_range(const struct table_term *terms, size_t count, int64_t *lo, int64_t *hi);
/* How many thresholds the sum of the terms and a constant reaches, in so many bits, as one table. What inputs never are may give
 * anything; it gives what the nearest number gives that they can be, which lets steps end where inputs end. */
void table_count(struct netlist *n, const struct table_term *terms, size_t count, int64_t constant,
		 const struct activation *a, lit *out, int bits);

#endif

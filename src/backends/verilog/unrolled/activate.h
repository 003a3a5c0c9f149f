/* Thresholds as circuits. */
#ifndef QCC_BACKENDS_VERILOG_UNROLLED_ACTIVATE_H
#define QCC_BACKENDS_VERILOG_UNROLLED_ACTIVATE_H

#include "backends/verilog/unrolled/netlist.h"

/* A row's thresholds, ascending, and the range of what is compared with them. */
struct activation {
	const int64_t *thresholds;
	int64_t steps;
	int64_t lo, hi;
	/* Where thresholds repeat after 2^period of them, 2^width further on: what the number's offset has to be; else 0, 0. */
	int period, width;
	int64_t offset;
};

/* Finds out whether the thresholds repeat. */
void activation_plan(struct activation *a);
/* How many thresholds x reaches, in so many bits. Where they repeat x has the offset that the plan asks for. */
void activation_count(struct netlist *n, const struct activation *a, struct net_number x, lit *out, int bits);

#endif

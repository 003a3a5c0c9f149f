/* What is told about a network: report.json, and the table on the terminal made from it. */
#ifndef QCC_CLI_REPORT_H
#define QCC_CLI_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "passes/certify.h"

/* What the terminal shows of the layers: the first and last of them, and the totals {nodes, layers, params, macs,
 * weight_bits}, in which constants that layers share count once; of a folded network also {folding, LUT, BRAM_18K}. */
struct report_table {
	json_t *first, *last;
	size_t layers; /* how many there are in all */
	json_t *totals;
};

/* Hands an object for each layer to take, one after the other: of a node with multiplications, thresholds or per-channel
 * parameters. Members: name, op, input, weights, output (datatypes), weight_shape, output_shape, params, macs,
 * weight_bits, and PE, SIMD, cycles, LUT, BRAM_18K where the network is folded; passes is the array that pipeline_run
 * filled, which tells of the folding (NULL: none). */
void report_collect(struct report_table *t, const struct graph *g, const json_t *passes,
		    void (*take)(void *user, json_t *layer), void *user);
void report_table_free(struct report_table *t);
void report_print(const struct report_table *t, FILE *out);
/* One line with the time of each pass, and what passes nested in them took is left out. */
void report_print_passes(const json_t *passes, FILE *out);
/* What goes into report.json: the members, and lists as long as the network, which are made while they are written. */
struct report {
	json_t *members;
	const struct certificates *certificates; /* NULL: not asked for */
	const struct graph *graph;
};

/* Members indented by 2, a line for each layer and certificate; through a temporary name. Fills the table, which the
 * caller frees in any case. 0, or -1 with a diagnostic. */
int report_write(const struct report *r, struct report_table *t, const char *path, struct diags *d);

#endif

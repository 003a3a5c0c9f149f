/* What is told about a network: report.json, and the table on the terminal made from it. */
#ifndef QCC_CLI_REPORT_H
#define QCC_CLI_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "ir/ir.h"

/* An object for each layer: a node with multiplications, thresholds or per-channel parameters. Members: name, op, input,
 * weights, output (datatypes), weight_shape, output_shape, params, macs, weight_bits, and PE, SIMD, cycles where
 * the network is folded. A new reference. */
json_t *report_layers(const struct graph *g);
/* {nodes, layers, params, macs, weight_bits}; constants that layers share count once. A new reference. */
json_t *report_totals(const struct graph *g, const json_t *layers);
/* Takes cycles and cost of each layer, and the network's rate, from the report of the last pass that folded: passes is
 * the array that pipeline_run filled. Adds members to the layers, and to the totals an object "folding". */
void report_add_folding(json_t *layers, json_t *totals, const json_t *passes);
/* The table of the layers and the totals. */
void report_print(const json_t *layers, const json_t *totals, FILE *out);
/* One line with the time of each pass, and what passes nested in them took is left out. */
void report_print_passes(const json_t *passes, FILE *out);
/* Indented by 2, through a temporary name. 0, or -1 with a diagnostic. */
int report_write(const json_t *report, const char *path, struct diags *d);

#endif

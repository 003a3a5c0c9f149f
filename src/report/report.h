/* The report on a network: what was done to it, and what came out. It is built once, when the passes are done and before
 * the backends run, which get it to read (backends/backend.h); the table on the terminal, report.json (docs/report.md
 * describes its members), the library's qcc_report and the page of the html backend print it.
 *
 *     struct report *r = report_new(path);
 *     graph_mark_sources(g);                          as read, so that layers know where they come from
 *     ... pipeline_run(..., r->passes, ...)
 *     report_describe(r, g);                          types, shapes, folding, cost of the graph as it is now
 *     backend_list_emit(..., r, ...)
 *     report_write(r, "out/report.json", d), report_print(r, stdout)
 *     report_free(r);
 *
 * Everything in it is its own: it holds no pointer into the graph, which may change or go. */
#ifndef QCC_REPORT_REPORT_H
#define QCC_REPORT_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "passes/certify.h"
#include "pipeline/pipeline.h"
#include "report/history.h"

enum { REPORT_VERSION = 1 }; /* member "version"; it grows where a member changes its meaning or goes */

/* A value that a layer reads or writes. */
struct report_value {
	const char *
		type; /* "INT2", "FLOAT32", "INT64": the datatype, else the storage type; NULL: there is no such value */
	int rank;     /* -1: not known */
	const int64_t *dims; /* -1 where not known */
};

/* A node with products, thresholds or parameters per channel, and every hardware layer. Numbers that are not known, or
 * that the layer does not have, are -1. */
struct report_layer {
	const char *name, *op;
	struct report_value input, weights, output; /* weights: with the shape of the constant */
	int64_t params;				    /* elements of its constants */
	int64_t macs, weight_bits;
	bool has_range; /* of the output: lo and hi hold in all channels */
	double lo, hi;
	const char *const *origin; /* nodes of the file that was read whose work this layer does, by name */
	size_t n_origin;
	int64_t pe, simd, cycles, lut, bram_18k, uram, dsp; /* hardware layers */
	const json_t *folding; /* all that the fold pass tells of it (borrowed from passes); NULL: not folded */
};

/* Over all layers; constants that layers share count once. */
struct report_totals {
	int64_t nodes, params, macs, weight_bits;
	int64_t lut, bram_18k, uram, dsp; /* of a folded network, else -1 */
	const json_t *folding;		  /* what the fold pass tells of the network (borrowed); NULL: not folded */
};

struct report {
	struct arena arena;
	const char *model;    /* the file, as it was named */
	const char *pipeline; /* the list of passes with aliases resolved; "" where none was given */
	json_t *passes;	      /* array that pipeline_run fills, one object for each pass */
	struct report_layer *layers;
	size_t n_layers;
	struct report_totals totals;
	bool certify; /* --certify was asked for */
	struct certificates certificates;
	struct verification verification; /* samples 0: nothing was compared */
	json_t *backends;		  /* object, filled while the backends run: one member for each */
	struct history
		*history; /* report/history.h: what the graph was like after each pass; NULL: nobody asked for it */
	json_t *left_out; /* object: why a backend that nobody named did not run, by its name */
};

struct report *report_new(const char *model);
void report_free(struct report *r); /* NULL is fine */
/* Types the values where nobody has done so far: report and backends tell types. What cannot be inferred is no error here. */
void report_infer(struct graph *g);
/* Takes layers and totals from the graph, and of folding from r->passes. May be called again. */
void report_describe(struct report *r, const struct graph *g);

/* All of it. A new reference; large for a large network: report_write makes its lists while it writes them. */
json_t *report_json(const struct report *r);
/* report.json: members indented by 2, a line for each layer and certificate. 0, or -1 with a diagnostic. */
int report_write(const struct report *r, const char *path, struct diags *d);

/* The table of layers; notes and times of the passes; what was verified and certified ("verified: 4 passes, 16 samples
 * equal; certified: 7 layers, 128,064 points"); the backends that ran and why others did not. Each a few lines or none. */
void report_print_layers(const struct report *r, FILE *out);
void report_print_passes(const struct report *r, FILE *out);
void report_print_proof(const struct report *r, FILE *out);
void report_print_backends(const struct report *r, FILE *out);

#endif

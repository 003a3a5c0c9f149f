/* The folding of a graph: its hardware layers, the units that are folded together, their options, and what a
 * choice among them amounts to. The pass fold is a user of this; so are its report and its Pareto front. */
#ifndef QCC_HW_FOLDING_H
#define QCC_HW_FOLDING_H

#include <jansson.h>

#include "hw/hw.h"
#include "hw/search.h"

/* A layer, or a sliding window and the VVAU or Pool that reads it, which share PE and SIMD. */
struct folding_unit {
	struct node *nodes[2];
	struct hw_layer layers[2];
	size_t count;
	struct hw_choice (*choices)[2];	/* for each option, each node's choice */
};

struct folding {
	struct folding_unit *units;
	struct fold_unit *options;
	size_t count;
	double clock_mhz;
};

/* What the options may use. */
struct folding_rules {
	int64_t max_stream_bits;	/* 0: any width */
	int64_t limit[FOLD_RESOURCES];	/* -1: none */
};

/* Reads all hardware layers of g and lists their options. 0, or -1 with a diagnostic. */
int folding_read(struct folding *f, struct graph *g, const struct folding_rules *rules, struct diags *d);
void folding_free(struct folding *f);
struct fold_problem folding_problem(const struct folding *f, const struct folding_rules *rules);
/* Writes the chosen options into the nodes. */
void folding_write(const struct folding *f, const size_t *chosen);

/* Frames per second at the clock when the slowest layer takes that many cycles. */
static inline double folding_fps(const struct folding *f, int64_t cycles)
{
	return f->clock_mhz * 1e6 / (double)(cycles > 0 ? cycles : 1);
}

/* Adds layers and network of a folded graph (as its attributes say) to a report. 0, or -1 with a diagnostic. */
int folding_report(const struct graph *g, double clock_mhz, json_t *report, struct diags *d);
/* Cycles per frame of the slowest layer and summed resources of a choice. */
struct hw_cost folding_cost(const struct folding *f, const size_t *chosen);
/* Adds to report what padding MW or MH to a number with better divisors would gain within the bound. */
void folding_offers(const struct folding *f, const size_t *chosen, int64_t cycles, json_t *report,
		    struct diags *d);
/* The first MVAU where padding its MW to *to gains, as folding_offers would say; NULL where it does not. */
struct node *folding_offer_first(const struct folding *f, const size_t *chosen, int64_t cycles, int64_t *to);
/* Pads MW of an MVAU that the host feeds: constants joined to its input (by the host), rows of zeros to its weights. False
 * where that cannot be: bipolar weights have no zero, and another layer's stream has no room. */
bool folding_pad(struct node *mvau, int64_t to);
/* Writes the Pareto front (cycles against LUTs) as CSV, and a plot beside it as SVG. 0, or -1. */
int folding_pareto(const struct folding *f, const struct folding_rules *rules, const char *path, struct diags *d);

/* Resources of an FPGA by its part name (as far as its speed and package follow: "xc7z020clg400-1") or board
 * name; false where unknown. */
bool part_resources(const char *name, int64_t limit[FOLD_RESOURCES]);
/* All known names, for diagnostics. */
const char *part_names(void);

/* folding_config.json as FINN reads and writes it. 0, or -1 with a diagnostic. */
int folding_config_write(const struct graph *g, const char *path, struct diags *d);
int folding_config_apply(struct graph *g, const char *path, size_t *changes, struct diags *d);

#endif

/* The folding of a graph: its hardware layers, the units that are folded together, their options, and the cost of a
 * choice among them. The pass fold is a user of this; so are its report and its Pareto front. */
#ifndef QCC_HW_FOLDING_H
#define QCC_HW_FOLDING_H

#include <jansson.h>

#include "hw/hw.h"
#include "hw/search.h"
#include "util/vec.h"

/* A layer, or a sliding window and the VVAU or Pool that reads it, which share PE and SIMD. */
struct folding_unit {
	struct node *nodes[2];
	struct hw_layer layers[2];
	size_t count;
	struct hw_choice (*choices)[2]; /* for each option, each node's choice */
};

struct folding {
	struct folding_unit *units;
	struct fold_unit *options;
	size_t count;
	double clock_mhz;
};

/* What the options may use. */
struct folding_rules {
	int64_t max_stream_bits;       /* 0: any width */
	int64_t limit[FOLD_RESOURCES]; /* -1: none */
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

struct design;
/* Adds layers and network of a folded graph (as its attributes say) to a report: latency, clock and part from its design
 * (hw/design.h), which the first reads itself, simulating small ones alone. 0, or -1 with a diagnostic. */
int folding_report(const struct graph *g, json_t *report, struct diags *d);
int folding_report_design(const struct graph *g, const struct design *p, json_t *report, struct diags *d);
/* Cycles per frame of the slowest layer and summed resources of a choice. */
struct hw_cost folding_cost(const struct folding *f, const size_t *chosen);
/* A number that has better divisors when it grows: MW of a unit's MVAU (columns), or its MH and the MW of unit next. */
struct fold_padding {
	size_t unit, next;
	bool columns;
	int64_t from, to;
	int64_t before, after; /* LUTs of the layers concerned; before -1: the bound cannot be met */
};

struct fold_paddings {
	struct fold_padding *items;
	size_t count, capacity;
};

/* Lists what padding would gain within the bound, in the memories of the choice (NULL: those the attributes say). */
void folding_paddings(const struct folding *f, const struct folding_rules *rules, const size_t *chosen, int64_t cycles,
		      struct fold_paddings *list);
/* Sets the numbers of the folding's layers, not of the graph, to `to` (or back to `from`), and lists the options
 * again. 0, or -1 where a layer has none. */
int folding_resize(struct folding *f, const struct fold_paddings *list, bool back, const struct folding_rules *rules);
/* An MVAU as it would be with other numbers. */
struct hw_layer folding_resized(const struct hw_layer *l, int64_t mw, int64_t mh);
/* Whether no stream of the choice is wider; 0: any width. */
bool folding_streams_fit(const struct hw_layer *l, const struct hw_choice *c, int64_t max_bits);
/* Whether MW of an MVAU that the host feeds, or MH of one and MW of the only reader of its output, can grow without
 * changing an output (hw/padding.c says when), and doing it. */
bool folding_pads_input(const struct node *mvau);
bool folding_pads_output(const struct node *mvau, const struct node *reader);
void folding_pad_input(struct node *mvau, int64_t to);
void folding_pad_output(struct node *mvau, struct node *reader, int64_t to);
/* Pads the graph as listed. */
void folding_pad(const struct folding *f, const struct fold_paddings *list);
/* Writes the Pareto front (cycles against LUTs) as CSV, and a plot beside it as SVG. 0, or -1. */
int folding_pareto(const struct folding *f, const struct folding_rules *rules, const char *path, struct diags *d);

/* folding_config.json as FINN reads and writes it. 0, or -1 with a diagnostic. */
int folding_config_write(const struct graph *g, const char *path, struct diags *d);
int folding_config_apply(struct graph *g, const char *path, size_t *changes, struct diags *d);

#endif

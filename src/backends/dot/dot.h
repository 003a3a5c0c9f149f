/* Pictures of graphs in Graphviz's DOT language: what the command line (stage files, --dump-after) and
 * the backend call. */
#ifndef QCC_BACKENDS_DOT_DOT_H
#define QCC_BACKENDS_DOT_DOT_H

#include "ir/ir.h"

struct report;

/* All members may be left out: {0} and NULL stand for the whole graph from top to bottom. */
struct dot_options {
	const char *rankdir;	      /* Graphviz's direction: TB, LR, BT, RL; NULL: TB */
	const char *from, *to;	      /* names of nodes or values: what lies on a path between them; NULL: no end */
	bool legend;		      /* what the colours mean */
	bool collapse;		      /* a repeated block is one box */
	const struct report *results; /* cycles and resources of hardware layers; NULL: left out */
};

/* Writes one node per operator to path, constants folded into the nodes that read them, types on the
 * edges, through a temporary name. The same graph gives the same text. Linear in nodes and edges. 0, or
 * -1 with diagnostics. */
int dot_write(const struct graph *g, const char *path, struct diags *d);

/* The same as text, malloc'd; NULL with diagnostics where there is nothing to draw. */
char *dot_text_of(const struct graph *g, const struct dot_options *o, struct diags *d);
char *dot_text(const struct graph *g);

/* The picture of such a text, laid out and drawn by Graphviz as "svg", "png" or "pdf"; malloc'd, a 0 behind its size bytes.
 * NULL with diagnostics. Layout costs more than linear time: dot_svg refuses a graph of more than DOT_DRAWN_NODES nodes. */
char *dot_draw(const char *text, const char *format, size_t *size, struct diags *d);
char *dot_svg(const struct graph *g, struct diags *d);

enum { DOT_DRAWN_NODES = 4000 };
/* 0, or -1 with a diagnostic that there are too many nodes to be drawn. */
int dot_check_size(const struct graph *g, struct diags *d);

#endif

/* Pictures of graphs in Graphviz's DOT language: what the command line (stage files, --dump-after) and
 * the backend call. */
#ifndef QCC_BACKENDS_DOT_DOT_H
#define QCC_BACKENDS_DOT_DOT_H

#include "ir/ir.h"

/* Writes one node per operator to path, constants folded into the nodes that read them, types on the
 * edges, through a temporary name. The same graph gives the same text. Linear in nodes and edges. 0, or
 * -1 with diagnostics. */
int dot_write(const struct graph *g, const char *path, struct diags *d);
/* The same picture laid out and drawn as SVG. Layout costs more than linear time: a graph of more than
 * DOT_SVG_NODES nodes is refused. */
int dot_write_svg(const struct graph *g, const char *path, struct diags *d);

/* The same as text, malloc'd; the second NULL with diagnostics. */
char *dot_text(const struct graph *g);
char *dot_svg(const struct graph *g, struct diags *d);

enum { DOT_SVG_NODES = 4000 };

#endif

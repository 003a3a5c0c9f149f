/* What the files of the DOT backend share: roles of nodes, texts of labels. */
#ifndef QCC_BACKENDS_DOT_PICTURE_H
#define QCC_BACKENDS_DOT_PICTURE_H

#include "ir/ir.h"
#include "util/strbuf.h"

/* How a node takes part in the integer network; decides its colour. */
enum dot_role {
	DOT_FLOAT,     /* floating point before, behind or without an integer part */
	DOT_QUANTISER, /* real numbers come in or go out, integers on the other side */
	DOT_INTEGER,   /* reads and writes integers only */
	DOT_LEFTOVER,  /* floating point between the first quantiser and the last integer node */
};

/* The role of each node, indexed by node id; malloc'd. O(nodes + uses). */
enum dot_role *dot_roles(const struct graph *g);

/* Where a text stands: inside an HTML-like label or between quotes. */
enum dot_place { DOT_HTML, DOT_QUOTED };

/* All of these append. HTML-like label of a node: operator, name, attributes, constants. */
void dot_node_label(struct strbuf *b, const struct node *n);
/* Plain text: "UINT2 1x64". */
void dot_value_label(struct strbuf *b, const struct value *v);
/* The text escaped for its place, control characters and broken UTF-8 replaced, cut to a readable length. */
void dot_clean_text(struct strbuf *b, const char *text, enum dot_place place);

#endif

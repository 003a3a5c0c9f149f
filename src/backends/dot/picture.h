/* What the files of the DOT backend share: roles of nodes, texts of labels. */
#ifndef QCC_BACKENDS_DOT_PICTURE_H
#define QCC_BACKENDS_DOT_PICTURE_H

#include "ir/ir.h"

/* How a node takes part in the integer network; decides its colour. */
enum dot_role {
	DOT_FLOAT,		/* floating point before, behind or without an integer part */
	DOT_QUANTISER,		/* real numbers come in or go out, integers on the other side */
	DOT_INTEGER,		/* reads and writes integers only */
	DOT_LEFTOVER,		/* floating point between the first quantiser and the last integer node */
};

/* The role of each node, indexed by node id; malloc'd. O(nodes + uses). */
enum dot_role *dot_roles(const struct graph *g);

/* HTML-like label of a node: operator, name, attributes, constants. malloc'd, like all of these. */
char *dot_node_label(const struct node *n);
/* Plain text: "UINT2 1x64". */
char *dot_value_label(const struct value *v);
/* The text with control characters and broken UTF-8 replaced, cut to a readable length. */
char *dot_clean_text(const char *text);

#endif

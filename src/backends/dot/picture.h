/* What the files of the DOT backend share: texts of labels. */
#ifndef QCC_BACKENDS_DOT_PICTURE_H
#define QCC_BACKENDS_DOT_PICTURE_H

#include "ir/ir.h"
#include "util/strbuf.h"

/* Where a text stands: inside an HTML-like label or between quotes. */
enum dot_place { DOT_HTML, DOT_QUOTED };

struct report_layer;
struct group;

/* Which nodes lie on a path from one name to another, by node id; malloc'd. NULL: no end. NULL with a diagnostic where a
 * name is not known or no path leads there. */
bool *dot_select(const struct graph *g, const char *from, const char *to, struct diags *d);

/* All of these append. HTML-like label of a node: operator, name, attributes, constants, and what the report says of it
 * (NULL: nothing). */
void dot_node_label(struct strbuf *b, const struct node *n, const struct report_layer *layer);
/* HTML-like label of a repeated block that is one box. */
struct dot_sum {
	int64_t macs, cycles, lut; /* of all its nodes; cycles: of the slowest; -1: not known */
};
void dot_group_label(struct strbuf *b, const struct group *group, const struct dot_sum *sum);
/* Plain text: "UINT2 1x64". */
void dot_value_label(struct strbuf *b, const struct value *v);
/* The text escaped for its place, control characters and broken UTF-8 replaced, cut to a readable length. */
void dot_clean_text(struct strbuf *b, const char *text, enum dot_place place);

#endif

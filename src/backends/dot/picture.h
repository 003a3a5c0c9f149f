/* What the files of the DOT backend share: texts of labels. */
#ifndef QCC_BACKENDS_DOT_PICTURE_H
#define QCC_BACKENDS_DOT_PICTURE_H

#include "ir/ir.h"
#include "util/strbuf.h"

/* Where a text stands: inside an HTML-like label or between quotes. */
enum dot_place { DOT_HTML, DOT_QUOTED };

/* All of these append. HTML-like label of a node: operator, name, attributes, constants. */
void dot_node_label(struct strbuf *b, const struct node *n);
/* Plain text: "UINT2 1x64". */
void dot_value_label(struct strbuf *b, const struct value *v);
/* The text escaped for its place, control characters and broken UTF-8 replaced, cut to a readable length. */
void dot_clean_text(struct strbuf *b, const char *text, enum dot_place place);

#endif

/* What the files that read ONNX's textual form share. Functions that fail have said the error. */
#ifndef QCC_IR_TEXT_PARSE_H
#define QCC_IR_TEXT_PARSE_H

#include "ir/text_lex.h"

struct parser {
	struct lexer l;
	struct graph *graph;
	bool default_opsets;
	struct {
		struct value **items;
		size_t count, capacity;
	} inputs, outputs;
};

/* A tensor's type as written. */
struct type {
	enum elem_type elem;
	int rank;
	int64_t dims[MAX_RANK];
	const char *params[MAX_RANK];
	bool is_symbolic;
	struct datatype datatype;
	enum layout layout;
};

/* What follows the element type's name, which is in l->word. */
bool text_type(struct parser *p, struct type *t);
void text_set_type(struct parser *p, struct value *v, const struct type *t);
/* `{1,2,3}`, the elements of `name`; NULL with the error said. */
struct tensor *text_elements(struct parser *p, const struct type *t, const char *name);
/* `<a = 1, b = "c">`, appended to the list; nothing where there is no '<'. */
bool text_attrs(struct parser *p, struct attr **list);

#endif

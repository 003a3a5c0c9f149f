/* The lexer of ONNX's textual form, and diagnostics with line and column. */
#ifndef QCC_IR_TEXT_LEX_H
#define QCC_IR_TEXT_LEX_H

#include "ir/ir.h"
#include "util/strbuf.h"

struct lexer {
	const char *text, *at, *end;
	struct diags *diags;
	struct strbuf word; /* of lex_name and lex_string */
	bool failed;	    /* an error was said; say no other */
};

/* One diagnostic at the present position, with its line and column; always false. */
bool lex_error(struct lexer *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Skips blanks and #-comments. */
char lex_peek(struct lexer *l);
bool lex_accept(struct lexer *l, char c);
bool lex_expect(struct lexer *l, char c);
bool lex_accept_word(struct lexer *l, const char *word); /* punctuation of several characters */
/* An identifier, or a string in double quotes; into l->word. */
bool lex_name(struct lexer *l, const char *what);
bool lex_string(struct lexer *l);
bool lex_is_name(struct lexer *l);
bool lex_integer(struct lexer *l, int64_t *out); /* up to UINT64_MAX, wrapped */
/* A number; *is_real where it has a point, an exponent, or is inf or nan. */
bool lex_number(struct lexer *l, double *real, int64_t *integer, bool *is_real);

#endif

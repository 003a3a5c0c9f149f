/* The lexer of ONNX's textual form: identifiers, quoted strings, numbers, punctuation, comments. */
#include "ir/text_lex.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool lex_error(struct lexer *l, const char *format, ...)
{
	if (l->failed)
		return false;
	l->failed = true;
	unsigned line = 1, column = 1;
	for (const char *p = l->text; p < l->at; p++, column++)
		if (*p == '\n') {
			line++;
			column = 0;
		}
	struct strbuf cause = { 0 };
	va_list args;
	va_start(args, format);
	strbuf_vprintf(&cause, format, args);
	va_end(args);
	diag_error(l->diags, NULL, "line %u, column %u: %s", line, column, cause.text);
	strbuf_free(&cause);
	return false;
}

char lex_peek(struct lexer *l)
{
	for (;;) {
		while (isspace((unsigned char)*l->at))
			l->at++;
		if (*l->at != '#')
			return *l->at;
		l->at += strcspn(l->at, "\n");
	}
}

bool lex_accept(struct lexer *l, char c)
{
	if (lex_peek(l) != c)
		return false;
	l->at++;
	return true;
}

/* What comes next, for a message. */
static const char *next_word(struct lexer *l, char buffer[24])
{
	char c = lex_peek(l);
	size_t n = 1;
	if (!c)
		return "the end of the text";
	while (n < 16 && (isalnum((unsigned char)c) || c == '_') &&
	       (isalnum((unsigned char)l->at[n]) || l->at[n] == '_'))
		n++;
	buffer[0] = '\'';
	memcpy(buffer + 1, l->at, n);
	memcpy(buffer + 1 + n, "'", 2);
	return buffer;
}

bool lex_expect(struct lexer *l, char c)
{
	char found[24];
	return lex_accept(l, c) || lex_error(l, "'%c' expected, not %s", c, next_word(l, found));
}

bool lex_accept_word(struct lexer *l, const char *word)
{
	lex_peek(l);
	if (strncmp(l->at, word, strlen(word)) != 0)
		return false;
	l->at += strlen(word);
	return true;
}

static void word_clear(struct lexer *l)
{
	l->word.length = 0;
	strbuf_add(&l->word, "", 0);
}

bool lex_string(struct lexer *l)
{
	char found[24];
	if (lex_peek(l) != '"')
		return lex_error(l, "a string in double quotes expected, not %s", next_word(l, found));
	const char *start = l->at++;
	word_clear(l);
	for (; *l->at != '"'; l->at++) {
		if (*l->at == '\\')
			l->at++;
		if (!*l->at) {
			l->at = start;
			return lex_error(l, "this string has no end");
		}
		strbuf_add(&l->word, l->at, 1);
	}
	l->at++;
	return true;
}

bool lex_is_name(struct lexer *l)
{
	char c = lex_peek(l);
	return isalpha((unsigned char)c) || c == '_' || c == '"';
}

bool lex_name(struct lexer *l, const char *what)
{
	char found[24];
	if (!lex_is_name(l))
		return lex_error(l, "%s expected, not %s", what, next_word(l, found));
	if (*l->at == '"')
		return lex_string(l);
	size_t n = 0;
	while (isalnum((unsigned char)l->at[n]) || l->at[n] == '_')
		n++;
	word_clear(l);
	strbuf_add(&l->word, l->at, n);
	l->at += n;
	return true;
}

bool lex_integer(struct lexer *l, int64_t *out)
{
	double real;
	bool is_real;
	const char *start = (lex_peek(l), l->at);
	if (!lex_number(l, &real, out, &is_real))
		return false;
	if (!is_real)
		return true;
	l->at = start;
	return lex_error(l, "an integer expected");
}

bool lex_number(struct lexer *l, double *real, int64_t *integer, bool *is_real)
{
	char found[24], *end, *int_end;
	lex_peek(l);
	*real = strtod(l->at, &end);
	if (end == l->at || strncmp(l->at, "0x", 2) == 0)
		return lex_error(l, "a number expected, not %s", next_word(l, found));
	errno = 0;
	*integer = *l->at == '-' ? strtoll(l->at, &int_end, 10) : (int64_t)strtoull(l->at, &int_end, 10);
	*is_real = int_end != end;
	if (!*is_real && errno)
		return lex_error(l, "this integer does not fit into 64 bits");
	l->at = end;
	return true;
}

/* Names of a model in generated files. A model's names are any bytes; identifiers of C and C++ are made from them,
 * and comments and strings get them escaped, so that a name can never become code. */
#ifndef QCC_UTIL_IDENTIFIER_H
#define QCC_UTIL_IDENTIFIER_H

#include <stdbool.h>

#include "util/arena.h"
#include "util/map.h"
#include "util/strbuf.h"

/* An identifier: every byte but ASCII letters and digits becomes '_'. `lead` goes in front where the text is empty or
 * starts with a digit. */
char *identifier_from(struct arena *a, const char *text, const char *lead);
/* The same for a name that stands alone at file scope, or that files are named after: `lead` and '_' go also in front of
 * keywords of C and C++, of names that their standard headers define, of the headers' own names and of names with two
 * leading underscores. */
char *identifier_alone(struct arena *a, const char *text, const char *lead);
/* Adds a name to the set of those that are taken; identifier_unique keeps in its values which numbers it has tried. */
void identifier_take(struct map *taken, const char *name);
/* The name, or the name with the first of _1, _2, ... such that neither it nor what further names are made of it with one
 * of the suffixes (NULL ends them; NULL: none) equals a name in the set, or what is made of one with them. Only the name itself is
 * added to the set: where a suffix is another one with something in front, that is to be a suffix too. */
const char *identifier_unique(struct arena *a, struct map *taken, const char *name, const char *const *suffixes);

/* The text as it may stand inside a comment or a string of C: quotes, backslashes, control characters, bytes that are
 * no UTF-8 and characters that change the direction of writing become escape sequences, and neither comments nor
 * trigraphs begin or end in it. */
const char *c_escaped(struct arena *a, const char *text);
/* Adds the text as a string of JSON, with its quotes, that may stand inside a script element of HTML: markup, control
 * characters and characters that change the direction of writing become \uXXXX, bytes that are no UTF-8 become '?'. */
void json_quote(struct strbuf *b, const char *text);
/* Adds JSON that was made without regard to HTML, its other than ASCII characters escaped, so that it may stand there. */
void json_in_html(struct strbuf *b, const char *json);
/* The text with bytes that are no UTF-8 replaced by '?', as JSON needs it. The text itself where it is UTF-8. */
const char *utf8_text(struct arena *a, const char *text);
/* Length of the well-formed UTF-8 sequence at text; 0 where there is none. */
size_t utf8_length(const char *text);
/* Whether the character of n bytes ends a line or changes the order in which text is shown, other than by ASCII's
 * control characters. */
bool utf8_deceives(const char *s, size_t n);
/* At most n bytes of the text, cut between characters: the length. */
size_t utf8_cut(const char *text, size_t n);

#endif

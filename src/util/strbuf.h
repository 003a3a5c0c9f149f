/* A growing string. Starts as {0}; .text is always terminated once anything was added. */
#ifndef QCC_UTIL_STRBUF_H
#define QCC_UTIL_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strbuf {
	char *text;
	size_t length, capacity;
};

void strbuf_free(struct strbuf *b);
void strbuf_add(struct strbuf *b, const char *bytes, size_t n);
void strbuf_puts(struct strbuf *b, const char *s);
void strbuf_printf(struct strbuf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void strbuf_vprintf(struct strbuf *b, const char *format, va_list args);
void strbuf_char(struct strbuf *b, char c);
void strbuf_int(struct strbuf *b, int64_t x);	 /* in decimal; for long lists of numbers, where printf is slow */
const char *strbuf_text(const struct strbuf *b); /* "" where nothing was added */

/* Whether a text ends with another one. */
bool ends_with(const char *text, const char *end);

#endif

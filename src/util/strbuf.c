/* A growing string, for messages and generated text. */
#include "util/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/arena.h"

static void reserve(struct strbuf *b, size_t extra)
{
	size_t need = b->length + extra + 1;
	if (need <= b->capacity)
		return;
	b->capacity = need > 2 * b->capacity ? need : 2 * b->capacity;
	b->text = xrealloc(b->text, b->capacity);
}

void strbuf_free(struct strbuf *b)
{
	free(b->text);
	*b = (struct strbuf){ 0 };
}

void strbuf_add(struct strbuf *b, const char *bytes, size_t n)
{
	reserve(b, n);
	memcpy(b->text + b->length, bytes, n);
	b->length += n;
	b->text[b->length] = '\0';
}

void strbuf_puts(struct strbuf *b, const char *s)
{
	strbuf_add(b, s, strlen(s));
}

void strbuf_vprintf(struct strbuf *b, const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	reserve(b, 64); /* most texts fit at once: formatting twice only to know the length costs */
	size_t room = b->capacity - b->length;
	int n = vsnprintf(b->text + b->length, room, format, args);
	if ((size_t)n >= room) {
		reserve(b, (size_t)n);
		vsnprintf(b->text + b->length, (size_t)n + 1, format, again);
	}
	b->length += (size_t)n;
	va_end(again);
}

void strbuf_char(struct strbuf *b, char c)
{
	reserve(b, 1);
	b->text[b->length++] = c;
	b->text[b->length] = '\0';
}

void strbuf_int(struct strbuf *b, int64_t x)
{
	char digits[24];
	size_t at = sizeof digits;
	uint64_t rest = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
	if (x < 0)
		strbuf_char(b, '-');
	if (rest < 10) { /* most weights */
		strbuf_char(b, (char)('0' + rest));
		return;
	}
	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	strbuf_add(b, digits + at, sizeof digits - at);
}

void strbuf_printf(struct strbuf *b, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	strbuf_vprintf(b, format, args);
	va_end(args);
}

const char *strbuf_text(const struct strbuf *b)
{
	return b->text ? b->text : "";
}

bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);
	return n >= m && !strcmp(text + n - m, end);
}

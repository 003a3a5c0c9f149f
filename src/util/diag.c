/* Collecting and printing diagnostics. */
#include "util/diag.h"

#include <stdlib.h>

#include "util/arena.h"
#include "util/strbuf.h"
#include "util/identifier.h"

static const char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

void diags_free(struct diags *d)
{
	while (d->first) {
		struct diag *diag = d->first;
		d->first = diag->next;
		free((void *)diag->file);
		free((void *)diag->node);
		free((void *)diag->op);
		free((void *)diag->pass);
		free((void *)diag->cause);
		free((void *)diag->remedy);
		free(diag);
	}
	*d = (struct diags){ 0 };
}

void diags_move(struct diags *to, struct diags *from)
{
	if (!from->first)
		return;
	if (to->last)
		to->last->next = from->first;
	else
		to->first = from->first;
	to->last = from->last;
	to->errors += from->errors;
	*from = (struct diags){ 0 };
}

void diag_add(struct diags *d, enum severity severity, const char *node, const char *op, const char *remedy,
	      const char *format, va_list args)
{
	struct strbuf cause = { 0 };
	strbuf_vprintf(&cause, format, args);
	struct diag *diag = xcalloc(1, sizeof *diag);
	*diag = (struct diag){
		.severity = severity,
		.file = copy(d->file),
		.pass = copy(d->pass),
		.node = copy(node),
		.op = copy(op),
		.cause = cause.text,
		.remedy = copy(remedy),
	};
	if (d->last)
		d->last->next = diag;
	else
		d->first = diag;
	d->last = diag;
	d->errors += severity == DIAG_ERROR;
}

int diag_error(struct diags *d, const char *remedy, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	diag_add(d, DIAG_ERROR, NULL, NULL, remedy, format, args);
	va_end(args);
	return -1;
}

/* Names and strings of a model may hold anything: what would not show, or steer a terminal, is escaped, and what is very
 * long is cut, so that a diagnostic is one line. */
static void put_text(const char *text, FILE *out)
{
	enum { LONGEST = 2000 };
	size_t length = utf8_cut(text, LONGEST);
	for (size_t i = 0; i < length;) {
		size_t n = utf8_length(text + i);
		if (n && !utf8_deceives(text + i, n) && (unsigned char)text[i] >= ' ' && text[i] != 0x7f) {
			fwrite(text + i, 1, n, out);
			i += n;
			continue;
		}
		for (size_t k = n ? n : 1; k > 0; k--, i++)
			fprintf(out, "\\x%02x", (unsigned char)text[i]);
	}
	if (text[length])
		fputs("...", out);
}

void diag_print(const struct diag *d, FILE *out)
{
	static const char *const words[] = { "note: ", "warning: ", "error: " };
	fputs("qcc: ", out);
	if (d->file && *d->file) {
		put_text(d->file, out);
		fputs(": ", out);
	}
	fputs(words[d->severity], out);
	if (d->node) {
		fputs("node '", out);
		put_text(d->node, out);
		fputs("' (", out);
		put_text(d->op, out);
		fputs(d->pass ? "), " : "): ", out);
	}
	if (d->pass)
		fprintf(out, "pass %s: ", d->pass);
	put_text(d->cause, out);
	if (d->remedy) {
		fputs("; ", out);
		put_text(d->remedy, out);
	}
	fputc('\n', out);
}

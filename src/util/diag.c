/* Collecting and printing diagnostics. */
#include "util/diag.h"

#include <stdlib.h>

#include "util/arena.h"
#include "util/strbuf.h"

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

void diag_print(const struct diag *d, FILE *out)
{
	static const char *const words[] = { "note: ", "warning: ", "error: " };
	fputs("qcc: ", out);
	if (d->file)
		fprintf(out, "%s: ", d->file);
	fputs(words[d->severity], out);
	if (d->node)
		fprintf(out, "node '%s' (%s)%s", d->node, d->op, d->pass ? ", " : ": ");
	if (d->pass)
		fprintf(out, "pass %s: ", d->pass);
	fputs(d->cause, out);
	if (d->remedy)
		fprintf(out, "; %s", d->remedy);
	fputc('\n', out);
}

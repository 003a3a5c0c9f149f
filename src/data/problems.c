/* Counting what is wrong with a table (see problems.h). */
#include "data/problems.h"

#include <stdlib.h>

#include "ir/ir.h"
#include "util/strbuf.h"

enum { SHOWN = sizeof((struct problem *)0)->rows / sizeof(uint64_t) };

void problems_init(struct problems *p, size_t columns)
{
	*p = (struct problems){ .columns = columns };
	p->items = xcalloc((columns + 2) * PROBLEM_KINDS, sizeof *p->items);
}

void problems_free(struct problems *p)
{
	free(p->items);
	p->items = NULL;
}

void problems_note(struct problems *p, size_t column, enum problem_kind kind, uint64_t row)
{
	struct problem *x = &p->items[column * PROBLEM_KINDS + kind];
	if (x->count < SHOWN)
		x->rows[x->count] = row;
	x->count++;
	p->total++;
}

void problems_add(struct problems *p, const struct problems *part, uint64_t before)
{
	for (size_t i = 0; part->total && i < (p->columns + 2) * PROBLEM_KINDS; i++) {
		struct problem *x = &p->items[i];
		const struct problem *y = &part->items[i];
		for (uint64_t k = 0; k < SHOWN && x->count + k < SHOWN; k++)
			x->rows[x->count + k] = before + y->rows[k];
		x->count += y->count;
	}
	p->total += part->total;
}

static const char *words(const struct problems *p, size_t column, enum problem_kind kind)
{
	static const char *const of_column[] = { "missing fields, encoded as 0",
						 "fields that are no number, encoded as 0",
						 "unknown categories, encoded as 0",
						 "values beyond the width, encoded as the largest code" };
	static const char *const of_label[] = { "missing labels, left out", "labels that are no class number, left out",
						"unknown classes, left out", "classes above 255, left out" };
	static const char *const of_record[] = { "records with too few fields",
						 "fields with text behind a closing quote", "",
						 "records with too many fields" };
	if (column < p->columns)
		return of_column[kind];
	return column == p->columns ? of_label[kind] : of_record[kind];
}

static void tell(const struct problems *p, const struct encoding *e, size_t column, enum problem_kind kind,
		 enum severity severity, struct diags *d)
{
	const struct problem *x = &p->items[column * PROBLEM_KINDS + kind];
	struct strbuf text = { 0 };
	if (column < p->columns)
		strbuf_printf(&text, "column '%s': ", e->columns[column].name);
	strbuf_printf(&text, "%llu %s (row%s", (unsigned long long)x->count, words(p, column, kind),
		      x->count > 1 ? "s" : "");
	for (uint64_t k = 0; k < x->count && k < SHOWN; k++)
		strbuf_printf(&text, "%s %llu", k ? "," : "", (unsigned long long)x->rows[k]);
	strbuf_puts(&text, x->count > SHOWN ? ", ...)" : ")");
	if (severity == DIAG_ERROR)
		diag_error(d, NULL, "%s", text.text);
	else
		diag_note(d, severity, NULL, NULL, "%s", text.text);
	strbuf_free(&text);
}

void problems_tell(const struct problems *p, const struct encoding *e, enum severity severity, struct diags *d)
{
	for (size_t column = 0; column < p->columns + 2; column++)
		for (int kind = 0; kind < PROBLEM_KINDS; kind++)
			if (p->items[column * PROBLEM_KINDS + (size_t)kind].count)
				tell(p, e, column, (enum problem_kind)kind, severity, d);
}

/* What is wrong with the fields of a table: counted by column and kind, with the first rows where it is. */
#ifndef QCC_DATA_PROBLEMS_H
#define QCC_DATA_PROBLEMS_H

#include "data/encoding.h"

enum problem_kind { PROBLEM_MISSING, PROBLEM_MALFORMED, PROBLEM_UNKNOWN, PROBLEM_TOO_LARGE, PROBLEM_KINDS };

struct problem {
	uint64_t count;
	uint64_t rows[4]; /* the first, counted from 1 behind the header */
};

/* A row of kinds for each column, then one for the label, then one for whole records (MISSING: too few fields,
 * TOO_LARGE: too many, MALFORMED: a broken quote). */
struct problems {
	size_t columns; /* without the label and the records */
	uint64_t total;
	struct problem *items;
};

void problems_init(struct problems *p, size_t columns);
void problems_free(struct problems *p);
void problems_note(struct problems *p, size_t column, enum problem_kind kind, uint64_t row);
/* Adds those of a part whose first row is the row `before` + 1. */
void problems_add(struct problems *p, const struct problems *part, uint64_t before);
/* A diagnostic for each kind in each column. */
void problems_tell(const struct problems *p, const struct encoding *e, enum severity severity, struct diags *d);

#endif

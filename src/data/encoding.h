/* How the rows of a table become bits: a column after the other, each with its kind, its width in bits, a scale or the
 * codes of its categories. A JSON file holds it. */
#ifndef QCC_DATA_ENCODING_H
#define QCC_DATA_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/arena.h"
#include "util/diag.h"

enum column_kind { COLUMN_CATEGORY, COLUMN_INTEGER, COLUMN_SCALED };

struct category {
	const char *name;
	size_t length;
	int64_t code;
};

/* Categories by name: open addressing, at most half full. */
struct categories {
	struct category *slots; /* name NULL: free */
	size_t capacity, count; /* capacity is a power of 2 */
};

struct column {
	const char *name;
	enum column_kind kind;
	int bits;
	double scale;
	struct categories codes;
};

struct encoding {
	struct arena arena;
	struct column *columns;
	size_t count;
	int64_t bits;		  /* of a row */
	const char *label;	  /* the label's column; NULL: not said */
	struct categories labels; /* none: the label is a class number */
};

/* 0, or -1 with diagnostics. encoding_free is due in both cases. */
int encoding_read(struct encoding *e, const char *path, struct diags *d);
int encoding_write(const struct encoding *e, const char *path, struct diags *d);
void encoding_free(struct encoding *e);

/* How many bits codes from 0 to max take: ceil(log2(max + 1)), 1 at the least. */
int encoding_width(double max);
/* The code of a number: x * scale, clipped to 0 .. 2^32 - 1, rounded, halves up. */
int64_t encoding_code(double x, double scale);

/* Adds a name that is not there; the arena owns a copy of it. */
void categories_add(struct categories *c, struct arena *a, const char *name, size_t length, int64_t code);
const struct category *categories_find(const struct categories *c, const char *name, size_t length);
/* Gives the names their place in ASCII order as codes. */
void categories_number(struct categories *c);

#endif

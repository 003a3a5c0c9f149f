/* Finds the known name that is most similar to a misspelt one, for the remedy of a diagnostic. */
#ifndef QCC_UTIL_NEAREST_H
#define QCC_UTIL_NEAREST_H

#include <stddef.h>

struct nearest {
	const char *word, *best;
	size_t distance; /* of best, in edits */
};

/* Starts as { .word = "strealine" }; call this for every known name, then one of the functions below. */
void nearest_consider(struct nearest *n, const char *name);
/* The best of these names; NULL where none is similar enough. */
const char *nearest_name(const struct nearest *n);
/* "did you mean 'streamline'? SEE shows all", or "SEE shows all"; malloc'd. */
char *nearest_remedy(const struct nearest *n, const char *see);

#endif

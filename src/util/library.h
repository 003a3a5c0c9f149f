/* Libraries that are loaded where they are needed, because loading them (and what they need) costs milliseconds. */
#ifndef QCC_UTIL_LIBRARY_H
#define QCC_UTIL_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

#include "util/diag.h"

/* A function of a library, and where its address goes. */
struct library_entry {
	const char *name;
	void *to; /* a pointer to a function pointer */
};

/* Opens the first of the names (NULL ends them) that is there and has all entries (a NULL name ends them). NULL with
 * a diagnostic, in which the last name stands for the library. dlclose gives it back. */
void *library_open(const char *const *names, const struct library_entry *entries, struct diags *d);

#endif

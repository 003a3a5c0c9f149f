/* Pooled memory that lives as long as its owner. Allocation cannot fail for the caller: running out
 * of memory ends the process with a message (see xmalloc). Built with QCC_ARENA_MALLOC each object
 * is a malloc of its own, so that sanitizers see its bounds; what is given back is poisoned. */
#ifndef QCC_UTIL_ARENA_H
#define QCC_UTIL_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "util/memory.h"

struct arena_block;

enum { ARENA_REUSED_SIZES = 40 }; /* freed objects of up to this many times 8 bytes are reused */

struct arena {
	struct arena_block *blocks;	      /* newest first */
	char *next, *end;		      /* free space of the newest block */
	size_t bytes;			      /* handed out so far, less what was given back */
	void *given_back[ARENA_REUSED_SIZES]; /* by size: lists of objects given back */
	uint64_t sizes;			      /* bit i: list i is not empty */
};

void arena_init(struct arena *a);
void arena_free(struct arena *a);

/* Zeroed memory, aligned for pointers, int64_t and double; size 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t size);
/* count objects of that size; more than there is memory where the product does not fit. */
void *arena_allocs(struct arena *a, size_t size, size_t count);
void *arena_copy(struct arena *a, const void *bytes, size_t size);
/* Gives an object of that size back before the arena is freed; small ones are handed out again. NULL is fine. */
void arena_give_back(struct arena *a, void *p, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_allocs((a), sizeof(type), (size_t)(n)))

#endif

/* Growing arrays of any type: a struct with items, count and capacity, started as {0}.
 *
 *     struct { struct node **items; size_t count, capacity; } list = { 0 };
 *     vec_push(&list, node);
 *     vec_free(&list);
 */
#ifndef QCC_UTIL_VEC_H
#define QCC_UTIL_VEC_H

#include <stdlib.h>

#include "util/arena.h"

#define vec_reserve(v, n)                                                                                    \
	((n) > (v)->capacity ? (void)((v)->capacity = (n) > 2 * (v)->capacity ? (n) : 2 * (v)->capacity,     \
				      (v)->items = xrealloc((v)->items, (v)->capacity * sizeof *(v)->items)) \
			     : (void)0)

#define vec_push(v, item) (vec_reserve((v), (v)->count + 1), (void)((v)->items[(v)->count++] = (item)))

#define vec_free(v) (free((v)->items), (void)((v)->items = NULL, (v)->count = (v)->capacity = 0))

#endif

/* Hash table from strings to pointers. Keys are borrowed: they must outlive their entry. */
#ifndef QCC_UTIL_MAP_H
#define QCC_UTIL_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot;

struct map {
	struct map_slot *slots;
	uint32_t *hashes;	     /* of the slots */
	size_t capacity, used, live; /* used counts removed slots too */
};

void map_free(struct map *m);			     /* starts as {0} */
void *map_get(const struct map *m, const char *key); /* NULL where absent */
bool map_has(const struct map *m, const char *key);
void map_set(struct map *m, const char *key, void *value);
bool map_add(struct map *m, const char *key, void *value); /* false where it is there already */
void map_remove(struct map *m, const char *key);

#endif

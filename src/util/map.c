/* Hash table from strings to pointers: open addressing with linear probing, FNV-1a hashes. */
#include "util/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/arena.h"

struct map_slot {
	const char *key;	/* NULL: never used; removed_key: was used */
	void *value;
	uint64_t hash;
};

static const char removed_key[] = "";

static uint64_t hash_string(const char *s)
{
	uint64_t h = 14695981039346656037u;
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	/* Names that differ in a number at the end would lie side by side; mix all bits into the low ones. */
	h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
	return h ^ (h >> 33);
}

void map_free(struct map *m)
{
	free(m->slots);
	*m = (struct map){ 0 };
}

/* The slot that holds the key, or NULL. */
static struct map_slot *find(const struct map *m, const char *key)
{
	if (!m->capacity)
		return NULL;
	uint64_t hash = hash_string(key);
	for (size_t i = hash & (m->capacity - 1);; i = (i + 1) & (m->capacity - 1)) {
		struct map_slot *slot = &m->slots[i];
		if (!slot->key)
			return NULL;
		if (slot->hash == hash && slot->key != removed_key && strcmp(slot->key, key) == 0)
			return slot;
	}
}

/* Into the first slot that holds nothing now; a name that comes and goes takes the same one every time. */
static void insert_new(struct map *m, const char *key, uint64_t hash, void *value)
{
	size_t i = hash & (m->capacity - 1);
	while (m->slots[i].key && m->slots[i].key != removed_key)
		i = (i + 1) & (m->capacity - 1);
	m->used += !m->slots[i].key;
	m->slots[i] = (struct map_slot){ key, value, hash };
	m->live++;
}

static void grow(struct map *m)
{
	struct map old = *m;
	size_t capacity = 16;
	while (capacity < 4 * (old.live + 1))
		capacity *= 2;
	*m = (struct map){ xcalloc(capacity, sizeof *m->slots), capacity, 0, 0 };
	for (size_t i = 0; i < old.capacity; i++)
		if (old.slots[i].key && old.slots[i].key != removed_key)
			insert_new(m, old.slots[i].key, old.slots[i].hash, old.slots[i].value);
	free(old.slots);
}

void *map_get(const struct map *m, const char *key)
{
	struct map_slot *slot = find(m, key);
	return slot ? slot->value : NULL;
}

bool map_has(const struct map *m, const char *key)
{
	return find(m, key) != NULL;
}

void map_set(struct map *m, const char *key, void *value)
{
	struct map_slot *slot = find(m, key);
	if (slot) {
		slot->value = value;
		return;
	}
	if (2 * (m->used + 1) > m->capacity)
		grow(m);
	insert_new(m, key, hash_string(key), value);
}

void map_remove(struct map *m, const char *key)
{
	struct map_slot *slot = find(m, key);
	if (!slot)
		return;
	slot->key = removed_key;
	slot->value = NULL;
	m->live--;
}

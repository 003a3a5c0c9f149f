/* Hash table from strings to pointers: open addressing with linear probing, FNV-1a hashes. */
#include "util/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/arena.h"

/* Hashes lie apart from keys and values, sixteen to a cache line: a search reads a key only where its hash fits. */
struct map_slot {
	const char *key;
	void *value;
};

enum { FREE, REMOVED, FIRST_HASH }; /* what a slot's hash says where it holds nothing */

static uint32_t hash_string(const char *s)
{
	uint64_t h = 14695981039346656037u;
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	/* Names that differ in a number at the end would lie side by side; mix all bits into the low ones. */
	h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
	uint32_t low = (uint32_t)(h ^ (h >> 33));
	return low < FIRST_HASH ? low + FIRST_HASH : low;
}

void map_free(struct map *m)
{
	free(m->slots);
	*m = (struct map){ 0 };
}

/* Index of the slot that holds the key, or capacity. */
static size_t find(const struct map *m, const char *key, uint32_t hash)
{
	for (size_t i = hash & (m->capacity - 1); m->capacity; i = (i + 1) & (m->capacity - 1)) {
		if (m->hashes[i] == FREE)
			break;
		if (m->hashes[i] == hash && strcmp(m->slots[i].key, key) == 0)
			return i;
	}
	return m->capacity;
}

/* Into the first slot that holds nothing now; a name that comes and goes takes the same one every time. */
static void insert_new(struct map *m, const char *key, uint32_t hash, void *value)
{
	size_t i = hash & (m->capacity - 1);
	while (m->hashes[i] >= FIRST_HASH)
		i = (i + 1) & (m->capacity - 1);
	m->used += m->hashes[i] == FREE;
	m->hashes[i] = hash;
	m->slots[i] = (struct map_slot){ key, value };
	m->live++;
}

/* Slots and hashes are one allocation. */
static void grow(struct map *m)
{
	struct map old = *m;
	size_t capacity = 16;
	while (2 * capacity < 3 * (old.live + 1))
		capacity *= 2;
	struct map_slot *slots = xmalloc(capacity * (sizeof *slots + sizeof *m->hashes));
	*m = (struct map){ slots, (uint32_t *)(slots + capacity), capacity, 0, 0 };
	memset(m->hashes, 0, capacity * sizeof *m->hashes);
	for (size_t i = 0; i < old.capacity; i++)
		if (old.hashes[i] >= FIRST_HASH)
			insert_new(m, old.slots[i].key, old.hashes[i], old.slots[i].value);
	free(old.slots);
}

void *map_get(const struct map *m, const char *key)
{
	size_t i = find(m, key, hash_string(key));
	return i < m->capacity ? m->slots[i].value : NULL;
}

bool map_has(const struct map *m, const char *key)
{
	return find(m, key, hash_string(key)) < m->capacity;
}

static void add(struct map *m, const char *key, uint32_t hash, void *value)
{
	if (4 * (m->used + 1) > 3 * m->capacity)
		grow(m);
	insert_new(m, key, hash, value);
}

void map_set(struct map *m, const char *key, void *value)
{
	uint32_t hash = hash_string(key);
	size_t i = find(m, key, hash);
	if (i < m->capacity)
		m->slots[i].value = value;
	else
		add(m, key, hash, value);
}

bool map_add(struct map *m, const char *key, void *value)
{
	uint32_t hash = hash_string(key);
	if (find(m, key, hash) < m->capacity)
		return false;
	add(m, key, hash, value);
	return true;
}

void map_remove(struct map *m, const char *key)
{
	size_t i = find(m, key, hash_string(key));
	if (i == m->capacity)
		return;
	m->hashes[i] = REMOVED;
	m->live--;
}

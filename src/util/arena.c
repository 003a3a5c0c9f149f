/* Pooled memory: blocks that double in size up to a limit, freed together. */
#include "util/arena.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
	struct arena_block *older;
	size_t size;
	alignas(8) char bytes[];
};

enum { FIRST_BLOCK = 4096, LARGEST_BLOCK = 1 << 20, UNIT = 8 };
_Static_assert(UNIT % alignof(void *) == 0 && UNIT % alignof(int64_t) == 0 && UNIT % alignof(double) == 0,
	       "objects of an arena are aligned for all types that lie there");

/* gcc says it by a macro, clang by a feature. */
#if defined __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZES_ADDRESSES
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SANITIZES_ADDRESSES
#endif

#ifdef SANITIZES_ADDRESSES
#include <sanitizer/asan_interface.h>
#define POISON(p, size) ASAN_POISON_MEMORY_REGION(p, size)
#else
#define POISON(p, size) ((void)0)
#endif

void arena_init(struct arena *a)
{
	*a = (struct arena){ 0 };
}

void arena_free(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *block = a->blocks;
		a->blocks = block->older;
		free(block);
	}
	arena_init(a);
}

static struct arena_block *add_block(struct arena *a, size_t size)
{
	struct arena_block *block = xmalloc(sizeof *block + size);
	block->older = a->blocks;
	block->size = size;
	a->blocks = block;
	return block;
}

static size_t round_up(size_t size)
{
	return size ? (size + UNIT - 1) / UNIT * UNIT : UNIT;
}

#ifndef QCC_ARENA_MALLOC
/* The first bytes of an object given back point at the next one of its size. */
static void keep(struct arena *a, void *p, size_t rounded)
{
	size_t i = rounded / UNIT - 1;
	if (i >= ARENA_REUSED_SIZES)
		return;
	memcpy(p, &a->given_back[i], sizeof(void *));
	a->given_back[i] = p;
	a->sizes |= UINT64_C(1) << i;
}

/* An object of that size, or the front of a larger one, that was given back; or NULL. */
static void *reuse(struct arena *a, size_t rounded)
{
	size_t i = rounded / UNIT - 1;
	uint64_t fit = i < ARENA_REUSED_SIZES ? a->sizes & ~((UINT64_C(1) << i) - 1) : 0;
	if (!fit)
		return NULL;
	size_t found = (size_t)__builtin_ctzll(fit);
	char *p = a->given_back[found];
	memcpy(&a->given_back[found], p, sizeof(void *));
	if (!a->given_back[found])
		a->sizes &= ~(UINT64_C(1) << found);
	if (found > i)
		keep(a, p + rounded, (found - i) * UNIT);
	return p;
}
#endif

void arena_give_back(struct arena *a, void *p, size_t size)
{
	size_t rounded = round_up(size);
	if (!p)
		return;
	a->bytes -= rounded;
#ifdef QCC_ARENA_MALLOC
	memset(p, 0xdb, size);
	POISON(p, size);
#else
	keep(a, p, rounded);
#endif
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t rounded = round_up(size);
	a->bytes += rounded;
#ifdef QCC_ARENA_MALLOC
	return memset(add_block(a, size)->bytes, 0, size);
#else
	void *again = reuse(a, rounded);
	if (again)
		return memset(again, 0, rounded);
	if (rounded > (size_t)(a->end - a->next)) {
		size_t wanted = a->blocks ? a->blocks->size * 2 : (size_t)FIRST_BLOCK;
		if (wanted > LARGEST_BLOCK)
			wanted = LARGEST_BLOCK;
		if (rounded > wanted / 4) /* large objects get a block of their own */
			return memset(add_block(a, rounded)->bytes, 0, rounded);
		struct arena_block *block = add_block(a, wanted);
		a->next = block->bytes;
		a->end = block->bytes + wanted;
	}
	void *p = a->next;
	a->next += rounded;
	return memset(p, 0, rounded);
#endif
}

void *arena_allocs(struct arena *a, size_t size, size_t count)
{
	return arena_alloc(a, size && count > SIZE_MAX / 2 / size ? SIZE_MAX / 2 : size * count);
}

void *arena_copy(struct arena *a, const void *bytes, size_t size)
{
	void *p = arena_alloc(a, size);
	if (size)
		memcpy(p, bytes, size);
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);
	memcpy(p, s, n);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	char *p = arena_alloc(a, (size_t)length + 1);
	vsnprintf(p, (size_t)length + 1, format, again);
	va_end(again);
	return p;
}

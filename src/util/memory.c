/* Allocation with a reserve (see memory.h). */
#include "util/memory.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESERVE = 1 << 20 };

struct guard {
	jmp_buf point;
	struct guard *outer;
	struct memory_hook *hooks;
	void *reserve; /* NULL: used up */
	bool failed;
};

/* As errno: what the innermost call on this thread's stack set, and takes away again. */
static _Thread_local struct guard *innermost;

static void leave(struct guard *g)
{
	innermost = g->outer;
	free(g->reserve);
	if (g->failed && g->outer)
		g->outer->failed = true;
}

enum memory_end memory_guarded(int (*work)(void *user), void *user, int *result)
{
	struct guard g = { .outer = innermost, .reserve = malloc(RESERVE) };
	*result = -1;
	innermost = &g;
	bool left = setjmp(g.point) != 0;
	if (!left)
		*result = work(user);
	leave(&g);
	return left ? MEMORY_LEFT : g.failed ? MEMORY_SHORT : MEMORY_ENOUGH;
}

bool memory_failed(void)
{
	return innermost && innermost->failed;
}

void memory_fail(void)
{
	if (innermost)
		innermost->failed = true;
}

/* An allocation failed: true where it is worth another attempt. */
static bool give_reserve(void)
{
	struct guard *g = innermost;
	while (g && !g->reserve)
		g = g->outer;
	memory_fail();
	if (!g)
		return false;
	free(g->reserve);
	g->reserve = NULL;
	return true;
}

void *memory_try(size_t size)
{
	void *p = malloc(size ? size : 1);
	while (!p && give_reserve())
		p = malloc(size ? size : 1);
	return p;
}

void *memory_try_zeroed(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);
	while (!p && give_reserve())
		p = calloc(count ? count : 1, size ? size : 1);
	return p;
}

void *memory_try_again(void *p, size_t size)
{
	void *q = realloc(p, size ? size : 1);
	while (!q && give_reserve())
		q = realloc(p, size ? size : 1);
	return q;
}

void memory_hook_add(struct memory_hook *hook, void (*leave)(struct memory_hook *))
{
	if (!innermost)
		return;
	*hook = (struct memory_hook){ leave, innermost->hooks };
	innermost->hooks = hook;
}

void memory_hook_remove(struct memory_hook *hook)
{
	struct memory_hook **at = innermost ? &innermost->hooks : NULL;
	while (at && *at && *at != hook)
		at = &(*at)->next;
	if (at && *at)
		*at = hook->next;
}

/* A hook that runs out of memory itself comes here again, for those that remain. */
static _Noreturn void leave_call(void)
{
	while (innermost->hooks) {
		struct memory_hook *hook = innermost->hooks;
		innermost->hooks = hook->next;
		hook->leave(hook);
	}
	longjmp(innermost->point, 1);
}

static void *certain(void *p, size_t size)
{
	if (p)
		return p;
	if (innermost)
		leave_call();
	fprintf(stderr, "qcc: out of memory (%zu bytes asked for)\n", size);
	abort();
}

void *xmalloc(size_t size)
{
	return certain(memory_try(size), size);
}

void *xcalloc(size_t count, size_t size)
{
	return certain(memory_try_zeroed(count, size), size && count > SIZE_MAX / size ? SIZE_MAX : count * size);
}

void *xrealloc(void *p, size_t size)
{
	return certain(memory_try_again(p, size), size);
}

char *xstrdup(const char *s)
{
	size_t size = strlen(s) + 1;
	return memcpy(xmalloc(size), s, size);
}

/* The public face of libqcc: what holds for every call from outside. */
#include <jansson.h>
#include <locale.h>
#include <pthread.h>
#include <stdlib.h>

#include "api/api.h"
#include "util/memory.h"

static void use_allocator(void)
{
	json_set_alloc_funcs(memory_try, free);
}

int api_guarded(int (*work)(void *call), void *call, struct qcc_model *m)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int status;
	pthread_once(&once, use_allocator);
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = uselocale(plain);
	enum memory_end end = memory_guarded(work, call, &status);
	uselocale(before);
	if (plain)
		freelocale(plain);
	if (end == MEMORY_ENOUGH)
		return status;
	if (m)
		m->no_memory = true;
	if (m && end == MEMORY_LEFT)
		m->graph = NULL; /* half changed: what holds it is lost */
	return -1;
}

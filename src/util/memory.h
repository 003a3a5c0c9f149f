/* What happens when memory runs out. A guarded call sets a reserve aside at its start. When an allocation fails, the
 * reserve is freed and the allocation is tried again, the failure is recorded, and loops that ask limits_check
 * (util/limits.h) end the call in the ordinary way; the result of such a call is always an error. Where even the
 * reserve does not suffice, the call is left at once, and the memory that it had allocated is lost; what it holds besides
 * memory (temporary files, locks) is given back by hooks. Outside a guarded call the process ends with a message. */
#ifndef QCC_UTIL_MEMORY_H
#define QCC_UTIL_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

enum memory_end {
	MEMORY_ENOUGH,
	MEMORY_SHORT, /* the reserve was needed: the result is not to be trusted */
	MEMORY_LEFT   /* the call was left on the way: what it worked on is in any state */
};
/* Calls work(user) under a guard; *result is what it returns, -1 where the call was left. Guards nest; each thread has
 * its own. */
enum memory_end memory_guarded(int (*work)(void *user), void *user, int *result);
/* Memory ran out since the innermost guard of this thread was set. */
bool memory_failed(void);
/* Marks it so: for what another thread found out. */
void memory_fail(void);

/* What must happen if this thread leaves the guarded call that it is in: the last hook added is called first. A hook lies
 * in the object that it is about; the object removes it when it ends. Without a guard nothing is added. */
struct memory_hook {
	void (*leave)(struct memory_hook *);
	struct memory_hook *next;
};
void memory_hook_add(struct memory_hook *hook, void (*leave)(struct memory_hook *));
void memory_hook_remove(struct memory_hook *hook); /* harmless where it was not added */

/* As malloc, calloc and realloc, with the reserve; NULL where that does not help either. */
void *memory_try(size_t size);
void *memory_try_zeroed(size_t count, size_t size);
void *memory_try_again(void *p, size_t size);

/* The same for sizes that the program, not a file, decides: they return, or the call is left. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);

#endif

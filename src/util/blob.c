/* Bytes shared by reference count. */
#include "util/blob.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "util/arena.h"

struct blob *blob_new(void *base, size_t size, bool mapped)
{
	struct blob *b = xmalloc(sizeof *b);
	*b = (struct blob){ .base = base, .size = size, .mapped = mapped };
	atomic_init(&b->refs, 1);
	return b;
}

struct blob *blob_ref(struct blob *b)
{
	atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
	return b;
}

void blob_unref(struct blob *b)
{
	if (!b || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (b->mapped)
		munmap(b->base, b->size);
	else
		free(b->base);
	free(b);
}

void blob_let_go(struct blob *b)
{
	if (b->mapped && b->size)
		madvise(b->base, b->size, MADV_DONTNEED);
}

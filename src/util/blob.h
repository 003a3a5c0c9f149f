/* Bytes shared by reference count. */
#ifndef QCC_UTIL_BLOB_H
#define QCC_UTIL_BLOB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Bytes with a reference count: heap memory or a mapped file, shared by any number of tensors. */
struct blob {
	atomic_uint refs;
	void *base; /* NULL: the elements lie right behind the blob */
	size_t size;
	bool mapped; /* munmap instead of free */
};

struct blob *blob_new(void *base, size_t size, bool mapped); /* owns base; one reference */
struct blob *blob_ref(struct blob *b);
void blob_unref(struct blob *b);
/* Releases the memory pages of a mapped file; pages that are used again are read from the file again. */
void blob_let_go(struct blob *b);

#endif

/* Files: mapping to read, writing through a temporary name, folders. */
#ifndef QCC_UTIL_FILE_H
#define QCC_UTIL_FILE_H

#include <stddef.h>
#include <stdio.h>

#include "util/diag.h"

struct blob;

/* Maps a file read-only. NULL with a diagnostic (missing, a folder, unreadable). An empty file gives a
 * blob of size 0. */
struct blob *file_map(const char *path, struct diags *d);
/* Makes a folder and its parents. 0, or -1 with a diagnostic. */
int dir_make(const char *path, struct diags *d);

/* A file that appears under its name only when file_commit succeeds. */
struct file_out {
	FILE *stream;
	char *path, *temporary;
};
int file_create(struct file_out *f, const char *path, struct diags *d);
/* Closes and renames. -1 with a diagnostic where anything failed since file_create. */
int file_commit(struct file_out *f, struct diags *d);
void file_abandon(struct file_out *f); /* closes and deletes; harmless after file_commit */
/* All at once. */
int file_write(const char *path, const void *bytes, size_t size, struct diags *d);

#endif

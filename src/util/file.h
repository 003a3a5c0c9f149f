/* Files: paths, mapping to read, writing through a temporary name, folders. */
#ifndef QCC_UTIL_FILE_H
#define QCC_UTIL_FILE_H

#include <stddef.h>
#include <stdio.h>

#include "util/arena.h"
#include "util/blob.h"
#include "util/diag.h"
#include "util/memory.h"

/* DIR/NAME; NAME alone where dir is "". malloc'd, and in an arena. */
char *path_join(const char *dir, const char *name);
char *path_in(struct arena *a, const char *dir, const char *name);

/* Unpredictable text of 16 hexadecimal digits for names of temporary files; returns id. */
enum { FILE_ID_SIZE = 17 };
const char *file_new_id(char id[FILE_ID_SIZE]);

/* "-": standard input where it is read, standard output where it is written. A file of that name is ./- */
bool file_is_standard(const char *path);
/* Maps a file read-only. NULL with a diagnostic (missing, a folder, a device, unreadable). An empty file gives a
 * blob of size 0. */
struct blob *file_map(const char *path, struct diags *d);
/* Whether a model may name that file: a path that stays below the folder it counts from, neither whole nor with "..", unless the
 * user allows any (util/limits.h). */
bool file_may_be_named(const char *name, const struct diags *d);
/* Maps a file that a model names, below a folder ("": the working one). A diagnostic where the name or a link leads out of it,
 * unless the user allows that, and for devices, pipes and sockets. */
struct blob *file_map_below(const char *folder, const char *name, struct diags *d);
/* Whether both paths lead to the same file; false where one of them is not there. */
bool file_same(const char *a, const char *b);
/* Makes a folder and its parents. 0, or -1 with a diagnostic. */
int dir_make(const char *path, struct diags *d);

/* A file that appears under its name only when file_commit succeeds. Until then it has a hidden, unpredictable name
 * in the same folder, .NAME.ID.qcc. Such files for the same name that a killed run left behind are deleted. */
struct file_out {
	FILE *stream;
	char *path, *temporary;
	struct memory_hook hook; /* deletes the file where memory runs out */
	bool in_transaction;	 /* it is in the folder of a run, from which output_commit moves it to its place */
};
int file_create(struct file_out *f, const char *path, struct diags *d);
/* Flushes the file to the disk, closes it and renames it. -1 with a diagnostic where anything failed since
 * file_create. */
int file_commit(struct file_out *f, struct diags *d);
void file_abandon(struct file_out *f); /* closes and deletes; harmless after file_commit */
/* Writes a whole file in one call. */
int file_write(const char *path, const void *bytes, size_t size, struct diags *d);

#endif

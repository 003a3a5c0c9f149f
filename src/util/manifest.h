/* The list of the files that a run wrote into its output folder, .qcc/files: lines "SIZE HASH PATH", sorted, where PATH runs to
 * the end of the line. With it a later run tells files that are as they were written from those that the user has changed. */
#ifndef QCC_UTIL_MANIFEST_H
#define QCC_UTIL_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

#include "util/arena.h"
#include "util/diag.h"
#include "util/strbuf.h"
#include "util/tree.h"

/* A file's size, and a hash of its bytes (FNV-1a of words instead of bytes; of a long file its beginning and its end). */
struct fingerprint {
	int64_t size; /* -1: of no regular file */
	uint64_t hash;
};

struct manifest_entry {
	const char *path;
	struct fingerprint written;
};

/* Waits until the files in the folder have reached the disk, and fills written[] with their fingerprints. Links are not
 * followed: they have none. 0, or -1 with a diagnostic. */
int manifest_settle(struct arena *a, const char *folder, const struct path_list *files, struct fingerprint *written,
		    struct diags *d);
/* Adds a line to the list. Files without a fingerprint, and those whose names have a line's end, are not listed. */
void manifest_add(struct strbuf *list, const char *path, const struct fingerprint *written);
/* The text of a list, "" where there is none. malloc'd; NULL with a diagnostic. */
char *manifest_read(const char *path, struct diags *d);
/* The next line of a list that *at stands on, which moves on; false at the end. Lines that are none are passed over, as are
 * paths that lead out of the folder: the list is a file that anybody may have written. */
bool manifest_next(char **at, struct manifest_entry *e);
/* Whether the file still is there, and as it was written. Links are not followed. */
bool manifest_is_as_written(const char *path, const struct fingerprint *written);

#endif

/* Folders and all that is in them: listing, deleting, and moving one's files into another with a way back. */
#ifndef QCC_UTIL_TREE_H
#define QCC_UTIL_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "util/arena.h"
#include "util/diag.h"

struct path_list {
	const char **items;
	size_t count, capacity;
};

/* Adds the files in the folder and below, as paths relative to it. None where the folder is not there.
 * 0, or -1 with a diagnostic where one cannot be read. */
int tree_list(struct arena *a, const char *folder, struct path_list *out, struct diags *d);
/* As much of it as can be deleted. */
void tree_remove(const char *folder);
/* The folders above a file, up to and without `dir`, as long as they are empty. */
void tree_remove_empty_parents(struct arena *a, const char *dir, const char *path);
/* What the folder holds reaches the disk. */
void tree_sync(const char *folder);

/* Files that move from one folder into another. What they replace stays in a third one, `saved`, by a second name. */
struct move {
	const char *from, *to, *saved;
	bool one_way;	      /* something could not be kept: there is no way back */
	const char *ready[2]; /* folders in `to` and `saved` that were made last; NULL: none was */
};
/* Moves a file, given by its path in both folders. 0, or -1 with a diagnostic, where nothing has moved. */
int tree_move(struct arena *a, struct move *m, const char *path, struct diags *d);
/* Moves the files back, and what they replaced to its place. False where that cannot be done (completely). */
bool tree_move_back(struct arena *a, const struct move *m, const char *const *paths, size_t count);

#endif

/* An output folder: what a run writes into it appears together, when the run has succeeded, or not at all.
 *
 * The run writes below output_dir, a folder of its own within the output folder (.qcc/new-...). output_commit renames that
 * folder to .qcc/commit-..., from which point on the run counts; then moves its files to their places, removes those that
 * an earlier run wrote and this one did not, and writes the list of its files, .qcc/files. A run that was killed before that
 * point leaves a folder that the next one deletes; one that was killed after it is completed by the next one. What is not in
 * the list, or is no longer as it was written, belongs to the user and is never removed.
 *
 * Any number of runs may write into one folder at a time: each has its own, and they commit one after the other. */
#ifndef QCC_UTIL_OUTPUT_H
#define QCC_UTIL_OUTPUT_H

#include <stdbool.h>

#include "util/diag.h"

struct output;

enum output_mode {
	OUTPUT_REPLACE, /* files of earlier runs that this one does not write are removed */
	OUTPUT_ADD,	/* they stay: for several calls that fill one folder */
};

/* Makes the folder and its parents where missing, and tidies up after runs that were killed. NULL with a diagnostic. */
struct output *output_begin(const char *dir, enum output_mode mode, struct diags *d);
/* Where to write. */
const char *output_dir(const struct output *o);
/* Whether a path lies in the folder of a run. Files there need neither a temporary name nor to reach the disk one by one:
 * output_commit takes care of both for all of them at once (util/file.c asks). */
bool output_holds(const char *path);
/* Ends the run: its files appear. Frees o. 0, or -1 with a diagnostic; what was there before stays then, unless the disk
 * fails in the middle of moving, which the next run completes. */
int output_commit(struct output *o, struct diags *d);
/* Ends the run without its files, except those in the folder `keep` (dumps that tell why it failed; NULL: none). Folders that
 * it made are removed where they are empty. Frees o; NULL is fine. */
void output_abandon(struct output *o, const char *keep);

#endif

/* Lua scripts that drive the same registry of passes and backends as -p and -b. */
#ifndef QCC_SCRIPT_SCRIPT_H
#define QCC_SCRIPT_SCRIPT_H

#include "pipeline/pipeline.h"

struct script_options {
	const char *const *args; /* the script's qcc.args */
	size_t n_args;
	const char *dir;  /* qcc.out */
	bool dry_run;	  /* run() only records, nothing is written */
	bool interactive; /* a prompt, behind the script */
	bool loads_model; /* the prompt starts with the model that args[0] names as the global m */
	/* Prints what was said so far and empties it, for the prompt. */
	void (*say)(void *user, struct diags *d);
	void *user;
	struct pipeline_options pipeline;
};

/* Runs the script (file NULL: none, for a prompt alone). Errors in it become diagnostics with its name and line. The passes that ran (or would have) are
 * put into *ran, as pipeline_print writes them, a line for each model; malloc'd, never NULL.
 * 0, or -1 with diagnostics. */
int script_run(const char *file, const struct script_options *o, char **ran, struct diags *d);

/* What scripts can call, as `qcc help lua` prints it; malloc'd. word: the rows whose name it is; NULL: all. NULL: there is
 * nothing of that name. */
char *script_reference(const char *word);

#endif

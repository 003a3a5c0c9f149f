/* Lua scripts that drive the same registry of passes and backends as -p and -b. */
#ifndef QCC_SCRIPT_SCRIPT_H
#define QCC_SCRIPT_SCRIPT_H

#include "pipeline/pipeline.h"

struct script_options {
	const char *const *args; /* the script's qcc.args */
	size_t n_args;
	const char *dir; /* qcc.out */
	bool dry_run;	 /* run() only records, nothing is written */
	struct pipeline_options pipeline;
};

/* Runs the script. Errors in it become diagnostics with its name and line. The passes that ran (or would have) are
 * put into *ran, as pipeline_print writes them, a line for each model; malloc'd, never NULL.
 * 0, or -1 with diagnostics. */
int script_run(const char *file, const struct script_options *o, char **ran, struct diags *d);

#endif

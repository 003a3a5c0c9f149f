/* Backends. A folder each (finn/, c/, hls/, dot/, ...) with a `const struct backend backend_NAME`; one row
 * of backends.def lists it. */
#ifndef QCC_BACKENDS_BACKEND_H
#define QCC_BACKENDS_BACKEND_H

#include "passes/pass.h"

struct backend_ctx {
	const struct graph *graph;
	const struct backend *backend;
	const struct pass_arg *args;	/* c(packed) */
	size_t n_args;
	const char *dir;		/* output folder, which exists */
	const char *source;		/* the model's file name, for comments */
	struct diags *diags;
	json_t *report;			/* object of the backend in report.json */
};

struct backend {
	const char *name, *summary, *help;
	const struct pass_option *options;
	/* NULL where the graph can be emitted; else the reason, one line, in ctx's diagnostics as a note. Used to
	 * leave a backend out when the user named none. */
	bool (*accepts)(struct backend_ctx *ctx);
	/* Writes its files below ctx->dir, each under a temporary name first. 0, or -1 with diagnostics. */
	int (*emit)(struct backend_ctx *ctx);
};

#define BACKEND(symbol) extern const struct backend backend_##symbol;
#include "backends/backends.def"
#undef BACKEND

extern const struct backend *const backend_table[];
extern const size_t backend_table_size;
const struct backend *backend_find(const char *name);

#endif

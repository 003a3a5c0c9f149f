/* Backends. A folder each (finn/, c/, hls/, dot/, ...) with a `const struct backend backend_NAME`; one row
 * of backends.def lists it. */
#ifndef QCC_BACKENDS_BACKEND_H
#define QCC_BACKENDS_BACKEND_H

#include "passes/pass.h"
#include "report/report.h"

struct backend_ctx {
	const struct graph *graph;
	struct graph *mutable_graph; /* the same graph, where nobody reads it after this backend: it may be changed */
	const struct backend *backend;
	const struct pass_arg *args; /* c(packed) */
	size_t n_args;
	const char *dir;    /* output folder, which exists */
	const char *source; /* the model's file name, for comments */
	struct diags *diags;
	const struct report *results; /* what the passes did and what came out: report/report.h */
	json_t *report;		      /* object of the backend in report.json */
	void *prepared; /* what `accepts` has prepared for `emit`, which frees it; NULL: nothing, or `accepts` was not called */
};

struct backend {
	const char *name, *summary, *help;
	const struct pass_option *options;
	/* Whether the graph can be emitted; where not, the first diagnostic in ctx->diags says why. Asked where the user
	 * named no backend: one that does not take the graph is left out then, and the report says so. NULL: it takes all. */
	bool (*accepts)(struct backend_ctx *ctx);
	bool on_request;       /* runs only where the user names it */
	bool takes_any_shapes; /* also declared shapes that contradict what operators compute */
	/* Writes its files below ctx->dir, each under a temporary name first. 0, or -1 with diagnostics. */
	int (*emit)(struct backend_ctx *ctx);
};

#define BACKEND(symbol) extern const struct backend backend_##symbol;
#include "backends/backends.def"
#undef BACKEND

extern const struct backend *const backend_table[];
extern const size_t backend_table_size;
const struct backend *backend_find(const char *name);

/* Options of the running backend: what was given, else the fallback. Types were checked before. */
bool backend_flag(const struct backend_ctx *ctx, const char *name);
int64_t backend_int(const struct backend_ctx *ctx, const char *name);
double backend_real(const struct backend_ctx *ctx, const char *name);
const char *backend_string(const struct backend_ctx *ctx, const char *name); /* NULL: not given, no fallback */

/* "finn,c(packed)": which backends to run, with their options. */
struct backend_list {
	struct backend_choice {
		const struct backend *backend;
		struct pass_arg *args;
		size_t n_args;
	} * items;
	size_t count;
	bool chosen;	       /* false: nobody named any; those that accept the graph run */
	bool may_change_graph; /* the last backend may change the graph: nobody else needs it as it is */
	struct arena arena;
};
/* Text NULL: all backends. 0, or -1 with diagnostics that name the culprit and the nearest known name. */
int backend_list_parse(struct backend_list *l, const char *text, struct diags *d);
/* Whether a backend of that name is in the list. */
bool backend_list_has(const struct backend_list *l, const char *name);
/* Sets a flag of every backend of the list that has an option of that name. */
void backend_list_set_flag(struct backend_list *l, const char *option);
void backend_list_free(struct backend_list *l);
/* Runs them on the graph that the report describes; adds to the report's backends and left_out. 0, or -1 with
 * diagnostics. */
int backend_list_emit(const struct backend_list *l, struct graph *g, const char *dir, struct report *r,
		      struct diags *d);
/* The same into an output folder, in which all files appear together or none does; what else is in it stays. */
int backend_list_emit_to(const struct backend_list *l, struct graph *g, const char *dir, struct report *r,
			 struct diags *d);

#endif

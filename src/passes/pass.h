/* Passes. One file per pass fills a `const struct pass pass_NAME`; one row of passes.def lists it;
 * aliases.def has the names that users of qonnx and FINN know it by. */
#ifndef QCC_PASSES_PASS_H
#define QCC_PASSES_PASS_H

#include "ir/ir.h"
#include "util/options.h"

#include <jansson.h>

/* What a pass relies on or establishes. The driver runs the pass that ensures a missing property first. */
enum graph_property {
	GRAPH_INFERRED = 1 << 0,    /* every value typed as far as it can be: pass infer */
	GRAPH_CLEAN = 1 << 1,	    /* pass cleanup */
	GRAPH_CONVERTED = 1 << 2,   /* no weight or activation quantiser but MultiThreshold: pass convert */
	GRAPH_STREAMLINED = 1 << 3, /* pass streamline */
	GRAPH_HARDWARE = 1 << 4,    /* pass to-hw */
	GRAPH_FOLDED = 1 << 5,
	GRAPH_PRUNED = 1 << 6, /* pass prune-dead has run; waived where the network's shape is to be kept */
	GRAPH_SHRUNK = 1 << 7, /* prune-dead removed something. No pass requires this; fold may pad then */
};

enum pass_result { PASS_ERROR = -1, PASS_UNCHANGED = 0, PASS_CHANGED = 1 };

struct certificates;
struct pass_ctx;

/* What a running pass may ask of the driver that runs it (pipeline/pipeline.c). */
struct pass_driver {
	bool certify; /* --certify: compare what is generated with what it replaces, and report it */
	struct certificates *certificates; /* passes/certify.h: where they are kept; NULL: nowhere */
	unsigned waived;		   /* properties that this run does without: --keep-shape waives GRAPH_PRUNED */
	/* Runs a list of passes on the graph of the context, as pass_run_nested describes; an entry for each is added to
	 * the array. */
	enum pass_result (*run)(struct pass_ctx *ctx, const char *list, json_t *entries);
};

struct pass_ctx {
	struct graph *graph;
	const struct pass *pass;
	const struct pass_arg *args; /* as given, checked against the pass's options */
	size_t n_args;
	struct diags *diags;
	size_t changes;			  /* the pass counts its edits here, for -v and the report */
	json_t *report;			  /* object of the pass in report.json; add to it what users want to know */
	const struct pass_driver *driver; /* never NULL */
};

struct pass {
	const char *name;		   /* lower case, words joined by '-' */
	const char *summary;		   /* one line */
	const char *help;		   /* a few paragraphs: what it does, what it leaves, an example */
	const struct pass_option *options; /* ends with a NULL name; NULL: none */
	unsigned requires, ensures;	   /* enum graph_property */
	unsigned preserves;		   /* properties that survive a change; ensures is added to them */
	/* Which of the required properties this run, with the options it was given, does without (fold(keep_shape));
	 * the passes that are run for it do without them too. NULL: none. */
	unsigned (*waives)(const struct pass_ctx *ctx);
	/* Edits ctx->graph. PASS_ERROR with a diagnostic; else whether anything changed. */
	enum pass_result (*run)(struct pass_ctx *ctx);
	/* The outputs or the inputs' meaning change on purpose (pad-input, binary-output): --verify
	 * does not compare across this pass. */
	bool changes_function;
	/* The pass names all nodes and values itself at its end, so that the driver need not name them before it
	 * (graph->names_due). */
	bool renames_all;
};

#define PASS(symbol) extern const struct pass pass_##symbol;
#include "passes/passes.def"
#undef PASS

extern const struct pass *const pass_table[];
extern const size_t pass_table_size;

struct pass_alias {
	const char *alias, *name;
	const char *args; /* preset arguments, "rules=matmul", or NULL */
};
extern const struct pass_alias pass_aliases[];
extern const size_t pass_aliases_size;

/* By its own name or an alias (then *preset gets the alias's arguments, else NULL). NULL where unknown. */
const struct pass *pass_find(const char *name, const char **preset);

/* Options of the running pass: what was given, else the fallback. Types were checked by the driver. */
bool pass_flag(const struct pass_ctx *ctx, const char *name);
int64_t pass_int(const struct pass_ctx *ctx, const char *name);
double pass_real(const struct pass_ctx *ctx, const char *name);
const char *pass_string(const struct pass_ctx *ctx, const char *name); /* NULL: not given, no fallback */

/* Runs another pass (by name, with "a=1,b=2" or NULL) on the same graph; for passes that consist of others.
 * Its changes and report nest under the caller's. */
enum pass_result pass_run_nested(struct pass_ctx *ctx, const char *name, const char *args);
/* The same for a list, as behind -p. */
enum pass_result pass_run_list(struct pass_ctx *ctx, const char *list);

/* Whether the shape of the network is to be kept: by the pass's own flag keep_shape, or for the whole run. In the form
 * that struct pass wants: GRAPH_PRUNED or 0. */
unsigned pass_keeps_shape(const struct pass_ctx *ctx);

/* A line for the summary on the terminal and for the pass's "notes" in report.json. */
void pass_note(struct pass_ctx *ctx, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline enum pass_result pass_result(const struct pass_ctx *ctx)
{
	return ctx->changes ? PASS_CHANGED : PASS_UNCHANGED;
}

#endif

/* Pipelines: a list of passes with arguments, run one after the other by the driver, which times them,
 * verifies the graph after each, dumps it on demand, and fills report.json. */
#ifndef QCC_PIPELINE_PIPELINE_H
#define QCC_PIPELINE_PIPELINE_H

#include "passes/pass.h"
#include "pipeline/verifier.h"

struct pipeline_step {
	const struct pass *pass;
	const char *called; /* the name the user wrote */
	struct pass_arg *args;
	size_t n_args;
};

struct pipeline {
	struct pipeline_step *steps;
	size_t count;
	struct arena arena;
};

/* Passes that a caller has besides those of the table. */
struct pass_set {
	const struct pass **items;
	size_t count;
};

struct pipeline_options {
	bool verify_structure;		   /* graph_verify after each pass */
	bool certify;			   /* --certify */
	struct certificates *certificates; /* passes/certify.h: where they are kept; NULL: nowhere */
	const char *dump_after;		   /* pass name or "all"; NULL: no dumps */
	const char *dump_dir;
	/* Writes the picture that goes with a dump (backends/dot); NULL: dumps are ONNX files only. */
	int (*draw)(const struct graph *g, const char *path, struct diags *d);
	size_t *dump_count;		   /* numbers the dumps; set by pipeline_run where NULL */
	int64_t verify_samples;		   /* --verify=N: execute before and after each pass; 0: off */
	const char *verify_file;	   /* --verify=file.npy */
	struct verification *verification; /* filled by pipeline_run where the verifier is its own; may be NULL */
	struct verifier *verifier;	   /* pipeline/verifier.h; made by pipeline_run where NULL and asked for */
	unsigned waived;		   /* properties that no pass of this run needs; --keep-shape: GRAPH_PRUNED */
	bool verbose;
	const struct pass_set *more; /* that lists within passes may name, too; may be NULL */
	bool nested;		     /* within a pass: names that are due can wait for its end */
	/* Called after each step (not after passes run for or within it) with the graph as it is; may be NULL. */
	void (*observe)(void *user, const struct graph *g, const struct pipeline_step *step);
	/* Called after each pass, those included that others require, but not after those that run within one; may be NULL. */
	void (*record)(void *recorder, const struct graph *g, const struct pipeline_step *step);
	void *recorder;
	/* Asked before each step of the list, with the name of its pass and how much of the list is done, 0 to 1. False: the
	 * rest is given up; it has said why. May be NULL. */
	bool (*proceed)(void *user, const char *pass, double done);
	void *user;
};

/* Parses "a,b(opt=3,flag),c" against the registry. 0, or -1 with diagnostics that name the culprit
 * and the nearest known name. */
int pipeline_parse(struct pipeline *p, const char *text, struct diags *d);
/* The same, with more passes than those of the table (NULL: none). */
int pipeline_parse_with(struct pipeline *p, const char *text, const struct pass_set *more, struct diags *d);
void pipeline_free(struct pipeline *p);
/* "a,b(opt=3)" again, aliases resolved; malloc'd. */
char *pipeline_print(const struct pipeline *p);
/* Runs all steps; adds an entry per step to the array report: {pass, seconds, changes, nodes, ...}. */
int pipeline_run(const struct pipeline *p, struct graph *g, const struct pipeline_options *o, json_t *report,
		 struct diags *d);
/* Whether the environment (QCC_VERIFY=1) or the build (--enable-debug) asks to verify after each pass. */
bool pipeline_verify_default(void);

#endif

/* What the files of the library's public face share. */
#ifndef QCC_API_API_H
#define QCC_API_API_H

#include <stdatomic.h>

#include "qcc/qcc.h"
#include "report/report.h"

struct qcc_model {
	struct graph *graph; /* NULL: reading failed */
	char *path;
	struct diags diags;
	struct report *report;
	int64_t verify_samples;
	bool certify;
	qcc_progress_fn *progress;
	void *user;
	atomic_bool cancelled;
	bool no_memory;				  /* it ran out in a call, which failed */
	char *messages, *json, *dot, *svg, *text; /* what was returned last */
};

/* Makes a call from outside: memory that runs out in it is an error that the model's messages tell (m may be NULL), and
 * numbers are written and read as in C, whatever the host program's locale is. Returns what work returns, or -1. */
int api_guarded(int (*work)(void *call), void *call, struct qcc_model *m);

/* The arguments of a call. */
struct api_call {
	struct qcc_model *m;
	const struct qcc_model *from;
	const char *text, *dir;
	const void *bytes;
	size_t size;
};

/* Starts a call that may take long: forgets an earlier qcc_cancel. */
void api_start(struct qcc_model *m);
/* Tells how far it is. False with an error: it is to be given up. */
bool api_proceed(struct qcc_model *m, const char *what, double done);

#endif

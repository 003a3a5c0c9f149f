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
	char *messages, *json, *dot, *svg, *text; /* what was returned last */
};

/* Starts a call that may take long: forgets an earlier qcc_cancel. */
void api_start(struct qcc_model *m);
/* Tells how far it is. False with an error: it is to be given up. */
bool api_proceed(struct qcc_model *m, const char *what, double done);

#endif

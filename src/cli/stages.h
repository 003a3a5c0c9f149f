/* DIR/dot/NN-PASS.dot: a picture of the graph as imported and after each step of the pipeline. */
#ifndef QCC_CLI_STAGES_H
#define QCC_CLI_STAGES_H

#include "pipeline/pipeline.h"

struct stages {
	struct diags *diags;
	char *hidden, *folder; /* written in the one, moved to the other when all went well */
	size_t count;
	struct arena arena;
	struct {
		const char **items;
		size_t count, capacity;
	} names;
	bool failed;
};

/* Writes the first picture, "imported". dir exists. */
void stages_start(struct stages *s, const struct graph *g, const char *dir, struct diags *d);
/* For pipeline_options.observe. */
void stages_observe(void *stages, const struct graph *g, const struct pipeline_step *step);
/* Shows the pictures under their names, in place of those of earlier runs (ok), or deletes them. Frees s. 0, or -1
 * with diagnostics. */
int stages_finish(struct stages *s, bool ok);

#endif

/* DIR/dot/NN-PASS.dot: a picture of the graph as imported and after each step of the pipeline. */
#ifndef QCC_CLI_STAGES_H
#define QCC_CLI_STAGES_H

#include "pipeline/pipeline.h"

struct stages {
	struct diags *diags;
	const char *folder;
	size_t count;
	struct arena arena;
	bool failed;
};

/* Draws the first picture, "imported". dir is the run's own folder (util/output.h). */
void stages_start(struct stages *s, const struct graph *g, const char *dir, struct diags *d);
/* For pipeline_options.observe. */
void stages_observe(void *stages, const struct graph *g, const struct pipeline_step *step);
/* Frees s. 0, or -1 where a picture could not be written. */
int stages_finish(struct stages *s);

#endif

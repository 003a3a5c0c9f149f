/* --verify: executes the graph before and after each pass and finds the first pass that changes an output. */
#ifndef QCC_PIPELINE_VERIFIER_H
#define QCC_PIPELINE_VERIFIER_H

#include "ir/ir.h"

struct verifier;

/* What was compared so far. */
struct verification {
	int64_t samples;       /* along the first axis; 0: verification was not asked for */
	size_t compared;       /* passes before and after which the outputs were equal */
	size_t not_compared;   /* passes that change the outputs or the interface on purpose */
	const char *from_file; /* --verify=FILE, borrowed; NULL: generated samples */
};

/* Takes the graph's outputs as the reference, on the inputs in a .npy (.npz for several) file or, where file is
 * NULL, on that many generated samples. NULL with diagnostics. */
struct verifier *verifier_new(const struct graph *g, int64_t samples, const char *file, struct diags *d);
void verifier_free(struct verifier *v);
struct verification verifier_result(const struct verifier *v);
/* Executes the graph again and compares; d->pass names the pass that ran. Integer outputs and the place of the
 * largest element of a row must be equal, reals to 1e-5 relative. Where the pass changes the function or the inputs
 * on purpose, a note says that the step is not compared, and the outputs become the new reference.
 * 0, or -1 with a diagnostic naming output, index and both values. */
int verifier_check(struct verifier *v, const struct graph *g, bool changes_function, struct diags *d);

#endif

/* The generated C of a network, compiled and executed, for qcc eval --all. */
#ifndef QCC_CLI_EVAL_C_H
#define QCC_CLI_EVAL_C_H

#include "data/predict.h"

/* Writes the C of that style into a temporary folder, compiles it ($CC, else cc), and runs it on the rows. The outputs,
 * or NULL with diagnostics. */
struct tensor *eval_generated_c(struct graph *g, const char *style, const struct feeding *f, const struct dataset *s,
				struct diags *d);

#endif

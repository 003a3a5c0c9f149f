/* What passes that change a network's interface share. */
#ifndef QCC_PASSES_SURGERY_H
#define QCC_PASSES_SURGERY_H

#include "passes/pass.h"

/* The graph input of that name, or, for "input", the only one there is; not what has a constant. NULL where there is none. */
struct value *surgery_input(const struct graph *g, const char *name);
/* The graph's only input that is no constant. NULL with a diagnostic where there is another number of them. */
struct value *only_input(struct pass_ctx *ctx);
/* Takes all uses away from the input, for nodes that come between; give them to what those nodes compute with
 * value_replace_uses and remove what was returned. */
struct value *detach_uses(struct graph *g, struct value *input);

#endif

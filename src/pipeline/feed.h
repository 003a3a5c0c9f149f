/* Tensors for a graph's inputs: from files, or generated after each input's datatype. */
#ifndef QCC_PIPELINE_FEED_H
#define QCC_PIPELINE_FEED_H

#include "ir/ir.h"

struct feed {
	struct value **inputs;	 /* as graph_data_inputs has them */
	struct tensor **tensors; /* one each; NULL: not given (yet) */
	size_t count;
};

void feed_init(struct feed *f, const struct graph *g);
void feed_free(struct feed *f);
/* Reads "[NAME=]file" (.npy, .npz with a member for each input, or .pb with a TensorProto) into its place: that of the name, else the first
 * without a tensor. 0, or -1 with a diagnostic. */
int feed_read(struct feed *f, const char *argument, struct diags *d);
/* Every input has a tensor. 0, or -1 with the missing ones named. */
int feed_complete(const struct feed *f, struct diags *d);
/* Fills the places still empty with that many samples along the first axis, drawn from what the input's datatype
 * allows: integers uniform, reals in [0, 1), standard normal, and mixed of both by turns. The same numbers for the
 * same seed on every machine. 0, or -1 with a diagnostic where a shape is unknown. */
int feed_generate(struct feed *f, int64_t samples, uint64_t seed, struct diags *d);

#endif

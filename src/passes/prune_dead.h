/* What prune-dead knows of a graph's channels before it removes any (prune_needs.c finds it out, prune_dead.c acts). */
#ifndef QCC_PASSES_PRUNE_DEAD_H
#define QCC_PASSES_PRUNE_DEAD_H

#include "passes/pass.h"
#include "passes/products.h"

/* What is known of a value's channels. */
struct channels {
	int axis; /* -1: the channels are not distinguished, and the value is kept whole */
	int64_t count, kept;
	bool *needed;  /* whether a reader of the value needs the channel once constants are folded */
	uint32_t same; /* a value with the same channels (by id), itself where it is the one that stands for all */
	bool interior; /* computed behind an integer layer, so not by the host where there is hardware */
};

struct pruning {
	struct graph *graph;
	struct channels *of; /* by value id */
	uint32_t n_values;
	bool splits; /* a node joins or splits channels (Concat, Flatten) */
	struct diags *diags;
};

/* How a node treats channels. */
enum role {
	ROLE_OTHER,	/* needs all of its inputs, gives all of its output */
	ROLE_PRODUCT,	/* MatMul, Conv with one group: mixes channels */
	ROLE_DEPTHWISE, /* Conv: each channel by itself */
	ROLE_EACH,	/* element-wise, with constant parameters along the channels or none */
	ROLE_JOIN,	/* Add, Sub, Mul of two computed values of the same shape */
	ROLE_CONCAT,
	ROLE_POOL,
	ROLE_FLATTEN, /* [N, C, ...] to [N, C * ...] */
};

enum role prune_role(const struct node *n);

/* NULL for a value made since. */
static inline struct channels *channels_of(const struct pruning *p, const struct value *v)
{
	return v->id < p->n_values ? &p->of[v->id] : NULL;
}

/* Whether the channel always holds one number, which is put into *number. Needs ranges. */
bool prune_is_constant(const struct value *v, int axis, int64_t channel, int64_t *number);
/* Fills p->of for p->graph, whose ranges are known. divisors: dead channels of images stay where their number
 * has more divisors then, since they can be folded more finely. */
void prune_find_needs(struct pruning *p, bool divisors);
void prune_free(struct pruning *p);

#endif

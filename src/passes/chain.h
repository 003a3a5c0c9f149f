/* Chains of element-wise nodes, seen as functions of the value they start from.
 *
 * Between an accumulator and the quantiser that consumes it stand scales, biases, batch norms and
 * activations. Whatever they are, together they are a function of one number per channel. A chain can be
 * evaluated at any points by executing its own nodes (chain_eval), or, where all of them are linear, be
 * summed up as scale * x + bias (affine_of). Everything streamlining does rests on these two. */
#ifndef QCC_PASSES_CHAIN_H
#define QCC_PASSES_CHAIN_H

#include "ops/channels.h"
#include "ops/op.h"

struct chain {
	struct value *root;  /* what the function is of */
	struct node **nodes; /* in order of execution; each reads the one before (the first: root) */
	size_t count;
	int axis;	  /* which axis its parameters vary along; -1: they are scalars */
	int64_t channels; /* length of that axis; 1 where axis is -1 */
	bool has_paths;	  /* nodes may read any before them: see function_of */
};

/* The input of an element-wise node that is not a constant; -1 where not exactly one is. */
int elementwise_data(const struct node *n);
/* The axis (of a value of that rank) along which the node's parameters vary: -1 none, -2 more than one. */
int elementwise_axis(const struct node *n, int rank);
/* Never decreasing (1), never increasing (-1), or neither or unknown (0) in each channel alike; channels may
 * differ in direction where *mixed is set. Judged by operator and parameters alone. */
int elementwise_direction(const struct node *n, bool *mixed);

/* Walks up from v through element-wise nodes with constant parameters, up to a quantiser, a node of another
 * kind, a change of shape, or parameters along a second axis; the root is the topmost integer value met, or
 * the topmost value where there is none. Nodes belong to the caller: free them with chain_free. */
void chain_of(struct value *v, struct chain *c);
void chain_free(struct chain *c);
/* The same where paths fork and meet again (x * sigmoid(x), x / (1 + |x|)): all nodes between v and the one integer value
 * that it is computed from, element by element. False, with nothing to free, where there is no such value. */
bool function_of(struct value *v, struct chain *c);
/* All nodes that compute v from root, whatever they are. False, with nothing to free, where they read anything else that
 * is computed. */
bool chain_between(struct value *root, struct value *v, struct chain *c);
/* Drops the first `n` nodes: the root becomes what they compute. */
void chain_cut(struct chain *c, size_t n);
/* How many of that many points of each channel are looked at together, where `most` are over all channels. */
static inline int64_t chain_points_at_once(const struct chain *c, int64_t most, int64_t points)
{
	int64_t at_once = most / c->channels + 1;
	return points < at_once ? points : at_once;
}
/* One node more at the end. */
void chain_push(struct chain *c, struct node *n);

/* What the chain's last node gives for a root of any shape. NULL with a diagnostic. */
struct tensor *chain_run(const struct chain *c, struct tensor *root, struct diags *d);
/* Values of the chain's last node at `points` points in each channel: x[p * channels + c]. The arithmetic is
 * float32 as a runtime would do it, or double where exact is set. 0, or -1 with a diagnostic. */
int chain_eval(const struct chain *c, const double *x, double *y, int64_t points, bool exact, struct diags *d);

/* scale * root + bias; one element, or one per channel along axis. */
struct affine {
	struct value *root;
	int axis;	      /* -1: scalars */
	int64_t channels;     /* 1 where axis is -1 */
	double *scale, *bias; /* malloc'd together, at scale */
};

/* The linear part of the chain above v. True where its root is an integer value. Free with affine_free in
 * either case. */
bool affine_of(struct value *v, struct affine *a);
void affine_free(struct affine *a);
/* scale 1 and bias 0 over that many channels. */
void affine_init(struct affine *a, struct value *root, int axis, int64_t channels);
/* Puts one linear node (Mul, Add, Sub, Div, Neg, BatchNormalization with constant parameters) on top of the form. */
void affine_apply(struct affine *a, const struct node *n);
bool affine_is_scaled(const struct affine *a); /* any scale other than 1 */
bool affine_is_biased(const struct affine *a); /* any bias other than 0 */
void affine_make_uniform(struct affine *a);    /* drops the channels of a uniform one */
/* Mul and Add nodes before `before` that compute it from q, as few as it takes. */
struct value *affine_emit(const struct affine *a, struct graph *g, struct node *before, struct value *q);

#endif

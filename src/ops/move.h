/* Moving elements: what Transpose, Slice, Pad, Gather, Tile, DepthToSpace and the like have in common.
 *
 * Each writes output element (i0, i1, ...) from the input element at offset table0[i0] + table1[i1] + ...;
 * a negative entry means that the element is not from the input (padding). */
#ifndef QCC_OPS_MOVE_H
#define QCC_OPS_MOVE_H

#include "ops/op.h"

enum { MOVE_RANK = 2 * MAX_RANK }; /* Tile and DepthToSpace split axes while they work */

/* Operators that make axes longer refuse more than this, for which tables would be too large. */
#define MOVE_EXTENT_LIMIT (INT64_C(1) << 28)

/* Not from the input; so low that no sum of offsets becomes valid again. */
#define MOVE_FILL (INT64_MIN / (4 * MAX_RANK))

struct move {
	int rank;
	int64_t dims[MOVE_RANK];   /* of the output */
	int64_t *table[MOVE_RANK]; /* dims[k] offsets each, in elements */
	struct exec_ctx *x;	   /* whose budget the tables keep to */
	bool failed;		   /* a table was beyond it, and a diagnostic said so */
};

/* Whether a Resize or Upsample only moves elements: nearest neighbour, without a region that it fills with a value of its own
 * (resize.c). */
bool resize_moves(const struct node *n);

/* Frees the tables. */
void move_free(struct move *m);
/* Adds an output axis of that extent, whose table runs 0, stride, 2 stride, ...; returns the table, or NULL where it is
 * beyond the operator's budget: exec_move fails then. */
int64_t *move_axis(struct move *m, int64_t dim, int64_t stride);
/* Row-major strides of a shape, in elements. */
void row_major_strides(int rank, const int64_t *dims, int64_t *strides);

/* Copies n elements from in[from] to out[to], whatever the type; strings are duplicated. */
void elements_copy(struct tensor *out, int64_t to, const struct tensor *in, int64_t from, int64_t n);
/* Sets n elements of a tensor fresh from exec_output to the one at value; NULL: zero, or "". */
void elements_fill(struct tensor *out, int64_t to, int64_t n, const void *value);
/* Replaces one element, of the same type, freeing a string that is there. */
void element_replace(struct tensor *out, int64_t to, const struct tensor *in, int64_t from);

/* A fresh tensor for a move, as output i of the operator: dims are the move's unless given. */
int exec_move(struct exec_ctx *x, size_t i, struct move *m, const struct tensor *in, const void *fill, int rank,
	      const int64_t *dims);

/* Integers of an input or, where the opset had it so, of an attribute: axes, starts, pads, repeats. False
 * where neither is there (count 0) or an input is no constant. */
bool infer_ints(const struct node *n, size_t input, const char *attr, int64_t out[MAX_RANK], size_t *count);
/* The same for execution, where inputs are always known; more than MAX_RANK elements count as absent. */
bool exec_ints(const struct exec_ctx *x, size_t input, const char *attr, int64_t out[2 * MAX_RANK], size_t *count);
/* Normalises axes in place; false where one is out of range or double. */
bool normal_axes(int64_t *axes, size_t count, int rank);
/* The order of axes that a Transpose asks for (default: reversed); false where its attribute is none of that rank. */
bool transpose_permutation(const struct node *n, int rank, int64_t perm[MAX_RANK]);

/* A view of input 0 under another shape as output 0, with a diagnostic where the counts differ. */
int exec_view(struct exec_ctx *x, int rank, const int64_t *dims);

#endif

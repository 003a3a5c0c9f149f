/* Small edits that passes share. */
#ifndef QCC_PASSES_EDIT_H
#define QCC_PASSES_EDIT_H

#include "ops/op.h"

/* Executes a node whose inputs are all constant (or that asks for a known shape) and replaces it. 1 where it
 * was folded, 0 where it cannot be, -1 with a diagnostic. left: NULL for what its own inputs allow. */
int fold_node(struct graph *g, struct node *n, struct exec_budget *left, struct diags *d);

/* Replaces calls of model-local functions by the functions' nodes, and counts what it changes. 0, or -1 with a
 * diagnostic. */
int inline_functions(struct graph *g, size_t *changes, struct diags *d);

/* Adds KIND_0, KIND_1, ...: kind and how often it came before; counts starts as {0}. */
void numbered_name(struct map *counts, const char *kind, struct strbuf *name);

/* Takes a node out: uses of its first output become uses of v. The node must have no other used output. */
void node_bypass(struct node *n, struct value *v);

/* Removes v's producer if v is unused, then likewise the element-wise nodes above it. The time is proportional to
 * what is removed. */
void remove_unused_above(struct value *v);

/* Output 0 of a new node, typed by inference; what cannot be known stays unknown. */
struct value *typed_output(struct node *n);

/* A node of one output before `before`, with its output typed by inference; NULL inputs end the list. */
struct value *add_node1(struct graph *g, struct node *before, const char *domain, const char *op_type, struct value *a,
			const char *hint);
struct value *add_node2(struct graph *g, struct node *before, const char *domain, const char *op_type, struct value *a,
			struct value *b, const char *hint);

/* Puts the constant thresholds of a MultiThreshold into ascending order, row by row: MultiThreshold counts them in
 * any order, but hardware and bisection need them sorted. False where nothing was to be done. */
bool sort_thresholds(struct node *n);

/* A float constant from doubles, of that shape. */
struct value *constant_floats(struct graph *g, const char *hint, int rank, const int64_t *dims, const double *x);
struct value *constant_scalar(struct graph *g, const char *hint, double x);

#endif

/* Expansion of QONNX operators into standard ONNX operators: what the files of quant-to-onnx share. */
#ifndef QCC_PASSES_EXPAND_H
#define QCC_PASSES_EXPAND_H

#include "ops/op.h"

/* The expansions need this opset: from 13 on the axes of ReduceSum and Unsqueeze are inputs. */
enum { EXPANSION_OPSET = 13 };

/* The node that is being expanded, and the floating-point type in which the new nodes compute, which is the node's own. */
struct expansion {
	struct graph *graph;
	struct node *node; /* the node to expand; new nodes are inserted right before it */
	struct diags *diags;
	enum elem_type elem; /* ELEM_FLOAT or ELEM_DOUBLE */
};

/* One new node each, with one, two or three inputs; its output is returned. */
struct value *expand_unary(struct expansion *s, const char *op_type, struct value *a);
struct value *expand_binary(struct expansion *s, const char *op_type, struct value *a, struct value *b);
struct value *expand_ternary(struct expansion *s, const char *op_type, struct value *a, struct value *b,
			     struct value *c);
struct value *expand_cast(struct expansion *s, struct value *v, enum elem_type to);
struct value *expand_transpose(struct expansion *s, struct value *v, const int64_t *perm, size_t rank);
struct value *expand_reshape(struct expansion *s, struct value *v, const int64_t *dims, size_t rank);
/* A scalar constant of type s->elem. */
struct value *expand_scalar(struct expansion *s, double x);
/* v converted to type s->elem: v itself, a converted constant, or the output of a Cast. */
struct value *expand_operand(struct expansion *s, struct value *v);
/* Replaces s->node by y, converted to the storage type of the node's output; the node is removed. */
void expand_finish(struct expansion *s, struct value *y);

/* Each adds the nodes that compute what s->node computes and removes it. 0, or -1 with a diagnostic. */
typedef int expand_fn(struct expansion *s);
expand_fn expand_quant, expand_bipolar_quant, expand_trunc, expand_float_quant, expand_multi_threshold;
expand_fn expand_im2col, expand_quant_avg_pool, expand_channels_last, expand_xnor, expand_debug_marker;

#endif

/* Rewriting operators of other domains, and of quantised values, as ONNX's own: what the files of qop-to-quant share. A
 * rewrite puts nodes before its node and the last one's output into its place. */
#ifndef QCC_PASSES_QOP_REWRITE_H
#define QCC_PASSES_QOP_REWRITE_H

#include "passes/edit.h"

#define DOMAIN_MICROSOFT "com.microsoft"

struct rewrite {
	struct graph *g;
	struct node *n;
};

struct rewrite_row {
	const char *domain, *op_type;
	uint32_t least_inputs;
	int (*rewrite)(const struct rewrite *r); /* 1: done; 0: it has attributes or inputs that are not read */
};

/* ONNX Runtime's operators on quantised values, and on floats (qop_runtime.c); those of transformers and of integer
 * networks (qop_layers.c). */
extern const struct rewrite_row runtime_rewrites[], layer_rewrites[];
extern const size_t n_runtime_rewrites, n_layer_rewrites;

/* Input i of the node. */
static inline struct value *in(const struct rewrite *r, size_t i)
{
	return node_input(r->n, i);
}

/* New nodes of ONNX's own with one and two inputs: their outputs. */
static inline struct value *one(const struct rewrite *r, const char *op_type, struct value *a)
{
	return add_node1(r->g, r->n, "", op_type, a, op_type);
}

static inline struct value *two(const struct rewrite *r, const char *op_type, struct value *a, struct value *b)
{
	return add_node2(r->g, r->n, "", op_type, a, b, op_type);
}

/* ReduceSum or ReduceMean of x over `count` axes from `first` on, which stay with length 1; its axes are an input from that
 * opset on. */
struct value *qop_reduced(const struct rewrite *r, const char *op_type, int64_t opset, struct value *x, int first,
			  size_t count);
/* Inputs x, scale and zero point, by their numbers, as real numbers. */
struct value *qop_real(const struct rewrite *r, size_t x, size_t scale, size_t zero);
/* The integers less their zero point, as floats. */
struct value *qop_integers(const struct rewrite *r, size_t x, size_t zero, int axis);
/* y, real, quantised as the node's output; the node goes. scale NULL: 1. Returns 1. */
int qop_finish(const struct rewrite *r, struct value *y, struct value *scale, struct value *zero);

#endif

/* Rewriting operators of other domains, and of quantised values, as ONNX's own: what the files of qop-to-quant share. A
 * rewrite puts nodes before its node and the last one's output into its place. */
#ifndef QCC_PASSES_QOP_REWRITE_H
#define QCC_PASSES_QOP_REWRITE_H

#include "ir/ir.h"

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

/* Inputs x, scale and zero point, by their numbers, as real numbers. */
struct value *qop_real(const struct rewrite *r, size_t x, size_t scale, size_t zero);
/* The integers less their zero point, as floats. */
struct value *qop_integers(const struct rewrite *r, size_t x, size_t zero, int axis);
struct value *qop_scaled(const struct rewrite *r, struct value *y, struct value *by);
/* y, real, quantised as the node's output; the node goes. scale NULL: 1. Returns 1. */
int qop_finish(const struct rewrite *r, struct value *y, struct value *scale, struct value *zero);

#endif

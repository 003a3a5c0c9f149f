/* Spelling QONNX operators out in plain ONNX: what the parts of quant-to-onnx share. */
#ifndef QCC_PASSES_SPELL_H
#define QCC_PASSES_SPELL_H

#include "ops/op.h"

/* The opset that what is spelled out needs: axes of ReduceSum and Unsqueeze are inputs from 13 on. */
enum { SPELLED_OPSET = 13 };

/* Where nodes go, and in what floating-point type they compute (that of the operator spelled out). */
struct spelling {
	struct graph *graph;
	struct node *node; /* what is spelled out; new nodes go right before it */
	struct diags *diags;
	enum elem_type elem; /* ELEM_FLOAT or ELEM_DOUBLE */
};

struct value *spell1(struct spelling *s, const char *op_type, struct value *a);
struct value *spell2(struct spelling *s, const char *op_type, struct value *a, struct value *b);
struct value *spell3(struct spelling *s, const char *op_type, struct value *a, struct value *b, struct value *c);
struct value *spell_cast(struct spelling *s, struct value *v, enum elem_type to);
struct value *spell_transpose(struct spelling *s, struct value *v, const int64_t *perm, size_t rank);
struct value *spell_reshape(struct spelling *s, struct value *v, const int64_t *dims, size_t rank);
/* A scalar constant of type s->elem. */
struct value *spell_number(struct spelling *s, double x);
/* v in type s->elem: itself, a cast constant, or behind a Cast. */
struct value *spell_operand(struct spelling *s, struct value *v);
/* The result takes the place of s->node, which goes, in the storage type of the node's output. */
void spell_finish(struct spelling *s, struct value *y);

/* Each builds what computes s->node and finishes. 0, or -1 with a diagnostic. */
typedef int spell_fn(struct spelling *s);
spell_fn spell_quant, spell_bipolar_quant, spell_trunc, spell_float_quant, spell_multi_threshold;
spell_fn spell_im2col, spell_quant_avg_pool, spell_channels_last, spell_xnor, spell_debug_marker;

#endif

/* The reference kernels, one for each kind of layer, and the text they share. For the files of this folder. */
#ifndef QCC_BACKENDS_C_REFERENCE_KERNELS_H
#define QCC_BACKENDS_C_REFERENCE_KERNELS_H

#include "backends/c/emit.h"

void ref_mac(struct emit *e, const struct plan_layer *l);
void ref_deconv(struct emit *e, const struct plan_layer *l);
void ref_threshold(struct emit *e, const struct plan_layer *l);
void ref_maxpool(struct emit *e, const struct plan_layer *l);
void ref_sum(struct emit *e, const struct plan_layer *l);
void ref_binary(struct emit *e, const struct plan_layer *l);
void ref_unary(struct emit *e, const struct plan_layer *l);
void ref_product(struct emit *e, const struct plan_layer *l);
void ref_softmax(struct emit *e, const struct plan_layer *l);
void ref_topk(struct emit *e, const struct plan_layer *l);
void ref_concat(struct emit *e, const struct plan_layer *l);
void ref_move(struct emit *e, const struct plan_layer *l);
void ref_form(struct emit *e, const struct plan_layer *l);

/* Text shared by those kernels: */
/* "static void NAME_fc1(const int8_t *restrict x, uint8_t *restrict y)\n{\n" after a comment. */
void ref_open(struct emit *e, const struct plan_layer *l);
/* The parameter of the layer's operand i: x, x1, ...; in0, in1, ... of forms, which have an x of their own. */
const char *ref_operand(struct emit *e, const struct plan_layer *l, size_t i);
void ref_close(struct emit *e);
/* The loop over images of a batch, where the graph's own has several. */
void ref_images(struct emit *e, const struct plan_layer *l);
/* `y[index] = ...` from the sum named `sum` of channel `channel` (C expressions) through the layer's activation. */
void ref_store(struct emit *e, const struct plan_layer *l, int indent, const char *index, const char *channel);
/* An element of b (an expression) as the value it stands for, and a value (an expression) as an element of b, cast
 * to its type: they differ where the style stores codes. */
const char *ref_value(struct emit *e, const struct plan_buf *b, const char *element);
const char *ref_element(struct emit *e, const struct plan_buf *b, const char *value);
/* l->operand as an array that is indexed, or as a literal. */
const char *ref_constant(struct emit *e, const struct plan_layer *l, const char *index);

#endif

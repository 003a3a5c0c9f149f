/* Makes operators with one operand from a loop expression; see unary.c and activations.c. */
#ifndef QCC_OPS_UNARY_H
#define QCC_OPS_UNARY_H

#include "ops/broadcast.h"
#include "ops/form.h"
#include "ops/ranges.h"

/* The operator NAME computes its table's loop, given alpha and beta (first and second: expressions of struct node *n);
 * result: storage type of the output (ELEM_UNDEFINED: that of x). `...` are its expressions as text (struct op_scalar). */
#define UNARY_OP_TO(symbol, NAME, loops, result, flag, inference, numbers, first, second, text, ...) \
	static double alpha_##NAME(const struct node *n __attribute__((unused)))                     \
	{                                                                                            \
		return (double)(first);                                                              \
	}                                                                                            \
	static double beta_##NAME(const struct node *n __attribute__((unused)))                      \
	{                                                                                            \
		return (double)(second);                                                             \
	}                                                                                            \
	static int exec_##NAME(struct exec_ctx *x)                                                   \
	{                                                                                            \
		const struct node *n = x->node;                                                      \
		return exec_unary(x, loops, result, alpha_##NAME(n), beta_##NAME(n));                \
	}                                                                                            \
	const struct op symbol = {                                                                   \
		.name = #NAME,                                                                       \
		.domain = DOMAIN_ONNX,                                                               \
		.summary = text,                                                                     \
		.min_inputs = 1,                                                                     \
		.max_inputs = 1,                                                                     \
		.min_outputs = 1,                                                                    \
		.max_outputs = 1,                                                                    \
		.flags = flag,                                                                       \
		.infer = inference,                                                                  \
		.datatype = numbers,                                                                 \
		.exec = exec_##NAME,                                                                 \
		.widens = true,                                                                      \
		.form = form_elements,                                                               \
		.scalar = { __VA_ARGS__, .alpha = alpha_##NAME, .beta = beta_##NAME },               \
	};
/* The output has the input's type. */
#define UNARY_OP(symbol, NAME, loops, flag, numbers, alpha, beta, text, ...)                                        \
	UNARY_OP_TO(symbol, NAME, loops, ELEM_UNDEFINED, OP_ELEMENTWISE | (flag), infer_same, numbers, alpha, beta, \
		    text, __VA_ARGS__)
/* The same, with the loop's expression given in place. */
#define UNARY(symbol, NAME, EACH, flag, numbers, text, ...)                                       \
	EACH(UNARY_LOOP, NAME, __VA_ARGS__)                                                       \
	static unary_loop *const NAME##_loops[ELEM_COUNT] = { EACH(LOOP_ROW, NAME) };             \
	UNARY_OP(symbol, NAME, NAME##_loops, flag, numbers, 0, 0, text, .of_float = #__VA_ARGS__, \
		 .of_signed = #__VA_ARGS__)
/* The same for all numbers, with an expression of its own for those that are never below 0. */
#define SIGNED_UNARY(symbol, NAME, flag, numbers, text, unsigned_x, ...)                          \
	EACH_SIGNED_NUMBER(UNARY_LOOP, NAME, __VA_ARGS__)                                         \
	EACH_UNSIGNED(UNARY_LOOP, NAME, unsigned_x)                                               \
	static unary_loop *const NAME##_loops[ELEM_COUNT] = { EACH_NUMBER(LOOP_ROW, NAME) };      \
	UNARY_OP(symbol, NAME, NAME##_loops, flag, numbers, 0, 0, text, .of_float = #__VA_ARGS__, \
		 .of_signed = #__VA_ARGS__, .of_unsigned = #unsigned_x)

/* An activation with parameters alpha and beta. */
#define ACTIVATION(symbol, NAME, flag, numbers, text, first, second, ...)                   \
	EACH_FLOAT(UNARY_LOOP, NAME, __VA_ARGS__)                                           \
	static unary_loop *const NAME##_loops[ELEM_COUNT] = { EACH_FLOAT(LOOP_ROW, NAME) }; \
	UNARY_OP(symbol, NAME, NAME##_loops, flag, numbers, first, second, text, .of_float = #__VA_ARGS__)

#endif

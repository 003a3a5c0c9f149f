/* Makes operators with two operands that broadcast from a table of loops; see arithmetic.c and logic.c. */
#ifndef QCC_OPS_BINARY_H
#define QCC_OPS_BINARY_H

#include "ops/broadcast.h"
#include "ops/form.h"
#include "ops/ranges.h"

/* The operator NAME computes its table's loop; result: storage type of the output (ELEM_UNDEFINED: that of a).
 * FORM: its C; `...` are its expressions as text (struct op_scalar). */
#define BINARY_OP(symbol, NAME, loops, result, flag, inference, numbers, text, FORM, ...) \
	static int exec_##NAME(struct exec_ctx *x)                                        \
	{                                                                                 \
		return exec_binary(x, loops, result);                                     \
	}                                                                                 \
	const struct op symbol = {                                                        \
		.name = #NAME,                                                            \
		.domain = DOMAIN_ONNX,                                                    \
		.summary = text,                                                          \
		.min_inputs = 2,                                                          \
		.max_inputs = 2,                                                          \
		.min_outputs = 1,                                                         \
		.max_outputs = 1,                                                         \
		.flags = flag,                                                            \
		.infer = inference,                                                       \
		.datatype = numbers,                                                      \
		.exec = exec_##NAME,                                                      \
		.widens = true,                                                           \
		.form = FORM,                                                             \
		.scalar = { __VA_ARGS__ },                                                \
	};

#endif

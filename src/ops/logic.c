/* Comparisons, logic and bit operations: operands that broadcast, and their unary relatives. */
#include <math.h>
#include <string.h>

#include "ops/binary.h"
#include "ops/move.h"
#include "ops/unary.h"

/* ---- comparisons ---- */

/* Loops whose result is bool. */
#define COMPARE_LOOP(elem, T, W, name, ...) MIXED_LOOP(elem, T, W, uint8_t, name, __VA_ARGS__)
#define EACH_COMPARABLE(X, ...) EACH_NUMBER(X, __VA_ARGS__) EACH_BOOL(X, __VA_ARGS__)

LOOPS_AND_TEXT(EACH_COMPARABLE, COMPARE_LOOP, equal, x == y)
LOOPS_AND_TEXT(EACH_COMPARABLE, COMPARE_LOOP, greater, x > y)
LOOPS_AND_TEXT(EACH_COMPARABLE, COMPARE_LOOP, greater_equal, x >= y)
LOOPS_AND_TEXT(EACH_COMPARABLE, COMPARE_LOOP, less, x < y)
LOOPS_AND_TEXT(EACH_COMPARABLE, COMPARE_LOOP, less_equal, x <= y)
LOOPS_AND_TEXT(EACH_BOOL, COMPARE_LOOP, and, (x && y))
LOOPS_AND_TEXT(EACH_BOOL, COMPARE_LOOP, or, (x || y))
LOOPS_AND_TEXT(EACH_BOOL, COMPARE_LOOP, xor, !x != !y)

LOOP_FUNCTION equal_strings(void *out, const void *a, const void *b, int64_t n, bool step_a, bool step_b)
{
	const char *const *p = a, *const *q = b;
	for (int64_t i = 0; i < n; i++) {
		const char *s = p[step_a ? i : 0], *t = q[step_b ? i : 0]; /* NULL: never set, which is "" */
		((uint8_t *)out)[i] = strcmp(s ? s : "", t ? t : "") == 0;
	}
}

static binary_loop *const equal_loops[ELEM_COUNT] = {
	EACH_COMPARABLE(LOOP_ROW, equal)[ELEM_STRING] = equal_strings,
};
static binary_loop *const greater_loops[ELEM_COUNT] = { EACH_COMPARABLE(LOOP_ROW, greater) };
static binary_loop *const greater_equal_loops[ELEM_COUNT] = { EACH_COMPARABLE(LOOP_ROW, greater_equal) };
static binary_loop *const less_loops[ELEM_COUNT] = { EACH_COMPARABLE(LOOP_ROW, less) };
static binary_loop *const less_equal_loops[ELEM_COUNT] = { EACH_COMPARABLE(LOOP_ROW, less_equal) };
static binary_loop *const and_loops[ELEM_COUNT] = { EACH_BOOL(LOOP_ROW, and) };
static binary_loop *const or_loops[ELEM_COUNT] = { EACH_BOOL(LOOP_ROW, or) };
static binary_loop *const xor_loops[ELEM_COUNT] = { EACH_BOOL(LOOP_ROW, xor) };

#define TEXT(name)                                                                                 \
	SCALAR_OF_NUMBERS(name##_EACH_COMPARABLE, name##_EACH_COMPARABLE, name##_EACH_COMPARABLE), \
		.of_bool = name##_EACH_COMPARABLE
#define COMPARISON(symbol, NAME, loops, flag, text, ...)                                                          \
	BINARY_OP(symbol, NAME, loops, ELEM_BOOL, OP_ELEMENTWISE | (flag), infer_broadcast_bool, datatype_binary, \
		  text, form_elements, __VA_ARGS__)

COMPARISON(op_Equal, Equal, equal_loops, OP_COMMUTATIVE, "whether a = b", TEXT(equal))
COMPARISON(op_Greater, Greater, greater_loops, OP_MONOTONE, "whether a > b", TEXT(greater))
COMPARISON(op_GreaterOrEqual, GreaterOrEqual, greater_equal_loops, OP_MONOTONE, "whether a >= b", TEXT(greater_equal))
COMPARISON(op_Less, Less, less_loops, 0, "whether a < b", TEXT(less))
COMPARISON(op_LessOrEqual, LessOrEqual, less_equal_loops, 0, "whether a <= b", TEXT(less_equal))
COMPARISON(op_And, And, and_loops, OP_COMMUTATIVE | OP_MONOTONE, "a and b", .of_bool = and_EACH_BOOL)
COMPARISON(op_Or, Or, or_loops, OP_COMMUTATIVE | OP_MONOTONE, "a or b", .of_bool = or_EACH_BOOL)
COMPARISON(op_Xor, Xor, xor_loops, OP_COMMUTATIVE, "either a or b", .of_bool = xor_EACH_BOOL)

/* ---- tests of one operand ---- */

#define TEST_LOOP(elem, T, W, name, ...) UNARY_MIXED_LOOP(elem, T, W, uint8_t, name, __VA_ARGS__)
LOOPS_AND_TEXT(EACH_BOOL, TEST_LOOP, not, !x)
LOOPS_AND_TEXT(EACH_FLOAT, TEST_LOOP, is_nan, isnan(x))
/* alpha: counts +infinity; beta: counts -infinity. */
LOOPS_AND_TEXT(EACH_FLOAT, TEST_LOOP, is_inf, isinf(x) && (x > 0 ? alpha != 0 : beta != 0))
static unary_loop *const not_loops[ELEM_COUNT] = { EACH_BOOL(LOOP_ROW, not ) };
static unary_loop *const is_nan_loops[ELEM_COUNT] = { EACH_FLOAT(LOOP_ROW, is_nan) };
static unary_loop *const is_inf_loops[ELEM_COUNT] = { EACH_FLOAT(LOOP_ROW, is_inf) };

static int infer_bool(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	infer_output(x, 0, ELEM_BOOL, in->rank, in->dims);
	return 0;
}

#define TEST(symbol, NAME, loops, alpha, beta, text, ...)                                                           \
	UNARY_OP_TO(symbol, NAME, loops, ELEM_BOOL, OP_ELEMENTWISE, infer_bool, datatype_binary, alpha, beta, text, \
		    __VA_ARGS__)

TEST(op_Not, Not, not_loops, 0, 0, "not x", .of_bool = not_EACH_BOOL)
TEST(op_IsNaN, IsNaN, is_nan_loops, 0, 0, "whether x is no number", is_nan_EACH_FLOAT)
TEST(op_IsInf, IsInf, is_inf_loops, node_attr_int(n, "detect_positive", 1), node_attr_int(n, "detect_negative", 1),
     "whether x is infinite", is_inf_EACH_FLOAT)

/* ---- bits ---- */

LOOPS_AND_TEXT(EACH_INTEGER, BINARY_LOOP, bit_and, x &y)
LOOPS_AND_TEXT(EACH_INTEGER, BINARY_LOOP, bit_or, x | y)
LOOPS_AND_TEXT(EACH_INTEGER, BINARY_LOOP, bit_xor, x ^ y)
LOOPS_AND_TEXT(EACH_INTEGER, UNARY_LOOP, bit_not, ~(wide)x)
/* Shifts by a negative number of bits, or by the width or more, leave nothing but the sign. */
LOOPS_AND_TEXT(EACH_INTEGER, BINARY_LOOP, shift_left, (uint64_t)y < 8 * sizeof x ? (wide)x << y : 0)
LOOPS_AND_TEXT(EACH_SIGNED, BINARY_LOOP, shift_right, (uint64_t)y < 8 * sizeof x ? x >> y : x < 0 ? -1 : 0)
LOOPS_AND_TEXT(EACH_UNSIGNED, BINARY_LOOP, shift_right, y < 8 * sizeof x ? x >> y : 0)
static binary_loop *const bit_and_loops[ELEM_COUNT] = { EACH_INTEGER(LOOP_ROW, bit_and) };
static binary_loop *const bit_or_loops[ELEM_COUNT] = { EACH_INTEGER(LOOP_ROW, bit_or) };
static binary_loop *const bit_xor_loops[ELEM_COUNT] = { EACH_INTEGER(LOOP_ROW, bit_xor) };
static unary_loop *const bit_not_loops[ELEM_COUNT] = { EACH_INTEGER(LOOP_ROW, bit_not) };
static binary_loop *const shift_left_loops[ELEM_COUNT] = { EACH_INTEGER(LOOP_ROW, shift_left) };
static binary_loop *const shift_right_loops[ELEM_COUNT] = { EACH_INTEGER(LOOP_ROW, shift_right) };

static binary_loop *const *shift_of(const struct node *n)
{
	bool left = strcmp(node_attr_string(n, "direction", "LEFT"), "LEFT") == 0;
	return left ? shift_left_loops : shift_right_loops;
}

#define BITWISE(symbol, NAME, loops, flag, text, form_, ...) \
	BINARY_OP(symbol, NAME, loops, ELEM_UNDEFINED, flag, infer_broadcast, NULL, text, form_, __VA_ARGS__)

static int form_shift(struct op_form *f)
{
	bool is_signed = elem_is_signed((enum elem_type)node_input(f->node, 0)->elem);
	if (shift_of(f->node) == shift_left_loops)
		return form_expression(f, shift_left_EACH_INTEGER, 0, 0);
	return form_expression(f, is_signed ? shift_right_EACH_SIGNED : shift_right_EACH_UNSIGNED, 0, 0);
}

BITWISE(op_BitwiseAnd, BitwiseAnd, bit_and_loops, OP_COMMUTATIVE, "a and b, bit by bit", form_elements,
	.of_signed = bit_and_EACH_INTEGER, .of_unsigned = bit_and_EACH_INTEGER)
BITWISE(op_BitwiseOr, BitwiseOr, bit_or_loops, OP_COMMUTATIVE, "a or b, bit by bit", form_elements,
	.of_signed = bit_or_EACH_INTEGER, .of_unsigned = bit_or_EACH_INTEGER)
BITWISE(op_BitwiseXor, BitwiseXor, bit_xor_loops, OP_COMMUTATIVE, "either a or b, bit by bit", form_elements,
	.of_signed = bit_xor_EACH_INTEGER, .of_unsigned = bit_xor_EACH_INTEGER)
BITWISE(op_BitShift, BitShift, shift_of(x->node), 0, "a shifted by b bits", form_shift, .of_float = NULL)

UNARY_OP_TO(op_BitwiseNot, BitwiseNot, bit_not_loops, ELEM_UNDEFINED, 0, infer_same, NULL, 0, 0, "every bit inverted",
	    .of_signed = bit_not_EACH_INTEGER, .of_unsigned = bit_not_EACH_INTEGER)

/* ---- Where ---- */

static int infer_where(struct infer_ctx *x)
{
	if (infer_broadcast(x) != 0)
		return -1;
	const struct value *out = node_output(x->node, 0);
	if (out)
		infer_output(x, 0, (enum elem_type)node_input(x->node, 1)->elem, out->rank, out->dims);
	return 0;
}

#define SELECT_RUN(T)                                                                                           \
	for (int64_t i = 0; i < w->run; i++)                                                                    \
	((T *)out->data)[w->done + i] = condition[w->step[0] ? i : 0]                                           \
						? ((const T *)in[1]->data)[w->offset[1] + (w->step[1] ? i : 0)] \
						: ((const T *)in[2]->data)[w->offset[2] + (w->step[2] ? i : 0)]

static void select_run(const struct walk *w, struct tensor *const *in, struct tensor *out)
{
	const uint8_t *condition = (const uint8_t *)in[0]->data + w->offset[0];
	size_t size = out->elem == ELEM_STRING ? 0 : elem_size((enum elem_type)out->elem);
	if (size == 4) {
		SELECT_RUN(uint32_t);
	} else if (size == 8) {
		SELECT_RUN(uint64_t);
	} else {
		for (int64_t i = 0; i < w->run; i++) {
			int k = condition[w->step[0] ? i : 0] ? 1 : 2;
			elements_copy(out, w->done + i, in[k], w->offset[k] + (w->step[k] ? i : 0), 1);
		}
	}
}

static int exec_where(struct exec_ctx *x)
{
	struct tensor *const *in = x->in;
	int rank;
	int64_t dims[MAX_RANK];
	if (in[0]->elem != ELEM_BOOL || in[1]->elem != in[2]->elem)
		return exec_unsupported(x, "operands of two storage types, or a condition that is not bool");
	if (!exec_broadcast_shape(x, in, 3, &rank, dims))
		return -1;
	struct tensor *out = exec_output(x, 0, in[1]->elem, rank, dims);
	if (!out)
		return -1;
	struct walk w;
	for (bool more = walk_start(&w, rank, dims, 3, in); more; more = walk_next(&w))
		select_run(&w, in, out);
	return 0;
}

static struct datatype datatype_where(const struct node *n, size_t i)
{
	(void)i;
	return datatype_join_inputs(n, 1, 2);
}

const struct op op_Where = {
	.name = "Where",
	.domain = DOMAIN_ONNX,
	.summary = "a or b, by a condition",
	.min_inputs = 3,
	.max_inputs = 3,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_where,
	.datatype = datatype_where,
	.exec = exec_where,
	.form = form_elements,
	.scalar = { .of_bool = "x ? y : z" },
};

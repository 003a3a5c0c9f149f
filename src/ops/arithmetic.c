/* Add, Sub, Mul and Div: two operands that broadcast, in the arithmetic of their storage type; integers
 * wrap, and integer division truncates (by zero it gives 0, which ONNX leaves open). */
#include "ops/binary.h"

LOOPS_AND_TEXT(EACH_NUMBER, BINARY_LOOP, add, (wide)x + (wide)y)
LOOPS_AND_TEXT(EACH_NUMBER, BINARY_LOOP, sub, (wide)x - (wide)y)
LOOPS_AND_TEXT(EACH_NUMBER, BINARY_LOOP, mul, (wide)x *(wide)y)
LOOPS_AND_TEXT(EACH_FLOAT, BINARY_LOOP, div, x / y)
LOOPS_AND_TEXT(EACH_SIGNED, BINARY_LOOP, div, y == 0 ? 0 : y == -1 ? 0 - (wide)x : (wide)(x / y))
LOOPS_AND_TEXT(EACH_UNSIGNED, BINARY_LOOP, div, y == 0 ? 0 : x / y)

static binary_loop *const add_loops[ELEM_COUNT] = { EACH_NUMBER(LOOP_ROW, add) };
static binary_loop *const sub_loops[ELEM_COUNT] = { EACH_NUMBER(LOOP_ROW, sub) };
static binary_loop *const mul_loops[ELEM_COUNT] = { EACH_NUMBER(LOOP_ROW, mul) };
static binary_loop *const div_loops[ELEM_COUNT] = { EACH_NUMBER(LOOP_ROW, div) };

struct bounds {
	int64_t lo_a, hi_a, lo_b, hi_b;
};

static bool operand_bounds(const struct node *n, struct bounds *b)
{
	return value_int_range(node_input(n, 0), &b->lo_a, &b->hi_a) &&
	       value_int_range(node_input(n, 1), &b->lo_b, &b->hi_b);
}

static struct datatype datatype_add(const struct node *n, size_t i)
{
	struct bounds b;
	int64_t lo, hi;
	if (!operand_bounds(n, &b) || __builtin_add_overflow(b.lo_a, b.lo_b, &lo) ||
	    __builtin_add_overflow(b.hi_a, b.hi_b, &hi))
		return datatype_of_kind(DT_NONE);
	return datatype_within(n, i, lo, hi);
}

static struct datatype datatype_sub(const struct node *n, size_t i)
{
	struct bounds b;
	int64_t lo, hi;
	if (!operand_bounds(n, &b) || __builtin_sub_overflow(b.lo_a, b.hi_b, &lo) ||
	    __builtin_sub_overflow(b.hi_a, b.lo_b, &hi))
		return datatype_of_kind(DT_NONE);
	return datatype_within(n, i, lo, hi);
}

static struct datatype datatype_mul(const struct node *n, size_t i)
{
	struct bounds b;
	if (!operand_bounds(n, &b))
		return datatype_of_kind(DT_NONE);
	struct datatype ta = value_datatype(node_input(n, 0)), tb = value_datatype(node_input(n, 1));
	if (ta.kind == DT_BIPOLAR && tb.kind == DT_BIPOLAR)
		return ta;
	const int64_t ends[4][2] = { { b.lo_a, b.lo_b }, { b.lo_a, b.hi_b }, { b.hi_a, b.lo_b }, { b.hi_a, b.hi_b } };
	int64_t lo = INT64_MAX, hi = INT64_MIN;
	for (int k = 0; k < 4; k++) {
		int64_t product;
		if (__builtin_mul_overflow(ends[k][0], ends[k][1], &product))
			return datatype_of_kind(DT_NONE);
		lo = product < lo ? product : lo;
		hi = product > hi ? product : hi;
	}
	if (lo == -1 && hi == 1)
		return datatype_of_kind(DT_TERNARY);
	return datatype_within(n, i, lo, hi);
}

#define ARITHMETIC(symbol, NAME, loops, flag, numbers, text, ...)                                               \
	BINARY_OP(symbol, NAME, loops, ELEM_UNDEFINED, OP_ELEMENTWISE | (flag), infer_broadcast, numbers, text, \
		  form_elements, __VA_ARGS__)

ARITHMETIC(op_Add, Add, add_loops, OP_COMMUTATIVE | OP_MONOTONE, datatype_add, "a + b, element by element",
	   SCALAR_OF_NUMBERS(add_EACH_NUMBER, add_EACH_NUMBER, add_EACH_NUMBER))
ARITHMETIC(op_Sub, Sub, sub_loops, OP_MONOTONE, datatype_sub, "a - b, element by element",
	   SCALAR_OF_NUMBERS(sub_EACH_NUMBER, sub_EACH_NUMBER, sub_EACH_NUMBER))
ARITHMETIC(op_Mul, Mul, mul_loops, OP_COMMUTATIVE, datatype_mul, "a * b, element by element",
	   SCALAR_OF_NUMBERS(mul_EACH_NUMBER, mul_EACH_NUMBER, mul_EACH_NUMBER))
ARITHMETIC(op_Div, Div, div_loops, 0, NULL, "a / b, element by element",
	   SCALAR_OF_NUMBERS(div_EACH_FLOAT, div_EACH_SIGNED, div_EACH_UNSIGNED))

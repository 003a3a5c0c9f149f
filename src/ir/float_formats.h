/* Narrow floating-point formats: float16, bfloat16, float8 (four kinds and E8M0), float4. */
#ifndef QCC_IR_FLOAT_FORMATS_H
#define QCC_IR_FLOAT_FORMATS_H

#include "ir/tensor.h"

/* The number a bit pattern stands for. */
double float_decode(enum elem_type elem, unsigned bits);
/* The pattern nearest to x, ties to even. Beyond the largest finite number: with saturate the largest
 * (infinities too, for float8), else infinity, or NaN where the format has no infinity; float16 and
 * bfloat16 always overflow to infinity. */
unsigned float_encode(enum elem_type elem, double x, bool saturate);

/* What a format holds, for generated code: bits behind the leading one, the least exponent, the largest finite number,
 * what lies beyond it becomes (saturate as above), and whether there is a -0. False for those of another kind. */
struct float_figures {
	int mantissa, least;
	double most, beyond;
	bool negative_zero;
};
bool float_figures(enum elem_type elem, bool saturate, struct float_figures *f);

#endif

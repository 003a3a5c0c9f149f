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

#endif

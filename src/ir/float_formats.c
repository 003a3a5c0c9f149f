/* Narrow floating-point formats described by a table, after the ONNX documents on float8 and float4 and
 * IEEE 754 for half. */
#include "ir/float_formats.h"

#include <math.h>

enum specials {
	IEEE,	/* top exponent: infinity (mantissa 0) and NaN */
	FN,	/* no infinity; NaN is the all-ones pattern */
	FNUZ,	/* no infinity, no -0; NaN is the pattern of -0 */
	FINITE, /* neither */
};

struct format {
	int exponent, mantissa, bias;
	enum specials specials;
};

static struct format format_of(enum elem_type elem)
{
	switch (elem) {
	case ELEM_BFLOAT16: return (struct format){ 8, 7, 127, IEEE };
	case ELEM_FLOAT8E4M3FN: return (struct format){ 4, 3, 7, FN };
	case ELEM_FLOAT8E4M3FNUZ: return (struct format){ 4, 3, 8, FNUZ };
	case ELEM_FLOAT8E5M2: return (struct format){ 5, 2, 15, IEEE };
	case ELEM_FLOAT8E5M2FNUZ: return (struct format){ 5, 2, 16, FNUZ };
	case ELEM_FLOAT4E2M1: return (struct format){ 2, 1, 1, FINITE };
	default: return (struct format){ 5, 10, 15, IEEE };
	}
}

double float_decode(enum elem_type elem, unsigned bits)
{
	if (elem == ELEM_FLOAT8E8M0) /* a bare power of two */
		return bits == 255 ? NAN : ldexp(1.0, (int)bits - 127);
	struct format f = format_of(elem);
	unsigned mantissa_mask = (1u << f.mantissa) - 1, exponent_mask = (1u << f.exponent) - 1;
	unsigned sign = bits >> (f.exponent + f.mantissa) & 1;
	unsigned exponent = bits >> f.mantissa & exponent_mask, mantissa = bits & mantissa_mask;
	double magnitude;
	if (f.specials == FNUZ && sign && !exponent && !mantissa)
		return NAN;
	if (f.specials == IEEE && exponent == exponent_mask)
		magnitude = mantissa ? NAN : INFINITY;
	else if (f.specials == FN && exponent == exponent_mask && mantissa == mantissa_mask)
		magnitude = NAN;
	else if (exponent)
		magnitude = ldexp(1.0 + ldexp(mantissa, -f.mantissa), (int)exponent - f.bias);
	else
		magnitude = ldexp(mantissa, 1 - f.bias - f.mantissa);
	return sign ? -magnitude : magnitude;
}

static unsigned encode_e8m0(double x, bool saturate)
{
	if (isnan(x) || x < 0)
		return 255;
	if (x == 0)
		return 0;
	int exponent;
	double fraction = frexp(x, &exponent); /* in [0.5, 1) */
	if (isinf(x))
		return saturate ? 254 : 255;
	exponent += fraction >= 0.75 ? 0 : -1; /* nearest power, halves up */
	if (exponent > 127)
		return saturate ? 254 : 255;
	return exponent < -127 ? 0 : (unsigned)(exponent + 127);
}

/* Pattern of the largest finite magnitude. */
static unsigned largest(struct format f)
{
	unsigned all = (1u << (f.exponent + f.mantissa)) - 1;
	if (f.specials == IEEE)
		return all - (1u << f.mantissa);
	return f.specials == FN ? all - 1 : all;
}

static unsigned nan_pattern(struct format f)
{
	unsigned all = (1u << (f.exponent + f.mantissa)) - 1;
	switch (f.specials) {
	case IEEE: return all - (1u << (f.mantissa - 1)) + 1; /* quiet: top mantissa bit alone */
	case FN: return all;
	case FNUZ: return all + 1;
	default: return largest(f); /* no NaN to be had */
	}
}

static unsigned overflow_pattern(struct format f, bool narrow_type, bool saturate)
{
	if (narrow_type && (saturate || f.specials == FINITE))
		return largest(f);
	return f.specials == IEEE ? largest(f) + 1 : nan_pattern(f);
}

unsigned float_encode(enum elem_type elem, double x, bool saturate)
{
	if (elem == ELEM_FLOAT8E8M0)
		return encode_e8m0(x, saturate);
	struct format f = format_of(elem);
	bool narrow_type = f.exponent + f.mantissa < 15;
	unsigned sign = signbit(x) ? 1u << (f.exponent + f.mantissa) : 0;
	if (isnan(x))
		return nan_pattern(f) | (f.specials == FNUZ ? 0 : sign);
	double magnitude = fabs(x);
	unsigned bits;
	if (isinf(x)) {
		bits = overflow_pattern(f, narrow_type, saturate);
	} else {
		int exponent = 1 - f.bias; /* of the number's leading bit, subnormals share the smallest */
		if (magnitude > 0 && ilogb(magnitude) > exponent)
			exponent = ilogb(magnitude);
		double units = rint(ldexp(magnitude, f.mantissa - exponent)); /* may carry into the exponent */
		double pattern = units + ldexp(exponent - (1 - f.bias), f.mantissa);
		bits = pattern > largest(f) ? overflow_pattern(f, narrow_type, saturate) : (unsigned)pattern;
	}
	if (f.specials == FNUZ && bits == 0)
		return 0; /* no negative zero */
	return f.specials == FNUZ && bits == nan_pattern(f) ? bits : bits | sign;
}

bool float_figures(enum elem_type elem, bool saturate, struct float_figures *x)
{
	struct format f = format_of(elem);
	if (!elem_is_float(elem) || elem == ELEM_FLOAT || elem == ELEM_DOUBLE || elem == ELEM_FLOAT8E8M0)
		return false;
	*x = (struct float_figures){ f.mantissa, 1 - f.bias, float_decode(elem, largest(f)),
				     float_decode(elem, overflow_pattern(f, f.exponent + f.mantissa < 15, saturate)),
				     f.specials != FNUZ };
	return true;
}

/* Rounding modes and integer bounds (see rounding.h). Facts: qonnx.custom_op.general.intquant. */
#include "ops/rounding.h"

#include <math.h>
#include <strings.h>

static const struct {
	const char *name;
	enum rounding mode;
} names[] = {
	{ "ROUND", ROUND_HALF_EVEN },
	{ "HALF_EVEN", ROUND_HALF_EVEN },
	{ "CEIL", ROUND_CEIL },
	{ "FLOOR", ROUND_FLOOR },
	{ "UP", ROUND_UP },
	{ "DOWN", ROUND_DOWN },
	{ "HALF_UP", ROUND_HALF_UP },
	{ "HALF_DOWN", ROUND_HALF_DOWN },
	{ "ROUND_TO_ZERO", ROUND_DOWN }, /* the name in Brevitas */
};

bool rounding_parse(const char *text, enum rounding *out)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcasecmp(text, names[i].name) == 0) {
			*out = names[i].mode;
			return true;
		}
	return false;
}

bool node_rounding(const struct node *n, const char *fallback, enum rounding *out, struct diags *d)
{
	const char *text = node_attr_string(n, "rounding_mode", fallback);
	if (rounding_parse(text, out))
		return true;
	diag_node_error(d, n, "one of ROUND, HALF_EVEN, CEIL, FLOOR, UP, DOWN, HALF_UP, HALF_DOWN",
			"unknown rounding mode '%s'", text);
	return false;
}

double rounding_apply(enum rounding mode, double x)
{
	double sign = x > 0 ? 1 : x < 0 ? -1 : 0;
	switch (mode) {
	case ROUND_HALF_EVEN: return rint(x);
	case ROUND_CEIL: return ceil(x);
	case ROUND_FLOOR: return floor(x);
	case ROUND_UP: return sign * ceil(fabs(x));
	case ROUND_DOWN: return trunc(x);
	case ROUND_HALF_UP: return sign * floor(fabs(x) + 0.5);
	case ROUND_HALF_DOWN: return sign * ceil(fabs(x) - 0.5);
	}
	return x;
}

void quant_bounds(bool is_signed, bool narrow, double bits, double *lo, double *hi)
{
	if (is_signed) {
		*lo = -exp2(bits - 1) + (narrow ? 1 : 0);
		*hi = exp2(bits - 1) - 1;
	} else {
		*lo = 0;
		*hi = exp2(bits) - (narrow ? 2 : 1);
	}
}

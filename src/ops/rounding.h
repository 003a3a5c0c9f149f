/* Rounding modes of Quant, Trunc and FloatQuant, and the integer bounds of a bit width. */
#ifndef QCC_OPS_ROUNDING_H
#define QCC_OPS_ROUNDING_H

#include <stdbool.h>

#include "ir/ir.h"

enum rounding {
	ROUND_HALF_EVEN, /* also called ROUND */
	ROUND_CEIL,
	ROUND_FLOOR,
	ROUND_UP,	 /* away from zero */
	ROUND_DOWN,	 /* towards zero */
	ROUND_HALF_UP,	 /* ties away from zero */
	ROUND_HALF_DOWN, /* ties towards zero */
};

/* Reads a mode's name, in either case; false where there is none such. */
bool rounding_parse(const char *text, enum rounding *out);
/* Attribute rounding_mode of a node (fallback where it has none); false with a diagnostic. */
bool node_rounding(const struct node *n, const char *fallback, enum rounding *out, struct diags *d);
/* One value, in double. */
double rounding_apply(enum rounding mode, double x);

/* Least and largest integer of a quantiser of that width, which may be fractional (3.5 bits):
 * 2^bits - 1 and so on, in double. */
void quant_bounds(bool is_signed, bool narrow, double bits, double *lo, double *hi);

#endif

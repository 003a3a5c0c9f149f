/* Sums of products with constants as sums of signed digits, in which common parts are found and computed once.
 *
 * A row is the sum of digits +-2^shift times a signal; signals are the inputs, then the rows themselves. Three kinds of
 * sharing are tried, greedily, the most LUTs saved first: two signals that are added (or subtracted) in many rows; what two
 * rows have in common; a row as another row (or its negative) and the difference. */
#ifndef QCC_BACKENDS_VERILOG_UNROLLED_SHARE_H
#define QCC_BACKENDS_VERILOG_UNROLLED_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/arena.h"

struct share_digit {
	int32_t signal;
	int16_t shift;
	bool negative;
};

struct share_row {
	struct share_digit *items;
	size_t count, capacity;
	int64_t lo, hi; /* of the row's value */
	int bits;	/* that hold hi - lo */
	int64_t *form;	/* the row as a sum of inputs */
	bool changed;
};

struct share_input {
	int64_t lo, hi;
	int bits, shift; /* how many vary, and the lowest of them */
};

struct share {
	struct arena arena;
	int32_t n_inputs;
	const struct share_input *inputs;
	struct {
		struct share_row *items;
		size_t count, capacity;
	} rows;
};

/* Rows of coefficients, [rows][inputs]; equal ones stay two rows, of which one is the other. */
void share_init(struct share *s, const struct share_input *inputs, int32_t n_inputs);
void share_add_row(struct share *s, const int64_t *coefficients);
void share_run(struct share *s);
void share_free(struct share *s);

#endif

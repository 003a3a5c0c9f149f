/* A network's outputs for the rows of a data set. */
#ifndef QCC_DATA_PREDICT_H
#define QCC_DATA_PREDICT_H

#include "data/dataset.h"
#include "ir/ir.h"

/* How rows become inputs: bits as -1 and +1 where the network takes those, and further elements where it takes more. */
struct feeding {
	bool bipolar;
	int64_t pads;	/* elements behind a row, as 0 bits are fed */
	double middle;	/* from where on a single output means the second class */
	int64_t length; /* of an input */
};

/* 0, or -1 with a diagnostic where the rows do not fit. */
int feeding_find(struct feeding *f, const struct graph *g, const struct dataset *s, struct diags *d);
/* Rows [first, first + count) as the network's input, float. */
struct tensor *feeding_rows(const struct feeding *f, const struct value *input, const struct dataset *s, int64_t first,
			    int64_t count);
/* The only input. NULL with a diagnostic. */
struct value *predict_input(const struct graph *g, struct diags *d);
/* The first output for all rows, with the rows along its first axis. g is executable and typed. NULL with
 * diagnostics. */
struct tensor *predict(const struct graph *g, const struct feeding *f, const struct dataset *s, struct diags *d);

#endif

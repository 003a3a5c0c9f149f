/* What the integers of an input or output stand for. */
#ifndef QCC_PASSES_INTEGER_IO_H
#define QCC_PASSES_INTEGER_IO_H

#include "ir/ir.h"

struct integer_meaning {
	double scale, offset; /* real = scale * integer + offset */
};

/* Of the input or output of that name, as integer-io noted it in the model's metadata; 1 and 0 where there is nothing. */
struct integer_meaning integer_meaning(const struct graph *g, const char *name);

#endif

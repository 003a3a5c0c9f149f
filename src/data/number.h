/* Decimal numbers from text, as strtod reads them but many times faster for the short ones that tables hold. */
#ifndef QCC_DATA_NUMBER_H
#define QCC_DATA_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* The nearest double to a finite decimal number ("12", "-0.5", "1e-3", spaces around it). False where it is none. */
bool number_parse(const char *text, size_t length, double *out);

#endif

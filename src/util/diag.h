/* Diagnostics. All have the same form: severity, file, node and operator, pass, cause, remedy. Diagnostics are
 * collected here and returned; only main prints them. */
#ifndef QCC_UTIL_DIAG_H
#define QCC_UTIL_DIAG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

struct limits;

enum severity { DIAG_NOTE, DIAG_WARNING, DIAG_ERROR };

struct diag {
	enum severity severity;
	const char *file; /* NULL where none is concerned; likewise the next three */
	const char *node; /* name of the node, or of its first output */
	const char *op;
	const char *pass;
	const char *cause;  /* never NULL */
	const char *remedy; /* what to do about it, or NULL */
	struct diag *next;
};

struct diags {
	struct diag *first, *last;
	int errors;
	const char *file; /* context taken into each new diagnostic; borrowed */
	const char *pass;
	const struct limits *limits; /* limits of time and memory, borrowed; NULL: none */
};

void diags_free(struct diags *d); /* starts as {0} */
/* Moves the diagnostics of `from` to the end of `to`, for example those that a thread collected to its caller's. */
void diags_move(struct diags *to, struct diags *from);

/* Each adds one diagnostic. Those that say error return -1, so that a caller can
 * `return diag_error(...)`. remedy may be NULL. All strings are copied. */
int diag_error(struct diags *d, const char *remedy, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The general form: node and op (both NULL where no node is concerned) are copied as well. ir/ir.h has the forms that
 * take a node. */
void diag_add(struct diags *d, enum severity severity, const char *node, const char *op, const char *remedy,
	      const char *format, va_list args);

/* One line each: `qcc: model.onnx: node 'fc1' (Gemm), pass convert: cause; remedy`. */
void diag_print(const struct diag *d, FILE *out);

#endif

/* Diagnostics that concern a node of the graph. */
#include "ir/ir.h"

static void add(struct diags *d, enum severity severity, const struct node *n, const char *remedy, const char *format,
		va_list args)
{
	diag_add(d, severity, n ? node_label(n) : NULL, n ? n->op_type : NULL, remedy, format, args);
}

int diag_node_error(struct diags *d, const struct node *n, const char *remedy, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add(d, DIAG_ERROR, n, remedy, format, args);
	va_end(args);
	return -1;
}

void diag_note(struct diags *d, enum severity severity, const struct node *n, const char *remedy, const char *format,
	       ...)
{
	va_list args;
	va_start(args, format);
	add(d, severity, n, remedy, format, args);
	va_end(args);
}

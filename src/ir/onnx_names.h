/* The names values get in a written file: their own, but outputs are called what the interface says. */
#ifndef QCC_IR_ONNX_NAMES_H
#define QCC_IR_ONNX_NAMES_H

#include "ir/ir.h"

struct output_names {
	const char **names; /* by value id; NULL: the value's own */
	bool *is_output;    /* by value id: its (printed) name is an output's */
	bool *aliased;	    /* by output: an Identity must give it its name */
	struct map claimed; /* names of outputs */
	struct arena arena;
};

/* 0, or -1 with a diagnostic where two outputs share a name or an input stands in the way. O(values). */
int output_names_find(struct output_names *names, const struct graph *g, struct diags *d);
void output_names_free(struct output_names *names);

static inline const char *output_names_of(const struct output_names *names, const struct value *v)
{
	return names->names[v->id] ? names->names[v->id] : v->name;
}
static inline bool output_names_taken(const struct output_names *names, const struct value *v)
{
	return names->is_output[v->id];
}

#endif

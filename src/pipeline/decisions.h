/* Decisions of quantisers: whether two graphs that give different outputs differ only where float32 cannot tell on which
 * side of a boundary a number lies.
 *
 * A pass that computes the same function in another order of operations rounds otherwise. A number that lies on the
 * boundary between two levels of a quantiser, but for a rounding error, may then fall on the other side, and everything
 * behind it follows. That is no fault. A number that lies well inside its level and falls elsewhere is one. */
#ifndef QCC_PIPELINE_DECISIONS_H
#define QCC_PIPELINE_DECISIONS_H

#include "ir/ir.h"

/* What following one graph's decisions through another one found; added up over calls. */
struct decision_report {
	int64_t undecidable; /* decisions that differ where float32 cannot tell */
	const char
		*quantiser; /* the first quantiser that decided otherwise, in order of execution; the graph's string */
	double distance;    /* the largest distance from the boundary, relative to the quantiser's largest input */
	const char *wrong;  /* the first quantiser that decided otherwise without that excuse; NULL: none */
	int64_t wrong_element;
};

/* Executes `after` in float32, and `before` in float64 and float32 side by side with each quantiser taking the decisions
 * that its counterpart in `after` took, wherever the number it decides on lies no farther from the boundary than float32
 * is accurate there. Counterparts are found by the levels themselves. The inputs are one batch of the model's.
 * was[] gets before's outputs (in float64) under those decisions, is[] after's. 0, or -1 with diagnostics. */
int follow_decisions(const struct graph *before, const struct graph *after, struct tensor *const *inputs,
		     struct tensor **was, struct tensor **is, struct decision_report *report, struct diags *d);

#endif

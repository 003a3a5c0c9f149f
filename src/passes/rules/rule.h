/* Rules of streamlining. A rule looks at one node and, where the values it reads are scale * integer + bias,
 * lets the node work on the integers and puts scale and bias behind it. The sweep (streamline.c) goes through
 * the graph once in topological order, so that every node finds its inputs already in that form, and each
 * rule costs what it touches. The graph computes the same after every single rule.
 * One file per rule or for a few related ones; one row of rules.def lists it. */
#ifndef QCC_PASSES_RULES_RULE_H
#define QCC_PASSES_RULES_RULE_H

#include "passes/certify.h"
#include "passes/chain.h"
#include "passes/edit.h"
#include "passes/ranges.h"

struct rule_ctx {
	struct graph *graph;
	struct diags *diags;
	struct certificates *certificates; /* see passes/certify.h; NULL: not asked for */
	int64_t most_levels;		   /* see passes/thresholds.h */
	const char
		*reason; /* why the rule could not be applied to a node it is for; constant or in the graph's arena */
};

struct rule {
	const char *name, *summary;
	/* 1: applied. 0: not for this node, or not possible (reason set). -1: error, diagnostic said. */
	int (*apply)(struct rule_ctx *x, struct node *n);
};

#define RULE(symbol) extern const struct rule rule_##symbol;
#include "passes/rules/rules.def"
#undef RULE

extern const struct rule *const rule_table[];
extern const size_t rule_table_size;

/* ---- what rules share (rules/rule.c) ---- */

/* Input i of n as scale * integer + bias. A Relu in the way is moved behind the scale where that is exact. False
 * with x->reason. Free the result with affine_free in either case. */
bool integer_input(struct rule_ctx *x, struct node *n, size_t i, struct affine *a);
/* Input i becomes v; what computed the old one goes where nobody else needs it. */
void replace_input(struct node *n, size_t i, struct value *v);
/* Infers n again and computes the range of output i; an accumulated value gets the smallest datatype. -1 with
 * a diagnostic. */
int retype(struct rule_ctx *x, struct node *n, size_t i);
/* Everyone who uses output i of n gets scale * output + bias instead. a->root is ignored. */
void put_behind(struct rule_ctx *x, struct node *n, size_t i, struct affine *a);
/* The same for a chain of nodes: copies of them stand behind n. */
int put_chain_behind(struct rule_ctx *x, struct node *n, size_t i, const struct chain *c);
/* The integer behind input i where its form is scale * q + bias with bias / scale an integer z: q + z, by a node
 * before n where z is not 0. NULL where it is not. One scale only. */
struct value *shifted_integer(struct rule_ctx *x, struct node *n, const struct affine *a);

/* Integers m[k] and one number `common` with s[k] = common * m[k], for float32 scales: always possible, since they
 * are binary fractions; false where an m would pass 2^31. Small where the scales are multiples of one. */
bool common_scale(const double *s, int64_t n, double *common, double *m);

static inline int refuse(struct rule_ctx *x, const char *why)
{
	x->reason = why;
	return 0;
}

#endif

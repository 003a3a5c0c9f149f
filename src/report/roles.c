/* Which nodes of a graph belong to its integer part: for the colours of the picture. */
#include "report/picture.h"
#include "ops/op.h"

#include <stdlib.h>

enum { BEHIND_QUANTISER = 1, BEFORE_INTEGER = 2 };

static bool is_integer(const struct value *v)
{
	return datatype_is_integer(v->datatype);
}

/* Counts the node's values that are no constants, and those among them that hold integers. */
static void count_values(const struct node *n, unsigned *all, unsigned *integers)
{
	*all = *integers = 0;
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		const struct value *v = node_input(n, i);

		if (v && !value_is_constant(v)) {
			++*all;
			*integers += is_integer(v);
		}
	}
	for (uint32_t i = 0; i < n->n_outputs; i++) {
		if (n->outputs[i]) {
			++*all;
			*integers += is_integer(n->outputs[i]);
		}
	}
}

static enum role local_role(const struct node *n)
{
	unsigned all, integers;

	count_values(n, &all, &integers);
	if (integers && integers == all)
		return ROLE_INTEGER;
	return n->op && (n->op->flags & OP_QUANTISER) ? ROLE_QUANTISER : ROLE_FLOAT;
}

static void mark_behind(const struct graph *g, const enum role *roles, unsigned char *marks)
{
	graph_for_each_node (g, n) {
		for (uint32_t i = 0; i < n->n_inputs; i++) {
			const struct value *v = node_input(n, i);
			const struct node *p = v ? v->producer : NULL;

			if (p && (roles[p->id] != ROLE_FLOAT || marks[p->id] & BEHIND_QUANTISER))
				marks[n->id] |= BEHIND_QUANTISER;
		}
	}
}

static void mark_before(const struct graph *g, const enum role *roles, unsigned char *marks)
{
	for (const struct node *n = g->last; n; n = n->prev) {
		if (roles[n->id] == ROLE_FLOAT && !(marks[n->id] & BEFORE_INTEGER))
			continue;
		for (uint32_t i = 0; i < n->n_inputs; i++) {
			const struct value *v = node_input(n, i);

			if (v && v->producer)
				marks[v->producer->id] |= BEFORE_INTEGER;
		}
	}
}

enum role *graph_roles(const struct graph *g)
{
	enum role *roles = xcalloc(g->next_node_id + 1u, sizeof *roles);
	unsigned char *marks = xcalloc(g->next_node_id + 1u, 1);
	bool any_integer = false;

	graph_for_each_node (g, n) {
		roles[n->id] = local_role(n);
		any_integer = any_integer || roles[n->id] == ROLE_INTEGER;
	}
	/* Before streamlining everything is floating point: nothing stands out, nothing is left over. */
	if (any_integer) {
		mark_behind(g, roles, marks);
		mark_before(g, roles, marks);
		graph_for_each_node (g, n)
			if (roles[n->id] == ROLE_FLOAT && marks[n->id] == (BEHIND_QUANTISER | BEFORE_INTEGER))
				roles[n->id] = ROLE_LEFTOVER;
	}
	free(marks);
	return roles;
}

/* Whole-graph structure: the invariants every pass must leave, and topological sorting. */
#include <stdlib.h>
#include <string.h>

#include "ir/ir.h"
#include "ir/op.h"
#include "util/strbuf.h"

/* ---- invariants ---- */

struct checker {
	const struct graph *graph;
	struct diags *diags;
	uint32_t *position; /* by value id: 1 + number of its producer in the order, 0: not defined yet */
	int errors;
};

static bool use_is_linked(const struct use *u)
{
	bool from_behind = u->prev ? u->prev->next == u : u->value->uses == u;
	bool from_ahead = !u->next || u->next->prev == u;
	return from_behind && from_ahead;
}

static void check_input(struct checker *c, const struct node *n, const struct use *u, uint32_t i)
{
	const struct value *v = u->value;
	if (!v)
		return;
	if (u->user != n || u->index != i || !use_is_linked(u))
		c->errors +=
			diag_node_error(c->diags, n, "this is a bug in qcc", "use list of '%s' is broken", v->name);
	else if (v->producer && !c->position[v->id])
		c->errors += diag_node_error(c->diags, n, "this is a bug in qcc", "'%s' is used before it is computed",
					     v->name);
	else if (!v->producer && !v->constant && !v->is_input && !v->is_pinned)
		c->errors += diag_node_error(c->diags, n, NULL, "'%s' is defined nowhere", v->name);
}

static void check_node(struct checker *c, const struct node *n, uint32_t position)
{
	for (uint32_t i = 0; i < n->n_inputs; i++)
		check_input(c, n, &n->inputs[i], i);
	for (uint32_t i = 0; i < n->n_captures; i++)
		check_input(c, n, &n->captures[i], n->captures[i].index);
	for (uint32_t i = 0; i < n->n_outputs; i++) {
		const struct value *v = n->outputs[i];
		if (!v)
			continue;
		if (v->producer != n || v->constant)
			c->errors += diag_node_error(c->diags, n, "this is a bug in qcc",
						     "output '%s' has another producer", v->name);
		c->position[v->id] = position;
	}
}

int node_check_arity(const struct node *n, struct diags *d)
{
	const struct op *op = n->op;
	if (!op)
		return 0;
	if (n->n_inputs < (uint32_t)op->min_inputs || (op->max_inputs >= 0 && n->n_inputs > (uint32_t)op->max_inputs))
		return diag_node_error(d, n, NULL, "has %u inputs, takes %d to %d", n->n_inputs, op->min_inputs,
				       op->max_inputs);
	/* only inputs behind the required ones are optional, and none of a list without an end */
	const uint32_t needed = op->max_inputs < 0 ? n->n_inputs : (uint32_t)op->min_inputs;
	for (uint32_t i = 0; i < needed; i++)
		if (!n->inputs[i].value)
			return diag_node_error(d, n, NULL, "input %u must not be left out", i);
	if (n->n_outputs < (uint32_t)op->min_outputs ||
	    (op->max_outputs >= 0 && n->n_outputs > (uint32_t)op->max_outputs))
		return diag_node_error(d, n, NULL, "has %u outputs, gives %d to %d", n->n_outputs, op->min_outputs,
				       op->max_outputs);
	return 0;
}

int graph_verify(const struct graph *g, struct diags *d)
{
	struct checker c = { g, d, xcalloc(g->next_value_id + 1, sizeof *c.position), 0 };
	uint32_t position = 0;
	for (const struct node *n = g->first; n; n = n->next) {
		check_node(&c, n, ++position);
		c.errors += node_check_arity(n, c.diags);
	}
	for (const struct value *v = g->values; v; v = v->next)
		if (graph_value(g, v->name) != v)
			c.errors += diag_error(d, "this is a bug in qcc", "name '%s' is not unique", v->name);
	for (uint32_t i = 0; i < g->n_outputs; i++) {
		const struct use *u = &g->outputs[i];
		if (!u->value || u->user || u->index != i || !use_is_linked(u))
			c.errors += diag_error(d, "this is a bug in qcc", "graph output %u is broken", i);
	}
	if (position != g->n_nodes)
		c.errors += diag_error(d, "this is a bug in qcc", "the graph counts %u nodes and has %u", g->n_nodes,
				       position);
	free(c.position);
	return c.errors ? -1 : 0;
}

/* ---- sorting ---- */

static bool is_sorted(const struct graph *g)
{
	bool *defined = xcalloc(g->next_value_id + 1, sizeof *defined);
	bool sorted = true;
	for (const struct node *n = g->first; n && sorted; n = n->next) {
		for (uint32_t i = 0; i < n->n_inputs + n->n_captures; i++) {
			const struct use *u = i < n->n_inputs ? &n->inputs[i] : &n->captures[i - n->n_inputs];
			if (u->value && u->value->producer && !defined[u->value->id])
				sorted = false;
		}
		for (uint32_t i = 0; i < n->n_outputs; i++)
			if (n->outputs[i])
				defined[n->outputs[i]->id] = true;
	}
	free(defined);
	return sorted;
}

/* Number of uses of computed values that a node waits for. */
static uint32_t waits_for(const struct node *n)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < n->n_inputs; i++)
		count += n->inputs[i].value && n->inputs[i].value->producer;
	for (uint32_t i = 0; i < n->n_captures; i++)
		count += n->captures[i].value && n->captures[i].value->producer;
	return count;
}

static struct node *waiting_producer(const struct node *n, const uint32_t *waiting)
{
	for (uint32_t i = 0; i < n->n_inputs + n->n_captures; i++) {
		const struct use *u = i < n->n_inputs ? &n->inputs[i] : &n->captures[i - n->n_inputs];
		struct node *p = u->value ? u->value->producer : NULL;
		if (p && waiting[p->id])
			return p;
	}
	return NULL;
}

/* Walks back from a node that waits until one comes round again, then names the cycle. */
static int report_cycle(struct graph *g, const uint32_t *waiting, struct diags *d)
{
	enum { MOST_NAMED = 6 };
	struct node *n = g->first;
	while (!waiting[n->id])
		n = n->next;
	for (uint32_t i = 0; i < g->n_nodes; i++) /* after so many steps it is on the cycle */
		n = waiting_producer(n, waiting);
	struct strbuf names = { 0 };
	struct node *start = n;
	int count = 0;
	do {
		if (count++ < MOST_NAMED)
			strbuf_printf(&names, "'%s' <- ", node_label(n));
		n = waiting_producer(n, waiting);
	} while (n != start);
	if (count > MOST_NAMED)
		strbuf_puts(&names, "... <- ");
	diag_node_error(d, start, "a graph must be acyclic: break the loop where it was exported",
			"the graph has a cycle of %d node%s: %s'%s'", count, count == 1 ? "" : "s", names.text,
			node_label(start));
	strbuf_free(&names);
	return -1;
}

/* Kahn's algorithm; the queue is the new node list itself, started with the nodes that wait for nothing. */
int graph_sort(struct graph *g, struct diags *d)
{
	if (is_sorted(g))
		return 0;
	uint32_t *waiting = xcalloc(g->next_node_id + 1, sizeof *waiting), total = g->n_nodes, placed = 0;
	struct node **queue = xcalloc(total, sizeof *queue);
	for (struct node *n = g->first; n; n = n->next) {
		waiting[n->id] = waits_for(n);
		if (!waiting[n->id])
			queue[placed++] = n;
	}
	for (uint32_t at = 0; at < placed; at++)
		for (uint32_t i = 0; i < queue[at]->n_outputs; i++) {
			struct value *v = queue[at]->outputs[i];
			for (struct use *u = v ? v->uses : NULL; u; u = u->next)
				if (u->user && --waiting[u->user->id] == 0)
					queue[placed++] = u->user;
		}
	int result = placed == total ? 0 : report_cycle(g, waiting, d);
	for (uint32_t i = 0; result == 0 && i < total; i++)
		node_move(queue[i], NULL);
	free(queue);
	free(waiting);
	return result;
}

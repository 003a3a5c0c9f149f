/* Which nodes of a graph are drawn: those on a path between two names. */
#include "backends/dot/picture.h"
#include "util/nearest.h"

#include <stdlib.h>
#include <string.h>

enum { BEHIND_FROM = 1, BEFORE_TO = 2, BOTH = 3 };

struct selection {
	const struct graph *graph;
	unsigned char *marks; /* by node id */
};

static bool produces(const struct node *n, const char *name)
{
	for (uint32_t i = 0; i < n->n_outputs; i++)
		if (n->outputs[i] && !strcmp(n->outputs[i]->name, name))
			return true;
	return false;
}

static bool reads(const struct node *n, const struct value *v)
{
	for (uint32_t i = 0; i < n->n_inputs; i++)
		if (n->inputs[i].value == v)
			return true;
	return false;
}

/* Nodes of that name; where it is a value's, its producer, or the readers of an input. The number of nodes marked. */
static size_t mark_named(struct selection *s, const char *name, unsigned char mark)
{
	const struct value *v = graph_value(s->graph, name);
	size_t found = 0;
	graph_for_each_node (s->graph, n)
		if (!strcmp(node_label(n), name) || produces(n, name) || (v && !v->producer && reads(n, v))) {
			s->marks[n->id] |= mark;
			found++;
		}
	for (uint32_t i = 0; !found && i < s->graph->n_outputs; i++) {
		const struct node *p = s->graph->outputs[i].value->producer;
		if (p && s->graph->output_names[i] && !strcmp(s->graph->output_names[i], name)) {
			s->marks[p->id] |= mark;
			found++;
		}
	}
	return found;
}

static int unknown(const struct selection *s, const char *option, const char *name, struct diags *d)
{
	struct nearest nearest = { .word = name };
	graph_for_each_node (s->graph, n)
		nearest_consider(&nearest, node_label(n));
	char *remedy = nearest_remedy(&nearest, "the .dot file without this option");
	diag_error(d, remedy, "%s=%s: no node and no value of the graph has that name", option, name);
	free(remedy);
	return -1;
}

static void mark_behind(struct selection *s)
{
	graph_for_each_node (s->graph, n)
		for (uint32_t i = 0; i < n->n_inputs; i++) {
			const struct value *v = n->inputs[i].value;
			if (v && v->producer)
				s->marks[n->id] |= s->marks[v->producer->id] & BEHIND_FROM;
		}
}

static void mark_before(struct selection *s)
{
	for (const struct node *n = s->graph->last; n; n = n->prev)
		for (uint32_t i = 0; i < n->n_inputs; i++) {
			const struct value *v = n->inputs[i].value;
			if (v && v->producer)
				s->marks[v->producer->id] |= s->marks[n->id] & BEFORE_TO;
		}
}

static void mark_all(struct selection *s, unsigned char mark)
{
	graph_for_each_node (s->graph, n)
		s->marks[n->id] |= mark;
}

static int mark_ends(struct selection *s, const char *from, const char *to, struct diags *d)
{
	if (!from)
		mark_all(s, BEHIND_FROM);
	else if (!mark_named(s, from, BEHIND_FROM))
		return unknown(s, "from", from, d);
	if (!to)
		mark_all(s, BEFORE_TO);
	else if (!mark_named(s, to, BEFORE_TO))
		return unknown(s, "to", to, d);
	return 0;
}

bool *dot_select(const struct graph *g, const char *from, const char *to, struct diags *d)
{
	struct selection s = { g, xcalloc(g->next_node_id + 1u, 1) };
	bool *shown = xcalloc(g->next_node_id + 1u, sizeof *shown), any = !g->first;
	int status = mark_ends(&s, from, to, d);
	mark_behind(&s);
	mark_before(&s);
	graph_for_each_node (g, n) {
		shown[n->id] = s.marks[n->id] == BOTH;
		any = any || shown[n->id];
	}
	if (status == 0 && !any)
		status = diag_error(d, "exchange the two, perhaps", "no path of the graph leads from '%s' to '%s'",
				    from, to);
	free(s.marks);
	if (status == 0)
		return shown;
	free(shown);
	return NULL;
}

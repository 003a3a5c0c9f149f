/* Where nodes come from: the nodes of the file that was read whose work a node does now. Edits keep it up to date without
 * the passes' help: where the uses of a value go to another one, the nodes that computed the old one hand their origins to
 * those that compute the new one. */
#include "ir/ir.h"

#include <string.h>

#include "ir/op.h"

enum { MOST = 48 }; /* nodes that are looked at; one edit replaces a few */

struct node_list {
	struct node *items[MOST];
	size_t count;
	bool full;
};

struct value_list {
	const struct value *items[2 * MOST];
	size_t count;
};

static bool has_node(const struct node_list *l, const struct node *n)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->items[i] == n)
			return true;
	return false;
}

static void add_node(struct node_list *l, struct node *n)
{
	if (has_node(l, n))
		return;
	if (l->count < MOST)
		l->items[l->count++] = n;
	else
		l->full = true;
}

static bool has_value(const struct value_list *l, const struct value *v)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->items[i] == v)
			return true;
	return false;
}

static void add_value(struct value_list *l, const struct value *v)
{
	if (l->count < 2 * MOST && !has_value(l, v))
		l->items[l->count++] = v;
}

/* An operator's name, which outlives the graph, where that is what the node says; else a copy. */
static const char *op_type_of(struct arena *a, const struct node *n)
{
	return n->op && !strcmp(n->op->name, n->op_type) ? n->op->name : arena_strdup(a, n->op_type);
}

void graph_mark_sources(struct graph *g)
{
	struct arena *a = &g->arena;
	size_t size = sizeof(struct origin) + sizeof(uint32_t);
	char *origins = arena_alloc(a, g->n_nodes * size); /* one number each */
	g->sources = arena_array(a, struct source_node, g->n_nodes);
	g->n_sources = 0;
	graph_for_each_node (g, n) {
		struct origin *o = (void *)(origins + g->n_sources * size);
		o->count = 1;
		o->ids[0] = g->n_sources;
		n->origin = o;
		g->sources[g->n_sources++] = (struct source_node){ arena_strdup(a, node_label(n)), op_type_of(a, n) };
	}
}

/* Both, sorted, each once; either may be NULL. */
static const struct origin *join(struct arena *a, const struct origin *x, const struct origin *y)
{
	if (!x || !y || x == y)
		return x ? x : y;
	struct origin *both = arena_alloc(a, sizeof *both + (x->count + y->count) * sizeof *both->ids);
	uint32_t i = 0, k = 0, n = 0;
	while (i < x->count || k < y->count) {
		bool first = k == y->count || (i < x->count && x->ids[i] <= y->ids[k]);
		uint32_t id = first ? x->ids[i] : y->ids[k];
		i += i < x->count && x->ids[i] == id;
		k += k < y->count && y->ids[k] == id;
		both->ids[n++] = id;
	}
	both->count = n;
	return both;
}

/* The nodes without an origin that compute the value, and what they read of others. */
static void find_new(struct node *last, struct node_list *fresh, struct value_list *read)
{
	add_node(fresh, last);
	for (size_t k = 0; k < fresh->count; k++) {
		const struct node *n = fresh->items[k];
		for (uint32_t i = 0; i < n->n_inputs; i++) {
			const struct value *v = n->inputs[i].value;
			if (v && v->producer && !v->producer->origin && !n->origin)
				add_node(fresh, v->producer);
			else if (v)
				add_value(read, v);
		}
	}
}

/* The origins of what computed the old value from what the new nodes read. Where that is far away, of its last node. */
static const struct origin *collect(struct graph *g, struct node *last, const struct value_list *read)
{
	struct node_list old = { .count = 0 };
	const struct origin *all = NULL;
	add_node(&old, last);
	for (size_t k = 0; k < old.count; k++) {
		const struct node *n = old.items[k];
		all = join(&g->arena, all, n->origin);
		for (uint32_t i = 0; i < n->n_inputs; i++) {
			const struct value *v = n->inputs[i].value;
			if (v && v->producer && !v->is_replaced && !has_value(read, v))
				add_node(&old, v->producer);
		}
	}
	return old.full ? last->origin : all;
}

void origin_inherit(struct value *from, const struct value *to)
{
	struct node_list fresh = { .count = 0 };
	struct value_list read = { .count = 0 };
	if (!from->producer || !to->producer || !from->producer->graph->n_sources)
		return;
	struct graph *g = from->producer->graph;
	find_new(to->producer, &fresh, &read);
	add_value(&read, to);
	if (has_value(&read, from)) /* computed from the old one: nothing is replaced */
		return;
	const struct origin *o = collect(g, from->producer, &read);
	from->is_replaced = true;
	for (size_t i = 0; i < fresh.count; i++)
		fresh.items[i]->origin = join(&g->arena, fresh.items[i]->origin, o);
}

void origin_copy(struct graph *to, const struct graph *from)
{
	struct node *n = to->first;
	if (!from->n_sources)
		return;
	to->n_sources = from->n_sources;
	to->sources = arena_array(&to->arena, struct source_node, from->n_sources);
	for (uint32_t i = 0; i < from->n_sources; i++)
		to->sources[i] = (struct source_node){ arena_strdup(&to->arena, from->sources[i].name),
						       arena_strdup(&to->arena, from->sources[i].op_type) };
	for (const struct node *old = from->first; old; old = old->next, n = n->next)
		if (old->origin)
			n->origin = arena_copy(&to->arena, old->origin,
					       sizeof *old->origin + old->origin->count * sizeof *old->origin->ids);
}

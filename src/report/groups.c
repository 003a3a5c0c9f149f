/* Layers and repeated blocks of a graph: report/picture.h says what they are. */
#include "report/picture.h"

#include <stdlib.h>
#include <string.h>

#include "ops/op.h"
#include "util/strbuf.h"
#include "util/vec.h"

enum {
	MOST_LAYERS = 64, /* of a block */
	LABEL_NODES = 6,
};

struct chain {
	const struct node *first;
	uint64_t signature; /* of the operators */
	uint32_t nodes;
	bool has_begun; /* with other than what prepares windows: a product starts a new one then */
};

struct finder {
	struct groups *out;
	const struct graph *graph;
	struct {
		struct chain *items;
		size_t count, capacity;
	} chains;
	struct {
		struct group *items;
		size_t count, capacity;
	} groups;
	uint32_t *chain_of; /* by node id */
	bool *is_static;    /* by node id: reads constants alone, or what such nodes compute */
};

/* ---- chains ---- */

static bool is_product(const struct node *n)
{
	return n->op && n->op->macs != NULL;
}

/* What prepares windows for a product belongs to its layer. */
static bool prepares_windows(const struct node *n)
{
	static const char *const names[] = { "Im2Col", "Pad", "FMPadding", "FMPadding_Pixel",
					     "ConvolutionInputGenerator" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strncmp(n->op_type, names[i], strlen(names[i])))
			return true;
	return false;
}

static bool is_data(const struct finder *f, const struct value *v)
{
	return v && !value_is_constant(v) && !(v->producer && f->is_static[v->producer->id]);
}

static bool reads_no_data(const struct finder *f, const struct node *n)
{
	for (uint32_t i = 0; i < n->n_inputs; i++)
		if (is_data(f, n->inputs[i].value))
			return false;
	return n->n_captures == 0;
}

/* The only use of the node's only output; NULL. */
static const struct use *only_use(const struct node *n)
{
	return n->n_outputs == 1 && n->outputs[0] ? value_only_use(n->outputs[0]) : NULL;
}

/* The node in front of n in a chain: the only one that n reads, which nobody else reads. NULL: none. */
static const struct node *node_before(const struct finder *f, const struct node *n)
{
	const struct value *only = NULL;
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		const struct value *v = n->inputs[i].value;
		if (is_data(f, v) && only)
			return NULL;
		if (is_data(f, v))
			only = v;
	}
	const struct node *before = only && !n->n_captures ? only->producer : NULL;
	return before && only_use(before) ? before : NULL;
}

static uint64_t mixed(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	return (hash ^ ' ') * 0x100000001b3u;
}

static void add_to_chain(struct finder *f, const struct node *n)
{
	const struct node *before = node_before(f, n);
	uint32_t at = before ? f->chain_of[before->id] : NO_GROUP;
	if (at == NO_GROUP || (f->chains.items[at].has_begun && (is_product(n) || prepares_windows(n)))) {
		at = (uint32_t)f->chains.count;
		vec_push(&f->chains, ((struct chain){ .first = n }));
	}
	struct chain *c = &f->chains.items[at];
	c->signature = mixed(c->signature, n->op_type);
	c->has_begun = c->has_begun || !prepares_windows(n);
	c->nodes++;
	f->chain_of[n->id] = at;
}

/* Nodes on constants (quantisers of weights) belong to the layer that reads them, where it is one. */
static void place_static_nodes(struct finder *f)
{
	for (const struct node *n = f->graph->last; n; n = n->prev) {
		const struct use *u = f->is_static[n->id] ? only_use(n) : NULL;
		uint32_t at = u && u->user ? f->chain_of[u->user->id] : NO_GROUP;
		f->chain_of[n->id] = f->is_static[n->id] ? at : f->chain_of[n->id];
		if (f->is_static[n->id] && at != NO_GROUP)
			f->chains.items[at].nodes++;
	}
}

static void find_chains(struct finder *f)
{
	graph_for_each_node (f->graph, n) {
		f->chain_of[n->id] = NO_GROUP;
		f->is_static[n->id] = reads_no_data(f, n);
		if (!f->is_static[n->id])
			add_to_chain(f, n);
	}
	place_static_nodes(f);
}

/* ---- repeats ---- */

/* How many chains from `at` on repeat the `period` chains there, these included; 0: they do not repeat. */
static size_t covered(const struct finder *f, size_t at, size_t period)
{
	size_t same = 0, least = period == 1 ? 2 : period;
	while (at + same + period < f->chains.count &&
	       f->chains.items[at + same].signature == f->chains.items[at + same + period].signature)
		same++;
	return same < least ? 0 : (same / period + 1) * period;
}

/* The period that covers most, and how much; the least where several do. */
static size_t best_period(const struct finder *f, size_t at, size_t *most)
{
	size_t best = 0;
	*most = 0;
	for (size_t period = 1; period <= MOST_LAYERS && at + 2 * period <= f->chains.count; period++) {
		size_t n = covered(f, at, period);
		if (n > *most) {
			*most = n;
			best = period;
		}
	}
	return best;
}

/* ---- groups ---- */

/* The node that reads n's output, where it is the only one and of the same chain. */
static const struct node *node_behind(const struct finder *f, const struct node *n)
{
	const struct use *u = only_use(n);
	return u && u->user && f->chain_of[u->user->id] == f->chain_of[n->id] ? u->user : NULL;
}

static void add_operators(const struct finder *f, struct strbuf *b, size_t chain, int *left)
{
	for (const struct node *n = f->chains.items[chain].first; n && *left >= 0; n = node_behind(f, n), --*left)
		strbuf_printf(b, "%s%s", b->length ? ", " : "", *left ? n->op_type : "...");
}

/* The operators of `count` chains from `at` on. */
static const char *label_of(struct finder *f, size_t at, size_t count)
{
	struct strbuf b = { 0 };
	int left = LABEL_NODES;
	for (size_t i = at; i < at + count && left >= 0; i++)
		add_operators(f, &b, i, &left);
	const char *label = arena_strdup(&f->out->arena, strbuf_text(&b));
	strbuf_free(&b);
	return label;
}

static uint32_t nodes_of(const struct finder *f, size_t at, size_t count)
{
	uint32_t n = 0;
	for (size_t i = at; i < at + count; i++)
		n += f->chains.items[i].nodes;
	return n;
}

static uint32_t add_group(struct finder *f, enum group_kind kind, uint32_t parent, size_t at, size_t count,
			  size_t times)
{
	struct group g = { kind, parent, nodes_of(f, at, count), (uint32_t)times, label_of(f, at, count) };
	vec_push(&f->groups, g);
	return (uint32_t)f->groups.count - 1;
}

/* Chains of one node are no group of their own. */
static void add_layers(struct finder *f, uint32_t *group_of, uint32_t parent, size_t at, size_t count)
{
	for (size_t i = at; i < at + count; i++)
		group_of[i] = f->chains.items[i].nodes > 1 ? add_group(f, GROUP_LAYER, parent, i, 1, 0) : parent;
}

static void add_repeat(struct finder *f, uint32_t *group_of, size_t at, size_t period, size_t count)
{
	uint32_t all = add_group(f, GROUP_REPEAT, NO_GROUP, at, count, count / period);
	f->groups.items[all].label = label_of(f, at, period);
	for (size_t i = 0; i < count / period; i++) {
		size_t first = at + i * period;
		uint32_t block = period > 1 ? add_group(f, GROUP_BLOCK, all, first, period, i + 1) : all;
		add_layers(f, group_of, block, first, period);
	}
}

static void find_groups(struct finder *f, uint32_t *group_of)
{
	for (size_t at = 0, count; at < f->chains.count; at += count) {
		size_t period = best_period(f, at, &count);
		if (period) {
			add_repeat(f, group_of, at, period, count);
		} else {
			count = 1;
			add_layers(f, group_of, NO_GROUP, at, 1);
		}
	}
}

void groups_find(struct groups *s, const struct graph *g)
{
	struct finder f = { .out = s, .graph = g };
	*s = (struct groups){ .of = xcalloc(g->next_node_id + 1u, sizeof *s->of) };
	arena_init(&s->arena);
	f.chain_of = xcalloc(g->next_node_id + 1u, sizeof *f.chain_of);
	f.is_static = xcalloc(g->next_node_id + 1u, sizeof *f.is_static);
	find_chains(&f);
	uint32_t *group_of = xcalloc(f.chains.count + 1, sizeof *group_of);
	find_groups(&f, group_of);
	graph_for_each_node (g, n)
		s->of[n->id] = f.chain_of[n->id] == NO_GROUP ? NO_GROUP : group_of[f.chain_of[n->id]];
	s->items = f.groups.items;
	s->count = f.groups.count;
	free(group_of);
	free(f.chain_of);
	free(f.is_static);
	vec_free(&f.chains);
}

void groups_free(struct groups *s)
{
	free(s->of);
	free(s->items);
	arena_free(&s->arena);
	*s = (struct groups){ .of = NULL };
}

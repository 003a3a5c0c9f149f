/* Writes the picture of a graph as DOT. */
#include "backends/dot/dot.h"
#include "backends/dot/picture.h"
#include "ops/op.h"
#include "report/picture.h"
#include "report/report.h"
#include "util/file.h"
#include "util/strbuf.h"

#include <stdlib.h>
#include <string.h>

enum { NOWHERE = 0 };

struct picture {
	const struct graph *graph;
	const struct dot_options *options;
	struct strbuf *out;
	bool *shown;	      /* by node id */
	uint32_t *nodes;      /* by node id: its number in the picture, which the nodes of a collapsed block share */
	uint32_t *sources;    /* by value id: 1 + the number of a graph input; NOWHERE */
	struct map layers;    /* of the report, by name */
	struct groups groups; /* where blocks are collapsed */
	struct map edges;     /* those of collapsed blocks that are there already */
	struct arena arena;
};

static const struct {
	const char *fill, *meaning;
} colours[] = {
	[ROLE_FLOAT] = { "#f2f2f2", "floating point" },
	[ROLE_QUANTISER] = { "#cfe2f3", "quantiser" },
	[ROLE_INTEGER] = { "#d9ead3", "integer" },
	[ROLE_LEFTOVER] = { "#f9cb9c", "floating point left over inside the integer part" },
};
enum { ROLES = sizeof colours / sizeof *colours };

static void add_name(struct picture *p, const char *prefix, uint32_t number)
{
	strbuf_puts(p->out, prefix);
	strbuf_int(p->out, number);
}

/* ---- nodes ---- */

static void start_box(struct picture *p, uint32_t number, enum role role)
{
	add_name(p, "\tn", number);
	strbuf_puts(p->out, " [");
	if (role != ROLE_FLOAT) /* the default */
		strbuf_printf(p->out, "fillcolor=\"%s\", ", colours[role].fill);
}

static const struct report_layer *layer_of(const struct picture *p, const struct node *n)
{
	return map_get(&p->layers, node_label(n));
}

static void add_operator(struct picture *p, const struct node *n, uint32_t number, enum role role)
{
	start_box(p, number, role);
	strbuf_puts(p->out, "label=<");
	dot_node_label(p->out, n, layer_of(p, n));
	strbuf_puts(p->out, ">];\n");
}

/* The outermost group of a node; NO_GROUP where it is none that repeats. */
static uint32_t repeat_of(const struct picture *p, const struct node *n)
{
	uint32_t at = p->options->collapse ? p->groups.of[n->id] : NO_GROUP;

	while (at != NO_GROUP && p->groups.items[at].parent != NO_GROUP)
		at = p->groups.items[at].parent;
	return at != NO_GROUP && p->groups.items[at].kind == GROUP_REPEAT ? at : NO_GROUP;
}

static void add_to_sum(struct dot_sum *s, const struct node *n, const struct report_layer *l)
{
	int64_t macs = n->op && n->op->macs ? n->op->macs(n) : 0;

	s->macs += macs > 0 ? macs : 0;
	if (!l)
		return;
	s->cycles = l->cycles > s->cycles ? l->cycles : s->cycles;
	s->lut = l->lut < 0 ? s->lut : l->lut + (s->lut < 0 ? 0 : s->lut);
}

/* By group; malloc'd. */
static struct dot_sum *sums_of_repeats(const struct picture *p)
{
	struct dot_sum *sums = xcalloc(p->groups.count + 1, sizeof *sums);

	for (size_t i = 0; i < p->groups.count; i++)
		sums[i] = (struct dot_sum){ 0, -1, -1 };
	graph_for_each_node (p->graph, n)
		if (repeat_of(p, n) != NO_GROUP)
			add_to_sum(&sums[repeat_of(p, n)], n, layer_of(p, n));
	return sums;
}

static void add_block(struct picture *p, uint32_t group, const struct dot_sum *sum, uint32_t number, enum role role)
{
	start_box(p, number, role);
	strbuf_puts(p->out, "peripheries=2, label=<");
	dot_group_label(p->out, &p->groups.items[group], sum);
	strbuf_puts(p->out, ">];\n");
}

/* An ellipse for a graph input or output, or (dashed) for a value from what is not drawn. */
static void add_terminal(struct picture *p, const char *prefix, uint32_t number, const char *name, const char *style)
{
	add_name(p, prefix, number);
	strbuf_printf(p->out, " [fillcolor=white, shape=ellipse, %slabel=\"", style);
	dot_clean_text(p->out, name, DOT_QUOTED);
	strbuf_puts(p->out, "\"];\n");
}

static bool is_read(const struct picture *p, const struct value *v)
{
	value_for_each_use (v, u)
		if (u->user ? p->shown[u->user->id] : true)
			return true;
	return false;
}

static void add_inputs(struct picture *p)
{
	const struct graph *g = p->graph;
	bool all = !p->options->from && !p->options->to;

	for (uint32_t i = 0; i < g->n_inputs; i++)
		if (!value_is_constant(g->inputs[i]) && (all || is_read(p, g->inputs[i]))) {
			add_terminal(p, "\tin", i, g->inputs[i]->name, "");
			p->sources[g->inputs[i]->id] = i + 1;
		}
}

static void add_nodes(struct picture *p, const enum role *roles)
{
	uint32_t number = 0, *of_group = xcalloc(p->groups.count + 1, sizeof *of_group);
	struct dot_sum *sums = sums_of_repeats(p);

	graph_for_each_node (p->graph, n) {
		if (!p->shown[n->id])
			continue;
		uint32_t group = repeat_of(p, n);
		if (group != NO_GROUP && of_group[group]) {
			p->nodes[n->id] = of_group[group] - 1;
			continue;
		}
		p->nodes[n->id] = number;
		if (group == NO_GROUP) {
			add_operator(p, n, number, roles[n->id]);
		} else {
			add_block(p, group, &sums[group], number, roles[n->id]);
			of_group[group] = number + 1;
		}
		number++;
	}
	free(of_group);
	free(sums);
}

/* ---- edges ---- */

/* Blocks that are one box read and write a value once. */
static bool is_new(struct picture *p, const struct value *v, const char *prefix, uint32_t to)
{
	return !p->options->collapse || map_add(&p->edges, arena_printf(&p->arena, "%u %s%u", v->id, prefix, to), p);
}

/* Values from nodes that are not drawn have an ellipse of their own. */
static void add_start(struct picture *p, const struct value *v)
{
	if (!v->producer)
		add_name(p, "\tin", p->sources[v->id] - 1);
	else if (p->shown[v->producer->id])
		add_name(p, "\tn", p->nodes[v->producer->id]);
	else
		add_name(p, "\tcut", v->id);
}

static void add_edge(struct picture *p, const struct value *v, const char *prefix, uint32_t to, const char *style)
{
	bool drawn = v->producer && p->shown[v->producer->id];

	if (!v->producer && p->sources[v->id] == NOWHERE) /* a constant, shown inside its reader */
		return;
	if (drawn && *prefix == 'n' && p->options->collapse && p->nodes[v->producer->id] == to) /* within a block */
		return;
	if (!is_new(p, v, prefix, to))
		return;
	if (v->producer && !drawn && map_add(&p->edges, arena_printf(&p->arena, "cut %u", v->id), p))
		add_terminal(p, "\tcut", v->id, v->name, "style=dashed, ");
	add_start(p, v);
	strbuf_puts(p->out, " -> ");
	add_name(p, prefix, to);
	strbuf_puts(p->out, " [label=\"");
	dot_value_label(p->out, v);
	strbuf_puts(p->out, "\"");
	strbuf_puts(p->out, style);
	strbuf_puts(p->out, "];\n");
}

static void add_edges(struct picture *p)
{
	const struct graph *g = p->graph;

	graph_for_each_node (g, n) {
		for (uint32_t i = 0; p->shown[n->id] && i < n->n_inputs; i++)
			if (node_input(n, i))
				add_edge(p, node_input(n, i), "n", p->nodes[n->id], "");
		for (uint32_t i = 0; p->shown[n->id] && i < n->n_captures; i++)
			if (n->captures[i].value)
				add_edge(p, n->captures[i].value, "n", p->nodes[n->id], ", style=dashed");
	}
	for (uint32_t i = 0; i < g->n_outputs; i++) {
		const struct value *v = g->outputs[i].value;
		if (v->producer ? !p->shown[v->producer->id] : p->sources[v->id] == NOWHERE && p->options->to)
			continue;
		add_terminal(p, "\tout", i, g->output_names[i] ? g->output_names[i] : v->name, "");
		add_edge(p, v, "out", i, "");
	}
}

/* ---- the whole ---- */

/* The colours that occur. */
static void add_legend(struct picture *p, const enum role *roles)
{
	bool occurs[ROLES] = { false };

	graph_for_each_node (p->graph, n)
		if (p->shown[n->id])
			occurs[roles[n->id]] = true;
	strbuf_puts(p->out, "\tsubgraph cluster_legend {\n\t\tlabel=\"colours\"; fontsize=10; color=\"#cccccc\";\n");
	for (int i = 0; i < ROLES; i++)
		if (occurs[i])
			strbuf_printf(p->out, "\t\tlegend%d [fillcolor=\"%s\", fontsize=10, label=\"%s\"];\n", i,
				      colours[i].fill, colours[i].meaning);
	strbuf_puts(p->out, "\t}\n");
}

static void read_layers(struct picture *p)
{
	const struct report *r = p->options->results;

	for (size_t i = 0; r && i < r->n_layers; i++)
		map_set(&p->layers, r->layers[i].name, &r->layers[i]);
}

static void draw(struct picture *p)
{
	const struct graph *g = p->graph;
	enum role *roles = graph_roles(g);

	strbuf_printf(p->out,
		      "digraph qcc {\n\tgraph [fontname=Helvetica, rankdir=%s];\n"
		      "\tnode [fontname=Helvetica, fontsize=11, style=filled, shape=box, fillcolor=\"%s\"];\n"
		      "\tedge [fontname=Helvetica, fontsize=10];\n",
		      p->options->rankdir ? p->options->rankdir : "TB", colours[ROLE_FLOAT].fill);
	add_inputs(p);
	add_nodes(p, roles);
	add_edges(p);
	if (p->options->legend)
		add_legend(p, roles);
	strbuf_puts(p->out, "}\n");
	free(roles);
}

char *dot_text_of(const struct graph *g, const struct dot_options *o, struct diags *d)
{
	struct strbuf out = { 0 };
	struct picture p = { .graph = g, .options = o, .out = &out };

	p.shown = dot_select(g, o->from, o->to, d);
	if (!p.shown)
		return NULL;
	arena_init(&p.arena);
	p.nodes = xcalloc(g->next_node_id + 1u, sizeof *p.nodes);
	p.sources = xcalloc(g->next_value_id + 1u, sizeof *p.sources);
	if (o->collapse)
		groups_find(&p.groups, g);
	read_layers(&p);
	draw(&p);
	if (o->collapse)
		groups_free(&p.groups);
	map_free(&p.layers);
	map_free(&p.edges);
	free(p.nodes);
	free(p.sources);
	free(p.shown);
	arena_free(&p.arena);
	return out.text;
}

char *dot_text(const struct graph *g)
{
	struct diags none = { 0 };

	return dot_text_of(g, &(struct dot_options){ .rankdir = NULL },
			   &none); /* nothing can be wrong: no names are given */
}

int dot_write(const struct graph *g, const char *path, struct diags *d)
{
	char *text = dot_text(g);
	int status = file_write(path, text, strlen(text), d);

	free(text);
	return status;
}

int dot_check_size(const struct graph *g, struct diags *d)
{
	if (g->n_nodes <= DOT_DRAWN_NODES)
		return 0;
	return diag_error(d, "leave out svg, png and pdf: the .dot file is written for graphs of any size",
			  "%u nodes are too many to be drawn (at most %d)", g->n_nodes, DOT_DRAWN_NODES);
}

char *dot_svg(const struct graph *g, struct diags *d)
{
	size_t size;

	if (dot_check_size(g, d) < 0)
		return NULL;
	char *text = dot_text(g), *svg = dot_draw(text, "svg", &size, d);
	free(text);
	return svg;
}

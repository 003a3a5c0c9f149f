/* Builds the picture of a graph with Graphviz's cgraph and writes it as DOT, or as SVG through gvc. */
#include "backends/dot/dot.h"
#include "backends/dot/picture.h"
#include "util/file.h"
#include "util/library.h"

#include <cgraph.h>
#include <gvc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct picture {
	const struct graph *graph;
	Agraph_t *ag;
	Agnode_t **nodes;	/* by node id */
	Agnode_t **sources;	/* by value id: the node of a graph input */
	Agsym_t *node_label, *node_shape, *node_fill;
	Agsym_t *edge_label, *edge_style;
};

/* cgraph takes char * where it means const char *. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static Agsym_t *declare(struct picture *p, int kind, const char *name, const char *fallback)
{
	return agattr(p->ag, kind, text(name), text(fallback));
}

static void set(void *object, Agsym_t *attr, const char *value)
{
	agxset(object, attr, text(value));
}

static void declare_attributes(struct picture *p)
{
	declare(p, AGRAPH, "rankdir", "TB");
	declare(p, AGRAPH, "fontname", "Helvetica");
	declare(p, AGNODE, "fontname", "Helvetica");
	declare(p, AGNODE, "fontsize", "11");
	declare(p, AGNODE, "style", "filled");
	declare(p, AGEDGE, "fontname", "Helvetica");
	declare(p, AGEDGE, "fontsize", "10");
	p->node_label = declare(p, AGNODE, "label", "");
	p->node_shape = declare(p, AGNODE, "shape", "box");
	p->node_fill = declare(p, AGNODE, "fillcolor", "#f2f2f2");
	p->edge_label = declare(p, AGEDGE, "label", "");
	p->edge_style = declare(p, AGEDGE, "style", "solid");
}

static Agnode_t *add_node(struct picture *p, const char *prefix, size_t number)
{
	char name[32];

	snprintf(name, sizeof name, "%s%zu", prefix, number);
	return agnode(p->ag, name, 1);
}

static void add_operator(struct picture *p, const struct node *n, size_t number, enum dot_role role)
{
	static const char *const fill[] = {
		[DOT_QUANTISER] = "#cfe2f3",
		[DOT_INTEGER] = "#d9ead3", [DOT_LEFTOVER] = "#f9cb9c",
	};
	Agnode_t *a = add_node(p, "n", number);
	char *label = dot_node_label(n);
	char *html = agstrdup_html(p->ag, label);

	agxset(a, p->node_label, html);
	agstrfree(p->ag, html);
	if (role != DOT_FLOAT)		/* the default; each attribute that is set costs */
		set(a, p->node_fill, fill[role]);
	free(label);
	p->nodes[n->id] = a;
}

/* An ellipse for a graph input or output. */
static Agnode_t *add_terminal(struct picture *p, const char *prefix, size_t number, const char *name)
{
	Agnode_t *a = add_node(p, prefix, number);
	char *label = dot_clean_text(name);

	set(a, p->node_label, label);
	set(a, p->node_shape, "ellipse");
	set(a, p->node_fill, "white");
	free(label);
	return a;
}

static void add_edge(struct picture *p, const struct value *v, Agnode_t *to, const char *style)
{
	Agnode_t *from = v->producer ? p->nodes[v->producer->id] : p->sources[v->id];
	Agedge_t *e = from ? agedge(p->ag, from, to, NULL, 1) : NULL;
	char *label;

	if (!e)		/* a constant, shown inside its reader */
		return;
	label = dot_value_label(v);
	set(e, p->edge_label, label);
	if (style)
		set(e, p->edge_style, style);
	free(label);
}

static void add_nodes(struct picture *p)
{
	const struct graph *g = p->graph;
	enum dot_role *roles = dot_roles(g);
	size_t number = 0;

	for (uint32_t i = 0; i < g->n_inputs; i++)
		if (!value_is_constant(g->inputs[i]))
			p->sources[g->inputs[i]->id] = add_terminal(p, "in", i, g->inputs[i]->name);
	graph_for_each_node(g, n)
		add_operator(p, n, number++, roles[n->id]);
	free(roles);
}

static void add_edges(struct picture *p)
{
	const struct graph *g = p->graph;

	graph_for_each_node(g, n) {
		for (uint32_t i = 0; i < n->n_inputs; i++)
			if (node_input(n, i))
				add_edge(p, node_input(n, i), p->nodes[n->id], NULL);
		for (uint32_t i = 0; i < n->n_captures; i++)
			if (n->captures[i].value)
				add_edge(p, n->captures[i].value, p->nodes[n->id], "dashed");
	}
	for (uint32_t i = 0; i < g->n_outputs; i++) {
		const char *name = g->output_names[i] ? g->output_names[i] : g->outputs[i].value->name;

		add_edge(p, g->outputs[i].value, add_terminal(p, "out", i, name), NULL);
	}
}

static Agraph_t *draw(const struct graph *g)
{
	struct picture p = { .graph = g, .ag = agopen(text("qcc"), Agdirected, NULL) };

	p.nodes = xcalloc(g->next_node_id + 1u, sizeof *p.nodes);
	p.sources = xcalloc(g->next_value_id + 1u, sizeof *p.sources);
	declare_attributes(&p);
	add_nodes(&p);
	add_edges(&p);
	free(p.nodes);
	free(p.sources);
	return p.ag;
}

int dot_write(const struct graph *g, const char *path, struct diags *d)
{
	struct file_out f;
	Agraph_t *ag;

	if (file_create(&f, path, d))
		return -1;
	ag = draw(g);
	agwrite(ag, f.stream);
	agclose(ag);
	return file_commit(&f, d);
}

/* Graphviz's own warnings (missing fonts) are of no use to the user; the last error is in aglasterr. */
static int quiet(char *message)
{
	(void)message;
	return 0;
}

#ifdef __SANITIZE_ADDRESS__
/* Fonts, and the plugins that measure them, live until the process ends: no leaks of ours. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfontconfig\nleak:libpango\nleak:libglib\nleak:libgvc\nleak:libltdl\n";
}
#endif

/* Graphviz's renderer, which is loaded for the first SVG. Its plugins stay in memory, and so does it. */
struct renderer {
	__typeof__(&gvContext) gvContext;
	__typeof__(&gvLayout) gvLayout;
	__typeof__(&gvRenderData) gvRenderData;
	__typeof__(&gvFreeLayout) gvFreeLayout;
	__typeof__(&gvFreeRenderData) gvFreeRenderData;
	__typeof__(&gvFreeContext) gvFreeContext;
};

static bool load(struct renderer *r, struct diags *d)
{
	static const char *const names[] = { "libgvc.so.6", "libgvc.so.7", "libgvc.so", NULL };
	const struct library_entry entries[] = {
		{ "gvContext", &r->gvContext },
		{ "gvLayout", &r->gvLayout },
		{ "gvRenderData", &r->gvRenderData },
		{ "gvFreeLayout", &r->gvFreeLayout },
		{ "gvFreeRenderData", &r->gvFreeRenderData },
		{ "gvFreeContext", &r->gvFreeContext },
		{ NULL, NULL },
	};
	return library_open(names, entries, d) != NULL;
}

static int render(const struct renderer *r, Agraph_t *ag, const char *path, struct diags *d)
{
	GVC_t *gvc = r->gvContext();
	char *svg = NULL;
	unsigned size = 0;
	int status;

	if (!r->gvLayout(gvc, ag, "dot")) {
		status = r->gvRenderData(gvc, ag, "svg", &svg, &size) ? -1 : 0;
		r->gvFreeLayout(gvc, ag);
	} else {
		status = -1;
	}
	if (status)
		diag_error(d, "write DOT without svg and run `dot -Tsvg` on it",
			   "Graphviz cannot draw '%s': %s", path, aglasterr() ? aglasterr() : "unknown reason");
	else
		status = file_write(path, svg, size, d);
	r->gvFreeRenderData(svg);
	agclose(ag);
	r->gvFreeContext(gvc);
	return status;
}

int dot_write_svg(const struct graph *g, const char *path, struct diags *d)
{
	struct renderer renderer;
	agusererrf previous;
	int status;

	if (g->n_nodes > DOT_SVG_NODES)
		return diag_error(d, "leave out svg: the .dot file is written for graphs of any size",
				  "%u nodes are too many to be drawn as SVG (at most %d)", g->n_nodes, DOT_SVG_NODES);
	if (!load(&renderer, d))
		return -1;
	previous = agseterrf(quiet);
	status = render(&renderer, draw(g), path, d);
	agseterrf(previous);
	return status;
}

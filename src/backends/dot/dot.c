/* Writes the picture of a graph as DOT, or as SVG by giving the same text to Graphviz, whose libraries are loaded for
 * that alone: most runs draw several stages and look at none. */
#include "backends/dot/dot.h"
#include "backends/dot/picture.h"
#include "report/picture.h"
#include "util/file.h"
#include "util/library.h"
#include "util/strbuf.h"

#include <cgraph.h>
#include <gvc.h>
#include <stdlib.h>
#include <string.h>

enum { NOWHERE = 0 };

struct picture {
	const struct graph *graph;
	struct strbuf *out;
	uint32_t *nodes;   /* by node id: its number in the picture */
	uint32_t *sources; /* by value id: 1 + the number of a graph input; NOWHERE */
};

static void add_name(struct picture *p, const char *prefix, uint32_t number)
{
	strbuf_puts(p->out, prefix);
	strbuf_int(p->out, number);
}

static void add_operator(struct picture *p, const struct node *n, uint32_t number, enum role role)
{
	static const char *const fill[] = {
		[ROLE_FLOAT] = "", /* the default */
		[ROLE_QUANTISER] = "fillcolor=\"#cfe2f3\", ",
		[ROLE_INTEGER] = "fillcolor=\"#d9ead3\", ",
		[ROLE_LEFTOVER] = "fillcolor=\"#f9cb9c\", ",
	};

	add_name(p, "\tn", number);
	strbuf_puts(p->out, " [");
	strbuf_puts(p->out, fill[role]);
	strbuf_puts(p->out, "label=<");
	dot_node_label(p->out, n);
	strbuf_puts(p->out, ">];\n");
	p->nodes[n->id] = number;
}

/* An ellipse for a graph input or output. */
static void add_terminal(struct picture *p, const char *prefix, uint32_t number, const char *name)
{
	add_name(p, prefix, number);
	strbuf_puts(p->out, " [fillcolor=white, shape=ellipse, label=\"");
	dot_clean_text(p->out, name, DOT_QUOTED);
	strbuf_puts(p->out, "\"];\n");
}

static void add_edge(struct picture *p, const struct value *v, const char *prefix, uint32_t to, const char *style)
{
	if (v->producer)
		add_name(p, "\tn", p->nodes[v->producer->id]);
	else if (p->sources[v->id] != NOWHERE)
		add_name(p, "\tin", p->sources[v->id] - 1);
	else /* a constant, shown inside its reader */
		return;
	strbuf_puts(p->out, " -> ");
	add_name(p, prefix, to);
	strbuf_puts(p->out, " [label=\"");
	dot_value_label(p->out, v);
	strbuf_puts(p->out, "\"");
	strbuf_puts(p->out, style);
	strbuf_puts(p->out, "];\n");
}

static void add_nodes(struct picture *p)
{
	const struct graph *g = p->graph;
	enum role *roles = graph_roles(g);
	uint32_t number = 0;

	for (uint32_t i = 0; i < g->n_inputs; i++)
		if (!value_is_constant(g->inputs[i])) {
			add_terminal(p, "\tin", i, g->inputs[i]->name);
			p->sources[g->inputs[i]->id] = i + 1;
		}
	graph_for_each_node (g, n) {
		add_operator(p, n, number, roles[n->id]);
		number++;
	}
	free(roles);
}

static void add_edges(struct picture *p)
{
	const struct graph *g = p->graph;

	graph_for_each_node (g, n) {
		for (uint32_t i = 0; i < n->n_inputs; i++)
			if (node_input(n, i))
				add_edge(p, node_input(n, i), "n", p->nodes[n->id], "");
		for (uint32_t i = 0; i < n->n_captures; i++)
			if (n->captures[i].value)
				add_edge(p, n->captures[i].value, "n", p->nodes[n->id], ", style=dashed");
	}
	for (uint32_t i = 0; i < g->n_outputs; i++) {
		add_terminal(p, "\tout", i, g->output_names[i] ? g->output_names[i] : g->outputs[i].value->name);
		add_edge(p, g->outputs[i].value, "out", i, "");
	}
}

static void draw(const struct graph *g, struct strbuf *out)
{
	struct picture p = { .graph = g, .out = out };

	p.nodes = xcalloc(g->next_node_id + 1u, sizeof *p.nodes);
	p.sources = xcalloc(g->next_value_id + 1u, sizeof *p.sources);
	strbuf_puts(out, "digraph qcc {\n\tgraph [fontname=Helvetica, rankdir=TB];\n"
			 "\tnode [fontname=Helvetica, fontsize=11, style=filled, shape=box, fillcolor=\"#f2f2f2\"];\n"
			 "\tedge [fontname=Helvetica, fontsize=10];\n");
	add_nodes(&p);
	add_edges(&p);
	strbuf_puts(out, "}\n");
	free(p.nodes);
	free(p.sources);
}

int dot_write(const struct graph *g, const char *path, struct diags *d)
{
	struct strbuf out = { 0 };
	int status;

	draw(g, &out);
	status = file_write(path, out.text, out.length, d);
	strbuf_free(&out);
	return status;
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

/* Graphviz, which is loaded for the first SVG. Its plugins stay in memory, and so does it. */
struct renderer {
	__typeof__(&agmemread) agmemread;
	__typeof__(&agclose) agclose;
	__typeof__(&agseterrf) agseterrf;
	__typeof__(&aglasterr) aglasterr;
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
		/* those of cgraph are found through gvc, which needs it */
		{ "agmemread", &r->agmemread },
		{ "agclose", &r->agclose },
		{ "agseterrf", &r->agseterrf },
		{ "aglasterr", &r->aglasterr },
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

/* malloc'd; NULL with a diagnostic. */
static char *render(const struct renderer *r, const char *text, struct diags *d)
{
	GVC_t *gvc = r->gvContext();
	Agraph_t *ag = r->agmemread(text);
	char *svg = NULL, *copy = NULL;
	unsigned size = 0;

	if (ag && !r->gvLayout(gvc, ag, "dot")) {
		if (r->gvRenderData(gvc, ag, "svg", &svg, &size) == 0)
			copy = xstrdup(svg);
		r->gvFreeLayout(gvc, ag);
	}
	if (!copy) {
		const char *message = r->aglasterr();
		diag_error(d, "write DOT without svg and run `dot -Tsvg` on it", "Graphviz cannot draw the graph: %s",
			   message ? message : "unknown reason");
	}
	r->gvFreeRenderData(svg);
	if (ag)
		r->agclose(ag);
	r->gvFreeContext(gvc);
	return copy;
}

char *dot_text(const struct graph *g)
{
	struct strbuf text = { 0 };
	draw(g, &text);
	return text.text;
}

char *dot_svg(const struct graph *g, struct diags *d)
{
	struct renderer renderer;

	if (g->n_nodes > DOT_SVG_NODES) {
		diag_error(d, "leave out svg: the .dot file is written for graphs of any size",
			   "%u nodes are too many to be drawn as SVG (at most %d)", g->n_nodes, DOT_SVG_NODES);
		return NULL;
	}
	if (!load(&renderer, d))
		return NULL;
	char *text = dot_text(g);
	agusererrf previous = renderer.agseterrf(quiet);
	char *svg = render(&renderer, text, d);
	renderer.agseterrf(previous);
	free(text);
	return svg;
}

int dot_write_svg(const struct graph *g, const char *path, struct diags *d)
{
	char *svg = dot_svg(g, d);
	int status = svg ? file_write(path, svg, strlen(svg), d) : -1;
	free(svg);
	return status;
}

/* The backend `dot`: DIR/dot/graph.dot and, on request, graph.svg, graph.png and graph.pdf. */
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "backends/dot/dot.h"
#include "util/file.h"
#include "util/strbuf.h"

static bool dot_accepts(struct backend_ctx *x)
{
	(void)x;
	return true;
}

static int write_file(struct backend_ctx *x, const char *folder, const char *ending, const char *data, size_t size)
{
	struct strbuf name = { 0 };
	strbuf_printf(&name, "graph.%s", ending);
	char *path = path_join(folder, name.text);
	int status = file_write(path, data, size, x->diags);
	free(path);
	strbuf_free(&name);
	return status;
}

static int draw_as(struct backend_ctx *x, const char *folder, const char *text, const char *format)
{
	size_t size = 0;
	if (!backend_flag(x, format))
		return 0;
	if (dot_check_size(x->graph, x->diags) < 0)
		return -1;
	char *picture = dot_draw(text, format, &size, x->diags);
	int status = picture ? write_file(x, folder, format, picture, size) : -1;
	free(picture);
	return status;
}

static int emit_files(struct backend_ctx *x, const char *folder, const struct dot_options *o)
{
	static const char *const formats[] = { "svg", "png", "pdf" };
	char *text = dot_text_of(x->graph, o, x->diags);
	int status = text ? write_file(x, folder, "dot", text, strlen(text)) : -1;
	for (size_t i = 0; i < sizeof formats / sizeof *formats && status == 0; i++)
		status = draw_as(x, folder, text, formats[i]);
	free(text);
	return status;
}

static int read_options(const struct backend_ctx *x, struct dot_options *o)
{
	static const char directions[] = " TB LR BT RL ";
	*o = (struct dot_options){ .rankdir = backend_string(x, "rankdir"),
				   .from = backend_string(x, "from"),
				   .to = backend_string(x, "to"),
				   .collapse = backend_flag(x, "collapse"),
				   .legend = true,
				   .results = x->results };
	if (strlen(o->rankdir) == 2 && !strchr(o->rankdir, ' ') && strstr(directions, o->rankdir))
		return 0;
	return diag_error(x->diags, "TB (from top to bottom), LR (from left to right), BT or RL", "rankdir is '%s'",
			  o->rankdir);
}

static int dot_emit(struct backend_ctx *x)
{
	struct dot_options o;
	if (read_options(x, &o) < 0)
		return -1;
	char *folder = path_join(x->dir, "dot");
	int status = dir_make(folder, x->diags);
	if (!status)
		status = emit_files(x, folder, &o);
	free(folder);
	return status;
}

static const struct pass_option options[] = {
	{ "svg", OPTION_FLAG, NULL, "draw the graph as well, as dot/graph.svg" },
	{ "png", OPTION_FLAG, NULL, "and as dot/graph.png" },
	{ "pdf", OPTION_FLAG, NULL, "and as dot/graph.pdf" },
	{ "rankdir", OPTION_STRING, "TB",
	  "where data flows: TB (from top to bottom), LR (from left to right), BT, RL" },
	{ "collapse", OPTION_FLAG, NULL, "one box for a block that repeats" },
	{ "from", OPTION_STRING, NULL, "leave out what does not depend on this node or value" },
	{ "to", OPTION_STRING, NULL, "leave out what this node or value does not depend on" },
	{ 0 },
};

const struct backend backend_dot = {
	.name = "dot",
	.summary = "a picture of the graph in Graphviz's DOT language, or as SVG, PNG or PDF",
	.help = "Writes dot/graph.dot: a box for each operator with its name, attributes and constants (their datatypes\n"
		"and shapes), cycles and resources where it is a folded hardware layer, and on each edge the datatype and\n"
		"shape of what flows there; and a legend.\n"
		"Colours: green reads and writes integers only, blue is a quantiser, grey is floating point before or\n"
		"behind the integer part, orange is floating point left over inside it.\n"
		"\n"
		"    qcc model.onnx -p streamline -b 'dot(svg,rankdir=LR,from=Conv_0,to=Conv_3)' -o out\n",
	.options = options,
	.accepts = dot_accepts,
	.takes_any_shapes = true,
	.emit = dot_emit,
};

/* The backend `dot`: DIR/dot/graph.dot and, on request, DIR/dot/graph.svg. */
#include <stdlib.h>

#include "backends/backend.h"
#include "backends/dot/dot.h"
#include "util/file.h"
#include "util/strbuf.h"

static bool dot_accepts(struct backend_ctx *x)
{
	(void)x;
	return true;
}

static int emit_files(struct backend_ctx *x, const char *folder)
{
	struct strbuf path = { 0 };
	size_t stem;
	int status;

	strbuf_printf(&path, "%s/graph.", folder);
	stem = path.length;
	strbuf_puts(&path, "dot");
	status = dot_write(x->graph, path.text, x->diags);
	if (!status && backend_flag(x, "svg")) {
		path.length = stem;
		strbuf_puts(&path, "svg");
		status = dot_write_svg(x->graph, path.text, x->diags);
	}
	strbuf_free(&path);
	return status;
}

static int dot_emit(struct backend_ctx *x)
{
	char *folder = path_join(x->dir, "dot");
	int status = dir_make(folder, x->diags);
	if (!status)
		status = emit_files(x, folder);
	free(folder);
	return status;
}

static const struct pass_option options[] = {
	{ "svg", OPTION_FLAG, NULL, "draw the graph as well, as dot/graph.svg" },
	{ 0 },
};

const struct backend backend_dot = {
	.name = "dot",
	.summary = "a picture of the graph in Graphviz's DOT language, or as SVG",
	.help = "Writes dot/graph.dot: a box for each operator with its name, attributes and constants (their datatypes\n"
		"and shapes), and on each edge the datatype and shape of what flows there.\n"
		"Colours: green reads and writes integers only, blue is a quantiser, grey is floating point before or\n"
		"behind the integer part, orange is floating point left over inside it.\n"
		"\n"
		"    qcc model.onnx -p streamline -b 'dot(svg)' -o out\n",
	.options = options,
	.accepts = dot_accepts,
	.takes_any_shapes = true,
	.emit = dot_emit,
};

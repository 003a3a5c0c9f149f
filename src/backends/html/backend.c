/* The backend `html`: DIR/html/index.html, one file that shows the network at every stage and executes it. The page's own
 * files are beside this; what it shows is one JSON object, which page.js describes. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "backends/html/html.h"
#include "hw/parts.h"
#include "ops/op.h"
#include "report/history.h"
#include "util/file.h"
#include "util/identifier.h"

/* Jansson's text goes through the function that makes JSON fit for HTML. */
static void print_report(const struct report *r, struct strbuf *out)
{
	json_t *all = report_json(r);
	char *text = json_dumps(all, JSON_COMPACT | JSON_ENSURE_ASCII);
	strbuf_puts(out, "\"report\":");
	json_in_html(out, text ? text : "{}");
	free(text);
	json_decref(all);
}

/* The resources of the part that the network was folded for. */
static void print_part(const struct report *r, struct strbuf *out)
{
	static const char *const names[FOLD_RESOURCES] = {
		[FOLD_LUT] = "LUT", [FOLD_BRAM] = "BRAM_18K", [FOLD_URAM] = "URAM", [FOLD_DSP] = "DSP"
	};
	const char *part = json_string_value(json_object_get(r->totals.folding, "part"));
	int64_t has[FOLD_RESOURCES];
	strbuf_puts(out, ",\n\"part\":");
	if (!part || !part_resources(part, has)) {
		strbuf_puts(out, "null");
		return;
	}
	strbuf_puts(out, "{\"name\":");
	json_quote(out, part);
	for (int i = 0; i < FOLD_RESOURCES; i++)
		strbuf_printf(out, ",\"%s\":%" PRId64, names[i], has[i]);
	strbuf_puts(out, "}");
}

static void print_sources(const struct graph *g, struct strbuf *out)
{
	strbuf_puts(out, ",\n\"sources\":[");
	for (uint32_t i = 0; i < g->n_sources; i++) {
		strbuf_puts(out, i ? ",[" : "[");
		json_quote(out, g->sources[i].name);
		strbuf_puts(out, ",");
		json_quote(out, g->sources[i].op_type);
		strbuf_puts(out, "]");
	}
	strbuf_puts(out, "],\n");
}

/* Whether the page may try to execute the graph: no hardware layers, and all operators known. */
static bool is_executable(const struct graph *g)
{
	graph_for_each_node (g, n)
		if (!n->op || n->op->hw)
			return false;
	return true;
}

/* The streamlined graph, where there was one on the way, else the final one. */
static int print_live(struct backend_ctx *x, struct history *h, struct page_tensors *tensors, struct strbuf *out)
{
	if (!history_live(h)->graph && is_executable(x->graph))
		history_keep(h, x->graph);
	strbuf_puts(out, ",\n\"live\":");
	if (history_live(h)->graph)
		return page_live_print(history_live(h), backend_string(x, "input"), backend_int(x, "samples"), tensors,
				       out, x->diags);
	strbuf_puts(out, "null");
	return 0;
}

static int print_data(struct backend_ctx *x, struct strbuf *out)
{
	struct page_tensors tensors = { .numbers = { 0 } };
	struct history *h = x->results->history, *own = h ? NULL : history_new();
	arena_init(&tensors.arena);
	history_record(h ? h : own, x->graph, "result");
	strbuf_puts(out, "{");
	print_report(x->results, out);
	print_part(x->results, out);
	print_sources(x->graph, out);
	history_print(h ? h : own, out);
	int status = print_live(x, h ? h : own, &tensors, out);
	strbuf_puts(out, ",\n\"constants\":");
	page_constants_print(x->graph, &tensors, out);
	strbuf_puts(out, ",\n\"tensors\":");
	page_tensors_print(&tensors, out);
	strbuf_puts(out, "}");
	history_free(own);
	page_tensors_free(&tensors);
	return status;
}

/* The template's lines @STYLE@, @DATA@ and @SCRIPT@ stand for the parts. */
static void fill(struct strbuf *page, const char *data)
{
	const struct {
		const char *mark, *text;
	} parts[] = { { "@STYLE@", html_style }, { "@DATA@", data }, { "@SCRIPT@", html_script } };
	const char *at = html_page;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		const char *mark = strstr(at, parts[i].mark);
		strbuf_add(page, at, (size_t)(mark - at));
		strbuf_puts(page, parts[i].text);
		at = mark + strlen(parts[i].mark);
	}
	strbuf_puts(page, at);
}

static int write_page(struct backend_ctx *x, const char *folder)
{
	struct strbuf data = { 0 }, page = { 0 };
	char *path = path_join(folder, "index.html");
	int status = print_data(x, &data);
	if (status == 0) {
		fill(&page, data.text);
		status = file_write(path, page.text, page.length, x->diags);
		json_object_set_new(x->report, "file", json_string("html/index.html"));
		json_object_set_new(x->report, "bytes", json_integer((json_int_t)page.length));
	}
	strbuf_free(&data);
	strbuf_free(&page);
	free(path);
	return status;
}

static int html_emit(struct backend_ctx *x)
{
	char *folder = path_join(x->dir, "html");
	int status = dir_make(folder, x->diags);
	if (status == 0)
		status = write_page(x, folder);
	free(folder);
	return status;
}

static const struct pass_option options[] = {
	{ "input", OPTION_STRING, NULL, "rows to execute in the page (.npy, .npz); without it they are generated" },
	{ "samples", OPTION_INT, "4", "how many of them" },
	{ 0 },
};

const struct backend backend_html = {
	.name = "html",
	.summary = "a page to look at: the graph at every stage, the report, inference; one file, no network",
	.help = "Writes html/index.html, which any browser shows without a server or network: the graph as it was read and\n"
		"after each pass, with what changed marked; groups that fold up; for each node its attributes, types, ranges,\n"
		"weights, thresholds and the nodes of the file that it comes from; layers, folding, resources, times of passes,\n"
		"certificates; and the streamlined network, which the page executes.\n"
		"It is written only where it is named.\n"
		"\n"
		"    qcc model.onnx -p 'streamline,fold(target_fps=1e6)' -b 'html(input=rows.npy)' -o out\n",
	.options = options,
	.on_request = true,
	.takes_any_shapes = true,
	.emit = html_emit,
};

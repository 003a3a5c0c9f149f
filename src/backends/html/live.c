/* What the page needs to execute the network: constants, ranges, and rows with the outputs that qcc's executor computes. */
#include <inttypes.h>
#include <stdlib.h>

#include "backends/html/html.h"
#include "exec/exec.h"
#include "passes/ranges.h"
#include "pipeline/feed.h"
#include "util/identifier.h"

enum { MOST_NUMBERS = 100000 }; /* elements of all rows */

static void print_constants(const struct live_graph *l, struct page_tensors *p, struct strbuf *out)
{
	const char *separator = "";
	strbuf_puts(out, "\"tensors\":{");
	graph_for_each_value (l->graph, v) {
		int64_t number = value_is_constant(v) && v->uses ? page_tensor(p, v->constant) : -1;
		if (number < 0)
			continue;
		strbuf_printf(out, "%s\"%" PRIu32 "\":%" PRId64, separator, l->ids[v->id], number);
		separator = ",";
	}
	strbuf_puts(out, "}");
}

/* Of what the passes have not analysed so far, too. */
static void print_ranges(const struct live_graph *l, struct strbuf *out)
{
	const char *separator = "";
	strbuf_puts(out, ",\"ranges\":{");
	graph_for_each_value (l->graph, v) {
		const struct range *r = value_is_constant(v) ? NULL : range_of(l->graph, v);
		if (!r)
			continue;
		strbuf_printf(out, "%s\"%" PRIu32 "\":[%" PRId64 ",%" PRId64 "]", separator, l->ids[v->id], r->lo,
			      r->hi);
		separator = ",";
	}
	strbuf_puts(out, "}");
}

/* Where the rows come from, and how many. */
struct rows {
	const char *input; /* NULL: they are generated */
	int64_t samples;
};

/* ---- rows ---- */

static int64_t batch_of(const struct feed *f)
{
	const struct value *v = f->count ? f->inputs[0] : NULL;
	return v && v->rank > 0 && v->dims[0] > 0 ? v->dims[0] : 1;
}

/* How many executions the inputs are good for, no more than asked for. */
static int64_t executions(const struct feed *f, int64_t batch, int64_t most)
{
	int64_t numbers = 1;
	for (size_t i = 0; i < f->count; i++) {
		const struct tensor *t = f->tensors[i];
		if (t->rank == 0 || t->dims[0] < batch)
			return 0;
		most = t->dims[0] / batch < most ? t->dims[0] / batch : most;
		numbers += t->count / t->dims[0] * batch;
	}
	int64_t fit = MOST_NUMBERS / numbers;
	return most < 1 || fit >= most ? most : fit < 1 ? 1 : fit;
}

static void print_list(struct page_tensors *p, struct tensor *const *list, size_t count, struct strbuf *out)
{
	for (size_t i = 0; i < count; i++)
		strbuf_printf(out, "%s%" PRId64, i ? "," : "", page_tensor(p, list[i]));
}

static int print_execution(const struct graph *g, const struct feed *f, int64_t first, int64_t batch,
			   struct page_tensors *p, struct strbuf *out, struct diags *d)
{
	struct tensor **in = xcalloc(f->count + 1, sizeof(struct tensor *));
	struct tensor **results = xcalloc(g->n_outputs + 1u, sizeof(struct tensor *));
	for (size_t i = 0; i < f->count; i++)
		in[i] = tensor_rows(f->tensors[i], first, batch);
	int status = exec_graph(g, in, results, &(struct exec_options){ .threads = 1 }, d);
	if (status == 0) {
		strbuf_puts(out, first ? ",{\"inputs\":[" : "{\"inputs\":[");
		print_list(p, in, f->count, out);
		strbuf_puts(out, "],\"outputs\":[");
		print_list(p, results, g->n_outputs, out);
		strbuf_puts(out, "]}");
	}
	for (size_t i = 0; i < f->count; i++)
		tensor_unref(in[i]);
	for (uint32_t i = 0; i < g->n_outputs; i++)
		tensor_unref(results[i]);
	free(in);
	free(results);
	return status;
}

static int print_executions(const struct graph *g, const struct feed *f, int64_t most, struct page_tensors *p,
			    struct strbuf *out, struct diags *d)
{
	int64_t batch = batch_of(f), count = executions(f, batch, most);
	int status = 0;
	for (int64_t i = 0; i < count && status == 0; i++)
		status = print_execution(g, f, i * batch, batch, p, out, d);
	return status;
}

/* Rows of a file must be good; where generated ones cannot be executed, the page has none, and says why. */
static int print_samples(const struct graph *g, const struct rows *r, struct page_tensors *p, struct strbuf *out,
			 struct diags *d)
{
	struct diags own = { 0 }, *told = r->input ? d : &own;
	struct strbuf samples = { 0 };
	struct feed f;
	feed_init(&f, g);
	int status = r->input ? feed_read(&f, r->input, d) : 0;
	if (status == 0)
		status = feed_generate(&f, r->samples * batch_of(&f), 1, told);
	if (status == 0)
		status = print_executions(g, &f, r->samples, p, &samples, told);
	strbuf_puts(out, ",\"samples\":[");
	strbuf_puts(out, status == 0 ? strbuf_text(&samples) : "");
	strbuf_puts(out, "],\"reason\":");
	json_quote(out, own.first ? own.first->cause : "");
	feed_free(&f);
	strbuf_free(&samples);
	diags_free(&own);
	return r->input ? status : 0;
}

int page_live_print(const struct live_graph *l, const char *input, int64_t samples, struct page_tensors *p,
		    struct strbuf *out, struct diags *d)
{
	const struct rows rows = { input, samples < 1 ? 1 : samples };
	strbuf_printf(out, "{\"stage\":%zu,", l->stage);
	print_constants(l, p, out);
	print_ranges(l, out);
	int status = print_samples(l->graph, &rows, p, out, d);
	strbuf_puts(out, "}");
	return status;
}

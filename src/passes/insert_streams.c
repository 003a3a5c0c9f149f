/* insert-dwc and insert-fifo: what stands between hardware layers whose words or rates differ. */
#include <string.h>

#include "hw/design.h"
#include "hw/folding.h"
#include "hw/kind.h"
#include "ops/op.h"
#include "passes/pass.h"
#include "passes/to_hw.h"

static enum pass_result run_dwc(struct pass_ctx *ctx)
{
	int count = design_insert_converters(ctx->graph, ctx->diags);
	if (count < 0 || folding_report(ctx->graph, ctx->report, ctx->diags) != 0)
		return PASS_ERROR;
	ctx->changes += (size_t)count;
	return pass_result(ctx);
}

const struct pass pass_insert_dwc = {
	.name = "insert-dwc",
	.summary = "inserts StreamingDataWidthConverter where neighbouring layers' words differ",
	.help = "After fold: a layer writes words of PE elements, the next one reads words of SIMD elements. Where these differ a\n"
		"converter goes in between, with FINN's attributes. Run it once, after the last fold.",
	.requires = GRAPH_FOLDED,
	.ensures = 0,
	.preserves = ~0u,
	.run = run_dwc,
};

/* ---- FIFOs ---- */

static void insert_fifo(struct node *n, size_t input, const struct hw_stream *s, int64_t depth)
{
	struct value *v = node_input(n, input);
	struct node *f = to_hw_insert(n, "StreamingFIFO", v, "queued");
	int64_t folded[MAX_RANK + 1];
	int rank = v->rank;
	for (int i = 0; i < rank; i++)
		folded[i] = v->dims[i];
	folded[rank - 1] = v->dims[rank - 1] % s->elements ? 1 : v->dims[rank - 1] / s->elements;
	folded[rank] = s->elements;
	node_set_int(f, "depth", depth);
	node_set_ints(f, "folded_shape", folded, (size_t)rank + 1);
	node_set_ints(f, "normal_shape", v->dims, (size_t)rank);
	to_hw_set_datatype(f, "dataType", v->datatype);
	node_set_string(f, "ram_style", "auto");
	node_set_string(f, "impl_style", depth > 256 ? "vivado" : "rtl");
	value_copy_type(n->graph, f->outputs[0], v);
	f->outputs[0]->range = v->range;
	node_set_input(n, input, f->outputs[0]);
}

/* The design's layer that the node is, by name; the first layer that may be it is *at. */
static const struct design_layer *layer_of(const struct design *p, const struct node *n, size_t *at)
{
	while (*at < p->n_layers &&
	       (p->layers[*at].l.node->op != n->op || strcmp(node_label(p->layers[*at].l.node), node_label(n)) != 0))
		++*at;
	return *at < p->n_layers ? &p->layers[(*at)++] : NULL;
}

/* A queue in front of each stream input that another layer writes, as deep as the design says. */
static void insert_queues(struct pass_ctx *ctx, const struct design *p, int64_t given)
{
	size_t at = 0;
	graph_for_each_node (ctx->graph, n) {
		const struct design_layer *layer = NULL;
		if (hw_kind_of(n) && !(hw_kind_of(n)->flags & HW_QUEUE))
			layer = layer_of(p, n, &at);
		for (size_t i = 0; layer && i < layer->n_in; i++) {
			const struct design_stream *s = &p->streams[layer->in[i]];
			struct node *producer = hw_stream_producer(node_input(n, i));
			if (!producer || hw_kind_of(producer)->flags & HW_QUEUE)
				continue;
			insert_fifo(n, i, &s->words, given > 0 ? given : s->depth);
			ctx->changes++;
		}
	}
}

static enum pass_result run_fifo(struct pass_ctx *ctx)
{
	struct design p;
	int result = design_read(&p, ctx->graph, &(struct design_options){ .simulate = SCHEDULE_FULL }, ctx->diags);
	if (result == 0)
		insert_queues(ctx, &p, pass_string(ctx, "depth") ? pass_int(ctx, "depth") : 0);
	schedule_report(&p.schedule, ctx->report);
	if (result == 0)
		result = folding_report_design(ctx->graph, &p, ctx->report, ctx->diags);
	design_free(&p);
	return result == 0 ? pass_result(ctx) : PASS_ERROR;
}

static const struct pass_option fifo_options[] = {
	{ "depth", OPTION_INT, NULL, "words of every FIFO; absent: what the layers' schedules ask for" }, { 0 }
};

const struct pass pass_insert_fifo = {
	.name = "insert-fifo",
	.summary = "inserts StreamingFIFO between hardware layers",
	.help = "After fold and insert-dwc: a queue in front of each layer that another one feeds. Its depth is the most words that wait\n"
		"there when frames come at the rate of the slowest layer, from a simulation of the schedule cycle by cycle; so no\n"
		"chain runs slower than its slowest layer and no fork stalls. The report says the cycles a frame takes with them, and\n"
		"with queues of two words. Where that is too long to simulate: a vector, or on the ways of a fork a frame.",
	.options = fifo_options,
	.requires = GRAPH_FOLDED,
	.ensures = 0,
	.preserves = ~0u,
	.run = run_fifo,
};

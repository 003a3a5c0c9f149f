/* insert-dwc and insert-fifo: what stands between hardware layers whose words or rates differ. */
#include "passes/insert_streams.h"

#include "hw/kind.h"
#include "hw/schedule.h"
#include "ops/op.h"
#include "passes/pass.h"
#include "passes/to_hw.h"

static size_t output_index(const struct node *n, const struct value *v)
{
	while (v->producer != n)
		v = node_input(v->producer, 0);
	for (size_t i = 0; i < n->n_outputs; i++)
		if (n->outputs[i] == v)
			return i;
	return 0;
}

static void type_like(struct node *n, const struct value *v)
{
	value_copy_type(n->graph, n->outputs[0], v);
	n->outputs[0]->range = v->range;
}

static void insert_converter(struct node *n, size_t input, int64_t from, int64_t to)
{
	struct value *v = node_input(n, input);
	struct node *c = to_hw_insert(n, "StreamingDataWidthConverter", v, "converted");
	node_set_ints(c, "shape", v->dims, (size_t)v->rank);
	node_set_int(c, "inWidth", from);
	node_set_int(c, "outWidth", to);
	to_hw_set_datatype(c, "dataType", v->datatype);
	type_like(c, v);
	node_set_input(n, input, c->outputs[0]);
}

/* The words that reach input i of n, from the layer before; false where that is the host. */
static bool words_before(const struct node *n, size_t i, struct hw_stream *words, struct diags *d)
{
	struct hw_layer l;
	struct node *p = hw_stream_producer(node_input(n, i));
	if (!p || hw_layer_read(p, &l, d) != 0)
		return false;
	*words = hw_output(&l, &l.now, output_index(p, node_input(n, i)));
	return true;
}

int insert_converters(struct graph *g, struct diags *d)
{
	int count = 0;
	graph_for_each_node (g, n) {
		struct hw_layer l;
		if (!hw_kind_of(n) || hw_kind_of(n)->flags & (HW_CONVERTER | HW_QUEUE))
			continue;
		if (hw_layer_read(n, &l, d) != 0)
			return -1;
		for (size_t i = 0; i < hw_stream_inputs(&l); i++) {
			struct hw_stream before, here = hw_input(&l, &l.now, i);
			if (!words_before(n, i, &before, d) || before.elements == here.elements)
				continue;
			insert_converter(n, i, hw_width(before), hw_width(here));
			count++;
		}
	}
	return d->errors ? -1 : count;
}

static enum pass_result run_dwc(struct pass_ctx *ctx)
{
	int count = insert_converters(ctx->graph, ctx->diags);
	if (count < 0)
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
	type_like(f, v);
	node_set_input(n, input, f->outputs[0]);
}

/* A queue in front of each stream input that another layer writes. */
static int insert_queues(struct pass_ctx *ctx, const struct schedule *schedule, int64_t given)
{
	graph_for_each_node (ctx->graph, n) {
		struct hw_layer l;
		if (!hw_kind_of(n) || hw_kind_of(n)->flags & HW_QUEUE)
			continue;
		if (hw_layer_read(n, &l, ctx->diags) != 0)
			return -1;
		for (size_t i = 0; i < hw_stream_inputs(&l); i++) {
			struct node *p = hw_stream_producer(node_input(n, i));
			struct hw_stream s = hw_input(&l, &l.now, i);
			if (!p || hw_kind_of(p)->flags & HW_QUEUE)
				continue;
			insert_fifo(n, i, &s, given > 0 ? given : schedule_depth(schedule, n, i));
			ctx->changes++;
		}
	}
	return 0;
}

static enum pass_result run_fifo(struct pass_ctx *ctx)
{
	struct schedule s;
	int result = schedule_graph(ctx->graph, &s, ctx->diags);
	if (result == 0)
		result = insert_queues(ctx, &s, pass_string(ctx, "depth") ? pass_int(ctx, "depth") : 0);
	schedule_report(&s, ctx->report);
	schedule_free(&s);
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

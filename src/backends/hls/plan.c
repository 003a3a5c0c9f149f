/* From the graph to streams and layers. */
#include "backends/hls/hls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/schedule.h"
#include "ops/op.h"
#include "passes/insert_streams.h"
#include "hw/kind.h"
#include "util/vec.h"

static bool is_queue(const struct node *n)
{
	return hw_kind_of(n) && hw_kind_of(n)->flags & HW_QUEUE;
}

const struct value *hls_value_behind(const struct value *v)
{
	while (v->producer && (hw_is_view(v->producer) || is_queue(v->producer)))
		v = node_input(v->producer, 0);
	return v;
}

const char *hls_element(struct datatype t, char buffer[40])
{
	if (t.kind == DT_BIPOLAR)
		return "qcc::Bipolar";
	snprintf(buffer, 40, "qcc::%s<%d>", datatype_is_signed(t) ? "Signed" : "Unsigned", datatype_bits(t));
	return buffer;
}

/* ---- streams ---- */

static size_t find_stream(const struct hls_plan *p, const struct value *v)
{
	for (size_t i = 0; i < p->n_streams; i++)
		if (p->streams[i].value == v)
			return i;
	return SIZE_MAX;
}

static int add_stream(struct hls_plan *p, const struct node *n, const struct value *v, struct hw_stream words,
		      struct diags *d)
{
	struct hls_stream *s = &p->streams[p->n_streams++];
	*s = (struct hls_stream){ .value = v, .words = words, .type = v->datatype, .depth = 2 };
	if (hw_width(words) > HLS_MAX_WIDTH)
		return diag_node_error(
			d, n, "fold(..., max_stream_bits=4096)",
			"has a stream ('%s') of %lld bits, %lld elements of %d; ap_int in HLS goes to %d", v->name,
			(long long)hw_width(words), (long long)words.elements, words.bits, HLS_MAX_WIDTH);
	return 0;
}

/* A converter between widths of which neither divides the other holds as much as both. */
static int check_converter(const struct hw_layer *l, struct diags *d)
{
	int64_t in = l->widths[0], out = l->widths[1];
	if (!(l->kind->flags & HW_CONVERTER) || in % out == 0 || out % in == 0 || in + out <= HLS_MAX_WIDTH)
		return 0;
	return diag_node_error(
		d, l->node, "fold(..., max_stream_bits=2048)",
		"holds %lld bits to make words of %lld bits from words of %lld; ap_int in HLS goes to %d",
		(long long)(in + out), (long long)out, (long long)in, HLS_MAX_WIDTH);
}

/* What the FIFOs in the graph say; 0: there are none. */
static int64_t queue_depth(const struct value *v)
{
	int64_t depth = 0;
	for (; v->producer && (hw_is_view(v->producer) || is_queue(v->producer)); v = node_input(v->producer, 0))
		if (is_queue(v->producer) && node_attr_int(v->producer, "depth", 2) > depth)
			depth = node_attr_int(v->producer, "depth", 2);
	return depth;
}

/* The stream that reaches input i: written by a layer, or, made here, by the host. */
static int connect_input(struct hls_plan *p, struct hls_layer *layer, size_t i, const struct schedule *schedule,
			 struct diags *d)
{
	const struct value *v = hls_value_behind(node_input(layer->l.node, i));
	size_t s = find_stream(p, v);
	int64_t depth = queue_depth(node_input(layer->l.node, i));
	if (!depth)
		depth = schedule_depth(schedule, layer->l.node, i);
	if (s == SIZE_MAX) {
		s = p->n_streams;
		if (!datatype_is_integer(v->datatype))
			return diag_node_error(d, layer->l.node, NULL, "reads '%s', which holds no integers", v->name);
		if (add_stream(p, layer->l.node, v, hw_input(&layer->l, &layer->l.now, i), d) != 0)
			return -1;
		p->streams[s].port = p->n_inputs++;
	}
	if (p->streams[s].reader)
		return diag_node_error(d, layer->l.node, "run to-hw again",
				       "'%s' is read twice; DuplicateStreams is missing", v->name);
	p->streams[s].reader = layer->l.node;
	p->streams[s].depth = depth > p->streams[s].depth ? depth : p->streams[s].depth;
	layer->in[layer->n_in++] = s;
	return 0;
}

/* What file scope and the top function have besides the layers. */
static void take_names(struct hls_plan *p, size_t streams)
{
	static const char *const names[] = { "hls", "std", "feed", "drain", "run_frame" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		map_set(&p->names, names[i], p);
	map_set(&p->names, p->top, p);
	for (size_t i = 0; i < streams; i++) {
		map_set(&p->names, arena_printf(&p->arena, "in%zu", i), p);
		map_set(&p->names, arena_printf(&p->arena, "out%zu", i), p);
		map_set(&p->names, arena_printf(&p->arena, "s%zu", i), p);
	}
}

static const char *layer_name(struct hls_plan *p, const struct node *n)
{
	static const char *const made[] = { "_weights", "_activation", "_constants", "_table", NULL };
	return identifier_unique(&p->arena, &p->names, identifier_alone(&p->arena, node_label(n), "n"), made);
}

static int add_layer(struct hls_plan *p, const struct node *n, const struct schedule *schedule, struct diags *d)
{
	struct hls_layer *layer = &p->layers[p->n_layers++];
	if (hw_layer_read(n, &layer->l, d) != 0)
		return -1;
	layer->name = layer_name(p, n);
	layer->out = arena_array(&p->arena, size_t, n->n_outputs);
	if (check_converter(&layer->l, d) != 0)
		return -1;
	if (hw_stream_inputs(&layer->l) > 64)
		return diag_node_error(d, n, NULL, "has more than 64 streams");
	for (size_t i = 0; i < hw_stream_inputs(&layer->l); i++)
		if (connect_input(p, layer, i, schedule, d) != 0)
			return -1;
	for (size_t i = 0; i < n->n_outputs; i++) {
		layer->out[layer->n_out++] = p->n_streams;
		if (add_stream(p, n, n->outputs[i], hw_output(&layer->l, &layer->l.now, i), d) != 0)
			return -1;
		p->streams[p->n_streams - 1].writer = n;
	}
	return 0;
}

/* ---- the host's part ---- */

/* The host's nodes: what hardware depends on goes to the head, all others to the tail. */
static void split_host(struct hls_plan *p)
{
	unsigned char *above = xcalloc((size_t)p->g->next_node_id + 1, 1);
	for (const struct node *n = p->g->last; n; n = n->prev)
		for (uint32_t i = 0; i < n->n_outputs; i++)
			if (n->outputs[i])
				value_for_each_use (n->outputs[i], u)
					if (u->user && (hw_kind_of(u->user) || above[u->user->id]))
						above[n->id] = 1;
	p->head = arena_array(&p->arena, const struct node *, p->g->n_nodes + 1);
	p->tail = arena_array(&p->arena, const struct node *, p->g->n_nodes + 1);
	for (const struct node *n = p->g->first; n; n = n->next) {
		if (hw_kind_of(n))
			continue;
		bool between = above[n->id] && hw_is_view(n) && hw_stream_producer(node_output(n, 0));
		if (above[n->id] && !between)
			p->head[p->n_head++] = n;
		else if (!above[n->id])
			p->tail[p->n_tail++] = n;
	}
	free(above);
}

const struct hls_stream *hls_port(const struct hls_plan *p, bool output, size_t k)
{
	for (size_t i = 0; i < p->n_streams; i++)
		if ((output ? !p->streams[i].reader : !p->streams[i].writer) && p->streams[i].port == k)
			return &p->streams[i];
	return NULL;
}

int hls_plan_read(struct hls_plan *p, const struct graph *g, const char *top, bool simulate, struct diags *d)
{
	*p = (struct hls_plan){ .g = graph_copy(g) };
	arena_init(&p->arena);
	p->top = identifier_alone(&p->arena, top && *top ? top : "network", "n");
	if (insert_converters(p->g, d) < 0)
		return -1;
	size_t values = 0;
	graph_for_each_value (p->g, v)
		values++;
	p->streams = arena_array(&p->arena, struct hls_stream, values + 1);
	p->layers = arena_array(&p->arena, struct hls_layer, p->g->n_nodes + 1);
	take_names(p, values + 1);
	struct schedule schedule = { 0 };
	int result = simulate ? schedule_graph(p->g, &schedule, d) : 0;
	graph_for_each_node (p->g, n)
		if (result == 0 && hw_kind_of(n) && !is_queue(n))
			result = add_layer(p, n, &schedule, d);
	schedule_report(&schedule, p->schedule = json_object());
	schedule_free(&schedule);
	if (result != 0)
		return -1;
	for (size_t i = 0; i < p->n_streams; i++)
		if (!p->streams[i].reader)
			p->streams[i].port = p->n_outputs++;
	split_host(p);
	return 0;
}

void hls_plan_free(struct hls_plan *p)
{
	graph_free(p->g);
	map_free(&p->names);
	arena_free(&p->arena);
	json_decref(p->schedule);
	*p = (struct hls_plan){ 0 };
}

/* From the graph to streams and layers. */
#include "hw/design.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/kind.h"
#include "hw/parts.h"
#include "util/identifier.h"

#define PART_KEY "qcc.part"
#define CLOCK_KEY "qcc.clock_mhz"
#define DEFAULT_PART "xc7z020"
#define DEFAULT_CLOCK_MHZ 100.0

enum { MOST_STREAMS = 64 }; /* that one layer reads */

/* ---- target ---- */

static void set_property(struct graph *g, const char *key, const char *text)
{
	struct property **at = &g->metadata;
	while (*at && strcmp((*at)->key, key) != 0)
		at = &(*at)->next;
	if (*at && !text)
		*at = (*at)->next;
	else if (*at)
		(*at)->text = arena_strdup(&g->arena, text);
	else if (text)
		property_add(g, &g->metadata, key, text);
}

void design_set_target(struct graph *g, const char *part, double clock_mhz)
{
	char clock[32];
	snprintf(clock, sizeof clock, "%.9g", clock_mhz);
	set_property(g, PART_KEY, part);
	set_property(g, CLOCK_KEY,
		     clock_mhz == DEFAULT_CLOCK_MHZ ? NULL : clock); /* no need to say what goes without */
}

static int read_target(struct design *p, const struct design_options *o, struct diags *d)
{
	const char *part = o->part ? o->part : property_get(p->g->metadata, PART_KEY);
	const char *clock = property_get(p->g->metadata, CLOCK_KEY);
	p->part = part_device(&p->arena, part ? part : DEFAULT_PART);
	p->clock_mhz = o->clock_mhz ? *o->clock_mhz : clock ? strtod(clock, NULL) : DEFAULT_CLOCK_MHZ;
	if (!p->part)
		return part_unknown(part, NULL, d);
	if (!(p->clock_mhz > 0) || p->clock_mhz > 1e6)
		return diag_error(d, NULL, "a clock of %g MHz is not possible", p->clock_mhz);
	return 0;
}

/* ---- streams ---- */

static size_t find_stream(const struct design *p, const struct value *v)
{
	for (size_t i = 0; i < p->n_streams; i++)
		if (p->streams[i].value == v)
			return i;
	return SIZE_MAX;
}

static struct design_stream *add_stream(struct design *p, const struct value *v, struct hw_stream words)
{
	struct design_stream *s = &p->streams[p->n_streams++];
	*s = (struct design_stream){ .value = v, .words = words, .type = v->datatype, .depth = 2 };
	return s;
}

/* A frame is one sample: layers of images have no batch, so that a network's batch must be 1 there. Words of a converter may be
 * partly empty. */
static int check_frame(const struct node *n, const struct value *v, struct hw_stream words, struct diags *d)
{
	int64_t count, carried = words.words * words.elements;
	if (hw_kind_of(n)->flags & HW_CONVERTER || !value_shape_known(v) || !dims_count(v->rank, v->dims, &count) ||
	    count == carried)
		return 0;
	return diag_node_error(d, n, "give the network a batch of 1",
			       "carries %lld numbers of '%s' a frame, which holds %lld", (long long)carried, v->name,
			       (long long)count);
}

/* What the FIFOs in front of v say; 0: there are none. */
static int64_t queue_depth(const struct value *v)
{
	int64_t depth = 0;
	for (; v->producer && (hw_is_view(v->producer) || hw_is_queue(v->producer)); v = node_input(v->producer, 0)) {
		int64_t words = hw_is_queue(v->producer) ? node_attr_int(v->producer, "depth", 2) : 0;
		depth = words > depth ? words : depth;
	}
	return depth;
}

/* The stream that reaches input i: written by a layer, or, made here, by the host. */
static int connect_input(struct design *p, struct design_layer *layer, size_t i, struct diags *d)
{
	const struct node *n = layer->l.node;
	const struct value *v = hw_value_behind(node_input(n, i));
	size_t at = find_stream(p, v);
	int64_t depth = queue_depth(node_input(n, i));
	if (!depth)
		depth = schedule_depth(&p->schedule, n, i);
	if (at == SIZE_MAX) {
		if (!datatype_is_integer(v->datatype))
			return diag_node_error(d, n, NULL, "reads '%s', which holds no integers", v->name);
		at = p->n_streams;
		add_stream(p, v, hw_input(&layer->l, &layer->l.now, i))->port = p->n_inputs++;
	}
	if (check_frame(n, v, hw_input(&layer->l, &layer->l.now, i), d) != 0)
		return -1;
	struct design_stream *s = &p->streams[at];
	if (s->reader)
		return diag_node_error(d, n, "run to-hw again", "'%s' is read twice; DuplicateStreams is missing",
				       v->name);
	s->reader = layer;
	s->input = i;
	s->depth = depth > s->depth ? depth : s->depth;
	layer->in[layer->n_in++] = at;
	return 0;
}

static int add_layer(struct design *p, const struct node *n, struct diags *d)
{
	struct design_layer *layer = &p->layers[p->n_layers++];
	if (hw_layer_read(n, &layer->l, d) != 0)
		return -1;
	size_t inputs = hw_stream_inputs(&layer->l);
	if (inputs > MOST_STREAMS)
		return diag_node_error(d, n, NULL, "has more than %d streams", MOST_STREAMS);
	layer->cost = hw_layer_cost(&layer->l, &layer->l.now);
	layer->in = arena_array(&p->arena, size_t, inputs);
	layer->out = arena_array(&p->arena, size_t, n->n_outputs);
	for (size_t i = 0; i < inputs; i++)
		if (connect_input(p, layer, i, d) != 0)
			return -1;
	for (size_t i = 0; i < n->n_outputs; i++) {
		layer->out[layer->n_out++] = p->n_streams;
		struct design_stream *s = add_stream(p, n->outputs[i], hw_output(&layer->l, &layer->l.now, i));
		s->writer = layer;
		s->output = i;
		if (check_frame(n, n->outputs[i], s->words, d) != 0)
			return -1;
	}
	return 0;
}

static int add_layers(struct design *p, struct diags *d)
{
	size_t values = 0;
	graph_for_each_value (p->g, v)
		values++;
	p->streams = arena_array(&p->arena, struct design_stream, values + 1);
	p->layers = arena_array(&p->arena, struct design_layer, p->g->n_nodes + 1);
	graph_for_each_node (p->g, n)
		if (hw_kind_of(n) && !hw_is_queue(n) && add_layer(p, n, d) != 0)
			return -1;
	for (size_t i = 0; i < p->n_streams; i++)
		if (!p->streams[i].reader)
			p->streams[i].port = p->n_outputs++;
	return 0;
}

const struct design_stream *design_port(const struct design *p, bool output, size_t k)
{
	for (size_t i = 0; i < p->n_streams; i++)
		if ((output ? !p->streams[i].reader : !p->streams[i].writer) && p->streams[i].port == k)
			return &p->streams[i];
	return NULL;
}

void design_name_layers(struct design *p, struct map *taken, const char *const *suffixes)
{
	for (size_t i = 0; i < p->n_layers; i++)
		p->layers[i].name = identifier_unique(
			&p->arena, taken, identifier_alone(&p->arena, node_label(p->layers[i].l.node), "n"), suffixes);
}

/* ---- the host's part ---- */

/* The host's nodes: what hardware depends on goes to the head, all others to the tail. */
static void split_host(struct design *p)
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

int design_read(struct design *p, const struct graph *g, const struct design_options *o, struct diags *d)
{
	*p = (struct design){ .g = graph_copy(g) };
	arena_init(&p->arena);
	if (read_target(p, o, d) != 0 || design_insert_converters(p->g, d) < 0 ||
	    (o->simulate && schedule_graph(p->g, o->simulate, o->modules, &p->schedule, d) != 0) ||
	    add_layers(p, d) != 0)
		return -1;
	split_host(p);
	return 0;
}

void design_free(struct design *p)
{
	schedule_free(&p->schedule);
	graph_free(p->g);
	arena_free(&p->arena);
	*p = (struct design){ 0 };
}

/* ---- report ---- */

static json_t *labels(const struct node *const *nodes, size_t count)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(node_label(nodes[i])));
	return list;
}

void design_report(const struct design *p, json_t *report)
{
	json_t *schedule = json_object();
	schedule_report(&p->schedule, schedule);
	json_object_set_new(report, "layers", json_integer((json_int_t)p->n_layers));
	json_object_set_new(report, "streams", json_integer((json_int_t)p->n_streams));
	json_object_set_new(report, "schedule", schedule);
	json_object_set_new(report, "host_before", labels(p->head, p->n_head));
	json_object_set_new(report, "host_after", labels(p->tail, p->n_tail));
}

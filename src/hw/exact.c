/* The design's graph in numbers that do not round. Graphs store integers as float32, which counts exactly up to 2^24; a circuit
 * has as many bits as it needs. Golden vectors must be the circuit's. */
#include "hw/design.h"
#include "ops/op.h"

static bool counts_beyond_float(const struct design *p)
{
	for (size_t i = 0; i < p->n_streams; i++)
		if (datatype_min(p->streams[i].type) < -0x1p24 || datatype_max(p->streams[i].type) > 0x1p24)
			return true;
	for (size_t i = 0; i < p->n_layers; i++) /* accumulators in front of thresholds */
		if (p->layers[i].l.acc_bits > 24)
			return true;
	return false;
}

/* v as another type, computed before that node (NULL: at the end). */
static struct value *cast(struct graph *g, struct node *before, struct value *v, enum elem_type elem)
{
	struct node *n = node_new(g, before, DOMAIN_ONNX, "Cast", &v, 1, 1, v->name);
	node_set_int(n, "to", elem);
	value_copy_type(g, n->outputs[0], v);
	n->outputs[0]->elem = (uint8_t)elem;
	return n->outputs[0];
}

/* What the host gives a layer. */
static void widen_inputs(struct graph *g, struct node *n)
{
	struct hw_layer l;
	struct diags ignored = { 0 };
	size_t streams = hw_layer_read(n, &l, &ignored) == 0 ? hw_stream_inputs(&l) : 0;
	for (size_t i = 0; i < streams; i++)
		if (!hw_stream_producer(node_input(n, i)) && n->op != &op_Lookup)
			node_set_input(n, i, cast(g, n, node_input(n, i), ELEM_DOUBLE));
	diags_free(&ignored);
}

static bool leads_to_layer(const struct node *n)
{
	if (hw_kind_of(n))
		return true;
	if (hw_is_view(n))
		value_for_each_use (n->outputs[0], u)
			if (u->user && leads_to_layer(u->user))
				return true;
	return false;
}

/* What the host takes from a layer. */
static void narrow_outputs(struct graph *g, struct node *n)
{
	for (uint32_t i = 0; i < n->n_outputs; i++) {
		struct value *v = n->outputs[i], *narrow = NULL;
		value_for_each_use (v, u) {
			if (v->elem != ELEM_FLOAT || (u->user && leads_to_layer(u->user)))
				continue;
			narrow = narrow ? narrow : cast(g, n->next, v, ELEM_FLOAT);
			if (u->user == narrow->producer)
				continue;
			if (u->user)
				node_set_input(u->user, u->index, narrow);
			else
				graph_set_output(g, u->index, narrow);
		}
	}
}

struct graph *design_exact(const struct design *p)
{
	struct graph *g = graph_copy(p->g);
	if (!counts_beyond_float(p))
		return g;
	graph_for_each_node (g, n)
		if (hw_kind_of(n))
			widen_inputs(g, n);
	graph_for_each_node (g, n)
		if (hw_kind_of(n))
			narrow_outputs(g, n);
	return g;
}

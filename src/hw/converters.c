/* Converters between layers whose words differ. */
#include "hw/design.h"
#include "hw/kind.h"

static size_t output_index(const struct node *n, const struct value *v)
{
	while (v->producer != n)
		v = node_input(v->producer, 0);
	for (size_t i = 0; i < n->n_outputs; i++)
		if (n->outputs[i] == v)
			return i;
	return 0;
}

static void insert_converter(struct node *n, size_t input, int64_t from, int64_t to)
{
	struct value *v = node_input(n, input);
	char type[DATATYPE_NAME_SIZE];
	struct node *c = node_new(n->graph, n, DOMAIN_FINN, op_StreamingDataWidthConverter.name, &v, 1, 1, "converted");
	node_set_string(c, "backend", "fpgadataflow");
	node_set_ints(c, "shape", v->dims, (size_t)v->rank);
	node_set_int(c, "inWidth", from);
	node_set_int(c, "outWidth", to);
	node_set_string(c, "dataType", datatype_name(v->datatype, type));
	value_copy_type(n->graph, c->outputs[0], v);
	c->outputs[0]->range = v->range;
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

int design_insert_converters(struct graph *g, struct diags *d)
{
	int count = 0;
	int errors = d->errors;
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
	return d->errors > errors ? -1 : count;
}

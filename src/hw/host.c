/* The parts of a network that stay with the host. */
#include "hw/host.h"

#include <stdlib.h>

#include "hw/kind.h"
#include "util/memory.h"

/* Nodes that no output needs. */
static void drop_dead(struct graph *g)
{
	for (struct node *n = g->last, *before; n; n = before) {
		bool used = false;
		before = n->prev;
		for (uint32_t i = 0; i < n->n_outputs; i++)
			used |= n->outputs[i] && n->outputs[i]->uses;
		if (!used)
			node_remove(n);
	}
}

/* Whether the host can compute all that is left of g, from g's inputs. */
static int check_part(const struct graph *g, struct diags *d)
{
	graph_for_each_node (g, n) {
		for (uint32_t i = 0; i < n->n_inputs; i++) {
			const struct value *v = node_input(n, i);
			if (v && !v->producer && !v->constant && !v->is_input)
				return diag_node_error(
					d, n, NULL,
					"needs '%s', which neither the host's part before it nor the hardware computes",
					v->name);
		}
		if (hw_kind_of(n) && !(hw_kind_of(n)->flags & HW_QUEUE))
			return diag_node_error(d, n, NULL,
					       "lies between two parts of the network that the host computes");
	}
	return 0;
}

/* Output `port` of the part: v, or the input whose value it is. */
static void add_port(struct host_part *t, struct value *v, struct value *const *inputs, size_t n_inputs, size_t port,
		     uint32_t *n_outputs)
{
	t->copies[port] = -1;
	for (size_t i = 0; i < n_inputs; i++)
		if (inputs[i] == v)
			t->copies[port] = (long)i;
	if (t->copies[port] >= 0)
		return;
	if (*n_outputs < t->g->n_outputs)
		graph_set_output(t->g, *n_outputs, v);
	else
		graph_add_output(t->g, v, v->name);
	++*n_outputs;
}

/* Leaves in the graph what the outputs need that something computes; there may be none. */
static int part_end(struct host_part *t, uint32_t n_outputs, struct diags *d)
{
	t->computes = n_outputs > 0;
	if (!n_outputs)
		return 0;
	graph_drop_outputs(t->g, n_outputs);
	drop_dead(t->g);
	return check_part(t->g, d);
}

static void part_begin(struct host_part *t, const struct design *p, size_t n_out)
{
	*t = (struct host_part){ .g = graph_copy(p->g), .n_out = n_out };
	t->copies = xcalloc(n_out + 1, sizeof *t->copies);
}

void host_part_free(struct host_part *t)
{
	graph_free(t->g);
	free(t->copies);
}

int host_head(struct host_part *t, const struct design *p, struct diags *d)
{
	uint32_t n_outputs = 0;
	part_begin(t, p, p->n_inputs);
	size_t n = graph_data_inputs(t->g, NULL, 0);
	struct value **inputs = xcalloc(n + 1, sizeof *inputs);
	graph_data_inputs(t->g, inputs, n);
	for (size_t k = 0; k < p->n_inputs; k++)
		add_port(t, graph_value(t->g, design_port(p, false, k)->value->name), inputs, n, k, &n_outputs);
	free(inputs);
	return part_end(t, n_outputs, d);
}

int host_tail(struct host_part *t, const struct design *p, struct diags *d)
{
	uint32_t n_outputs = 0;
	part_begin(t, p, p->g->n_outputs);
	struct value **inputs = xcalloc(p->n_outputs + 1, sizeof *inputs);
	graph_drop_inputs(t->g);
	for (size_t k = 0; k < p->n_outputs; k++) {
		struct value *v = graph_value(t->g, design_port(p, true, k)->value->name);
		inputs[k] = value_new(t->g, v->name);
		value_copy_type(t->g, inputs[k], v);
		graph_add_input(t->g, inputs[k]);
		value_replace_uses(v, inputs[k]);
	}
	for (uint32_t i = 0; i < t->n_out; i++)
		add_port(t, t->g->outputs[i].value, inputs, p->n_outputs, i, &n_outputs);
	free(inputs);
	return part_end(t, n_outputs, d);
}

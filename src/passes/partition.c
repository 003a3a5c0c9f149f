/* partition: the hardware layers go to a file of their own, and a StreamingDataflowPartition stands for them. */
#include <stdlib.h>
#include <string.h>

#include "ops/op.h"
#include "passes/pass.h"
#include "passes/to_hw.h"
#include "util/vec.h"

struct values {
	struct value **items;
	size_t count, capacity;
};

/* Inside: hardware layers, and reshapes between them. */
static bool inside(const struct node *n)
{
	if (hw_kind_of(n))
		return true;
	if (!hw_is_view(n) || !hw_stream_producer(node_output(n, 0)))
		return false;
	value_for_each_use (node_output(n, 0), u)
		if (u->user && inside(u->user))
			return true;
	return false;
}

static bool contains(const struct values *list, const struct value *v)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i] == v)
			return true;
	return false;
}

static bool leaves(const struct value *v)
{
	value_for_each_use (v, u)
		if (!u->user || !inside(u->user))
			return true;
	return false;
}

/* Values that cross the border, in the order in which they appear. */
static void find_border(const struct graph *g, struct values *in, struct values *out)
{
	graph_for_each_node (g, n) {
		if (!inside(n))
			continue;
		for (uint32_t i = 0; i < n->n_inputs; i++) {
			struct value *v = node_input(n, i);
			if (v && !value_is_constant(v) && !(v->producer && inside(v->producer)) && !contains(in, v))
				vec_push(in, v);
		}
		for (uint32_t i = 0; i < n->n_outputs; i++)
			if (n->outputs[i] && leaves(n->outputs[i]))
				vec_push(out, n->outputs[i]);
	}
}

/* ---- the inside as a graph of its own ---- */

struct clone {
	struct graph *g;
	struct value **twin; /* by id of the original */
};

static struct value *clone_value(struct clone *c, const struct value *v)
{
	if (!v || c->twin[v->id])
		return v ? c->twin[v->id] : NULL;
	struct value *twin = value_is_constant(v) ? value_new_constant(c->g, v->name, tensor_ref(v->constant))
						  : value_new(c->g, v->name);
	value_copy_type(c->g, twin, v);
	return c->twin[v->id] = twin;
}

static void clone_node(struct clone *c, const struct node *n)
{
	struct value **in = xcalloc(n->n_inputs + 1, sizeof *in), **out = xcalloc(n->n_outputs + 1, sizeof *out);
	for (uint32_t i = 0; i < n->n_inputs; i++)
		in[i] = clone_value(c, node_input(n, i));
	for (uint32_t i = 0; i < n->n_outputs; i++)
		out[i] = clone_value(c, n->outputs[i]);
	struct node *twin =
		node_new_with(c->g, NULL, n->domain, n->op_type, in, n->n_inputs, out, n->n_outputs, n->name);
	node_copy_attrs(twin, n);
	free(in);
	free(out);
}

static struct graph *hardware_part(const struct graph *g, const struct values *in, const struct values *out)
{
	struct clone c = { graph_new(), xcalloc((size_t)g->next_value_id + 1, sizeof *c.twin) };
	c.g->ir_version = g->ir_version;
	for (const struct opset *o = g->opsets; o; o = o->next)
		graph_set_opset(c.g, o->domain, o->version);
	for (size_t i = 0; i < in->count; i++)
		graph_add_input(c.g, clone_value(&c, in->items[i]));
	for (const struct node *n = g->first; n; n = n->next)
		if (inside(n))
			clone_node(&c, n);
	for (size_t i = 0; i < out->count; i++)
		graph_add_output(c.g, c.twin[out->items[i]->id], c.twin[out->items[i]->id]->name);
	free(c.twin);
	return c.g;
}

/* ---- the node that stands for it ---- */

static void redirect(struct graph *g, struct value *from, struct value *to)
{
	value_copy_type(g, to, from);
	value_for_each_use (from, u) {
		if (u->user && !inside(u->user))
			node_set_input(u->user, u->index, to);
		else if (!u->user)
			graph_set_output(g, u->index, to);
	}
}

static void replace_inside(struct graph *g, const struct values *in, const struct values *out, const char *file)
{
	struct node *last = NULL;
	graph_for_each_node (g, n)
		if (inside(n))
			last = n;
	struct node *first_outside = last->next;
	struct node *p = node_new(g, first_outside, DOMAIN_FINN, "StreamingDataflowPartition", in->items, in->count,
				  out->count, "partition");
	node_set_string(p, "model", file);
	node_set_int(p, "partition_id", 0);
	node_set_int(p, "slr", -1);
	node_set_string(p, "mem_port", "");
	node_rename(p, "StreamingDataflowPartition_0");
	for (size_t i = 0; i < out->count; i++)
		redirect(g, out->items[i], p->outputs[i]);
}

/* The host's nodes that need what hardware gives go behind all of it. */
static void move_tail_behind(struct graph *g)
{
	struct {
		struct node **items;
		size_t count, capacity;
	} tail = { 0 };
	unsigned char *below = xcalloc((size_t)g->next_node_id + 1, 1);
	graph_for_each_node (g, n) {
		bool hardware = inside(n);
		below[n->id] = hardware;
		for (uint32_t i = 0; i < n->n_inputs; i++) {
			const struct value *v = node_input(n, i);
			if (v && v->producer && below[v->producer->id])
				below[n->id] = 1;
		}
		if (below[n->id] && !hardware)
			vec_push(&tail, n);
	}
	for (size_t i = 0; i < tail.count; i++)
		node_move(tail.items[i], NULL);
	vec_free(&tail);
	free(below);
}

static enum pass_result run(struct pass_ctx *ctx)
{
	struct graph *g = ctx->graph;
	struct values in = { 0 }, out = { 0 };
	const char *file = pass_string(ctx, "file");
	move_tail_behind(g);
	find_border(g, &in, &out);
	if (!out.count) {
		diag_error(ctx->diags, "run to-hw first", "there are no hardware layers to put into a partition");
		return PASS_ERROR;
	}
	struct graph *part = hardware_part(g, &in, &out);
	int result = graph_write(part, file, ctx->diags);
	graph_free(part);
	if (result == 0) {
		replace_inside(g, &in, &out, file);
		ctx->changes += 1 + graph_remove_dead(g);
	}
	vec_free(&in);
	vec_free(&out);
	return result == 0 ? PASS_CHANGED : PASS_ERROR;
}

static const struct pass_option options[] = {
	{ "file", OPTION_STRING, "dataflow_partition.onnx", "where the hardware layers go" }, { 0 }
};

const struct pass pass_partition = {
	.name = "partition",
	.summary = "puts the hardware layers into a file of their own, a StreamingDataflowPartition in their place",
	.help = "As FINN's CreateDataflowPartition: the host's layers stay, and a StreamingDataflowPartition whose attribute model\n"
		"names the file stands for all hardware layers. Example: partition(file=out/dataflow_partition.onnx)",
	.options = options,
	.requires = GRAPH_HARDWARE,
	.ensures = 0,
	.preserves = GRAPH_INFERRED | GRAPH_CLEAN | GRAPH_CONVERTED | GRAPH_STREAMLINED | GRAPH_PRUNED | GRAPH_SHRUNK,
	.run = run,
};

/* Deep copies of graphs: fresh nodes and values, shared tensors. */
#include <stdlib.h>
#include <string.h>

#include "ir/ir.h"

static struct property *copy_properties(struct arena *a, const struct property *from)
{
	struct property *first = NULL, **link = &first;
	for (; from; from = from->next, link = &(*link)->next) {
		*link = arena_new(a, struct property);
		**link = (struct property){ arena_strdup(a, from->key), arena_strdup(a, from->text), NULL };
	}
	return first;
}

static const char *const *copy_names(struct arena *a, const char *const *from, int rank)
{
	if (!from)
		return NULL;
	const char **to = arena_array(a, const char *, rank);
	for (int i = 0; i < rank; i++)
		to[i] = from[i] ? arena_strdup(a, from[i]) : NULL;
	return to;
}

static void copy_extra(struct graph *g, struct value *to, const struct value *from)
{
	struct arena *a = &g->arena;
	const struct value_extra *x = from->extra;
	if (!x)
		return;
	*value_extra(g, to) = (struct value_extra){
		.doc = x->doc ? arena_strdup(a, x->doc) : NULL,
		.metadata = copy_properties(a, x->metadata),
		.annotations = copy_properties(a, x->annotations),
		.type_proto = x->type_proto ? arena_copy(a, x->type_proto, x->type_proto_size) : NULL,
		.type_proto_size = x->type_proto_size,
		.dim_params = copy_names(a, x->dim_params, from->rank),
		.dim_denotations = copy_names(a, x->dim_denotations, from->rank),
		.denotation = x->denotation ? arena_strdup(a, x->denotation) : NULL,
		.tensor_doc = x->tensor_doc ? arena_strdup(a, x->tensor_doc) : NULL,
		.tensor_metadata = copy_properties(a, x->tensor_metadata),
	};
}

static const struct range *copy_range(struct arena *a, const struct range *from)
{
	if (!from)
		return NULL;
	struct range *to = arena_copy(a, from, sizeof *from);
	size_t size = (size_t)from->channels * sizeof *from->channel_lo;
	if (from->channels) {
		to->channel_lo = arena_copy(a, from->channel_lo, size);
		to->channel_hi = arena_copy(a, from->channel_hi, size);
	}
	return to;
}

static struct value *copy_value(struct graph *g, const struct value *from)
{
	struct value *to = value_new_named(g, from->name);
	value_copy_type(g, to, from);
	to->is_pinned = from->is_pinned;
	to->is_declared = from->is_declared;
	to->constant = tensor_ref(from->constant);
	to->range = copy_range(&g->arena, from->range);
	copy_extra(g, to, from);
	return to;
}

static struct node *copy_node(struct graph *g, const struct node *from, struct value *const *map)
{
	struct arena *a = &g->arena;
	size_t n_in = from->n_inputs, n_out = from->n_outputs;
	struct value **values = xcalloc(n_in + n_out + 1, sizeof *values);
	for (size_t i = 0; i < n_in; i++)
		values[i] = from->inputs[i].value ? map[from->inputs[i].value->id] : NULL;
	for (size_t i = 0; i < n_out; i++)
		values[n_in + i] = from->outputs[i] ? map[from->outputs[i]->id] : NULL;
	struct node *to =
		node_new_with(g, NULL, from->domain, from->op_type, values, n_in, values + n_in, n_out, from->name);
	free(values);
	to->op = from->op; /* NULL where a model-local function hides the operator */
	to->overload = *from->overload ? arena_strdup(a, from->overload) : "";
	to->doc = *from->doc ? arena_strdup(a, from->doc) : "";
	to->metadata = copy_properties(a, from->metadata);
	if (from->unknown)
		to->unknown = arena_copy(a, from->unknown, sizeof *from->unknown + from->unknown->size);
	node_copy_attrs(to, from);
	for (uint32_t i = 0; i < from->n_captures; i++)
		node_add_capture(to, map[from->captures[i].value->id]);
	return to;
}

static void copy_model(struct graph *to, const struct graph *from)
{
	struct arena *a = &to->arena;
	to->name = arena_strdup(a, from->name);
	to->doc = arena_strdup(a, from->doc);
	to->file = arena_strdup(a, from->file);
	to->ir_version = from->ir_version;
	to->model_version = from->model_version;
	to->producer_name = arena_strdup(a, from->producer_name);
	to->producer_version = arena_strdup(a, from->producer_version);
	to->model_domain = arena_strdup(a, from->model_domain);
	to->model_doc = arena_strdup(a, from->model_doc);
	for (const struct opset *o = from->opsets; o; o = o->next)
		graph_set_opset(to, o->domain, o->version);
	to->metadata = copy_properties(a, from->metadata);
	to->graph_metadata = copy_properties(a, from->graph_metadata);
	to->training_size = from->training_size;
	to->training_proto = arena_copy(a, from->training_proto, from->training_size);
	to->sparse_size = from->sparse_size;
	to->sparse_proto = arena_copy(a, from->sparse_proto, from->sparse_size);
	to->properties = from->properties;
	to->names_due = from->names_due;
	struct function **link = &to->functions;
	for (const struct function *f = from->functions; f; f = f->next, link = &(*link)->next) {
		*link = arena_new(a, struct function);
		**link = (struct function){ arena_strdup(a, f->domain),
					    arena_strdup(a, f->name),
					    arena_strdup(a, f->overload),
					    arena_copy(a, f->proto, f->size),
					    f->size,
					    NULL };
	}
}

struct graph *graph_copy(const struct graph *from)
{
	struct graph *to = graph_new();
	copy_model(to, from);
	struct value **map = xcalloc(from->next_value_id + 1, sizeof *map);
	for (const struct value *v = from->values; v; v = v->next)
		map[v->id] = copy_value(to, v);
	for (uint32_t i = 0; i < from->n_inputs; i++)
		graph_add_input(to, map[from->inputs[i]->id]);
	for (const struct node *n = from->first; n; n = n->next)
		copy_node(to, n, map);
	for (uint32_t i = 0; i < from->n_outputs; i++)
		graph_add_output(to, map[from->outputs[i].value->id], from->output_names[i]);
	free(map);
	origin_copy(to, from);
	return to;
}

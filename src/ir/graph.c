/* Graphs, values and nodes: creation, edits that keep producer and use lists right, removal. */
#include "ir/ir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/op.h"
#include "util/vec.h"

/* ---- use lists ---- */

static void use_link(struct use *u, struct value *v)
{
	u->value = v;
	u->prev = NULL;
	u->next = v ? v->uses : NULL;
	if (u->next)
		u->next->prev = u;
	if (v)
		v->uses = u;
}

static void use_unlink(struct use *u)
{
	if (!u->value)
		return;
	if (u->prev)
		u->prev->next = u->next;
	else
		u->value->uses = u->next;
	if (u->next)
		u->next->prev = u->prev;
	u->value = NULL;
	u->prev = u->next = NULL;
}

/* After a use array moved in memory: its neighbours point at the new place. */
static void use_moved(struct use *u)
{
	if (!u->value)
		return;
	if (u->prev)
		u->prev->next = u;
	else
		u->value->uses = u;
	if (u->next)
		u->next->prev = u;
}

/* Removes a constant that nobody needs any more. */
static void drop_if_orphan(struct graph *g, struct value *v)
{
	if (v && !v->producer && !v->uses && !v->is_input && !v->is_pinned)
		value_remove(g, v);
}

/* ---- graphs ---- */

struct graph *graph_new(void)
{
	struct graph *g = xcalloc(1, sizeof *g);
	arena_init(&g->arena);
	arena_init(&g->name_arena);
	arena_init(&g->range_arena);
	g->name = "graph";
	g->doc = g->file = g->producer_version = g->model_domain = g->model_doc = "";
	g->producer_name = "";
	g->ir_version = 10;
	return g;
}

static void free_attrs(struct node *n)
{
	for (struct attr *a = n->attrs; a; a = a->next)
		if (a->kind == ATTR_TENSOR)
			tensor_unref(a->t);
}

void graph_free(struct graph *g)
{
	if (!g)
		return;
	graph_for_each_node (g, n)
		free_attrs(n);
	graph_for_each_value (g, v)
		tensor_unref(v->constant);
	map_free(&g->names);
	vec_free(&g->removed_nodes);
	vec_free(&g->removed_values);
	arena_free(&g->range_arena);
	arena_free(&g->name_arena);
	arena_free(&g->arena);
	free(g);
}

int64_t graph_opset(const struct graph *g, const char *domain)
{
	for (struct opset *o = g->opsets; o; o = o->next)
		if (strcmp(o->domain, domain) == 0 || (!*domain && strcmp(o->domain, "ai.onnx") == 0))
			return o->version;
	return 0;
}

void graph_set_opset(struct graph *g, const char *domain, int64_t version)
{
	struct opset **link = &g->opsets;
	for (; *link; link = &(*link)->next)
		if (strcmp((*link)->domain, domain) == 0) {
			(*link)->version = version;
			return;
		}
	*link = arena_new(&g->arena, struct opset);
	**link = (struct opset){ arena_strdup(&g->arena, domain), version, NULL };
}

/* Room for one more element in an arena array that doubles when its count is a power of two. */
static void *grow(struct graph *g, void *items, uint32_t count, size_t size)
{
	if (count & (count - 1))
		return items;
	void *bigger = arena_alloc(&g->arena, (count ? 2 * (size_t)count : 1) * size);
	if (count)
		memcpy(bigger, items, count * size);
	return bigger;
}

void graph_add_input(struct graph *g, struct value *v)
{
	v->is_input = true;
	g->inputs = grow(g, g->inputs, g->n_inputs, sizeof *g->inputs);
	g->inputs[g->n_inputs++] = v;
}

void graph_drop_inputs(struct graph *g)
{
	for (uint32_t i = 0; i < g->n_inputs; i++)
		g->inputs[i]->is_input = false;
	g->n_inputs = 0;
}

void graph_drop_outputs(struct graph *g, uint32_t count)
{
	while (g->n_outputs > count)
		use_unlink(&g->outputs[--g->n_outputs]);
}

void graph_add_output(struct graph *g, struct value *v, const char *name)
{
	uint32_t i = g->n_outputs;
	struct use *old = g->outputs;
	g->outputs = grow(g, g->outputs, i, sizeof *g->outputs);
	g->output_names = grow(g, g->output_names, i, sizeof *g->output_names);
	if (g->outputs != old)
		for (uint32_t k = 0; k < i; k++)
			use_moved(&g->outputs[k]);
	g->outputs[i] = (struct use){ .user = NULL, .index = i };
	use_link(&g->outputs[i], v);
	g->output_names[i] = arena_strdup(&g->arena, name);
	g->n_outputs++;
}

void graph_set_output(struct graph *g, uint32_t i, struct value *v)
{
	use_unlink(&g->outputs[i]);
	use_link(&g->outputs[i], v);
}

struct value *graph_value(const struct graph *g, const char *name)
{
	return map_get(&g->names, name);
}

size_t graph_data_inputs(const struct graph *g, struct value **inputs, size_t max)
{
	size_t count = 0;
	for (uint32_t i = 0; i < g->n_inputs; i++) {
		if (value_is_constant(g->inputs[i]))
			continue;
		if (count < max)
			inputs[count] = g->inputs[i];
		count++;
	}
	return count;
}

/* ---- values ---- */

static struct value *new_value(struct graph *g)
{
	struct value *v = arena_new(&g->arena, struct value);
	v->id = g->next_value_id++;
	v->rank = -1;
	v->prev = g->last_value;
	if (g->last_value)
		g->last_value->next = v;
	else
		g->values = v;
	g->last_value = v;
	return v;
}

/* Gives v that name where it is free. */
static bool take_name(struct graph *g, struct value *v, const char *wanted)
{
	char *name = arena_strdup(&g->name_arena, wanted);
	if (!*wanted || !map_add(&g->names, name, v)) {
		arena_give_back(&g->name_arena, name, strlen(name) + 1);
		return false;
	}
	v->name = name;
	return true;
}

/* The hint itself, or the hint with the smallest number behind it that the value's id makes free. */
static void name_uniquely(struct graph *g, struct value *v, const char *hint)
{
	if (take_name(g, v, hint))
		return;
	size_t length = strlen(hint); /* cut an earlier number off: fc1_12 gives fc1_57, not fc1_12_57 */
	while (length && hint[length - 1] >= '0' && hint[length - 1] <= '9')
		length--;
	if (!length || hint[length - 1] != '_')
		length = strlen(hint) + 1;
	struct strbuf name = { 0 };
	strbuf_add(&name, hint, length - 1);
	strbuf_puts(&name, "_");
	uint32_t i = g->next_value_id;
	do {
		name.length = length;
		strbuf_int(&name, i++);
	} while (!take_name(g, v, name.text));
	strbuf_free(&name);
}

struct value *value_new(struct graph *g, const char *hint)
{
	struct value *v = new_value(g);
	name_uniquely(g, v, hint && *hint ? hint : "v");
	return v;
}

struct value *value_new_named(struct graph *g, const char *name)
{
	if (map_has(&g->names, name))
		return NULL;
	struct value *v = new_value(g);
	v->name = arena_strdup(&g->name_arena, name);
	map_set(&g->names, v->name, v);
	return v;
}

void value_set_type(struct graph *g, struct value *v, enum elem_type elem, int rank, const int64_t *dims)
{
	v->elem = (uint8_t)elem;
	bool same = rank == v->rank && (rank <= 0 || memcmp(dims, v->dims, (size_t)rank * sizeof *dims) == 0);
	if (same)
		return;
	v->rank = (int8_t)rank;
	v->dims = rank > 0 ? arena_copy(&g->arena, dims, (size_t)rank * sizeof *dims) : NULL;
	if (v->extra)
		v->extra->dim_params = v->extra->dim_denotations = NULL;
}

struct value *value_new_constant(struct graph *g, const char *hint, struct tensor *t)
{
	struct value *v = value_new(g, hint);
	v->constant = t;
	value_set_type(g, v, t->elem, t->rank, t->dims);
	return v;
}

static struct graph *graph_of(const struct value *v)
{
	for (struct use *u = v->uses; u; u = u->next)
		if (u->user)
			return u->user->graph;
	return v->producer ? v->producer->graph : NULL;
}

void value_set_constant(struct value *v, struct tensor *t)
{
	tensor_unref(v->constant);
	v->constant = t;
	v->range = NULL;
	struct graph *g = graph_of(v);
	if (g)
		value_set_type(g, v, t->elem, t->rank, t->dims);
}

void value_copy_type(struct graph *g, struct value *to, const struct value *from)
{
	value_set_type(g, to, from->elem, from->rank, from->dims);
	to->datatype = from->datatype;
	to->layout = from->layout;
}

void value_replace_uses(struct value *from, struct value *to)
{
	if (from == to)
		return;
	origin_inherit(from, to);
	while (from->uses) {
		struct use *u = from->uses;
		use_unlink(u);
		use_link(u, to);
	}
}

void value_move_uses(struct value *from, struct value *to, const struct node *except)
{
	value_for_each_use (from, u) {
		if (u->user == except && except)
			continue;
		use_unlink(u);
		use_link(u, to);
	}
}

bool value_rename(struct graph *g, struct value *v, const char *name)
{
	if (strcmp(v->name, name) == 0)
		return true;
	if (map_has(&g->names, name))
		return false;
	map_remove(&g->names, v->name);
	v->name = arena_strdup(&g->name_arena, name);
	map_set(&g->names, v->name, v);
	return true;
}

static bool keeps_name(const struct value *v)
{
	return v->is_input || v->is_pinned;
}

static void rename_nodes(struct graph *g, const struct renaming *how, struct strbuf *name)
{
	graph_for_each_node (g, n) {
		name->length = 0;
		how->node(how->user, n, name);
		n->name = arena_strdup(&g->name_arena, name->length ? name->text : n->name);
	}
}

static void keep_name(struct graph *g, struct value *v)
{
	v->name = arena_strdup(&g->name_arena, v->name);
	map_set(&g->names, v->name, v);
}

static void rename_values(struct graph *g, const struct renaming *how, struct strbuf *name)
{
	graph_for_each_value (g, v)
		if (keeps_name(v))
			keep_name(g, v);
	for (uint32_t i = 0; i < g->n_outputs; i++) { /* an output's value takes the interface's name */
		struct value *v = g->outputs[i].value;
		if (!keeps_name(v))
			take_name(g, v, g->output_names[i]);
	}
	graph_for_each_value (g, v) {
		if (keeps_name(v) || (value_is_output(v) && map_get(&g->names, v->name) == v))
			continue;
		name->length = 0;
		how->value(how->user, v, name);
		name_uniquely(g, v, name->length ? name->text : v->name);
	}
}

void graph_rename(struct graph *g, const struct renaming *how)
{
	struct arena old = g->name_arena;
	struct strbuf name = { 0 };
	arena_init(&g->name_arena);
	map_free(&g->names);
	rename_nodes(g, how, &name);
	rename_values(g, how, &name);
	strbuf_free(&name);
	arena_free(&old);
}

void value_remove(struct graph *g, struct value *v)
{
	tensor_unref(v->constant);
	v->constant = NULL;
	map_remove(&g->names, v->name);
	if (v->prev)
		v->prev->next = v->next;
	else
		g->values = v->next;
	if (v->next)
		v->next->prev = v->prev;
	else
		g->last_value = v->prev;
	vec_push(&g->removed_values, v);
}

struct value_extra *value_extra(struct graph *g, struct value *v)
{
	if (!v->extra)
		v->extra = arena_new(&g->arena, struct value_extra);
	return v->extra;
}

struct use *value_only_use(const struct value *v)
{
	return v->uses && !v->uses->next ? v->uses : NULL;
}

bool value_is_output(const struct value *v)
{
	for (const struct use *u = v->uses; u; u = u->next)
		if (!u->user)
			return true;
	return false;
}

bool value_shape_known(const struct value *v)
{
	for (int i = 0; i < v->rank; i++)
		if (v->dims[i] < 0)
			return false;
	return v->rank >= 0;
}

int value_channel_axis(const struct value *v)
{
	if (v->layout == LAYOUT_NHWC || v->layout == LAYOUT_NWC)
		return v->rank - 1;
	return v->rank >= 2 ? 1 : v->rank - 1;
}

bool value_scalar(const struct value *v, double *out)
{
	if (!value_is_constant(v) || v->constant->count != 1 || v->constant->elem == ELEM_STRING)
		return false;
	*out = tensor_at(v->constant, 0);
	return true;
}

/* ---- nodes ---- */

static void node_link(struct node *n, struct node *before)
{
	struct graph *g = n->graph;
	n->next = before;
	n->prev = before ? before->prev : g->last;
	if (n->prev)
		n->prev->next = n;
	else
		g->first = n;
	if (before)
		before->prev = n;
	else
		g->last = n;
	g->n_nodes++;
}

static void node_unlink(struct node *n)
{
	struct graph *g = n->graph;
	if (n->prev)
		n->prev->next = n->next;
	else
		g->first = n->next;
	if (n->next)
		n->next->prev = n->prev;
	else
		g->last = n->prev;
	g->n_nodes--;
}

/* The operator's own spelling where it is known, so that few strings are kept. */
static void set_op(struct node *n, const char *domain, const char *op_type)
{
	struct arena *a = &n->graph->arena;
	n->op = op_find(domain, op_type);
	bool same_name = n->op && strcmp(n->op->name, op_type) == 0;
	bool same_domain = n->op && strcmp(n->op->domain, domain) == 0;
	n->op_type = same_name ? n->op->name : arena_strdup(a, op_type);
	n->domain = same_domain ? n->op->domain : arena_strdup(a, domain);
}

struct node *node_new_with(struct graph *g, struct node *before, const char *domain, const char *op_type,
			   struct value *const *inputs, size_t n_inputs, struct value *const *outputs, size_t n_outputs,
			   const char *hint)
{
	struct node *n = arena_new(&g->arena, struct node);
	n->graph = g;
	n->id = g->next_node_id++;
	n->name = hint && *hint ? arena_strdup(&g->name_arena, hint) : "";
	n->overload = n->doc = "";
	set_op(n, domain, op_type);
	n->inputs = arena_array(&g->arena, struct use, n_inputs);
	n->n_inputs = (uint32_t)n_inputs;
	for (size_t i = 0; i < n_inputs; i++) {
		n->inputs[i] = (struct use){ .user = n, .index = (uint32_t)i };
		use_link(&n->inputs[i], inputs[i]);
	}
	n->outputs = arena_copy(&g->arena, outputs, n_outputs * sizeof *outputs);
	n->n_outputs = (uint32_t)n_outputs;
	for (size_t i = 0; i < n_outputs; i++)
		if (outputs[i])
			outputs[i]->producer = n;
	node_link(n, before);
	return n;
}

struct node *node_new(struct graph *g, struct node *before, const char *domain, const char *op_type,
		      struct value *const *inputs, size_t n_inputs, size_t n_outputs, const char *hint)
{
	struct value *few[4] = { NULL }, **outputs = n_outputs > 4 ? xcalloc(n_outputs, sizeof *outputs) : few;
	for (size_t i = 0; i < n_outputs; i++)
		outputs[i] = value_new(g, hint ? hint : op_type);
	struct node *n = node_new_with(g, before, domain, op_type, inputs, n_inputs, outputs, n_outputs,
				       n_outputs ? outputs[0]->name : hint);
	if (outputs != few)
		free(outputs);
	return n;
}

/* Takes the value out of a slot, and the value away where that was a constant's last use. */
static void clear_slot(struct graph *g, struct use *u)
{
	struct value *v = u->value;
	use_unlink(u);
	drop_if_orphan(g, v);
}

void node_remove(struct node *n)
{
	for (uint32_t i = 0; i < n->n_inputs; i++)
		clear_slot(n->graph, &n->inputs[i]);
	for (uint32_t i = 0; i < n->n_captures; i++)
		clear_slot(n->graph, &n->captures[i]);
	for (uint32_t i = 0; i < n->n_outputs; i++)
		if (n->outputs[i])
			value_remove(n->graph, n->outputs[i]);
	free_attrs(n);
	node_unlink(n);
	vec_push(&n->graph->removed_nodes, n);
}

static void give_back_name(struct graph *g, const char *name)
{
	if (name && *name)
		arena_give_back(&g->name_arena, (char *)(uintptr_t)name, strlen(name) + 1);
}

static void give_back_value(struct graph *g, struct value *v)
{
	give_back_name(g, v->name);
	arena_give_back(&g->arena, v, sizeof *v);
}

/* The memory of a removed node. Strings other than its name stay: nodes may share theirs. */
static void give_back_node(struct graph *g, struct node *n)
{
	struct arena *a = &g->arena;
	give_back_name(g, n->name);
	for (struct attr *attr = n->attrs, *next; attr; attr = next) {
		next = attr->next;
		arena_give_back(a, attr, sizeof *attr);
	}
	arena_give_back(a, n->inputs, n->n_inputs * sizeof *n->inputs);
	arena_give_back(a, n->captures, n->n_captures * sizeof *n->captures);
	arena_give_back(a, n->outputs, n->n_outputs * sizeof(struct value *));
	arena_give_back(a, n, sizeof *n);
}

void graph_reclaim(struct graph *g)
{
	for (size_t i = 0; i < g->removed_nodes.count; i++)
		give_back_node(g, g->removed_nodes.items[i]);
	for (size_t i = 0; i < g->removed_values.count; i++)
		give_back_value(g, g->removed_values.items[i]);
	g->removed_nodes.count = g->removed_values.count = 0;
}

void node_set_input(struct node *n, size_t i, struct value *v)
{
	struct value *old = n->inputs[i].value;
	if (old == v)
		return;
	use_unlink(&n->inputs[i]);
	use_link(&n->inputs[i], v);
	drop_if_orphan(n->graph, old);
}

/* The uses with one more at the end, in a new array. */
static struct use *append_use(struct node *n, struct use *uses, uint32_t count, struct value *v)
{
	struct use *longer = arena_array(&n->graph->arena, struct use, count + 1);
	for (uint32_t i = 0; i < count; i++) {
		longer[i] = uses[i];
		use_moved(&longer[i]);
	}
	longer[count] = (struct use){ .user = n, .index = count };
	use_link(&longer[count], v);
	return longer;
}

void node_append_input(struct node *n, struct value *v)
{
	n->inputs = append_use(n, n->inputs, n->n_inputs, v);
	n->n_inputs++;
}

void node_add_capture(struct node *n, struct value *v)
{
	n->captures = append_use(n, n->captures, n->n_captures, v);
	n->n_captures++;
	v->is_pinned = true;
}

void node_truncate_inputs(struct node *n, size_t count)
{
	while (n->n_inputs > count)
		clear_slot(n->graph, &n->inputs[--n->n_inputs]);
}

void node_move(struct node *n, struct node *before)
{
	if (n == before || n->next == before)
		return;
	node_unlink(n);
	node_link(n, before);
}

void node_rename(struct node *n, const char *name)
{
	n->name = arena_strdup(&n->graph->name_arena, name);
}

void node_set_op(struct node *n, const char *domain, const char *op_type)
{
	set_op(n, domain, op_type);
}

const char *node_label(const struct node *n)
{
	if (n->name && *n->name)
		return n->name;
	for (uint32_t i = 0; i < n->n_outputs; i++)
		if (n->outputs[i])
			return n->outputs[i]->name;
	return "";
}

/* ---- dead code ---- */

bool node_is_unused(const struct node *n)
{
	for (uint32_t i = 0; i < n->n_outputs; i++)
		if (n->outputs[i] && (n->outputs[i]->uses || n->outputs[i]->is_pinned))
			return false;
	return true;
}

size_t graph_remove_dead(struct graph *g)
{
	size_t removed = 0;
	for (struct node *n = g->last, *prev; n; n = prev) {
		prev = n->prev;
		if (node_is_unused(n)) {
			node_remove(n);
			removed++;
		}
	}
	graph_for_each_value (g, v)
		if (v->constant)
			drop_if_orphan(g, v);
	return removed;
}

/* ---- properties and layouts ---- */

struct property *property_add(struct graph *g, struct property **list, const char *key, const char *text)
{
	while (*list)
		list = &(*list)->next;
	*list = arena_new(&g->arena, struct property);
	**list = (struct property){ arena_strdup(&g->arena, key), arena_strdup(&g->arena, text), NULL };
	return *list;
}

const char *property_get(const struct property *list, const char *key)
{
	for (; list; list = list->next)
		if (strcmp(list->key, key) == 0)
			return list->text;
	return NULL;
}

static const char *const layout_names[LAYOUT_COUNT] = { "", "NCHW", "NHWC", "NCW", "NWC", "NC" };

const char *layout_name(enum layout l)
{
	return layout_names[l];
}

enum layout layout_parse(const char *text)
{
	for (int l = 1; l < LAYOUT_COUNT; l++)
		if (strcmp(text, layout_names[l]) == 0)
			return (enum layout)l;
	return LAYOUT_UNKNOWN;
}

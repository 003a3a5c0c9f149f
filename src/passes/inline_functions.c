/* inline-functions: calls of model-local functions become the functions' nodes. For each call the packed function is
 * read again, at a cost proportional to its nodes, and its nodes are inserted before the call; calls among those
 * nodes are replaced next.
 *
 * Attributes of the body that refer to the call's take its value, else the function's default; where there is neither, they are removed. */
#include <stdlib.h>
#include <string.h>

#include "ir/onnx.h"
#include "passes/edit.h"
#include "passes/pass.h"
#include "util/limits.h"

/* What inlining may make, in proportion to the model: functions that call others several times double with each level. */
enum {
	DEPTH_LIMIT = 64,
	NODES_AT_LEAST = 1 << 14,
	NODES_PER_NODE = 64,
	BYTES_AT_LEAST = 64 << 20,
	BYTES_PER_BYTE = 64
};

struct inliner {
	struct diags *diags;
	size_t *changes;
	struct graph *graph;
	struct map functions; /* key() -> struct function */
	int64_t nodes_left, bytes_left;
};

static const char *key(struct graph *g, const char *domain, const char *name, const char *overload)
{
	if (strcmp(domain, "ai.onnx") == 0)
		domain = "";
	return arena_printf(&g->arena, "%s\1%s\1%s", domain, name, overload ? overload : "");
}

static const struct function *called(struct inliner *in, const struct node *n)
{
	return map_get(&in->functions, key(in->graph, n->domain, n->op_type, n->overload));
}

/* ---- attributes ---- */

static void put(struct wire_buffer *b, uint32_t field, const void *bytes, size_t size)
{
	uint8_t *tag = wire_buffer_grow(b, wire_put_tag(NULL, field, WIRE_BYTES, size));
	wire_put_tag(tag, field, WIRE_BYTES, size);
	if (size)
		memcpy(wire_buffer_grow(b, size), bytes, size);
}

/* The function's defaults as attributes of a node, in a function made for it: so the reader reads them as it reads all
 * attributes, without following the messages in them. */
static void pack_defaults(struct span function, struct wire_buffer *holder)
{
	struct wire_buffer node = { 0 };
	struct wire_field f;
	while (wire_next(&function, &f))
		if (f.number == FUNCTION_DEFAULTS && f.type == WIRE_BYTES)
			put(&node, NODE_ATTRIBUTE, f.bytes.at, span_size(f.bytes));
	if (node.size) {
		put(&node, NODE_OP_TYPE, "Defaults", 8);
		put(holder, FUNCTION_NODE, node.bytes, node.size);
	}
	wire_buffer_free(&node);
}

/* Gives the call the function's defaults for attributes that it leaves out. */
static int add_defaults(struct inliner *in, struct node *call, struct span function)
{
	struct wire_buffer holder = { 0 };
	pack_defaults(function, &holder);
	if (!holder.size)
		return 0;
	struct function f = { .domain = "", .name = "defaults", .overload = "", .proto = holder.bytes };
	f.size = holder.size;
	struct graph *g = function_read(&f, in->diags);
	if (g) {
		for (const struct attr *a = call->attrs; a; a = a->next)
			node_remove_attr(g->first, a->name);
		node_copy_attrs(call, g->first);
		graph_free(g);
	}
	wire_buffer_free(&holder);
	return g ? 0 : -1;
}

/* Replaces attributes that refer to the call's by their values; those without one go. */
static void resolve_attributes(struct node *n, const struct node *call)
{
	for (struct attr *a = n->attrs, *next; a; a = next) {
		next = a->next;
		if (!attr_ref(a) || !*attr_ref(a))
			continue;
		const struct attr *value = node_attr(call, attr_ref(a));
		if (!value) {
			node_remove_attr(n, a->name);
			continue;
		}
		const char *name = a->name;
		*a = *value;
		a->name = name;
		a->next = next;
		if (a->kind == ATTR_TENSOR)
			a->t = tensor_ref(a->t);
	}
}

/* ---- splicing ---- */

/* The value of the graph that stands for v of the body, made where it is new. to: by id of the body's values. */
static struct value *stand_in(struct inliner *in, const struct node *call, const struct value *v, struct value **to)
{
	struct graph *g = in->graph;
	if (!v || to[v->id] || v->is_input)
		return v ? to[v->id] : NULL;
	const char *hint = arena_printf(&g->arena, "%s/%s", node_label(call), v->name);
	if (value_is_constant(v)) {
		to[v->id] = value_new_constant(g, hint, tensor_ref(v->constant));
	} else {
		to[v->id] = value_new(g, hint);
		value_copy_type(g, to[v->id], v);
	}
	return to[v->id];
}

static int splice_node(struct inliner *in, struct node *call, const struct node *n, struct value **to)
{
	struct graph *g = in->graph;
	for (const struct attr *a = n->attrs; a; a = a->next)
		if (a->kind == ATTR_GRAPH || a->kind == ATTR_GRAPHS)
			return diag_node_error(in->diags, call, "inline it with onnx.inliner",
					       "the function's node '%s' holds a subgraph", node_label(n));
	struct value **inputs = xcalloc(n->n_inputs + n->n_outputs + 1u, sizeof *inputs);
	struct value **outputs = inputs + n->n_inputs;
	for (uint32_t i = 0; i < n->n_inputs; i++)
		inputs[i] = stand_in(in, call, node_input(n, i), to);
	for (uint32_t i = 0; i < n->n_outputs; i++)
		outputs[i] = stand_in(in, call, node_output(n, i), to);
	const char *name = arena_printf(&g->arena, "%s/%s", node_label(call), node_label(n));
	struct node *made =
		node_new_with(g, call, arena_strdup(&g->arena, n->domain), arena_strdup(&g->arena, n->op_type), inputs,
			      n->n_inputs, outputs, n->n_outputs, name);
	made->overload = arena_strdup(&g->arena, n->overload);
	node_copy_attrs(made, n);
	resolve_attributes(made, call);
	free(inputs);
	return 0;
}

/* The call's outputs become the body's; new values take their names where the body made them. */
static int connect_outputs(struct inliner *in, struct node *call, const struct graph *body, struct value **to)
{
	struct graph *g = in->graph;
	size_t n = call->n_outputs;
	struct value **made = xcalloc(n + 1, sizeof *made);
	const char **names = xcalloc(n + 1, sizeof *names);
	bool *pinned = xcalloc(n + 1, sizeof *pinned);
	int result = 0;
	for (size_t i = 0; i < n && result == 0; i++) {
		struct value *old = node_output(call, i);
		if (!old)
			continue;
		made[i] = i < body->n_outputs ? stand_in(in, call, body->outputs[i].value, to) : NULL;
		names[i] = old->name;
		pinned[i] = old->is_pinned;
		if (!made[i]) {
			result = diag_node_error(in->diags, call, NULL, "the function gives no output %zu", i);
			break;
		}
		if (made[i]->elem == ELEM_UNDEFINED && made[i]->producer)
			value_copy_type(g, made[i], old);
		value_replace_uses(old, made[i]);
	}
	if (result == 0)
		node_remove(call);
	for (size_t i = 0; i < n && result == 0; i++)
		if (made[i] && made[i]->producer && value_rename(g, made[i], names[i]))
			made[i]->is_pinned = made[i]->is_pinned || pinned[i];
	free(made);
	free(names);
	free(pinned);
	return result;
}

static int splice_body(struct inliner *in, struct node *call, const struct graph *body)
{
	if (call->n_inputs > body->n_inputs)
		return diag_node_error(in->diags, call, NULL, "has %u inputs, its function takes %u", call->n_inputs,
				       body->n_inputs);
	struct value **to = xcalloc(body->next_value_id + 1u, sizeof *to);
	for (uint32_t i = 0; i < call->n_inputs; i++)
		to[body->inputs[i]->id] = node_input(call, i);
	int result = 0;
	for (const struct node *n = body->first; n && result == 0; n = n->next)
		result = splice_node(in, call, n, to);
	if (result == 0)
		result = connect_outputs(in, call, body, to);
	free(to);
	return result;
}

static void join_opset(struct inliner *in, const struct node *call, const char *domain, int64_t wanted)
{
	struct graph *g = in->graph;
	int64_t has = graph_opset(g, domain);
	if (!has)
		graph_set_opset(g, domain, wanted);
	else if (has != wanted)
		diag_note(in->diags, DIAG_WARNING, call, "convert the model to one version",
			  "its function uses version %lld of domain '%s', the model %lld", (long long)wanted, domain,
			  (long long)has);
}

/* The function's operator sets count as the model's where the model names none for that domain. */
static void join_opsets(struct inliner *in, const struct node *call, struct span function)
{
	struct wire_field f;
	while (wire_next(&function, &f)) {
		if (f.number != FUNCTION_OPSET || f.type != WIRE_BYTES)
			continue;
		struct span domain = wire_bytes(f.bytes, 1);
		char *name =
			arena_strndup(&in->graph->arena, domain.at ? (const char *)domain.at : "", span_size(domain));
		join_opset(in, call, name, (int64_t)wire_int(f.bytes, 2, 0));
	}
}

/* Takes what a call of f costs: its nodes, and its bytes and names, which each call has of its own. */
static int spend(struct inliner *in, const struct node *call, const struct function *f, uint32_t nodes)
{
	in->nodes_left -= (int64_t)nodes + 1;
	in->bytes_left -= (int64_t)f->size + (int64_t)strlen(node_label(call)) * 3 * (nodes + 1);
	if (in->nodes_left < 0 || in->bytes_left < 0)
		return diag_node_error(in->diags, call, "simplify the model's functions before",
				       "its functions call others so often that inlining them gives too many nodes");
	return limits_check(in->diags);
}

static int inline_call(struct inliner *in, struct node *call, const struct function *f)
{
	struct span function = span_of(f->proto, f->size);
	struct graph *body = NULL;
	join_opsets(in, call, function);
	int result = add_defaults(in, call, function);
	if (result == 0)
		body = function_read(f, in->diags);
	result = body && spend(in, call, f, body->n_nodes) == 0 ? splice_body(in, call, body) : -1;
	if (body)
		graph_free(body);
	*in->changes += result == 0;
	return result;
}

/* Inlines the calls from `n` up to (not including) `until`, and those that come with them. */
static int inline_range(struct inliner *in, struct node *n, const struct node *until, int depth)
{
	while (n && n != until) {
		const struct function *f = called(in, n);
		struct node *before = n->prev, *next = n->next;
		if (f && depth >= DEPTH_LIMIT)
			return diag_node_error(in->diags, n, "check the model's functions",
					       "function %s calls itself, or calls nest too deep", f->name);
		if (f) {
			if (inline_call(in, n, f) != 0)
				return -1;
			struct node *first = before ? before->next : in->graph->first;
			if (inline_range(in, first, next, depth + 1) != 0)
				return -1;
		}
		n = next;
	}
	return 0;
}

static bool has_subgraphs(const struct graph *g)
{
	for (const struct node *n = g->first; n; n = n->next)
		for (const struct attr *a = n->attrs; a; a = a->next)
			if (a->kind == ATTR_GRAPH || a->kind == ATTR_GRAPHS)
				return true;
	return false;
}

int inline_functions(struct graph *g, size_t *changes, struct diags *d)
{
	struct inliner in = { .diags = d, .changes = changes, .graph = g };
	in.nodes_left = NODES_AT_LEAST + NODES_PER_NODE * (int64_t)g->n_nodes;
	in.bytes_left = BYTES_AT_LEAST;
	for (const struct function *f = g->functions; f; f = f->next) {
		map_set(&in.functions, key(g, f->domain, f->name, f->overload), (void *)(uintptr_t)f);
		in.bytes_left += BYTES_PER_BYTE * (int64_t)f->size;
	}
	int result = g->functions ? inline_range(&in, g->first, NULL, 0) : 0;
	map_free(&in.functions);
	if (result == 0 && g->functions && !has_subgraphs(g)) { /* a subgraph may call functions too */
		g->functions = NULL;
		++*changes;
	}
	return result;
}

static enum pass_result run(struct pass_ctx *ctx)
{
	return inline_functions(ctx->graph, &ctx->changes, ctx->diags) == 0 ? pass_result(ctx) : PASS_ERROR;
}

const struct pass pass_inline_functions = {
	.name = "inline-functions",
	.summary = "replaces calls of model-local functions by what they consist of",
	.help = "Exporters write parts of a network as functions of the model; no other pass looks into them. Each call\n"
		"becomes the function's nodes, named CALL/NODE; attributes take the call's values or the function's\n"
		"defaults. Functions that hold subgraphs (If, Loop, Scan) are refused. Functions go once none is called.",
	.run = run,
};

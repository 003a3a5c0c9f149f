/* Reading nodes: inputs and outputs by name, attributes, and the names that subgraphs take from outside. */
#include <stdlib.h>
#include <string.h>

#include "ir/onnx.h"
#include "util/strbuf.h"
#include "util/vec.h"

#define MESSAGE_FIELDS                                                                              \
	(WIRE_SET(ATTR_FIELD_T) | WIRE_SET(ATTR_FIELD_G) | WIRE_SET(ATTR_FIELD_TENSORS) |           \
	 WIRE_SET(ATTR_FIELD_GRAPHS) | WIRE_SET(ATTR_FIELD_TP) | WIRE_SET(ATTR_FIELD_TYPE_PROTOS) | \
	 WIRE_SET(ATTR_FIELD_SPARSE) | WIRE_SET(ATTR_FIELD_SPARSES))
#define NODE_READ_FIELDS (WIRE_SET(10) - 2) /* 1 to 9 */

enum { MAX_SUBGRAPH_DEPTH = 40 };

/* ---- names that subgraphs capture ---- */

/* The names one (sub)graph defines, and those around it. */
struct scope {
	struct map names;
	const struct scope *outer;
	int depth;
};

struct capture {
	struct onnx_reader *reader;
	struct node *node;
	struct arena arena; /* keys of the maps */
	struct map captured;
};

static int scan_subgraph(struct capture *c, struct span graph, const struct scope *outer);

static void define(struct capture *c, struct scope *s, struct span name)
{
	if (name.at && span_size(name))
		map_set(&s->names, arena_strndup(&c->arena, (const char *)name.at, span_size(name)), s);
}

static void define_all(struct capture *c, struct scope *s, struct span graph)
{
	struct wire_field f, of_node;
	while (wire_next(&graph, &f)) {
		if (f.type != WIRE_BYTES)
			continue;
		if (f.number == GRAPH_INPUT)
			define(c, s, wire_bytes(f.bytes, 1));
		else if (f.number == GRAPH_INITIALIZER)
			define(c, s, wire_bytes(f.bytes, TENSOR_NAME));
		else if (f.number == GRAPH_SPARSE)
			define(c, s, wire_bytes(wire_bytes(f.bytes, 1), TENSOR_NAME));
		else if (f.number == GRAPH_NODE)
			for (struct span node = f.bytes; wire_next(&node, &of_node);)
				if (of_node.number == NODE_OUTPUT && of_node.type == WIRE_BYTES)
					define(c, s, of_node.bytes);
	}
}

/* A name used in scope s: where nothing in there defines it, it comes from the main graph. */
static void use_name(struct capture *c, const struct scope *s, struct span bytes)
{
	if (!bytes.at || !span_size(bytes))
		return;
	const char *name = arena_strndup(&c->arena, (const char *)bytes.at, span_size(bytes));
	for (; s; s = s->outer)
		if (map_has(&s->names, name))
			return;
	if (map_has(&c->captured, name))
		return;
	map_set(&c->captured, name, c);
	node_add_capture(c->node, onnx_value(c->reader, name));
}

static int scan_attribute(struct capture *c, struct span attr, const struct scope *s)
{
	struct wire_field f;
	while (wire_next(&attr, &f))
		if ((f.number == ATTR_FIELD_G || f.number == ATTR_FIELD_GRAPHS) && f.type == WIRE_BYTES &&
		    scan_subgraph(c, f.bytes, s) < 0)
			return -1;
	return wire_failed(attr) ? onnx_damaged(c->reader, "a subgraph") : 0;
}

static int scan_node(struct capture *c, struct span node, const struct scope *s)
{
	struct wire_field f;
	while (wire_next(&node, &f)) {
		if (f.type != WIRE_BYTES)
			continue;
		if (f.number == NODE_INPUT)
			use_name(c, s, f.bytes);
		else if (f.number == NODE_ATTRIBUTE && scan_attribute(c, f.bytes, s) < 0)
			return -1;
	}
	return wire_failed(node) ? onnx_damaged(c->reader, "a subgraph") : 0;
}

static int scan_subgraph(struct capture *c, struct span graph, const struct scope *outer)
{
	struct scope s = { .outer = outer, .depth = outer ? outer->depth + 1 : 0 };
	struct wire_field f;
	int result = 0;
	if (s.depth > MAX_SUBGRAPH_DEPTH)
		return diag_node_error(c->reader->diags, c->node, NULL, "subgraphs are nested too deeply");
	define_all(c, &s, graph);
	while (result == 0 && wire_next(&graph, &f)) {
		if (f.type == WIRE_BYTES && f.number == GRAPH_NODE)
			result = scan_node(c, f.bytes, &s);
		else if (f.type == WIRE_BYTES && f.number == GRAPH_OUTPUT)
			use_name(c, &s, wire_bytes(f.bytes, 1));
	}
	map_free(&s.names);
	return result == 0 && wire_failed(graph) ? onnx_damaged(c->reader, "a subgraph") : result;
}

static int read_captures(struct onnx_reader *r, struct node *n, struct span attr)
{
	struct capture c = { .reader = r, .node = n };
	arena_init(&c.arena);
	int result = scan_attribute(&c, attr, NULL);
	map_free(&c.captured);
	arena_free(&c.arena);
	return result;
}

/* ---- attributes ---- */

/* Models of the first IR version do not say an attribute's kind. */
static int kind_of(const Onnx__AttributeProto *p, struct span in)
{
	if (p->type)
		return (int)p->type;
	if (p->has_f || p->has_i || p->has_s)
		return p->has_f ? ATTR_FLOAT : p->has_i ? ATTR_INT : ATTR_STRING;
	if (wire_bytes(in, ATTR_FIELD_T).at || wire_bytes(in, ATTR_FIELD_G).at)
		return wire_bytes(in, ATTR_FIELD_T).at ? ATTR_TENSOR : ATTR_GRAPH;
	return p->n_floats ? ATTR_FLOATS : p->n_strings ? ATTR_STRINGS : ATTR_INTS;
}

static int read_string(struct onnx_reader *r, struct attr *a, const ProtobufCBinaryData *s)
{
	enum { SHARED = 32 }; /* "ROUND", "NHWC", ... */
	char text[SHARED] = { 0 };
	bool is_short = s->len < SHARED;
	if (is_short && s->len)
		memcpy(text, s->data, s->len);
	a->count = (uint32_t)s->len;
	if (is_short && strlen(text) == s->len)
		a->s = onnx_intern(r, text);
	else
		a->s = arena_strndup(&r->graph->arena, (const char *)s->data, s->len);
	return 0;
}

static int read_strings(struct onnx_reader *r, struct attr *a, const Onnx__AttributeProto *p)
{
	const char **strings = arena_array(&r->graph->arena, const char *, p->n_strings);
	for (size_t i = 0; i < p->n_strings; i++) {
		const ProtobufCBinaryData *s = &p->strings[i];
		strings[i] = arena_strndup(&r->graph->arena, s->data ? (const char *)s->data : "", s->len);
		if (strlen(strings[i]) != s->len)
			return diag_node_error(r->diags, r->node, NULL,
					       "attribute '%s' has a string with a zero byte, which qcc cannot hold",
					       a->name);
	}
	a->count = (uint32_t)p->n_strings;
	a->strings = strings;
	return 0;
}

static int read_tensor(struct onnx_reader *r, struct attr *a, struct span in)
{
	struct span tensor = wire_bytes(in, ATTR_FIELD_T);
	if (!tensor.at && attr_ref(a))
		tensor = span_of("\x10\x01\x22\x04\0\0\0\0", 8); /* stands for the call's: a float 0 */
	if (!tensor.at)
		return diag_node_error(r->diags, r->node, NULL, "attribute '%s' has no tensor", a->name);
	Onnx__TensorProto *rest;
	a->count = 1;
	a->t = onnx_read_tensor(r, tensor, &rest);
	if (rest && rest->name && *rest->name)
		attr_extra(&r->graph->arena, a)->tensor_name = onnx_text(r, rest->name);
	if (rest)
		onnx__tensor_proto__free_unpacked(rest, NULL);
	return a->t ? 0 : -1;
}

/* What stays packed is copied whole, the name included. */
static int read_raw(struct onnx_reader *r, struct attr *a, struct node *n, struct span in)
{
	a->count = (uint32_t)span_size(in);
	a->raw = arena_copy(&r->graph->arena, in.at, span_size(in));
	return a->kind == ATTR_GRAPH || a->kind == ATTR_GRAPHS ? read_captures(r, n, in) : 0;
}

static int read_content(struct onnx_reader *r, struct attr *a, struct node *n, const Onnx__AttributeProto *p,
			struct span in)
{
	struct arena *arena = &r->graph->arena;
	switch (a->kind) {
	case ATTR_FLOAT:
		a->count = 1;
		a->f = p->f;
		return 0;
	case ATTR_INT:
		a->count = 1;
		a->i = p->i;
		return 0;
	case ATTR_STRING: return read_string(r, a, &p->s);
	case ATTR_FLOATS:
		a->count = (uint32_t)p->n_floats;
		a->floats = arena_copy(arena, p->floats, p->n_floats * sizeof *p->floats);
		return 0;
	case ATTR_INTS:
		a->count = (uint32_t)p->n_ints;
		a->ints = arena_copy(arena, p->ints, p->n_ints * sizeof *p->ints);
		return 0;
	case ATTR_STRINGS: return read_strings(r, a, p);
	case ATTR_TENSOR: return read_tensor(r, a, in);
	default: return read_raw(r, a, n, in);
	}
}

static int read_attr(struct onnx_reader *r, struct node *n, struct span in, struct attr ***tail)
{
	Onnx__AttributeProto *p =
		onnx_unpack(r, &onnx__attribute_proto__descriptor, in, MESSAGE_FIELDS, "an attribute");
	if (!p)
		return -1;
	struct attr *a = arena_new(&r->graph->arena, struct attr);
	a->name = onnx_intern(r, p->name);
	a->kind = (enum attr_kind)kind_of(p, in);
	if (p->ref_attr_name)
		attr_extra(&r->graph->arena, a)->ref_attr_name = onnx_text(r, p->ref_attr_name);
	if (p->doc_string && *p->doc_string)
		attr_extra(&r->graph->arena, a)->doc = onnx_text(r, p->doc_string);
	r->attr = a->name;
	int result = read_content(r, a, n, p, in);
	if (result == 0 && n->op && !attr_fits(a))
		result = diag_node_error(r->diags, n, NULL, "attribute '%s' holds %s", a->name, ATTR_LIMITS);
	if (result == 0) {
		**tail = a;
		*tail = &a->next;
	}
	onnx__attribute_proto__free_unpacked(p, NULL);
	return result;
}

static int read_attrs(struct onnx_reader *r, struct node *n, struct span in)
{
	struct wire_field f;
	struct attr **tail = &n->attrs;
	int result = 0;
	r->node = n;
	while (result == 0 && wire_next(&in, &f))
		if (f.number == NODE_ATTRIBUTE && f.type == WIRE_BYTES)
			result = read_attr(r, n, f.bytes, &tail);
	r->node = NULL;
	return result;
}

/* ---- nodes ---- */

static void collect_inputs(struct onnx_reader *r, const Onnx__NodeProto *p)
{
	r->inputs.count = 0;
	for (size_t i = 0; i < p->n_input; i++)
		vec_push(&r->inputs, *p->input[i] ? onnx_value(r, p->input[i]) : NULL);
}

static int collect_outputs(struct onnx_reader *r, const Onnx__NodeProto *p)
{
	r->outputs.count = 0;
	for (size_t i = 0; i < p->n_output; i++) {
		struct value *v = *p->output[i] ? onnx_value(r, p->output[i]) : NULL;
		vec_push(&r->outputs, v);
		if (!v)
			continue;
		if (v->producer || v->constant || v->is_input || map_has(&r->sparse, v->name)) {
			struct strbuf again = { 0 };
			const char *label = p->name && *p->name ? p->name : p->output[0];
			strbuf_printf(&again, "node '%s' (%s)", label, p->op_type ? p->op_type : "");
			onnx_defined_twice(r, v, again.text);
			strbuf_free(&again);
			return -1;
		}
		v->producer = &r->pending;
	}
	return 0;
}

/* A model-local function hides an operator of the same name. */
static bool is_function(struct onnx_reader *r, const struct node *n)
{
	if (!r->functions.live)
		return false;
	struct strbuf key = { 0 };
	strbuf_printf(&key, "%s\1%s", n->domain, n->op_type);
	bool found = map_has(&r->functions, key.text);
	strbuf_free(&key);
	return found;
}

static int fill_node(struct onnx_reader *r, struct node *n, const Onnx__NodeProto *p, struct span in)
{
	n->overload = onnx_text(r, p->overload);
	n->doc = onnx_text(r, p->doc_string);
	if (is_function(r, n))
		n->op = NULL;
	if (p->n_metadata_props)
		onnx_properties(r, &n->metadata, p->metadata_props, p->n_metadata_props);
	r->rest.size = 0;
	wire_gather(&r->rest, in, ~NODE_READ_FIELDS);
	if (r->rest.size) {
		struct unread_fields *unknown = arena_alloc(&r->graph->arena, sizeof *unknown + r->rest.size);
		unknown->size = r->rest.size;
		memcpy(unknown->bytes, r->rest.bytes, r->rest.size);
		n->unknown = unknown;
	}
	return read_attrs(r, n, in);
}

int onnx_read_node(struct onnx_reader *r, struct span in)
{
	Onnx__NodeProto *p = onnx_unpack(r, &onnx__node_proto__descriptor, in,
					 WIRE_SET(NODE_ATTRIBUTE) | ~NODE_READ_FIELDS, "a node");
	if (!p)
		return -1;
	collect_inputs(r, p);
	int result = collect_outputs(r, p);
	if (result == 0) {
		struct node *n =
			node_new_with(r->graph, NULL, p->domain ? p->domain : "", p->op_type ? p->op_type : "",
				      r->inputs.items, r->inputs.count, r->outputs.items, r->outputs.count, p->name);
		result = fill_node(r, n, p, in);
	}
	onnx__node_proto__free_unpacked(p, NULL);
	return result;
}

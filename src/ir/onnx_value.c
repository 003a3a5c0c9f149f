/* Reading what ONNX says about values: inputs, outputs, value_info, initializers, annotations. */
#include <stdlib.h>
#include <string.h>

#include "ir/onnx.h"

struct value *onnx_value(struct onnx_reader *r, const char *name)
{
	struct value *v = graph_value(r->graph, name);
	return v ? v : value_new_named(r->graph, name);
}

int onnx_defined_twice(struct onnx_reader *r, const struct value *v, const char *again)
{
	static const char remedy[] = "give each value a name of its own";
	const struct node *n = v->producer;
	if (n == &r->pending)
		return diag_error(r->diags, remedy, "'%s' is defined twice by %s", v->name, again);
	if (n)
		return diag_error(r->diags, remedy, "'%s' is defined twice: by node '%s' (%s) and by %s", v->name,
				  node_label(n), n->op_type, again);
	return diag_error(r->diags, remedy, "'%s' is defined twice: as %s and by %s", v->name,
			  v->constant || map_has(&r->sparse, v->name) ? "an initializer" : "a graph input", again);
}

/* ---- types ---- */

static int read_dims(struct onnx_reader *r, struct value *v, enum elem_type elem, const Onnx__TensorShapeProto *shape)
{
	int64_t dims[MAX_RANK] = { 0 };
	const char *params[MAX_RANK] = { NULL }, *denotations[MAX_RANK] = { NULL };
	bool named = false, denoted = false;
	if (shape->n_dim > MAX_RANK)
		return diag_error(r->diags, NULL, "'%s' has %zu dimensions; qcc takes at most %d", v->name,
				  shape->n_dim, MAX_RANK);
	for (size_t i = 0; i < shape->n_dim; i++) {
		const Onnx__TensorShapeProto__Dimension *dim = shape->dim[i];
		bool known = dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		bool symbolic = dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
		dims[i] = known && dim->dim_value >= 0 ? dim->dim_value : -1;
		params[i] = symbolic ? onnx_text(r, dim->dim_param) : NULL;
		denotations[i] = dim->denotation ? onnx_text(r, dim->denotation) : NULL;
		named |= symbolic;
		denoted |= dim->denotation != NULL;
	}
	if (!shape_fits((int)shape->n_dim, dims))
		return diag_error(r->diags, "split the model", "the shape of '%s' is too large: %s", v->name,
				  SHAPE_LIMITS);
	value_set_type(r->graph, v, elem, (int)shape->n_dim, dims);
	struct arena *a = &r->graph->arena;
	if (named)
		value_extra(r->graph, v)->dim_params = arena_copy(a, params, shape->n_dim * sizeof *params);
	if (denoted)
		value_extra(r->graph, v)->dim_denotations =
			arena_copy(a, denotations, shape->n_dim * sizeof *denotations);
	return 0;
}

/* A type qcc does not compute with: kept as it came. */
static int keep_type(struct onnx_reader *r, struct value *v, struct span type)
{
	struct value_extra *x = value_extra(r->graph, v);
	x->type_proto_size = span_size(type);
	x->type_proto = arena_copy(&r->graph->arena, type.at, span_size(type));
	return 0;
}

static int read_type(struct onnx_reader *r, struct value *v, struct span type)
{
	if (!type.at || v->constant) /* a constant's tensor says more */
		return 0;
	struct span tensor = wire_bytes(type, 1), denotation = wire_bytes(type, 6);
	uint64_t elem = wire_int(tensor, 1, 0);
	if (!tensor.at || elem >= ELEM_COUNT)
		return keep_type(r, v, type);
	Onnx__TypeProto__Tensor *p = onnx_unpack(r, &onnx__type_proto__tensor__descriptor, tensor, 0, v->name);
	if (!p)
		return -1;
	int result = 0;
	if (p->shape)
		result = read_dims(r, v, (enum elem_type)elem, p->shape);
	else
		value_set_type(r->graph, v, (enum elem_type)elem, -1, NULL);
	if (denotation.at)
		value_extra(r->graph, v)->denotation =
			arena_strndup(&r->graph->arena, (const char *)denotation.at, span_size(denotation));
	protobuf_c_message_free_unpacked(&p->base, NULL);
	return result;
}

/* Type, documentation and metadata of the value that a ValueInfoProto names. */
static int describe(struct onnx_reader *r, struct value *v, const Onnx__ValueInfoProto *p, struct span in)
{
	v->is_declared = true;
	if (p->doc_string && *p->doc_string)
		value_extra(r->graph, v)->doc = onnx_text(r, p->doc_string);
	if (p->n_metadata_props && !value_extra(r->graph, v)->metadata)
		onnx_properties(r, &v->extra->metadata, p->metadata_props, p->n_metadata_props);
	return read_type(r, v, wire_bytes(in, 2));
}

/* Without the type, which is recursive and read apart. */
static Onnx__ValueInfoProto *unpack_info(struct onnx_reader *r, struct span in)
{
	return onnx_unpack(r, &onnx__value_info_proto__descriptor, in, WIRE_SET(2), "a value_info");
}

int onnx_read_input(struct onnx_reader *r, struct span in)
{
	Onnx__ValueInfoProto *p = unpack_info(r, in);
	if (!p)
		return -1;
	struct value *v = onnx_value(r, p->name ? p->name : "");
	int result = v->is_input ? onnx_defined_twice(r, v, "another graph input") : describe(r, v, p, in);
	if (result == 0)
		graph_add_input(r->graph, v);
	onnx__value_info_proto__free_unpacked(p, NULL);
	return result;
}

int onnx_read_output(struct onnx_reader *r, struct span in)
{
	Onnx__ValueInfoProto *p = unpack_info(r, in);
	if (!p)
		return -1;
	struct value *v = onnx_value(r, p->name ? p->name : "");
	int result = describe(r, v, p, in);
	graph_add_output(r->graph, v, v->name);
	onnx__value_info_proto__free_unpacked(p, NULL);
	return result;
}

int onnx_read_value_info(struct onnx_reader *r, struct span in)
{
	Onnx__ValueInfoProto *p = unpack_info(r, in);
	if (!p)
		return -1;
	struct value *v = onnx_value(r, p->name ? p->name : "");
	bool described = v->is_input || value_is_output(v); /* the interface's own entry comes first */
	int result = described ? 0 : describe(r, v, p, in);
	onnx__value_info_proto__free_unpacked(p, NULL);
	return result;
}

/* ---- initializers ---- */

static int set_initializer(struct onnx_reader *r, const Onnx__TensorProto *rest, struct tensor *t)
{
	struct value *v = onnx_value(r, rest->name ? rest->name : "");
	if (v->constant) {
		tensor_unref(t);
		return onnx_defined_twice(r, v, "another initializer");
	}
	v->constant = t;
	value_set_type(r->graph, v, (enum elem_type)t->elem, t->rank, t->dims);
	if (rest->doc_string && *rest->doc_string)
		value_extra(r->graph, v)->tensor_doc = onnx_text(r, rest->doc_string);
	if (rest->n_metadata_props)
		onnx_properties(r, &value_extra(r->graph, v)->tensor_metadata, rest->metadata_props,
				rest->n_metadata_props);
	return 0;
}

int onnx_read_initializer(struct onnx_reader *r, struct span in)
{
	Onnx__TensorProto *rest;
	struct tensor *t = onnx_read_tensor(r, in, &rest);
	int result = t ? set_initializer(r, rest, t) : -1;
	if (rest)
		onnx__tensor_proto__free_unpacked(rest, NULL);
	return result;
}

/* The elements stay packed in graph->sparse_proto; here only the name becomes known. */
int onnx_read_sparse(struct onnx_reader *r, struct span in)
{
	struct span name = wire_bytes(wire_bytes(in, 1), TENSOR_NAME);
	if (!name.at)
		return onnx_damaged(r, "a sparse initializer");
	struct value *v = onnx_value(r, arena_strndup(&r->graph->arena, (const char *)name.at, span_size(name)));
	if (v->constant || map_has(&r->sparse, v->name))
		return onnx_defined_twice(r, v, "a sparse initializer");
	v->is_pinned = true;
	map_set(&r->sparse, v->name, v);
	return 0;
}

/* ---- annotations ---- */

/* "['N', 'C', 'H', 'W']" is a layout; the punctuation around its letters is dropped. */
static enum layout parse_layout(const char *text)
{
	char letters[8];
	size_t n = 0;
	for (; *text; text++) {
		if (strchr("[](),'\" ", *text))
			continue;
		if (n + 1 == sizeof letters)
			return LAYOUT_UNKNOWN;
		letters[n++] = *text;
	}
	letters[n] = 0;
	return layout_parse(letters);
}

static int keep_annotation(struct onnx_reader *r, struct value *v, const char *key, const char *text)
{
	int count = 0;
	for (const struct property *p = v->extra ? v->extra->annotations : NULL; p; p = p->next)
		count++;
	if (count >= ANNOTATIONS_AT_MOST)
		return diag_error(r->diags, NULL, "'%s' has more than %d annotations", v->name, ANNOTATIONS_AT_MOST);
	property_add(r->graph, &value_extra(r->graph, v)->annotations, key, text);
	return 0;
}

static int annotate(struct onnx_reader *r, struct value *v, const char *key, const char *text)
{
	struct datatype datatype;
	if (strcmp(key, "finn_datatype") == 0 && v->datatype.kind == DT_NONE && datatype_parse(text, &datatype))
		v->datatype = datatype;
	else if (strcmp(key, "tensor_layout") == 0 && v->layout == LAYOUT_UNKNOWN && parse_layout(text))
		v->layout = (uint8_t)parse_layout(text);
	else
		return keep_annotation(r, v, key, text);
	return 0;
}

int onnx_read_annotation(struct onnx_reader *r, struct span in)
{
	Onnx__TensorAnnotation *p = onnx_unpack(r, &onnx__tensor_annotation__descriptor, in, 0, "an annotation");
	if (!p)
		return -1;
	struct value *v = onnx_value(r, p->tensor_name ? p->tensor_name : "");
	int result = 0;
	for (size_t i = 0; i < p->n_quant_parameter_tensor_names && result == 0; i++) {
		const Onnx__StringStringEntryProto *e = p->quant_parameter_tensor_names[i];
		result = annotate(r, v, e->key ? e->key : "", e->value ? e->value : "");
	}
	onnx__tensor_annotation__free_unpacked(p, NULL);
	return result;
}

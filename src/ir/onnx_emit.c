/* Writes the elements of an ONNX model: tensors, attributes, nodes, values, annotations. Small messages are built in
 * the writer's arena and packed by protobuf-c; tensors' elements go straight to the file. */
#include <stdlib.h>
#include <string.h>

#include "ir/onnx_emit.h"
#include "util/strbuf.h"
#include "util/vec.h"

/* ---- bytes ---- */

void emit_bytes(struct writer *w, const void *bytes, size_t size)
{
	w->size += size;
	if (w->stream && size)
		fwrite(bytes, 1, size, w->stream); /* errors are seen by file_commit */
}

void emit_tag(struct writer *w, uint32_t number, uint64_t size)
{
	uint8_t bytes[20];
	emit_bytes(w, bytes, wire_put_tag(bytes, number, WIRE_BYTES, size));
}

static void put_packed(struct writer *w, const ProtobufCMessage *m, size_t size)
{
	if (!w->stream) {
		w->size += size;
		return;
	}
	w->scratch.size = 0;
	protobuf_c_message_pack(m, wire_buffer_grow(&w->scratch, size));
	emit_bytes(w, w->scratch.bytes, size);
}

void emit_fields(struct writer *w, const ProtobufCMessage *m)
{
	put_packed(w, m, protobuf_c_message_get_packed_size(m));
}

static void put_message(struct writer *w, uint32_t number, const ProtobufCMessage *m)
{
	size_t size = protobuf_c_message_get_packed_size(m);
	emit_tag(w, number, size);
	put_packed(w, m, size);
}

void emit_nested(struct writer *w, uint32_t number, emit_fn *emit, const void *what)
{
	if (w->stream) {
		emit_tag(w, number, w->sizes.items[w->sizes_put++]);
		emit(w, what);
		return;
	}
	size_t place = w->sizes.count;
	vec_push(&w->sizes, 0);
	uint64_t start = w->size;
	emit(w, what);
	w->sizes.items[place] = w->size - start;
	emit_tag(w, number, w->size - start);
}

/* ---- pieces of messages, in the arena of the element at hand ---- */

char *proto_text(const char *s) /* protobuf-c's messages are not const; nothing writes through them */
{
	return (char *)(uintptr_t)s;
}

char *proto_text_or_absent(const char *s)
{
	return s && *s ? proto_text(s) : NULL;
}

static Onnx__StringStringEntryProto *entry(struct writer *w, const char *key, const char *value)
{
	Onnx__StringStringEntryProto *e = arena_new(&w->arena, Onnx__StringStringEntryProto);
	onnx__string_string_entry_proto__init(e);
	e->key = proto_text(key);
	e->value = proto_text(value);
	return e;
}

Onnx__StringStringEntryProto **proto_entries(struct writer *w, const struct property *list, size_t *count)
{
	*count = 0;
	for (const struct property *p = list; p; p = p->next)
		++*count;
	if (!*count)
		return NULL;
	Onnx__StringStringEntryProto **out = arena_array(&w->arena, Onnx__StringStringEntryProto *, *count);
	for (size_t i = 0; list; list = list->next)
		out[i++] = entry(w, list->key, list->text);
	return out;
}

/* ---- tensors ---- */

uint64_t tensor_file_size(const struct tensor *t)
{
	return ((uint64_t)t->count * elem_file_bits((enum elem_type)t->elem) + 7) / 8;
}

void emit_elements(struct writer *w, const struct tensor *t)
{
	unsigned bits = elem_file_bits((enum elem_type)t->elem);
	uint64_t size = tensor_file_size(t);
	if (bits >= 8 || !w->stream) {
		void *copy = NULL;
		if (w->stream)
			emit_bytes(w, elements_for_file((enum elem_type)t->elem, t->data, size, &copy), size);
		else
			w->size += size;
		free(copy);
		return;
	}
	enum { CHUNK = 1 << 16 }; /* a multiple of what a byte holds */
	for (int64_t at = 0; at < t->count; at += CHUNK) {
		int64_t n = t->count - at < CHUNK ? t->count - at : CHUNK;
		size_t packed = ((size_t)n * bits + 7) / 8;
		w->scratch.size = 0;
		onnx_pack_bits(wire_buffer_grow(&w->scratch, packed), (const uint8_t *)t->data + at, n, bits);
		emit_bytes(w, w->scratch.bytes, packed);
	}
}

static void describe_external(struct writer *w, Onnx__TensorProto *p, const struct tensor_job *job)
{
	uint64_t offset = w->data_offsets[job->value->id];
	p->has_data_location = 1;
	p->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
	p->n_external_data = 3;
	p->external_data = arena_array(&w->arena, Onnx__StringStringEntryProto *, 3);
	p->external_data[0] = entry(w, "location", w->data_name);
	p->external_data[1] = entry(w, "offset", arena_printf(&w->arena, "%llu", (unsigned long long)offset));
	p->external_data[2] =
		entry(w, "length", arena_printf(&w->arena, "%llu", (unsigned long long)tensor_file_size(job->tensor)));
}

static bool is_external(const struct writer *w, const struct value *v)
{
	return v && w->data_offsets && w->data_offsets[v->id] != UINT64_MAX;
}

void emit_tensor(struct writer *w, const void *what)
{
	const struct tensor_job *job = what;
	const struct tensor *t = job->tensor;
	Onnx__TensorProto p;
	onnx__tensor_proto__init(&p);
	p.n_dims = t->rank;
	p.dims = (int64_t *)(uintptr_t)t->dims;
	p.has_data_type = 1;
	p.data_type = t->elem;
	p.name = proto_text_or_absent(job->name);
	const struct value_extra *x = job->value ? job->value->extra : NULL;
	if (x) {
		p.doc_string = proto_text_or_absent(x->tensor_doc);
		p.metadata_props = proto_entries(w, x->tensor_metadata, &p.n_metadata_props);
	}
	if (is_external(w, job->value))
		describe_external(w, &p, job);
	emit_fields(w, &p.base);
	if (is_external(w, job->value))
		return;
	if (t->elem != ELEM_STRING) {
		emit_tag(w, TENSOR_RAW_DATA, tensor_file_size(t));
		emit_elements(w, t);
		return;
	}
	for (int64_t i = 0; i < t->count; i++) {
		const char *s = tensor_string(t, i);
		emit_tag(w, TENSOR_STRING_DATA, s ? strlen(s) : 0);
		emit_bytes(w, s, s ? strlen(s) : 0);
	}
}

/* ---- attributes ---- */

static ProtobufCBinaryData binary(const char *s, size_t size)
{
	return (ProtobufCBinaryData){ .len = size, .data = (uint8_t *)(uintptr_t)s };
}

static void set_content(struct writer *w, Onnx__AttributeProto *p, const struct attr *a)
{
	switch (a->kind) {
	case ATTR_FLOAT:
		p->has_f = 1;
		p->f = a->f;
		break;
	case ATTR_INT:
		p->has_i = 1;
		p->i = a->i;
		break;
	case ATTR_STRING:
		p->has_s = 1;
		p->s = binary(a->s, a->count);
		break;
	case ATTR_FLOATS:
		p->n_floats = a->count;
		p->floats = (float *)(uintptr_t)a->floats;
		break;
	case ATTR_INTS:
		p->n_ints = a->count;
		p->ints = (int64_t *)(uintptr_t)a->ints;
		break;
	case ATTR_STRINGS:
		p->n_strings = a->count;
		p->strings = arena_array(&w->arena, ProtobufCBinaryData, a->count);
		for (size_t i = 0; i < a->count; i++)
			p->strings[i] = binary(a->strings[i], strlen(a->strings[i]));
		break;
	default: /* tensors are put by emit_attr; all others are packed already */ break;
	}
}

static bool attr_is_packed(const struct attr *a)
{
	switch (a->kind) {
	case ATTR_FLOAT:
	case ATTR_INT:
	case ATTR_STRING:
	case ATTR_TENSOR:
	case ATTR_FLOATS:
	case ATTR_INTS:
	case ATTR_STRINGS: return false;
	default: return true;
	}
}

static void emit_attr(struct writer *w, const void *what)
{
	const struct attr *a = what;
	if (attr_is_packed(a)) {
		emit_bytes(w, a->raw, a->count);
		return;
	}
	Onnx__AttributeProto p;
	onnx__attribute_proto__init(&p);
	p.name = proto_text(a->name);
	if (a->extra) {
		p.doc_string = proto_text_or_absent(a->extra->doc);
		p.ref_attr_name = proto_text_or_absent(a->extra->ref_attr_name);
	}
	p.has_type = 1;
	p.type = (Onnx__AttributeProto__AttributeType)a->kind;
	if (!p.ref_attr_name)
		set_content(w, &p, a);
	emit_fields(w, &p.base);
	if (a->kind == ATTR_TENSOR && !p.ref_attr_name) {
		const char *name = a->extra ? a->extra->tensor_name : NULL;
		emit_nested(w, ATTR_FIELD_T, emit_tensor, &(struct tensor_job){ a->t, name, NULL });
	}
}

/* ---- nodes ---- */

const char *writer_name(const struct writer *w, const struct value *v)
{
	return v ? output_names_of(&w->names, v) : "";
}

void emit_node(struct writer *w, const void *what)
{
	const struct node *n = what;
	Onnx__NodeProto p;
	onnx__node_proto__init(&p);
	p.n_input = n->n_inputs;
	p.input = arena_array(&w->arena, char *, n->n_inputs);
	for (uint32_t i = 0; i < n->n_inputs; i++)
		p.input[i] = proto_text(writer_name(w, n->inputs[i].value));
	p.n_output = n->n_outputs;
	p.output = arena_array(&w->arena, char *, n->n_outputs);
	for (uint32_t i = 0; i < n->n_outputs; i++)
		p.output[i] = proto_text(writer_name(w, n->outputs[i]));
	p.name = proto_text_or_absent(n->name);
	p.op_type = proto_text(n->op_type);
	p.domain = proto_text_or_absent(n->domain);
	p.overload = proto_text_or_absent(n->overload);
	p.doc_string = proto_text_or_absent(n->doc);
	p.metadata_props = proto_entries(w, n->metadata, &p.n_metadata_props);
	emit_fields(w, &p.base);
	for (const struct attr *a = n->attrs; a; a = a->next)
		emit_nested(w, NODE_ATTRIBUTE, emit_attr, a);
	if (n->unknown)
		emit_bytes(w, n->unknown->bytes, n->unknown->size);
}

/* Gives an output the interface's name where its value must keep another. */
void emit_identity(struct writer *w, const struct value *v, const char *output)
{
	Onnx__NodeProto p;
	onnx__node_proto__init(&p);
	char *from = proto_text(writer_name(w, v)), *to = proto_text(output);
	p.n_input = p.n_output = 1;
	p.input = &from;
	p.output = &to;
	p.op_type = proto_text("Identity");
	put_message(w, GRAPH_NODE, &p.base);
}

/* ---- values ---- */

struct value_job {
	const struct value *value;
	const char *name;
};

bool writer_value_is_typed(const struct value *v)
{
	return v->elem || v->rank >= 0 || (v->extra && v->extra->type_proto);
}

static Onnx__TensorShapeProto *shape(struct writer *w, const struct value *v)
{
	Onnx__TensorShapeProto *p = arena_new(&w->arena, Onnx__TensorShapeProto);
	onnx__tensor_shape_proto__init(p);
	p->n_dim = (size_t)v->rank;
	p->dim = arena_array(&w->arena, Onnx__TensorShapeProto__Dimension *, v->rank);
	for (int i = 0; i < v->rank; i++) {
		Onnx__TensorShapeProto__Dimension *dim = arena_new(&w->arena, Onnx__TensorShapeProto__Dimension);
		onnx__tensor_shape_proto__dimension__init(dim);
		const struct value_extra *x = v->extra;
		const char *param = x && x->dim_params ? x->dim_params[i] : NULL;
		if (v->dims[i] >= 0) {
			dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
			dim->dim_value = v->dims[i];
		} else if (param) {
			dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
			dim->dim_param = proto_text(param);
		}
		dim->denotation = proto_text(x && x->dim_denotations ? x->dim_denotations[i] : NULL);
		p->dim[i] = dim;
	}
	return p;
}

static void put_type(struct writer *w, const struct value *v)
{
	const struct value_extra *x = v->extra;
	if (x && x->type_proto) {
		emit_tag(w, 2, x->type_proto_size);
		emit_bytes(w, x->type_proto, x->type_proto_size);
		return;
	}
	Onnx__TypeProto p;
	Onnx__TypeProto__Tensor tensor;
	onnx__type_proto__init(&p);
	onnx__type_proto__tensor__init(&tensor);
	p.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	p.tensor_type = &tensor;
	p.denotation = proto_text(x ? x->denotation : NULL);
	tensor.has_elem_type = 1;
	tensor.elem_type = v->elem;
	tensor.shape = v->rank >= 0 ? shape(w, v) : NULL;
	put_message(w, 2, &p.base);
}

static void emit_value_info(struct writer *w, const void *what)
{
	const struct value_job *job = what;
	Onnx__ValueInfoProto p;
	onnx__value_info_proto__init(&p);
	p.name = proto_text(job->name);
	const struct value_extra *x = job->value->extra;
	if (x) {
		p.doc_string = proto_text_or_absent(x->doc);
		p.metadata_props = proto_entries(w, x->metadata, &p.n_metadata_props);
	}
	emit_fields(w, &p.base);
	if (writer_value_is_typed(job->value))
		put_type(w, job->value);
}

void emit_value(struct writer *w, uint32_t number, const struct value *v, const char *name)
{
	emit_nested(w, number, emit_value_info, &(struct value_job){ v, name });
	arena_free(&w->arena);
}

static const char *layout_list(struct writer *w, enum layout l)
{
	struct strbuf list = { 0 };
	strbuf_puts(&list, "[");
	for (const char *c = layout_name(l); *c; c++)
		strbuf_printf(&list, "%s'%c'", c == layout_name(l) ? "" : ", ", *c);
	strbuf_puts(&list, "]");
	char *copy = arena_strdup(&w->arena, list.text);
	strbuf_free(&list);
	return copy;
}

void emit_annotation(struct writer *w, const struct value *v, const char *name)
{
	char datatype[DATATYPE_NAME_SIZE];
	const struct property *others = v->extra ? v->extra->annotations : NULL;
	struct property layout = { "tensor_layout", NULL, NULL }, type = { "finn_datatype", NULL, NULL };
	const struct property *list = others;
	if (v->layout) {
		layout.text = layout_list(w, (enum layout)v->layout);
		layout.next = (struct property *)(uintptr_t)list;
		list = &layout;
	}
	if (v->datatype.kind != DT_NONE) {
		type.text = datatype_name(v->datatype, datatype);
		type.next = (struct property *)(uintptr_t)list;
		list = &type;
	}
	if (list) {
		Onnx__TensorAnnotation p;
		onnx__tensor_annotation__init(&p);
		p.tensor_name = proto_text(name);
		p.quant_parameter_tensor_names = proto_entries(w, list, &p.n_quant_parameter_tensor_names);
		put_message(w, GRAPH_ANNOTATION, &p.base);
	}
	arena_free(&w->arena);
}

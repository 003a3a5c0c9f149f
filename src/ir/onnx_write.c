/* Writing ONNX models. Each length-delimited message is emitted twice by the same function: first counted,
 * then written, so that no second copy of the weights (nor of the graph) is ever made. Small elements go
 * through protobuf-c; tensors' elements straight from memory to the file. */
#include <stdlib.h>
#include <string.h>

#include "ir/onnx.h"
#include "ir/onnx_names.h"
#include "util/file.h"
#include "util/strbuf.h"

enum { DATA_ALIGNMENT = 4096, SMALLEST_EXTERNAL = 1024 };
#define LARGEST_INLINE UINT64_C(1900000000)	/* protocol buffers end at 2^31 bytes */
#define LARGEST_MODEL UINT64_C(2147483647)

struct writer {
	const struct graph *graph;
	struct diags *diags;
	FILE *stream;			/* NULL: only counts */
	uint64_t size;			/* written or counted so far */
	struct output_names names;
	struct wire_buffer scratch;
	struct arena arena;		/* the messages of the element at hand */
	const char *data_name;		/* of the external data file, NULL: none */
	uint64_t *data_offsets;		/* by value id; UINT64_MAX: stays in the model */
};

/* ---- bytes ---- */

static void put_bytes(struct writer *w, const void *bytes, size_t size)
{
	w->size += size;
	if (w->stream && size)
		fwrite(bytes, 1, size, w->stream);	/* errors are seen by file_commit */
}

static void put_tag(struct writer *w, uint32_t number, uint64_t size)
{
	uint8_t bytes[20];
	put_bytes(w, bytes, wire_put_tag(bytes, number, WIRE_BYTES, size));
}

/* The fields of a message, without a tag around them. */
static void put_fields(struct writer *w, const ProtobufCMessage *m)
{
	size_t size = protobuf_c_message_get_packed_size(m);
	if (!w->stream) {
		w->size += size;
		return;
	}
	w->scratch.size = 0;
	protobuf_c_message_pack(m, wire_buffer_grow(&w->scratch, size));
	put_bytes(w, w->scratch.bytes, size);
}

static void put_message(struct writer *w, uint32_t number, const ProtobufCMessage *m)
{
	put_tag(w, number, protobuf_c_message_get_packed_size(m));
	put_fields(w, m);
}

typedef void emit_fn(struct writer *w, const void *what);

/* A message whose fields `emit` puts: counted, then put. */
static void put_nested(struct writer *w, uint32_t number, emit_fn *emit, const void *what)
{
	FILE *stream = w->stream;
	uint64_t start = w->size;
	w->stream = NULL;
	emit(w, what);
	uint64_t size = w->size - start;
	w->size = start;
	w->stream = stream;
	put_tag(w, number, size);
	if (stream)
		emit(w, what);
	else
		w->size += size;
}

/* ---- pieces of messages, in the arena of the element at hand ---- */

static char *text(const char *s)	/* protobuf-c's messages are not const; nothing writes through them */
{
	return (char *)(uintptr_t)s;
}

static char *text_or_absent(const char *s)
{
	return s && *s ? text(s) : NULL;
}

static Onnx__StringStringEntryProto *entry(struct writer *w, const char *key, const char *value)
{
	Onnx__StringStringEntryProto *e = arena_new(&w->arena, Onnx__StringStringEntryProto);
	onnx__string_string_entry_proto__init(e);
	e->key = text(key);
	e->value = text(value);
	return e;
}

static Onnx__StringStringEntryProto **entries(struct writer *w, const struct property *list, size_t *count)
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

static uint64_t file_size(const struct tensor *t)
{
	return ((uint64_t)t->count * elem_file_bits((enum elem_type)t->elem) + 7) / 8;
}

static void put_elements(struct writer *w, const struct tensor *t)
{
	unsigned bits = elem_file_bits((enum elem_type)t->elem);
	uint64_t size = file_size(t);
	if (bits >= 8 || !w->stream) {
		if (w->stream)
			put_bytes(w, t->data, size);
		else
			w->size += size;
		return;
	}
	enum { CHUNK = 1 << 16 };	/* a multiple of what a byte holds */
	for (int64_t at = 0; at < t->count; at += CHUNK) {
		int64_t n = t->count - at < CHUNK ? t->count - at : CHUNK;
		size_t packed = ((size_t)n * bits + 7) / 8;
		w->scratch.size = 0;
		onnx_pack_bits(wire_buffer_grow(&w->scratch, packed), (const uint8_t *)t->data + at, n, bits);
		put_bytes(w, w->scratch.bytes, packed);
	}
}

struct tensor_job {
	const struct tensor *tensor;
	const char *name;
	const struct value *value;	/* of an initializer; or NULL */
};

static void describe_external(struct writer *w, Onnx__TensorProto *p, const struct tensor_job *job)
{
	uint64_t offset = w->data_offsets[job->value->id];
	p->has_data_location = 1;
	p->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
	p->n_external_data = 3;
	p->external_data = arena_array(&w->arena, Onnx__StringStringEntryProto *, 3);
	p->external_data[0] = entry(w, "location", w->data_name);
	p->external_data[1] = entry(w, "offset",
				    arena_printf(&w->arena, "%llu", (unsigned long long)offset));
	p->external_data[2] = entry(w, "length", arena_printf(&w->arena, "%llu",
							      (unsigned long long)file_size(job->tensor)));
}

static bool is_external(const struct writer *w, const struct value *v)
{
	return v && w->data_offsets && w->data_offsets[v->id] != UINT64_MAX;
}

static void emit_tensor(struct writer *w, const void *what)
{
	const struct tensor_job *job = what;
	const struct tensor *t = job->tensor;
	Onnx__TensorProto p;
	onnx__tensor_proto__init(&p);
	p.n_dims = t->rank;
	p.dims = (int64_t *)(uintptr_t)t->dims;
	p.has_data_type = 1;
	p.data_type = t->elem;
	p.name = text_or_absent(job->name);
	const struct value_extra *x = job->value ? job->value->extra : NULL;
	if (x) {
		p.doc_string = text_or_absent(x->tensor_doc);
		p.metadata_props = entries(w, x->tensor_metadata, &p.n_metadata_props);
	}
	if (is_external(w, job->value))
		describe_external(w, &p, job);
	put_fields(w, &p.base);
	if (is_external(w, job->value))
		return;
	if (t->elem != ELEM_STRING) {
		put_tag(w, TENSOR_RAW_DATA, file_size(t));
		put_elements(w, t);
		return;
	}
	for (int64_t i = 0; i < t->count; i++) {
		const char *s = ((char *const *)t->data)[i];
		put_tag(w, TENSOR_STRING_DATA, s ? strlen(s) : 0);
		put_bytes(w, s, s ? strlen(s) : 0);
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
	default:	/* tensors are put by emit_attr; all others are packed already */
		break;
	}
}

static bool attr_is_packed(const struct attr *a)
{
	switch (a->kind) {
	case ATTR_FLOAT: case ATTR_INT: case ATTR_STRING: case ATTR_TENSOR:
	case ATTR_FLOATS: case ATTR_INTS: case ATTR_STRINGS:
		return false;
	default:
		return true;
	}
}

static void emit_attr(struct writer *w, const void *what)
{
	const struct attr *a = what;
	if (attr_is_packed(a)) {
		put_bytes(w, a->raw, a->count);
		return;
	}
	Onnx__AttributeProto p;
	onnx__attribute_proto__init(&p);
	p.name = text(a->name);
	p.doc_string = text_or_absent(a->doc);
	p.ref_attr_name = text_or_absent(a->ref_attr_name);
	p.has_type = 1;
	p.type = (Onnx__AttributeProto__AttributeType)a->kind;
	if (!p.ref_attr_name)
		set_content(w, &p, a);
	put_fields(w, &p.base);
	if (a->kind == ATTR_TENSOR && !p.ref_attr_name)
		put_nested(w, ATTR_FIELD_T, emit_tensor, &(struct tensor_job){ a->t, a->tensor_name, NULL });
}

/* ---- nodes ---- */

static const char *name_of(const struct writer *w, const struct value *v)
{
	return v ? output_names_of(&w->names, v) : "";
}

static void emit_node(struct writer *w, const void *what)
{
	const struct node *n = what;
	Onnx__NodeProto p;
	onnx__node_proto__init(&p);
	p.n_input = n->n_inputs;
	p.input = arena_array(&w->arena, char *, n->n_inputs);
	for (uint32_t i = 0; i < n->n_inputs; i++)
		p.input[i] = text(name_of(w, n->inputs[i].value));
	p.n_output = n->n_outputs;
	p.output = arena_array(&w->arena, char *, n->n_outputs);
	for (uint32_t i = 0; i < n->n_outputs; i++)
		p.output[i] = text(name_of(w, n->outputs[i]));
	p.name = text_or_absent(n->name);
	p.op_type = text(n->op_type);
	p.domain = text_or_absent(n->domain);
	p.overload = text_or_absent(n->overload);
	p.doc_string = text_or_absent(n->doc);
	p.metadata_props = entries(w, n->metadata, &p.n_metadata_props);
	put_fields(w, &p.base);
	for (const struct attr *a = n->attrs; a; a = a->next)
		put_nested(w, NODE_ATTRIBUTE, emit_attr, a);
	if (n->unknown)
		put_bytes(w, n->unknown->bytes, n->unknown->size);
}

/* Gives an output the interface's name where its value must keep another. */
static void put_identity(struct writer *w, const struct value *v, const char *output)
{
	Onnx__NodeProto p;
	onnx__node_proto__init(&p);
	char *from = text(name_of(w, v)), *to = text(output);
	p.n_input = p.n_output = 1;
	p.input = &from;
	p.output = &to;
	p.op_type = text("Identity");
	put_message(w, GRAPH_NODE, &p.base);
}

/* ---- values ---- */

struct value_job {
	const struct value *value;
	const char *name;
};

static bool is_typed(const struct value *v)
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
			dim->dim_param = text(param);
		}
		dim->denotation = text(x && x->dim_denotations ? x->dim_denotations[i] : NULL);
		p->dim[i] = dim;
	}
	return p;
}

static void put_type(struct writer *w, const struct value *v)
{
	const struct value_extra *x = v->extra;
	if (x && x->type_proto) {
		put_tag(w, 2, x->type_proto_size);
		put_bytes(w, x->type_proto, x->type_proto_size);
		return;
	}
	Onnx__TypeProto p;
	Onnx__TypeProto__Tensor tensor;
	onnx__type_proto__init(&p);
	onnx__type_proto__tensor__init(&tensor);
	p.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	p.tensor_type = &tensor;
	p.denotation = text(x ? x->denotation : NULL);
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
	p.name = text(job->name);
	const struct value_extra *x = job->value->extra;
	if (x) {
		p.doc_string = text_or_absent(x->doc);
		p.metadata_props = entries(w, x->metadata, &p.n_metadata_props);
	}
	put_fields(w, &p.base);
	if (is_typed(job->value))
		put_type(w, job->value);
}

static void put_value_info(struct writer *w, uint32_t number, const struct value *v, const char *name)
{
	put_nested(w, number, emit_value_info, &(struct value_job){ v, name });
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

static void put_annotation(struct writer *w, const struct value *v, const char *name)
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
		p.tensor_name = text(name);
		p.quant_parameter_tensor_names = entries(w, list, &p.n_quant_parameter_tensor_names);
		put_message(w, GRAPH_ANNOTATION, &p.base);
	}
	arena_free(&w->arena);
}

/* ---- the graph ---- */

static void put_nodes(struct writer *w)
{
	for (const struct node *n = w->graph->first; n; n = n->next) {
		put_nested(w, GRAPH_NODE, emit_node, n);
		arena_free(&w->arena);
	}
	for (uint32_t i = 0; i < w->graph->n_outputs; i++)
		if (w->names.aliased[i])
			put_identity(w, w->graph->outputs[i].value, w->graph->output_names[i]);
}

static void put_initializers(struct writer *w)
{
	for (const struct value *v = w->graph->values; v; v = v->next)
		if (v->constant) {
			struct tensor_job job = { v->constant, name_of(w, v), v };
			put_nested(w, GRAPH_INITIALIZER, emit_tensor, &job);
			arena_free(&w->arena);
		}
}

static void put_values(struct writer *w)
{
	const struct graph *g = w->graph;
	for (uint32_t i = 0; i < g->n_inputs; i++)
		put_value_info(w, GRAPH_INPUT, g->inputs[i], name_of(w, g->inputs[i]));
	for (uint32_t i = 0; i < g->n_outputs; i++)
		put_value_info(w, GRAPH_OUTPUT, g->outputs[i].value, g->output_names[i]);
	for (const struct value *v = g->values; v; v = v->next) {
		bool is_interface = v->is_input || output_names_taken(&w->names, v);
		bool wanted = v->is_declared || (!v->constant && is_typed(v));
		if (!is_interface && wanted)
			put_value_info(w, GRAPH_VALUE_INFO, v, name_of(w, v));
	}
	for (const struct value *v = g->values; v; v = v->next)
		put_annotation(w, v, name_of(w, v));
	for (uint32_t i = 0; i < g->n_outputs; i++)
		if (w->names.aliased[i])
			put_annotation(w, g->outputs[i].value, g->output_names[i]);
}

static void emit_graph(struct writer *w, const void *what)
{
	const struct graph *g = what;
	put_nodes(w);
	Onnx__GraphProto p;
	onnx__graph_proto__init(&p);
	p.name = text(g->name);
	p.doc_string = text_or_absent(g->doc);
	p.metadata_props = entries(w, g->graph_metadata, &p.n_metadata_props);
	put_fields(w, &p.base);
	arena_free(&w->arena);
	put_initializers(w);
	put_values(w);
	put_bytes(w, g->sparse_proto, g->sparse_size);
}

/* ---- the model ---- */

static void put_opsets(struct writer *w, Onnx__ModelProto *p)
{
	for (const struct opset *o = w->graph->opsets; o; o = o->next)
		p->n_opset_import++;
	p->opset_import = arena_array(&w->arena, Onnx__OperatorSetIdProto *, p->n_opset_import);
	size_t i = 0;
	for (const struct opset *o = w->graph->opsets; o; o = o->next) {
		Onnx__OperatorSetIdProto *id = arena_new(&w->arena, Onnx__OperatorSetIdProto);
		onnx__operator_set_id_proto__init(id);
		id->domain = text(o->domain);
		id->has_version = 1;
		id->version = o->version;
		p->opset_import[i++] = id;
	}
}

static void put_model(struct writer *w)
{
	const struct graph *g = w->graph;
	Onnx__ModelProto p;
	onnx__model_proto__init(&p);
	p.has_ir_version = 1;
	p.ir_version = g->ir_version;
	p.producer_name = text_or_absent(g->producer_name);
	p.producer_version = text_or_absent(g->producer_version);
	p.domain = text_or_absent(g->model_domain);
	p.has_model_version = g->model_version != 0;
	p.model_version = g->model_version;
	p.doc_string = text_or_absent(g->model_doc);
	p.metadata_props = entries(w, g->metadata, &p.n_metadata_props);
	put_opsets(w, &p);
	put_fields(w, &p.base);
	arena_free(&w->arena);
	put_nested(w, MODEL_GRAPH, emit_graph, g);
	for (const struct function *f = g->functions; f; f = f->next) {
		put_tag(w, MODEL_FUNCTIONS, f->size);
		put_bytes(w, f->proto, f->size);
	}
	put_bytes(w, g->training_proto, g->training_size);
}

/* ---- external data ---- */

static uint64_t constants_size(const struct graph *g)
{
	uint64_t size = 0;
	for (const struct value *v = g->values; v; v = v->next)
		size += v->constant ? file_size(v->constant) : 0;
	return size;
}

static void pad(struct writer *w)
{
	static const char zeros[DATA_ALIGNMENT];
	put_bytes(w, zeros, (DATA_ALIGNMENT - w->size % DATA_ALIGNMENT) % DATA_ALIGNMENT);
}

/* Writes the large constants beside the model and notes where each lies. */
static int write_data(struct writer *w, const char *path)
{
	struct file_out out;
	if (file_create(&out, path, w->diags) < 0)
		return -1;
	w->data_offsets = xcalloc(w->graph->next_value_id, sizeof *w->data_offsets);
	w->stream = out.stream;
	w->size = 0;
	for (const struct value *v = w->graph->values; v; v = v->next) {
		w->data_offsets[v->id] = UINT64_MAX;
		if (!v->constant || v->constant->elem == ELEM_STRING || file_size(v->constant) < SMALLEST_EXTERNAL)
			continue;
		pad(w);
		w->data_offsets[v->id] = w->size;
		put_elements(w, v->constant);
	}
	w->stream = NULL;
	w->size = 0;
	return file_commit(&out, w->diags);
}

static int split_data(struct writer *w, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *data_path = xmalloc(strlen(path) + sizeof ".data");
	strcat(strcpy(data_path, path), ".data");
	w->data_name = xstrdup(strrchr(data_path, '/') && slash ? strrchr(data_path, '/') + 1 : data_path);
	int result = write_data(w, data_path);
	free(data_path);
	return result;
}

/* ---- files ---- */

static int write_file(struct writer *w, const char *path)
{
	put_model(w);
	if (w->size > LARGEST_MODEL)
		return diag_error(w->diags, "keep large tensors in initializers rather than attributes",
				  "the model takes more than the 2 GB that its format can hold");
	struct file_out out;
	if (file_create(&out, path, w->diags) < 0)
		return -1;
	w->stream = out.stream;
	w->size = 0;
	put_model(w);
	return file_commit(&out, w->diags);
}

int graph_write_split(const struct graph *g, const char *path, uint64_t largest_inline, struct diags *d)
{
	struct writer w = { .graph = g, .diags = d };
	arena_init(&w.arena);
	int result = output_names_find(&w.names, g, d);
	if (result == 0 && constants_size(g) > largest_inline)
		result = split_data(&w, path);
	if (result == 0)
		result = write_file(&w, path);
	output_names_free(&w.names);
	wire_buffer_free(&w.scratch);
	arena_free(&w.arena);
	free((char *)(uintptr_t)w.data_name);
	free(w.data_offsets);
	return result;
}

static int write_text(const struct graph *g, const char *path, struct diags *d)
{
	char *printed = graph_print_all(g);
	int result = file_write(path, printed, strlen(printed), d);
	free(printed);
	return result;
}

int graph_write(const struct graph *g, const char *path, struct diags *d)
{
	const char *ending = strrchr(path, '.');
	if (ending && strcmp(ending, ".onnxtxt") == 0)
		return write_text(g, path, d);
	return graph_write_split(g, path, LARGEST_INLINE, d);
}

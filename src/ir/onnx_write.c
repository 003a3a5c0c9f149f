/* Writing ONNX models. The whole model is emitted twice by the same functions: first counted, which notes the
 * size of each nested message, then written, so that no second copy of the weights (nor of the graph) is ever
 * made. Small elements go through protobuf-c; tensors' elements straight from memory to the file. */
#include <stdlib.h>
#include <string.h>

#include "ir/onnx_emit.h"
#include "util/file.h"
#include "util/strbuf.h"

enum { DATA_ALIGNMENT = 4096, SMALLEST_EXTERNAL = 1024 };
#define LARGEST_INLINE UINT64_C(1900000000) /* protocol buffers end at 2^31 bytes */
#define LARGEST_MODEL UINT64_C(2147483647)

/* ---- the graph ---- */

static void put_nodes(struct writer *w)
{
	graph_for_each_node (w->graph, n) {
		emit_nested(w, GRAPH_NODE, emit_node, n);
		arena_free(&w->arena);
	}
	for (uint32_t i = 0; i < w->graph->n_outputs; i++)
		if (w->names.aliased[i])
			emit_identity(w, w->graph->outputs[i].value, w->graph->output_names[i]);
}

static void put_initializers(struct writer *w)
{
	graph_for_each_value (w->graph, v)
		if (v->constant) {
			struct tensor_job job = { v->constant, writer_name(w, v), v };
			emit_nested(w, GRAPH_INITIALIZER, emit_tensor, &job);
			arena_free(&w->arena);
		}
}

static void put_values(struct writer *w)
{
	const struct graph *g = w->graph;
	for (uint32_t i = 0; i < g->n_inputs; i++)
		emit_value(w, GRAPH_INPUT, g->inputs[i], writer_name(w, g->inputs[i]));
	for (uint32_t i = 0; i < g->n_outputs; i++)
		emit_value(w, GRAPH_OUTPUT, g->outputs[i].value, g->output_names[i]);
	graph_for_each_value (g, v) {
		bool is_interface = v->is_input || output_names_taken(&w->names, v);
		bool wanted = v->is_declared || (!v->constant && writer_value_is_typed(v));
		if (!is_interface && wanted)
			emit_value(w, GRAPH_VALUE_INFO, v, writer_name(w, v));
	}
	graph_for_each_value (g, v)
		emit_annotation(w, v, writer_name(w, v));
	for (uint32_t i = 0; i < g->n_outputs; i++)
		if (w->names.aliased[i])
			emit_annotation(w, g->outputs[i].value, g->output_names[i]);
}

static void emit_graph(struct writer *w, const void *what)
{
	const struct graph *g = what;
	put_nodes(w);
	Onnx__GraphProto p;
	onnx__graph_proto__init(&p);
	p.name = proto_text(g->name);
	p.doc_string = proto_text_or_absent(g->doc);
	p.metadata_props = proto_entries(w, g->graph_metadata, &p.n_metadata_props);
	emit_fields(w, &p.base);
	arena_free(&w->arena);
	put_initializers(w);
	put_values(w);
	emit_bytes(w, g->sparse_proto, g->sparse_size);
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
		id->domain = proto_text(o->domain);
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
	p.producer_name = proto_text_or_absent(g->producer_name);
	p.producer_version = proto_text_or_absent(g->producer_version);
	p.domain = proto_text_or_absent(g->model_domain);
	p.has_model_version = g->model_version != 0;
	p.model_version = g->model_version;
	p.doc_string = proto_text_or_absent(g->model_doc);
	p.metadata_props = proto_entries(w, g->metadata, &p.n_metadata_props);
	put_opsets(w, &p);
	emit_fields(w, &p.base);
	arena_free(&w->arena);
	emit_nested(w, MODEL_GRAPH, emit_graph, g);
	for (const struct function *f = g->functions; f; f = f->next) {
		emit_tag(w, MODEL_FUNCTIONS, f->size);
		emit_bytes(w, f->proto, f->size);
	}
	emit_bytes(w, g->training_proto, g->training_size);
}

/* ---- external data ---- */

static uint64_t constants_size(const struct graph *g)
{
	uint64_t size = 0;
	graph_for_each_value (g, v)
		size += v->constant ? tensor_file_size(v->constant) : 0;
	return size;
}

static void pad(struct writer *w)
{
	static const char zeros[DATA_ALIGNMENT];
	emit_bytes(w, zeros, (DATA_ALIGNMENT - w->size % DATA_ALIGNMENT) % DATA_ALIGNMENT);
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
	graph_for_each_value (w->graph, v) {
		w->data_offsets[v->id] = UINT64_MAX;
		if (!v->constant || v->constant->elem == ELEM_STRING ||
		    tensor_file_size(v->constant) < SMALLEST_EXTERNAL)
			continue;
		pad(w);
		w->data_offsets[v->id] = w->size;
		emit_elements(w, v->constant);
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
	free(w.sizes.items);
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

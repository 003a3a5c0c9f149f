/* Reading ONNX models. The file is mapped; ModelProto and GraphProto are walked at the wire level, and one
 * small element at a time is unpacked, so that nothing but the graph itself takes memory in proportion to
 * the model. Nodes are accepted in any order and sorted. */
#include <stdlib.h>
#include <string.h>

#include "ir/onnx.h"
#include "util/file.h"
#include "util/limits.h"
#include "util/strbuf.h"
#include "util/vec.h"

/* ---- what the reader's files share ---- */

int onnx_damaged(struct onnx_reader *r, const char *what)
{
	static const char remedy[] = "copy or export the file again";
	if (r->node)
		return diag_node_error(r->diags, r->node, remedy, "%s in it is damaged", what);
	return diag_error(r->diags, remedy, "%s in it is damaged", what);
}

static void *allocate(void *user, size_t size)
{
	(void)user;
	return memory_try(size);
}

static void give_back(void *user, void *p)
{
	(void)user;
	free(p);
}

/* What it allocates may be freed by protobuf-c's own allocator: it is malloc's. */
static ProtobufCAllocator allocator = { allocate, give_back, NULL };

void *onnx_unpack(struct onnx_reader *r, const ProtobufCMessageDescriptor *type, struct span in, uint64_t leave_out,
		  const char *what)
{
	r->rest.size = 0;
	bool good = wire_gather(&r->rest, in, ~leave_out);
	void *message = good ? protobuf_c_message_unpack(type, &allocator, r->rest.size, r->rest.bytes) : NULL;
	if (!message && good && memory_failed()) {
		limits_check(r->diags);
		return NULL;
	}
	if (!message)
		onnx_damaged(r, what);
	return message;
}

const char *onnx_text(struct onnx_reader *r, const char *s)
{
	return s && *s ? arena_strdup(&r->graph->arena, s) : "";
}

const char *onnx_intern(struct onnx_reader *r, const char *s)
{
	if (!s || !*s)
		return "";
	char *known = map_get(&r->interned, s);
	if (!known) {
		known = arena_strdup(&r->graph->arena, s);
		map_set(&r->interned, known, known);
	}
	return known;
}

void onnx_properties(struct onnx_reader *r, struct property **list, Onnx__StringStringEntryProto *const *from,
		     size_t count)
{
	for (size_t i = 0; i < count; i++) {
		*list = arena_new(&r->graph->arena, struct property);
		**list = (struct property){ onnx_text(r, from[i]->key), onnx_text(r, from[i]->value), NULL };
		list = &(*list)->next;
	}
}

/* ---- the graph ---- */

typedef int read_fn(struct onnx_reader *r, struct span in);

/* Reads every element of one repeated field. */
static int read_all(struct onnx_reader *r, struct span message, uint32_t number, read_fn *read)
{
	struct wire_field f;
	while (wire_next(&message, &f))
		if (f.number == number && f.type == WIRE_BYTES && read(r, f.bytes) < 0)
			return -1;
	return wire_failed(message) ? onnx_damaged(r, "a message") : 0;
}

/* Name, documentation, metadata; sparse initializers and what qcc does not know stay packed. */
static int read_graph_header(struct onnx_reader *r, struct span in)
{
	const uint64_t small = WIRE_SET(GRAPH_NAME) | WIRE_SET(GRAPH_DOC) | WIRE_SET(GRAPH_METADATA);
	const uint64_t read = small | WIRE_SET(GRAPH_NODE) | WIRE_SET(GRAPH_INITIALIZER) | WIRE_SET(GRAPH_INPUT) |
			      WIRE_SET(GRAPH_OUTPUT) | WIRE_SET(GRAPH_VALUE_INFO) | WIRE_SET(GRAPH_ANNOTATION);
	Onnx__GraphProto *p = onnx_unpack(r, &onnx__graph_proto__descriptor, in, ~small, "the graph");
	if (!p)
		return -1;
	struct graph *g = r->graph;
	g->name = onnx_text(r, p->name);
	g->doc = onnx_text(r, p->doc_string);
	onnx_properties(r, &g->graph_metadata, p->metadata_props, p->n_metadata_props);
	onnx__graph_proto__free_unpacked(p, NULL);
	r->rest.size = 0;
	wire_gather(&r->rest, in, ~read);
	g->sparse_size = r->rest.size;
	g->sparse_proto = arena_copy(&g->arena, r->rest.bytes, r->rest.size);
	return 0;
}

static int undefined_use(const struct value *v, const struct use *u, struct diags *d)
{
	static const char remedy[] = "export the model again";
	if (!u->user)
		return diag_error(d, remedy, "graph output '%s' is computed by no node", v->name);
	const struct node *n = u->user;
	bool captured = n->n_captures && u >= n->captures && u < n->captures + n->n_captures;
	if (captured)
		return diag_node_error(d, u->user, remedy, "its subgraph uses '%s', which nothing defines", v->name);
	return diag_node_error(d, u->user, remedy,
			       "its input %u is '%s', which no node, graph input or initializer defines", u->index,
			       v->name);
}

int onnx_check_defined(const struct graph *g, const struct map *others, struct diags *d)
{
	graph_for_each_value (g, v) {
		bool elsewhere = others && map_has(others, v->name);
		if (v->producer || v->constant || v->is_input || elsewhere || !v->uses)
			continue;
		const struct use *first = v->uses; /* the list has the newest first */
		while (first->next)
			first = first->next;
		return undefined_use(v, first, d);
	}
	return 0;
}

static int read_graph(struct onnx_reader *r, struct span in)
{
	static const struct {
		uint32_t number;
		read_fn *read;
	} steps[] = {
		{ GRAPH_INPUT, onnx_read_input },	    { GRAPH_INITIALIZER, onnx_read_initializer },
		{ GRAPH_SPARSE, onnx_read_sparse },	    { GRAPH_NODE, onnx_read_node },
		{ GRAPH_OUTPUT, onnx_read_output },	    { GRAPH_VALUE_INFO, onnx_read_value_info },
		{ GRAPH_ANNOTATION, onnx_read_annotation },
	};
	if (read_graph_header(r, in) < 0)
		return -1;
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		if (read_all(r, in, steps[i].number, steps[i].read) < 0)
			return -1;
		blob_let_go(r->file);
	}
	if (onnx_check_defined(r->graph, &r->sparse, r->diags) < 0)
		return -1;
	return graph_sort(r->graph, r->diags);
}

/* ---- functions ---- */

static int read_function(struct onnx_reader *r, struct span in)
{
	struct graph *g = r->graph;
	struct span name = wire_bytes(in, 1), domain = wire_bytes(in, 10), overload = wire_bytes(in, 13);
	struct function *f = arena_new(&g->arena, struct function);
	f->name = arena_strndup(&g->arena, name.at ? (const char *)name.at : "", span_size(name));
	f->domain = arena_strndup(&g->arena, domain.at ? (const char *)domain.at : "", span_size(domain));
	f->overload = arena_strndup(&g->arena, overload.at ? (const char *)overload.at : "", span_size(overload));
	f->size = span_size(in);
	f->proto = arena_copy(&g->arena, in.at, f->size);
	if (r->last_function)
		r->last_function->next = f;
	else
		g->functions = f;
	r->last_function = f;
	map_set(&r->functions, arena_printf(&g->arena, "%s\1%s", f->domain, f->name), f);
	return 0;
}

/* A function's inputs and outputs are bare names. */
static int read_function_input(struct onnx_reader *r, struct span in)
{
	struct value *v = onnx_value(r, arena_strndup(&r->graph->arena, (const char *)in.at, span_size(in)));
	if (v->is_input)
		return onnx_defined_twice(r, v, "another input");
	graph_add_input(r->graph, v);
	return 0;
}

static int read_function_output(struct onnx_reader *r, struct span in)
{
	struct value *v = onnx_value(r, arena_strndup(&r->graph->arena, (const char *)in.at, span_size(in)));
	graph_add_output(r->graph, v, v->name);
	return 0;
}

static int read_function_opset(struct onnx_reader *r, struct span in)
{
	if (++r->n_opsets > OPSETS_AT_MOST)
		return diag_error(r->diags, NULL, "a function imports more than %d operator sets", OPSETS_AT_MOST);
	struct span domain = wire_bytes(in, 1);
	char *name = arena_strndup(&r->graph->arena, domain.at ? (const char *)domain.at : "", span_size(domain));
	graph_set_opset(r->graph, name, (int64_t)wire_int(in, 2, 0));
	return 0;
}

static int read_function_body(struct onnx_reader *r, struct span in)
{
	if (read_all(r, in, FUNCTION_OPSET, read_function_opset) < 0 ||
	    read_all(r, in, FUNCTION_INPUT, read_function_input) < 0 ||
	    read_all(r, in, FUNCTION_NODE, onnx_read_node) < 0 ||
	    read_all(r, in, FUNCTION_OUTPUT, read_function_output) < 0 ||
	    read_all(r, in, FUNCTION_VALUE_INFO, onnx_read_value_info) < 0 ||
	    onnx_check_defined(r->graph, &r->sparse, r->diags) < 0)
		return -1;
	return graph_sort(r->graph, r->diags);
}

static void reader_free(struct onnx_reader *r)
{
	onnx_close_externals(r);
	wire_buffer_free(&r->rest);
	map_free(&r->functions);
	map_free(&r->interned);
	map_free(&r->sparse);
	vec_free(&r->inputs);
	vec_free(&r->outputs);
}

struct graph *function_read(const struct function *f, struct diags *d)
{
	struct onnx_reader r = { .graph = graph_new(), .diags = d };
	r.graph->name = arena_strdup(&r.graph->arena, f->name);
	int result = read_function_body(&r, span_of(f->proto, f->size));
	reader_free(&r);
	if (result == 0)
		return r.graph;
	graph_free(r.graph);
	return NULL;
}

/* ---- the model ---- */

static int read_model_header(struct onnx_reader *r, struct span in)
{
	const uint64_t small = (WIRE_SET(7) - 2) | WIRE_SET(8) | WIRE_SET(14);
	Onnx__ModelProto *p = onnx_unpack(r, &onnx__model_proto__descriptor, in, ~small, "the model");
	if (!p)
		return -1;
	struct graph *g = r->graph;
	g->ir_version = p->ir_version;
	g->model_version = p->model_version;
	g->producer_name = onnx_text(r, p->producer_name);
	g->producer_version = onnx_text(r, p->producer_version);
	g->model_domain = onnx_text(r, p->domain);
	g->model_doc = onnx_text(r, p->doc_string);
	bool many = p->n_opset_import > OPSETS_AT_MOST;
	for (size_t i = 0; i < p->n_opset_import && !many; i++)
		graph_set_opset(g, p->opset_import[i]->domain ? p->opset_import[i]->domain : "",
				p->opset_import[i]->version);
	onnx_properties(r, &g->metadata, p->metadata_props, p->n_metadata_props);
	onnx__model_proto__free_unpacked(p, NULL);
	if (many)
		return diag_error(r->diags, NULL, "it imports more than %d operator sets", OPSETS_AT_MOST);
	r->rest.size = 0;
	wire_gather(&r->rest, in, ~(small | WIRE_SET(MODEL_GRAPH) | WIRE_SET(MODEL_FUNCTIONS)));
	g->training_size = r->rest.size;
	g->training_proto = arena_copy(&g->arena, r->rest.bytes, r->rest.size);
	return 0;
}

/* Says what a file is that does not hold a model. */
static int no_model(struct onnx_reader *r, struct span in, bool damaged)
{
	struct wire_field first;
	bool like_onnx = wire_next(&in, &first) && first.number == MODEL_IR_VERSION && first.type == WIRE_VARINT;
	if (!r->file->size)
		return diag_error(r->diags, "export the model again", "the file is empty");
	if (damaged && like_onnx)
		return diag_error(r->diags, "copy or export the file again", "the file is cut short or damaged");
	if (like_onnx)
		return diag_error(r->diags, "export the model again", "the model has no graph");
	return diag_error(r->diags, "give a file in ONNX's binary form, or name it .onnxtxt for the textual one",
			  "this is no ONNX model");
}

static int read_model(struct onnx_reader *r, struct span in)
{
	struct wire_field f;
	bool found = false;
	struct span walk = in;
	while (wire_next(&walk, &f))
		found |= f.number == MODEL_GRAPH && f.type == WIRE_BYTES;
	if (!found || wire_failed(walk))
		return no_model(r, in, wire_failed(walk));
	if (read_model_header(r, in) < 0 || read_all(r, in, MODEL_FUNCTIONS, read_function) < 0)
		return -1;
	return read_graph(r, wire_bytes(in, MODEL_GRAPH));
}

static struct graph *read_binary(struct blob *file, const char *path, struct diags *d)
{
	if (file->size > INT32_MAX) {
		diag_error(d, "keep the weights in a file of their own (external data)",
			   "the file has %zu bytes; a message of protocol buffers has at most 2^31 - 1", file->size);
		return NULL;
	}
	struct onnx_reader r = { .graph = graph_new(), .diags = d, .file = file, .path = path };
	r.graph->file = arena_strdup(&r.graph->arena, path);
	int result = read_model(&r, span_of(file->base, file->size));
	reader_free(&r);
	if (result == 0)
		return r.graph;
	graph_free(r.graph);
	return NULL;
}

static struct graph *read_text(const struct blob *file, const char *path, struct diags *d)
{
	struct strbuf text = { 0 };
	strbuf_add(&text, file->size ? file->base : "", file->size);
	struct graph *g = graph_parse(strbuf_text(&text), path, d);
	strbuf_free(&text);
	return g;
}

/* Takes the blob's reference over. */
static struct graph *read_blob(struct blob *file, const char *path, struct diags *d)
{
	const char *context = d->file, *ending = strrchr(path, '.');
	d->file = path;
	bool textual = ending && strcmp(ending, ".onnxtxt") == 0;
	struct graph *g = textual ? read_text(file, path, d) : read_binary(file, path, d);
	d->file = context;
	blob_unref(file);
	return g;
}

/* What has no name to tell it by: messages of protobuf begin with a byte that no text has. */
static bool looks_textual(const struct blob *b)
{
	const unsigned char *bytes = b->base;
	return b->size && (bytes[0] >= ' ' || bytes[0] == '\n');
}

struct graph *graph_read(const char *path, struct diags *d)
{
	struct blob *file = file_map(path, d);
	if (file && file_is_standard(path) && looks_textual(file))
		path = "-.onnxtxt";
	return file ? read_blob(file, path, d) : NULL;
}

struct graph *graph_read_below(const char *folder, const char *name, struct diags *d)
{
	struct blob *file = file_map_below(folder, name, d);
	char *path = path_join(*name == '/' ? "" : folder, name);
	struct graph *g = file ? read_blob(file, path, d) : NULL;
	free(path);
	return g;
}

struct graph *graph_read_bytes(const void *bytes, size_t size, const char *path, struct diags *d)
{
	void *copy = memory_try(size);
	if (!copy) {
		diag_error(d, NULL, "no memory for the %zu bytes of '%s'", size, path);
		return NULL;
	}
	if (size)
		memcpy(copy, bytes, size);
	return read_blob(blob_new(copy, size, false), path, d);
}

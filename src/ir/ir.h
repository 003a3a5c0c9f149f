/* The intermediate representation: a graph of nodes and values in SSA form.
 *
 * A value has one producer (a node, or none: graph inputs and constants) and any number of uses. Each
 * input slot of a node, and each graph output, is a `struct use` linked into its value's list, so that
 * replacing or removing costs what it touches. Nodes form a list in topological order at all times.
 * Only the functions below write those lists. Names of values are unique. */
#ifndef QCC_IR_IR_H
#define QCC_IR_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ir/datatype.h"
#include "ir/tensor.h"
#include "util/arena.h"
#include "util/diag.h"
#include "util/map.h"
#include "util/strbuf.h"

struct graph;
struct node;
struct value;
struct op; /* ops/op.h */

/* Tensor_layout annotation: which axis means what. */
enum layout { LAYOUT_UNKNOWN, LAYOUT_NCHW, LAYOUT_NHWC, LAYOUT_NCW, LAYOUT_NWC, LAYOUT_NC, LAYOUT_COUNT };

/* One use of a value: an input slot of a node, or a graph output (user NULL). */
struct use {
	struct value *value; /* NULL: the optional input is omitted */
	struct node *user;   /* NULL: this is graph->outputs[index] */
	uint32_t index;
	struct use *prev, *next; /* among the value's uses */
};

/* Key and string, for metadata_props and quantization annotations that qcc does not interpret. */
struct property {
	const char *key, *text;
	struct property *next;
};

/* Fields of a message that qcc does not read, in the encoding of the file. */
struct unread_fields {
	size_t size;
	unsigned char bytes[];
};

/* The rarely present parts of a value, so that the common ones stay small. */
struct value_extra {
	const char *doc;
	struct property *metadata;
	struct property *annotations; /* quantization_annotation keys other than the two known */
	const void *type_proto;	      /* a TypeProto that is not of a tensor, in the encoding of the file */
	size_t type_proto_size;
	const char *const *dim_params; /* rank names of symbolic dims, NULL entries elsewhere; or NULL */
	const char *const *dim_denotations;
	const char *denotation; /* of the type; NULL: none */
	const char *tensor_doc; /* an initializer's own, apart from its value_info's; NULL: none */
	struct property *tensor_metadata;
};

/* Bounds of the integers a value can hold, whole and per channel. Inclusive. */
struct range {
	int64_t lo, hi;
	int32_t channels; /* 0: no per-channel bounds */
	int32_t axis;	  /* which axis the channels are */
	const int64_t *channel_lo, *channel_hi;
};

struct value {
	const char *name;
	uint32_t id;	      /* dense in the graph: index of side tables */
	uint8_t elem;	      /* enum elem_type; ELEM_UNDEFINED: not known (yet) */
	int8_t rank;	      /* -1: not known */
	uint8_t layout;	      /* enum layout */
	bool is_input : 1;    /* a graph input (a constant may be listed as one too) */
	bool is_pinned : 1;   /* captured by name in a subgraph: neither renamed nor removed */
	bool is_replaced : 1; /* another value has taken its place (ir/origin.c) */
	bool is_declared : 1; /* had a value_info (or input/output entry) when read */
	struct datatype datatype;
	const int64_t *dims; /* rank of them, -1 where unknown */
	struct node *producer;
	struct use *uses;	   /* unordered list */
	struct tensor *constant;   /* an initializer's elements; the value owns a reference */
	const struct range *range; /* set by range analysis; NULL: not analysed */
	struct value_extra *extra; /* NULL: none */
	struct value *prev, *next; /* in the graph's list of values */
};

/* Numbered as AttributeProto.AttributeType. */
enum attr_kind {
	ATTR_FLOAT = 1,
	ATTR_INT = 2,
	ATTR_STRING = 3,
	ATTR_TENSOR = 4,
	ATTR_GRAPH = 5,
	ATTR_FLOATS = 6,
	ATTR_INTS = 7,
	ATTR_STRINGS = 8,
	ATTR_TENSORS = 9,
	ATTR_GRAPHS = 10,
	ATTR_SPARSE_TENSOR = 11,
	ATTR_SPARSE_TENSORS = 12,
	ATTR_TYPE_PROTO = 13,
	ATTR_TYPE_PROTOS = 14,
};

/* The rarely present parts of an attribute. */
struct attr_extra {
	const char *ref_attr_name; /* in a model-local function: the attribute it stands for */
	const char *doc;
	const char *tensor_name; /* what the file calls the tensor; NULL: nothing */
};

struct attr {
	const char *name;
	enum attr_kind kind;
	uint32_t count; /* of floats, ints, strings; bytes of s and raw (a message is below 2^31) */
	union {
		float f;
		int64_t i;
		const char *s; /* count bytes and a terminating 0 */
		const float *floats;
		const int64_t *ints;
		const char *const *strings;
		struct tensor *t; /* owned by the node */
		const void *raw;  /* any other kind: the AttributeProto in the encoding of the file */
	};
	struct attr_extra *extra; /* NULL: none */
	struct attr *next;
};

/* Nodes of the file that was read, by their places in graph.sources, sorted. */
struct origin {
	uint32_t count;
	uint32_t ids[];
};

struct source_node {
	const char *name, *op_type; /* as in the file; name is that of the first output where the node has none */
};

struct node {
	const char *name;	      /* may be "" as read; clean-up gives each a name */
	const char *op_type, *domain; /* domain as read; "" is ONNX's own */
	const char *overload;	      /* of a model-local function, else "" */
	const struct op *op;	      /* NULL: unknown operator (or a model-local function) */
	struct graph *graph;
	struct use *inputs;
	struct value **outputs; /* NULL entries: optional output omitted */
	uint32_t n_inputs, n_outputs;
	uint32_t id; /* dense in the graph */
	struct attr *attrs;
	const char *doc;
	struct property *metadata;
	const struct unread_fields *unknown; /* fields of NodeProto that qcc does not read; NULL: none */
	struct use *captures;		     /* values that its subgraph attributes use by name */
	uint32_t n_captures;
	const struct origin *origin; /* see graph_mark_sources; NULL: not known */
	struct node *prev, *next;    /* topological order */
};

/* A model-local function in the encoding of the file; inlining reads it. */
struct function {
	const char *domain, *name, *overload;
	const void *proto; /* FunctionProto */
	size_t size;
	struct function *next;
};

struct opset {
	const char *domain;
	int64_t version;
	struct opset *next;
};

struct graph {
	struct arena arena;
	struct arena name_arena;  /* names of nodes and values, until graph_rename gives new ones */
	struct arena range_arena; /* bounds that range analysis computed, until it runs again */
	const char *name, *doc;
	const char *file;	   /* where it was read from, for diagnostics; "" otherwise */
	struct node *first, *last; /* nodes in topological order */
	struct value *values;	   /* all values, newest last */
	struct value *last_value;
	struct value **inputs;	   /* as declared, initializers listed as inputs included */
	struct use *outputs;	   /* user NULL */
	const char **output_names; /* the interface: what each output is called */
	uint32_t n_inputs, n_outputs;
	uint32_t n_nodes;
	uint32_t next_node_id, next_value_id;
	struct map names; /* value name -> struct value */
	struct {
		struct node **items;
		size_t count, capacity;
	} removed_nodes; /* see graph_reclaim */
	struct {
		struct value **items;
		size_t count, capacity;
	} removed_values;
	/* the model around it */
	int64_t ir_version, model_version;
	const char *producer_name, *producer_version, *model_domain, *model_doc;
	struct opset *opsets;
	struct property *metadata; /* of the model */
	struct property *graph_metadata;
	struct function *functions;
	const void *
		training_proto; /* fields of ModelProto and GraphProto that qcc does not read, in the encoding of the file */
	size_t training_size;
	const void *sparse_proto;
	size_t sparse_size;
	struct source_node *sources; /* see graph_mark_sources */
	uint32_t n_sources;
	unsigned properties; /* what passes established: enum graph_property in passes/pass.h */
	bool names_due;	     /* nodes and values wait for readable names (pass unique-names) */
};

/* ---- graphs ---- */
struct graph *graph_new(void);
void graph_free(struct graph *g);
/* A deep copy that shares tensors. */
struct graph *graph_copy(const struct graph *g);
int64_t graph_opset(const struct graph *g, const char *domain); /* 0 where not imported */
void graph_set_opset(struct graph *g, const char *domain, int64_t version);
/* Appends; both count as part of the interface. */
void graph_add_input(struct graph *g, struct value *v);
void graph_add_output(struct graph *g, struct value *v, const char *name);
/* Empties the list of inputs. The values stay, without a producer. */
void graph_drop_inputs(struct graph *g);
/* Leaves the first `count` outputs. */
void graph_drop_outputs(struct graph *g, uint32_t count);
/* Output i becomes another value, under the same interface name. */
void graph_set_output(struct graph *g, uint32_t i, struct value *v);
struct value *graph_value(const struct graph *g, const char *name); /* NULL: no such value */

/* What follows n, on its way from memory while n is looked at: in large graphs the lists do not fit the caches. */
static inline struct node *node_ahead(const struct node *n)
{
	struct node *next = n ? n->next : NULL;
	__builtin_prefetch(next);
	__builtin_prefetch((const void *)((uintptr_t)next + 64)); /* by number: NULL + 64 is undefined */
	return next;
}
static inline struct value *value_ahead(const struct value *v)
{
	struct value *next = v ? v->next : NULL;
	__builtin_prefetch(next);
	__builtin_prefetch((const void *)((uintptr_t)next + 64)); /* by number: NULL + 64 is undefined */
	return next;
}

/* Every node, in topological order; the body may remove the node it is at, or insert before it. */
#define graph_for_each_node(g, n) \
	for (struct node *n = (g)->first, *n##_next = node_ahead(n); n; n = n##_next, n##_next = node_ahead(n))
#define graph_for_each_value(g, v) \
	for (struct value *v = (g)->values, *v##_next = value_ahead(v); v; v = v##_next, v##_next = value_ahead(v))
#define value_for_each_use(v, u) \
	for (struct use *u = (v)->uses, *u##_next = u ? u->next : NULL; u; u = u##_next, u##_next = u ? u->next : NULL)

/* Graph inputs that are fed, initializers listed as inputs left out: their number; fills up to max. */
size_t graph_data_inputs(const struct graph *g, struct value **inputs, size_t max);

/* ---- values ---- */
/* A new value; the name is made unique from the hint (NULL: "v"). Type unknown. */
struct value *value_new(struct graph *g, const char *hint);
/* A new value with exactly that name; NULL where it is taken. */
struct value *value_new_named(struct graph *g, const char *name);
/* A constant; takes over the caller's reference on the tensor. Type from the tensor. */
struct value *value_new_constant(struct graph *g, const char *hint, struct tensor *t);
/* Replaces the elements (and type) of a constant; takes over the reference. All its users see it. */
void value_set_constant(struct value *v, struct tensor *t);
void value_set_type(struct graph *g, struct value *v, enum elem_type elem, int rank, const int64_t *dims);
/* Copies storage type, shape, datatype and layout. */
void value_copy_type(struct graph *g, struct value *to, const struct value *from);
/* All uses of `from` (node inputs and graph outputs) become uses of `to`. */
void value_replace_uses(struct value *from, struct value *to);
/* The same for all uses but those of one node, which computes `to` from `from`. */
void value_move_uses(struct value *from, struct value *to, const struct node *except);
/* False where the name is taken. */
bool value_rename(struct graph *g, struct value *v, const char *name);
/* How graph_rename names: each function adds the name to the empty buffer, or nothing to keep the one there is. */
struct renaming {
	void (*node)(void *user, const struct node *n, struct strbuf *name);
	void (*value)(void *user, const struct value *v, struct strbuf *name);
	void *user;
};
/* Names all nodes, in order, then all values; where a value's name is taken, it gets the next free one. Inputs,
 * outputs' names and pinned values keep theirs. Earlier pointers to names are invalid afterwards. O(values). */
void graph_rename(struct graph *g, const struct renaming *how);
/* Removes a value that has neither producer nor uses and is no input. */
void value_remove(struct graph *g, struct value *v);
struct value_extra *value_extra(struct graph *g, struct value *v); /* made where missing */

static inline bool value_is_constant(const struct value *v)
{
	return v && v->constant && !v->producer;
}
struct use *value_only_use(const struct value *v); /* NULL unless there is exactly one */
bool value_is_output(const struct value *v);	   /* O(uses) */
/* All dims known. */
bool value_shape_known(const struct value *v);
/* Axis of the channels: from the layout; else 1 for rank >= 2, 0 for rank 1, -1 for a scalar. */
int value_channel_axis(const struct value *v);
/* The constant's only element (any shape of count 1); false where it is none. */
bool value_scalar(const struct value *v, double *out);

/* ---- nodes ---- */
/* A new node before `before` (NULL: at the end) with fresh outputs named after hint (NULL: after the
 * operator). Inputs may be NULL for omitted ones. Types of the outputs are unknown until inference. */
struct node *node_new(struct graph *g, struct node *before, const char *domain, const char *op_type,
		      struct value *const *inputs, size_t n_inputs, size_t n_outputs, const char *hint);
/* Like node_new, but the node gets exactly these outputs, which must have no producer. */
struct node *node_new_with(struct graph *g, struct node *before, const char *domain, const char *op_type,
			   struct value *const *inputs, size_t n_inputs, struct value *const *outputs, size_t n_outputs,
			   const char *hint);
/* Removes a node and its outputs, which must be unused, and constants that only this node used. */
void node_remove(struct node *n);
/* Replaces input i. The old value is removed where it is a constant without other uses. */
void node_set_input(struct node *n, size_t i, struct value *v);
void node_append_input(struct node *n, struct value *v);
void node_truncate_inputs(struct node *n, size_t count);
/* The node's subgraph uses v by name: v counts as used by it, and is pinned. */
void node_add_capture(struct node *n, struct value *v);
/* Moves n to stand right before `before` (NULL: the end). The caller keeps the order topological. */
void node_move(struct node *n, struct node *before);
void node_rename(struct node *n, const char *name);
/* Changes what the node computes; its inputs, outputs and attributes stay. */
void node_set_op(struct node *n, const char *domain, const char *op_type);

static inline struct value *node_input(const struct node *n, size_t i) /* NULL: omitted */
{
	return i < n->n_inputs ? n->inputs[i].value : NULL;
}
/* Whether an input is marked, by the value's id. */
static inline bool node_reads_any(const struct node *n, const bool *marks)
{
	for (uint32_t i = 0; i < n->n_inputs; i++)
		if (n->inputs[i].value && marks[n->inputs[i].value->id])
			return true;
	return false;
}
static inline struct value *node_output(const struct node *n, size_t i)
{
	return i < n->n_outputs ? n->outputs[i] : NULL;
}
/* The node's name, or its first output's where it has none. */
const char *node_label(const struct node *n);
/* ---- attributes ---- */
struct attr_extra *attr_extra(struct arena *a, struct attr *attr); /* made where missing */
static inline const char *attr_ref(const struct attr *a)	   /* NULL: it stands for itself */
{
	return a->extra ? a->extra->ref_attr_name : NULL;
}
const struct attr *node_attr(const struct node *n, const char *name); /* NULL: absent */
int64_t node_attr_int(const struct node *n, const char *name, int64_t fallback);
double node_attr_float(const struct node *n, const char *name, double fallback);
const char *node_attr_string(const struct node *n, const char *name, const char *fallback);
/* Points at the list; count 0 and NULL where absent. */
const int64_t *node_attr_ints(const struct node *n, const char *name, size_t *count);
const float *node_attr_floats(const struct node *n, const char *name, size_t *count);
/* Whether the integers of an attribute, as it was read, are such that a shape may be calculated with them: no larger than
 * 2^31 - 1, but for those that only bound or count something else. */
#define ATTR_LIMITS "an integer above 2^31 - 1"
bool attr_fits(const struct attr *a);
/* Set, or replace. */
void node_set_int(struct node *n, const char *name, int64_t i);
void node_set_float(struct node *n, const char *name, float f);
void node_set_string(struct node *n, const char *name, const char *s);
void node_set_ints(struct node *n, const char *name, const int64_t *ints, size_t count);
void node_set_floats(struct node *n, const char *name, const float *floats, size_t count);
void node_set_strings(struct node *n, const char *name, const char *const *strings, size_t count);
void node_remove_attr(struct node *n, const char *name);
void node_copy_attrs(struct node *to, const struct node *from);

/* ---- layouts, properties ---- */
const char *layout_name(enum layout l); /* "NCHW"; "" for unknown */
enum layout layout_parse(const char *text);
struct property *property_add(struct graph *g, struct property **list, const char *key, const char *text);
const char *property_get(const struct property *list, const char *key); /* NULL: absent */

/* ---- whole-graph checks (ir/verify.c) ---- */
/* The invariants of the structure: use lists, order, unique names, types. 0, or -1 with diagnostics. */
int graph_verify(const struct graph *g, struct diags *d);
/* The node has the inputs and outputs that its operator takes and gives. 0, or -1 with a diagnostic. */
int node_check_arity(const struct node *n, struct diags *d);
/* Puts the nodes into topological order, keeping the order they have where it is one. -1 with the
 * cycle's nodes named. For importers; edits keep the order by themselves. O(nodes + uses). */
int graph_sort(struct graph *g, struct diags *d);
/* Whether nothing reads the node's outputs. */
bool node_is_unused(const struct node *n);
/* Removes nodes whose outputs are unused and constants without a use; returns the number of nodes removed. */
size_t graph_remove_dead(struct graph *g);
/* Lets the memory of removed nodes and values be used again. Until then they can still be read, though they are no
 * longer part of the graph: the driver calls this after each pass, and sweeps that rebuild the whole graph call it
 * between two nodes. */
void graph_reclaim(struct graph *g);

/* ---- origins (ir/origin.c) ---- */
/* Records the present nodes as the sources of the graph. From here on node.origin of every node lists the sources
 * whose work it does, whatever passes do; reports show it. Nodes that a pass puts between others (a scale behind a
 * product) have none of their own. */
void graph_mark_sources(struct graph *g);
/* `to` stands for `from` from now on. value_replace_uses calls it; a pass that keeps both for a while (lower-convs) does
 * so where it makes the second. */
void origin_inherit(struct value *from, const struct value *to);
/* For graph_copy: `to` has the same nodes in the same order. */
void origin_copy(struct graph *to, const struct graph *from);

/* ---- diagnostics of nodes (ir/node_diag.c) ---- */
/* As diag_error (util/diag.h), naming a node. Returns -1. */
int diag_node_error(struct diags *d, const struct node *n, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Of any severity; n may be NULL. */
void diag_note(struct diags *d, enum severity severity, const struct node *n, const char *remedy, const char *format,
	       ...) __attribute__((format(printf, 5, 6)));

/* ---- files ---- */
/* Reads an .onnx file (or, by its ending .onnxtxt, ONNX's textual form). NULL with diagnostics. */
struct graph *graph_read(const char *path, struct diags *d);
/* The same for a file that a model names, below a folder ("": the working one) unless the user allows any path. */
struct graph *graph_read_below(const char *folder, const char *name, struct diags *d);
/* The same from memory, which is copied; files that it refers to are looked for beside `path`. */
struct graph *graph_read_bytes(const void *bytes, size_t size, const char *path, struct diags *d);
/* Writes it, through a temporary name. 0, or -1 with diagnostics. */
int graph_write(const struct graph *g, const char *path, struct diags *d);
/* ONNX's textual form, with QONNX datatypes and layouts as an extension: see ir/text_parse.c. */
struct graph *graph_parse(const char *text, const char *file, struct diags *d);
char *graph_print(const struct graph *g); /* malloc'd */

#endif

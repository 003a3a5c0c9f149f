/* What the files that read and write ONNX share: the reader's state, unpacking of single elements, tensors,
 * and model-local functions. Passes need function_read alone. */
#ifndef QCC_IR_ONNX_H
#define QCC_IR_ONNX_H

#include "ir/ir.h"
#include "ir/wire.h"
#include "proto/onnx.pb-c.h"

/* Field numbers of the messages that are walked at the wire level. */
enum model_field { MODEL_IR_VERSION = 1, MODEL_GRAPH = 7, MODEL_FUNCTIONS = 25 };
enum graph_field {
	GRAPH_NODE = 1,
	GRAPH_NAME = 2,
	GRAPH_INITIALIZER = 5,
	GRAPH_DOC = 10,
	GRAPH_INPUT = 11,
	GRAPH_OUTPUT = 12,
	GRAPH_VALUE_INFO = 13,
	GRAPH_ANNOTATION = 14,
	GRAPH_SPARSE = 15,
	GRAPH_METADATA = 16
};
enum node_field { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_OP_TYPE = 4, NODE_ATTRIBUTE = 5 };
enum attr_field {
	ATTR_FIELD_T = 5,
	ATTR_FIELD_G = 6,
	ATTR_FIELD_TENSORS = 10,
	ATTR_FIELD_GRAPHS = 11,
	ATTR_FIELD_TP = 14,
	ATTR_FIELD_TYPE_PROTOS = 15,
	ATTR_FIELD_SPARSE = 22,
	ATTR_FIELD_SPARSES = 23
};
enum tensor_field {
	TENSOR_FLOAT_DATA = 4,
	TENSOR_INT32_DATA = 5,
	TENSOR_STRING_DATA = 6,
	TENSOR_INT64_DATA = 7,
	TENSOR_NAME = 8,
	TENSOR_RAW_DATA = 9,
	TENSOR_DOUBLE_DATA = 10,
	TENSOR_UINT64_DATA = 11
};
enum function_field {
	FUNCTION_INPUT = 4,
	FUNCTION_OUTPUT = 5,
	FUNCTION_NODE = 7,
	FUNCTION_OPSET = 9,
	FUNCTION_DEFAULTS = 11,
	FUNCTION_VALUE_INFO = 12
};

/* Lists that are walked for each of their entries stay short. */
enum { OPSETS_AT_MOST = 1000, ANNOTATIONS_AT_MOST = 1000 };

struct external_file;

struct onnx_reader {
	struct graph *graph;
	struct diags *diags;
	struct blob *file; /* what is read lies in it; NULL: in memory that does not stay */
	const char *path;  /* of the model: external data lies beside it */
	struct external_file *externals;
	struct wire_buffer rest; /* for onnx_unpack */
	struct function *last_function;
	int n_opsets;		 /* that a function imports */
	struct map functions;	 /* "domain\1name" of each model-local function */
	struct map interned;	 /* strings that many nodes share */
	struct map sparse;	 /* names that sparse initializers define */
	const struct node *node; /* whose attribute is being read, for diagnostics; or NULL */
	const char *attr;
	struct node pending; /* stands for the producer while a node's outputs are collected */
	struct {
		struct value **items;
		size_t count, capacity;
	} inputs, outputs;
};

/* Unpacks a message without the fields of the set `leave_out`. NULL with a diagnostic naming `what`. */
void *onnx_unpack(struct onnx_reader *r, const ProtobufCMessageDescriptor *type, struct span in, uint64_t leave_out,
		  const char *what);
int onnx_damaged(struct onnx_reader *r, const char *what);
/* "" for an absent string; a copy in the graph's arena. */
const char *onnx_text(struct onnx_reader *r, const char *s);
/* The same, shared with all equal ones. */
const char *onnx_intern(struct onnx_reader *r, const char *s);
void onnx_properties(struct onnx_reader *r, struct property **list, Onnx__StringStringEntryProto *const *from,
		     size_t count);

/* A tensor; over the reader's file where its bytes lie aligned there. *rest gets what else the message says
 * (the caller frees it), also where NULL comes back with a diagnostic; NULL itself where it is damaged. */
struct tensor *onnx_read_tensor(struct onnx_reader *r, struct span in, Onnx__TensorProto **rest);
void onnx_close_externals(struct onnx_reader *r);

/* Each reads one element into the graph. 0, or -1 with a diagnostic. */
int onnx_read_node(struct onnx_reader *r, struct span in);
int onnx_read_input(struct onnx_reader *r, struct span in);
int onnx_read_output(struct onnx_reader *r, struct span in);
int onnx_read_value_info(struct onnx_reader *r, struct span in);
int onnx_read_initializer(struct onnx_reader *r, struct span in);
int onnx_read_sparse(struct onnx_reader *r, struct span in);
int onnx_read_annotation(struct onnx_reader *r, struct span in);
/* Says that `name` is defined twice. */
int onnx_defined_twice(struct onnx_reader *r, const struct value *v, const char *again);
/* Marks a value that the file names without defining it (yet); makes it where it is new. */
struct value *onnx_value(struct onnx_reader *r, const char *name);

/* Every value that is used must come from somewhere: a node, an input, a constant, or the map `others`
 * (NULL: none). 0, or -1 with a diagnostic that names the value and its first use. */
int onnx_check_defined(const struct graph *g, const struct map *others, struct diags *d);

/* The body of a model-local function as a graph of its own: inputs, outputs and opsets as the function lists
 * them; attributes that stand for the call's have ref_attr_name set. The names and defaults of the attributes
 * it takes stay packed in f->proto (FunctionProto's fields 6 and 11). NULL with a diagnostic. */
struct graph *function_read(const struct function *f, struct diags *d);

/* Packs sub-byte elements as files hold them, lowest bits first; `to` has (count * bits + 7) / 8 bytes. */
void onnx_pack_bits(uint8_t *to, const uint8_t *elements, int64_t count, unsigned bits);

/* graph_write with a limit of its own: constants that take more bytes together go to PATH.data. */
int graph_write_split(const struct graph *g, const char *path, uint64_t largest_inline, struct diags *d);
/* graph_print with every constant written out; malloc'd. */
char *graph_print_all(const struct graph *g);

/* A file that holds one TensorProto (ONNX's test data). NULL with a diagnostic. */
struct tensor *tensor_read_pb(const char *path, struct diags *d);

#endif

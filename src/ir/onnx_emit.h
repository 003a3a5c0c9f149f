/* Writing single elements of an ONNX model. See ir/onnx_write.c for how messages are counted and written. */
#ifndef QCC_IR_ONNX_EMIT_H
#define QCC_IR_ONNX_EMIT_H

#include "ir/onnx.h"
#include "ir/onnx_names.h"

struct writer {
	const struct graph *graph;
	struct diags *diags;
	FILE *stream;  /* NULL: only counts */
	uint64_t size; /* written or counted so far */
	struct {
		uint64_t *items;
		size_t count, capacity;
	} sizes;	  /* of nested messages, in order, as counted */
	size_t sizes_put; /* how many of them are written */
	struct output_names names;
	struct wire_buffer scratch;
	struct arena arena;	/* the messages of the element at hand */
	const char *data_name;	/* of the external data file, NULL: none */
	uint64_t *data_offsets; /* by value id; UINT64_MAX: stays in the model */
};

void emit_bytes(struct writer *w, const void *bytes, size_t size);
/* The tag of a field of `size` bytes, which follow. */
void emit_tag(struct writer *w, uint32_t number, uint64_t size);
/* The fields of a message, without a tag around them. */
void emit_fields(struct writer *w, const ProtobufCMessage *m);
typedef void emit_fn(struct writer *w, const void *what);
/* A message whose fields `emit` puts. What is written must have been counted, in the same order. */
void emit_nested(struct writer *w, uint32_t number, emit_fn *emit, const void *what);

/* protobuf-c's messages are not const; nothing writes through them. The second gives NULL for "". */
char *proto_text(const char *s);
char *proto_text_or_absent(const char *s);
Onnx__StringStringEntryProto **proto_entries(struct writer *w, const struct property *list, size_t *count);

uint64_t tensor_file_size(const struct tensor *t); /* of its elements, in bytes */
void emit_elements(struct writer *w, const struct tensor *t);
struct tensor_job {
	const struct tensor *tensor;
	const char *name;
	const struct value *value; /* of an initializer; or NULL */
};
void emit_tensor(struct writer *w, const void *what); /* a struct tensor_job */
void emit_node(struct writer *w, const void *what);   /* a struct node */
/* A node that gives an output the interface's name where its value must keep another. */
void emit_identity(struct writer *w, const struct value *v, const char *output);
/* A ValueInfoProto as field `number`. */
void emit_value(struct writer *w, uint32_t number, const struct value *v, const char *name);
/* Datatype, layout and other annotations; nothing where there are none. */
void emit_annotation(struct writer *w, const struct value *v, const char *name);

const char *writer_name(const struct writer *w, const struct value *v); /* "" for NULL */
bool writer_value_is_typed(const struct value *v);

#endif

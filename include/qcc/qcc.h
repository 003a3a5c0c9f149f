/* libqcc: the compiler as a library.
 *
 *     struct qcc_model *m = qcc_load("model.onnx");
 *     if (qcc_run(m, "streamline,fold") == 0 && qcc_emit(m, "finn,c", "out") == 0)
 *             puts("done");
 *     else
 *             fputs(qcc_messages(m), stderr);
 *     qcc_free(m);
 *
 * All state lives in the model that is passed in; nothing prints or exits. One model belongs to one thread at a time; several
 * models in several threads are fine. Functions that return int give 0, or -1 where something went wrong, which the model's
 * messages tell. Text and structures that a function returns belong to the model: texts live until the next call of the same
 * function on it, nodes and values until the next qcc_run, all of them until qcc_free. Text is UTF-8 as the file has it.
 * Memory that runs out is an error of the call. Numbers are written and read as in C whatever locale the program has set.
 * Programs in C that use it are in examples/. */
#ifndef QCC_QCC_H
#define QCC_QCC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define QCC_API __attribute__((visibility("default")))
#else
#define QCC_API
#endif

struct qcc_model;
struct qcc_node;  /* an operator in the graph */
struct qcc_value; /* what flows between them, and constants */

QCC_API const char *qcc_version(void);

/* ---- reading and writing ---- */

/* Reads a network (.onnx, or .onnxtxt for ONNX's text form). Never NULL: where reading failed, all other calls fail too and
 * qcc_messages says why. */
QCC_API struct qcc_model *qcc_load(const char *path);
/* The same from memory, which is copied. name is what messages call it and tells text from binary by its ending; weights that
 * lie in other files are looked for beside it. */
QCC_API struct qcc_model *qcc_load_memory(const void *bytes, size_t size, const char *name);
/* A copy that goes its own way; it has no messages. Weights are shared until one of the two changes them. */
QCC_API struct qcc_model *qcc_clone(const struct qcc_model *m);
QCC_API void qcc_free(struct qcc_model *m); /* NULL is fine */
/* Writes an ONNX file. */
QCC_API int qcc_write(struct qcc_model *m, const char *path);

/* ---- compiling ---- */

/* Runs passes, as behind `qcc -p`. After an error the graph is as the failing pass left it: free it, or work on a clone. */
QCC_API int qcc_run(struct qcc_model *m, const char *passes);
/* Of the following qcc_run: execute the graph before and after each pass on that many generated samples and fail at the first
 * pass that changes an output (0: do not), and compare generated thresholds with the operators they replace (0 or 1). */
QCC_API void qcc_set_verify(struct qcc_model *m, int64_t samples);
QCC_API void qcc_set_certify(struct qcc_model *m, int certify);
/* From now on what the graph is like after each pass is kept, for the page that the backend html writes. */
QCC_API void qcc_keep_stages(struct qcc_model *m);
/* Writes through backends, as behind `qcc -b` (NULL: all that the graph allows), below a folder that is made where missing.
 * All files appear or none; others in the folder stay. */
QCC_API int qcc_emit(struct qcc_model *m, const char *backends, const char *dir);

/* Called before each pass with its name, and while samples are executed with "execute"; done runs from 0 to 1. Where it
 * returns something other than 0, the call is given up with an error. NULL turns it off. */
typedef int qcc_progress_fn(void *user, const char *what, double done);
QCC_API void qcc_set_progress(struct qcc_model *m, qcc_progress_fn *progress, void *user);
/* Gives up what runs on the model, at the next pass or part of the samples. Any thread may call it, at any time; calls that
 * start later are not concerned. */
QCC_API void qcc_cancel(struct qcc_model *m);

/* ---- executing ---- */

/* Storage types, numbered as ONNX numbers them. */
enum qcc_type {
	QCC_UNDEFINED = 0,
	QCC_FLOAT = 1,
	QCC_UINT8 = 2,
	QCC_INT8 = 3,
	QCC_UINT16 = 4,
	QCC_INT16 = 5,
	QCC_INT32 = 6,
	QCC_INT64 = 7,
	QCC_STRING = 8,
	QCC_BOOL = 9,
	QCC_DOUBLE = 11,
	QCC_UINT32 = 12,
	QCC_UINT64 = 13
};

enum { QCC_MAX_RANK = 16 };

/* Elements in row-major order. */
struct qcc_array {
	enum qcc_type type;
	int rank;
	int64_t dims[QCC_MAX_RANK];
	void *data;
};

/* Computes the outputs from the inputs, one array for each as qcc_input and qcc_output list them. The first axis of the inputs
 * may have any multiple of the model's samples. Inputs of another numeric type than the model's are converted where every
 * element can be. The elements of outputs are allocated; qcc_array_free frees them. */
QCC_API int qcc_execute(struct qcc_model *m, const struct qcc_array *inputs, size_t n_inputs, struct qcc_array *outputs,
			size_t n_outputs);
QCC_API void qcc_array_free(struct qcc_array *a);

/* ---- looking at it ---- */

/* How many nodes of that operator; all where op_type is NULL. */
QCC_API size_t qcc_count(const struct qcc_model *m, const char *op_type);
/* Nodes in the order of execution; NULL behind the last. */
QCC_API const struct qcc_node *qcc_first_node(const struct qcc_model *m);
QCC_API const struct qcc_node *qcc_next_node(const struct qcc_node *n);
QCC_API const char *qcc_node_name(const struct qcc_node *n);
QCC_API const char *qcc_node_op_type(const struct qcc_node *n);
QCC_API const char *qcc_node_domain(const struct qcc_node *n); /* "" is ONNX's own */
QCC_API size_t qcc_node_input_count(const struct qcc_node *n);
QCC_API size_t qcc_node_output_count(const struct qcc_node *n);
QCC_API const struct qcc_value *qcc_node_input(const struct qcc_node *n, size_t i); /* NULL: omitted */
QCC_API const struct qcc_value *qcc_node_output(const struct qcc_node *n, size_t i);

/* Inputs (constants left out) and outputs of the network; NULL behind the last. */
QCC_API const struct qcc_value *qcc_input(const struct qcc_model *m, size_t i);
QCC_API const struct qcc_value *qcc_output(const struct qcc_model *m, size_t i);
QCC_API const char *qcc_output_name(const struct qcc_model *m, size_t i); /* what the interface calls it */
/* All values, constants too. */
QCC_API const struct qcc_value *qcc_first_value(const struct qcc_model *m);
QCC_API const struct qcc_value *qcc_next_value(const struct qcc_value *v);
QCC_API const char *qcc_value_name(const struct qcc_value *v);
QCC_API enum qcc_type qcc_value_type(const struct qcc_value *v);
/* What numbers it holds, as QONNX says it ("INT2", "BIPOLAR"), into a text of at least QCC_DATATYPE_SIZE characters, which is
 * returned; "FLOAT32" where nothing is known. */
enum { QCC_DATATYPE_SIZE = 64 };
QCC_API const char *qcc_value_datatype(const struct qcc_value *v, char text[QCC_DATATYPE_SIZE]);
QCC_API int qcc_value_rank(const struct qcc_value *v);			      /* -1: not known */
QCC_API int64_t qcc_value_dim(const struct qcc_value *v, int axis);	      /* -1: not known */
QCC_API const struct qcc_node *qcc_value_producer(const struct qcc_value *v); /* NULL: an input or a constant */
/* A constant's elements as a copy, which qcc_array_free frees. -1 where it is none, or of a type that enum qcc_type lacks. */
QCC_API int qcc_value_constant(const struct qcc_value *v, struct qcc_array *out);

/* What was done and what came out, as JSON: docs/report.md. */
QCC_API const char *qcc_report(struct qcc_model *m);
/* The graph as a picture: in Graphviz's DOT language, and as SVG, which needs Graphviz and a graph of at most 4,000 nodes
 * (NULL with a message otherwise). */
QCC_API const char *qcc_dot(struct qcc_model *m);
QCC_API const char *qcc_svg(struct qcc_model *m);
/* The graph in ONNX's text form. */
QCC_API const char *qcc_text(struct qcc_model *m);

/* ---- messages ---- */

enum qcc_severity { QCC_NOTE, QCC_WARNING, QCC_ERROR };

struct qcc_message {
	enum qcc_severity severity;
	const char *file, *node, *op, *pass; /* what is concerned; NULL: nothing of the kind */
	const char *cause;		     /* never NULL */
	const char *remedy;		     /* what to do about it, or NULL */
};

/* Since the model was loaded, or since they were last cleared; false (0) behind the last. */
QCC_API int qcc_message(const struct qcc_model *m, size_t i, struct qcc_message *out);
/* The same as text, a line each; "" where there were none. */
QCC_API const char *qcc_messages(struct qcc_model *m);
QCC_API void qcc_clear_messages(struct qcc_model *m);

#ifdef __cplusplus
}
#endif

#endif

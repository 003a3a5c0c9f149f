/* What the styles of the C backend share: the texts under construction, arrays of constants in one of three
 * forms, loops over storage, and the files around the network (header, main, build fragments). */
#ifndef QCC_BACKENDS_C_EMIT_H
#define QCC_BACKENDS_C_EMIT_H

#include "backends/backend.h"
#include "plan/plan.h"
#include "util/identifier.h"
#include "util/integers.h"
#include "util/strbuf.h"

enum array_type { ARRAY_I8, ARRAY_U8, ARRAY_I16, ARRAY_U16, ARRAY_I32, ARRAY_U32, ARRAY_I64, ARRAY_U64, ARRAY_F32 };

enum weights_form { WEIGHTS_ARRAY, WEIGHTS_INCBIN, WEIGHTS_FILE };

struct style;

struct emit {
	struct backend_ctx *ctx;
	const struct style *style;
	struct plan *plan;
	struct arena arena;
	const char *name; /* prefix of all symbols */
	const char *upper;
	const char *dir; /* where the files go */
	enum weights_form weights;
	bool testbench;
	bool dispatch;		     /* several targets, chosen at run time */
	struct strbuf code;	     /* functions of NAME.c */
	struct strbuf run;	     /* body of NAME_run */
	struct strbuf decls, arrays; /* NAME_weights.h and .c */
	struct strbuf loads;	     /* weights=file: assignments of NAME_load */
	struct strbuf blob;	     /* the bytes, where the weights are a file */
	struct map symbols;	     /* arrays so far */
	size_t rom;		     /* bytes of constants so far */
	size_t stack;		     /* what the layer under way takes beyond STACK_FRAME */
	size_t most_stack;	     /* of a layer so far, with it */
	bool infinity;		     /* an array has an infinite element */
	struct strbuf includes;	     /* further lines after NAME.c's includes */
	struct strbuf extra_header;  /* further declarations of NAME.h */
	void *style_data;	     /* the style's own */
	const char *suffix;	     /* of the functions of layers: "" or, where they take several samples, "_x16" */
	/* A second entry that starts behind the first layer, where the network's input can be had packed already:
	 * NAME_run_SUFFIX(const TYPE *in0, ...). NULL: none. */
	const char *entry_suffix, *entry_type;
	const char *entry_from; /* what NAME_run passes it */
	struct strbuf prologue; /* the first layer's call, in NAME_run alone */
	json_t *layers;		/* array of the report: a layer each */
	int64_t samples;	/* of a block of NAME_run_batch; 0: one by one */
	struct strbuf block;	/* body of the function that computes them */
};

/* One of the three styles. */
struct style {
	const char *name;
	const char *folder; /* below the output folder */
	struct plan_options plan;
	size_t align; /* of scratch and of buffers in it */
	/* Sets bytes of the buffers; may add to what the header says. */
	void (*size)(struct emit *e);
	/* Emits NAME.c's functions into e->code and calls into e->run. */
	int (*layers)(struct emit *e);
	/* How many samples the batch entry computes together; NULL: one. */
	int64_t (*samples)(struct emit *e);
	/* Further files (the kernels), or NULL. */
	int (*files)(struct emit *e);
};

extern const struct style style_reference, style_packed, style_tiny;

/* ---- arrays ---- */
/* Declares and defines NAME_suffix with count elements; data is in C's type for `type`. Returns the symbol. */
const char *emit_array(struct emit *e, enum array_type type, const void *data, size_t count, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
/* The same from int64_t values, in the smallest type that holds lo..hi. */
const char *emit_ints(struct emit *e, const int64_t *data, size_t count, const char **ctype, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
enum array_type array_type_for(int64_t lo, int64_t hi);
const char *array_ctype(enum array_type t);
size_t array_size(enum array_type t);

/* The exceptions of n lines, one list after the other, with `first` (n + 1 of them) saying where each starts. */
struct line_exceptions {
	int32_t *first, *x, *correction;
	int64_t count;
};
struct line_exceptions gather_exceptions(struct emit *e, const struct requantisation *lines, int64_t n);

/* ---- text ---- */
const char *elem_ctype(enum plan_elem e);
const char *buf_ctype(const struct plan_buf *b);
/* "int32_t" or "int64_t": what holds lo..hi while it is summed. */
const char *sum_ctype(int64_t lo, int64_t hi);
/* A C expression of type `type *` for the buffer's memory in NAME_run. */
const char *buf_pointer(struct emit *e, const struct plan_buf *b, const char *type);
/* A float constant as C text that reads back as the same number. */
const char *float_text(struct emit *e, double x);
/* "NAME_fc1": the function of layer l. */
const char *layer_function(struct emit *e, const struct plan_layer *l);
/* "fc1: dense 600 -> 64, 3 thresholds" and the like, for a comment. */
const char *layer_comment(struct emit *e, const struct plan_layer *l);

/* Gives p's layers names with which no symbol of generated code clashes (names.c). */
void name_layers(struct arena *a, struct plan *p);

/* ---- loops over a result's elements with strided operands ---- */
struct loops {
	int depth;
	int64_t dims[MAX_RANK];
	int64_t stride[3][MAX_RANK]; /* of operand 0, operand 1, of the channel index */
	int operands;
};
/* The loop nest over out, with axes merged where all strides allow. Strides may be NULL (contiguous). */
void loops_make(struct loops *n, const struct plan_buf *out, int operands, const int64_t *const strides[]);
/* Opens the loops with variables i0, i1, ...; the result is indexed by a running `o`. */
void loops_open(struct strbuf *b, const struct loops *n, int indent);
void loops_close(struct strbuf *b, const struct loops *n, int indent);
/* Index expression of operand k inside the loops. */
const char *loops_index(struct emit *e, const struct loops *n, int k);

/* ---- files (files.c) ---- */
int emit_files(struct emit *e);
void emit_parameters(struct emit *e, struct strbuf *b);	      /* "const NAME_input0 *in0, NAME_output0 *out0, " */
void emit_entry_parameters(struct emit *e, struct strbuf *b); /* the same of NAME_run_SUFFIX */
int emit_buffer(struct emit *e, const char *suffix, struct strbuf *b); /* writes file NAMEsuffix and frees b */
int write_dispatch(struct emit *e);				       /* dispatch.c */
int emit_block(struct emit *e); /* batch.c: kernels for several samples, where they pay */
void batch_functions(struct emit *e, struct strbuf *b);
int write_main(struct emit *e);	     /* main_file.c */
int write_testbench(struct emit *e); /* testbench.c */
int emit_text_file(struct emit *e, const char *name, const char *text, size_t size);

/* ---- reference kernels, one a kind; other styles use them for layers they have no form for ---- */
void ref_mac(struct emit *e, const struct plan_layer *l);
void ref_deconv(struct emit *e, const struct plan_layer *l);
void ref_threshold(struct emit *e, const struct plan_layer *l);
void ref_maxpool(struct emit *e, const struct plan_layer *l);
void ref_sum(struct emit *e, const struct plan_layer *l);
void ref_binary(struct emit *e, const struct plan_layer *l);
void ref_unary(struct emit *e, const struct plan_layer *l);
void ref_product(struct emit *e, const struct plan_layer *l);
void ref_softmax(struct emit *e, const struct plan_layer *l);
void ref_topk(struct emit *e, const struct plan_layer *l);
void ref_concat(struct emit *e, const struct plan_layer *l);
void ref_move(struct emit *e, const struct plan_layer *l);
/* Bytes of stack that any layer's function takes, for saved registers, alignment and spilled numbers, and those of
 * NAME_run itself. Beyond them e->stack counts arrays and vectors that are held at a time: estimates from above for
 * GCC 12 on x86-64, plain loops at -O2 (which does not turn them into large blocks of vectors, as -O3 does) and the
 * packed kernels at -O3 for SSE2, AVX2 or AVX-512, whichever takes most. tests/backends/c_stack.py compares. */
enum { STACK_FRAME = 160, STACK_RUN = 96 };
/* Adds layer l to the report; rom_before: e->rom before it was emitted. Starts e->stack for the next one. */
void emit_layer_report(struct emit *e, const struct plan_layer *l, size_t rom_before, const char *kernel);
/* The function of layer l by its kind's kernel, and its call in NAME_run. */
void ref_layer(struct emit *e, const struct plan_layer *l);

/* Text shared by those kernels: */
/* "static void NAME_fc1(const int8_t *restrict x, uint8_t *restrict y)\n{\n" after a comment. */
void ref_open(struct emit *e, const struct plan_layer *l);
void ref_close(struct emit *e);
/* The loop over images of a batch, where the graph's own has several. */
void ref_images(struct emit *e, const struct plan_layer *l);
/* `y[index] = ...` from the sum named `sum` of channel `channel` (C expressions) through the layer's stage. */
void ref_store(struct emit *e, const struct plan_layer *l, int indent, const char *index, const char *channel);
/* An element of b (an expression) as the value it stands for, and a value (an expression) as an element of b, cast
 * to its type: they differ where the style stores codes. */
const char *ref_value(struct emit *e, const struct plan_buf *b, const char *element);
const char *ref_element(struct emit *e, const struct plan_buf *b, const char *value);
/* l->operand as an array that is indexed, or as a literal. */
const char *ref_constant(struct emit *e, const struct plan_layer *l, const char *index);
/* Thresholds as an array; returns the symbol and the C type of an element. */
const char *stage_array(struct emit *e, const struct plan_layer *l, const char **ctype);

#endif

/* What the styles of the C backend share: the texts under construction, arrays of constants in one of several
 * forms, loops over storage. */
#ifndef QCC_BACKENDS_C_EMIT_H
#define QCC_BACKENDS_C_EMIT_H

#include "backends/backend.h"
#include "plan/plan.h"
#include "util/identifier.h"
#include "util/integers.h"
#include "util/strbuf.h"

enum array_type { ARRAY_I8, ARRAY_U8, ARRAY_I16, ARRAY_U16, ARRAY_I32, ARRAY_U32, ARRAY_I64, ARRAY_U64, ARRAY_F32 };

/* WEIGHTS_STATIC: in the file that uses them, as another backend writes it. */
enum weights_form { WEIGHTS_ARRAY, WEIGHTS_INCBIN, WEIGHTS_FILE, WEIGHTS_STATIC };

struct style;

/* Arrays of constants: NAME_weights.h and .c, and the bytes where they are a file of their own. */
struct constants {
	enum weights_form form;
	struct strbuf declarations, definitions;
	struct strbuf blob;
	struct strbuf loads; /* WEIGHTS_FILE: assignments of NAME_load */
	struct map arrays;   /* by symbol */
	size_t bytes;
};

/* Statements that call functions of layers. */
struct calls {
	struct strbuf text;
	bool uses_scratch; /* some argument lies in scratch memory */
};

/* A second entry that starts behind the first layer, where the network's input can be had packed already:
 * NAME_run_SUFFIX(const TYPE *in0, ...). */
struct entry {
	const char *suffix;   /* NULL: there is none */
	const char *type;     /* of an element */
	const char *from;     /* what NAME_run passes it */
	struct calls before;  /* the first layer's call, in NAME_run alone */
	struct strbuf header; /* what NAME.h says of it */
};

/* Samples that NAME_run_batch computes together. */
struct block {
	int64_t samples; /* 0: one by one */
	struct calls run;
};

/* The files of a network in one style, and the options they are written with. */
struct output {
	struct backend_ctx *ctx;
	const struct style *style;
	struct arena arena;
	const char *name;  /* prefix of all symbols */
	const char *upper; /* and of macros */
	const char *dir;   /* where the files go */
	bool testbench;
	bool library;	    /* a folder as Arduino and PlatformIO want it, in place of main.c and makefiles */
	bool dispatch;	    /* several targets, chosen at run time */
	bool single_target; /* not asked for */
	struct constants constants;
	struct strbuf code;	/* functions of NAME.c */
	struct strbuf includes; /* further lines after NAME.c's includes */
	bool kernels;		/* NAME_kernels.h, with the style's text */
	bool infinity;		/* some constant is infinite or no number */
	size_t most_stack;	/* of a layer so far, with STACK_FRAME */
	struct entry entry;
	struct block block;
};

/* One plan on its way into an output: the network for one sample, or for a block of them. */
struct emit {
	struct output *out;
	struct plan *plan;
	int64_t samples;    /* of a block; 0: one sample */
	const char *suffix; /* of the functions of layers: "" or, of a block, "_x8" */
	struct calls run;   /* body of NAME_run, or of the block's function */
	size_t stack;	    /* what the layer under way takes beyond STACK_FRAME */
	json_t *layers;	    /* array of the report: one entry for each layer */
	void *style_data;   /* the style's own */
	/* Parts of the output that every kernel needs. */
	struct arena *arena;
	struct strbuf *code;
	struct constants *constants;
	const char *name;
};

/* An output without texts. */
void output_init(struct output *out, struct backend_ctx *ctx, const struct style *style);
void output_free(struct output *out);
/* A plan on its way into it, with no calls yet; emit_end frees these. */
struct emit emit_begin(struct output *out, struct plan *plan);
void emit_end(struct emit *e);

/* One of the styles (styles.def). */
struct style {
	const char *name;
	const char *folder; /* below the output folder, where there are several */
	struct plan_options plan;
	size_t align;	     /* of scratch and of buffers in it */
	bool has_dispatch;   /* takes the option dispatch */
	bool flash;	     /* constants stay where the program is: no weights=file */
	const char *kernels; /* text of NAME_kernels.h; NULL: none */
	/* Sets bytes of the buffers. */
	void (*size)(struct emit *e);
	/* Emits NAME.c's functions into e->code and calls into e->run. */
	int (*layers)(struct emit *e);
	/* How many samples the batch entry computes together; NULL: one. */
	int64_t (*samples)(struct emit *e);
};

#define STYLE(symbol, help) extern const struct style style_##symbol;
#include "backends/c/styles.def"
#undef STYLE

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

/* ---- buffers ---- */
/* Sizes of all buffers, each in its plain type (struct style, size). */
void emit_plain_sizes(struct emit *e);

/* ---- text ---- */
const char *buf_ctype(const struct plan_buf *b);
/* "int32_t" or "int64_t": what holds lo..hi while it is summed. */
const char *sum_ctype(int64_t lo, int64_t hi);
bool sum_is_wide(int64_t lo, int64_t hi); /* int64_t */
/* A C expression of type `type *` for the buffer's memory among the calls c. */
const char *buf_pointer(struct emit *e, struct calls *c, const struct plan_buf *b, const char *type);
/* A float constant as C text that reads back as the same number. */
const char *float_text(struct emit *e, double x);
/* An integer constant that is one in C, too: the smallest int64_t is not written as a minus and a number. */
const char *limit_text(struct emit *e, int64_t x);
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

/* ---- the report ---- */
/* Bytes of stack that any layer's function takes, for saved registers, alignment and spilled numbers, and those of
 * NAME_run itself. Beyond them e->stack counts arrays and vectors that are held at a time: estimates from above for
 * GCC 12 on x86-64, plain loops at -O2 (which does not turn them into large blocks of vectors, as -O3 does) and the
 * packed kernels at -O3 for SSE2, AVX2 or AVX-512, whichever takes most. tests/backends/c_stack.py compares. */
enum { STACK_FRAME = 160, STACK_RUN = 96 };
/* Adds layer l to the report; rom_before: e->constants->bytes before it was emitted. Starts e->stack for the next one. */
void emit_layer_report(struct emit *e, const struct plan_layer *l, size_t rom_before, const char *kernel);

/* ---- batch.c ---- */
/* Emits kernels for several samples beside those of `one`, where they pay. */
int emit_block(struct emit *one);

#endif

/* Operators. One file per operator (or per family with one implementation) fills a `const struct op
 * op_NAME`; one row of ops.def lists it. Everything the compiler knows about an operator hangs here:
 * what it does to storage types, shapes and QONNX datatypes, and how it is executed. */
#ifndef QCC_OPS_OP_H
#define QCC_OPS_OP_H

#include "ir/ir.h"

/* Domains as the table spells them; op_find knows the other names they go by. */
#define DOMAIN_ONNX ""
#define DOMAIN_QONNX "qonnx.custom_op.general"
#define DOMAIN_CHANNELS_LAST "qonnx.custom_op.channels_last"
#define DOMAIN_FINN "finn.custom_op.fpgadataflow"

enum op_flag {
	/* Output element i is a function of element i of input 0 alone; all other inputs are parameters
	 * that broadcast against it (numpy rules; BatchNormalization and MultiThreshold: per channel).
	 * Add, Mul, ... have it too: with one constant operand they are such a function. */
	OP_ELEMENTWISE = 1 << 0,
	/* With OP_ELEMENTWISE: never decreasing in input 0, whatever the parameters (Relu, Sigmoid,
	 * Quant with a positive scale is decided by the analysis, not here). */
	OP_MONOTONE = 1 << 1,
	/* Moves, repeats or drops elements without changing them: Reshape, Transpose, Concat, Gather. */
	OP_MOVES = 1 << 2,
	/* Either operand may be the constant: Add, Mul, Max, Min. */
	OP_COMMUTATIVE = 1 << 3,
	/* Not to be folded even when all inputs are constant: random generators. */
	OP_IMPURE = 1 << 4,
	/* Is a quantiser: Quant, BipolarQuant, MultiThreshold, Trunc, QuantizeLinear, ... */
	OP_QUANTISER = 1 << 5,
};

/* ---- inference ---- */
struct infer_ctx {
	struct graph *graph;
	struct node *node;
	int64_t opset; /* version of the node's domain that the model imports */
	struct diags *diags;
};

/* Sets storage types and shapes of all outputs from the inputs, with infer_output. What cannot be known
 * stays unknown (dims -1, rank -1): that is no error. 0, or -1 with a diagnostic where inputs clash. */
typedef int op_infer_fn(struct infer_ctx *x);
/* QONNX datatype of output i from the inputs' datatypes; DT_NONE where it is plain float. */
typedef struct datatype op_datatype_fn(const struct node *n, size_t i);
/* Multiply-accumulates of one execution, from the inferred shapes; -1 where unknown. */
typedef int64_t op_macs_fn(const struct node *n);

/* ---- execution ---- */
struct exec_ctx {
	const struct node *node;
	int64_t opset;
	size_t n_in, n_out;
	struct tensor *const *in; /* NULL: omitted */
	struct tensor **out;	  /* to be filled with fresh references; NULL entries where unused */
	int threads;		  /* how many the operator may use, at least 1 */
	struct diags *diags;
};

/* Computes every output. The arithmetic is that of the input's storage type: float32 stays float32.
 * Operators flagged OP_ELEMENTWISE accept float32 and double alike. 0, or -1 with a diagnostic. */
typedef int op_exec_fn(struct exec_ctx *x);

struct op {
	const char *domain, *name;
	const char *summary;	       /* one line for --list-ops and the reference */
	int8_t min_inputs, max_inputs; /* max -1: any number */
	int8_t min_outputs, max_outputs;
	unsigned flags; /* enum op_flag */
	op_infer_fn *infer;
	op_datatype_fn *datatype; /* NULL: outputs are plain float (or what their storage says) */
	op_exec_fn *exec;	  /* NULL: not executable */
	op_macs_fn *macs;	  /* NULL: none */
};

#define OP(symbol) extern const struct op op_##symbol;
#include "ops/ops.def"
#undef OP

/* The operator of that name, NULL where unknown. Knows aliases: domain "ai.onnx" for "", "onnx.brevitas"
 * and "finn.custom_op.general" for QONNX's, IntQuant for Quant. O(log operators). */
const struct op *op_find(const char *domain, const char *op_type);
/* The table, sorted by name then domain. */
extern const struct op *const op_table[];
extern const size_t op_table_size;

/* ---- what operator files share (ops/op.c, ops/broadcast.c) ---- */
/* Types output i. dims may hold -1; rank -1 means unknown. */
void infer_output(struct infer_ctx *x, size_t i, enum elem_type elem, int rank, const int64_t *dims);
/* Output 0 has storage type and shape of input 0. */
int infer_same(struct infer_ctx *x);
/* Output 0 has the storage type of input 0 and the shape all inputs broadcast to. */
int infer_broadcast(struct infer_ctx *x);
/* Output 0 is as infer_broadcast, of type bool: comparisons. */
int infer_broadcast_bool(struct infer_ctx *x);
/* Shape a and b broadcast to (unknown dims allowed); false where they clash. */
bool broadcast_shapes(int rank_a, const int64_t *a, int rank_b, const int64_t *b, int *rank, int64_t *out);
/* Copies a constant input's integers (shape of Reshape, axes of Unsqueeze, ...); false where it is no
 * constant or has more than MAX_RANK elements. */
bool constant_ints(const struct value *v, int64_t out[MAX_RANK], size_t *count);
/* Axis in 0..rank-1 from one that may be negative; -1 where it is out of range. */
int normal_axis(int64_t axis, int rank);
/* Datatype of input 0, for operators that move elements. */
struct datatype datatype_same(const struct node *n, size_t i);

/* A fresh tensor as output i: NULL (with a diagnostic said) where the shape is absurd or memory out. */
struct tensor *exec_output(struct exec_ctx *x, size_t i, enum elem_type elem, int rank, const int64_t *dims);
/* Says that the operator does not take this combination; returns -1. */
int exec_unsupported(struct exec_ctx *x, const char *what);
static inline struct tensor *exec_input(const struct exec_ctx *x, size_t i)
{
	return i < x->n_in ? x->in[i] : NULL;
}

/* ---- inference over graphs (ir/infer.c) ---- */
/* Types one node's outputs (shape, then datatype). Declared datatypes of graph inputs and constants stay. */
int node_infer(struct node *n, struct diags *d);
/* All nodes in order. Where a declared shape contradicts the inferred one: a diagnostic, -1. */
int graph_infer(struct graph *g, struct diags *d);
/* Executes one node on given inputs (n_inputs entries, NULL where omitted). out gets fresh references. */
int node_execute(const struct node *n, struct tensor *const *in, struct tensor **out, int threads, struct diags *d);

#endif

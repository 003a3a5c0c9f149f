/* Operators: struct op holds everything the compiler knows about one, how it infers storage types, shapes and QONNX
 * datatypes, and how it is executed. The operators themselves are in ops/. */
#ifndef QCC_IR_OP_H
#define QCC_IR_OP_H

#include "ir/ir.h"

/* Domains as they are written in the table of operators; op_find knows their aliases. */
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
/* What is left of the budget of an execution. The whole budget is proportional to the size of the model's constants
 * and inputs. */
struct exec_budget {
	int64_t bytes; /* of results and of memory in between */
	int64_t work;  /* steps of loops: about a nanosecond each */
};

/* Which shapes results may have: any (passes run nodes on data of other shapes than the model's), those that the graph
 * says, or those along all axes but the first (more samples than the model's batch). */
enum exec_shapes { SHAPES_ANY, SHAPES_DECLARED, SHAPES_OF_SAMPLES };

/* Executes a graph on inputs for its data inputs; outputs gets a fresh reference each. 0, or -1 with diagnostics. */
typedef int graph_run_fn(const struct graph *g, struct tensor *const *in, struct tensor **out, int threads,
			 struct diags *d);

struct exec_ctx {
	const struct node *node;
	int64_t opset;
	size_t n_in, n_out;
	struct tensor *const *in; /* NULL: omitted */
	struct tensor **out;	  /* to be filled with fresh references; NULL entries where unused */
	int threads;		  /* how many the operator may use, at least 1 */
	graph_run_fn *run_graph;  /* executes a graph, for operators that stand for one */
	struct exec_budget *left;
	enum exec_shapes shapes; /* what exec_output compares */
	struct diags *diags;
};

/* Computes every output. The arithmetic is that of the input's storage type: float32 stays float32.
 * Operators flagged OP_ELEMENTWISE accept float32 and double alike. 0, or -1 with a diagnostic. */
typedef int op_exec_fn(struct exec_ctx *x);

struct hw_kind;

/* ---- generated code ---- */
struct op_form;
/* Writes the operator as C (ops/form.h). 0, or -1 where this node has no such form. */
typedef int op_form_fn(struct op_form *f);
/* The expression of an element-wise operator, of x, y, z (elements of its operands), alpha and beta, as C: for
 * floating-point, signed, unsigned and bool operands. NULL: none. `real` and `wide` stand for the operands' type and for
 * one in which integers wrap. */
struct op_scalar {
	const char *of_float, *of_signed, *of_unsigned, *of_bool;
	double (*alpha)(const struct node *n), (*beta)(const struct node *n); /* NULL: 0 */
};
/* Members of a struct op_scalar for numbers. */
#define SCALAR_OF_NUMBERS(floating, with_sign, without_sign) \
	.of_float = floating, .of_signed = with_sign, .of_unsigned = without_sign

struct op {
	const char *domain, *name;
	const char *summary;	       /* one line for --list-ops and the reference */
	int8_t min_inputs, max_inputs; /* max -1: any number */
	int8_t min_outputs, max_outputs;
	unsigned flags; /* enum op_flag */
	op_infer_fn *infer;
	op_datatype_fn *datatype; /* NULL: outputs are plain float (or what their storage says) */
	op_exec_fn *exec;	  /* NULL: not executable */
	bool widens;	  /* exec gets half-precision inputs as float32, and its float32 results are rounded back */
	op_macs_fn *macs; /* NULL: none */
	const struct hw_kind *hw; /* how it is built as a hardware layer (hw/kind.h); NULL: it is none */
	op_form_fn *form; /* how generated code computes it where the plan has no layer for it; NULL: not at all */
	struct op_scalar scalar; /* what form_elements writes */
};

/* The operator of that name in the table of ops/ops.def, NULL where unknown. Knows aliases: domain "ai.onnx" for "", "onnx.brevitas"
 * and "finn.custom_op.general" for QONNX's, IntQuant for Quant. O(log operators). */
const struct op *op_find(const char *domain, const char *op_type);
/* ---- inference over graphs (ir/infer.c) ---- */
/* Version of the node's domain that the model imports; a model without the entry gets the newest. */
int64_t node_opset(const struct node *n);
/* Types one node's outputs (shape, then datatype). Declared datatypes of graph inputs and constants stay. */
int node_infer(struct node *n, struct diags *d);
/* All nodes in order. Where a declared shape contradicts the inferred one: a diagnostic, -1. */
int graph_infer(struct graph *g, struct diags *d);
/* Executes one node on given inputs (n_inputs entries, NULL where omitted), of any shape. out gets fresh references. */
int node_execute(const struct node *n, struct tensor *const *in, struct tensor **out, int threads, struct diags *d);
/* How a node is executed; {0} but for threads is what node_execute does. */
struct exec_how {
	int threads;
	graph_run_fn *run;	  /* executes the graph that a node stands for; NULL: such a node is an error */
	struct exec_budget *left; /* its work is taken from, its bytes are not: the caller knows how long results live.
				   * NULL: what the node's own inputs allow */
	enum exec_shapes shapes;
};
int node_execute_with(const struct node *n, struct tensor *const *in, struct tensor **out, const struct exec_how *how,
		      struct diags *d);

/* ---- budgets and shapes of executions (ir/budget.c) ---- */
/* The budget of a model with so many bytes of constants and inputs, unless the user set limits (d->limits). */
struct exec_budget exec_budget_of(int64_t given, const struct diags *d);
/* The budget for what is computed from a graph's constants alone: in proportion to them. */
struct exec_budget exec_budget_of_constants(const struct graph *g, const struct diags *d);
/* What a tensor counts for in a budget; 0 for NULL. And all constants of a graph together. */
int64_t tensor_bytes(const struct tensor *t);
int64_t constant_bytes(const struct graph *g);
/* Called before a loop that takes more steps than inputs and results have elements. -1 with a diagnostic where that
 * is more than what is left of the budget. count times steps, both clamped. */
int exec_work(struct exec_ctx *x, int64_t count, int64_t steps);
/* Compares a result's shape with the declared one (x->shapes). 0, or -1 with a diagnostic that names both. */
int exec_check_shape(struct exec_ctx *x, size_t i, int rank, const int64_t *dims);

#endif

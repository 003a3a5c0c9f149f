/* Operators as C: each writes the statements that compute its node's outputs from its inputs, whose shapes are known,
 * in loops over indices and with expressions of the operands' storage types, as its execution does. Generated code has
 * them where the plan knows no better layer. What elements are in memory is the caller's: `load` and `store` make the
 * expressions for them. */
#ifndef QCC_OPS_FORM_H
#define QCC_OPS_FORM_H

#include "ops/op.h"
#include "util/arena.h"
#include "util/strbuf.h"

struct op_form {
	const struct node *node;
	int64_t opset; /* version of the node's domain */
	struct arena *arena;
	struct strbuf *text;
	int indent; /* of the next statement, in tabs */
	void *user;
	/* Element `index` (a C expression) of an input, in the C type of its storage. */
	const char *(*load)(struct op_form *f, size_t input, const char *index);
	/* The statement that makes `value`, of the output's storage type, its element `index`. */
	const char *(*store)(struct op_form *f, size_t output, const char *index, const char *value);
	/* The same of an output that was stored before. */
	const char *(*stored)(struct op_form *f, size_t output, const char *index);
	/* Arrays of constants; each returns the symbol. `name` is unique in the node. */
	const char *(*integers)(struct op_form *f, const char *name, const int64_t *v, int64_t count);
	const char *(*reals)(struct op_form *f, const char *name, const double *v, int64_t count);
};

/* ---- text ---- */
/* One line; "... {" indents those after it, "}" those from it on less. */
void form_line(struct op_form *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *form_text(struct op_form *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* `for (int NAME = 0; NAME < count; NAME++) {` */
void form_loop(struct op_form *f, const char *name, int64_t count);
void form_end(struct op_form *f, int blocks); /* closes so many */
void form_store(struct op_form *f, size_t output, const char *index, const char *value);
const char *form_float(struct op_form *f, double x, bool is_double); /* a constant */

/* ---- types ---- */
const char *form_ctype(enum elem_type elem); /* float for half precision, uint8_t for bool; NULL: none */
const char *form_wide(enum elem_type elem);  /* in which integers wrap without overflow */
/* C type of an input's elements. */
const char *form_type(struct op_form *f, size_t input);
bool form_is_real(const struct value *v);
/* A type in which sums are kept: double, int64_t or uint64_t. */
const char *form_sum_type(const struct value *v);

/* Statements that make `double NAME` the nearest number of a narrow format to v (an expression). False for others. */
bool form_narrow(struct op_form *f, enum elem_type elem, const char *name, const char *v, bool saturate);

/* ---- indices ---- */
/* Loops over all axes of a shape, with indices NAME0, NAME1, ...; returns how many were opened. */
int form_open(struct op_form *f, const char *name, int rank, const int64_t *dims);
/* "i0 * 12 + i2": the place of element (i0, i1, ...) in an array with those strides; zero strides are left out. */
const char *form_at(struct op_form *f, const char *name, int rank, const int64_t *strides);
/* Row-major strides of v's elements along the axes of a shape that v broadcasts to; false where it does not. */
bool form_strides(const struct value *v, int rank, const int64_t *dims, int64_t *strides);

/* expression with the words `real` and `wide` replaced by types. */
const char *form_with_types(struct op_form *f, const char *expression, enum elem_type elem);
/* The form of element-wise operators: op->scalar on all inputs. */
int form_elements(struct op_form *f);
/* The same with that expression. */
int form_expression(struct op_form *f, const char *expression, double alpha, double beta);

/* ---- forms of families ---- */
op_form_fn form_cast, form_gather, form_gather_elements, form_gather_nd, form_scatter_elements, form_scatter_nd,
	form_one_hot;
op_form_fn form_trilu, form_cumsum, form_range, form_reverse_sequence;
op_form_fn form_mat_mul, form_gemm, form_conv, form_pool;
op_form_fn form_reduce, form_arg, form_softmax, form_hardmax, form_layer_normalization, form_instance_normalization;
op_form_fn form_recurrent;
op_form_fn form_group_normalization, form_lp_normalization, form_mean_variance, form_batch_normalization;

#endif

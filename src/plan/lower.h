/* What the files that lower nodes to layers share. Only files of src/plan include it. */
#ifndef QCC_PLAN_LOWER_H
#define QCC_PLAN_LOWER_H

#include "hw/hw.h"
#include "ops/op.h"
#include "plan/plan.h"
#include "util/integers.h"

struct lowering {
	struct plan *plan;
	const struct plan_options *options;
	struct diags *diags;
	struct plan_buf **of;	     /* by value id: the value's buffer; NULL: constant or not yet */
	struct plan_layer **pending; /* by value id: the layer that waits for its thresholds */
	struct stream **streams;     /* by value id: a window over another buffer, made where it is multiplied */
	struct map names;
	struct exec_budget left; /* for nodes of constants alone */
};

/* A value of FINN's window generators that no layer makes: windows over `in`, seen with padding. */
struct stream {
	struct plan_buf *in;
	int64_t pad_top, pad_left;
	const struct node *generator; /* NULL: padding only */
	struct hw_layer windows;      /* the generator, read */
};

/* The weights of y from the constant v through a map: element (o, i, y, x) is at o * m.o + i * m.i + ... */
struct weight_map {
	const struct value *v;
	int64_t o, i, y, x;	/* strides */
	const int64_t *shuffle; /* of i, or NULL */
	int64_t out, in;	/* of each group, where groups are to become zeros of a layer without any; or 0 */
};

/* What a new buffer holds. */
struct contents {
	bool real;
	int64_t lo, hi, base, step;
};

static inline struct contents contents_real(void)
{
	return (struct contents){ .real = true };
}
static inline struct contents contents_int(int64_t lo, int64_t hi)
{
	return (struct contents){ .lo = lo, .hi = hi, .base = lo, .step = 1 };
}
static inline struct contents contents_of(const struct plan_buf *b)
{
	return (struct contents){ b->real, b->lo, b->hi, b->base, b->step };
}

/* ---- lower.c ---- */
/* A buffer for a value of the graph; `last`: keep axis 1 at the end. */
struct plan_buf *lower_buf(struct lowering *l, const struct value *v, bool last, struct contents c);
/* A buffer that the plan needs besides, shaped as another. */
struct plan_buf *lower_buf_like(struct lowering *l, const struct plan_buf *b, const char *suffix, struct contents c);
/* The buffer of input i of n; NULL with a diagnostic where it is a constant or missing. */
struct plan_buf *lower_input(struct lowering *l, const struct node *n, size_t i);
/* A new last layer of that kind for n, with one operand (NULL: none yet). */
struct plan_layer *lower_layer(struct lowering *l, const struct node *n, enum plan_kind kind, struct plan_buf *in);
/* As an image operator's (or elementwise operator's) result should be stored. */
bool lower_result_last(const struct lowering *l, const struct value *v, const struct plan_buf *in);
int lower_unsupported(struct lowering *l, const struct node *n, const char *what);
/* Row-major strides of b's storage dims. */
void lower_own_strides(const struct plan_buf *b, int64_t *strides);
/* Storage strides of b's memory along the axes of out, 0 where b repeats. NULL where shapes do not fit. */
const int64_t *lower_strides(struct lowering *l, const struct plan_buf *b, const struct plan_buf *out);
/* The same for a constant of that shape, laid out in row-major order. */
const int64_t *lower_constant_strides(struct lowering *l, int rank, const int64_t *dims, const struct plan_buf *out);
/* Axis of the graph's value as an axis of the buffer's storage. */
int lower_storage_axis(const struct plan_buf *b, int axis);
/* Splits b's storage at an axis: outer x length x inner. */
void lower_split(const struct plan_buf *b, int axis, struct plan_layer *y);
/* Element i in the graph's order is element map[i] of b's memory. From the plan's arena. */
int64_t *lower_order(struct lowering *l, const struct plan_buf *b);

/* Axis of the buffer's storage as an axis of the graph's value. */
int lower_graph_axis(const struct plan_buf *b, int axis);

/* ---- order.c ---- */
/* b with its elements in the graph's order, through a layer that copies where its memory has another. NULL for NULL. */
struct plan_buf *lower_ordered(struct lowering *l, const struct node *n, struct plan_buf *b);

/* ---- reduce.c ---- */
/* What sums of `count` elements of b can be; false where 64 bits do not hold them. */
bool lower_sum_contents(const struct plan_buf *b, int64_t count, struct contents *c);

/* Whether the node's operator is in the list, which NULL ends. */
bool lower_is_one_of(const struct node *n, const struct op *const *list);
/* Whether the operator works on channels last by itself, whatever the plan's order. */
bool lower_is_native(const struct node *n);

/* ---- mac.c ---- */
/* The weights of y, integers where operand and weights are, from a constant. */
void lower_take_weights(struct lowering *l, struct plan_layer *y, const struct weight_map *m);
/* Exact ranges of y's sums. 0, or -1 with a diagnostic. */
int lower_mac_ranges(struct lowering *l, struct plan_layer *y);
/* Ranges, and the buffer of the result v, unless thresholds follow that can be attached. */
int lower_finish_mac(struct lowering *l, struct plan_layer *y, const struct value *v);
/* A dense layer with that constant matrix, and whether in and the matrix make one. */
struct plan_layer *lower_dense(struct lowering *l, const struct node *n, struct plan_buf *in, const struct value *wv,
			       bool transposed);
bool lower_is_dense(const struct plan_buf *in, const struct tensor *t, bool transposed);

/* ---- simple.c ---- */
struct interval {
	bool real;
	int64_t lo, hi;
};
struct interval lower_interval_constant(const struct tensor *t);
/* The constant as y's operand. */
void lower_take_operand(struct lowering *l, struct plan_layer *y, const struct tensor *t);
/* Bounds of a product of two integers; false where 64 bits do not hold them. */
bool lower_product(struct interval a, struct interval b, int64_t *lo, int64_t *hi);
/* What f(a, b) can be; false where there is no form for it. */
bool lower_combine(enum plan_function f, struct interval a, struct interval b, struct contents *c);
/* A layer of two operands, one of which may be a constant. */
int lower_pair(struct lowering *l, const struct node *n, enum plan_function f);

/* ---- one per family of operators: 0, or -1 with a diagnostic ---- */
#define LOWER(symbol, function) int lower_##function(struct lowering *l, const struct node *n);
#include "plan/lowerings.def"
#undef LOWER
/* The operator's own form: whether it has one for this node, and its layer. */
bool lower_has_form(const struct lowering *l, const struct node *n);
int lower_form(struct lowering *l, const struct node *n);
/* A node of constants alone: whether it is one, and its layers. */
bool lower_is_constant(const struct node *n);
int lower_constant(struct lowering *l, const struct node *n);
int lower_product_of_two(struct lowering *l, const struct node *n);
int lower_move(struct lowering *l, const struct node *n);

/* What thresholds, a constant [channels or 1, count], do: times `factor` they are compared. */
struct thresholds {
	const struct tensor *t;
	double factor;
	int channel_axis;
	double scale, bias;
};
/* Attaches thresholds to the layer that waits for them with x, or makes a layer of its own that reads x. */
int lower_activation(struct lowering *l, const struct node *n, const struct value *x, const struct thresholds *t,
		     const struct value *result);

#endif

/* Pad: elements added (or, with negative amounts, taken away) at both ends of axes. */
#include <string.h>

#include "ops/move.h"
#include "ops/ranges.h"
#include "util/integers.h"

#define PAD_LIMIT (INT64_C(1) << 40) /* sums of extents and pads below it do not overflow */

enum pad_mode { PAD_CONSTANT, PAD_REFLECT, PAD_EDGE, PAD_WRAP, PAD_UNKNOWN };

static enum pad_mode pad_mode(const struct node *n)
{
	static const char *const names[] = { "constant", "reflect", "edge", "wrap" };
	const char *mode = node_attr_string(n, "mode", "constant");
	for (int i = 0; i < PAD_UNKNOWN; i++)
		if (strcmp(mode, names[i]) == 0)
			return (enum pad_mode)i;
	return PAD_UNKNOWN;
}

/* Opset 1 called the attribute paddings. */
static const char *pads_attr(const struct node *n)
{
	return node_attr(n, "pads") ? "pads" : "paddings";
}

static int pad_error(struct diags *d, const struct node *n)
{
	return diag_node_error(d, n, "check its pads and axes", "its amounts do not fit the shape of the input");
}

/* Spreads amounts given for some axes (all befores, then all afters) over all of them; no axes: in order. */
static bool spread(const int64_t *pads, size_t count, int64_t *axes, size_t n_axes, bool axes_given, int rank,
		   int64_t before[MAX_RANK], int64_t after[MAX_RANK])
{
	memset(before, 0, MAX_RANK * sizeof *before);
	memset(after, 0, MAX_RANK * sizeof *after);
	if (!axes_given)
		n_axes = (size_t)rank;
	if (count != 2 * n_axes || (axes_given && !normal_axes(axes, n_axes, rank)))
		return false;
	for (size_t i = 0; i < n_axes; i++) {
		int64_t axis = axes_given ? axes[i] : (int64_t)i;
		before[axis] = pads[i];
		after[axis] = pads[n_axes + i];
		if (before[axis] < -PAD_LIMIT || before[axis] > PAD_LIMIT || after[axis] < -PAD_LIMIT ||
		    after[axis] > PAD_LIMIT)
			return false;
	}
	return true;
}

/* All integers of a constant of at most 2 * MAX_RANK elements. */
static bool constant_pads(const struct node *n, int64_t pads[2 * MAX_RANK], size_t *count)
{
	const struct value *v = node_input(n, 1);
	const int64_t *given = node_attr_ints(n, pads_attr(n), count);
	if (v) {
		if (!value_is_constant(v) || v->constant->count > 2 * MAX_RANK)
			return false;
		*count = (size_t)v->constant->count;
	} else if (!given || *count > 2 * MAX_RANK) {
		return false;
	}
	for (size_t i = 0; i < *count; i++)
		pads[i] = v ? tensor_int_at(v->constant, (int64_t)i) : given[i];
	return true;
}

static int infer_pad(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t pads[2 * MAX_RANK], axes[MAX_RANK], before[MAX_RANK], after[MAX_RANK], dims[MAX_RANK];
	size_t count, n_axes;
	bool known = in->rank >= 0 && constant_pads(x->node, pads, &count);
	bool axes_given = infer_ints(x->node, 3, NULL, axes, &n_axes);
	if (node_input(x->node, 3) && !axes_given)
		known = false;
	if (known && !spread(pads, count, axes, n_axes, axes_given, in->rank, before, after))
		return pad_error(x->diags, x->node);
	for (int i = 0; i < in->rank; i++) {
		dims[i] = -1;
		if (known && in->dims[i] >= 0 &&
		    (__builtin_add_overflow(in->dims[i], before[i], &dims[i]) ||
		     __builtin_add_overflow(dims[i], after[i], &dims[i]) || dims[i] < 0))
			return pad_error(x->diags, x->node);
	}
	infer_output(x, 0, in->elem, in->rank, dims);
	return 0;
}

/* The input's index for position i (0 is its first) beyond its ends. */
static int64_t source_index(int64_t i, int64_t extent, enum pad_mode mode)
{
	if (i >= 0 && i < extent)
		return i;
	if (mode == PAD_EDGE || extent == 1)
		return i < 0 ? 0 : extent - 1;
	int64_t period = mode == PAD_REFLECT ? 2 * (extent - 1) : extent;
	i = (i % period + period) % period;
	return i < extent ? i : period - i;
}

static int move_pads(struct exec_ctx *x, struct move *m, const int64_t *before, const int64_t *after)
{
	const struct tensor *in = x->in[0];
	enum pad_mode mode = pad_mode(x->node);
	int64_t strides[MAX_RANK];
	row_major_strides(in->rank, in->dims, strides);
	for (int k = 0; k < in->rank; k++) {
		int64_t extent = in->dims[k], size;
		if (__builtin_add_overflow(extent, before[k], &size) || __builtin_add_overflow(size, after[k], &size) ||
		    size < 0 || (extent == 0 && size > 0 && mode != PAD_CONSTANT))
			return pad_error(x->diags, x->node);
		if (size > MOVE_EXTENT_LIMIT)
			return exec_unsupported(x, "padding of that size");
		int64_t *table = move_axis(m, size, 0);
		for (int64_t i = 0; table && i < size; i++) {
			int64_t at = i - before[k];
			bool outside = mode == PAD_CONSTANT && (at < 0 || at >= extent);
			table[i] = outside ? MOVE_FILL : source_index(at, extent, mode) * strides[k];
		}
	}
	return 0;
}

/* The element to pad with, of the input's type; NULL: zero. The caller owns it. */
static struct tensor *pad_value(const struct exec_ctx *x)
{
	const struct tensor *given = exec_input(x, 2);
	if (given)
		return given->count == 1 ? tensor_try_cast(given, x->in[0]->elem) : NULL;
	if (x->in[0]->elem == ELEM_STRING)
		return NULL;
	struct tensor *zero = tensor_scalar((float)node_attr_float(x->node, "value", 0));
	struct tensor *typed = tensor_try_cast(zero, x->in[0]->elem);
	tensor_unref(zero);
	return typed;
}

static int exec_pad(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0];
	int64_t pads[2 * MAX_RANK], axes[2 * MAX_RANK], before[MAX_RANK], after[MAX_RANK];
	size_t count, n_axes;
	if (pad_mode(x->node) == PAD_UNKNOWN)
		return exec_unsupported(x, "a mode that is not known");
	bool axes_given = exec_ints(x, 3, NULL, axes, &n_axes);
	if (!exec_ints(x, 1, pads_attr(x->node), pads, &count) ||
	    !spread(pads, count, axes, n_axes, axes_given, in->rank, before, after))
		return pad_error(x->diags, x->node);
	struct move m = { .x = x };
	if (move_pads(x, &m, before, after) != 0) {
		move_free(&m);
		return -1;
	}
	struct tensor *value = pad_value(x);
	int result = exec_move(x, 0, &m, in, value ? value->data : NULL, 0, NULL);
	tensor_unref(value);
	return result;
}

static struct datatype datatype_pad(const struct node *n, size_t i)
{
	struct datatype t = datatype_same(n, i);
	double value = node_attr_float(n, "value", 0);
	if (pad_mode(n) != PAD_CONSTANT || t.kind == DT_NONE)
		return t;
	if (node_input(n, 2) && !value_scalar(node_input(n, 2), &value))
		return datatype_of_kind(DT_NONE);
	if (datatype_allows(t, value))
		return t;
	if (value != (double)saturated_int64(value))
		return datatype_of_kind(DT_NONE);
	return datatype_join(t, datatype_for_bounds(value, value));
}

const struct op op_Pad = {
	.name = "Pad",
	.domain = DOMAIN_ONNX,
	.summary = "elements added at the ends of axes",
	.min_inputs = 1,
	.max_inputs = 4,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_pad,
	.datatype = datatype_pad,
	.exec = exec_pad,
};

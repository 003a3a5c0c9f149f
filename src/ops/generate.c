/* OneHot, NonZero, Range, Trilu and CumSum: tensors made from a few numbers or from positions. */
#include <math.h>
#include <string.h>

#include "ops/broadcast.h"
#include "ops/form.h"
#include "ops/move.h"
#include "ops/ranges.h"
#include "util/integers.h"

/* ---- OneHot ---- */

static int one_hot_error(struct diags *d, const struct node *n)
{
	return diag_node_error(d, n, "check depth, values and axis", "depth, values or axis are out of range");
}

/* An integer, whatever type it comes in. */
static bool depth_of(double given, int64_t *depth)
{
	bool fits = given >= 0 && given < INT32_MAX && given == floor(given);
	*depth = fits ? (int64_t)given : -1;
	return fits;
}

static int infer_one_hot(struct infer_ctx *x)
{
	const struct value *at = node_input(x->node, 0), *values = node_input(x->node, 2);
	int64_t depth = -1, dims[MAX_RANK + 1];
	double scalar;
	if (value_scalar(node_input(x->node, 1), &scalar) && !depth_of(scalar, &depth))
		return one_hot_error(x->diags, x->node);
	int axis = at->rank < 0 ? -1 : normal_axis(node_attr_int(x->node, "axis", -1), at->rank + 1);
	if (at->rank >= 0 && axis < 0)
		return one_hot_error(x->diags, x->node);
	for (int i = 0; at->rank >= 0 && i <= at->rank; i++)
		dims[i] = i == axis ? depth : at->dims[i > axis ? i - 1 : i];
	infer_output(x, 0, (enum elem_type)values->elem, at->rank < 0 ? -1 : at->rank + 1, dims);
	return 0;
}

static int exec_one_hot(struct exec_ctx *x)
{
	const struct tensor *at = x->in[0], *values = x->in[2];
	int axis = normal_axis(node_attr_int(x->node, "axis", -1), at->rank + 1);
	int64_t dims[MAX_RANK + 1], n;
	bool given = x->in[1]->count == 1 && x->in[1]->elem != ELEM_STRING && depth_of(tensor_at(x->in[1], 0), &n);
	if (axis < 0 || at->rank >= MAX_RANK || !given || values->count != 2)
		return one_hot_error(x->diags, x->node);
	for (int i = 0; i <= at->rank; i++)
		dims[i] = i == axis ? n : at->dims[i > axis ? i - 1 : i];
	int64_t inner = dims_product(at->dims, axis, at->rank);
	struct tensor *out = exec_output(x, 0, values->elem, at->rank + 1, dims);
	if (!out)
		return -1;
	elements_fill(out, 0, out->count, values->data);
	for (int64_t i = 0; i < at->count; i++) {
		double index = tensor_at(at, i);
		index += index < 0 ? (double)n : 0;
		if (index >= 0 && index < (double)n)
			element_replace(out, (i / inner * n + (int64_t)index) * inner + i % inner, values, 1);
	}
	return 0;
}

static struct datatype datatype_one_hot(const struct node *n, size_t i)
{
	(void)i;
	return value_datatype(node_input(n, 2));
}

/* ---- NonZero ---- */

static int infer_nonzero(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	infer_output(x, 0, ELEM_INT64, 2, (int64_t[]){ in->rank < 0 ? -1 : in->rank, -1 });
	return 0;
}

static int exec_nonzero(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0];
	int64_t count = 0, next = 0;
	for (int64_t i = 0; i < in->count; i++)
		count += tensor_at(in, i) != 0;
	struct tensor *out = exec_output(x, 0, ELEM_INT64, 2, (int64_t[]){ in->rank, count });
	for (int64_t i = 0; out && i < in->count; i++) {
		if (tensor_at(in, i) == 0)
			continue;
		int64_t rest = i;
		for (int k = in->rank - 1; k >= 0; k--) {
			((int64_t *)out->data)[k * count + next] = rest % in->dims[k];
			rest /= in->dims[k];
		}
		next++;
	}
	return out ? 0 : -1;
}

/* ---- Range ---- */

/* Number of elements of start, start + delta, ... below (above) limit; -1 where it makes no sense. */
static int64_t range_count(double start, double limit, double delta)
{
	double count = ceil((limit - start) / delta);
	return !(count <= INT32_MAX) || !isfinite(delta) ? -1 : count < 0 ? 0 : (int64_t)count;
}

static int infer_range(struct infer_ctx *x)
{
	double start, limit, delta;
	int64_t count = -1;
	const struct node *n = x->node;
	if (value_scalar(node_input(n, 0), &start) && value_scalar(node_input(n, 1), &limit) &&
	    value_scalar(node_input(n, 2), &delta))
		count = range_count(start, limit, delta);
	infer_output(x, 0, (enum elem_type)node_input(n, 0)->elem, 1, &count);
	return 0;
}

static int exec_range(struct exec_ctx *x)
{
	if (x->in[0]->count != 1 || x->in[1]->count != 1 || x->in[2]->count != 1)
		return exec_unsupported(x, "start, limit or delta that is no scalar");
	double start = tensor_at(x->in[0], 0), delta = tensor_at(x->in[2], 0);
	int64_t count = range_count(start, tensor_at(x->in[1], 0), delta);
	if (count < 0)
		return exec_unsupported(x, "a range without end");
	struct tensor *out = exec_output(x, 0, x->in[0]->elem, 1, &count);
	for (int64_t i = 0; out && i < count; i++)
		tensor_put(out, i, start + (double)i * delta);
	return out ? 0 : -1;
}

/* ---- Trilu ---- */

static int exec_trilu(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0], *given = exec_input(x, 1);
	int64_t k = given && given->count == 1 ? tensor_int_at(given, 0) : 0;
	bool upper = node_attr_int(x->node, "upper", 1) != 0;
	if (in->rank < 2)
		return exec_unsupported(x, "fewer than two axes");
	struct tensor *out = exec_output(x, 0, in->elem, in->rank, in->dims);
	if (!out)
		return -1;
	int64_t columns = in->dims[in->rank - 1], rows = in->dims[in->rank - 2];
	k = k > columns ? columns : k < -rows ? -rows : k;
	for (int64_t line = 0; columns && line < in->count / columns; line++) {
		int64_t row = line % rows, cut = row + k + !upper; /* where the other side begins */
		cut = cut < 0 ? 0 : cut > columns ? columns : cut;
		int64_t keep = upper ? cut : 0, kept = upper ? columns - cut : cut, drop = upper ? 0 : cut;
		elements_copy(out, line * columns + keep, in, line * columns + keep, kept);
		elements_fill(out, line * columns + drop, columns - kept, NULL);
	}
	return 0;
}

static struct datatype datatype_trilu(const struct node *n, size_t i)
{
	struct datatype t = datatype_same(n, i);
	if (t.kind == DT_NONE || datatype_allows(t, 0))
		return t;
	return datatype_join(t, datatype_for_range(0, 0));
}

/* ---- CumSum ---- */

EACH_NUMBER(BINARY_LOOP, add, (wide)x + (wide)y)
static binary_loop *const add_loops[ELEM_COUNT] = { EACH_NUMBER(LOOP_ROW, add) };

/* Adds up whole slices across the axis, in order or in reverse. */
static int run_cumsum(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0];
	int axis = x->in[1]->count == 1 ? normal_axis(tensor_int_at(x->in[1], 0), in->rank) : -1;
	bool exclusive = node_attr_int(x->node, "exclusive", 0) != 0;
	bool reverse = node_attr_int(x->node, "reverse", 0) != 0;
	if (axis < 0 || !add_loops[in->elem])
		return exec_unsupported(x, "that axis or storage type");
	struct tensor *out = exec_output(x, 0, in->elem, in->rank, in->dims);
	if (!out || out->count == 0)
		return out ? 0 : -1;
	int64_t inner = dims_product(in->dims, axis + 1, in->rank), n = in->dims[axis];
	size_t slice = (size_t)inner * elem_size(in->elem);
	for (int64_t line = 0; line < in->count / inner; line++) {
		int64_t step = line % n, at = line - step + (reverse ? n - 1 - step : step);
		int64_t before = reverse ? at + 1 : at - 1, add = exclusive ? before : at;
		char *to = (char *)out->data + (size_t)at * slice;
		if (step == 0 && exclusive)
			memset(to, 0, slice);
		else if (step == 0)
			memcpy(to, (char *)in->data + (size_t)at * slice, slice);
		else
			add_loops[in->elem](to, (char *)out->data + (size_t)before * slice,
					    (char *)in->data + (size_t)add * slice, inner, true, true);
	}
	return 0;
}

const struct op op_OneHot = {
	.name = "OneHot",
	.domain = DOMAIN_ONNX,
	.summary = "one of two values, by index",
	.min_inputs = 3,
	.max_inputs = 3,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_one_hot,
	.datatype = datatype_one_hot,
	.exec = exec_one_hot,
	.form = form_one_hot,
};

const struct op op_NonZero = {
	.name = "NonZero",
	.domain = DOMAIN_ONNX,
	.summary = "positions of elements other than zero",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_nonzero,
	.exec = exec_nonzero,
};

const struct op op_Range = {
	.name = "Range",
	.domain = DOMAIN_ONNX,
	.summary = "start, start + delta, ... up to a limit",
	.min_inputs = 3,
	.max_inputs = 3,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_range,
	.exec = exec_range,
	.form = form_range,
};

const struct op op_Trilu = {
	.name = "Trilu",
	.domain = DOMAIN_ONNX,
	.summary = "upper or lower triangle of matrices",
	.min_inputs = 1,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_same,
	.datatype = datatype_trilu,
	.exec = exec_trilu,
	.form = form_trilu,
};

const struct op op_CumSum = {
	.name = "CumSum",
	.domain = DOMAIN_ONNX,
	.summary = "running sum along an axis",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_same,
	.exec = run_cumsum,
	.widens = true,
	.form = form_cumsum,
};

/* Forms of operators that choose or place elements by indices that are known at run time only, or by their positions.
 * Indices out of range, which execution refuses, are taken to the nearest that there is: generated code touches no
 * memory but its own. */
#include "ops/form.h"
#include "ops/move.h"
#include "util/integers.h"

#include <math.h>
#include <string.h>

/* `const int NAME = ...`: an index into an axis, counted from the end where it is negative. */
static void index_line(struct op_form *f, const char *name, const char *from, int64_t extent)
{
	form_line(f, "int64_t %s = (int64_t)%s;", name, from);
	form_line(f, "%s += %s < 0 ? %lld : 0;", name, name, LL(extent));
	form_line(f, "%s = %s < 0 ? 0 : %s >= %lld ? %lld : %s;", name, name, name, LL(extent), LL(extent - 1), name);
}

static int64_t count_of(const struct value *v)
{
	return dims_product(v->dims, 0, v->rank);
}

int form_gather(struct op_form *f)
{
	const struct value *v = node_input(f->node, 0), *at = node_input(f->node, 1);
	int axis = normal_axis(node_attr_int(f->node, "axis", 0), v->rank);
	if (axis < 0)
		return -1;
	int64_t inner = dims_product(v->dims, axis + 1, v->rank), n = count_of(at);
	form_loop(f, "p", dims_product(v->dims, 0, axis));
	form_loop(f, "i", n);
	index_line(f, "k", f->load(f, 1, "i"), v->dims[axis]);
	form_loop(f, "q", inner);
	form_store(f, 0, form_text(f, "(p * %lld + i) * %lld + q", LL(n), LL(inner)),
		   f->load(f, 0, form_text(f, "(p * %lld + k) * %lld + q", LL(v->dims[axis]), LL(inner))));
	form_end(f, 3);
	return 0;
}

/* The place in v of the element that entry (i0, i1, ...) of the indices names along the axis. */
static const char *element_place(struct op_form *f, const struct value *v, int axis)
{
	int64_t own[MAX_RANK], others[MAX_RANK];
	row_major_strides(v->rank, v->dims, own);
	memcpy(others, own, sizeof others);
	others[axis] = 0;
	return form_text(f, "%s + k * %lld", form_at(f, "i", v->rank, others), LL(own[axis]));
}

int form_gather_elements(struct op_form *f)
{
	const struct value *v = node_input(f->node, 0), *at = node_input(f->node, 1);
	int axis = normal_axis(node_attr_int(f->node, "axis", 0), v->rank);
	int64_t own[MAX_RANK];
	if (axis < 0 || at->rank != v->rank)
		return -1;
	row_major_strides(at->rank, at->dims, own);
	int open = form_open(f, "i", at->rank, at->dims);
	const char *here = form_at(f, "i", at->rank, own);
	index_line(f, "k", f->load(f, 1, here), v->dims[axis]);
	form_store(f, 0, here, f->load(f, 0, element_place(f, v, axis)));
	form_end(f, open);
	return 0;
}

/* `int64_t at = ...`: where in v the slice that row r of the indices names starts, after `batch` leading axes. */
static void slice_place(struct op_form *f, const struct value *v, int64_t depth, int batch)
{
	int64_t own[MAX_RANK];
	row_major_strides(v->rank, v->dims, own);
	form_line(f, "int64_t at = 0;");
	for (int64_t d = 0; d < depth; d++) {
		const char *k = form_text(f, "k%lld", LL(d));
		index_line(f, k, f->load(f, 1, form_text(f, "r * %lld + %lld", LL(depth), LL(d))), v->dims[batch + d]);
		form_line(f, "at += %s * %lld;", k, LL(own[batch + d]));
	}
}

int form_gather_nd(struct op_form *f)
{
	const struct value *v = node_input(f->node, 0), *at = node_input(f->node, 1);
	int batch = (int)node_attr_int(f->node, "batch_dims", 0);
	int64_t depth = at->dims[at->rank - 1], rows = count_of(at) / depth;
	if (batch + depth > v->rank)
		return -1;
	int64_t block = dims_product(v->dims, batch + (int)depth, v->rank), batches = dims_product(v->dims, 0, batch);
	form_loop(f, "r", rows);
	slice_place(f, v, depth, batch);
	if (batch)
		form_line(f, "at += r / %lld * (int64_t)%lld;", LL(rows / batches), LL(count_of(v) / batches));
	form_loop(f, "q", block);
	form_store(f, 0, form_text(f, "r * %lld + q", LL(block)), f->load(f, 0, "at + q"));
	form_end(f, 2);
	return 0;
}

/* ---- scattering ---- */

static void copy_data(struct op_form *f)
{
	form_loop(f, "o", count_of(node_input(f->node, 0)));
	form_store(f, 0, "o", f->load(f, 0, "o"));
	form_end(f, 1);
}

/* Element `to` of the result becomes u, or is joined with it. */
static int update(struct op_form *f, const char *to, const char *u)
{
	static const char *const joins[][2] = { { "add", "(wide)x + (wide)u" },
						{ "mul", "(wide)x * (wide)u" },
						{ "max", "x > u ? x : u" },
						{ "min", "x < u ? x : u" } };
	const char *name = node_attr_string(f->node, "reduction", "none"), *type = form_type(f, 0);
	enum elem_type elem = (enum elem_type)node_input(f->node, 0)->elem;
	if (!strcmp(name, "none")) {
		form_store(f, 0, to, u);
		return 0;
	}
	for (size_t i = 0; i < sizeof joins / sizeof *joins; i++) {
		if (strcmp(name, joins[i][0]))
			continue;
		form_line(f, "const %s x = %s, u = %s;", type, f->stored(f, 0, to), u);
		form_store(f, 0, to, form_text(f, "(%s)(%s)", type, form_with_types(f, joins[i][1], elem)));
		return 0;
	}
	return -1;
}

int form_scatter_elements(struct op_form *f)
{
	const struct value *v = node_input(f->node, 0), *at = node_input(f->node, 1);
	int axis = normal_axis(node_attr_int(f->node, "axis", 0), v->rank);
	int64_t own[MAX_RANK];
	if (axis < 0 || at->rank != v->rank)
		return -1;
	copy_data(f);
	row_major_strides(at->rank, at->dims, own);
	int open = form_open(f, "i", at->rank, at->dims);
	const char *here = form_at(f, "i", at->rank, own);
	index_line(f, "k", f->load(f, 1, here), v->dims[axis]);
	if (update(f, element_place(f, v, axis), f->load(f, 2, here)) < 0)
		return -1;
	form_end(f, open);
	return 0;
}

int form_scatter_nd(struct op_form *f)
{
	const struct value *v = node_input(f->node, 0), *at = node_input(f->node, 1);
	int64_t depth = at->rank ? at->dims[at->rank - 1] : 0;
	if (depth < 1 || depth > v->rank)
		return -1;
	int64_t block = dims_product(v->dims, (int)depth, v->rank);
	copy_data(f);
	form_loop(f, "r", count_of(at) / depth);
	slice_place(f, v, depth, 0);
	form_loop(f, "q", block);
	if (update(f, "at + q", f->load(f, 2, form_text(f, "r * %lld + q", LL(block)))) < 0)
		return -1;
	form_end(f, 2);
	return 0;
}

/* ---- from positions ---- */

int form_one_hot(struct op_form *f)
{
	const struct value *at = node_input(f->node, 0), *out = f->node->outputs[0];
	int axis = normal_axis(node_attr_int(f->node, "axis", -1), at->rank + 1);
	if (axis < 0)
		return -1;
	int64_t inner = dims_product(at->dims, axis, at->rank), n = out->dims[axis];
	form_loop(f, "p", dims_product(at->dims, 0, axis));
	form_loop(f, "i", n);
	form_loop(f, "q", inner);
	form_line(f, "const double k = (double)%s;", f->load(f, 0, form_text(f, "p * %lld + q", LL(inner))));
	form_line(f, "const int hot = (k < 0 ? k + %lld : k) >= i && (k < 0 ? k + %lld : k) < i + 1;", LL(n), LL(n));
	form_store(f, 0, form_text(f, "(p * %lld + i) * %lld + q", LL(n), LL(inner)), f->load(f, 2, "hot"));
	form_end(f, 3);
	return 0;
}

int form_trilu(struct op_form *f)
{
	const struct value *v = node_input(f->node, 0);
	bool upper = node_attr_int(f->node, "upper", 1) != 0;
	if (v->rank < 2)
		return -1;
	int64_t rows = v->dims[v->rank - 2], columns = v->dims[v->rank - 1];
	const char *k = node_input(f->node, 1) ? f->load(f, 1, "0") : "0";
	form_loop(f, "p", count_of(v) / (rows * columns));
	form_loop(f, "i", rows);
	form_loop(f, "j", columns);
	const char *at = form_text(f, "(p * %lld + i) * %lld + j", LL(rows), LL(columns));
	form_store(
		f, 0, at,
		form_text(f, "(%s)(j - i %s %s ? %s : 0)", form_type(f, 0), upper ? ">=" : "<=", k, f->load(f, 0, at)));
	form_end(f, 3);
	return 0;
}

int form_cumsum(struct op_form *f)
{
	const struct value *v = node_input(f->node, 0);
	bool exclusive = node_attr_int(f->node, "exclusive", 0) != 0,
	     reverse = node_attr_int(f->node, "reverse", 0) != 0;
	double given;
	int axis = value_scalar(node_input(f->node, 1), &given) ? normal_axis((int64_t)given, v->rank) : -1;
	if (axis < 0)
		return -1;
	int64_t n = v->dims[axis], inner = dims_product(v->dims, axis + 1, v->rank);
	enum elem_type elem = (enum elem_type)v->elem;
	const char *wide = form_wide(elem), *type = form_type(f, 0);
	form_loop(f, "p", dims_product(v->dims, 0, axis));
	form_loop(f, "q", inner);
	form_line(f, "%s sum = 0;", wide);
	form_loop(f, "i", n);
	const char *k = reverse ? form_text(f, "(%lld - i)", LL(n - 1)) : "i";
	const char *at = form_text(f, "(p * %lld + %s) * %lld + q", LL(n), k, LL(inner));
	if (exclusive)
		form_store(f, 0, at, form_text(f, "(%s)sum", type));
	form_line(f, "sum += (%s)%s;", wide, f->load(f, 0, at));
	if (!exclusive)
		form_store(f, 0, at, form_text(f, "(%s)sum", type));
	form_end(f, 3);
	return 0;
}

int form_range(struct op_form *f)
{
	const struct value *out = f->node->outputs[0];
	form_loop(f, "i", count_of(out));
	form_store(f, 0, "i",
		   form_text(f, "(%s)((double)%s + (double)i * (double)%s)", form_type(f, 0), f->load(f, 0, "0"),
			     f->load(f, 2, "0")));
	form_end(f, 1);
	return 0;
}

int form_reverse_sequence(struct op_form *f)
{
	const struct value *v = node_input(f->node, 0);
	int64_t batch_axis = node_attr_int(f->node, "batch_axis", 1),
		time_axis = node_attr_int(f->node, "time_axis", 0);
	int64_t own[MAX_RANK], others[MAX_RANK];
	if (v->rank < 2 || batch_axis < 0 || batch_axis > 1 || batch_axis + time_axis != 1)
		return -1;
	row_major_strides(v->rank, v->dims, own);
	memcpy(others, own, sizeof others);
	others[time_axis] = 0;
	int open = form_open(f, "i", v->rank, v->dims);
	form_line(f, "const int n = (int)%s;", f->load(f, 1, form_text(f, "i%lld", LL(batch_axis))));
	form_line(f, "const int k = i%lld < n && n <= %lld ? n - 1 - i%lld : i%lld;", LL(time_axis),
		  LL(v->dims[time_axis]), LL(time_axis), LL(time_axis));
	form_store(f, 0, form_at(f, "i", v->rank, own),
		   f->load(f, 0, form_text(f, "%s + k * %lld", form_at(f, "i", v->rank, others), LL(own[time_axis]))));
	form_end(f, open);
	return 0;
}

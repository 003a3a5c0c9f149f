/* Forms of operators that sum products or windows: matrix products, convolutions and pools of any number of axes, on data
 * and weights that are both known at run time only, with zero points and scales where the operator has them. */
#include "ops/form.h"
#include "ops/mat_mul.h"
#include "ops/move.h"
#include "ops/window.h"
#include "util/integers.h"

#include <string.h>

static int64_t count_of(const struct value *v)
{
	return dims_product(v->dims, 0, v->rank);
}

/* ---- linear quantisation around a product ---- */

/* Inputs of a product: operands and their zero points, -1: none; whether results are scaled (inputs 1, 4, 6, 7). */
struct roles {
	int a, a_zero, b, b_zero, bias;
	bool scaled;
};

static struct roles roles_of(const struct node *n)
{
	if (n->op == &op_MatMulInteger || n->op == &op_ConvInteger)
		return (struct roles){ 0, 2, 1, 3, -1, false };
	if (n->op == &op_QLinearMatMul || n->op == &op_QLinearConv)
		return (struct roles){ 0, 2, 3, 5, 8, true };
	return (struct roles){ 0, -1, 1, -1, 2, false };
}

static bool has(const struct op_form *f, int input)
{
	return input >= 0 && node_input(f->node, (size_t)input);
}

/* An operand's element less its zero point: one for all, or the one at `channel`. */
static const char *centred(struct op_form *f, int input, int zero, const char *at, const char *channel,
			   const char *type)
{
	const char *x = form_text(f, "(%s)%s", type, f->load(f, (size_t)input, at));
	if (!has(f, zero))
		return x;
	bool single = count_of(node_input(f->node, (size_t)zero)) == 1;
	return form_text(f, "(%s - (%s)%s)", x, type, f->load(f, (size_t)zero, single ? "0" : channel));
}

static const char *per_channel(struct op_form *f, size_t input, const char *channel)
{
	return f->load(f, input, count_of(node_input(f->node, input)) == 1 ? "0" : channel);
}

static const char *limit(struct op_form *f, enum elem_type elem, bool most)
{
	int bits = (int)elem_file_bits(elem);
	int64_t half = INT64_C(1) << (bits - 1), lo = elem_is_signed(elem) ? -half : 0;
	return form_text(f, "%lld", LL(most ? lo + 2 * half - 1 : lo));
}

/* sum as output `at` of channel `channel`: wrapped to int32, or scaled, rounded and saturated. */
static void finish(struct op_form *f, const struct roles *r, const char *at, const char *channel)
{
	enum elem_type elem = (enum elem_type)f->node->outputs[0]->elem;
	const char *type = form_ctype(elem);
	if (!r->scaled) {
		form_store(f, 0, at, form_text(f, "(%s)sum", type));
		return;
	}
	form_line(f, "const float factor = (float)%s * (float)%s / (float)%s;", f->load(f, 1, "0"),
		  per_channel(f, 4, channel), f->load(f, 6, "0"));
	form_line(f, "const double v = (double)rintf((float)sum * factor) + (double)%s;", per_channel(f, 7, channel));
	form_store(f, 0, at,
		   form_text(f, "(%s)(v < %s ? %s : v > %s ? %s : v)", type, limit(f, elem, false),
			     limit(f, elem, false), limit(f, elem, true), limit(f, elem, true)));
}

static const char *product_type(struct op_form *f, const struct roles *r)
{
	const struct value *v = node_input(f->node, (size_t)r->a);
	return r->scaled || r->a_zero >= 0 ? "int64_t" : v->elem == ELEM_FLOAT ? "float" : form_sum_type(v);
}

/* ---- matrices ---- */

int form_mat_mul(struct op_form *f)
{
	const struct node *n = f->node;
	struct roles r = roles_of(n);
	const struct value *a = node_input(n, (size_t)r.a), *b = node_input(n, (size_t)r.b);
	struct mat_mul_dims p;
	int64_t steps[MAX_RANK] = { 0 };
	if (!mat_mul_read(&p, a->rank, a->dims, b->rank, b->dims))
		return -1;
	const char *type = product_type(f, &r);
	int open = form_open(f, "t", p.batch_rank, p.batch);
	form_loop(f, "i", p.m);
	form_loop(f, "j", p.n);
	form_line(f, "%s sum = 0;", type);
	form_loop(f, "k", p.k);
	const char *at_a = form_text(f, "%s + i * %lld + k", form_at(f, "t", p.batch_rank, p.a_stride), LL(p.k));
	const char *at_b = form_text(f, "%s + k * %lld + j", form_at(f, "t", p.batch_rank, p.b_stride), LL(p.n));
	form_line(f, "sum += %s * %s;", centred(f, r.a, r.a_zero, at_a, "i", type),
		  centred(f, r.b, r.b_zero, at_b, "j", type));
	form_end(f, 1);
	row_major_strides(p.batch_rank, p.batch, steps);
	for (int i = 0; i < p.batch_rank; i++)
		steps[i] *= p.m * p.n;
	finish(f, &r, form_text(f, "%s + i * %lld + j", form_at(f, "t", p.batch_rank, steps), LL(p.n)), "j");
	form_end(f, 2 + open);
	return 0;
}

int form_gemm(struct op_form *f)
{
	const struct node *n = f->node;
	const struct value *a = node_input(n, 0), *b = node_input(n, 1), *c = node_input(n, 2), *out = n->outputs[0];
	bool ta = node_attr_int(n, "transA", 0) != 0, tb = node_attr_int(n, "transB", 0) != 0;
	double alpha = node_attr_float(n, "alpha", 1), beta = node_attr_float(n, "beta", 1);
	int64_t steps[MAX_RANK];
	if (a->rank != 2 || b->rank != 2 || !form_is_real(a) || (c && !form_strides(c, 2, out->dims, steps)))
		return -1;
	const char *type = form_type(f, 0);
	bool wide = a->elem == ELEM_DOUBLE;
	form_open(f, "i", 2, out->dims);
	form_line(f, "%s sum = 0;", type);
	form_loop(f, "k", a->dims[!ta]);
	form_line(f, "sum += %s * %s;",
		  f->load(f, 0, form_text(f, ta ? "k * %lld + i0" : "i0 * %lld + k", LL(a->dims[1]))),
		  f->load(f, 1, form_text(f, tb ? "i1 * %lld + k" : "k * %lld + i1", LL(b->dims[1]))));
	form_end(f, 1);
	const char *y = alpha == 1 ? "sum" : form_text(f, "%s * sum", form_float(f, alpha, wide));
	if (c)
		y = form_text(f, "%s + %s * %s", y, form_float(f, beta, wide),
			      f->load(f, 2, form_at(f, "i", 2, steps)));
	form_store(f, 0, form_text(f, "i0 * %lld + i1", LL(out->dims[1])), form_text(f, "(%s)(%s)", type, y));
	form_end(f, 2);
	return 0;
}

/* ---- windows ---- */

/* The place of axis k that output o<k> and tap t<k> see, as `h<k>`. */
static void positions(struct op_form *f, const struct window *w)
{
	for (int k = WINDOW_AXES - w->spatial; k < WINDOW_AXES; k++)
		form_line(f, "const int h%d = o%d * %lld + t%d * %lld - %lld;", k, k, LL(w->stride[k]), k,
			  LL(w->dilation[k]), LL(w->begin[k]));
}

static void axis_loops(struct op_form *f, const struct window *w, const char *name, const int64_t *counts)
{
	for (int k = WINDOW_AXES - w->spatial; k < WINDOW_AXES; k++)
		form_loop(f, form_text(f, "%s%d", name, k), counts[k]);
}

/* "h1 < 0 || h1 >= 5 || ..."; behind: what lies beyond the padding behind the data alone. */
static const char *outside(struct op_form *f, const struct window *w, bool behind)
{
	const char *text = "";
	for (int k = WINDOW_AXES - w->spatial; k < WINDOW_AXES; k++)
		text = behind ? form_text(f, "%s%sh%d >= %lld", text, *text ? " || " : "", k, LL(w->in[k] + w->end[k]))
			      : form_text(f, "%s%sh%d < 0 || h%d >= %lld", text, *text ? " || " : "", k, k,
					  LL(w->in[k]));
	return text;
}

/* "(h1 * 5 + h2)": the place in an array of those dims. */
static const char *place(struct op_form *f, const struct window *w, const char *name, const int64_t *dims)
{
	const char *text = "";
	for (int k = WINDOW_AXES - w->spatial; k < WINDOW_AXES; k++)
		text = *text ? form_text(f, "(%s) * %lld + %s%d", text, LL(dims[k]), name, k)
			     : form_text(f, "%s%d", name, k);
	return text;
}

static bool window_of(const struct op_form *f, const struct value *v, const int64_t *kernel, struct window *w)
{
	struct diags quiet = { 0 };
	bool global = f->node->op == &op_GlobalAveragePool || f->node->op == &op_GlobalMaxPool ||
		      f->node->op == &op_GlobalLpPool;
	if (v->rank < 3 || v->rank > 2 + WINDOW_AXES)
		return false;
	if (global)
		kernel = v->dims + 2;
	bool read = window_read(w, f->node, v->rank - 2, v->dims + 2, kernel, &quiet) == 0;
	diags_free(&quiet);
	return read;
}

int form_conv(struct op_form *f)
{
	const struct node *n = f->node;
	struct roles r = roles_of(n);
	const struct value *v = node_input(n, (size_t)r.a), *weights = node_input(n, (size_t)r.b);
	struct window w;
	if (!window_of(f, v, weights->dims + 2, &w) || weights->rank != v->rank)
		return -1;
	int64_t groups = node_attr_int(n, "group", 1), oc = weights->dims[0], icg = weights->dims[1];
	int64_t taps = window_count(w.kernel), in = window_count(w.in), out = window_count(w.out);
	if (groups < 1 || oc % groups || icg * groups != v->dims[1])
		return -1;
	const char *type = product_type(f, &r);
	form_loop(f, "p", v->dims[0]);
	form_loop(f, "c", oc);
	axis_loops(f, &w, "o", w.out);
	form_line(f, "%s sum = %s;", type,
		  has(f, r.bias) ? form_text(f, "(%s)%s", type, f->load(f, (size_t)r.bias, "c")) : "0");
	form_loop(f, "i", icg);
	axis_loops(f, &w, "t", w.kernel);
	positions(f, &w);
	form_line(f, "if (%s)", outside(f, &w, false));
	form_line(f, "\tcontinue;");
	const char *at = form_text(f, "(p * %lld + c / %lld * %lld + i) * %lld + %s", LL(v->dims[1]), LL(oc / groups),
				   LL(icg), LL(in), place(f, &w, "h", w.in));
	const char *tap = form_text(f, "(c * %lld + i) * %lld + %s", LL(icg), LL(taps), place(f, &w, "t", w.kernel));
	form_line(f, "sum += %s * %s;", centred(f, r.a, r.a_zero, at, "0", type),
		  centred(f, r.b, r.b_zero, tap, "c", type));
	form_end(f, 1 + w.spatial);
	finish(f, &r, form_text(f, "(p * %lld + c) * %lld + %s", LL(oc), LL(out), place(f, &w, "o", w.out)), "c");
	form_end(f, 2 + w.spatial);
	return 0;
}

/* The tap's place in its plane, as MaxPool counts it. */
static const char *index_of(struct op_form *f, const struct window *w)
{
	int first = WINDOW_AXES - w->spatial;
	if (!node_attr_int(f->node, "storage_order", 0))
		return place(f, w, "h", w->in);
	const char *text = form_text(f, "h%d", WINDOW_AXES - 1);
	for (int k = WINDOW_AXES - 2; k >= first; k--)
		text = form_text(f, "h%d + %lld * (%s)", k, LL(w->in[k]), text);
	return text;
}

static void norm_tap(struct op_form *f, const char *type, int64_t p)
{
	if (p == 1 || p == 2)
		form_line(f, p == 1 ? "sum += fabs(v);" : "sum += v * v;");
	else
		form_line(f, "sum += (%s)pow((double)fabs(v), %lld.0);", type, LL(p));
}

int form_pool(struct op_form *f)
{
	const struct node *n = f->node;
	const struct value *v = node_input(n, 0);
	struct window w;
	if (!window_of(f, v, NULL, &w))
		return -1;
	bool max = n->op == &op_MaxPool || n->op == &op_GlobalMaxPool;
	bool norm = n->op == &op_LpPool || n->op == &op_GlobalLpPool;
	bool pads = !max && !norm && node_attr_int(n, "count_include_pad", 0);
	int64_t in = window_count(w.in), out = window_count(w.out), p = node_attr_int(n, "p", 2);
	const char *type = form_type(f, 0), *sum = form_is_real(v) ? type : max ? type : "double";
	form_loop(f, "p", v->dims[0] * v->dims[1]);
	axis_loops(f, &w, "o", w.out);
	form_line(f, "%s sum = 0;", sum);
	form_line(f, max ? "int64_t first = -1;" : "int seen = 0;");
	axis_loops(f, &w, "t", w.kernel);
	positions(f, &w);
	if (pads)
		form_line(f, "seen += !(%s);", outside(f, &w, true));
	form_line(f, "if (%s)", outside(f, &w, false));
	form_line(f, "\tcontinue;");
	form_line(f, "const %s v = (%s)%s;", sum, sum,
		  f->load(f, 0, form_text(f, "p * %lld + %s", LL(in), place(f, &w, "h", w.in))));
	if (max) {
		form_line(f, "if (first < 0 || v > sum) {");
		form_line(f, "sum = v;");
		form_line(f, "first = %s;", index_of(f, &w));
		form_end(f, 1);
	} else if (norm) {
		norm_tap(f, sum, p);
	} else {
		form_line(f, "sum += v;");
	}
	if (!pads && !max)
		form_line(f, "seen++;");
	form_end(f, w.spatial);
	const char *y = max	 ? (form_is_real(v) ? form_text(f, "first < 0 ? (%s)-INFINITY : sum", type) : "sum")
			: !norm	 ? form_text(f, "sum / (%s)seen", sum)
			: p == 1 ? "sum"
			: p == 2 ? "sqrt(sum)"
				 : form_text(f, "pow(sum, 1.0 / %lld)", LL(p));
	const char *at = form_text(f, "p * %lld + %s", LL(out), place(f, &w, "o", w.out));
	if (norm)
		form_line(f, "(void)seen;");
	form_store(f, 0, at, form_text(f, "(%s)(%s)", type, y));
	if (n->n_outputs > 1 && n->outputs[1])
		form_store(f, 1, at, form_text(f, "p * (int64_t)%lld + first", LL(in)));
	form_end(f, 1 + w.spatial);
	return 0;
}

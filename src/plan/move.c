/* Layers that only rearrange: reshapes share the operand's memory, concatenation copies runs, and anything else
 * that moves elements becomes a map, found by executing the operator on the numbers of its elements. So the
 * plan needs to know no operator by name here: Transpose, Slice, Pad, Split, Gather, Resize, Im2Col, ... */
#include "plan/lower.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Whether only matrix products read v, which can take its elements in any order. */
static bool only_products(const struct value *v)
{
	bool any = false;
	value_for_each_use (v, u) {
		if (!u->user || u->index != 0)
			return false;
		if (u->user->op != &op_MatMul && u->user->op != &op_Gemm)
			return false;
		any = true;
	}
	return any && v->rank == 2 && v->dims[0] == 1;
}

static bool same_dims(int rank, const int64_t *a, const int64_t *b)
{
	for (int i = 0; i < rank; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static bool is_identity(const int64_t *map, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		if (map[i] != i)
			return false;
	return true;
}

/* The elements of x under another shape: the same memory where its order allows. */
int lower_reshape(struct lowering *l, const struct node *n)
{
	struct plan_buf *in = lower_input(l, n, 0);
	const struct value *v = n->outputs[0];
	if (!in)
		return -1;
	bool same_shape = v->rank == in->rank && same_dims(v->rank, v->dims, node_input(n, 0)->dims);
	if (same_shape) {
		struct plan_buf *b = lower_buf(l, v, in->channels_last, contents_of(in));
		b->same = in;
		b->shuffle = in->shuffle;
		return 0;
	}
	if (dims_product(v->dims, 0, v->rank) != in->count)
		return lower_unsupported(l, n, "a shape that holds another number of elements");
	int64_t *order = lower_order(l, in);
	bool identity = is_identity(order, in->count);
	if (!identity && !only_products(v))
		return lower_move(l, n);
	struct plan_buf *b = lower_buf(l, v, false, contents_of(in));
	b->same = in;
	b->shuffle = identity ? NULL : order;
	return 0;
}

int lower_concat(struct lowering *l, const struct node *n)
{
	const struct value *v = n->outputs[0];
	int axis = normal_axis(node_attr_int(n, "axis", n->op == &op_Concat ? 0 : -1), v->rank);
	struct plan_buf *first = node_input(n, 0) ? l->of[node_input(n, 0)->id] : NULL;
	bool same = axis >= 0 && first;
	for (size_t i = 0; i < n->n_inputs && same; i++) {
		const struct plan_buf *b = node_input(n, i) ? l->of[node_input(n, i)->id] : NULL;
		same = b && !b->shuffle && b->channels_last == first->channels_last;
	}
	if (!same || (first->channels_last && value_is_output(v)))
		return lower_move(l, n);
	struct plan_layer *y = lower_layer(l, n, PLAN_CONCAT, NULL);
	struct contents c = contents_of(first);
	for (size_t i = 0; i < n->n_inputs; i++) {
		const struct plan_buf *b = y->in[y->n_in++] = l->of[node_input(n, i)->id];
		c.real |= b->real;
		if (b->base != c.base || b->step != c.step)
			c.step = 1;
		c.lo = b->lo < c.lo ? b->lo : c.lo;
		c.hi = b->hi > c.hi ? b->hi : c.hi;
		c.base = c.lo;
	}
	y->out = lower_buf(l, v, first->channels_last, c);
	y->real = c.real;
	lower_split(y->out, lower_storage_axis(y->out, axis), y);
	return 0;
}

/* ---- constants ---- */

/* What the node computes from constants alone, as results that are written at every run. */
static int constant_output(struct lowering *l, const struct node *n, const struct value *v, const struct tensor *t)
{
	struct plan_layer *y = lower_layer(l, n, PLAN_MOVE, NULL);
	struct contents c = contents_real();
	double lo, hi;
	tensor_min_max(t, &lo, &hi);
	if (tensor_is_integral(t) && fabs(lo) <= 0x1p53 && fabs(hi) <= 0x1p53)
		c = contents_int((int64_t)lo, (int64_t)hi);
	else if (!elem_is_float((enum elem_type)t->elem))
		return lower_unsupported(l, n, "integers this large");
	double *fill = arena_array(&l->plan->arena, double, t->count + 1);
	int64_t *map = arena_array(&l->plan->arena, int64_t, t->count + 1);
	for (int64_t i = 0; i < t->count; i++) {
		fill[i] = tensor_at(t, i);
		map[i] = -1 - i;
	}
	y->fill = fill;
	y->fill_count = t->count;
	y->map = map;
	y->real = c.real;
	y->out = lower_buf(l, v, false, c);
	return 0;
}

/* Operators that look at an input's shape alone, which is known here. */
static bool asks_shape(const struct node *n, size_t i)
{
	return i == 0 && (n->op == &op_Shape || n->op == &op_Size || n->op == &op_EyeLike) &&
	       node_input(n, 0)->elem != ELEM_STRING;
}

bool lower_is_constant(const struct node *n)
{
	if (!n->op || !n->op->exec || n->op->flags & OP_IMPURE || n->n_inputs > MAX_RANK || n->n_outputs > MAX_RANK)
		return false;
	for (size_t i = 0; i < n->n_inputs; i++)
		if (node_input(n, i) && !value_is_constant(node_input(n, i)) && !asks_shape(n, i))
			return false;
	return true;
}

static struct tensor *numbers_like(const struct value *v)
{
	return tensor_new((enum elem_type)v->elem, v->rank, v->dims);
}

int lower_constant(struct lowering *l, const struct node *n)
{
	struct tensor *in[MAX_RANK] = { NULL }, *out[MAX_RANK] = { NULL };
	for (size_t i = 0; i < n->n_inputs; i++)
		if (node_input(n, i))
			in[i] = node_input(n, i)->constant ? tensor_ref(node_input(n, i)->constant)
							   : numbers_like(node_input(n, i));
	enum { PLAN_BYTES = 16 }; /* that the plan and the text of generated code take for a byte of constants */
	struct exec_budget left = { l->left.bytes / PLAN_BYTES, l->left.work };
	struct exec_how how = { .threads = 1, .left = &left };
	int status = node_execute_with(n, in, out, &how, l->diags);
	l->left.work = left.work;
	for (size_t i = 0; i < n->n_outputs && status == 0; i++) {
		const struct value *v = n->outputs[i];
		l->left.bytes -= out[i] ? multiply_clamped(tensor_bytes(out[i]), PLAN_BYTES) : 0;
		if (v && out[i] && (v->uses || value_is_output(v)))
			status = constant_output(l, n, v, out[i]);
	}
	for (size_t i = 0; i < MAX_RANK; i++) {
		tensor_unref(in[i]);
		tensor_unref(out[i]);
	}
	return status;
}

/* ---- anything that moves ---- */

/* Operand i as the node sees it: element k holds number first + k. */
static struct tensor *numbered(const struct value *v, int64_t first)
{
	struct tensor *t = tensor_new_raw(ELEM_DOUBLE, v->rank, v->dims);
	for (int64_t k = 0; t && k < t->count; k++)
		((double *)t->data)[k] = (double)(first + k);
	return t;
}

/* A constant operand: in the numbers' type where it is data (a padding value), as it is where it is a parameter
 * (scales of a Resize). */
static struct tensor *as_operand(const struct node *n, const struct tensor *t)
{
	bool data = elem_is_float(t->elem) && n->op != &op_Resize && n->op != &op_Upsample;
	return data ? tensor_cast(t, ELEM_DOUBLE) : tensor_ref(t);
}

/* Numbers start here, above any constant that the operator may bring in (a padding value); some operators compute
 * in float32, which is exact up to 2^24. */
enum { FIRST_NUMBER = 1 << 22, MOST_NUMBERS = 3 << 22 };

struct move_inputs {
	struct tensor *in[MAX_RANK];
	const int64_t *order[MAX_RANK]; /* of operand i: graph's element to memory's */
	bool numbered[MAX_RANK];	/* a constant whose elements have numbers: those of y->fill, from first[i] on */
	int64_t filled[MAX_RANK];	/* where they start there */
	int64_t first[MAX_RANK];	/* its first number */
	size_t n_data;
	int64_t before[MAX_RANK]; /* elements of the operands before it */
	int64_t total;
};

/* Operators that move elements always, or in this mode. */
static bool moves(const struct node *n)
{
	static const struct op *const others[] = { &op_FMPadding,
						   &op_FMPadding_Pixel,
						   &op_ConvolutionInputGenerator,
						   &op_UpsampleNearestNeighbour,
						   &op_DownSampler,
						   &op_Im2Col,
						   &op_Pad,
						   NULL };
	if (!n->op || !n->op->exec)
		return false;
	if (n->op == &op_Resize || n->op == &op_Upsample)
		return strcmp(node_attr_string(n, "mode", "nearest"), "nearest") == 0;
	return n->op->flags & OP_MOVES || lower_is_one_of(n, others);
}

/* Whether input i is elements that move, rather than where to. */
static bool is_data(const struct node *n, size_t i)
{
	return i == 0 || n->op->max_inputs < 0;
}

/* Whether a constant among the data could be taken for the number of an element. */
static bool looks_numbered(const struct tensor *t, bool data)
{
	double lo, hi;
	if (!elem_is_float(t->elem) && !data)
		return false;
	tensor_min_max(t, &lo, &hi);
	return t->count && !(hi < FIRST_NUMBER);
}

/* A constant among several operands: its elements become those of y->fill. */
static int number_constant(struct lowering *l, struct plan_layer *y, const struct value *v, struct move_inputs *m,
			   size_t i)
{
	const struct tensor *t = v->constant;
	if (t->elem == ELEM_STRING || t->count > MOST_NUMBERS - (m->total - FIRST_NUMBER))
		return lower_unsupported(l, y->node, "a constant this large");
	double *fill = arena_array(&l->plan->arena, double, y->fill_count + t->count + 1);
	for (int64_t k = 0; k < y->fill_count; k++)
		fill[k] = y->fill[k];
	for (int64_t k = 0; k < t->count; k++)
		fill[y->fill_count + k] = tensor_at(t, k);
	m->in[i] = numbered(v, m->total);
	m->numbered[i] = true;
	m->filled[i] = y->fill_count;
	m->total += t->count;
	y->fill = fill;
	y->fill_count += t->count;
	return m->in[i] ? 0 : lower_unsupported(l, y->node, "this many elements");
}

static int number_inputs(struct lowering *l, const struct node *n, struct plan_layer *y, struct move_inputs *m)
{
	if (n->n_inputs > MAX_RANK || !moves(n))
		return lower_unsupported(l, n, "this operator");
	if (node_attr_float(n, "extrapolation_value", 0) >= FIRST_NUMBER)
		return lower_unsupported(l, n, "a constant this large"); /* what a Resize fills a region with */
	m->total = FIRST_NUMBER;
	for (size_t i = 0; i < n->n_inputs; i++) {
		const struct value *v = node_input(n, i);
		struct plan_buf *b = v ? l->of[v->id] : NULL;
		m->first[i] = m->total;
		if (v && v->constant && n->op->max_inputs < 0) {
			if (number_constant(l, y, v, m, i) < 0)
				return -1;
			continue;
		}
		if (v && v->constant && looks_numbered(v->constant, is_data(n, i)))
			return lower_unsupported(l, n, "a constant this large");
		if (v && v->constant)
			m->in[i] = as_operand(n, v->constant);
		if (!b)
			continue;
		if (!is_data(n, i))
			return lower_unsupported(l, n, "places that are computed at run time");
		if (b->count > MOST_NUMBERS - (m->total - FIRST_NUMBER))
			return lower_unsupported(l, n, "this many elements");
		m->in[i] = numbered(v, m->total);
		if (!m->in[i])
			return lower_unsupported(l, n, "this many elements");
		m->order[i] = lower_order(l, b);
		m->total += b->count;
		for (size_t k = 0; k < y->n_in; k++)
			m->before[i] += y->in[k]->count;
		y->in[y->n_in++] = b;
	}
	return y->n_in ? 0 : lower_unsupported(l, n, "constants only");
}

/* Number to element of the operands' memories laid end to end. */
static int64_t number_source(const struct move_inputs *m, size_t n_inputs, int64_t number)
{
	for (size_t i = n_inputs; i-- > 0;) {
		if (m->numbered[i] && number >= m->first[i])
			return -1 - (m->filled[i] + number - m->first[i]);
		if (m->order[i] && number >= m->first[i])
			return m->before[i] + m->order[i][number - m->first[i]];
	}
	return 0;
}

static struct contents move_contents(const struct plan_layer *y)
{
	struct contents c = contents_of(y->in[0]);
	for (size_t i = 1; i < y->n_in; i++) {
		c.real |= y->in[i]->real;
		c.step = y->in[i]->base == c.base && y->in[i]->step == c.step ? c.step : 1;
		c.lo = y->in[i]->lo < c.lo ? y->in[i]->lo : c.lo;
		c.hi = y->in[i]->hi > c.hi ? y->in[i]->hi : c.hi;
	}
	for (int64_t i = 0; i < y->fill_count; i++) {
		c.real |= !(fabs(y->fill[i]) <= 0x1p53) || y->fill[i] != floor(y->fill[i]);
		if (c.real)
			continue;
		int64_t v = (int64_t)y->fill[i], above;
		bool known = !__builtin_sub_overflow(v, c.base, &above);
		c.step = known && c.step && above % c.step == 0 ? c.step : 1;
		c.lo = v < c.lo ? v : c.lo;
		c.hi = v > c.hi ? v : c.hi;
	}
	if (c.lo < c.base)
		c.base = c.lo, c.step = 1;
	return c;
}

/* map[] of one output, in its storage order, and the constants it brings in. */
static void build_map(struct lowering *l, struct plan_layer *y, const struct move_inputs *m, size_t n_inputs,
		      const struct tensor *t)
{
	const int64_t *order = lower_order(l, y->out);
	int64_t *map = arena_array(&l->plan->arena, int64_t, t->count + 1);
	for (int64_t i = 0; i < t->count; i++) {
		double v = tensor_at(t, i);
		map[order[i]] = v >= FIRST_NUMBER ? number_source(m, n_inputs, (int64_t)v) : -1;
	}
	y->map = map;
}

/* Distinct constants among the results: as a rule none, or a padding value. */
static bool collect_fill(struct lowering *l, struct plan_layer *y, const struct tensor *t)
{
	if (y->fill_count)
		return true; /* operands that are constants; these operators bring in no others */
	double *fill = arena_array(&l->plan->arena, double, 1);
	for (int64_t i = 0; i < t->count; i++) {
		double v = tensor_at(t, i);
		if (v >= FIRST_NUMBER)
			continue;
		if (y->fill_count && fill[0] != v)
			return false;
		fill[0] = v;
		y->fill_count = 1;
	}
	y->fill = fill;
	return true;
}

static int move_output(struct lowering *l, const struct node *n, size_t i, struct plan_layer *y,
		       const struct move_inputs *m, const struct tensor *t)
{
	const struct value *v = n->outputs[i];
	if (t->rank != v->rank || !same_dims(v->rank, t->dims, v->dims))
		return diag_node_error(l->diags, n, "correct the declared shape, or remove it",
				       "the shape of output '%s' is declared otherwise than the operator computes it",
				       v->name);
	if (!collect_fill(l, y, t))
		return lower_unsupported(l, n, "several constants among the elements");
	struct contents c = move_contents(y);
	y->real = c.real;
	y->out = lower_buf(l, v, lower_result_last(l, v, y->in[0]), c);
	build_map(l, y, m, n->n_inputs, t);
	return 0;
}

/* Executes the node on numbers. */
static int run_numbers(struct lowering *l, const struct node *n, const struct move_inputs *m, struct tensor **out)
{
	if (node_execute(n, m->in, out, 1, l->diags) == 0)
		return 0;
	return lower_unsupported(l, n, "this operator");
}

int lower_move(struct lowering *l, const struct node *n)
{
	struct move_inputs m = { 0 };
	struct plan_layer *y = NULL;
	struct tensor *out[MAX_RANK] = { NULL };
	int status = n->n_outputs > MAX_RANK ? lower_unsupported(l, n, "this many outputs") : 0;
	for (size_t i = 0; i < n->n_outputs && status == 0; i++) {
		const struct value *v = n->outputs[i];
		if (!v || (!v->uses && !value_is_output(v)))
			continue;
		for (size_t k = 0; k < MAX_RANK; k++)
			tensor_unref(m.in[k]);
		m = (struct move_inputs){ 0 };
		y = lower_layer(l, n, PLAN_MOVE, NULL);
		status = number_inputs(l, n, y, &m);
		if (status == 0 && !out[i])
			status = run_numbers(l, n, &m, out);
		if (status == 0)
			status = move_output(l, n, i, y, &m, out[i]);
	}
	for (size_t i = 0; i < MAX_RANK; i++) {
		tensor_unref(m.in[i]);
		tensor_unref(out[i]);
	}
	return status;
}

/* Walks over broadcast operands, and the element-wise operators' common executors. */
#include "ops/broadcast.h"

#include <stdlib.h>
#include <string.h>

/* How an operand lies in dimension i of a result of that rank: its extent, 1 where it has none. */
static int64_t extent(const struct tensor *t, int rank, int i)
{
	int own = i - (rank - t->rank);
	return own < 0 ? 1 : t->dims[own];
}

/* Merges the result's dims, outermost first, where every operand either spans or repeats both. */
static int merge_dims(struct walk *w, int rank, const int64_t *dims, size_t operands, struct tensor *const *t,
		      bool spans[WALK_OPERANDS][MAX_RANK])
{
	int merged = 0;
	for (int i = 0; i < rank; i++) {
		if (dims[i] == 1)
			continue;
		bool same = merged > 0;
		for (size_t k = 0; k < operands; k++) {
			bool span = extent(t[k], rank, i) != 1;
			same = same && spans[k][merged - 1] == span;
			spans[k][merged] = span;
		}
		if (same)
			w->dims[merged - 1] *= dims[i];
		else
			w->dims[merged++] = dims[i];
	}
	return merged;
}

bool walk_start(struct walk *w, int rank, const int64_t *dims, size_t operands, struct tensor *const *t)
{
	bool spans[WALK_OPERANDS][MAX_RANK];
	*w = (struct walk){ .run = 1 };
	for (int i = 0; i < rank; i++)
		if (dims[i] == 0)
			return false;
	int merged = merge_dims(w, rank, dims, operands, t, spans);
	if (merged > 0)
		w->run = w->dims[merged - 1];
	w->rank = merged > 0 ? merged - 1 : 0;
	for (size_t k = 0; k < operands; k++) {
		w->step[k] = merged > 0 && spans[k][merged - 1];
		int64_t stride = w->step[k] ? w->run : 1;
		for (int i = w->rank - 1; i >= 0; i--) {
			w->strides[k][i] = spans[k][i] ? stride : 0;
			stride *= spans[k][i] ? w->dims[i] : 1;
		}
	}
	return true;
}

bool walk_next(struct walk *w)
{
	w->done += w->run;
	for (int i = w->rank - 1; i >= 0; i--) {
		bool wraps = ++w->index[i] == w->dims[i];
		int64_t by = wraps ? 1 - w->dims[i] : 1;
		for (int k = 0; k < WALK_OPERANDS; k++)
			w->offset[k] += by * w->strides[k][i];
		if (!wraps)
			return true;
		w->index[i] = 0;
	}
	return false;
}

bool exec_broadcast_shape(struct exec_ctx *x, struct tensor *const *t, size_t count, int *rank, int64_t dims[MAX_RANK])
{
	*rank = t[0]->rank;
	for (int i = 0; i < MAX_RANK; i++)
		dims[i] = i < *rank ? t[0]->dims[i] : 1;
	for (size_t k = 1; k < count; k++) {
		if (!broadcast_shapes(*rank, dims, t[k]->rank, t[k]->dims, rank, dims)) {
			diag_node_error(x->diags, x->node, "check the shapes of the inputs",
					"the shapes of its inputs do not broadcast to one another");
			return false;
		}
	}
	return true;
}

bool exec_takes_real(struct exec_ctx *x)
{
	if (x->in[0]->elem == ELEM_FLOAT || x->in[0]->elem == ELEM_DOUBLE)
		return true;
	exec_unsupported(x, "the input is neither float nor double");
	return false;
}

bool exec_takes_scalars(struct exec_ctx *x, size_t first)
{
	for (size_t i = first; i < x->n_in; i++)
		if (!x->in[i] || x->in[i]->count != 1) {
			exec_unsupported(x, "a parameter that is no scalar");
			return false;
		}
	return true;
}

int exec_real_begin(struct exec_ctx *x, size_t count, struct real_operands *o)
{
	enum elem_type elem = (enum elem_type)x->in[0]->elem;
	int rank;
	int64_t dims[MAX_RANK];
	*o = (struct real_operands){ 0 };
	if (!exec_takes_real(x) || !exec_broadcast_shape(x, x->in, count, &rank, dims))
		return -1;
	o->out = exec_output(x, 0, elem, rank, dims);
	for (size_t i = 0; i < count && o->out; i++)
		if (!(o->in[i] = tensor_try_cast(x->in[i], elem)))
			return exec_unsupported(x, "a parameter of that type");
	return o->out ? 0 : -1;
}

void exec_real_end(struct real_operands *o)
{
	for (size_t i = 0; i < sizeof o->in / sizeof *o->in; i++)
		tensor_unref(o->in[i]);
}

int exec_binary_on(struct exec_ctx *x, struct tensor *a, struct tensor *b, binary_loop *const *loops,
		   enum elem_type out_elem)
{
	struct tensor *operands[] = { a, b };
	int rank;
	int64_t dims[MAX_RANK];
	if (a->elem != b->elem)
		return exec_unsupported(x, "operands of two storage types");
	if (!loops[a->elem])
		return exec_unsupported(x, elem_name(a->elem));
	if (!exec_broadcast_shape(x, operands, 2, &rank, dims))
		return -1;
	struct tensor *out = exec_output(x, 0, out_elem ? out_elem : a->elem, rank, dims);
	if (!out)
		return -1;
	size_t size = elem_size(a->elem), out_size = elem_size(out->elem);
	struct walk w;
	for (bool more = walk_start(&w, rank, dims, 2, operands); more; more = walk_next(&w))
		loops[a->elem]((char *)out->data + (size_t)w.done * out_size,
			       (char *)a->data + (size_t)w.offset[0] * size,
			       (char *)b->data + (size_t)w.offset[1] * size, w.run, w.step[0], w.step[1]);
	return 0;
}

int legacy_axis(const struct node *n, int64_t opset, int rank_a, int rank_b)
{
	if (opset >= 7 || rank_b < 1 || rank_b >= rank_a)
		return -1;
	if (strcmp(n->op_type, "PRelu") == 0)
		return rank_b == 1 ? 1 : -1;
	int axis = node_attr(n, "axis") ? normal_axis(node_attr_int(n, "axis", 0), rank_a) : -1;
	return axis + rank_b <= rank_a ? axis : -1;
}

/* The second operand with dims of 1 after its own, so that they lie along the axis. */
static struct tensor *aligned(const struct tensor *b, int axis, int rank_a)
{
	int64_t dims[MAX_RANK];
	if (axis < 0)
		return tensor_ref(b);
	for (int i = 0; i < rank_a - axis; i++)
		dims[i] = i < b->rank ? b->dims[i] : 1;
	return tensor_view(b, rank_a - axis, dims);
}

int exec_binary(struct exec_ctx *x, binary_loop *const *loops, enum elem_type out_elem)
{
	int axis = legacy_axis(x->node, x->opset, x->in[0]->rank, x->in[1]->rank);
	struct tensor *b = aligned(x->in[1], axis, x->in[0]->rank);
	int result = b ? exec_binary_on(x, x->in[0], b, loops, out_elem) : -1;
	tensor_unref(b);
	return result;
}

int exec_unary(struct exec_ctx *x, unary_loop *const *loops, enum elem_type out_elem, double alpha, double beta)
{
	struct tensor *in = x->in[0];
	if (!loops[in->elem])
		return exec_unsupported(x, elem_name(in->elem));
	struct tensor *out = exec_output(x, 0, out_elem ? out_elem : in->elem, in->rank, in->dims);
	if (!out)
		return -1;
	loops[in->elem](out->data, in->data, in->count, (double[]){ alpha, beta });
	return 0;
}

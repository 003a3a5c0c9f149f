/* lower-convs: operators at the borders of the part that works on images: sums over axes, flattening, and the
 * network's own transposes. */
#include <string.h>

#include "ops/reduce.h"
#include "passes/edit.h"
#include "passes/lower_convs.h"
#include "util/vec.h"

/* The same reduction over these axes of the twin, which keeps them. */
static struct node *add_reduction(struct lowering *l, struct node *n, const int64_t *axes, size_t count, bool is_twin)
{
	bool by_input = graph_opset(l->g, DOMAIN_ONNX) >= (n->op == &op_ReduceSum ? 13 : 18);
	struct value *list = value_new_constant(l->g, "axes", tensor_int64(1, (int64_t[]){ (int64_t)count }, axes));
	struct value *inputs[] = { twin_of(l, node_input(n, 0), n), list };
	struct node *y = is_twin ? add_lowered(l, n, DOMAIN_ONNX, n->op_type, inputs, by_input ? 2 : 1)
				 : node_new(l->g, n, DOMAIN_ONNX, n->op_type, inputs, by_input ? 2 : 1, 1, "reduced");
	node_set_int(y, "keepdims", 1);
	if (!by_input)
		node_set_ints(y, "axes", axes, count);
	return y;
}

/* A sum or a maximum that keeps its axes is one along the same axes, where they lie now. One over all pixels may drop them: what is left
 * has its channels last either way. */
int nhwc_reduction(struct lowering *l, struct node *n)
{
	struct value *x = node_input(n, 0), *out = node_output(n, 0);
	int64_t axes[MAX_RANK];
	size_t count = 0;
	struct reduction r;
	if (!is_image(x) || (x->rank == 3 && !has_twin(l, x)) || !reduction_of(n, x->rank, &r) || !r.axes)
		return 0;
	for (int i = 0; i < x->rank; i++)
		if (r.axes >> i & 1)
			axes[count++] = axis_last(i);
	bool over_pixels = r.axes == (x->rank == 4 ? 0xcu : 0x4u);
	if (r.keep && is_image(out)) {
		add_reduction(l, n, axes, count, true);
		return 1;
	}
	if (!over_pixels || out->rank != 2)
		return 0;
	struct value *y = add_reduction(l, n, axes, count, false)->outputs[0];
	value_set_type(l->g, y, (enum elem_type)out->elem, 4, (int64_t[]){ x->dims[0], 1, 1, x->dims[1] });
	y->datatype = out->datatype;
	struct value *shape = value_new_constant(l->g, "shape", tensor_int64(1, (int64_t[]){ 2 }, out->dims));
	replace_lowered(l, n, add_node2(l->g, n, DOMAIN_ONNX, "Reshape", y, shape, out->name));
	return 1;
}

/* Does the same to every element. */
static bool treats_all_alike(const struct node *n, size_t data)
{
	const struct value *other = node_input(n, 1 - data);
	if (n->op == &op_MultiThreshold)
		return data == 0 && value_is_constant(other) && other->dims[0] == 1;
	return (n->op == &op_Add || n->op == &op_Sub || n->op == &op_Mul) && value_is_constant(other) &&
	       other->constant->count == 1;
}

/* All readers are products with constant weights, whose rows can be put into another order, behind what treats all
 * elements alike. */
static bool only_products_read(const struct value *v)
{
	if (!v->uses)
		return false;
	value_for_each_use (v, u) {
		const struct node *n = u->user;
		bool product = n && n->op == &op_MatMul && u->index == 0 && value_is_constant(node_input(n, 1)) &&
			       node_input(n, 1)->rank == 2;
		if (!product &&
		    !(n && u->index < 2 && treats_all_alike(n, u->index) && only_products_read(node_output(n, 0))))
			return false;
	}
	return true;
}

/* Puts the rows of those products into the order of channels-last pixels. */
static void permute_readers(struct lowering *l, struct value *v, int64_t channels, int64_t pixels)
{
	value_for_each_use (v, u)
		if (u->user->op == &op_MatMul)
			node_set_input(u->user, 1, permute_rows(l->g, node_input(u->user, 1), channels, pixels));
		else
			permute_readers(l, node_output(u->user, 0), channels, pixels);
}

/* A reshape of an image to one row a sample. */
int nhwc_flatten(struct lowering *l, struct node *n)
{
	struct value *x = node_input(n, 0), *out = node_output(n, 0);
	if (!is_image(x) || !has_twin(l, x) || out->rank != 2 || out->dims[0] != x->dims[0])
		return 0;
	int64_t channels = x->dims[1], pixels = out->dims[1] / channels;
	if (pixels > 1 && !only_products_read(out))
		return 0;
	struct value *shape = value_new_constant(l->g, "shape", tensor_int64(1, (int64_t[]){ 2 }, out->dims));
	struct value *flat = add_node2(l->g, n, DOMAIN_ONNX, "Reshape", twin_of(l, x, n), shape, out->name);
	flat->range = out->range && !out->range->channels ? out->range : NULL;
	if (pixels > 1)
		permute_readers(l, out, channels, pixels);
	replace_lowered(l, n, flat);
	return 1;
}

/* A signal is an image of one column: its twin [N, L, 1, C] is its transpose [N, L, C] in another shape. */
static int signal_transpose(struct lowering *l, struct node *n)
{
	struct value *x = node_input(n, 0), *out = node_output(n, 0);
	if (has_twin(l, x)) {
		struct value *shape = value_new_constant(l->g, "shape", tensor_int64(1, (int64_t[]){ 3 }, out->dims));
		struct value *y = add_node2(l->g, n, DOMAIN_ONNX, "Reshape", l->twin[x->id], shape, out->name);
		y->range = out->range;
		replace_lowered(l, n, y);
		return 1;
	}
	if (!is_read_by_window(out) || out->id >= l->size)
		return 0;
	int64_t dims[] = { x->dims[0], x->dims[1], 1, x->dims[2] };
	struct value *shape = value_new_constant(l->g, "shape", tensor_int64(1, (int64_t[]){ 4 }, dims));
	set_twin(l, out, add_node2(l->g, n, DOMAIN_ONNX, "Reshape", x, shape, "image"));
	vec_push(&l->lowered, n);
	l->ctx->changes++;
	return 1;
}

/* A Transpose of the network's own between the two layouts: what it gives, or reads, is a twin already. */
int nhwc_transpose(struct lowering *l, struct node *n)
{
	static const int64_t swap[] = { 0, 2, 1 };
	static const int64_t to_last[] = { 0, 2, 3, 1 }, to_first[] = { 0, 3, 1, 2 };
	struct value *x = node_input(n, 0), *out = node_output(n, 0);
	size_t count = 0;
	const int64_t *perm = node_attr_ints(n, "perm", &count);
	if (is_image(x) && perm && count == 3 && !memcmp(perm, swap, sizeof swap))
		return signal_transpose(l, n);
	if (!is_image(x) || x->rank != 4 || !perm || count != 4)
		return 0;
	if (!memcmp(perm, to_last, sizeof to_last) && has_twin(l, x))
		value_replace_uses(out, l->twin[x->id]);
	else if (!memcmp(perm, to_first, sizeof to_first) && out->id < l->size && !has_twin(l, out))
		l->twin[out->id] = x;
	else
		return 0;
	vec_push(&l->lowered, n);
	l->ctx->changes++;
	return 1;
}

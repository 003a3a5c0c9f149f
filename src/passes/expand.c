/* Building blocks of the expansions (expand.h). */
#include "passes/expand.h"

#include "passes/edit.h"

struct value *expand_unary(struct expansion *s, const char *op_type, struct value *a)
{
	return add_node1(s->graph, s->node, DOMAIN_ONNX, op_type, a, op_type);
}

struct value *expand_binary(struct expansion *s, const char *op_type, struct value *a, struct value *b)
{
	return add_node2(s->graph, s->node, DOMAIN_ONNX, op_type, a, b, op_type);
}

struct value *expand_ternary(struct expansion *s, const char *op_type, struct value *a, struct value *b,
			     struct value *c)
{
	struct value *inputs[] = { a, b, c };
	return typed_output(node_new(s->graph, s->node, DOMAIN_ONNX, op_type, inputs, 3, 1, op_type));
}

struct value *expand_cast(struct expansion *s, struct value *v, enum elem_type to)
{
	struct node *n = node_new(s->graph, s->node, DOMAIN_ONNX, "Cast", &v, 1, 1, "Cast");
	node_set_int(n, "to", to);
	return typed_output(n);
}

struct value *expand_transpose(struct expansion *s, struct value *v, const int64_t *perm, size_t rank)
{
	struct node *n = node_new(s->graph, s->node, DOMAIN_ONNX, "Transpose", &v, 1, 1, "Transpose");
	node_set_ints(n, "perm", perm, rank);
	return typed_output(n);
}

struct value *expand_reshape(struct expansion *s, struct value *v, const int64_t *dims, size_t rank)
{
	int64_t count[] = { (int64_t)rank };
	struct value *shape = value_new_constant(s->graph, "shape", tensor_int64(1, count, dims));
	return expand_binary(s, "Reshape", v, shape);
}

struct value *expand_scalar(struct expansion *s, double x)
{
	struct tensor *t = tensor_new(s->elem, 0, NULL);
	tensor_put(t, 0, x);
	return value_new_constant(s->graph, "number", t);
}

struct value *expand_operand(struct expansion *s, struct value *v)
{
	if (v->elem == s->elem)
		return v;
	if (value_is_constant(v))
		return value_new_constant(s->graph, v->name, tensor_cast(v->constant, s->elem));
	return expand_cast(s, v, s->elem);
}

void expand_finish(struct expansion *s, struct value *y)
{
	struct value *old = s->node->outputs[0];
	if (old->elem && old->elem != y->elem)
		y = expand_cast(s, y, (enum elem_type)old->elem);
	if (y->producer && !value_is_constant(y) && y != node_input(s->node, 0))
		value_copy_type(s->graph, y, old);
	node_bypass(s->node, y);
}

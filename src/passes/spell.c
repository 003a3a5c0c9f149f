/* Building blocks for spelling operators out (spell.h). */
#include "passes/spell.h"

#include "passes/edit.h"

/* Inference must succeed: the operator spelled out was inferred before. What is unknown stays so. */
static struct value *typed(struct node *n)
{
	struct diags quiet = { 0 };
	node_infer(n, &quiet);
	diags_free(&quiet);
	return n->outputs[0];
}

struct value *spell1(struct spelling *s, const char *op_type, struct value *a)
{
	return add_node1(s->graph, s->node, DOMAIN_ONNX, op_type, a, op_type);
}

struct value *spell2(struct spelling *s, const char *op_type, struct value *a, struct value *b)
{
	return add_node2(s->graph, s->node, DOMAIN_ONNX, op_type, a, b, op_type);
}

struct value *spell3(struct spelling *s, const char *op_type, struct value *a, struct value *b, struct value *c)
{
	struct value *inputs[] = { a, b, c };
	return typed(node_new(s->graph, s->node, DOMAIN_ONNX, op_type, inputs, 3, 1, op_type));
}

struct value *spell_cast(struct spelling *s, struct value *v, enum elem_type to)
{
	struct node *n = node_new(s->graph, s->node, DOMAIN_ONNX, "Cast", &v, 1, 1, "Cast");
	node_set_int(n, "to", to);
	return typed(n);
}

struct value *spell_transpose(struct spelling *s, struct value *v, const int64_t *perm, size_t rank)
{
	struct node *n = node_new(s->graph, s->node, DOMAIN_ONNX, "Transpose", &v, 1, 1, "Transpose");
	node_set_ints(n, "perm", perm, rank);
	return typed(n);
}

struct value *spell_reshape(struct spelling *s, struct value *v, const int64_t *dims, size_t rank)
{
	int64_t count[] = { (int64_t)rank };
	struct value *shape = value_new_constant(s->graph, "shape", tensor_int64(1, count, dims));
	return spell2(s, "Reshape", v, shape);
}

struct value *spell_number(struct spelling *s, double x)
{
	struct tensor *t = tensor_new(s->elem, 0, NULL);
	tensor_put(t, 0, x);
	return value_new_constant(s->graph, "number", t);
}

struct value *spell_operand(struct spelling *s, struct value *v)
{
	if (v->elem == s->elem)
		return v;
	if (value_is_constant(v))
		return value_new_constant(s->graph, v->name, tensor_cast(v->constant, s->elem));
	return spell_cast(s, v, s->elem);
}

void spell_finish(struct spelling *s, struct value *y)
{
	struct value *old = s->node->outputs[0];
	if (old->elem && old->elem != y->elem)
		y = spell_cast(s, y, (enum elem_type)old->elem);
	if (y->producer && !value_is_constant(y) && y != node_input(s->node, 0))
		value_copy_type(s->graph, y, old);
	node_bypass(s->node, y);
}

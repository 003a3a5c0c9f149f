/* Small edits that passes share. */
#include "passes/edit.h"

void node_bypass(struct node *n, struct value *v)
{
	value_replace_uses(n->outputs[0], v);
	node_remove(n);
}

static struct value *typed_output(struct node *n)
{
	struct diags quiet = { 0 };
	node_infer(n, &quiet);
	diags_free(&quiet);
	return n->outputs[0];
}

struct value *add_node1(struct graph *g, struct node *before, const char *domain, const char *op_type, struct value *a,
			const char *hint)
{
	return typed_output(node_new(g, before, domain, op_type, &a, 1, 1, hint));
}

struct value *add_node2(struct graph *g, struct node *before, const char *domain, const char *op_type, struct value *a,
			struct value *b, const char *hint)
{
	struct value *inputs[] = { a, b };
	return typed_output(node_new(g, before, domain, op_type, inputs, 2, 1, hint));
}

struct value *constant_floats(struct graph *g, const char *hint, int rank, const int64_t *dims, const double *x)
{
	struct tensor *t = tensor_new_raw(ELEM_FLOAT, rank, dims);
	for (int64_t i = 0; i < t->count; i++)
		tensor_put(t, i, x[i]);
	return value_new_constant(g, hint, t);
}

struct value *constant_scalar(struct graph *g, const char *hint, double x)
{
	return constant_floats(g, hint, 0, NULL, &x);
}

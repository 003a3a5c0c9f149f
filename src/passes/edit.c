/* Small edits that passes share. */
#include "passes/edit.h"

#include <math.h>
#include <stdlib.h>

#include "util/vec.h"
#include "util/integers.h"

void node_bypass(struct node *n, struct value *v)
{
	value_replace_uses(n->outputs[0], v);
	node_remove(n);
}

/* Values whose producers may have become useless, each once. */
struct candidates {
	struct value **items;
	size_t count, capacity;
};

static void add_candidate(struct candidates *c, struct value *v)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->items[i] == v)
			return;
	vec_push(c, v);
}

static void drop_candidate(struct candidates *c, const struct value *v)
{
	for (size_t i = c->count; i-- > 0;)
		if (c->items[i] == v)
			c->items[i] = c->items[--c->count];
}

void remove_unused_above(struct value *first)
{
	struct candidates c = { 0 };
	if (first)
		add_candidate(&c, first);
	while (c.count) {
		struct node *n = c.items[--c.count]->producer;
		if (!n || !node_is_unused(n))
			continue;
		for (uint32_t i = 0; n->op && n->op->flags & OP_ELEMENTWISE && i < n->n_inputs; i++) {
			struct value *v = n->inputs[i].value;
			if (v && !value_is_constant(v))
				add_candidate(&c, v);
		}
		for (uint32_t i = 0; i < n->n_outputs; i++)
			drop_candidate(&c, n->outputs[i]);
		node_remove(n);
	}
	vec_free(&c);
}

struct value *typed_output(struct node *n)
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

static bool ascends(const struct tensor *t)
{
	for (int64_t i = 0; i < t->count; i++)
		if (isnan(tensor_at(t, i)) || (i % t->dims[1] && tensor_at(t, i - 1) > tensor_at(t, i)))
			return false;
	return true;
}

bool sort_thresholds(struct node *n)
{
	const struct value *v = node_input(n, 1);
	if (!value_is_constant(v) || v->constant->rank != 2 || ascends(v->constant))
		return false;
	struct tensor *t = tensor_copy(v->constant);
	int64_t steps = t->dims[1];
	double *row = xcalloc((size_t)steps, sizeof *row);
	for (int64_t r = 0; r < t->dims[0]; r++) {
		for (int64_t s = 0; s < steps; s++) {
			double x = tensor_at(t, r * steps + s);
			row[s] = isnan(x) ? INFINITY : x; /* nothing reaches either */
		}
		qsort(row, (size_t)steps, sizeof *row, compare_doubles);
		for (int64_t s = 0; s < steps; s++)
			tensor_put(t, r * steps + s, row[s]);
	}
	free(row);
	struct value *sorted = value_new_constant(n->graph, v->name, t);
	sorted->datatype = v->datatype;
	node_set_input(n, 1, sorted);
	return true;
}

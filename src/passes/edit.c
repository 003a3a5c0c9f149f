/* Small edits that passes share. */
#include "passes/edit.h"

#include <math.h>
#include <stdlib.h>

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

/* ---- thresholds ---- */

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
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
		qsort(row, (size_t)steps, sizeof *row, ascending);
		for (int64_t s = 0; s < steps; s++)
			tensor_put(t, r * steps + s, row[s]);
	}
	free(row);
	struct value *sorted = value_new_constant(n->graph, v->name, t);
	sorted->datatype = v->datatype;
	node_set_input(n, 1, sorted);
	return true;
}

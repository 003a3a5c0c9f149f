/* Chains of element-wise nodes: evaluating them, by executing their nodes. */
#include <stdlib.h>
#include <string.h>

#include "passes/chain.h"

/* Points run along one axis and channels along their own; all other axes have length 1. */
struct arrangement {
	int rank, points_axis, channel_axis; /* channel_axis -1: none */
};

/* The points take axis 0, or axis 1 where the channels lie along axis 0. Points of a vector get an axis in front, which
 * broadcasting allows. */
static struct arrangement arrangement_of(const struct chain *c)
{
	int rank = c->root->rank < 1 ? 1 : c->root->rank;
	if (c->axis != 0)
		return (struct arrangement){ rank, 0, c->axis };
	return rank == 1 ? (struct arrangement){ 2, 0, 1 } : (struct arrangement){ rank, 1, 0 };
}

/* Where x[p * channels + c] lies among the elements of the tensor. */
static int64_t element_of(const struct arrangement *l, int64_t i, int64_t points, int64_t channels)
{
	return l->channel_axis == 0 ? i % channels * points + i / channels : i;
}

static struct tensor *points_tensor(const struct chain *c, const struct arrangement *l, const double *x, int64_t points,
				    bool exact)
{
	int64_t dims[MAX_RANK];
	for (int i = 0; i < l->rank; i++)
		dims[i] = 1;
	dims[l->points_axis] = points;
	if (l->channel_axis >= 0)
		dims[l->channel_axis] = c->channels;
	struct tensor *t = tensor_new_raw(exact ? ELEM_DOUBLE : ELEM_FLOAT, l->rank, dims);
	for (int64_t i = 0; t && i < t->count; i++)
		if (exact)
			((double *)t->data)[element_of(l, i, points, c->channels)] = x[i];
		else
			((float *)t->data)[element_of(l, i, points, c->channels)] = (float)x[i];
	return t;
}

/* What v holds: the points, or the result of a node before the one with that index. */
static struct tensor *value_at(const struct chain *c, struct tensor *const *results, size_t index,
			       const struct value *v)
{
	for (size_t i = index; i-- > 0;)
		if (c->nodes[i]->outputs[0] == v)
			return results[i + 1];
	return results[0];
}

/* Executes node i of the chain; results[0] are the points, results[i + 1] what node i gives. */
static struct tensor *apply(const struct chain *c, struct tensor *const *results, size_t index, struct diags *d)
{
	enum { MOST_INPUTS = 16 };
	const struct node *n = c->nodes[index];
	struct tensor *in[MOST_INPUTS] = { NULL }, *out[MOST_INPUTS] = { NULL };
	uint32_t count = n->n_inputs < MOST_INPUTS ? n->n_inputs : MOST_INPUTS;
	enum elem_type type = (enum elem_type)results[0]->elem;
	for (uint32_t i = 0; i < count; i++) { /* parameters in the arithmetic of the data */
		const struct value *v = n->inputs[i].value;
		const struct tensor *p = v ? v->constant : NULL;
		if (v && !p)
			in[i] = tensor_ref(value_at(c, results, index, v));
		else
			in[i] = p && p->elem == ELEM_FLOAT ? tensor_cast(p, type) : tensor_ref(p);
	}
	int result = node_execute(n, in, out, 1, d);
	for (uint32_t i = 0; i < count; i++)
		tensor_unref(in[i]);
	for (uint32_t i = 1; i < n->n_outputs && i < MOST_INPUTS; i++)
		tensor_unref(out[i]);
	return result == 0 ? out[0] : NULL;
}

struct tensor *chain_run(const struct chain *c, struct tensor *root, struct diags *d)
{
	struct tensor **results = xcalloc(c->count + 1, sizeof *results), *t = results[0] = tensor_ref(root);
	for (size_t i = 0; i < c->count && t; i++) {
		t = results[i + 1] = apply(c, results, i, d);
		if (i > 0 && !c->has_paths) { /* nobody reads it again */
			tensor_unref(results[i]);
			results[i] = NULL;
		}
	}
	t = tensor_ref(t);
	for (size_t i = 0; i <= c->count; i++)
		tensor_unref(results[i]);
	free(results);
	return t;
}

int chain_eval(const struct chain *c, const double *x, double *y, int64_t points, bool exact, struct diags *d)
{
	struct arrangement l = arrangement_of(c);
	struct tensor *root = points_tensor(c, &l, x, points, exact), *t = root ? chain_run(c, root, d) : NULL;
	bool good = t && t->count == root->count;
	if (!root)
		diag_error(d, NULL, "out of memory evaluating the chain of '%s'", c->root->name);
	else if (t && !good)
		diag_error(d, NULL, "the chain of '%s' changes its shape", c->root->name);
	for (int64_t i = 0; good && i < t->count; i++)
		y[i] = tensor_at(t, element_of(&l, i, points, c->channels));
	tensor_unref(root);
	tensor_unref(t);
	return good ? 0 : -1;
}

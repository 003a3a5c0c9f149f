/* Negating integers: see turn.h. */
#include "passes/turn.h"

#include <stdlib.h>
#include <string.h>

#include "passes/edit.h"
#include "passes/products.h"
#include "passes/ranges.h"

/* Whether the chain alone reads its root, and nobody reads what lies between. */
static bool root_is_private(const struct chain *c)
{
	if (!value_only_use(c->root))
		return false;
	for (size_t i = 0; i + 1 < c->count; i++)
		if (!value_only_use(c->nodes[i]->outputs[0]))
			return false;
	return true;
}

/* The product that made the root, where its output channels are the chain's. */
static bool has_own_product(const struct chain *c, struct product *p)
{
	struct node *n = c->root->producer;
	bool described = n && !node_input(n, 2) && root_is_private(c) && product_describe(n, p);
	return described && (c->channels == 1 || (p->out_axis == c->axis && p->groups * p->out == c->channels));
}

/* The weights of p, turned. Of a signed type the least number may turn into one more than the largest. */
static struct value *turned_weights(struct graph *g, const struct value *old, const struct product *p,
				    const double *sign, bool per_channel)
{
	int64_t outputs = p->groups * p->out;
	double *factors = xcalloc((size_t)outputs, sizeof *factors);
	for (int64_t c = 0; c < outputs; c++)
		factors[c] = sign[per_channel ? c : 0];
	struct value *w = value_new_constant(g, old->name, product_scaled(p, factors, NULL, NULL));
	free(factors);
	w->datatype =
		datatype_is_signed(old->datatype) ? old->datatype : datatype_int(datatype_bits(old->datatype) + 1);
	if (old->datatype.kind != DT_INT)
		return w;
	const struct range *r = range_of(g, w);
	struct datatype least = datatype_for_range(r->lo < 0 ? r->lo : -1, r->hi);
	if (least.bits > w->datatype.bits)
		w->datatype = least;
	return w;
}

static struct value *typed_by_range(struct graph *g, struct value *v)
{
	range_forget(v);
	const struct range *r = range_of(g, v);
	if (r)
		v->datatype = datatype_for_range(r->lo, r->hi);
	return v;
}

struct value *turn_root(struct graph *g, struct node *before, const struct chain *c, const double *sign)
{
	struct value *root = c->root;
	struct product p;
	bool turned = false, per_channel = c->channels > 1;
	for (int64_t i = 0; i < c->channels; i++)
		turned = turned || sign[i] < 0;
	if (!turned)
		return root;
	if (has_own_product(c, &p)) {
		struct node *n = root->producer;
		node_set_input(n, 1, turned_weights(g, node_input(n, 1), &p, sign, per_channel));
		return typed_by_range(g, root);
	}
	struct affine a;
	affine_init(&a, root, per_channel ? c->axis : -1, c->channels);
	memcpy(a.scale, sign, (size_t)c->channels * sizeof *a.scale);
	struct value *v = affine_emit(&a, g, before, root);
	affine_free(&a);
	v->datatype = datatype_int(datatype_bits(root->datatype) + 1); /* any integer type: the range tells which */
	return typed_by_range(g, v);
}

/* The parameter whose sign says which way a node goes in each channel. */
static const struct value *direction_parameter(const struct node *n)
{
	if (n->op == &op_BatchNormalization)
		return node_input(n, 1);
	return node_input(n, elementwise_data(n) == 0 ? 1 : 0);
}

bool chain_directions(const struct chain *c, double *sign)
{
	for (int64_t k = 0; k < c->channels; k++)
		sign[k] = 1;
	for (size_t i = 0; i < c->count; i++) {
		bool mixed;
		int direction = elementwise_direction(c->nodes[i], &mixed);
		if (!direction && !mixed)
			return false;
		const struct value *p = mixed ? direction_parameter(c->nodes[i]) : NULL;
		for (int64_t k = 0; k < c->channels; k++)
			if (p ? tensor_at(p->constant, p->constant->count == 1 ? 0 : k) < 0 : direction < 0)
				sign[k] = -sign[k];
	}
	return true;
}

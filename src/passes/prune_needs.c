/* prune-dead's analysis: which channels of each value are needed.
 *
 * Values that nodes tie channel by channel (element-wise nodes, sums of two values, pools, depthwise convolutions) share one
 * set: what one reader needs stays in all of them. Ranges are exact bounds computed in topological order, so every constant
 * channel is known, and one walk back finds every channel that is needed once the constants are folded. Only where nodes
 * put channels together (Concat, Flatten) do sets depend on each other in both directions; then the walk is repeated until
 * nothing grows. */
#include <stdlib.h>
#include <string.h>

#include "ops/op.h"
#include "passes/chain.h"
#include "passes/prune_dead.h"
#include "passes/ranges.h"
#include "util/integers.h"

/* ---- which nodes let channels through ---- */

static bool same_shape(const struct value *a, const struct value *b)
{
	return a->rank == b->rank && a->rank > 0 && memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

static bool flattens(const struct node *n)
{
	const struct value *in = node_input(n, 0), *out = n->outputs[0];
	if ((n->op != &op_Reshape && n->op != &op_Flatten) || in->rank < 3 || out->rank != 2)
		return false;
	int64_t features = 1;
	features = dims_product(in->dims, 1, in->rank);
	return in->dims[0] == out->dims[0] && out->dims[1] == features;
}

static bool is_marked(const struct value *w)
{
	return w->extra && property_get(w->extra->annotations, "tensor_sparsity");
}

static enum role product_role(const struct node *n)
{
	struct product p;
	if (!product_describe(n, &p) || n->op == &op_ConvTranspose || !datatype_is_integer(node_input(n, 0)->datatype))
		return ROLE_OTHER;
	if (p.groups == 1) /* lower-convs marks the dense form of depthwise weights, which must keep its shape */
		return is_marked(product_weights(n)) ? ROLE_OTHER : ROLE_PRODUCT;
	return p.in == 1 && p.out == 1 ? ROLE_DEPTHWISE : ROLE_OTHER;
}

enum role prune_role(const struct node *n)
{
	if (!n->op || n->n_outputs < 1 || !n->outputs[0] || !value_shape_known(n->outputs[0]))
		return ROLE_OTHER;
	if (product_weights(n))
		return product_role(n);
	int data = elementwise_data(n);
	if (data >= 0 && same_shape(node_input(n, (size_t)data), n->outputs[0]))
		return elementwise_axis(n, n->outputs[0]->rank) == -2 ? ROLE_OTHER : ROLE_EACH;
	if ((n->op == &op_Add || n->op == &op_Sub || n->op == &op_Mul) && n->n_inputs == 2 && data < 0 &&
	    same_shape(node_input(n, 0), node_input(n, 1)) && node_input(n, 0) != node_input(n, 1))
		return ROLE_JOIN;
	if (n->op == &op_Concat)
		return ROLE_CONCAT;
	if (n->op == &op_MaxPool && n->n_outputs == 1)
		return ROLE_POOL;
	return flattens(n) ? ROLE_FLATTEN : ROLE_OTHER;
}

/* ---- forward: the channel axis of each value ---- */

static int axis_from_inputs(const struct pruning *p, const struct node *n, enum role role)
{
	const struct value *out = n->outputs[0];
	if (role == ROLE_PRODUCT || role == ROLE_DEPTHWISE) {
		struct product d;
		product_describe(n, &d);
		bool same = channels_of(p, node_input(n, 0))->axis == d.in_axis;
		return role == ROLE_PRODUCT || same ? d.out_axis : -1;
	}
	if (role == ROLE_FLATTEN)
		return channels_of(p, node_input(n, 0))->axis == 1 ? 1 : -1;
	if (role == ROLE_EACH)
		return channels_of(p, node_input(n, (size_t)elementwise_data(n)))->axis;
	int axis = channels_of(p, node_input(n, 0))->axis;
	for (uint32_t i = 1; i < n->n_inputs && (role == ROLE_JOIN || role == ROLE_CONCAT); i++)
		if (value_is_constant(node_input(n, i)) || channels_of(p, node_input(n, i))->axis != axis)
			return -1;
	if (role == ROLE_CONCAT && normal_axis(node_attr_int(n, "axis", 0), out->rank) != axis)
		return -1;
	return axis;
}

/* The same elements in the same or another order: the host does that where it stands before the first layer. */
static bool only_moves(const struct node *n)
{
	return n->op == &op_Reshape || n->op == &op_Flatten || n->op == &op_Squeeze || n->op == &op_Unsqueeze ||
	       n->op == &op_Identity || n->op == &op_Transpose || n->op == &op_Gather;
}

/* Whether hardware would compute n's outputs: it or what it reads works on integers. */
static bool is_interior(const struct pruning *p, const struct node *n)
{
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		const struct value *v = node_input(n, i);
		if (v && !value_is_constant(v) &&
		    (channels_of(p, v)->interior || (!only_moves(n) && datatype_is_integer(v->datatype))))
			return true;
	}
	return false;
}

static void set_axis(struct pruning *p, const struct value *v, int axis)
{
	struct channels *c = channels_of(p, v);
	c->axis = axis >= 0 && axis < v->rank && v->dims[axis] > 0 ? axis : -1;
	c->count = c->axis >= 0 ? v->dims[c->axis] : 1;
	c->same = v->id;
}

/* A value of two axes that nobody explains has features along the second, of which a Gather may pick; not between
 * layers of hardware, which has none. */
static void find_axes(struct pruning *p)
{
	for (const struct value *v = p->graph->values; v; v = v->next)
		if (!v->producer)
			set_axis(p, v, value_is_constant(v) ? -1 : v->rank == 2 ? 1 : -1);
	for (const struct node *n = p->graph->first; n; n = n->next) {
		enum role role = prune_role(n);
		bool interior = is_interior(p, n);
		p->splits = p->splits || role == ROLE_CONCAT || role == ROLE_FLATTEN;
		for (uint32_t i = 0; i < n->n_outputs; i++) {
			const struct value *v = n->outputs[i];
			if (!v)
				continue;
			set_axis(p, v,
				 role != ROLE_OTHER			       ? axis_from_inputs(p, n, role)
				 : v->rank == 2 && !interior && !n->n_captures ? 1
									       : -1);
			channels_of(p, v)->interior = interior;
		}
	}
}

/* ---- values that share their channels ---- */

/* The value that stands for all with the same channels. */
static uint32_t representative(struct pruning *p, uint32_t id)
{
	while (p->of[id].same != id) {
		p->of[id].same = p->of[p->of[id].same].same;
		id = p->of[id].same;
	}
	return id;
}

static bool ties_channels(enum role role)
{
	return role == ROLE_DEPTHWISE || role == ROLE_EACH || role == ROLE_JOIN || role == ROLE_POOL;
}

static void tie(struct pruning *p, const struct node *n)
{
	const struct channels *out = channels_of(p, n->outputs[0]);
	for (uint32_t i = 0; out->axis >= 0 && i < n->n_inputs; i++) {
		const struct value *v = node_input(n, i);
		if (!v || value_is_constant(v))
			continue;
		uint32_t a = representative(p, v->id), b = representative(p, n->outputs[0]->id);
		if (p->of[v->id].axis == out->axis && p->of[v->id].count == out->count)
			p->of[a < b ? b : a].same = a < b ? a : b;
	}
}

static void tie_all(struct pruning *p)
{
	for (const struct node *n = p->graph->first; n; n = n->next)
		if (ties_channels(prune_role(n)))
			tie(p, n);
	for (const struct value *v = p->graph->values; v; v = v->next) {
		struct channels *c = &p->of[v->id], *all = &p->of[representative(p, v->id)];
		c->same = representative(p, v->id);
		if (!all->needed)
			all->needed = xcalloc((size_t)all->count, sizeof *all->needed);
		c->needed = all->needed;
	}
}

/* ---- backward: what is needed ---- */

static void need_all(struct channels *c)
{
	memset(c->needed, true, (size_t)c->count * sizeof *c->needed);
}

/* A shape must remain where nothing is needed. */
static void need_one(struct channels *c)
{
	for (int64_t i = 0; i < c->count; i++)
		if (c->needed[i])
			return;
	c->needed[0] = true;
}

bool prune_is_constant(const struct value *v, int axis, int64_t channel, int64_t *number)
{
	int64_t lo, hi;
	if (!v->range)
		return false;
	range_channel(v->range, axis, channel, &lo, &hi);
	*number = lo;
	return lo == hi;
}

/* Whether product n can do without channel i although its weights are not zero: it holds one number, which padding
 * does not interrupt. */
static bool can_fold(const struct node *n, int64_t i, const struct product *d)
{
	int64_t number;
	if (!prune_is_constant(node_input(n, 0), d->in_axis, i, &number))
		return false;
	return number == 0 || !product_is_padded(n);
}

static bool has_weight(const struct product *d, int64_t o, int64_t i)
{
	for (int64_t k = 0; k < d->taps; k++)
		if (tensor_floats(d->weights)[product_index(d, 0, o, i, k)] != 0)
			return true;
	return false;
}

static void need_product(struct pruning *p, const struct node *n)
{
	struct product d;
	struct channels *in = channels_of(p, node_input(n, 0)), *out = channels_of(p, n->outputs[0]);
	product_describe(n, &d);
	if (in->axis != d.in_axis || in->count != d.in) {
		need_all(in);
		return;
	}
	for (int64_t i = 0; i < d.in; i++) {
		if (in->needed[i] || can_fold(n, i, &d))
			continue;
		for (int64_t o = 0; o < d.out && !in->needed[i]; o++)
			in->needed[i] = out->needed[o] && has_weight(&d, o, i);
	}
}

static void need_concat(struct pruning *p, const struct node *n)
{
	struct channels *out = channels_of(p, n->outputs[0]);
	int64_t at = 0;
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		struct channels *in = channels_of(p, node_input(n, i));
		for (int64_t c = 0; c < in->count; c++)
			in->needed[c] = in->needed[c] || out->needed[at + c];
		need_one(in);
		for (int64_t c = 0; c < in->count; c++, at++)
			out->needed[at] = in->needed[c];
	}
}

/* A channel is needed where any of its features is; then all of them stay. */
static void need_flatten(struct pruning *p, const struct node *n)
{
	struct channels *in = channels_of(p, node_input(n, 0)), *out = channels_of(p, n->outputs[0]);
	int64_t each = out->count / in->count;
	for (int64_t f = 0; f < out->count; f++)
		in->needed[f / each] = in->needed[f / each] || out->needed[f];
	for (int64_t f = 0; f < out->count; f++)
		out->needed[f] = in->needed[f / each];
}

/* Inputs of a node that ties channels share the output's set where they can be told apart. */
static void need_inputs(struct pruning *p, const struct node *n, const struct channels *out)
{
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		const struct value *v = node_input(n, i);
		if (v && !value_is_constant(v) && (!out || channels_of(p, v)->needed != out->needed))
			need_all(channels_of(p, v));
	}
}

static void need_node(struct pruning *p, const struct node *n)
{
	enum role role = prune_role(n);
	struct channels *out = n->n_outputs && n->outputs[0] ? channels_of(p, n->outputs[0]) : NULL;
	bool told_apart = out && out->axis >= 0;
	if (role == ROLE_PRODUCT && told_apart)
		need_product(p, n);
	else if (role == ROLE_CONCAT && told_apart)
		need_concat(p, n);
	else if (role == ROLE_FLATTEN && told_apart)
		need_flatten(p, n);
	else
		need_inputs(p, n, ties_channels(role) && told_apart ? out : NULL);
}

static void walk_back(struct pruning *p)
{
	struct graph *g = p->graph;
	for (const struct node *n = g->last; n; n = n->prev) {
		for (uint32_t i = 0; i < n->n_outputs; i++)
			if (n->outputs[i])
				need_one(channels_of(p, n->outputs[i]));
		for (uint32_t i = 0; i < n->n_captures; i++) /* subgraphs read them whole */
			if (n->captures[i].value)
				need_all(channels_of(p, n->captures[i].value));
		need_node(p, n);
	}
	for (const struct value *v = g->values; v; v = v->next)
		need_one(channels_of(p, v));
}

/* How many channels of each value stay; their sum. */
static int64_t count_kept(struct pruning *p)
{
	int64_t sum = 0;
	for (const struct value *v = p->graph->values; v; v = v->next) {
		struct channels *c = channels_of(p, v);
		c->kept = 0;
		for (int64_t i = 0; i < c->count; i++)
			c->kept += c->needed[i];
		sum += c->kept;
	}
	return sum;
}

static void settle(struct pruning *p)
{
	for (int64_t before = -1, kept = 0; before != kept;) {
		before = kept;
		walk_back(p);
		kept = count_kept(p);
		if (!p->splits)
			break;
	}
}

/* ---- friendly numbers ---- */

enum { FRIENDLY_PERCENT = 10 };

static int count_divisors(int64_t n)
{
	int count = 0;
	for (int64_t d = 1; d * d <= n; d++)
		count += n % d ? 0 : d * d == n ? 1 : 2;
	return count;
}

/* The number of most divisors, from kept to a tenth more, at most count. */
static int64_t friendly(int64_t kept, int64_t count)
{
	int64_t best = kept, most = kept + kept * FRIENDLY_PERCENT / 100 + 1;
	for (int64_t n = kept + 1; n <= most && n <= count; n++)
		if (count_divisors(n) > count_divisors(best))
			best = n;
	return best;
}

/* Keeps dead channels of images (of vectors fold pads, which knows the target). */
static bool keep_friendly(struct pruning *p)
{
	bool grew = false;
	for (const struct value *v = p->graph->values; v; v = v->next) {
		struct channels *c = channels_of(p, v);
		if (v->rank < 3 || c->same != v->id || c->kept == c->count)
			continue;
		int64_t more = friendly(c->kept, c->count) - c->kept;
		for (int64_t i = 0; i < c->count && more > 0; i++)
			if (!c->needed[i]) {
				c->needed[i] = grew = true;
				more--;
			}
	}
	return grew;
}

void prune_find_needs(struct pruning *p, bool divisors)
{
	find_axes(p);
	tie_all(p);
	for (uint32_t i = 0; i < p->graph->n_outputs; i++)
		need_all(channels_of(p, p->graph->outputs[i].value));
	settle(p);
	if (divisors && keep_friendly(p))
		settle(p);
}

void prune_free(struct pruning *p)
{
	for (uint32_t i = 0; i < p->n_values; i++)
		if (p->of[i].same == i)
			free(p->of[i].needed);
	free(p->of);
}

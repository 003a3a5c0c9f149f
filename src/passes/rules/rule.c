/* What the rules share: integer inputs, putting scales behind, common scales. */
#include "passes/rules/rule.h"

#include <math.h>
#include <stdlib.h>

#include "util/integers.h"

const struct rule *const rule_table[] = {
#define RULE(symbol) &rule_##symbol,
#include "passes/rules/rules.def"
#undef RULE
};
const size_t rule_table_size = sizeof rule_table / sizeof *rule_table;

/* Relu(s * q + b) = s * Relu(q + b / s) for s > 0, exact where b / s is an integer. */
static bool move_scale_past_relu(struct rule_ctx *x, struct node *relu)
{
	struct affine a;
	bool done = false;
	if (affine_of(node_input(relu, 0), &a) && a.channels == 1 && a.scale[0] > 0 && affine_is_scaled(&a)) {
		struct value *q = shifted_integer(x, relu, &a);
		if (q) {
			replace_input(relu, 0, q);
			a.bias[0] = 0;
			done = retype(x, relu, 0) == 0;
			put_behind(x, relu, 0, &a);
		}
	}
	affine_free(&a);
	return done;
}

/* The Relu that keeps the chain above v from being linear, if that is what does. */
static struct node *relu_in_the_way(struct value *v)
{
	struct chain c;
	struct node *found = NULL;
	chain_of(v, &c);
	for (size_t i = c.count; i-- > 0;)
		if (c.nodes[i]->op == &op_Relu)
			found = c.nodes[i];
	if (!datatype_is_integer(c.root->datatype))
		found = NULL;
	chain_free(&c);
	return found;
}

bool integer_input(struct rule_ctx *x, struct node *n, size_t i, struct affine *a)
{
	struct value *v = node_input(n, i);
	if (affine_of(v, a))
		return true;
	struct node *relu = relu_in_the_way(v);
	if (relu && move_scale_past_relu(x, relu)) {
		affine_free(a);
		if (affine_of(node_input(n, i), a))
			return true;
	}
	x->reason = "its input is no scaled integer";
	if (!a->root->producer && a->root->is_input)
		x->reason = arena_printf(&x->graph->arena,
					 "input '%s' is float: if it holds integers, say which before streamline, "
					 "set-datatype(%s=UINT8) for bytes, BIPOLAR for -1 and 1; else quantise it",
					 a->root->name, a->root->name);
	return false;
}

void replace_input(struct node *n, size_t i, struct value *v)
{
	struct value *old = node_input(n, i);
	node_set_input(n, i, v);
	if (old != v)
		remove_unused_above(old);
}

int retype(struct rule_ctx *x, struct node *n, size_t i)
{
	struct value *v = n->outputs[i];
	if (node_infer(n, x->diags) != 0)
		return -1;
	range_forget(v);
	if (n->op == &op_MultiThreshold)
		return 0;
	bool all = true;
	for (uint32_t k = 0; k < n->n_inputs; k++) {
		struct value *in = n->inputs[k].value;
		all = all && (!in || datatype_is_integer(in->datatype) || value_is_constant(in));
	}
	if (all && !datatype_is_integer(v->datatype))
		v->datatype = datatype_int(32); /* any integer type: the range tells which */
	bool picks = (n->op->flags & OP_MOVES) || n->op == &op_MaxPool || n->op == &op_GlobalMaxPool ||
		     n->op == &op_MaxPoolNHWC;
	const struct range *r = range_of(x->graph, v);
	if (r)
		v->datatype = picks ? node_input(n, 0)->datatype : datatype_for_range(r->lo, r->hi);
	return 0;
}

void put_behind(struct rule_ctx *x, struct node *n, size_t i, struct affine *a)
{
	struct value *v = n->outputs[i];
	if (!affine_is_scaled(a) && !affine_is_biased(a))
		return;
	struct node *before = n->next;
	struct value *y = affine_emit(a, x->graph, before, v);
	value_move_uses(v, y, n->next);
}

int put_chain_behind(struct rule_ctx *x, struct node *n, size_t i, const struct chain *c)
{
	struct value *v = n->outputs[i], *at = v, *placeholder = value_new(x->graph, v->name);
	struct node *before = n->next;
	value_replace_uses(v, placeholder);
	for (size_t k = 0; k < c->count; k++) {
		const struct node *from = c->nodes[k];
		struct value **inputs = xcalloc(from->n_inputs, sizeof *inputs);
		for (uint32_t m = 0; m < from->n_inputs; m++)
			inputs[m] = from->inputs[m].value;
		inputs[elementwise_data(from)] = at;
		struct node *copy =
			node_new(x->graph, before, from->domain, from->op_type, inputs, from->n_inputs, 1, from->name);
		free(inputs);
		node_copy_attrs(copy, from);
		if (node_infer(copy, x->diags) != 0)
			return -1;
		at = copy->outputs[0];
	}
	value_replace_uses(placeholder, at);
	value_remove(x->graph, placeholder);
	return 0;
}

struct value *shifted_integer(struct rule_ctx *x, struct node *n, const struct affine *a)
{
	if (a->channels != 1)
		return NULL;
	double z = rint(a->bias[0] / a->scale[0]);
	if (z * a->scale[0] != a->bias[0] && fabs(z * a->scale[0] - a->bias[0]) > 1e-7 * fabs(a->bias[0]))
		return NULL;
	if (z == 0)
		return a->root;
	struct value *v = add_node2(x->graph, n, "", "Add", a->root, constant_scalar(x->graph, "zero", z), "Add");
	return retype(x, v->producer, 0) == 0 ? v : NULL;
}

/* ---- common scales ---- */

/* x = mantissa * 2^exponent with an odd integer mantissa, for x rounded to float32. */
static int64_t odd_mantissa(double x, int *exponent)
{
	if (!isfinite((float)x)) {
		*exponent = 0;
		return 0;
	}
	double fraction = frexp((double)(float)x, exponent);
	int64_t m = (int64_t)ldexp(fraction, 24);
	*exponent -= 24;
	while (m && m % 2 == 0) {
		m /= 2;
		(*exponent)++;
	}
	return m;
}

static bool all_equal(const double *s, int64_t n)
{
	for (int64_t k = 1; k < n; k++)
		if (s[k] != s[0])
			return false;
	return true;
}

bool common_scale(const double *s, int64_t n, double *common, double *m)
{
	int least = INT32_MAX, exponent;
	int64_t divisor = 0;
	if (all_equal(s, n)) {
		*common = s[0];
		for (int64_t k = 0; k < n; k++)
			m[k] = 1;
		return true;
	}
	for (int64_t k = 0; k < n; k++) {
		odd_mantissa(s[k], &exponent);
		if (s[k] != 0 && exponent < least)
			least = exponent;
	}
	for (int64_t k = 0; k < n; k++) {
		double odd = (double)odd_mantissa(s[k], &exponent);
		double x = ldexp(odd, s[k] != 0 ? exponent - least : 0);
		if (!(fabs(x) < 0x1p31))
			return false;
		m[k] = x;
		divisor = common_divisor((int64_t)x, divisor);
	}
	for (int64_t k = 0; k < n; k++)
		m[k] /= (double)divisor;
	*common = ldexp((double)divisor, least);
	return true;
}

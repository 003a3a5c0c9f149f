/* Quantisers absorb the element-wise nodes between them and an integer (or a float input), and become thresholds; an
 * integer Add behind thresholds becomes their offset. */
#include <math.h>

#include "passes/rules/rule.h"
#include "passes/thresholds.h"

static bool is_integral(const struct value *v)
{
	return value_is_constant(v) && tensor_is_integral(v->constant);
}

/* Whether v is a function of one integer along several paths. */
static bool paths_meet(struct value *v)
{
	struct chain c;
	bool found = function_of(v, &c);
	if (found)
		chain_free(&c);
	return found;
}

/* Thresholds that are integers already, right behind their integer. */
static bool is_done(const struct node *n)
{
	struct value *in = node_input(n, 0);
	double scale = node_attr_float(n, "out_scale", 1), bias = node_attr_float(n, "out_bias", 0);
	bool whole = scale == rint(scale) && bias == rint(bias);
	if (n->op != &op_MultiThreshold || !whole)
		return false;
	if (datatype_is_integer(in->datatype)) /* a private integer Add or Mul above can still go in */
		return is_integral(node_input(n, 1)) && (!in->producer || elementwise_data(in->producer) < 0 ||
							 (in->producer->op->flags & OP_QUANTISER));
	return !in->producer || (elementwise_data(in->producer) < 0 && !paths_meet(in));
}

static int absorb(struct rule_ctx *x, struct node *n)
{
	const struct absorb_options whole_chain = { .certificates = x->certificates, .most_levels = x->most_levels };
	if (!n->op || !(n->op->flags & OP_QUANTISER) || elementwise_data(n) != 0 || is_done(n))
		return 0;
	return absorb_into_thresholds(x->graph, n, &whole_chain, &x->reason, x->diags);
}

const struct rule rule_quantiser = {
	"quantiser",
	"a quantiser and the chain above it become thresholds",
	absorb,
};

static int shift(struct rule_ctx *x, struct node *n)
{
	double z;
	int data = n->op == &op_Add ? elementwise_data(n) : -1;
	struct value *in = data >= 0 ? node_input(n, (size_t)data) : NULL;
	struct node *mt = in ? in->producer : NULL;
	if (!mt || mt->op != &op_MultiThreshold || !value_only_use(in) || !datatype_is_integer(in->datatype) ||
	    !value_scalar(node_input(n, 1 - (size_t)data), &z) || z != rint(z))
		return 0;
	const struct range *r = range_of(x->graph, in);
	if (!r)
		return 0;
	char name[DATATYPE_NAME_SIZE];
	struct datatype type = n->outputs[0]->datatype;
	if (!datatype_is_integer(type))
		type = datatype_for_range(r->lo + (int64_t)z, r->hi + (int64_t)z);
	node_set_float(mt, "out_bias", (float)(node_attr_float(mt, "out_bias", 0) + z));
	node_set_string(mt, "out_dtype", datatype_name(type, name));
	in->datatype = type;
	range_forget(in);
	node_bypass(n, in);
	return 1;
}

const struct rule rule_threshold_bias = {
	"threshold-bias",
	"an integer added behind thresholds becomes their offset",
	shift,
};

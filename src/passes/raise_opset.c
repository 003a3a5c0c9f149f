/* Bringing a graph to opset 13: what newer versions of an operator take as inputs was an attribute before, and a few
 * operators got other names or defaults. Facts: ONNX's operator changelog. */
#include "passes/raise_opset.h"

#include <string.h>

#include "passes/edit.h"

enum { RAISED = 13, OLDEST = 7 };

static void put_input(struct node *n, size_t i, struct value *v)
{
	while (n->n_inputs < i)
		node_append_input(n, NULL);
	if (i < n->n_inputs)
		node_set_input(n, i, v);
	else
		node_append_input(n, v);
}

/* A list attribute becomes input i, int64. */
static int ints_to_input(struct node *n, const char *name, size_t i)
{
	size_t count;
	const int64_t *list = node_attr_ints(n, name, &count);
	int64_t dims[] = { (int64_t)count };
	if (!list)
		return 0;
	put_input(n, i, value_new_constant(n->graph, name, tensor_int64(1, dims, list)));
	node_remove_attr(n, name);
	return 0;
}

static void number_to_input(struct node *n, const char *name, size_t i)
{
	if (!node_attr(n, name))
		return;
	struct tensor *t = tensor_new(node_input(n, 0)->elem ? node_input(n, 0)->elem : ELEM_FLOAT, 0, NULL);
	tensor_put(t, 0, node_attr_float(n, name, 0));
	put_input(n, i, value_new_constant(n->graph, name, t));
	node_remove_attr(n, name);
}

static int raise_clip(struct node *n, struct diags *d)
{
	(void)d;
	number_to_input(n, "min", 1);
	number_to_input(n, "max", 2);
	return 0;
}

static int raise_pad(struct node *n, struct diags *d)
{
	(void)d;
	ints_to_input(n, "pads", 1);
	number_to_input(n, "value", 2);
	return 0;
}

static int raise_slice(struct node *n, struct diags *d)
{
	(void)d;
	ints_to_input(n, "starts", 1);
	ints_to_input(n, "ends", 2);
	return ints_to_input(n, "axes", 3);
}

static int raise_topk(struct node *n, struct diags *d)
{
	static const int64_t one = 1;
	(void)d;
	if (node_attr(n, "k")) {
		int64_t k = node_attr_int(n, "k", 1);
		put_input(n, 1, value_new_constant(n->graph, "k", tensor_int64(1, &one, &k)));
		node_remove_attr(n, "k");
	}
	return 0;
}

static int raise_axes(struct node *n, struct diags *d)
{
	(void)d;
	return ints_to_input(n, "axes", 1);
}

static int raise_split(struct node *n, struct diags *d)
{
	(void)d;
	return ints_to_input(n, "split", 1);
}

static int raise_dropout(struct node *n, struct diags *d)
{
	(void)d;
	node_remove_attr(n, "ratio"); /* counts in training only */
	return 0;
}

static int raise_scatter(struct node *n, struct diags *d)
{
	(void)d;
	node_set_op(n, DOMAIN_ONNX, "ScatterElements");
	return 0;
}

/* Version 1 of Softmax works on everything from its axis on at once. */
static int raise_softmax(struct node *n, struct diags *d)
{
	struct graph *g = n->graph;
	struct value *x = node_input(n, 0);
	int axis = x->rank < 0 ? -1 : normal_axis(node_attr_int(n, "axis", 1), x->rank);
	if (axis < 0)
		return diag_node_error(d, n, "give the inputs of the graph a shape",
				       "the axes that it works on are not known");
	if (axis != x->rank - 1) {
		struct node *flat = node_new(g, n, "", "Flatten", &x, 1, 1, "Flatten");
		struct value *shape = add_node1(g, n, "", "Shape", x, "Shape");
		struct value *y = n->outputs[0], *placeholder = value_new(g, y->name);
		node_set_int(flat, "axis", axis);
		node_set_input(n, 0, flat->outputs[0]);
		value_replace_uses(y, placeholder);
		struct value *again[] = { y, shape };
		struct value *back = node_new(g, n->next, "", "Reshape", again, 2, 1, "Reshape")->outputs[0];
		value_copy_type(g, back, y);
		value_replace_uses(placeholder, back);
		value_remove(g, placeholder);
		y->is_declared = false;
		value_set_type(g, y, (enum elem_type)y->elem, -1, NULL);
	}
	node_set_int(n, "axis", -1);
	return 0;
}

/* Upsample, and Resize of opset 10: from output pixel to input pixel by the scale alone, rounded down. */
static int raise_resize(struct node *n, struct diags *d)
{
	(void)d;
	struct value *scales = node_input(n, 1);
	size_t count;
	const float *list = node_attr_floats(n, "scales", &count);
	if (list) {
		int64_t dims[] = { (int64_t)count };
		scales = value_new_constant(n->graph, "scales", tensor_float(1, dims, list));
		node_remove_attr(n, "scales");
	}
	put_input(n, 2, scales);
	node_set_input(n, 1, NULL);
	node_set_string(n, "coordinate_transformation_mode", "asymmetric");
	node_set_string(n, "nearest_mode", "floor");
	node_set_op(n, DOMAIN_ONNX, "Resize");
	return 0;
}

/* Operators whose form changed in opset `since`. */
static const struct {
	const char *op_type;
	int64_t since;
	int (*raise)(struct node *n, struct diags *d);
} changed[] = {
	{ "Clip", 11, raise_clip },	     { "Dropout", 12, raise_dropout }, { "Hardmax", 13, raise_softmax },
	{ "LogSoftmax", 13, raise_softmax }, { "Pad", 11, raise_pad },	       { "ReduceSum", 13, raise_axes },
	{ "Resize", 11, raise_resize },	     { "Scatter", 11, raise_scatter }, { "Slice", 10, raise_slice },
	{ "Softmax", 13, raise_softmax },    { "Split", 13, raise_split },     { "Squeeze", 13, raise_axes },
	{ "TopK", 10, raise_topk },	     { "Unsqueeze", 13, raise_axes },  { "Upsample", 10, raise_resize },
};

static int raise_node(struct node *n, int64_t from, struct diags *d)
{
	if (*n->domain && strcmp(n->domain, "ai.onnx") != 0)
		return 0;
	for (size_t i = 0; i < sizeof changed / sizeof *changed; i++)
		if (strcmp(changed[i].op_type, n->op_type) == 0 && from < changed[i].since)
			return changed[i].raise(n, d);
	return 0;
}

int raise_opset(struct graph *g, struct diags *d)
{
	enum { IR_VERSION = 7 }; /* of ONNX 1.8, which came with opset 13 */
	int64_t from = graph_opset(g, DOMAIN_ONNX);
	if (from >= RAISED)
		return 0;
	if (from && from < OLDEST)
		return diag_error(d, "convert the model with onnx.version_converter first",
				  "operators of opset %lld broadcast by other rules", (long long)from);
	graph_for_each_node (g, n)
		if (raise_node(n, from, d) != 0)
			return -1;
	graph_set_opset(g, DOMAIN_ONNX, RAISED);
	if (g->ir_version < IR_VERSION)
		g->ir_version = IR_VERSION;
	return 1;
}

void drop_unused_opsets(struct graph *g)
{
	for (struct opset **at = &g->opsets; *at;) {
		bool used = !*(*at)->domain || !strcmp((*at)->domain, "ai.onnx");
		for (const struct node *n = g->first; n && !used; n = n->next)
			used = strcmp(n->domain, (*at)->domain) == 0;
		for (const struct function *f = g->functions; f && !used; f = f->next)
			used = strcmp(f->domain, (*at)->domain) == 0;
		if (used)
			at = &(*at)->next;
		else
			*at = (*at)->next;
	}
}

/* Zero padding of bipolar images. A bipolar stream has a bit an element, for -1 and +1: it cannot carry the zeros that
 * FMPadding and FMPadding_Pixel write (FINN writes bits of 0 without a check, which then count as -1). So what is padded
 * becomes TERNARY at its source, which takes one bit more for each element: thresholds that gave -1 or +1 give -1 + 0 or
 * -1 + 2, each counted twice, which is a form that FINN knows. */
#include "passes/lower_convs.h"

#include <string.h>

/* The same numbers in TERNARY: y = -1 + 2 * count(x >= t) as y = -1 + count(x >= t, twice). */
static void widen_threshold(struct node *n)
{
	const struct value *t = node_input(n, 1);
	int64_t rows = t->dims[0], steps = t->dims[1];
	struct tensor *twice = tensor_new((enum elem_type)t->elem, 2, (int64_t[]){ rows, 2 * steps });
	for (int64_t i = 0; i < rows * steps; i++) {
		tensor_put(twice, 2 * i, tensor_at(t->constant, i));
		tensor_put(twice, 2 * i + 1, tensor_at(t->constant, i));
	}
	struct value *v = value_new_constant(n->graph, t->name, twice);
	v->datatype = t->datatype;
	node_set_input(n, 1, v);
	node_set_string(n, "out_dtype", "TERNARY");
	node_set_float(n, "out_scale", 1);
	node_set_float(n, "out_bias", -1);
}

static bool is_bipolar_threshold(const struct node *n)
{
	const struct value *t = node_input(n, 1);
	return n->op == &op_MultiThreshold && value_is_constant(t) && t->rank == 2 && t->dims[1] == 1 &&
	       node_attr_float(n, "out_scale", 1) == 2 && node_attr_float(n, "out_bias", 0) == -1;
}

/* Operators whose output's datatype is that of what they read. */
static bool keeps_datatype(const struct node *n)
{
	return n->op &&
	       ((n->op->flags & OP_MOVES) || n->op == &op_MaxPool || n->op == &op_MaxPoolNHWC || n->op == &op_Im2Col);
}

/* Makes the sources of v hold 0, as far as they are thresholds or inputs of the network; the datatypes between follow by
 * inference. Returns how many. */
static size_t widen(struct value *v)
{
	struct node *n = v->producer;
	if (v->datatype.kind != DT_BIPOLAR || value_is_constant(v))
		return 0;
	size_t changes = 0;
	if (n && !is_bipolar_threshold(n) && !keeps_datatype(n))
		return 0;
	v->datatype = datatype_of_kind(DT_TERNARY);
	if (!n) /* the host's numbers stay -1 and +1 */
		return 1;
	if (is_bipolar_threshold(n)) {
		widen_threshold(n);
		return 1;
	}
	for (uint32_t i = 0; i < n->n_inputs; i++)
		if (node_input(n, i))
			changes += widen(node_input(n, i));
	return changes;
}

static bool writes_zeros(const struct node *n)
{
	size_t count = 0;
	const int64_t *pads = n->op == &op_Im2Col ? node_attr_ints(n, "pad_amount", &count) : NULL;
	for (size_t i = 0; i < count; i++)
		if (pads[i])
			return true;
	return n->op == &op_Pad || !strcmp(n->op_type, "FMPadding_Pixel");
}

size_t widen_padded_bipolar(struct graph *g)
{
	size_t changes = 0;
	graph_for_each_node (g, n)
		if (writes_zeros(n) && node_input(n, 0) && node_input(n, 0)->datatype.kind == DT_BIPOLAR) {
			changes += widen(node_input(n, 0));
			if (!strcmp(n->op_type, "FMPadding_Pixel") && node_input(n, 0)->datatype.kind == DT_TERNARY)
				node_set_string(n, "inputDataType", "TERNARY");
		}
	return changes;
}

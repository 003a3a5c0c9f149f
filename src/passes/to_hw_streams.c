/* to-hw: nodes that combine, select and copy streams. */
#include <string.h>

#include "passes/edit.h"
#include "passes/to_hw.h"
#include "util/integers.h"

void to_hw_set_channels(struct node *n, const struct value *v)
{
	node_set_int(n, "NumChannels", v->dims[v->rank - 1]);
	node_set_int(n, "PE", 1);
	to_hw_set_vectors(n, v);
}

static bool same_shape(const struct value *a, const struct value *b)
{
	return a->rank == b->rank && !memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims);
}

/* ---- two streams ---- */

/* One pixel that is combined with every pixel of v, as the gate of a squeeze-and-excite block does. */
static bool is_gate(const struct value *gate, const struct value *v)
{
	int last = v->rank - 1;
	for (int k = 0; k < last && k < gate->rank; k++)
		if (gate->dims[k] != 1)
			return false;
	return gate->rank == v->rank && last > 0 && v->dims[0] == 1 && gate->dims[last] == v->dims[last];
}

static int convert_pair(struct pass_ctx *ctx, struct node *n)
{
	struct value *inputs[] = { node_input(n, 0), node_input(n, 1) };
	bool add = n->op == &op_Add, mul = n->op == &op_Mul;
	if (!to_hw_is_integer(inputs[0]) || !to_hw_is_integer(inputs[1]) || value_is_constant(inputs[0]) ||
	    value_is_constant(inputs[1]))
		return 0;
	bool same = same_shape(inputs[0], inputs[1]);
	if (!same && (add || mul) && is_gate(inputs[0], inputs[1])) {
		struct value *gate = inputs[0];
		inputs[0] = inputs[1];
		inputs[1] = gate;
	} else if (!same && !is_gate(inputs[1], inputs[0])) {
		return 0;
	}
	struct datatype a = inputs[0]->datatype, b = inputs[1]->datatype;
	bool plain = add && same && datatype_equal(a, b);
	if ((mul || !same) && !to_hw_for_plus(ctx))
		diag_note(ctx->diags, DIAG_NOTE, n, "to-hw(for=finn-plus) where the builder is to take it over",
			  "FINN's StreamingEltwise has no %s",
			  mul ? "product" : "vector that is combined with every pixel");
	struct node *hw = to_hw_replace(n, plain ? "AddStreams" : "StreamingEltwise", inputs, 2);
	to_hw_set_channels(hw, inputs[0]);
	if (plain) {
		to_hw_set_datatype(hw, "inputDataType", a);
	} else {
		to_hw_set_datatype(hw, "inputDataType0", a);
		to_hw_set_datatype(hw, "inputDataType1", b);
		node_set_string(hw, "eltwiseOp", add ? "Add" : mul ? "Mul" : "Sub");
	}
	hw->outputs[0]->datatype = hw->op->datatype(hw, 0);
	return 1;
}

/* ---- one constant for each channel ---- */

/* The constant as one element, or one a channel, of integers; NULL where it is neither. */
static struct value *channel_constant(struct graph *g, const struct value *c, int64_t channels)
{
	if (!value_is_constant(c) || (c->constant->count != 1 && c->constant->count != channels) ||
	    (c->constant->count > 1 && c->dims[c->rank - 1] != channels) || !tensor_is_integral(c->constant))
		return NULL;
	struct tensor *t = tensor_new(ELEM_FLOAT, 1, &channels);
	for (int64_t i = 0; i < channels; i++)
		tensor_put(t, i, tensor_at(c->constant, c->constant->count == 1 ? 0 : i));
	struct value *v = value_new_constant(g, c->name, t);
	double lo, hi;
	tensor_min_max(t, &lo, &hi);
	v->datatype = datatype_for_bounds(lo, hi);
	return v;
}

static bool feeds_hardware(const struct value *v)
{
	value_for_each_use (v, u)
		if (u->user &&
		    (hw_kind_of(u->user) || (hw_is_view(u->user) && feeds_hardware(node_output(u->user, 0)))))
			return true;
	return false;
}

int to_hw_channelwise(struct pass_ctx *ctx, struct node *n)
{
	bool add = n->op == &op_Add, sub = n->op == &op_Sub;
	if (!add && !sub && n->op != &op_Mul)
		return 0;
	size_t data = !sub && value_is_constant(node_input(n, 0)) ? 1 : 0;
	struct value *x = node_input(n, data), *out = node_output(n, 0);
	if (!to_hw_is_integer(x) || !to_hw_is_integer(out) || !same_shape(x, out) || !feeds_hardware(out))
		return 0;
	struct value *c = channel_constant(ctx->graph, node_input(n, 1 - data), x->dims[x->rank - 1]);
	if (!c)
		return 0;
	if (sub) {
		struct tensor *t = tensor_copy(c->constant);
		for (int64_t i = 0; i < t->count; i++)
			tensor_put(t, i, -tensor_at(t, i));
		value_set_constant(c, t);
		c->datatype = datatype_for_range(-datatype_int_max(c->datatype), -datatype_int_min(c->datatype));
	}
	struct datatype result = out->datatype;
	struct node *hw = to_hw_replace(n, "ChannelwiseOp", (struct value *[]){ x, c }, 2);
	to_hw_set_channels(hw, x);
	node_set_string(hw, "Func", add || sub ? "add" : "mul");
	to_hw_set_datatype(hw, "inputDataType", x->datatype);
	to_hw_set_datatype(hw, "paramDataType", c->datatype);
	to_hw_set_datatype(hw, "outputDataType", result);
	return 1;
}

/* ---- joining, summing, selecting ---- */

enum { MOST_STREAMS = 64 }; /* that one layer joins */

static void set_datatypes(struct node *n, const char *name, struct value *const *values, size_t count)
{
	char buffers[MOST_STREAMS][DATATYPE_NAME_SIZE];
	const char *names[MOST_STREAMS];
	for (size_t i = 0; i < count; i++)
		names[i] = datatype_name(values[i]->datatype, buffers[i]);
	node_set_strings(n, name, names, count);
}

/* v with the axes from there on as one. */
static struct value *joined_axes(struct node *before, struct value *v, int axis)
{
	int64_t dims[MAX_RANK];
	memcpy(dims, v->dims, (size_t)axis * sizeof *dims);
	dims[axis] = dims_product(v->dims, axis, v->rank);
	return to_hw_view(before, v, axis + 1, dims);
}

static bool may_concat(const struct node *n, int axis)
{
	if (!to_hw_is_integer(node_output(n, 0)) || n->n_inputs > MOST_STREAMS || axis < 1)
		return false;
	for (uint32_t i = 0; i < n->n_inputs; i++)
		if (!to_hw_is_integer(node_input(n, i)) || value_is_constant(node_input(n, i)))
			return false;
	return true;
}

/* Along another axis than the last: a Concat of parts that hold all axes behind it, along their last one. */
static int concat_on_last(struct node *n, struct value *const *parts, int axis)
{
	struct graph *g = n->graph;
	struct value *out = node_output(n, 0);
	int64_t dims[MAX_RANK];
	struct node *last = node_new(g, n, DOMAIN_ONNX, "Concat", parts, n->n_inputs, 1, out->name);
	node_set_int(last, "axis", axis);
	memcpy(dims, out->dims, (size_t)axis * sizeof *dims);
	dims[axis] = dims_product(out->dims, axis, out->rank);
	value_set_type(g, last->outputs[0], (enum elem_type)out->elem, axis + 1, dims);
	last->outputs[0]->datatype = out->datatype;
	value_replace_uses(out, to_hw_view(n, last->outputs[0], out->rank, out->dims));
	node_remove(n);
	return 1;
}

static int convert_concat(struct node *n)
{
	struct value *inputs[MOST_STREAMS];
	int64_t parts[MOST_STREAMS];
	int axis = normal_axis(node_attr_int(n, "axis", 1), node_output(n, 0)->rank);
	if (!may_concat(n, axis))
		return 0;
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		inputs[i] = joined_axes(n, node_input(n, i), axis);
		parts[i] = inputs[i]->dims[axis];
	}
	if (axis < node_output(n, 0)->rank - 1)
		return concat_on_last(n, inputs, axis);
	size_t count = n->n_inputs;
	struct node *hw = to_hw_replace(n, "StreamingConcat", inputs, count);
	node_set_int(hw, "SIMD", 1);
	node_set_ints(hw, "ChannelsPerStream", parts, count);
	to_hw_set_datatype(hw, "inputDataType", hw->outputs[0]->datatype);
	set_datatypes(hw, "inputDataTypes", inputs, count);
	to_hw_set_vectors(hw, hw->outputs[0]);
	return 1;
}

static void set_labels(struct node *hw, const struct value *x, int64_t k)
{
	int64_t labels = x->dims[x->rank - 1];
	node_set_int(hw, "Labels", labels);
	node_set_int(hw, "PE", 1);
	node_set_int(hw, "K", k);
	to_hw_set_datatype(hw, "inputDataType", x->datatype);
	to_hw_set_datatype(hw, "outputDataType", datatype_for_range(0, labels - 1));
	to_hw_set_vectors(hw, x);
}

/* The largest of the last axis, indices alone. */
static int convert_labels(struct node *n)
{
	struct value *x = node_input(n, 0), *k = node_input(n, 1);
	bool top = n->op == &op_TopK;
	struct value *indices = node_output(n, top ? 1 : 0);
	if (!to_hw_is_integer(x) || !indices ||
	    normal_axis(node_attr_int(n, "axis", top ? -1 : 0), x->rank) != x->rank - 1)
		return 0;
	if (top && (!value_is_constant(k) || (node_output(n, 0) && node_output(n, 0)->uses) ||
		    !node_attr_int(n, "largest", 1)))
		return 0;
	if (!top && (!node_attr_int(n, "keepdims", 1) || node_attr_int(n, "select_last_index", 0)))
		return 0;
	struct graph *g = n->graph;
	int64_t count = top ? tensor_int_at(k->constant, 0) : 1;
	struct node *hw = node_new(g, n, DOMAIN_FINN, "LabelSelect", &x, 1, 1, indices->name);
	node_set_string(hw, "backend", "fpgadataflow");
	value_copy_type(g, hw->outputs[0], indices);
	set_labels(hw, x, count);
	value_replace_uses(indices, hw->outputs[0]);
	node_remove(n);
	return 1;
}

static int convert_lookup(struct node *n)
{
	struct value *table = node_input(n, 0), *x = node_input(n, 1);
	if (!value_is_constant(table) || table->rank != 2 || !tensor_is_integral(table->constant) ||
	    normal_axis(node_attr_int(n, "axis", 0), 2) != 0 || !x || value_is_constant(x) || !value_shape_known(x))
		return 0;
	struct datatype index = to_hw_is_integer(x) ? x->datatype : datatype_for_range(0, table->dims[0] - 1);
	double lo, hi;
	tensor_min_max(table->constant, &lo, &hi);
	struct datatype entry = datatype_is_integer(table->datatype) ? table->datatype : datatype_for_bounds(lo, hi);
	struct node *hw = to_hw_replace(n, "Lookup", (struct value *[]){ x, table }, 2);
	node_set_int(hw, "NumEmbeddings", table->dims[0]);
	node_set_int(hw, "EmbeddingDim", table->dims[1]);
	to_hw_set_datatype(hw, "EmbeddingType", entry);
	to_hw_set_datatype(hw, "InputType", index);
	node_set_ints(hw, "InputShape", x->dims, (size_t)x->rank);
	hw->outputs[0]->datatype = entry;
	return 1;
}

int to_hw_stream(struct pass_ctx *ctx, struct node *n)
{
	if (n->op == &op_Add || n->op == &op_Sub || n->op == &op_Mul)
		return convert_pair(ctx, n);
	if (n->op == &op_Concat)
		return convert_concat(n);
	if (n->op == &op_ReduceSum || n->op == &op_ReduceMax)
		return to_hw_reduction(n);
	if (n->op == &op_TopK || n->op == &op_ArgMax)
		return convert_labels(n);
	return n->op == &op_Gather ? convert_lookup(n) : 0;
}

/* ---- views ---- */

static bool reads_stream(const struct use *u)
{
	struct hw_layer l;
	struct diags ignored = { 0 };
	bool stream = u->user && hw_kind_of(u->user) && hw_layer_read(u->user, &l, &ignored) == 0 &&
		      u->index < hw_stream_inputs(&l);
	diags_free(&ignored);
	return stream;
}

/* A stream has an order and no shape: layers read what another layer gives through no Reshape. FINN takes these away, too
 * (RemoveCNVtoFCFlatten), since all that lies between two of its layers must be one. */
void to_hw_take_away_views(struct pass_ctx *ctx)
{
	struct graph *g = ctx->graph;
	graph_for_each_node (g, n) {
		struct node *from = hw_is_view(n) ? hw_stream_producer(node_output(n, 0)) : NULL;
		struct value *x = node_input(n, 0);
		while (from && x->producer != from)
			x = node_input(x->producer, 0);
		if (from)
			value_for_each_use (node_output(n, 0), u)
				if (reads_stream(u))
					node_set_input(u->user, u->index, x);
	}
	ctx->changes += graph_remove_dead(g);
}

/* ---- fan-out ---- */

static bool is_stream_use(const struct use *u)
{
	if (u->user && hw_is_view(u->user))
		return u->index == 0 && feeds_hardware(node_output(u->user, 0));
	return reads_stream(u);
}

static void duplicate(struct pass_ctx *ctx, struct value *v, struct node *first, size_t copies)
{
	struct graph *g = ctx->graph;
	struct node *n = node_new(g, first, DOMAIN_FINN, "DuplicateStreams", &v, 1, copies, v->name);
	node_set_string(n, "backend", "fpgadataflow");
	to_hw_set_channels(n, v);
	to_hw_set_datatype(n, "inputDataType", v->datatype);
	node_set_int(n, "NumOutputStreams", (int64_t)copies);
	size_t next = 0;
	for (size_t i = 0; i < copies; i++) {
		value_copy_type(g, n->outputs[i], v);
		n->outputs[i]->range = v->range;
	}
	value_for_each_use (v, u)
		if (u->user && u->user != n && next < copies)
			node_set_input(u->user, u->index, n->outputs[next++]);
	ctx->changes++;
}

/* Every integer value that hardware reads has one reader. */
void to_hw_duplicate(struct pass_ctx *ctx)
{
	graph_for_each_value (ctx->graph, v) {
		size_t streams = 0, uses = 0;
		if (value_is_constant(v) || !to_hw_is_integer(v))
			continue;
		struct node *first = NULL;
		value_for_each_use (v, u) {
			streams += is_stream_use(u);
			uses += u->user != NULL;
		}
		if (!streams || uses < 2)
			continue;
		for (first = v->producer ? v->producer->next : ctx->graph->first; first; first = first->next) {
			bool reads = false;
			for (uint32_t i = 0; i < first->n_inputs; i++)
				reads = reads || node_input(first, i) == v;
			if (reads)
				break;
		}
		duplicate(ctx, v, first, uses);
	}
}

/* Whether a graph treats samples along axis 0 independently, so that many can be run as one batch.
 *
 * A conservative walk: each value is static (does not depend on the inputs), per sample (axis 0 counts
 * samples), or a shape (computed from the dims of a per-sample value, and useful only to reshape). Each operator
 * has a rule below; an operator without one, or a use the rule does not cover, makes the graph unbatchable:
 * it is then run sample by sample. */
#include <stdlib.h>
#include <string.h>

#include "exec/plan.h"
#include "ops/op.h"
#include "util/arena.h"
#include "util/integers.h"

enum state { STATIC, PER_SAMPLE, SHAPE };

struct walk {
	struct exec_plan *plan;
	uint8_t *states; /* by value id */
	int64_t batch;	 /* first dim of every per-sample value; may be -1 */
};

static enum state state_of(const struct walk *w, const struct value *v)
{
	return v ? (enum state)w->states[v->id] : STATIC;
}

static bool per_sample(const struct walk *w, const struct node *n, size_t i)
{
	return state_of(w, node_input(n, i)) == PER_SAMPLE;
}

/* Inputs from..n are all static. */
static bool rest_static(const struct walk *w, const struct node *n, uint32_t from)
{
	for (uint32_t i = from; i < n->n_inputs; i++)
		if (state_of(w, node_input(n, i)) != STATIC)
			return false;
	return true;
}

/* A static operand that says the same to every sample: it does not reach axis 0 of a result of that rank. */
static bool same_for_all(const struct value *v, int rank)
{
	return v->rank >= 0 && (v->rank < rank || (v->rank == rank && rank > 0 && v->dims[0] == 1));
}

/* ---- rules ---- */

typedef bool rule_fn(const struct walk *w, const struct node *n);

static bool rule_elementwise(const struct walk *w, const struct node *n)
{
	int rank = node_output(n, 0)->rank;
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		const struct value *v = node_input(n, i);
		if (v && (per_sample(w, n, i) ? v->rank != rank : !same_for_all(v, rank)))
			return false;
	}
	return true;
}

/* The data come first; all other inputs are parameters. */
static bool rule_data(const struct walk *w, const struct node *n)
{
	return per_sample(w, n, 0) && rest_static(w, n, 1);
}

static bool rule_batch_normalization(const struct walk *w, const struct node *n)
{
	return rule_data(w, n) && node_input(n, 0)->rank > 1 && !node_attr_int(n, "training_mode", 0);
}

static bool rule_spatial(const struct walk *w, const struct node *n)
{
	return rule_data(w, n) && node_input(n, 0)->rank > 2;
}

static bool rule_max_pool(const struct walk *w, const struct node *n)
{
	return rule_spatial(w, n) && !node_output(n, 1); /* indices count from the batch's first element */
}

static bool rule_mat_mul(const struct walk *w, const struct node *n)
{
	const struct value *a = node_input(n, 0), *b = node_input(n, 1);
	if (!rest_static(w, n, 2))
		return false;
	if (per_sample(w, n, 0) && per_sample(w, n, 1))
		return a->rank > 2 && a->rank == b->rank;
	if (per_sample(w, n, 0))
		return a->rank > 1 && b->rank > 0 && (b->rank == 2 || same_for_all(b, a->rank));
	return b->rank > 2 && a->rank > 0 && (a->rank <= 2 || same_for_all(a, b->rank));
}

static bool rule_gemm(const struct walk *w, const struct node *n)
{
	const struct value *c = node_input(n, 2);
	return rule_data(w, n) && !node_attr_int(n, "transA", 0) && (!c || same_for_all(c, 2));
}

static bool axis_not_first(const struct node *n, int64_t fallback)
{
	int rank = node_input(n, 0)->rank;
	return rank > 0 && normal_axis(node_attr_int(n, "axis", fallback), rank) > 0;
}

/* Softmax and its kin took axis 1 as the default before opset 13, the last axis since. */
static bool rule_softmax(const struct walk *w, const struct node *n)
{
	return rule_data(w, n) && axis_not_first(n, node_input(n, 0)->rank > 1 ? -1 : 0);
}

static bool rule_axis_first(const struct walk *w, const struct node *n) /* fallback 0 */
{
	return rule_data(w, n) && axis_not_first(n, 0);
}

static bool rule_axis_last(const struct walk *w, const struct node *n) /* fallback -1 */
{
	return rule_data(w, n) && axis_not_first(n, -1);
}

/* Per-tensor parameters, or per channel along another axis than the samples'. */
static bool rule_quantize_linear(const struct walk *w, const struct node *n)
{
	const struct value *scale = node_input(n, 1);
	return rule_data(w, n) && (scale->rank == 0 || axis_not_first(n, 1)) && !node_attr_int(n, "block_size", 0);
}

static bool rule_multi_threshold(const struct walk *w, const struct node *n)
{
	return rule_data(w, n) && node_input(n, 0)->rank > 1;
}

static bool rule_concat(const struct walk *w, const struct node *n)
{
	for (uint32_t i = 0; i < n->n_inputs; i++)
		if (!per_sample(w, n, i))
			return false;
	return axis_not_first(n, 0);
}

static bool rule_transpose(const struct walk *w, const struct node *n)
{
	size_t count;
	const int64_t *perm = node_attr_ints(n, "perm", &count);
	return rule_data(w, n) && count > 0 && perm[0] == 0;
}

/* Reshapes whose result keeps the samples apart: the executor views each sample under the declared shape. */
static bool rule_view(const struct walk *w, const struct node *n)
{
	const struct value *in = node_input(n, 0), *out = node_output(n, 0);
	if (!per_sample(w, n, 0) || out->rank < 1 || in->rank < 1)
		return false;
	int64_t before = dims_product(in->dims, 1, in->rank), after = dims_product(out->dims, 1, out->rank);
	return before > 0 && before == after;
}

/* Axes as an attribute or as input i, all given and none the first. */
static bool axes_not_first(const struct node *n, size_t i)
{
	int64_t from_input[MAX_RANK];
	size_t count = 0;
	const int64_t *axes = node_attr_ints(n, "axes", &count);
	if (!axes && node_input(n, i) && constant_ints(node_input(n, i), from_input, &count))
		axes = from_input;
	for (size_t k = 0; k < count; k++)
		if (normal_axis(axes[k], node_input(n, 0)->rank) <= 0)
			return false;
	return count > 0;
}

static bool rule_reduce(const struct walk *w, const struct node *n)
{
	return rule_data(w, n) && axes_not_first(n, 1);
}

static bool rule_slice(const struct walk *w, const struct node *n)
{
	return rule_data(w, n) && axes_not_first(n, 3);
}

static bool rule_gather(const struct walk *w, const struct node *n)
{
	if (per_sample(w, n, 0))
		return rule_axis_first(w, n);
	return per_sample(w, n, 1) && node_attr_int(n, "axis", 0) == 0; /* looks up each sample's rows */
}

/* All per-sample results came out with as many rows as samples went in, or the walk stops: so a padded or
 * resized first axis cannot pass; what remains is to see that the parameters do not name sizes of it. */
static bool rule_pad(const struct walk *w, const struct node *n)
{
	int64_t pads[MAX_RANK];
	size_t count;
	const int64_t *given = node_attr_ints(n, "pads", &count);
	if (!given && node_input(n, 1) && constant_ints(node_input(n, 1), pads, &count))
		given = pads;
	return rule_data(w, n) && !node_input(n, 3) && count == 2 * (size_t)node_input(n, 0)->rank && given &&
	       given[0] == 0 && given[count / 2] == 0;
}

static bool rule_resize(const struct walk *w, const struct node *n)
{
	const struct value *sizes = node_input(n, 3);
	return rule_data(w, n) && !sizes; /* scales are relative */
}

static bool rule_never(const struct walk *w, const struct node *n)
{
	(void)w;
	(void)n;
	return false;
}

static const struct {
	const char *op;
	rule_fn *rule;
} rules[] = {
	{ "ArgMax", rule_axis_first },
	{ "ArgMin", rule_axis_first },
	{ "AveragePool", rule_spatial },
	{ "BatchNormalization", rule_batch_normalization },
	{ "Cast", rule_data },
	{ "CastLike", rule_never },
	{ "Concat", rule_concat },
	{ "Conv", rule_spatial },
	{ "ConvInteger", rule_spatial },
	{ "ConvTranspose", rule_spatial },
	{ "DebugMarker", rule_data },
	{ "DepthToSpace", rule_data },
	{ "DequantizeLinear", rule_quantize_linear },
	{ "Dropout", rule_data },
	{ "DynamicQuantizeLinear", rule_never },
	{ "Flatten", rule_view },
	{ "Gather", rule_gather },
	{ "Gemm", rule_gemm },
	{ "GlobalAveragePool", rule_spatial },
	{ "GlobalLpPool", rule_spatial },
	{ "GlobalMaxPool", rule_spatial },
	{ "Identity", rule_data },
	{ "Im2Col", rule_data },
	{ "InstanceNormalization", rule_spatial },
	{ "LRN", rule_spatial },
	{ "LogSoftmax", rule_softmax },
	{ "LpNormalization", rule_axis_last },
	{ "LpPool", rule_spatial },
	{ "MatMul", rule_mat_mul },
	{ "MatMulInteger", rule_mat_mul },
	{ "MaxPool", rule_max_pool },
	{ "MaxPoolNHWC", rule_max_pool },
	{ "MultiThreshold", rule_multi_threshold },
	{ "Pad", rule_pad },
	{ "QLinearConv", rule_spatial },
	{ "QuantAvgPool2d", rule_spatial },
	{ "QuantizeLinear", rule_quantize_linear },
	{ "ReduceL1", rule_reduce },
	{ "ReduceL2", rule_reduce },
	{ "ReduceLogSum", rule_reduce },
	{ "ReduceLogSumExp", rule_reduce },
	{ "ReduceMax", rule_reduce },
	{ "ReduceMean", rule_reduce },
	{ "ReduceMin", rule_reduce },
	{ "ReduceProd", rule_reduce },
	{ "ReduceSum", rule_reduce },
	{ "ReduceSumSquare", rule_reduce },
	{ "Reshape", rule_view },
	{ "Resize", rule_resize },
	{ "Slice", rule_slice },
	{ "Softmax", rule_softmax },
	{ "SpaceToDepth", rule_data },
	{ "Split", rule_axis_first },
	{ "Squeeze", rule_view },
	{ "TopK", rule_axis_last },
	{ "Transpose", rule_transpose },
	{ "Unsqueeze", rule_view },
	{ "Upsample", rule_data },
	{ "XnorPopcountMatMul", rule_mat_mul },
};

static rule_fn *rule_of(const struct op *op)
{
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (strcmp(rules[i].op, op->name) == 0)
			return rules[i].rule;
	return op->flags & OP_ELEMENTWISE ? rule_elementwise : NULL;
}

/* ---- the walk ---- */

static void set_outputs(struct walk *w, const struct node *n, enum state s)
{
	for (uint32_t i = 0; i < n->n_outputs; i++)
		if (n->outputs[i])
			w->states[n->outputs[i]->id] = (uint8_t)s;
}

static void note_size(struct walk *w, const struct value *v)
{
	int64_t bytes = (int64_t)elem_size((enum elem_type)v->elem);
	for (int i = w->batch < 0; i < v->rank; i++)
		bytes = v->dims[i] < 0 || bytes > INT32_MAX ? bytes : bytes * v->dims[i];
	if (bytes > w->plan->sample_bytes)
		w->plan->sample_bytes = bytes;
}

static bool outputs_per_sample(struct walk *w, const struct node *n)
{
	for (uint32_t i = 0; i < n->n_outputs; i++) {
		const struct value *v = n->outputs[i];
		if (!v)
			continue;
		if (v->rank < 1 || v->dims[0] != w->batch)
			return false;
		note_size(w, v);
	}
	set_outputs(w, n, PER_SAMPLE);
	return true;
}

static bool visit(struct walk *w, struct exec_step *s)
{
	const struct node *n = s->node;
	bool any_sample = false, any_shape = false;
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		any_sample = any_sample || per_sample(w, n, i);
		any_shape = any_shape || state_of(w, node_input(n, i)) == SHAPE;
	}
	if (!n->op || n->n_captures || (n->op->flags & OP_IMPURE))
		return false;
	rule_fn *rule = rule_of(n->op);
	if (rule == rule_view && per_sample(w, n, 0)) {
		s->keeps_batch = true;
		return rule_view(w, n) && outputs_per_sample(w, n);
	}
	if (any_sample && (strcmp(n->op->name, "Shape") == 0 || strcmp(n->op->name, "Size") == 0)) {
		set_outputs(w, n, SHAPE);
		return true;
	}
	if (any_shape) { /* arithmetic on dims is harmless until its result is combined with data */
		set_outputs(w, n, SHAPE);
		return !any_sample;
	}
	if (!any_sample)
		return true;
	return rule && rule(w, n) && outputs_per_sample(w, n);
}

static bool walk_graph(struct walk *w)
{
	struct exec_plan *p = w->plan;
	const struct value *first = NULL;
	for (size_t i = 0; i < p->n_inputs; i++) {
		const struct value *v = p->inputs[i];
		if (v->rank == 0)
			continue;
		if (v->rank < 0 || (first && v->dims[0] != first->dims[0]))
			return false;
		first = v;
		w->states[v->id] = PER_SAMPLE;
		w->batch = v->dims[0];
		note_size(w, v);
	}
	for (size_t i = 0; first && i < p->n_steps; i++)
		if (!visit(w, &p->steps[i]))
			return false;
	for (uint32_t i = 0; i < p->graph->n_outputs; i++)
		if (state_of(w, p->graph->outputs[i].value) != PER_SAMPLE)
			return false;
	return first != NULL;
}

void plan_find_batches(struct exec_plan *p)
{
	struct walk w = { .plan = p, .states = xcalloc(p->graph->next_value_id, 1) };
	p->batchable = walk_graph(&w);
	p->batch = w.batch > 0 ? w.batch : 1;
	free(w.states);
}

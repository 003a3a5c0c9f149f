/* Padding a matrix with columns and rows that change no output, so that MW and MH have more divisors.
 *
 * An added input is multiplied by weights of zero, so its value does not matter. Bipolar weights have no zero, so
 * there the input must hold a number that adds nothing: 0 where its datatype has it; -1 where it is bipolar too,
 * since a layer that counts equal bits finds -1 and +1 unequal. The host supplies such inputs; where a layer does, it
 * gets additional neurons whose thresholds make them constant. */
#include <string.h>

#include "hw/folding.h"
#include "ops/op.h"
#include "util/integers.h"

/* ---- what an input more can be ---- */

struct filler {
	bool possible, fixed; /* fixed: the input must hold x */
	double x, w;
};

static struct filler filler_of(const struct node *mvau)
{
	struct datatype in = hw_datatype(mvau, "inputDataType"), weights = hw_datatype(mvau, "weightDataType");
	bool zero = datatype_allows(in, 0);
	if (node_attr_int(mvau, "binaryXnorMode", 0) || !value_is_constant(node_input(mvau, 1)))
		return (struct filler){ 0 };
	if (datatype_allows(weights, 0))
		return (struct filler){ true, false, zero ? 0 : datatype_min(in), 0 };
	if (in.kind == DT_BIPOLAR && weights.kind == DT_BIPOLAR)
		return (struct filler){ true, true, -1, 1 };
	return (struct filler){ zero, true, 0, 1 };
}

bool folding_pads_input(const struct node *mvau)
{
	const struct value *x = node_input(mvau, 0);
	return !hw_stream_producer(x) && x->rank > 0 && value_shape_known(x) && filler_of(mvau).possible;
}

/* How many thresholds of a neuron its accumulator must reach so that it gives x. */
static int64_t steps_to(const struct node *mvau, double x)
{
	bool bipolar = hw_datatype(mvau, "outputDataType").kind == DT_BIPOLAR;
	return bipolar ? x > 0 : saturated_int64(x) - node_attr_int(mvau, "ActVal", 0);
}

bool folding_pads_output(const struct node *mvau, const struct node *reader)
{
	struct filler f = filler_of(reader);
	const struct value *t = node_input(mvau, 2);
	if (!f.possible || node_attr_int(mvau, "binaryXnorMode", 0) || !value_is_constant(node_input(mvau, 1)))
		return false;
	if (!t)
		return !f.fixed;
	if (!value_is_constant(t) || t->rank != 2)
		return false;
	return !f.fixed || (t->dims[0] == node_attr_int(mvau, "MH", 0) && steps_to(mvau, f.x) >= 0 &&
			    steps_to(mvau, f.x) <= t->dims[1]);
}

/* ---- matrices ---- */

/* A constant that takes the place of input i, of the same datatype where its numbers allow. */
static void replace_constant(struct node *n, size_t i, struct tensor *t)
{
	struct value *old = node_input(n, i), *v = value_new_constant(n->graph, old->name, t);
	double lo, hi;
	tensor_min_max(t, &lo, &hi);
	v->datatype = old->datatype;
	if (datatype_is_integer(old->datatype) &&
	    !(datatype_allows(old->datatype, lo) && datatype_allows(old->datatype, hi)))
		v->datatype = datatype_for_bounds(lo, hi);
	node_set_input(n, i, v);
}

static void pad_rows(struct node *mvau, int64_t rows, double filler)
{
	const struct tensor *w = node_input(mvau, 1)->constant;
	struct tensor *t = tensor_new(ELEM_FLOAT, 2, (int64_t[]){ rows, w->dims[1] });
	for (int64_t i = 0; i < t->count; i++)
		tensor_put(t, i, i < w->count ? tensor_at(w, i) : filler);
	replace_constant(mvau, 1, t);
	node_set_int(mvau, "MW", rows);
}

/* Neurons more have weights of zero, or where there is none the first neuron's. */
static void pad_columns(struct node *mvau, int64_t columns)
{
	const struct tensor *w = node_input(mvau, 1)->constant;
	bool zero = datatype_allows(hw_datatype(mvau, "weightDataType"), 0);
	struct tensor *t = tensor_new(ELEM_FLOAT, 2, (int64_t[]){ w->dims[0], columns });
	for (int64_t r = 0; r < w->dims[0]; r++)
		for (int64_t c = 0; c < columns; c++) {
			bool old = c < w->dims[1];
			double x = old || !zero ? tensor_at(w, r * w->dims[1] + (old ? c : 0)) : 0;
			tensor_put(t, r * columns + c, x);
		}
	replace_constant(mvau, 1, t);
}

/* Rows of thresholds that are always reached in the first `steps`, never in the others; negative: the first row again. */
static void pad_thresholds(struct node *mvau, int64_t rows, int64_t steps)
{
	const struct tensor *old = node_input(mvau, 2)->constant;
	struct datatype acc = hw_datatype(mvau, "accDataType");
	bool zero = datatype_allows(hw_datatype(mvau, "weightDataType"), 0); /* then the accumulator holds 0 */
	double always = zero ? 0 : datatype_min(acc), never = zero ? 1 : datatype_max(acc) + 1;
	struct tensor *t = tensor_new(ELEM_FLOAT, 2, (int64_t[]){ rows, old->dims[1] });
	for (int64_t i = 0; i < t->count; i++) {
		int64_t step = i % old->dims[1];
		double constant = step < steps ? always : never;
		tensor_put(t, i, i < old->count ? tensor_at(old, i) : steps < 0 ? tensor_at(old, step) : constant);
	}
	replace_constant(mvau, 2, t);
}

/* ---- inputs ---- */

static void set_last_dim(struct graph *g, struct value *v, int64_t to)
{
	int64_t dims[MAX_RANK];
	memcpy(dims, v->dims, (size_t)v->rank * sizeof *dims);
	dims[v->rank - 1] = to;
	value_set_type(g, v, (enum elem_type)v->elem, v->rank, dims);
	v->range = NULL;
}

/* Where prune-dead's Gather alone gives x, its list gets longer. */
static bool gather_more(struct value *x, int64_t to)
{
	struct node *n = x->producer;
	if (!n || n->op != &op_Gather || !value_only_use(x) || !value_is_constant(node_input(n, 1)))
		return false;
	const struct tensor *list = node_input(n, 1)->constant;
	if (list->rank != 1 || list->elem != ELEM_INT64 || list->count != x->dims[x->rank - 1] ||
	    normal_axis(node_attr_int(n, "axis", 0), x->rank) != x->rank - 1)
		return false;
	struct tensor *longer = tensor_new(ELEM_INT64, 1, &to);
	for (int64_t i = 0; i < to; i++)
		tensor_put(longer, i, tensor_at(list, i < list->count ? i : list->count - 1));
	replace_constant(n, 1, longer);
	set_last_dim(n->graph, x, to);
	return true;
}

/* x with constants up to that length joined to its last axis. */
static struct value *joined(struct node *before, struct value *x, int64_t to, double filler)
{
	struct graph *g = before->graph;
	int64_t dims[MAX_RANK];
	memcpy(dims, x->dims, (size_t)x->rank * sizeof *dims);
	dims[x->rank - 1] = to - x->dims[x->rank - 1];
	struct tensor *t = tensor_new(ELEM_FLOAT, x->rank, dims);
	for (int64_t i = 0; i < t->count; i++)
		tensor_put(t, i, filler);
	struct value *more = value_new_constant(g, "padding", t);
	more->datatype = x->datatype;
	struct node *n = node_new(g, before, DOMAIN_ONNX, "Concat", (struct value *[]){ x, more }, 2, 1, "padded");
	node_set_int(n, "axis", x->rank - 1);
	dims[x->rank - 1] = to;
	value_set_type(g, n->outputs[0], (enum elem_type)x->elem, x->rank, dims);
	n->outputs[0]->datatype = x->datatype;
	return n->outputs[0];
}

void folding_pad_input(struct node *mvau, int64_t to)
{
	struct filler f = filler_of(mvau);
	struct value *x = node_input(mvau, 0);
	if (f.fixed || !gather_more(x, to))
		node_set_input(mvau, 0, joined(mvau, x, to, f.x));
	pad_rows(mvau, to, f.w);
}

void folding_pad_output(struct node *mvau, struct node *reader, int64_t to)
{
	struct filler f = filler_of(reader);
	const struct value *t = node_input(mvau, 2);
	if (t && (t->dims[0] > 1 || f.fixed)) /* a row for all serves the new ones too */
		pad_thresholds(mvau, to, f.fixed ? steps_to(mvau, f.x) : -1);
	pad_columns(mvau, to);
	node_set_int(mvau, "MH", to);
	set_last_dim(mvau->graph, node_output(mvau, 0), to);
	pad_rows(reader, to, f.w);
}

void folding_pad(const struct folding *f, const struct fold_paddings *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct fold_padding *p = &list->items[i];
		if (p->columns)
			folding_pad_input(f->units[p->unit].nodes[0], p->to);
		else
			folding_pad_output(f->units[p->unit].nodes[0], f->units[p->next].nodes[0], p->to);
	}
}

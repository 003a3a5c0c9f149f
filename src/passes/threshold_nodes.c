/* The nodes that stand for a quantiser: MultiThreshold, with scale and bias behind it. */
#include "passes/threshold_job.h"

#include <math.h>
#include <string.h>

#include "passes/edit.h"
#include "passes/ranges.h"

/* The threshold for a point. Those that no point reaches, or all do, keep clear of the range where it passes 2^24 and
 * float32 sums are no longer exact. */
static float threshold_value(const struct job *j, int64_t point)
{
	if (j->of_floats)
		return point > j->hi ? INFINITY : (float)point_value(j, point);
	float most = fmaxf(fabsf((float)j->lo), fabsf((float)j->hi)), margin = most < 0x1p24f ? 0 : most / 16;
	if (point > j->hi)
		return (float)(j->hi + 1) + margin;
	/* the chain was evaluated at float32 numbers, so that the first point of a level is one, or rounds to the next */
	return point <= j->lo ? (float)j->lo - margin : (float)point;
}

/* rows[c * n + k] as a [channels or 1, n] constant; one row where all are alike. */
static struct value *threshold_constant(const struct job *j, const int64_t *rows, int64_t n, bool *uniform)
{
	int64_t channels = j->chain.channels, dims[2] = { channels, n };
	*uniform = true;
	for (int64_t c = 1; c < channels && *uniform; c++)
		*uniform = memcmp(rows, rows + c * n, (size_t)n * sizeof *rows) == 0;
	dims[0] = *uniform ? 1 : channels;
	struct tensor *t = tensor_new_raw(ELEM_FLOAT, 2, dims);
	for (int64_t i = 0; t && i < t->count; i++)
		((float *)t->data)[i] = threshold_value(j, rows[i]);
	struct value *v = t ? value_new_constant(j->graph, "thresholds", t) : NULL;
	if (v && !j->of_floats)
		v->datatype = datatype_for_range(j->lo, j->hi + 1);
	return v;
}

struct value *add_thresholds(const struct job *j, struct value *x, const int64_t *rows, int64_t n, int64_t base,
			     int64_t stride, struct datatype type)
{
	char name[DATATYPE_NAME_SIZE];
	bool uniform;
	struct value *inputs[] = { x, threshold_constant(j, rows, n, &uniform) };
	if (!inputs[1])
		return NULL;
	struct node *mt =
		node_new(j->graph, j->quantiser, DOMAIN_QONNX, "MultiThreshold", inputs, 2, 1, "MultiThreshold");
	node_set_string(mt, "out_dtype", datatype_name(type, name));
	if (stride != 1)
		node_set_float(mt, "out_scale", (float)stride);
	if (base != 0)
		node_set_float(mt, "out_bias", (float)base);
	set_threshold_axis(mt, x->rank, uniform ? value_channel_axis(x) : j->chain.axis);
	struct value *y = mt->outputs[0];
	value_copy_type(j->graph, y, x);
	y->datatype = type;
	return y;
}

/* Scale and bias that give the quantiser's own numbers back from its integers. */
static struct value *add_grid_scale(const struct job *j, struct value *q)
{
	struct affine a;
	int64_t channels = j->grid.scales ? j->chain.channels : 1;
	affine_init(&a, q, channels > 1 ? j->chain.axis : -1, channels);
	for (int64_t c = 0; c < channels; c++) {
		a.scale[c] = quant_grid_scale(&j->grid, c);
		a.bias[c] = j->grid.bias;
	}
	struct value *y = affine_emit(&a, j->graph, j->quantiser, q);
	affine_free(&a);
	return y;
}

/* Levels that count from 0 have their offset added behind, where asked. */
static struct value *add_offset(const struct job *j, struct value *q, const struct absorb_options *o)
{
	if (!o->bias_apart || !j->grid.base || j->grid.stride != 1)
		return q;
	struct value *offset = constant_scalar(j->graph, "bias", (double)j->grid.base);
	struct value *y = add_node2(j->graph, j->quantiser, "", "Add", q, offset, "Add");
	y->datatype = j->grid.datatype;
	return y;
}

int replace_quantiser(const struct job *j, struct value *q, const struct absorb_options *o, struct node *up,
		      struct node *down)
{
	struct node *old = j->quantiser;
	struct value *in = node_input(old, 0);
	q = down ? q : add_offset(j, q, o);
	q->layout = old->outputs[0]->layout;
	struct value *y = add_grid_scale(j, q);
	struct claim claim = { .chain = &j->chain,
			       .grid = &j->grid,
			       .sign = j->sign,
			       .of_floats = j->of_floats,
			       .lo = j->lo,
			       .hi = j->hi,
			       .root_lo = j->root_lo,
			       .root_hi = j->root_hi,
			       .up = up,
			       .down = down,
			       .result = y };
	if (o->certificates && certify(&claim, o->certificates, j->diags) != 0)
		return -1;
	node_bypass(old, y);
	remove_unused_above(in);
	return 1;
}

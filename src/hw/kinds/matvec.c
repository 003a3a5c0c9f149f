/* What MVAU and VVAU share: datatypes, thresholds, cost, memories. */
#include <math.h>
#include "hw/cost.h"
#include "hw/kinds/exec.h"
#include "util/integers.h"

void hw_read_matvec(const struct node *n, struct hw_layer *l)
{
	l->weight_bits = datatype_bits(hw_datatype(n, "weightDataType"));
	struct datatype acc = hw_datatype(n, "accDataType");
	l->acc_bits = acc.kind ? datatype_bits(acc) : 32;
	if (!node_attr_int(n, "noActivation", 0)) {
		const struct value *t = node_input(n, 2);
		l->steps = t && t->rank == 2 ? t->dims[1] : (INT64_C(1) << l->out_bits) - 1;
	}
	hw_read_resources(n, l);
	l->mh = l->max_pe;
}

/* ---- cost ---- */

/* Width of the accumulator that counts: the declared one, or the datatype bound where that is tighter. */
static double accumulator_bits(const struct hw_layer *l)
{
	double alpha = log2((double)l->mw) + l->weight_bits + l->in_bits - 1 - (l->in_signed ? 1 : 0);
	double bound = ceil(alpha + log2(1 + pow(2, -alpha)) + 1);
	return bound < l->acc_bits ? bound : l->acc_bits;
}

/* FINN counts an MVAU's thresholds only where they are told to lie in LUTs, a VVAU's always. */
static double threshold_luts(const struct hw_layer *l, const struct hw_choice *c, double acc)
{
	if (l->kind->flags & HW_MATRIX || !l->steps)
		return 0;
	double each = (double)((INT64_C(1) << l->out_bits) - 1) * acc;
	return each * (double)(l->mh / c->pe) / 64 + each;
}

struct hw_cost hw_matvec_cost(const struct hw_layer *l, const struct hw_choice *c)
{
	int64_t wide = l->weight_bits + l->in_bits, depth = l->mw * l->mh / (c->pe * c->simd);
	int64_t width = c->pe * c->simd * l->weight_bits;
	bool dense = l->kind->flags & HW_MATRIX;
	double multipliers = c->dsp ? 0 : (double)(c->simd * (2 * ceil_div(wide, 6) - 1) * wide);
	double tree = (double)(wide * (2 * c->simd - 1)), acc = accumulator_bits(l);
	double memory = c->ram == HW_RAM_DISTRIBUTED ? (double)(width * ceil_div(depth, 64)) : 0;
	double unit = multipliers + tree + acc + threshold_luts(l, c, acc);
	struct hw_cost cost = { .cycles = depth * l->vectors };
	cost.lut = (int64_t)(300 + 1.1 * ((double)c->pe * unit) + memory);
	cost.dsp = c->dsp ? c->pe * c->simd * ceil_div(wide, 48) : 0;
	bool shallow = !dense && c->ram == HW_RAM_AUTO && depth <= 128;
	if (c->ram == HW_RAM_ULTRA)
		cost.uram = hw_ultra_rams(width, depth);
	else if (c->ram != HW_RAM_DISTRIBUTED && !shallow)
		cost.bram = hw_block_rams(width, depth, dense);
	return cost;
}

/* ---- memories ---- */

struct hw_memory hw_threshold_memory(const struct hw_layer *l, size_t i)
{
	const struct value *v = node_input(l->node, i);
	return (struct hw_memory){ .role = HW_THRESHOLDS,
				   .input = i,
				   .banks = l->now.pe,
				   .words = l->mh / l->now.pe,
				   .elements = v && v->rank == 2 ? v->dims[1] : l->steps,
				   .source = hw_source_rows };
}

size_t hw_matvec_memories(const struct hw_layer *l, struct hw_memory out[HW_MEMORIES], hw_source_fn *source)
{
	out[0] = (struct hw_memory){ .role = HW_WEIGHTS,
				     .input = 1,
				     .type = hw_datatype(l->node, "weightDataType"),
				     .banks = l->now.pe,
				     .words = l->mw / l->now.simd * (l->mh / l->now.pe),
				     .elements = l->now.simd,
				     .source = source };
	if (l->steps)
		out[1] = hw_threshold_memory(l, 2);
	return l->steps ? 2 : 1;
}

/* ---- execution ---- */

struct tensor *hw_weights_to_bipolar(const struct node *n, struct tensor *t)
{
	if (!node_attr_int(n, "binaryXnorMode", 0))
		return t;
	struct tensor *copy = tensor_copy(t);
	for (int64_t i = 0; copy && i < copy->count; i++)
		hw_put(copy, i, 2 * hw_get(copy, i) - 1);
	tensor_unref(t);
	return copy;
}

int hw_exec_thresholds(struct exec_ctx *x, struct tensor *y, int64_t channels)
{
	if (node_attr_int(x->node, "noActivation", 0))
		return 0;
	struct tensor *t = hw_numbers(x, 2);
	int result = t ? hw_activate(x, y, channels, t) : -1;
	tensor_unref(t);
	return result;
}

int64_t hw_matvec_macs(const struct node *n)
{
	struct hw_layer l;
	struct diags none = { 0 };
	int64_t count =
		hw_layer_read(n, &l, &none) == 0 ? multiply_clamped(multiply_clamped(l.mw, l.mh), l.vectors) : -1;
	diags_free(&none);
	return count;
}

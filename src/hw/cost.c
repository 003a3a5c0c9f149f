/* What the costs of several kinds share; formulas and sources in cost.h. */
#include "hw/cost.h"

#include "hw/kind.h"

int64_t hw_block_rams(int64_t width, int64_t depth, bool parity)
{
	if (width == 1)
		return ceil_div(depth, 16384);
	if (width == 2)
		return ceil_div(depth, 8192);
	if (width <= 4)
		return ceil_div(depth, 4096) * ceil_div(width, 4);
	if (width <= 9)
		return ceil_div(depth, 2048) * ceil_div(width, parity ? 9 : 8);
	if (width <= 18 || depth > 512)
		return ceil_div(depth, 1024) * ceil_div(width, parity ? 18 : 16);
	return ceil_div(depth, 512) * ceil_div(width, parity ? 36 : 32);
}

int64_t hw_ultra_rams(int64_t width, int64_t depth)
{
	return ceil_div(width, 72) * ceil_div(depth, 4096);
}

struct hw_cost hw_arithmetic_cost(const struct hw_layer *l, const struct hw_choice *c)
{
	struct hw_cost cost = hw_default_cost(l, c);
	struct hw_stream second = hw_input(l, c, 1);
	if (l->repeats)
		cost.lut = ceil_div(second.words, 32) * hw_width(second);
	if (hw_stream_inputs(l) > 1 && l->function == HW_MUL)
		cost.lut += c->pe * l->in_bits * second.bits;
	else
		cost.lut += c->pe * l->out_bits;
	return cost;
}

struct hw_cost hw_comparator_cost(const struct hw_layer *l, const struct hw_choice *c)
{
	struct hw_cost cost = hw_default_cost(l, c);
	cost.lut = 2 * c->pe * l->in_bits;
	return cost;
}

/* What a hardware layer costs: cycles per frame, LUTs, RAMB18s, URAMs, DSP slices.
 *
 * The formulas are FINN's published analytic estimates, so that figures compare with FINN's own reports:
 * - MVAU and VVAU: LUT = 300 + 1.1 * PE * (multipliers + adder tree + accumulator + thresholds) + LUT memory, and RAMB18s by the
 *   width and depth of the weight memory: M. Blott, T. B. Preusser, N. J. Fraser, G. Gambardella, K. O'Brien,
 *   Y. Umuroglu, M. Leeser, K. Vissers: FINN-R, ACM TRETS 11(3), 2018, section 4; as in FINN 0.10.1's
 *   lut_estimation and bram_estimation of MVAU_hls and VVAU_hls.
 * - the accumulator's width: at most the bound of Colbert et al., arXiv 2301.13376, from the datatypes alone.
 * - sliding window, thresholding, width converter, FIFO, lookup: FINN 0.10.1's estimates of the same names.
 * - AddStreams, StreamingEltwise, DuplicateStreams, LabelSelect, pools, padding: FINN has no estimate (0). Here:
 *   an adder or comparator takes a LUT a bit, a product of two streams one a pair of bits, a vector that is held one a
 *   bit and 32 words, a line buffer in LUTs one a 38 bits (as the sliding window);
 *   their sums are reported, but do not enter a comparison with FINN's numbers.
 * They are estimates: the Verilog backend's synthesis is what calibrates them. */
#include "hw/hw.h"

#include <math.h>
#include <string.h>

/* ---- memories ---- */

/* RAMB18s in simple dual port mode for a memory of depth words of width bits (AMD UG573, table 1-10). grain
 * is how much of the 9, 18 and 36 bits counts: all of it, or without the parity bits. */
static int64_t block_rams(int64_t width, int64_t depth, bool parity)
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

static int64_t ultra_rams(int64_t width, int64_t depth)
{
	return ceil_div(width, 72) * ceil_div(depth, 4096);
}

/* ---- matrix-vector and vector-vector units ---- */

/* Width of the accumulator that counts: the declared one, or the datatype bound where that is tighter. */
static double accumulator_bits(const struct hw_layer *l)
{
	double alpha = log2((double)l->mw) + l->weight_bits + l->in_bits - 1 - (l->in_signed ? 1 : 0);
	double bound = ceil(alpha + log2(1 + pow(2, -alpha)) + 1);
	return bound < l->acc_bits ? bound : l->acc_bits;
}

static double threshold_luts(const struct hw_layer *l, const struct hw_choice *c, double acc)
{
	/* FINN counts an MVAU's thresholds only where they are told to lie in LUTs, a VVAU's always. */
	if (l->kind == HW_MVAU || !l->steps)
		return 0;
	double each = (double)((INT64_C(1) << l->out_bits) - 1) * acc;
	return each * (double)(l->mh / c->pe) / 64 + each;
}

static struct hw_cost matvec_cost(const struct hw_layer *l, const struct hw_choice *c)
{
	int64_t wide = l->weight_bits + l->in_bits, depth = l->mw * l->mh / (c->pe * c->simd);
	int64_t width = c->pe * c->simd * l->weight_bits;
	double multipliers = c->dsp ? 0 : (double)(c->simd * (2 * ceil_div(wide, 6) - 1) * wide);
	double tree = (double)(wide * (2 * c->simd - 1)), acc = accumulator_bits(l);
	double memory = c->ram == HW_RAM_DISTRIBUTED ? (double)(width * ceil_div(depth, 64)) : 0;
	double unit = multipliers + tree + acc + threshold_luts(l, c, acc);
	struct hw_cost cost = { .cycles = depth * l->vectors };
	cost.lut = (int64_t)(300 + 1.1 * ((double)c->pe * unit) + memory);
	cost.dsp = c->dsp ? c->pe * c->simd * ceil_div(wide, 48) : 0;
	bool shallow = l->kind == HW_VVAU && c->ram == HW_RAM_AUTO && depth <= 128;
	if (c->ram == HW_RAM_ULTRA)
		cost.uram = ultra_rams(width, depth);
	else if (c->ram != HW_RAM_DISTRIBUTED && !shallow)
		cost.bram = block_rams(width, depth, l->kind == HW_MVAU);
	return cost;
}

/* ---- sliding window ---- */

static bool is_line(const struct hw_layer *l)
{
	return l->in_dim[0] == 1 || l->in_dim[1] == 1;
}

static int64_t window_depth(const struct hw_layer *l, const struct hw_choice *c)
{
	int64_t fold = l->mh / c->simd, w = l->in_dim[1], k = l->mw;
	int64_t span = (l->kernel[0] - 1) * l->dilation[0] * w + (l->kernel[1] - 1) * l->dilation[1];
	if (c->window || k == 1)
		return span * fold + 2;
	int64_t column = l->stride[1] - 1 - k, row = (l->stride[0] - 1) * w - k;
	return ((span + 1) + (column > 0 ? column : 0) + (row > 0 ? row : 0)) * fold;
}

/* Cycles of the sliding window over one line of pixels. */
static int64_t line_cycles(const struct hw_layer *l, int64_t fold)
{
	int axis = l->in_dim[1] == 1 ? 0 : 1;
	int64_t k = l->kernel[axis], out = l->out_dim[axis] * k * fold;
	if (!l->depthwise)
		return out + 2;
	int64_t in = l->in_dim[axis] * fold + fold * (k - 1) * (l->stride[axis] - 1);
	out += (fold - 1) * k;
	return (out > in ? out : in) + 2;
}

static int64_t window_cycles(const struct hw_layer *l, const struct hw_choice *c)
{
	int64_t fold = l->mh / c->simd, w = l->in_dim[1];
	if (c->window || l->mw == 1)
		return l->in_dim[0] * w * fold + 2;
	if (is_line(l))
		return line_cycles(l, fold);
	int64_t fill = ((l->kernel[0] - 1) * l->dilation[0] * w + (l->kernel[1] - 1) * l->dilation[1] + 1) * fold;
	int64_t write = l->out_dim[1] * l->mw * fold, read = l->stride[1] * w * fold;
	int64_t row = write > read ? write : read;
	if (l->depthwise)
		row += l->out_dim[1] * (l->stride[1] - 1) * (fold - 1);
	int64_t cycles = fill + l->out_dim[0] * row;
	return l->depthwise ? cycles + (l->stride[0] - 1) * w * fold : cycles;
}

/* The widest word of a RAMB18 (or of what is left of a cascade) for that many of them. */
static int64_t ram_word(int64_t depth)
{
	static const struct {
		int64_t depth, width;
	} shapes[] = {
		{ 512, 36 }, { 1024, 18 }, { 2048, 9 }, { 4096, 4 }, { 8192, 2 },
	};
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		if (depth <= shapes[i].depth)
			return shapes[i].width;
	return 1;
}

static int64_t window_brams(const struct hw_layer *l, const struct hw_choice *c)
{
	int64_t width = c->simd * l->in_bits, depth = window_depth(l, c), buffers = 1;
	if (c->window || l->mw == 1) {
		if (is_line(l))
			return 0;
		depth = l->in_dim[1] - ((l->kernel[1] - 1) * l->dilation[1] + 1) + l->in_dim[1] * (l->dilation[0] - 1);
		buffers = l->kernel[0] - 1;
	}
	int64_t wide = ceil_div(width, ram_word(depth)), saved = 0;
	if (depth > 16384)
		saved = wide - ceil_div(width, ram_word(depth % 16384));
	return (ceil_div(depth, 16384) * wide - saved) * buffers;
}

static struct hw_cost window_cost(const struct hw_layer *l, const struct hw_choice *c)
{
	struct hw_cost cost = { .cycles = window_cycles(l, c), .lut = 300 };
	int64_t width = c->simd * l->in_bits, depth = window_depth(l, c);
	if (c->ram == HW_RAM_DISTRIBUTED)
		cost.lut += width * ceil_div(depth, 38);
	else if (c->ram == HW_RAM_ULTRA)
		cost.uram = ultra_rams(width, depth);
	else
		cost.bram = window_brams(l, c);
	return cost;
}

/* ---- everything else ---- */

static struct hw_cost threshold_cost(const struct hw_layer *l, const struct hw_choice *c)
{
	int64_t fold = l->mh / c->pe, lut = c->pe * l->in_bits;
	if (fold > 1)
		lut += c->pe * l->in_bits * ceil_div(fold, 64);
	return (struct hw_cost){ .cycles = l->vectors * fold, .lut = lut };
}

static struct hw_cost max_pool_cost(const struct hw_layer *l, const struct hw_choice *c)
{
	struct hw_cost cost = { 0 };
	if (is_line(l)) {
		int axis = l->in_dim[1] == 1 ? 0 : 1;
		cost.cycles = l->out_dim[axis] * (l->mh / c->pe) * (l->kernel[axis] + 1);
		cost.lut = 2 * c->pe * l->in_bits;
	} else {
		double k = (double)(l->kernel[1] * l->kernel[1]), w = (double)(l->in_dim[1] * l->in_dim[1]);
		cost.cycles = (int64_t)(w * (1 + 1 / k));
		cost.lut = l->mh * l->in_bits * (1 + ceil_div(l->out_dim[1], 38));
	}
	return cost;
}

static struct hw_cost converter_cost(const struct hw_layer *l, const struct hw_choice *c)
{
	int64_t in = l->widths[0], out = l->widths[1], small = in < out ? in : out, large = in < out ? out : in;
	int64_t common = large / common_divisor(large, small) * small,
		lut = 0; /* the words pass through one of this width */
	if (in != common)
		lut += (int64_t)fabs(ceil(log2((double)in / (double)common))) + common;
	if (common != out)
		lut += (int64_t)fabs(ceil(log2((double)common / (double)out))) + out;
	int64_t words_in = hw_input(l, c, 0).words, words_out = hw_output(l, c, 0).words;
	return (struct hw_cost){ .cycles = words_in > words_out ? words_in : words_out, .lut = lut };
}

static struct hw_cost fifo_cost(const struct hw_layer *l, const struct hw_choice *c)
{
	int64_t lut = 2 * (int64_t)ceil(log2((double)(l->depth > 1 ? l->depth : 2)));
	lut += ceil_div(l->depth, 32) * ceil_div(l->widths[0], 2);
	return (struct hw_cost){ .cycles = hw_input(l, c, 0).words, .lut = lut };
}

/* Adders and comparators take a LUT a bit of the result, multipliers one for each pair of bits. */
static int64_t arithmetic_luts(const struct hw_layer *l, const struct hw_choice *c)
{
	const char *f = node_attr_string(l->node, "eltwiseOp", "Add");
	struct hw_stream second = hw_input(l, c, 1);
	int64_t held = l->held ? ceil_div(second.words, 32) * hw_width(second) : 0;
	if (l->kind == HW_ELTWISE && strcmp(f, "Mul") == 0)
		return held + c->pe * l->in_bits * second.bits;
	return held + c->pe * l->out_bits;
}

static struct hw_cost plain_cost(const struct hw_layer *l, const struct hw_choice *c)
{
	struct hw_stream in = hw_input(l, c, 0), out = hw_output(l, c, 0);
	struct hw_cost cost = { .cycles = in.words > out.words ? in.words : out.words };
	switch (l->kind) {
	case HW_ADDSTREAMS:
	case HW_ELTWISE:
	case HW_CHANNELWISE:
	case HW_GLOBALACC: cost.lut = arithmetic_luts(l, c); break;
	case HW_LABELSELECT:
	case HW_POOL: cost.lut = 2 * c->pe * l->in_bits; break;
	case HW_LOOKUP: cost.bram = ceil_div(hw_width(out), 16) * ceil_div(l->depth, 1024); break;
	case HW_UPSAMPLE: cost.lut = l->mh * l->in_bits * ceil_div(l->in_dim[1], 38); break;
	default: break;
	}
	if (l->kind == HW_GLOBALACC)
		cost.cycles = in.words + l->mh / c->pe;
	return cost;
}

struct hw_cost hw_layer_cost(const struct hw_layer *l, const struct hw_choice *c)
{
	switch (l->kind) {
	case HW_MVAU:
	case HW_VVAU: return matvec_cost(l, c);
	case HW_SWG: return window_cost(l, c);
	case HW_THRESHOLDING: return threshold_cost(l, c);
	case HW_MAXPOOL: return max_pool_cost(l, c);
	case HW_DWC: return converter_cost(l, c);
	case HW_FIFO: return fifo_cost(l, c);
	default: return plain_cost(l, c);
	}
}

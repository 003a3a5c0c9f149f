/* What a hardware layer costs: cycles per frame, LUTs, RAMB18s, URAMs, DSP slices. Each kind has its formula in its file of
 * kinds/; what they share is here.
 *
 * The formulas are FINN's published analytic estimates, so that figures compare with FINN's own reports:
 * - MVAU and VVAU: LUT = 300 + 1.1 * PE * (multipliers + adder tree + accumulator + thresholds) + LUT memory, and RAMB18s by the
 *   width and depth of the weight memory: M. Blott, T. B. Preusser, N. J. Fraser, G. Gambardella, K. O'Brien,
 *   Y. Umuroglu, M. Leeser, K. Vissers: FINN-R, ACM TRETS 11(3), 2018, section 4; as in FINN 0.10.1's
 *   lut_estimation and bram_estimation of MVAU_hls and VVAU_hls.
 * - the accumulator's width: at most the bound of Colbert et al., arXiv 2301.13376, from the datatypes alone.
 * - sliding window, thresholding, width converter, FIFO, lookup: FINN 0.10.1's estimates of the same names.
 * - AddStreams, StreamingEltwise, DuplicateStreams, LabelSelect, pools, padding: FINN has no estimate (0). Here:
 *   an adder or comparator takes one LUT for each bit, a product of two streams one for each pair of bits, a vector that
 *   is used again one for each bit and 32 words, a line buffer in LUTs one for 38 bits (as the sliding window).
 * All are estimates and enter the network's sums. */
#ifndef QCC_HW_COST_H
#define QCC_HW_COST_H

#include "hw/hw.h"

/* RAMB18s in simple dual port mode for a memory of depth words of width bits (AMD UG573, table 1-10). parity: all of the 9,
 * 18 and 36 bits count; else without the parity bits. */
int64_t hw_block_rams(int64_t width, int64_t depth, bool parity);
int64_t hw_ultra_rams(int64_t width, int64_t depth);
/* An element-wise layer: one LUT per bit of PE results, or per pair of bits of products, plus the memory for a vector
 * that it uses again. */
struct hw_cost hw_arithmetic_cost(const struct hw_layer *l, const struct hw_choice *c);
/* PE comparators of elements of its input. */
struct hw_cost hw_comparator_cost(const struct hw_layer *l, const struct hw_choice *c);

#endif

/* The inner loops of training, compiled for several sets of instructions; the processor decides which are used. Loops
 * run over columns side by side, so that every set gives the same sums. */
#ifndef QCC_TRAIN_KERNELS_H
#define QCC_TRAIN_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

enum {
	NIBBLE = 4,	  /* inputs that one look-up sums */
	SUM_COLUMNS = 32, /* columns of sums come in multiples of that */
	ROW_GROUP = 32	  /* rows whose bits of a column are one word */
};

struct kernels {
	/* Products of bits and integer codes by table. Tables: groups x 16 x n sums of the codes (4 groups x n) that the
	 * bits of a nibble choose. n is a multiple of SUM_COLUMNS. */
	void (*nibble_tables)(int16_t *tables, const int16_t *codes, int64_t groups, int64_t n);
	/* sums (count x n, zero before) += what the nibbles of the rows choose; a row is `words` words long. */
	void (*add_by_nibbles)(int16_t *sums, const int16_t *tables, const uint64_t *rows, int64_t words, int64_t count,
			       int64_t groups, int64_t n);
	/* y (count x n) = sums (count x stride) * scale + bias, by column. */
	void (*scale_sums)(float *y, const int16_t *sums, int64_t stride, const float *scale, const float *bias,
			   int64_t count, int64_t n);
	/* columns[i] = bit i of up to ROW_GROUP rows, 64 * words of them. */
	void (*transpose_bits)(uint32_t *columns, const uint64_t *rows, int64_t words, int64_t count);
	/* dw (inputs x n) += transposed bits * dz, for ROW_GROUP rows of dz (count x n). n is a multiple of 16. fresh: dw
	 * holds nothing yet. */
	void (*add_by_columns)(float *dw, const uint32_t *columns, int64_t inputs, const float *dz, int64_t count,
			       int64_t n, bool fresh);
	/* Products with a single column w of k: y = x w; dw += x' dy; dx = dy w'. x, dx: count x k. */
	void (*times_column)(float *y, const float *x, const float *w, int64_t count, int64_t k);
	void (*add_to_column)(float *dw, const float *x, const float *dy, int64_t count, int64_t k);
	void (*column_back)(float *dx, const float *dy, const float *w, int64_t count, int64_t k);
	/* y (count x n) += bias, by column. */
	void (*add_bias)(float *y, const float *bias, int64_t count, int64_t n);
	/* sums[k] += over rows of x[k]; of (x[k] - mean[k])^2; of dy[k] and dy[k] * (x[k] - mean[k]) * inverse[k]. */
	void (*column_sums)(float *sums, const float *x, int64_t count, int64_t n);
	void (*column_squares)(float *sums, const float *x, const float *mean, int64_t count, int64_t n);
	void (*column_products)(float *sums, float *products, const float *dy, const float *x, const float *mean,
				const float *inverse, int64_t count, int64_t n);
	/* y = x * a + b, by column. */
	void (*affine)(float *y, const float *x, const float *a, const float *b, int64_t count, int64_t n);
	/* dx = dy * a + x * b + c, by column. */
	void (*affine_of_two)(float *dx, const float *dy, const float *x, const float *a, const float *b,
			      const float *c, int64_t count, int64_t n);
	/* y = x * keep where a random number of the key is below the threshold (of 2^16), else 0. */
	void (*dropout)(float *y, const float *x, uint32_t key, uint32_t first, uint32_t threshold, float keep,
			int64_t n);
	/* y = s * clamp(round(x / s), lo, hi). */
	void (*quantise)(float *y, const float *x, float s, float lo, float hi, int64_t n);
	/* dx = dy where round(x / s) is from lo to hi (and x > floor), else 0; returns the gradient of s. */
	double (*quantise_back)(float *dx, const float *dy, const float *x, float s, float lo, float hi, float floor,
				int64_t n);
	/* to += from. */
	void (*add)(float *to, const float *from, int64_t n);
	/* One step of Adam with bias corrections c1, c2; decay: what the weight loses of itself before. */
	void (*adam)(float *w, float *m, float *v, const float *g, float rate, float b1, float b2, float c1, float c2,
		     float epsilon, float decay, int64_t n);
};

const struct kernels *kernels_best(void);

#endif

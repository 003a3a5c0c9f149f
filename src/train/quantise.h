/* Quantised weights: codes, scales, and the gradients of the weights behind them.
 *
 * A weight w becomes s * q, q = clamp(round(w / s)), halves to even. The surrogate that gradients follow takes the
 * difference q - w / s as a constant: s * (w / s + constant). So the weight gets the gradient of s * q as it is (the
 * straight-through estimator), and the scale gets the sum of the gradients times q - w / s, which goes on to the weights
 * that the scale is computed from. Brevitas does the same by default. */
#ifndef QCC_TRAIN_QUANTISE_H
#define QCC_TRAIN_QUANTISE_H

#include <stdbool.h>
#include <stdint.h>

struct diags;

enum bit_kind { BITS_FLOAT, BITS_BIPOLAR, BITS_TERNARY, BITS_INTEGER };

struct bit_width {
	enum bit_kind kind;
	int bits; /* of BITS_INTEGER, 2 to 8 */
};

/* "2" to "8", "1" or "bipolar", "ternary", "float" (not quantised). False where it is none. */
bool bit_width_parse(const char *text, struct bit_width *out);
/* The argument of that option. 0, or -1 with a diagnostic. */
int bit_width_option(const char *option, const char *text, struct bit_width *out, struct diags *d);

/* The weights of a layer: outer x channels x inner, the channels being the layer's outputs. With one scale for all of
 * them channels is 1. The scale is the largest magnitude / the largest code; of bipolar weights the mean magnitude; of
 * ternary ones 4/3 of it, so that weights from 2/3 of it on are not 0. */
struct weight_quantiser {
	struct bit_width width;
	int64_t outer, channels, inner, count;
	float *scale;	  /* of each channel */
	int64_t *largest; /* where the largest magnitude of each channel is */
	float *codes, *values;
	const uint8_t *mask; /* 0: the weight was pruned, and counts as 0; NULL: all are there */
};

void weights_init(struct weight_quantiser *q, struct bit_width width, int64_t outer, int64_t channels, int64_t inner);
void weights_free(struct weight_quantiser *q);
/* Fills scale, codes and values. */
void weights_quantise(struct weight_quantiser *q, const float *w);
/* In place: from the gradient of the values to that of w. */
void weights_gradient(const struct weight_quantiser *q, const float *w, float *grad);
/* The largest code. */
float weights_top(struct bit_width width);

/* x rounded to the nearest integer, halves to even; exact below 2^22. */
static inline float round_even(float x)
{
	const float shift = 12582912; /* 1.5 * 2^23: adding it leaves no bits for a fraction */
	return (x + shift) - shift;
}

#endif

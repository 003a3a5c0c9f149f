/* Kernels of the tiny style: one function for every dense or convolutional layer, driven by a description, so
 * that code stays small. Weights are packed to 1, 2, 4 or 8 bits, or listed where most are zero. Made by qcc; the
 * same for every network. */
#ifndef QCC_TINY_INCLUDED
#define QCC_TINY_INCLUDED

#include <stdint.h>

struct qcc_tiny {
	const uint8_t *weights; /* packed: [output][tap][operands of the group], each run from a new byte on */
	const void *thresholds; /* [1 or output][count] of 16 or 32 bits; NULL: none */
	const int32_t *bias;	/* [output], or NULL */
	uint16_t ic, ih, iw;	/* operand, channels last */
	uint16_t oc, oh, ow;
	uint16_t run;		      /* bytes of a run of packed weights */
	uint16_t group_in, group_out; /* channels of a group */
	uint8_t kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
	uint8_t bits;			  /* of a weight; 0: lists */
	uint8_t flip;			  /* 0x80: operands are int8_t; 0: uint8_t. A value is (byte ^ flip) - flip */
	uint8_t count, per_channel, wide; /* thresholds: how many, a row each, 32 bits */
	uint8_t out_size;		  /* bytes of a result: 1, 2 or 4 */
	int8_t base, step;		  /* a result is base + step * (thresholds reached) */
};

#ifdef QCC_TINY_LISTS
/* Two lists, of the operands with weight +1 and of those with -1: the distance from one to the next, 255 for 255
 * operands without one, 0 at the end. Returns where the next output's lists start. */
static const uint8_t *qcc_tiny_lists(const struct qcc_tiny *l, const uint8_t *x, const uint8_t *w, int32_t *sum)
{
	const uint32_t flip = l->flip;
	for (int32_t sign = 1; sign >= -1; sign -= 2) {
		uint32_t part = 0, i = 0, d;
		while ((d = *w++) != 0) {
			i += d;
			if (d != 255)
				part += (x[i - 1] ^ flip) - flip;
		}
		*sum += sign * (int32_t)part;
	}
	return w;
}
#endif

#ifdef QCC_TINY_PACKED
/* n operands times packed weights. One bit stands for -1 and +1, more are two's complement. */
static int32_t qcc_tiny_run(const struct qcc_tiny *l, const uint8_t *x, const uint8_t *w, uint32_t n)
{
	const uint32_t bits = l->bits, mask = (1u << bits) - 1, sign = 1u << (bits - 1), flip = l->flip;
	uint32_t left = 0, byte = 0;
	int32_t sum = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (left == 0) {
			byte = *w++;
			left = 8;
		}
		const uint32_t field = byte & mask;
		const int32_t weight = bits == 1 ? (int32_t)field * 2 - 1 : (int32_t)(field ^ sign) - (int32_t)sign;
		sum += weight * (int32_t)((x[i] ^ flip) - flip);
		byte >>= bits;
		left -= bits;
	}
	return sum;
}

/* The window of output o at (p, q). */
static int32_t qcc_tiny_window(const struct qcc_tiny *l, const uint8_t *x, uint32_t o, uint32_t p, uint32_t q)
{
	const uint8_t *w = l->weights + o * l->kh * l->kw * (uint32_t)l->run;
	int32_t sum = 0;
	for (uint32_t r = 0; r < l->kh; r++)
		for (uint32_t c = 0; c < l->kw; c++, w += l->run) {
			/* beyond the operand on either side: as unsigned numbers both are large */
			const uint32_t y = p * l->stride_h + r * l->dilation_h - l->pad_top;
			const uint32_t z = q * l->stride_w + c * l->dilation_w - l->pad_left;
			if (y < l->ih && z < l->iw)
				sum += qcc_tiny_run(l, x + (y * l->iw + z) * l->ic + o / l->group_out * l->group_in, w,
						    l->group_in);
		}
	return sum;
}
#endif

/* The sum as a result of output o. */
static int32_t qcc_tiny_result(const struct qcc_tiny *l, uint32_t o, int32_t sum)
{
	int32_t n = 0;
	if (!l->thresholds)
		return l->bias ? sum + l->bias[o] : sum;
	if (l->bias)
		sum += l->bias[o];
	const uint32_t row = l->per_channel ? o * l->count : 0;
	for (uint32_t k = row; k < row + l->count; k++)
		n += sum >= (l->wide ? ((const int32_t *)l->thresholds)[k] : ((const int16_t *)l->thresholds)[k]);
	return l->base + l->step * n;
}

static void qcc_tiny_store(const struct qcc_tiny *l, void *y, uint32_t i, int32_t v)
{
	if (l->out_size == 1)
		((uint8_t *)y)[i] = (uint8_t)v;
	else if (l->out_size == 2)
		((uint16_t *)y)[i] = (uint16_t)v;
	else
		((uint32_t *)y)[i] = (uint32_t)v;
}

static void qcc_tiny_layer(const struct qcc_tiny *l, const void *operand, void *y)
{
	const uint8_t *x = operand;
#ifdef QCC_TINY_LISTS
	if (l->bits == 0) {
		const uint8_t *w = l->weights;
		for (uint32_t o = 0; o < l->oc; o++) {
			int32_t sum = 0;
			w = qcc_tiny_lists(l, x, w, &sum);
			qcc_tiny_store(l, y, o, qcc_tiny_result(l, o, sum));
		}
		return;
	}
#endif
#ifdef QCC_TINY_PACKED
	for (uint32_t p = 0, i = 0; p < l->oh; p++)
		for (uint32_t q = 0; q < l->ow; q++)
			for (uint32_t o = 0; o < l->oc; o++, i++)
				qcc_tiny_store(l, y, i, qcc_tiny_result(l, o, qcc_tiny_window(l, x, o, p, q)));
#endif
}

#endif

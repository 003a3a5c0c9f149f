/* Quantised weights (see quantise.h). */
#include "train/quantise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/arena.h"
#include "util/diag.h"

static const float LEAST_SCALE = 1e-8f;

bool bit_width_parse(const char *text, struct bit_width *out)
{
	char *end;
	long bits = strtol(text, &end, 10);
	if (!strcmp(text, "float"))
		*out = (struct bit_width){ BITS_FLOAT, 32 };
	else if (!strcmp(text, "bipolar") || !strcmp(text, "1"))
		*out = (struct bit_width){ BITS_BIPOLAR, 1 };
	else if (!strcmp(text, "ternary"))
		*out = (struct bit_width){ BITS_TERNARY, 2 };
	else if (*text && !*end && bits >= 2 && bits <= 8)
		*out = (struct bit_width){ BITS_INTEGER, (int)bits };
	else
		return false;
	return true;
}

int bit_width_option(const char *option, const char *text, struct bit_width *out, struct diags *d)
{
	if (bit_width_parse(text, out))
		return 0;
	return diag_error(d, "write 1 to 8, bipolar, ternary or float", "--%s: '%s' is no width", option, text);
}

float weights_top(struct bit_width width)
{
	return width.kind == BITS_INTEGER ? (float)((1 << (width.bits - 1)) - 1) : 1;
}

void weights_init(struct weight_quantiser *q, struct bit_width width, int64_t outer, int64_t channels, int64_t inner)
{
	*q = (struct weight_quantiser){ .width = width, .outer = outer, .channels = channels, .inner = inner };
	q->count = outer * channels * inner;
	q->scale = xcalloc((size_t)channels, sizeof *q->scale);
	q->largest = xcalloc((size_t)channels, sizeof *q->largest);
	q->codes = xcalloc((size_t)q->count, sizeof *q->codes);
	q->values = xcalloc((size_t)q->count, sizeof *q->values);
}

void weights_free(struct weight_quantiser *q)
{
	free(q->scale);
	free(q->largest);
	free(q->codes);
	free(q->values);
}

/* ---- scales ---- */

static bool is_there(const struct weight_quantiser *q, int64_t i)
{
	return !q->mask || q->mask[i];
}

/* Where channel c's piece number `outer` begins. */
static int64_t piece(const struct weight_quantiser *q, int64_t outer, int64_t c)
{
	return (outer * q->channels + c) * q->inner;
}

static float largest_scale(struct weight_quantiser *q, const float *w, int64_t c)
{
	float best = -1;
	for (int64_t o = 0; o < q->outer; o++)
		for (int64_t i = piece(q, o, c), end = i + q->inner; i < end; i++)
			if (fabsf(w[i]) > best && is_there(q, i)) {
				best = fabsf(w[i]);
				q->largest[c] = i;
			}
	return best / weights_top(q->width);
}

/* How many weights of a channel were not pruned. */
static int64_t members(const struct weight_quantiser *q, int64_t c)
{
	int64_t n = 0;
	if (!q->mask)
		return q->outer * q->inner;
	for (int64_t o = 0; o < q->outer; o++)
		for (int64_t i = piece(q, o, c), end = i + q->inner; i < end; i++)
			n += q->mask[i] != 0;
	return n;
}

static float mean_factor(const struct weight_quantiser *q)
{
	return q->width.kind == BITS_TERNARY ? 4.0f / 3 : 1;
}

static float mean_scale(const struct weight_quantiser *q, const float *w, int64_t c)
{
	double sum = 0;
	for (int64_t o = 0; o < q->outer; o++)
		for (int64_t i = piece(q, o, c), end = i + q->inner; i < end; i++)
			if (is_there(q, i))
				sum += fabs((double)w[i]);
	int64_t n = members(q, c);
	return n ? (float)(sum / (double)n) * mean_factor(q) : 0;
}

/* ---- codes ---- */

static void code_piece(const struct weight_quantiser *q, const float *w, int64_t at, float scale)
{
	float *restrict codes = q->codes + at, *restrict values = q->values + at;
	float top = weights_top(q->width);
	bool bipolar = q->width.kind == BITS_BIPOLAR;
	for (int64_t i = 0; i < q->inner; i++) {
		float x = w[at + i] / scale;
		x = x > top ? top : x < -top ? -top : x;
		codes[i] = bipolar ? (x >= 0 ? 1.0f : -1.0f) : round_even(x);
		values[i] = codes[i] * scale;
	}
	if (q->mask)
		for (int64_t i = 0; i < q->inner; i++)
			if (!q->mask[at + i])
				codes[i] = values[i] = 0;
}

static void copy_weights(struct weight_quantiser *q, const float *w)
{
	for (int64_t c = 0; c < q->channels; c++)
		q->scale[c] = 1;
	for (int64_t i = 0; i < q->count; i++)
		q->codes[i] = q->values[i] = is_there(q, i) ? w[i] : 0;
}

void weights_quantise(struct weight_quantiser *q, const float *w)
{
	if (q->width.kind == BITS_FLOAT) {
		copy_weights(q, w);
		return;
	}
	for (int64_t c = 0; c < q->channels; c++) {
		float s = q->width.kind == BITS_INTEGER ? largest_scale(q, w, c) : mean_scale(q, w, c);
		q->scale[c] = s > LEAST_SCALE ? s : LEAST_SCALE;
		for (int64_t o = 0; o < q->outer; o++)
			code_piece(q, w, piece(q, o, c), q->scale[c]);
	}
}

/* ---- gradients ---- */

/* The gradient of a channel's scale. Sixteen sums at a time, so that vectors can be used and the order is fixed. */
static double scale_gradient(const struct weight_quantiser *q, const float *w, const float *grad, int64_t c)
{
	enum { LANES = 16 };
	float lanes[LANES] = { 0 }, s = q->scale[c];
	double sum = 0;
	for (int64_t o = 0; o < q->outer; o++) {
		int64_t i = piece(q, o, c), end = i + q->inner;
		for (; i + LANES <= end; i += LANES)
			for (int k = 0; k < LANES; k++)
				lanes[k] += grad[i + k] * (q->codes[i + k] - w[i + k] / s);
		for (; i < end; i++)
			sum += (double)(grad[i] * (q->codes[i] - w[i] / s));
	}
	for (int k = 0; k < LANES; k++)
		sum += (double)lanes[k];
	return sum;
}

static void spread_mean(const struct weight_quantiser *q, const float *w, float *grad, int64_t c, double of_scale)
{
	float share = (float)(of_scale * (double)mean_factor(q) / (double)members(q, c));
	for (int64_t o = 0; o < q->outer; o++)
		for (int64_t i = piece(q, o, c), end = i + q->inner; i < end; i++)
			grad[i] += w[i] > 0 ? share : w[i] < 0 ? -share : 0;
}

void weights_gradient(const struct weight_quantiser *q, const float *w, float *grad)
{
	if (q->mask)
		for (int64_t i = 0; i < q->count; i++)
			grad[i] = q->mask[i] ? grad[i] : 0;
	for (int64_t c = 0; c < q->channels && q->width.kind != BITS_FLOAT; c++) {
		double of_scale = scale_gradient(q, w, grad, c);
		if (q->scale[c] <= LEAST_SCALE)
			continue;
		if (q->width.kind == BITS_INTEGER)
			grad[q->largest[c]] += (float)(of_scale / (double)weights_top(q->width)) *
					       (w[q->largest[c]] < 0 ? -1.0f : 1.0f);
		else
			spread_mean(q, w, grad, c, of_scale);
	}
	if (q->mask)
		for (int64_t i = 0; i < q->count; i++)
			grad[i] = q->mask[i] ? grad[i] : 0;
}

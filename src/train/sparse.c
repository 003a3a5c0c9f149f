/* Pruning to a fan-in, and costs in LUTs (see sparse.h). */
#include "train/sparse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_BITS = 12, LUT_BITS = 6 };

static bool is_linear(const struct layer *l)
{
	return l->type == &layer_linear;
}

/* ---- masks ---- */

struct weight {
	float size;
	int64_t input;
};

static int by_size(const void *a, const void *b)
{
	const struct weight *x = a, *y = b;
	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return x->input < y->input ? -1 : 1;
}

static uint8_t *mask_of(struct net *n, struct layer *l)
{
	if (!l->weights->mask)
		l->weights->mask =
			memset(arena_alloc(&n->arena, (size_t)l->params[0].count), 1, (size_t)l->params[0].count);
	return (uint8_t *)l->weights->mask;
}

static void prune_layer(struct net *n, struct layer *l, int64_t keep)
{
	int64_t inputs = l->in.count, outputs = l->out.count;
	struct weight *list = xcalloc((size_t)inputs, sizeof *list);
	uint8_t *mask = mask_of(n, l);
	const float *w = l->params[0].value;
	for (int64_t c = 0; c < outputs; c++) {
		for (int64_t i = 0; i < inputs; i++)
			list[i] = (struct weight){ mask[i * outputs + c] ? fabsf(w[i * outputs + c]) : -1, i };
		qsort(list, (size_t)inputs, sizeof *list, by_size);
		for (int64_t i = 0; i < inputs; i++)
			mask[list[i].input * outputs + c] = i < keep && list[i].size >= 0;
	}
	free(list);
}

static bool is_pruned(const struct net *n, const struct layer *l, int64_t fan_in)
{
	return is_linear(l) && l != net_last(n) && l->in.count > fan_in;
}

/* What remains falls with the third power of the time that is left (Zhu and Gupta 2017), in proportion. */
void sparse_prune(struct net *n, int64_t fan_in, double progress)
{
	double left = pow(1 - (progress < 1 ? progress : 1), 3);
	for (size_t i = 0; i < n->count; i++) {
		struct layer *l = &n->layers[i];
		if (!is_pruned(n, l, fan_in))
			continue;
		double keep = (double)fan_in * pow((double)l->in.count / (double)fan_in, left);
		prune_layer(n, l, (int64_t)ceil(keep - 1e-9));
	}
}

bool sparse_keeps(const struct net *n, int64_t fan_in)
{
	for (size_t i = 0; i < n->count; i++) {
		const struct layer *l = &n->layers[i];
		int64_t outputs = l->out.count;
		for (int64_t c = 0; is_pruned(n, l, fan_in) && c < outputs; c++) {
			int64_t there = 0;
			for (int64_t k = 0; k < l->in.count; k++)
				there += !l->weights->mask || l->weights->mask[k * outputs + c];
			if (there > fan_in)
				return false;
		}
	}
	return true;
}

/* ---- costs ---- */

/* Bits of each input: those of the last quantised activation before. */
static int input_bits(const struct net *n, const struct layer *l)
{
	for (int i = l->index - 1; i >= 0; i--) {
		const struct layer *before = &n->layers[i];
		if (before->type != &layer_relu && before->type != &layer_quant)
			continue;
		struct bit_width width = n->options.acts;
		const char *bits = layer_text(before, "bits", 0);
		if (bits)
			bit_width_parse(bits, &width);
		return width.bits;
	}
	return n->bits ? 1 : 8;
}

static int output_bits(const struct net *n, const struct layer *l)
{
	for (size_t i = (size_t)l->index + 1; i < n->count; i++)
		if (is_linear(&n->layers[i]))
			return input_bits(n, &n->layers[i]);
	return 1;
}

/* A table of that many bits for one bit. */
static double table_luts(double bits)
{
	return bits <= LUT_BITS ? 1 : 0.36 * pow(2, bits - LUT_BITS) + 0.64;
}

static double neuron_luts(double inputs, int in_bits, int out_bits)
{
	double bits = inputs * in_bits;
	if (inputs == 0)
		return 0;
	return bits <= TABLE_BITS ? out_bits * table_luts(bits) : bits + (double)((1 << out_bits) - 1) * in_bits;
}

/* The linear layer whose outputs a linear layer gets, element by element; NULL: there is none. */
static const struct layer *source_of(const struct net *n, const struct layer *l)
{
	for (int i = l->index - 1; i >= 0; i--)
		if (is_linear(&n->layers[i]) || n->layers[i].in.count != l->in.count)
			return is_linear(&n->layers[i]) && n->layers[i].out.count == l->in.count ? &n->layers[i] : NULL;
	return NULL;
}

static bool connects(const struct layer *l, int64_t input, int64_t output)
{
	return l->weights->codes[input * l->out.count + output] != 0;
}

/* Which outputs of each layer depend on the input. */
static void find_varying(const struct net *n, uint8_t **varies)
{
	for (size_t i = 0; i < n->count; i++) {
		const struct layer *l = &n->layers[i], *before = is_linear(l) ? source_of(n, l) : NULL;
		for (int64_t k = 0; is_linear(l) && k < l->in.count; k++)
			for (int64_t c = 0; c < l->out.count; c++)
				varies[i][c] |= connects(l, k, c) && (!before || varies[before->index][k]);
	}
}

/* Which outputs of each layer something uses. */
static void find_used(const struct net *n, uint8_t **used)
{
	for (size_t i = n->count; i-- > 0;) {
		const struct layer *l = &n->layers[i], *before = is_linear(l) ? source_of(n, l) : NULL;
		for (int64_t k = 0; before && k < l->in.count; k++) {
			used[before->index][k] = 0;
			for (int64_t c = 0; c < l->out.count; c++)
				used[before->index][k] |= connects(l, k, c) && used[i][c];
		}
	}
}

static double layer_luts(const struct net *n, const struct layer *l, uint8_t **varies, uint8_t **used)
{
	const struct layer *before = source_of(n, l);
	double sum = 0;
	for (int64_t c = 0; c < l->out.count; c++) {
		int64_t there = 0;
		for (int64_t k = 0; used[l->index][c] && k < l->in.count; k++)
			there += connects(l, k, c) && (!before || varies[before->index][k]);
		sum += neuron_luts((double)there, input_bits(n, l), output_bits(n, l));
	}
	return sum;
}

double sparse_luts(const struct net *n)
{
	uint8_t **varies = xcalloc(n->count, sizeof *varies), **used = xcalloc(n->count, sizeof *used);
	double sum = 0;
	for (size_t i = 0; i < n->count; i++) {
		varies[i] = xcalloc((size_t)n->layers[i].out.count, 1);
		used[i] = xcalloc((size_t)n->layers[i].out.count, 1);
		memset(used[i], 1, (size_t)n->layers[i].out.count);
	}
	find_varying(n, varies);
	find_used(n, used);
	for (size_t i = 0; i < n->count; i++)
		sum += is_linear(&n->layers[i]) ? layer_luts(n, &n->layers[i], varies, used) : 0;
	for (size_t i = 0; i < n->count; i++) {
		free(varies[i]);
		free(used[i]);
	}
	free(varies);
	free(used);
	return sum;
}

void sparse_add_cost(struct net *n, double strength)
{
	for (size_t i = 0; i < n->count; i++) {
		struct layer *l = &n->layers[i];
		if (!is_linear(l))
			continue;
		float pull = (float)(strength * input_bits(n, l)), *g = l->params[0].grad;
		const float *w = l->params[0].value;
		for (int64_t k = 0; k < l->params[0].count; k++) {
			float s = l->weights->scale[l->weights->channels > 1 ? k % l->out.count : 0];
			if (fabsf(w[k]) < s)
				g[k] += w[k] > 0 ? pull / s : w[k] < 0 ? -pull / s : 0;
		}
	}
}

/* Cross-entropy and its gradient (see loss.h). */
#include "train/loss.h"

#include <math.h>

/* -log of the chance of the right answer, from a logit: log(1 + e^-z), without overflow. */
static double softplus(double z)
{
	return (z > 0 ? z : 0) + log1p(exp(-fabs(z)));
}

static double binary(const float *z, int32_t label, float *dz, bool *right)
{
	double x = (double)*z, chance = 1 / (1 + exp(-x));
	*dz = (float)(chance - label);
	*right = (x >= 0) == (label != 0);
	return softplus(label ? -x : x);
}

static double several(const float *z, int64_t n, int32_t label, float *dz, bool *right)
{
	double top = (double)z[0];
	int64_t best = 0;
	for (int64_t i = 1; i < n; i++)
		if ((double)z[i] > top) {
			top = (double)z[i];
			best = i;
		}
	double sum = exp((double)z[0] - top);
	for (int64_t i = 1; i < n; i++)
		sum += exp((double)z[i] - top);
	for (int64_t i = 0; i < n; i++)
		dz[i] = (float)(exp((double)z[i] - top) / sum - (i == label));
	*right = best == label;
	return log(sum) + top - (double)z[label];
}

void loss_of_part(void *user, const struct net *n, const struct part *p)
{
	const struct loss *x = user;
	const struct layer *l = net_last(n);
	int64_t outputs = l->out.count, right = 0;
	double sum = 0, share = 0;
	for (int64_t r = p->first; r < p->first + p->rows; r++) {
		const float *z = l->y + r * outputs;
		float *dz = l->dy + r * outputs;
		bool is_right;
		int32_t label = n->labels[r];
		double w = x->weights ? (double)x->weights[label] : 1;
		double loss =
			outputs == 1 ? binary(z, label, dz, &is_right) : several(z, outputs, label, dz, &is_right);
		sum += w * loss;
		share += w;
		right += is_right;
		for (int64_t i = 0; x->gradients && i < outputs; i++)
			dz[i] = (float)((double)dz[i] * w * x->scale);
	}
	x->sums[p->number] = sum;
	x->shares[p->number] = share;
	x->right[p->number] = right;
}

double loss_weight(const float *weights, const int32_t *labels, const int64_t *order, int64_t count)
{
	double sum = 0;
	if (!weights)
		return (double)count;
	for (int64_t i = 0; i < count; i++)
		sum += (double)weights[labels[order[i]]];
	return sum;
}

/* dropout(p): in training each element is 0 with probability p, else divided by 1 - p. Which ones is a function of seed,
 * step, layer and place, so that nothing has to be remembered. */
#include <math.h>
#include <string.h>

#include "train/export.h"
#include "train/net.h"
#include "train/random.h"

static double probability(const struct layer *l)
{
	return layer_number(l, "p", 0, 0.5);
}

static int setup(struct net *n, struct layer *l, struct diags *d)
{
	(void)n;
	double p = probability(l);
	return p >= 0 && p < 1 ? 0 : layer_error(l, d, "its probability is not from 0 to below 1");
}

/* 16 bits decide. */
static uint32_t threshold(const struct layer *l)
{
	return (uint32_t)lround((1 - probability(l)) * 65536);
}

static uint32_t key_of(const struct net *n, const struct layer *l)
{
	return (uint32_t)random_key(n->options.seed, RANDOM_DROPOUT + ((uint64_t)l->index << 8), n->step);
}

static void forward(const struct net *n, struct layer *l, const struct part *p)
{
	int64_t first = p->first * l->in.count, count = p->rows * l->in.count;
	uint32_t t = threshold(l);
	if (n->training)
		n->kernels->dropout(l->y + first, l->x + first, key_of(n, l), (uint32_t)first, t, 65536 / (float)t,
				    count);
	else
		memcpy(l->y + first, l->x + first, (size_t)count * sizeof *l->y);
}

static void backward(const struct net *n, struct layer *l, const struct part *p)
{
	int64_t first = p->first * l->in.count, count = p->rows * l->in.count;
	uint32_t t = threshold(l);
	if (l->dx)
		n->kernels->dropout(l->dx + first, l->dy + first, key_of(n, l), (uint32_t)first, t, 65536 / (float)t,
				    count);
}

static int export(struct export *e, const struct layer *l)
{
	(void)e, (void)l;
	return 0;
}

const struct layer_type layer_dropout = {
	.name = "dropout",
	.form = "dropout(p)",
	.summary = "leaves out elements at random while training",
	.setup = setup,
	.forward = forward,
	.backward = backward,
	.export = export,
};

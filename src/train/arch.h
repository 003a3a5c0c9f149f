/* Architectures as text: "mlp(593,64,64,64,1)", or layers "conv(16,3),bn,relu(4),maxpool(2),flatten,linear(10)". */
#ifndef QCC_TRAIN_ARCH_H
#define QCC_TRAIN_ARCH_H

#include "train/net.h"

struct arch_layer {
	const struct layer_type *type;
	struct layer_arg *args;
	size_t n_args;
};

struct arch {
	struct arch_layer *layers;
	size_t count, capacity;
};

/* mlp(IN,WIDTH,...,OUT) stands for linear, bn, dropout, relu for each width, and linear at the end. in: a row's shape,
 * which IN must fit. 0, or -1 with a diagnostic. */
int arch_parse(struct arch *a, struct arena *arena, const char *text, const struct net_options *o,
	       const struct shape *in, struct diags *d);

#endif

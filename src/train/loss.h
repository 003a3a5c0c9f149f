/* What training minimises: binary cross-entropy of a logit, or cross-entropy of several, with weights of classes. */
#ifndef QCC_TRAIN_LOSS_H
#define QCC_TRAIN_LOSS_H

#include "train/net.h"

struct loss {
	const float *weights; /* of the classes; NULL: 1 each */
	double scale;	      /* 1 / the batch's sum of weights */
	bool gradients;	      /* the last layer's dy is wanted */
	double *sums;	      /* weighted loss of each part */
	double *shares;	      /* sum of weights of each part */
	int64_t *right;	      /* right decisions of each part */
};

/* The tail of a batch: fills sums and right, and dy where wanted. */
void loss_of_part(void *user, const struct net *n, const struct part *p);
/* The sum of weights of rows. */
double loss_weight(const float *weights, const int32_t *labels, const int64_t *order, int64_t count);

#endif

/* Adam and AdamW, and how the learning rate changes over the epochs. */
#ifndef QCC_TRAIN_OPTIMISER_H
#define QCC_TRAIN_OPTIMISER_H

#include "train/net.h"

enum schedule_kind { SCHEDULE_CONSTANT, SCHEDULE_COSINE, SCHEDULE_STEP, SCHEDULE_RESTARTS };

struct schedule {
	enum schedule_kind kind;
	double period;	/* epochs: of a step, or of the first cycle */
	double factor;	/* step: of the rate at each step; restarts: of the period after each cycle */
	double warm_up; /* epochs in which the rate rises from 0 */
};

/* "constant", "cosine", "step(10,0.1)", "restarts(10,2)"; with ",warmup=N" in the parentheses. False where malformed. */
bool schedule_parse(const char *text, struct schedule *s);
/* What the rate is multiplied by at that time (in epochs, with fractions) of `epochs`. */
double schedule_factor(const struct schedule *s, double at, double epochs);

struct optimiser {
	double rate, beta1, beta2, epsilon;
	double decay;	/* weight decay */
	bool decoupled; /* AdamW: the decay is no gradient */
};

/* One step of all parameters; step counts from 1. */
void optimiser_step(const struct optimiser *o, struct net *n, double rate, uint64_t step);

#endif

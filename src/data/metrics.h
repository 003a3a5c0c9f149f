/* How well decisions agree with labels. */
#ifndef QCC_DATA_METRICS_H
#define QCC_DATA_METRICS_H

#include <stdint.h>

#include <jansson.h>

#include "ir/tensor.h"

/* What an output says: the class of each row, and where there is one, a score for each. */
struct decisions {
	int64_t rows, classes;
	int32_t *chosen;       /* the class of each row */
	double *scores;	       /* rows x score_columns; NULL: none */
	int64_t score_columns; /* one a class, or one where there are two classes */
};

struct metrics {
	int64_t rows, right, classes;
	int64_t *confusion; /* classes x classes: label, decision */
	double auc;	    /* of two classes, or the mean of one against the others; NaN: not known */
};

/* From an output with a row per sample: a column per class; one column of indices (int64: ArgMax, TopK); one column of
 * two classes, of which the second is meant from `middle` on. classes: at the least as many as labels know. */
void decide(struct decisions *x, const struct tensor *output, int64_t rows, int64_t classes, double middle);
void decisions_free(struct decisions *x);

void metrics_compute(struct metrics *m, const struct decisions *x, const int32_t *labels);
void metrics_free(struct metrics *m);

/* Of one class; NaN where nothing was decided, or none is there. */
double metrics_precision(const struct metrics *m, int64_t class);
double metrics_recall(const struct metrics *m, int64_t class);
double metrics_f1(const struct metrics *m, int64_t class);
/* Of class 1 where there are two classes, else the mean over the classes that are there. */
double metrics_mean(const struct metrics *m, double (*of)(const struct metrics *m, int64_t class));
json_t *metrics_json(const struct metrics *m);

#endif

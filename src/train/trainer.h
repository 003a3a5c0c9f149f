/* Training: epochs over shuffled rows, the best state by validation rows, checkpoints, resuming. */
#ifndef QCC_TRAIN_TRAINER_H
#define QCC_TRAIN_TRAINER_H

#include <jansson.h>

#include "train/net.h"
#include "train/optimiser.h"
#include "util/vec.h"

struct train_options {
	const char *arch;
	struct net_options net;
	struct optimiser optimiser;
	struct schedule schedule;
	const char *schedule_text;
	int64_t epochs, batch;
	double val_share;	   /* of the rows, where there are no validation rows of their own */
	const char *class_weights; /* "balanced", or a weight for each class; NULL: 1 each */
	int64_t patience;	   /* epochs without a better state until training stops; 0: never */
	bool best_by_loss;	   /* else by accuracy, the loss deciding between equals */
	bool plain_bias;	   /* the output's bias starts as those of other layers, without the classes' shares */
	double prune_end;	   /* share of the epochs after which the fan-in is reached */
	double lut_budget;	   /* 0: none */
};

struct epoch_figures {
	double train_loss, train_accuracy, val_loss, val_accuracy; /* validation: NAN where there is none */
	double rate, seconds;
};

struct trainer {
	struct train_options options;
	struct net *net;
	struct rows train, val;
	uint32_t train_sum, val_sum;		/* of the data, for checkpoints */
	bool own_val;				/* val has a data set of its own; else both share one */
	int64_t *order, *train_rows, *val_rows; /* which rows */
	int64_t n_train, n_val;
	float *class_weights; /* NULL: 1 each */
	/* where training is */
	int64_t epoch, at;   /* rows of the epoch that were used */
	double loss, weight; /* sums of the epoch so far */
	int64_t right;
	double strength; /* of the cost in LUTs */
	double seconds;	 /* so far */
	struct {
		struct epoch_figures *items;
		size_t count, capacity;
	} history;
	int64_t best; /* epoch, from 1; 0: none yet */
	float *best_state;
	/* sums of the parts of a batch */
	double *sums, *shares;
	int64_t *rights;
};

/* Checks that data and architecture fit, before anything else. val: NULL for a share of the training rows. 0, or -1 with
 * diagnostics; trainer_free is due in both cases. */
int trainer_init(struct trainer *t, const struct train_options *o, const struct dataset *train,
		 const struct dataset *val, struct diags *d);
void trainer_free(struct trainer *t);

/* Goes on until the end of an epoch. stop (may be NULL) is asked after each batch: true ends it there. progress (may be
 * NULL) is told how far the epoch is. 1: the epoch is done, its figures are the history's last; 0: stopped. */
int trainer_epoch(struct trainer *t, bool (*stop)(void *user), void (*progress)(void *user, double share), void *user);
/* All epochs are done, or nothing got better for too long. */
bool trainer_done(const struct trainer *t);
/* Puts the best state, if there is one, into the network. */
void trainer_take_best(struct trainer *t);
/* Loss and accuracy of the network on rows as it is. */
void trainer_judge(struct trainer *t, const struct rows *rows, const int64_t *which, int64_t count, double *loss,
		   double *accuracy);

/* All numbers of the state one after the other: parameters, buffers, masks. */
size_t state_size(const struct net *n);
void state_save(const struct net *n, float *to);
void state_load(struct net *n, const float *from);

/* ---- checkpoints (checkpoint.c) ---- */
/* A check sum of rows and labels. */
uint32_t checkpoint_sum(const struct dataset *s);
int checkpoint_write(const struct trainer *t, const char *path, struct diags *d);
/* Continues where the checkpoint was written. 0, or -1 with a diagnostic: it belongs to other data, another architecture
 * or other options. */
int checkpoint_read(struct trainer *t, const char *path, struct diags *d);

/* ---- history (history.c) ---- */
/* history.csv, loss.svg and accuracy.svg in the folder. */
int history_write(const struct trainer *t, const char *dir, struct diags *d);

#endif

/* RNN, GRU and LSTM: what a node says, read once for execution (recurrent.c) and for generated code (form_recurrent.c).
 * Sums and activations are computed in double, states are kept as float. */
#ifndef QCC_OPS_RECURRENT_H
#define QCC_OPS_RECURRENT_H

#include "ops/op.h"

enum recurrent_kind { RECURRENT_RNN, RECURRENT_GRU, RECURRENT_LSTM };

/* Of x, alpha and beta; text is the expression in C. */
struct recurrent_function {
	const char *name;
	bool takes_alpha, takes_beta;
	double alpha, beta; /* where the node gives none */
	double (*of)(double x, double alpha, double beta);
	const char *text;
};

struct recurrent_activation {
	const struct recurrent_function *function;
	double alpha, beta;
};

/* Inputs by number, as ONNX has them. */
enum { RECURRENT_X, RECURRENT_W, RECURRENT_R, RECURRENT_B, RECURRENT_LENGTHS, RECURRENT_H, RECURRENT_C, RECURRENT_P };

struct recurrent {
	enum recurrent_kind kind;
	int64_t gates, directions, length, batch, inputs, hidden;
	bool reverse[2];		     /* by direction */
	struct recurrent_activation f[2][3]; /* by direction: f, g, h */
	double clip;			     /* 0: none */
	bool batch_first, linear_before_reset, input_forget;
};

/* Of the shapes of X and R. What is wrong with the node, or NULL. */
const char *recurrent_of(const struct node *n, int x_rank, const int64_t *x, int r_rank, const int64_t *r,
			 struct recurrent *out);
/* Places, as strides of (step, direction, batch): of X a row of inputs, of Y and the states a row of hidden ones. */
struct recurrent_strides {
	int64_t step, direction, batch;
};
struct recurrent_strides recurrent_x(const struct recurrent *r), recurrent_y(const struct recurrent *r),
	recurrent_state(const struct recurrent *r);

#endif

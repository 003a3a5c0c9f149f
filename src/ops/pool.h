/* Poolings over windows, channels first: MaxPool, AveragePool, LpPool and their channels-last kin. */
#ifndef QCC_OPS_POOL_H
#define QCC_OPS_POOL_H

#include "ops/window.h"

enum pool_kind { POOL_MAX, POOL_AVERAGE, POOL_LP };

/* Executes on input 0 with the node's attributes. Float, double, and (in double) integers. */
int pool_exec(struct exec_ctx *x, enum pool_kind kind);
/* Types output 0 (and the indices of MaxPool). */
int pool_infer(struct infer_ctx *x, bool channels_last);
/* A pool whose attributes the caller has read already; y is output 0 of x. */
int pool_exec_window(struct exec_ctx *x, enum pool_kind kind, const struct window *w);

#endif

/* Threads that share out numbered tasks. Which thread does which task changes nothing about the results: a task
 * writes what no other one reads, and sums over tasks are taken in their order afterwards. */
#ifndef QCC_TRAIN_CREW_H
#define QCC_TRAIN_CREW_H

#include <stddef.h>
#include <stdint.h>

struct crew;

/* threads: 0 for as many as there are processors. */
struct crew *crew_new(int threads);
void crew_free(struct crew *c);
int crew_size(const struct crew *c);
/* Calls task(user, i, worker) for every i below count; returns when all are done. worker is below crew_size. */
void crew_run(struct crew *c, int64_t count, void (*task)(void *user, int64_t i, int worker), void *user);

#endif

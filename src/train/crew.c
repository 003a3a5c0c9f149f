/* Threads that share out numbered tasks (see crew.h). They wait actively for a moment, since the next tasks come within
 * microseconds while a network is trained, and sleep then. */
#include "train/crew.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/arena.h"

enum { SPINS = 2000, MOST_THREADS = 256 };

struct crew {
	int size; /* the caller included */
	pthread_t *threads;
	void (*task)(void *user, int64_t i, int worker);
	void *user;
	int64_t count;
	atomic_llong next;  /* task nobody has taken */
	atomic_int working; /* threads that are not done with the current tasks, the caller left out */
	atomic_uint round;  /* counts the calls of crew_run */
	pthread_mutex_t lock;
	pthread_cond_t begin, end;
	bool leave; /* under the lock */
};

struct member {
	struct crew *crew;
	int number;
};

static void relax(void)
{
#if defined __x86_64__ || defined __i386__
	__builtin_ia32_pause();
#endif
}

static void work(struct crew *c, int worker)
{
	for (long long i; (i = atomic_fetch_add(&c->next, 1)) < c->count;)
		c->task(c->user, i, worker);
}

/* Waits for a round other than the last; false where the crew is dismissed. */
static bool wait_for_round(struct crew *c, unsigned last)
{
	for (int i = 0; i < SPINS; i++) {
		if (atomic_load(&c->round) != last)
			return true;
		relax();
	}
	pthread_mutex_lock(&c->lock);
	while (atomic_load(&c->round) == last && !c->leave)
		pthread_cond_wait(&c->begin, &c->lock);
	bool go = atomic_load(&c->round) != last;
	pthread_mutex_unlock(&c->lock);
	return go;
}

static void *member_main(void *user)
{
	struct member m = *(struct member *)user;
	struct crew *c = m.crew;
	free(user);
	for (unsigned round = 0; wait_for_round(c, round);) {
		round++;
		work(c, m.number);
		if (atomic_fetch_sub(&c->working, 1) == 1) {
			pthread_mutex_lock(&c->lock);
			pthread_cond_signal(&c->end);
			pthread_mutex_unlock(&c->lock);
		}
	}
	return NULL;
}

struct crew *crew_new(int threads)
{
	struct crew *c = xcalloc(1, sizeof *c);
	long n = threads > 0 ? threads : sysconf(_SC_NPROCESSORS_ONLN);
	n = n < 1 ? 1 : n > MOST_THREADS ? MOST_THREADS : n;
	c->threads = xcalloc((size_t)n, sizeof *c->threads);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->begin, NULL);
	pthread_cond_init(&c->end, NULL);
	for (c->size = 1; c->size < n; c->size++) {
		struct member *m = xmalloc(sizeof *m);
		*m = (struct member){ c, c->size };
		if (pthread_create(&c->threads[c->size], NULL, member_main, m) != 0) {
			free(m);
			break;
		}
	}
	return c;
}

void crew_free(struct crew *c)
{
	pthread_mutex_lock(&c->lock);
	c->leave = true;
	pthread_cond_broadcast(&c->begin);
	pthread_mutex_unlock(&c->lock);
	for (int i = 1; i < c->size; i++)
		pthread_join(c->threads[i], NULL);
	pthread_cond_destroy(&c->end);
	pthread_cond_destroy(&c->begin);
	pthread_mutex_destroy(&c->lock);
	free(c->threads);
	free(c);
}

int crew_size(const struct crew *c)
{
	return c->size;
}

static void wait_for_members(struct crew *c)
{
	for (int i = 0; i < SPINS; i++) {
		if (!atomic_load(&c->working))
			return;
		relax();
	}
	pthread_mutex_lock(&c->lock);
	while (atomic_load(&c->working))
		pthread_cond_wait(&c->end, &c->lock);
	pthread_mutex_unlock(&c->lock);
}

void crew_run(struct crew *c, int64_t count, void (*task)(void *user, int64_t i, int worker), void *user)
{
	if (c->size == 1 || count == 1) {
		for (int64_t i = 0; i < count; i++)
			task(user, i, 0);
		return;
	}
	c->task = task;
	c->user = user;
	c->count = count;
	atomic_store(&c->next, 0);
	atomic_store(&c->working, c->size - 1);
	pthread_mutex_lock(&c->lock);
	atomic_fetch_add(&c->round, 1);
	pthread_cond_broadcast(&c->begin);
	pthread_mutex_unlock(&c->lock);
	work(c, 0);
	wait_for_members(c);
}

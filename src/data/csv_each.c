/* The blocks of a CSV file over several threads; results come together in the order of the file (see csv.h). */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "data/csv.h"
#include "util/arena.h"

struct crew {
	struct csv_file *file;
	const struct csv_job *job;
	pthread_mutex_t reading, merging;
	pthread_cond_t turn;
	struct diags diags; /* of reading; under reading, as the next is */
	uint64_t blocks;    /* read so far */
	uint64_t merged;    /* under merging, as is failed */
	bool failed;
};

static bool has_failed(struct crew *c)
{
	pthread_mutex_lock(&c->merging);
	bool failed = c->failed;
	pthread_mutex_unlock(&c->merging);
	return failed;
}

static void fail(struct crew *c)
{
	pthread_mutex_lock(&c->merging);
	c->failed = true;
	pthread_mutex_unlock(&c->merging);
}

/* The next block and its number. False at the end or after a failure. */
static bool take_block(struct crew *c, struct csv_block *b, uint64_t *number)
{
	pthread_mutex_lock(&c->reading);
	int got = has_failed(c) ? 0 : csv_read(c->file, b, &c->diags);
	if (got > 0)
		*number = c->blocks++;
	if (got < 0)
		fail(c);
	pthread_mutex_unlock(&c->reading);
	return got > 0;
}

static void merge_in_turn(struct crew *c, uint64_t number, void *result)
{
	pthread_mutex_lock(&c->merging);
	while (c->merged != number)
		pthread_cond_wait(&c->turn, &c->merging);
	if (c->job->merge(c->job->user, result) < 0)
		c->failed = true;
	c->merged++;
	pthread_cond_broadcast(&c->turn);
	pthread_mutex_unlock(&c->merging);
}

static void *member(void *user)
{
	struct crew *c = user;
	struct csv_block b;
	uint64_t number = 0;
	while (take_block(c, &b, &number)) {
		void *result = c->job->work(c->job->user, &b);
		free(b.bytes);
		merge_in_turn(c, number, result);
	}
	return NULL;
}

int csv_each_block(struct csv_file *f, const struct csv_job *job, struct diags *d)
{
	struct crew c = { .file = f, .job = job };
	long n = job->threads ? job->threads : sysconf(_SC_NPROCESSORS_ONLN);
	size_t wanted = n < 1 ? 1 : n > 64 ? 64 : (size_t)n, started = 0;
	pthread_t *threads = xcalloc(wanted, sizeof *threads);
	pthread_mutex_init(&c.reading, NULL);
	pthread_mutex_init(&c.merging, NULL);
	pthread_cond_init(&c.turn, NULL);
	while (started + 1 < wanted && pthread_create(&threads[started], NULL, member, &c) == 0)
		started++;
	member(&c);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	pthread_cond_destroy(&c.turn);
	pthread_mutex_destroy(&c.merging);
	pthread_mutex_destroy(&c.reading);
	free(threads);
	diags_move(d, &c.diags);
	return c.failed ? -1 : 0;
}

/* Many samples at once: cut into parts along the first axis, the parts shared out among threads, the outputs
 * joined. A part is one batch of the model, or, where samples are independent, as many as fit the cache. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exec/plan.h"
#include "util/arena.h"

struct batch_job {
	const struct exec_plan *plan;
	struct tensor *const *inputs;
	struct tensor **outputs; /* joined */
	const struct exec_options *options;
	int64_t samples, part; /* in model batches */
	int64_t next;	       /* first sample nobody has taken; under the lock, as what follows */
	int64_t done;
	bool failed, no_memory;
	pthread_mutex_t lock;
	void (*progress)(void *user, int64_t done, int64_t total);
	struct diags *diags;
};

static int run_part(struct batch_job *job, int64_t first, int64_t count, struct tensor **outputs, struct diags *d)
{
	const struct exec_plan *p = job->plan;
	struct tensor **in = xcalloc(p->n_inputs, sizeof *in);
	for (size_t i = 0; i < p->n_inputs; i++) {
		const struct tensor *t = job->inputs[i];
		int64_t rows = t->rank ? t->dims[0] / job->samples : 0;
		in[i] = t->rank ? tensor_rows(t, first * rows, count * rows) : tensor_ref(t);
	}
	int result = plan_execute(p, in, outputs, job->options, count > 1, d);
	for (size_t i = 0; i < p->n_inputs; i++)
		tensor_unref(in[i]);
	free(in);
	return result;
}

/* The joined output, shaped after the first part's. A scalar per part becomes a vector. */
static struct tensor *joined_output(const struct batch_job *job, const struct tensor *part, int64_t count)
{
	int64_t dims[MAX_RANK] = { 1 };
	memcpy(dims, part->dims, part->rank * sizeof *dims);
	if (dims[0] % count)
		return NULL;
	dims[0] = dims[0] / count * job->samples;
	return tensor_try_new((enum elem_type)part->elem, part->rank ? part->rank : 1, dims);
}

/* Copies a part's outputs to their rows. Strings would need copies of their own: they are not joined. */
static int put_part(struct batch_job *job, int64_t first, int64_t count, struct tensor *const *outputs, struct diags *d)
{
	const struct graph *g = job->plan->graph;
	for (uint32_t i = 0; i < g->n_outputs; i++) {
		const struct tensor *from = outputs[i];
		struct tensor *to = job->outputs[i];
		if (!to || from->elem != to->elem || from->elem == ELEM_STRING ||
		    from->count * job->samples != to->count * count)
			return diag_error(d, "run the samples one by one", "the parts of output '%s' cannot be joined",
					  g->outputs[i].value->name);
		size_t bytes = (size_t)from->count * elem_size((enum elem_type)from->elem);
		if (bytes)
			memcpy((char *)to->data + bytes / (size_t)count * (size_t)first, from->data, bytes);
	}
	return 0;
}

static void drop(struct tensor **t, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		tensor_unref(t[i]);
		t[i] = NULL;
	}
}

static int do_part(struct batch_job *job, int64_t first, int64_t count, struct diags *d)
{
	size_t n = job->plan->graph->n_outputs;
	struct tensor **outputs = xcalloc(n, sizeof *outputs);
	int result = run_part(job, first, count, outputs, d);
	for (size_t i = 0; i < n && result == 0 && first == 0; i++)
		job->outputs[i] = joined_output(job, outputs[i], count);
	if (result == 0)
		result = put_part(job, first, count, outputs, d);
	drop(outputs, n);
	free(outputs);
	return result;
}

static bool take_part(struct batch_job *job, int64_t *first, int64_t *count)
{
	pthread_mutex_lock(&job->lock);
	int64_t left = job->samples - job->next;
	bool any = !job->failed && left > 0;
	*first = job->next;
	*count = left < job->part ? left : job->part;
	job->next += any ? *count : 0;
	pthread_mutex_unlock(&job->lock);
	return any;
}

static void finish_part(struct batch_job *job, int64_t count, int result, struct diags *d)
{
	pthread_mutex_lock(&job->lock);
	if (result != 0 && !job->failed) { /* one thread's failure is enough to report */
		job->failed = true;
		diags_move(job->diags, d);
	}
	job->done += count;
	if (job->progress && !job->failed)
		job->progress(job->options ? job->options->user : NULL, job->done, job->samples);
	pthread_mutex_unlock(&job->lock);
}

static int take_parts(void *argument)
{
	struct batch_job *job = argument;
	int64_t first, count;
	while (take_part(job, &first, &count)) {
		struct diags d = { .file = job->diags->file, .pass = job->diags->pass, .limits = job->diags->limits };
		finish_part(job, count, do_part(job, first, count, &d), &d);
		diags_free(&d);
	}
	return 0;
}

/* A thread's own guard: where its memory runs out, the job fails. */
static void *work(void *argument)
{
	struct batch_job *job = argument;
	int status;
	if (memory_guarded(take_parts, job, &status) != MEMORY_ENOUGH) {
		pthread_mutex_lock(&job->lock);
		job->failed = job->no_memory = true;
		pthread_mutex_unlock(&job->lock);
	}
	return NULL;
}

static int thread_count(const struct exec_options *o, int64_t parts)
{
	long threads = o && o->threads > 0 ? o->threads : sysconf(_SC_NPROCESSORS_ONLN);
	if (o && o->observe)
		threads = 1;
	if (threads > parts)
		threads = (long)parts;
	return threads < 1 ? 1 : threads > 256 ? 256 : (int)threads;
}

/* Samples per part: the largest intermediate shall stay within about a megabyte. */
static int64_t part_size(const struct exec_plan *p, const struct exec_options *o, int64_t samples)
{
	if (!p->batchable)
		return 1;
	int64_t fit = p->sample_bytes > 0 ? (1 << 20) / p->sample_bytes : 64;
	int threads = thread_count(o, samples);
	int64_t share = (samples + threads - 1) / threads;
	fit = fit < share ? fit : share;
	return fit < 1 ? 1 : fit > 1024 ? 1024 : fit;
}

static void work_in_threads(struct batch_job *job)
{
	int threads = thread_count(job->options, (job->samples - job->next + job->part - 1) / job->part), started = 0;
	pthread_t *ids = xcalloc((size_t)threads, sizeof *ids);
	for (int i = 1; i < threads; i++)
		if (pthread_create(&ids[started], NULL, work, job) == 0)
			started++;
	work(job);
	for (int i = 0; i < started; i++)
		pthread_join(ids[i], NULL);
	free(ids);
}

int exec_plan_batch(const struct exec_plan *p, struct tensor *const *inputs, struct tensor **outputs,
		    const struct exec_options *o, void (*progress)(void *user, int64_t done, int64_t total),
		    struct diags *d)
{
	struct exec_options single = o ? *o : (struct exec_options){ 0 };
	struct batch_job job = {
		.plan = p, .inputs = inputs, .outputs = outputs, .options = &single, .progress = progress, .diags = d
	};
	memset(outputs, 0, p->graph->n_outputs * sizeof *outputs);
	if (check_inputs(p, inputs, true, &job.samples, d) != 0)
		return -1;
	if (job.samples == 1)
		return plan_execute(p, inputs, outputs, o, false, d);
	job.part = part_size(p, o, job.samples);
	single.threads = single.observe ? 1 : single.threads;
	pthread_mutex_init(&job.lock, NULL);
	/* the first part alone: it tells the outputs' shapes */
	int64_t first, count;
	take_part(&job, &first, &count);
	finish_part(&job, count, do_part(&job, first, count, d), &(struct diags){ 0 });
	if (!job.failed)
		work_in_threads(&job);
	pthread_mutex_destroy(&job.lock);
	if (job.no_memory)
		memory_fail();
	if (job.no_memory && !d->errors)
		diag_error(d, NULL, "out of memory");
	if (job.failed)
		drop(outputs, p->graph->n_outputs);
	return job.failed ? -1 : 0;
}

int exec_batch(const struct graph *g, struct tensor *const *inputs, struct tensor **outputs,
	       const struct exec_options *o, void (*progress)(void *user, int64_t done, int64_t total), struct diags *d)
{
	struct exec_plan *p = exec_plan_new(g, d);
	int result = p ? exec_plan_batch(p, inputs, outputs, o, progress, d) : -1;
	exec_plan_free(p);
	return result;
}

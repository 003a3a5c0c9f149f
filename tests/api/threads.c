/* libqcc in several threads: models of their own, copies of one model, and one that another thread gives up. Under
 * AddressSanitizer this finds what is freed twice or never, and memory that two models share. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qcc/qcc.h"

enum { THREADS = 6, ROUNDS = 4 };

static struct {
	const char *path;
	const struct qcc_model *shared; /* only cloned */
	atomic_int failures;
} test;

static void expect(int good, const char *what, struct qcc_model *m)
{
	if (good)
		return;
	atomic_fetch_add(&test.failures, 1);
	printf("# %s: %s\n", what, m ? qcc_messages(m) : "");
}

/* The sum of the outputs for inputs of zeros. */
static double execute(struct qcc_model *m)
{
	const struct qcc_value *v = qcc_input(m, 0);
	struct qcc_array in = { QCC_FLOAT, qcc_value_rank(v), { 0 }, NULL }, out = { QCC_FLOAT, 0, { 0 }, NULL };
	size_t count = 1;
	for (int k = 0; k < in.rank; k++) {
		in.dims[k] = qcc_value_dim(v, k) < 0 ? 1 : qcc_value_dim(v, k);
		count *= (size_t)in.dims[k];
	}
	in.data = calloc(count, sizeof(float));
	expect(qcc_execute(m, &in, 1, &out, 1) == 0, "execute", m);
	double sum = 0;
	for (int64_t i = 0, n = out.rank > 0 ? out.dims[out.rank - 1] : 0; i < n; i++)
		sum += (double)((const float *)out.data)[i];
	qcc_array_free(&out);
	free(in.data);
	return sum;
}

static void *work(void *user)
{
	int own = *(const int *)user;
	for (int round = 0; round < ROUNDS; round++) {
		struct qcc_model *m = own ? qcc_load(test.path) : qcc_clone(test.shared);
		double before = execute(m);
		expect(qcc_run(m, "streamline") == 0, "run", m);
		double after = execute(m);
		expect(after - before < 1e-4 && before - after < 1e-4, "the outputs are equal", NULL);
		struct qcc_model *copy = qcc_clone(m);
		qcc_free(m);
		expect(strstr(qcc_report(copy), "\"layers\"") != NULL, "report", copy);
		expect(qcc_run(copy, "nonsense") == -1 && *qcc_messages(copy), "an error is told", NULL);
		qcc_free(copy);
	}
	return NULL;
}

static int started(void *user, const char *what, double done)
{
	(void)what;
	(void)done;
	atomic_store((atomic_int *)user, 1);
	return 0;
}

static void *cancel(void *user)
{
	for (int i = 0; i < 1000; i++)
		qcc_cancel(user);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS], other;
	int own[THREADS];
	atomic_int seen = 0;
	if (argc < 2)
		return 2;
	test.path = argv[1];
	struct qcc_model *m = qcc_load(test.path);
	test.shared = m;
	for (int i = 0; i < THREADS; i++) {
		own[i] = i % 2;
		pthread_create(&threads[i], NULL, work, &own[i]);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	/* Given up or not, as it happens; the model stays one that can be freed. */
	qcc_set_progress(m, started, &seen);
	pthread_create(&other, NULL, cancel, m);
	(void)qcc_run(m, "streamline,fold");
	pthread_join(other, NULL);
	expect(atomic_load(&seen), "progress is told", m);
	qcc_free(m);
	printf("%sok 1 - models in several threads\n1..1\n", atomic_load(&test.failures) ? "not " : "");
	return 0;
}

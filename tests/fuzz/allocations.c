/* Each allocation of a job made to fail in turn, the job being libqcc's: read, streamline, fold, write through backends. Each
 * time the calls end with an error and a message, or (where nothing needed that memory) with the same files as without;
 * nothing crashes, and all memory is given back. QCC_ALLOCATIONS=1 tries every allocation; by default about 300.
 *
 * A second time all allocations from one on fail: the calls must end in an error; what they hold then is lost.
 *
 * A third time the model has a large matrix, and only what takes more than 16 MiB fails.
 *
 * malloc and its kin are replaced in this program, so the memory of the libraries it uses fails too. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "job.h"

#if defined __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZES
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SANITIZES
#endif

const char job_folder[] = "allocations.out", job_file[] = "allocations.onnx";

#if defined SANITIZES || !defined __GLIBC__
int main(void)
{
	puts("1..0 # SKIP malloc cannot be replaced here");
	return 0;
}
#else

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

static atomic_long calls, fails_at, live;
static atomic_bool from_there_on; /* all that follow fail too */
static atomic_bool only_large;	  /* the others neither fail nor count */

static int fails(size_t size)
{
	if (atomic_load(&only_large) && size <= 1 << 24)
		return 0;
	long call = atomic_fetch_add(&calls, 1) + 1, at = atomic_load(&fails_at);
	return call == at || (at && call > at && atomic_load(&from_there_on));
}

void *malloc(size_t size)
{
	void *p = fails(size) ? NULL : __libc_malloc(size);
	live += p != NULL;
	return p;
}

void *calloc(size_t count, size_t size)
{
	void *p = fails(count * size) ? NULL : __libc_calloc(count, size);
	live += p != NULL;
	return p;
}

void *realloc(void *p, size_t size)
{
	void *q = fails(size) ? NULL : __libc_realloc(p, size);
	live += q && !p;
	return q;
}

void free(void *p)
{
	live -= p != NULL;
	__libc_free(p);
}

/* ---- the job ---- */

static void calm(void)
{
	atomic_store(&fails_at, 0);
}

static struct outcome run(const char *model, long at)
{
	job_remove_files();
	atomic_store(&calls, 0);
	atomic_store(&fails_at, at);
	if (atomic_load(&only_large))
		return job_do(model, "streamline,to-hw", "finn,c", calm);
	return job_do(model, "streamline,fold", "finn,c,hls", calm);
}

/* What is wrong with the outcome; NULL where nothing is. */
static const char *fault(struct outcome o, struct outcome whole, long left)
{
	if (o.failed && !o.said)
		return "failed without a message";
	if (!o.failed && (o.folder != whole.folder || o.file != whole.file))
		return "succeeded with other files";
	if ((o.folder && o.folder != whole.folder) || (o.file && o.file != whole.file))
		return "left files of a run that failed";
	return left > 0 ? "kept memory" : NULL;
}

/* Memory stays gone. Returns how many went wrong. */
static long all_fail(const char *model, long total, long step, long *tried)
{
	long wrong = 0;
	atomic_store(&from_there_on, true);
	for (long at = 1; at <= total; at += step, ++*tried) {
		struct outcome o = run(model, at);
		bool bad = !o.failed || !o.said;
		wrong += bad;
		if (bad)
			printf("# allocation %ld and all that follow: %s\n", at, o.failed ? "no message" : "no error");
	}
	atomic_store(&from_there_on, false);
	return wrong;
}

static const char large_model[] =
	"<ir_version: 8, opset_import: [\"\" : 13, \"qonnx.custom_op.general\" : 1]>\n"
	"large (float[1,2100] x) => (float[1,2100] y) <float s = {0.5}, float z = {0}, float b = {2}, int64[2] d = {2100,2100}> {\n"
	"a = qonnx.custom_op.general.Quant<signed=1, narrow=0, rounding_mode=\"ROUND\">(x, s, z, b)\n"
	"w = ConstantOfShape<value = float[1] {0.5}>(d)\n"
	"q = qonnx.custom_op.general.Quant<signed=1, narrow=1, rounding_mode=\"ROUND\">(w, s, z, b)\n"
	"m = MatMul(a, q)\n"
	"y = qonnx.custom_op.general.Quant<signed=1, narrow=0, rounding_mode=\"ROUND\">(m, s, z, b)\n}\n";

/* Large allocations fail, each in turn. Returns how many went wrong. */
static long large_fail(long *total, long *errors)
{
	static const char path[] = "allocations-large.onnxtxt";
	FILE *f = fopen(path, "w");
	long wrong = !f || fputs(large_model, f) < 0 || fclose(f) != 0;
	atomic_store(&only_large, true);
	struct outcome whole = run(path, 0);
	wrong += whole.failed;
	*total = calls;
	for (long at = 1; at <= *total; at++) {
		struct outcome o = run(path, at);
		const char *why = fault(o, whole, 0);
		*errors += o.failed;
		wrong += why != NULL;
		if (why)
			printf("# large allocation %ld: %s\n", at, why);
	}
	atomic_store(&only_large, false);
	remove(path);
	return wrong + (*total == 0);
}

int main(void)
{
	const char *src = getenv("QCC_SRC"), *all = getenv("QCC_ALLOCATIONS");
	char model[1024];
	snprintf(model, sizeof model, "%s/models/mlp_2w2a/model.onnx", src ? src : ".");
	run(model, 0); /* what libraries allocate once is there now */
	long usual = live;
	struct outcome whole = run(model, 0);
	usual = live - usual; /* what the program itself keeps of each run: nothing, or what libraries cache */
	long total = calls, step = all ? 1 : total / 300 + 1, tried = 0, errors = 0, wrong = 0;
	if (whole.failed) {
		printf("1..1\nnot ok 1 - the job without failures\n");
		return 1;
	}
	for (long at = 1; at <= total; at += step, tried++) {
		long before = live;
		struct outcome o = run(model, at);
		const char *why = fault(o, whole, live - before - usual);
		errors += o.failed;
		wrong += why != NULL;
		if (why && wrong < 20)
			printf("# allocation %ld: %s (%ld more than before)\n", at, why, live - before - usual);
	}
	long gone = 0, lost = all_fail(model, total, all ? 8 : total / 60 + 1, &gone);
	long large = 0, large_errors = 0, large_wrong = large_fail(&large, &large_errors);
	bool debris = job_left_debris();
	job_remove_files();
	printf("%s 1 - %ld of %ld allocations made to fail, %ld calls failed, %ld in a wrong way\n",
	       wrong ? "not ok" : "ok", tried, total, errors, wrong);
	printf("%s 2 - memory gone from one of %ld allocations on, %ld in a wrong way\n", lost ? "not ok" : "ok", gone,
	       lost);
	printf("%s 3 - each of %ld large allocations made to fail, %ld calls failed, %ld in a wrong way\n",
	       large_wrong ? "not ok" : "ok", large, large_errors, large_wrong);
	printf("%s 4 - no temporary file is left behind\n1..4\n", debris ? "not ok" : "ok");
	return wrong || lost || large_wrong || debris;
}
#endif

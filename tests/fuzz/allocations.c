/* Each allocation of a job made to fail in turn, the job being libqcc's: read, streamline, fold, write through backends. Each
 * time the calls end with an error and a message, or (where nothing needed that memory) with the same files as without;
 * nothing crashes, and all memory is given back. QCC_ALLOCATIONS=1 tries every allocation; by default about 300.
 *
 * A second time all allocations from one on fail: the calls must end in an error; what they hold then is lost.
 *
 * malloc and its kin are replaced in this program, so the memory of the libraries it uses fails too. */
#include <dirent.h>
#include <ftw.h>
#include <glob.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qcc/qcc.h"

#if defined __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZES
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SANITIZES
#endif

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

static int fails(void)
{
	long call = atomic_fetch_add(&calls, 1) + 1, at = atomic_load(&fails_at);
	return call == at || (at && call > at && atomic_load(&from_there_on));
}

void *malloc(size_t size)
{
	void *p = fails() ? NULL : __libc_malloc(size);
	live += p != NULL;
	return p;
}

void *calloc(size_t count, size_t size)
{
	void *p = fails() ? NULL : __libc_calloc(count, size);
	live += p != NULL;
	return p;
}

void *realloc(void *p, size_t size)
{
	void *q = fails() ? NULL : __libc_realloc(p, size);
	live += q && !p;
	return q;
}

void free(void *p)
{
	live -= p != NULL;
	__libc_free(p);
}

/* ---- the job ---- */

static const char dir[] = "allocations.out";

static int delete_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

struct outcome {
	int failed;	   /* a call gave -1 */
	int said;	   /* and there are messages */
	uint64_t contents; /* of the files */
};

static uint64_t sum;

static int add_file(const char *path, const struct stat *st, int type, struct FTW *f)
{
	int c;
	(void)st;
	if (type != FTW_F || strstr(path, "/.qcc/")) /* the list of files has times in it */
		return 0;
	uint64_t h = 14695981039346656037u;
	for (const char *p = path + f->base; *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	FILE *file = fopen(path, "rb");
	while (file && (c = fgetc(file)) != EOF)
		h = (h ^ (unsigned)c) * 1099511628211u;
	if (file)
		fclose(file);
	sum += h;
	return 0;
}

static struct outcome job(const char *model)
{
	struct outcome o = { 0 };
	struct qcc_model *m = qcc_load(model);
	o.failed = qcc_run(m, "streamline,fold") != 0 || qcc_emit(m, "finn,c,hls", dir) != 0 ||
		   qcc_write(m, "allocations.onnx") != 0;
	atomic_store(&fails_at, 0);
	o.said = *qcc_messages(m) != '\0';
	qcc_free(m);
	return o;
}

static struct outcome run(const char *model, long at)
{
	nftw(dir, delete_one, 16, FTW_DEPTH | FTW_PHYS);
	remove("allocations.onnx");
	atomic_store(&calls, 0);
	atomic_store(&fails_at, at);
	struct outcome o = job(model);
	atomic_store(&fails_at, 0);
	sum = 0;
	nftw(dir, add_file, 16, FTW_PHYS);
	o.contents = sum;
	return o;
}

/* What is wrong with the outcome; NULL where nothing is. */
static const char *fault(struct outcome o, struct outcome whole, long left)
{
	if (o.failed && !o.said)
		return "failed without a message";
	if (!o.failed && o.contents != whole.contents)
		return "succeeded with other files";
	if (o.failed && o.contents && o.contents != whole.contents)
		return "left files of a run that failed";
	return left > 0 ? "kept memory" : NULL;
}

/* Whether the calls left temporary files in the working folder; they are deleted. */
static bool temporary_files(void)
{
	glob_t found = { 0 };
	bool any = glob(".allocations.onnx.*", 0, NULL, &found) == 0;
	for (size_t i = 0; i < found.gl_pathc; i++)
		remove(found.gl_pathv[i]);
	globfree(&found);
	return any;
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
	nftw(dir, delete_one, 16, FTW_DEPTH | FTW_PHYS);
	remove("allocations.onnx");
	bool debris = temporary_files();
	printf("%s 1 - %ld of %ld allocations made to fail, %ld calls failed, %ld in a wrong way\n",
	       wrong ? "not ok" : "ok", tried, total, errors, wrong);
	printf("%s 2 - memory gone from one of %ld allocations on, %ld in a wrong way\n", lost ? "not ok" : "ok", gone,
	       lost);
	printf("%s 3 - no temporary file is left behind\n1..3\n", debris ? "not ok" : "ok");
	return wrong || lost || debris;
}
#endif

/* The program qcc: hands over to the command line in src/cli/. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "cli/cli.h"
#include "util/memory.h"

/* Execution allocates and frees the same large tensors again and again. Handing them back to the system each time
 * would cost more than the arithmetic on them. */
static void keep_freed_memory(void)
{
#ifdef __GLIBC__
	enum { LIMIT = 256 << 20 };
	mallopt(M_MMAP_THRESHOLD, LIMIT);
	mallopt(M_TRIM_THRESHOLD, LIMIT);
#endif
}

struct arguments {
	int argc;
	char **argv;
};

static int run(void *user)
{
	const struct arguments *a = user;
	return cli_main(a->argc, a->argv);
}

int main(int argc, char **argv)
{
	keep_freed_memory();
	signal(SIGPIPE, SIG_IGN); /* writing to a closed pipe is an error like others */
	json_set_alloc_funcs(memory_try, free);
	int status;
	enum memory_end end = memory_guarded(run, &(struct arguments){ argc, argv }, &status);
	if (end != MEMORY_ENOUGH && status <= 0) { /* else it was said */
		fputs("qcc: error: out of memory\n", stderr);
		status = 1;
	}
	/* A table that did not reach the disk is a failure too. Where an earlier write failed, another one says why. */
	bool lost = ferror(stdout);
	errno = 0;
	if (lost) {
		clearerr(stdout);
		putchar('\n');
	}
	if (fflush(stdout) != 0 || lost) {
		fprintf(stderr, "qcc: error: standard output: %s\n", errno ? strerror(errno) : "cannot be written");
		return 1;
	}
	return status;
}

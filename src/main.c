/* The program qcc: hands over to the command line in src/cli/. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "cli/cli.h"

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

int main(int argc, char **argv)
{
	keep_freed_memory();
	signal(SIGPIPE, SIG_IGN); /* writing to a closed pipe is an error like others */
	int status = cli_main(argc, argv);
	/* A table that did not reach the disk is a failure too. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "qcc: error: standard output: %s\n", errno ? strerror(errno) : "cannot be written");
		return 1;
	}
	return status;
}

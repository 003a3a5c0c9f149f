/* The program qcc: hands over to the command line in src/cli/. */
#include <stdio.h>

#include "cli/cli.h"

int main(int argc, char **argv)
{
	int status = cli_main(argc, argv);
	/* A table that did not reach the disk is a failure too. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("qcc: standard output");
		return 1;
	}
	return status;
}

/* The program qcc: hands over to the command line in src/cli/. */
#include <stdio.h>

int main(void)
{
	puts("qcc " PACKAGE_VERSION);
	return 0;
}

/* A host program whose locale writes numbers with a comma: libqcc reads and writes them as ever. comma.sh makes the locale. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qcc/qcc.h"

static const char model[] = "g (float[1,2] x) => (float[1,2] y) <float s = {0.25}, float z = {0}, float b = {2.0}> {\n"
			    "y = qonnx.Quant<signed=1, narrow=0, rounding_mode=\"ROUND\">(x, s, z, b)\n}";

/* The text of all that the library says about the model; malloc'd. */
static char *all_text(void)
{
	struct qcc_model *m = qcc_load_memory(model, strlen(model), "comma.onnxtxt");
	int failed = qcc_run(m, "streamline") || qcc_emit(m, "c", "comma.out");
	const char *text = failed ? qcc_messages(m) : qcc_text(m);
	char *all = malloc(strlen(text) + 1);
	strcpy(all, text);
	qcc_free(m);
	return all;
}

int main(void)
{
	char number[16], *plain = all_text();
	if (setlocale(LC_ALL, "de_DE.UTF-8"))
		snprintf(number, sizeof number, "%.1f", 0.5);
	else
		number[0] = '\0';
	if (strcmp(number, "0,5") != 0) {
		puts("1..1\nok 1 - a comma locale # SKIP there is none here");
		free(plain);
		return 0;
	}
	char *comma = all_text();
	int same = strcmp(plain, comma) == 0;
	snprintf(number, sizeof number, "%.1f", 0.5);
	int kept = strcmp(number, "0,5") == 0;
	printf("1..2\n%s 1 - numbers are the same in a comma locale\n%s 2 - the program keeps its locale\n",
	       same ? "ok" : "not ok", kept ? "ok" : "not ok");
	if (!same)
		fprintf(stderr, "%s\nin the comma locale:\n%s\n", plain, comma);
	free(plain);
	free(comma);
	return !same || !kept;
}

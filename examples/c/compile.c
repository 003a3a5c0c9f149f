/* Compiles a network to C and prints what came out.
 *
 *     cc compile.c $(pkg-config --cflags --libs qcc) -o compile
 *     ./compile model.onnx out */
#include <stdio.h>

#include <qcc/qcc.h>

static int show_progress(void *user, const char *what, double done)
{
	(void)user;
	printf("%3.0f %% %s\n", 100 * done, what);
	return 0; /* go on */
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: compile MODEL DIR\n", stderr);
		return 2;
	}
	struct qcc_model *m = qcc_load(argv[1]);
	qcc_set_progress(m, show_progress, NULL);
	qcc_set_verify(m, 16);
	int status = qcc_run(m, "streamline");
	if (status == 0)
		status = qcc_emit(m, "c", argv[2]);
	if (status == 0)
		puts(qcc_report(m));

	struct qcc_message message;
	for (size_t i = 0; qcc_message(m, i, &message); i++)
		if (message.severity != QCC_NOTE)
			fprintf(stderr, "%s%s%s%s%s\n", message.node ? message.node : "", message.node ? ": " : "",
				message.cause, message.remedy ? "; " : "", message.remedy ? message.remedy : "");
	qcc_free(m);
	return status == 0 ? 0 : 1;
}

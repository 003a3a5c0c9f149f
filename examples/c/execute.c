/* Reads a network from memory, executes it on a sample of zeros before and after streamlining, and compares.
 *
 *     cc execute.c $(pkg-config --cflags --libs qcc) -o execute
 *     ./execute model.onnx */
#include <stdio.h>
#include <stdlib.h>

#include <qcc/qcc.h>

static void *read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	char *bytes = NULL;
	if (f && fseek(f, 0, SEEK_END) == 0) {
		long length = ftell(f);
		rewind(f);
		bytes = malloc((size_t)length);
		*size = bytes ? fread(bytes, 1, (size_t)length, f) : 0;
	}
	if (f)
		fclose(f);
	return bytes;
}

/* One sample of zeros in the shape that the model declares. */
static struct qcc_array zeros(const struct qcc_value *input)
{
	struct qcc_array a = { .type = QCC_FLOAT, .rank = qcc_value_rank(input) };
	int64_t count = 1;
	for (int k = 0; k < a.rank; k++) {
		a.dims[k] = qcc_value_dim(input, k) > 0 ? qcc_value_dim(input, k) : 1;
		count *= a.dims[k];
	}
	a.data = calloc((size_t)count, sizeof(float));
	return a;
}

static double first_of(const struct qcc_array *a)
{
	return a->type == QCC_FLOAT ? (double)((const float *)a->data)[0] : 0;
}

int main(int argc, char **argv)
{
	size_t size;
	char datatype[QCC_DATATYPE_SIZE];
	void *bytes = argc == 2 ? read_file(argv[1], &size) : NULL;
	if (!bytes) {
		fputs("usage: execute MODEL\n", stderr);
		return 2;
	}
	struct qcc_model *m = qcc_load_memory(bytes, size, argv[1]), *streamlined = qcc_clone(m);
	free(bytes);
	struct qcc_array in = { .data = NULL }, before = { .data = NULL }, after = { .data = NULL };
	int status = -1;
	if (qcc_input(m, 0)) {
		printf("input %s of %s\n", qcc_value_name(qcc_input(m, 0)),
		       qcc_value_datatype(qcc_input(m, 0), datatype));
		in = zeros(qcc_input(m, 0));
		status = qcc_execute(m, &in, 1, &before, 1);
	}
	if (status == 0 && qcc_run(streamlined, "streamline") == 0)
		status = qcc_execute(streamlined, &in, 1, &after, 1);
	if (status == 0)
		printf("output %s: %g before, %g after; %zu nodes, then %zu\n", qcc_output_name(m, 0),
		       first_of(&before), first_of(&after), qcc_count(m, NULL), qcc_count(streamlined, NULL));
	fputs(qcc_messages(m), stderr);
	fputs(qcc_messages(streamlined), stderr);
	free(in.data);
	qcc_array_free(&before);
	qcc_array_free(&after);
	qcc_free(streamlined);
	qcc_free(m);
	return status == 0 ? 0 : 1;
}

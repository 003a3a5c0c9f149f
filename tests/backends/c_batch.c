/* NAME_run_batch gives what NAME_run gives for each sample, bit for bit, however many there are. Arguments: a file of
 * samples as raw float32. Compiled beside a generated network whose name is `model`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

enum { MOST = 41 }; /* some blocks and a rest */
static _Alignas(64) char scratch[MODEL_SCRATCH_BYTES + 64];

static size_t read_samples(const char *path, model_input0 *x)
{
	static float one[MODEL_INPUT0_COUNT];
	size_t n = 0;
	FILE *f = fopen(path, "rb");
	if (!f)
		return 0;
	while (n < MOST && fread(one, sizeof one, 1, f) == 1) {
		for (size_t i = 0; i < MODEL_INPUT0_COUNT; i++)
			x[n * MODEL_INPUT0_COUNT + i] = (model_input0)one[i];
		n++;
	}
	fclose(f);
	return n;
}

int main(int argc, char **argv)
{
	model_input0 *x = malloc(MOST * MODEL_INPUT0_COUNT * sizeof *x + 64);
	model_output0 *one = calloc(MOST * MODEL_OUTPUT0_COUNT, sizeof *one),
		      *many = calloc(MOST * MODEL_OUTPUT0_COUNT, sizeof *many);
	size_t n = argc == 2 && x && one && many ? read_samples(argv[1], x) : 0;
	int bad = n == 0;
	for (size_t i = 0; i < n; i++)
		model_run(x + i * MODEL_INPUT0_COUNT, one + i * MODEL_OUTPUT0_COUNT, scratch);
	for (size_t count = 1; count <= n; count += count < 18 ? 1 : 23) {
		memset(many, 0, MOST * MODEL_OUTPUT0_COUNT * sizeof *many);
		model_run_batch(x, many, count, scratch);
		bad |= memcmp(one, many, count * MODEL_OUTPUT0_COUNT * sizeof *one) != 0;
	}
	printf("%zu samples, %s\n", n, bad ? "batches differ" : "batches agree");
	free(x);
	free(one);
	free(many);
	return bad;
}

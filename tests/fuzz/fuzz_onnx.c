/* Broken models: small ones written as ONNX, their bytes changed at random, read and compiled. Whatever comes in,
 * there is a graph or a diagnostic; a crash, a hang or (with the sanitizers) a stray access ends the program, and
 * fuzz_case.onnx holds the culprit. A case counts each thousand inputs.
 *
 *     QCC_FUZZ_SECONDS=30 QCC_FUZZ_SEED=1 tests/fuzz/fuzz_onnx [FILE.onnx...]
 *
 * With files, each is compiled as it is: to see a culprit again. */
#include "exec/exec.h"
#include "pipeline/feed.h"
#include "pipeline/pipeline.h"
#include "util/file.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_BYTES = 1 << 16, MAX_ELEMENTS = 1 << 16, CASE_SECONDS = 20, CASES_A_LINE = 1000 };

static const char case_file[] = "fuzz_case.onnx", seed_file[] = "fuzz_seed.onnx";

static const char *const seeds[] = {
	"mlp (float[1,4] x) => (float[1,2] y) <float s = {0.25}, float z = {0}, float b = {2}, "
	"float[2,4] w = {0.25,0,-0.25,0.25,0,0,0.25,-0.25}, float[2] c = {0.125,-0.5}> {\n"
	"a = qonnx.Quant<signed=1, narrow=0, rounding_mode=\"ROUND\">(x, s, z, b)\n"
	"v = qonnx.Quant<signed=1, narrow=1, rounding_mode=\"ROUND\">(w, s, z, b)\n"
	"m = Gemm<transB=1, alpha=1.0, beta=2.0>(a, v, c)\nr = Relu(m)\n"
	"y = qonnx.Quant<signed=0, narrow=0, rounding_mode=\"FLOOR\">(r, s, z, b)\n}",

	"cnn (float[1,2,4,4] x) => (float[1,3] y) <float s = {0.5}, float z = {0}, float b = {3}, float[1] one = {1}, "
	"float[3,2,1,1] w = {1,-1,1,1,-1,-1}, float[3] g = {1,2,-1}, float[3] h = {0,0.5,1}, "
	"float[3] m = {0,1,0}, float[3] u = {1,1,2}> {\n"
	"a = qonnx.Quant<signed=0, narrow=0, rounding_mode=\"ROUND\">(x, s, z, b)\n"
	"v = qonnx.BipolarQuant(w, one)\n"
	"c = Conv<kernel_shape=[1,1], pads=[0,0,0,0], strides=[1,1], group=1>(a, v)\n"
	"n = BatchNormalization<epsilon=0.00001>(c, g, h, m, u)\n"
	"q = qonnx.BipolarQuant(n, one)\np = MaxPool<kernel_shape=[2,2], strides=[2,2]>(q)\n"
	"e = GlobalAveragePool(p)\ny = Flatten<axis=1>(e)\n}",

	"branch (float[1,3] x) => (float[1,6] y) <float s = {0.5}, float t = {0.25}, float z = {0}, float b = {4}, "
	"int64[2] to = {1,3}> {\n"
	"a = qonnx.Quant<signed=1, narrow=0, rounding_mode=\"CEIL\">(x, s, z, b)\n"
	"c = qonnx.Quant<signed=1, narrow=0, rounding_mode=\"HALF_UP\">(a, t, z, b)\n"
	"d = Add(a, c)\ne = Sigmoid(d)\nf = qonnx.Quant<signed=0, narrow=0, rounding_mode=\"ROUND\">(e, t, z, b)\n"
	"g = Reshape(f, to)\ny = Concat<axis=1>(g, a)\n}",

	"plain (float[2,3] x) => (float[3,2] y) <int8 z = {3}, float s = {0.5}, float[3,3] w = {1,2,3,4,5,6,7,8,9}> {\n"
	"q = QuantizeLinear(x, s, z)\nd = DequantizeLinear(q, s, z)\nm = MatMul(d, w)\n"
	"t = Softmax<axis=1>(m)\ny = Transpose<perm=[1,0]>(t)\n}",
};
enum { SEEDS = sizeof seeds / sizeof *seeds };

struct bytes {
	unsigned char data[MAX_BYTES];
	size_t size;
};

static uint64_t state = 88172645463325252u;

static size_t draw(size_t bound)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return bound ? (size_t)(state >> 11) % bound : 0;
}

/* ---- changing bytes ---- */

static void drop_range(struct bytes *b)
{
	const size_t at = draw(b->size), n = draw(b->size - at < 16 ? b->size - at : 16);

	memmove(b->data + at, b->data + at + n, b->size - at - n);
	b->size -= n;
}

static void repeat_range(struct bytes *b)
{
	const size_t at = draw(b->size), n = draw(b->size - at < 64 ? b->size - at : 64);

	if (b->size + n > MAX_BYTES)
		return;
	memmove(b->data + at + n, b->data + at, b->size - at);
	b->size += n;
}

/* Numbers where lengths, dims and enumerations go wrong: as varints, and the extremes of float. */
static void set_number(struct bytes *b)
{
	static const unsigned char numbers[][10] = {
		{ 0 },
		{ 1 },
		{ 0x7f },
		{ 0xff, 0x01 },
		{ 0xff, 0xff, 0xff, 0xff, 0x07 },
		{ 0x80, 0x80, 0x80, 0x80, 0x08 },
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 },
		{ 0, 0, 0x80, 0x7f },
		{ 0, 0, 0xc0, 0x7f },
	};
	static const size_t sizes[] = { 1, 1, 1, 2, 5, 5, 10, 4, 4 };
	const size_t k = draw(sizeof sizes / sizeof *sizes), at = draw(b->size);

	if (at + sizes[k] <= b->size)
		memcpy(b->data + at, numbers[k], sizes[k]);
}

static void change(struct bytes *b)
{
	if (!b->size)
		return;
	switch (draw(16)) {
	case 0: b->data[draw(b->size)] ^= (unsigned char)(1u << draw(8)); break;
	case 1: b->data[draw(b->size)] = (unsigned char)draw(256); break;
	case 2: b->data[draw(b->size)]++; break;
	case 3: drop_range(b); break;
	case 4: repeat_range(b); break;
	case 5: b->size = draw(8) ? b->size : draw(b->size); break;
	case 6: set_number(b); break;
	default: b->data[draw(b->size)] = (unsigned char)draw(4); /* mostly field values and small lengths */
	}
}

/* ---- compiling ---- */

static bool is_small(const struct graph *g)
{
	int64_t total = 0;

	graph_for_each_value (g, v) {
		int64_t count = 1;

		for (int i = 0; i < v->rank; i++)
			if (v->dims[i] < 0 || v->dims[i] > MAX_ELEMENTS || (count *= v->dims[i]) > MAX_ELEMENTS)
				return false;
		total += count;
	}
	return total < 4 * MAX_ELEMENTS;
}

static void execute(const struct graph *g, struct diags *d)
{
	struct exec_options o = { .threads = 1 };
	struct tensor **outputs = xcalloc(g->n_outputs + 1u, sizeof *outputs);
	struct feed f;

	feed_init(&f, g);
	if (!feed_generate(&f, 1, 1, d))
		exec_graph(g, f.tensors, outputs, &o, d);
	for (uint32_t i = 0; i < g->n_outputs; i++)
		tensor_unref(outputs[i]);
	free(outputs);
	feed_free(&f);
}

/* How far it came: 0 unreadable, 1 read, 2 clean, 3 streamlined. */
static int compile(const char *path)
{
	static const char *const passes[] = { "cleanup", "streamline" };
	struct pipeline_options o = { .verify_structure = true };
	struct diags d = { 0 };
	struct graph *g = graph_read(path, &d);
	json_t *report = json_array();
	int level = g != NULL;

	for (size_t i = 0; g && i < 2 && level == (int)i + 1; i++) {
		struct pipeline p;

		if (is_small(g))
			execute(g, &d);
		if (!pipeline_parse(&p, passes[i], &d) && !pipeline_run(&p, g, &o, report, &d))
			level++;
		pipeline_free(&p);
	}
	if (!g && !d.errors) {
		printf("Bail out! %s was not read and nothing was said\n", path);
		exit(1);
	}
	if (g) {
		free(graph_print(g));
		graph_free(g);
	}
	json_decref(report);
	diags_free(&d);
	return level;
}

/* ---- the loop ---- */

static void too_long(int signal)
{
	static const char said[] = "Bail out! fuzz_case.onnx takes too long\n";

	(void)signal;
	if (write(STDOUT_FILENO, said, sizeof said - 1) < 0)
		_exit(2);
	_exit(1);
}

static bool load_seed(struct bytes *b, const char *text)
{
	struct diags d = { 0 };
	struct graph *g = graph_parse(text, "seed", &d);
	FILE *f = NULL;

	if (g && !graph_write(g, seed_file, &d))
		f = fopen(seed_file, "rb");
	if (f) {
		b->size = fread(b->data, 1, MAX_BYTES, f);
		fclose(f);
	}
	for (const struct diag *e = d.first; e; e = e->next)
		diag_print(e, stdout);
	graph_free(g);
	diags_free(&d);
	remove(seed_file);
	return f && b->size;
}

static int try_once(const struct bytes *seed)
{
	struct bytes *b = xmalloc(sizeof *b);
	struct diags d = { 0 };
	int level = 0;

	*b = *seed;
	for (size_t n = 1 + draw(3); n; n--)
		change(b);
	if (!file_write(case_file, b->data, b->size, &d)) {
		alarm(CASE_SECONDS);
		level = compile(case_file);
		alarm(0);
	}
	diags_free(&d);
	free(b);
	return level;
}

static long number(const char *name, long fallback)
{
	const char *text = getenv(name);

	return text ? strtol(text, NULL, 10) : fallback;
}

static int fuzz(struct bytes *models, long seconds)
{
	const time_t end = time(NULL) + seconds;
	size_t levels[4] = { 0 }, lines = 0;

	for (size_t i = 0; i < SEEDS; i++) {
		const bool good = load_seed(&models[i], seeds[i]);

		printf("%s %zu - seed %zu is a model\n", good ? "ok" : "not ok", ++lines, i);
		if (!good)
			return 1;
	}
	do {
		for (size_t i = 0; i < CASES_A_LINE; i++)
			levels[try_once(&models[draw(SEEDS)])]++;
		printf("ok %zu - %d broken models\n", ++lines, CASES_A_LINE);
		fflush(stdout);
	} while (time(NULL) < end);
	printf("# %zu unreadable, %zu read, %zu cleaned up, %zu streamlined\n1..%zu\n", levels[0], levels[1], levels[2],
	       levels[3], lines);
	remove(case_file);
	return 0;
}

int main(int argc, char **argv)
{
	struct bytes *models;
	int status;

	for (int i = 1; i < argc; i++)
		printf("%s: level %d\n", argv[i], compile(argv[i]));
	if (argc > 1)
		return 0;
	models = xcalloc(SEEDS, sizeof *models);
	state += (uint64_t)number("QCC_FUZZ_SEED", 0) * 0x9e3779b97f4a7c15u;
	signal(SIGALRM, too_long);
	status = fuzz(models, number("QCC_FUZZ_SECONDS", 8));
	free(models);
	return status;
}

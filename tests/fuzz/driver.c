/* Runs targets for a fixed count of inputs, each a seed that was changed, and prints how many it were.
 *
 *     tests/fuzz/driver TARGET COUNT SEED [FILE...]    COUNT inputs, of the files and the built-in seeds
 *     tests/fuzz/driver TARGET file FILE...	        each file as it is: to see a culprit again
 *     tests/fuzz/driver TARGET seeds FOLDER            writes the built-in seeds there, for other fuzzers to start from
 *     tests/fuzz/driver TARGET prefixes FILE...        every prefix of each file
 *     tests/fuzz/driver TARGET bytes COUNT SEED FILE   COUNT changes of one byte each
 *     tests/fuzz/driver TARGET splices COUNT SEED FILE FILE...   heads and tails of two files
 *
 * fuzz-TARGET.case holds the input at hand, to be looked at after a crash. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ir/ir.h"
#include "targets.h"
#include "util/strbuf.h"

enum { MAX_BYTES = 1 << 20, CASE_SECONDS = 30 };

struct input {
	uint8_t *bytes;
	size_t size;
};

static struct {
	struct input items[4096];
	size_t count;
} seeds;

static const struct target *target;
static long ran;

/* ---- seeds ---- */

static void add_seed(const void *bytes, size_t size)
{
	if (seeds.count == sizeof seeds.items / sizeof *seeds.items || size > MAX_BYTES / 4)
		return;
	uint8_t *copy = malloc(MAX_BYTES);
	memcpy(copy, bytes, size);
	seeds.items[seeds.count++] = (struct input){ copy, size };
}

static bool read_file(const char *path, struct input *in)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		return false;
	in->bytes = malloc(MAX_BYTES);
	in->size = fread(in->bytes, 1, MAX_BYTES, f);
	fclose(f);
	return true;
}

static const char *const texts[] = {
	"g (float[1,4] x) => (float[1,2] y) <float s = {0.25}, float z = {0}, float b = {2}, float[2,4] w = "
	"{0.25,0,-0.25,0.25,0,0,0.25,-0.25}, float[2] c = {0.125,-0.5}> {\n"
	"a = qonnx.Quant<signed=1, narrow=0, rounding_mode=\"ROUND\">(x, s, z, b)\n"
	"v = qonnx.Quant<signed=1, narrow=1, rounding_mode=\"ROUND\">(w, s, z, b)\n"
	"m = Gemm<transB=1, alpha=1.0, beta=2.0>(a, v, c)\nr = Relu(m)\n"
	"y = qonnx.Quant<signed=0, narrow=0, rounding_mode=\"FLOOR\">(r, s, z, b)\n}",
	"g (float[1,2,4,4] x) => (float[1,3] y) <float s = {0.5}, float z = {0}, float b = {3}, float[1] one = {1}, "
	"float[3,2,1,1] w = {1,-1,1,1,-1,-1}, float[3] g = {1,2,-1}, float[3] h = {0,0.5,1}, float[3] m = {0,1,0}, "
	"float[3] u = {1,1,2}> {\n"
	"a = qonnx.Quant<signed=0, narrow=0, rounding_mode=\"ROUND\">(x, s, z, b)\nv = qonnx.BipolarQuant(w, one)\n"
	"c = Conv<kernel_shape=[1,1], pads=[0,0,0,0], strides=[1,1], group=1>(a, v)\n"
	"n = BatchNormalization<epsilon=0.00001>(c, g, h, m, u)\nq = qonnx.BipolarQuant(n, one)\n"
	"p = MaxPool<kernel_shape=[2,2], strides=[2,2]>(q)\ne = GlobalAveragePool(p)\ny = Flatten<axis=1>(e)\n}",
	"g (float[2,3] x) => (float[3,2] y) <int8 z = {3}, float s = {0.5}, float[3,3] w = {1,2,3,4,5,6,7,8,9}> {\n"
	"q = QuantizeLinear(x, s, z)\nd = DequantizeLinear(q, s, z)\nm = MatMul(d, w)\n"
	"t = Softmax<axis=1>(m)\ny = Transpose<perm=[1,0]>(t)\n}",
	"g (float[1,1,4,4] x) => (float y) <int64[4] p = {0,0,1,1}, int64[1] o = {1}, bool[4] k = {1,0,1,1}, int64[2] e = {2,2}, "
	"int64[4] sz = {1,1,3,5}, float[4] c = {1,2,3,4}, int64 d = {3}, float[2] v = {0,1}, int64[2] ix = {0,2}> {\n"
	"a = Compress<axis=3>(x, k)\nb = Resize<mode=\"linear\">(x, , , sz)\nf = Tile(c, o)\nh = OneHot(ix, d, v)\n"
	"i = Expand(o, e)\nl = AveragePool<kernel_shape=[2,2], pads=[1,1,1,1]>(b)\nn = ReduceSum<keepdims=0>(l)\n"
	"q = ReduceMax<keepdims=0>(a)\nr = ReduceSum<keepdims=0>(f)\ns = ReduceSum<keepdims=0>(h)\nt = Add(n, q)\n"
	"u = Add(r, s)\ny = Add(t, u)\n}",
};

static const char *const words[] = {
	"cleanup,streamline,fold(target_fps=1e6)",
	"finn,c(packed,style='x'),hls",
	"set-datatype(x=FIXED<8,3>)",
};
static const char *const scripts[] = {
	"local t = {} for i = 1, 10 do t[i] = ('x'):rep(i) end print(#table.concat(t))",
	"local m = qcc.load('none.onnx') m:run('cleanup', {a=1}) for n in m:nodes() do print(n.name) end",
	"setmetatable({}, {__index = function(t, k) return k end}) error({})",
};
static const char *const tables[] = {
	"{\"columns\": [{\"name\": \"a\", \"kind\": \"category\", \"bits\": 2, \"codes\": {\"x\": 1, \"y\": 2}}, "
	"{\"name\": \"b\", \"kind\": \"integer\", \"bits\": 5}, {\"name\": \"c\", \"kind\": \"scaled\", \"bits\": 8, "
	"\"scale\": 10.0}], \"label\": \"label\"}\fa,b,c,label\nx,3,0.5,1\n\"y\",31,1e3,0\n",
	"a,b,label\ntcp,0.25,1\n\"u\"\"d,p\",1e-3,0\r\n,-7,1\n",
};
/* Arrays by line, see targets_data.c. */
static const char *const archives[] = {
	"bits 2 4,3: 0 1 1 0 0 1\nlabel 2 4: 0 1\n",
	"bits 2 2,1: 255 3\nwidth 7 : 5\nlabel 1 2: 1 0\n",
	"images 1 2,1,2,2: 0.5 -1\nlabels 7 2,1: 3 0\n",
};

static const char config[] =
	"{\"Defaults\": {}, \"MVAU_0\": {\"PE\": 2, \"SIMD\": 4, \"ram_style\": \"auto\", \"mem_mode\": "
	"\"internal_decoupled\", \"runtime_writeable_weights\": 0}}";
static const char npy[] =
	"\x93NUMPY\x01\x00\x46\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }          \n"
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

static void add_models(bool binary)
{
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct diags d = { 0 };
		char path[128];
		struct input in;
		snprintf(path, sizeof path, "%s/seed.onnx", target_folder());
		struct graph *g = binary ? graph_parse(texts[i], "seed", &d) : NULL;
		if (!binary)
			add_seed(texts[i], strlen(texts[i]));
		else if (g && graph_write(g, path, &d) == 0 && read_file(path, &in)) {
			add_seed(in.bytes, in.size);
			free(in.bytes);
		}
		for (const struct diag *e = d.first; e; e = e->next)
			diag_print(e, stderr);
		graph_free(g);
		diags_free(&d);
	}
}

/* A checkpoint that is accepted. */
static void add_checkpoint(void)
{
	struct strbuf lines = { 0 };
	checkpoint_lines(&lines);
	add_seed(lines.text, lines.length);
	strbuf_free(&lines);
}

static void add_own_seeds(void)
{
	if (strcmp(target->ending, ".onnx") == 0)
		add_models(true);
	else if (strcmp(target->name, "text") == 0)
		add_models(false);
	else if (strcmp(target->name, "config") == 0)
		add_seed(config, sizeof config - 1);
	else if (strcmp(target->name, "npy") == 0 || strcmp(target->name, "npz") == 0)
		add_seed(npy, sizeof npy - 1);
	else if (strcmp(target->name, "encode") == 0 || strcmp(target->name, "fit") == 0)
		add_seed(tables[*target->name == 'f'], strlen(tables[*target->name == 'f']));
	else if (strcmp(target->name, "checkpoint") == 0)
		add_checkpoint();
	for (size_t i = 0; i < 3; i++) {
		if (strcmp(target->name, "dataset") == 0)
			add_seed(archives[i], strlen(archives[i]));
		if (strcmp(target->name, "lists") == 0)
			add_seed(words[i], strlen(words[i]));
		if (strcmp(target->name, "lua") == 0)
			add_seed(scripts[i], strlen(scripts[i]));
	}
}

static bool write_seeds(const char *folder)
{
	bool written = true;
	add_own_seeds();
	for (size_t i = 0; i < seeds.count; i++) {
		char path[1024];
		snprintf(path, sizeof path, "%s/%s-%zu%s", folder, target->name, i, target->ending);
		FILE *f = fopen(path, "wb");
		written =
			f && fwrite(seeds.items[i].bytes, 1, seeds.items[i].size, f) == seeds.items[i].size && written;
		written = f && fclose(f) == 0 && written;
	}
	return written;
}

/* ---- running ---- */

static char case_file[64];
static const struct input *at_hand;

static void keep_case(void)
{
	FILE *f = at_hand ? fopen(case_file, "wb") : NULL;
	if (f) {
		fwrite(at_hand->bytes, 1, at_hand->size, f);
		fclose(f);
	}
}

static void died(int signal_number)
{
	keep_case();
	fprintf(stderr, "signal %d: the input is in %s\n", signal_number, case_file);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

#if defined __has_feature
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER
void __sanitizer_set_death_callback(void (*callback)(void));
#endif
#endif

static void run(const struct input *in)
{
	at_hand = in;
	alarm(CASE_SECONDS);
	target->run(in->bytes, in->size);
	alarm(0);
	at_hand = NULL;
	ran++;
}

static void run_changed(long count, uint64_t state)
{
	struct input in = { malloc(MAX_BYTES), 0 };
	for (long i = 0; i < count && seeds.count; i++) {
		const struct input *seed = &seeds.items[draw(&state, seeds.count)];
		memcpy(in.bytes, seed->bytes, seed->size);
		bool model = target->deals_in_models && draw(&state, 8);
		in.size = (model ? mutate_model : mutate_bytes)(in.bytes, seed->size, MAX_BYTES, &state);
		run(&in);
	}
	free(in.bytes);
}

static void run_prefixes(const struct input *in)
{
	for (size_t n = 0; n <= in->size; n++) {
		struct input prefix = { malloc(n + 1), n }; /* of its own: the sanitizer sees its end */
		memcpy(prefix.bytes, in->bytes, n);
		run(&prefix);
		free(prefix.bytes);
	}
}

static void run_bytes(const struct input *in, long count, uint64_t state)
{
	for (long i = 0; i < count && in->size; i++) {
		size_t at = draw(&state, in->size);
		uint8_t was = in->bytes[at];
		in->bytes[at] = (uint8_t)(was + 1 + draw(&state, 255));
		run(in);
		in->bytes[at] = was;
	}
}

static void run_splices(const struct input *files, size_t n, long count, uint64_t state)
{
	struct input in = { malloc(2 * MAX_BYTES), 0 };
	for (long i = 0; i < count && n; i++) {
		const struct input *a = &files[draw(&state, n)], *b = &files[draw(&state, n)];
		size_t head = draw(&state, a->size + 1), tail = draw(&state, b->size + 1);
		memcpy(in.bytes, a->bytes, head);
		memcpy(in.bytes + head, b->bytes + (b->size - tail), tail);
		in.size = head + tail;
		run(&in);
	}
	free(in.bytes);
}

static size_t read_all(int argc, char **argv, int from, struct input *files)
{
	size_t n = 0;
	for (int i = from; i < argc && n < 256; i++)
		n += read_file(argv[i], &files[n]);
	return n;
}

static int usage(void)
{
	fprintf(stderr, "usage: driver TARGET COUNT SEED [FILE...], or file, prefixes, bytes, splices; targets:");
	for (size_t i = 0; i < target_count; i++)
		fprintf(stderr, " %s", targets[i].name);
	fputc('\n', stderr);
	return 2;
}

static void run_mode(const char *mode, int argc, char **argv)
{
	static struct input files[256];
	bool counts = strcmp(mode, "bytes") == 0 || strcmp(mode, "splices") == 0;
	long count = counts && argc > 4 ? atol(argv[3]) : 0;
	uint64_t state = 88172645463325252u + (counts && argc > 4 ? (uint64_t)atol(argv[4]) : 0);
	size_t n = read_all(argc, argv, counts ? 5 : 3, files);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(mode, "file") == 0)
			run(&files[i]);
		else if (strcmp(mode, "prefixes") == 0)
			run_prefixes(&files[i]);
		else if (strcmp(mode, "bytes") == 0)
			run_bytes(&files[i], count, state + i);
	}
	if (strcmp(mode, "splices") == 0)
		run_splices(files, n, count, state);
	for (size_t i = 0; i < n; i++)
		free(files[i].bytes);
}

int main(int argc, char **argv)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGALRM, SIGILL };
	target = argc > 2 ? target_find(argv[1]) : NULL;
	if (!target)
		return usage();
	snprintf(case_file, sizeof case_file, "fuzz-%s.case", target->name);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		signal(signals[i], died);
#ifdef HAS_SANITIZER
	__sanitizer_set_death_callback(keep_case);
#endif
	if (argv[2][0] >= '0' && argv[2][0] <= '9') {
		struct input in;
		add_own_seeds();
		for (int i = 4; i < argc; i++)
			if (read_file(argv[i], &in)) {
				add_seed(in.bytes, in.size);
				free(in.bytes);
			}
		run_changed(atol(argv[2]),
			    88172645463325252u + 0x9e3779b97f4a7c15u * (uint64_t)(argc > 3 ? atol(argv[3]) : 0));
	} else if (strcmp(argv[2], "seeds") == 0) {
		if (argc < 4 || !write_seeds(argv[3]))
			return usage();
	} else {
		run_mode(argv[2], argc, argv);
	}
	for (size_t i = 0; i < seeds.count; i++)
		free(seeds.items[i].bytes);
	target_clean_up();
	printf("%s: %ld executions\n", target->name, ran);
	return 0;
}

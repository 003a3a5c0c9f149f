/* Runs qonnx's recorded operator cases (bit for bit) and models (within 1e-5) through the library. TAP on stdout.
 *
 *     QCC_SHARED=FOLDER conformance
 *
 * A case folder holds model.onnx and test_data_set_0/{input,output}_N.pb, a model folder model.onnx,
 * input.npy and output.npy. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exec/exec.h"
#include "ir/onnx.h"
#include "ops/op.h"
#include "ir/npy.h"
#include "util/strbuf.h"

enum { MOST = 64 }; /* inputs or outputs of a case */

struct tally {
	int count, failed;
};

static void report(struct tally *t, bool ok, const char *name, struct diags *d, const char *why)
{
	printf("%sok %d - %s\n", ok ? "" : "not ", ++t->count, name);
	if (!ok && why)
		printf("# %s\n", why);
	for (const struct diag *x = d->first; x && !ok; x = x->next) {
		printf("# ");
		diag_print(x, stdout);
	}
	t->failed += !ok;
	diags_free(d);
}

static bool same_element(double a, double b, double tolerance)
{
	if (isnan(a) && isnan(b))
		return true;
	if (tolerance == 0)
		return a == b && (signbit(a) != 0) == (signbit(b) != 0);
	return fabs(a - b) <= tolerance * (1 + fabs(b));
}

/* Equal bits where tolerance is 0. Else within tolerance * (1 + |expected|), but for one element in 10,000: where a
 * float sum lands on a quantiser's tie, the order of summation decides, and that is free. */
static bool matches(const struct tensor *got, const struct tensor *want, double tolerance, char *why, size_t size)
{
	if (got->elem != want->elem || got->rank != want->rank ||
	    memcmp(got->dims, want->dims, got->rank * sizeof *got->dims) != 0) {
		snprintf(why, size, "type %s rank %d count %lld, expected %s, %d, %lld", elem_name(got->elem),
			 got->rank, (long long)got->count, elem_name(want->elem), want->rank, (long long)want->count);
		return false;
	}
	int64_t differ = 0, allowed = tolerance > 0 ? want->count / 10000 : 0;
	for (int64_t i = 0; i < want->count; i++) {
		double a = tensor_at(got, i), b = tensor_at(want, i);
		if (same_element(a, b, tolerance) || ++differ <= allowed)
			continue;
		snprintf(why, size, "element %lld is %.9g, expected %.9g", (long long)i, a, b);
		return false;
	}
	return true;
}

static size_t read_tensors(const char *dir, const char *kind, struct tensor **out, struct diags *d)
{
	size_t n = 0;
	for (; n < MOST; n++) {
		char path[1024];
		snprintf(path, sizeof path, "%s/test_data_set_0/%s_%zu.pb", dir, kind, n);
		if (access(path, R_OK) != 0)
			break;
		out[n] = tensor_read_pb(path, d);
	}
	return n;
}

static bool run_case(const char *dir, double tolerance, struct diags *d, char *why, size_t size)
{
	char path[1024];
	struct tensor *in[MOST] = { NULL }, *want[MOST] = { NULL }, *got[MOST] = { NULL };
	snprintf(path, sizeof path, "%s/model.onnx", dir);
	struct graph *g = graph_read(path, d);
	if (!g)
		return false;
	read_tensors(dir, "input", in, d);
	size_t n = read_tensors(dir, "output", want, d);
	bool ok = d->errors == 0 && g->n_outputs <= MOST && graph_infer(g, d) == 0 &&
		  exec_graph(g, in, got, NULL, d) == 0;
	for (size_t i = 0; i < n && ok; i++)
		ok = matches(got[i], want[i], tolerance, why, size);
	for (size_t i = 0; i < MOST; i++) {
		tensor_unref(in[i]);
		tensor_unref(want[i]);
		tensor_unref(got[i]);
	}
	graph_free(g);
	return ok;
}

/* The recorded outputs came sample by sample; both ways of running them must give the same. */
static bool run_model(const char *dir, double tolerance, struct diags *d, char *why, size_t size)
{
	char path[1024];
	snprintf(path, sizeof path, "%s/model.onnx", dir);
	struct graph *g = graph_read(path, d);
	snprintf(path, sizeof path, "%s/input.npy", dir);
	struct tensor *in = npy_read(path, d), *got[MOST] = { NULL };
	snprintf(path, sizeof path, "%s/output.npy", dir);
	struct tensor *want = npy_read(path, d);
	bool ok = g && in && want && g->n_outputs <= MOST && graph_infer(g, d) == 0 &&
		  exec_batch(g, &in, got, NULL, NULL, d) == 0 && matches(got[0], want, tolerance, why, size);
	for (uint32_t i = 0; g && i < g->n_outputs && i < MOST; i++)
		tensor_unref(got[i]);
	tensor_unref(in);
	tensor_unref(want);
	if (g)
		graph_free(g);
	return ok;
}

typedef bool run_fn(const char *dir, double tolerance, struct diags *d, char *why, size_t size);

static void run_folder(struct tally *t, const char *dir, run_fn *run, double tolerance)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char path[1024], why[256] = "";
		struct diags d = { 0 };
		snprintf(path, sizeof path, "%s/%s/model.onnx", dir, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && access(path, R_OK) == 0) {
			path[strlen(path) - strlen("/model.onnx")] = 0;
			report(t, run(path, tolerance, &d, why, sizeof why), entries[i]->d_name, &d, why);
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

int main(void)
{
	struct tally t = { 0 };
	char path[1024];
	const char *shared = getenv("QCC_SHARED");
	snprintf(path, sizeof path, "%s/conformance/qonnx", shared ? shared : "../shared");
	run_folder(&t, path, run_case, 0);
	snprintf(path, sizeof path, "%s/models", shared ? shared : "../shared");
	run_folder(&t, path, run_model, 1e-5);
	if (t.count == 0)
		printf("1..0 # SKIP the recorded cases are not here (QCC_SHARED)\n");
	else
		printf("1..%d\n", t.count);
	return t.failed != 0;
}

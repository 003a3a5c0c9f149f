/* Runs recorded operator cases and networks through the library and compares with what others computed. TAP on stdout.
 *
 *     QCC_SRC=FOLDER QCC_SHARED=FOLDER conformance
 *
 * The project's own (models/make_conformance.py): NAME.onnx, each output of which is a case, with NAME.npz, which holds
 * inputs and outputs by name; networks are folders with model.onnx, input.npy and output.npy. Of ../shared, where it is
 * there: folders with model.onnx and test_data_set_0/{input,output}_N.pb, and more networks. Operators must give the
 * same bits (but for functions whose last bits are free), networks 1e-5 of the largest output. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compare.h"
#include "exec/exec.h"
#include "ir/npy.h"
#include "ir/onnx.h"
#include "ops/op.h"
#include "util/strbuf.h"

enum { MOST = 128 }; /* inputs or outputs of a file */

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

/* Same type, shape and bits, where tolerance is 0; else within tolerance * (1 + |expected|). */
static bool matches(const struct tensor *got, const struct tensor *want, double tolerance, char *why, size_t size)
{
	if (got->elem != want->elem || got->rank != want->rank ||
	    memcmp(got->dims, want->dims, got->rank * sizeof *got->dims) != 0) {
		snprintf(why, size, "type %s rank %d count %lld, expected %s, %d, %lld", elem_name(got->elem),
			 got->rank, (long long)got->count, elem_name(want->elem), want->rank, (long long)want->count);
		return false;
	}
	for (int64_t i = 0; i < want->count; i++) {
		double a = tensor_at(got, i), b = tensor_at(want, i);
		if (same_number(a, b, tolerance * (1 + fabs(b))))
			continue;
		snprintf(why, size, "element %lld is %.9g, expected %.9g", (long long)i, a, b);
		return false;
	}
	return true;
}

static void unref_all(struct tensor **tensors, size_t count)
{
	for (size_t i = 0; i < count; i++)
		tensor_unref(tensors[i]);
}

/* ---- files of cases: NAME.onnx and NAME.npz ---- */

/* What is inferred of a shape must be so. */
static bool shape_agrees(const struct value *v, const struct tensor *t, char *why, size_t size)
{
	bool agrees = v->rank < 0 || v->rank == t->rank;
	for (int i = 0; i < v->rank && agrees; i++)
		agrees = v->dims[i] < 0 || v->dims[i] == t->dims[i];
	if (!agrees)
		snprintf(why, size, "the shape that inference gives is another one");
	return agrees;
}

static void case_result(struct tally *t, const char *file, const char *npz, const struct value *v,
			const struct tensor *got, double tolerance)
{
	struct diags d = { 0 };
	char name[1024], why[256] = "";
	struct tensor *want = npz_read(npz, v->name, &d);
	bool ok = want && matches(got, want, tolerance, why, sizeof why) && shape_agrees(v, want, why, sizeof why);
	snprintf(name, sizeof name, "%.200s: %s", file, v->name);
	report(t, ok, name, &d, why);
	tensor_unref(want);
}

static double tolerance_of(const char *npz)
{
	struct diags d = { 0 };
	struct tensor *t = npz_read(npz, "tolerance", &d); /* most files have none */
	double tolerance = t ? tensor_at(t, 0) : 0;
	tensor_unref(t);
	diags_free(&d);
	return tolerance;
}

static void run_file(struct tally *t, const char *dir, const char *file)
{
	char path[1024], npz[1024];
	struct diags d = { 0 };
	struct value *fed[MOST];
	struct tensor *in[MOST] = { NULL }, *got[MOST] = { NULL };
	snprintf(path, sizeof path, "%.700s/%.255s.onnx", dir, file);
	snprintf(npz, sizeof npz, "%.700s/%.255s.npz", dir, file);
	struct graph *g = graph_read(path, &d);
	size_t n = g ? graph_data_inputs(g, fed, MOST) : 0;
	for (size_t i = 0; i < n; i++)
		in[i] = npz_read(npz, fed[i]->name, &d);
	if (!g || g->n_outputs > MOST || d.errors || graph_infer(g, &d) != 0 || exec_graph(g, in, got, NULL, &d) != 0) {
		report(t, false, file, &d, "does not run");
	} else {
		for (uint32_t i = 0; i < g->n_outputs; i++)
			case_result(t, file, npz, g->outputs[i].value, got[i], tolerance_of(npz));
		unref_all(got, g->n_outputs);
	}
	unref_all(in, n);
	graph_free(g);
}

static void run_files(struct tally *t, const char *dir)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		size_t length = strlen(entries[i]->d_name);
		if (length > 5 && !strcmp(entries[i]->d_name + length - 5, ".onnx")) {
			entries[i]->d_name[length - 5] = 0;
			run_file(t, dir, entries[i]->d_name);
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

/* ---- folders ---- */

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

static bool run_case(const char *dir, struct diags *d, char *why, size_t size)
{
	char path[1024];
	struct tensor *in[MOST] = { NULL }, *want[MOST] = { NULL }, *got[MOST] = { NULL };
	snprintf(path, sizeof path, "%s/model.onnx", dir);
	struct graph *g = graph_read(path, d);
	if (!g)
		return false;
	read_tensors(dir, "input", in, d);
	size_t n = read_tensors(dir, "output", want, d);
	bool ok = d->errors == 0 && n > 0 && g->n_outputs <= MOST && graph_infer(g, d) == 0 &&
		  exec_graph(g, in, got, NULL, d) == 0;
	for (size_t i = 0; i < n && ok; i++)
		ok = matches(got[i], want[i], 0, why, size);
	unref_all(in, MOST);
	unref_all(want, MOST);
	unref_all(got, MOST);
	graph_free(g);
	return ok;
}

/* The recorded outputs came sample by sample; both ways of running them must give the same. */
static bool run_network(const char *dir, struct diags *d, char *why, size_t size)
{
	char path[1024];
	struct comparison c = { 0 };
	snprintf(path, sizeof path, "%s/model.onnx", dir);
	struct graph *g = graph_read(path, d);
	snprintf(path, sizeof path, "%s/input.npy", dir);
	struct tensor *in = npy_read(path, d), *got[MOST] = { NULL };
	snprintf(path, sizeof path, "%s/output.npy", dir);
	struct tensor *want = npy_read(path, d);
	bool ok = g && in && want && g->n_outputs <= MOST && graph_infer(g, d) == 0 &&
		  exec_batch(g, &in, got, NULL, NULL, d) == 0;
	if (ok) {
		c = compare_tensors(got[0], want);
		/* plain loops add in another order than OpenBLAS, as streamlined networks do */
		ok = comparison_is_good(&c, strrchr(dir, '/') + 1, strstr(QCC_WITHOUT, " openblas") != NULL);
		comparison_print(&c, why, size);
		if (ok && c.differ)
			printf("# %s: %s\n", strrchr(dir, '/') + 1, why);
	}
	unref_all(got, MOST);
	tensor_unref(in);
	tensor_unref(want);
	graph_free(g);
	return ok;
}

typedef bool run_fn(const char *dir, struct diags *d, char *why, size_t size);

static void run_folder(struct tally *t, const char *root, const char *folder, run_fn *run)
{
	struct dirent **entries;
	char path[1024], why[256];
	snprintf(path, sizeof path, "%s/%s", root, folder);
	int n = scandir(path, &entries, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		struct diags d = { 0 };
		*why = 0;
		snprintf(path, sizeof path, "%.500s/%.200s/%.255s/model.onnx", root, folder, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && access(path, R_OK) == 0) {
			path[strlen(path) - strlen("/model.onnx")] = 0;
			report(t, run(path, &d, why, sizeof why), entries[i]->d_name, &d, why);
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
	const char *own = getenv("QCC_SRC"), *shared = getenv("QCC_SHARED");
	own = own ? own : ".";
	shared = shared ? shared : "../shared";
	snprintf(path, sizeof path, "%s/models/conformance/operators", own);
	if (strstr(QCC_WITHOUT, " zip"))
		printf("ok %d - the cases of models/conformance/operators # SKIP built without libzip, which reads .npz\n",
		       ++t.count);
	else
		run_files(&t, path);
	if (t.count == 0)
		printf("Bail out! models/conformance is not below %s (QCC_SRC)\n", own);
	run_folder(&t, own, "models", run_network);
	run_folder(&t, own, "models/conformance/networks", run_network);
	run_folder(&t, shared, "conformance/qonnx", run_case);
	run_folder(&t, shared, "models", run_network);
	printf("1..%d\n", t.count);
	return t.failed != 0;
}

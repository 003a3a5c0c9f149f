/* All networks of models/ and of ../shared/models through streamline (with certificates) and prune-dead: what is left in
 * floating point, and whether the outputs are those recorded. Prints TAP. The intrusion network's shrunk form is
 * compared with the whole one on every row of ../shared/unsw and on a million random inputs.
 *
 *     QCC_SRC=FOLDER QCC_SHARED=FOLDER networks [NAME of ../shared/models]... */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compare.h"
#include "exec/exec.h"
#include "pipeline/pipeline.h"
#include "ir/npy.h"

struct tally {
	int count, failed;
};

static void result(struct tally *t, bool good, const char *name, const char *what, struct diags *d)
{
	printf("%sok %d - %s: %s\n", good ? "" : "not ", ++t->count, name, what);
	t->failed += !good;
	for (const struct diag *x = d->first; x && !good; x = x->next) {
		printf("# ");
		diag_print(x, stdout);
	}
	diags_free(d);
}

/* Arrays under a key, wherever in a report: how many elements all have. */
static size_t count_under(const json_t *o, const char *key)
{
	size_t count = 0, i;
	const char *k;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)o, k, v) count +=
		strcmp(k, key) == 0 ? json_array_size(v) : count_under(v, key);
	json_array_foreach(o, i, v) count += count_under(v, key);
	return count;
}

static struct graph *compiled(const char *path, const char *passes, size_t *leftovers, struct diags *d)
{
	struct graph *g = graph_read(path, d);
	struct pipeline p = { 0 };
	struct pipeline_options o = { .verify_structure = true };
	json_t *report = json_array();
	o.certify = strstr(passes, "prune-dead") == NULL; /* once per network */
	bool good = g && pipeline_parse(&p, passes, d) == 0 && pipeline_run(&p, g, &o, report, d) == 0;
	*leftovers = count_under(report, "leftovers");
	pipeline_free(&p);
	json_decref(report);
	if (!good) {
		graph_free(g);
		return NULL;
	}
	return g;
}

/* Whether it runs, and how its outputs compare. */
static bool compare_outputs(const struct graph *g, struct tensor *in, const struct tensor *want, struct comparison *c,
			    struct diags *d)
{
	struct tensor *out[16] = { NULL };
	struct exec_options o = { .threads = 0 };
	if (g->n_outputs > 16 || exec_batch(g, &in, out, &o, NULL, d) != 0)
		return false;
	*c = compare_tensors(out[0], want);
	for (uint32_t i = 0; i < g->n_outputs; i++)
		tensor_unref(out[i]);
	return true;
}

static const char *declared_input(const char *name)
{
	if (strcmp(name, "cybsec-mlp") == 0)
		return "set-datatype(input=BIPOLAR),";
	return strcmp(name, "cybsec-mlp-raw593") == 0 ? "set-datatype(input=BINARY)," : "";
}

static void run_network(struct tally *t, const char *models, const char *name)
{
	static const char *const forms[] = { "streamline", "streamline,prune-dead" };
	char path[1024], passes[256], what[256], how[160] = "does not run";
	for (int form = 0; form < 2; form++) {
		struct diags d = { 0 };
		struct comparison c;
		size_t leftovers = 0;
		snprintf(path, sizeof path, "%s/%s/input.npy", models, name);
		struct tensor *in = npy_read(path, &d);
		snprintf(path, sizeof path, "%s/%s/output.npy", models, name);
		struct tensor *want = in ? npy_read(path, &d) : NULL;
		snprintf(path, sizeof path, "%s/%s/model.onnx", models, name);
		snprintf(passes, sizeof passes, "%s%s", declared_input(name), forms[form]);
		struct graph *g = want ? compiled(path, passes, &leftovers, &d) : NULL;
		bool good = g && compare_outputs(g, in, want, &c, &d);
		if (good)
			comparison_print(&c, how, sizeof how);
		good = good && leftovers == 0 && comparison_is_good(&c, name, true);
		snprintf(what, sizeof what, "%s: %zu leftovers, %s", forms[form], leftovers, how);
		result(t, good, name, what, &d);
		graph_free(g);
		tensor_unref(in);
		tensor_unref(want);
	}
}

/* All networks of a folder; how many there are. */
static int run_networks(struct tally *t, const char *root, const char *folder)
{
	char models[1000], path[1300];
	struct dirent **entries = NULL;
	snprintf(models, sizeof models, "%s/%s", root, folder);
	int count = scandir(models, &entries, NULL, alphasort), found = 0;
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof path, "%s/%s/output.npy", models, entries[i]->d_name);
		if (access(path, R_OK) == 0) {
			run_network(t, models, entries[i]->d_name);
			found++;
		}
		free(entries[i]);
	}
	free(entries);
	return found;
}

/* ---- the intrusion network, shrunk ---- */

enum { INPUTS = 600, BITS = 593, AT_ONCE = 10000, RANDOM_INPUTS = 1000000 };

static bool same_outputs(const struct graph *a, const struct graph *b, struct tensor *in, struct diags *d)
{
	struct tensor *x[1] = { NULL }, *y[1] = { NULL };
	struct exec_options o = { .threads = 0 };
	bool same = exec_batch(a, &in, x, &o, NULL, d) == 0 && exec_batch(b, &in, y, &o, NULL, d) == 0 &&
		    tensor_equal(x[0], y[0]);
	tensor_unref(x[0]);
	tensor_unref(y[0]);
	return same;
}

static struct tensor *rows_of_bits(const char *path, struct diags *d)
{
	struct tensor *bits = npz_read(path, "bits", d);
	if (!bits)
		return NULL;
	int64_t dims[] = { bits->dims[0], INPUTS };
	struct tensor *rows = tensor_new(ELEM_FLOAT, 2, dims);
	for (int64_t i = 0; i < dims[0] * INPUTS; i++) {
		int64_t row = i / INPUTS, bit = i % INPUTS;
		double x = bit < BITS ? tensor_at(bits, row * BITS + bit) : 0;
		tensor_put(rows, i, 2 * x - 1);
	}
	tensor_unref(bits);
	return rows;
}

static struct tensor *random_rows(uint64_t *state)
{
	int64_t dims[] = { AT_ONCE, INPUTS };
	struct tensor *rows = tensor_new(ELEM_FLOAT, 2, dims);
	float *x = rows->data;
	for (int64_t i = 0; i < rows->count; i++) {
		*state = *state * 6364136223846793005u + 1442695040888963407u;
		x[i] = *state >> 63 ? 1 : -1;
	}
	return rows;
}

static void compare_rows(struct tally *t, const char *shared, const struct graph *whole, const struct graph *shrunk)
{
	static const char *const files[] = { "unsw_test_bits", "unsw_recon_test_sample8000_bits",
					     "unsw_recon_train_sample4000_bits", "unsw_recon_train_normal10000_bits" };
	char path[1024];
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct diags d = { 0 };
		snprintf(path, sizeof path, "%s/unsw/%s.npz", shared, files[i]);
		struct tensor *rows = rows_of_bits(path, &d);
		result(t, rows && same_outputs(whole, shrunk, rows, &d), "cybsec-mlp shrunk", files[i], &d);
		tensor_unref(rows);
	}
}

static void run_shrunk(struct tally *t, const char *shared)
{
	char path[1024];
	struct diags d = { 0 };
	size_t leftovers;
	uint64_t state = 1;
	snprintf(path, sizeof path, "%s/models/cybsec-mlp/model.onnx", shared);
	struct graph *whole = compiled(path, "set-datatype(input=BIPOLAR),cleanup", &leftovers, &d);
	struct graph *shrunk = compiled(path, "set-datatype(input=BIPOLAR),streamline,prune-dead", &leftovers, &d);
	bool same = whole && shrunk;
	for (int i = 0; i < RANDOM_INPUTS / AT_ONCE && same; i++) {
		struct tensor *rows = random_rows(&state);
		same = same_outputs(whole, shrunk, rows, &d);
		tensor_unref(rows);
	}
	result(t, same, "cybsec-mlp shrunk", "a million random inputs", &d);
	static const int64_t wanted[][2] = { { 463, 36 }, { 36, 22 }, { 22, 6 }, { 6, 1 } };
	int layer = 0;
	bool shapes = shrunk != NULL;
	for (const struct node *n = shrunk ? shrunk->first : NULL; n; n = n->next)
		if (strcmp(n->op_type, "MatMul") == 0) {
			const int64_t *dims = node_input(n, 1)->dims;
			shapes = shapes && layer < 4 && dims[0] == wanted[layer][0] && dims[1] == wanted[layer][1];
			layer++;
		}
	result(t, shapes && layer == 4, "cybsec-mlp shrunk", "463-36-22-6-1", &d);
	if (whole && shrunk && strstr(QCC_WITHOUT, " zip"))
		printf("ok %d - cybsec-mlp shrunk: recorded rows # SKIP built without libzip, which reads .npz\n",
		       ++t->count);
	else if (whole && shrunk)
		compare_rows(t, shared, whole, shrunk);
	graph_free(whole);
	graph_free(shrunk);
}

int main(int argc, char **argv)
{
	struct tally t = { 0 };
	char models[1000];
	const char *own = getenv("QCC_SRC"), *shared = getenv("QCC_SHARED");
	own = own ? own : ".";
	shared = shared ? shared : "../shared";
	snprintf(models, sizeof models, "%s/models", shared);
	for (int i = 1; i < argc; i++)
		run_network(&t, models, argv[i]);
	if (argc == 1) {
		run_networks(&t, own, "models");
		run_networks(&t, own, "models/conformance/networks");
		if (run_networks(&t, shared, "models") > 0)
			run_shrunk(&t, shared);
		else
			printf("ok %d - networks of ../shared/models # SKIP not there (QCC_SHARED)\n", ++t.count);
	}
	printf("1..%d\n", t.count);
	return t.failed != 0;
}

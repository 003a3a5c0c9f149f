/* The targets of fuzzing: the readers, and the whole chain from a model to every backend. */
#include "targets.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/backend.h"
#include "exec/exec.h"
#include "hw/folding.h"
#include "ir/npy.h"
#include "pipeline/feed.h"
#include "pipeline/pipeline.h"
#include "report/report.h"
#include "script/script.h"
#include "util/blob.h"
#include "util/file.h"

struct limits limits_for_one(void)
{
	struct limits l = { .memory = 32 << 20 };
	limits_start(&l, 2);
	return l;
}

/* ---- a folder ---- */

static char folder[64];

const char *target_folder(void)
{
	if (!*folder) {
		strcpy(folder, access("/dev/shm", W_OK) == 0 ? "/dev/shm/qcc-fuzz-XXXXXX" : "/tmp/qcc-fuzz-XXXXXX");
		if (!mkdtemp(folder))
			abort();
	}
	return folder;
}

static int delete_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

void target_clean_up(void)
{
	if (*folder)
		nftw(folder, delete_one, 16, FTW_DEPTH | FTW_PHYS);
	*folder = '\0';
}

const char *as_file(const char *name, const uint8_t *bytes, size_t size)
{
	static char path[128];
	snprintf(path, sizeof path, "%s/%s", target_folder(), name);
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(bytes, 1, size, f) != size || fclose(f) != 0)
		abort();
	return path;
}

static char *as_text(const uint8_t *bytes, size_t size)
{
	char *text = xmalloc(size + 1);
	memcpy(text, bytes, size);
	text[size] = '\0';
	return text;
}

void must_have_said(bool failed, struct diags *d)
{
	if (failed && !d->errors) {
		fprintf(stderr, "failed, and nothing was said\n");
		abort();
	}
	diags_free(d);
}

/* ---- readers ---- */

static struct graph *run_passes(struct graph *g, const char *list, struct diags *d)
{
	struct pipeline p;
	struct pipeline_options o = { .verify_structure = true };
	json_t *report = json_array();
	int status = pipeline_parse(&p, list, d);
	if (status == 0)
		status = pipeline_run(&p, g, &o, report, d);
	pipeline_free(&p);
	json_decref(report);
	if (status == 0)
		return g;
	graph_free(g);
	return NULL;
}

static void read_as(const uint8_t *bytes, size_t size, const char *name)
{
	const struct limits l = limits_for_one();
	struct diags d = { .limits = &l };
	struct graph *g = graph_read_bytes(bytes, size, name, &d);
	bool failed = !g;
	if (g) {
		free(graph_print(g));
		graph_infer(g, &d);
		graph_free(g);
	}
	must_have_said(failed, &d);
}

static void run_onnx(const uint8_t *bytes, size_t size)
{
	read_as(bytes, size, "fuzz.onnx");
}

static void run_text(const uint8_t *bytes, size_t size)
{
	read_as(bytes, size, "fuzz.onnxtxt");
}

static void run_lists(const uint8_t *bytes, size_t size)
{
	char *text = as_text(bytes, size);
	struct diags d = { 0 };
	struct pipeline p;
	struct backend_list l;
	bool failed = pipeline_parse(&p, text, &d) < 0;
	if (!failed)
		free(pipeline_print(&p));
	pipeline_free(&p);
	must_have_said(failed, &d);
	failed = backend_list_parse(&l, text, &d) < 0;
	backend_list_free(&l);
	must_have_said(failed, &d);
	free(text);
}

static void run_npy(const uint8_t *bytes, size_t size)
{
	const struct limits l = limits_for_one();
	struct diags d = { .limits = &l };
	struct blob *b = blob_new(memcpy(xmalloc(size + !size), bytes, size), size, false);
	struct tensor *t = npy_decode(b, "fuzz.npy", &d);
	bool failed = !t;
	double lo, hi;
	if (t)
		tensor_min_max(t, &lo, &hi); /* touches every element */
	tensor_unref(t);
	blob_unref(b);
	must_have_said(failed, &d);
}

static void run_npz(const uint8_t *bytes, size_t size)
{
	const struct limits l = limits_for_one();
	struct diags d = { .limits = &l };
	const char *path = as_file("fuzz.npz", bytes, size);
	char **names;
	size_t count = 0;
	bool failed = npz_names(path, &names, &count, &d) < 0;
	for (size_t i = 0; !failed && i < count; i++) {
		tensor_unref(npz_read(path, names[i], &d));
		free(names[i]);
	}
	if (!failed)
		free(names);
	must_have_said(failed, &d);
}

static const char folded[] =
	"<ir_version: 8, opset_import: [\"\" : 20, \"finn.custom_op.fpgadataflow\" : 1]> g (float[1,8]:INT2 x) => "
	"(float[1,4]:INT8 y) <float[8,4]:INT2 w = {1,0,-1,1,1,0,-1,1,1,0,-1,1,1,0,-1,1,1,0,-1,1,1,0,-1,1,1,0,-1,1,1,0,-1,1}> {\n"
	"[MVAU_0] y = finn.custom_op.fpgadataflow.MVAU<MW=8, MH=4, SIMD=2, PE=1, inputDataType=\"INT2\", "
	"weightDataType=\"INT2\", outputDataType=\"INT8\", noActivation=1, numInputVectors=[1]>(x, w)\n}";

static void run_config(const uint8_t *bytes, size_t size)
{
	struct diags d = { 0 };
	size_t changes = 0;
	struct graph *g = graph_parse(folded, "fuzz", &d);
	if (!g)
		abort();
	bool failed = folding_config_apply(g, as_file("fuzz.json", bytes, size), &changes, &d) < 0;
	graph_free(g);
	must_have_said(failed, &d);
}

static void run_lua(const uint8_t *bytes, size_t size)
{
	struct limits l = limits_for_one();
	struct diags d = { .limits = &l };
	const struct script_options o = { .dir = target_folder(), .dry_run = true };
	char *ran;
	limits_start(&l, 0.5);
	bool failed = script_run(as_file("fuzz.lua", bytes, size), &o, &ran, &d) < 0;
	free(ran);
	must_have_said(failed, &d);
}

/* ---- the chain ---- */

static void execute(const struct graph *g, const struct limits *l)
{
	struct diags d = { .limits = l };
	struct tensor **outputs = xcalloc(g->n_outputs + 1u, sizeof *outputs);
	struct feed f;
	feed_init(&f, g);
	if (feed_generate(&f, 1, 1, &d) == 0)
		exec_graph(g, f.tensors, outputs, &(struct exec_options){ .threads = 1 }, &d);
	for (uint32_t i = 0; i < g->n_outputs; i++)
		tensor_unref(outputs[i]);
	free(outputs);
	feed_free(&f);
	diags_free(&d);
}

static void emit(struct graph *g, const char *backends, const struct limits *l)
{
	struct diags d = { .limits = l };
	struct backend_list list;
	struct report *r = report_new("fuzz.onnx");
	if (backend_list_parse(&list, backends, &d) < 0)
		abort();
	bool failed = backend_list_emit(&list, g, target_folder(), r, &d) < 0;
	backend_list_free(&list);
	report_free(r);
	must_have_said(failed, &d);
}

/* Import, execution, clean-up, streamlining, C in both styles; and on: folding, FINN, HLS and the rest. */
static void run_chain(const uint8_t *bytes, size_t size)
{
	const struct limits l = limits_for_one();
	struct diags d = { .limits = &l };
	struct graph *g = graph_read_bytes(bytes, size, "fuzz.onnx", &d);
	bool read = g != NULL;
	if (g)
		execute(g, &l);
	if (g)
		emit(g, "c,dot", &l);
	g = g ? run_passes(g, "streamline", &d) : NULL;
	if (g) {
		execute(g, &l);
		emit(g, "c(packed)", &l);
		g = run_passes(g, "fold", &d);
	}
	if (g)
		emit(g, "finn,c,hls", &l);
	if (g)
		graph_free(g);
	must_have_said(!read, &d);
}

/* Passes on their own, as they come. */
static void run_passes_alone(const uint8_t *bytes, size_t size)
{
	static const char *const lists[] = { "cleanup",
					     "convert",
					     "quant-to-qcdq",
					     "qcdq-to-quant",
					     "quant-to-onnx",
					     "to-hw",
					     "prune-dead",
					     "streamline,to-hw",
					     "lower-convs",
					     "inline-functions",
					     "ranges",
					     "fold-constants",
					     "change-batch-size(batch=3)" };
	const struct limits l = limits_for_one();
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		struct diags d = { .limits = &l };
		struct graph *g = graph_read_bytes(bytes, size, "fuzz.onnx", &d);
		if (!g) {
			must_have_said(true, &d);
			return;
		}
		struct pipeline p;
		bool known = pipeline_parse(&p, lists[i], &d) == 0;
		pipeline_free(&p);
		g = known ? run_passes(g, lists[i], &d) : g;
		if (g)
			graph_free(g);
		diags_free(&d);
	}
}

const struct target targets[] = {
	{ "onnx", ".onnx", 0, run_onnx },
	{ "text", ".onnxtxt", 0, run_text },
	{ "lists", ".txt", 0, run_lists },
	{ "npy", ".npy", 0, run_npy },
	{ "npz", ".npz", 0, run_npz },
	{ "config", ".json", 0, run_config },
	{ "lua", ".lua", 0, run_lua },
	{ "encode", ".txt", 0, run_encode },
	{ "fit", ".csv", 0, run_fit },
	{ "dataset", ".txt", 0, run_dataset },
	{ "checkpoint", ".txt", 0, run_checkpoint },
	{ "chain", ".onnx", 1, run_chain },
	{ "passes", ".onnx", 1, run_passes_alone },
};
const size_t target_count = sizeof targets / sizeof *targets;

const struct target *target_find(const char *name)
{
	for (size_t i = 0; i < target_count; i++)
		if (strcmp(targets[i].name, name) == 0)
			return &targets[i];
	return NULL;
}

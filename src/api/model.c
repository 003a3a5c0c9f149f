/* The public face of libqcc (include/qcc/qcc.h): reading, compiling, writing. */
#include "api/api.h"

#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "pipeline/pipeline.h"

const char *qcc_version(void)
{
	return PACKAGE_VERSION;
}

static struct qcc_model *model_new(const char *path)
{
	struct qcc_model *m = xcalloc(1, sizeof *m);
	m->path = xstrdup(path);
	m->diags.file = m->path;
	m->report = report_new(path);
	return m;
}

static struct qcc_model *with_graph(struct qcc_model *m, struct graph *g)
{
	m->graph = g;
	if (g)
		graph_mark_sources(g);
	return m;
}

struct qcc_model *qcc_load(const char *path)
{
	struct qcc_model *m = model_new(path);
	return with_graph(m, graph_read(path, &m->diags));
}

struct qcc_model *qcc_load_memory(const void *bytes, size_t size, const char *name)
{
	struct qcc_model *m = model_new(name);
	return with_graph(m, graph_read_bytes(bytes, size, name, &m->diags));
}

struct qcc_model *qcc_clone(const struct qcc_model *from)
{
	struct qcc_model *m = model_new(from->path);
	m->graph = from->graph ? graph_copy(from->graph) : NULL;
	json_array_extend(m->report->passes, from->report->passes);
	m->verify_samples = from->verify_samples;
	m->certify = from->certify;
	if (!m->graph)
		diag_error(&m->diags, NULL, "the model that was copied could not be read");
	return m;
}

void qcc_free(struct qcc_model *m)
{
	if (!m)
		return;
	if (m->graph)
		graph_free(m->graph);
	report_free(m->report);
	diags_free(&m->diags);
	free(m->messages);
	free(m->json);
	free(m->dot);
	free(m->svg);
	free(m->text);
	free(m->path);
	free(m);
}

int qcc_write(struct qcc_model *m, const char *path)
{
	return m->graph ? graph_write(m->graph, path, &m->diags) : -1;
}

/* ---- progress ---- */

void qcc_set_progress(struct qcc_model *m, qcc_progress_fn *progress, void *user)
{
	m->progress = progress;
	m->user = user;
}

void qcc_cancel(struct qcc_model *m)
{
	atomic_store(&m->cancelled, true);
}

void api_start(struct qcc_model *m)
{
	atomic_store(&m->cancelled, false);
}

bool api_proceed(struct qcc_model *m, const char *what, double done)
{
	if (!atomic_load(&m->cancelled) && (!m->progress || m->progress(m->user, what, done) == 0))
		return true;
	diag_error(&m->diags, NULL, "cancelled");
	return false;
}

static bool before_pass(void *user, const char *pass, double done)
{
	return api_proceed(user, pass, done);
}

/* ---- compiling ---- */

void qcc_set_verify(struct qcc_model *m, int64_t samples)
{
	m->verify_samples = samples > 0 ? samples : 0;
}

void qcc_set_certify(struct qcc_model *m, int certify)
{
	m->certify = certify != 0;
	m->report->certify |= m->certify;
}

static void add_verification(struct verification *sum, const struct verification *one)
{
	if (!one->samples)
		return;
	sum->samples = one->samples;
	sum->compared += one->compared;
	sum->not_compared += one->not_compared;
}

/* The list of all passes so far, for the report. */
static void note_pipeline(struct qcc_model *m, const struct pipeline *p)
{
	struct report *r = m->report;
	char *text = pipeline_print(p);
	r->pipeline = arena_printf(&r->arena, "%s%s%s", r->pipeline, *r->pipeline && *text ? "," : "", text);
	free(text);
}

int qcc_run(struct qcc_model *m, const char *passes)
{
	struct pipeline p;
	struct verification verification = { 0 };
	struct pipeline_options o = { .verify_structure = pipeline_verify_default(),
				      .verify_samples = m->verify_samples,
				      .verification = &verification,
				      .certify = m->certify,
				      .certificates = &m->report->certificates,
				      .proceed = before_pass,
				      .user = m };
	if (!m->graph)
		return -1;
	api_start(m);
	int status = pipeline_parse(&p, passes, &m->diags);
	if (status == 0)
		note_pipeline(m, &p);
	if (status == 0)
		status = pipeline_run(&p, m->graph, &o, m->report->passes, &m->diags);
	add_verification(&m->report->verification, &verification);
	pipeline_free(&p);
	return status;
}

int qcc_emit(struct qcc_model *m, const char *backends, const char *dir)
{
	struct backend_list l;
	if (!m->graph)
		return -1;
	int status = backend_list_parse(&l, backends, &m->diags);
	report_describe(m->report, m->graph);
	if (status == 0)
		status = backend_list_emit_to(&l, m->graph, dir, m->report, &m->diags);
	backend_list_free(&l);
	return status;
}

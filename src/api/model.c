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

static int with_graph(struct qcc_model *m, struct graph *g)
{
	m->graph = g;
	if (g)
		graph_mark_sources(g);
	return g ? 0 : -1;
}

static int load(void *user)
{
	struct api_call *c = user;
	c->m = model_new(c->text);
	return with_graph(c->m, graph_read(c->text, &c->m->diags));
}

static int load_memory(void *user)
{
	struct api_call *c = user;
	c->m = model_new(c->text);
	return with_graph(c->m, graph_read_bytes(c->bytes, c->size, c->text, &c->m->diags));
}

static int clone(void *user)
{
	struct api_call *c = user;
	c->m = model_new(c->from->path);
	c->m->graph = c->from->graph ? graph_copy(c->from->graph) : NULL;
	json_array_extend(c->m->report->passes, c->from->report->passes);
	c->m->verify_samples = c->from->verify_samples;
	c->m->certify = c->from->certify;
	if (!c->m->graph)
		diag_error(&c->m->diags, NULL, "the model that was copied could not be read");
	return 0;
}

/* The model that a call made. Where memory ran out it is one that cannot be used, or, where there was not even enough for
 * that, the same one for all. */
static struct qcc_model *made(int (*work)(void *call), struct api_call *c)
{
	static struct qcc_model nothing = { .no_memory = true };
	c->m = NULL;
	bool failed = api_guarded(work, c, NULL) < 0;
	if (!c->m || !c->m->report)
		return &nothing;
	if (failed && c->m->graph) {
		graph_free(c->m->graph);
		c->m->graph = NULL;
	}
	c->m->no_memory = failed && !c->m->diags.errors;
	return c->m;
}

struct qcc_model *qcc_load(const char *path)
{
	return made(load, &(struct api_call){ .text = path });
}

struct qcc_model *qcc_load_memory(const void *bytes, size_t size, const char *name)
{
	return made(load_memory, &(struct api_call){ .text = name, .bytes = bytes, .size = size });
}

struct qcc_model *qcc_clone(const struct qcc_model *from)
{
	return made(clone, &(struct api_call){ .from = from });
}

void qcc_free(struct qcc_model *m)
{
	if (!m || !m->report) /* what stands for no model */
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

static int write_model(void *user)
{
	const struct api_call *c = user;
	return graph_write(c->m->graph, c->text, &c->m->diags);
}

int qcc_write(struct qcc_model *m, const char *path)
{
	return m->graph ? api_guarded(write_model, &(struct api_call){ .m = m, .text = path }, m) : -1;
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

static int keep_stages(void *user)
{
	struct qcc_model *m = ((const struct api_call *)user)->m;
	m->report->history = history_new();
	history_record(m->report->history, m->graph, "as read");
	return 0;
}

void qcc_keep_stages(struct qcc_model *m)
{
	if (m->graph && !m->report->history)
		api_guarded(keep_stages, &(struct api_call){ .m = m }, m);
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

static int run(void *user)
{
	const struct api_call *c = user;
	struct qcc_model *m = c->m;
	struct pipeline p;
	struct verification verification = { 0 };
	struct pipeline_options o = { .verify_structure = pipeline_verify_default(),
				      .verify_samples = m->verify_samples,
				      .verification = &verification,
				      .certify = m->certify,
				      .certificates = &m->report->certificates,
				      .record = m->report->history ? history_observe : NULL,
				      .recorder = m->report->history,
				      .proceed = before_pass,
				      .user = m };
	api_start(m);
	int status = pipeline_parse(&p, c->text, &m->diags);
	if (status == 0)
		note_pipeline(m, &p);
	if (status == 0)
		status = pipeline_run(&p, m->graph, &o, m->report->passes, &m->diags);
	add_verification(&m->report->verification, &verification);
	pipeline_free(&p);
	return status;
}

int qcc_run(struct qcc_model *m, const char *passes)
{
	return m->graph ? api_guarded(run, &(struct api_call){ .m = m, .text = passes }, m) : -1;
}

static int emit(void *user)
{
	const struct api_call *c = user;
	struct qcc_model *m = c->m;
	struct backend_list l;
	int status = backend_list_parse(&l, c->text, &m->diags);
	report_describe(m->report, m->graph);
	if (status == 0)
		status = backend_list_emit_to(&l, m->graph, c->dir, m->report, &m->diags);
	backend_list_free(&l);
	return status;
}

int qcc_emit(struct qcc_model *m, const char *backends, const char *dir)
{
	return m->graph ? api_guarded(emit, &(struct api_call){ .m = m, .text = backends, .dir = dir }, m) : -1;
}

/* The public face of libqcc (include/qcc/qcc.h) over the parts behind it. */
#include "qcc/qcc.h"

#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "pipeline/pipeline.h"
#include "util/file.h"

struct qcc_model {
	struct graph *graph; /* NULL: reading failed */
	char *path, *messages;
	struct diags diags;
};

const char *qcc_version(void)
{
	return PACKAGE_VERSION;
}

struct qcc_model *qcc_load(const char *path)
{
	struct qcc_model *m = xcalloc(1, sizeof *m);
	m->path = xstrdup(path);
	m->diags.file = m->path;
	m->graph = graph_read(path, &m->diags);
	return m;
}

void qcc_free(struct qcc_model *m)
{
	if (!m)
		return;
	if (m->graph)
		graph_free(m->graph);
	diags_free(&m->diags);
	free(m->messages);
	free(m->path);
	free(m);
}

int qcc_run(struct qcc_model *m, const char *passes)
{
	struct pipeline p;
	struct pipeline_options o = { .verify_structure = pipeline_verify_default() };
	if (!m->graph)
		return -1;
	json_t *report = json_array();
	int status = pipeline_parse(&p, passes, &m->diags);
	if (status == 0)
		status = pipeline_run(&p, m->graph, &o, report, &m->diags);
	pipeline_free(&p);
	json_decref(report);
	return status;
}

int qcc_emit(struct qcc_model *m, const char *backends, const char *dir)
{
	struct backend_list l;
	if (!m->graph)
		return -1;
	struct report *report = report_new(m->path);
	report_describe(report, m->graph);
	int status = backend_list_parse(&l, backends, &m->diags);
	if (status == 0)
		status = backend_list_emit_to(&l, m->graph, dir, report, &m->diags);
	backend_list_free(&l);
	report_free(report);
	return status;
}

int qcc_write(struct qcc_model *m, const char *path)
{
	return m->graph ? graph_write(m->graph, path, &m->diags) : -1;
}

size_t qcc_count(const struct qcc_model *m, const char *op_type)
{
	size_t count = 0;
	if (m->graph)
		graph_for_each_node (m->graph, n)
			count += !op_type || !strcmp(n->op_type, op_type);
	return count;
}

const char *qcc_messages(struct qcc_model *m)
{
	size_t size;
	free(m->messages);
	FILE *f = open_memstream(&m->messages, &size);
	for (const struct diag *diag = m->diags.first; diag; diag = diag->next)
		diag_print(diag, f);
	fclose(f);
	return m->messages;
}

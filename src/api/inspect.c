/* The public face of libqcc: nodes, values, messages, report, pictures. The public types of nodes and values are the
 * graph's own under other names. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "backends/dot/dot.h"
#include "util/strbuf.h"

_Static_assert((int)QCC_DATATYPE_SIZE >= (int)DATATYPE_NAME_SIZE, "names of datatypes fit");

static const struct node *node_of(const struct qcc_node *n)
{
	return (const struct node *)n;
}

static const struct value *value_of(const struct qcc_value *v)
{
	return (const struct value *)v;
}

static const struct qcc_node *public_node(const struct node *n)
{
	return (const struct qcc_node *)n;
}

static const struct qcc_value *public_value(const struct value *v)
{
	return (const struct qcc_value *)v;
}

/* ---- nodes ---- */

size_t qcc_count(const struct qcc_model *m, const char *op_type)
{
	size_t count = 0;
	if (m->graph)
		graph_for_each_node (m->graph, n)
			count += !op_type || !strcmp(n->op_type, op_type);
	return count;
}

const struct qcc_node *qcc_first_node(const struct qcc_model *m)
{
	return public_node(m->graph ? m->graph->first : NULL);
}

const struct qcc_node *qcc_next_node(const struct qcc_node *n)
{
	return public_node(node_of(n)->next);
}

const char *qcc_node_name(const struct qcc_node *n)
{
	return node_label(node_of(n));
}

const char *qcc_node_op_type(const struct qcc_node *n)
{
	return node_of(n)->op_type;
}

const char *qcc_node_domain(const struct qcc_node *n)
{
	return node_of(n)->domain;
}

size_t qcc_node_input_count(const struct qcc_node *n)
{
	return node_of(n)->n_inputs;
}

size_t qcc_node_output_count(const struct qcc_node *n)
{
	return node_of(n)->n_outputs;
}

const struct qcc_value *qcc_node_input(const struct qcc_node *n, size_t i)
{
	return public_value(i < node_of(n)->n_inputs ? node_of(n)->inputs[i].value : NULL);
}

const struct qcc_value *qcc_node_output(const struct qcc_node *n, size_t i)
{
	return public_value(i < node_of(n)->n_outputs ? node_of(n)->outputs[i] : NULL);
}

/* ---- values ---- */

const struct qcc_value *qcc_input(const struct qcc_model *m, size_t i)
{
	for (uint32_t k = 0; m->graph && k < m->graph->n_inputs; k++)
		if (!value_is_constant(m->graph->inputs[k]) && i-- == 0)
			return public_value(m->graph->inputs[k]);
	return NULL;
}

const struct qcc_value *qcc_output(const struct qcc_model *m, size_t i)
{
	return public_value(m->graph && i < m->graph->n_outputs ? m->graph->outputs[i].value : NULL);
}

const char *qcc_output_name(const struct qcc_model *m, size_t i)
{
	return m->graph && i < m->graph->n_outputs ? m->graph->output_names[i] : NULL;
}

const struct qcc_value *qcc_first_value(const struct qcc_model *m)
{
	return public_value(m->graph ? m->graph->values : NULL);
}

const struct qcc_value *qcc_next_value(const struct qcc_value *v)
{
	return public_value(value_of(v)->next);
}

const char *qcc_value_name(const struct qcc_value *v)
{
	return value_of(v)->name;
}

enum qcc_type qcc_value_type(const struct qcc_value *v)
{
	return (enum qcc_type)value_of(v)->elem;
}

const char *qcc_value_datatype(const struct qcc_value *v, char text[QCC_DATATYPE_SIZE])
{
	char name[DATATYPE_NAME_SIZE];
	snprintf(text, QCC_DATATYPE_SIZE, "%s", datatype_name(value_of(v)->datatype, name));
	return text;
}

int qcc_value_rank(const struct qcc_value *v)
{
	return value_of(v)->rank;
}

int64_t qcc_value_dim(const struct qcc_value *v, int axis)
{
	return axis >= 0 && axis < value_of(v)->rank ? value_of(v)->dims[axis] : -1;
}

const struct qcc_node *qcc_value_producer(const struct qcc_value *v)
{
	return public_node(value_of(v)->producer);
}

/* ---- messages ---- */

int qcc_message(const struct qcc_model *m, size_t i, struct qcc_message *out)
{
	const struct diag *d = m->diags.first;
	while (d && i--)
		d = d->next;
	if (d)
		*out = (struct qcc_message){
			(enum qcc_severity)d->severity, d->file, d->node, d->op, d->pass, d->cause, d->remedy
		};
	return d != NULL;
}

static const char no_memory[] = "qcc: error: out of memory\n";

static int print_messages(void *user)
{
	struct qcc_model *m = ((struct api_call *)user)->m;
	size_t size;
	FILE *f = open_memstream(&m->messages, &size);
	for (const struct diag *d = m->diags.first; f && d; d = d->next)
		diag_print(d, f);
	if (f && m->no_memory)
		fputs(no_memory, f);
	return f && fclose(f) == 0 ? 0 : -1;
}

const char *qcc_messages(struct qcc_model *m)
{
	if (!m->report) /* what stands for no model */
		return no_memory;
	free(m->messages);
	m->messages = NULL;
	return api_guarded(print_messages, &(struct api_call){ .m = m }, NULL) == 0 ? m->messages : no_memory;
}

void qcc_clear_messages(struct qcc_model *m)
{
	diags_free(&m->diags);
	m->diags.file = m->path;
}

/* ---- report and pictures ---- */

static int make_report(void *user)
{
	struct qcc_model *m = ((struct api_call *)user)->m;
	report_describe(m->report, m->graph);
	json_t *all = report_json(m->report);
	m->json = json_dumps(all, JSON_INDENT(2));
	json_decref(all);
	return m->json ? 0 : diag_error(&m->diags, NULL, "a name in the report is no UTF-8");
}

static int make_dot(void *user)
{
	struct qcc_model *m = ((struct api_call *)user)->m;
	m->dot = dot_text(m->graph);
	return 0;
}

static int make_svg(void *user)
{
	struct qcc_model *m = ((struct api_call *)user)->m;
	m->svg = dot_svg(m->graph, &m->diags);
	return m->svg ? 0 : -1;
}

static int make_text(void *user)
{
	struct qcc_model *m = ((struct api_call *)user)->m;
	m->text = graph_print(m->graph);
	return 0;
}

/* The text that a call puts where `text` points; NULL where it failed. */
static const char *made(int (*work)(void *call), struct qcc_model *m, char **text)
{
	free(*text);
	*text = NULL;
	if (m->graph && api_guarded(work, &(struct api_call){ .m = m }, m) == 0)
		return *text;
	free(*text);
	return *text = NULL;
}

const char *qcc_report(struct qcc_model *m)
{
	return made(make_report, m, &m->json);
}

const char *qcc_dot(struct qcc_model *m)
{
	return made(make_dot, m, &m->dot);
}

const char *qcc_svg(struct qcc_model *m)
{
	return made(make_svg, m, &m->svg);
}

const char *qcc_text(struct qcc_model *m)
{
	return made(make_text, m, &m->text);
}

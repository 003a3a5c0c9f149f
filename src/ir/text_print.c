/* Printing ONNX's textual form. Canonical: the same graph gives the same text, one node or value a line.
 * QONNX datatypes and layouts follow a type as `:INT2` and `@NHWC`. Metadata, documentation, model-local
 * functions and types that are no tensors are left out: text is for reading and for tests. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/onnx.h"
#include "ir/onnx_names.h"
#include "util/strbuf.h"

enum { MOST_INLINE = 64 }; /* elements of a constant that are printed */

struct printer {
	const struct graph *graph;
	struct strbuf out;
	struct output_names names;
	int64_t most; /* elements of a constant that are printed */
};

/* ---- words ---- */

static bool is_identifier(const char *s)
{
	if (!isalpha((unsigned char)*s) && *s != '_')
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '_')
			return false;
	return true;
}

static void print_quoted(struct strbuf *b, const char *s)
{
	strbuf_puts(b, "\"");
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			strbuf_puts(b, "\\");
		strbuf_add(b, s, 1);
	}
	strbuf_puts(b, "\"");
}

static void print_name(struct strbuf *b, const char *s)
{
	if (is_identifier(s))
		strbuf_puts(b, s);
	else
		print_quoted(b, s);
}

/* The fewest digits that read back as the same number. */
static void print_real(struct strbuf *b, double x, bool single)
{
	char text[40];
	if (isnan(x) || isinf(x)) {
		strbuf_puts(b, isnan(x) ? "nan" : x < 0 ? "-inf" : "inf");
		return;
	}
	for (int digits = single ? 6 : 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, x);
		if (single ? strtof(text, NULL) == (float)x : strtod(text, NULL) == x)
			break;
	}
	strbuf_puts(b, text);
}

/* A float attribute must not look like an integer. */
static void print_float(struct strbuf *b, float x)
{
	size_t start = b->length;
	print_real(b, (double)x, true);
	if (!strpbrk(b->text + start, ".eni"))
		strbuf_puts(b, ".0");
}

/* ---- types and tensors ---- */

static void print_dims(struct strbuf *b, int rank, const int64_t *dims, const char *const *params)
{
	if (rank == 0)
		return;
	strbuf_puts(b, "[");
	for (int i = 0; i < rank; i++) {
		if (i)
			strbuf_puts(b, ",");
		if (dims[i] >= 0)
			strbuf_printf(b, "%lld", (long long)dims[i]);
		else if (params && params[i])
			print_name(b, params[i]);
		else
			strbuf_puts(b, "?");
	}
	strbuf_puts(b, "]");
}

static bool is_typed(const struct value *v)
{
	return v->elem || v->rank >= 0 || v->datatype.kind != DT_NONE || v->layout;
}

static void print_type(struct strbuf *b, const struct value *v)
{
	char name[DATATYPE_NAME_SIZE];
	if (!is_typed(v))
		return;
	strbuf_puts(b, elem_name((enum elem_type)v->elem));
	print_dims(b, v->rank, v->dims, v->extra ? v->extra->dim_params : NULL);
	if (v->datatype.kind != DT_NONE)
		strbuf_printf(b, ":%s", datatype_name(v->datatype, name));
	if (v->layout)
		strbuf_printf(b, "@%s", layout_name((enum layout)v->layout));
	strbuf_puts(b, " ");
}

static void print_element(struct strbuf *b, const struct tensor *t, int64_t i)
{
	enum elem_type elem = (enum elem_type)t->elem;
	if (elem == ELEM_STRING)
		print_quoted(b, tensor_string(t, i));
	else if (elem == ELEM_UINT64)
		strbuf_printf(b, "%llu", (unsigned long long)tensor_int_at(t, i));
	else if (elem_is_integer(elem) || elem == ELEM_BOOL)
		strbuf_printf(b, "%lld", (long long)tensor_int_at(t, i));
	else
		print_real(b, tensor_at(t, i), elem != ELEM_DOUBLE);
}

static void print_elements(struct printer *p, const struct tensor *t)
{
	bool complex = t->elem == ELEM_COMPLEX64 || t->elem == ELEM_COMPLEX128;
	if (t->count > p->most || complex) {
		strbuf_puts(&p->out, "{...}");
		return;
	}
	strbuf_puts(&p->out, "{");
	for (int64_t i = 0; i < t->count; i++) {
		if (i)
			strbuf_puts(&p->out, ",");
		print_element(&p->out, t, i);
	}
	strbuf_puts(&p->out, "}");
}

/* ---- values ---- */

static const char *name_of(const struct printer *p, const struct value *v)
{
	return v ? output_names_of(&p->names, v) : "";
}

static void print_value(struct printer *p, const struct value *v, const char *name, bool with_elements)
{
	print_type(&p->out, v);
	print_name(&p->out, name);
	if (with_elements && v->constant) {
		strbuf_puts(&p->out, " = ");
		print_elements(p, v->constant);
	}
}

static void print_interface(struct printer *p)
{
	const struct graph *g = p->graph;
	print_name(&p->out, g->name);
	strbuf_puts(&p->out, " (");
	for (uint32_t i = 0; i < g->n_inputs; i++) {
		if (i)
			strbuf_puts(&p->out, ", ");
		print_value(p, g->inputs[i], name_of(p, g->inputs[i]), true);
	}
	strbuf_puts(&p->out, ") => (");
	for (uint32_t i = 0; i < g->n_outputs; i++) {
		if (i)
			strbuf_puts(&p->out, ", ");
		print_value(p, g->outputs[i].value, g->output_names[i], false);
	}
	strbuf_puts(&p->out, ")\n");
}

/* One pass of the list of values: constants, or the types of all others. */
static void print_list(struct printer *p, bool constants, bool *first)
{
	for (const struct value *v = p->graph->values; v; v = v->next) {
		bool is_interface = v->is_input || (!v->constant && output_names_taken(&p->names, v));
		if (is_interface || (v->constant != NULL) != constants || !is_typed(v))
			continue;
		strbuf_puts(&p->out, *first ? "<\n  " : ",\n  ");
		*first = false;
		print_value(p, v, name_of(p, v), true);
	}
}

static void print_values(struct printer *p)
{
	bool first = true;
	print_list(p, true, &first);
	print_list(p, false, &first);
	if (!first)
		strbuf_puts(&p->out, "\n>\n");
}

/* ---- nodes ---- */

static const char *attr_kind_name(enum attr_kind kind)
{
	static const char *const names[] = { "undefined",      "float",	     "int",	   "string",
					     "tensor",	       "graph",	     "floats",	   "ints",
					     "strings",	       "tensors",    "graphs",	   "sparse_tensor",
					     "sparse_tensors", "type_proto", "type_protos" };
	return kind < sizeof names / sizeof *names ? names[kind] : names[0];
}

static void print_item(struct strbuf *b, const struct attr *a, size_t i)
{
	if (a->kind == ATTR_FLOATS)
		print_float(b, a->floats[i]);
	else if (a->kind == ATTR_INTS)
		strbuf_printf(b, "%lld", (long long)a->ints[i]);
	else
		print_quoted(b, a->strings[i]);
}

static void print_items(struct strbuf *b, const struct attr *a)
{
	strbuf_puts(b, "[");
	for (size_t i = 0; i < a->count; i++) {
		if (i)
			strbuf_puts(b, ",");
		print_item(b, a, i);
	}
	strbuf_puts(b, "]");
}

static void print_content(struct printer *p, const struct attr *a)
{
	struct strbuf *b = &p->out;
	switch (a->kind) {
	case ATTR_FLOAT: print_float(b, a->f); break;
	case ATTR_INT: strbuf_printf(b, "%lld", (long long)a->i); break;
	case ATTR_STRING: print_quoted(b, a->s); break;
	case ATTR_FLOATS:
	case ATTR_INTS:
	case ATTR_STRINGS: print_items(b, a); break;
	case ATTR_TENSOR:
		strbuf_puts(b, elem_name((enum elem_type)a->t->elem));
		print_dims(b, a->t->rank, a->t->dims, NULL);
		strbuf_puts(b, " ");
		print_elements(p, a->t);
		break;
	default: strbuf_puts(b, "{...}");
	}
}

static void print_attr(struct printer *p, const struct attr *a)
{
	struct strbuf *b = &p->out;
	bool is_list = a->kind == ATTR_FLOATS || a->kind == ATTR_INTS || a->kind == ATTR_STRINGS;
	bool is_plain =
		a->kind == ATTR_FLOAT || a->kind == ATTR_INT || a->kind == ATTR_STRING || a->kind == ATTR_TENSOR;
	print_name(b, a->name);
	if (attr_ref(a) || (is_list && !a->count) || !(is_list || is_plain))
		strbuf_printf(b, ": %s", attr_kind_name(a->kind));
	strbuf_puts(b, " = ");
	if (attr_ref(a)) {
		strbuf_puts(b, "@");
		print_name(b, attr_ref(a));
	} else {
		print_content(p, a);
	}
}

/* A dotted domain is written as it is where each part is an identifier. */
static void print_domain(struct strbuf *b, const char *domain)
{
	const char *s = domain;
	bool plain = isalpha((unsigned char)*s) || *s == '_';
	for (; *s; s++)
		plain &= isalnum((unsigned char)*s) || *s == '_' ||
			 (*s == '.' && (isalpha((unsigned char)s[1]) || s[1] == '_'));
	if (plain)
		strbuf_puts(b, domain);
	else
		print_quoted(b, domain);
}

static void print_operator(struct strbuf *b, const struct node *n)
{
	if (*n->domain) {
		print_domain(b, n->domain);
		strbuf_puts(b, ".");
	}
	print_name(b, n->op_type);
	if (*n->overload) {
		strbuf_puts(b, ":");
		print_name(b, n->overload);
	}
}

static void print_node(struct printer *p, const struct node *n)
{
	struct strbuf *b = &p->out;
	strbuf_puts(b, "  ");
	if (*n->name && !(n->n_outputs && strcmp(n->name, name_of(p, n->outputs[0])) == 0)) {
		strbuf_puts(b, "[");
		print_name(b, n->name);
		strbuf_puts(b, "] ");
	}
	for (uint32_t i = 0; i < n->n_outputs; i++) {
		strbuf_puts(b, i ? ", " : "");
		print_name(b, name_of(p, n->outputs[i]));
	}
	strbuf_puts(b, " = ");
	print_operator(b, n);
	for (const struct attr *a = n->attrs; a; a = a->next) {
		strbuf_puts(b, a == n->attrs ? "<" : ", ");
		print_attr(p, a);
	}
	strbuf_puts(b, n->attrs ? ">(" : "(");
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		strbuf_puts(b, i ? ", " : "");
		print_name(b, name_of(p, n->inputs[i].value));
	}
	strbuf_puts(b, ")\n");
}

static void print_nodes(struct printer *p)
{
	const struct graph *g = p->graph;
	strbuf_puts(&p->out, "{\n");
	for (const struct node *n = g->first; n; n = n->next)
		print_node(p, n);
	for (uint32_t i = 0; i < g->n_outputs; i++) {
		if (!p->names.aliased[i])
			continue;
		strbuf_puts(&p->out, "  ");
		print_name(&p->out, g->output_names[i]);
		strbuf_puts(&p->out, " = Identity(");
		print_name(&p->out, name_of(p, g->outputs[i].value));
		strbuf_puts(&p->out, ")\n");
	}
	strbuf_puts(&p->out, "}\n");
}

/* ---- the model ---- */

static void print_header_text(struct strbuf *b, const char *key, const char *text)
{
	if (!*text)
		return;
	strbuf_printf(b, ", %s: ", key);
	print_quoted(b, text);
}

static void print_header(struct printer *p)
{
	const struct graph *g = p->graph;
	struct strbuf *b = &p->out;
	strbuf_printf(b, "<ir_version: %lld, opset_import: [", (long long)g->ir_version);
	for (const struct opset *o = g->opsets; o; o = o->next) {
		strbuf_puts(b, o == g->opsets ? "" : ", ");
		print_quoted(b, o->domain);
		strbuf_printf(b, " : %lld", (long long)o->version);
	}
	strbuf_puts(b, "]");
	print_header_text(b, "producer_name", g->producer_name);
	print_header_text(b, "producer_version", g->producer_version);
	print_header_text(b, "domain", g->model_domain);
	if (g->model_version)
		strbuf_printf(b, ", model_version: %lld", (long long)g->model_version);
	print_header_text(b, "doc_string", g->model_doc);
	for (const struct property *m = g->metadata; m; m = m->next) {
		strbuf_puts(b, m == g->metadata ? ", metadata_props: [" : ", ");
		print_quoted(b, m->key);
		strbuf_puts(b, " : ");
		print_quoted(b, m->text);
	}
	strbuf_puts(b, g->metadata ? "]>\n" : ">\n");
}

static char *print(const struct graph *g, int64_t most)
{
	struct printer p = { .graph = g, .most = most };
	struct diags ignored = { 0 }; /* names that clash are printed as they are */
	output_names_find(&p.names, g, &ignored);
	diags_free(&ignored);
	print_header(&p);
	print_interface(&p);
	print_values(&p);
	print_nodes(&p);
	output_names_free(&p.names);
	return p.out.text;
}

char *graph_print(const struct graph *g)
{
	return print(g, MOST_INLINE);
}

char *graph_print_all(const struct graph *g)
{
	return print(g, INT64_MAX);
}

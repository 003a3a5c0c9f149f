/* ONNX's textual form (onnx.parser's syntax), with QONNX's annotations behind a type:
 *
 *     <ir_version: 8, opset_import: ["" : 20, "qonnx.custom_op.general" : 2]>
 *     name (float[1,4]:INT2 x) => (float[1,2] y) <float[4,2] w = {1,2,3,4,5,6,7,8}, float[1,2]@NC h>
 *     {
 *       h = MatMul(x, w)
 *       [label] y = Relu(h)
 *     }
 *
 * The header may be left out; then IR version 10, opset 20, QONNX's 2, and 1 for any other domain that
 * occurs. The domain may be shortened to `qonnx`. Model-local functions and subgraphs are not read. */
#include <stdlib.h>
#include <string.h>

#include "ir/onnx.h"
#include "ir/op.h"
#include "ir/text_parse.h"
#include "util/vec.h"

/* ---- values ---- */

static struct value *find_value(struct parser *p)
{
	const char *name = strbuf_text(&p->l.word);
	struct value *v = graph_value(p->graph, name);
	return v ? v : value_new_named(p->graph, name);
}

/* `float[1,4] x` or just `x`; with_elements: perhaps `= {...}` behind it. NULL with the error said. */
static struct value *parse_value(struct parser *p, bool with_elements)
{
	struct lexer *l = &p->l;
	struct type t = { .rank = -1 };
	if (!lex_name(l, "a type or a name"))
		return NULL;
	bool bare = memchr(",)>=", lex_peek(l), 4) != NULL;
	if (!bare && !elem_parse(strbuf_text(&l->word)) && strcmp(strbuf_text(&l->word), "undefined") != 0) {
		lex_error(l, "'%s' is no type of tensor elements", strbuf_text(&l->word));
		return NULL;
	}
	if (!bare && (!text_type(p, &t) || !lex_name(l, "a name")))
		return NULL;
	struct value *v = find_value(p);
	if (!bare)
		text_set_type(p, v, &t);
	if (!with_elements || !lex_accept(l, '='))
		return v;
	if (v->constant) {
		lex_error(l, "'%s' is defined twice", v->name);
		return NULL;
	}
	v->constant = text_elements(p, &t, v->name);
	return v->constant ? v : NULL;
}

static bool parse_inputs(struct parser *p)
{
	if (!lex_expect(&p->l, '('))
		return false;
	while (!lex_accept(&p->l, ')')) {
		if (p->graph->n_inputs && !lex_expect(&p->l, ','))
			return false;
		struct value *v = parse_value(p, true);
		if (!v)
			return false;
		if (v->is_input)
			return lex_error(&p->l, "'%s' is defined twice", v->name);
		graph_add_input(p->graph, v);
	}
	return true;
}

static bool parse_outputs(struct parser *p)
{
	if (!lex_expect(&p->l, '('))
		return false;
	while (!lex_accept(&p->l, ')')) {
		if (p->graph->n_outputs && !lex_expect(&p->l, ','))
			return false;
		struct value *v = parse_value(p, false);
		if (!v)
			return false;
		graph_add_output(p->graph, v, v->name);
	}
	return true;
}

static bool parse_value_list(struct parser *p)
{
	if (!lex_accept(&p->l, '<') || lex_accept(&p->l, '>'))
		return true;
	do
		if (!parse_value(p, true))
			return false;
	while (lex_accept(&p->l, ','));
	return lex_expect(&p->l, '>');
}

/* ---- nodes ---- */

struct head { /* of a node, before it is made */
	const char *label, *domain, *op_type, *overload;
	struct attr *attrs;
};

static bool parse_label(struct parser *p, struct head *h)
{
	h->label = "";
	if (!lex_accept(&p->l, '['))
		return true;
	if (!lex_name(&p->l, "the node's name"))
		return false;
	h->label = arena_strdup(&p->graph->arena, strbuf_text(&p->l.word));
	return lex_expect(&p->l, ']');
}

static bool parse_node_outputs(struct parser *p)
{
	p->outputs.count = 0;
	do {
		if (!lex_name(&p->l, "the name of an output"))
			return false;
		struct value *v = *strbuf_text(&p->l.word) ? find_value(p) : NULL;
		if (v && (v->producer || v->constant || v->is_input))
			return lex_error(&p->l, "'%s' is defined twice", v->name);
		for (size_t i = 0; v && i < p->outputs.count; i++)
			if (p->outputs.items[i] == v)
				return lex_error(&p->l, "'%s' is defined twice", v->name);
		vec_push(&p->outputs, v);
	} while (lex_accept(&p->l, ','));
	return lex_expect(&p->l, '=');
}

/* Everything before the last point is the domain. */
static bool parse_operator(struct parser *p, struct head *h)
{
	struct lexer *l = &p->l;
	struct arena *a = &p->graph->arena;
	h->domain = "";
	if (!lex_name(l, "an operator"))
		return false;
	h->op_type = arena_strdup(a, strbuf_text(&l->word));
	while (lex_accept(l, '.')) {
		h->domain = *h->domain ? arena_printf(a, "%s.%s", h->domain, h->op_type) : h->op_type;
		if (!lex_name(l, "an operator"))
			return false;
		h->op_type = arena_strdup(a, strbuf_text(&l->word));
	}
	if (strcmp(h->domain, "qonnx") == 0)
		h->domain = DOMAIN_QONNX;
	h->overload = "";
	if (!lex_accept(l, ':'))
		return true;
	if (!lex_name(l, "an overload"))
		return false;
	h->overload = arena_strdup(a, strbuf_text(&l->word));
	return true;
}

static bool parse_node_inputs(struct parser *p)
{
	struct lexer *l = &p->l;
	p->inputs.count = 0;
	if (!lex_expect(l, '('))
		return false;
	if (lex_accept(l, ')'))
		return true;
	do {
		bool omitted = lex_peek(l) == ',' || lex_peek(l) == ')';
		if (!omitted && !lex_name(l, "the name of an input"))
			return false;
		vec_push(&p->inputs, omitted || !*strbuf_text(&l->word) ? NULL : find_value(p));
	} while (lex_accept(l, ','));
	return lex_expect(l, ')');
}

static bool parse_head(struct parser *p, struct head *h)
{
	return parse_label(p, h) && parse_node_outputs(p) && parse_operator(p, h) && text_attrs(p, &h->attrs) &&
	       parse_node_inputs(p) && text_attrs(p, &h->attrs);
}

static bool parse_node(struct parser *p)
{
	struct head h = { 0 };
	if (!parse_head(p, &h)) {
		for (struct attr *a = h.attrs; a; a = a->next)
			tensor_unref(a->kind == ATTR_TENSOR ? a->t : NULL);
		return false;
	}
	struct node *n = node_new_with(p->graph, NULL, h.domain, h.op_type, p->inputs.items, p->inputs.count,
				       p->outputs.items, p->outputs.count, h.label);
	n->overload = h.overload;
	n->attrs = h.attrs;
	for (const struct attr *a = n->attrs; a && n->op; a = a->next)
		if (!attr_fits(a))
			return lex_error(&p->l, "attribute '%s' of '%s' holds %s", a->name, node_label(n), ATTR_LIMITS);
	if (p->default_opsets && *h.domain && !graph_opset(p->graph, h.domain))
		graph_set_opset(p->graph, h.domain, 1);
	return true;
}

/* ---- the model ---- */

static bool parse_opsets(struct parser *p)
{
	struct lexer *l = &p->l;
	int64_t version;
	if (!lex_expect(l, '['))
		return false;
	while (!lex_accept(l, ']')) {
		if (p->graph->opsets && !lex_expect(l, ','))
			return false;
		if (!lex_string(l) || !lex_expect(l, ':'))
			return false;
		const char *domain = arena_strdup(&p->graph->arena, strbuf_text(&l->word));
		if (!lex_integer(l, &version))
			return false;
		graph_set_opset(p->graph, domain, version);
	}
	return true;
}

static bool parse_metadata(struct parser *p)
{
	struct lexer *l = &p->l;
	if (!lex_expect(l, '['))
		return false;
	while (!lex_accept(l, ']')) {
		if (p->graph->metadata && !lex_expect(l, ','))
			return false;
		if (!lex_string(l) || !lex_expect(l, ':'))
			return false;
		const char *key = arena_strdup(&p->graph->arena, strbuf_text(&l->word));
		if (!lex_string(l))
			return false;
		property_add(p->graph, &p->graph->metadata, key, strbuf_text(&l->word));
	}
	return true;
}

static bool parse_text_entry(struct parser *p, const char **to)
{
	if (!lex_string(&p->l))
		return false;
	*to = arena_strdup(&p->graph->arena, strbuf_text(&p->l.word));
	return true;
}

static bool parse_header_entry(struct parser *p)
{
	struct lexer *l = &p->l;
	struct graph *g = p->graph;
	if (!lex_name(l, "an entry of the header"))
		return false;
	const char *key = arena_strdup(&g->arena, strbuf_text(&l->word));
	if (!lex_expect(l, ':'))
		return false;
	if (strcmp(key, "ir_version") == 0)
		return lex_integer(l, &g->ir_version);
	if (strcmp(key, "model_version") == 0)
		return lex_integer(l, &g->model_version);
	if (strcmp(key, "opset_import") == 0)
		return parse_opsets(p);
	if (strcmp(key, "metadata_props") == 0)
		return parse_metadata(p);
	if (strcmp(key, "producer_name") == 0)
		return parse_text_entry(p, &g->producer_name);
	if (strcmp(key, "producer_version") == 0)
		return parse_text_entry(p, &g->producer_version);
	if (strcmp(key, "domain") == 0)
		return parse_text_entry(p, &g->model_domain);
	if (strcmp(key, "doc_string") == 0)
		return parse_text_entry(p, &g->model_doc);
	return lex_error(l, "'%s' is no entry of the header", key);
}

static bool parse_header(struct parser *p)
{
	if (!lex_accept(&p->l, '<')) {
		p->default_opsets = true;
		graph_set_opset(p->graph, "", 20);
		graph_set_opset(p->graph, DOMAIN_QONNX, 2);
		return true;
	}
	if (lex_accept(&p->l, '>'))
		return true;
	do
		if (!parse_header_entry(p))
			return false;
	while (lex_accept(&p->l, ','));
	return lex_expect(&p->l, '>');
}

static bool parse_body(struct parser *p)
{
	struct lexer *l = &p->l;
	if (!lex_expect(l, '{'))
		return false;
	while (!lex_accept(l, '}'))
		if (!parse_node(p))
			return false;
	return !lex_peek(l) || lex_error(l, "the end of the text expected; functions are not read from text");
}

static bool parse_model(struct parser *p)
{
	struct lexer *l = &p->l;
	if (!parse_header(p) || !lex_name(l, "the name of the graph"))
		return false;
	p->graph->name = arena_strdup(&p->graph->arena, strbuf_text(&l->word));
	if (!parse_inputs(p))
		return false;
	if (!lex_accept_word(l, "=>"))
		return lex_error(l, "'=>' expected");
	return parse_outputs(p) && parse_value_list(p) && parse_body(p) &&
	       onnx_check_defined(p->graph, NULL, l->diags) == 0 && graph_sort(p->graph, l->diags) == 0;
}

struct graph *graph_parse(const char *text, const char *file, struct diags *d)
{
	struct parser p = { .l = { .text = text, .at = text, .end = text + strlen(text), .diags = d },
			    .graph = graph_new() };
	const char *context = d->file;
	if (file)
		d->file = file;
	p.graph->file = arena_strdup(&p.graph->arena, file ? file : "");
	bool good = parse_model(&p);
	d->file = context;
	strbuf_free(&p.l.word);
	vec_free(&p.inputs);
	vec_free(&p.outputs);
	if (good)
		return p.graph;
	graph_free(p.graph);
	return NULL;
}

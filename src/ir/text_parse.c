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
#include "ir/text_lex.h"
#include "ops/op.h"
#include "util/vec.h"

struct parser {
	struct lexer l;
	struct graph *graph;
	bool default_opsets;
	struct { struct value **items; size_t count, capacity; } inputs, outputs;
};

/* ---- types ---- */

struct type {
	enum elem_type elem;
	int rank;
	int64_t dims[MAX_RANK];
	const char *params[MAX_RANK];
	bool is_symbolic;
	struct datatype datatype;
	enum layout layout;
};

static bool parse_dim(struct parser *p, struct type *t)
{
	struct lexer *l = &p->l;
	if (t->rank == MAX_RANK)
		return lex_error(l, "at most %d dimensions are possible", MAX_RANK);
	int64_t *dim = &t->dims[t->rank];
	*dim = -1;
	t->params[t->rank] = NULL;
	if (lex_is_name(l)) {
		if (!lex_name(l, "a dimension"))
			return false;
		t->params[t->rank] = arena_strdup(&p->graph->arena, strbuf_text(&l->word));
		t->is_symbolic = true;
	} else if (!lex_accept(l, '?')) {
		if (!lex_integer(l, dim))
			return false;
		if (*dim < 0)
			return lex_error(l, "a dimension must not be negative");
	}
	t->rank++;
	return true;
}

/* `float` is a scalar, `float[]` of unknown rank. */
static bool parse_dims(struct parser *p, struct type *t)
{
	t->rank = 0;
	if (!lex_accept(&p->l, '['))
		return true;
	if (lex_accept(&p->l, ']')) {
		t->rank = -1;
		return true;
	}
	do
		if (!parse_dim(p, t))
			return false;
	while (lex_accept(&p->l, ','));
	return lex_expect(&p->l, ']');
}

/* `:INT2`, `:FIXED<8,3>`, `@NHWC`; both may be absent. */
static bool parse_annotations(struct parser *p, struct type *t)
{
	struct lexer *l = &p->l;
	if (lex_accept(l, ':')) {
		if (!lex_name(l, "a datatype"))
			return false;
		if (*l->at == '<') {
			size_t n = strcspn(l->at, ">\n");
			strbuf_add(&l->word, l->at, l->at[n] == '>' ? n + 1 : n);
			l->at += l->at[n] == '>' ? n + 1 : n;
		}
		if (!datatype_parse(strbuf_text(&l->word), &t->datatype))
			return lex_error(l, "'%s' is no datatype", strbuf_text(&l->word));
	}
	if (!lex_accept(l, '@'))
		return true;
	if (!lex_name(l, "a layout"))
		return false;
	t->layout = layout_parse(strbuf_text(&l->word));
	return t->layout || lex_error(l, "'%s' is no layout", strbuf_text(&l->word));
}

/* What follows the element type's name, which is in l->word. */
static bool parse_type(struct parser *p, struct type *t)
{
	*t = (struct type){ .elem = elem_parse(strbuf_text(&p->l.word)) };
	return parse_dims(p, t) && parse_annotations(p, t);
}

static void set_type(struct parser *p, struct value *v, const struct type *t)
{
	struct graph *g = p->graph;
	v->datatype = t->datatype;
	v->layout = (uint8_t)t->layout;
	v->is_declared = true;
	value_set_type(g, v, t->elem, t->rank, t->dims);
	if (t->is_symbolic)
		value_extra(g, v)->dim_params = arena_copy(&g->arena, t->params,
							   (size_t)t->rank * sizeof *t->params);
}

/* ---- elements ---- */

static bool put_number(struct parser *p, struct tensor *t, int64_t i)
{
	struct lexer *l = &p->l;
	double real;
	int64_t integer;
	bool is_real;
	enum elem_type elem = (enum elem_type)t->elem;
	if (t->elem == ELEM_BOOL && lex_is_name(l)) {
		integer = lex_accept_word(l, "true");
		if (!integer && !lex_accept_word(l, "false"))
			return lex_error(l, "true or false expected");
		((uint8_t *)t->data)[i] = (uint8_t)integer;
		return true;
	}
	if (!lex_number(l, &real, &integer, &is_real))
		return false;
	if (elem == ELEM_FLOAT) {
		((float *)t->data)[i] = (float)real;
		return true;
	}
	if (elem_is_float(elem)) {
		tensor_put(t, i, real);
		return true;
	}
	if (is_real)
		return lex_error(l, "an integer expected");
	if (elem == ELEM_INT64 || elem == ELEM_UINT64) {
		((int64_t *)t->data)[i] = integer;
		return true;
	}
	tensor_put(t, i, (double)integer);
	return tensor_int_at(t, i) == integer || lex_error(l, "%lld does not fit into %s", (long long)integer,
							   elem_name(elem));
}

static bool put_element(struct parser *p, struct tensor *t, int64_t i)
{
	if (t->elem != ELEM_STRING)
		return put_number(p, t, i);
	if (!lex_string(&p->l))
		return false;
	((char **)t->data)[i] = xstrdup(strbuf_text(&p->l.word));
	return true;
}

static bool put_elements(struct parser *p, struct tensor *t)
{
	for (int64_t i = 0; i < t->count; i++) {
		if (i && lex_peek(&p->l) == '}')
			return lex_error(&p->l, "%lld elements expected, not %lld", (long long)t->count, (long long)i);
		if ((i && !lex_expect(&p->l, ',')) || !put_element(p, t, i))
			return false;
	}
	if (lex_peek(&p->l) == ',')
		return lex_error(&p->l, "no more than %lld elements expected", (long long)t->count);
	return lex_expect(&p->l, '}');
}

/* `{1,2,3}`; NULL with the error said. */
static struct tensor *parse_elements(struct parser *p, const struct type *t, const char *name)
{
	struct lexer *l = &p->l;
	if (!lex_expect(l, '{'))
		return NULL;
	if (lex_accept_word(l, "...")) {
		lex_error(l, "the elements of '%s' were left out when this text was printed", name);
		return NULL;
	}
	bool complex = t->elem == ELEM_COMPLEX64 || t->elem == ELEM_COMPLEX128;
	int64_t count = t->rank < 0 || t->is_symbolic || complex ? -1 : shape_count(t->rank, t->dims, t->elem);
	if (count < 0 || (size_t)count > strlen(l->at)) {	/* an element takes a character at least */
		lex_error(l, "'%s' needs a type and a shape that fit its elements", name);
		return NULL;
	}
	struct tensor *tensor = tensor_new(t->elem, t->rank, t->dims);
	if (!tensor || put_elements(p, tensor))
		return tensor;
	tensor_unref(tensor);
	return NULL;
}

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
	if (!bare && (!parse_type(p, &t) || !lex_name(l, "a name")))
		return NULL;
	struct value *v = find_value(p);
	if (!bare)
		set_type(p, v, &t);
	if (!with_elements || !lex_accept(l, '='))
		return v;
	if (v->constant) {
		lex_error(l, "'%s' is defined twice", v->name);
		return NULL;
	}
	v->constant = parse_elements(p, &t, v->name);
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

/* ---- attributes ---- */

struct items {
	struct { double *items; size_t count, capacity; } reals;
	struct { int64_t *items; size_t count, capacity; } ints;
	struct { const char **items; size_t count, capacity; } strings;
	bool is_real;
};

static bool parse_item(struct parser *p, struct items *x)
{
	struct lexer *l = &p->l;
	double real;
	int64_t integer;
	bool is_real;
	if (lex_peek(l) == '"') {
		if (!lex_string(l))
			return false;
		vec_push(&x->strings, arena_strdup(&p->graph->arena, strbuf_text(&l->word)));
		return true;
	}
	if (!lex_number(l, &real, &integer, &is_real))
		return false;
	x->is_real |= is_real;
	vec_push(&x->reals, real);
	vec_push(&x->ints, integer);
	return true;
}

static bool parse_items(struct parser *p, struct items *x)
{
	if (lex_accept(&p->l, ']'))
		return true;
	do
		if (!parse_item(p, x))
			return false;
	while (lex_accept(&p->l, ','));
	return lex_expect(&p->l, ']');
}

static void free_items(struct items *x)
{
	vec_free(&x->reals);
	vec_free(&x->ints);
	vec_free(&x->strings);
}

/* Moves one or several items into the attribute, as the kind that was named or that they show. */
static bool store_items(struct parser *p, struct attr *a, const struct items *x, bool is_list)
{
	struct arena *arena = &p->graph->arena;
	if (x->strings.count && x->reals.count)
		return lex_error(&p->l, "strings and numbers cannot be mixed");
	enum attr_kind kind = x->strings.count ? ATTR_STRING : x->is_real ? ATTR_FLOAT : ATTR_INT;
	if (is_list)
		kind = (enum attr_kind)(kind + (ATTR_FLOATS - ATTR_FLOAT));
	if (!a->kind)
		a->kind = kind;
	bool widened = (a->kind == ATTR_FLOAT && kind == ATTR_INT) || (a->kind == ATTR_FLOATS && kind == ATTR_INTS);
	bool empty = is_list && !x->strings.count && !x->reals.count &&
		     (a->kind == ATTR_FLOATS || a->kind == ATTR_INTS || a->kind == ATTR_STRINGS);
	if (a->kind != kind && !widened && !empty)
		return lex_error(&p->l, "the value of '%s' is of another kind than it says", a->name);
	a->count = x->strings.count ? x->strings.count : x->reals.count;
	if (a->kind == ATTR_STRINGS) {
		a->strings = arena_copy(arena, x->strings.items, a->count * sizeof *x->strings.items);
	} else if (a->kind == ATTR_INTS) {
		a->ints = arena_copy(arena, x->ints.items, a->count * sizeof *x->ints.items);
	} else if (a->kind == ATTR_FLOATS) {
		float *floats = arena_array(arena, float, a->count);
		for (size_t i = 0; i < a->count; i++)
			floats[i] = (float)x->reals.items[i];
		a->floats = floats;
	} else if (a->kind == ATTR_STRING) {
		a->s = x->strings.items[0];
		a->count = strlen(a->s);
	} else if (a->kind == ATTR_INT) {
		a->i = x->ints.items[0];
	} else {
		a->f = (float)x->reals.items[0];
	}
	return true;
}

/* `float[2] {1,2}`, with an optional name or = before the elements, which carries no meaning. */
static bool parse_tensor_attr(struct parser *p, struct attr *a)
{
	struct type t;
	if (!lex_name(&p->l, "a value"))
		return false;
	if (!elem_parse(strbuf_text(&p->l.word)))
		return lex_error(&p->l, "'%s' is no value that an attribute can have in text", strbuf_text(&p->l.word));
	if (!parse_type(p, &t) || (lex_is_name(&p->l) && !lex_name(&p->l, "a name")))
		return false;
	lex_accept(&p->l, '=');
	a->kind = ATTR_TENSOR;
	a->count = 1;
	a->t = parse_elements(p, &t, a->name);
	return a->t != NULL;
}

static bool at_real_word(struct lexer *l)
{
	lex_peek(l);
	return strncmp(l->at, "inf", 3) == 0 || strncmp(l->at, "nan", 3) == 0;
}

static bool parse_attr_value(struct parser *p, struct attr *a)
{
	struct lexer *l = &p->l;
	struct items x = { 0 };
	if (lex_accept(l, '@')) {
		if (!a->kind)
			return lex_error(l, "'%s' stands for another attribute: say its kind", a->name);
		if (!lex_name(l, "the name of an attribute"))
			return false;
		a->ref_attr_name = arena_strdup(&p->graph->arena, strbuf_text(&l->word));
		return a->kind != ATTR_TENSOR || (a->t = tensor_scalar(0)) != NULL;
	}
	if (lex_peek(l) == '{')
		return lex_error(l, "the value of '%s' was left out when this text was printed", a->name);
	if (lex_is_name(l) && *l->at != '"' && !at_real_word(l))
		return parse_tensor_attr(p, a);
	bool is_list = lex_accept(l, '[');
	bool good = (is_list ? parse_items(p, &x) : parse_item(p, &x)) && store_items(p, a, &x, is_list);
	free_items(&x);
	return good;
}

static bool parse_attr_kind(struct parser *p, struct attr *a)
{
	static const struct {
		const char *name;
		enum attr_kind kind;
	} kinds[] = {
		{ "float", ATTR_FLOAT }, { "int", ATTR_INT }, { "string", ATTR_STRING }, { "tensor", ATTR_TENSOR },
		{ "floats", ATTR_FLOATS }, { "ints", ATTR_INTS }, { "strings", ATTR_STRINGS },
		{ "graph", ATTR_GRAPH }, { "graphs", ATTR_GRAPHS }, { "tensors", ATTR_TENSORS },
	};
	if (!lex_name(&p->l, "the kind of an attribute"))
		return false;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, strbuf_text(&p->l.word)) == 0)
			a->kind = kinds[i].kind;
	return a->kind || lex_error(&p->l, "'%s' is no kind of attribute", strbuf_text(&p->l.word));
}

static bool parse_attr(struct parser *p, struct attr *a)
{
	if (!lex_name(&p->l, "the name of an attribute"))
		return false;
	a->name = arena_strdup(&p->graph->arena, strbuf_text(&p->l.word));
	if (lex_accept(&p->l, ':') && !parse_attr_kind(p, a))
		return false;
	return lex_expect(&p->l, '=') && parse_attr_value(p, a);
}

static void append_attr(struct attr **list, struct attr *a)
{
	while (*list)
		list = &(*list)->next;
	*list = a;
}

static bool parse_attrs(struct parser *p, struct attr **list)
{
	if (!lex_accept(&p->l, '<') || lex_accept(&p->l, '>'))
		return true;
	do {
		struct attr *a = arena_new(&p->graph->arena, struct attr);
		if (!parse_attr(p, a)) {
			tensor_unref(a->kind == ATTR_TENSOR ? a->t : NULL);
			return false;
		}
		append_attr(list, a);
	} while (lex_accept(&p->l, ','));
	return lex_expect(&p->l, '>');
}

/* ---- nodes ---- */

struct head {	/* of a node, before it is made */
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
	return parse_label(p, h) && parse_node_outputs(p) && parse_operator(p, h) && parse_attrs(p, &h->attrs) &&
	       parse_node_inputs(p) && parse_attrs(p, &h->attrs);
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
	struct parser p = { .l = { .text = text, .at = text, .diags = d }, .graph = graph_new() };
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

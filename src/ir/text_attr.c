/* Reading attributes of nodes from ONNX's textual form. */
#include <stdlib.h>
#include <string.h>

#include "ir/text_parse.h"
#include "util/vec.h"

struct items {
	struct {
		double *items;
		size_t count, capacity;
	} reals;
	struct {
		int64_t *items;
		size_t count, capacity;
	} ints;
	struct {
		const char **items;
		size_t count, capacity;
	} strings;
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
	a->count = (uint32_t)(x->strings.count ? x->strings.count : x->reals.count);
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
		a->count = (uint32_t)strlen(a->s);
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
	if (!text_type(p, &t) || (lex_is_name(&p->l) && !lex_name(&p->l, "a name")))
		return false;
	lex_accept(&p->l, '=');
	a->kind = ATTR_TENSOR;
	a->count = 1;
	a->t = text_elements(p, &t, a->name);
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
		attr_extra(&p->graph->arena, a)->ref_attr_name = arena_strdup(&p->graph->arena, strbuf_text(&l->word));
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
		{ "float", ATTR_FLOAT },     { "int", ATTR_INT },	{ "string", ATTR_STRING },
		{ "tensor", ATTR_TENSOR },   { "floats", ATTR_FLOATS }, { "ints", ATTR_INTS },
		{ "strings", ATTR_STRINGS }, { "graph", ATTR_GRAPH },	{ "graphs", ATTR_GRAPHS },
		{ "tensors", ATTR_TENSORS },
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

bool text_attrs(struct parser *p, struct attr **list)
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

/* Reading types and the elements of constants from ONNX's textual form. */
#include <stdlib.h>
#include <string.h>

#include "ir/text_parse.h"

/* ---- types ---- */

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

bool text_type(struct parser *p, struct type *t)
{
	*t = (struct type){ .elem = elem_parse(strbuf_text(&p->l.word)) };
	if (!parse_dims(p, t))
		return false;
	if (!shape_fits(t->rank, t->dims))
		return lex_error(&p->l, "the shape is too large: %s", SHAPE_LIMITS);
	return parse_annotations(p, t);
}

void text_set_type(struct parser *p, struct value *v, const struct type *t)
{
	struct graph *g = p->graph;
	v->datatype = t->datatype;
	v->layout = (uint8_t)t->layout;
	v->is_declared = true;
	value_set_type(g, v, t->elem, t->rank, t->dims);
	if (t->is_symbolic)
		value_extra(g, v)->dim_params = arena_copy(&g->arena, t->params, (size_t)t->rank * sizeof *t->params);
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
	return tensor_int_at(t, i) == integer ||
	       lex_error(l, "%lld does not fit into %s", (long long)integer, elem_name(elem));
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

struct tensor *text_elements(struct parser *p, const struct type *t, const char *name)
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
	if (count < 0 || count > l->end - l->at) { /* an element takes a character at least */
		lex_error(l, "'%s' needs a type and a shape that fit its elements", name);
		return NULL;
	}
	struct tensor *tensor = tensor_try_new(t->elem, t->rank, t->dims);
	if (!tensor || put_elements(p, tensor))
		return tensor;
	tensor_unref(tensor);
	return NULL;
}

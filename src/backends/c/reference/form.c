/* Layers that are an operator's own form (ops/form.h): its statements over the buffers' memories. */
#include "backends/c/reference/kernels.h"
#include "ops/form.h"

#include <string.h>

struct forming {
	struct emit *emit;
	const struct plan_layer *layer;
};

/* Which of the layer's operands input i is: constants and omitted ones are none. */
static size_t operand_number(const struct node *n, size_t input)
{
	size_t k = 0;
	for (size_t i = 0; i < input; i++)
		k += node_input(n, i) && !value_is_constant(node_input(n, i));
	return k;
}

static const char *integer_literal(struct emit *e, int64_t x)
{
	if (x == INT64_MIN)
		return "INT64_MIN";
	return arena_printf(e->arena, x > INT32_MAX || x < -INT32_MAX ? "%lldLL" : "%lld", LL(x));
}

/* An element as an integer; those of uint64 as bits. */
static int64_t integer_of(const struct tensor *t, int64_t i)
{
	if (t->elem == ELEM_UINT64)
		return (int64_t)((const uint64_t *)t->data)[i];
	return t->elem == ELEM_BOOL ? tensor_at(t, i) != 0 : (int64_t)tensor_int_at(t, i);
}

static const char *constant_element(struct emit *e, const struct plan_layer *l, size_t input, const char *index)
{
	const struct tensor *t = node_input(l->node, input)->constant;
	size_t n = (size_t)t->count;
	if (elem_is_float((enum elem_type)t->elem)) {
		if (n == 1)
			return float_text(e, tensor_at(t, 0));
		float *v = arena_array(e->arena, float, n + 1);
		for (size_t i = 0; i < n; i++)
			v[i] = (float)tensor_at(t, (int64_t)i);
		return arena_printf(e->arena, "%s[%s]", emit_array(e, ARRAY_F32, v, n, "%s_k%zu", l->name, input),
				    index);
	}
	int64_t *v = arena_array(e->arena, int64_t, n + 1);
	for (size_t i = 0; i < n; i++)
		v[i] = integer_of(t, (int64_t)i);
	if (n == 1)
		return integer_literal(e, v[0]);
	return arena_printf(e->arena, "%s[%s]", emit_ints(e, v, n, NULL, "%s_k%zu", l->name, input), index);
}

static const char *load(struct op_form *f, size_t input, const char *index)
{
	struct forming *user = f->user;
	struct emit *e = user->emit;
	const struct value *v = node_input(f->node, input);
	const char *type = form_ctype((enum elem_type)v->elem);
	if (value_is_constant(v))
		return arena_printf(e->arena, "(%s)%s", type, constant_element(e, user->layer, input, index));
	size_t k = operand_number(f->node, input);
	const struct plan_buf *b = user->layer->in[k];
	const char *x = arena_printf(e->arena, "%s[%s]", ref_operand(e, user->layer, k), index);
	return b->real && v->elem != ELEM_DOUBLE
		       ? x
		       : arena_printf(e->arena, "(%s)%s", type, b->real ? x : ref_value(e, b, x));
}

static const char *stored(struct op_form *f, size_t output, const char *index)
{
	struct forming *user = f->user;
	struct emit *e = user->emit;
	const struct plan_buf *b = output ? user->layer->more[output - 1] : user->layer->out;
	const char *type = form_ctype((enum elem_type)f->node->outputs[output]->elem);
	const char *y = arena_printf(e->arena, "out%zu[%s]", output, index);
	return arena_printf(e->arena, "(%s)%s", type, b->real ? y : ref_value(e, b, y));
}

static const char *store(struct op_form *f, size_t output, const char *index, const char *value)
{
	struct forming *user = f->user;
	struct emit *e = user->emit;
	const struct plan_layer *l = user->layer;
	const struct plan_buf *b = output ? l->more[output - 1] : l->out;
	if (!b)
		return arena_printf(e->arena, "(void)(%s);", value);
	const char *element = b->real ? arena_printf(e->arena, "(float)(%s)", value) : ref_element(e, b, value);
	return arena_printf(e->arena, "out%zu[%s] = %s;", output, index, element);
}

static const char *integers(struct op_form *f, const char *name, const int64_t *v, int64_t count)
{
	const struct forming *user = f->user;
	return emit_ints(user->emit, v, (size_t)count, NULL, "%s_%s", user->layer->name, name);
}

static const char *reals(struct op_form *f, const char *name, const double *v, int64_t count)
{
	const struct forming *user = f->user;
	struct emit *e = user->emit;
	float *to = arena_array(e->arena, float, count + 1);
	for (int64_t i = 0; i < count; i++)
		to[i] = (float)v[i];
	return emit_array(e, ARRAY_F32, to, (size_t)count, "%s_%s", user->layer->name, name);
}

/* Operands of which the operator needs no element. */
static void unused_operands(struct emit *e, const struct plan_layer *l, const char *text)
{
	for (size_t i = 0; i < l->n_in; i++) {
		const char *name = ref_operand(e, l, i);
		if (!strstr(text, arena_printf(e->arena, "%s[", name)))
			strbuf_printf(e->code, "\t(void)%s;\n", name);
	}
}

void ref_form(struct emit *e, const struct plan_layer *l)
{
	static const char include[] = "#include <tgmath.h>\n";
	struct strbuf text = { 0 };
	struct forming user = { e, l };
	struct op_form f = { .node = l->node,
			     .opset = node_opset(l->node),
			     .arena = e->arena,
			     .text = &text,
			     .indent = 1,
			     .user = &user,
			     .load = load,
			     .store = store,
			     .stored = stored,
			     .integers = integers,
			     .reals = reals };
	if (!strstr(strbuf_text(&e->out->includes), include))
		strbuf_puts(&e->out->includes, include);
	l->node->op->form(&f);
	ref_open(e, l);
	unused_operands(e, l, strbuf_text(&text));
	strbuf_puts(e->code, strbuf_text(&text));
	ref_close(e);
	strbuf_free(&text);
}

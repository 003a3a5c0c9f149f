/* Nodes that no better layer computes: their operator's own form (ops/form.h), over operands in the graph's order. */
#include "plan/lower.h"
#include "ops/form.h"
#include "ops/ranges.h"

static const char *load_nothing(struct op_form *f, size_t input, const char *index)
{
	(void)f, (void)input, (void)index;
	return "0";
}

static const char *store_nothing(struct op_form *f, size_t output, const char *index, const char *value)
{
	(void)f, (void)output, (void)index, (void)value;
	return "";
}

static const char *integers_nowhere(struct op_form *f, const char *name, const int64_t *v, int64_t count)
{
	(void)f, (void)v, (void)count;
	return name;
}

static const char *reals_nowhere(struct op_form *f, const char *name, const double *v, int64_t count)
{
	(void)f, (void)v, (void)count;
	return name;
}

bool lower_has_form(const struct lowering *l, const struct node *n)
{
	struct strbuf text = { 0 };
	struct op_form f = { .node = n,
			     .opset = node_opset(n),
			     .arena = &l->plan->arena,
			     .text = &text,
			     .load = load_nothing,
			     .store = store_nothing,
			     .stored = load_nothing,
			     .integers = integers_nowhere,
			     .reals = reals_nowhere };
	if (!n->op || !n->op->form)
		return false;
	for (size_t i = 0; i < n->n_inputs; i++)
		if (node_input(n, i) && !form_ctype((enum elem_type)node_input(n, i)->elem))
			return false;
	for (size_t i = 0; i < n->n_outputs; i++)
		if (n->outputs[i] && !form_ctype((enum elem_type)n->outputs[i]->elem))
			return false;
	bool has = n->op->form(&f) == 0;
	strbuf_free(&text);
	return has;
}

static struct contents form_contents(const struct value *v)
{
	struct datatype type = value_datatype(v);
	if (v->elem == ELEM_UINT64) /* as bits */
		return contents_int(INT64_MIN, INT64_MAX);
	if (!datatype_is_integer(type))
		return contents_real();
	return contents_int(datatype_int_min(type), datatype_int_max(type));
}

static struct plan_buf *form_output(struct lowering *l, const struct value *v)
{
	return v && (v->uses || value_is_output(v)) ? lower_buf(l, v, false, form_contents(v)) : NULL;
}

int lower_form(struct lowering *l, const struct node *n)
{
	struct plan_buf **in = arena_array(&l->plan->arena, struct plan_buf *, n->n_inputs + 1);
	size_t count = 0;
	for (size_t i = 0; i < n->n_inputs; i++) {
		const struct value *v = node_input(n, i);
		if (v && !value_is_constant(v))
			in[count++] = lower_ordered(l, n, l->of[v->id]);
	}
	struct plan_layer *y = lower_layer(l, n, PLAN_FORM, NULL);
	for (size_t i = 0; i < count; i++)
		y->in[y->n_in++] = in[i];
	y->real = true;
	y->out = form_output(l, node_output(n, 0));
	y->n_more = n->n_outputs > 1 ? n->n_outputs - 1 : 0;
	y->more = arena_array(&l->plan->arena, struct plan_buf *, y->n_more + 1);
	for (size_t i = 0; i < y->n_more; i++)
		y->more[i] = form_output(l, node_output(n, i + 1));
	l->plan->libm = true;
	return 0;
}

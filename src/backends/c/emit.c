/* Text that all styles share: types, pointers, comments, loops; what the report says of a layer. */
#include "backends/c/emit.h"

/* ---- outputs ---- */

void output_init(struct output *out, struct backend_ctx *ctx, const struct style *style)
{
	*out = (struct output){ .ctx = ctx, .style = style };
	arena_init(&out->arena);
}

void output_free(struct output *out)
{
	struct constants *c = &out->constants;
	struct strbuf *const texts[] = {
		&c->declarations,    &c->definitions, &c->blob,		  &c->loads,
		&out->code,	     &out->includes,  &out->entry.header, &out->entry.before.text,
		&out->block.run.text
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		strbuf_free(texts[i]);
	map_free(&c->arrays);
	arena_free(&out->arena);
}

struct emit emit_begin(struct output *out, struct plan *plan)
{
	return (struct emit){ .out = out,
			      .plan = plan,
			      .suffix = "",
			      .layers = json_array(),
			      .arena = &out->arena,
			      .code = &out->code,
			      .constants = &out->constants,
			      .name = out->name };
}

void emit_end(struct emit *e)
{
	strbuf_free(&e->run.text);
	json_decref(e->layers);
}

void emit_plain_sizes(struct emit *e)
{
	for (struct plan_buf *b = e->plan->bufs; b; b = b->next)
		b->bytes = b->same ? 0 : (size_t)b->count * plan_elem_size(b->elem);
}

/* ---- types and pointers ---- */

static const char *elem_ctype(enum plan_elem e)
{
	static const char *const name[] = {
		[PLAN_I8] = "int8_t",	[PLAN_U8] = "uint8_t",	[PLAN_I16] = "int16_t", [PLAN_U16] = "uint16_t",
		[PLAN_I32] = "int32_t", [PLAN_I64] = "int64_t", [PLAN_F32] = "float"
	};
	return name[e];
}

const char *buf_ctype(const struct plan_buf *b)
{
	return elem_ctype(b->elem);
}

bool sum_is_wide(int64_t lo, int64_t hi)
{
	return lo < INT32_MIN || hi > INT32_MAX;
}

const char *sum_ctype(int64_t lo, int64_t hi)
{
	return sum_is_wide(lo, hi) ? "int64_t" : "int32_t";
}

const char *buf_pointer(struct emit *e, struct calls *c, const struct plan_buf *b, const char *type)
{
	const struct plan_buf *root = plan_root((struct plan_buf *)b);
	if (root->role == PLAN_INPUT)
		return arena_printf(e->arena, "in%d", root->index);
	if (root->role == PLAN_OUTPUT)
		return arena_printf(e->arena, "out%d", root->index);
	c->uses_scratch = true;
	return arena_printf(e->arena, "(%s *)(void *)(arena + %zu)", type, root->offset);
}

const char *layer_function(struct emit *e, const struct plan_layer *l)
{
	return arena_printf(e->arena, "%s_%s%s", e->name, l->name, e->suffix);
}

static const char *window_comment(struct emit *e, const struct plan_layer *l)
{
	const struct plan_window *w = &l->window;
	if (w->dense)
		return arena_printf(e->arena, "%lld -> %lld", (long long)w->ic, (long long)w->oc);
	return arena_printf(e->arena, "%lldx%lldx%lld -> %lldx%lldx%lld, kernel %lldx%lld", (long long)w->ic,
			    (long long)w->ih, (long long)w->iw, (long long)w->oc, (long long)w->oh, (long long)w->ow,
			    (long long)w->kh, (long long)w->kw);
}

const char *layer_comment(struct emit *e, const struct plan_layer *l)
{
	const char *s = arena_printf(e->arena, "%s: %s", c_escaped(e->arena, node_label(l->node)), plan_kind_name(l));
	if (l->window.oc)
		s = arena_printf(e->arena, "%s %s", s, window_comment(e, l));
	if (l->weights)
		s = arena_printf(e->arena, "%s, weights %d..%d, sums %lld..%lld", s, (int)l->weight_lo,
				 (int)l->weight_hi, (long long)l->acc_lo, (long long)l->acc_hi);
	if (l->activation)
		s = arena_printf(e->arena, "%s, %lld threshold%s", s, (long long)l->activation->count,
				 l->activation->count == 1 ? "" : "s");
	return s;
}

/* ---- loops ---- */

static bool mergeable(const struct loops *n, int axis, int64_t inner_dim)
{
	for (int k = 0; k < n->operands; k++)
		if (n->stride[k][n->depth - 1] != n->stride[k][axis] * inner_dim)
			return false;
	return true;
}

static void loops_add(struct loops *n, const struct plan_buf *out, int axis, const int64_t *const strides[])
{
	int at = n->depth;
	for (int k = 0; k < n->operands; k++)
		n->stride[k][at] = strides[k][axis];
	if (at > 0 && mergeable(n, at, out->dims[axis])) {
		n->dims[at - 1] *= out->dims[axis];
		for (int k = 0; k < n->operands; k++)
			n->stride[k][at - 1] = n->stride[k][at];
		return;
	}
	n->dims[at] = out->dims[axis];
	n->depth++;
}

void loops_make(struct loops *n, const struct plan_buf *out, int operands, const int64_t *const strides[])
{
	*n = (struct loops){ .operands = operands };
	for (int axis = 0; axis < out->rank; axis++)
		if (out->dims[axis] != 1)
			loops_add(n, out, axis, strides);
	if (n->depth == 0) {
		n->dims[0] = 1;
		n->depth = 1;
	}
}

static void tabs(struct strbuf *b, int n)
{
	for (int i = 0; i < n; i++)
		strbuf_puts(b, "\t");
}

void loops_open(struct strbuf *b, const struct loops *n, int indent)
{
	if (n->depth > 1) {
		tabs(b, indent);
		strbuf_puts(b, "int o = 0;\n");
	}
	for (int k = 0; k < n->depth; k++) {
		tabs(b, indent + k);
		strbuf_printf(b, "for (int i%d = 0; i%d < %lld; i%d++%s)%s\n", k, k, (long long)n->dims[k], k,
			      k == n->depth - 1 && n->depth > 1 ? ", o++" : "", k == n->depth - 1 ? " {" : "");
	}
}

void loops_close(struct strbuf *b, const struct loops *n, int indent)
{
	tabs(b, indent + n->depth - 1);
	strbuf_puts(b, "}\n");
}

const char *loops_index(struct emit *e, const struct loops *n, int k)
{
	struct strbuf b = { 0 };
	for (int i = 0; i < n->depth; i++) {
		if (n->stride[k][i] == 0)
			continue;
		strbuf_printf(&b, b.length ? " + i%d" : "i%d", i);
		if (n->stride[k][i] != 1)
			strbuf_printf(&b, " * %lld", (long long)n->stride[k][i]);
	}
	const char *s = b.length ? arena_strdup(e->arena, b.text) : "0";
	strbuf_free(&b);
	return s;
}

/* ---- the report ---- */

/* Bytes a layer's results take in the arena. */
static size_t layer_ram(const struct plan_layer *l)
{
	size_t n = 0;
	if (l->out)
		n += plan_root(l->out)->bytes;
	if (l->out2)
		n += plan_root(l->out2)->bytes;
	for (size_t i = 0; i < l->n_more; i++)
		n += l->more[i] ? plan_root(l->more[i])->bytes : 0;
	return n;
}

void emit_layer_report(struct emit *e, const struct plan_layer *l, size_t rom_before, const char *kernel)
{
	json_t *o = json_object();
	json_object_set_new(o, "name", json_string(utf8_text(e->arena, node_label(l->node))));
	json_object_set_new(o, "kind", json_string(plan_kind_name(l)));
	json_object_set_new(o, "kernel", json_string(kernel));
	json_object_set_new(o, "macs", json_integer(plan_layer_macs(l)));
	json_object_set_new(o, "rom_bytes", json_integer((json_int_t)(e->constants->bytes - rom_before)));
	json_object_set_new(o, "ram_bytes", json_integer((json_int_t)layer_ram(l)));
	json_object_set_new(o, "stack_bytes", json_integer((json_int_t)(e->stack + STACK_FRAME)));
	json_array_append_new(e->layers, o);
	if (e->stack + STACK_FRAME > e->out->most_stack)
		e->out->most_stack = e->stack + STACK_FRAME;
	e->stack = 0;
}

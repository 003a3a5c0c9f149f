/* Reference kernels of layers that only move elements: concatenation, and maps, which become strided loops where
 * they are regular and a table of indices where they are not. */
#include "backends/c/emit.h"

#define LL(x) ((long long)(x))

/* "x[index]" of operand k as an element of the result. */
static const char *moved(struct emit *e, const struct plan_layer *l, size_t k, const char *index)
{
	const struct plan_buf *a = plan_root(l->in[k]), *y = plan_root(l->out);
	const char *x = k == 0 ? arena_printf(&e->arena, "x[%s]", index) : arena_printf(&e->arena, "x%zu[%s]", k, index);
	if (a->coded == y->coded && a->base == y->base && a->step == y->step && a->elem == y->elem)
		return x;
	return ref_element(e, l->out, ref_value(e, l->in[k], x));
}

void ref_concat(struct emit *e, const struct plan_layer *l)
{
	struct strbuf *b = &e->code;
	int64_t at = 0, total = l->length * l->inner;
	ref_open(e, l);
	strbuf_printf(b, "\tfor (int p = 0; p < %lld; p++) {\n", LL(l->outer));
	for (size_t i = 0; i < l->n_in; i++) {
		int64_t run = l->in[i]->count / l->outer;
		strbuf_printf(b, "\t\tfor (int i = 0; i < %lld; i++)\n\t\t\ty[p * %lld + %lld + i] = %s;\n", LL(run), LL(total), LL(at),
			      moved(e, l, i, arena_printf(&e->arena, "p * %lld + i", LL(run))));
		at += run;
	}
	strbuf_puts(b, "\t}\n");
	ref_close(e);
}

/* Strides such that map[i] = first + sum of strides over out's axes; false where there are none. */
static bool affine(const struct plan_layer *l, int64_t strides[MAX_RANK])
{
	const struct plan_buf *o = l->out;
	int64_t step[MAX_RANK], s = 1;
	if (l->n_in != 1 || l->fill_count)
		return false;
	for (int a = o->rank - 1; a >= 0; a--) {
		step[a] = s;
		strides[a] = o->dims[a] > 1 ? l->map[s] - l->map[0] : 0;
		s *= o->dims[a];
	}
	for (int64_t i = 0; i < o->count; i++) {
		int64_t at = l->map[0];
		for (int a = 0; a < o->rank; a++)
			at += i / step[a] % o->dims[a] * strides[a];
		if (at != l->map[i])
			return false;
	}
	return true;
}

static void move_affine(struct emit *e, const struct plan_layer *l, const int64_t *strides)
{
	struct loops n;
	const int64_t *const all[] = { strides };
	const char *first = l->map[0] ? arena_printf(&e->arena, "%lld + ", LL(l->map[0])) : "";
	loops_make(&n, l->out, 1, all);
	loops_open(&e->code, &n, 1);
	strbuf_printf(&e->code, "%.*sy[%s] = %s;\n", 1 + n.depth, "\t\t\t\t\t\t\t\t", n.depth > 1 ? "o" : "i0",
		      moved(e, l, 0, arena_printf(&e->arena, "%s%s", first, loops_index(e, &n, 0))));
	loops_close(&e->code, &n, 1);
}

/* The operand that element `source` of all operands laid end to end lies in, and its place there. */
static size_t operand_of(const struct plan_layer *l, int64_t *source)
{
	size_t i = 0;
	while (i + 1 < l->n_in && *source >= l->in[i]->count)
		*source -= l->in[i++]->count;
	return i;
}

/* One table per operand: pairs of place in the result and place in the operand. */
static void move_tables(struct emit *e, const struct plan_layer *l)
{
	struct strbuf *b = &e->code;
	int64_t *to = arena_array(&e->arena, int64_t, l->out->count), *from = arena_array(&e->arena, int64_t, l->out->count);
	if (l->fill_count)
		strbuf_printf(b, "\tfor (int i = 0; i < %lld; i++)\n\t\ty[i] = %s;\n", LL(l->out->count),
			      l->out->real ? float_text(e, l->fill[0]) : ref_element(e, l->out, arena_printf(&e->arena, "%lld", LL(l->fill[0]))));
	for (size_t k = 0; k < l->n_in; k++) {
		size_t n = 0;
		for (int64_t i = 0; i < l->out->count; i++) {
			int64_t source = l->map[i];
			if (source < 0 || operand_of(l, &source) != k)
				continue;
			to[n] = i;
			from[n++] = source;
		}
		if (!n)
			continue;
		const char *source = emit_ints(e, from, n, NULL, "%s_from%zu", l->name, k);
		const char *place = (int64_t)n == l->out->count ? "i" :
				    arena_printf(&e->arena, "%s[i]", emit_ints(e, to, n, NULL, "%s_to%zu", l->name, k));
		strbuf_printf(b, "\tfor (int i = 0; i < %zu; i++)\n\t\ty[%s] = %s;\n", n, place,
			      moved(e, l, k, arena_printf(&e->arena, "%s[i]", source)));
	}
}

void ref_move(struct emit *e, const struct plan_layer *l)
{
	int64_t strides[MAX_RANK];
	ref_open(e, l);
	if (affine(l, strides))
		move_affine(e, l, strides);
	else
		move_tables(e, l);
	ref_close(e);
}

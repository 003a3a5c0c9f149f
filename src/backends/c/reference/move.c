/* Reference kernels of layers that only move elements: concatenation, and maps, which become strided loops where
 * they are regular and a table of indices where they are not. */
#include "backends/c/reference/kernels.h"
#include "util/integers.h"

/* "x[index]" of operand k as an element of the result. */
static const char *moved(struct emit *e, const struct plan_layer *l, size_t k, const char *index)
{
	const struct plan_buf *a = plan_root(l->in[k]), *y = plan_root(l->out);
	const char *x = k == 0 ? arena_printf(e->arena, "x[%s]", index) : arena_printf(e->arena, "x%zu[%s]", k, index);
	if (a->holds_codes == y->holds_codes && a->base == y->base && a->step == y->step && a->elem == y->elem)
		return x;
	x = ref_value(e, l->in[k], x);
	return l->out->real && !l->in[k]->real ? arena_printf(e->arena, "(float)%s", x) : ref_element(e, l->out, x);
}

void ref_concat(struct emit *e, const struct plan_layer *l)
{
	struct strbuf *b = e->code;
	int64_t at = 0, total = l->length * l->inner;
	ref_open(e, l);
	strbuf_printf(b, "\tfor (int p = 0; p < %lld; p++) {\n", LL(l->outer));
	for (size_t i = 0; i < l->n_in; i++) {
		int64_t run = l->in[i]->count / l->outer;
		strbuf_printf(b, "\t\tfor (int i = 0; i < %lld; i++)\n\t\t\ty[p * %lld + %lld + i] = %s;\n", LL(run),
			      LL(total), LL(at), moved(e, l, i, arena_printf(e->arena, "p * %lld + i", LL(run))));
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
	const char *first = l->map[0] ? arena_printf(e->arena, "%lld + ", LL(l->map[0])) : "";
	loops_make(&n, l->out, 1, all);
	loops_open(e->code, &n, 1);
	strbuf_printf(e->code, "%.*sy[%s] = %s;\n", 1 + n.depth, "\t\t\t\t\t\t\t\t", n.depth > 1 ? "o" : "i0",
		      moved(e, l, 0, arena_printf(e->arena, "%s%s", first, loops_index(e, &n, 0))));
	loops_close(e->code, &n, 1);
}

/* A map whose element (i0, i1, ...) is first + t0[i0] + t1[i1] + ..., or the fill where some index is outside its
 * axis' valid range: Pad, Slice, nearest Resize, Gather. */
struct separable {
	int64_t first;
	int64_t *table[MAX_RANK];
	int64_t from[MAX_RANK], to[MAX_RANK]; /* valid indices */
};

static void axis_steps(const struct plan_buf *o, int64_t step[MAX_RANK])
{
	int64_t s = 1;
	for (int a = o->rank - 1; a >= 0; a--) {
		step[a] = s;
		s *= o->dims[a];
	}
}

/* Tables along each axis through one element that is no fill. */
static bool separate(struct emit *e, const struct plan_layer *l, struct separable *p)
{
	const struct plan_buf *o = l->out;
	int64_t step[MAX_RANK], at = 0;
	while (at < o->count && l->map[at] < 0)
		at++;
	if (l->n_in != 1 || at == o->count)
		return false;
	axis_steps(o, step);
	p->first = l->map[at];
	for (int a = 0; a < o->rank; a++) {
		int64_t start = at - at / step[a] % o->dims[a] * step[a];
		p->table[a] = arena_array(e->arena, int64_t, o->dims[a]);
		p->from[a] = o->dims[a];
		p->to[a] = 0;
		for (int64_t i = 0; i < o->dims[a]; i++) {
			int64_t source = l->map[start + i * step[a]];
			p->table[a][i] = source < 0 ? 0 : source - p->first;
			if (source >= 0) {
				p->from[a] = i < p->from[a] ? i : p->from[a];
				p->to[a] = i + 1;
			}
		}
	}
	return true;
}

static bool separable_holds(const struct plan_layer *l, const struct separable *p)
{
	const struct plan_buf *o = l->out;
	int64_t step[MAX_RANK];
	axis_steps(o, step);
	for (int64_t k = 0; k < o->count; k++) {
		int64_t at = p->first;
		bool valid = true;
		for (int a = 0; a < o->rank; a++) {
			int64_t i = k / step[a] % o->dims[a];
			valid &= i >= p->from[a] && i < p->to[a];
			at += p->table[a][i];
		}
		if (valid ? l->map[k] != at : l->map[k] >= 0)
			return false;
	}
	return true;
}

/* "i2 * 3", "table[i2]", or NULL where the axis adds nothing. */
static const char *axis_term(struct emit *e, const struct plan_layer *l, const struct separable *p, int a,
			     int64_t *first)
{
	const int64_t *t = p->table[a], n = l->out->dims[a];
	int64_t stride = p->to[a] - p->from[a] > 1 ? t[p->from[a] + 1] - t[p->from[a]] : 0,
		start = t[p->from[a]] - stride * p->from[a];
	bool regular = true;
	for (int64_t i = p->from[a]; i < p->to[a]; i++)
		regular &= t[i] == start + stride * i;
	if (!regular)
		return arena_printf(e->arena, "%s[i%d]", emit_ints(e, t, (size_t)n, NULL, "%s_axis%d", l->name, a), a);
	*first += start;
	return stride ? arena_printf(e->arena, "i%d * %lld", a, LL(stride)) : NULL;
}

static void move_separable(struct emit *e, const struct plan_layer *l, const struct separable *p)
{
	struct strbuf *b = e->code, index = { 0 }, valid = { 0 };
	const struct plan_buf *o = l->out;
	int64_t first = p->first;
	for (int a = 0; a < o->rank; a++) {
		const char *term = axis_term(e, l, p, a, &first);
		if (term)
			strbuf_printf(&index, " + %s", term);
		if (p->from[a] > 0 || p->to[a] < o->dims[a])
			strbuf_printf(&valid, "%si%d >= %lld && i%d < %lld", valid.length ? " && " : "", a,
				      LL(p->from[a]), a, LL(p->to[a]));
	}
	strbuf_puts(b, "\tint o = 0;\n");
	for (int a = 0; a < o->rank; a++)
		strbuf_printf(b, "\tfor (int i%d = 0; i%d < %lld; i%d++%s)%s\n", a, a, LL(o->dims[a]), a,
			      a == o->rank - 1 ? ", o++" : "", a == o->rank - 1 ? " {" : "");
	const char *element = moved(e, l, 0, arena_printf(e->arena, "%lld%s", LL(first), strbuf_text(&index)));
	const char *fill = !l->fill_count ? "0"
			   : o->real	  ? float_text(e, l->fill[0])
					  : ref_element(e, o, arena_printf(e->arena, "%lld", LL(l->fill[0])));
	if (valid.length)
		strbuf_printf(b, "\t\tif (%s)\n\t\t\ty[o] = %s;\n\t\telse\n\t\t\ty[o] = %s;\n\t}\n", valid.text,
			      element, fill);
	else
		strbuf_printf(b, "\t\ty[o] = %s;\n\t}\n", element);
	strbuf_free(&index);
	strbuf_free(&valid);
}

/* The operand that element `source` of all operands laid end to end lies in, and its place there. */
static size_t operand_of(const struct plan_layer *l, int64_t *source)
{
	size_t i = 0;
	while (i + 1 < l->n_in && *source >= l->in[i]->count)
		*source -= l->in[i++]->count;
	return i;
}

/* Elements that are several constants: a table of them, and one of their places unless they are all. */
static void move_constants(struct emit *e, const struct plan_layer *l)
{
	int64_t *to = arena_array(e->arena, int64_t, l->out->count + 1),
		*ints = arena_array(e->arena, int64_t, l->out->count + 1);
	float *reals = arena_array(e->arena, float, l->out->count + 1);
	size_t n = 0;
	for (int64_t i = 0; i < l->out->count; i++) {
		if (l->map[i] >= 0)
			continue;
		double v = l->fill[-1 - l->map[i]];
		reals[n] = (float)v;
		ints[n] = saturated_int64(v);
		to[n++] = i;
	}
	if (!n)
		return;
	const char *value = l->out->real ? emit_array(e, ARRAY_F32, reals, n, "%s_c", l->name)
					 : emit_ints(e, ints, n, NULL, "%s_c", l->name);
	const char *element = arena_printf(e->arena, "%s[i]", value);
	const char *place = (int64_t)n == l->out->count
				    ? "i"
				    : arena_printf(e->arena, "%s[i]", emit_ints(e, to, n, NULL, "%s_at", l->name));
	strbuf_printf(e->code, "\tfor (int i = 0; i < %zu; i++)\n\t\ty[%s] = %s;\n", n, place,
		      l->out->real ? element : ref_element(e, l->out, element));
}

/* One table per operand: pairs of place in the result and place in the operand. */
static void move_tables(struct emit *e, const struct plan_layer *l)
{
	struct strbuf *b = e->code;
	int64_t *to = arena_array(e->arena, int64_t, l->out->count),
		*from = arena_array(e->arena, int64_t, l->out->count);
	if (l->fill_count > 1 || !l->n_in)
		move_constants(e, l);
	else if (l->fill_count)
		strbuf_printf(b, "\tfor (int i = 0; i < %lld; i++)\n\t\ty[i] = %s;\n", LL(l->out->count),
			      l->out->real ? float_text(e, l->fill[0])
					   : ref_element(e, l->out, arena_printf(e->arena, "%lld", LL(l->fill[0]))));
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
		const char *place =
			(int64_t)n == l->out->count
				? "i"
				: arena_printf(e->arena, "%s[i]", emit_ints(e, to, n, NULL, "%s_to%zu", l->name, k));
		strbuf_printf(b, "\tfor (int i = 0; i < %zu; i++)\n\t\ty[%s] = %s;\n", n, place,
			      moved(e, l, k, arena_printf(e->arena, "%s[i]", source)));
	}
}

void ref_move(struct emit *e, const struct plan_layer *l)
{
	int64_t strides[MAX_RANK];
	struct separable axes;
	ref_open(e, l);
	if (affine(l, strides))
		move_affine(e, l, strides);
	else if (l->out->rank > 1 && l->fill_count <= 1 && separate(e, l, &axes) && separable_holds(l, &axes))
		move_separable(e, l, &axes);
	else
		move_tables(e, l);
	ref_close(e);
}

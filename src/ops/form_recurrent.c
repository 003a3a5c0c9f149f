/* RNN, GRU and LSTM as C: for each direction and sequence a loop over its steps (see recurrent.h), as recurrent.c does it. */
#include "ops/form.h"
#include "ops/recurrent.h"
#include "util/integers.h"

/* `d` and `b` are the direction, which is known, and the variable b, the sequence. */
struct writer {
	struct op_form *f;
	const struct recurrent *r;
	int64_t d;
};

static bool has(const struct writer *w, size_t input)
{
	return node_input(w->f->node, input) != NULL;
}

static const char *number(const struct writer *w, double x)
{
	return form_float(w->f, x, true);
}

/* Statements for `double NAME`, the bias of a gate plus its products with a step's inputs (`at` their place, NULL: none) and
 * with `state` (NULL: none). */
static void sum(const struct writer *w, const char *name, int64_t gate, const char *at, const char *state)
{
	const struct recurrent *r = w->r;
	struct op_form *f = w->f;
	int64_t row = (w->d * r->gates + gate) * r->hidden, bias = (w->d * 2 * r->gates + gate) * r->hidden;
	form_line(f, "double %s = 0;", name);
	if (at) {
		form_loop(f, "k", r->inputs);
		form_line(f, "%s += (double)%s * (double)%s;", name,
			  f->load(f, RECURRENT_X, form_text(f, "%s + k", at)),
			  f->load(f, RECURRENT_W, form_text(f, "(%lld + j) * %lld + k", LL(row), LL(r->inputs))));
		form_end(f, 1);
	}
	if (state) {
		form_loop(f, "k", r->hidden);
		form_line(f, "%s += (double)%s[k] * (double)%s;", name, state,
			  f->load(f, RECURRENT_R, form_text(f, "(%lld + j) * %lld + k", LL(row), LL(r->hidden))));
		form_end(f, 1);
	}
	if (at && has(w, RECURRENT_B))
		form_line(f, "%s += (double)%s;", name, f->load(f, RECURRENT_B, form_text(f, "%lld + j", LL(bias))));
	if (state && has(w, RECURRENT_B))
		form_line(f, "%s += (double)%s;", name,
			  f->load(f, RECURRENT_B, form_text(f, "%lld + j", LL(bias + r->gates * r->hidden))));
}

/* NAME becomes activation `which` of itself, clipped where the node says so. */
static void activate(const struct writer *w, const char *name, int which, bool clipped)
{
	const struct recurrent_activation *a = &w->r->f[w->d][which];
	struct op_form *f = w->f;
	const char *bound = number(w, w->r->clip);
	if (clipped && w->r->clip > 0)
		form_line(f, "%s = %s < -%s ? -%s : %s > %s ? %s : %s;", name, name, bound, bound, name, bound, bound,
			  name);
	form_line(f, "{");
	form_line(f, "const double x = %s, alpha = %s, beta = %s;", name, number(w, a->alpha), number(w, a->beta));
	form_line(f, "(void)alpha, (void)beta;");
	form_line(f, "%s = %s;", name, a->function->text);
	form_line(f, "}");
}

static void peep(const struct writer *w, const char *name, int64_t which)
{
	struct op_form *f = w->f;
	if (has(w, RECURRENT_P))
		form_line(f, "%s += (double)%s * (double)c[j];", name,
			  f->load(f, RECURRENT_P, form_text(f, "%lld + j", LL((w->d * 3 + which) * w->r->hidden))));
}

static void gate(const struct writer *w, const char *name, int64_t number_of_gate, int64_t peephole)
{
	sum(w, name, number_of_gate, "at", "h");
	if (peephole >= 0)
		peep(w, name, peephole);
	activate(w, name, 0, true);
}

static void lstm_step(const struct writer *w)
{
	struct op_form *f = w->f;
	form_loop(f, "j", w->r->hidden);
	gate(w, "i", 0, 0);
	if (w->r->input_forget)
		form_line(f, "const double forget = 1 - i;");
	else
		gate(w, "forget", 2, 2);
	sum(w, "g", 3, "at", "h");
	activate(w, "g", 1, true);
	form_line(f, "c[j] = (float)(forget * (double)c[j] + i * g);");
	gate(w, "o", 1, 1);
	form_line(f, "double y = (double)c[j];");
	activate(w, "y", 2, false);
	form_line(f, "next[j] = (float)(o * y);");
	form_end(f, 1);
}

static void gru_step(const struct writer *w)
{
	struct op_form *f = w->f;
	bool linear = w->r->linear_before_reset;
	form_loop(f, "j", w->r->hidden);
	gate(w, "r", 1, -1);
	form_line(f, linear ? "reset[j] = (float)r;" : "reset[j] = (float)(r * (double)h[j]);");
	form_end(f, 1);
	form_loop(f, "j", w->r->hidden);
	gate(w, "z", 0, -1);
	sum(w, "g", 2, "at", linear ? NULL : "reset");
	if (linear) {
		sum(w, "s", 2, NULL, "h");
		form_line(f, "g += (double)reset[j] * s;");
	}
	activate(w, "g", 1, true);
	form_line(f, "next[j] = (float)((1 - z) * g + z * (double)h[j]);");
	form_end(f, 1);
}

static void rnn_step(const struct writer *w)
{
	form_loop(w->f, "j", w->r->hidden);
	gate(w, "y", 0, -1);
	form_line(w->f, "next[j] = (float)y;");
	form_end(w->f, 1);
}

static const char *place(const struct writer *w, struct recurrent_strides s, const char *step)
{
	const char *along = step ? form_text(w->f, " + %s * %lld", step, LL(s.step)) : "";
	return form_text(w->f, "%lld + b * %lld%s", LL(w->d * s.direction), LL(s.batch), along);
}

static void load_state(const struct writer *w, const char *name, size_t input)
{
	struct op_form *f = w->f;
	const char *at = form_text(f, "%s + j", place(w, recurrent_state(w->r), NULL));
	form_line(f, "float %s[%lld];", name, LL(w->r->hidden));
	form_loop(f, "j", w->r->hidden);
	form_line(f, "%s[j] = %s;", name, has(w, input) ? f->load(f, input, at) : "0");
	form_end(f, 1);
}

static void store(const struct writer *w, size_t output, const char *at, const char *value)
{
	struct op_form *f = w->f;
	const struct value *v = node_output(f->node, output);
	if (!v || !v->uses)
		return;
	form_loop(f, "j", w->r->hidden);
	form_store(f, output, form_text(f, "%s + j", at), value);
	form_end(f, 1);
}

static void write_direction(const struct writer *w)
{
	static void (*const step[])(const struct writer *) = { rnn_step, gru_step, lstm_step };
	const struct recurrent *r = w->r;
	struct op_form *f = w->f;
	form_loop(f, "b", r->batch);
	load_state(w, "h", RECURRENT_H);
	if (r->kind == RECURRENT_LSTM)
		load_state(w, "c", RECURRENT_C);
	form_line(f, "float next[%lld];", LL(r->hidden));
	if (r->kind == RECURRENT_GRU)
		form_line(f, "float reset[%lld];", LL(r->hidden));
	const char *length = form_text(f, "%lld", LL(r->length));
	if (has(w, RECURRENT_LENGTHS))
		length = form_text(f, "(int)%s", f->load(f, RECURRENT_LENGTHS, "b"));
	form_line(f, "const int length = %s;", length);
	form_line(f, "for (int n = 0; n < %lld; n++) {", LL(r->length));
	form_line(f, "const int t = n >= length ? n : %s;", r->reverse[w->d] ? "length - 1 - n" : "n");
	form_line(f, "if (n >= length) {");
	store(w, 0, place(w, recurrent_y(r), "t"), "0.0f");
	form_line(f, "continue;");
	form_line(f, "}");
	form_line(f, "const int at = %s;", place(w, recurrent_x(r), "t"));
	step[r->kind](w);
	form_loop(f, "j", r->hidden);
	form_line(f, "h[j] = next[j];");
	form_end(f, 1);
	store(w, 0, place(w, recurrent_y(r), "t"), "h[j]");
	form_end(f, 1);
	store(w, 1, place(w, recurrent_state(r), NULL), "h[j]");
	store(w, 2, place(w, recurrent_state(r), NULL), "c[j]");
	form_end(f, 1);
}

int form_recurrent(struct op_form *f)
{
	const struct value *x = node_input(f->node, RECURRENT_X), *u = node_input(f->node, RECURRENT_R);
	struct recurrent r;
	if (x->elem != ELEM_FLOAT || recurrent_of(f->node, x->rank, x->dims, u->rank, u->dims, &r) || r.length < 1 ||
	    r.batch < 1)
		return -1;
	for (int64_t d = 0; d < r.directions; d++)
		write_direction(&(struct writer){ f, &r, d });
	return 0;
}

/* RNN, GRU and LSTM, in all directions, layouts and activations of ONNX (see recurrent.h). */
#include "ops/recurrent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ops/form.h"
#include "util/integers.h"

/* ---- what a node says ---- */

#define FUNCTION(name, expression)                                   \
	static double of_##name(double x, double alpha, double beta) \
	{                                                            \
		(void)alpha, (void)beta;                             \
		return expression;                                   \
	}                                                            \
	static const char text_##name[] = #expression;

FUNCTION(Affine, alpha *x + beta)
FUNCTION(Elu, x < 0 ? alpha * expm1(x) : x)
FUNCTION(HardSigmoid, fmax(0, fmin(1, alpha *x + beta)))
FUNCTION(LeakyRelu, x < 0 ? alpha * x : x)
FUNCTION(Relu, x < 0 ? 0 : x)
FUNCTION(ScaledTanh, alpha *tanh(beta *x))
FUNCTION(Sigmoid, x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)))
FUNCTION(Softplus, fmax(x, 0) + log1p(exp(-fabs(x))))
FUNCTION(Softsign, x / (1 + fabs(x)))
FUNCTION(Tanh, tanh(x))
FUNCTION(ThresholdedRelu, x > alpha ? x : 0)

#define ROW(name, takes_alpha, takes_beta, alpha, beta)                             \
	{                                                                           \
#name, takes_alpha, takes_beta, alpha, beta, of_##name, text_##name \
	}
static const struct recurrent_function functions[] = {
	ROW(Affine, true, true, 1, 0),		 ROW(Elu, true, false, 1, 0),
	ROW(HardSigmoid, true, true, 0.2, 0.5),	 ROW(LeakyRelu, true, false, 0.01, 0),
	ROW(Relu, false, false, 0, 0),		 ROW(ScaledTanh, true, true, 1, 1),
	ROW(Sigmoid, false, false, 0, 0),	 ROW(Softplus, false, false, 0, 0),
	ROW(Softsign, false, false, 0, 0),	 ROW(Tanh, false, false, 0, 0),
	ROW(ThresholdedRelu, true, false, 1, 0),
};

static const struct recurrent_function *function_of(const char *name)
{
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (strcasecmp(functions[i].name, name) == 0)
			return &functions[i];
	return NULL;
}

/* How many activations a direction has, and which they are where the node names none. */
static const struct {
	int64_t gates, count;
	const char *names[3];
} kinds[] = {
	[RECURRENT_RNN] = { 1, 1, { "Tanh" } },
	[RECURRENT_GRU] = { 3, 2, { "Sigmoid", "Tanh" } },
	[RECURRENT_LSTM] = { 4, 3, { "Sigmoid", "Tanh", "Tanh" } },
};

/* Scaling values are consumed by those activations that take one. */
static bool read_activations(const struct node *n, struct recurrent *r)
{
	size_t n_alpha, n_beta, alpha_at = 0, beta_at = 0;
	const float *alpha = node_attr_floats(n, "activation_alpha", &n_alpha);
	const float *beta = node_attr_floats(n, "activation_beta", &n_beta);
	const struct attr *names = node_attr(n, "activations");
	int64_t count = kinds[r->kind].count;
	if (names && (names->kind != ATTR_STRINGS || names->count != count * r->directions))
		return false;
	for (int64_t i = 0; i < count * r->directions; i++) {
		struct recurrent_activation *a = &r->f[i / count][i % count];
		a->function = function_of(names ? names->strings[i] : kinds[r->kind].names[i % count]);
		if (!a->function)
			return false;
		bool own_alpha = a->function->takes_alpha && alpha_at < n_alpha;
		bool own_beta = a->function->takes_beta && beta_at < n_beta;
		a->alpha = own_alpha ? (double)alpha[alpha_at++] : a->function->alpha;
		a->beta = own_beta ? (double)beta[beta_at++] : a->function->beta;
	}
	return true;
}

static enum recurrent_kind kind_of(const struct node *n)
{
	return n->op == &op_LSTM ? RECURRENT_LSTM : n->op == &op_GRU ? RECURRENT_GRU : RECURRENT_RNN;
}

const char *recurrent_of(const struct node *n, int x_rank, const int64_t *x, int r_rank, const int64_t *r,
			 struct recurrent *out)
{
	const char *direction = node_attr_string(n, "direction", "forward");
	bool both = strcmp(direction, "bidirectional") == 0, back = strcmp(direction, "reverse") == 0;
	if (!both && !back && strcmp(direction, "forward") != 0)
		return "a direction that is none of forward, reverse, bidirectional";
	if (x_rank != 3 || r_rank != 3)
		return "an X or R that has not three axes";
	bool batch_first = node_attr_int(n, "layout", 0) != 0;
	*out = (struct recurrent){ .kind = kind_of(n),
				   .directions = both ? 2 : 1,
				   .length = x[batch_first],
				   .batch = x[!batch_first],
				   .inputs = x[2],
				   .hidden = r[2],
				   .reverse = { back, true },
				   .clip = node_attr_float(n, "clip", 0),
				   .batch_first = batch_first,
				   .linear_before_reset = node_attr_int(n, "linear_before_reset", 0) != 0,
				   .input_forget = node_attr_int(n, "input_forget", 0) != 0 };
	out->gates = kinds[out->kind].gates;
	if (r[0] != out->directions || r[1] != out->gates * out->hidden)
		return "an R that is not [directions, gates * hidden, hidden]";
	if (!read_activations(n, out))
		return "activations that are not known, or too few or many of them";
	return NULL;
}

struct recurrent_strides recurrent_x(const struct recurrent *r)
{
	int64_t row = r->inputs;
	return r->batch_first ? (struct recurrent_strides){ row, 0, r->length * row }
			      : (struct recurrent_strides){ r->batch * row, 0, row };
}

struct recurrent_strides recurrent_y(const struct recurrent *r)
{
	int64_t row = r->hidden, all = r->directions * row;
	return r->batch_first ? (struct recurrent_strides){ all, row, r->length * all }
			      : (struct recurrent_strides){ all * r->batch, row * r->batch, row };
}

struct recurrent_strides recurrent_state(const struct recurrent *r)
{
	int64_t row = r->hidden;
	return r->batch_first ? (struct recurrent_strides){ 0, row, r->directions * row }
			      : (struct recurrent_strides){ 0, row * r->batch, row };
}

/* ---- execution ---- */

struct run {
	struct recurrent r;
	const float *in[8]; /* NULL: omitted */
	float *h, *c, *next, *reset;
	int64_t d; /* direction */
};

/* Bias of a gate: those of W and R together, or one of them. */
static double bias(const struct run *s, int64_t gate, int64_t j, bool of_w, bool of_r)
{
	const struct recurrent *r = &s->r;
	const float *b = s->in[RECURRENT_B] ? s->in[RECURRENT_B] + s->d * 2 * r->gates * r->hidden : NULL;
	double sum = b && of_w ? (double)b[gate * r->hidden + j] : 0;
	return sum + (b && of_r ? (double)b[(r->gates + gate) * r->hidden + j] : 0);
}

static double dot(const float *a, const float *b, int64_t n)
{
	double sum = 0;
	for (int64_t i = 0; i < n; i++)
		sum += (double)a[i] * (double)b[i];
	return sum;
}

static double of_inputs(const struct run *s, const float *x, int64_t gate, int64_t j)
{
	const struct recurrent *r = &s->r;
	return dot(x, s->in[RECURRENT_W] + ((s->d * r->gates + gate) * r->hidden + j) * r->inputs, r->inputs);
}

static double of_state(const struct run *s, const float *h, int64_t gate, int64_t j)
{
	const struct recurrent *r = &s->r;
	return dot(h, s->in[RECURRENT_R] + ((s->d * r->gates + gate) * r->hidden + j) * r->hidden, r->hidden);
}

static double activate(const struct run *s, int which, double x)
{
	const struct recurrent_activation *a = &s->r.f[s->d][which];
	double bound = s->r.clip;
	if (bound > 0)
		x = x < -bound ? -bound : x > bound ? bound : x;
	return a->function->of(x, a->alpha, a->beta);
}

static double plain_gate(const struct run *s, const float *x, int64_t gate, int64_t j)
{
	return of_inputs(s, x, gate, j) + of_state(s, s->h, gate, j) + bias(s, gate, j, true, true);
}

/* Gates i, o, f, c. */
static void lstm_step(const struct run *s, const float *x)
{
	const struct recurrent *r = &s->r;
	const float *p = s->in[RECURRENT_P] ? s->in[RECURRENT_P] + s->d * 3 * r->hidden : NULL;
	for (int64_t j = 0; j < r->hidden; j++) {
		double c = (double)s->c[j], peep[3] = { 0 };
		for (int k = 0; p && k < 3; k++)
			peep[k] = (double)p[k * r->hidden + j];
		double i = activate(s, 0, plain_gate(s, x, 0, j) + peep[0] * c);
		double forget = r->input_forget ? 1 - i : activate(s, 0, plain_gate(s, x, 2, j) + peep[2] * c);
		double candidate = activate(s, 1, plain_gate(s, x, 3, j));
		s->c[j] = (float)(forget * c + i * candidate);
		c = (double)s->c[j];
		double o = activate(s, 0, plain_gate(s, x, 1, j) + peep[1] * c);
		s->next[j] = (float)(o * s->r.f[s->d][2].function->of(c, r->f[s->d][2].alpha, r->f[s->d][2].beta));
	}
}

/* Gates z, r, h. */
static void gru_step(const struct run *s, const float *x)
{
	const struct recurrent *r = &s->r;
	for (int64_t j = 0; j < r->hidden; j++) {
		double reset = activate(s, 0, plain_gate(s, x, 1, j));
		s->reset[j] = (float)(r->linear_before_reset ? reset : reset * (double)s->h[j]);
	}
	for (int64_t j = 0; j < r->hidden; j++) {
		double z = activate(s, 0, plain_gate(s, x, 0, j)), sum = of_inputs(s, x, 2, j);
		if (r->linear_before_reset)
			sum += bias(s, 2, j, true, false) +
			       (double)s->reset[j] * (of_state(s, s->h, 2, j) + bias(s, 2, j, false, true));
		else
			sum += of_state(s, s->reset, 2, j) + bias(s, 2, j, true, true);
		s->next[j] = (float)((1 - z) * activate(s, 1, sum) + z * (double)s->h[j]);
	}
}

static void rnn_step(const struct run *s, const float *x)
{
	for (int64_t j = 0; j < s->r.hidden; j++)
		s->next[j] = (float)activate(s, 0, plain_gate(s, x, 0, j));
}

static void load_state(const struct run *s, size_t input, int64_t b, float *to)
{
	struct recurrent_strides at = recurrent_state(&s->r);
	for (int64_t j = 0; j < s->r.hidden; j++)
		to[j] = s->in[input] ? s->in[input][s->d * at.direction + b * at.batch + j] : 0;
}

static void store_row(struct tensor *t, int64_t at, const float *row, int64_t n)
{
	if (t)
		memcpy((float *)t->data + at, row, (size_t)n * sizeof *row);
}

/* One direction of one sequence. */
static void run_sequence(const struct run *s, int64_t b, int64_t length, struct tensor *const *out)
{
	static void (*const step[])(const struct run *, const float *) = { rnn_step, gru_step, lstm_step };
	const struct recurrent *r = &s->r;
	struct recurrent_strides x = recurrent_x(r), y = recurrent_y(r), state = recurrent_state(r);
	load_state(s, RECURRENT_H, b, s->h);
	load_state(s, RECURRENT_C, b, s->c);
	for (int64_t i = 0; i < length; i++) {
		int64_t t = r->reverse[s->d] ? length - 1 - i : i;
		step[r->kind](s, s->in[RECURRENT_X] + t * x.step + b * x.batch);
		memcpy(s->h, s->next, (size_t)r->hidden * sizeof *s->h);
		store_row(out[0], t * y.step + s->d * y.direction + b * y.batch, s->h, r->hidden);
	}
	int64_t at = s->d * state.direction + b * state.batch;
	store_row(out[1], at, s->h, r->hidden);
	store_row(out[2], at, s->c, r->hidden);
}

/* How many elements an input must have; -1: any number. */
static int64_t elements(const struct recurrent *r, size_t input)
{
	int64_t rows = r->directions * r->gates * r->hidden;
	switch (input) {
	case RECURRENT_W: return rows * r->inputs;
	case RECURRENT_B: return 2 * rows;
	case RECURRENT_LENGTHS: return r->batch;
	case RECURRENT_H:
	case RECURRENT_C: return r->directions * r->batch * r->hidden;
	case RECURRENT_P: return 3 * r->directions * r->hidden;
	default: return -1;
	}
}

static int check_inputs(struct exec_ctx *x, const struct recurrent *r)
{
	for (size_t i = 0; i < 8; i++) {
		int64_t wanted = elements(r, i);
		if (exec_input(x, i) && wanted >= 0 && x->in[i]->count != wanted)
			return diag_node_error(x->diags, x->node, NULL, "input %zu has %lld elements, not %lld", i,
					       LL(x->in[i]->count), LL(wanted));
		if (exec_input(x, i) && i != RECURRENT_LENGTHS && x->in[i]->elem != ELEM_FLOAT)
			return exec_unsupported(x, "an input that is not float");
	}
	return 0;
}

static void output_dims(const struct recurrent *r, size_t output, int64_t dims[4])
{
	int64_t d = r->directions, b = r->batch, l = r->length, h = r->hidden;
	const int64_t y[] = { l, d, b, h }, y_first[] = { b, l, d, h }, s[] = { d, b, h, 0 },
		      s_first[] = { b, d, h, 0 };
	const int64_t *from = output ? r->batch_first ? s_first : s : r->batch_first ? y_first : y;
	memcpy(dims, from, sizeof y);
}

static int make_outputs(struct exec_ctx *x, const struct recurrent *r)
{
	for (size_t i = 0; i < 3; i++) {
		int64_t dims[4];
		output_dims(r, i, dims);
		if (!node_output(x->node, i))
			continue;
		struct tensor *t = exec_output(x, i, ELEM_FLOAT, i ? 3 : 4, dims);
		if (!t)
			return -1;
		memset(t->data, 0, (size_t)t->count * sizeof(float));
	}
	return 0;
}

static int run_all(struct exec_ctx *x, struct run *s)
{
	const struct recurrent *r = &s->r;
	struct tensor *out[3] = { NULL };
	for (size_t i = 0; i < 3 && i < x->n_out; i++)
		out[i] = x->out[i];
	for (size_t i = 0; i < 8; i++)
		s->in[i] = exec_input(x, i) && i != RECURRENT_LENGTHS ? x->in[i]->data : NULL;
	const struct tensor *lengths = exec_input(x, RECURRENT_LENGTHS);
	for (int64_t b = 0; b < r->batch; b++) {
		int64_t length = lengths ? (int64_t)tensor_at(lengths, b) : r->length;
		if (length < 0 || length > r->length)
			return exec_unsupported(x, "a sequence longer than the data");
		for (s->d = 0; s->d < r->directions; s->d++)
			run_sequence(s, b, length, out);
	}
	return 0;
}

static int exec_recurrent(struct exec_ctx *x)
{
	struct run s = { 0 };
	const struct tensor *t = x->in[RECURRENT_X], *w = x->in[RECURRENT_R];
	const char *why = recurrent_of(x->node, t->rank, t->dims, w->rank, w->dims, &s.r);
	if (why)
		return exec_unsupported(x, why);
	if (check_inputs(x, &s.r) != 0 || make_outputs(x, &s.r) != 0 ||
	    exec_work(x, s.r.length * s.r.batch, s.r.gates * s.r.hidden * (s.r.inputs + s.r.hidden)) != 0)
		return -1;
	float *memory = exec_memory(x, 4 * s.r.hidden, sizeof *memory);
	if (!memory)
		return -1;
	s.h = memory;
	s.c = s.h + s.r.hidden;
	s.next = s.c + s.r.hidden;
	s.reset = s.next + s.r.hidden;
	int result = run_all(x, &s);
	free(memory);
	return result;
}

static int infer_recurrent(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, RECURRENT_X), *w = node_input(x->node, RECURRENT_R);
	struct recurrent r;
	if (in->rank != 3 || w->rank != 3)
		return 0;
	const char *why = recurrent_of(x->node, in->rank, in->dims, w->rank, w->dims, &r);
	if (why)
		return diag_node_error(x->diags, x->node, NULL, "has %s", why);
	for (size_t i = 0; i < 3; i++) {
		int64_t dims[4];
		output_dims(&r, i, dims);
		infer_output(x, i, in->elem, i ? 3 : 4, dims);
	}
	return 0;
}

/* Multiplications by W and R. */
#define RECURRENT_OP(symbol, most_inputs, most_outputs, what) \
	const struct op op_##symbol = {                       \
		.domain = DOMAIN_ONNX,                        \
		.name = #symbol,                              \
		.summary = what,                              \
		.min_inputs = 3,                              \
		.max_inputs = most_inputs,                    \
		.min_outputs = 0,                             \
		.max_outputs = most_outputs,                  \
		.infer = infer_recurrent,                     \
		.exec = exec_recurrent,                       \
		.widens = true,                               \
		.form = form_recurrent,                       \
	};
RECURRENT_OP(RNN, 6, 2, "Recurrent layer: h = f(W x + R h)")
RECURRENT_OP(GRU, 6, 2, "Gated recurrent unit")
RECURRENT_OP(LSTM, 8, 3, "Long short-term memory")

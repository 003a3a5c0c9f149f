/* Gradients against finite differences: of every layer, of the losses, and of the surrogates that quantisers document. */
#include "test.h"

#include <math.h>

#include "train/loss.h"
#include "train/optimiser.h"
#include "train/random.h"
#include "train/trainer.h"

enum { ROWS = 40 };

static float noise(uint64_t key, uint64_t i)
{
	return (float)(2 * random_unit(key, i) - 1);
}

static struct dataset data_of(int rank, const int64_t *dims, bool bits, int classes)
{
	struct dataset s = { .rows = dims[0], .binary = bits, .classes = classes };
	s.x = tensor_new(bits ? ELEM_UINT8 : ELEM_FLOAT, rank, dims);
	s.row = s.x->count / s.rows;
	s.labels = calloc((size_t)s.rows, sizeof *s.labels);
	for (int64_t i = 0; i < s.x->count; i++)
		if (bits)
			((uint8_t *)s.x->data)[i] = noise(3, (uint64_t)i) > 0;
		else
			((float *)s.x->data)[i] = noise(5, (uint64_t)i);
	for (int64_t i = 0; i < s.rows; i++)
		s.labels[i] = (int32_t)(random_at(7, (uint64_t)i) % (uint64_t)classes);
	return s;
}

/* ---- whole networks without quantisers ---- */

struct case_of {
	const char *arch;
	int rank;
	int64_t dims[4];
	bool bits;
	int classes;
};

struct setting {
	struct dataset set;
	struct rows rows;
	struct net *net;
	int64_t order[ROWS];
	float weights[8];
};

static double loss_now(struct setting *x, bool gradients)
{
	double sums[8], shares[8], total = 0;
	int64_t right[8];
	double weight = loss_weight(x->weights, x->set.labels, x->order, ROWS);
	struct loss loss = { x->weights, 1 / weight, gradients, sums, shares, right };
	const struct tail tail = { loss_of_part, &loss };
	net_forward(x->net, &x->rows, x->order, ROWS, true, &tail);
	for (int64_t p = 0; p < net_parts_of(x->net); p++)
		total += sums[p];
	return total / weight;
}

static void set_up(struct setting *x, const struct case_of *c, struct bit_width width)
{
	struct diags d = { 0 };
	struct net_options o = {
		.weights = width, .acts = width, .dropout = 0.3, .percentile = 99.9, .seed = 11, .threads = 2
	};
	x->set = data_of(c->rank, c->dims, c->bits, c->classes);
	struct shape in = shape_of(c->rank - 1, c->dims + 1);
	x->net = net_new(c->arch, &in, c->bits, ROWS, &o, &d);
	assert_no_errors(&d);
	net_initialise(x->net);
	rows_init(&x->rows, &x->set, x->net->bits);
	for (int i = 0; i < ROWS; i++)
		x->order[i] = (i * 7) % ROWS;
	for (int i = 0; i < 8; i++)
		x->weights[i] = 0.5f + (float)i;
}

static void tear_down(struct setting *x)
{
	rows_free(&x->rows);
	net_free(x->net);
	dataset_free(&x->set);
}

/* Some numbers of each parameter: central differences. */
static void check_network(const struct case_of *c)
{
	struct setting x;
	size_t layer = 0;
	int index = 0;
	set_up(&x, c, (struct bit_width){ BITS_FLOAT, 32 });
	loss_now(&x, true);
	net_backward(x.net);
	for (struct param *p; (p = net_next_param(x.net, &layer, &index));)
		for (int64_t i = 0; i < p->count; i += p->count / 7 + 1) {
			const float step = 2e-3f;
			float old = p->value[i];
			p->value[i] = old + step;
			double up = loss_now(&x, false);
			p->value[i] = old - step;
			double down = loss_now(&x, false), slope = (up - down) / (2 * (double)step);
			p->value[i] = old;
			if (fabs(slope - (double)p->grad[i]) > 2e-3 + 0.02 * fabs(slope))
				fail_msg("%s: %s of layer %zu, element %lld: gradient %g, difference %g", c->arch,
					 p->name, layer + 1, (long long)i, (double)p->grad[i], slope);
		}
	tear_down(&x);
}

static void layers_have_the_gradients_of_their_losses(void **state)
{
	(void)state;
	const struct case_of cases[] = {
		{ "linear(1)", 2, { ROWS, 9 }, false, 2 },
		{ "linear(4)", 2, { ROWS, 9 }, false, 4 },
		{ "linear(8),linear(1)", 2, { ROWS, 9 }, false, 2 },
		{ "linear(6),bn,linear(3)", 2, { ROWS, 9 }, false, 3 },
		{ "linear(6),dropout(0.4),linear(2)", 2, { ROWS, 9 }, false, 2 },
		{ "linear(6),bn,quant,linear(2)", 2, { ROWS, 9 }, false, 2 },
		{ "mlp(75,32,16,1)", 2, { ROWS, 75 }, true, 2 },
		{ "linear(48),bn,linear(5)", 2, { ROWS, 130 }, true, 5 },
		{ "linear(10),linear(2)", 2, { ROWS, 70 }, true, 2 },
		{ "conv(4,3),bn,flatten,linear(3)", 4, { ROWS, 2, 6, 5 }, false, 3 },
		{ "conv(3,3,stride=2,pad=1),conv(4,2),avgpool,linear(2)", 4, { ROWS, 2, 7, 6 }, false, 2 },
		{ "conv(3,3,pad=1),maxpool(2),flatten,linear(2)", 4, { ROWS, 1, 6, 6 }, false, 2 },
		{ "conv(3,2),maxpool(3,stride=1),avgpool,linear(2)", 4, { ROWS, 1, 6, 6 }, false, 2 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check_network(&cases[i]);
}

/* ---- surrogates ---- */

/* L = sum of g s (w / s + constant), the scale being that of the weights. */
static double surrogate_loss(struct weight_quantiser *q, const float *w, const float *g, const double *constant)
{
	double sum = 0;
	weights_quantise(q, w);
	for (int64_t i = 0; i < q->count; i++) {
		int64_t c = i / q->inner % q->channels;
		double s = (double)q->scale[c];
		if (!q->mask || q->mask[i])
			sum += (double)g[i] * s * ((double)w[i] / s + constant[i]);
	}
	return sum;
}

static void check_weights(const char *width, int64_t outer, int64_t channels, int64_t inner, bool masked)
{
	enum { MOST = 128 };
	float w[MOST], g[MOST], grad[MOST];
	double constant[MOST];
	uint8_t mask[MOST];
	struct bit_width b;
	struct weight_quantiser q;
	assert_true(bit_width_parse(width, &b));
	weights_init(&q, b, outer, channels, inner);
	assert_true(q.count <= MOST);
	for (int64_t i = 0; i < q.count; i++) {
		w[i] = noise(21, (uint64_t)i);
		g[i] = grad[i] = noise(22, (uint64_t)i);
		mask[i] = i % 3 != 0;
	}
	q.mask = masked ? mask : NULL;
	weights_quantise(&q, w);
	for (int64_t i = 0; i < q.count; i++)
		constant[i] = (double)q.codes[i] - (double)w[i] / (double)q.scale[i / inner % channels];
	weights_gradient(&q, w, grad);
	for (int64_t i = 0; i < q.count; i++) {
		const float step = 1e-4f;
		float old = w[i];
		w[i] = old + step;
		double up = surrogate_loss(&q, w, g, constant);
		w[i] = old - step;
		double slope = (up - surrogate_loss(&q, w, g, constant)) / (2 * (double)step);
		w[i] = old;
		if (fabs(slope - (double)grad[i]) > 1e-2)
			fail_msg("%s, weight %lld: gradient %g, difference %g", width, (long long)i, (double)grad[i],
				 slope);
	}
	weights_free(&q);
}

static void weights_have_the_gradients_of_their_surrogate(void **state)
{
	(void)state;
	const char *const widths[] = { "2", "3", "4", "8", "ternary", "bipolar", "float" };
	for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
		check_weights(widths[i], 1, 1, 60, false);
		check_weights(widths[i], 12, 5, 1, false);
		check_weights(widths[i], 1, 5, 12, false);
		check_weights(widths[i], 12, 5, 1, true);
		check_weights(widths[i], 1, 1, 60, true);
	}
}

/* What an activation documents: inside its range x + s * constant, outside a code times s. */
static double activation_loss(const float *x, const float *dy, const double *constant, const bool *inside,
			      const double *code, double s, int64_t n)
{
	double sum = 0;
	for (int64_t i = 0; i < n; i++)
		sum += (double)dy[i] * (inside[i] ? (double)x[i] + s * constant[i] : s * code[i]);
	return sum;
}

/* A layer "linear(8),relu(2)" of which only the activation is looked at: its x is overwritten. */
static void check_activation(const char *arch, double lo, double hi, double top, bool is_signed, bool bipolar)
{
	const struct case_of c = { arch, 2, { ROWS, 9 }, false, 8 };
	enum { COUNT = ROWS * 8 };
	double constant[COUNT], code[COUNT];
	bool inside[COUNT];
	struct setting s;
	set_up(&s, &c, (struct bit_width){ BITS_INTEGER, 2 });
	struct layer *l = &s.net->layers[1];
	l->params[0].value[0] = 0.7f;
	loss_now(&s, true);
	float *x = (float *)l->x, *dy = l->dy, step = 0.7f / (float)top;
	for (int i = 0; i < COUNT; i++) {
		x[i] = 1.2f * noise(31, (uint64_t)i);
		dy[i] = noise(32, (uint64_t)i);
		double u = (double)(x[i] / step), q = bipolar ? (u >= 0 ? 1 : -1) : nearbyint(u);
		inside[i] = bipolar ? fabs(u) <= 1 : q >= lo && q <= hi && (is_signed || x[i] > 0);
		code[i] = fmin(fmax(q, lo), hi);
		constant[i] = q - u;
	}
	for (int64_t p = 0; p < net_parts_of(s.net); p++) {
		struct part part = { p * s.net->part_rows, s.net->part_rows, p, 0 };
		l->type->forward(s.net, l, &part);
		l->type->backward(s.net, l, &part);
	}
	double of_range = 0, d = 1e-4;
	for (int i = 0; i < COUNT; i++) {
		double expected = inside[i] ? (double)dy[i] : 0;
		double value =
			bipolar ? (x[i] >= 0 ? 0.7 : -0.7) : (is_signed || x[i] > 0 ? code[i] : 0) * (double)step;
		assert_true(fabs((double)l->dx[i] - expected) < 1e-6);
		assert_true(fabs((double)l->y[i] - value) < 1e-6);
	}
	for (int64_t p = 0; p < net_parts_of(s.net); p++)
		of_range += (double)l->params[0].partial[p];
	double up = activation_loss(x, dy, constant, inside, code, (0.7 + d) / top, COUNT);
	double down = activation_loss(x, dy, constant, inside, code, (0.7 - d) / top, COUNT);
	assert_true(fabs(of_range - (up - down) / (2 * d)) < 1e-2);
	tear_down(&s);
}

static void activations_have_the_gradients_of_their_surrogate(void **state)
{
	(void)state;
	check_activation("linear(8),relu(2)", 0, 3, 3, false, false);
	check_activation("linear(8),relu(4)", 0, 15, 15, false, false);
	check_activation("linear(8),quant(3)", -4, 3, 4, true, false);
	check_activation("linear(8),quant(ternary)", -1, 1, 1, true, false);
	check_activation("linear(8),relu(1)", -1, 1, 1, true, true);
}

static void each_part(const struct setting *s, struct layer *l,
		      void (*call)(const struct net *n, struct layer *l, const struct part *p))
{
	for (int64_t p = 0; p < net_parts_of(s->net); p++) {
		struct part part = { p * s->net->part_rows, s->net->part_rows, p, 0 };
		call(s->net, l, &part);
	}
}

/* While the range follows the batch, it is the largest element, which gets its gradient, too. */
static void check_collecting(const char *arch, double lo, double hi, double top, bool is_signed)
{
	const struct case_of c = { arch, 2, { ROWS, 9 }, false, 8 };
	enum { COUNT = ROWS * 8 };
	double constant[COUNT], code[COUNT], d = 1e-4, loss[2];
	bool inside[COUNT];
	struct setting s;
	int place = 0;
	set_up(&s, &c, (struct bit_width){ BITS_INTEGER, 2 });
	s.net->options.collect = 5;
	loss_now(&s, true);
	struct layer *l = &s.net->layers[1];
	float *x = (float *)l->x, *dy = l->dy;
	for (int i = 0; i < COUNT; i++) {
		x[i] = is_signed && i == 7 ? -1.3f : 1.2f * noise(41, (uint64_t)i); /* the largest is negative */
		dy[i] = noise(42, (uint64_t)i);
		if ((is_signed ? fabsf(x[i]) : x[i]) > (is_signed ? fabsf(x[place]) : x[place]))
			place = i;
	}
	double range = fabs((double)x[place]), side = x[place] < 0 ? -1 : 1;
	for (int i = 0; i < COUNT; i++) {
		double u = (double)x[i] / (range / top), q = nearbyint(u);
		inside[i] = q >= lo && q <= hi && (is_signed || x[i] > 0);
		code[i] = fmin(fmax(q, lo), hi);
		constant[i] = q - u;
	}
	each_part(&s, l, l->type->observe);
	l->type->observed(s.net, l);
	each_part(&s, l, l->type->forward);
	each_part(&s, l, l->type->observe_back);
	l->type->observed_back(s.net, l);
	for (int i = 0; i < COUNT; i++)
		assert_true(i == place || fabsf(l->dx[i] - (inside[i] ? dy[i] : 0)) < 1e-6f);
	float old = x[place];
	for (int k = 0; k < 2; k++) {
		x[place] = (float)((double)old + (k ? -d : d));
		loss[k] = activation_loss(x, dy, constant, inside, code, side * (double)x[place] / top, COUNT);
	}
	assert_true(fabs((double)l->dx[place] - (loss[0] - loss[1]) / (2 * d)) < 2e-2);
	tear_down(&s);
}

static void ranges_that_follow_the_batch_give_their_gradient_to_an_element(void **state)
{
	(void)state;
	check_collecting("linear(8),relu(2)", 0, 3, 3, false);
	check_collecting("linear(8),quant(3)", -4, 3, 4, true);
	check_collecting("linear(8),quant(ternary)", -1, 1, 1, true);
}

/* ---- products of bits ---- */

static void bits_give_what_the_product_gives(void **state)
{
	(void)state;
	const char *const widths[] = { "1", "ternary", "2", "5", "8" };
	for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
		const struct case_of c = { "linear(37)", 2, { ROWS, 141 }, true, 37 };
		struct setting s;
		struct bit_width b;
		assert_true(bit_width_parse(widths[i], &b));
		set_up(&s, &c, b);
		net_forward(s.net, &s.rows, s.order, ROWS, true, NULL);
		const struct layer *l = &s.net->layers[0];
		for (int64_t r = 0; r < ROWS; r++)
			for (int64_t o = 0; o < 37; o++) {
				double sum = (double)l->params[1].value[o];
				for (int64_t k = 0; k < 141; k++)
					sum += (double)(dataset_at(&s.set, s.order[r], k) *
							l->weights->values[k * 37 + o]);
				assert_true(fabs(sum - (double)l->y[r * 37 + o]) < 1e-4);
			}
		tear_down(&s);
	}
}

/* ---- schedules ---- */

static double factor(const char *text, double at)
{
	struct schedule s;
	assert_true(schedule_parse(text, &s));
	return schedule_factor(&s, at, 20);
}

static void schedules_fall_as_they_say(void **state)
{
	(void)state;
	struct schedule s;
	assert_true(factor("constant", 7) == 1);
	assert_true(fabs(factor("cosine", 10) - 0.5) < 1e-9 && factor("cosine", 20) < 1e-9);
	assert_true(factor("step(5,0.5)", 4.9) == 1 && factor("step(5,0.5)", 10) == 0.25);
	assert_true(fabs(factor("restarts(4,2)", 2) - 0.5) < 1e-9 && factor("restarts(4,2)", 4) == 1 &&
		    fabs(factor("restarts(4,2)", 8) - 0.5) < 1e-9);
	assert_true(factor("constant(warmup=2)", 1) == 0.5 && factor("constant(warmup=2)", 3) == 1);
	assert_false(schedule_parse("cosin", &s) || schedule_parse("step(", &s) || schedule_parse("step(-1)", &s) ||
		     schedule_parse("step(1,2,3)", &s) || schedule_parse("", &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_have_the_gradients_of_their_losses),
		cmocka_unit_test(weights_have_the_gradients_of_their_surrogate),
		cmocka_unit_test(activations_have_the_gradients_of_their_surrogate),
		cmocka_unit_test(ranges_that_follow_the_batch_give_their_gradient_to_an_element),
		cmocka_unit_test(bits_give_what_the_product_gives),
		cmocka_unit_test(schedules_fall_as_they_say),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

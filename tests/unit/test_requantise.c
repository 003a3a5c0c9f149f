/* Thresholds as one multiplication: every line that is found is compared with the thresholds at every sum. */
#include "test.h"

#include <math.h>

#include "util/requantise.h"

static int64_t reached(const int64_t *t, int64_t count, int64_t x)
{
	int64_t n = 0;
	for (int64_t k = 0; k < count; k++)
		n += x >= t[k];
	return n;
}

static void assert_equal_everywhere(const struct requantise_problem *p, const struct requantisation *q)
{
	for (int64_t x = p->lo; x <= p->hi; x++)
		assert_int_equal(requantise_apply(q, x, p->count), reached(p->t, p->count, x));
}

/* Thresholds of x * scale + bias rounded to the nearest, between 0 and count. */
static void thresholds_of(double scale, double bias, int64_t count, int64_t lo, int64_t hi, int64_t *t)
{
	int64_t x = lo;
	for (int64_t k = 0; k < count; k++) {
		while (x <= hi && floor((double)x * scale + bias + 0.5) < (double)(k + 1))
			x++;
		t[k] = x;
	}
}

static void finds_lines(void **state)
{
	(void)state;
	int64_t t[255];
	unsigned seed = 1;
	for (int i = 0; i < 200; i++) {
		seed = seed * 1103515245 + 12345;
		double scale = 0.001 + (double)(seed >> 8 & 0xffff) / 300000,
		       bias = (double)(seed >> 12 & 255) - 100.3123457;
		int64_t lo = -20000, hi = 30000;
		struct requantise_problem p = { t, 255, lo, hi };
		struct requantisation q;
		thresholds_of(scale, bias, 255, lo, hi, t);
		assert_true(requantise_channels(&p, 1, 0, &q));
		assert_equal_everywhere(&p, &q);
		assert_in_range(q.multiplier, 0, INT32_MAX);
		assert_int_equal(q.n_exceptions, 0);
	}
}

static void moved_threshold_is_an_exception(void **state)
{
	(void)state;
	int64_t t[255];
	thresholds_of(0.0123, 3, 255, -9000, 30000, t);
	t[100]++;
	t[17]--;
	struct requantise_problem p = { t, 255, -9000, 30000 };
	struct requantisation q;
	assert_false(requantise_channels(&p, 1, 0, &q));
	assert_true(requantise_channels(&p, 1, 0.05, &q));
	assert_in_range(q.n_exceptions, 1, 9);
	assert_equal_everywhere(&p, &q);
	requantise_free(&q);
}

static void channels_share_a_shift(void **state)
{
	(void)state;
	int64_t t[3][15];
	struct requantise_problem p[3];
	struct requantisation q[3];
	const double scale[3] = { 0.5, 0.003, 7 };
	for (int c = 0; c < 3; c++) {
		thresholds_of(scale[c], c, 15, -3000, 5000, t[c]);
		p[c] = (struct requantise_problem){ t[c], 15, -3000, 5000 };
	}
	assert_true(requantise_channels(p, 3, 0, q));
	for (int c = 0; c < 3; c++) {
		assert_int_equal(q[c].shift, q[0].shift);
		assert_equal_everywhere(&p[c], &q[c]);
	}
}

static void curves_have_none(void **state)
{
	(void)state;
	int64_t t[20];
	for (int64_t k = 0; k < 20; k++)
		t[k] = k * k * 10;
	struct requantise_problem p = { t, 20, -100, 5000 };
	struct requantisation q;
	assert_false(requantise_channels(&p, 1, 0.25, &q));
}

static void all_or_none_reached(void **state)
{
	(void)state;
	const int64_t below[3] = { -9, -9, -5 }, above[3] = { 50, 51, 51 }, jump[3] = { 0, 0, 0 };
	const int64_t *const each[3] = { below, above, jump };
	for (int i = 0; i < 3; i++) {
		struct requantise_problem p = { each[i], 3, -4, 40 };
		struct requantisation q;
		assert_true(requantise_channels(&p, 1, 0, &q));
		assert_equal_everywhere(&p, &q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_lines),
		cmocka_unit_test(moved_threshold_is_an_exception),
		cmocka_unit_test(channels_share_a_shift),
		cmocka_unit_test(curves_have_none),
		cmocka_unit_test(all_or_none_reached),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

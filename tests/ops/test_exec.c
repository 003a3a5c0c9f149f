/* The executor: what it asks of inputs, batches against single runs, observers, nodes it cannot run. */
#include "../unit/test.h"

#include <math.h>

#include "exec/exec.h"
#include "ops/op.h"

static struct graph *typed_graph(const char *text)
{
	struct diags d = { 0 };
	struct graph *g = test_graph(text);
	graph_infer(g, &d);
	assert_no_errors(&d);
	return g;
}

/* A tensor of small integers, different in every element. */
static struct tensor *counting(int rank, const int64_t *dims)
{
	struct tensor *t = tensor_new(ELEM_FLOAT, rank, dims);
	for (int64_t i = 0; i < t->count; i++)
		((float *)t->data)[i] = (float)((i * 7 + i / 5) % 11) - 5;
	return t;
}

static void assert_refused(const char *text, struct tensor *in, const char *why)
{
	struct graph *g = typed_graph(text);
	struct tensor *out[4] = { NULL };
	struct diags d = { 0 };
	assert_int_equal(exec_graph(g, &in, out, NULL, &d), -1);
	assert_said(&d, why);
	assert_null(out[0]);
	tensor_unref(in);
	graph_free(g);
}

static void inputs_are_checked(void **state)
{
	static const float nan_first[] = { NAN, 1 }, half[] = { 1, 0.5f }, large[] = { 7, 8 }, zero[] = { 1, 0 };
	static const int64_t two[] = { 2 }, three[] = { 3 };
	const char *plain = "g (float[2] x) => (y) { y = Relu(x) }";
	const char *int4 = "g (float[2]:INT4 x) => (y) { y = Relu(x) }";
	const char *bipolar = "g (float[2]:BIPOLAR x) => (y) { y = Relu(x) }";
	(void)state;
	assert_refused(plain, NULL, "input 'x' is not given");
	assert_refused(plain, counting(1, three), "input 'x' has shape [3], the model expects [2]");
	assert_refused(plain, tensor_new(ELEM_INT8, 1, two), "given as int8, the model expects float");
	assert_refused(int4, tensor_float(1, two, nan_first), "element 0 is NaN");
	assert_refused(int4, tensor_float(1, two, half), "does not allow 0.5 (element 1)");
	assert_refused(int4, tensor_float(1, two, large), "does not allow 8 (element 1)");
	assert_refused(bipolar, tensor_float(1, two, zero), "does not allow 0 (element 1)");
}

static void unknown_operators_are_named(void **state)
{
	static const int64_t two[] = { 2 };
	(void)state;
	assert_refused("g (float[2] x) => (float[2] y) { y = Frobnicate(x) }", counting(1, two),
		       "unknown operator Frobnicate");
}

/* All samples in one call give the same as each on its own. */
static void assert_batches(const char *text, int rank, const int64_t *dims, int64_t samples)
{
	struct graph *g = typed_graph(text);
	struct diags d = { 0 };
	struct exec_options o = { .threads = 3 };
	int64_t all[MAX_RANK];
	memcpy(all, dims, (size_t)rank * sizeof *dims);
	all[0] *= samples;
	struct tensor *in = counting(rank, all), *out = NULL;
	assert_int_equal(exec_batch(g, &in, &out, &o, NULL, &d), 0);
	assert_no_errors(&d);
	int64_t row = in->count / samples, out_row = out->count / samples;
	for (int64_t i = 0; i < samples; i++) {
		struct tensor *one = tensor_float(rank, dims, tensor_floats(in) + i * row), *y = NULL;
		assert_int_equal(exec_graph(g, &one, &y, NULL, &d), 0);
		assert_int_equal(y->count, out_row);
		for (int64_t k = 0; k < out_row; k++)
			assert_true(tensor_at(y, k) == tensor_at(out, i * out_row + k));
		tensor_unref(one);
		tensor_unref(y);
	}
	tensor_unref(in);
	tensor_unref(out);
	graph_free(g);
}

static void batches_equal_single_runs(void **state)
{
	(void)state;
	assert_batches("g (float[1,3] x) => (y) <float[3,2] w = {1,2,3,4,5,6}, float[2] b = {1,-1}>"
		       "{ m = MatMul(x, w) a = Add(m, b) y = Relu(a) }",
		       2, (const int64_t[]){ 1, 3 }, 37);
	assert_batches(
		"g (float[1,2,4,4] x) => (y) <float[3,2,3,3] w = {1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,"
		"7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9}, int64[2] s = {1, 12}>"
		"{ c = Conv<pads=[1,1,1,1], strides=[2,2]>(x, w) y = Reshape(c, s) }",
		4, (const int64_t[]){ 1, 2, 4, 4 }, 5);
	/* these mix samples or name the batch: each runs on its own */
	assert_batches("g (float[1,3] x) => (y) <int64[2] s = {3, 1}> { y = Reshape(x, s) }", 2,
		       (const int64_t[]){ 1, 3 }, 4);
	assert_batches("g (float[2,3] x) => (y) { y = ReduceMax<axes=[0]>(x) }", 2, (const int64_t[]){ 2, 3 }, 4);
	assert_batches("g (float[2,3] x) => (y) <float[2,1] c = {10, 20}> { y = Add(x, c) }", 2,
		       (const int64_t[]){ 2, 3 }, 3);
	assert_batches("g (float[1,3] x) => (y) { a = Softmax<axis=0>(x) y = Add(a, x) }", 2, (const int64_t[]){ 1, 3 },
		       3);
	assert_batches("g (float[1,3] x) => (y) { y = Transpose(x) }", 2, (const int64_t[]){ 1, 3 }, 3);
	assert_batches("g (float[N,3] x) => (y) <float c = {2}> { y = Mul(x, c) }", 2, (const int64_t[]){ 1, 3 }, 9);
}

static void batches_must_be_whole(void **state)
{
	struct graph *g = typed_graph("g (float[2,3] x) => (y) { y = Relu(x) }");
	struct tensor *in = counting(2, (const int64_t[]){ 5, 3 }), *out = NULL;
	struct diags d = { 0 };
	(void)state;
	assert_int_equal(exec_batch(g, &in, &out, NULL, NULL, &d), -1);
	assert_said(&d, "multiple");
	tensor_unref(in);
	graph_free(g);
}

static void count_value(void *user, const struct value *v, const struct tensor *t)
{
	assert_non_null(t);
	assert_true(*v->name);
	++*(int *)user;
}

static void observers_see_every_value(void **state)
{
	struct graph *g = typed_graph("g (float[2] x) => (y) <float c = {3}> { k = Neg(c) a = Add(x, k) y = Relu(a) }");
	struct tensor *in = counting(1, (const int64_t[]){ 2 }), *out = NULL;
	struct diags d = { 0 };
	int seen = 0;
	struct exec_options o = { .observe = count_value, .user = &seen };
	(void)state;
	assert_int_equal(exec_graph(g, &in, &out, &o, &d), 0);
	assert_int_equal(seen, 4); /* x, k, a, y */
	tensor_unref(in);
	tensor_unref(out);
	graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inputs_are_checked),	     cmocka_unit_test(unknown_operators_are_named),
		cmocka_unit_test(batches_equal_single_runs), cmocka_unit_test(batches_must_be_whole),
		cmocka_unit_test(observers_see_every_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the small tensors of ONNX's node tests do not reach: large transposes, long runs, both float types. */
#include "../unit/test.h"

#include "ops/op.h"

/* Executes the first node of a graph on its inputs, filled with fill(i) in element i. The caller owns the result. */
static struct tensor *execute(const char *text, double (*fill)(int64_t), struct tensor *in[4])
{
	struct graph *g = test_graph(text);
	struct diags d = { 0 };
	struct tensor *out[4] = { NULL };
	assert_int_equal(graph_infer(g, &d), 0);
	for (uint32_t i = 0; i < g->first->n_inputs; i++) {
		const struct value *v = node_input(g->first, i);
		in[i] = v->constant ? tensor_ref(v->constant) : tensor_new((enum elem_type)v->elem, v->rank, v->dims);
		for (int64_t k = 0; !v->constant && k < in[i]->count; k++)
			tensor_put(in[i], k, fill(k + (int64_t)i));
	}
	assert_int_equal(node_execute(g->first, in, out, 1, &d), 0);
	assert_no_errors(&d);
	graph_free(g);
	return out[0];
}

static void release(struct tensor *out, struct tensor *in[4])
{
	tensor_unref(out);
	for (int i = 0; i < 4; i++)
		tensor_unref(in[i]);
}

static double index_of(int64_t i)
{
	return (double)i;
}

static double spread(int64_t i)
{
	return (double)(i * 37 % 101) / 8 - 6;
}

static void check_transpose(const char *type, const int perm[4])
{
	static const int64_t dims[4] = { 17, 2, 18, 33 };
	char text[256];
	struct tensor *in[4] = { NULL };
	snprintf(text, sizeof text, "g (%s[17,2,18,33] x) => (y) { y = Transpose<perm=[%d,%d,%d,%d]>(x) }", type,
		 perm[0], perm[1], perm[2], perm[3]);
	struct tensor *out = execute(text, index_of, in);
	const int64_t strides[4] = { 2 * 18 * 33, 18 * 33, 33, 1 };
	for (int64_t i = 0; i < out->count; i++) {
		int64_t rest = i, from = 0;
		for (int k = 3; k >= 0; k--) {
			assert_int_equal(out->dims[k], dims[perm[k]]);
			from += rest % out->dims[k] * strides[perm[k]];
			rest /= out->dims[k];
		}
		assert_true(tensor_at(out, i) == (double)from);
	}
	release(out, in);
}

static void transposes_in_any_order(void **state)
{
	(void)state;
	for (int code = 0; code < 256; code++) {
		int perm[4] = { code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 };
		if ((1 << perm[0] | 1 << perm[1] | 1 << perm[2] | 1 << perm[3]) != 15)
			continue;
		check_transpose("float", perm);
		check_transpose("double", perm);
	}
}

/* The same operator on float and on double inputs: the float result is the double one rounded, or next to it. */
static void float_and_double_agree(void **state)
{
	static const char *const bodies[] = {
		"Add(a, b)",	"Sub(a, b)",	 "Mul(a, b)",
		"Div(a, b)",	"Max(a, b)",	 "Min(a, b)",
		"PRelu(a, b)",	"Relu(a)",	 "LeakyRelu(a)",
		"Sigmoid(a)",	"Tanh(a)",	 "Softplus(a)",
		"HardSwish(a)", "Gelu(a)",	 "Mish(a)",
		"Elu(a)",	"Selu(a)",	 "Exp(a)",
		"Erf(a)",	"Round(a)",	 "Floor(a)",
		"Clip(a, b)",	"Mean(a, b)",	 "Identity(a)",
		"ReduceSum(a)", "ReduceMean(a)", "ReduceLogSumExp(a)",
		"ReduceL2(a)",
	};
	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		bool scalar = strncmp(bodies[i], "Clip", 4) == 0;
		char text[256];
		struct tensor *in[4] = { NULL }, *in2[4] = { NULL };
		snprintf(text, sizeof text, "g (float[3,70] a, float%s b) => (y) { y = %s }", scalar ? "" : "[70]",
			 bodies[i]);
		if (scalar)
			snprintf(text, sizeof text, "g (float[3,70] a) => (y) <float b = {-1}> { y = %s }", bodies[i]);
		struct tensor *single = execute(text, spread, in);
		for (char *p; (p = strstr(text, "float"));) { /* float and double: another number of letters */
			char rest[256];
			snprintf(rest, sizeof rest, "%s", p + 5);
			snprintf(p, sizeof text - (size_t)(p - text), "double%s", rest);
		}
		struct tensor *twice = execute(text, spread, in2);
		assert_int_equal(twice->elem, ELEM_DOUBLE);
		for (int64_t k = 0; k < single->count; k++) {
			double x = tensor_at(single, k), y = tensor_at(twice, k);
			if (!(x == y || (x != x && y != y) || (x > y ? x - y : y - x) <= 2e-6 * (1 + (y < 0 ? -y : y))))
				fail_msg("%s: %.9g in float, %.9g in double", bodies[i], x, y);
		}
		release(single, in);
		release(twice, in2);
	}
}

static void bad_inputs_are_diagnostics(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ "g (string[2] a, string[2] b) => (y) { y = Add(a, b) }", "cannot be executed" },
		{ "g (float[2] a, double[2] b) => (y) { y = Add(a, b) }", "two storage types" },
		{ "g (float[3] a) => (y) <int64[1] i = {7}> { y = Gather(a, i) }", "out of range" },
		{ "g (float[3] a) => (y) <int64[1] r = {-1}> { y = Tile(a, r) }", "do not fit" },
		{ "g (float[3] a) => (y) <float[2] lo = {1, 2}> { y = Clip(a, lo) }", "no scalar" },
		{ "g (float[3] a) => (y) { y = Pad<mode=\"sideways\", pads=[0, 0]>(a) }", "mode" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct graph *g = test_graph(rows[i].text);
		struct diags d = { 0 }, ignored = { 0 };
		struct tensor *in[4] = { NULL }, *out[4] = { NULL };
		graph_infer(g, &ignored);
		diags_free(&ignored);
		for (uint32_t k = 0; k < g->first->n_inputs; k++) {
			const struct value *v = node_input(g->first, k);
			in[k] = v->constant ? tensor_ref(v->constant)
					    : tensor_new((enum elem_type)v->elem, v->rank, v->dims);
		}
		assert_int_equal(node_execute(g->first, in, out, 1, &d), -1);
		assert_said(&d, rows[i].said);
		release(NULL, in);
		graph_free(g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transposes_in_any_order),
		cmocka_unit_test(float_and_double_agree),
		cmocka_unit_test(bad_inputs_are_diagnostics),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

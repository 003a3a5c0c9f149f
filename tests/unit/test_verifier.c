/* The driver and --verify, with passes made for the purpose: some do wrong. */
#include "test.h"

#include "pipeline/verifier.h"

static const char network[] = "net (float[1,2]:INT4 x) => (float[1,2] y) <float[2,2] w = {1,2,3,4}>\n"
			      "{ y = MatMul(x, w) }";

static enum pass_result do_nothing(struct pass_ctx *ctx)
{
	return pass_result(ctx);
}

static enum pass_result spoil_weight(struct pass_ctx *ctx)
{
	struct value *w = graph_value(ctx->graph, "w");
	value_set_constant(w, tensor_float(2, (int64_t[]){ 2, 2 }, (float[]){ 1, 2, 3, 5 }));
	ctx->changes++;
	return pass_result(ctx);
}

/* w = (1 2; 3 4) as the product of another constant: the same function. */
static enum pass_result keep_weight(struct pass_ctx *ctx)
{
	struct value *w = graph_value(ctx->graph, "w");
	value_set_constant(w, tensor_float(2, (int64_t[]){ 2, 2 }, (float[]){ 1, 2, 3, 4 }));
	ctx->changes++;
	return pass_result(ctx);
}

static enum pass_result declare_bipolar(struct pass_ctx *ctx)
{
	graph_value(ctx->graph, "x")->datatype = datatype_of_kind(DT_BIPOLAR);
	ctx->changes++;
	return pass_result(ctx);
}

static enum pass_result fail_silently(struct pass_ctx *ctx)
{
	(void)ctx;
	return PASS_ERROR;
}

static const struct pass nothing = { .name = "nothing", .run = do_nothing };
static const struct pass spoil = { .name = "spoil", .run = spoil_weight };
static const struct pass keep = { .name = "keep", .run = keep_weight };
static const struct pass bipolar = { .name = "bipolar", .run = declare_bipolar };
static const struct pass surgery = { .name = "surgery", .run = spoil_weight, .changes_function = true };
static const struct pass broken = { .name = "broken", .run = fail_silently };
static const struct pass needy = { .name = "needy", .run = do_nothing, .requires = 1u << 30 };

/* 0.3 * x / 0.2 is a half of an odd number for every odd x: which way it rounds, float32 cannot tell. */
static const char halves[] = "halves (float[1,64]:INT4 x) => (float[1,64] y) <float w = {0.3}, float scale = {0.2}, "
			     "float zero = {0}, float four = {4}> { m = Mul(x, w) "
			     "y = qonnx.Quant<signed=1,narrow=0,rounding_mode=\"ROUND\">(m, scale, zero, four) }";

static enum pass_result scale_weight(struct pass_ctx *ctx, float factor)
{
	value_set_constant(graph_value(ctx->graph, "w"), tensor_scalar(0.3f * factor));
	ctx->changes++;
	return pass_result(ctx);
}

static enum pass_result move_by_an_ulp(struct pass_ctx *ctx)
{
	return scale_weight(ctx, 1 - 0x1p-23f);
}

static enum pass_result move_by_a_tenth(struct pass_ctx *ctx)
{
	return scale_weight(ctx, 0.9f);
}

static const struct pass ulp = { .name = "ulp", .run = move_by_an_ulp };
static const struct pass tenth = { .name = "tenth", .run = move_by_a_tenth };

/* Runs the passes under --verify=5 on the network; the diagnostics are the caller's. */
static int run_on(const char *text, const struct pass *const *passes, size_t n, struct diags *d)
{
	struct pipeline_step steps[4];
	struct pipeline p = { .steps = steps, .count = n };
	struct pipeline_options o = { .verify_structure = true, .verify_samples = 5 };
	struct graph *g = test_graph(text);
	json_t *report = json_array();
	for (size_t i = 0; i < n; i++)
		steps[i] = (struct pipeline_step){ .pass = passes[i], .called = passes[i]->name };
	int status = pipeline_run(&p, g, &o, report, d);
	if (status == 0)
		assert_int_equal(json_array_size(report), n);
	json_decref(report);
	graph_free(g);
	return status;
}

static int run(const struct pass *const *passes, size_t n, struct diags *d)
{
	return run_on(network, passes, n, d);
}

static void finds_the_culprit(void **state)
{
	(void)state;
	struct diags d = { 0 };
	const struct pass *passes[] = { &nothing, &keep, &spoil, &keep };
	assert_int_equal(run(passes, 4, &d), -1);
	assert_int_equal(d.errors, 1);
	assert_string_equal(d.last->pass, "spoil");
	assert_said(&d, "output 'y'");
}

static void accepts_equals(void **state)
{
	(void)state;
	struct diags d = { 0 };
	const struct pass *passes[] = { &nothing, &keep };
	assert_int_equal(run(passes, 2, &d), 0);
	assert_no_errors(&d);
	diags_free(&d);
}

static void tells_ties_from_faults(void **state)
{
	(void)state;
	struct diags d = { 0 };
	const struct pass *tie[] = { &ulp };
	assert_int_equal(run_on(halves, tie, 1, &d), 0);
	assert_int_equal(d.errors, 0);
	assert_said(&d, "undecidable in float32");
	diags_free(&d);
	const struct pass *fault[] = { &tenth };
	assert_int_equal(run_on(halves, fault, 1, &d), -1);
	assert_int_equal(d.errors, 1);
	assert_said(&d, "first wrong decision");
	diags_free(&d);
}

static void skips_surgery(void **state)
{
	(void)state;
	struct diags d = { 0 };
	const struct pass *passes[] = { &bipolar, &surgery };
	assert_int_equal(run(passes, 2, &d), 0);
	assert_int_equal(d.errors, 0);
	assert_said(&d, "not compared");
	const struct pass *undone[] = { &surgery, &keep };
	assert_int_equal(run(undone, 2, &d), -1);
	assert_string_equal(d.last->pass, "keep");
	diags_free(&d);
}

static void names_silent_failures(void **state)
{
	(void)state;
	struct diags d = { 0 };
	const struct pass *passes[] = { &broken };
	assert_int_equal(run(passes, 1, &d), -1);
	assert_string_equal(d.last->pass, "broken");
	diags_free(&d);
	const struct pass *lacking[] = { &needy };
	assert_int_equal(run(lacking, 1, &d), -1);
	assert_said(&d, "needy");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_culprit),	  cmocka_unit_test(accepts_equals),
		cmocka_unit_test(skips_surgery),	  cmocka_unit_test(names_silent_failures),
		cmocka_unit_test(tells_ties_from_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

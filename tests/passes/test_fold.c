/* fold on the intrusion network against FINN's own foldings, its limits, and folding_config.json. */
#include "../unit/test.h"

#include "hw/folding.h"

static const char *const layers = "finn/cybsec-mlp/streamlined.onnx";

static struct graph *network(void)
{
	struct diags d = { 0 };
	char *path = test_shared(layers);
	struct graph *g = graph_read(path, &d);
	assert_no_errors(&d);
	diags_free(&d);
	free(path);
	return g;
}

/* Sums of a folded graph. */
static struct hw_cost totals(const struct graph *g)
{
	struct hw_cost sum = { 0 };
	struct diags d = { 0 };
	graph_for_each_node(g, n) {
		struct hw_layer l;
		assert_int_equal(hw_layer_read(n, &l, &d), 0);
		struct hw_cost c = hw_layer_cost(&l, &l.now);
		sum.lut += c.lut;
		sum.bram += c.bram;
		sum.dsp += c.dsp;
		sum.cycles = c.cycles > sum.cycles ? c.cycles : sum.cycles;
	}
	return sum;
}

/* FINN 0.10.1's foldings and their estimates: target, PE, SIMD, LUT, RAMB18. */
static const struct { int target, pe[4], simd[4]; int64_t lut, bram; } finn[] = {
	{ 1000, { 1, 1, 1, 1 }, { 40, 8, 8, 1 }, 1836, 8 },
	{ 100, { 1, 1, 1, 1 }, { 600, 64, 64, 1 }, 8859, 43 },
	{ 10, { 8, 8, 8, 1 }, { 600, 64, 64, 8 }, 62457, 326 },
	{ 1, { 64, 64, 64, 1 }, { 600, 64, 64, 64 }, 491256, 2594 },
};

/* With FINN's accumulators; ours are the tighter ones that the range analysis finds. */
static void formulas_give_finns_figures(void **state)
{
	static const char *const accumulators[] = { "INT9", "INT8", "INT7", "INT7" };
	struct graph *g = network();
	(void)state;
	test_run(g, "to-hw");
	for (size_t i = 0; i < 4; i++) {
		size_t k = 0;
		graph_for_each_node(g, n) {
			node_set_string(n, "accDataType", accumulators[k]);
			node_set_int(n, "PE", finn[i].pe[k]);
			node_set_int(n, "SIMD", finn[i].simd[k++]);
		}
		struct hw_cost sum = totals(g);
		assert_int_equal(sum.lut, finn[i].lut);
		assert_int_equal(sum.bram, finn[i].bram);
	}
	graph_free(g);
}

static void is_never_dearer_than_finn(void **state)
{
	int clearly_less = 0;
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		char passes[64];
		struct graph *g = network();
		snprintf(passes, sizeof passes, "to-hw,fold(target_cycles=%d)", finn[i].target);
		test_run(g, passes);
		struct hw_cost sum = totals(g);
		assert_true(sum.cycles <= finn[i].target);
		assert_true(sum.lut <= finn[i].lut);
		assert_int_equal(sum.dsp, 0);
		clearly_less += sum.lut * 100 <= finn[i].lut * 90;
		print_message("# target %d: %lld cycles, %lld LUT (FINN %lld), %lld RAMB18 (FINN %lld)\n", finn[i].target,
			      (long long)sum.cycles, (long long)sum.lut, (long long)finn[i].lut, (long long)sum.bram,
			      (long long)finn[i].bram);
		graph_free(g);
	}
	assert_true(clearly_less >= 2);
}

/* Runs passes that must fail, and says something of the text. */
static void fails(const char *passes, const char *text)
{
	struct graph *g = network();
	struct diags d = { 0 };
	struct pipeline p;
	struct pipeline_options o = { 0 };
	json_t *report = json_array();
	assert_int_equal(pipeline_parse(&p, passes, &d), 0);
	assert_int_not_equal(pipeline_run(&p, g, &o, report, &d), 0);
	assert_true(d.errors > 0);
	assert_said(&d, text);
	pipeline_free(&p);
	json_decref(report);
	graph_free(g);
}

static void names_the_limit(void **state)
{
	(void)state;
	fails("to-hw,fold(target_cycles=1,max_lut=100000)", "max_lut=100000 is too little");
	fails("to-hw,fold(target_cycles=1,max_lut=100000)", "frames per second) are possible");
	fails("to-hw,fold(target_cycles=10,max_stream_bits=64)", "max_stream_bits=64");
	fails("to-hw,fold(part=xc9z999)", "part 'xc9z999' is unknown");
	fails("to-hw,fold(target_fps=1e9,clock_mhz=100)", "more than one frame a cycle");
	fails("to-hw,fold(max_lut=10)", "max_lut=10 is too little");
}

static void configuration_round_trips(void **state)
{
	struct diags d = { 0 };
	char *path = test_file(".json"), passes[128];
	struct graph *a = network(), *b = network();
	(void)state;
	test_run(a, "to-hw,fold(target_cycles=100)");
	test_run(b, "to-hw");
	assert_int_equal(folding_config_write(a, path, &d), 0);
	snprintf(passes, sizeof passes, "apply-folding(file=%s)", path);
	test_run(b, passes);
	for (struct node *n = a->first, *m = b->first; n && m; n = n->next, m = m->next) {
		assert_int_equal(node_attr_int(n, "PE", 0), node_attr_int(m, "PE", -1));
		assert_int_equal(node_attr_int(n, "SIMD", 0), node_attr_int(m, "SIMD", -1));
	}
	node_set_int(a->first, "PE", 7);	/* does not divide 64 */
	assert_int_equal(folding_config_write(a, path, &d), 0);
	size_t changes = 0;
	assert_int_not_equal(folding_config_apply(b, path, &changes, &d), 0);
	assert_said(&d, "does not divide");
	unlink(path);
	free(path);
	graph_free(a);
	graph_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formulas_give_finns_figures), cmocka_unit_test(is_never_dearer_than_finn),
		cmocka_unit_test(names_the_limit), cmocka_unit_test(configuration_round_trips),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

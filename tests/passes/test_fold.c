/* fold on the intrusion network against FINN's own foldings (of the same network: keep_shape), without its dead hardware,
 * its limits, folding_config.json; padding of small networks. */
#include "passes.h"

#include "hw/folding.h"
#include "util/strbuf.h"

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
	graph_for_each_node (g, n) {
		struct hw_layer l;
		if (!hw_kind_of(n))
			continue;
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
static const struct {
	int target, pe[4], simd[4];
	int64_t lut, bram;
} finn[] = {
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
	test_run(g, "to-hw(keep_shape)");
	for (size_t i = 0; i < 4; i++) {
		size_t k = 0;
		graph_for_each_node (g, n) {
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

/* The intrusion network folded to a target, with other options of fold. */
static struct hw_cost folded(int target, const char *options)
{
	char passes[64];
	struct graph *g = network();
	snprintf(passes, sizeof passes, "fold(%starget_cycles=%d)", options, target);
	test_run(g, passes);
	struct hw_cost sum = totals(g);
	assert_true(sum.cycles <= target);
	assert_int_equal(sum.dsp, 0);
	graph_free(g);
	return sum;
}

static void is_never_dearer_than_finn(void **state)
{
	int clearly_less = 0;
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct hw_cost sum = folded(finn[i].target, "keep_shape,");
		assert_true(sum.lut <= finn[i].lut);
		clearly_less += sum.lut * 100 <= finn[i].lut * 90;
		print_message("# target %d: %lld cycles, %lld LUT (FINN %lld), %lld RAMB18 (FINN %lld)\n",
			      finn[i].target, (long long)sum.cycles, (long long)sum.lut, (long long)finn[i].lut,
			      (long long)sum.bram, (long long)finn[i].bram);
	}
	assert_true(clearly_less >= 2);
}

/* The same work without dead hardware. Of FINN's LUTs at 1000 cycles, 1200 are the fixed part of four layers. */
static void without_dead_hardware(void **state)
{
	static const int percent[] = { 80, 40, 35, 40 };
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct hw_cost sum = folded(finn[i].target, "");
		assert_true(sum.lut * 100 <= finn[i].lut * percent[i]);
		print_message("# target %d: %lld LUT, %lld RAMB18 without dead hardware (FINN with it: %lld, %lld)\n",
			      finn[i].target, (long long)sum.lut, (long long)sum.bram, (long long)finn[i].lut,
			      (long long)finn[i].bram);
	}
}

/* ---- padding ---- */

static void add_matrix(struct strbuf *b, const char *name, int rows, int columns, bool bipolar)
{
	strbuf_printf(b, "float[%d,%d] %s = {", rows, columns, name);
	for (int i = 0; i < rows * columns; i++) {
		int r = (i * 7919 + i * i * 31 + 5) % 97;
		strbuf_printf(b, "%s%d", i ? "," : "", bipolar ? r % 2 * 2 - 1 : r % 3 - 1);
	}
	strbuf_puts(b, "}, ");
}

#define BIPOLAR(of, as) as " = qonnx.BipolarQuant(" of ", one) "
#define QUANT(of, as, flags, bits) as " = qonnx.Quant" flags "(" of ", one, zero, " bits ") "
#define WEIGHTS QUANT("w", "p", SIGNED, "two") QUANT("v", "r", SIGNED, "two")
#define BIPOLAR_WEIGHTS BIPOLAR("w", "p") BIPOLAR("v", "r")

/* x, a matrix p of 61 x 31, a bias and a quantiser for each of the 31, a matrix r of 31 x 5: 61 and 31 are primes. */
#define CHAIN(x_as_q, s_as_b) x_as_q "a = MatMul(q, p) s = Add(a, c) " s_as_b "y = MatMul(b, r)"

static const struct {
	const char *what, *body;
	bool bipolar; /* weights: -1 and 1, else 0 too */
} chains[] = {
	{ "weights with a zero", WEIGHTS CHAIN(QUANT("x", "q", SIGNED, "three"), QUANT("s", "b", UNSIGNED, "two")),
	  false },
	{ "bipolar all over", BIPOLAR_WEIGHTS CHAIN(BIPOLAR("x", "q"), BIPOLAR("s", "b")), true },
	{ "bipolar weights, numbers from 0",
	  BIPOLAR_WEIGHTS CHAIN(QUANT("x", "q", UNSIGNED, "three"), QUANT("s", "b", UNSIGNED, "two")), true },
	{ "bipolar weights, numbers around 0",
	  BIPOLAR_WEIGHTS CHAIN(QUANT("x", "q", SIGNED, "three"), QUANT("s", "b", SIGNED, "two")), true },
	{ "bipolar weights behind others",
	  QUANT("w", "p", SIGNED, "two") BIPOLAR("v", "r")
		  CHAIN(QUANT("x", "q", SIGNED, "three"), QUANT("s", "b", SIGNED, "two")),
	  true },
};

static int64_t first_number(const struct graph *g, const char *name)
{
	graph_for_each_node (g, n)
		if (n->op == &op_MVAU)
			return node_attr_int(n, name, 0);
	return 0;
}

/* The folding that was found for g, applied to the network as it was: the same numbers, PE and SIMD. */
static void applies_with_padding(const struct pass_case *c, const struct graph *g)
{
	struct diags d = { 0 };
	char *path = test_file(".json"), passes[128];
	assert_int_equal(folding_config_write(g, path, &d), 0);
	snprintf(passes, sizeof passes, "streamline,to-hw,apply-folding(file=%s)", path);
	struct graph *again = run_case(c, passes, 0);
	for (struct node *n = g->first, *m = again->first; n && m; n = n->next, m = m->next) {
		static const char *const numbers[] = { "MW", "MH", "PE", "SIMD" };
		assert_ptr_equal(n->op, m->op);
		for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
			assert_int_equal(node_attr_int(n, numbers[i], 0), node_attr_int(m, numbers[i], 0));
	}
	graph_free(again);
	unlink(path);
	free(path);
}

/* Outputs stay the same bit for bit; both primes grow where that is asked for, and not else. */
static void pads_primes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
		struct strbuf constants = { 0 };
		add_matrix(&constants, "w", 61, 31, chains[i].bipolar);
		add_matrix(&constants, "v", 31, 5, chains[i].bipolar);
		add_matrix(&constants, "c", 1, 31, false);
		constants.text[constants.length - 2] = '\0';
		struct pass_case c = { chains[i].what, "(float[1,61] x) => (y)", constants.text, chains[i].body,
				       "MVAU=2" };
		struct graph *g = run_case(&c, "fold(pad,target_cycles=117)", 0);
		assert_int_equal(first_number(g, "MW"), 63);
		assert_int_equal(first_number(g, "MH"), 32);
		applies_with_padding(&c, g);
		graph_free(g);
		g = run_case(&c, "fold(target_cycles=117)", 0);
		assert_int_equal(first_number(g, "MW"), 61);
		graph_free(g);
		strbuf_free(&constants);
	}
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
	fails("to-hw,fold(target_fps=1e9,clock_mhz=100)", "more than one frame per cycle");
	fails("to-hw,fold(max_lut=10)", "max_lut=10 is too little");
}

static void configuration_round_trips(void **state)
{
	struct diags d = { 0 };
	struct graph *a = network(), *b = network(); /* first: where the data are missing the test is skipped here */
	char *path = test_file(".json"), passes[128];
	(void)state;
	test_run(a, "to-hw(keep_shape),fold(target_cycles=100)");
	test_run(b, "to-hw(keep_shape)");
	assert_int_equal(folding_config_write(a, path, &d), 0);
	snprintf(passes, sizeof passes, "apply-folding(file=%s)", path);
	test_run(b, passes);
	for (struct node *n = a->first, *m = b->first; n && m; n = n->next, m = m->next) {
		assert_int_equal(node_attr_int(n, "PE", 0), node_attr_int(m, "PE", -1));
		assert_int_equal(node_attr_int(n, "SIMD", 0), node_attr_int(m, "SIMD", -1));
	}
	node_set_int(a->first, "PE", 7); /* does not divide 64 */
	assert_int_equal(folding_config_write(a, path, &d), 0);
	size_t changes = 0;
	assert_int_not_equal(folding_config_apply(b, path, &changes, &d), 0);
	assert_said(&d, "does not divide");
	node_set_int(a->first, "MW", 7); /* of another network */
	assert_int_equal(folding_config_write(a, path, &d), 0);
	assert_int_not_equal(folding_config_apply(b, path, &changes, &d), 0);
	assert_said(&d, "apply it to the network that it was written for");
	unlink(path);
	free(path);
	graph_free(a);
	graph_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formulas_give_finns_figures),
		cmocka_unit_test(is_never_dearer_than_finn),
		cmocka_unit_test(without_dead_hardware),
		cmocka_unit_test(pads_primes),
		cmocka_unit_test(names_the_limit),
		cmocka_unit_test(configuration_round_trips),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

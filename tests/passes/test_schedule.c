/* The schedule of folded designs: with the depths it finds no design runs slower than its slowest layer (but for what a
 * converter's last word costs), with queues of two words many do, and forks lock up. */
#include "../unit/test.h"

#include "hw/schedule.h"
#include "ops/op.h"

/* A chain of MVAUs, folded so that each takes `cycles`: PE and SIMD by layer. */
static void add_mvau(struct graph *g, struct value **x, int64_t mw, int64_t mh, int64_t pe, int64_t simd)
{
	static const int64_t one = 1;
	struct value *w = value_new_constant(g, "w", tensor_new(ELEM_FLOAT, 2, (int64_t[]){ mw, mh }));
	struct value *in[] = { *x, w };
	struct node *n = node_new(g, NULL, DOMAIN_FINN, "MVAU", in, 2, 1, "y");
	node_set_int(n, "MW", mw);
	node_set_int(n, "MH", mh);
	node_set_int(n, "PE", pe);
	node_set_int(n, "SIMD", simd);
	node_set_string(n, "inputDataType", "UINT2");
	node_set_string(n, "weightDataType", "INT2");
	node_set_string(n, "outputDataType", "UINT2");
	node_set_int(n, "noActivation", 1);
	node_set_ints(n, "numInputVectors", &one, 1);
	value_set_type(g, n->outputs[0], ELEM_FLOAT, 2, (int64_t[]){ 1, mh });
	n->outputs[0]->datatype = datatype_uint(2);
	*x = n->outputs[0];
}

static struct graph *chain(void)
{
	struct graph *g = graph_new();
	struct value *x = value_new_named(g, "x");
	value_set_type(g, x, ELEM_FLOAT, 2, (int64_t[]){ 1, 64 });
	x->datatype = datatype_uint(2);
	graph_add_input(g, x);
	add_mvau(g, &x, 64, 64, 1,
		 16); /* 256 cycles each; the next one wants a word of 1 a cycle for 64 cycles, then works alone */
	add_mvau(g, &x, 64, 64, 16, 1);
	add_mvau(g, &x, 64, 64, 1, 16);
	graph_add_output(g, x, "y");
	return g;
}

static void chain_keeps_the_rate(void **state)
{
	struct schedule s;
	struct graph *g = chain();
	(void)state;
	g->properties |= ~0u;
	test_run(g, "insert-dwc");
	struct diags d = { 0 };
	assert_int_equal(schedule_graph(g, SCHEDULE_FULL, NULL, &s, &d), 0);
	assert_true(s.simulated);
	assert_int_equal(s.bottleneck, 256);
	assert_in_range(s.interval, 256, 258);
	assert_true(s.interval_shallow > s.interval + 20);
	print_message("# %lld cycles a frame, %lld with queues of two words\n", (long long)s.interval,
		      (long long)s.interval_shallow);
	schedule_free(&s);
	diags_free(&d);
	graph_free(g);
}

/* A network of ../shared folded to a target: at most 1 % above its slowest layer. */
static void check_network(const char *name, int target, bool forks)
{
	struct diags d = { 0 };
	struct schedule s;
	char file[128], passes[128];
	snprintf(file, sizeof file, "finn/%s/streamlined.onnx", name);
	char *path = test_shared(file);
	struct graph *g = graph_read(path, &d);
	assert_no_errors(&d);
	snprintf(passes, sizeof passes, "to-hw,fold(target_cycles=%d),insert-dwc", target);
	test_run(g, passes);
	assert_int_equal(schedule_graph(g, SCHEDULE_FULL, NULL, &s, &d), 0);
	assert_true(s.simulated);
	assert_true(s.interval >= s.bottleneck && s.interval <= s.bottleneck + s.bottleneck / 100 + 2);
	if (forks)
		assert_int_equal(s.interval_shallow, -1);
	schedule_free(&s);
	diags_free(&d);
	graph_free(g);
	free(path);
}

static void networks_keep_the_rate(void **state)
{
	(void)state;
	check_network("cybsec-mlp", 1000, false);
	check_network("tfc_1w1a", 1000, false);
	check_network("resnet_mini_w3a3", 5000, true);
	check_network("concat_w4a2", 6500, true); /* parts of 6 and 10 channels: SIMD 2 at most, 6272 cycles */
	check_network("cnv_1w1a", 20000, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(chain_keeps_the_rate),
					    cmocka_unit_test(networks_keep_the_rate) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

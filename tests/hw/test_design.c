/* The design of a folded network: streams and layers fit together, every user of it sees the same latency, and part and
 * clock reach it from fold. */
#include "../passes/passes.h"

#include "hw/design.h"
#include "hw/folding.h"
#include "hw/kind.h"
#include "hw/parts.h"

/* Two layers, and a scale for the host at either end. */
static struct graph *network(const char *fold)
{
	struct graph *g =
		test_graph("net (float[1,8] x) => (z)\n"
			   "<float s = {0.5}, float o = {0}, float b = {4}, float k = {0.3},\n"
			   " float[8,6] w = {1,-2,0,1,2,-1, 0,1,1,-1,2,0, 1,1,-2,0,1,2, -1,0,1,2,0,1, 2,1,0,-1,1,0,\n"
			   "  1,0,2,1,-2,1, 0,1,-1,2,1,0, 1,2,0,1,0,-2},\n"
			   " float[6,4] v = {1,-2,0,1, 0,1,1,-1, 1,1,-2,0, -1,0,1,2, 2,1,0,-1, 1,0,2,1}> {\n"
			   "\ti = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = \"ROUND\">(x, s, o, b)\n"
			   "\tp = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = \"ROUND\">(w, s, o, b)\n"
			   "\tm = MatMul(i, p)\n\tr = Relu(m)\n"
			   "\tj = qonnx.Quant <signed = 0, narrow = 0, rounding_mode = \"ROUND\">(r, s, o, b)\n"
			   "\tq = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = \"ROUND\">(v, s, o, b)\n"
			   "\tn = MatMul(j, q)\n\tz = Mul(n, k)\n}\n");
	test_run(g, "streamline");
	test_run(g, "to-hw(keep_shape)");
	test_run(g, fold);
	return g;
}

static void read_design(struct design *p, const struct graph *g, int64_t simulate)
{
	struct diags d = { 0 };
	struct design_options o = { .simulate = simulate };
	assert_int_equal(design_read(p, g, &o, &d), 0);
	assert_no_errors(&d);
	diags_free(&d);
}

/* Sets another folding than fold's: 4 x 3 and 2 x 1. */
static struct graph *folded(void)
{
	struct graph *g = network("fold(target_cycles=24,keep_shape)");
	size_t layer = 0;
	graph_for_each_node (g, n)
		if (n->op == &op_MVAU) {
			node_set_int(n, "SIMD", layer ? 2 : 4);
			node_set_int(n, "PE", layer ? 1 : 3);
			layer++;
		}
	assert_int_equal(layer, 2);
	return g;
}

static void streams_join_layers(void **state)
{
	struct graph *g = folded();
	struct design p;
	(void)state;
	read_design(&p, g, SCHEDULE_FULL);
	assert_int_equal(p.n_layers, 3); /* with the converter from words of 3 to words of 2 */
	assert_int_equal(p.n_streams, 4);
	assert_int_equal(p.n_inputs, 1);
	assert_int_equal(p.n_outputs, 1);
	for (size_t i = 0; i < p.n_streams; i++) {
		const struct design_stream *s = &p.streams[i];
		struct hw_stream out, in;
		if (s->writer)
			assert_ptr_equal(&p.streams[s->writer->out[s->output]], s);
		if (s->reader)
			assert_ptr_equal(&p.streams[s->reader->in[s->input]], s);
		if (!s->writer || !s->reader)
			continue;
		out = hw_output(&s->writer->l, &s->writer->l.now, s->output);
		in = hw_input(&s->reader->l, &s->reader->l.now, s->input);
		assert_int_equal(hw_width(in), hw_width(out));
		assert_int_equal(in.words, out.words);
		assert_true(s->depth >= 2);
	}
	assert_null(design_port(&p, false, 0)->writer);
	assert_null(design_port(&p, true, 0)->reader);
	assert_null(design_port(&p, true, 1));
	assert_true(p.n_head > 0 && p.n_tail > 0);
	design_free(&p);
	graph_free(g);
}

static int64_t number(const json_t *o, const char *key)
{
	assert_non_null(json_object_get(o, key));
	return json_integer_value(json_object_get(o, key));
}

/* fold's report, insert-fifo's and the design say one number; what is not simulated is a bound on it, by another name. */
static void one_latency(void **state)
{
	struct graph *g = folded();
	struct design p, bound;
	struct diags d = { 0 };
	json_t *report = json_object(), *schedule = json_object(), *rule = json_object();
	(void)state;
	read_design(&p, g, SCHEDULE_FULL);
	read_design(&bound, g, 1);
	assert_int_equal(folding_report(g, report, &d), 0);
	schedule_report(&p.schedule, schedule);
	schedule_report(&bound.schedule, rule);
	int64_t latency = number(json_object_get(report, "network"), "latency_cycles");
	assert_int_equal(latency, p.schedule.latency);
	assert_int_equal(latency, number(schedule, "latency_cycles"));
	assert_false(bound.schedule.simulated);
	assert_null(json_object_get(rule, "latency_cycles"));
	assert_true(number(rule, "latency_bound_cycles") >= latency);
	assert_true(number(rule, "latency_bound_cycles") <= 2 * latency);
	json_decref(report);
	json_decref(schedule);
	json_decref(rule);
	design_free(&p);
	design_free(&bound);
	diags_free(&d);
	graph_free(g);
}

/* Queues in the graph are the depths of the design's streams. */
static void queues_are_depths(void **state)
{
	struct graph *g = folded();
	struct design before, after;
	(void)state;
	read_design(&before, g, SCHEDULE_FULL);
	test_run(g, "insert-dwc");
	test_run(g, "insert-fifo");
	read_design(&after, g, 0);
	assert_int_equal(before.n_streams, after.n_streams);
	for (size_t i = 0; i < before.n_streams; i++)
		if (before.streams[i].writer && before.streams[i].reader)
			assert_int_equal(before.streams[i].depth, after.streams[i].depth);
	design_free(&before);
	design_free(&after);
	graph_free(g);
}

static void target_comes_from_fold(void **state)
{
	struct graph *g = network("fold(target_cycles=24,part=ZCU104,clock_mhz=200)");
	struct design p;
	(void)state;
	read_design(&p, g, 0);
	assert_string_equal(p.part, "xczu7ev-ffvc1156-2-e");
	assert_true(p.clock_mhz == 200);
	design_free(&p);
	test_run(g, "fold(target_cycles=24)");
	read_design(&p, g, 0);
	assert_string_equal(p.part, "xc7z020clg400-1");
	assert_true(p.clock_mhz == 100);
	design_free(&p);
	graph_free(g);
}

static void parts(void **state)
{
	static const char *const devices[][2] = {
		{ "Pynq-Z1", "xc7z020clg400-1" },
		{ "pynq-z1", "xc7z020clg400-1" },
		{ "xc7z020", "xc7z020clg400-1" },
		{ "xc7z020clg484-2", "xc7z020clg484-2" },
		{ "U250", "xcu250-figd2104-2L-e" },
		{ "xczu9eg", "xczu9eg-ffvb1156-2-e" },
		{ "xc7a35tcpg236-1", "xc7a35tcpg236-1" },
		{ "KV260_SOM", "xck26-sfvc784-2LV-c" },
		{ "xc7z020foo", NULL },
		{ "xc7z02", NULL },
		{ "ZCU10", NULL },
		{ "", NULL },
	};
	struct graph *g = network("fold(target_cycles=24)");
	struct arena a;
	int64_t limit[FOLD_RESOURCES];
	struct diags d = { 0 };
	struct design p;
	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
		const char *device = part_device(&a, devices[i][0]);
		assert_int_equal(device != NULL, devices[i][1] != NULL);
		assert_int_equal(device != NULL, part_resources(devices[i][0], limit));
		if (device)
			assert_string_equal(device, devices[i][1]);
	}
	assert_int_equal(design_read(&p, g, &(struct design_options){ .part = "xc7z021" }, &d), -1);
	assert_said(&d, "known are xc7z007s");
	design_free(&p);
	arena_free(&a);
	graph_free(g);
}

/* 2^24 + 3, which float32 rounds to the threshold, does not reach 2^24 + 4, and is 3 more than 2^24. */
static void sums_beyond_float(void **state)
{
	struct graph *g = test_graph(
		"net (float[1,2] x) => (a, z) <float[2,1] w = {4096,1}, float[1,1] t = {16777220}, float[1] m = {-16777216}> {\n"
		"\tc, d = finn.custom_op.fpgadataflow.DuplicateStreams <NumChannels = 2, PE = 1, numInputVectors = [1], "
		"inputDataType = \"INT16\"> (x)\n"
		"\ta = finn.custom_op.fpgadataflow.MVAU <MW = 2, MH = 1, SIMD = 1, PE = 1, numInputVectors = [1], "
		"inputDataType = \"INT16\", weightDataType = \"INT14\", outputDataType = \"UINT1\", accDataType = \"INT32\"> "
		"(c, w, t)\n"
		"\ts = finn.custom_op.fpgadataflow.MVAU <MW = 2, MH = 1, SIMD = 1, PE = 1, numInputVectors = [1], "
		"inputDataType = \"INT16\", weightDataType = \"INT14\", outputDataType = \"INT32\", accDataType = \"INT32\", "
		"noActivation = 1> (d, w)\n"
		"\tz = finn.custom_op.fpgadataflow.ChannelwiseOp <NumChannels = 1, PE = 1, numInputVectors = [1], Func = \"add\", "
		"inputDataType = \"INT32\", paramDataType = \"INT26\", outputDataType = \"INT32\"> (s, m)\n}\n");
	struct tensor *x = tensor_new(ELEM_FLOAT, 2, (int64_t[]){ 1, 2 }), *out[2] = { NULL };
	struct exec_options o = { .threads = 1 };
	struct diags d = { 0 };
	struct design p;
	(void)state;
	g->inputs[0]->datatype = datatype_int(16);
	test_run(g, "infer");
	read_design(&p, g, 0);
	struct graph *exact = design_exact(&p);
	tensor_put(x, 0, 4096);
	tensor_put(x, 1, 3);
	exec_graph(exact, &x, out, &o, &d);
	assert_no_errors(&d);
	assert_true(tensor_at(out[0], 0) == 0);
	assert_true(tensor_at(out[1], 0) == 3);
	tensor_unref(x);
	tensor_unref(out[0]);
	tensor_unref(out[1]);
	graph_free(exact);
	design_free(&p);
	graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_join_layers),
		cmocka_unit_test(one_latency),
		cmocka_unit_test(queues_are_depths),
		cmocka_unit_test(target_comes_from_fold),
		cmocka_unit_test(parts),
		cmocka_unit_test(sums_beyond_float),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

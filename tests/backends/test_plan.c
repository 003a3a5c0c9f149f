/* The plan of generated code: exact ranges, thresholds clamped to them, places that do not overlap; and the proof that
 * evenly spaced thresholds are one multiplication. */
#include "backends/c/packed/packed.h"
#include "ops/op.h"
#include "../unit/test.h"

static const char text[] = "net (float[1,3] x) => (float[1,2] y)\n"
			   "<float[3,2] w = {1, -1, 0, 1, -1, 1}, float[2,2] t = {-9, 1, 0, 99}> {\n"
			   "  a = MatMul(x, w)\n"
			   "  y = qonnx.MultiThreshold <out_dtype = \"UINT2\"> (a, t)\n"
			   "}\n";

static struct graph *small(void)
{
	struct diags d = { 0 };
	struct graph *g = graph_parse(text, "test", &d);
	if (!g) {
		if (d.first)
			fprintf(stderr, "%s\n", d.first->cause);
		diags_free(&d);
		return NULL;
	}
	g->inputs[0]->datatype = datatype_of_kind(DT_BIPOLAR);
	assert_int_equal(graph_infer(g, &d), 0);
	diags_free(&d);
	return g;
}

static void ranges_are_exact(void **state)
{
	(void)state;
	struct diags d = { 0 };
	struct graph *g = small();
	assert_non_null(g);
	struct plan *p = plan_build(g, &(struct plan_options){ .fuse = true }, &d);
	assert_non_null(p);
	assert_int_equal(p->n_layers, 1);
	const struct plan_layer *l = p->layers;
	assert_int_equal(l->kind, PLAN_MAC);
	assert_true(l->window.dense);
	assert_int_equal(l->channel_lo[0], -2);
	assert_int_equal(l->channel_hi[0], 2);
	assert_int_equal(l->channel_lo[1], -3);
	assert_int_equal(l->channel_hi[1], 3);
	assert_non_null(l->activation);
	assert_int_equal(l->activation->t[0], -2); /* always reached */
	assert_int_equal(l->activation->t[3], 4);  /* never */
	assert_int_equal(l->out->hi, 2);
	plan_free(p);
	graph_free(g);
	diags_free(&d);
}

/* A missing bound is one that nothing reaches: written into code, it must be a number of the operand's type. */
static void bounds_are_of_the_operands_type(void **state)
{
	(void)state;
	struct diags d = { 0 };
	struct graph *g = graph_parse("net (int8[4] x) => (y) <int8 most = {7}> { y = Clip(x, , most) }", "test", &d);
	assert_non_null(g);
	assert_int_equal(graph_infer(g, &d), 0);
	struct plan *p = plan_build(g, &(struct plan_options){ .fuse = true }, &d);
	assert_non_null(p);
	assert_int_equal(p->n_layers, 2);
	assert_true(*p->layers->operand == -128);
	assert_true(*p->layers->next->operand == 7);
	plan_free(p);
	graph_free(g);
	diags_free(&d);
}

/* The graph keeps its open batch; the plan is of one sample. */
static void an_open_batch_is_one_sample(void **state)
{
	(void)state;
	struct diags d = { 0 };
	struct graph *g = graph_parse("net (float[N,3] x) => (y) { y = Flatten(x) }", "test", &d);
	assert_non_null(g);
	assert_int_equal(graph_infer(g, &d), 0);
	struct plan *p = plan_build(g, &(struct plan_options){ .fuse = true }, &d);
	assert_non_null(p);
	assert_int_equal(p->inputs[0]->count, 3);
	assert_int_equal(g->inputs[0]->dims[0], -1);
	plan_free(p);
	graph_free(g);
	diags_free(&d);
}

static void places_do_not_overlap(void **state)
{
	(void)state;
	struct diags d = { 0 };
	struct graph *g = small();
	assert_non_null(g);
	struct plan *p = plan_build(g, &(struct plan_options){ .fuse = false }, &d);
	assert_non_null(p);
	struct plan_buf bufs[40] = { { 0 } };
	for (int i = 0; i < 40; i++)
		bufs[i] = (struct plan_buf){ .bytes = (size_t)(i * 37 % 23) * 8 + 8,
					     .born = i,
					     .dies = i + i % 5,
					     .next = i < 39 ? &bufs[i + 1] : NULL };
	p->bufs = bufs;
	p->n_bufs = 40;
	plan_place(p, 16);
	for (int i = 0; i < 40; i++) {
		assert_int_equal(bufs[i].offset % 16, 0);
		assert_true(bufs[i].offset + bufs[i].bytes <= p->arena_bytes);
		for (int k = 0; k < i; k++)
			assert_true(bufs[k].dies < bufs[i].born || bufs[k].offset + bufs[k].bytes <= bufs[i].offset ||
				    bufs[i].offset + bufs[i].bytes <= bufs[k].offset);
	}
	plan_free(p);
	graph_free(g);
	diags_free(&d);
}

static int64_t count(const int64_t *t, int64_t n, int64_t x)
{
	int64_t k = 0;
	while (k < n && x >= t[k])
		k++;
	return k;
}

static void even_thresholds_are_a_product(void **state)
{
	(void)state;
	int64_t even[15], uneven[3] = { 0, 1, 100 };
	float scale, offset;
	for (int i = 0; i < 15; i++)
		even[i] = -200 + (i * 271 + 5) / 10;
	assert_true(affine_fit(even, 15, -1000, 1000, false, &scale, &offset));
	for (int64_t x = -1000; x <= 1000; x++) {
		float v = (float)x * scale + offset;
		v = v > 0 ? v : 0;
		assert_int_equal((int64_t)(v < 15 ? v : 15), count(even, 15, x));
	}
	assert_false(affine_fit(uneven, 3, -1000, 1000, false, &scale, &offset));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_are_of_the_operands_type), cmocka_unit_test(ranges_are_exact),
		cmocka_unit_test(an_open_batch_is_one_sample),	   cmocka_unit_test(places_do_not_overlap),
		cmocka_unit_test(even_thresholds_are_a_product),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

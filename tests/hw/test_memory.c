/* Packed memories: which element lies in which bit, for small layers by hand; numbers come back; what does not fit is said. */
#include "../unit/test.h"

#include "hw/kind.h"

#define FINN "finn.custom_op.fpgadataflow."

static struct hw_memory memories[HW_MEMORIES];

/* Packs the only node's memories; how many. */
static int pack(const char *text, struct diags *d)
{
	struct graph *g = test_graph(text);
	struct hw_layer l;
	int count = hw_layer_read(g->last, &l, d) == 0 ? hw_memories(&l, memories, d) : -1;
	graph_free(g);
	return count;
}

static void free_all(int count)
{
	for (int i = 0; i < count; i++)
		hw_memory_free(&memories[i]);
}

#define MVAU(weights, thresholds, options)                                                                         \
	"g (float[1,4] x) => (y)\n<float[4,2] w = {" weights "}, float[2,3] t = {" thresholds "}> {\n"             \
	"\ty = " FINN "MVAU <MW = 4, MH = 2, SIMD = 2, PE = 2, numInputVectors = [1], inputDataType = \"UINT2\", " \
	"outputDataType = \"UINT2\", " options "> (x, w, t)\n}\n"

/* Weights [input][output]: output 0 has 1, -1, 0, -2; output 1 has 2 (as 3 bits), 3, -4, 1. */
static void matrix(void **state)
{
	struct diags d = { 0 };
	(void)state;
	int count = pack(MVAU("1,2, -1,3, 0,-4, -2,1", "-5,0,7, 1,2,300", "weightDataType = \"INT3\""), &d);
	assert_no_errors(&d);
	assert_int_equal(count, 2);
	const struct hw_memory *w = &memories[0], *t = &memories[1];
	assert_string_equal(hw_memory_name(w), "weights");
	assert_int_equal(w->banks, 2);
	assert_int_equal(w->words, 2);
	assert_int_equal(w->elements, 2);
	assert_int_equal(hw_memory_width(w), 6);
	assert_int_equal(*hw_memory_word(w, 0, 0), 1 | 7 << 3); /* 1, -1 */
	assert_int_equal(*hw_memory_word(w, 0, 1), 0 | 6 << 3); /* 0, -2 */
	assert_int_equal(*hw_memory_word(w, 1, 0), 2 | 3 << 3);
	assert_int_equal(*hw_memory_word(w, 1, 1), 4 | 1 << 3); /* -4, 1 */
	assert_int_equal(hw_memory_at(w, 1, 1, 0), -4);
	assert_int_equal(t->bits, 10); /* -5 .. 300 */
	assert_int_equal(t->elements, 3);
	assert_int_equal(hw_memory_at(t, 0, 0, 0), -5);
	assert_int_equal(hw_memory_at(t, 1, 0, 2), 300);
	free_all(count);
}

/* Fractions between integers are as good rounded up. */
static void thresholds_between_integers(void **state)
{
	struct diags d = { 0 };
	(void)state;
	int count = pack(MVAU("1,1,1,1,1,1,1,1", "-1.5,0.5,2.5, 0,1,2", "weightDataType = \"INT2\""), &d);
	assert_no_errors(&d);
	assert_int_equal(hw_memory_at(&memories[1], 0, 0, 0), -1);
	assert_int_equal(hw_memory_at(&memories[1], 0, 0, 2), 3);
	free_all(count);
}

/* Elements that lie across the border of 64 bits: 3 of 24 bits. */
static void elements_across_chunks(void **state)
{
	struct diags d = { 0 };
	(void)state;
	int count = pack("g (float[1,1] x) => (y)\n<float[2,3] e = {-8388608,-1,8388607, 5,-6,7}> {\n"
			 "\ty = " FINN "Lookup <NumEmbeddings = 2, EmbeddingDim = 3, EmbeddingType = \"INT24\", "
			 "InputType = \"UINT1\", InputShape = [1, 1]> (x, e)\n}\n",
			 &d);
	static const int64_t want[] = { -8388608, -1, 8388607, 5, -6, 7 };
	assert_no_errors(&d);
	assert_int_equal(count, 1);
	assert_int_equal(memories[0].chunks, 2);
	for (int64_t i = 0; i < 6; i++)
		assert_int_equal(hw_memory_at(&memories[0], 0, i / 3, i % 3), want[i]);
	free_all(count);
}

/* A bipolar weight takes a bit; a filter a channel is dealt out to the PEs in turn. */
static void depthwise_bits(void **state)
{
	struct diags d = { 0 };
	(void)state;
	int count = pack("g (float[1,1,1,8] x) => (y)\n<float[4,1,1,2] w = {1,-1, 1,1, -1,-1, -1,1}> {\n"
			 "\ty = " FINN "VVAU <Channels = 4, Kernel = [1, 2], Dim = [1, 1], PE = 2, SIMD = 2, "
			 "noActivation = 1, inputDataType = \"UINT2\", weightDataType = \"BIPOLAR\", "
			 "outputDataType = \"INT4\"> (x, w)\n}\n",
			 &d);
	assert_no_errors(&d);
	assert_int_equal(count, 1);
	assert_int_equal(*hw_memory_word(&memories[0], 0, 0), 1); /* channel 0: +1, -1 */
	assert_int_equal(*hw_memory_word(&memories[0], 1, 0), 3); /* channel 1 */
	assert_int_equal(*hw_memory_word(&memories[0], 0, 1), 0); /* channel 2 */
	assert_int_equal(*hw_memory_word(&memories[0], 1, 1), 2); /* channel 3 */
	assert_int_equal(hw_memory_at(&memories[0], 1, 1, 0), -1);
	free_all(count);
}

static void what_does_not_fit(void **state)
{
	struct diags d = { 0 };
	(void)state;
	assert_int_equal(pack(MVAU("1,2,-1,3,0,-4,-2,1", "0,1,2,0,1,2", "weightDataType = \"INT2\""), &d), -1);
	assert_said(&d, "INT2 does not hold");
	d = (struct diags){ 0 };
	assert_int_equal(pack(MVAU("0.5,0,0,0,0,0,0,0", "0,1,2,0,1,2", "weightDataType = \"INT2\""), &d), -1);
	assert_said(&d, "INT2 does not hold");
	d = (struct diags){ 0 };
	assert_int_equal(pack("g (float[1,4] x) => (y)\n<float[4,3] w = {0,0,0,0,0,0,0,0,0,0,0,0}> {\n\ty = " FINN
			      "MVAU <MW = 4, MH = 2, noActivation = 1, inputDataType = \"UINT2\", "
			      "weightDataType = \"INT2\", outputDataType = \"INT8\"> (x, w)\n}\n",
			      &d),
			 -1);
	assert_said(&d, "has 12 weights; its attributes ask for 8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matrix),
		cmocka_unit_test(thresholds_between_integers),
		cmocka_unit_test(elements_across_chunks),
		cmocka_unit_test(depthwise_bits),
		cmocka_unit_test(what_does_not_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

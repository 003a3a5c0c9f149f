/* Shapes and datatypes that operators infer, a row a case: nodes over inputs, and the type of output y. */
#include "../unit/test.h"

#include "ops/op.h"

struct row {
	const char *text; /* of a graph "g (...) => (y) { ... }" */
	const char *type; /* "float[2,?]:INT4", or part of the diagnostic where inference refuses */
};

/* The type as the rows write it. */
static void type_text(const struct value *v, char *out, size_t size)
{
	char name[DATATYPE_NAME_SIZE];
	size_t n = (size_t)snprintf(out, size, "%s", elem_name((enum elem_type)v->elem));
	if (v->rank < 0)
		n += (size_t)snprintf(out + n, size - n, "?");
	for (int i = 0; i < v->rank; i++) {
		char dim[24] = "?";
		if (v->dims[i] >= 0)
			snprintf(dim, sizeof dim, "%lld", (long long)v->dims[i]);
		n += (size_t)snprintf(out + n, size - n, "%c%s", i ? ',' : '[', dim);
	}
	n += (size_t)snprintf(out + n, size - n, "%s", v->rank == 0 ? "[]" : v->rank > 0 ? "]" : "");
	if (v->datatype.kind != DT_NONE)
		snprintf(out + n, size - n, ":%s", datatype_name(v->datatype, name));
}

static void assert_infers(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct graph *g = test_graph(rows[i].text);
		struct diags d = { 0 };
		char type[256];
		assert_int_equal(graph_infer(g, &d), 0);
		type_text(g->outputs[0].value, type, sizeof type);
		if (strcmp(type, rows[i].type) != 0)
			fail_msg("%s\n  gives %s, not %s", rows[i].text, type, rows[i].type);
		diags_free(&d);
		graph_free(g);
	}
}

static void assert_refuses(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct graph *g = test_graph(rows[i].text);
		struct diags d = { 0 };
		if (graph_infer(g, &d) == 0)
			fail_msg("%s\n  is not refused", rows[i].text);
		assert_said(&d, rows[i].type);
		graph_free(g);
	}
}

#define INFERS(...)                                              \
	do {                                                     \
		const struct row rows[] = { __VA_ARGS__ };       \
		(void)state;                                     \
		assert_infers(rows, sizeof rows / sizeof *rows); \
	} while (0)

static void arithmetic_is_range_exact(void **state)
{
	INFERS({ "g (float[2]:INT4 a, float[2]:INT4 b) => (y) { y = Add(a, b) }", "float[2]:INT5" },
	       { "g (float[2]:UINT4 a, float[2]:UINT2 b) => (y) { y = Sub(a, b) }", "float[2]:INT5" },
	       { "g (float[2]:INT4 a, float[2]:INT4 b) => (y) { y = Mul(a, b) }", "float[2]:INT8" },
	       { "g (float[2]:BIPOLAR a, float[2]:BIPOLAR b) => (y) { y = Mul(a, b) }", "float[2]:BIPOLAR" },
	       { "g (float[2]:INT4 a, float[2] b) => (y) { y = Add(a, b) }", "float[2]" },
	       { "g (float[2]:UINT4 a) => (y) <float c = {3}> { y = Add(a, c) }", "float[2]:UINT5" },
	       { "g (float[2]:UINT4 a) => (y) <float c = {0.5}> { y = Mul(a, c) }", "float[2]" },
	       { "g (int8[2] a, int8[2] b) => (y) { y = Add(a, b) }", "int8[2]:INT8" },
	       { "g (float[2]:INT4 a, float[2]:UINT2 b) => (y) { y = Max(a, b) }", "float[2]:UINT3" },
	       { "g (float[2]:INT4 a, float[2]:UINT2 b) => (y) { y = Min(a, b) }", "float[2]:INT4" },
	       { "g (float[2]:UINT2 a) => (y) { y = Sum(a, a, a) }", "float[2]:UINT4" },
	       { "g (float[2]:INT4 a) => (y) { y = Neg(a) }", "float[2]:INT5" },
	       { "g (float[2]:INT4 a) => (y) { y = Abs(a) }", "float[2]:UINT4" },
	       { "g (float[2] a) => (y) { y = Sign(a) }", "float[2]:TERNARY" });
}

static void activations_cut_ranges(void **state)
{
	INFERS({ "g (float[2]:INT4 x) => (y) { y = Relu(x) }", "float[2]:UINT3" },
	       { "g (float[2]:UINT4 x) => (y) { y = Relu(x) }", "float[2]:UINT4" },
	       { "g (float[2]:INT4 x) => (y) { y = Sigmoid(x) }", "float[2]" },
	       { "g (float[2]:INT4 x) => (y) { y = Floor(x) }", "float[2]:INT4" },
	       { "g (float[2]:INT8 x) => (y) <float lo = {0}, float hi = {6}> { y = Clip(x, lo, hi) }",
		 "float[2]:UINT3" },
	       { "g (float[2]:INT4 x) => (y) <float lo = {-20}> { y = Clip(x, lo) }", "float[2]:INT4" },
	       { "g (float[2]:INT4 x) => (y) <float lo = {0.5}> { y = Clip(x, lo) }", "float[2]" },
	       { "g (float[2] a, float[2] b) => (y) { y = Less(a, b) }", "bool[2]:BINARY" });
}

static void movers_keep_datatypes(void **state)
{
	INFERS({ "g (float[2,3]:INT3 x) => (y) { y = Transpose(x) }", "float[3,2]:INT3" },
	       { "g (float[2,3,4]:INT3 x) => (y) { y = Flatten<axis=2>(x) }", "float[6,4]:INT3" },
	       { "g (float[2,3]:INT3 a, float[2,5]:UINT3 b) => (y) { y = Concat<axis=1>(a, b) }", "float[2,8]:INT4" },
	       { "g (float[2,3]:INT3 a, float[2,5] b) => (y) { y = Concat<axis=1>(a, b) }", "float[2,8]" },
	       { "g (float[1,2]:BIPOLAR x) => (y) <int64[4] p = {0, 1, 0, 1}> { y = Pad(x, p) }",
		 "float[1,4]:TERNARY" },
	       { "g (float[1,2]:BIPOLAR x) => (y) <int64[4] p = {0, 1, 0, 1}> { y = Pad<mode=\"edge\">(x, p) }",
		 "float[1,4]:BIPOLAR" },
	       { "g (bool[2] c, float[2]:INT2 a, float[2]:UINT2 b) => (y) { y = Where(c, a, b) }", "float[2]:INT3" },
	       { "g (float[2]:INT4 x) => (y) { y = Cast<to=6>(x) }", "int32[2]:INT4" },
	       { "g (float[2]:INT12 x) => (y) { y = Cast<to=3>(x) }", "int8[2]:INT8" },
	       { "g (float[4,5]:INT4 x) => (y) { y = ReduceMax<keepdims=0>(x) }", "float[]:INT4" },
	       { "g (float[4,5]:INT4 x) => (y) <int64[1] a = {1}> { y = ReduceSum(x, a) }", "float[4,1]:INT7" },
	       { "g (float[4,5]:INT4 x) => (y) { y = ArgMax<axis=1>(x) }", "int64[4,1]:UINT3" });
}

static void shapes(void **state)
{
	INFERS({ "g (float[N,3,4] x) => (y) <int64[2] s = {0, -1}> { y = Reshape(x, s) }", "float[?,?]" },
	       { "g (float[2,3,4] x) => (y) <int64[2] s = {0, -1}> { y = Reshape(x, s) }", "float[2,12]" },
	       { "g (float[2,3] x, int64[3] s) => (y) { y = Reshape(x, s) }", "float[?,?,?]" },
	       { "g (float[2,1,3] x) => (y) <int64[1] a = {1}> { y = Squeeze(x, a) }", "float[2,3]" },
	       { "g (float[2,3] x) => (y) <int64[2] a = {0, -1}> { y = Unsqueeze(x, a) }", "float[1,2,3,1]" },
	       { "g (float[2,1] a, float[3] b) => (y) { y = Add(a, b) }", "float[2,3]" },
	       { "g (float[N,1] a, float[3] b) => (y) { y = Add(a, b) }", "float[?,3]" },
	       { "g (float[10,4] x) => (y) <int64[1] s = {-1}, int64[1] e = {-100}, int64[1] a = {0}, "
		 "int64[1] t = {-3}> { y = Slice(x, s, e, a, t) }",
		 "float[4,4]" },
	       { "g (float[5,4] x, int64[2,3] i) => (y) { y = Gather<axis=1>(x, i) }", "float[5,2,3]" },
	       { "g (float[7,2] x) => (y, z) { y, z = Split<num_outputs=2>(x) }", "float[4,2]" },
	       { "g (float[1,1,4,6] x) => (y) <float[4] s = {1.0, 1.0, 0.5, 2.0}> { y = Resize(x, , s) }",
		 "float[1,1,2,12]" },
	       { "g (float[3,8] x) => (y, i) <int64[1] k = {2}> { y, i = TopK(x, k) }", "float[3,2]" },
	       { "g (float[2,3,4] x) => (y) { y = Shape<start=1>(x) }", "int64[2]" },
	       { "g (float[1,8,2,3] x) => (y) { y = DepthToSpace<blocksize=2>(x) }", "float[1,2,4,6]" },
	       { "g (float[2,3] a, float[3,4] b) => (y) { y = Einsum<equation=\"ij,jk->ik\">(a, b) }", "float[2,4]" },
	       { "g () => (y) <int64[2] s = {2, 3}> { y = ConstantOfShape(s) }", "float[2,3]:UINT1" });
}

static void clashes_are_refused(void **state)
{
	const struct row rows[] = {
		{ "g (float[2] a, float[3] b) => (y) { y = Add(a, b) }", "does not fit" },
		{ "g (float[2,3] x) => (y) <int64[1] s = {4}> { y = Reshape(x, s) }", "requested shape" },
		{ "g (float[2,3] x) => (y) { y = Transpose<perm=[0, 0]>(x) }", "no permutation" },
		{ "g (float[2,3] a, float[4,4] b) => (y) { y = Concat<axis=0>(a, b) }", "do not fit" },
		{ "g (float[2,3] x) => (y) { y = Flatten<axis=5>(x) }", "out of range" },
		{ "g (float[2,3] x) => (y) <int64[1] a = {7}> { y = ReduceSum(x, a) }", "axis" },
		{ "g (float[2,3] x) => (y) <int64[1] k = {9}> { y, i = TopK(x, k) }", "k or its axis" },
		{ "g (float[2] x) => (y) { y = Add(x) }", "has 1 inputs" },
		{ "g (float[2,3] a) => (y) { y = Einsum<equation=\"ijk->i\">(a) }", "equation" },
	};
	(void)state;
	assert_refuses(rows, sizeof rows / sizeof *rows);
}

/* The rows of the table are in the order that op_find's search needs. */
static void table_is_sorted(void **state)
{
	(void)state;
	for (size_t i = 1; i < op_table_size; i++) {
		int order = strcmp(op_table[i - 1]->name, op_table[i]->name);
		if (order > 0 || (order == 0 && strcmp(op_table[i - 1]->domain, op_table[i]->domain) >= 0))
			fail_msg("%s is listed after %s", op_table[i]->name, op_table[i - 1]->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arithmetic_is_range_exact), cmocka_unit_test(activations_cut_ranges),
		cmocka_unit_test(movers_keep_datatypes),     cmocka_unit_test(shapes),
		cmocka_unit_test(clashes_are_refused),	     cmocka_unit_test(table_is_sorted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* prune-dead: small networks in, the sizes of the matrices that stay out; outputs are the same for random inputs. */
#include "passes.h"

#include "util/strbuf.h"

#define X "(float[1,4] x) => (y)"
#define INT3(of, as) as " = qonnx.Quant" SIGNED "(" of ", one, zero, three) "
#define UINT2(of, as) as " = qonnx.Quant" UNSIGNED "(" of ", one, zero, two) "
/* Inputs 4, outputs 4; the third output meets zeros only. */
#define W44 "float[4,4] w = {1,2,0,-1, 1,1,0,0, 2,1,0,1, -1,-1,0,1}"
#define V42 "float[4,2] v = {1,2, -1,1, 3,1, 1,1}"
#define NINE "1,-1,2,0,1,1,-2,3,1"
#define IMAGE "(float[1,2,3,3] x) => (y)"

static const struct {
	struct pass_case c;
	const char *passes, *shapes;
} cases[] = {
	{ { "nothing dead", X, V42, INT3("x", "q") "y = MatMul(q, v)", "Gather=0" }, "prune-dead", "4x2" },
	{ { "zero weights of an input", X, "float[4,2] v = {1,2, 0,0, 3,1, 1,1}", INT3("x", "q") "y = MatMul(q, v)",
	    "Gather=1" },
	  "prune-dead",
	  "3x2" },
	{ { "an output that is constant", X, W44 "," V42,
	    INT3("x", "q") "a = MatMul(q, w) " UINT2("a", "b") "y = MatMul(b, v)", "Gather=0" },
	  "prune-dead",
	  "4x3 3x2" },
	{ { "a constant other than 0", X, W44 "," V42,
	    INT3("x", "q") "a = MatMul(q, w) s = Add(a, two) " UINT2("s", "b") "y = MatMul(b, v)", "Gather=0" },
	  "prune-dead",
	  "4x3 3x2" },
	{ { "all weights zero", X, "float[4,2] v = {0,0, 0,0, 0,0, 0,0}", INT3("x", "q") "y = MatMul(q, v)", "" },
	  "prune-dead",
	  "1x2" },
	{ { "a channel that one of two readers needs", "(float[1,4] x) => (y, z)",
	    "float[4,4] w = {1,2,3,-1, 1,1,-2,0, 2,1,0,1, -1,-1,1,1}, float[4,2] v = {0,0, 1,-1, 2,1, 1,1}",
	    INT3("x", "q") "a = MatMul(q, w) " UINT2("a", "b") "y = MatMul(b, v) " INT3("a", "c") "z = Relu(c)", "" },
	  "prune-dead",
	  "4x4 4x2" },
	{ { "a channel that neither of two readers needs", "(float[1,4] x) => (y, z)",
	    "float[4,4] w = {1,2,3,-1, 1,1,-2,0, 2,1,0,1, -1,-1,1,1}, float[4,2] v = {0,0, 1,-1, 2,1, 1,1}",
	    INT3("x", "q") "a = MatMul(q, w) " UINT2("a", "b") "y = MatMul(b, v) " INT3("a", "c") "z = MatMul(c, v)",
	    "" },
	  "prune-dead",
	  "4x3 3x2 3x2" },
	{ { "a part of a concatenation that is all constant", X,
	    V42 ", float[4,2] u = {0,0, 0,0, 0,0, 0,0}, float[4,2] t = {1,2, 1,1, 1,-1, 2,1}",
	    INT3("x", "q") "a = MatMul(q, v) c = MatMul(q, u) " UINT2("a", "b")
		    UINT2("c", "d") "f = Concat<axis=1>(b, d) y = MatMul(f, t)",
	    "Concat=1" },
	  "prune-dead",
	  "4x2 4x1 3x2" },
	{ { "a concatenation beside a sum", X,
	    V42 ", float[4,2] u = {0,0, 0,0, 0,0, 0,0}, float[4,2] t = {1,2, 1,1, 1,-1, 2,1}, " W44,
	    INT3("x", "q") "a = MatMul(q, v) c = MatMul(q, u) " UINT2("a", "b")
		    UINT2("c", "d") "f = Concat<axis=1>(b, d) m = MatMul(q, w) " UINT2("m", "k") "r = Add(f, k) " UINT2(
			    "r", "h") "y = MatMul(h, t)",
	    "Concat=1" },
	  "prune-dead",
	  "4x2 4x1 4x3 3x2" },
	{ { "a depthwise layer at an image that stays whole", IMAGE,
	    "float[2,1,1,1] w = {1,2}, float[2,2,1,1] v = {0,1, 0,-1}",
	    INT3("x", "q") "a = Conv<group=2>(q, w) " UINT2("a", "b") "y = Conv(b, v)", "Conv=2" },
	  "prune-dead",
	  "2x1 2x2" },
	{ { "between layers there is no Gather", "(float[2,4] x) => (y)",
	    W44 ", int64[2] s = {4, 2}, float[2,2] v = {0,0, 1,2}",
	    INT3("x", "q") "a = MatMul(q, w) " UINT2("a", "b") "r = Reshape(b, s) y = MatMul(r, v)", "Gather=0" },
	  "prune-dead",
	  "4x4 2x2" },
};

/* Sizes of the constant matrices of products, in order: "4x3 3x2". */
static char *shapes_of(const struct graph *g)
{
	struct strbuf b = { 0 };
	strbuf_puts(&b, "");
	graph_for_each_node (g, n) {
		const struct value *w = n->n_inputs > 1 ? node_input(n, 1) : NULL;
		if (n->op == &op_MatMul || n->op == &op_Conv || n->op == &op_MVAU)
			strbuf_printf(&b, "%s%lldx%lld", b.length ? " " : "", (long long)w->dims[0],
				      (long long)w->dims[1]);
	}
	return b.text;
}

static void shrinks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct graph *g = run_case(&cases[i].c, cases[i].passes, 0);
		char *shapes = shapes_of(g);
		assert_string_equal(shapes, cases[i].shapes);
		free(shapes);
		graph_free(g);
	}
}

/* Three channels of a convolution's eight are dead: five stay, or six where hardware is to be made of it. */
static void images_keep_friendly_numbers(void **state)
{
	static const struct pass_case image = { "dead channels of an image", IMAGE,
						"float[8,2,1,1] w = {1,2, 0,0, 3,1, 0,0, 1,-1, 0,0, -1,1, 2,3}, "
						"float[1,8,3,3] u = {" NINE "," NINE "," NINE "," NINE "," NINE "," NINE
						"," NINE "," NINE "}",
						INT3("x", "q") "a = Conv(q, w) " UINT2("a", "b") "y = Conv(b, u)",
						"Conv=2" };
	(void)state;
	struct graph *g = run_case(&image, "prune-dead", 0);
	char *shapes = shapes_of(g);
	assert_string_equal(shapes, "5x2 1x5");
	free(shapes);
	graph_free(g);
	g = run_case(&image, "prune-dead(divisors)", 0);
	shapes = shapes_of(g);
	assert_string_equal(shapes, "6x2 1x6");
	free(shapes);
	graph_free(g);
}

/* to-hw and fold ask for it where nobody did; the shape is kept on request. */
static void hardware_asks_for_it(void **state)
{
	static const char *const passes[][2] = {
		{ "to-hw", "4x3 3x2" },
		{ "fold(target_cycles=100)", "4x3 3x2" },
		{ "to-hw(keep_shape)", "4x4 4x2" },
		{ "fold(keep_shape,target_cycles=100)", "4x4 4x2" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
		struct pass_case c = cases[2].c;
		c.expected = "MVAU=2";
		struct graph *g = run_case(&c, passes[i][0], 0);
		char *shapes = shapes_of(g);
		assert_string_equal(shapes, passes[i][1]);
		free(shapes);
		graph_free(g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shrinks),
		cmocka_unit_test(images_keep_friendly_numbers),
		cmocka_unit_test(hardware_asks_for_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

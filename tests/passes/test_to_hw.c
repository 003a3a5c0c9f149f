/* lower-convs and to-hw: what small integer networks become, and that they compute the same. */
#include "passes.h"

#include "hw/hw.h"
#include "pipeline/feed.h"

/* ---- building ---- */

struct net {
	struct graph *g;
	struct value *x; /* what the next layer reads */
};

static struct net start(const char *datatype, int rank, const int64_t *dims)
{
	struct net n = { .g = graph_new() };
	graph_set_opset(n.g, DOMAIN_ONNX, 13);
	graph_set_opset(n.g, DOMAIN_QONNX, 1);
	n.x = value_new_named(n.g, "x");
	value_set_type(n.g, n.x, ELEM_FLOAT, rank, dims);
	datatype_parse(datatype, &n.x->datatype);
	graph_add_input(n.g, n.x);
	return n;
}

static struct value *constant(struct net *n, const char *datatype, int rank, const int64_t *dims, int spread)
{
	struct tensor *t = tensor_new(ELEM_FLOAT, rank, dims);
	bool bipolar = strcmp(datatype, "BIPOLAR") == 0;
	for (int64_t i = 0; i < t->count; i++) {
		int64_t r = (i * 7919 + i * i * 31 + 5) % 97;
		tensor_put(t, i, bipolar ? (double)(r % 2 * 2 - 1) : (double)(r % (2 * spread + 1) - spread));
	}
	struct value *v = value_new_constant(n->g, "c", t);
	datatype_parse(datatype, &v->datatype);
	return v;
}

static struct node *add(struct net *n, const char *domain, const char *op, struct value *second)
{
	struct value *in[] = { n->x, second };
	struct node *node = node_new(n->g, NULL, domain, op, in, second ? 2 : 1, 1, op);
	n->x = node->outputs[0];
	return node;
}

static void infer(struct net *n)
{
	struct diags d = { 0 };
	assert_int_equal(graph_infer(n->g, &d), 0);
	diags_free(&d);
}

/* Thresholds -2, 0, 2 in every channel, out UINT2; or 0, out BIPOLAR. */
static void threshold(struct net *n, int64_t channels, bool bipolar)
{
	int64_t steps = bipolar ? 1 : 3;
	struct tensor *t = tensor_new(ELEM_FLOAT, 2, (int64_t[]){ channels, steps });
	for (int64_t i = 0; i < t->count; i++)
		tensor_put(t, i, bipolar ? 1 : (double)(2 * (i % 3) - 2));
	struct value *v = value_new_constant(n->g, "t", t);
	v->datatype = datatype_int(8);
	struct node *node = add(n, DOMAIN_QONNX, "MultiThreshold", v);
	node_set_string(node, "out_dtype", bipolar ? "BIPOLAR" : "UINT2");
	if (bipolar) {
		node_set_float(node, "out_scale", 2);
		node_set_float(node, "out_bias", -1);
	}
	infer(n);
}

static struct node *conv(struct net *n, int64_t out, int64_t in, int64_t k, int64_t pad, int64_t stride, int64_t group)
{
	struct node *node =
		add(n, DOMAIN_ONNX, "Conv", constant(n, "INT3", 4, (int64_t[]){ out, in / group, k, k }, 3));
	node_set_ints(node, "kernel_shape", (int64_t[]){ k, k }, 2);
	node_set_ints(node, "pads", (int64_t[]){ pad, pad, pad, pad }, 4);
	node_set_ints(node, "strides", (int64_t[]){ stride, stride }, 2);
	node_set_int(node, "group", group);
	infer(n);
	return node;
}

/* ---- checking ---- */

static struct tensor *execute(const struct graph *g)
{
	struct feed f;
	struct diags d = { 0 };
	struct exec_options o = { .threads = 1 };
	struct tensor *out = NULL;
	feed_init(&f, g);
	assert_int_equal(feed_generate(&f, 1, 3, &d), 0);
	exec_graph(g, f.tensors, &out, &o, &d);
	assert_no_errors(&d);
	feed_free(&f);
	diags_free(&d);
	return out;
}

/* Runs passes on the net and compares; the counts are pairs of operator and number, ended by NULL. */
static void becomes(struct net *n, const char *passes, const char *const *ops, const int *counts)
{
	graph_add_output(n->g, n->x, "y");
	n->g->properties |= GRAPH_STREAMLINED | GRAPH_INFERRED | GRAPH_CLEAN | GRAPH_CONVERTED;
	struct tensor *before = execute(n->g);
	test_run(n->g, passes);
	struct tensor *after = execute(n->g);
	for (size_t i = 0; ops[i]; i++)
		if (test_count(n->g, ops[i]) != counts[i])
			fail_msg("%d of %s, not %d", test_count(n->g, ops[i]), ops[i], counts[i]);
	assert_int_equal(before->count, after->count);
	for (int64_t i = 0; i < before->count; i++)
		assert_true(tensor_at(before, i) == tensor_at(after, i));
	tensor_unref(before);
	tensor_unref(after);
	graph_free(n->g);
}

#define BECOMES(net, passes, ...)                                            \
	do {                                                                 \
		static const struct {                                        \
			const char *op;                                      \
			int count;                                           \
		} rows[] = { __VA_ARGS__ };                                  \
		const char *ops[sizeof rows / sizeof *rows + 1] = { 0 };     \
		int counts[sizeof rows / sizeof *rows];                      \
		for (size_t i_ = 0; i_ < sizeof rows / sizeof *rows; i_++) { \
			ops[i_] = rows[i_].op;                               \
			counts[i_] = rows[i_].count;                         \
		}                                                            \
		becomes(net, passes, ops, counts);                           \
	} while (0)

static void matmul_and_thresholds(void **state)
{
	struct net n = start("UINT2", 2, (int64_t[]){ 3, 12 });
	(void)state;
	add(&n, DOMAIN_ONNX, "MatMul", constant(&n, "INT3", 2, (int64_t[]){ 12, 6 }, 3));
	infer(&n);
	threshold(&n, 6, false);
	add(&n, DOMAIN_ONNX, "MatMul", constant(&n, "INT2", 2, (int64_t[]){ 6, 4 }, 1));
	infer(&n);
	BECOMES(&n, "to-hw", { "MVAU", 2 }, { "MatMul", 0 }, { "MultiThreshold", 0 });
}

static void bipolar_counts_bits(void **state)
{
	struct net n = start("BIPOLAR", 2, (int64_t[]){ 2, 9 });
	(void)state;
	add(&n, DOMAIN_ONNX, "MatMul", constant(&n, "BIPOLAR", 2, (int64_t[]){ 9, 5 }, 1));
	infer(&n);
	threshold(&n, 5, true);
	add(&n, DOMAIN_ONNX, "MatMul", constant(&n, "BIPOLAR", 2, (int64_t[]){ 5, 3 }, 1));
	infer(&n);
	add(&n, DOMAIN_ONNX, "Mul", value_new_constant(n.g, "scale", tensor_scalar(0.25f)));
	infer(&n); /* behind it the host turns popcounts into products: Mul, Add */
	BECOMES(&n, "to-hw", { "MVAU", 2 }, { "Mul", 2 }, { "Add", 1 });
}

static void convolutions(void **state)
{
	struct net n = start("UINT4", 4, (int64_t[]){ 1, 3, 8, 8 });
	(void)state;
	conv(&n, 4, 3, 3, 1, 1, 1);
	threshold(&n, 4, false);
	conv(&n, 4, 4, 3, 1, 2, 4); /* depthwise */
	threshold(&n, 4, false);
	conv(&n, 6, 4, 1, 0, 1, 1); /* pointwise */
	threshold(&n, 6, false);
	conv(&n, 4, 6, 3, 0, 1, 2); /* two groups */
	threshold(&n, 4, false);
	BECOMES(&n, "to-hw", { "MVAU", 3 }, { "VVAU", 1 }, { "ConvolutionInputGenerator", 3 }, { "FMPadding", 2 },
		{ "Transpose", 2 });
}

/* A column of pixels: only the stride along it takes pixels away. */
static void strides_of_lines(void **state)
{
	(void)state;
	for (int along = 0; along < 2; along++) {
		struct net n = start("UINT4", 4, (int64_t[]){ 1, 3, 4, 1 });
		struct node *c = conv(&n, 4, 3, 1, 0, 1, 1);
		node_set_ints(c, "strides", along ? (int64_t[]){ 2, 1 } : (int64_t[]){ 1, 2 }, 2);
		threshold(&n, 4, false);
		if (along)
			BECOMES(&n, "to-hw", { "DownSampler", 1 }, { "MVAU", 1 });
		else
			BECOMES(&n, "to-hw", { "DownSampler", 0 }, { "MVAU", 1 });
	}
}

/* Bipolar images hold no 0: what is padded becomes TERNARY at its source, what is not padded stays bipolar. */
static struct net padded_bipolar(void)
{
	struct net n = start("BIPOLAR", 4, (int64_t[]){ 1, 4, 6, 6 });
	conv(&n, 4, 4, 3, 1, 1, 1);
	threshold(&n, 4, true);
	struct node *pool = add(&n, DOMAIN_ONNX, "MaxPool", NULL);
	node_set_ints(pool, "kernel_shape", (int64_t[]){ 2, 2 }, 2);
	node_set_ints(pool, "strides", (int64_t[]){ 2, 2 }, 2);
	infer(&n);
	conv(&n, 4, 4, 3, 1, 1, 4);
	threshold(&n, 4, true);
	conv(&n, 4, 4, 3, 0, 1, 1);
	threshold(&n, 4, true);
	return n;
}

static void bipolar_padding(void **state)
{
	struct net n = padded_bipolar();
	(void)state;
	n.g->properties |= GRAPH_STREAMLINED | GRAPH_INFERRED | GRAPH_CLEAN | GRAPH_CONVERTED;
	graph_add_output(n.g, n.x, "y");
	test_run(n.g, "to-hw");
	graph_for_each_node (n.g, node) {
		const char *in = node_attr_string(node, "inputDataType", "");
		if (!strcmp(node->op_type, "FMPadding"))
			assert_string_equal(in, "TERNARY");
		if (!strcmp(node->op_type, "VVAU"))
			assert_string_equal(node_attr_string(node, "outputDataType", ""), "BIPOLAR");
	}
	graph_free(n.g);
	n = padded_bipolar();
	BECOMES(&n, "to-hw", { "FMPadding", 2 }, { "MVAU", 2 }, { "VVAU", 1 });
}

static void pooling_and_flattening(void **state)
{
	struct net n = start("UINT3", 4, (int64_t[]){ 1, 3, 8, 8 });
	(void)state;
	struct node *pool = add(&n, DOMAIN_ONNX, "MaxPool", NULL);
	node_set_ints(pool, "kernel_shape", (int64_t[]){ 2, 2 }, 2);
	node_set_ints(pool, "strides", (int64_t[]){ 2, 2 }, 2);
	infer(&n);
	struct node *overlap = add(&n, DOMAIN_ONNX, "MaxPool", NULL);
	node_set_ints(overlap, "kernel_shape", (int64_t[]){ 3, 3 }, 2);
	node_set_ints(overlap, "strides", (int64_t[]){ 1, 1 }, 2);
	node_set_ints(overlap, "pads", (int64_t[]){ 1, 1, 1, 1 }, 4);
	infer(&n);
	add(&n, DOMAIN_ONNX, "Flatten", NULL);
	infer(&n);
	add(&n, DOMAIN_ONNX, "MatMul", constant(&n, "INT3", 2, (int64_t[]){ 48, 4 }, 3));
	infer(&n);
	BECOMES(&n, "to-hw", { "StreamingMaxPool", 1 }, { "Pool", 1 }, { "FMPadding", 1 }, { "MVAU", 1 },
		{ "Transpose", 1 });
}

static void forks_and_joins(void **state)
{
	struct net n = start("UINT2", 4, (int64_t[]){ 1, 4, 6, 6 });
	(void)state;
	struct value *fork = n.x;
	conv(&n, 4, 4, 3, 1, 1, 1);
	threshold(&n, 4, false);
	struct value *left = n.x;
	n.x = fork;
	conv(&n, 4, 4, 1, 0, 1, 1);
	threshold(&n, 4, false);
	add(&n, DOMAIN_ONNX, "Add", left);
	infer(&n);
	threshold(&n, 4, false);
	BECOMES(&n, "to-hw", { "DuplicateStreams", 1 }, { "AddStreams", 1 }, { "Thresholding", 1 }, { "MVAU", 2 });
}

static void folding_changes_nothing(void **state)
{
	struct net n = start("UINT4", 4, (int64_t[]){ 1, 4, 8, 8 });
	(void)state;
	conv(&n, 4, 4, 3, 1, 1, 4);
	threshold(&n, 4, false);
	conv(&n, 8, 4, 3, 1, 2, 1);
	threshold(&n, 8, false);
	BECOMES(&n, "to-hw,fold(target_cycles=400),insert-dwc,insert-fifo", { "VVAU", 1 }, { "MVAU", 1 });
}

#define GATED                                                                                                           \
	"float[4,4] w = {1,-2,0.5,0,1.5,2,-1,1,0,-0.5,1,-1,2,1.5,-2,0.5}, float[4,4,1,1] k = {1,-2,0.5,0,1.5,2,-1,1,0," \
	"-0.5,1,-1,2,1.5,-2,0.5}, int64[4] pixel = {1,4,1,1}"
#define ACTIVATION(y, x, scale) y " = qonnx.Quant" UNSIGNED "(" x ", " scale ", zero, four) "
#define WEIGHTS "q = qonnx.Quant" SIGNED "(w, half, zero, four) p = qonnx.Quant" SIGNED "(k, half, zero, four) "
#define POOLED                                                         \
	ACTIVATION("i", "x", "half")                                   \
	WEIGHTS "a = GlobalAveragePool(i) f = Flatten(a) " ACTIVATION( \
		"h", "f", "quarter") "m = MatMul(h, q) " ACTIVATION("g", "m", "half") "r = Reshape(g, pixel) "

/* Products of two streams; the gate of squeeze-and-excite is one pixel, on either side. */
static const struct pass_case gates[] = {
	{ "two branches", "(float[1,4] x) => (y)", GATED,
	  ACTIVATION("i", "x", "half") WEIGHTS
	  "a = MatMul(i, q) " ACTIVATION("b", "a", "half") "c = Relu(a) " ACTIVATION(
		  "d", "c", "quarter") "e = Mul(b, d) " ACTIVATION("f", "e", "one") "y = MatMul(f, q)",
	  "StreamingEltwise=1 MVAU=2 DuplicateStreams=1" },
	{ "gate", "(float[1,4,4,4] x) => (y)", GATED,
	  POOLED "e = Mul(i, r) " ACTIVATION("o", "e", "one") "y = Conv(o, p)",
	  "StreamingEltwise=1 GlobalAccPool=1 MVAU=2" },
	{ "gate first", "(float[1,4,4,4] x) => (y)", GATED,
	  POOLED "e = Mul(r, i) " ACTIVATION("o", "e", "one") "y = Conv(o, p)",
	  "StreamingEltwise=1 GlobalAccPool=1 MVAU=2" },
	{ "gate that is added", "(float[1,4,4,4] x) => (y)", GATED,
	  POOLED "e = Add(r, i) " ACTIVATION("o", "e", "one") "y = Conv(o, p)",
	  "StreamingEltwise=1 GlobalAccPool=1 MVAU=2" },
};

/* Ways from pixels to rows that leave no Transpose between layers, only the one in front of them. */
#define FLAT                                                                                                             \
	"float[4,4,1,1] k = {1,-2,0.5,0,1.5,2,-1,1,0,-0.5,1,-1,2,1.5,-2,0.5}, float[16,1] v = {1,-2,0.5,0,1.5,2,-1,1,0," \
	"-0.5,1,-1,2,1.5,-2,0.5}, int64[2] row = {1,16}"
#define PIXELS                       \
	ACTIVATION("i", "x", "half") \
	"p = qonnx.Quant" SIGNED "(k, half, zero, four) q = qonnx.Quant" SIGNED "(v, half, zero, four) "
static const struct pass_case flattenings[] = {
	{ "quantised again", "(float[1,4,2,2] x) => (y)", FLAT,
	  PIXELS "a = Conv(i, p) b = Flatten(a) " ACTIVATION("c", "b", "half") "y = MatMul(c, q)",
	  "MVAU=2 Transpose=1 Flatten=0 Reshape=0" },
	{ "scaled and quantised", "(float[1,4,2,2] x) => (y)", FLAT,
	  PIXELS "a = Conv(i, p) " ACTIVATION("b", "a", "half") "c = Flatten(b) " ACTIVATION(
		  "d", "c", "third") "y = MatMul(d, q)",
	  "MVAU=2 Transpose=1 Flatten=0 Reshape=0" },
	{ "as Keras does", "(float[1,4,2,2] x) => (y)", FLAT,
	  PIXELS "a = Conv(i, p) " ACTIVATION("b", "a", "half") "c = Transpose<perm=[0,2,3,1]>(b) d = Reshape(c, row) "
								"y = MatMul(d, q)",
	  "MVAU=2 Transpose=1 Flatten=0 Reshape=0" },
	{ "there and back", "(float[1,4,2,2] x) => (y)", FLAT,
	  PIXELS "a = Conv(i, p) " ACTIVATION(
		  "b", "a", "half") "c = Transpose<perm=[0,2,3,1]>(b) d = Transpose<perm=[0,3,1,2]>(c) "
				    "y = Conv(d, p)",
	  "MVAU=2 Transpose=2" },
};

static void rows_of_pixels(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof flattenings / sizeof *flattenings; i++)
		graph_free(run_case(&flattenings[i], "streamline,to-hw", 1e-6));
}

static void products_of_streams(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof gates / sizeof *gates; i++) {
		graph_free(run_case(&gates[i], "streamline,to-hw", 1e-6));
		graph_free(run_case(&gates[i], "streamline,fold(target_cycles=64),insert-dwc,insert-fifo", 1e-6));
	}
}

/* Thresholds as files may have them: in any order, with fractions, infinite ones, ones beyond the range, and none. */
static void thresholds_of_any_form(void **state)
{
	static const double rows[] = { 5.5, -3, 0.25, 100, -INFINITY, 2, INFINITY, 2, 2, -7.5, 1, 0 };
	(void)state;
	for (int64_t steps = 0; steps <= 4; steps += 4)
		for (int layer = 0; layer < 2; layer++) {
			struct net n = start("INT4", 2, (int64_t[]){ 4, 3 });
			if (layer) {
				add(&n, DOMAIN_ONNX, "MatMul", constant(&n, "INT2", 2, (int64_t[]){ 3, 3 }, 1));
				infer(&n);
			}
			struct tensor *t = tensor_new(ELEM_FLOAT, 2, (int64_t[]){ 3, steps });
			for (int64_t i = 0; i < t->count; i++)
				tensor_put(t, i, rows[i]);
			struct node *node = add(&n, DOMAIN_QONNX, "MultiThreshold", value_new_constant(n.g, "t", t));
			node_set_string(node, "out_dtype", "INT4");
			node_set_float(node, "out_bias", -2);
			infer(&n);
			add(&n, DOMAIN_ONNX, "MatMul", constant(&n, "INT2", 2, (int64_t[]){ 3, 2 }, 1));
			infer(&n);
			BECOMES(&n, "to-hw", { "MultiThreshold", 0 });
		}
}

/* Thresholds that give back what they get are no layer; the same with one step elsewhere, or another datatype's, are one. */
static void identity_thresholds(void **state)
{
	static const struct {
		const char *in, *out;
		double bias, steps[3];
		int64_t count;
		int layers;
	} rows[] = {
		{ "UINT2", "UINT2", 0, { 1, 2, 3 }, 3, 0 },  { "UINT2", "UINT2", 0, { 1, 2, 2 }, 3, 1 },
		{ "UINT2", "INT4", -1, { -5, 1, 2 }, 3, 1 }, { "UINT2", "UINT2", 0, { 1, 2, 4 }, 3, 1 },
		{ "INT2", "INT2", -2, { -1, 0, 1 }, 3, 0 },  { "INT2", "INT2", -1, { -1, 0, 1 }, 3, 1 },
		{ "UINT1", "INT4", -1, { -3, 1, 7 }, 3, 0 }, { "BIPOLAR", "BIPOLAR", -1, { 0 }, 1, 0 },
		{ "INT2", "BIPOLAR", -1, { 0 }, 1, 1 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct net n = start(rows[i].in, 2, (int64_t[]){ 4, 3 });
		struct tensor *t = tensor_new(ELEM_FLOAT, 2, (int64_t[]){ 1, rows[i].count });
		for (int64_t k = 0; k < t->count; k++)
			tensor_put(t, k, rows[i].steps[k]);
		struct node *node = add(&n, DOMAIN_QONNX, "MultiThreshold", value_new_constant(n.g, "t", t));
		node_set_string(node, "out_dtype", rows[i].out);
		node_set_float(node, "out_scale", strcmp(rows[i].out, "BIPOLAR") ? 1 : 2);
		node_set_float(node, "out_bias", (float)rows[i].bias);
		infer(&n);
		add(&n, DOMAIN_ONNX, "MatMul", constant(&n, "INT3", 2, (int64_t[]){ 3, 2 }, 3));
		infer(&n);
		const char *ops[] = { "Thresholding", "MultiThreshold", "MVAU", NULL };
		becomes(&n, "to-hw", ops, (int[]){ rows[i].layers, 0, 1 });
	}
}

static const struct pass_case one_level = {
	"a quantiser of one level", "(float[1,8] x) => (y)", "float[8,1] w = {" EIGHT_NUMBERS "}",
	"a = qonnx.Quant" SIGNED "(x, half, zero, four) c = qonnx.Quant<signed=0,narrow=1,rounding_mode=\"ROUND\">"
	"(a, half, zero, one) v = qonnx.Quant" SIGNED "(w, half, zero, four) y = MatMul(c, v)",
	""
};

static void one_level_is_a_layer(void **state)
{
	(void)state;
	graph_free(run_case(&one_level, "streamline,fold(target_cycles=64)", 1e-6));
}

static void real_layer_between_is_named(void **state)
{
	struct net n = start("UINT2", 2, (int64_t[]){ 1, 6 });
	struct diags d = { 0 };
	struct pipeline p;
	struct pipeline_options o = { 0 };
	json_t *report = json_array();
	(void)state;
	add(&n, DOMAIN_ONNX, "MatMul", constant(&n, "INT3", 2, (int64_t[]){ 6, 6 }, 3));
	infer(&n);
	threshold(&n, 6, false);
	node_set_string(add(&n, DOMAIN_ONNX, "Sigmoid", NULL), "marker", "here");
	infer(&n);
	n.x->datatype = datatype_uint(2); /* claimed, so that the next layer is hardware */
	add(&n, DOMAIN_ONNX, "MatMul", constant(&n, "INT3", 2, (int64_t[]){ 6, 2 }, 3));
	graph_add_output(n.g, n.x, "y");
	value_set_type(n.g, n.x, ELEM_FLOAT, 2, (int64_t[]){ 1, 2 });
	n.g->properties |= GRAPH_STREAMLINED | GRAPH_INFERRED | GRAPH_CLEAN | GRAPH_CONVERTED;
	assert_int_equal(pipeline_parse(&p, "to-hw", &d), 0);
	assert_int_not_equal(pipeline_run(&p, n.g, &o, report, &d), 0);
	assert_said(&d, "stands between hardware layers");
	pipeline_free(&p);
	json_decref(report);
	graph_free(n.g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matmul_and_thresholds),  cmocka_unit_test(bipolar_counts_bits),
		cmocka_unit_test(convolutions),		  cmocka_unit_test(pooling_and_flattening),
		cmocka_unit_test(forks_and_joins),	  cmocka_unit_test(folding_changes_nothing),
		cmocka_unit_test(bipolar_padding),	  cmocka_unit_test(strides_of_lines),
		cmocka_unit_test(products_of_streams),	  cmocka_unit_test(rows_of_pixels),
		cmocka_unit_test(thresholds_of_any_form), cmocka_unit_test(identity_thresholds),
		cmocka_unit_test(one_level_is_a_layer),	  cmocka_unit_test(real_layer_between_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
